/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Fields that end in NUL, a word of what it is and then its values: paths and
 * values of -D hold any other byte, and nothing needs quoting.
 *
 * The texts are numbered: those of the files first, then those of the files
 * that they include.  Who asks for the texts as they were gets all of them from
 * here, and a pattern finds those that were there.
 *
 * The record comes last, with a sum over all texts: a run that was killed between
 * two of them has left some of its own beside some of the one before, and such are
 * nobody's.
 */
#include "cli/applied.h"
#include "base/fnv.h"
#include "cli/live.h"
#include "host/file.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTES_BYTES	(16u << 10)	/* of what else is recorded: aliases, how long it took */

static const char *const lang_names[] = {
	[LANG_BY_NAME] = "-", [LANG_PF] = "pf", [LANG_IPFW] = "ipfw", [LANG_JAIL] = "jail",
	[LANG_RC] = "rc", [LANG_SYSCTL] = "sysctl", [LANG_EZJAIL] = "ezjail",
	[LANG_IOCAGE] = "iocage",
};

static void put(FILE *out, const char *field)
{
	fwrite(field, 1, strlen(field) + 1, out);
}

/* The path as it will be found from any directory */
static const char *absolute(struct cli *c, const char *path)
{
	CLEANUP(base_free) char *real = strcmp(path, "-") == 0 ? NULL : realpath(path, NULL);

	return real != NULL ? arena_strndup(&c->arena, real, strlen(real)) : path;
}

/* Was a file read again, after source @src: only the last text of it is in force */
static bool is_read_again(const struct cli *c, uint32_t src)
{
	const struct source *v = c->sources.list.v;

	for (uint32_t i = src + 1; i < c->sources.list.n; i++)
		if (v[i].is_file && strcmp(v[i].name, v[src].name) == 0)
			return true;
	return false;
}

/* The next file that the files of the command line brought, from number @src on; 0: none */
static uint32_t next_included(const struct cli *c, uint32_t src)
{
	for (; src < c->sources.list.n; src++) {
		bool is_given = !c->sources.list.v[src].is_file;

		for (uint32_t i = 0; i < c->files.n && !is_given; i++)
			is_given = c->files.v[i].src == src;
		if (!is_given && !is_read_again(c, src))
			return src;
	}
	return 0;
}

/* Of one text more; its length parts it from the next */
static uint64_t sum_text(uint64_t sum, const char *text, uint32_t len)
{
	return fnv64(fnv64(sum, &len, sizeof(len)), text, len);
}

static void put_sum(struct cli *c, FILE *out)
{
	uint64_t sum = FNV64_START;

	for (uint32_t i = 0; i < c->files.n && !c->files.v[i].live; i++) {
		const struct source *s = source_at(&c->sources, c->files.v[i].src);

		sum = sum_text(sum, s->text, s->len);
	}
	for (uint32_t src = 1; (src = next_included(c, src)) != 0; src++) {
		const struct source *s = source_at(&c->sources, src);

		sum = sum_text(sum, s->text, s->len);
	}
	put(out, "sum");
	put(out, arena_printf(&c->arena, "%016" PRIx64, sum));
}

static void put_all(struct cli *c, FILE *out)
{
	put_sum(c, out);
	for (uint32_t i = 0; i < c->files.n; i++) {
		if (c->files.v[i].live)
			continue;
		put(out, "file");
		put(out, lang_names[c->files.v[i].lang]);
		put(out, absolute(c, c->files.v[i].path));
	}
	for (uint32_t i = 0; i < c->defines.n; i++) {
		put(out, "define");
		put(out, c->defines.v[i].name);
		put(out, c->defines.v[i].value);
	}
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++) {
		if (c->policy.off[p]) {
			put(out, "no-fence");
			put(out, policy_names[p]);
		}
	}
	if (c->nat_path == NAT_PATH_USERSPACE) {
		put(out, "nat-path");
		put(out, "userspace");
	}
	if (c->one_pass >= 0) {
		put(out, "one-pass");
		put(out, c->one_pass == 1 ? "1" : "0");
	}
	if (c->exec) {
		put(out, "exec");
		put(out, "1");
	}
	if (c->interfaces != NULL) {
		put(out, "interfaces");
		put(out, absolute(c, c->interfaces));
	}
	for (uint32_t src = 1; (src = next_included(c, src)) != 0; src++) {
		put(out, "text");
		put(out, source_at(&c->sources, src)->name);
	}
}

