/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The journal is read as a source like any other, an entry a line, so that a
 * conflict with a forward of last month is shown in its own words.  Changes are
 * played back in order.  A change of the command line is played after them; its
 * entry goes to disk only once everything else was found to be good.
 *
 * Entries whose effect is gone are dropped when they are most of the journal,
 * before a new one is added and never by a run that only reads: entries are
 * places, which stand in the kernel's rules too.
 */
#include "cli/host.h"
#include "cli/kept.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/netns.h"
#include "host/state.h"
#include "lang/forward.h"

#define NAME_BYTES	320u
#define IDLE_ENTRIES	64u	/* that may be without effect before they are dropped */

/* An entry that is being carried out */
struct change {
	struct kept *k;
	struct arena *a;
	const char *jail;
	struct decl_forward f;
	uint32_t n_hits;
};

/* ---- carry out ----------------------------------------------------------------- */

static void add_kept(struct change *x)
{
	vec_add(x->a, &x->k->forwards, ((struct kept_forward){ x->jail, x->f }));
	x->n_hits++;
}

static struct kept_forward *find_same(struct change *x)
{
	for (uint32_t i = 0; i < x->k->forwards.n; i++) {
		struct kept_forward *f = &x->k->forwards.v[i];

		if (f->jail == x->jail && strcmp(f->f.text, x->f.text) == 0)
			return f;
	}
	return NULL;
}

static void add_again(struct change *x)
{
	struct kept_forward *same = find_same(x);

	if (same != NULL)
		same->f = x->f;
	x->n_hits += same != NULL;
}

/* What becomes of the part of a forward that an entry names */
enum fate { FATE_GONE, FATE_ON, FATE_OFF };

static void put_back(struct change *x, uint32_t *slot, struct decl_forward *f)
{
	f->text = forward_print(x->a, f);
	if (*slot < x->k->forwards.n)
		x->k->forwards.v[*slot].f = *f;
	else
		vec_add(x->a, &x->k->forwards, ((struct kept_forward){ x->jail, *f }));
	*slot = UINT32_MAX;
}

static void change_one(struct change *x, uint32_t i, const struct decl_ports *p, enum fate fate)
{
	struct forward_parts in = { .list = { 0 } }, rest = { .list = { 0 } };
	uint32_t slot = i;

	if (!forward_part(x->a, &x->k->forwards.v[i].f, x->f.protos, p->ext_lo, p->ext_hi, &in,
			  &rest))
		return;
	x->n_hits++;
	if (fate == FATE_GONE && rest.list.n == 0)
		x->k->forwards.v[i].jail = NULL;
	else if (rest.list.n == 0)
		x->k->forwards.v[i].f.is_off = fate == FATE_OFF;
	for (uint32_t n = 0; n < rest.list.n; n++)
		put_back(x, &slot, &rest.list.v[n]);
	for (uint32_t n = 0; n < in.list.n && rest.list.n > 0 && fate != FATE_GONE; n++) {
		in.list.v[n].is_off = fate == FATE_OFF;
		put_back(x, &slot, &in.list.v[n]);
	}
}

static void change_parts(struct change *x, enum fate fate)
{
	for (uint32_t p = 0; p < x->f.ports.n; p++)
		for (uint32_t i = 0, n = x->k->forwards.n; i < n; i++)
			if (x->k->forwards.v[i].jail == x->jail)
				change_one(x, i, &x->f.ports.v[p], fate);
}

static void del_kept(struct change *x)
{
	change_parts(x, FATE_GONE);
}

static void on_kept(struct change *x)
{
	change_parts(x, FATE_ON);
}

static void off_kept(struct change *x)
{
	change_parts(x, FATE_OFF);
}

static void mask(struct change *x)
{
	vec_add(x->a, &x->k->masks, ((struct kept_mask){ x->jail, x->f }));
	x->n_hits++;
}

static void unmask(struct change *x)
{
	for (uint32_t i = 0, n = x->k->masks.n; i < n; i++) {
		for (uint32_t p = 0; p < x->f.ports.n && x->k->masks.v[i].jail == x->jail; p++) {
			struct forward_parts in = { .list = { 0 } }, rest = { .list = { 0 } };

			if (!forward_part(x->a, &x->k->masks.v[i].f, x->f.protos,
					  x->f.ports.v[p].ext_lo, x->f.ports.v[p].ext_hi, &in,
					  &rest))
				continue;
			x->n_hits++;
			x->k->masks.v[i].jail = NULL;
			for (uint32_t r = 0; r < rest.list.n; r++)
				vec_add(x->a, &x->k->masks, ((struct kept_mask){
					x->jail, rest.list.v[r] }));
			n = x->k->masks.n;
		}
	}
}

