/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libmnl alone: of the some sixty attributes of a flow we need a dozen, and
 * libnetfilter_conntrack would keep each flow in an object of its own on the heap.
 *
 * A flow is deleted by the tuple of its first packet and by its number: a new
 * flow may have the same tuple by then.
 */
#include "nl/conntrack.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define TCP_CLOSE_INIT	0x04u	/* IP_CT_TCP_FLAG_CLOSE_INIT, which headers leave out */

/* What a filter of a dump compares, which headers leave out (nf_internals.h) */
#define FILTER_IP_DST	0x02u
#define FILTER_PROTO	0x08u
#define FILTER_DPORT	0x20u

struct list {
	struct arena *a;
	uint32_t mark_any;
	struct conntrack_flows *ret;
};

static uint64_t get(const struct nlattr *attr)
{
	const uint8_t *b = mnl_attr_get_payload(attr);
	const uint16_t len = mnl_attr_get_payload_len(attr);
	uint64_t v = 0;

	for (uint16_t i = 0; i < len && i < sizeof(v); i++)
		v = v << 8 | b[i];
	return v;
}

static void get_ip(const struct nlattr *nest, struct conntrack_tuple *t)
{
	static const struct { uint16_t type; uint8_t af; bool is_dst; } rows[] = {
		{ CTA_IP_V4_SRC, AF_V4, false }, { CTA_IP_V4_DST, AF_V4, true },
		{ CTA_IP_V6_SRC, AF_V6, false }, { CTA_IP_V6_DST, AF_V6, true },
	};
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (mnl_attr_get_type(attr) == rows[i].type &&
			    mnl_attr_get_payload_len(attr) == addr_bits(rows[i].af) / 8)
				*(rows[i].is_dst ? &t->dst : &t->src) =
					addr_from_bytes(rows[i].af, mnl_attr_get_payload(attr));
}

static void get_proto(const struct nlattr *nest, struct conntrack_tuple *t, uint8_t *proto)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTO_NUM:
			*proto = (uint8_t)get(attr);
			break;
		case CTA_PROTO_SRC_PORT:
			t->sport = (uint16_t)get(attr);
			break;
		case CTA_PROTO_DST_PORT:
			t->dport = (uint16_t)get(attr);
			break;
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			t->sport = t->dport = (uint16_t)get(attr);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			t->icmp_type = (uint8_t)get(attr);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			t->icmp_code = (uint8_t)get(attr);
			break;
		}
	}
}

static void get_tuple(const struct nlattr *nest, struct conntrack_tuple *t, uint8_t *proto)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			get_ip(attr, t);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			get_proto(attr, t, proto);
	}
}

static bool is_closer(const struct nlattr *flags)
{
	const struct nf_ct_tcp_flags *f = mnl_attr_get_payload(flags);

	return mnl_attr_get_payload_len(flags) >= sizeof(*f) && (f->flags & TCP_CLOSE_INIT) != 0;
}

static void get_tcp(const struct nlattr *nest, struct conntrack_flow *f)
{
	const struct nlattr *tcp, *attr;

	mnl_attr_for_each_nested(tcp, nest) {
		if (mnl_attr_get_type(tcp) != CTA_PROTOINFO_TCP)
			continue;
		mnl_attr_for_each_nested(attr, tcp) {
			const uint16_t type = mnl_attr_get_type(attr);

			if (type == CTA_PROTOINFO_TCP_STATE)
				f->tcp_state = (uint8_t)get(attr);
			else if (type == CTA_PROTOINFO_TCP_FLAGS_ORIGINAL && is_closer(attr))
				f->closed_by = 0;
			else if (type == CTA_PROTOINFO_TCP_FLAGS_REPLY && is_closer(attr))
				f->closed_by = 1;
		}
	}
}

static void get_count(const struct nlattr *nest, struct conntrack_count *c)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) == CTA_COUNTERS_PACKETS)
			c->packets = get(attr);
		else if (mnl_attr_get_type(attr) == CTA_COUNTERS_BYTES)
			c->bytes = get(attr);
	}
}

