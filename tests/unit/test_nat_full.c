/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the userspace NAT ends: tables, ports, quotas and buffers that are full */
#include "unit.h"

#include "natkit.h"

static struct kit k;

static const char *why(enum nat_side from, const struct kpkt *p)
{
	kit_send(&k, from, p);
	return k.p.verdict == NAT_DROP ? nat_reason_names[k.p.reason] : "";
}

static struct addr in6(uint32_t i)
{
	struct addr a = kit_a6("fd00:1::1:0");

	a.v += i;
	return a;
}

static struct addr srv6(uint32_t i)
{
	struct addr a = kit_a6("2001:db8:e::");

	a.v += 1 + i;
	return a;
}

/* As many as there is room for; each is refused whole, and what was there goes on */
TEST(addresses_of_ipv6_are_few)
{
	uint32_t n = 0;

	for (uint32_t room = 0; room < 4; room++) {
		kit_init(&k);
		k.cfg.max_addr6 = room;
		kit_start(&k);
		for (n = 0; kit_send(&k, NAT_INSIDE, k_udp(in6(n), 5000, srv6(n), 53, 20)); n++)
			;
		CHECK_STR(nat_reason_names[k.p.reason], "table-full");
		CHECK(n >= 3 && n <= 6);
		CHECK_INT(nat_counters(k.nat)->flows, n);
		/* Only what is known already has room for another flow */
		for (uint32_t i = 0; i < n; i++)
			CHECK(kit_send(&k, NAT_INSIDE, k_udp(in6(i), 5001, srv6(i), 53, 20)));
		kit_wait(&k, 900);
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(in6(50), 5000, srv6(50), 53, 20)));
		kit_stop(&k);
	}
}

/* From outside too, where a mapping is open to all */
TEST(addresses_of_ipv6_are_few_for_the_outside)
{
	uint32_t n = 0;

	kit_init(&k);
	k.cfg.max_addr6 = 0;
	k.cfg.filtering[NAT_UDP] = NAT_ENDPOINT;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(in6(0), 5000, srv6(0), 53, 20)));
	while (kit_send(&k, NAT_OUTSIDE, k_udp(srv6(n + 1), 53, k.outside[1], 5000, 20)))
		n++;
	CHECK_STR(nat_reason_names[k.p.reason], "table-full");
	CHECK(n > 3);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(srv6(1), 53, k.outside[1], 5000, 20)));
	kit_stop(&k);
}

/* Fails without comparing keys: hashes of so many meet in tables that keep some bits of them */
TEST(flows_whose_hashes_meet_are_told_apart)
{
	const uint32_t n = 60000;
	uint32_t n_right = 0;

	kit_init(&k);
	k.cfg.max_flows = 2 * n;
	k.cfg.max_addr6 = 2 * n;
	k.cfg.filtering[NAT_UDP] = NAT_ADDRESS;
	k.cfg.mapping[NAT_UDP] = NAT_ADDRESS;
	k.cfg.ports = NAT_PORTS_STATIC;
	kit_start(&k);
	for (uint32_t i = 0; i < n; i++) {
		const uint16_t port = (uint16_t)(1 + i);

		n_right += kit_send(&k, NAT_INSIDE, k_udp(IN1, port, SRV1, 53, 0)) +
			   kit_send(&k, NAT_INSIDE, k_udp(in6(i), port, srv6(i), 53, 0));
	}
	CHECK_INT(n_right, 2 * n);
	for (uint32_t i = n_right = 0; i < n; i++) {
		const uint16_t port = (uint16_t)(1 + i);

		n_right += kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 54, NAT1, port, 0)) &&
			   k_dport(k.out.b) == port;
		n_right += kit_send(&k, NAT_OUTSIDE, k_udp(srv6(i), 53, k.outside[1], port, 0)) &&
			   addr_equal(k_dst(k.out.b), in6(i));
		n_right += kit_send(&k, NAT_OUTSIDE, k_udp(SRV2, 53, NAT1, port, 0));
	}
	/* The peer's other ports made 60,000 flows, for which there was no room */
	CHECK_INT(n_right, n);
	kit_wait(&k, 700);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	kit_stop(&k);
}

