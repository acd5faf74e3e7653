/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh_probe - ask the network who has an address
 *
 * Owns:	 nothing.
 * Does not:	 send packets itself: the kernel asks, by ARP and neighbour
 *		 discovery, as it does before it sends to a neighbour.
 * Byte order:	 addresses are in host order here.
 * Threads:	 none.
 * Normative:	 rtnetlink(7), NTF_USE.
 */
#ifndef NL_NEIGH_PROBE_H
#define NL_NEIGH_PROBE_H

#include "nl/neigh.h"

#define NEIGH_PROBE_MS	50u	/* neighbours on a wire answer within a few */

/**
 * struct neigh_query - A question
 * @ifindex:	Link to ask on
 * @a:		Address, not one of the host's own
 * @is_fixed:	Set: the host has an entry made by hand, so nobody is asked
 * @is_taken:	Set: somebody answers
 * @mac:	Set then: who
 */
struct neigh_query {
	uint32_t ifindex;
	struct addr a;
	bool is_fixed;
	bool is_taken;
	uint8_t mac[NEIGH_MAC_BYTES];
};

/**
 * neigh_probe() - Ask all questions at once, and wait for the answers
 * @s:		Session of NETLINK_ROUTE; CAP_NET_ADMIN
 * @q:		Questions
 * @n:		How many
 * @wait_ms:	How long to wait, unless all are answered before
 *
 * What the host remembers of such a neighbour is forgotten first, so that only who
 * is there now counts.
 *
 * Return: 0, or a negative errno of nl_talk() or nl_dump()
 */
MUST_USE int neigh_probe(struct nl_session *s, struct neigh_query *q, uint32_t n,
			 uint32_t wait_ms);

#endif /* NL_NEIGH_PROBE_H */
