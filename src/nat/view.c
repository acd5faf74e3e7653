/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The headers are read once, into fields that all else works with: nothing
 * behind this looks at a length again.  What a header says must fit into what
 * there is; what a link has padded is cut off.
 *
 * Lines: 768-6 791-len 5508-10c1 5508-10c2 5508-10b1 5508-10b6 5508-11 6946
 */
#include "nat/core.h"

#define IP6_HEADERS_MAX	8	/* extension headers of one packet */
#define IP4_MF_OFFSET	0x3fffu	/* more fragments, and the offset */

const struct proto nat_protos[256] = {
	[PROTO_ICMP] = { 8, 2, false, true, NAT_OTHER, POOL_ICMP, NAT_T_ICMP },
	[PROTO_ICMP6] = { 8, 2, false, true, NAT_OTHER, POOL_ICMP, NAT_T_ICMP },
	[PROTO_TCP] = { 20, 16, true, true, NAT_TCP, POOL_TCP, NAT_T_TCP_OPEN },
	[PROTO_UDP] = { 8, 6, true, true, NAT_UDP, POOL_UDP, NAT_T_UDP },
	[PROTO_UDPLITE] = { 8, 6, true, true, NAT_UDP, POOL_UDPLITE, NAT_T_UDP },
	[PROTO_DCCP] = { 12, 6, true, true, NAT_OTHER, POOL_DCCP, NAT_T_OTHER },
	/* Its checksum covers the ports and needs all of the packet: they stay */
	[PROTO_SCTP] = { 12, 0, true, false, NAT_OTHER, POOL_SCTP, NAT_T_OTHER },
	/* All others by address; their timer is set where it is read */
};

bool view_is_query(bool is_v6, uint8_t type)
{
	if (is_v6)
		return type == 128 || type == 129;
	return type == 0 || type == 8 || type == 13 || type == 14 || type == 17 || type == 18;
}

bool view_is_error(bool is_v6, uint8_t type)
{
	if (is_v6)
		return type >= 1 && type <= 4;
	return type == 3 || type == 11 || type == 12;
}

struct addr view_src(const struct view *v)
{
	return v->is_v6 ? addr_from_bytes(AF_V6, v->ip + 8)
			: (struct addr){ AF_V4, get32(v->ip + 12) };
}

struct addr view_dst(const struct view *v)
{
	return v->is_v6 ? addr_from_bytes(AF_V6, v->ip + 24)
			: (struct addr){ AF_V4, get32(v->ip + 16) };
}

static enum nat_reason read_udp(const struct view *v, const uint8_t *l4, uint32_t len)
{
	const uint16_t said = get16(l4 + 4);

	if (said < 8 || said > len)
		return NAT_R_L4_SHORT;
	return v->is_v6 && get16(l4 + 6) == 0 ? NAT_R_UDP6_ZERO : NAT_R_NONE;
}

static enum nat_reason read_icmp(struct view *v, const uint8_t *l4)
{
	const uint16_t id = get16(l4 + 4);

	v->sport = v->dport = 0;
	if (view_is_error(v->is_v6, l4[0])) {
		v->kind = K_ERROR;
		return NAT_R_NONE;
	}
	if (!view_is_query(v->is_v6, l4[0]))
		return NAT_R_ICMP_TYPE;
	if (v->from == NAT_INSIDE)
		v->sport = id;
	else
		v->dport = id;
	return NAT_R_NONE;
}

/* The L4 header of a packet that is whole */
static enum nat_reason read_l4(const struct nat *nat, struct view *v)
{
	const struct proto *info = &nat_protos[v->proto];
	const uint8_t *l4 = v->ip + v->l4;
	const uint32_t len = v->len - v->l4;
	enum nat_reason why = NAT_R_NONE;

	v->kind = K_FLOW;
	v->tcp_flags = 0;
	if (len < info->min_len)
		return NAT_R_L4_SHORT;
	v->sport = info->has_ports ? get16(l4) : 0;
	v->dport = info->has_ports ? get16(l4 + 2) : 0;
	if (v->proto == PROTO_TCP) {
		v->tcp_flags = l4[13];
		if ((l4[12] >> 4) < 5 || (uint32_t)(l4[12] >> 4) * 4 > len)
			return NAT_R_L4_SHORT;
	} else if (v->proto == PROTO_UDP) {
		why = read_udp(v, l4, len);
	} else if (v->proto == (v->is_v6 ? PROTO_ICMP6 : PROTO_ICMP)) {
		why = read_icmp(v, l4);
	} else if (v->proto == PROTO_ICMP || v->proto == PROTO_ICMP6) {
		return NAT_R_ICMP_TYPE;		/* of the other family */
	}
	v->hash = view_hash(nat, v);
	return why;
}

