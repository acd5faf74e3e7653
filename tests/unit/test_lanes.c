/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's end a1, the NAT between a0 and c0, a server's end c1: two veths.  What
 * arrives although nobody carried it went by a lane.
 */
#include "port/lanes.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>

#include "natkit.h"
#include "ns.h"

#include "host/ebpf_sys.h"
#include "nl/rtnl_veth.h"
#include "port/offload.h"

#define MANY		(LANES_ENTER + 1)
#define TCX_INGRESS	46u

/**
 * struct lab - The NAT and both ends
 * @kit:	NAT
 * @nat:	Its interfaces by side
 * @end:	The ends
 * @hops:	The NAT's neighbours: the ends
 * @way:	Programs
 * @lanes:	Lanes
 */
struct lab {
	struct kit kit;
	struct io *nat[2];
	struct io *end[2];
	struct hops hops[2];
	struct lanes_way way;
	struct lanes lanes;
};

static struct lab lab;

/* ---- setting up ------------------------------------------------------------------ */

static bool make_pair(const char *name, const char *peer)
{
	const char *const names[2] = { name, peer };
	const int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl_session s;
	struct rtnl_msg m;
	struct rtnl_end e;
	bool done = CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0) &&
		    CHECK_INT(nl_talk(&s, rtnl_msg_veth_add(&m, name, 0, peer, ns), NULL, NULL), 0);

	for (int i = 0; i < 2 && done; i++)
		done = CHECK_INT(rtnl_end_read(&s, names[i], &e), 0) &&
		       CHECK_INT(nl_talk(&s, rtnl_msg_link_set_up(&m, e.index, true), NULL,
					 NULL), 0);
	nl_close(&s);
	close(ns);
	return done;
}

/* As the kernel would tell it */
static void tell_neighbour(enum nat_side side, struct addr a, const uint8_t *mac)
{
	uint8_t room[256] = { 0 }, addr[16];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct ndmsg *nd;

	msg->nlmsg_type = RTM_NEWNEIGH;
	nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));
	nd->ndm_family = AF_INET;
	nd->ndm_ifindex = (int)lab.nat[side]->ifindex;
	nd->ndm_state = NUD_REACHABLE;
	mnl_attr_put(msg, NDA_DST, (size_t)addr_to_bytes(a, addr), addr);
	mnl_attr_put(msg, NDA_LLADDR, IO_MAC_BYTES, mac);
	(void)hops_hear(&lab.hops[side], msg);
}

/* Asked just now, so that no packet goes by the kernel's way */
static void have_asked(void)
{
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < HOPS_NEIGHS; i++)
			lab.hops[side].neighs[i].asked_ns = lab.kit.now;
}

static void know(enum nat_side side, struct addr a, const uint8_t *mac)
{
	struct hops *h = &lab.hops[side];

	h->io = lab.nat[side];
	h->ways[0] = (struct rtnl_way){ .dst = { { AF_V4, 0 }, 0 } };
	h->n_ways = 1;
	tell_neighbour(side, a, mac);
}

static bool set_up(void)
{
	static const char *const names[2][2] = { { "a0", "a1" }, { "c0", "c1" } };

	memset(&lab, 0, sizeof(lab));
	for (int side = 0; side < 2; side++)
		if (!make_pair(names[side][0], names[side][1]) ||
		    !CHECK_INT(io_open(&io_packet_ops, names[side][0], &lab.nat[side]), 0) ||
		    !CHECK_INT(io_open(&io_packet_ops, names[side][1], &lab.end[side]), 0))
			return false;
	know(NAT_INSIDE, IN1, lab.end[NAT_INSIDE]->mac);
	know(NAT_OUTSIDE, SRV1, lab.end[NAT_OUTSIDE]->mac);
	kit_init(&lab.kit);
	kit_start(&lab.kit);
	have_asked();
	return true;
}

/* Somebody else's program has the last word about what comes by one side */
static int others_word(enum nat_side side)
{
	CLEANUP(arena_fini) struct arena a;
	CLEANUP(base_fd_close) int prog = -1;
	struct ebpf e = { .a = &a };

	arena_init(&a, 1u << 20);
	ebpf_return(&e, 0);	/* TCX_PASS: on to the stack, and no other program */
	ebpf_finish(&e);
	prog = ebpf_prog_load(&e, &(struct ebpf_prog){
		.name = "others", .type = BPF_PROG_TYPE_SCHED_CLS, .attach = TCX_INGRESS });
	return prog < 0 ? prog : ebpf_link_new(prog, lab.nat[side]->ifindex, TCX_INGRESS, 0);
}

