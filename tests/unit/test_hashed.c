/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hashed.h"

#include "base/limits.h"
#include "unit.h"

#define MANY	1000u

TEST(empty_has_nothing)
{
	const struct hashed none = { .n_heads = 0 };

	CHECK(hashed_first(&none, 0) == NULL);
}

/* Against a plain array: each hash gives its own numbers, the last first, and no other */
TEST(each_hash_gives_its_own_numbers)
{
	uint32_t hash[MANY];
	struct hashed h = { .n_heads = 0 };
	struct arena a;

	arena_init(&a, LIMIT_ARENA_BYTES);
	for (uint32_t i = 0; i < MANY; i++) {
		/* Few low bits, so that different hashes share places too */
		hash[i] = unit_below(64) << 16 | unit_below(4);
		hashed_add(&a, &h, hash[i], 7 * i);
	}
	for (uint32_t i = 0; i < MANY; i++) {
		const struct hashed_entry *e = hashed_first(&h, hash[i]);

		for (uint32_t k = MANY; k-- > 0;) {
			if (hash[k] != hash[i])
				continue;
			if (!CHECK(e != NULL) || !CHECK_INT(e->number, 7 * k))
				break;
			e = hashed_next(&h, e);
		}
		CHECK(e == NULL);
	}
	CHECK(hashed_first(&h, 5) == NULL);
	arena_fini(&a);
}
