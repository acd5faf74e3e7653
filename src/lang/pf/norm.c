/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The order is pfctl's: what it says while it reads (macros, options, tables,
 * queues), then each ruleset: scrub, nat, rdr, binat, filter.
 */
#include "lang/pf/norm.h"

#include <string.h>

#include "base/limits.h"

enum ruleset { RS_SCRUB, RS_NAT, RS_RDR, RS_BINAT, RS_FILTER, N_RULESETS };

static enum ruleset ruleset_of(const struct pf_rule *r)
{
	static const enum ruleset of_action[] = {
		[PA_PASS] = RS_FILTER, [PA_BLOCK] = RS_FILTER, [PA_MATCH] = RS_FILTER,
		[PA_NAT] = RS_NAT, [PA_RDR] = RS_RDR, [PA_BINAT] = RS_BINAT,
		[PA_SCRUB] = RS_SCRUB, [PA_ANTISPOOF] = RS_FILTER,
	};
	static const enum ruleset of_anchor[] = {
		[PAK_FILTER] = RS_FILTER, [PAK_NAT] = RS_NAT, [PAK_RDR] = RS_RDR,
		[PAK_BINAT] = RS_BINAT,
	};

	return r->action == PA_ANCHOR ? of_anchor[r->anchor->kind] : of_action[r->action];
}

static bool table_hosts(struct pf_norm *n, const struct pf_table *t, uint32_t from, uint32_t count)
{
	const struct pf_hosts part = { t->hosts.v + from, count };
	struct pf_nhosts hosts = { .list = { 0 } };

	if (count == 0)
		return true;
	if (!pf_norm_hosts(n, &part, &hosts))
		return false;
	for (uint32_t i = 0; i < hosts.list.n; i++) {
		struct pf_nhost h = hosts.list.v[i];

		fputs(h.is_not ? " !" : " ", n->out);
		h.is_not = false;
		pf_norm_host(n->out, &h, h.af);
	}
	return true;
}

static bool table(struct pf_norm *n, const struct pf_table *t)
{
	bool open = false;
	uint32_t from = 0;

	fprintf(n->out, "table <%s>%s%s%s", t->name, t->is_const ? " const" : "",
		t->is_persist ? " persist" : "", t->has_counters ? " counters" : "");
	for (uint32_t i = 0; i < t->parts.n; i++) {
		const struct pf_table_part *part = &t->parts.v[i];

		if (part->file != NULL) {
			fprintf(n->out, "%s file \"%s\"", open ? " }" : "", part->file);
			open = false;
			continue;
		}
		/* Braces behind braces are one list; empty ones are only told of alone */
		if (!open && (part->n_hosts > 0 || t->parts.n == 1))
			fputs(" {", n->out);
		open |= part->n_hosts > 0 || t->parts.n == 1;
		if (!table_hosts(n, t, from, part->n_hosts))
			return false;
		from += part->n_hosts;
	}
	fputs(open ? " }\n" : "\n", n->out);
	return true;
}

static void skip(struct pf_norm *n, const struct pf_skip *s)
{
	if (s->ifaces.n == 1 && s->ifaces.v[0].name != NULL &&
	    strcmp(s->ifaces.v[0].name, "none") == 0) {
		fputs("set skip on none\n", n->out);
		return;
	}
	fputs("set skip on {", n->out);
	for (uint32_t i = 0; i < s->ifaces.n; i++)
		fprintf(n->out, " %s", s->ifaces.v[i].name != NULL ? s->ifaces.v[i].name : "any");
	fputs(" }\n", n->out);
}

static bool said_while_reading(struct pf_norm *n, const struct pf_stmt *s)
{
	switch (s->kind) {
	case PS_ECHO:
		fprintf(n->out, "%s\n", s->echo->text);
		return true;
	case PS_TABLE:
		return table(n, s->table);
	case PS_SKIP:
		skip(n, s->skip);
		return true;
	case PS_LOAD:		/* pfctl loads the file later, and shows it then */
	case PS_RULE:
		return true;
	}
	return true;
}

bool pf_norm_block(struct pf_norm *n, const struct pf_anchor *a)
{
	const uint32_t outer = n->nr;
	bool ok = true;

	n->depth++;
	n->nr = 0;
	for (uint32_t i = 0; i < a->n_stmts; i++)
		if (a->stmts[i].kind == PS_RULE)
			ok &= pf_norm_statement(n, &a->stmts[i]);
	n->depth--;
	n->nr = outer;
	return ok;
}

static void pass_by(struct pf_norm *n UNUSED, const struct pf_nrule *x UNUSED, void *arg UNUSED)
{
}

void pf_norm_number(struct pf_norm *n, const struct pf_stmt *stmts, uint32_t n_stmts,
		    const struct pf_stmt *s)
{
	const enum ruleset set = ruleset_of(s->rule);
	struct pf_norm count = *n;

	count.visit = pass_by;
	count.nr = 0;
	for (uint32_t i = 0; i < n_stmts && !span_equal(stmts[i].at, s->at); i++)
		if (stmts[i].kind == PS_RULE && ruleset_of(stmts[i].rule) == set)
			(void)pf_norm_statement(&count, &stmts[i]);
	n->nr = count.nr;
}