/* 0, or why there are no lanes here */
static int have_lanes(void)
{
	const int err = lanes_open(&lab.way, lab.nat[0], lab.nat[1]);

	if (err < 0)
		return err;
	CHECK_INT(lanes_init(&lab.lanes, &lab.way, &lab.kit.cfg), 0);
	lanes_begin(&lab.lanes, lab.kit.nat, lab.nat, lab.hops);
	return 0;
}

static void take_down(void)
{
	lanes_fini(&lab.lanes);
	lanes_close(&lab.way);
	for (int side = 0; side < 2; side++) {
		io_close(&lab.nat[side]);
		io_close(&lab.end[side]);
	}
	kit_stop(&lab.kit);
}

#define LAB() \
	CLEANUP(lab_end) int lab_is_up = 1; \
	NS_FRESH(); \
	(void)lab_is_up; \
	if (!set_up()) \
		return; \
	if (have_lanes() < 0) \
		UNIT_SKIP("this kernel has no lanes, or not for us")

static void lab_end(int *is_up)
{
	(void)is_up;
	take_down();
}

/* ---- packets --------------------------------------------------------------------- */

static bool receive(struct io *io, struct io_packet *ret, int wait_ms)
{
	struct pollfd fd = { io->fd, POLLIN, 0 };

	/* Neighbour discovery's own chatter left out */
	for (;;) {
		if (io_rx(io, ret, 1) == 1) {
			if (ret->data[0] >> 4 == 4)
				return true;
			continue;
		}
		if (poll(&fd, 1, wait_ms) <= 0)
			return false;
	}
}

static void send_off(enum nat_side from, const struct kpkt *k, const struct io_offload *off)
{
	struct io_packet p = { .data = (uint8_t *)k->b, .len = k->len };

	if (off != NULL) {
		p.off = *off;
		io_offload_renew(&p);
	}
	memcpy(p.mac, lab.nat[from]->mac, IO_MAC_BYTES);
	io_tx(lab.end[from], &p, 1);
}

/* Carry what the NAT got from one side; whether there was anything, and it was forwarded */
static bool carry(enum nat_side from)
{
	struct nat_packet n;
	struct io_packet p;

	if (!receive(lab.nat[from], &p, 1000))
		return false;
	lanes_before(&lab.lanes, lab.kit.now, from, &p);
	n = (struct nat_packet){
		.data = p.data, .len = p.len, .from = (uint8_t)from, .iface = from,
		.flags = (uint8_t)((p.off.is_partial ? NAT_P_PARTIAL : 0) |
				   (p.off.gso != IO_GSO_NONE ? NAT_P_GSO : 0)),
	};
	nat_batch(lab.kit.nat, lab.kit.now, &n, 1);
	if (n.verdict != NAT_FORWARD)
		return false;
	p.len = n.len;
	memcpy(p.mac, lab.end[n.to]->mac, IO_MAC_BYTES);
	io_tx(lab.nat[n.to], &p, 1);
	lanes_after(&lab.lanes, lab.kit.now, &n, true);
	return true;
}

/* By the NAT, to the other end: as it arrived there */
static bool through(enum nat_side from, const struct kpkt *k, struct io_packet *ret)
{
	struct io_packet p;

	send_off(from, k, NULL);
	return carry(from) && receive(lab.end[!from], ret != NULL ? ret : &p, 1000);
}

/* The NAT has it, so it took no lane */
static bool is_carried(enum nat_side from, const struct kpkt *k)
{
	struct io_packet p;

	send_off(from, k, NULL);
	return receive(lab.nat[from], &p, 1000);
}

static bool is_by_lane(enum nat_side from, const struct kpkt *k, struct io_packet *ret)
{
	struct io_packet none;

	send_off(from, k, NULL);
	return receive(lab.end[!from], ret, 1000) && !receive(lab.nat[from], &none, 0);
}

static struct kpkt *whole(struct kpkt *k)
{
	k->b[6] = 0x40;
	k_fix(k);
	return k;
}

/* The port of the only flow */
static uint16_t nat_port(void)
{
	struct nat_flow f = { .proto = 0 };

	for (uint32_t i = 0; i < nat_flow_slots(lab.kit.nat) && f.proto == 0; i++)
		(void)nat_flow_at(lab.kit.nat, i, &f);
	return f.outside.sport;
}

