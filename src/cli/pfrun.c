/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One file for all of it, replaced as a whole under the lock: a load that
 * changes an anchor and a table is there wholly or not at all, and of two at
 * once none is lost.  Fields end in NUL, a word of what it is and then its
 * values, as in what the last apply was given.
 */
#include "cli/pfrun.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"

#define PFRUN_FILE	"pf"

/* ---- writing ---------------------------------------------------------------- */

static void put(FILE *out, const char *field)
{
	fwrite(field, 1, strlen(field) + 1, out);
}

static void put_number(FILE *out, int64_t n)
{
	fprintf(out, "%lld", (long long)n);
	putc('\0', out);
}

static void put_anchor(FILE *out, const struct pfrun_anchor *x)
{
	put(out, "anchor");
	put(out, x->path);
	for (uint32_t i = 0; i < x->parts.n; i++) {
		const struct pfrun_part *p = &x->parts.v[i];

		put(out, "part");
		put_number(out, p->kinds);
		put(out, p->name);
		put(out, p->text);
		for (uint32_t k = 0; k < p->defines.n; k++) {
			put(out, "define");
			put(out, p->defines.v[k].name);
			put(out, p->defines.v[k].value);
		}
		for (uint32_t k = 0; k < p->files.n; k++) {
			put(out, "file");
			put(out, p->files.v[k].path);
			put(out, p->files.v[k].text);
		}
	}
}

static void put_table(FILE *out, const struct pfrun_table *x)
{
	char buf[ADDR_TEXT_BYTES];

	put(out, "table");
	put(out, x->anchor);
	put(out, x->name);
	put(out, x->is_gone ? "gone" : x->is_persist ? "persist" : "");
	for (uint32_t i = 0; i < x->entries.n; i++) {
		const struct pf_entry *e = &x->entries.v[i].e;

		put(out, e->is_gone ? "less" : e->is_not ? "not" : "entry");
		put(out, prefix_print(e->p, buf));
		put_number(out, x->entries.v[i].since);
	}
}

static bool is_empty(const struct pfrun *r)
{
	return r->enabled == PFRUN_UNSAID && r->flushed == 0 && r->anchors.n == 0 &&
	       r->tables.n == 0;
}

int pfrun_save(struct cli *c, struct state *st, const struct pfrun *r)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;

	(void)c;
	if (is_empty(r))
		return state_remove(st, PFRUN_FILE);
	out = open_memstream(&text, &len);
	if (out == NULL)
		return -ENOMEM;
	put(out, "enabled");
	put_number(out, r->enabled);
	put(out, "since");
	put_number(out, r->since);
	put(out, "flushed");
	put_number(out, r->flushed);
	for (uint32_t i = 0; i < r->anchors.n; i++)
		put_anchor(out, &r->anchors.v[i]);
	for (uint32_t i = 0; i < r->tables.n; i++)
		put_table(out, &r->tables.v[i]);
	fclose(out);
	return state_write(st, PFRUN_FILE, text, len);
}

/* ---- reading ---------------------------------------------------------------- */

/* The fields being read, and what the last of them belong to */
struct reader {
	struct cli *c;
	struct pfrun *r;
	const char *p;
	const char *end;
	struct pfrun_anchor *anchor;
	struct pfrun_part *part;
	struct pfrun_table *table;
};

static const char *next(struct reader *x)
{
	const char *field = x->p;

	if (field >= x->end)
		return NULL;
	x->p = field + strlen(field) + 1;
	return field;
}

static bool next_number(struct reader *x, int64_t *ret)
{
	const char *field = next(x);

	if (field == NULL)
		return false;
	*ret = strtoll(field, NULL, 10);
	return true;
}

static bool take_enabled(struct reader *x)
{
	int64_t n;

	if (!next_number(x, &n) || n < PFRUN_UNSAID || n > PFRUN_DISABLED)
		return false;
	x->r->enabled = (enum pfrun_switch)n;
	return true;
}

