/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Speaking ARP and neighbour discovery ourselves was the alternative: a second
 * cache of neighbours beside the kernel's, which answers in our stead anyway.
 * Instead the kernel is made to look: a packet without a known neighbour goes
 * through a raw socket, so the kernel resolves it, sends what waited, and tells
 * its netlink listeners.  A neighbour in use is looked at again every ten
 * seconds, by one small packet of those that go to it: its entry would go stale
 * otherwise, and a router that has moved would never be noticed.
 *
 * Anybody on the wire can have the kernel know neighbours that there are not, for a
 * while.  A place is another's when its neighbour is known no more, so that they do not
 * fill the table for good.
 */
#include "port/hops.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/calls.h"
#include "net/wire.h"
#include "nl/neigh.h"
#include "port/offload.h"
#include "target/nft.h"

#define IP6_FRAGMENT	44u
#define HOPS_NEAR	16u		/* places that a neighbour may have */

NEEDS_CALL(sendto)

/* ---- routes ------------------------------------------------------------------ */

static bool is_same(const struct rtnl_way *a, const struct rtnl_way *b)
{
	return addr_equal(a->dst.a, b->dst.a) && a->dst.len == b->dst.len &&
	       a->metric == b->metric && a->ifindex == b->ifindex && addr_equal(a->via, b->via);
}

/* Longest prefix first, then the lowest metric: the first that has an address counts */
static bool is_before(const struct rtnl_way *a, const struct rtnl_way *b)
{
	return a->dst.len != b->dst.len ? a->dst.len > b->dst.len : a->metric < b->metric;
}

static void drop_way(struct hops *h, const struct rtnl_way *w)
{
	for (uint32_t i = 0; i < h->n_ways; i++) {
		if (!is_same(&h->ways[i], w))
			continue;
		h->n_ways--;
		memmove(&h->ways[i], &h->ways[i + 1], (h->n_ways - i) * sizeof(*h->ways));
		return;
	}
}

static void add_way(struct hops *h, const struct rtnl_way *w)
{
	uint32_t i;

	drop_way(h, w);
	if (h->n_ways == HOPS_WAYS) {
		h->is_full = true;
		return;
	}
	for (i = h->n_ways; i > 0 && is_before(w, &h->ways[i - 1]); i--)
		h->ways[i] = h->ways[i - 1];
	h->ways[i] = *w;
	h->n_ways++;
}

static void hear_way(struct hops *h, const struct nlmsghdr *msg)
{
	struct rtnl_way w;
	const int is_there = rtnl_way_parse(msg, RTNL_MAIN_TABLE, &w);

	if (is_there < 0 || w.kind != RTNL_WAY_OUT || w.ifindex != h->io->ifindex)
		return;
	if (is_there)
		add_way(h, &w);
	else
		drop_way(h, &w);
}

/* ---- neighbours -------------------------------------------------------------- */

