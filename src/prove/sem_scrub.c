/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules that change headers come first in a language's own list; the first that matches
 * is the only one.
 */
#include "prove/headers.h"
#include "prove/sem.h"

static dd scrub_list(struct proof *p, enum direction dir, uint32_t list, dd then)
{
	const struct rule_list *l = &p->m->lists.v[list];
	dd f = then;

	for (uint32_t i = l->rules.n; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];
		const struct effect *e = rule_has_effect(r, EF_SCRUB);

		if (e == NULL || r->exit != EX_RETURN || r->effects.n != 1 || r->prob != 0)
			return proof_unknown(p, "a change of headers by other rules");
		f = dd_ite(p->d, sem_match(p, dir, r),
			   header_change(p, then, p->m->scrubs.v[e->scrub]), f);
	}
	return f;
}

static bool is_scrub(const struct model *m, const struct rule *r)
{
	const struct rule_list *l = &m->lists.v[r->list];

	return l->rules.n > 0 &&
	       rule_has_effect(&l->rules.v[0], EF_SCRUB) != NULL;
}

dd sem_scrub(struct proof *p, enum direction dir, dd then)
{
	const struct rule_list *l = &p->m->lists.v[p->m->entry[dir]];
	dd f = then;

	for (uint32_t i = sem_head(p->m, p->m->entry[dir]); i-- > 0;) {
		const struct rule *r = &l->rules.v[i];

		if (r->exit == EX_DECIDE)
			f = dd_ite(p->d, sem_match(p, dir, r), then, f);
		else if (r->exit == EX_CALL && is_scrub(p->m, r))
			f = dd_ite(p->d, sem_match(p, dir, r), scrub_list(p, dir, r->list, f), f);
	}
	return f;
}
