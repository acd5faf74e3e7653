/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hops - to which neighbour a packet goes that leaves by an interface
 *
 * The kernel knows the routes and resolves neighbours; this follows what it
 * knows.  A packet whose neighbour is not known, and now and then one whose
 * neighbour is, goes by the kernel's own way (a raw socket), so that it asks.
 *
 * Owns:	 its sockets; nothing is allocated.
 * Does not:	 speak ARP or neighbour discovery.
 * Threads:	 none.
 * Normative:	 raw(7), rtnetlink(7).
 */
#ifndef PORT_HOPS_H
#define PORT_HOPS_H

#include "nl/rtnl_rule.h"
#include "port/io.h"

#define HOPS_WAYS	256u		/* by the interface; more: the kernel's way for all */
#define HOPS_NEIGHS	1024u		/* neighbours, a power of two; the same */
#define HOPS_FRESH_NS	UINT64_C(10000000000)	/* then it is asked again */

/**
 * struct hop - A neighbour
 * @a:		Its address; AF_NONE: a free place
 * @mac:	Its link address
 * @is_known:	@mac is so
 * @asked_ns:	When the kernel was last made to look
 */
struct hop {
	struct addr a;
	uint8_t mac[IO_MAC_BYTES];
	bool is_known;
	uint64_t asked_ns;
};

/**
 * struct hops - Routes and neighbours of one interface
 * @io:		Interface
 * @raw:	Raw sockets, IPv4 and IPv6; -1: this host lacks it
 * @ways:	Routes out of it, longest prefix first
 * @n_ways:	How many
 * @is_full:	There are more than have room
 * @neighs:	Neighbours by a hash of their address
 * @n_by_kernel: Packets that went by the kernel's way
 */
struct hops {
	struct io *io;
	int raw[2];
	struct rtnl_way ways[HOPS_WAYS];
	uint32_t n_ways;
	bool is_full;
	struct hop neighs[HOPS_NEIGHS];
	uint64_t n_by_kernel;
};

/**
 * hops_host() - A way to the host itself: only hops_by_kernel() is for it
 * @h:		Set whole; hops_close() it
 * @io:		Counts what goes
 *
 * Return: 0 or a negative errno
 */
MUST_USE int hops_host(struct hops *h, struct io *io);

/**
 * hops_open() - Learn routes and neighbours
 * @h:		Set whole
 * @io:		Interface, which outlives this
 * @s:		Session of NETLINK_ROUTE, only for this call
 *
 * Return: 0; -EPERM without CAP_NET_RAW; another negative errno
 */
MUST_USE int hops_open(struct hops *h, struct io *io, struct nl_session *s);

/** hops_close() - Close its sockets */
void hops_close(struct hops *h);

/** hops_join() - Have a session told of what hops_hear() needs; 0 or a negative errno */
MUST_USE int hops_join(struct nl_session *s);

/**
 * hops_hear() - Take a message of the kernel's
 * @h:		Hops
 * @msg:	Of a session after hops_join(), or of a dump
 *
 * Routes, neighbours, and the interface's own state: its MTU, its address, and
 * whether it is down (@h->io).
 *
 * Return: whether the interface's own state changed
 */
bool hops_hear(struct hops *h, const struct nlmsghdr *msg);

/**
 * hops_reread() - Read everything anew, after messages were lost
 * @h:		Hops
 * @s:		Session of NETLINK_ROUTE that nobody else's messages come to
 *
 * Return: 0 or a negative errno
 */
MUST_USE int hops_reread(struct hops *h, struct nl_session *s);

/**
 * hops_find() - Set the link address of a packet, if it is known
 * @h:		Hops
 * @p:		Packet; @p->mac is set
 * @now_ns:	Time
 *
 * Return: true; false: let the kernel send it, hops_by_kernel()
 */
bool hops_find(struct hops *h, struct io_packet *p, uint64_t now_ns);

/**
 * hops_peek() - Who has a packet next, without the kernel being asked again
 * @h:		Hops
 * @dst:	Where it goes; the interface has it itself where there are no neighbours
 * @now_ns:	Time
 * @ret_mac:	Set on success, IO_MAC_BYTES: link address
 * @ret_is_due:	Set on success: the next packet there goes by the kernel's way
 *
 * Return: whether the link address is known
 */
bool hops_peek(struct hops *h, struct addr dst, uint64_t now_ns, uint8_t *ret_mac,
	       bool *ret_is_due);

/**
 * hops_by_kernel() - Send a packet by the kernel's own way
 * @h:		Hops
 * @p:		Packet; its data may be changed
 *
 * The kernel routes it, resolves its neighbour and says so to who has joined.
 */
void hops_by_kernel(struct hops *h, struct io_packet *p);

#endif /* PORT_HOPS_H */