static uint32_t slot_of(struct addr a)
{
	const uint64_t x = (uint64_t)a.v ^ (uint64_t)(a.v >> 64);

	return (uint32_t)((x * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % HOPS_NEIGHS;
}

/*
 * The neighbour, or else the place that it may have: a free one, or one whose neighbour
 * is known no more; NULL: there is none near it
 */
static struct hop *hop_at(struct hops *h, struct addr a)
{
	const uint32_t first = slot_of(a);
	struct hop *place = NULL;

	for (uint32_t i = 0; i < HOPS_NEAR; i++) {
		struct hop *hop = &h->neighs[(first + i) % HOPS_NEIGHS];

		if (addr_equal(hop->a, a))
			return hop;
		if (place == NULL && !hop->is_known)
			place = hop;
		if (hop->a.af == AF_NONE)
			break;
	}
	return place;
}

static void hear_neigh(struct hops *h, const struct nlmsghdr *msg)
{
	struct neigh n;
	struct hop *hop;

	if (neigh_parse(msg, &n) < 0 || n.ifindex != h->io->ifindex || addr_is_multicast(n.a))
		return;
	hop = hop_at(h, n.a);
	if (hop == NULL || (!n.has_mac && !addr_equal(hop->a, n.a)))
		return;
	if (!addr_equal(hop->a, n.a))
		*hop = (struct hop){ .a = n.a };
	hop->is_known = n.has_mac;
	memcpy(hop->mac, n.mac, IO_MAC_BYTES);
}

/* ---- the interface ----------------------------------------------------------- */

static bool hear_link(struct hops *h, const struct nlmsghdr *msg)
{
	const struct ifinfomsg *ifi;
	const struct nlattr *attr;
	bool is_changed, is_down;

	if ((msg->nlmsg_type != RTM_NEWLINK && msg->nlmsg_type != RTM_DELLINK) ||
	    mnl_nlmsg_get_payload_len(msg) < sizeof(*ifi))
		return false;
	ifi = mnl_nlmsg_get_payload(msg);
	if ((uint32_t)ifi->ifi_index != h->io->ifindex || ifi->ifi_family != AF_UNSPEC)
		return false;
	is_down = msg->nlmsg_type == RTM_DELLINK || (ifi->ifi_flags & IFF_UP) == 0;
	is_changed = is_down != h->io->is_down;
	h->io->is_down = is_down;
	mnl_attr_for_each(attr, msg, sizeof(*ifi)) {
		const uint16_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == IFLA_MTU && len == sizeof(uint32_t)) {
			is_changed |= h->io->mtu_bytes != mnl_attr_get_u32(attr);
			h->io->mtu_bytes = mnl_attr_get_u32(attr);
		} else if (mnl_attr_get_type(attr) == IFLA_ADDRESS && len == IO_MAC_BYTES) {
			is_changed |= memcmp(h->io->mac, mnl_attr_get_payload(attr), len) != 0;
			memcpy(h->io->mac, mnl_attr_get_payload(attr), IO_MAC_BYTES);
		}
	}
	return is_changed;
}

bool hops_hear(struct hops *h, const struct nlmsghdr *msg)
{
	hear_way(h, msg);
	hear_neigh(h, msg);
	return hear_link(h, msg);
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	if (msg != NULL)
		(void)hops_hear(arg, msg);
	return 0;
}

int hops_reread(struct hops *h, struct nl_session *s)
{
	int err;

	h->n_ways = 0;
	h->is_full = false;
	for (uint32_t i = 0; i < HOPS_NEIGHS; i++)
		h->neighs[i].is_known = false;
	if (h->io->ops->is_l3)
		return 0;
	err = rtnl_ways_ask(s, AF_V4, RTNL_MAIN_TABLE, take, h);
	if (err == 0)
		err = rtnl_ways_ask(s, AF_V6, RTNL_MAIN_TABLE, take, h);
	return err == 0 ? neigh_ask(s, take, h) : err;
}

int hops_join(struct nl_session *s)
{
	static const int groups[] = {
		RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
	};
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(groups) && err == 0; i++)
		err = nl_join(s, groups[i]);
	return err;
}

/* A raw socket that leaves by the interface alone, if any; the packet's own header counts */
static int open_raw(int family, const char *ifname)
{
	CLEANUP(base_fd_close) int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
					       IPPROTO_RAW);
	const uint32_t priority = NFT_LED_PRIORITY;
	const int yes = 1;

	if (fd < 0 || (ifname != NULL && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
						    (socklen_t)strlen(ifname)) < 0))
		return -errno;
	/* Judged already, and whole or not it goes on: applied rules and conntrack let it be */
	(void)setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	if (family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_NODEFRAG, &yes, sizeof(yes));
	return base_take_fd(&fd);
}

static int open_both(struct hops *h, struct io *io, const char *ifname)
{
	memset(h, 0, sizeof(*h));
	h->io = io;
	h->raw[0] = h->raw[1] = -1;
	if (io->ops->is_l3)
		return 0;
	h->raw[0] = open_raw(AF_INET, ifname);
	h->raw[1] = open_raw(AF_INET6, ifname);
	if (h->raw[0] < 0 && h->raw[0] != -EAFNOSUPPORT)
		return h->raw[0];
	if (h->raw[1] < 0 && h->raw[1] != -EAFNOSUPPORT)
		return h->raw[1];
	return 0;
}

int hops_host(struct hops *h, struct io *io)
{
	return open_both(h, io, NULL);
}

