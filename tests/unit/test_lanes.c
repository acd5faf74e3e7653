/* SPDX-License-Identifier: BSD-2-Clause */
/* Between two veths; tests/lib/lanekit.h has the lab */
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "lanekit.h"

#include "host/ebpf_sys.h"
#include "port/offload.h"

#define TCX_INGRESS	46u
#define BPF_BEFORE	(1u << 3)

/* Somebody else's program has the last word about what comes by one side */
static int others_word(enum nat_side side, uint32_t flags)
{
	CLEANUP(arena_fini) struct arena a;
	CLEANUP(base_fd_close) int prog = -1;
	struct ebpf e = { .a = &a };

	arena_init(&a, 1u << 20);
	ebpf_return(&e, 0);	/* TCX_PASS: on to the stack, and no other program */
	ebpf_finish(&e);
	prog = ebpf_prog_load(&e, &(struct ebpf_prog){
		.name = "others", .type = BPF_PROG_TYPE_SCHED_CLS, .attach = TCX_INGRESS });
	return prog < 0 ? prog : ebpf_link_new(prog, lab.nat[side]->ifindex, TCX_INGRESS,
						     flags);
}

/* ---- what a lane does ------------------------------------------------------------- */

TEST(udp_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_compare(false, 1);
}

TEST(tcp_leaves_as_the_nat_lets_it)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_compare(true, 1400);
}

TEST(udp_without_a_checksum_stays_so)
{
	struct io_packet got;
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	k = lab_question(false, 100);
	k_put16(k->b + 26, 0);
	if (CHECK(lab_is_by_lane(NAT_INSIDE, k, &got)))
		CHECK_INT(k_get16(got.data + 26), 0);
}

/* Several sources become one address: ids that count there are told apart */
TEST(ids_are_renewed_without_df)
{
	struct io_packet got;
	struct kpkt *k;
	uint16_t id[3];

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	for (int i = 0; i < 3; i++) {
		k = lab_question(false, 100);
		k->b[6] = 0;
		k_put16(k->b + 4, 7);
		k_fix(k);
		if (!CHECK(lab_is_by_lane(NAT_INSIDE, k, &got)))
			return;
		CHECK_STR(kit_sound(got.data, got.len), NULL);
		id[i] = k_get16(got.data + 4);
	}
	CHECK(id[0] != id[1] && id[1] != id[2] && id[0] != id[2]);
}

TEST(large_packets_and_sums_left_undone)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_compare_large(AF_V4);
}

/* ---- what takes none --------------------------------------------------------------- */

TEST(more_than_a_plain_packet_is_the_nats)
{
	static const uint8_t nop[4] = { 1, 1, 1, 1 };
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	k = lab_question(false, 100);
	k->b[8] = 1;
	k_fix(k);
	CHECK(lab_is_carried(NAT_INSIDE, k));
	CHECK(lab_is_carried(NAT_INSIDE, k_fragment(lab_question(false, 1000), 0, 512, true)));
	CHECK(lab_is_carried(NAT_INSIDE, k_options(lab_question(false, 100), nop, sizeof(nop))));
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_udp(IN1, 4001, SRV1, 80, 100))));
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_udp(IN2, 4000, SRV1, 80, 100))));
	CHECK(lab_is_carried(NAT_INSIDE, lab_whole(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1, 1))));
	CHECK(lab_is_carried(NAT_INSIDE, k_icmp(IN1, SRV1, 8, 0, 4000, 100)));
}

/* Lengths that lie: the NAT drops these */
TEST(headers_that_are_not_there_are_the_nats)
{
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	k = lab_question(false, 100);
	k_put16(k->b + 2, 27);		/* the rest is the link's padding */
	k_fix(k);
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k = lab_question(false, 100);
	k_put16(k->b + 24, 109);
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k_put16(k->b + 24, 7);
	CHECK(lab_is_carried(NAT_INSIDE, k));
}

TEST(tcp_headers_that_are_not_there_are_the_nats)
{
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	lab_begin(true);
	k = lab_question(true, 4);
	k->b[32] = 0x40;
	CHECK(lab_is_carried(NAT_INSIDE, k));
	k->b[32] = 0x70;
	CHECK(lab_is_carried(NAT_INSIDE, k));
}

/* It says nothing of what a RST is held against */
TEST(a_segment_without_ack_is_the_nats)
{
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	lab_begin(true);
	k = k_tcp_data(SRV1, 80, NAT1, lab_nat_port(), 0, 9000, 77777, 10);
	CHECK(lab_is_carried(NAT_OUTSIDE, lab_whole(k)));
}

