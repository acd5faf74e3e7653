/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * That a map of sources means what its rules mean is shown with packets (tests/diff)
 * and by proof (golden/verify); here is shown what becomes one, and what does not.
 */
#include "unit.h"

#include "test_nft.h"

typedef void vary_fn(struct fix *f, struct rule *r, uint32_t i);

/* @n rules, each of a source of its own, which @fn changes; their text */
static const char *run_of(struct fix *f, uint32_t n, vary_fn *fn)
{
	fix_init(f);
	fix_enter(f);
	for (uint32_t i = 0; i < n; i++) {
		struct rule *r = fix_xlate(f, f->nat, 1 + i, arena_printf(&f->a, "nat %u", i),
					   (struct xlate){ .kind = XL_SRC, .port = XP_RANDOM,
							   .lo = 50001, .hi = 65535 },
					   TO(arena_printf(&f->a, "203.0.113.%u", 2 + i)), false);

		rule_test(&f->m, r, F_IFACE, fix_iface(f, "igb0"));
		fn(f, r, i);
	}
	return fix_text(f, true);
}

static uint32_t maps_of(uint32_t n, vary_fn *fn)
{
	struct fix f;
	uint32_t maps;

	maps = fix_count(run_of(&f, n, fn), "\tmap sources_");
	fix_fini(&f);
	return maps;
}

static void by_host(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_SRC, fix_net(f, arena_printf(&f->a, "10.7.0.%u/32", i)));
}

static void by_net(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_SRC, fix_net(f, arena_printf(&f->a, "10.7.%u.0/24", i)));
}

TEST(single_sources_are_one_map_with_a_counter_each)
{
	struct fix f;
	const char *text = run_of(&f, 10, by_host);

	CHECK_INT(fix_count(text, "\tmap sources_"), 1);
	CHECK_INT(fix_count(text, "type ipv4_addr : ipv4_addr\n\t\tsize 16\n\t\tcounter\n"), 1);
	CHECK(strstr(text, "10.7.0.3 comment \"test.conf:4 nat 3\" : 203.0.113.5") != NULL);
	/* Four protocols with ports, ICMP, and what has neither */
	CHECK_INT(fix_count(text, "snat ip to ip saddr map @sources_"), 6);
	CHECK_INT(fix_count(text, " meta l4proto 17 snat ip to ip saddr map @sources_"), 1);
	CHECK_INT(fix_count(text, ":50001-65535 fully-random\n"), 4);
	CHECK_INT(fix_count(text, "203.0.113."), 10);
	fix_fini(&f);
}

TEST(networks_are_an_interval_map)
{
	struct fix f;
	const char *text = run_of(&f, 10, by_net);

	CHECK_INT(fix_count(text, "\tmap sources_"), 1);
	CHECK(strstr(text, "10.7.3.0-10.7.3.255 . 10.7.3.0-10.7.3.255 comment "
			   "\"test.conf:4 nat 3\" : 203.0.113.5") != NULL);
	CHECK_INT(fix_count(text, "snat ip to ip saddr . ip saddr map @sources_"), 6);
	fix_fini(&f);
}

TEST(few_rules_stay_rules)
{
	CHECK_INT(maps_of(7, by_host), 0);
	CHECK_INT(maps_of(8, by_host), 1);
}

/* The first rule of a source counts */
static void by_five_hosts(struct fix *f, struct rule *r, uint32_t i)
{
	by_host(f, r, i % 5);
}

TEST(the_first_rule_of_a_source_counts)
{
	struct fix f;
	const char *text = run_of(&f, 10, by_five_hosts);

	CHECK_INT(fix_count(text, "10.7.0.3 comment"), 1);
	CHECK(strstr(text, "10.7.0.3 comment \"test.conf:4 nat 3\" : 203.0.113.5") != NULL);
	fix_fini(&f);
}

/* The eleventh is within the first */
static void by_nested(struct fix *f, struct rule *r, uint32_t i)
{
	by_net(f, r, i % 10);
}

TEST(networks_that_meet_are_not_in_one_map)
{
	CHECK_INT(maps_of(20, by_nested), 2);
	CHECK_INT(maps_of(17, by_nested), 1);
}

static void other_ports(struct fix *f, struct rule *r, uint32_t i)
{
	by_host(f, r, i);
	if (i % 2 == 0)
		f->m.xlates.v[f->m.xlates.n - 1].port = XP_KEEP;
}

static void other_places(struct fix *f, struct rule *r, uint32_t i)
{
	by_host(f, r, i);
	rule_test(&f->m, r, F_DST, fix_net(f, i % 2 == 0 ? "192.0.2.0/24" : "0.0.0.0/0"));
}

static void logged(struct fix *f, struct rule *r, uint32_t i)
{
	by_host(f, r, i);
	rule_log(&f->m, r);
}

static void passing(struct fix *f, struct rule *r, uint32_t i)
{
	by_host(f, r, i);
	rule_decide(r, ruling_keep());
}

static void of_table(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_SRC,
		  set_named(&f->a, fix_net(f, arena_printf(&f->a, "10.7.0.%u/32", i)), "<t>"));
}

TEST(what_differs_in_more_or_does_more_stays_rules)
{
	CHECK_INT(maps_of(20, other_ports), 0);
	CHECK_INT(maps_of(20, other_places), 0);
	CHECK_INT(maps_of(20, logged), 0);
	CHECK_INT(maps_of(20, passing), 0);
	CHECK_INT(maps_of(20, of_table), 0);
}
