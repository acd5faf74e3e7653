/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanekit - the NAT between a client and a server, with lanes
 *
 * A client's end a1, the NAT between a0 and c0, a server's end c1: two veths.  Or in
 * the place of the client's the host itself, whose packets leave by the TUN device t0.
 * What arrives although nobody carried it went by a lane.
 *
 *	TEST(x)
 *	{
 *		LANE_LAB(LANE_VETH, AF_V4);
 *		...
 *	}
 */
#ifndef TESTS_LANEKIT_H
#define TESTS_LANEKIT_H

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include "natkit.h"
#include "ns.h"

#include "nl/rtnl_veth.h"
#include "port/lanes.h"
#include "port/offload.h"
#include "target/nft_claim.h"

#define LANE_LAB_MANY	(LANES_ENTER + 1)	/* packets that surely have a lane made */
#define LANE_LAB_LONG	300u			/* payload that is no short packet's */

enum lane_lab_kind { LANE_VETH, LANE_TUN, LANE_XDP };

/**
 * struct lane_lab - The NAT and both ends
 * @kit:	NAT
 * @nat:	Its interfaces by side
 * @end:	The ends; NULL for the host
 * @host:	Packet socket on the device, where the host is one; else -1
 * @hops:	The NAT's neighbours: the ends
 * @way:	Programs
 * @lanes:	Lanes
 * @in:		Client
 * @srv:	Server
 * @out:	The NAT's address
 */
struct lane_lab {
	struct kit kit;
	struct io *nat[2];
	struct io *end[2];
	int host;
	struct hops hops[2];
	struct lanes_way way;
	struct lanes lanes;
	struct addr in;
	struct addr srv;
	struct addr out;
};

static struct lane_lab lab;

/* ---- setting up ------------------------------------------------------------------ */

static inline bool lab_set_link_up(struct nl_session *s, const char *name)
{
	struct rtnl_msg m;
	struct rtnl_end e;

	return CHECK_INT(rtnl_end_read(s, name, &e), 0) &&
	       CHECK_INT(nl_talk(s, rtnl_msg_link_set_up(&m, e.index, true), NULL, NULL), 0);
}

static inline bool lab_make_pair(const char *name, const char *peer)
{
	const int ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct nl_session s;
	struct rtnl_msg m;
	bool done = CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0) &&
		    CHECK_INT(nl_talk(&s, rtnl_msg_veth_add(&m, name, 0, peer, ns), NULL, NULL),
			      0) && lab_set_link_up(&s, name) && lab_set_link_up(&s, peer);

	nl_close(&s);
	close(ns);
	return done;
}

static inline bool lab_have_veth(const struct io_ops *ops, enum nat_side side, const char *name,
				 const char *peer)
{
	return lab_make_pair(name, peer) && CHECK_INT(io_open(ops, name, &lab.nat[side]), 0) &&
	       CHECK_INT(io_open(&io_packet_ops, peer, &lab.end[side]), 0);
}

/* What the host sends by the device, and gets from it */
static inline bool lab_have_tun(void)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(3) };
	const int yes = 1;
	struct nl_session s;
	bool done;

	if (io_open(&io_tun_ops, "t0", &lab.nat[NAT_INSIDE]) < 0)
		return false;
	snprintf(lab.nat[NAT_INSIDE]->name, IO_NAME_BYTES, "t0");
	done = CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0) && lab_set_link_up(&s, "t0");
	nl_close(&s);
	to.sll_ifindex = (int)lab.nat[NAT_INSIDE]->ifindex;
	lab.host = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(3));
	return done && CHECK(lab.host >= 0) &&
	       CHECK_INT(bind(lab.host, (struct sockaddr *)&to, sizeof(to)), 0) &&
	       CHECK_INT(setsockopt(lab.host, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes,
				    sizeof(yes)), 0);
}

/** lab_tell_neighbour() - Tell the NAT of one, as the kernel would */
static inline void lab_tell_neighbour(enum nat_side side, struct addr a, const uint8_t *mac)
{
	uint8_t room[256] = { 0 }, addr[16];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct ndmsg *nd;

	msg->nlmsg_type = RTM_NEWNEIGH;
	nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));
	nd->ndm_family = a.af == AF_V4 ? AF_INET : AF_INET6;
	nd->ndm_ifindex = (int)lab.nat[side]->ifindex;
	nd->ndm_state = NUD_REACHABLE;
	mnl_attr_put(msg, NDA_DST, (size_t)addr_to_bytes(a, addr), addr);
	mnl_attr_put(msg, NDA_LLADDR, IO_MAC_BYTES, mac);
	(void)hops_hear(&lab.hops[side], msg);
}