bool pf_norm_form(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
		  const struct pf_options *o, FILE *out)
{
	struct pf_norm n = { .l = { .c = c, .f = f, .path = "", .facts = facts, .o = o },
			     .out = out };
	bool ok = true;

	for (uint32_t i = 0; i < f->stmts.n; i++)
		ok &= said_while_reading(&n, &f->stmts.v[i]);
	for (int set = 0; set < N_RULESETS; set++) {
		n.nr = 0;
		for (uint32_t i = 0; i < f->stmts.n && !diag_is_full(c->diags); i++) {
			const struct pf_stmt *s = &f->stmts.v[i];

			if (s->kind == PS_RULE && (int)ruleset_of(s->rule) == set)
				ok &= pf_norm_statement(&n, s);
		}
	}
	return ok;
}

/* ---- what is in force ------------------------------------------------------- */

static const enum ruleset nat_sets[] = { RS_NAT, RS_RDR, RS_BINAT };
static const enum ruleset filter_sets[] = { RS_SCRUB, RS_FILTER };

static bool show_stmts(struct pf_norm *n, const struct pf_stmt *stmts, uint32_t count,
		       enum ruleset set, bool is_main)
{
	bool ok = true;

	for (uint32_t i = 0; i < count; i++) {
		if (stmts[i].kind != PS_RULE || ruleset_of(stmts[i].rule) != set)
			continue;
		if (is_main && pf_is_flushed(&n->l, &stmts[i]))
			continue;
		ok &= pf_norm_statement(n, &stmts[i]);
	}
	return ok;
}

static bool show_set(struct pf_norm *n, enum ruleset set)
{
	const struct pf_file *outer = n->l.f;
	const char *path = n->l.path;
	bool ok = true;

	n->nr = 0;
	if (path[0] == '\0' && n->l.f != NULL)
		ok = show_stmts(n, n->l.f->stmts.v, n->l.f->stmts.n, set, true);
	for (uint32_t i = 0; i < n->l.blocks.list.n; i++) {
		const struct pf_block *b = &n->l.blocks.list.v[i];

		if (strcmp(b->path, path) != 0 || (b->kinds & n->show->kinds) == 0)
			continue;
		n->l.f = b->f;
		ok &= show_stmts(n, b->stmts, b->n_stmts, set, false);
	}
	n->l.f = outer;
	return ok;
}

/* Every ruleset of the kind at a path */
static bool show_path(struct pf_norm *n, const char *path)
{
	const bool is_nat = n->show->kinds == PF_KIND_NAT;
	const enum ruleset *sets = is_nat ? nat_sets : filter_sets;
	const size_t n_sets = is_nat ? ARRAY_SIZE(nat_sets) : ARRAY_SIZE(filter_sets);
	const char *outer = n->l.path;
	const uint32_t outer_nr = n->nr;
	bool ok = true;

	n->l.path = path;
	for (size_t i = 0; i < n_sets; i++)
		ok &= show_set(n, sets[i]);
	n->l.path = outer;
	n->nr = outer_nr;
	return ok;
}

bool pf_norm_shows_inside(const struct pf_norm *n, const struct pf_anchor *a)
{
	return n->depth < LIMIT_NESTING && (a->name == NULL || n->show->recurse);
}

static bool show_child(struct pf_norm *n, const char *path)
{
	const char *slash = strrchr(path, '/');
	bool ok;

	fprintf(n->out, "%*sanchor \"%s\" all {\n", (int)n->depth * 2, "",
		slash != NULL ? slash + 1 : path);
	n->depth++;
	ok = show_path(n, path);
	n->depth--;
	fprintf(n->out, "%*s}\n", (int)n->depth * 2, "");
	return ok;
}

bool pf_norm_inside(struct pf_norm *n, const struct pf_anchor *a)
{
	struct pf_names paths = { .list = { 0 } };
	const uint32_t outer = n->nr;
	bool ok = true;

	n->depth++;
	if (a->name == NULL) {
		n->nr = 0;
		ok = show_stmts(n, a->stmts, a->n_stmts, RS_FILTER, false);
		n->nr = outer;
	} else {
		pf_called_paths(&n->l, a->name, &paths);
		for (uint32_t i = 0; i < paths.list.n; i++)
			ok &= a->name[strlen(a->name) - 1] == '*'
				? show_child(n, paths.list.v[i]) : show_path(n, paths.list.v[i]);
	}
	n->depth--;
	return ok;
}

bool pf_show(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
	     const struct pf_options *o, const struct pf_show *w, FILE *out)
{
	struct pf_norm n = { .l = { .c = c, .f = f, .path = w->anchor, .facts = facts, .o = o },
			     .out = out, .show = w };
	struct pf_names below = { .list = { 0 } };
	bool ok;

	pf_blocks_make(&n.l);
	ok = show_path(&n, w->anchor);
	/* An anchor that is named with a star is shown with all that is below it */
	if (w->recurse && w->anchor[0] != '\0')
		pf_called_paths(&n.l, "*", &below);
	for (uint32_t i = 0; i < below.list.n; i++)
		ok &= show_child(&n, below.list.v[i]);
	return ok;
}
