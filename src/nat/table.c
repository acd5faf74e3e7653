/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A bucket is a cache line of fifteen 32-bit slots, compared at once.  When it
 * is full an entry stands in the next one, and each bucket passed on the way
 * counts it: a search goes on only behind a bucket that was passed, and taking
 * an entry out takes the counts back.  So there are no tombstones, nothing is
 * ever moved or rebuilt, and a packet costs one line at three fifths full
 * (2% of buckets overflow) whatever has happened before.  Linear probing over
 * single slots needs either, and 64-bit slots half as much memory again.
 */
#include "nat/table.h"

#include <string.h>

void table_init(struct table *t, struct bucket *mem, uint32_t n_buckets, uint32_t n_records)
{
	*t = (struct table){ .buckets = mem, .n = n_buckets, .shift = 1 };
	while (n_records >= 1u << t->shift)
		t->shift++;
	BUG_IF(t->shift > 30);
	t->mask = (1u << t->shift) - 1;
	memset(mem, 0, t->n * sizeof(*mem));
}

static uint32_t next_bucket(const struct table *t, uint32_t at)
{
	return at + 1 == t->n ? 0 : at + 1;
}

void table_add(struct table *t, uint64_t hash, uint32_t number)
{
	uint32_t at = table_home(t, hash);

	for (uint32_t n = 0;; n++, at = next_bucket(t, at)) {
		struct bucket *b = &t->buckets[at];
		const uint32_t empty = bucket_match(b, 0, 0);

		if (empty != 0) {
			b->slot[__builtin_ctz(empty)] = table_tag(t, hash) << t->shift |
							(number + 1);
			return;
		}
		BUG_IF(n == t->n);
		b->n_passed++;
	}
}

void table_del(struct table *t, uint64_t hash, uint32_t number)
{
	const uint32_t value = table_tag(t, hash) << t->shift | (number + 1);
	uint32_t at = table_home(t, hash);

	for (;; at = next_bucket(t, at)) {
		struct bucket *b = &t->buckets[at];
		const uint32_t at_slot = bucket_match(b, value, 0);

		if (at_slot != 0) {
			b->slot[__builtin_ctz(at_slot)] = 0;
			return;
		}
		BUG_IF(b->n_passed == 0);
		b->n_passed--;
	}
}