/** lab_have_asked() - Neighbours were asked just now, so that no packet goes the kernel's way */
static inline void lab_have_asked(void)
{
	for (int side = 0; side < 2; side++)
		for (uint32_t i = 0; i < HOPS_NEIGHS; i++)
			lab.hops[side].neighs[i].asked_ns = lab.kit.now;
}

static inline void lab_know(enum nat_side side, struct addr a)
{
	struct hops *h = &lab.hops[side];

	h->io = lab.nat[side];
	h->ways[0] = (struct rtnl_way){ .dst = { { a.af, 0 }, 0 } };
	h->n_ways = 1;
	if (lab.end[side] != NULL)
		lab_tell_neighbour(side, a, lab.end[side]->mac);
}

/** lab_up() - All but lanes; whether that was possible */
static inline bool lab_up(enum lane_lab_kind kind, uint8_t af)
{
	const struct io_ops *ops = kind == LANE_XDP ? &io_xdp_ops : &io_packet_ops;

	memset(&lab, 0, sizeof(lab));
	lab.host = -1;
	lab.in = af == AF_V4 ? IN1 : kit_a6("fd00:1::11");
	lab.srv = af == AF_V4 ? SRV1 : kit_a6("2001:db8:f::10");
	lab.out = af == AF_V4 ? NAT1 : kit_a6("2001:db8:f::1");
	if (!(kind == LANE_TUN ? lab_have_tun() : lab_have_veth(ops, NAT_INSIDE, "a0", "a1")) ||
	    !lab_have_veth(ops, NAT_OUTSIDE, "c0", "c1"))
		return false;
	lab_know(NAT_INSIDE, lab.in);
	lab_know(NAT_OUTSIDE, lab.srv);
	kit_init(&lab.kit);
	kit_start(&lab.kit);
	lab_have_asked();
	return true;
}

/** lab_have_lanes() - 0, or why there are no lanes here */
static inline int lab_have_lanes(void)
{
	const struct claim_addr outside = { .a = lab.out };
	const struct claim claim = { .addrs = &outside, .n_addrs = 1 };
	const int err = lanes_open(&lab.way, lab.nat[0], lab.nat[1]);

	if (err < 0)
		return err;
	for (int side = 0; side < 2; side++)
		if (lab.nat[side]->ops->claim != NULL)
			CHECK_INT(lab.nat[side]->ops->claim(lab.nat[side], &claim,
							    side == NAT_INSIDE), 0);
	CHECK_INT(lanes_init(&lab.lanes, &lab.way, &lab.kit.cfg), 0);
	lanes_begin(&lab.lanes, lab.kit.nat, lab.nat, lab.hops);
	return 0;
}

/** lab_down() - The end of both */
static inline void lab_down(void)
{
	lanes_fini(&lab.lanes);
	lanes_close(&lab.way);
	for (int side = 0; side < 2; side++) {
		io_close(&lab.nat[side]);
		io_close(&lab.end[side]);
	}
	base_fd_close(&lab.host);
	kit_stop(&lab.kit);
}

static inline void lab_end(int *is_up)
{
	(void)is_up;
	lab_down();
}

#define LANE_LAB(kind, af) \
	CLEANUP(lab_end) int lab_is_up = 1; \
	NS_FRESH(); \
	(void)lab_is_up; \
	if (!lab_up(kind, af)) \
		return; \
	if (lab_have_lanes() < 0) \
		UNIT_SKIP("this kernel has no lanes, or not for us")

/* ---- packets --------------------------------------------------------------------- */

/* The host's own end: there is no ring on a device without link headers */
static inline uint32_t lab_host_rx(struct io_packet *ret)
{
	static uint8_t room[2048];
	const ssize_t n = recv(lab.host, room, sizeof(room), MSG_DONTWAIT);

	*ret = (struct io_packet){ .data = room, .len = n > 0 ? (uint32_t)n : 0 };
	return n > 0;
}

/* What waits there; @io is NULL for the host */
static inline bool lab_rx(struct io *io, struct io_packet *ret, int wait_ms)
{
	const int also = io != NULL && io->also_fd > 0 ? io->also_fd : -1;
	struct pollfd fds[2] = {
		{ io != NULL ? io->fd : lab.host, POLLIN, 0 }, { also, POLLIN, 0 },
	};

	/* Neighbour discovery's own chatter left out */
	for (;;) {
		if ((io != NULL ? io_rx(io, ret, 1) : lab_host_rx(ret)) == 1) {
			if (ret->data[0] >> 4 == 4 || ret->data[6] != 58)
				return true;
			continue;
		}
		if (poll(fds, 2, wait_ms) <= 0)
			return false;
	}
}