/* Something is done with each text, by its number and what it is called in the state */
typedef int text_fn(struct state *st, const char *name, const struct source *s, void *arg);

static int with_text(struct cli *c, struct state *st, uint32_t number, uint32_t src, text_fn *fn,
		     void *arg)
{
	char name[16];

	if (number >= STATE_TEXTS)
		return -EFBIG;
	snprintf(name, sizeof(name), "text/%u", number);
	return fn(st, name, source_at(&c->sources, src), arg);
}

/* The texts of the files, in order; standard input can be read again only here */
static int each_text(struct cli *c, struct state *st, text_fn *fn, void *arg)
{
	uint32_t n = 0;
	int err = 0;

	/* A live one is the last, and kept already */
	for (uint32_t i = 0; i < c->files.n && !c->files.v[i].live && err == 0; i++)
		err = with_text(c, st, n++, c->files.v[i].src, fn, arg);
	for (uint32_t src = 1; err == 0 && (src = next_included(c, src)) != 0; src++)
		err = with_text(c, st, n++, src, fn, arg);
	return err;
}

static int save_text(struct state *st, const char *name, const struct source *s, void *arg)
{
	(void)arg;
	return state_write(st, name, s->text, s->len);
}

static int add_needs(struct state *st, const char *name, const struct source *s, void *arg)
{
	*(size_t *)arg += state_needs(st, name, s->text, s->len);
	return 0;
}

/* The record, to be freed; NULL: no memory */
static char *make_record(struct cli *c, size_t *ret_len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_len);

	if (out == NULL)
		return NULL;
	put_all(c, out);
	fclose(out);
	return text;
}

int applied_has_room(struct cli *c, struct state *st)
{
	size_t len = 0, needs;
	CLEANUP(base_free) char *record = make_record(c, &len);
	int err;

	if (record == NULL)
		return -ENOMEM;
	needs = state_needs(st, "applied", record, len);
	err = each_text(c, st, add_needs, &needs);
	return err < 0 || needs == 0 ? err : state_has_room(st, needs + NOTES_BYTES);
}

int applied_save(struct cli *c, struct state *st)
{
	size_t len = 0;
	CLEANUP(base_free) char *record = make_record(c, &len);
	int err;

	if (record == NULL)
		return -ENOMEM;
	err = each_text(c, st, save_text, NULL);
	if (err == 0)
		err = live_forget(c, st);
	return err < 0 ? err : state_write(st, "applied", record, len);
}

/* The next field of [*@p, @end), or NULL */
static const char *next(const char **p, const char *end)
{
	const char *field = *p;

	if (field >= end)
		return NULL;
	*p = field + strlen(field) + 1;
	return field;
}

static int take_file(struct cli *c, const char *lang, const char *path)
{
	for (size_t l = 0; l < ARRAY_SIZE(lang_names); l++) {
		if (strcmp(lang, lang_names[l]) == 0) {
			vec_add(&c->arena, &c->files, ((struct cli_file){
				.path = path, .lang = (enum cli_lang)l,
				.kept = c->use_kept || strcmp(path, "-") == 0 }));
			return 0;
		}
	}
	return -EBADMSG;
}

static int take_no_fence(struct cli *c, const char *name)
{
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++) {
		if (strcmp(name, policy_names[p]) == 0) {
			c->policy.off[p] = true;
			return 0;
		}
	}
	return -EBADMSG;
}

static int take(struct cli *c, const char *what, const char **p, const char *end)
{
	const char *a = next(p, end), *b;

	if (a == NULL)
		return -EBADMSG;
	if (strcmp(what, "no-fence") == 0)
		return take_no_fence(c, a);
	if (strcmp(what, "nat-path") == 0) {
		if (c->nat_path == NAT_PATH_UNSAID)
			c->nat_path = NAT_PATH_USERSPACE;
		return 0;
	}
	if (strcmp(what, "one-pass") == 0) {
		if (c->one_pass < 0)
			c->one_pass = strcmp(a, "1") == 0;
		return 0;
	}
	if (strcmp(what, "exec") == 0) {
		c->exec = true;
		return 0;
	}
	if (strcmp(what, "interfaces") == 0) {
		if (c->interfaces == NULL)
			c->interfaces = a;
		return 0;
	}
	if (strcmp(what, "sum") == 0) {
		c->kept_sum = a;
		return 0;
	}
	if (strcmp(what, "text") == 0) {
		vec_add(&c->arena, &c->sources.kept, ((struct kept_text){ .path = a }));
		return 0;
	}
	b = next(p, end);
	if (b == NULL)
		return -EBADMSG;
	if (strcmp(what, "file") == 0)
		return take_file(c, a, b);
	if (strcmp(what, "define") != 0)
		return -EBADMSG;
	vec_add(&c->arena, &c->defines, ((struct lang_define){ a, b }));
	return 0;
}

