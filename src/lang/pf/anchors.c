/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What an anchor holds is found by its path, wherever the rules stand: in
 * braces in some file, or loaded.  All of it is listed once, sorted by path, so
 * that the anchors below a path are neighbours, in the order in which pf
 * evaluates "x/" with a star.  What was loaded into an anchor stands in place of
 * braces of the same path.
 *
 * The rules of an anchor belong to the ruleset that calls it: the last match of
 * both together counts, and quick inside ends both; of translations the first
 * match of both together.  So they are lowered in place, each with the anchor's
 * own tests added, and no list is called.
 *
 * A filter anchor of the main ruleset that has no tests of its own is a list that is
 * called, and each anchor that a star means is one too, whether there is something in
 * it or not: loading one changes no rules but its own.  Where rules tag, draw or
 * translate they are lowered in place as well, as what they do reaches over lists.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/search.h"
#include "lang/pf/lower.h"

#define ANCHOR_DEPTH	64u	/* anchors called out of each other, as in pf */

const char *pf_path_join(struct arena *a, const char *path, const char *name)
{
	const char *slash;

	if (name[0] == '/')
		return name + 1;
	while (strncmp(name, "../", 3) == 0) {
		slash = strrchr(path, '/');
		path = slash != NULL ? arena_strndup(a, path, (size_t)(slash - path)) : "";
		name += 3;
	}
	return path[0] == '\0' ? name : arena_printf(a, "%s/%s", path, name);
}

enum pf_anchor_kind pf_anchor_kind_of(const struct pf_rule *r)
{
	switch (r->action) {
	case PA_NAT:
		return PAK_NAT;
	case PA_RDR:
		return PAK_RDR;
	case PA_BINAT:
		return PAK_BINAT;
	case PA_ANCHOR:
		return r->anchor->kind;
	default:
		return PAK_FILTER;
	}
}

unsigned int pf_kind_bit(enum pf_anchor_kind kind)
{
	return kind == PAK_FILTER ? PF_KIND_FILTER : PF_KIND_NAT;
}

unsigned int pf_kinds_of(const struct pf_file *f)
{
	unsigned int kinds = 0;

	for (uint32_t i = 0; i < f->stmts.n; i++)
		if (f->stmts.v[i].kind == PS_RULE)
			kinds |= pf_kind_bit(pf_anchor_kind_of(f->stmts.v[i].rule));
	return kinds;
}

/* ---- what there is -------------------------------------------------------- */

static const struct pf_run_anchor *run_find(const struct pf_run *run, const char *path)
{
	for (uint32_t i = 0; run != NULL && i < run->anchors.n; i++)
		if (strcmp(run->anchors.v[i].path, path) == 0)
			return &run->anchors.v[i];
	return NULL;
}

bool pf_is_overridden(const struct pf_lower *l, const char *path)
{
	return run_find(l->o->run, path) != NULL;
}

bool pf_is_flushed(const struct pf_lower *l, const struct pf_stmt *s)
{
	return l->o->run != NULL && s->kind == PS_RULE &&
	       (l->o->run->flushed & pf_kind_bit(pf_anchor_kind_of(s->rule))) != 0;
}

/* The blocks in braces among statements, and those within them */
static void add_inlines(struct pf_lower *l, const struct pf_file *f, const char *path,
			const struct pf_stmt *stmts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct pf_anchor *a;
		const char *inner;

		if (stmts[i].kind != PS_RULE || stmts[i].rule->action != PA_ANCHOR ||
		    !stmts[i].rule->anchor->is_inline)
			continue;
		a = stmts[i].rule->anchor;
		inner = pf_path_join(l->c->a, path, a->name != NULL ? a->name : "_");
		if (a->name != NULL && !pf_is_overridden(l, inner))
			vec_add(l->c->a, &l->blocks.list, ((struct pf_block){
				inner, f, a->stmts, a->n_stmts, PF_KIND_ALL }));
		add_inlines(l, f, inner, a->stmts, a->n_stmts);
	}
}

/* Those of one path keep the order in which they were added */
static void sort_blocks(struct arena *a, struct pf_block *v, uint32_t n)
{
	const uint32_t half = n / 2;
	struct pf_block *left;
	uint32_t i = 0, k = half, to = 0;

	if (n < 2)
		return;
	sort_blocks(a, v, half);
	sort_blocks(a, v + half, n - half);
	left = arena_array(a, struct pf_block, half);
	memcpy(left, v, half * sizeof(*v));
	while (i < half)
		v[to++] = k < n && strcmp(v[k].path, left[i].path) < 0 ? v[k++] : left[i++];
}