TEST(a_program_that_was_there_does_not_lose_what_takes_a_lane)
{
	CLEANUP(base_fd_close) int link = -1;
	struct io_packet got;

	NS_FRESH();
	if (!lab_up(LANE_VETH, AF_V4))
		return;
	link = others_word(NAT_INSIDE, 0);
	if (link < 0 || lab_have_lanes() < 0)
		UNIT_SKIP("this kernel has no lanes, or not for us");
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 100), &got));
	lab_down();
}

/* What it takes is neither the socket's nor the lane's: noticed, and no lanes from then on */
TEST(a_program_that_comes_before_ours_ends_all_lanes)
{
	CLEANUP(base_fd_close) int link = -1;
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 100), &got));
	lab_tick(true);
	link = others_word(NAT_INSIDE, BPF_BEFORE);
	if (!CHECK(link >= 0))
		return;
	lab_send(NAT_INSIDE, lab_question(false, 100), NULL);
	lab_tick(true);
	lab_send(NAT_INSIDE, lab_question(false, 100), NULL);
	lab_tick(true);
	CHECK(lab.lanes.is_lost);
	CHECK(!lab.lanes.is_on);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 100)));
	for (int i = 0; i < 20; i++)
		CHECK(lab_through(NAT_INSIDE, lab_question(false, 100), NULL));
	CHECK_INT(lab.lanes.n.now, 0);
}

TEST(idle_lanes_end_and_nothing_is_lost)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 100), &got));
	for (int i = 0; i < 4; i++)
		lab_tick(true);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(!lab.lanes.is_lost && lab.lanes.is_on);
}

/* Another process has said so: it does not ask who writes the tables */
TEST(lanes_that_are_stopped_do_not_come_again)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	lanes_stop(&lab.way);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 100)));
	lanes_renew(&lab.lanes);
	for (int i = 0; i < 20; i++)
		CHECK(lab_through(NAT_INSIDE, lab_question(false, 100), NULL));
	CHECK_INT(lab.lanes.n.now, 0);
	lab_tick(true);
	CHECK(!lab.lanes.is_on);
}

TEST(too_long_for_the_way_on_is_the_nats)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab.nat[NAT_OUTSIDE]->mtu_bytes = 1000;
	lanes_renew(&lab.lanes);
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 972), &got));
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 973)));
}

TEST(another_stations_frame_is_left_alone)
{
	struct io_packet p = { .len = 0 }, got;
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	k = lab_question(false, 100);
	p.data = k->b;
	p.len = k->len;
	memcpy(p.mac, lab.nat[NAT_INSIDE]->mac, IO_MAC_BYTES);
	p.mac[5] ^= 1;
	io_tx(lab.end[NAT_INSIDE], &p, 1);
	/* The next one is not behind it */
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 101), &got));
	CHECK_INT(got.len, 129);
}

/* ---- what the NAT knows ------------------------------------------------------------ */

TEST(a_reset_is_held_against_what_went_by_lanes)
{
	struct io_packet got;
	struct kpkt *k;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	lab_begin(true);
	/* The client acknowledges far ahead of what the NAT has seen */
	k = k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1101, 900000);
	if (!CHECK(lab_is_by_lane(NAT_INSIDE, lab_whole(k), &got)))
		return;
	k = k_tcp(SRV1, 80, NAT1, k_sport(got.data), K_RST, 900000, 0);
	CHECK(lab_through(NAT_OUTSIDE, lab_whole(k), &got));
	CHECK_INT(lab.lanes.n.now, 0);
}

TEST(a_connection_has_lanes_from_its_beginning)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	CHECK_INT(lab.lanes.n.now, 2);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(true, 0), &got));
	CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_answer(true, 10), &got));
}

/* Its FIN from one side; is it by a lane */
static bool close_side(enum nat_side from)
{
	struct io_packet got;
	struct kpkt *k = from == NAT_INSIDE ?
		k_tcp(IN1, 4000, SRV1, 80, K_FIN | K_ACK, 1101, 9000) :
		k_tcp(SRV1, 80, NAT1, lab_nat_port(), K_FIN | K_ACK, 9000, 1102);

	return lab_is_by_lane(from, lab_whole(k), &got);
}

TEST(the_nat_hears_of_a_fin_and_the_other_side_goes_on)
{
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	CHECK(close_side(NAT_INSIDE));
	lab_tick(true);
	CHECK_INT(lab_tcp_state(), NAT_TCP_FIN_IN);
	CHECK_INT(lab.lanes.n.now, 2);
	CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_answer(true, 1000), &got));
	lab_tick(true);
	CHECK_INT(lab_tcp_state(), NAT_TCP_FIN_IN);
}

TEST(lanes_end_when_both_sides_have_closed)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	CHECK(close_side(NAT_INSIDE));
	CHECK(close_side(NAT_OUTSIDE));
	lab_tick(true);
	CHECK_INT(lab_tcp_state(), NAT_TCP_FIN_BOTH);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(true, 0)));
}