static void get_attr(const struct nlattr *attr, struct conntrack_flow *f)
{
	uint8_t ignored;

	switch (mnl_attr_get_type(attr)) {
	case CTA_TUPLE_ORIG:
		get_tuple(attr, &f->orig, &f->proto);
		break;
	case CTA_TUPLE_REPLY:
		get_tuple(attr, &f->reply, &ignored);
		break;
	case CTA_STATUS:
		f->status = (uint32_t)get(attr);
		break;
	case CTA_TIMEOUT:
		f->timeout_s = (uint32_t)get(attr);
		break;
	case CTA_MARK:
		f->mark = (uint32_t)get(attr);
		break;
	case CTA_ID:
		f->id = (uint32_t)get(attr);
		break;
	case CTA_ZONE:
		f->zone = (uint16_t)get(attr);
		break;
	case CTA_PROTOINFO:
		get_tcp(attr, f);
		break;
	case CTA_COUNTERS_ORIG:
		get_count(attr, &f->count[0]);
		break;
	case CTA_COUNTERS_REPLY:
		get_count(attr, &f->count[1]);
		break;
	}
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	struct conntrack_flow f = { .closed_by = -1 };
	const struct nlattr *attr;

	if (msg == NULL) {
		l->ret->list.n = 0;
		return 0;
	}
	if (mnl_nlmsg_get_payload_len(msg) < sizeof(struct nfgenmsg))
		return -EBADMSG;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		get_attr(attr, &f);
	if (f.orig.src.af == AF_NONE || f.reply.src.af == AF_NONE)
		return 0;
	if (l->mark_any == 0 || (f.mark & l->mark_any) != 0)
		vec_add(l->a, &l->ret->list, f);
	return 0;
}

static struct nlmsghdr *request(void *buf, uint8_t type, uint8_t family)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *gen = mnl_nlmsg_put_extra_header(msg, sizeof(*gen));

	msg->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	gen->nfgen_family = family;
	gen->version = NFNETLINK_V0;
	return msg;
}

static int take_count(const struct nlmsghdr *msg, void *arg)
{
	const struct nlattr *attr;

	if (msg == NULL)
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_ENTRIES)
			*(bool *)arg = get(attr) == 0;
	return 0;
}

/* The kernel walks a table of all namespaces, milliseconds, where this one has no flow too */
static bool is_empty(struct nl_session *s)
{
	_Alignas(struct nlmsghdr) uint8_t buf[64] = { 0 };
	bool empty = false;

	return nl_talk(s, request(buf, IPCTNL_MSG_CT_GET_STATS, AF_UNSPEC), take_count,
		       &empty) == 0 && empty;
}

static int dump(struct nl_session *s, struct nlmsghdr *msg, const struct list *l)
{
	struct conntrack_flows flows = { .list = { .n = 0 } };
	struct list into = *l;
	int err;

	into.ret = &flows;
	err = is_empty(s) ? 0 : nl_dump(s, msg, take, &into);
	/* The module is not there: nothing is tracked */
	if (err < 0 && err != -EOPNOTSUPP && err != -EINVAL)
		return err;
	*l->ret = flows;
	return 0;
}

int conntrack_list(struct nl_session *s, struct arena *a, uint32_t mark_any,
		   struct conntrack_flows *ret)
{
	struct list l = { .a = a, .mark_any = mark_any, .ret = ret };
	_Alignas(struct nlmsghdr) uint8_t buf[64] = { 0 };

	return dump(s, request(buf, IPCTNL_MSG_CT_GET, AF_UNSPEC), &l);
}

static void put_addr(struct nlmsghdr *msg, uint16_t v4, uint16_t v6, struct addr a)
{
	uint8_t b[16];
	const uint32_t len = addr_bits(a.af) / 8;

	for (uint32_t i = 0; i < len; i++)
		b[i] = (uint8_t)(a.v >> 8 * (len - 1 - i));
	mnl_attr_put(msg, a.af == AF_V4 ? v4 : v6, len, b);
}