void pf_blocks_make(struct pf_lower *l)
{
	const struct pf_run *run = l->o->run;

	if (l->f != NULL)
		add_inlines(l, l->f, "", l->f->stmts.v, l->f->stmts.n);
	for (uint32_t i = 0; run != NULL && i < run->anchors.n; i++) {
		const struct pf_run_anchor *x = &run->anchors.v[i];

		for (uint32_t k = 0; k < x->parts.n; k++) {
			const struct pf_file *f = x->parts.v[k].file;

			vec_add(l->c->a, &l->blocks.list, ((struct pf_block){
				x->path, f, f->stmts.v, f->stmts.n, x->parts.v[k].kinds }));
			add_inlines(l, f, x->path, f->stmts.v, f->stmts.n);
		}
	}
	sort_blocks(l->c->a, l->blocks.list.v, l->blocks.list.n);
}

static bool stmts_have(const struct pf_stmt *stmts, uint32_t n, enum pf_action action)
{
	for (uint32_t i = 0; i < n; i++)
		if (stmts[i].kind == PS_RULE && stmts[i].rule->action == action)
			return true;
	return false;
}

bool pf_blocks_have(const struct pf_lower *l, enum pf_action action)
{
	if (stmts_have(l->f->stmts.v, l->f->stmts.n, action))
		return true;
	for (uint32_t i = 0; i < l->blocks.list.n; i++)
		if (stmts_have(l->blocks.list.v[i].stmts, l->blocks.list.v[i].n_stmts, action))
			return true;
	return false;
}

/* ---- calls ---------------------------------------------------------------- */

/* Length of @path's part that is a child of @parent, or 0 if it is not below it */
static size_t child_len(const char *path, const char *parent)
{
	const size_t n = strlen(parent);

	if (n > 0 && (strncmp(path, parent, n) != 0 || path[n] != '/'))
		return 0;
	return n + (n > 0) + strcspn(path + n + (n > 0), "/");
}

