/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_lab - a host and its neighbours, as network namespaces of this process
 *
 * The host has the interfaces of some facts: real ones become one end of a veth
 * pair, cloned loopbacks a bridge without ports.  The other ends are in a
 * namespace without addresses, where frames are put in and taken out raw.  What
 * the host delivers to itself is seen behind all other hooks, conntrack's own
 * included, and dropped there, so that no socket ever answers.
 *
 * Everything runs on one processor, where the kernel keeps the order of
 * packets: a packet sent last and seen again is the proof that all before it
 * have come to their end, and no test waits for time to pass.
 *
 * Owns:	 its namespaces, descriptors, and the nftables table "difftest".
 * Does not:	 know rules or models.
 * Threads:	 none; moves the process between namespaces.
 */
#ifndef TESTS_DIFF_LAB_H
#define TESTS_DIFF_LAB_H

#include "model/facts.h"
#include "nl/session.h"

#define LAB_LINKS	4u		/* most real interfaces */
#define LAB_FRAME_BYTES	2048u

/**
 * struct lab_route - Where a host sends what is for a prefix
 * @to:		Prefix
 * @via:	Gateway
 * @link:	Number of the real interface, in the order of the facts
 */
struct lab_route {
	struct prefix to;
	struct addr via;
	uint32_t link;
};

/** struct lab_link - A real interface: facts' number @iface, the peer's socket @fd */
struct lab_link {
	uint32_t iface;
	int fd;
};

/**
 * struct lab - The namespaces and what is open in them
 * @facts:	The host's interfaces
 * @routes:	Its routes besides those of its networks
 * @n_routes:	How many
 * @links:	Real interfaces
 * @n_links:	How many
 * @ns_host:	The host's namespace
 * @ns_peers:	The other one
 * @raw:	Raw sockets of the host, IPv4 and IPv6
 * @log:	Where the host's own deliveries are seen
 * @nft:	Session of the host's netfilter
 * @n_barriers:	Barriers so far
 */
struct lab {
	const struct facts *facts;
	const struct lab_route *routes;
	uint32_t n_routes;
	struct lab_link links[LAB_LINKS];
	uint32_t n_links;
	int ns_host;
	int ns_peers;
	int raw[2];
	int log;
	struct nl_session nft;
	uint32_t n_barriers;
};

#define LAB_LOCAL	UINT32_MAX	/* "link" of what the host delivers to itself */
#define LAB_NOWHERE	(UINT32_MAX - 1)
#define LAB_FIRST_ID	UINT32_C(0x40000000)	/* ids of the lab's own packets start here */

/**
 * lab_seen_fn - Takes a packet that came to its end
 * @link:	Real interface that it left by, or LAB_LOCAL
 * @data:	IP packet
 * @len:	Its length, bytes
 * @arg:	The caller's
 */
typedef void lab_seen_fn(uint32_t link, const uint8_t *data, size_t len, void *arg);

/**
 * lab_open() - Make the namespaces
 * @l:		Lab; set whole
 * @facts:	The host's interfaces
 * @routes:	Routes besides those of its networks; kept
 * @n_routes:	How many
 * @ret_why:	Set on failure: what was tried
 *
 * Return: 0, or a negative errno: -EPERM where namespaces are not allowed
 */
MUST_USE int lab_open(struct lab *l, const struct facts *facts, const struct lab_route *routes,
		      uint32_t n_routes, const char **ret_why);

/** lab_close() - Let the namespaces go */
void lab_close(struct lab *l);

/** lab_inject() - Send an IP packet to the host by real interface @link */
void lab_inject(struct lab *l, uint32_t link, const uint8_t *data, size_t len);

/** lab_send() - Send an IP packet from the host; a negative errno when it refuses */
int lab_send(struct lab *l, const uint8_t *data, size_t len);

/**
 * lab_collect() - Wait until everything sent has come to its end, and take it
 * @l:		Lab
 * @fn:		Called for each packet seen
 * @arg:	For @fn
 *
 * Return: 0, or -ETIMEDOUT when the barrier is not seen within 10 s
 */
MUST_USE int lab_collect(struct lab *l, lab_seen_fn *fn, void *arg);

/** lab_forget() - Empty the host's table of connections */
MUST_USE int lab_forget(struct lab *l);

/** lab_route() - The real interface that leads to @dst, LAB_LOCAL, or LAB_NOWHERE */
uint32_t lab_route(const struct lab *l, struct addr dst);

#endif /* TESTS_DIFF_LAB_H */
