/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/rtnl_rule.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <string.h>

#include "nl/rtnl_put.h"

#define OURS	RTNL_ADDR_PROTO		/* rtm_protocol and FRA_PROTOCOL, as of our addresses */

/* Where a dump puts what it reads */
struct list {
	struct arena *a;
	struct rtnl_ways *ret;
	uint32_t table;
};

static void take_attr(const struct nlattr *attr, uint8_t af, struct rtnl_way *w, uint32_t *table)
{
	const bool is_number = mnl_attr_get_payload_len(attr) >= sizeof(uint32_t);
	const struct rtnexthop *hop;

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		w->dst.a = rtnl_get_addr(attr, af);
		break;
	case RTA_GATEWAY:
		w->via = rtnl_get_addr(attr, af);
		break;
	case RTA_OIF:
		w->ifindex = is_number ? mnl_attr_get_u32(attr) : 0;
		break;
	case RTA_PRIORITY:
		w->metric = is_number ? mnl_attr_get_u32(attr) : 0;
		break;
	case RTA_TABLE:
		*table = is_number ? mnl_attr_get_u32(attr) : 0;
		break;
	case RTA_MULTIPATH:
		hop = mnl_attr_get_payload(attr);
		if (mnl_attr_get_payload_len(attr) < sizeof(*hop) ||
		    hop->rtnh_len > mnl_attr_get_payload_len(attr) ||
		    hop->rtnh_len < sizeof(*hop))
			break;
		w->ifindex = (uint32_t)hop->rtnh_ifindex;
		for (const struct nlattr *in = (const struct nlattr *)(hop + 1);
		     mnl_attr_ok(in, (int)((const char *)hop + hop->rtnh_len - (const char *)in));
		     in = mnl_attr_next(in))
			if (mnl_attr_get_type(in) == RTA_GATEWAY)
				w->via = rtnl_get_addr(in, af);
		break;
	default:
		break;
	}
}

static enum rtnl_way_kind kind_of(uint8_t type)
{
	return type == RTN_UNICAST ? RTNL_WAY_OUT : type == RTN_THROW ? RTNL_WAY_THROW :
	       type == RTN_UNREACHABLE ? RTNL_WAY_NOWHERE : RTNL_WAY_OTHER;
}

int rtnl_way_parse(const struct nlmsghdr *msg, uint32_t table, struct rtnl_way *ret)
{
	const struct rtmsg *rtm;
	const struct nlattr *attr;
	struct rtnl_way w = { .via = { AF_NONE, 0 } };
	uint32_t its_table;
	uint8_t af;

	if ((msg->nlmsg_type != RTM_NEWROUTE && msg->nlmsg_type != RTM_DELROUTE) ||
	    mnl_nlmsg_get_payload_len(msg) < sizeof(*rtm))
		return -ENOMSG;
	rtm = mnl_nlmsg_get_payload(msg);
	af = rtnl_af(rtm->rtm_family);
	if (af == AF_NONE || (rtm->rtm_flags & RTM_F_CLONED) != 0)
		return -ENOMSG;
	its_table = rtm->rtm_table;
	w.dst = (struct prefix){ { af, 0 }, rtm->rtm_dst_len };
	w.kind = kind_of(rtm->rtm_type);
	w.is_ours = rtm->rtm_protocol == RTNL_ADDR_PROTO;
	mnl_attr_for_each(attr, msg, sizeof(*rtm))
		take_attr(attr, af, &w, &its_table);
	if (its_table != table || w.dst.a.af != af || w.dst.len > addr_bits(af))
		return -ENOMSG;
	*ret = w;
	return msg->nlmsg_type == RTM_NEWROUTE;
}

static int take_way(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	struct rtnl_way w;

	if (msg == NULL)
		l->ret->list.n = 0;
	else if (rtnl_way_parse(msg, l->table, &w) == 1)
		vec_add(l->a, &l->ret->list, w);
	return 0;
}

int rtnl_ways_ask(struct nl_session *s, uint8_t af, uint32_t table, nl_each_fn *each, void *arg)
{
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_start(&m, RTM_GETROUTE, 0);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	int err;

	rtm->rtm_family = rtnl_family(af);
	mnl_attr_put_u32(msg, RTA_TABLE, table);
	err = nl_dump(s, msg, each, arg);
	/* A table is made with its first route */
	return err == -ENOENT ? 0 : err;
}