static int load_text(struct cli *c, const struct state *st, uint32_t number, char **ret,
		     uint32_t *ret_len)
{
	char name[16];
	size_t len;
	int err;

	snprintf(name, sizeof(name), "text/%u", number);
	err = state_read(st, name, &c->arena, ret, &len);
	*ret_len = err == 0 ? (uint32_t)len : 0;
	return err == -ENOENT ? -EBADMSG : err;
}

/* Standard input of the last apply is gone, and a file may have changed: texts were kept */
static int load_files(struct cli *c, const struct state *st)
{
	int err = 0;

	for (uint32_t i = 0; i < c->files.n && err == 0; i++) {
		struct cli_file *f = &c->files.v[i];
		uint32_t len;
		char *text;

		if (!f->kept)
			continue;
		err = load_text(c, st, i, &text, &len);
		if (err == 0)
			f->src = sources_add(&c->sources, strcmp(f->path, "-") == 0 ? "stdin" :
					     f->path, text, len, SPAN_NONE);
	}
	return err;
}

/* The files that were there then and match */
static int kept_glob(void *arg, struct arena *a, const char *pattern, struct lang_paths *out)
{
	const struct sources *s = arg;

	for (uint32_t i = 0; i < s->kept.n; i++) {
		const char *path = s->kept.v[i].path;
		uint32_t first = 0;

		while (strcmp(s->kept.v[first].path, path) != 0)
			first++;
		if (first == i && fnmatch(pattern, path, FNM_PATHNAME | FNM_PERIOD) == 0)
			vec_add(a, &out->list, path);
	}
	return 0;
}

static int kept_read(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	(void)arg;
	return sources_read(s, path, ret_src);
}

static int load_included(struct cli *c, const struct state *st)
{
	struct sources *s = &c->sources;
	int err = 0;

	if (!c->use_kept) {
		s->kept.n = 0;
		return 0;
	}
	for (uint32_t i = 0; i < s->kept.n && err == 0; i++) {
		char *text = NULL;

		err = load_text(c, st, c->files.n + i, &text, &s->kept.v[i].len);
		s->kept.v[i].text = text;
	}
	c->loader = (struct lang_loader){ kept_read, kept_glob, s };
	return err;
}

/* Are the texts that were kept those of one run */
static int check_sum(struct cli *c)
{
	uint64_t sum = FNV64_START;
	char text[24];

	for (uint32_t i = 0; i < c->files.n; i++) {
		const struct source *s = source_at(&c->sources, c->files.v[i].src);

		sum = sum_text(sum, s->text, s->len);
	}
	for (uint32_t i = 0; i < c->sources.kept.n; i++)
		sum = sum_text(sum, c->sources.kept.v[i].text, c->sources.kept.v[i].len);
	snprintf(text, sizeof(text), "%016" PRIx64, sum);
	c->is_torn = c->kept_sum != NULL && strcmp(c->kept_sum, text) != 0;
	return c->is_torn ? -EBADMSG : 0;
}

int applied_load(struct cli *c, const struct state *st)
{
	char *text;
	const char *p, *end, *what;
	size_t len;
	int err = state_read(st, "applied", &c->arena, &text, &len);

	if (err < 0)
		return err;
	p = text;
	end = text + len;
	while (err == 0 && (what = next(&p, end)) != NULL)
		err = take(c, what, &p, end);
	if (err == 0)
		err = load_files(c, st);
	if (err == 0)
		err = load_included(c, st);
	if (err == 0 && c->use_kept)
		err = check_sum(c);
	/* Texts that are gone or damaged are no more whole than those of two runs */
	c->is_torn |= c->use_kept && err == -EBADMSG;
	return err;
}
