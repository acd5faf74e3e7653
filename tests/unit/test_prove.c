/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <inttypes.h>

#include "prove_case.h"

/*
 * Rulesets of each generator, all of which must be proven; what the prover does not
 * read yet is counted.  SALLYPORT_LONG=1: 12,000 of them; SALLYPORT_LONG=N: N of each
 * generator, from number UNIT_SEED on.
 */
static uint32_t rulesets_of(uint32_t usual, uint32_t thorough)
{
	const char *is_long = getenv("SALLYPORT_LONG");
	const uint32_t n = is_long != NULL ? (uint32_t)strtoul(is_long, NULL, 10) : 0;

	return is_long == NULL ? usual : n > 1 ? n : thorough;
}

static void prove_random(int kind, uint32_t n)
{
	uint32_t n_equal = 0, n_unproven = 0, n_refused = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct prove_result r;
		struct prove_case c;

		prove_case_init(&c, kind, unit.seed + i);
		if (c.program == NULL) {
			n_refused++;
		} else if (CHECK_INT(prove_case_prove(&c, &r), 0)) {
			if (!CHECK_INT(r.differences.n, 0))
				prove_case_show(&c, &r);
			n_equal += r.unproven.n == 0;
			n_unproven += r.unproven.n > 0;
			for (uint32_t k = 0; k < r.unproven.n; k++)
				printf("# %" PRIu64 ": not proven: %s\n", unit.seed + i,
				       r.unproven.v[k]);
		}
		prove_case_fini(&c);
	}
	printf("# %u rulesets: %u proven, %u of them not wholly, %u do not compile\n", n,
	       n_equal + n_unproven, n_unproven, n_refused);
	CHECK(n_equal * 10 > n);
}

TEST(random_rulesets)
{
	prove_random(0, rulesets_of(20, 4000));
}

TEST(random_dense_rulesets)
{
	prove_random(1, rulesets_of(20, 3000));
}

TEST(random_rulesets_of_ipfw)
{
	prove_random(PROVE_IPFW, rulesets_of(20, 2000));
}

TEST(random_rulesets_of_a_host)
{
	prove_random(2, rulesets_of(20, 3000));
}