/* A block that is full, with ports of nobody's block beside it and without */
TEST(blocks_that_are_full)
{
	for (int over = 0; over < 2; over++) {
		uint32_t n = 0, lo = 65536, hi = 0;

		kit_init(&k);
		k.cfg.ports = NAT_PORTS_BLOCK;
		k.cfg.block_ports = 8000;	/* 8 blocks; the last is what overflows */
		k.cfg.block_base = addr_v4(10, 0, 0, 11);
		k.cfg.block_overflow = over != 0;
		k.cfg.max_flows = 20000;
		kit_start(&k);
		while (n < 17000 &&
		       kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(1 + n), SRV1, 53, 0))) {
			lo = MIN(lo, k_sport(k.out.b));
			hi = MAX(hi, k_sport(k.out.b));
			n++;
		}
		CHECK_STR(nat_reason_names[k.p.reason], "quota-ports");
		CHECK_INT(n, over ? 16000 : 8000);
		CHECK_INT(lo, 1024);
		CHECK_INT(hi, over ? 1024 + 8 * 8000 - 1 : 1024 + 8000 - 1);
		/* The others have their own */
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 1, SRV1, 53, 0)));
		CHECK(k_sport(k.out.b) >= 9024 && k_sport(k.out.b) < 17024);
		kit_stop(&k);
	}
}

TEST(blocks_of_nobody)
{
	struct addr a, out;
	uint16_t lo, hi;

	kit_init(&k);
	k.cfg.block_base = addr_v4(10, 0, 0, 0);
	k.cfg.block_ports = 20000;
	CHECK(nat_block_of(&k.cfg, addr_v4(10, 0, 0, 2), &out, &lo, &hi));
	CHECK_INT(lo, 41024);
	CHECK(nat_block_owner(&k.cfg, NAT1, 41024, &a) && addr_equal(a, addr_v4(10, 0, 0, 2)));
	CHECK(!nat_block_of(&k.cfg, addr_v4(10, 0, 0, 3), &out, &lo, &hi));
	CHECK(!nat_block_of(&k.cfg, addr_v4(9, 0, 0, 3), &out, &lo, &hi));
	CHECK(!nat_block_of(&k.cfg, in6(0), &out, &lo, &hi));
	CHECK(!nat_block_owner(&k.cfg, NAT1, 1023, &a));
	CHECK(!nat_block_owner(&k.cfg, NAT1, 61024, &a));
	CHECK(!nat_block_owner(&k.cfg, NAT2, 41024, &a));
	CHECK(!nat_block_owner(&k.cfg, k.outside[1], 41024, &a));
	/* One block only, which is what overflows */
	k.cfg.block_ports = 64512;
	k.cfg.block_overflow = true;
	CHECK(!nat_block_of(&k.cfg, addr_v4(10, 0, 0, 0), &out, &lo, &hi));
}

/* A batch that asks for more answers than a batch may make */
TEST(answers_of_a_batch_are_so_many)
{
	enum { N = 1100 };
	static uint8_t bytes[N + 3][64];
	static struct nat_packet q[N + 3];
	struct kpkt *p;

	kit_init(&k);
	kit_start(&k);
	for (uint32_t i = 0; i < N + 3; i++) {
		p = i < N ? k_icmp(SRV1, NAT1, 8, 0, (uint16_t)i, 8) : k_udp(IN1, 1, SRV1, 9, 8);
		p->b[8] = i == N ? 1 : 64;	/* its time is over, and that would be told */
		k_fix(p);
		memcpy(bytes[i], p->b, p->len);
		q[i] = (struct nat_packet){ .data = bytes[i], .len = p->len,
					    .from = i < N ? NAT_OUTSIDE : NAT_INSIDE };
	}
	nat_batch(k.nat, k.now, q, N + 3);
	k.made = nat_made(k.nat, &k.n_made);
	CHECK_INT(k.n_made, 1024);
	CHECK_INT((intmax_t)nat_counters(k.nat)->dropped[NAT_R_ANSWERED], N);
	CHECK_INT(q[N].reason, NAT_R_TTL);
	CHECK_INT(q[N + 2].verdict, NAT_FORWARD);
	kit_stop(&k);
}

/* SYNs that nobody asked for wait in so many places; who finds none has no answer */
TEST(syns_that_wait_are_so_many)
{
	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 600; i++)
		CHECK_STR(why(NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, (uint16_t)(1 + i), K_SYN, 1, 0)),
			  "no-mapping");
	kit_wait(&k, 10);
	CHECK_INT((intmax_t)nat_counters(k.nat)->made, 512);
	kit_stop(&k);
}