static const struct entry_verb {
	const char *word;
	bool has_state;		/* on|off and UNTIL follow */
	void (*run)(struct change *x);
} entry_verbs[] = {
	{ "add", true, add_kept },
	{ "again", true, add_again },
	{ "del", false, del_kept },
	{ "on", false, on_kept },
	{ "off", false, off_kept },
	{ "mask", false, mask },
	{ "unmask", false, unmask },
};

/* ---- entries as text ------------------------------------------------------------- */

/* A jail's name as one word */
static const char *name_word(struct arena *a, const char *name)
{
	char *out = arena_alloc(a, 3 * strlen(name) + 4), *p = out;

	for (; *name != '\0'; name++) {
		const uint8_t b = (uint8_t)*name;

		if (b > ' ' && b < 0x7f && b != '%')
			*p++ = *name;
		else
			p += snprintf(p, 4, "%%%02x", b);
	}
	return out;
}

static const char *word_name(struct lang_ctx *ctx, const char *word, size_t len)
{
	char *out = arena_alloc(ctx->a, len + 1), *p = out;

	for (size_t i = 0; i < len; i++) {
		unsigned int b;

		if (word[i] == '%' && i + 2 < len && sscanf(word + i + 1, "%2x", &b) == 1) {
			*p++ = (char)b;
			i += 2;
		} else {
			*p++ = word[i];
		}
	}
	return intern_cstr(ctx->names, out);
}

static const char *entry_text(struct arena *a, const char *verb, const char *jail,
			      const struct decl_forward *f, const char *words)
{
	const char *until = f == NULL || f->until == 0 ? "-" :
		arena_printf(a, "%lld", (long long)f->until);

	if (f == NULL)
		return arena_printf(a, "%s %s %s", verb, name_word(a, jail), words);
	return arena_printf(a, "%s %s %s %s %s", verb, f->is_off ? "off" : "on", until,
			    name_word(a, jail), words);
}

/* The word at *@at, a blank or the end behind it; its length */
static size_t next_word(const char *text, uint32_t len, uint32_t *at, const char **ret)
{
	const uint32_t start = *at;

	while (*at < len && text[*at] != ' ')
		++*at;
	*ret = text + start;
	*at += *at < len;
	return (size_t)(*at - start) - (*at > start && text[*at - 1] == ' ');
}

static bool word_is(const char *w, size_t len, const char *s)
{
	return strlen(s) == len && memcmp(w, s, len) == 0;
}

/* "on|off UNTIL"; false when it is not that */
static bool read_state(const char *text, uint32_t len, uint32_t *at, struct decl_forward *f,
		       int64_t *until)
{
	const char *w;
	char *end;
	size_t n = next_word(text, len, at, &w);

	f->is_off = word_is(w, n, "off");
	if (!f->is_off && !word_is(w, n, "on"))
		return false;
	n = next_word(text, len, at, &w);
	*until = 0;
	if (word_is(w, n, "-"))
		return true;
	*until = strtoll(w, &end, 10);
	return end == w + n && *until > 0;
}

/* Carry out the entry at @at of a source; false when it says nothing that we know */
static bool play(struct kept *k, struct lang_ctx *ctx, struct span at, uint32_t *ret_hits)
{
	const char *text = source_at(ctx->sources, at.src)->text + at.lo, *w;
	const uint32_t len = at.hi - at.lo;
	struct change x = { .k = k, .a = ctx->a };
	const struct entry_verb *verb = NULL;
	struct decl_forward state = { .is_off = false };
	int64_t until = 0;
	uint32_t pos = 0;
	size_t n = next_word(text, len, &pos, &w);

	for (size_t i = 0; i < ARRAY_SIZE(entry_verbs); i++)
		if (word_is(w, n, entry_verbs[i].word))
			verb = &entry_verbs[i];
	if (verb == NULL || (verb->has_state && !read_state(text, len, &pos, &state, &until)))
		return false;
	n = next_word(text, len, &pos, &w);
	x.jail = word_name(ctx, w, n);
	if (!forward_read_at(ctx, (struct span){ at.src, at.lo + pos, at.hi }, &x.f))
		return false;
	x.f.is_off = state.is_off;
	x.f.until = until;
	x.f.is_added = true;
	verb->run(&x);
	*ret_hits = x.n_hits;
	return true;
}

/* ---- the journal ------------------------------------------------------------------ */