/* Before anybody has looked: the NAT knows that the one before is over */
TEST(the_next_connection_of_the_same_ports_begins_anew)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	CHECK(close_side(NAT_INSIDE));
	CHECK(close_side(NAT_OUTSIDE));
	CHECK(lab_through(NAT_INSIDE, k_tcp(IN1, 4000, SRV1, 80, K_SYN, 777000, 0), NULL));
	CHECK_INT(lab.lanes.n.now, 2);
	CHECK_INT(lab.lanes.n.entered, 6);
	CHECK_INT(lab_tcp_state(), NAT_TCP_INIT_IN);
}

TEST(a_fin_is_known_when_an_interface_changes)
{
	LANE_LAB(LANE_VETH, AF_V4);
	lab_shake_hands();
	CHECK(close_side(NAT_OUTSIDE));
	lanes_renew(&lab.lanes);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK_INT(lab_tcp_state(), NAT_TCP_FIN_OUT);
}

TEST(a_flow_lives_as_long_as_its_lane_is_used)
{
	struct io_packet got;
	struct nat_flow f;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	for (int i = 0; i < 400; i++) {
		CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
		lab_tick(true);
	}
	if (CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		CHECK(f.idle_s <= 2);
	CHECK_INT(lab.lanes.n.made[NAT_INSIDE], 400);
	lab_tick(true);
	lab_tick(true);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 10)));
}

TEST(a_lane_follows_the_neighbour)
{
	uint8_t other[IO_MAC_BYTES] = { 2, 0, 0, 0, 0, 9 };
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	lab_tell_neighbour(NAT_OUTSIDE, SRV1, other);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
	lab_tick(true);
	CHECK(lab_is_carried(NAT_INSIDE, lab_question(false, 10)));
}

static bool tell_address(enum nat_side side, const uint8_t *mac)
{
	uint8_t room[256] = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct ifinfomsg *ifi;

	msg->nlmsg_type = RTM_NEWLINK;
	ifi = mnl_nlmsg_put_extra_header(msg, sizeof(*ifi));
	ifi->ifi_index = (int)lab.nat[side]->ifindex;
	ifi->ifi_flags = IFF_UP;
	mnl_attr_put(msg, IFLA_ADDRESS, IO_MAC_BYTES, mac);
	return hops_hear(&lab.hops[side], msg);
}

TEST(another_link_address_of_its_own_ends_all)
{
	const uint8_t other[IO_MAC_BYTES] = { 2, 0, 0, 0, 0, 7 };

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	CHECK(tell_address(NAT_OUTSIDE, other));
	CHECK(!tell_address(NAT_OUTSIDE, other));
	lanes_renew(&lab.lanes);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(memcmp(lab.way.table[NAT_OUTSIDE]->mac, other, IO_MAC_BYTES) == 0);
}

/* Of those that lead there, one lane at a time makes way for a packet that asks */
TEST(neighbours_are_asked_again)
{
	struct io_packet got;
	uint64_t seconds = 0;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	for (; lab.lanes.n.now == 2 && seconds < 100; seconds++) {
		CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
		CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_answer(false, 10), &got));
		lab_tick(false);
	}
	CHECK_INT(seconds, HOPS_FRESH_NS / 1000000000 + 1);
}

TEST(a_lane_ends_with_its_session)
{
	static struct kpkt k;
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	k = *lab_answer(false, 10);
	/* The NAT forgets, as with new rules */
	kit_stop(&lab.kit);
	kit_start(&lab.kit);
	lab.lanes.nat = lab.kit.nat;
	CHECK(lab_is_by_lane(NAT_OUTSIDE, &k, &got));
	lab_tick(true);
	CHECK(lab_is_carried(NAT_OUTSIDE, &k));
}

static struct places places;