static struct kpkt *answer(bool is_tcp, uint32_t n)
{
	return whole(is_tcp ? k_tcp_data(SRV1, 80, NAT1, nat_port(), K_ACK, 9000, 1001, n) :
			      k_udp(SRV1, 80, NAT1, nat_port(), n));
}

static struct kpkt *question(bool is_tcp, uint32_t n)
{
	return whole(is_tcp ? k_tcp_data(IN1, 4000, SRV1, 80, K_ACK, 1001, 9000, n) :
			      k_udp(IN1, 4000, SRV1, 80, n));
}

static void shake_hands(void)
{
	uint16_t port;
	struct io_packet p;

	if (!CHECK(through(NAT_INSIDE, k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0), &p)))
		return;
	port = k_sport(p.data);
	CHECK(through(NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, port, K_SYN | K_ACK, 8999, 1001), NULL));
}

/* Both directions have a lane */
static void begin(bool is_tcp)
{
	for (uint32_t i = 0; i < MANY && lab.lanes.n.now < 2; i++) {
		CHECK(through(NAT_INSIDE, question(is_tcp, 100), NULL));
		if (lab.lanes.n.now < 2)
			CHECK(through(NAT_OUTSIDE, answer(is_tcp, 100), NULL));
	}
	CHECK_INT(lab.lanes.n.now, 2);
}

/* ---- what a lane does ------------------------------------------------------------- */

/* The same packet by the NAT, then by a lane: the same bytes arrive */
static void compare(bool is_tcp, uint32_t payload)
{
	static uint8_t by_nat[2][2048];
	static struct kpkt k[2];
	uint32_t len[2] = { 0, 0 };
	struct io_packet got;

	lab.lanes.is_on = false;
	if (is_tcp)
		shake_hands();
	for (int from = 0; from < 2; from++) {
		k[from] = *(from == NAT_INSIDE ? question(is_tcp, payload) :
			    answer(is_tcp, payload));
		if (!CHECK(through((enum nat_side)from, &k[from], &got)))
			return;
		len[from] = got.len;
		memcpy(by_nat[from], got.data, got.len);
	}
	lab.lanes.is_on = true;
	begin(is_tcp);
	for (int from = 0; from < 2; from++) {
		if (!CHECK(is_by_lane((enum nat_side)from, &k[from], &got)))
			return;
		CHECK_INT(got.len, len[from]);
		CHECK(memcmp(got.data, by_nat[from], len[from]) == 0);
		CHECK_STR(kit_sound(got.data, got.len), NULL);
		CHECK(memcmp(got.mac, lab.nat[!from]->mac, IO_MAC_BYTES) == 0);
	}
	lanes_count(&lab.lanes);
	CHECK_INT(lab.lanes.n.packets[0], 1);
	CHECK_INT(lab.lanes.n.bytes[1], len[1]);
}

TEST(udp_leaves_as_the_nat_lets_it)
{
	LAB();
	compare(false, 1);
}

TEST(tcp_leaves_as_the_nat_lets_it)
{
	LAB();
	compare(true, 1400);
}

TEST(udp_without_a_checksum_stays_so)
{
	struct io_packet got;
	struct kpkt *k;

	LAB();
	begin(false);
	k = question(false, 100);
	k_put16(k->b + 26, 0);
	if (CHECK(is_by_lane(NAT_INSIDE, k, &got)))
		CHECK_INT(k_get16(got.data + 26), 0);
}

/* Several sources become one address: ids that count there are told apart */
TEST(ids_are_renewed_without_df)
{
	struct io_packet got;
	struct kpkt *k;
	uint16_t id[3];

	LAB();
	begin(false);
	for (int i = 0; i < 3; i++) {
		k = question(false, 100);
		k->b[6] = 0;
		k_put16(k->b + 4, 7);
		k_fix(k);
		if (!CHECK(is_by_lane(NAT_INSIDE, k, &got)))
			return;
		CHECK_STR(kit_sound(got.data, got.len), NULL);
		id[i] = k_get16(got.data + 4);
	}
	CHECK(id[0] != id[1] && id[1] != id[2] && id[0] != id[2]);
}

