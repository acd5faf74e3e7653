/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An ICMP error quotes the start of a packet of a session as it was where the
 * error was made.  The quotation names the session, and is changed back: its
 * addresses and ports, its IP checksum, and its L4 checksum as far as that is
 * quoted.  What stands behind it (RFC 4884) is left alone.  An error neither
 * keeps a session alive nor ends it (RFC 5508 REQ-6, RFC 4787 REQ-12).
 *
 * Lines: 4787-12 4787-12a 4787-12b 5382-9 5382-10 5508-3 5508-3a 5508-3b
 * 5508-3c 5508-3d 5508-4 5508-4a 5508-4b 5508-4c 5508-5 5508-5a 5508-5b
 * 5508-5c 5508-6 5508-7a 5508-10a1 5508-10b5 1191-in 1191-tcp 4443-ptb6
 * 3022-4.3
 */
#include "nat/core.h"

#define PTB4	(3 << 8 | 4)	/* destination unreachable, fragmentation needed */
#define MIN_MTU6	1280u

/* The packet that an error quotes */
struct quote {
	uint8_t *ip;
	uint32_t len;		/* bytes of it that are quoted */
	uint32_t l4;
	struct view key;	/* of the packet that would answer it */
	uint32_t seq;		/* of TCP */
};

/* Where its quotation ends: RFC 4884 4.1 gives a length where something follows */
static uint32_t quote_len(const struct view *v)
{
	const uint8_t *icmp = v->ip + v->l4, type = icmp[0];
	const uint32_t all = v->len - v->l4 - 8;
	uint32_t said;

	if (v->is_v6)
		said = type == 1 || type == 3 ? icmp[4] * 8u : 0;
	else
		said = type == 3 || type == 11 || type == 12 ? icmp[5] * 4u : 0;
	if (said > all)
		return 0;
	return said != 0 ? said : all;
}

static bool read_quote6(const struct nat *nat, struct quote *q)
{
	uint32_t at = 40;
	uint8_t next;

	if (q->len < 48)
		return false;
	next = q->ip[6];
	while (next == PROTO_HOPOPTS || next == PROTO_ROUTING || next == PROTO_DSTOPTS ||
	       next == PROTO_FRAGMENT) {
		const uint8_t *h = q->ip + at;

		if (at + 16 > q->len || (next == PROTO_FRAGMENT && (get16(h + 2) & 0xfff8) != 0))
			return false;
		at += next == PROTO_FRAGMENT ? 8 : (uint32_t)(h[1] + 1) * 8;
		next = h[0];
		if (at + 8 > q->len)
			return false;
	}
	q->l4 = at;
	q->key.proto = next;
	q->key.src = addr6_find(nat, q->ip + 24);
	q->key.dst = addr6_find(nat, q->ip + 8);
	return true;
}

static bool read_quote4(struct quote *q)
{
	const uint32_t head = q->len >= 20 ? (q->ip[0] & 15) * 4u : 0;

	if (head < 20 || head + 8 > q->len || csum_fold(csum_add(q->ip, head, 0)) != 0xffff ||
	    (get16(q->ip + 6) & 0x1fff) != 0)
		return false;
	q->l4 = head;
	q->key.proto = q->ip[9];
	q->key.src = get32(q->ip + 16);
	q->key.dst = get32(q->ip + 12);
	return true;
}

/* Read a quotation; false when it is malformed or an error itself */
static bool read_quote(const struct nat *nat, const struct view *v, struct quote *q)
{
	const uint8_t *l4;

	q->ip = v->ip + v->l4 + 8;
	q->len = quote_len(v);
	q->key = (struct view){ .is_v6 = v->is_v6, .from = v->from };
	if (q->len == 0 || q->ip[0] >> 4 != (v->is_v6 ? 6 : 4))
		return false;
	if (!(v->is_v6 ? read_quote6(nat, q) : read_quote4(q)))
		return false;
	l4 = q->ip + q->l4;
	q->seq = get32(l4 + 4);
	if (nat_protos[q->key.proto].has_ports) {
		q->key.sport = get16(l4 + 2);
		q->key.dport = get16(l4);
	} else if (q->key.proto == (v->is_v6 ? PROTO_ICMP6 : PROTO_ICMP)) {
		if (!view_is_query(v->is_v6, l4[0]))
			return false;
		*(v->from == NAT_INSIDE ? &q->key.sport : &q->key.dport) = get16(l4 + 4);
	}
	q->key.hash = view_hash(nat, &q->key);
	return true;
}

