/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel tells of an address also when only its lifetime is renewed, with each
 * router advertisement.  So what is told is only a reason to look: rules are read
 * anew when the addresses themselves are others, whatever their order.  An interface
 * that is gone is gone for the sockets too, even when one of its name comes again.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "cli/nat_run.h"
#include "nl/rtnl.h"

#define LIST_BYTES	(1u << 20)	/* memory of a list of addresses */

static const char *inside(const struct nat_run *r)
{
	return r->plan.tun != NULL ? r->plan.tun : r->plan.inside;
}

/* The addresses of the outside interface as a number that another set hardly has */
static int look(struct nat_run *r, uint64_t *ret)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	CLEANUP(arena_fini) struct arena a;
	struct rtnl_addrs all = { .list = { .n = 0 } };
	uint64_t sum = 0;
	int err = nl_open(&s, NETLINK_ROUTE);

	arena_init(&a, LIST_BYTES);
	if (err == 0)
		err = rtnl_addrs_read(&s, &a, &all);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < all.list.n; i++) {
		const struct rtnl_addr *x = &all.list.v[i];
		const u128 v = x->p.a.v ^ x->p.len;

		if (x->ifindex == r->index[NAT_OUTSIDE] && !addr_is_linklocal(x->p.a))
			sum += ((uint64_t)v ^ (uint64_t)(v >> 64) * 31 ^ x->p.a.af) *
			       UINT64_C(0x9e3779b97f4a7c15);
	}
	*ret = sum;
	return 0;
}

int nat_addrs_open(struct nat_run *r)
{
	int err = nl_open(&r->route, NETLINK_ROUTE);

	if (err == 0)
		err = nl_join(&r->route, RTNLGRP_IPV4_IFADDR);
	if (err == 0)
		err = nl_join(&r->route, RTNLGRP_IPV6_IFADDR);
	if (err == 0)
		err = nl_join(&r->route, RTNLGRP_LINK);
	r->index[NAT_INSIDE] = if_nametoindex(inside(r));
	r->index[NAT_OUTSIDE] = if_nametoindex(r->plan.outside);
	return err == 0 ? look(r, &r->addrs) : err;
}

bool nat_addrs_hear(struct nat_run *r)
{
	uint64_t now;
	size_t len;
	int err;

	/* Whatever it says, and what was lost too */
	do {
		err = nl_receive(&r->route, MSG_DONTWAIT, &len);
	} while (err == 0 || err == -ENOBUFS);
	if (look(r, &now) < 0 || now == r->addrs)
		return false;
	r->addrs = now;
	return true;
}

const char *nat_addrs_gone(const struct nat_run *r)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(r->index[NAT_INSIDE], name) == NULL)
		return inside(r);
	return if_indextoname(r->index[NAT_OUTSIDE], name) == NULL ? r->plan.outside : NULL;
}
