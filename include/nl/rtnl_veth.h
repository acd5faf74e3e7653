/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_veth - messages for the links of network namespaces
 *
 * Pairs of veth with one end elsewhere, ports of bridges, routes, and links that
 * go away together.
 *
 * Owns:	 nothing.
 * Does not:	 decide anything.
 * Byte order:	 addresses are in host order here.
 * Threads:	 none.
 * Normative:	 rtnetlink(7), veth(4); IFLA_BRPORT_LOCKED needs Linux 5.18.
 */
#ifndef NL_RTNL_VETH_H
#define NL_RTNL_VETH_H

#include "nl/rtnl.h"

#define RTNL_MAC_BYTES	6u

/**
 * struct rtnl_end - One end of a pair
 * @index:	Its number
 * @peer:	The other end's number, in its own namespace; 0 = none
 * @nsid:	Number of the other end's namespace, as seen here; -1: this one
 * @mac:	Its address
 * @name:	Its name
 */
struct rtnl_end {
	uint32_t index;
	uint32_t peer;
	int32_t nsid;
	uint8_t mac[RTNL_MAC_BYTES];
	char name[RTNL_NAME_BYTES];
};

/**
 * struct rtnl_hop - A route
 * @dst:	Destination; length 0: all of its family
 * @via:	Gateway, held to be on the link whatever its address; AF_NONE: the
 *		destination itself is
 * @ifindex:	Link, 0 with @is_unreachable
 * @is_unreachable: Nowhere: answered, not sent; counts after any other route
 */
struct rtnl_hop {
	struct prefix dst;
	struct addr via;
	uint32_t ifindex;
	bool is_unreachable;
};

/**
 * rtnl_end_read() - The link named @name
 * @s:		Session of NETLINK_ROUTE, of whichever namespace
 * @name:	Its name
 * @ret:	Set on success
 *
 * Return: 0, -ENODEV, or another negative errno of nl_talk()
 */
MUST_USE int rtnl_end_read(struct nl_session *s, const char *name, struct rtnl_end *ret);

/**
 * rtnl_nsid() - The number of a namespace, as seen from the session's
 * @s:		Session of NETLINK_ROUTE
 * @fd:		Network namespace
 * @ret:	Set on success; -1: it has none
 *
 * Return: 0, or a negative errno of nl_talk()
 */
MUST_USE int rtnl_nsid(struct nl_session *s, int fd, int32_t *ret);

/**
 * rtnl_msg_veth_add() - Message: a pair, both ends down
 * @m:		Room
 * @name:	This end
 * @group:	Link group of this end
 * @peer:	The other
 * @fd:		Network namespace of the other
 *
 * Return: the message, in @m
 */
struct nlmsghdr *rtnl_msg_veth_add(struct rtnl_msg *m, const char *name, uint32_t group,
				   const char *peer, int fd);

/** rtnl_msg_bridge_add() - Message: a bridge in a link group, down */
struct nlmsghdr *rtnl_msg_bridge_add(struct rtnl_msg *m, const char *name, uint32_t group);

/** rtnl_msg_link_alias() - Message: set the ifalias, and the link up */
struct nlmsghdr *rtnl_msg_link_alias(struct rtnl_msg *m, uint32_t index, const char *alias);

/** rtnl_msg_link_master() - Message: make a link a port of bridge @master */
struct nlmsghdr *rtnl_msg_link_master(struct rtnl_msg *m, uint32_t index, uint32_t master);

/**
 * rtnl_msg_port() - Message: what a port of a bridge may do
 * @m:		Room
 * @index:	Port
 * @is_isolated: It reaches no other isolated port
 * @is_locked:	Only senders that the bridge was told of may speak by it
 *
 * Return: the message, in @m
 */
struct nlmsghdr *rtnl_msg_port(struct rtnl_msg *m, uint32_t index, bool is_isolated,
			       bool is_locked);

/** rtnl_msg_fdb_add() - Message: tell a bridge whose address is behind a port */
struct nlmsghdr *rtnl_msg_fdb_add(struct rtnl_msg *m, uint32_t index, const uint8_t *mac);

/** rtnl_msg_link_group() - Message: put a link into a group */
struct nlmsghdr *rtnl_msg_link_group(struct rtnl_msg *m, uint32_t index, uint32_t group);

/**
 * rtnl_msg_group_del() - Message: delete all links of a group
 *
 * One wait for all of them, where each alone costs 20 ms.  The kernel says
 * -ENODEV when there are none.
 */
struct nlmsghdr *rtnl_msg_group_del(struct rtnl_msg *m, uint32_t group);

/** rtnl_msg_route_add() - Message: add a route; -EEXIST when the place is taken */
struct nlmsghdr *rtnl_msg_route_add(struct rtnl_msg *m, const struct rtnl_hop *hop);

#endif /* NL_RTNL_VETH_H */