/* The journal's name; 0 or a negative errno */
static int find_name(struct cli *c, struct kept *k)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	char name[NAME_BYTES];
	int err = netns_lasting_name(name, sizeof(name));

	if (err == 0)
		k->name = arena_printf(&c->arena, "forwards-%s", name);
	if (err != -ENOENT)
		return err;
	err = cli_state_look(c, &st);
	if (err == 0)
		k->name = arena_printf(&c->arena, "forwards-%s-%s", st.boot, st.dir);
	return err;
}

static int tell_unreadable(struct cli *c, const struct kept *k, int err)
{
	const char *dir = c->state_dir != NULL ?
		arena_printf(&c->arena, "%s/lib", c->state_dir) : STATE_LIB_DIR;

	if (err == -EBADMSG && k->j.bad == 0)
		diag_add(&c->diags, DIAG_E2501, SPAN_NONE,
			 "%s/%s is no journal, or its first line is damaged", dir, k->name);
	else if (err == -EBADMSG)
		diag_add(&c->diags, DIAG_E2501, SPAN_NONE, "entry %u of %s/%s is damaged",
			 k->j.bad, dir, k->name);
	else if (err == -EPROTONOSUPPORT)
		diag_add(&c->diags, DIAG_E2502, SPAN_NONE,
			 "%s/%s is of version %u, and this program knows version %u", dir, k->name,
			 k->j.version, JOURNAL_VERSION);
	else
		return cli_system(c, err, arena_printf(&c->arena, "read %s/%s", dir, k->name));
	return EX_DATAERR;
}

static int read_journal(struct cli *c, struct kept *k)
{
	int fd CLEANUP(base_fd_close) = -1;
	int err = find_name(c, k);

	if (err == 0) {
		fd = state_lib_open(c->state_dir, STATE_READ);
		err = fd;
	}
	/* Who may not look is told so by what needs it */
	if (err == -ENOENT || (c->edit == NULL && (err == -EACCES || err == -EPERM)))
		return 0;
	if (err >= 0)
		err = journal_read(fd, k->name, &c->arena, &k->j);
	if (c->edit == NULL && (err == -EACCES || err == -EPERM))
		return 0;
	if (err < 0)
		return tell_unreadable(c, k, err);
	if (k->j.is_torn)
		diag_add(&c->diags, DIAG_N2503, SPAN_NONE,
			 "entry %u of %s was never finished, and is dropped", k->j.list.n + 1,
			 k->name);
	return 0;
}

/* All entries as a source, a line each */
static uint32_t journal_source(struct cli *c, const struct kept *k)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	uint32_t src;

	BUG_IF(out == NULL);
	for (uint32_t i = 0; i < k->j.list.n; i++) {
		fwrite(k->j.list.v[i].text, 1, k->j.list.v[i].len, out);
		putc('\n', out);
	}
	fclose(out);
	src = sources_add(&c->sources, KEPT_SOURCE, text, (uint32_t)len, SPAN_NONE);
	return src;
}

static int play_from(struct cli *c, struct lang_ctx *ctx, struct kept *k, uint32_t first,
		     uint32_t *ret_hits)
{
	const uint32_t src = journal_source(c, k);
	uint32_t lo = 0;

	if (!lang_check_text(ctx, src))
		return EX_DATAERR;
	for (uint32_t i = 0; i < k->j.list.n; i++) {
		const struct span at = { src, lo, lo + k->j.list.v[i].len };

		lo = at.hi + 1;
		if (i < first || play(k, ctx, at, ret_hits))
			continue;
		diag_add(&c->diags, DIAG_E2501, at, "entry %u of %s says nothing that is known",
			 i + 1, k->name);
		return EX_DATAERR;
	}
	return 0;
}

/* Entries that would make what there is now */
static void list_effects(struct arena *a, const struct kept *k, int64_t now,
			 struct journal *ret)
{
	for (uint32_t i = 0; i < k->forwards.n; i++) {
		const struct kept_forward *f = &k->forwards.v[i];
		const char *text;

		if (f->jail == NULL || (f->f.until != 0 && f->f.until <= now))
			continue;
		text = entry_text(a, "add", f->jail, &f->f, f->f.text);
		vec_add(a, &ret->list, ((struct journal_entry){ text, (uint32_t)strlen(text) }));
	}
	for (uint32_t i = 0; i < k->masks.n; i++) {
		const struct kept_mask *m = &k->masks.v[i];
		const char *text;

		if (m->jail == NULL)
			continue;
		text = entry_text(a, "mask", m->jail, NULL, forward_print(a, &m->f));
		vec_add(a, &ret->list, ((struct journal_entry){ text, (uint32_t)strlen(text) }));
	}
}

