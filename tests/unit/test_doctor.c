/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "host/doctor.h"

TEST(table_of_connections_that_is_nearly_full)
{
	static const struct {
		int64_t n, max;
		bool is_found;
	} cases[] = {
		{ 0, 262144, false }, { 799, 1000, false }, { 800, 1000, true },
		{ 1000, 1000, true }, { 1200, 1000, true },
		/* A kernel without the table, or one that sets no limit */
		{ -1, 1000, false }, { 800, -1, false }, { 800, 0, false },
		{ INT64_C(1) << 40, INT64_C(1) << 40, true },
	};
	struct arena a CLEANUP(arena_fini);

	arena_init(&a, 1u << 20);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor x = { .a = &a };

		doctor_conntrack(&x, cases[i].n, cases[i].max);
		CHECK_INT(x.found.n, cases[i].is_found);
	}
}

TEST(full_table_is_told_with_numbers_and_cure)
{
	struct arena a CLEANUP(arena_fini);
	struct doctor x = { .a = &a };

	arena_init(&a, 1u << 20);
	doctor_conntrack(&x, 250000, 262144);
	if (!CHECK_INT(x.found.n, 1))
		return;
	CHECK_STR(x.found.v[0].object, "sysctl net.netfilter.nf_conntrack_max");
	CHECK_STR(x.found.v[0].what,
		  "250000 of 262144 connections are in use: new ones will be dropped");
	CHECK_STR(x.found.v[0].cure, "sysctl -w net.netfilter.nf_conntrack_max=524288");
	CHECK(!x.found.v[0].is_note);
}
