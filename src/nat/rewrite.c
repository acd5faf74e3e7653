/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A session's changes are always the same, so their checksum deltas are
 * computed once; inbound their complements take the same changes back.
 *
 * Lines: 5508-1 5508-10b2 5508-10b4 768-0 768-ffff 3022-4.1 3022-4.4 6864-id
 * 7857-10 1624-addr
 */
#include "nat/core.h"

#define TCPOPT_END	0
#define TCPOPT_NOP	1
#define TCPOPT_MSS	2

static uint32_t addr_delta(const struct nat *nat, bool is_v6, uint32_t from, uint32_t to)
{
	uint64_t sum;

	if (!is_v6)
		return csum_fold(csum_delta32(from, to));
	/* The complement of a sum is the sum of complements */
	sum = (uint16_t)~csum_fold(csum_add(nat->addr6[from].bytes, 16, 0));
	return csum_fold(csum_add(nat->addr6[to].bytes, 16, sum));
}

void rewrite_deltas(const struct nat *nat, struct session *s)
{
	const bool is_v6 = (s->flags & S_V6) != 0;
	const uint32_t addrs = addr_delta(nat, is_v6, s->in.src, s->out.src) +
			       addr_delta(nat, is_v6, s->in.dst, s->out.dst);
	const uint32_t ports = csum_delta16(s->in.sport, s->out.sport) +
			       csum_delta16(s->in.dport, s->out.dport);

	s->d_addr = csum_fold(addrs);
	/* ICMP of IPv4 has no pseudo header */
	s->d_l4 = csum_fold((s->proto == PROTO_ICMP ? 0 : addrs) + ports);
}

static void put_addresses(const struct nat *nat, const struct view *v, uint32_t src, uint32_t dst)
{
	if (v->is_v6) {
		memcpy(v->ip + 8, nat->addr6[src].bytes, 16);
		memcpy(v->ip + 24, nat->addr6[dst].bytes, 16);
	} else {
		put32(v->ip + 12, src);
		put32(v->ip + 16, dst);
	}
}

/* Ports or the ICMP id */
static void put_ports(const struct view *v, const struct session *s, bool out)
{
	uint8_t *l4 = v->ip + v->l4;

	if (nat_protos[v->proto].has_ports) {
		put16(l4, out ? s->out.sport : s->in.dport);
		put16(l4 + 2, out ? s->out.dport : s->in.sport);
	} else if (nat_protos[v->proto].pool == POOL_ICMP && nat_protos[v->proto].min_len > 0) {
		put16(l4 + 4, out ? s->out.sport : s->in.sport);
	}
}

/* No checksum stays none, and one that becomes 0 is sent as 0xffff (RFC 768) */
static void update_udp(uint8_t *check, uint16_t delta)
{
	const uint16_t old = get16(check), new = csum_apply(old, delta);

	if (old != 0)
		put16(check, new != 0 ? new : 0xffff);
}

/* The counter of IPv4 ids that a packet, as it goes out, draws from */
static uint16_t *id_of(struct nat *nat, const struct view *v)
{
	const uint32_t pair = get32(v->ip + 12) * 0x9e3779b1u ^ get32(v->ip + 16) ^
			      (uint32_t)v->proto << 24;

	return &nat->ip_id[(pair * 0x85ebca6bu) / (UINT32_MAX / IP_IDS + 1)];
}

static void update_l4(const struct nat_packet *p, const struct view *v, const struct session *s,
		      bool out)
{
	const uint8_t at = nat_protos[v->proto].check_at;
	uint8_t *check = v->ip + v->l4 + at;
	const uint16_t d_addr = out ? s->d_addr : (uint16_t)~s->d_addr;
	const uint16_t d_l4 = out ? s->d_l4 : (uint16_t)~s->d_l4;

	if (at == 0)
		return;
	/* The sum of the pseudo header alone, not complemented */
	if ((p->flags & NAT_P_PARTIAL) != 0 && at != 2) {
		put16(check, csum_fold((uint64_t)get16(check) + d_addr));
		return;
	}
	if (v->proto == PROTO_UDP)
		update_udp(check, d_l4);
	else
		csum_update(check, d_l4);
}

void rewrite(struct nat *nat, struct nat_packet *p, const struct view *v,
	     const struct session *s, bool out)
{
	if (!v->is_v6)
		csum_update(v->ip + 10, out ? s->d_addr : (uint16_t)~s->d_addr);
	put_addresses(nat, v, out ? s->out.src : s->in.dst, out ? s->out.dst : s->in.src);
	update_l4(p, v, s, out);
	put_ports(v, s, out);
	if (out && (s->flags & S_SOURCE) != 0)
		rewrite_id(nat, v);
}