int hops_open(struct hops *h, struct io *io, struct nl_session *s)
{
	const int err = open_both(h, io, io->name);

	return err == 0 && !io->ops->is_l3 ? hops_reread(h, s) : err;
}

void hops_close(struct hops *h)
{
	base_fd_close(&h->raw[0]);
	base_fd_close(&h->raw[1]);
}

/* ---- packets ----------------------------------------------------------------- */

static struct addr dst_of(const struct io_packet *p)
{
	const bool is_v4 = p->data[0] >> 4 == 4;

	return addr_from_bytes(is_v4 ? AF_V4 : AF_V6, p->data + (is_v4 ? 16 : 24));
}

/* The neighbour that has the packet next; AF_NONE: no route says so */
static struct addr next_of(const struct hops *h, struct addr dst)
{
	for (uint32_t i = 0; i < h->n_ways; i++)
		if (prefix_has(h->ways[i].dst, dst))
			return h->ways[i].via.af != AF_NONE ? h->ways[i].via : dst;
	return (struct addr){ AF_NONE, 0 };
}

/* By the kernel's way one of them would wait for the others, which go by ours */
static bool is_fragment(const struct io_packet *p)
{
	const bool is_v4 = p->data[0] >> 4 == 4;

	return is_v4 ? (get16(p->data + 6) & 0x3fff) != 0 : p->data[6] == IP6_FRAGMENT;
}

bool hops_find(struct hops *h, struct io_packet *p, uint64_t now_ns)
{
	struct addr next;
	struct hop *hop;

	if (h->io->ops->is_l3)
		return true;
	if (h->is_full)
		return false;
	next = next_of(h, dst_of(p));
	hop = next.af != AF_NONE ? hop_at(h, next) : NULL;
	if (hop == NULL || !hop->is_known)
		return false;
	if (now_ns - hop->asked_ns > HOPS_FRESH_NS && p->off.gso == IO_GSO_NONE &&
	    !is_fragment(p)) {
		hop->asked_ns = now_ns;
		return false;
	}
	memcpy(p->mac, hop->mac, IO_MAC_BYTES);
	return true;
}

bool hops_peek(struct hops *h, struct addr dst, uint64_t now_ns, uint8_t *ret_mac,
	       bool *ret_is_due)
{
	const struct addr next = h->is_full ? (struct addr){ AF_NONE, 0 } : next_of(h, dst);
	const struct hop *hop = next.af != AF_NONE ? hop_at(h, next) : NULL;

	if (h->io->ops->is_l3) {
		memcpy(ret_mac, h->io->mac, IO_MAC_BYTES);
		*ret_is_due = false;
		return true;
	}
	if (hop == NULL || !hop->is_known)
		return false;
	memcpy(ret_mac, hop->mac, IO_MAC_BYTES);
	*ret_is_due = now_ns - hop->asked_ns > HOPS_FRESH_NS;
	return true;
}

static void send_raw(struct hops *h, struct io_packet *p)
{
	const struct addr dst = dst_of(p);
	const bool is_v4 = dst.af == AF_V4;
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *to = is_v4 ? (const struct sockaddr *)&to4 :
				    (const struct sockaddr *)&to6;
	ssize_t n = -1;

	if (is_v4)
		memcpy(&to4.sin_addr, p->data + 16, 4);
	else
		memcpy(&to6.sin6_addr, p->data + 24, 16);
	if (offload_complete(p) == 0)
		n = sendto(h->raw[!is_v4], p->data, io_wire_bytes(p), MSG_DONTWAIT, to,
			   is_v4 ? sizeof(to4) : sizeof(to6));
	h->n_by_kernel++;
	if (n >= 0)
		h->io->n.tx++;
	else
		h->io->n.tx_refused++;
}

void hops_by_kernel(struct hops *h, struct io_packet *p)
{
	struct offload_cut c;
	struct io_packet one;

	if (p->off.gso == IO_GSO_NONE) {
		send_raw(h, p);
		return;
	}
	if (offload_cut_begin(&c, p) < 0) {
		h->io->n.tx_refused++;
		return;
	}
	while (offload_cut_next(&c, h->io->scratch, &one))
		send_raw(h, &one);
}
