/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/rtnl.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "nl/rtnl_put.h"

#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS	(1 << 3)
#endif
#define ADDR_GEN_MODE_NONE	1u	/* IN6_ADDR_GEN_MODE_NONE; its header clashes with libc's */

/**
 * struct list - Where a dump puts what it reads
 * @a:		Memory
 * @ret:	struct rtnl_links, struct rtnl_addrs or struct rtnl_route
 * @af:		Family of a route
 */
struct list {
	struct arena *a;
	void *ret;
	uint8_t af;
};

/* Puts attributes by type into an array; those above @max are dropped */
static void index_attrs(const struct nlmsghdr *msg, size_t skip, const struct nlattr **tb,
			uint16_t max)
{
	const struct nlattr *attr;

	memset(tb, 0, (max + 1u) * sizeof(*tb));
	mnl_attr_for_each(attr, msg, skip)
		if (mnl_attr_get_type(attr) <= max)
			tb[mnl_attr_get_type(attr)] = attr;
}

static uint32_t get_u32(const struct nlattr *attr)
{
	return attr != NULL && mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

static uint8_t get_u8(const struct nlattr *attr)
{
	return attr != NULL && mnl_attr_get_payload_len(attr) >= 1 ? mnl_attr_get_u8(attr) : 0;
}

static void get_text(const struct nlattr *attr, char *out, size_t size)
{
	out[0] = '\0';
	if (attr != NULL)
		snprintf(out, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
			 mnl_attr_get_str(attr));
}

static int take_link(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	struct rtnl_links *links = l->ret;
	const struct nlattr *tb[IFLA_GROUP + 1], *info;
	const struct ifinfomsg *ifi;
	struct rtnl_link *k;

	if (msg == NULL) {
		links->list.n = 0;
		return 0;
	}
	if (msg->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(msg) < sizeof(*ifi))
		return 0;
	ifi = mnl_nlmsg_get_payload(msg);
	index_attrs(msg, sizeof(*ifi), tb, IFLA_GROUP);
	k = vec_push(l->a, &links->list);
	*k = (struct rtnl_link){
		.index = (uint32_t)ifi->ifi_index,
		.flags = ifi->ifi_flags,
		.operstate = get_u8(tb[IFLA_OPERSTATE]),
		.group = get_u32(tb[IFLA_GROUP]),
		.master = get_u32(tb[IFLA_MASTER]),
		.lower = get_u32(tb[IFLA_LINK]),
	};
	get_text(tb[IFLA_IFNAME], k->name, sizeof(k->name));
	get_text(tb[IFLA_IFALIAS], k->alias, sizeof(k->alias));
	if (tb[IFLA_LINKINFO] != NULL)
		mnl_attr_for_each_nested(info, tb[IFLA_LINKINFO])
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND)
				get_text(info, k->kind, sizeof(k->kind));
	return 0;
}

int rtnl_links_read(struct nl_session *s, struct arena *a, struct rtnl_links *ret)
{
	struct rtnl_links links = { 0 };
	struct list l = { .a = a, .ret = &links };
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_start(&m, RTM_GETLINK, 0);
	int err;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	err = nl_dump(s, msg, take_link, &l);
	if (err == 0)
		*ret = links;
	return err;
}

static int take_addr(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	struct rtnl_addrs *addrs = l->ret;
	const struct nlattr *tb[IFA_PROTO + 1];
	const struct ifaddrmsg *ifa;
	struct rtnl_addr *x;
	struct addr local, other;
	uint8_t af;

	if (msg == NULL) {
		addrs->list.n = 0;
		return 0;
	}
	if (msg->nlmsg_type != RTM_NEWADDR || mnl_nlmsg_get_payload_len(msg) < sizeof(*ifa))
		return 0;
	ifa = mnl_nlmsg_get_payload(msg);
	af = rtnl_af(ifa->ifa_family);
	if (af == AF_NONE)
		return 0;
	index_attrs(msg, sizeof(*ifa), tb, IFA_PROTO);
	other = rtnl_get_addr(tb[IFA_ADDRESS], af);
	local = tb[IFA_LOCAL] != NULL ? rtnl_get_addr(tb[IFA_LOCAL], af) : other;
	x = vec_push(l->a, &addrs->list);
	*x = (struct rtnl_addr){
		.ifindex = ifa->ifa_index,
		.p = { local, ifa->ifa_prefixlen },
		.flags = tb[IFA_FLAGS] != NULL ? get_u32(tb[IFA_FLAGS]) : ifa->ifa_flags,
		.proto = get_u8(tb[IFA_PROTO]),
		.scope = ifa->ifa_scope,
	};
	if (!addr_equal(local, other))
		x->peer = other;
	get_text(tb[IFA_LABEL], x->label, sizeof(x->label));
	return 0;
}

