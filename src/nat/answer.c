/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What the NAT says itself.  An ICMP error quotes the packet as its sender sent
 * it, so it is made before anything is rewritten.  None is made about another
 * error, a fragment behind the first, or a packet that many get (RFC 1812
 * 4.3.2.7, RFC 4443 2.4), and not more of them than so many in a second.
 *
 * Lines: 5508-9 5508-10a2 5508-10a3 5508-10d 5508-10e 5508-10f
 */
#include "nat/core.h"

#define QUOTE4_MAX	548u	/* RFC 1812 4.3.2.3: 576 bytes in all */
#define QUOTE6_MAX	1232u	/* RFC 4443 2.4: 1280 bytes in all */
#define OWN_TTL		64u
#define TOS_PRECEDENCE6	0xc0u	/* internetwork control (RFC 1812 4.3.2.5) */

void drop(struct nat *nat, struct nat_packet *p, enum nat_reason why)
{
	p->verdict = NAT_DROP;
	p->reason = (uint8_t)why;
	nat->n.dropped[why]++;
}

void forward(struct nat *nat, struct nat_packet *p, enum nat_side to)
{
	p->verdict = NAT_FORWARD;
	p->reason = NAT_R_NONE;
	p->to = (uint8_t)to;
	nat->n.forwarded[p->from]++;
	nat->n.hairpinned += p->from == NAT_INSIDE && to == NAT_INSIDE;
}

uint8_t *made_new(struct nat *nat, uint32_t len, enum nat_side to)
{
	struct nat_made *m;

	if (nat->n_made == MADE_MAX || len > MADE_BYTES - nat->made_used)
		return NULL;
	m = &nat->made[nat->n_made++];
	*m = (struct nat_made){ .data = nat->made_bytes + nat->made_used, .len = len, .to = to,
				.after = nat->cause };
	nat->made_used += (len + 15u) & ~15u;	/* MADE_BYTES is a multiple of it */
	return nat->made_bytes + (m->data - nat->made_bytes);
}

/* Memory for an answer of the NAT's own, zeroed */
static uint8_t *own_new(struct nat *nat, uint32_t len, enum nat_side to)
{
	uint8_t *p = made_new(nat, len, to);

	if (p == NULL)
		return NULL;
	nat->made[nat->n_made - 1].is_error = true;
	nat->n.made++;
	memset(p, 0, len);
	return p;
}

static bool may_answer(struct nat *nat)
{
	const uint64_t most = (uint64_t)nat->cfg.error_per_s << 16;

	nat->error_tokens = MIN(most, nat->error_tokens +
				      (uint64_t)(nat->now - nat->error_filled) *
				      nat->cfg.error_per_s *
				      ((UINT64_C(65536) << TICK_SHIFT) / 1000000000));
	nat->error_filled = nat->now;
	if (nat->error_tokens < 65536)
		return false;
	nat->error_tokens -= 65536;
	return true;
}

/* May anybody be told about this packet; it has passed check_martians() */
static bool is_answerable(const struct view *v)
{
	if (v->kind != K_FRAGMENT)
		return v->kind != K_ERROR;
	/* A prefix's, of IPv6; of fragments only the first has what an error must quote */
	return (get16(v->ip + v->frag + 2) & 0xfff8) == 0;
}

static struct addr self_of(const struct nat *nat, enum nat_side side, uint8_t af)
{
	const struct addr set = nat->cfg.self[side][af == AF_V6];

	if (set.af != AF_NONE)
		return set;
	for (uint32_t i = 0; i < nat->cfg.n_outside; i++)
		if (nat->cfg.outside[i].af == af)
			return nat->cfg.outside[i];
	return (struct addr){ AF_NONE, 0 };
}

/* An IP header with its addresses; @ip has memory for all of @len */
static void put_head(uint8_t *ip, uint32_t len, uint8_t proto, uint8_t tos, struct addr src,
		     struct addr dst)
{
	if (src.af == AF_V4) {
		ip[0] = 0x45;
		ip[1] = tos;
		put16(ip + 2, (uint16_t)len);
		put16(ip + 6, 0x4000);		/* atomic: its id means nothing */
		ip[8] = OWN_TTL;
		ip[9] = proto;
		addr_to_bytes(src, ip + 12);
		addr_to_bytes(dst, ip + 16);
		put16(ip + 10, csum_of(ip, 20, 0));
	} else {
		put32(ip, 6u << 28 | (uint32_t)tos << 20);
		put16(ip + 4, (uint16_t)(len - 40));
		ip[6] = proto;
		ip[7] = OWN_TTL;
		addr_to_bytes(src, ip + 8);
		addr_to_bytes(dst, ip + 24);
	}
}

