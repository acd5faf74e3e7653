/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/eval.h"

bool packet_icmp_is_query(const struct packet *p)
{
	if (p->proto == PROTO_ICMP)
		return p->icmp_type == 0 || p->icmp_type == 8 ||
		       (p->icmp_type >= 13 && p->icmp_type <= 18);
	return p->proto == PROTO_ICMP6 && (p->icmp_type == 128 || p->icmp_type == 129);
}

bool packet_has_ports(const struct packet *p)
{
	return proto_has_ports(p->proto) || packet_icmp_is_query(p);
}

struct flow packet_flow(const struct packet *p)
{
	const bool ports = packet_has_ports(p);

	return (struct flow){ p->proto, p->src, p->dst, ports ? p->sport : 0,
			      ports ? p->dport : 0 };
}

struct flow flow_reverse(struct flow f)
{
	return (struct flow){ f.proto, f.dst, f.src, f.dport, f.sport };
}

bool flow_equal(struct flow a, struct flow b)
{
	return a.proto == b.proto && addr_equal(a.src, b.src) && addr_equal(a.dst, b.dst) &&
	       a.sport == b.sport && a.dport == b.dport;
}

/* Has the packet a number of this kind */
static bool has_head(const struct packet *p, enum head h)
{
	switch (h) {
	case HEAD_ID:
		return p->src.af == AF_V4;
	case HEAD_FLOWID:
		return p->src.af == AF_V6;
	case HEAD_WIN:
	case HEAD_SEQ:
	case HEAD_ACK:
		return p->proto == PROTO_TCP;
	case HEAD_UID:
	case HEAD_GID:
		return p->has_uid && p->dir == DIR_OUT && p->recv == 0 &&
		       (p->proto == PROTO_TCP || p->proto == PROTO_UDP ||
			p->proto == PROTO_UDPLITE);
	default:
		return true;
	}
}

bool packet_head_in(const struct packet *p, enum head h, const struct set *in)
{
	return has_head(p, h) && set_has(in, AF_NONE, p->heads[h]);
}

const char *packet_text(const struct packet *p, const char *iface, char *buf)
{
	static const char letters[] = "FSRPAUEW";
	const bool ports = proto_has_ports(p->proto);
	char src[ADDR_TEXT_BYTES], dst[ADDR_TEXT_BYTES], number[8], more[16] = "";
	const char *proto = proto_name(p->proto);
	size_t n = 0;

	snprintf(number, sizeof(number), "%u", p->proto);
	if (p->proto == PROTO_TCP) {
		more[n++] = ' ';
		for (unsigned int i = 0; i < 8; i++)
			if ((p->tcp_flags >> i & 1) != 0)
				more[n++] = letters[i];
	} else if (p->proto == PROTO_ICMP || p->proto == PROTO_ICMP6) {
		snprintf(more, sizeof(more), " %u/%u", p->icmp_type, p->icmp_code);
	}
	snprintf(buf, PACKET_TEXT_BYTES, "%s %s %s %s %s%s%s", p->dir == DIR_IN ? "in" : "out",
		 iface, proto != NULL ? proto : number,
		 addr_port_print(p->src, ports ? p->sport : -1, src),
		 addr_port_print(p->dst, ports ? p->dport : -1, dst), more,
		 p->has_opts ? " opts=1" : "");
	return buf;
}
