/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neigh - the neighbours that the host has heard of, over rtnetlink
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 ask the network: who has been silent is not known.
 * Byte order:	 addresses are in host order here.
 * Threads:	 none.
 * Normative:	 rtnetlink(7).
 */
#ifndef NL_NEIGH_H
#define NL_NEIGH_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

#define NEIGH_MAC_BYTES	6u

/**
 * struct neigh - A neighbour that answered, or is entered by hand
 * @ifindex:	Link
 * @a:		Its address
 * @has_mac:	Its link address is known
 * @mac:	It
 */
struct neigh {
	uint32_t ifindex;
	struct addr a;
	bool has_mac;
	uint8_t mac[NEIGH_MAC_BYTES];
};

/** struct neighs - Neighbours in the order of the kernel */
struct neighs {
	VEC(struct neigh) list;
};

/**
 * neighs_read() - The ARP and ND tables
 * @s:		Session of NETLINK_ROUTE
 * @a:		Memory
 * @ret:	Set on success
 *
 * Entries of neighbours that did not answer are left out.
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int neighs_read(struct nl_session *s, struct arena *a, struct neighs *ret);

/**
 * neigh_parse() - What a message of the group RTNLGRP_NEIGH, or of a dump, says
 * @msg:	Message of whichever type
 * @ret:	Set on success; of one that does not answer @ret->has_mac is false
 *
 * Return: 0, or -ENOMSG: it is about no neighbour of IP
 */
MUST_USE int neigh_parse(const struct nlmsghdr *msg, struct neigh *ret);

/** neigh_ask() - Have the kernel tell all neighbours that it knows, as if they were news */
MUST_USE int neigh_ask(struct nl_session *s, nl_each_fn *each, void *arg);

#endif /* NL_NEIGH_H */