static void put_check(uint8_t *ip, uint8_t proto, uint32_t head, uint32_t len, uint32_t at)
{
	const uint64_t pseudo = proto == PROTO_ICMP ? 0 : csum_pseudo(ip, proto, len - head);

	put16(ip + head + at, csum_of(ip + head, len - head, pseudo));
}

void answer_icmp(struct nat *nat, const struct view *v, struct answer_icmp e)
{
	const uint32_t head = v->is_v6 ? 40 : 20;
	const uint32_t quote = MIN(v->len, v->is_v6 ? QUOTE6_MAX : QUOTE4_MAX);
	const uint8_t proto = v->is_v6 ? PROTO_ICMP6 : PROTO_ICMP;
	const uint32_t len = head + 8 + quote;
	const struct addr self = self_of(nat, e.to, v->is_v6 ? AF_V6 : AF_V4);
	uint8_t *ip;

	if (nat->cfg.silent[e.to] || self.af == AF_NONE || !is_answerable(v) || !may_answer(nat))
		return;
	ip = own_new(nat, len, e.to);
	if (ip == NULL)
		return;
	put_head(ip, len, proto, TOS_PRECEDENCE6, self, view_src(v));
	ip[head] = e.type;
	ip[head + 1] = e.code;
	put32(ip + head + 4, e.rest);
	memcpy(ip + head + 8, v->ip, quote);
	put_check(ip, proto, head, len, 2);
}

void answer_unreachable(struct nat *nat, const struct view *v, uint8_t code4)
{
	/* RFC 4443 3.1: address, port, prohibited */
	static const uint8_t codes6[] = { [1] = 3, [3] = 4, [13] = 1 };
	const struct answer_icmp e = {
		.to = v->from, .type = v->is_v6 ? 1 : 3, .code = v->is_v6 ? codes6[code4] : code4,
	};

	answer_icmp(nat, v, e);
}

void answer_rst(struct nat *nat, const struct view *v)
{
	const uint32_t head = v->is_v6 ? 40 : 20, len = head + 20;
	const uint8_t *old = v->ip + v->l4;
	const uint32_t data = v->len - v->l4 - (uint32_t)(old[12] >> 4) * 4;
	const bool acks = (v->tcp_flags & TCP_FLAG_ACK) != 0;
	uint8_t *ip, *tcp;

	if ((v->tcp_flags & TCP_FLAG_RST) != 0 || !may_answer(nat))
		return;
	ip = own_new(nat, len, v->from);
	if (ip == NULL)
		return;
	put_head(ip, len, PROTO_TCP, 0, view_dst(v), view_src(v));
	tcp = ip + head;
	memcpy(tcp, old + 2, 2);
	memcpy(tcp + 2, old, 2);
	tcp[12] = 5 << 4;
	tcp[13] = acks ? TCP_FLAG_RST : TCP_FLAG_RST | TCP_FLAG_ACK;
	if (acks)
		memcpy(tcp + 4, old + 8, 4);
	else
		put32(tcp + 8, get32(old + 4) + data + ((v->tcp_flags & TCP_FLAG_SYN) != 0) +
				       ((v->tcp_flags & TCP_FLAG_FIN) != 0));
	put_check(ip, PROTO_TCP, head, len, 16);
}

void answer_echo(struct nat *nat, const struct view *v, bool is_turned)
{
	const uint32_t head = v->is_v6 ? 40 : 20, body = v->len - v->l4, len = head + body;
	const uint8_t proto = v->is_v6 ? PROTO_ICMP6 : PROTO_ICMP;
	uint8_t *ip;

	const struct addr src = is_turned ? view_src(v) : view_dst(v);
	const struct addr dst = is_turned ? view_dst(v) : view_src(v);

	if (len > nat->cfg.mtu[v->from])
		return;
	ip = own_new(nat, len, v->from);
	if (ip == NULL)
		return;
	put_head(ip, len, proto, v->is_v6 ? 0 : v->ip[1], src, dst);
	memcpy(ip + head, v->ip + v->l4, body);
	ip[head] = v->is_v6 ? 129 : 0;
	put16(ip + head + 2, 0);
	put_check(ip, proto, head, len, 2);
}
