/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/rtnl_veth.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/net_namespace.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "nl/rtnl_put.h"

#define ROUTE_PROTO	RTNL_ADDR_PROTO		/* of our routes, as of our addresses */
#define METRIC_LAST	0x7fffffffu

static void take_end_attr(const struct nlattr *attr, struct rtnl_end *to)
{
	const uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(to->name, sizeof(to->name), "%.*s", (int)len, mnl_attr_get_str(attr));
		break;
	case IFLA_LINK:
		to->peer = len >= 4 ? mnl_attr_get_u32(attr) : 0;
		break;
	case IFLA_LINK_NETNSID:
		to->nsid = len >= 4 ? (int32_t)mnl_attr_get_u32(attr) : -1;
		break;
	case IFLA_ADDRESS:
		if (len == sizeof(to->mac))
			memcpy(to->mac, mnl_attr_get_payload(attr), len);
		break;
	default:
		break;
	}
}

static int take_end(const struct nlmsghdr *msg, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(msg);
	struct rtnl_end *to = arg;
	const struct nlattr *attr;

	if (msg->nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(msg) < sizeof(*ifi))
		return 0;
	to->index = (uint32_t)ifi->ifi_index;
	mnl_attr_for_each(attr, msg, sizeof(*ifi))
		take_end_attr(attr, to);
	return 0;
}

int rtnl_end_read(struct nl_session *s, const char *name, struct rtnl_end *ret)
{
	struct rtnl_end end = { .nsid = -1 };
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_link(&m, RTM_GETLINK, 0, 0, NULL);
	int err;

	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	err = nl_talk(s, msg, take_end, &end);
	if (err == 0)
		*ret = end;
	return err;
}

static int take_nsid(const struct nlmsghdr *msg, void *arg)
{
	const struct nlattr *attr;

	if (msg->nlmsg_type == RTM_NEWNSID)
		mnl_attr_for_each(attr, msg, sizeof(struct rtgenmsg))
			if (mnl_attr_get_type(attr) == NETNSA_NSID)
				*(int32_t *)arg = (int32_t)mnl_attr_get_u32(attr);
	return 0;
}

int rtnl_nsid(struct nl_session *s, int fd, int32_t *ret)
{
	int32_t nsid = -1;
	struct rtnl_msg m;
	struct nlmsghdr *msg = rtnl_put_start(&m, RTM_GETNSID, 0);
	int err;

	mnl_nlmsg_put_extra_header(msg, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(msg, NETNSA_FD, (uint32_t)fd);
	err = nl_talk(s, msg, take_nsid, &nsid);
	if (err == 0)
		*ret = nsid;
	return err;
}

struct nlmsghdr *rtnl_msg_veth_add(struct rtnl_msg *m, const char *name, uint32_t group,
				   const char *peer, int fd)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, NULL);
	struct nlattr *info, *data, *other;

	BUG_IF(strlen(name) >= RTNL_NAME_BYTES || strlen(peer) >= RTNL_NAME_BYTES);
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, peer);
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)fd);
	mnl_attr_nest_end(msg, other);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return msg;
}

struct nlmsghdr *rtnl_msg_bridge_add(struct rtnl_msg *m, const char *name, uint32_t group)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, NULL);
	struct nlattr *info, *data;

	BUG_IF(strlen(name) >= RTNL_NAME_BYTES);
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	mnl_attr_put_u8(msg, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return msg;
}

struct nlmsghdr *rtnl_msg_link_alias(struct rtnl_msg *m, uint32_t index, const char *alias)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, &ifi);

	BUG_IF(strlen(alias) >= RTNL_ALIAS_BYTES);
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	mnl_attr_put_strz(msg, IFLA_IFALIAS, alias);
	return msg;
}

struct nlmsghdr *rtnl_msg_link_master(struct rtnl_msg *m, uint32_t index, uint32_t master)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, NULL);

	mnl_attr_put_u32(msg, IFLA_MASTER, master);
	return msg;
}

struct nlmsghdr *rtnl_msg_port(struct rtnl_msg *m, uint32_t index, bool is_isolated,
			       bool is_locked)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_SETLINK, 0, index, &ifi);
	struct nlattr *port;

	ifi->ifi_family = AF_BRIDGE;
	port = mnl_attr_nest_start(msg, IFLA_PROTINFO);
	mnl_attr_put_u8(msg, IFLA_BRPORT_ISOLATED, is_isolated);
	mnl_attr_put_u8(msg, IFLA_BRPORT_LOCKED, is_locked);
	mnl_attr_nest_end(msg, port);
	port->nla_type |= NLA_F_NESTED;
	return msg;
}

struct nlmsghdr *rtnl_msg_fdb_add(struct rtnl_msg *m, uint32_t index, const uint8_t *mac)
{
	struct nlmsghdr *msg = rtnl_put_start(m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
	struct ndmsg *nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));

	nd->ndm_family = AF_BRIDGE;
	nd->ndm_ifindex = (int)index;
	nd->ndm_state = NUD_NOARP;
	nd->ndm_flags = NTF_MASTER;
	mnl_attr_put(msg, NDA_LLADDR, RTNL_MAC_BYTES, mac);
	return msg;
}

struct nlmsghdr *rtnl_msg_link_group(struct rtnl_msg *m, uint32_t index, uint32_t group)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_NEWLINK, 0, index, NULL);

	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	return msg;
}

struct nlmsghdr *rtnl_msg_group_del(struct rtnl_msg *m, uint32_t group)
{
	struct nlmsghdr *msg = rtnl_put_link(m, RTM_DELLINK, 0, 0, NULL);

	BUG_IF(group == 0);
	mnl_attr_put_u32(msg, IFLA_GROUP, group);
	return msg;
}

struct nlmsghdr *rtnl_msg_route_add(struct rtnl_msg *m, const struct rtnl_hop *hop)
{
	const bool is_v4 = hop->dst.a.af == AF_V4, is_direct = hop->via.af == AF_NONE;
	struct nlmsghdr *msg = rtnl_put_start(m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));

	rtm->rtm_family = rtnl_family(hop->dst.a.af);
	rtm->rtm_dst_len = hop->dst.len;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = ROUTE_PROTO;
	rtm->rtm_type = hop->is_unreachable ? RTN_UNREACHABLE : RTN_UNICAST;
	rtm->rtm_scope = is_v4 && is_direct && !hop->is_unreachable ? RT_SCOPE_LINK
								   : RT_SCOPE_UNIVERSE;
	if (hop->dst.len > 0)
		rtnl_put_addr(msg, RTA_DST, prefix_first(hop->dst));
	if (hop->is_unreachable) {
		mnl_attr_put_u32(msg, RTA_PRIORITY, METRIC_LAST);
		return msg;
	}
	if (!is_direct) {
		rtm->rtm_flags = RTNH_F_ONLINK;
		rtnl_put_addr(msg, RTA_GATEWAY, hop->via);
	}
	mnl_attr_put_u32(msg, RTA_OIF, hop->ifindex);
	return msg;
}
