/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/facts.h"

#include "base/limits.h"
#include "unit.h"

struct world {
	struct arena a;
	struct intern names;
	struct facts f;
};

static void setup(struct world *w)
{
	arena_init(&w->a, LIMIT_ARENA_BYTES);
	intern_init(&w->names, &w->a);
	facts_init(&w->f, &w->a, &w->names);
}

static struct addr addr(const char *text)
{
	struct addr a = { .af = AF_NONE };

	CHECK_INT(addr_parse(text, strlen(text), &a), 0);
	return a;
}

static void add(struct world *w, const char *iface, const char *text, bool is_live)
{
	struct iface_addr a = { .is_live = is_live };

	CHECK_INT(prefix_parse(text, strlen(text), &a.p), 0);
	facts_add_addr(&w->f, facts_add(&w->f, iface), a);
}

TEST(empty)
{
	struct world w;
	const struct iface *lo0;

	setup(&w);
	CHECK_INT(w.f.ifaces.n, 1);
	lo0 = facts_find(&w.f, "lo0");
	if (CHECK(lo0 != NULL)) {
		CHECK_INT(lo0->kind, IFACE_LO);
		CHECK_INT(lo0->addrs.n, 2);
		CHECK_INT(lo0->addrs.v[0].p.len, 8);
		CHECK(facts_has_group(&w.f, lo0, "lo"));
		CHECK(!facts_has_group(&w.f, lo0, "egress"));
	}
	CHECK(facts_find(&w.f, "lo1") == NULL);
	CHECK(facts_iface_of(&w.f, addr("::1")) == lo0);
	CHECK(facts_iface_of(&w.f, addr("10.0.0.1")) == NULL);
	arena_fini(&w.a);
}

TEST(kinds_follow_from_names)
{
	static const struct {
		const char *name;
		enum iface_kind kind;
	} cases[] = {
		{ "lo0", IFACE_LO }, { "lo1", IFACE_CLONED }, { "lo42", IFACE_CLONED },
		{ "lo", IFACE_REAL }, { "lo1x", IFACE_REAL }, { "igb0", IFACE_REAL },
		{ "local0", IFACE_REAL }, { "jails", IFACE_REAL },
	};
	struct world w;

	setup(&w);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct iface *ifp = facts_add(&w.f, cases[i].name);

		CHECK_INT(ifp->kind, cases[i].kind);
		CHECK_INT(facts_has_group(&w.f, ifp, "lo"), cases[i].kind != IFACE_REAL);
		CHECK_STR(intern_name(&w.names, ifp->id), cases[i].name);
		CHECK(facts_add(&w.f, cases[i].name) == facts_find(&w.f, cases[i].name));
	}
	CHECK_INT(w.f.ifaces.n, 8);
	CHECK_STR(facts_linux_name("lo0"), "lo");
	CHECK_STR(facts_linux_name("lo1"), "lo1");
	CHECK_STR(facts_freebsd_name("lo"), "lo0");
	CHECK_STR(facts_freebsd_name("igb0"), "igb0");
	arena_fini(&w.a);
}

TEST(groups)
{
	struct world w;
	struct iface *igb0;

	setup(&w);
	igb0 = facts_add(&w.f, "igb0");
	facts_add_group(&w.f, igb0, "wan");
	facts_add_group(&w.f, igb0, "wan");
	CHECK_INT(igb0->groups.n, 1);
	CHECK(facts_has_group(&w.f, igb0, "wan"));
	CHECK(facts_is_group(&w.f, "wan"));
	CHECK(facts_is_group(&w.f, "lo"));
	CHECK(facts_is_group(&w.f, "egress"));
	CHECK(!facts_is_group(&w.f, "igb0"));
	CHECK(!facts_has_group(&w.f, igb0, "egress"));
	w.f.default_if[1] = igb0->name;
	CHECK(facts_has_group(&w.f, igb0, "egress"));
	arena_fini(&w.a);
}

TEST(addresses)
{
	struct world w;
	const struct iface *igb0;

	setup(&w);
	add(&w, "igb0", "203.0.113.2/24", false);
	add(&w, "igb0", "203.0.113.2/25", true);
	add(&w, "igb0", "2001:db8::2/64", true);
	add(&w, "lo1", "10.0.0.2/32", false);
	igb0 = facts_find(&w.f, "igb0");
	CHECK_INT(igb0->addrs.n, 2);
	CHECK_INT(igb0->addrs.v[0].p.len, 24);
	CHECK(igb0->addrs.v[0].is_live);
	CHECK(facts_iface_of(&w.f, addr("2001:db8::2")) == igb0);
	CHECK(set_has_addr(facts_local(&w.f), addr("10.0.0.2")));
	CHECK(set_has_addr(facts_local(&w.f), addr("127.0.0.1")));
	CHECK(!set_has_addr(facts_local(&w.f), addr("127.0.0.2")));
	CHECK(!set_has_addr(facts_local(&w.f), addr("203.0.113.3")));
	arena_fini(&w.a);
}

TEST(crossed)
{
	struct world w;

	setup(&w);
	add(&w, "igb0", "203.0.113.2/24", false);
	add(&w, "lo1", "10.0.0.2/32", false);
	add(&w, "lo1", "fd00::2/128", false);
	CHECK_STR(facts_crossed(&w.f, "lo0", addr("10.0.0.2")), "lo1");
	CHECK_STR(facts_crossed(&w.f, "lo0", addr("fd00::2")), "lo1");
	CHECK_STR(facts_crossed(&w.f, "lo0", addr("203.0.113.2")), "lo0");
	CHECK_STR(facts_crossed(&w.f, "lo0", addr("127.0.0.1")), "lo0");
	CHECK_STR(facts_crossed(&w.f, "lo0", addr("10.0.0.3")), "lo0");
	CHECK_STR(facts_crossed(&w.f, "igb0", addr("10.0.0.2")), "igb0");
	arena_fini(&w.a);
}

/* Against the arrays themselves, enough of them for the hash to grow some times */
TEST(random_addresses)
{
	const struct set *local;
	struct world w;

	setup(&w);
	for (int n = 0; n < 3000; n++) {
		const struct addr a = { unit_below(2) ? AF_V4 : AF_V6, 1 + unit_below(2000) };
		const char *name = unit_below(2) ? "igb0" : "lo1";
		struct iface *ifp = facts_add(&w.f, name);
		const uint32_t before = ifp->addrs.n;
		bool is_there = false;

		for (uint32_t i = 0; i < before; i++)
			is_there |= addr_equal(ifp->addrs.v[i].p.a, a);
		facts_add_addr(&w.f, ifp, (struct iface_addr){ .p = { a, 32 } });
		CHECK_INT(ifp->addrs.n, before + !is_there);
	}
	local = facts_local(&w.f);
	for (u128 v = 0; v < 2002; v++) {
		const struct addr a = { AF_V4, v };
		const struct iface *found = facts_iface_of(&w.f, a);
		bool is_there = false;

		CHECK_INT(found != NULL, set_has_addr(local, a));
		for (uint32_t i = 0; found != NULL && i < found->addrs.n; i++)
			is_there |= addr_equal(found->addrs.v[i].p.a, a);
		CHECK_INT(is_there, found != NULL);
	}
	arena_fini(&w.a);
}
