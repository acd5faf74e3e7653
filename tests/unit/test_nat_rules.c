/* SPDX-License-Identifier: BSD-2-Clause */
/* Rulings of every kind, and what the userspace NAT makes of them */
#include "unit.h"

#include "natkit.h"

static struct kit k;
static struct nat_ruling says;	/* of whatever is asked */
static bool has_said;
static struct addr pool[4];

static bool judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret)
{
	(void)ctx;
	(void)ask;
	*ret = says;
	return has_said;
}

/* A NAT whose rules say @r of everything; sources become NAT1, kept ports are 2000 to 2100 */
static void begin(void)
{
	kit_init(&k);
	k.cfg.judge = judge;
	kit_start(&k);
	has_said = true;
	pool[0] = NAT1;
	pool[1] = k.outside[1];
	says = (struct nat_ruling){
		.pass = true, .icmp = -1, .keep = true, .has_src = true, .to = pool, .n_to = 2,
		.ports = NAT_PORTS_RANDOM, .port_lo = 2000, .port_hi = 2100,
	};
}

static const char *why(enum nat_side from, const struct kpkt *p)
{
	kit_send(&k, from, p);
	return k.p.verdict == NAT_DROP ? nat_reason_names[k.p.reason] : "";
}

/* The pool is the rules' own list, of both families */
TEST(a_pool_that_is_the_rules_own)
{
	const struct addr in6 = kit_a6("fd00:1::11"), srv6 = kit_a6("2001:db8:f::10");

	begin();
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	CHECK(k_sport(k.out.b) >= 2000 && k_sport(k.out.b) <= 2100);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(in6, 5000, srv6, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), k.outside[1]));
	/* Ids of queries have no range of ports */
	CHECK(kit_send(&k, NAT_INSIDE, k_icmp(IN1, SRV1, 8, 0, 77, 8)));
	says.n_to = 1;
	CHECK_STR(why(NAT_INSIDE, k_udp(in6, 5001, srv6, 53, 20)), "no-port");
	says.n_to = 0;
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5001, SRV1, 53, 20)), "no-port");
	kit_stop(&k);
}

/* What an endpoint had before counts as long as the rules allow it */
TEST(rules_that_change)
{
	uint16_t port;

	begin();
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	port = k_sport(k.out.b);
	CHECK(kit_send(&k, NAT_INSIDE, k_icmp(IN1, SRV1, 8, 0, 77, 8)));
	/* Another flow of the endpoint, by another range, while the first lives */
	says.port_lo = 3000;
	says.port_hi = 3100;
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV2, 53, 20)), "port-taken");
	says.port_lo = 1000;
	says.port_hi = 1100;
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV2, 53, 20)), "port-taken");
	CHECK(kit_send(&k, NAT_INSIDE, k_icmp(IN1, SRV2, 8, 0, 77, 8)));
	pool[0] = SRV3;			/* none of ours */
	CHECK_STR(why(NAT_INSIDE, k_icmp(IN1, SRV3, 8, 0, 77, 8)), "port-taken");
	CHECK_STR(why(NAT_INSIDE, k_icmp(IN1, SRV3, 8, 0, 78, 8)), "no-port");
	pool[0] = NAT1;
	/* And when it has ended it gets one as the rules are now */
	kit_wait(&k, 310);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV2, 53, 20)));
	CHECK(k_sport(k.out.b) <= 1100 && k_sport(k.out.b) != port);
	says.ports = NAT_PORTS_STATIC;
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV3, 53, 20)), "port-taken");
	says.port_hi = 60000;
	says.ports = NAT_PORTS_RANDOM;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV3, 53, 20)));
	kit_stop(&k);
}

/* Refused, with an answer and without, of each protocol */
TEST(refusals_and_their_answers)
{
	const struct { bool answer, rst; int32_t icmp; bool tcp; uint32_t n_made; } cases[] = {
		{ false, true, 3 << 8 | 13, true, 0 }, { true, true, -1, true, 1 },
		{ true, true, -1, false, 0 }, { true, true, 3 << 8 | 13, false, 1 },
		{ true, false, 3 << 8 | 13, true, 1 }, { true, false, -1, true, 0 },
	};

	begin();
	says.pass = false;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		says.answer = cases[i].answer;
		says.rst = cases[i].rst;
		says.icmp = cases[i].icmp;
		CHECK_STR(why(NAT_INSIDE, cases[i].tcp ?
			      k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1, 0) :
			      k_udp(IN1, 4000, SRV1, 80, 20)), "rule");
		CHECK_INT(k.n_made, cases[i].n_made);
		if (k.n_made != 1)
			continue;
		CHECK_INT(k.made[0].data[9], cases[i].icmp < 0 ? 6 : 1);
		CHECK_STR(kit_sound(k.made[0].data, k.made[0].len), NULL);
	}
	says.answer = says.rst = true;
	CHECK_STR(why(NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 1, 0)), "rule");
	CHECK_INT(k.n_made, 1);
	CHECK_INT(k.made[0].to, NAT_OUTSIDE);
	kit_stop(&k);
}