static void put_addr(const struct nat *nat, uint8_t *at, bool is_v6, uint32_t handle)
{
	if (is_v6)
		memcpy(at, nat->addr6[handle].bytes, 16);
	else
		put32(at, handle);
}

/* The quotation as the other side knows the packet; @out: the error goes outwards */
static void rewrite_quote(const struct nat *nat, const struct quote *q, const struct session *s,
			  bool out)
{
	const bool is_v6 = q->key.is_v6;
	const struct proto *info = &nat_protos[q->key.proto];
	const struct ends *to = out ? &s->out : &s->in;
	const uint16_t d_addr = out ? s->d_addr : (uint16_t)~s->d_addr;
	const uint16_t d_l4 = out ? s->d_l4 : (uint16_t)~s->d_l4;
	uint8_t *src = q->ip + (is_v6 ? 8 : 12), *dst = src + (is_v6 ? 16 : 4);
	uint8_t *l4 = q->ip + q->l4, *check = l4 + info->check_at;

	/* What goes outwards as an error went inwards as a packet: its source was the peer */
	put_addr(nat, out ? dst : src, is_v6, to->src);
	put_addr(nat, out ? src : dst, is_v6, to->dst);
	if (!is_v6)
		csum_update(q->ip + 10, d_addr);
	if (info->has_ports) {
		put16(out ? l4 + 2 : l4, to->sport);
		put16(out ? l4 : l4 + 2, to->dport);
	} else if (info->min_len > 0) {
		put16(l4 + 4, to->sport);
	}
	if (info->check_at != 0 && q->l4 + info->check_at + 2u <= q->len &&
	    (q->key.proto != PROTO_UDP || get16(check) != 0))
		csum_update(check, d_l4);
}

/* A router that tells no MTU: the next lower of RFC 1191 7.1 */
static uint16_t plateau(uint16_t len)
{
	static const uint16_t mtus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296 };

	for (uint32_t i = 0; i < ARRAY_SIZE(mtus); i++)
		if (mtus[i] < len)
			return mtus[i];
	return 68;
}

static void mend_mtu(const struct view *v, const struct quote *q)
{
	uint8_t *icmp = v->ip + v->l4;

	if (!v->is_v6 && get16(icmp) == PTB4 && get16(icmp + 6) == 0)
		put16(icmp + 6, plateau(get16(q->ip + 2)));
	else if (v->is_v6 && icmp[0] == 2 && get32(icmp + 4) < MIN_MTU6)
		put32(icmp + 4, MIN_MTU6);
}

static void mend_checksums(const struct view *v)
{
	uint8_t *icmp = v->ip + v->l4;
	const uint32_t len = v->len - v->l4;
	const uint64_t pseudo = v->is_v6 ? csum_pseudo(v->ip, PROTO_ICMP6, len) : 0;

	put16(icmp + 2, 0);
	put16(icmp + 2, csum_of(icmp, len, pseudo));
	if (v->is_v6)
		return;
	put16(v->ip + 10, 0);
	put16(v->ip + 10, csum_of(v->ip, v->l4, 0));
}

