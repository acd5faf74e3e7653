/* SPDX-License-Identifier: BSD-2-Clause */
/* The NAT's hash table and its ports, against the same in arrays */
#include "unit.h"

#include "nat/ports.h"
#include "nat/table.h"

#define BUCKETS	4u
#define ENTRIES	(BUCKETS * BUCKET_SLOTS)

static struct bucket mem[BUCKETS];
static struct table t;

/* Which numbers the table may have for a hash, as bits of @ret */
static void look(uint64_t hash, bool ret[ENTRIES])
{
	struct table_look l;

	memset(ret, 0, ENTRIES);
	for (uint32_t i = table_first(&t, hash, &l); i != TABLE_NONE; i = table_next(&t, &l))
		ret[i] = true;
}

/* Full to the last slot: each entry is found, in whichever bucket it stands, until it is gone */
TEST(entries_are_found_until_they_are_gone)
{
	static uint64_t hashes[ENTRIES];
	bool is_there[ENTRIES] = { false }, found[ENTRIES];
	uint32_t n = 0;

	table_init(&t, mem, BUCKETS, ENTRIES);
	for (uint32_t step = 0; step < 20000; step++) {
		const uint32_t i = (uint32_t)unit_below(ENTRIES);

		/* At times all want one bucket, the last, so that what is too much goes round */
		if (!is_there[i]) {
			hashes[i] = unit_random() | (step / 2000 % 2 != 0 ? UINT64_MAX << 32 : 0);
			table_add(&t, hashes[i], i);
		} else if (n < ENTRIES / 2 || unit_below(8) == 0) {
			table_del(&t, hashes[i], i);
		} else {
			continue;
		}
		is_there[i] = !is_there[i];
		n += is_there[i] ? 1 : UINT32_MAX;
		for (uint32_t k = 0; k < ENTRIES; k++) {
			look(hashes[k], found);
			if (found[k] != is_there[k] && !CHECK_INT(found[k], is_there[k]))
				return;
		}
	}
	for (uint32_t i = 0; i < ENTRIES; i++)
		if (is_there[i])
			table_del(&t, hashes[i], i);
	for (uint32_t b = 0; b < BUCKETS; b++)
		CHECK_INT(mem[b].n_passed, 0);
}

TEST(one_bucket_more_than_is_full)
{
	table_init(&t, mem, BUCKETS, ENTRIES);
	for (uint32_t i = 0; i < ENTRIES; i++)
		table_add(&t, UINT64_MAX, i);
	CHECK_BUG(table_add(&t, UINT64_MAX, 0));
	CHECK_BUG(table_del(&t, 0, 0));
}

/* Every port of a range is lent, in any order, and none beside it; parity as long as it can be */
TEST(ports_of_a_range)
{
	static struct ports p;
	struct random r = { .key = { 1, 2 } };

	for (uint32_t range = 0; range < 200; range++) {
		const uint16_t lo = (uint16_t)(1 + unit_below(300));
		const uint16_t hi = (uint16_t)(lo + unit_below(300));
		const uint16_t like = (uint16_t)unit_below(65536);
		const enum parity parity = range % 2 != 0 ? PARITY_KEEP : PARITY_ANY;
		uint32_t n = 0, n_same = 0, n_other = 0;

		ports_init(&p);
		for (uint16_t port; (port = ports_choose(&p, lo, hi, like, parity, &r)) != 0; n++) {
			if (port < lo || port > hi || ports_is_lent(&p, port)) {
				CHECK(false);
				return;
			}
			n_other += port % 2 != like % 2;
			n_same += port % 2 == like % 2 && n_other == 0;
			ports_mark(&p, port);
		}
		CHECK_INT(n, hi - lo + 1);
		if (parity == PARITY_KEEP)
			CHECK_INT(n_same + n_other, n);
		ports_give(&p, lo);
		CHECK_INT(ports_choose(&p, lo, hi, like, parity, &r), lo);
	}
}