int rtnl_ways_read(struct nl_session *s, uint8_t af, uint32_t table, struct arena *a,
		   struct rtnl_ways *ret)
{
	struct rtnl_ways ways = { .list = { .n = 0 } };
	struct list l = { .a = a, .ret = &ways, .table = table };
	const int err = rtnl_ways_ask(s, af, table, take_way, &l);

	if (err == 0)
		*ret = ways;
	return err;
}

static struct nlmsghdr *put_way(struct rtnl_msg *m, uint16_t type, uint16_t flags, uint32_t table,
				const struct rtnl_way *w)
{
	static const uint8_t types[] = {
		[RTNL_WAY_OUT] = RTN_UNICAST, [RTNL_WAY_THROW] = RTN_THROW,
		[RTNL_WAY_NOWHERE] = RTN_UNREACHABLE,
	};
	struct nlmsghdr *msg = rtnl_put_start(m, type, flags);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));

	BUG_IF(w->kind == RTNL_WAY_OTHER);
	rtm->rtm_family = rtnl_family(w->dst.a.af);
	rtm->rtm_dst_len = w->dst.len;
	rtm->rtm_protocol = OURS;
	rtm->rtm_type = types[w->kind];
	rtm->rtm_scope = w->dst.a.af == AF_V4 && w->kind == RTNL_WAY_OUT && w->via.af == AF_NONE ?
			 RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (w->dst.len > 0)
		rtnl_put_addr(msg, RTA_DST, prefix_first(w->dst));
	if (w->kind == RTNL_WAY_OUT)
		mnl_attr_put_u32(msg, RTA_OIF, w->ifindex);
	if (w->via.af != AF_NONE)
		rtnl_put_addr(msg, RTA_GATEWAY, w->via);
	mnl_attr_put_u32(msg, RTA_TABLE, table);
	mnl_attr_put_u32(msg, RTA_PRIORITY, w->metric);
	return msg;
}

struct nlmsghdr *rtnl_msg_way_add(struct rtnl_msg *m, uint32_t table, const struct rtnl_way *w)
{
	return put_way(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, table, w);
}

struct nlmsghdr *rtnl_msg_way_del(struct rtnl_msg *m, uint32_t table, const struct rtnl_way *w)
{
	return put_way(m, RTM_DELROUTE, 0, table, w);
}

static struct nlmsghdr *start_rule(struct rtnl_msg *m, uint16_t type, uint16_t flags, uint8_t af,
				   uint32_t table, struct fib_rule_hdr **ret)
{
	struct nlmsghdr *msg = rtnl_put_start(m, type, flags);

	*ret = mnl_nlmsg_put_extra_header(msg, sizeof(**ret));
	(*ret)->family = rtnl_family(af);
	(*ret)->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(msg, FRA_TABLE, table);
	mnl_attr_put_u8(msg, FRA_PROTOCOL, OURS);
	return msg;
}

struct nlmsghdr *rtnl_msg_rule_add(struct rtnl_msg *m, struct prefix from, uint32_t table,
				   uint32_t priority)
{
	struct fib_rule_hdr *frh;
	struct nlmsghdr *msg = start_rule(m, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, from.a.af,
					  table, &frh);

	frh->src_len = from.len;
	if (from.len > 0)
		rtnl_put_addr(msg, FRA_SRC, prefix_first(from));
	mnl_attr_put_u32(msg, FRA_PRIORITY, priority);
	return msg;
}

struct nlmsghdr *rtnl_msg_rule_del(struct rtnl_msg *m, uint8_t af, uint32_t table)
{
	struct fib_rule_hdr *frh;

	return start_rule(m, RTM_DELRULE, 0, af, table, &frh);
}

struct nlmsghdr *rtnl_msg_link_mtu(struct rtnl_msg *m, uint32_t index, uint32_t mtu_bytes)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, NULL);

	mnl_attr_put_u32(msg, IFLA_MTU, mtu_bytes);
	return msg;
}
