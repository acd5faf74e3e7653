/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel reassembles fragments anyway, so of a scrub statement counts what
 * it changes in headers.  The first statement that a packet matches is its
 * only one, "no scrub" too; where none changes anything there is no list.
 *
 * "scrub (...)" on a rule is another thing: what match rules say adds up, what a
 * pass rule says counts where it decides, and all packets of the state get it.
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

static struct scrub scrub_of(const struct pf_scrub_opts *o)
{
	return (struct scrub){ .max_mss = o->max_mss, .min_ttl = o->min_ttl, .no_df = o->no_df,
			       .tos = o->set_tos };
}

uint32_t pf_mend_of(struct pf_lower *l, const struct pf_rule *r)
{
	if (!r->o->has_scrub || !pf_scrub_changes(&r->o->scrub))
		return 0;
	return model_add_scrub(l->m, scrub_of(&r->o->scrub)) + 1;
}

static void finish_scrub(struct pf_lower *l, struct rule *r, const void *arg)
{
	static const struct scrub none = { .tos = -1 };
	const struct pf_rule *p = arg;

	rule_scrub(l->m, r, p->is_no ? none : scrub_of(&p->o->scrub));
	r->exit = EX_RETURN;
}

bool pf_lower_scrub(struct pf_lower *l, const struct pf_stmt *s)
{
	return l->list_scrub == LIST_NONE ||
	       (pf_match_of(l, s->rule) &&
		pf_emit(l, l->list_scrub, s, &l->match, finish_scrub, s->rule));
}
