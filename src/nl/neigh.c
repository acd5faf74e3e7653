/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/neigh.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define SILENT	(NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP)

/* Where a dump puts what it reads */
struct list {
	struct arena *a;
	struct neighs *ret;
};

static int take(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	const struct ndmsg *nd;
	const struct nlattr *attr;
	uint8_t af;

	if (msg == NULL) {
		l->ret->list.n = 0;
		return 0;
	}
	if (msg->nlmsg_type != RTM_NEWNEIGH || mnl_nlmsg_get_payload_len(msg) < sizeof(*nd))
		return 0;
	nd = mnl_nlmsg_get_payload(msg);
	af = nd->ndm_family == AF_INET ? AF_V4 : nd->ndm_family == AF_INET6 ? AF_V6 : AF_NONE;
	if (af == AF_NONE || (nd->ndm_state & SILENT) != 0 || nd->ndm_state == 0)
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(*nd))
		if (mnl_attr_get_type(attr) == NDA_DST &&
		    mnl_attr_get_payload_len(attr) == addr_bits(af) / 8)
			vec_add(l->a, &l->ret->list, ((struct neigh){
				(uint32_t)nd->ndm_ifindex,
				addr_from_bytes(af, mnl_attr_get_payload(attr)) }));
	return 0;
}

int neighs_read(struct nl_session *s, struct arena *a, struct neighs *ret)
{
	_Alignas(struct nlmsghdr) uint8_t buf[MNL_NLMSG_HDRLEN + sizeof(struct ndmsg) + 16] = { 0 };
	struct neighs neighs = { .list = { .n = 0 } };
	struct list l = { .a = a, .ret = &neighs };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	int err;

	msg->nlmsg_type = RTM_GETNEIGH;
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ndmsg));
	err = nl_dump(s, msg, take, &l);
	if (err == 0)
		*ret = neighs;
	return err;
}
