/* SPDX-License-Identifier: BSD-2-Clause */
#include "diff_net.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nl/batch.h"
#include "nl/rtnl.h"

#define MAC_BYTES	6
#define WATCH_TABLE	"difftest"

static struct nlmsghdr *start_link(struct rtnl_msg *m, const char *name)
{
	struct nlmsghdr *msg;

	memset(m, 0, sizeof(*m));
	msg = mnl_nlmsg_put_header(m);
	msg->nlmsg_type = RTM_NEWLINK;
	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, name);
	return msg;
}

int lab_net_veth(struct nl_session *s, const char *name, const uint8_t *mac, const char *peer,
		 const uint8_t *peer_mac, int ns)
{
	struct rtnl_msg m;
	struct nlmsghdr *msg = start_link(&m, name);
	struct nlattr *info, *data, *other;

	mnl_attr_put(msg, IFLA_ADDRESS, MAC_BYTES, mac);
	info = mnl_attr_nest_start(msg, IFLA_LINKINFO);
	mnl_attr_put_str(msg, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(msg, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(msg, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(msg, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(msg, IFLA_IFNAME, peer);
	mnl_attr_put(msg, IFLA_ADDRESS, MAC_BYTES, peer_mac);
	mnl_attr_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)ns);
	mnl_attr_nest_end(msg, other);
	mnl_attr_nest_end(msg, data);
	mnl_attr_nest_end(msg, info);
	return nl_talk(s, msg, NULL, NULL);
}

int lab_net_bridge(struct nl_session *s, const char *name)
{
	struct rtnl_msg m;

	return nl_talk(s, rtnl_msg_link_add(&m, name, "bridge"), NULL, NULL);
}

int lab_net_up(struct nl_session *s, const char *name)
{
	struct rtnl_msg m;

	return nl_talk(s, rtnl_msg_link_set_up(&m, if_nametoindex(name), true), NULL, NULL);
}

int lab_net_running(const char *name)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_flags = 0 };
	int err = fd < 0 ? -errno : -ETIMEDOUT;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	for (uint32_t ms = 0; err == -ETIMEDOUT && ms < 10000; ms++) {
		if (ioctl(fd, SIOCGIFFLAGS, &r) < 0)
			err = -errno;
		else if ((r.ifr_flags & IFF_RUNNING) != 0)
			err = 0;
		else
			(void)poll(NULL, 0, 1);
	}
	if (fd >= 0)
		close(fd);
	return err;
}

int lab_net_addr(struct nl_session *s, const char *name, struct prefix p)
{
	const struct rtnl_addr a = { .ifindex = if_nametoindex(name), .p = p };
	struct rtnl_msg m;

	return nl_talk(s, rtnl_msg_addr_add(&m, &a), NULL, NULL);
}

static void put_addr(struct nlmsghdr *msg, uint16_t type, struct addr a)
{
	uint8_t bytes[16];
	const size_t len = addr_to_bytes(a, bytes);

	mnl_attr_put(msg, type, len, bytes);
}

static uint8_t family_of(struct addr a)
{
	return a.af == AF_V4 ? AF_INET : AF_INET6;
}

int lab_net_neigh(struct nl_session *s, const char *name, struct addr a, const uint8_t *mac)
{
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct ndmsg *nd;

	msg->nlmsg_type = RTM_NEWNEIGH;
	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));
	nd->ndm_family = family_of(a);
	nd->ndm_ifindex = (int)if_nametoindex(name);
	nd->ndm_state = NUD_PERMANENT;
	put_addr(msg, NDA_DST, a);
	mnl_attr_put(msg, NDA_LLADDR, MAC_BYTES, mac);
	return nl_talk(s, msg, NULL, NULL);
}

int lab_net_route(struct nl_session *s, const char *name, const struct lab_route *r)
{
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct rtmsg *rt;

	msg->nlmsg_type = RTM_NEWROUTE;
	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	rt = mnl_nlmsg_put_extra_header(msg, sizeof(*rt));
	rt->rtm_family = family_of(r->via);
	rt->rtm_dst_len = r->to.len;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = RT_SCOPE_UNIVERSE;
	rt->rtm_type = RTN_UNICAST;
	if (r->to.len > 0)
		put_addr(msg, RTA_DST, r->to.a);
	put_addr(msg, RTA_GATEWAY, r->via);
	mnl_attr_put_u32(msg, RTA_OIF, if_nametoindex(name));
	return nl_talk(s, msg, NULL, NULL);
}

