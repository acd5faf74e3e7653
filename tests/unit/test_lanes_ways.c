/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6, and the host's own packets by a TUN device */
#include "lanekit.h"

#include "port/offload.h"

/* ---- IPv6 ------------------------------------------------------------------------- */

TEST(udp6_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V6);
	lab_compare(false, 1);
}

TEST(tcp6_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V6);
	lab_compare(true, 1400);
}

TEST(large_packets_of_ipv6)
{
	LANE_LAB(LANE_VETH, AF_V6);
	lab_compare_large(AF_V6);
}

TEST(more_than_a_plain_packet_of_ipv6_is_the_nats)
{
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V6);
	lab_begin(false);
	k = lab_question(false, 100);
	k->b[7] = 1;
	CHECK(lab_is_carried(NAT_INSIDE, k));
	CHECK(lab_is_carried(NAT_INSIDE, k_udp(lab.in, 4001, lab.srv, 80, 100)));
	CHECK(lab_is_carried(NAT_INSIDE, k_udp(kit_a6("fd00:1::12"), 4000, lab.srv, 80, 100)));
	CHECK(lab_is_carried(NAT_INSIDE, k_udp(lab.in, 4000, kit_a6("2001:db8:f::11"), 80, 100)));
	k = lab_question(false, 100);
	k->b[6] = 60;			/* options */
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k = lab_question(false, 100);
	k_put16(k->b + 46, 0);		/* no checksum */
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k = lab_question(false, 100);
	k_put16(k->b + 4, 107);		/* shorter than UDP says */
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k = lab_question(false, 100);
	k_put16(k->b + 4, 109);		/* longer than it is */
	CHECK(lab_is_carried(NAT_INSIDE, k));
}

TEST(flows_of_both_families_stand_side_by_side)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V6);
	lab_begin(false);
	/* The first word of each address alone, as IPv4: another flow */
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_udp(addr_v4(0xfd, 0, 0, 1), 4000,
						   addr_v4(0x20, 1, 0x0d, 0xb8), 80, 10))));
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
}

TEST(a_flow_of_ipv6_lives_as_long_as_its_lane_is_used)
{
	struct io_packet got;
	struct nat_flow f;

	LANE_LAB(LANE_VETH, AF_V6);
	lab_begin(false);
	for (int i = 0; i < 400; i++) {
		CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
		lab_tick(true);
	}
	if (CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		CHECK(f.idle_s <= 2);
	CHECK_INT(lab.lanes.n.made[NAT_INSIDE], 400);
}

/* ---- short packets by AF_XDP -------------------------------------------------------- */

#define LAB_XDP(af) \
	if (io_xdp_ops.probe() < 0) \
		UNIT_SKIP("AF_XDP is not possible here"); \
	LANE_LAB(LANE_XDP, af)

/* What a socket of AF_XDP gets nobody else does: it must not get what has a lane */
TEST(what_has_a_lane_is_left_to_it_by_xdp)
{
	LAB_XDP(AF_V4);
	lab_compare(false, 100);
}

TEST(tcp6_is_left_to_its_lane_by_xdp)
{
	LAB_XDP(AF_V6);
	lab_compare(true, 200);
}

TEST(short_packets_by_xdp_have_no_lane_made)
{
	LAB_XDP(AF_V4);
	for (uint32_t i = 0; i < 2 * LANE_LAB_MANY; i++) {
		CHECK(lab_through(NAT_INSIDE, lab_question(false, 100), NULL));
		CHECK(lab_through(NAT_OUTSIDE, lab_answer(false, 100), NULL));
	}
	CHECK_INT(lab.lanes.n.entered, 0);
}

TEST(another_flow_is_not_left_to_a_lane_by_xdp)
{
	struct io_packet got;

	LAB_XDP(AF_V4);
	lab_begin(false);
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_udp(IN1, 4001, SRV1, 80, 10))));
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_udp(IN2, 4000, SRV1, 80, 10))));
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
	lanes_stop(&lab.way);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 10)));
}

/* ---- the host behind a device ---------------------------------------------------- */

#define LAB_TUN(af) \
	if (access("/dev/net/tun", W_OK) < 0) \
		UNIT_SKIP("no /dev/net/tun"); \
	LANE_LAB(LANE_TUN, af)

TEST(the_hosts_udp_leaves_as_the_nat_lets_it)
{
	LAB_TUN(AF_V4);
	lab_compare(false, 1);
}

TEST(the_hosts_tcp_leaves_as_the_nat_lets_it)
{
	LAB_TUN(AF_V4);
	lab_compare(true, 1400);
}

TEST(the_hosts_tcp6_leaves_as_the_nat_lets_it)
{
	LAB_TUN(AF_V6);
	lab_compare(true, 1400);
}

TEST(what_is_too_long_behind_a_device_is_the_nats)
{
	struct io_packet got;

	LAB_TUN(AF_V4);
	lab.nat[NAT_OUTSIDE]->mtu_bytes = 1000;
	lanes_renew(&lab.lanes);
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 972), &got));
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 973)));
}

/* What a rule has led to the device from lo has that link's header: the NAT cuts it off */
TEST(what_comes_from_lo_is_the_nats)
{
	static struct kpkt k;
	const struct kpkt *q;

	LAB_TUN(AF_V4);
	lab_begin(false);
	q = lab_question(false, 100);
	memset(k.b, 0, IO_ETHER_BYTES);
	memcpy(k.b + IO_ETHER_BYTES, q->b, q->len);
	k.b[12] = 8;
	k.len = q->len + IO_ETHER_BYTES;
	CHECK(lab_is_carried(NAT_INSIDE, &k));
}