/* One sum for all that changes in the header; no branch on the direction, see session_matches() */
static void rewrite_head4(struct nat *nat, const struct view *v, const struct session *s)
{
	const uint32_t back = v->from;		/* 1: inbound */
	const struct ends *to = &s->as_seen[1 - back];
	uint8_t *ip = v->ip;
	const uint16_t old = get16(ip + 4);
	const bool renews = !back && (s->flags & S_SOURCE) != 0 && (ip[6] & 0x40) == 0;
	uint16_t *next, id;

	ip[8]--;
	put32(ip + 12 + 4 * back, to->src);
	put32(ip + 16 - 4 * back, to->dst);
	next = id_of(nat, v);
	*next = (uint16_t)(*next + renews);
	id = renews ? *next : old;
	put16(ip + 4, id);
	csum_update(ip + 10, csum_fold((uint64_t)(uint16_t)(s->d_addr ^ (0u - back)) +
				       csum_delta16(0x0100, 0) + csum_delta16(old, id)));
}

void rewrite_plain(struct nat *nat, struct nat_packet *p, const struct view *v,
		   const struct session *s)
{
	const uint32_t back = v->from;
	const struct ends *to = &s->as_seen[1 - back];
	const uint16_t delta = (uint16_t)(s->d_l4 ^ (0u - back));
	uint8_t *l4 = v->ip + v->l4;

	if (v->is_v6 || (v->proto != PROTO_TCP && v->proto != PROTO_UDP) ||
	    (p->flags & NAT_P_PARTIAL) != 0) {
		rewrite(nat, p, v, s, !back);
		rewrite_ttl(v);
		return;
	}
	rewrite_head4(nat, v, s);
	put16(l4 + 2 * back, to->sport);
	put16(l4 + 2 - 2 * back, to->dport);
	if (v->proto == PROTO_TCP)
		csum_update(l4 + 16, delta);
	else
		update_udp(l4 + 6, delta);
}

void rewrite_ttl(const struct view *v)
{
	if (v->is_v6) {
		v->ip[7]--;
		return;
	}
	v->ip[8]--;
	csum_update(v->ip + 10, csum_delta16(0x0100, 0));
}

void rewrite_id(struct nat *nat, const struct view *v)
{
	uint16_t *next, old;

	if (v->is_v6 || ((get16(v->ip + 6) & 0x4000) != 0 && !nat->in_datagram))
		return;
	next = id_of(nat, v);
	old = get16(v->ip + 4);
	put16(v->ip + 4, ++*next);
	csum_update(v->ip + 10, csum_delta16(old, *next));
}

/* Lower the size in a segment size option at @o, if it is larger */
static void lower_mss(uint8_t *tcp, uint8_t *o, uint16_t max_mss)
{
	const uint16_t old = get16(o + 2);
	uint32_t delta = csum_delta16(old, max_mss);

	if (old <= max_mss)
		return;
	/* At an odd place its bytes count the other way round */
	if ((o - tcp) % 2 != 0)
		delta = csum_delta16((uint16_t)(old << 8 | old >> 8),
				     (uint16_t)(max_mss << 8 | max_mss >> 8));
	put16(o + 2, max_mss);
	csum_update(tcp + 16, delta);
}

void rewrite_mss(const struct view *v, uint16_t max_mss)
{
	uint8_t *tcp = v->ip + v->l4, *end, *o = tcp + 20;

	if (max_mss == 0 || v->proto != PROTO_TCP || (v->tcp_flags & TCP_FLAG_SYN) == 0)
		return;
	end = tcp + (tcp[12] >> 4) * 4;
	while (o < end && *o != TCPOPT_END) {
		if (*o == TCPOPT_NOP) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return;
		if (o[0] == TCPOPT_MSS && o[1] == 4)
			lower_mss(tcp, o, max_mss);
		o += o[1];
	}
}

void rewrite_scrub(const struct view *v, const struct scrub_all *s)
{
	rewrite_mss(v, s->max_mss);
	if (v->is_v6) {
		v->ip[7] = MAX(v->ip[7], s->min_ttl);
		return;
	}
	if (v->ip[8] < s->min_ttl) {
		csum_update(v->ip + 10, csum_delta16((uint16_t)(v->ip[8] << 8),
						     (uint16_t)(s->min_ttl << 8)));
		v->ip[8] = s->min_ttl;
	}
	if (s->no_df && (v->ip[6] & 0x40) != 0) {
		v->ip[6] &= (uint8_t)~0x40;
		csum_update(v->ip + 10, csum_delta16(0x4000, 0));
	}
}