static int compact(struct cli *c, struct lang_ctx *ctx, struct kept *k)
{
	struct journal short_one = { .size = k->j.size };
	uint32_t hits;

	list_effects(&c->arena, k, (int64_t)time(NULL), &short_one);
	if (k->j.list.n < IDLE_ENTRIES + 2 * short_one.list.n)
		return 0;
	k->j = short_one;
	k->is_rewritten = true;
	k->forwards.n = 0;
	k->masks.n = 0;
	return play_from(c, ctx, k, 0, &hits);
}

/* ---- a change of the command line -------------------------------------------------- */

static int add_entry(struct cli *c, struct lang_ctx *ctx, struct kept *k, const char *text,
		     uint32_t *ret_hits)
{
	vec_add(&c->arena, &k->j.list, ((struct journal_entry){ text, (uint32_t)strlen(text) }));
	k->n_new++;
	return play_from(c, ctx, k, k->j.list.n - 1, ret_hits);
}

static int edit_add(struct cli *c, struct lang_ctx *ctx, struct kept *k)
{
	const struct kept_edit *e = c->edit;
	struct change x = { .k = k, .a = &c->arena, .jail = intern_cstr(&c->names, e->jail),
			    .f = { .text = e->words, .until = e->until } };
	const struct kept_forward *same = find_same(&x);
	uint32_t hits;

	if (same != NULL && !same->f.is_off && same->f.until == e->until) {
		diag_add(&c->diags, DIAG_N2510, same->f.at, "%s of jail '%s' is there already",
			 e->words, e->jail);
		return 0;
	}
	return add_entry(c, ctx, k, entry_text(&c->arena, same != NULL ? "again" : "add", e->jail,
					       &x.f, e->words), &hits);
}

/* Does a forward of a file stand there; NULL: none does */
static const struct decl_forward *find_declared(struct cli *c, const struct decl *d,
						const struct decl_forward *want)
{
	const struct decl_jail *j = decl_find_jail(d, c->edit->jail);

	for (uint32_t i = 0; j != NULL && i < j->forwards.n; i++) {
		for (uint32_t p = 0; p < want->ports.n; p++) {
			struct forward_parts in = { .list = { 0 } }, rest = { .list = { 0 } };

			if (forward_part(&c->arena, &j->forwards.v[i], want->protos,
					 want->ports.v[p].ext_lo, want->ports.v[p].ext_hi, &in,
					 &rest))
				return &j->forwards.v[i];
		}
	}
	return NULL;
}

static int edit_parts(struct cli *c, struct lang_ctx *ctx, struct kept *k, const struct decl *d)
{
	const struct kept_edit *e = c->edit;
	const bool is_del = strcmp(e->verb, "del") == 0, is_off = strcmp(e->verb, "off") == 0;
	const char *words = e->words;
	const struct decl_forward *declared;
	uint32_t hits = 0;
	int status;

	status = add_entry(c, ctx, k, entry_text(&c->arena, e->verb, e->jail, NULL, words), &hits);
	if (status != 0)
		return status;
	if (hits == 0) {
		k->j.list.n--;
		k->n_new--;
	}
	declared = find_declared(c, d, &e->f);
	if (declared != NULL && is_del && hits == 0) {
		diag_add(&c->diags, DIAG_E2506, declared->at,
			 "%s of jail '%s' stands in a file", words, e->jail);
		diag_help(&c->diags, "take it out there, or: forward off %s %s", e->jail, words);
		return EX_DATAERR;
	}
	if (declared != NULL && !is_del)
		return add_entry(c, ctx, k, entry_text(&c->arena, is_off ? "mask" : "unmask",
						       e->jail, NULL, words), &hits);
	if (hits > 0)
		return 0;
	diag_add(&c->diags, DIAG_E2505, SPAN_NONE, "jail '%s' has no forward of %s", e->jail,
		 words);
	return EX_DATAERR;
}

static int edit(struct cli *c, struct lang_ctx *ctx, struct kept *k, const struct decl *d)
{
	const bool is_add = strcmp(c->edit->verb, "add") == 0;
	bool is_known = decl_find_jail(d, c->edit->jail) != NULL;
	const char *near;
	int status = compact(c, ctx, k);

	if (status != 0)
		return status;
	/* What a jail left behind that is gone can still be forgotten */
	for (uint32_t i = 0; i < k->forwards.n && !is_add && !is_known; i++)
		is_known = k->forwards.v[i].jail != NULL &&
			   strcmp(k->forwards.v[i].jail, c->edit->jail) == 0;
	if (is_known)
		return is_add ? edit_add(c, ctx, k) : edit_parts(c, ctx, k, d);
	diag_add(&c->diags, DIAG_E1024, SPAN_NONE, "no jail '%s' is declared", c->edit->jail);
	near = diag_nearest(c->edit->jail, decl_jail_names(d));
	if (near != NULL)
		diag_help(&c->diags, "did you mean '%s'?", near);
	return EX_DATAERR;
}

