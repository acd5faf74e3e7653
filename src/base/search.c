/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/search.h"

uint32_t base_lower_bound(const void *v, uint32_t n, size_t size, const void *key,
			  int (*cmp)(const void *element, const void *key))
{
	uint32_t lo = 0, hi = n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (cmp((const char *)v + mid * size, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
