/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * have - what the namespace holds now, and which of it is ours
 *
 * The kernel itself says what is ours: addresses by IFA_PROTO, links by their
 * ifalias (and, for the moment between their creation and that, by their
 * group).
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 change anything.
 * Threads:	 none.
 */
#ifndef HOST_HAVE_H
#define HOST_HAVE_H

#include "host/state.h"
#include "host/sysctl.h"
#include "nl/rtnl.h"

struct addr_index;

/**
 * struct host_live - What rtnetlink says of the namespace
 * @links:	All links
 * @addrs:	All addresses
 * @route4:	IPv4 default route
 * @route6:	IPv6 default route
 */
struct host_live {
	struct rtnl_links links;
	struct rtnl_addrs addrs;
	struct rtnl_route route4;
	struct rtnl_route route6;
};

/**
 * host_live_read() - Ask the kernel for all of it
 * @s:		Session of NETLINK_ROUTE
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int host_live_read(struct nl_session *s, struct arena *a, struct host_live *ret);

/**
 * struct host_have - What there is
 * @links:	All links
 * @addrs:	All addresses
 * @by_addr:	Places in @addrs, by address
 * @route6:	IPv6 default route
 * @settings:	Settings that can be wanted, of those that the kernel has
 * @no_ip6:	Links with IPv6 turned off; "default" stands for links to come
 * @saved:	What the state directory says of settings
 * @is_saved_lost: Something of ours is there, but no (sound) record of
 *		settings; a caller that knows of rules of ours may set it too
 * @is_saved_there: There is a sound record, perhaps an empty one
 */
struct host_have {
	struct rtnl_links links;
	struct rtnl_addrs addrs;
	const struct addr_index *by_addr;
	struct rtnl_route route6;
	struct sysctls settings;
	VEC(const char *) no_ip6;
	struct sysctl_state saved;
	bool is_saved_lost;
	bool is_saved_there;
};

/**
 * host_have_read() - Read the current network namespace
 * @s:		Session of NETLINK_ROUTE
 * @st:		State, open for reading or writing; NULL: there is none
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno of netlink, /proc/sys or the state
 */
MUST_USE int host_have_read(struct nl_session *s, const struct state *st, struct arena *a,
			    struct host_have *ret);

/**
 * host_have_of() - The same, of what was read of rtnetlink a moment ago
 * @live:	That; its lists are shared
 * @st:		As for host_have_read()
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno of /proc/sys or the state
 */
MUST_USE int host_have_of(const struct host_live *live, const struct state *st, struct arena *a,
			  struct host_have *ret);

/** host_have_index() - Fill in @h->by_addr, when @h was made by hand */
void host_have_index(struct host_have *h, struct arena *a);

/** host_has_ip6() - May the link @name, there or yet to be made, have IPv6 addresses */
bool host_has_ip6(const struct host_have *h, const char *name);

/** host_is_our_link() - Did we make this link */
bool host_is_our_link(const struct rtnl_link *l);

/** host_is_our_addr() - Did we set this address */
bool host_is_our_addr(const struct rtnl_addr *x);

/** host_is_kernel_addr() - Set by the kernel itself (link-local), nobody's */
bool host_is_kernel_addr(const struct rtnl_addr *x);

#endif /* HOST_HAVE_H */