static int name_cmp(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Sort, and drop what is there twice */
static void names_finish(struct pf_names *names)
{
	uint32_t n = 0;

	if (names->list.n > 1)
		qsort(names->list.v, names->list.n, sizeof(names->list.v[0]), name_cmp);
	for (uint32_t i = 0; i < names->list.n; i++)
		if (n == 0 || strcmp(names->list.v[n - 1], names->list.v[i]) != 0)
			names->list.v[n++] = names->list.v[i];
	names->list.n = n;
}

static void add_child(const struct pf_lower *l, struct pf_names *out, const char *path,
		      const char *parent)
{
	const size_t len = child_len(path, parent);

	if (len == 0)
		return;
	if (out->list.n > 0 && strncmp(out->list.v[out->list.n - 1], path, len) == 0 &&
	    out->list.v[out->list.n - 1][len] == '\0')
		return;
	vec_add(l->c->a, &out->list, arena_strndup(l->c->a, path, len));
}

void pf_called_paths(const struct pf_lower *l, const char *name, struct pf_names *out)
{
	const char *path = pf_path_join(l->c->a, l->path, name);
	const size_t len = strlen(path);

	if (len == 0 || path[len - 1] != '*' || (len > 1 && path[len - 2] != '/')) {
		vec_add(l->c->a, &out->list, path);
		return;
	}
	path = arena_strndup(l->c->a, path, len > 1 ? len - 2 : 0);
	for (uint32_t i = 0; i < l->blocks.list.n; i++)
		add_child(l, out, l->blocks.list.v[i].path, path);
	names_finish(out);
}

static int block_cmp(const void *block, const void *path)
{
	return strcmp(((const struct pf_block *)block)->path, path);
}

/* The first block of a path, by halves: there may be thousands */
static uint32_t block_find(const struct pf_lower *l, const char *path)
{
	return base_lower_bound(l->blocks.list.v, l->blocks.list.n, sizeof(*l->blocks.list.v),
				path, block_cmp);
}

static bool each_stmt(struct pf_lower *l, const struct pf_block *b, enum pf_anchor_kind kind,
		      bool (*fn)(struct pf_lower *l, const struct pf_stmt *s, void *arg),
		      void *arg, bool *ret_any)
{
	const struct pf_file *outer_file = l->f;
	const char *outer_path = l->path;
	const struct pf_stmt *outer_stmts = l->stmts;
	const uint32_t n_outer = l->n_stmts, part = l->part;
	const bool is_single = l->is_single;
	bool ok = true;

	l->f = b->f;
	l->path = b->path;
	l->stmts = b->stmts;
	l->n_stmts = b->n_stmts;
	l->part = 0;
	l->is_single = false;
	for (uint32_t i = 0; i < b->n_stmts && !l->is_full; i++) {
		const struct pf_stmt *s = &b->stmts[i];

		if (s->kind != PS_RULE || pf_anchor_kind_of(s->rule) != kind)
			continue;
		*ret_any = true;
		ok &= fn(l, s, arg);
	}
	l->f = outer_file;
	l->path = outer_path;
	l->stmts = outer_stmts;
	l->n_stmts = n_outer;
	l->part = part;
	l->is_single = is_single;
	return ok;
}

bool pf_each_called(struct pf_lower *l, const char *path, enum pf_anchor_kind kind,
		    bool (*fn)(struct pf_lower *l, const struct pf_stmt *s, void *arg), void *arg,
		    bool *ret_any)
{
	bool ok = true;

	for (uint32_t i = block_find(l, path);
	     i < l->blocks.list.n && strcmp(l->blocks.list.v[i].path, path) == 0; i++)
		if ((l->blocks.list.v[i].kinds & pf_kind_bit(kind)) != 0)
			ok &= each_stmt(l, &l->blocks.list.v[i], kind, fn, arg, ret_any);
	return ok;
}

/* ---- lowering ------------------------------------------------------------- */

static bool lower_one(struct pf_lower *l, const struct pf_stmt *s, void *arg UNUSED)
{
	return pf_lower_stmt(l, s);
}

bool pf_lower_path(struct pf_lower *l, const char *path, enum pf_anchor_kind kind)
{
	bool any = false;

	return pf_each_called(l, path, kind, lower_one, NULL, &any);
}

static bool lower_called(struct pf_lower *l, const struct pf_stmt *s, const char *name,
			 bool *ret_any)
{
	struct pf_names paths = { .list = { 0 } };
	bool ok = true;

	if (l->depth >= ANCHOR_DEPTH || l->n_calls >= LIMIT_RULES) {
		l->is_full = true;
		return pl_error(l, E1314, s->at, "anchors call each other more than %u deep or %u "
				"times", ANCHOR_DEPTH, LIMIT_RULES);
	}
	l->depth++;
	l->n_calls++;
	pf_called_paths(l, name, &paths);
	for (uint32_t i = 0; i < paths.list.n && !l->is_full; i++)
		ok &= pf_each_called(l, paths.list.v[i], s->rule->anchor->kind, lower_one, NULL,
				     ret_any);
	l->depth--;
	return ok;
}

/* The statements in the anchor's own braces */
static bool lower_braces(struct pf_lower *l, const struct pf_anchor *a, bool *ret_any)
{
	const char *path = pf_path_join(l->c->a, l->path, a->name != NULL ? a->name : "_");
	const struct pf_block own = { path, l->f, a->stmts, a->n_stmts, PF_KIND_ALL };

	return each_stmt(l, &own, a->kind, lower_one, NULL, ret_any);
}

/* The rules themselves, lowered in place */
static bool lower_inside(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_anchor *a = s->rule->anchor;
	bool any = false;

	if (a->is_inline && (a->name == NULL ||
			     !pf_is_overridden(l, pf_path_join(l->c->a, l->path, a->name))))
		return lower_braces(l, a, &any);
	return lower_called(l, s, a->name, &any);
}

/* One draw, one tag, or one end for all of the rules within: they are a list that is called */
static bool needs_list(const struct pf_stmt *s)
{
	return s->rule->is_quick || s->rule->o->tag != NULL || s->rule->o->probability >= 0;
}

static void finish_call(struct pf_lower *l UNUSED, struct rule *r, const void *arg)
{
	const struct pf_stmt *s = ((const void *const *)arg)[0];
	const uint32_t list = *(const uint32_t *)((const void *const *)arg)[1];

	if (s->rule->is_quick)
		rule_call_quick(r, list);
	else
		rule_call(r, list);
}

static bool lower_as_list(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_outer *outer = l->outer;
	const uint32_t caller = l->list_filter;
	uint32_t list;
	const void *arg[] = { s, &list };
	bool ok;

	if (s->rule->anchor->kind != PAK_FILTER)
		return pl_error(l, E1102, s->at, "tag or probability on an anchor of translations "
				"is not in this version of sallyport");
	list = model_add_list(l->m, arena_printf(l->c->a, "anchor %s", s->rule->anchor->name != NULL
						 ? s->rule->anchor->name : ""));
	if (!pf_emit(l, caller, s, &l->match, finish_call, arg))
		return false;
	l->list_filter = list;
	l->outer = NULL;
	ok = lower_inside(l, s);
	l->list_filter = caller;
	l->outer = outer;
	return ok;
}

/* Are there rules that a call would come to */
static bool found_one(struct pf_lower *l UNUSED, const struct pf_stmt *s UNUSED, void *arg UNUSED)
{
	return true;
}

static bool is_empty(struct pf_lower *l, const struct pf_anchor *a)
{
	struct pf_names paths = { .list = { 0 } };
	bool any = false;

	if (a->name == NULL)
		return false;
	pf_called_paths(l, a->name, &paths);
	for (uint32_t i = 0; i < paths.list.n && !any; i++)
		(void)pf_each_called(l, paths.list.v[i], a->kind, found_one, NULL, &any);
	return !any;
}

static bool is_plain(const struct pf_stmt *stmts, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct pf_rule *r = stmts[i].rule;

		if (stmts[i].kind != PS_RULE)
			continue;
		if (r->o->tag != NULL || r->o->tagged != NULL || r->o->probability >= 0 ||
		    pf_has_to(r))
			return false;
		if (r->action == PA_ANCHOR && !is_plain(r->anchor->stmts, r->anchor->n_stmts))
			return false;
	}
	return true;
}

