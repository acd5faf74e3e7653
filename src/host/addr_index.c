/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/addr_index.h"

#include <stdlib.h>

#include "base/search.h"

static int compare_addr(struct addr a, struct addr b)
{
	if (a.af != b.af)
		return a.af < b.af ? -1 : 1;
	return a.v == b.v ? 0 : a.v < b.v ? -1 : 1;
}

static int compare(const void *a, const void *b)
{
	const struct addr_slot *x = a, *y = b;
	const int c = compare_addr(x->a, y->a);

	return c != 0 ? c : x->i < y->i ? -1 : x->i > y->i;
}

void addr_index_sort(struct addr_index *x)
{
	if (x->n > 1)
		qsort(x->v, x->n, sizeof(*x->v), compare);
}

uint32_t addr_index_first(const struct addr_index *x, struct addr a)
{
	/* Of one address the first slot */
	const struct addr_slot key = { .a = a, .i = 0 };

	return base_lower_bound(x->v, x->n, sizeof(*x->v), &key, compare);
}
