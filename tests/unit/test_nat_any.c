/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NATs of any configuration, and anything that can happen to them, at random: what
 * must hold stands in tests/lib/natany.h.  NAT_ANY_RUNS gives more of them.
 */
#include <stdlib.h>

#include "natany.h"
#include "unit.h"

TEST(whatever_happens_holds)
{
	const char *more = getenv("NAT_ANY_RUNS");
	const uint64_t n = more != NULL ? strtoull(more, NULL, 10) : 1500;
	static uint8_t data[600];
	uint64_t n_left = 0;

	for (uint64_t i = 0; i < n; i++) {
		for (size_t k = 0; k < sizeof(data); k++)
			data[k] = (uint8_t)unit_random();
		n_left += natany_run(data, 100 + unit_below(sizeof(data) - 100));
	}
	CHECK(n_left > 5 * n);
}