TEST(large_packets_and_sums_left_undone)
{
	const struct io_offload gso = {
		.gso = IO_GSO_TCP4, .gso_bytes = 1000, .is_partial = true, .csum_start = 20,
		.csum_offset = 16,
	};
	struct io_packet got;

	LAB();
	shake_hands();
	begin(true);
	for (int from = 0; from < 2; from++) {
		send_off((enum nat_side)from, from == NAT_INSIDE ? question(true, 20000) :
			 answer(true, 20000), &gso);
		if (!CHECK(receive(lab.end[!from], &got, 1000)))
			return;
		CHECK_INT(got.off.gso, IO_GSO_TCP4);
		CHECK_INT(got.off.gso_bytes, 1000);
		CHECK(got.off.is_partial);
		CHECK_INT(offload_complete(&got), 0);
		CHECK_STR(kit_sound(got.data, got.len), NULL);
	}
}

/* ---- what takes none --------------------------------------------------------------- */

TEST(more_than_a_plain_packet_is_the_nats)
{
	static const uint8_t nop[4] = { 1, 1, 1, 1 };
	struct kpkt *k;

	LAB();
	begin(false);
	k = question(false, 100);
	k->b[8] = 1;
	k_fix(k);
	CHECK(is_carried(NAT_INSIDE, k));
	CHECK(is_carried(NAT_INSIDE, k_fragment(question(false, 1000), 0, 512, true)));
	CHECK(is_carried(NAT_INSIDE, k_options(question(false, 100), nop, sizeof(nop))));
	CHECK(is_carried(NAT_INSIDE, whole(k_udp(IN1, 4001, SRV1, 80, 100))));
	CHECK(is_carried(NAT_INSIDE, whole(k_udp(IN2, 4000, SRV1, 80, 100))));
	CHECK(is_carried(NAT_INSIDE, whole(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1, 1))));
	CHECK(is_carried(NAT_INSIDE, k_icmp(IN1, SRV1, 8, 0, 4000, 100)));
}

/* Lengths that lie: the NAT drops these */
TEST(headers_that_are_not_there_are_the_nats)
{
	struct kpkt *k;

	LAB();
	begin(false);
	k = question(false, 100);
	k_put16(k->b + 2, 27);		/* the rest is the link's padding */
	k_fix(k);
	CHECK(is_carried(NAT_INSIDE, k));
	k = question(false, 100);
	k_put16(k->b + 24, 109);
	CHECK(is_carried(NAT_INSIDE, k));
	k_put16(k->b + 24, 7);
	CHECK(is_carried(NAT_INSIDE, k));
}

TEST(tcp_headers_that_are_not_there_are_the_nats)
{
	struct kpkt *k;

	LAB();
	shake_hands();
	begin(true);
	k = question(true, 4);
	k->b[32] = 0x40;
	CHECK(is_carried(NAT_INSIDE, k));
	k->b[32] = 0x70;
	CHECK(is_carried(NAT_INSIDE, k));
}

/* It says nothing of what a RST is held against */
TEST(a_segment_without_ack_is_the_nats)
{
	LAB();
	shake_hands();
	begin(true);
	CHECK(is_carried(NAT_OUTSIDE, whole(k_tcp_data(SRV1, 80, NAT1, nat_port(), 0, 9000,
						       77777, 10))));
}

TEST(a_program_that_was_there_does_not_lose_what_takes_a_lane)
{
	CLEANUP(base_fd_close) int link = -1;
	struct io_packet got;

	NS_FRESH();
	if (!set_up())
		return;
	link = others_word(NAT_INSIDE);
	if (link < 0 || have_lanes() < 0)
		UNIT_SKIP("this kernel has no lanes, or not for us");
	begin(false);
	CHECK(is_by_lane(NAT_INSIDE, question(false, 100), &got));
	take_down();
}

TEST(too_long_for_the_way_on_is_the_nats)
{
	struct io_packet got;

	LAB();
	lab.nat[NAT_OUTSIDE]->mtu_bytes = 1000;
	lanes_renew(&lab.lanes);
	begin(false);
	CHECK(is_by_lane(NAT_INSIDE, question(false, 972), &got));
	CHECK(is_carried(NAT_INSIDE, question(false, 973)));
}

TEST(another_stations_frame_is_left_alone)
{
	struct io_packet p = { .len = 0 }, got;
	struct kpkt *k;

	LAB();
	begin(false);
	k = question(false, 100);
	p.data = k->b;
	p.len = k->len;
	memcpy(p.mac, lab.nat[NAT_INSIDE]->mac, IO_MAC_BYTES);
	p.mac[5] ^= 1;
	io_tx(lab.end[NAT_INSIDE], &p, 1);
	/* The next one is not behind it */
	CHECK(is_by_lane(NAT_INSIDE, question(false, 101), &got));
	CHECK_INT(got.len, 129);
}