/* A large echo request to the NAT, in fragments, has no answer that fits */
TEST(an_echo_that_is_too_large_has_no_answer)
{
	struct kpkt p;

	kit_init(&k);
	kit_start(&k);
	p = *k_icmp(SRV1, NAT1, 8, 0, 7, 2000);
	kit_send(&k, NAT_OUTSIDE, k_fragment(&p, 0, 1400, true));
	kit_send(&k, NAT_OUTSIDE, k_fragment(&p, 1400, 608, false));
	CHECK_STR(nat_reason_names[k.p.reason], "answered");
	CHECK_INT(k.n_made, 0);
	CHECK_INT((intmax_t)nat_counters(k.nat)->made, 0);
	kit_stop(&k);
}

/* Without an address of the packet's family nobody can speak in the NAT's name */
TEST(without_an_address_there_is_no_answer)
{
	struct kpkt *p;

	kit_init(&k);
	k.cfg.n_outside = 1;
	kit_start(&k);
	CHECK_STR(why(NAT_INSIDE, k_udp(in6(1), 5000, srv6(1), 53, 20)), "no-port");
	CHECK_INT(k.n_made, 0);
	CHECK_STR(why(NAT_INSIDE, k_proto(in6(1), srv6(1), 47, 20)), "untranslated");
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[8] = 1;
	k_fix(p);
	CHECK_STR(why(NAT_INSIDE, p), "ttl");
	CHECK_INT(k.n_made, 1);
	kit_stop(&k);
}

/* Ports that are held count again when their last user comes back, and then too */
TEST(a_quota_of_ports_holds_for_those_who_come_back)
{
	kit_init(&k);
	k.cfg.quota.ports[NAT_UDP] = 2;
	k.cfg.quota.flows = 100;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5001, SRV1, 53, 20)));
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5002, SRV1, 53, 20)), "quota-ports");
	kit_wait(&k, 250);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5001, SRV1, 53, 20)));
	kit_wait(&k, 60);
	/* 5000 has ended and is held */
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5002, SRV1, 53, 20)));
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)), "quota-ports");
	kit_stop(&k);
}

/* What ends at once ends in parts, and each call says whether there is more */
TEST(many_ends_are_many_calls)
{
	uint32_t n_calls = 1;

	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 100; i++)
		kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20));
	k.now += UINT64_C(310) * 1000000000;
	for (; nat_tick(k.nat, k.now); n_calls++)
		CHECK(nat_counters(k.nat)->flows > 0);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	CHECK_INT(nat_counters(k.nat)->held, 100);
	CHECK(n_calls >= 100 / 16);
	k.now += UINT64_C(130) * 1000000000;
	for (n_calls = 1; nat_tick(k.nat, k.now); n_calls++)
		CHECK(nat_counters(k.nat)->held > 0);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	CHECK(n_calls >= 100 / 16);
	kit_stop(&k);
}

/* A table that is full: what has ended makes room in the same call, what lives does not */
TEST(a_full_table_keeps_what_it_has)
{
	kit_init(&k);
	k.cfg.max_flows = 16;
	kit_start(&k);
	for (uint16_t i = 0; i < 16; i++)
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
	CHECK_STR(why(NAT_INSIDE, k_udp(IN1, 6000, SRV1, 53, 20)), "table-full");
	for (uint16_t i = 0; i < 16; i++)
		CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, (uint16_t)(5000 + i), 20)));
	k.now += UINT64_C(310) * 1000000000;
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 6000, SRV1, 53, 20)));
	kit_stop(&k);
}

/* Longer than the way outside, to be cut later by who sends it */
TEST(what_will_be_cut_has_no_length)
{
	const struct nat_npt npt = { { kit_a6("fd00:9::"), 48 }, { kit_a6("2001:db8:9::"), 48 } };
	struct kpkt *p[3];

	kit_init(&k);
	k.cfg.npt = &npt;
	k.cfg.n_npt = 1;
	kit_start(&k);
	p[0] = k_udp(IN1, 5000, SRV1, 53, 3000);
	p[0]->b[6] = 0x40;
	k_fix(p[0]);
	p[1] = k_udp(in6(1), 5000, srv6(1), 53, 3000);
	p[2] = k_udp(kit_a6("fd00:9::5"), 5000, srv6(1), 53, 3000);
	for (int i = 0; i < 3; i++) {
		struct nat_packet q = { .data = p[i]->b, .len = p[i]->len, .from = NAT_INSIDE };

		CHECK_STR(why(NAT_INSIDE, p[i]), "too-big");
		q.flags = NAT_P_GSO;
		nat_batch(k.nat, k.now, &q, 1);
		CHECK_INT(q.verdict, NAT_FORWARD);
		CHECK_INT(q.len, p[i]->len);
	}
	kit_stop(&k);
}