/** lab_receive() - What an end has got; whether anything came */
static inline bool lab_receive(enum nat_side end, struct io_packet *ret)
{
	return lab_rx(lab.end[end], ret, 1000);
}

static inline void lab_host_tx(const struct kpkt *k)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET };

	to.sll_protocol = htons(k->b[0] >> 4 == 4 ? 0x0800 : 0x86dd);
	to.sll_ifindex = (int)lab.nat[NAT_INSIDE]->ifindex;
	CHECK_INT(sendto(lab.host, k->b, k->len, 0, (struct sockaddr *)&to, sizeof(to)), k->len);
}

/** lab_send() - Send from an end to the NAT; @off may be NULL */
static inline void lab_send(enum nat_side from, const struct kpkt *k, const struct io_offload *off)
{
	struct io_packet p = { .data = (uint8_t *)k->b, .len = k->len };

	if (lab.end[from] == NULL) {
		lab_host_tx(k);
		return;
	}
	if (off != NULL) {
		p.off = *off;
		io_offload_renew(&p);
	}
	memcpy(p.mac, lab.nat[from]->mac, IO_MAC_BYTES);
	io_tx(lab.end[from], &p, 1);
}

/* Carry what the NAT got from one side; whether there was anything, and it was forwarded */
static inline bool lab_carry(enum nat_side from)
{
	struct nat_packet n;
	struct io_packet p;

	if (!lab_rx(lab.nat[from], &p, 1000))
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
	lanes_greeted(&lab.lanes, lab.kit.now, &n);
	if (lab.end[n.to] != NULL)
		memcpy(p.mac, lab.end[n.to]->mac, IO_MAC_BYTES);
	io_tx(lab.nat[n.to], &p, 1);
	if (!p.is_short)
		lanes_after(&lab.lanes, lab.kit.now, &n, true);
	return true;
}

/** lab_through() - By the NAT, to the other end: as it arrived there, if @ret is not NULL */
static inline bool lab_through(enum nat_side from, const struct kpkt *k, struct io_packet *ret)
{
	struct io_packet p;

	lab_send(from, k, NULL);
	return lab_carry(from) && lab_receive(!from, ret != NULL ? ret : &p);
}

/** lab_is_carried() - Send: the NAT has it, so it took no lane */
static inline bool lab_is_carried(enum nat_side from, const struct kpkt *k)
{
	struct io_packet p;

	lab_send(from, k, NULL);
	return lab_rx(lab.nat[from], &p, 1000);
}

/** lab_is_by_lane() - Send: it took one, and this arrived */
static inline bool lab_is_by_lane(enum nat_side from, const struct kpkt *k, struct io_packet *ret)
{
	struct io_packet none;

	lab_send(from, k, NULL);
	return lab_receive(!from, ret) && !lab_rx(lab.nat[from], &none, 0);
}

/** lab_whole() - May not be cut: its id is no matter */
static inline struct kpkt *lab_whole(struct kpkt *k)
{
	if (k->b[0] >> 4 == 4)
		k->b[6] = 0x40;
	k_fix(k);
	return k;
}

/** lab_tcp_state() - What the NAT knows of the first flow */
static inline enum nat_tcp lab_tcp_state(void)
{
	struct nat_flow f = { .tcp = NAT_TCP_NONE };

	CHECK(nat_flow_at(lab.kit.nat, 0, &f));
	return f.tcp;
}

/** lab_nat_port() - The port that the only flow has outside */
static inline uint16_t lab_nat_port(void)
{
	struct nat_flow f = { .proto = 0 };

	for (uint32_t i = 0; i < nat_flow_slots(lab.kit.nat) && f.proto == 0; i++)
		(void)nat_flow_at(lab.kit.nat, i, &f);
	return f.outside.sport;
}

/** lab_answer() - The same from the server */
static inline struct kpkt *lab_answer(bool is_tcp, uint32_t n)
{
	const uint16_t port = lab_nat_port();

	return lab_whole(is_tcp ? k_tcp_data(lab.srv, 80, lab.out, port, K_ACK, 9000, 1001, n) :
				  k_udp(lab.srv, 80, lab.out, port, n));
}