/* Is the sum of a header without options right; the byte order does not matter for that */
static bool is_plain_sum_right(const uint8_t *ip)
{
	uint32_t w[5];

	memcpy(w, ip, sizeof(w));
	return csum_fold((uint64_t)w[0] + w[1] + w[2] + w[3] + w[4]) == 0xffff;
}

static enum nat_reason read_v4(const struct nat *nat, struct nat_packet *p, struct view *v)
{
	const uint8_t *ip = p->data;
	const uint32_t head = (uint32_t)(ip[0] & 15) * 4, total = get16(ip + 2);

	if (head < 20 || total < head || total > p->len)
		return NAT_R_LENGTH;
	if (head == 20 ? !is_plain_sum_right(ip) : csum_fold(csum_add(ip, head, 0)) != 0xffff)
		return NAT_R_IP_CHECKSUM;
	v->len = p->len = total;
	v->l4 = (uint16_t)head;
	v->is_v6 = false;
	v->has_opts = head > 20;
	v->proto = ip[9];
	v->src = get32(ip + 12);
	v->dst = get32(ip + 16);
	if ((get16(ip + 6) & IP4_MF_OFFSET) != 0) {
		v->kind = K_FRAGMENT;
		return NAT_R_NONE;
	}
	return read_l4(nat, v);
}

/* Skip extension headers; sets l4, proto, frag, has_opts */
static enum nat_reason skip_headers(struct view *v)
{
	uint32_t at = 40;
	uint8_t next = v->ip[6];

	for (int i = 0; i < IP6_HEADERS_MAX; i++) {
		const uint8_t *h = v->ip + at;

		if (next != PROTO_HOPOPTS && next != PROTO_ROUTING && next != PROTO_FRAGMENT &&
		    next != PROTO_DSTOPTS) {
			v->l4 = (uint16_t)at;
			v->proto = next;
			return NAT_R_NONE;
		}
		if (at + 8 > v->len)
			return NAT_R_SHORT;
		/* Behind the first part's start there may be no headers */
		if (next == PROTO_FRAGMENT) {
			v->frag = (uint16_t)at;
			if ((get16(h + 2) & 0xfff9) != 0) {
				v->l4 = (uint16_t)(at + 8);
				v->proto = h[0];
				v->kind = K_FRAGMENT;
				return NAT_R_NONE;
			}
		}
		v->has_opts |= next == PROTO_ROUTING;
		at += next == PROTO_FRAGMENT ? 8 : (uint32_t)(h[1] + 1) * 8;
		next = h[0];
		if (at > v->len)
			return NAT_R_SHORT;
	}
	return NAT_R_OPTIONS;
}

static enum nat_reason read_v6(const struct nat *nat, struct nat_packet *p, struct view *v)
{
	const uint8_t *ip = p->data;
	const uint32_t total = 40u + get16(ip + 4);
	enum nat_reason why;

	if (total > p->len || total > UINT16_MAX)
		return NAT_R_LENGTH;
	v->len = p->len = total;
	v->is_v6 = true;
	v->has_opts = false;
	v->kind = K_FLOW;
	v->src = addr6_find(nat, ip + 8);
	v->dst = addr6_find(nat, ip + 24);
	why = skip_headers(v);
	if (why != NAT_R_NONE || v->kind == K_FRAGMENT)
		return why;
	return read_l4(nat, v);
}

enum nat_reason view_read(const struct nat *nat, struct nat_packet *p, struct view *v)
{
	v->ip = p->data;
	v->from = p->from;
	v->frag = 0;
	v->is_plain = false;
	if (p->len < 20)
		return NAT_R_SHORT;
	if (p->data[0] >> 4 == 4)
		return read_v4(nat, p, v);
	if (p->data[0] >> 4 != 6)
		return NAT_R_VERSION;
	return p->len < 40 ? NAT_R_SHORT : read_v6(nat, p, v);
}