static void put_port(struct nlmsghdr *msg, uint16_t type, uint16_t port)
{
	const uint8_t b[2] = { (uint8_t)(port >> 8), (uint8_t)port };

	mnl_attr_put(msg, type, sizeof(b), b);
}

static void put_proto(struct nlmsghdr *msg, const struct conntrack_flow *f)
{
	const bool v6 = f->proto == IPPROTO_ICMPV6;

	mnl_attr_put_u8(msg, CTA_PROTO_NUM, f->proto);
	if (f->proto != IPPROTO_ICMP && !v6) {
		put_port(msg, CTA_PROTO_SRC_PORT, f->orig.sport);
		put_port(msg, CTA_PROTO_DST_PORT, f->orig.dport);
		return;
	}
	put_port(msg, v6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, f->orig.sport);
	mnl_attr_put_u8(msg, v6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE, f->orig.icmp_type);
	mnl_attr_put_u8(msg, v6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE, f->orig.icmp_code);
}

int conntrack_list_to(struct nl_session *s, struct arena *a, const struct conntrack_to *to,
		      struct conntrack_flows *ret)
{
	struct list l = { .a = a, .ret = ret };
	_Alignas(struct nlmsghdr) uint8_t buf[256] = { 0 };
	struct nlmsghdr *msg = request(buf, IPCTNL_MSG_CT_GET,
				       to->dst.af == AF_V4 ? AF_INET : AF_INET6);
	struct nlattr *tuple = mnl_attr_nest_start(msg, CTA_TUPLE_ORIG), *part;

	part = mnl_attr_nest_start(msg, CTA_TUPLE_IP);
	put_addr(msg, CTA_IP_V4_DST, CTA_IP_V6_DST, to->dst);
	mnl_attr_nest_end(msg, part);
	part = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(msg, CTA_PROTO_NUM, to->proto);
	put_port(msg, CTA_PROTO_DST_PORT, to->dport);
	mnl_attr_nest_end(msg, part);
	mnl_attr_nest_end(msg, tuple);
	part = mnl_attr_nest_start(msg, CTA_FILTER);
	mnl_attr_put_u32(msg, CTA_FILTER_ORIG_FLAGS, FILTER_IP_DST | FILTER_PROTO | FILTER_DPORT);
	mnl_attr_nest_end(msg, part);
	return dump(s, msg, &l);
}

int conntrack_delete(struct nl_session *s, const struct conntrack_flow *f)
{
	const bool v4 = f->orig.src.af == AF_V4;
	_Alignas(struct nlmsghdr) uint8_t buf[256] = { 0 };
	struct nlmsghdr *msg = request(buf, IPCTNL_MSG_CT_DELETE, v4 ? AF_INET : AF_INET6);
	struct nlattr *tuple, *part;
	const uint8_t id[4] = { (uint8_t)(f->id >> 24), (uint8_t)(f->id >> 16),
				(uint8_t)(f->id >> 8), (uint8_t)f->id };

	tuple = mnl_attr_nest_start(msg, CTA_TUPLE_ORIG);
	part = mnl_attr_nest_start(msg, CTA_TUPLE_IP);
	put_addr(msg, CTA_IP_V4_SRC, CTA_IP_V6_SRC, f->orig.src);
	put_addr(msg, CTA_IP_V4_DST, CTA_IP_V6_DST, f->orig.dst);
	mnl_attr_nest_end(msg, part);
	part = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	put_proto(msg, f);
	mnl_attr_nest_end(msg, part);
	mnl_attr_nest_end(msg, tuple);
	if (f->zone != 0)
		put_port(msg, CTA_ZONE, f->zone);
	mnl_attr_put(msg, CTA_ID, sizeof(id), id);
	return nl_talk(s, msg, NULL, NULL);
}
