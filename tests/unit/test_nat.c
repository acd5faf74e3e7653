/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract of the userspace NAT; what the RFCs ask for is in tests/conformance */
#include "unit.h"

#include "natkit.h"

static struct kit k;

TEST(udp_goes_out_and_back)
{
	kit_init(&k);
	kit_start(&k);
	if (!CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20))))
		return;
	CHECK(k.p.to == NAT_OUTSIDE);
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	CHECK_INT(k_sport(k.out.b), 5000);
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(k.out.b[8], 63);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 30)));
	CHECK(addr_equal(k_dst(k.out.b), IN1));
	CHECK_INT(k_dport(k.out.b), 5000);
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	kit_wait(&k, 310);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	CHECK_INT(nat_counters(k.nat)->held, 1);
	kit_wait(&k, 130);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	kit_stop(&k);
}

TEST(ipv6_with_ports)
{
	const struct addr in = kit_a6("fd00:1::11"), srv = kit_a6("2001:db8:f::10");
	const struct addr nat = kit_a6("2001:db8:f::1");

	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(in, 5000, srv, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), nat));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(srv, 53, nat, 5000, 21)));
	CHECK(addr_equal(k_dst(k.out.b), in));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_INSIDE, k_icmp(in, srv, 128, 0, 77, 20)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_icmp(srv, nat, 129, 0, k_id(k.out.b), 20)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(k_id(k.out.b), 77);
	kit_wait(&k, 900);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	kit_stop(&k);
}

TEST(unsolicited_is_dropped_with_a_name)
{
	kit_init(&k);
	kit_start(&k);
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "no-mapping");
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV2, 53, NAT1, 5000, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "filtered");
	CHECK(!kit_send(&k, NAT_INSIDE, k_udp(addr_v4(10, 9, 9, 9), 5000, SRV1, 53, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "spoofed-source");
	CHECK_INT((intmax_t)nat_counters(k.nat)->dropped[NAT_R_FILTERED], 1);
	kit_stop(&k);
}