/* The error's own addresses */
static enum nat_reason rewrite_outer(const struct nat *nat, const struct view *v,
				     const struct session *s, bool out, bool is_hairpin)
{
	uint8_t *src = v->ip + (v->is_v6 ? 8 : 12), *dst = src + (v->is_v6 ? 16 : 4);
	const struct addr from = view_src(v), to = view_dst(v);

	if (out) {
		if (!addr_equal(to, addr_of(nat, v->is_v6, s->in.dst)))
			return NAT_R_ICMP_STRAY;
		if (nat->cfg.n_inside > 0 && !is_inside(nat, from))
			return NAT_R_SPOOFED;
		/* Whichever host of the inside it is: the outside knows one address */
		if (s->in.src != s->out.src)
			put_addr(nat, src, v->is_v6, s->out.src);
		else if (!addr_equal(from, addr_of(nat, v->is_v6, s->in.src)) &&
			 (addr_is_private(from) || is_inside(nat, from)))
			return NAT_R_UNTRANSLATED;
		put_addr(nat, dst, v->is_v6, s->out.dst);
		return NAT_R_NONE;
	}
	if (!addr_equal(to, addr_of(nat, v->is_v6, s->out.src)))
		return NAT_R_ICMP_STRAY;
	if (!is_hairpin && (is_inside(nat, from) || own_of(nat, from) != NULL))
		return NAT_R_SPOOFED;
	if (addr_equal(from, addr_of(nat, v->is_v6, s->out.dst)))
		put_addr(nat, src, v->is_v6, s->in.dst);
	put_addr(nat, dst, v->is_v6, s->in.src);
	return NAT_R_NONE;
}

/* The end of a quoted packet that is ours, or a host's of the inside */
static struct addr end_of(const struct quote *q)
{
	const bool out = q->key.from == NAT_INSIDE;

	if (q->key.is_v6)
		return addr_from_bytes(AF_V6, q->ip + (out ? 24 : 8));
	return addr_from_bytes(AF_V4, q->ip + (out ? 16 : 12));
}

/* What is next: it goes on, comes back in, or is another worker's */
enum next { NEXT_ON, NEXT_BACK, NEXT_ELSEWHERE };

static enum nat_reason translate(struct nat *nat, struct nat_packet *p, struct view *v,
				 bool is_hairpin, enum next *ret)
{
	const bool out = v->from == NAT_INSIDE;
	struct quote q;
	struct session *s;
	enum nat_reason why;

	if (!read_quote(nat, v, &q))
		return NAT_R_ICMP_QUOTE;
	s = session_find(nat, &q.key);
	if (s == NULL && share_error(nat, p, &q.key, end_of(&q), is_hairpin)) {
		*ret = NEXT_ELSEWHERE;
		return NAT_R_NONE;
	}
	if (s == NULL)
		return NAT_R_ICMP_STRAY;
	if (s->tcp != NAT_TCP_NONE &&
	    !tcp_is_in_window(s, out ? NAT_OUTSIDE : NAT_INSIDE, q.seq))
		return NAT_R_ICMP_WINDOW;
	why = rewrite_outer(nat, v, s, out, is_hairpin);
	if (why != NAT_R_NONE)
		return why;
	mend_mtu(v, &q);
	rewrite_quote(nat, &q, s, out);
	p->flow = (uint32_t)(s - nat->sessions) + 1;
	*ret = out && (s->flags & S_HAIRPIN) != 0 ? NEXT_BACK : NEXT_ON;
	return NAT_R_NONE;
}

void icmp_error(struct nat *nat, struct nat_packet *p, struct view *v)
{
	const uint32_t len = v->len - v->l4;
	const uint64_t pseudo = v->is_v6 ? csum_pseudo(v->ip, PROTO_ICMP6, len) : 0;
	enum next next = NEXT_ON;
	enum nat_reason why;

	if (csum_fold(csum_add(v->ip + v->l4, len, pseudo)) != 0xffff) {
		drop(nat, p, NAT_R_L4_CHECKSUM);
		return;
	}
	if ((v->is_v6 ? v->ip[7] : v->ip[8]) <= 1) {
		drop(nat, p, NAT_R_TTL);
		return;
	}
	why = check_martians(v);
	if (why == NAT_R_NONE)
		why = translate(nat, p, v, (p->flags & NAT_P_SECOND) != 0, &next);
	if (why == NAT_R_NONE && next == NEXT_BACK) {
		v->from = NAT_OUTSIDE;
		mend_checksums(v);
		why = translate(nat, p, v, true, &next);
	}
	if (next == NEXT_ELSEWHERE)
		return;
	if (why != NAT_R_NONE) {
		drop(nat, p, why);
		return;
	}
	rewrite_ttl(v);
	if (p->from == NAT_INSIDE && v->from == NAT_INSIDE)
		rewrite_id(nat, v);
	mend_checksums(v);
	nat->n.translated++;
	forward(nat, p, v->from == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE);
}
