/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A session's changes are always the same, so their checksum deltas are
 * computed once; inbound their complements take the same changes back.
 *
 * Lines: 5508-1 5508-10b2 5508-10b4 768-0 768-ffff 3022-4.1 3022-4.4 6864-id
 * 7857-10 1624-addr 1624-3 1141-neg
 */
#include "nat/core.h"

#define TCPOPT_END	0
#define TCPOPT_NOP	1
#define TCPOPT_MSS	2

static uint32_t addr_delta(const struct nat *nat, bool is_v6, uint32_t from, uint32_t to)
{
	uint64_t sum;

	if (!is_v6)
		return csum_delta32(from, to);
	/* The complement of a sum is the sum of complements */
	sum = csum_of(nat->addr6[from].bytes, 16, 0);
	return csum_fold(csum_add(nat->addr6[to].bytes, 16, sum));
}

void rewrite_deltas(const struct nat *nat, struct session *s)
{
	const bool is_v6 = (s->flags & S_V6) != 0;
	const uint32_t addrs = addr_delta(nat, is_v6, s->in.src, s->out.src) +
			       addr_delta(nat, is_v6, s->in.dst, s->out.dst);
	const uint32_t ports = csum_delta16(s->in.sport, s->out.sport) +
			       csum_delta16(s->in.dport, s->out.dport);

	if (memcmp(&s->in, &s->out, sizeof(s->in)) != 0)
		s->flags |= S_CHANGES;
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
	} else if (nat_protos[v->proto].pool == POOL_ICMP) {
		put16(l4 + 4, out ? s->out.sport : s->in.sport);
	}
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
		rewrite_udp(check, d_l4);
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
	next = rewrite_id_of(nat, get32(v->ip + 12), get32(v->ip + 16), v->proto);
	old = get16(v->ip + 4);
	*next = (uint16_t)(*next + nat->id_step);
	put16(v->ip + 4, *next);
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

bool rewrite_scrub_set(struct nat *nat, struct session *s, struct scrub_all want)
{
	uint32_t i = 0;

	while (i < nat->n_scrubs && (nat->scrubs[i].max_mss != want.max_mss ||
				     nat->scrubs[i].min_ttl != want.min_ttl ||
				     nat->scrubs[i].no_df != want.no_df))
		i++;
	if (i == SCRUBS)
		return false;
	if (i == nat->n_scrubs)
		nat->scrubs[nat->n_scrubs++] = want;
	s->scrub = i & (SCRUBS - 1);
	s->flags |= i != 0 ? S_LOOK : 0;
	return true;
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
