/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel reassembles fragments anyway, so of a scrub statement counts what
 * it changes in headers.  The first statement that a packet matches is its
 * only one, "no scrub" too; where none changes anything there is no list.
 */
#include "lang/pf/lower.h"

bool pf_has_scrub(const struct pf_file *f)
{
	for (uint32_t i = 0; i < f->stmts.n; i++)
		if (f->stmts.v[i].kind == PS_RULE && f->stmts.v[i].rule->action == PA_SCRUB &&
		    pf_scrub_changes(&f->stmts.v[i].rule->o->scrub))
			return true;
	return false;
}

static void finish_scrub(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct pf_rule *p = arg;
	const struct pf_scrub_opts *o = &p->o->scrub;
	struct scrub x = { .tos = -1 };

	if (!p->is_no)
		x = (struct scrub){ .max_mss = o->max_mss, .min_ttl = o->min_ttl,
				    .no_df = o->no_df, .tos = o->set_tos };
	rule_scrub(l->m, r, x);
	r->exit = EX_RETURN;
}

bool pf_lower_scrub(struct pf_lower *l, const struct pf_stmt *s)
{
	return l->list_scrub == LIST_NONE ||
	       (pf_match_of(l, s->rule) &&
		pf_emit(l, l->list_scrub, s, &l->match, finish_scrub, s->rule));
}