/* ---- what the NAT knows ------------------------------------------------------------ */

TEST(a_reset_is_held_against_what_went_by_lanes)
{
	struct io_packet got;

	LAB();
	shake_hands();
	begin(true);
	/* The client acknowledges far ahead of what the NAT has seen */
	if (!CHECK(is_by_lane(NAT_INSIDE, whole(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1101, 900000)),
			      &got)))
		return;
	CHECK(through(NAT_OUTSIDE, whole(k_tcp(SRV1, 80, NAT1, k_sport(got.data), K_RST, 900000,
						 0)), &got));
	CHECK_INT(lab.lanes.n.now, 0);
}

TEST(fin_ends_both_lanes)
{
	struct io_packet got;

	LAB();
	shake_hands();
	begin(true);
	CHECK(through(NAT_INSIDE, whole(k_tcp(IN1, 4000, SRV1, 80, K_FIN | K_ACK, 1101, 9000)),
		      &got));
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(is_carried(NAT_OUTSIDE, answer(true, 100)));
}

static void tick(bool has_asked)
{
	lab.kit.now += UINT64_C(1000000000);
	if (has_asked)
		have_asked();
	(void)nat_tick(lab.kit.nat, lab.kit.now);
	CHECK(!lanes_tick(&lab.lanes, lab.kit.now));
}

TEST(a_flow_lives_as_long_as_its_lane_is_used)
{
	struct io_packet got;
	struct nat_flow f;

	LAB();
	begin(false);
	for (int i = 0; i < 400; i++) {
		CHECK(is_by_lane(NAT_INSIDE, question(false, 10), &got));
		tick(true);
	}
	if (CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		CHECK(f.idle_s <= 2);
	CHECK_INT(lab.lanes.n.made[NAT_INSIDE], 400);
	tick(true);
	tick(true);
	CHECK_INT(lab.lanes.n.now, 0);
	CHECK(is_carried(NAT_INSIDE, question(false, 10)));
}

TEST(a_lane_follows_the_neighbour)
{
	uint8_t other[IO_MAC_BYTES] = { 2, 0, 0, 0, 0, 9 };
	struct io_packet got;

	LAB();
	begin(false);
	tell_neighbour(NAT_OUTSIDE, SRV1, other);
	CHECK(is_by_lane(NAT_INSIDE, question(false, 10), &got));
	tick(true);
	CHECK(is_carried(NAT_INSIDE, question(false, 10)));
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

	LAB();
	begin(false);
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

	LAB();
	begin(false);
	for (; lab.lanes.n.now == 2 && seconds < 100; seconds++) {
		CHECK(is_by_lane(NAT_INSIDE, question(false, 10), &got));
		CHECK(is_by_lane(NAT_OUTSIDE, answer(false, 10), &got));
		tick(false);
	}
	CHECK_INT(seconds, HOPS_FRESH_NS / 1000000000 + 1);
}

TEST(a_lane_ends_with_its_session)
{
	static struct kpkt k;
	struct io_packet got;

	LAB();
	begin(false);
	k = *answer(false, 10);
	/* The NAT forgets, as with new rules */
	kit_stop(&lab.kit);
	kit_start(&lab.kit);
	lab.lanes.nat = lab.kit.nat;
	CHECK(is_by_lane(NAT_OUTSIDE, &k, &got));
	tick(true);
	CHECK(is_carried(NAT_OUTSIDE, &k));
}

static struct places places;

TEST(a_forward_counts_what_its_lanes_carry)
{
	struct io_packet got;
	struct nat_flow f;
	uint32_t at;

	LAB();
	begin(false);
	if (!CHECK(nat_flow_at(lab.kit.nat, 0, &f)))
		return;
	memset(&places, 0, sizeof(places));
	memset(places.led, 0xff, sizeof(places.led));
	lab.lanes.forwards = &places;
	lanes_renew(&lab.lanes);
	begin(false);
	CHECK(is_by_lane(NAT_INSIDE, question(false, 10), &got));
	CHECK(is_by_lane(NAT_OUTSIDE, answer(false, 20), &got));
	lanes_count(&lab.lanes);
	at = places_at(&places, 17, NAT1, f.outside.sport);
	if (!CHECK(at != PLACE_NONE))
		return;
	CHECK_INT(places.v[at].packets, 2);
	CHECK_INT(places.v[at].bytes, 28 + 10 + 28 + 20);
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
