/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Fields that end in NUL, a word of what it is and then its values: paths and
 * values of -D hold any other byte, and nothing needs quoting.
 */
#include "cli/applied.h"
#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void put_all(struct cli *c, FILE *out)
{
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
}

/* The texts of the files, in order; standard input can be read again only here */
static int save_texts(struct cli *c, struct state *st)
{
	for (uint32_t i = 0; i < c->files.n && i < STATE_TEXTS; i++) {
		const struct source *s = source_at(&c->sources, c->files.v[i].src);
		char name[16];
		int err;

		if (c->files.v[i].live)	/* the last, and kept already */
			break;
		snprintf(name, sizeof(name), "text/%u", i);
		err = state_write(st, name, s->text, s->len);
		if (err < 0)
			return err;
	}
	return 0;
}

int applied_save(struct cli *c, struct state *st)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (out == NULL)
		return -ENOMEM;
	put_all(c, out);
	fclose(out);
	err = save_texts(c, st);
	if (err == 0)
		err = live_forget(c, st);
	return err < 0 ? err : state_write(st, "applied", text, len);
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

/* Standard input of the last apply is gone, and a file may have changed: texts were kept */
static int load_kept(struct cli *c, const struct state *st)
{
	for (uint32_t i = 0; i < c->files.n; i++) {
		char name[16], *text;
		size_t len;
		int err;

		if (!c->files.v[i].kept)
			continue;
		snprintf(name, sizeof(name), "text/%u", i);
		err = state_read(st, name, &c->arena, &text, &len);
		if (err < 0)
			return err == -ENOENT ? -EBADMSG : err;
		c->files.v[i].src = sources_add(&c->sources, strcmp(c->files.v[i].path, "-") == 0 ?
						"stdin" : c->files.v[i].path, text, (uint32_t)len,
						SPAN_NONE);
	}
	return 0;
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
	return err < 0 ? err : load_kept(c, st);
}
