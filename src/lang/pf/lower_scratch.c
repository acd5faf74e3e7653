/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/pf/lower.h"

struct ranges *pf_ranges(struct pf_lower *l)
{
	BUG_IF(l->n_scratch == ARRAY_SIZE(l->scratch));
	l->scratch[l->n_scratch].list.n = 0;
	return &l->scratch[l->n_scratch++];
}

const struct set *pf_ranges_set(struct pf_lower *l, struct ranges *rs)
{
	BUG_IF(l->n_scratch == 0 || rs != &l->scratch[l->n_scratch - 1]);
	l->n_scratch--;
	return set_make(l->c->a, rs);
}