/** lab_question() - A packet of the flow, from the client, with that much payload */
static inline struct kpkt *lab_question(bool is_tcp, uint32_t n)
{
	return lab_whole(is_tcp ? k_tcp_data(lab.in, 4000, lab.srv, 80, K_ACK, 1001, 9000, n) :
				  k_udp(lab.in, 4000, lab.srv, 80, n));
}

/** lab_shake_hands() - The flow's connection begins */
static inline void lab_shake_hands(void)
{
	if (CHECK(lab_through(NAT_INSIDE, k_tcp(lab.in, 4000, lab.srv, 80, K_SYN, 1000, 0), NULL)))
		CHECK(lab_through(NAT_OUTSIDE, k_tcp(lab.srv, 80, lab.out, lab_nat_port(),
						     K_SYN | K_ACK, 8999, 1001), NULL));
}

/** lab_begin() - Packets until both directions have a lane */
static inline void lab_begin(bool is_tcp)
{
	for (uint32_t i = 0; i < LANE_LAB_MANY && lab.lanes.n.now < 2; i++) {
		CHECK(lab_through(NAT_INSIDE, lab_question(is_tcp, LANE_LAB_LONG), NULL));
		if (lab.lanes.n.now < 2)
			CHECK(lab_through(NAT_OUTSIDE, lab_answer(is_tcp, LANE_LAB_LONG),
					  NULL));
	}
	CHECK_INT(lab.lanes.n.now, 2);
}

/** lab_compare() - The same packet by the NAT, then by a lane: the same bytes arrive */
static inline void lab_compare(bool is_tcp, uint32_t payload)
{
	static uint8_t by_nat[2][2048];
	static struct kpkt k[2];
	uint32_t len[2] = { 0, 0 };
	struct io_packet got;

	lab.lanes.is_on = false;
	if (is_tcp)
		lab_shake_hands();
	for (int from = 0; from < 2; from++) {
		k[from] = *(from == NAT_INSIDE ? lab_question(is_tcp, payload) :
			    lab_answer(is_tcp, payload));
		if (!CHECK(lab_through((enum nat_side)from, &k[from], &got)))
			return;
		len[from] = got.len;
		memcpy(by_nat[from], got.data, got.len);
	}
	lab.lanes.is_on = true;
	lab_begin(is_tcp);
	for (int from = 0; from < 2; from++) {
		if (!CHECK(lab_is_by_lane((enum nat_side)from, &k[from], &got)))
			return;
		CHECK_INT(got.len, len[from]);
		CHECK(memcmp(got.data, by_nat[from], len[from]) == 0);
		CHECK_STR(kit_sound(got.data, got.len), NULL);
		if (lab.end[!from] != NULL)
			CHECK(memcmp(got.mac, lab.nat[!from]->mac, IO_MAC_BYTES) == 0);
	}
	lanes_count(&lab.lanes);
	CHECK_INT(lab.lanes.n.packets[0], 1);
	CHECK_INT(lab.lanes.n.bytes[1], len[1]);
}

/** lab_compare_large() - Packets to be cut later, and sums left undone, stay so on a lane */
static inline void lab_compare_large(uint8_t af)
{
	const bool is_v4 = af == AF_V4;
	const struct io_offload gso = {
		.gso = is_v4 ? IO_GSO_TCP4 : IO_GSO_TCP6, .gso_bytes = 1000, .is_partial = true,
		.csum_start = is_v4 ? 20 : 40, .csum_offset = 16,
	};
	struct io_packet got;

	lab_shake_hands();
	lab_begin(true);
	for (int from = 0; from < 2; from++) {
		lab_send((enum nat_side)from, from == NAT_INSIDE ? lab_question(true, 20000) :
			 lab_answer(true, 20000), &gso);
		if (!CHECK(lab_receive(!from, &got)))
			return;
		CHECK_INT(got.off.gso, gso.gso);
		CHECK_INT(got.off.gso_bytes, 1000);
		CHECK(got.off.is_partial);
		CHECK_INT(offload_complete(&got), 0);
		CHECK_STR(kit_sound(got.data, got.len), NULL);
	}
}

/** lab_tick() - A second goes by; have neighbours been asked */
static inline void lab_tick(bool has_asked)
{
	lab.kit.now += UINT64_C(1000000000);
	if (has_asked)
		lab_have_asked();
	(void)nat_tick(lab.kit.nat, lab.kit.now);
	CHECK(!lanes_tick(&lab.lanes, lab.kit.now));
}

#endif /* TESTS_LANEKIT_H */