/* ---- give to the jails --------------------------------------------------------------- */

/* Switch off what a mask names of a jail's declared forwards */
static void mask_jail(struct arena *a, struct decl_jail *j, const struct kept_mask *m)
{
	for (uint32_t p = 0; p < m->f.ports.n; p++) {
		struct forward_parts all = { .list = { 0 } };

		for (uint32_t i = 0; i < j->forwards.n; i++) {
			struct forward_parts in = { .list = { 0 } };
			const uint32_t n_before = all.list.n;

			if (!forward_part(a, &j->forwards.v[i], m->f.protos, m->f.ports.v[p].ext_lo,
					  m->f.ports.v[p].ext_hi, &in, &all)) {
				vec_add(a, &all.list, j->forwards.v[i]);
				continue;
			}
			for (uint32_t n = 0; n < in.list.n; n++) {
				in.list.v[n].is_off = true;
				vec_add(a, &all.list, in.list.v[n]);
			}
			for (uint32_t n = n_before; n < all.list.n; n++)
				all.list.v[n].text = forward_print(a, &all.list.v[n]);
		}
		j->forwards.n = 0;
		for (uint32_t i = 0; i < all.list.n; i++)
			vec_add(a, &j->forwards, all.list.v[i]);
	}
}

static void give(struct cli *c, const struct kept *k, struct decl *d)
{
	const int64_t now = (int64_t)time(NULL);
	struct decl_jail *j = NULL;

	for (uint32_t i = 0; i < k->masks.n; i++) {
		if (k->masks.v[i].jail == NULL)
			continue;
		j = decl_find_jail(d, k->masks.v[i].jail);
		if (j != NULL)
			mask_jail(&c->arena, j, &k->masks.v[i]);
	}
	for (uint32_t i = 0; i < k->forwards.n; i++) {
		const struct kept_forward *f = &k->forwards.v[i];

		if (f->jail == NULL || (f->f.until != 0 && f->f.until <= now))
			continue;
		if (j == NULL || strcmp(j->name, f->jail) != 0)
			j = decl_find_jail(d, f->jail);
		if (j != NULL)
			vec_add(&c->arena, &j->forwards, f->f);
		else
			diag_add(&c->diags, DIAG_N2504, f->f.at,
				 "jail '%s' is not declared, and its forward sleeps", f->jail);
	}
}

int kept_declare(struct cli *c, struct lang_ctx *ctx, struct declared *d)
{
	struct kept *k = arena_new(&c->arena, struct kept);
	uint32_t hits;
	int status;

	if (!c->is_host)
		return 0;
	d->kept = k;
	status = read_journal(c, k);
	if (status == 0)
		status = play_from(c, ctx, k, 0, &hits);
	if (status == 0 && c->edit != NULL)
		status = edit(c, ctx, k, &d->decl);
	if (status == 0)
		give(c, k, &d->decl);
	return status;
}

/* ---- to disk ------------------------------------------------------------------------- */

int kept_save(struct cli *c, struct kept *k)
{
	int fd CLEANUP(base_fd_close) = -1;
	const uint32_t n = k->j.list.n;
	int err = 0;

	if (k->n_new == 0)
		return 0;
	fd = state_lib_open(c->state_dir, STATE_WRITE);
	if (fd < 0)
		return fd;
	if (k->is_rewritten)
		return journal_replace(fd, k->name, &k->j);
	k->j.list.n -= k->n_new;
	while (err == 0 && k->j.list.n < n)
		err = journal_append(fd, k->name, &k->j, &c->arena, k->j.list.v[k->j.list.n].text);
	return err;
}

int kept_undo(struct cli *c, struct kept *k)
{
	int fd CLEANUP(base_fd_close) = -1;

	if (k->n_new == 0)
		return 0;
	fd = state_lib_open(c->state_dir, STATE_WRITE);
	if (fd < 0)
		return fd;
	k->j.list.n -= k->n_new;
	k->n_new = 0;
	return journal_replace(fd, k->name, &k->j);
}

int kept_forget(struct cli *c)
{
	struct kept k = { .name = NULL };
	int fd CLEANUP(base_fd_close) = -1;
	int err = find_name(c, &k);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	fd = state_lib_open(c->state_dir, STATE_READ);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	BUG_IF(k.name == NULL);
	if (unlinkat(fd, k.name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(fd) < 0 ? -errno : 0;
}