TEST(a_forward_counts_what_its_lanes_carry)
{
	struct io_packet got;
	struct nat_flow f;
	uint32_t at;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	if (!CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		return;
	memset(&places, 0, sizeof(places));
	memset(places.led, 0xff, sizeof(places.led));
	lab.lanes.forwards = &places;
	lanes_renew(&lab.lanes);
	lab_begin(false);
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
	CHECK(lab_is_by_lane(NAT_OUTSIDE, lab_answer(false, 20), &got));
	lanes_count(&lab.lanes);
	at = places_at(&places, 17, NAT1, f.outside.sport);
	if (!CHECK(at != PLACE_NONE))
		return;
	CHECK_INT(places.v[at].packets, 2);
	CHECK_INT(places.v[at].bytes, 28 + 10 + 28 + 20);
}

/* ---- several workers ---------------------------------------------------------------- */

/* As if this worker had forwarded so many of the flow that it gets lanes; how many it has */
static uint64_t have_lanes(struct lanes *l)
{
	const struct kpkt *k = lab_question(false, 10);
	struct nat_packet n = {
		.data = (uint8_t *)k->b, .len = k->len, .from = NAT_INSIDE, .to = NAT_OUTSIDE,
		.flow = 1, .verdict = NAT_FORWARD,
	};

	l->now_ns = lab.kit.now;
	for (uint32_t i = 0; i < LANES_ENTER; i++)
		lanes_after(l, lab.kit.now, &n, true);
	return l->n.now;
}

static void begin_as(struct lanes *l, uint32_t worker)
{
	CHECK_INT(lanes_init(l, &lab.way, &lab.kit.cfg), 0);
	l->worker = worker;
	l->now_ns = lab.kit.now;
	lanes_begin(l, lab.kit.nat, lab.nat, lab.hops);
}

TEST(a_place_is_one_workers)
{
	struct lanes l[LANES_AT_ONCE + 1];
	struct nat_flow f;

	LANE_LAB(LANE_VETH, AF_V4);
	CHECK(lab_through(NAT_INSIDE, lab_question(false, 10), NULL));
	if (!CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		return;
	for (uint32_t i = 0; i <= LANES_AT_ONCE; i++)
		begin_as(&l[i], i + 1);
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++)
		CHECK_INT(have_lanes(&l[i]), 1);
	CHECK_INT(have_lanes(&l[LANES_AT_ONCE]), 0);
	/* The first one's process dies, and another has its number */
	lanes_fini(&l[0]);
	begin_as(&l[0], 1);
	lab.kit.now += UINT64_C(1000000000);
	lab_have_asked();
	CHECK_INT(have_lanes(&l[LANES_AT_ONCE]), 1);
	for (uint32_t i = 0; i <= LANES_AT_ONCE; i++)
		lanes_fini(&l[i]);
}

/* Who has not looked at the clock for a while takes no place that was left just now */
TEST(a_place_that_was_left_rests_by_every_clock)
{
	struct lanes l[LANES_AT_ONCE + 1];
	const uint64_t late_ns = UINT64_C(2000000000);

	LANE_LAB(LANE_VETH, AF_V4);
	CHECK(lab_through(NAT_INSIDE, lab_question(false, 10), NULL));
	for (uint32_t i = 0; i <= LANES_AT_ONCE; i++)
		begin_as(&l[i], i + 1);
	for (uint32_t i = 0; i < LANES_AT_ONCE; i++)
		CHECK_INT(have_lanes(&l[i]), 1);
	l[0].now_ns = lab.kit.now + late_ns;
	lanes_renew(&l[0]);
	CHECK_INT(l[0].n.now, 0);
	CHECK_INT(have_lanes(&l[LANES_AT_ONCE]), 0);
	lab.kit.now += late_ns + UINT64_C(1000000000);
	lab_have_asked();
	CHECK_INT(have_lanes(&l[LANES_AT_ONCE]), 1);
	for (uint32_t i = 0; i <= LANES_AT_ONCE; i++)
		lanes_fini(&l[i]);
}

/* A packet that was on its way to a lane just when that was ended is no program's fault */
TEST(lanes_that_another_worker_has_ended_have_lost_nothing)
{
	struct lanes other;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	begin_as(&other, 1);
	for (uint32_t i = 0; i < lab.lanes.n_used; i++)
		lab.way.table[lab.lanes.used[i] / LANES]->v[lab.lanes.used[i] % LANES].hidden++;
	for (int i = 0; i < 4; i++)
		lab_tick(true);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(!lab.lanes.is_lost && lab.lanes.is_on);
	lanes_fini(&other);
}

TEST(lanes_that_another_worker_has_ended_begin_anew)
{
	struct lanes other;
	struct io_packet got;

	LANE_LAB(LANE_VETH, AF_V4);
	lab_begin(false);
	begin_as(&other, 1);
	lab.kit.now += UINT64_C(1000000000);
	lab_have_asked();
	CHECK(lab_through(NAT_INSIDE, lab_question(false, 10), NULL));
	CHECK(lab_is_by_lane(NAT_INSIDE, lab_question(false, 10), &got));
	lanes_fini(&other);
}

/* ---- without a kernel --------------------------------------------------------------- */

TEST(short_timeouts_have_no_lanes)
{
	static struct lane_table tables[2];
	const struct lanes_way way = { .table = { &tables[0], &tables[1] } };
	struct nat_config cfg;
	struct lanes l;

	nat_config_init(&cfg);
	cfg.max_flows = 64;
	CHECK_INT(lanes_init(&l, &way, &cfg), 0);
	CHECK(l.is_on);
	lanes_fini(&l);
	cfg.timeout_s[NAT_T_UDP] = LANES_LEAST_S - 1;
	CHECK_INT(lanes_init(&l, &way, &cfg), 0);
	CHECK(!l.is_on);
	lanes_fini(&l);
}