int rtnl_addrs_read(struct nl_session *s, struct arena *a, struct rtnl_addrs *ret)
{
	struct rtnl_addrs addrs = { 0 };
	struct list l = { .a = a, .ret = &addrs };
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_start(&m, RTM_GETADDR, 0);
	int err;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifaddrmsg));
	err = nl_dump(s, msg, take_addr, &l);
	if (err == 0)
		*ret = addrs;
	return err;
}

/* RTA_VIA: family, then the address */
static struct addr get_via(const struct nlattr *attr)
{
	const uint8_t *p = mnl_attr_get_payload(attr);
	const size_t len = mnl_attr_get_payload_len(attr);
	sa_family_t family;
	uint8_t af;

	if (len < sizeof(family))
		return (struct addr){ AF_NONE, 0 };
	memcpy(&family, p, sizeof(family));
	af = rtnl_af((uint8_t)family);
	if (af == AF_NONE || len < sizeof(family) + addr_bits(af) / 8)
		return (struct addr){ AF_NONE, 0 };
	return addr_from_bytes(af, p + sizeof(family));
}

static void take_hop_attr(const struct nlattr *attr, struct rtnl_route *r)
{
	switch (mnl_attr_get_type(attr)) {
	case RTA_OIF:
		r->ifindex = get_u32(attr);
		break;
	case RTA_GATEWAY:
		r->via = rtnl_get_addr(attr, r->af);
		break;
	case RTA_VIA:
		r->via = get_via(attr);
		break;
	case RTA_PRIORITY:
		r->metric = get_u32(attr);
		break;
	default:
		break;
	}
}

/* The first of several gateways */
static void take_first_hop(const struct nlattr *multipath, struct rtnl_route *r)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(multipath);
	const struct nlattr *attr;

	if (mnl_attr_get_payload_len(multipath) < sizeof(*hop) ||
	    hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > mnl_attr_get_payload_len(multipath))
		return;
	r->ifindex = (uint32_t)hop->rtnh_ifindex;
	for (attr = (const struct nlattr *)(hop + 1);
	     mnl_attr_ok(attr, (int)((const char *)hop + hop->rtnh_len - (const char *)attr));
	     attr = mnl_attr_next(attr))
		take_hop_attr(attr, r);
}

static int take_route(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	struct rtnl_route *best = l->ret, r = { .af = l->af };
	const struct nlattr *tb[RTA_VIA + 1];
	const struct rtmsg *rtm;

	if (msg == NULL) {
		*best = (struct rtnl_route){ .af = AF_NONE };
		return 0;
	}
	if (msg->nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(msg) < sizeof(*rtm))
		return 0;
	rtm = mnl_nlmsg_get_payload(msg);
	index_attrs(msg, sizeof(*rtm), tb, RTA_VIA);
	if (rtm->rtm_family != rtnl_family(l->af) || rtm->rtm_dst_len != 0 ||
	    rtm->rtm_table != RT_TABLE_MAIN || rtm->rtm_type != RTN_UNICAST ||
	    (rtm->rtm_flags & RTM_F_CLONED) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(tb); i++)
		if (tb[i] != NULL)
			take_hop_attr(tb[i], &r);
	if (tb[RTA_MULTIPATH] != NULL)
		take_first_hop(tb[RTA_MULTIPATH], &r);
	r.proto = rtm->rtm_protocol;
	if (best->af == AF_NONE || r.metric < best->metric)
		*best = r;
	return 0;
}