int lab_net_sysctl(const char *path, const char *value)
{
	char file[256];
	int fd CLEANUP(base_fd_close) = -1;

	snprintf(file, sizeof(file), "/proc/sys/net/%s", path);
	fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static struct nftnl_expr *add_expr(struct nftnl_rule *r, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	BUG_IF(e == NULL);
	nftnl_rule_add_expr(r, e);
	return e;
}

static void put_hdr(struct nl_batch *b, uint16_t type, uint16_t flags, struct nlmsghdr **ret)
{
	BUG_IF(nl_batch_add(b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, NFPROTO_INET,
			    0, ret) < 0);
}

static void put_chain(struct nl_batch *b, const char *name, uint32_t hook, int32_t prio,
		      uint32_t policy)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *msg;

	BUG_IF(c == NULL);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, WATCH_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, prio);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, policy);
	put_hdr(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, &msg);
	nftnl_chain_nlmsg_build_payload(msg, c);
	nftnl_chain_free(c);
}

/* [meta l4proto @proto] log group @group, and drop */
static void put_rule(struct nl_batch *b, const char *chain, int proto, uint16_t group)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *msg;
	struct nftnl_expr *e;

	BUG_IF(r == NULL);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, WATCH_TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	if (proto >= 0) {
		const uint8_t value = (uint8_t)proto;

		e = add_expr(r, "meta");
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_L4PROTO);
		nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
		e = add_expr(r, "cmp");
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
		nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
		nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, &value, sizeof(value));
	}
	e = add_expr(r, "log");
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, group);
	e = add_expr(r, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, NF_DROP);
	put_hdr(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, &msg);
	nftnl_rule_nlmsg_build_payload(msg, r);
	nftnl_rule_free(r);
}

/*
 * The chain in the input hook has conntrack's last priority and is there before
 * conntrack is: of two hooks with one priority the older runs last.  So what is
 * dropped in it has been remembered already.
 */
int lab_net_watch(struct nl_session *nft, uint16_t group)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	struct nftnl_table *t = nftnl_table_alloc();
	struct nl_batch_result result;
	struct nlmsghdr *msg;

	BUG_IF(t == NULL);
	nl_batch_init(&b);
	BUG_IF(nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0) < 0);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, WATCH_TABLE);
	put_hdr(&b, NFT_MSG_NEWTABLE, NLM_F_CREATE, &msg);
	nftnl_table_nlmsg_build_payload(msg, t);
	nftnl_table_free(t);
	put_chain(&b, "input", NF_INET_LOCAL_IN, INT_MAX, NF_DROP);
	put_chain(&b, "prerouting", NF_INET_PRE_ROUTING, -1000, NF_ACCEPT);
	put_rule(&b, "input", -1, group);
	put_rule(&b, "prerouting", (int)LAB_BARRIER_PROTO, group);
	return nl_batch_send(&b, nft, &result);
}

static int config_log(struct nl_session *s, uint16_t group)
{
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = __builtin_bswap32(0xffff), .copy_mode = NFULNL_COPY_PACKET,
	};
	const struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct nfgenmsg *nfg;

	msg->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->nfgen_family = AF_UNSPEC;
	nfg->res_id = __builtin_bswap16(group);
	mnl_attr_put(msg, NFULA_CFG_CMD, sizeof(bind), &bind);
	mnl_attr_put(msg, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(msg, NFULA_CFG_QTHRESH, __builtin_bswap32(1));
	return nl_talk(s, msg, NULL, NULL);
}

int lab_net_log(uint16_t group)
{
	static struct nl_session s;
	const int bytes = 8 << 20;
	int err = nl_open(&s, NETLINK_NETFILTER);

	if (err < 0)
		return err;
	if (setsockopt(s.fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(s.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	err = config_log(&s, group);
	if (err < 0) {
		nl_close(&s);
		return err;
	}
	return base_take_fd(&s.fd);
}