/* Let pass without a flow: each packet for itself, and as limited as any other */
TEST(what_nobody_remembers)
{
	struct kpkt *p;

	begin();
	says.has_src = says.keep = false;
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)), "untranslated");
	says.is_fenceless = true;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), IN1));
	CHECK_INT(k.out.b[8], 63);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[8] = 1;
	k_fix(p);
	CHECK_STR(why(NAT_INSIDE, p), "ttl");
	CHECK_INT(k.n_made, 1);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, IN1, 5000, 20)));
	CHECK_STR(why(NAT_OUTSIDE, k_udp(SRV1, 53, SRV2, 5000, 20)), "martian-destination");
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	/* A fence that is not lifted stands between inside and outside only */
	says.is_fenceless = false;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, IN2, 53, 20)));
	/* A translation always keeps, whatever else is said */
	says.has_src = true;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	says.has_src = false;
	says.has_dst = true;
	says.dst = IN2;
	says.dport = 8080;
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV2, 53, NAT1, 80, 20)));
	CHECK(addr_equal(k_dst(k.out.b), IN2) && k_dport(k.out.b) == 8080);
	CHECK_INT(nat_counters(k.nat)->flows, 2);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5003, SRV1, 53, 20)));
	CHECK(addr_equal(k_dst(k.out.b), IN2));
	CHECK_INT(nat_counters(k.nat)->flows, 3);
	kit_stop(&k);
}

/* Another source than one of the inside may pass a NAT that has no inside */
TEST(a_public_source_needs_no_translation)
{
	begin();
	kit_stop(&k);
	k.cfg.n_inside = 0;
	kit_start(&k);
	says.has_src = false;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(SRV3, 5000, SRV1, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), SRV3));
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)), "untranslated");
	kit_stop(&k);
}

/* Destinations that keep the inside source, but for what comes back in */
TEST(a_destination_that_is_never_translated)
{
	struct prefix straight[2] = { { SRV1, 32 }, { NAT1, 32 } };

	kit_init(&k);
	k.cfg.no_translate = straight;
	k.cfg.n_no_translate = 2;
	k.cfg.filtering[NAT_UDP] = NAT_ENDPOINT;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), IN1));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 6000, SRV2, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	/* Hairpinned, it has an outside source all the same */
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, NAT1, 6000, 20)));
	CHECK(addr_equal(k_src(k.out.b), NAT1) && addr_equal(k_dst(k.out.b), IN2));
	kit_stop(&k);
}

/* More different changes than a NAT can tell apart: a flow that needs another is refused */
TEST(scrubs_are_so_many)
{
	begin();
	for (int turn = 0; turn < 2; turn++) {
		for (uint16_t i = 1; i <= 70; i++) {
			says.min_ttl = (uint8_t)(100 + i);
			CHECK_INT(kit_send(&k, NAT_INSIDE, k_udp(IN1, i, SRV1, 53, 20)), i < 64);
			if (i < 64)
				CHECK_INT(k.out.b[8], 99 + i);
			else
				CHECK_STR(nat_reason_names[k.p.reason], "table-full");
		}
	}
	kit_stop(&k);
}

/* An IPv6 address from a rule needs room as any other does */
TEST(a_forward_to_an_address_without_room)
{
	begin();
	kit_stop(&k);
	k.cfg.max_addr6 = 0;
	kit_start(&k);
	says.has_src = false;
	says.has_dst = true;
	says.dst = kit_a6("fd00:1::12");
	for (uint32_t n = 0; n < 20; n++) {
		struct addr src = kit_a6("2001:db8:e::1");

		src.v += n;
		kit_send(&k, NAT_OUTSIDE, k_udp(src, 53, k.outside[1], 80, 20));
	}
	CHECK_STR(nat_reason_names[k.p.reason], "table-full");
	for (uint32_t n = 0; n < 20; n++) {
		says.dst.v++;
		kit_send(&k, NAT_OUTSIDE, k_udp(kit_a6("2001:db8:e::1"), 54, k.outside[1],
						(uint16_t)n, 20));
	}
	CHECK_STR(nat_reason_names[k.p.reason], "table-full");
	kit_wait(&k, 400);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(kit_a6("2001:db8:e::2"), 54, k.outside[1], 1, 20)));
	kit_stop(&k);
}
