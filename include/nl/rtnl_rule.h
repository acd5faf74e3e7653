/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_rule - policy rules, and routes of whichever table
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 decide anything.
 * Byte order:	 addresses are in host order here.
 * Threads:	 none.
 * Normative:	 rtnetlink(7), ip-rule(8).
 */
#ifndef NL_RTNL_RULE_H
#define NL_RTNL_RULE_H

#include "nl/rtnl.h"

#define RTNL_MAIN_TABLE	254u

/** enum rtnl_way_kind - Where a route leads */
enum rtnl_way_kind {
	RTNL_WAY_OUT,		/* out of a link */
	RTNL_WAY_THROW,		/* to the next rule */
	RTNL_WAY_NOWHERE,	/* unreachable, and answered so */
	RTNL_WAY_OTHER,		/* local, broadcast, blackhole, ... */
};

/**
 * struct rtnl_way - A route
 * @dst:	Destination; length 0: all of its family
 * @via:	Gateway, or AF_NONE: the destination itself is on the link
 * @ifindex:	Link of RTNL_WAY_OUT; of several gateways the first's
 * @metric:	The lowest counts
 * @kind:	Where it leads
 * @is_ours:	Read: we have made it
 */
struct rtnl_way {
	struct prefix dst;
	struct addr via;
	uint32_t ifindex;
	uint32_t metric;
	enum rtnl_way_kind kind;
	bool is_ours;
};

/** struct rtnl_ways - Routes in the order of the kernel */
struct rtnl_ways {
	VEC(struct rtnl_way) list;
};

/**
 * rtnl_ways_read() - The routes of a table
 * @s:		Session of NETLINK_ROUTE
 * @af:		AF_V4 or AF_V6
 * @table:	Number
 * @a:		Memory for the list
 * @ret:	Set on success; a table that is not there has none
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int rtnl_ways_read(struct nl_session *s, uint8_t af, uint32_t table, struct arena *a,
			    struct rtnl_ways *ret);

/**
 * rtnl_way_parse() - What a message of RTNLGRP_IPV4_ROUTE, its like, or of a dump says
 * @msg:	Message of whichever type
 * @table:	Table that is asked for
 * @ret:	Set on success
 *
 * Return: 1: there is this route; 0: it is gone; -ENOMSG: it is about none of that table
 */
MUST_USE int rtnl_way_parse(const struct nlmsghdr *msg, uint32_t table, struct rtnl_way *ret);

/**
 * rtnl_ways_ask() - Dump a table
 * @s:		Session of NETLINK_ROUTE
 * @af:		AF_V4 or AF_V6
 * @table:	Number
 * @each:	As nl_dump()
 * @arg:	For @each
 *
 * Return: 0, also when there is no such table; or a negative errno of nl_dump()
 */
MUST_USE int rtnl_ways_ask(struct nl_session *s, uint8_t af, uint32_t table, nl_each_fn *each,
			   void *arg);

/** rtnl_msg_way_add() - Message: add a route of ours to a table */
struct nlmsghdr *rtnl_msg_way_add(struct rtnl_msg *m, uint32_t table, const struct rtnl_way *w);

/** rtnl_msg_way_del() - Message: delete that route; -ESRCH when it is not there */
struct nlmsghdr *rtnl_msg_way_del(struct rtnl_msg *m, uint32_t table, const struct rtnl_way *w);

/**
 * rtnl_msg_rule_add() - Message: look a source up in a table
 * @m:		Room
 * @from:	Source
 * @table:	Table
 * @priority:	Place among the rules; main is 32766
 *
 * The rule is marked as ours (FRA_PROTOCOL).
 *
 * Return: the message, in @m; the kernel says -EEXIST when it is there
 */
struct nlmsghdr *rtnl_msg_rule_add(struct rtnl_msg *m, struct prefix from, uint32_t table,
				   uint32_t priority);

/**
 * rtnl_msg_rule_del() - Message: delete a rule of ours to a table, whichever is first
 * @m:		Room
 * @af:		AF_V4 or AF_V6
 * @table:	Table
 *
 * Return: the message, in @m; the kernel says -ENOENT when there is none left
 */
struct nlmsghdr *rtnl_msg_rule_del(struct rtnl_msg *m, uint8_t af, uint32_t table);

/** rtnl_msg_link_mtu() - Message: set the longest packet of a link */
struct nlmsghdr *rtnl_msg_link_mtu(struct rtnl_msg *m, uint32_t index, uint32_t mtu_bytes);

#endif /* NL_RTNL_RULE_H */