static bool take_since(struct reader *x)
{
	return next_number(x, &x->r->since);
}

static bool take_flushed(struct reader *x)
{
	int64_t n;

	if (!next_number(x, &n))
		return false;
	x->r->flushed = (unsigned int)n & PF_KIND_ALL;
	return true;
}

static bool take_anchor(struct reader *x)
{
	const char *path = next(x);

	if (path == NULL)
		return false;
	x->anchor = vec_push(&x->c->arena, &x->r->anchors);
	x->anchor->path = path;
	return true;
}

static bool take_part(struct reader *x)
{
	int64_t kinds;
	const char *name, *text;

	if (x->anchor == NULL || !next_number(x, &kinds) || (name = next(x)) == NULL ||
	    (text = next(x)) == NULL)
		return false;
	x->part = vec_push(&x->c->arena, &x->anchor->parts);
	x->part->kinds = (unsigned int)kinds & PF_KIND_ALL;
	x->part->name = name;
	x->part->text = text;
	x->part->len = (uint32_t)strlen(text);
	return true;
}

static bool take_define(struct reader *x)
{
	const char *name = next(x), *value = next(x);

	if (x->part == NULL || name == NULL || value == NULL)
		return false;
	vec_add(&x->c->arena, &x->part->defines, ((struct lang_define){ name, value }));
	return true;
}

static bool take_file(struct reader *x)
{
	const char *path = next(x), *text = next(x);

	if (x->part == NULL || path == NULL || text == NULL)
		return false;
	vec_add(&x->c->arena, &x->part->files,
		((struct kept_text){ path, text, (uint32_t)strlen(text) }));
	return true;
}

static bool take_table(struct reader *x)
{
	const char *anchor = next(x), *name = next(x), *word = next(x);

	if (anchor == NULL || name == NULL || word == NULL)
		return false;
	x->table = vec_push(&x->c->arena, &x->r->tables);
	x->table->anchor = anchor;
	x->table->name = name;
	x->table->is_gone = strcmp(word, "gone") == 0;
	x->table->is_persist = strcmp(word, "persist") == 0;
	return true;
}

static bool add_entry(struct reader *x, bool is_not, bool is_gone)
{
	struct pfrun_entry e = { .e = { .is_not = is_not, .is_gone = is_gone } };
	const char *text = next(x);

	if (x->table == NULL || text == NULL || prefix_parse(text, strlen(text), &e.e.p) < 0 ||
	    !next_number(x, &e.since))
		return false;
	vec_add(&x->c->arena, &x->table->entries, e);
	return true;
}

static bool take_entry(struct reader *x)
{
	return add_entry(x, false, false);
}

static bool take_not(struct reader *x)
{
	return add_entry(x, true, false);
}

static bool take_less(struct reader *x)
{
	return add_entry(x, false, true);
}

int pfrun_load(struct cli *c, const struct state *st, struct pfrun *r)
{
	static const struct { const char *word; bool (*take)(struct reader *x); } rows[] = {
		{ "entry", take_entry }, { "not", take_not }, { "less", take_less },
		{ "part", take_part }, { "define", take_define }, { "anchor", take_anchor },
		{ "table", take_table }, { "enabled", take_enabled }, { "since", take_since },
		{ "flushed", take_flushed }, { "file", take_file },
	};
	struct reader x = { .c = c, .r = r };
	const char *word;
	char *text;
	size_t len;
	int err = state_read(st, PFRUN_FILE, &c->arena, &text, &len);

	*r = (struct pfrun){ .enabled = PFRUN_UNSAID };
	if (err < 0)
		return err == -ENOENT ? 0 : err;
	x.p = text;
	x.end = text + len;
	while ((word = next(&x)) != NULL) {
		size_t i = 0;

		while (i < ARRAY_SIZE(rows) && strcmp(rows[i].word, word) != 0)
			i++;
		if (i == ARRAY_SIZE(rows) || !rows[i].take(&x))
			return -EBADMSG;
	}
	return 0;
}

