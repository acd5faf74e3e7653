/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain - the packet that most packets are: TCP or UDP over IPv4, whole, without
 * options, of a session that lives
 *
 * Says the same as view.c, path.c, tcp.c and rewrite.c together, in a fraction of
 * their instructions: those are what a packet costs while its lines are in the
 * cache (bench_nat, 1k flows: 500 instructions took 2.7 times the minimal loop).
 * Packets of both directions come mixed, so nothing here branches on the direction.
 * Ends and deltas are used as whole words, both addresses or both ports at once.
 *
 * Does not:	 decide anything: a packet about which there is anything else is
 *		 left as it is, for path.c.
 */
#ifndef NAT_PLAIN_H
#define NAT_PLAIN_H

#include "nat/core.h"

/**
 * plain_sum_is_right() - Is the sum of a header without options
 *
 * In any byte order the same; and 2^16 - 1 divides a sum of longer words just when
 * the one's complement sum of their halves is nothing (RFC 1071 2).
 */
static inline bool plain_sum_is_right(const uint8_t *ip)
{
	uint64_t a, b;
	uint32_t c;

	memcpy(&a, ip, sizeof(a));
	memcpy(&b, ip + 8, sizeof(b));
	memcpy(&c, ip + 16, sizeof(c));
	return ((a & UINT32_MAX) + (a >> 32) + (b & UINT32_MAX) + (b >> 32) + c) % 0xffff == 0;
}

/**
 * plain_read() - view_read() of a packet that may be plain
 * @nat:	NAT
 * @p:		Packet; cut to what its header says
 * @v:		Set on success
 *
 * Return: whether it may; if not, nothing was done but to set view.is_plain
 */
static inline bool plain_read(const struct nat *nat, struct nat_packet *p, struct view *v)
{
	const uint8_t *ip = p->data, *l4 = ip + 20;
	const uint32_t len = p->len;
	uint32_t total, l4_len;

	v->is_plain = false;
	if (len < 40 || ip[0] != 0x45 || (get16(ip + 6) & 0x3fff) != 0 ||
	    (p->flags & NAT_P_PARTIAL) != 0)
		return false;
	total = get16(ip + 2);
	l4_len = total - 20;
	if (total < 40 || total > len || !plain_sum_is_right(ip))
		return false;
	v->proto = ip[9];
	if (v->proto == PROTO_UDP) {
		v->tcp_flags = 0;
		/* Also what is below 8, or 5 words, is too large then */
		if (get16(l4 + 4) - 8u > l4_len - 8)
			return false;
	} else if (v->proto == PROTO_TCP) {
		v->tcp_flags = l4[13];
		if (l4[12] / 16u * 4 - 20 > l4_len - 20)
			return false;
	} else {
		return false;
	}
	v->ip = p->data;
	v->len = p->len = total;
	v->l4 = 20;
	v->frag = 0;
	v->is_v6 = v->has_opts = false;
	v->is_plain = true;
	v->kind = K_FLOW;
	v->from = p->from;
	v->at = (struct ends){ get32(ip + 12), get32(ip + 16), get16(l4), get16(l4 + 2) };
	v->hash = view_hash(nat, v);
	return true;
}

/** plain_matches() - The plain packet of a living session */
static inline bool plain_matches(const struct nat *nat, const struct nat_packet *p,
				 const struct view *v, const struct session *s)
{
	const uint8_t syn_fin_rst = TCP_FLAG_SYN | TCP_FLAG_FIN | TCP_FLAG_RST;
	const uint32_t ttl = v->ip[8u - v->is_v6];

	if (!session_matches(s, v, S_HAIRPIN | S_LOOK) || session_is_over(nat, s) || ttl <= 1 ||
	    v->has_opts || p->len > nat->cfg.mtu[1u - v->from])
		return false;
	return s->tcp == NAT_TCP_NONE ||
	       (s->tcp == NAT_TCP_ESTABLISHED && (v->tcp_flags & syn_fin_rst) == 0);
}

/**
 * plain_note_ack() - What a segment says of the numbers that a RST will be held against
 *
 * The last word counts, also if it is behind the one before: an old segment is never far
 * behind, and what somebody forges that knows the ports stands until the next only.
 */
static inline void plain_note_ack(struct session *s, const struct view *v)
{
	const uint8_t *tcp = v->ip + v->l4;

	if ((v->tcp_flags & TCP_FLAG_ACK) == 0)
		return;
	s->ack[v->from] = get32(tcp + 8);
	s->win[v->from] = get16(tcp + 14);
	s->acked |= 1u << v->from & 3u;
}

/** plain_keep_alive() - What the packet means for the session's time, and its numbers */
static inline void plain_keep_alive(struct nat *nat, const struct view *v, struct session *s)
{
	const uint32_t out = 1u - v->from;

	if (s->tcp != NAT_TCP_NONE) {
		plain_note_ack(s, v);
		s->seen = nat->now;
	} else {
		const uint32_t keeps = out | (s->flags / S_BOTH & 1u);

		s->seen ^= (s->seen ^ nat->now) & (0u - keeps);
	}
	if ((nat->touches_bindings & out) != 0 && s->binding != NONE)
		nat->bindings[s->binding].time = nat->now;
}

/**
 * plain_rewrite() - rewrite() and rewrite_ttl(), of IPv4 with TCP or UDP
 * @nat:	NAT
 * @v:		Packet's view; not NAT_P_PARTIAL
 * @s:		Its session
 */
static inline void plain_rewrite(struct nat *nat, const struct view *v, const struct session *s)
{
	const uint32_t back = v->from;		/* 1: inbound */
	const struct ends *to = &s->as_seen[1u - back];
	const uint32_t flip = 0u - back;	/* inbound the deltas' complements */
	const uint64_t addrs = rotate64(ends_addrs(to), 32 - 32 * back);
	const uint32_t ports = rotate32(ends_ports(to), 16 - 16 * back);
	uint8_t *ip = v->ip, *l4 = ip + 20;
	const uint32_t renews = ((s->flags & S_SOURCE) / S_SOURCE) & ~(ip[6] >> 6 | back);
	uint16_t *next = rewrite_id_of(nat, to->src, to->dst, v->proto);
	const uint32_t old = get16(ip + 4);
	uint32_t id;

	*next = (uint16_t)(*next + renews * nat->id_step);
	id = old ^ ((old ^ *next) & (0u - renews));
	put16(ip + 4, (uint16_t)id);
	ip[8]--;
	/* Also the TTL's delta: 0xfeff is ~0x0100 */
	csum_update(ip + 10, (uint16_t)(s->d_addr ^ flip) + 0xfeffu + (old ^ 0xffff) + id);
	put64(ip + 12, addrs);
	put32(l4, ports);
	if (v->proto == PROTO_TCP)
		csum_update(l4 + 16, (uint16_t)(s->d_l4 ^ flip));
	else
		rewrite_udp(l4 + 6, (uint16_t)(s->d_l4 ^ flip));
}

#endif /* NAT_PLAIN_H */
