/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/neigh.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <string.h>

#include "nl/rtnl_put.h"

#define SILENT	(NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP)

/* Where a dump puts what it reads */
struct list {
	struct arena *a;
	struct neighs *ret;
};

int neigh_parse(const struct nlmsghdr *msg, struct neigh *ret)
{
	const struct ndmsg *nd;
	const struct nlattr *attr;
	struct neigh n = { 0 };
	uint8_t af;

	if ((msg->nlmsg_type != RTM_NEWNEIGH && msg->nlmsg_type != RTM_DELNEIGH) ||
	    mnl_nlmsg_get_payload_len(msg) < sizeof(*nd))
		return -ENOMSG;
	nd = mnl_nlmsg_get_payload(msg);
	af = rtnl_af(nd->ndm_family);
	n.ifindex = (uint32_t)nd->ndm_ifindex;
	mnl_attr_for_each(attr, msg, sizeof(*nd)) {
		const size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) == NDA_DST && af != AF_NONE &&
		    len == addr_bits(af) / 8) {
			n.a = addr_from_bytes(af, mnl_attr_get_payload(attr));
		} else if (mnl_attr_get_type(attr) == NDA_LLADDR && len == sizeof(n.mac)) {
			n.has_mac = true;
			memcpy(n.mac, mnl_attr_get_payload(attr), len);
		}
	}
	if (n.a.af == AF_NONE)
		return -ENOMSG;
	n.has_mac &= msg->nlmsg_type == RTM_NEWNEIGH && nd->ndm_state != 0 &&
		     (nd->ndm_state & SILENT) == 0;
	*ret = n;
	return 0;
}

int neigh_ask(struct nl_session *s, nl_each_fn *each, void *arg)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MNL_NLMSG_HDRLEN + sizeof(struct ndmsg) + 16] = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);

	msg->nlmsg_type = RTM_GETNEIGH;
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ndmsg));
	return nl_dump(s, msg, each, arg);
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	const struct ndmsg *nd;
	struct neigh n;

	if (msg == NULL) {
		l->ret->list.n = 0;
		return 0;
	}
	if (neigh_parse(msg, &n) < 0)
		return 0;
	nd = mnl_nlmsg_get_payload(msg);
	if ((nd->ndm_state & SILENT) == 0 && nd->ndm_state != 0)
		vec_add(l->a, &l->ret->list, n);
	return 0;
}

int neighs_read(struct nl_session *s, struct arena *a, struct neighs *ret)
{
	struct neighs neighs = { .list = { .n = 0 } };
	struct list l = { .a = a, .ret = &neighs };
	const int err = neigh_ask(s, take, &l);

	if (err == 0)
		*ret = neighs;
	return err;
}