/* ---- changing --------------------------------------------------------------- */

struct pfrun_anchor *pfrun_anchor(struct cli *c, struct pfrun *r, const char *path, bool make)
{
	uint32_t at = 0;

	while (at < r->anchors.n && strcmp(r->anchors.v[at].path, path) < 0)
		at++;
	if (at < r->anchors.n && strcmp(r->anchors.v[at].path, path) == 0)
		return &r->anchors.v[at];
	if (!make)
		return NULL;
	(void)vec_push(&c->arena, &r->anchors);
	memmove(&r->anchors.v[at + 1], &r->anchors.v[at],
		(r->anchors.n - 1 - at) * sizeof(r->anchors.v[0]));
	r->anchors.v[at] = (struct pfrun_anchor){ .path = path };
	return &r->anchors.v[at];
}

bool pfrun_anchor_drop(struct pfrun *r, const char *path, unsigned int kinds)
{
	bool any = false;

	for (uint32_t i = 0; i < r->anchors.n; i++) {
		struct pfrun_anchor *x = &r->anchors.v[i];
		uint32_t n = 0;

		if (strcmp(x->path, path) != 0)
			continue;
		for (uint32_t k = 0; k < x->parts.n; k++) {
			any |= (x->parts.v[k].kinds & kinds) != 0;
			x->parts.v[k].kinds &= ~kinds;
			if (x->parts.v[k].kinds != 0)
				x->parts.v[n++] = x->parts.v[k];
		}
		x->parts.n = n;
	}
	return any;
}

void pfrun_anchor_forget(struct pfrun *r, const char *path)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->anchors.n; i++)
		if (strcmp(r->anchors.v[i].path, path) != 0)
			r->anchors.v[n++] = r->anchors.v[i];
	r->anchors.n = n;
}

struct pfrun_table *pfrun_table(struct cli *c, struct pfrun *r, const char *anchor,
				const char *name, bool make)
{
	struct pfrun_table *x;

	for (uint32_t i = 0; i < r->tables.n; i++)
		if (strcmp(r->tables.v[i].name, name) == 0 &&
		    strcmp(r->tables.v[i].anchor, anchor) == 0)
			return &r->tables.v[i];
	if (!make)
		return NULL;
	x = vec_push(&c->arena, &r->tables);
	x->anchor = anchor;
	x->name = name;
	return x;
}

void pfrun_table_forget(struct pfrun *r, const char *anchor, const char *name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->tables.n; i++)
		if (strcmp(r->tables.v[i].name, name) != 0 ||
		    strcmp(r->tables.v[i].anchor, anchor) != 0)
			r->tables.v[n++] = r->tables.v[i];
	r->tables.n = n;
}

/* ---- meaning ---------------------------------------------------------------- */

const char *pfrun_source_name(struct cli *c, const char *path, const struct pfrun_part *p)
{
	if (strcmp(p->name, "stdin") != 0)
		return p->name;
	return arena_printf(&c->arena, "anchor %s", path);
}

static int part_read(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	const struct pfrun_part *p = arg;

	for (uint32_t i = 0; i < p->files.n; i++) {
		if (strcmp(p->files.v[i].path, path) != 0)
			continue;
		*ret_src = sources_add(s, path, p->files.v[i].text, p->files.v[i].len, SPAN_NONE);
		s->list.v[*ret_src].is_file = true;
		return 0;
	}
	return sources_read(s, path, ret_src);
}

static const struct pf_file *parse_part(struct cli *c, const struct lang_ctx *ctx,
					const struct decl *d, const char *path,
					struct pfrun_part *p)
{
	const struct lang_loader loader = { .read = part_read, .arg = p };
	const uint32_t src = sources_add(&c->sources, pfrun_source_name(c, path, p), p->text,
					 p->len, SPAN_NONE);
	struct lang_ctx own = *ctx;