int rtnl_default_read(struct nl_session *s, uint8_t af, struct rtnl_route *ret)
{
	struct rtnl_route best = { .af = AF_NONE };
	struct list l = { .ret = &best, .af = af };
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_start(&m, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	int err;

	rtm->rtm_family = rtnl_family(af);
	rtm->rtm_table = RT_TABLE_MAIN;
	err = nl_dump(s, msg, take_route, &l);
	/* The main table is made with its first route */
	if (err == -ENOENT)
		err = 0;
	if (err == 0)
		*ret = best;
	return err;
}

const struct rtnl_link *rtnl_link_find(const struct rtnl_links *ls, const char *name)
{
	for (uint32_t i = 0; i < ls->list.n; i++)
		if (strcmp(ls->list.v[i].name, name) == 0)
			return &ls->list.v[i];
	return NULL;
}

const struct rtnl_link *rtnl_link_vlan(const struct rtnl_links *ls, uint32_t index)
{
	for (uint32_t i = 0; i < ls->list.n; i++)
		if (ls->list.v[i].lower == index && strcmp(ls->list.v[i].kind, "vlan") == 0)
			return &ls->list.v[i];
	return NULL;
}

const struct rtnl_link *rtnl_link_at(const struct rtnl_links *ls, uint32_t index)
{
	for (uint32_t i = 0; i < ls->list.n; i++)
		if (ls->list.v[i].index == index)
			return &ls->list.v[i];
	return NULL;
}

struct nlmsghdr *rtnl_msg_link_add(struct rtnl_msg *m, const char *name, const char *kind)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, &ifi);
	struct nlattr *info, *data;

	BUG_IF(strlen(name) >= RTNL_NAME_BYTES || strlen(kind) >= RTNL_NAME_BYTES);
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	mnl_attr_put_u32(msg, IFLA_GROUP, RTNL_LINK_GROUP);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, kind);
	if (strcmp(kind, "bridge") == 0) {
		data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
		mnl_attr_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0);
		mnl_attr_nest_end(msg, data);
	}
	mnl_attr_nest_end(msg, info);
	return msg;
}

struct nlmsghdr *rtnl_msg_link_mark(struct rtnl_msg *m, uint32_t index, bool no_linklocal)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, &ifi);

	mnl_attr_put_strz(msg, IFLA_IFALIAS, RTNL_LINK_ALIAS);
	if (no_linklocal) {
		struct nlattr *spec = mnl_attr_nest_start(msg, IFLA_AF_SPEC);
		struct nlattr *inet6 = mnl_attr_nest_start(msg, AF_INET6);

		mnl_attr_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE);
		mnl_attr_nest_end(msg, inet6);
		mnl_attr_nest_end(msg, spec);
	}
	return msg;
}

struct nlmsghdr *rtnl_msg_link_set_up(struct rtnl_msg *m, uint32_t index, bool is_up)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, &ifi);

	ifi->ifi_flags = is_up ? IFF_UP : 0;
	ifi->ifi_change = IFF_UP;
	return msg;
}

struct nlmsghdr *rtnl_msg_link_del(struct rtnl_msg *m, uint32_t index)
{
	struct ifinfomsg *ifi;

	return rtnl_put_link(m, RTM_DELLINK, 0, index, &ifi);
}

static struct nlmsghdr *put_addr_message(struct rtnl_msg *m, uint16_t type, uint16_t flags,
					 const struct rtnl_addr *x)
{
	const bool has_peer = x->peer.af != AF_NONE;
	struct nlmsghdr *msg = rtnl_put_start(m, type, flags);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(msg, sizeof(*ifa));

	ifa->ifa_family = rtnl_family(x->p.a.af);
	ifa->ifa_prefixlen = x->p.len;
	ifa->ifa_index = x->ifindex;
	ifa->ifa_scope = addr_is_loopback(x->p.a) ? RT_SCOPE_HOST : x->scope;
	rtnl_put_addr(msg, IFA_LOCAL, x->p.a);
	rtnl_put_addr(msg, IFA_ADDRESS, has_peer ? x->peer : x->p.a);
	return msg;
}

struct nlmsghdr *rtnl_msg_addr_add(struct rtnl_msg *m, const struct rtnl_addr *addr)
{
	struct nlmsghdr *msg = put_addr_message(m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, addr);

	if (addr->p.a.af == AF_V6)
		mnl_attr_put_u32(msg, IFA_FLAGS, IFA_F_NODAD);
	if (addr->proto != 0)
		mnl_attr_put_u8(msg, IFA_PROTO, addr->proto);
	return msg;
}

struct nlmsghdr *rtnl_msg_addr_del(struct rtnl_msg *m, const struct rtnl_addr *addr)
{
	return put_addr_message(m, RTM_DELADDR, 0, addr);
}