static bool all_plain(struct pf_lower *l)
{
	bool ok;

	if (l->plain != 0)
		return l->plain > 0;
	ok = is_plain(l->f->stmts.v, l->f->stmts.n);
	for (uint32_t i = 0; i < l->blocks.list.n && ok; i++)
		ok = is_plain(l->blocks.list.v[i].stmts, l->blocks.list.v[i].n_stmts);
	l->plain = ok ? 1 : -1;
	return ok;
}

/* Has the call no tests of its own, and is it of the main ruleset */
static bool is_bare(const struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_match *mt = &l->match;

	return s->rule->anchor->kind == PAK_FILTER && !s->rule->anchor->is_inline &&
	       l->path[0] == '\0' && l->outer == NULL && l->depth == 0 && mt->dir < 0 &&
	       mt->af == AF_NONE && mt->ifaces == NULL && mt->protos == NULL &&
	       mt->flags == NULL && mt->icmp == NULL && mt->sport == NULL && mt->dport == NULL &&
	       mt->recv == NULL && mt->tos == NULL && mt->users == NULL && mt->groups == NULL &&
	       s->rule->from.hosts.n == 0 && s->rule->to.hosts.n == 0;
}

/* A list for the rules of an anchor, called where @l->list_filter is; why tells of its rules */
static uint32_t called_list(struct pf_lower *l, const char *path)
{
	const uint32_t list = model_add_list(l->m, arena_printf(l->c->a, "anchor %s", path));

	rule_call(model_add_rule(l->m, l->list_filter, (struct origin){ .at = SPAN_NONE }), list);
	return list;
}

/* Each anchor in a list of its own */
static bool lower_lists(struct pf_lower *l, const struct pf_stmt *s)
{
	const char *name = s->rule->anchor->name;
	const uint32_t caller = l->list_filter;
	struct pf_names paths = { .list = { 0 } };
	uint32_t outer;
	bool ok = true, any;

	pf_called_paths(l, name, &paths);
	outer = called_list(l, pf_path_join(l->c->a, l->path, name));
	l->depth++;
	l->n_calls++;
	for (uint32_t i = 0; i < paths.list.n && !l->is_full; i++) {
		l->list_filter = outer;
		if (name[strlen(name) - 1] == '*')
			l->list_filter = called_list(l, paths.list.v[i]);
		ok &= pf_each_called(l, paths.list.v[i], PAK_FILTER, lower_one, NULL, &any);
	}
	l->depth--;
	l->list_filter = caller;
	return ok;
}

bool pf_lower_anchor(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_anchor *a = s->rule->anchor;
	struct pf_outer outer = { .up = l->outer, .f = l->f, .s = s };
	bool ok, is_there = true;

	if (!pf_match_of(l, s->rule))
		return false;
	if (!a->is_inline && is_empty(l, a)) {
		pf_diag(l->c, l->f, N1153, s->at, "anchor '%s' is empty: nothing is loaded into it",
			a->name);
		is_there = false;
	}
	if (needs_list(s))
		return !is_there || lower_as_list(l, s);
	if (is_bare(l, s) && all_plain(l))
		return lower_lists(l, s);
	if (!is_there)
		return true;
	if (l->match.src.list.n != 1 || l->match.dst.list.n != 1)
		return pl_error(l, E1102, s->at, "an anchor for link-local addresses of several "
				"interfaces is not in this version of sallyport");
	outer.mt = l->match;
	outer.src = l->match.src.list.v[0];
	outer.dst = l->match.dst.list.v[0];
	l->outer = &outer;
	ok = lower_inside(l, s);
	l->outer = outer.up;
	return ok;
}

