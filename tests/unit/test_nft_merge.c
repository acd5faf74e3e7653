/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * That what is merged means the same is shown with packets (tests/diff); here is
 * shown what is merged, what is not, and what it looks like.
 */
#include "unit.h"

#include "test_nft.h"

/* How many look-ups a run of @n rules becomes, both directions together */
static uint32_t maps_of(uint32_t n, run_fn *fn)
{
	struct fix f;
	uint32_t maps;

	fix_init(&f);
	fix_enter(&f);
	fix_run(&f, n, false, fn);
	maps = fix_count(fix_text(&f, true), " vmap @verdicts_");
	fix_fini(&f);
	return maps;
}

TEST(rules_that_exclude_each_other_are_one_look_up)
{
	CHECK_INT(maps_of(20, run_points), 2);
	CHECK_INT(maps_of(20, run_ranges), 2);
	CHECK_INT(maps_of(20, run_alone), 2);
	CHECK_INT(maps_of(20, run_port), 2);
	CHECK_INT(maps_of(99, run_points), 2);
}

TEST(few_rules_stay_as_they_are)
{
	CHECK_INT(maps_of(7, run_points), 0);
	CHECK_INT(maps_of(8, run_points), 2);
}

TEST(each_rule_keeps_its_place_and_counter)
{
	const char *plain, *merged;
	struct fix f;

	fix_init(&f);
	fix_enter(&f);
	fix_run(&f, 10, false, run_points);
	plain = fix_text(&f, false);
	merged = fix_text(&f, true);
	CHECK_INT(fix_count(plain, " vmap "), 0);
	for (uint32_t i = 0; i < 10; i++) {
		const char *comment = arena_printf(&f.a, "comment \"test.conf:%u rule %u\"",
						   1 + i, i);

		CHECK_INT(fix_count(plain, comment), 2);
		CHECK_INT(fix_count(merged, comment), 2);
	}
	CHECK_INT(fix_count(merged, "\t\tcounter\n"), 2);
	CHECK(strstr(merged, "10.7.0.3 . 83 comment \"test.conf:4 rule 3\" : goto merged_drop") !=
	      NULL);
	CHECK(strstr(merged, "10.7.0.4 . 80 comment \"test.conf:5 rule 4\" : goto in_keep") !=
	      NULL);
	CHECK(strstr(merged, "meta l4proto 6 ip daddr . th dport vmap @") != NULL ||
	      strstr(merged, "meta l4proto tcp ip daddr . th dport vmap @") != NULL);
	fix_fini(&f);
}

/* All meet in port 1000 */
static void run_nested(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, 1000 - i, 1000 + i));
}

/* The tenth meets the first */
static void run_meeting(struct fix *f, struct rule *r, uint32_t i)
{
	run_points(f, r, i % 10);
}

TEST(rules_that_meet_are_not_merged)
{
	CHECK_INT(maps_of(20, run_nested), 0);
	CHECK_INT(maps_of(20, run_meeting), 4);
	CHECK_INT(maps_of(17, run_meeting), 2);
}

static void run_logged(struct fix *f, struct rule *r, uint32_t i)
{
	run_points(f, r, i);
	rule_log(&f->m, r);
}

TEST(rules_that_log_are_not_merged)
{
	CHECK_INT(maps_of(20, run_logged), 0);
}

/* Every other rule is of udp and asks for another port range: they cannot meet */
static void run_by_turns(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, i % 2 == 0 ? PROTO_TCP : PROTO_UDP));
	if (i % 2 == 0)
		rule_test(&f->m, r, F_TCPFLAGS, fix_num(f, 2, 2));
	rule_test(&f->m, r, F_DPORT, fix_num(f, i / 2, i / 2));
}

/* Every other rule asks for a source and no port: one packet can meet two of them */
static void run_across(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_UDP));
	if (i % 2 == 0)
		rule_test(&f->m, r, F_SRC, fix_net(f, arena_printf(&f->a, "10.7.0.%u/32", i)));
	else
		rule_test(&f->m, r, F_DPORT, fix_num(f, i, i));
}

TEST(shapes_may_alternate_if_they_cannot_meet)
{
	CHECK_INT(maps_of(40, run_by_turns), 4);
	CHECK_INT(maps_of(40, run_across), 0);
}

TEST(many_rules_need_few_steps)
{
	struct fix f;

	/* The windows double: were they not to, this would take minutes */
	fix_init(&f);
	fix_enter(&f);
	for (uint32_t i = 0; i < 20000; i++) {
		struct rule *r = fix_filter(&f, 1 + i % 90, "many", ruling_block(), false);

		rule_test(&f.m, r, F_PROTO, set_one(&f.a, PROTO_TCP));
		rule_test(&f.m, r, F_DST, set_range(&f.a, AF_V4, i, i));
		rule_test(&f.m, r, F_DPORT, fix_num(&f, 80, 80));
	}
	CHECK_INT(fix_count(fix_text(&f, true), " vmap @verdicts_"), 2);
	fix_fini(&f);
}
