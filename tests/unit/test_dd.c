/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <string.h>

#include "prove/dd.h"

#define N_VARS	12u
#define N_KEYS	5u
#define N_CASES	9u

/* A function of all variables, whatever it is */
static dd any_function(struct dds *s)
{
	dd f = dd_leaf(s, (uint32_t)(unit_random() % 3));

	for (int i = 0; i < 4; i++) {
		const dd x = dd_var(s, (uint32_t)(unit_random() % N_VARS));
		const dd y = dd_var(s, (uint32_t)(unit_random() % N_VARS));

		f = dd_ite(s, dd_and(s, x, dd_not(s, y)), dd_leaf(s, i + 3u), f);
	}
	return f;
}

/* Case by case, as dd_cases() is said to be */
static dd one_by_one(struct dds *s, const uint32_t *var, const struct dd_case *c, uint32_t n,
		     dd other)
{
	for (uint32_t i = 0; i < n; i++) {
		dd here = DD_TRUE;

		for (uint32_t k = 0; k < N_KEYS; k++) {
			const dd bit = dd_var(s, var[k]);

			here = dd_and(s, here, (c[i].key[0] >> (7 - k) & 1) != 0
						       ? bit : dd_not(s, bit));
		}
		other = dd_ite(s, here, c[i].then, other);
	}
	return other;
}

/* Keys that repeat; what is chosen asks for variables above, between, below and of keys */
TEST(cases_are_branches_one_by_one)
{
	static const uint32_t var[N_KEYS] = { 2, 3, 5, 8, 9 };

	for (int round = 0; round < 2000; round++) {
		struct dd_case c[N_CASES];
		uint8_t keys[N_CASES];
		struct dds s;
		dd other, want;

		CHECK_INT(dd_init(&s, 1u << 20), 0);
		for (uint32_t i = 0; i < N_CASES; i++) {
			keys[i] = (uint8_t)(unit_random() << 3);
			c[i] = (struct dd_case){ .key = &keys[i], .then = any_function(&s) };
		}
		other = any_function(&s);
		want = one_by_one(&s, var, c, N_CASES, other);
		CHECK_INT(dd_cases(&s, var, N_KEYS, c, N_CASES, other), want);
		dd_fini(&s);
	}
}

TEST(what_is_known_is_followed_as_far_as_it_goes)
{
	uint8_t known[N_VARS] = { [0] = DD_IS_1, [2] = DD_IS_0 };
	struct dds s;
	dd below, f;

	CHECK_INT(dd_init(&s, 1u << 20), 0);
	below = dd_ite(&s, dd_var(&s, 1), dd_var(&s, 2), dd_leaf(&s, 7));
	f = dd_ite(&s, dd_var(&s, 0), below, dd_leaf(&s, 9));
	CHECK_INT(dd_known(&s, f, known), below);
	known[1] = DD_IS_1;
	CHECK_INT(dd_known(&s, f, known), DD_FALSE);
	known[0] = DD_IS_0;
	CHECK_INT(dd_value(&s, dd_known(&s, f, known)), 9);
	dd_fini(&s);
}

static uint32_t odd(void *arg, uint32_t value)
{
	(void)arg;
	return value & 1;
}

/* What holds for some value of a variable: either half of the function */
TEST(what_exists_is_either_half)
{
	for (int round = 0; round < 500; round++) {
		bool which[N_VARS] = { false };
		struct dds s;
		dd f, want;

		CHECK_INT(dd_init(&s, 1u << 20), 0);
		f = want = dd_map(&s, any_function(&s), odd, NULL);
		for (uint32_t v = 0; v < N_VARS; v++) {
			which[v] = unit_random() % 2 == 0;
			if (which[v])
				want = dd_or(&s, dd_with(&s, want, v, false),
					     dd_with(&s, want, v, true));
		}
		CHECK_INT(dd_exists(&s, f, which), want);
		dd_fini(&s);
	}
}