/* ---- names ---------------------------------------------------------------- */

/* A path, and all anchors that it is in */
static void add_path(struct lang_ctx *c, const char *path, struct pf_names *out)
{
	for (size_t i = strcspn(path, "/"); path[0] != '\0'; i += 1 + strcspn(path + i + 1, "/")) {
		vec_add(c->a, &out->list, arena_strndup(c->a, path, i));
		if (path[i] == '\0')
			return;
	}
}

static void add_names(struct lang_ctx *c, const struct pf_stmt *stmts, uint32_t n,
		      const char *path, struct pf_names *out)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct pf_anchor *a;
		const char *inner;
		size_t len;

		if (stmts[i].kind != PS_RULE || stmts[i].rule->action != PA_ANCHOR)
			continue;
		a = stmts[i].rule->anchor;
		inner = pf_path_join(c->a, path, a->name != NULL ? a->name : "_1");
		len = strlen(inner);
		if (len > 0 && inner[len - 1] == '*')
			inner = arena_strndup(c->a, inner, len > 1 ? len - 2 : 0);
		add_path(c, inner, out);
		add_names(c, a->stmts, a->n_stmts, inner, out);
	}
}

void pf_anchors(struct lang_ctx *c, const struct pf_file *f, const struct pf_run *run,
		struct pf_names *out)
{
	if (f != NULL)
		add_names(c, f->stmts.v, f->stmts.n, "", out);
	for (uint32_t i = 0; run != NULL && i < run->anchors.n; i++) {
		const struct pf_run_anchor *x = &run->anchors.v[i];

		add_path(c, x->path, out);
		for (uint32_t k = 0; k < x->parts.n; k++)
			add_names(c, x->parts.v[k].file->stmts.v, x->parts.v[k].file->stmts.n,
				  x->path, out);
	}
	for (uint32_t i = 0; run != NULL && i < run->tables.n; i++)
		add_path(c, run->tables.v[i].anchor, out);
	names_finish(out);
}

static void add_loads(struct lang_ctx *c, const struct pf_stmt *stmts, uint32_t n,
		      const char *path, struct pf_loads *out)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct pf_stmt *s = &stmts[i];

		if (s->kind == PS_LOAD)
			vec_add(c->a, &out->list, ((struct pf_load_info){
				pf_path_join(c->a, path, s->load->anchor),
				lang_path(c, s->at.src, s->load->path), s->load->at }));
		else if (s->kind == PS_RULE && s->rule->action == PA_ANCHOR &&
			 s->rule->anchor->name != NULL)
			add_loads(c, s->rule->anchor->stmts, s->rule->anchor->n_stmts,
				  pf_path_join(c->a, path, s->rule->anchor->name), out);
	}
}

void pf_loads_of(struct lang_ctx *c, const struct pf_file *f, const char *anchor,
		 struct pf_loads *out)
{
	add_loads(c, f->stmts.v, f->stmts.n, anchor, out);
	for (uint32_t i = 0; i < out->list.n; i++)
		out->list.v[i].at = pf_span(c, f, out->list.v[i].at);
}

static void inlines(struct lang_ctx *c, const struct pf_stmt *stmts, uint32_t n, const char *path,
		    struct pf_names *out)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct pf_anchor *a;

		if (stmts[i].kind != PS_RULE || stmts[i].rule->action != PA_ANCHOR)
			continue;
		a = stmts[i].rule->anchor;
		if (!a->is_inline || a->name == NULL)
			continue;
		vec_add(c->a, &out->list, pf_path_join(c->a, path, a->name));
		inlines(c, a->stmts, a->n_stmts, out->list.v[out->list.n - 1], out);
	}
}

void pf_inlines(struct lang_ctx *c, const struct pf_file *f, const char *anchor,
		struct pf_names *out)
{
	inlines(c, f->stmts.v, f->stmts.n, anchor, out);
	names_finish(out);
}

void pf_listed_tables(struct lang_ctx *c, const struct pf_file *f, struct pf_names *out)
{
	for (uint32_t i = 0; i < f->stmts.n; i++) {
		const struct pf_table *t = f->stmts.v[i].table;

		if (f->stmts.v[i].kind == PS_TABLE && (t->has_list || t->parts.n > 0))
			vec_add(c->a, &out->list, t->name);
	}
	names_finish(out);
}