	if (strcmp(p->name, "stdin") == 0)
		c->sources.list.v[src].dir = "";
	own.defines = p->defines.v;
	own.n_defines = p->defines.n;
	own.loader = &loader;
	return pf_parse(&own, d, &src, 1);
}

bool pfrun_parse(struct cli *c, const struct lang_ctx *ctx, const struct decl *d,
		 const struct pfrun *r, struct pf_run *ret)
{
	const uint32_t before = c->diags.n_errors;

	ret->flushed = r->flushed;
	for (uint32_t i = 0; i < r->anchors.n; i++) {
		const struct pfrun_anchor *x = &r->anchors.v[i];
		struct pf_run_anchor *to = vec_push(&c->arena, &ret->anchors);

		to->path = x->path;
		for (uint32_t k = 0; k < x->parts.n; k++)
			vec_add(&c->arena, &to->parts, ((struct pf_run_part){
				parse_part(c, ctx, d, x->path, &x->parts.v[k]),
				x->parts.v[k].kinds }));
	}
	for (uint32_t i = 0; i < r->tables.n; i++) {
		const struct pfrun_table *x = &r->tables.v[i];
		struct pf_run_table *to = vec_push(&c->arena, &ret->tables);

		*to = (struct pf_run_table){ .anchor = x->anchor, .name = x->name,
					     .is_persist = x->is_persist, .is_gone = x->is_gone };
		for (uint32_t k = 0; k < x->entries.n; k++)
			vec_add(&c->arena, &to->entries.list, x->entries.v[k].e);
	}
	return c->diags.n_errors == before;
}

void pfrun_reload(struct cli *c, struct lang_ctx *ctx, const struct pf_file *f, struct pfrun *r)
{
	struct pf_names names = { .list = { 0 } };

	r->enabled = r->enabled == PFRUN_DISABLED ? PFRUN_ENABLED : r->enabled;
	r->flushed = 0;
	pfrun_anchor_forget(r, "");
	pf_inlines(ctx, f, "", &names);
	for (uint32_t i = 0; i < names.list.n; i++)
		pfrun_anchor_forget(r, names.list.v[i]);
	names.list.n = 0;
	pf_listed_tables(ctx, f, &names);
	for (uint32_t i = 0; i < names.list.n; i++)
		pfrun_table_forget(r, "", names.list.v[i]);
	(void)c;
}

bool pfrun_load_anchors(struct cli *c, struct lang_ctx *ctx, const struct pf_file *f,
			const char *anchor, bool again, uint32_t depth, struct pfrun *r)
{
	struct pf_loads loads = { .list = { 0 } };
	bool ok = true;

	pf_loads_of(ctx, f, anchor, &loads);
	for (uint32_t i = 0; i < loads.list.n; i++) {
		const struct pf_load_info *x = &loads.list.v[i];
		const struct source *s;
		struct pfrun_anchor *to;
		struct diags scratch;
		struct lang_ctx quiet = *ctx;
		uint32_t src;

		if (!again && pfrun_anchor(c, r, x->anchor, false) != NULL)
			continue;
		if (!lang_read(ctx, x->path, x->at, depth, &src)) {
			ok = false;
			continue;
		}
		s = source_at(&c->sources, src);
		to = pfrun_anchor(c, r, x->anchor, true);
		to->parts.n = 0;
		vec_add(&c->arena, &to->parts, ((struct pfrun_part){
			.kinds = PF_KIND_ALL, .name = s->name, .text = s->text, .len = s->len }));
		for (uint32_t k = 0; k < ctx->n_defines; k++)
			vec_add(&c->arena, &to->parts.v[0].defines, ctx->defines[k]);
		/* What is wrong with it is told when all is parsed */
		diags_init(&scratch, ctx->a, ctx->sources);
		quiet.diags = &scratch;
		ok &= pfrun_load_anchors(c, &quiet, pf_parse(&quiet, NULL, &src, 1), x->anchor,
					 again, depth + 1, r);
	}
	return ok;
}
