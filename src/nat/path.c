/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * All that a packet can go through, in order: fragments wait for each other;
 * prefixes that are translated without state; errors; flows.  Whatever the NAT
 * has to say about a packet it says before it rewrites it.
 *
 * A packet from inside to an outside address goes out and comes in again: its
 * second leg is that of a packet from outside, with a session of its own, so
 * mapping, filtering and rules are those of any other (RFC 4787 REQ-9).
 *
 * Lines: 4787-6 4787-6a 4787-7 4787-9 4787-9a 4787-13 5382-8 5382-8a 5508-7
 * 5508-10b3 7857-12 791-ttl 3022-4.6
 */
#include "nat/plain.h"

#define IPOPT_RR	7
#define IPOPT_LSRR	131
#define IPOPT_SSRR	137

static uint8_t ttl_of(const struct view *v)
{
	return v->is_v6 ? v->ip[7] : v->ip[8];
}

/* Options of IPv4: well formed, no source route; the address of ours goes into a route record */
static enum nat_reason read_options(const struct view *v, uint8_t **ret_record)
{
	uint8_t *o = v->ip + 20, *end = v->ip + v->l4;

	*ret_record = NULL;
	while (!v->is_v6 && o < end && *o != 0) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o || *o == IPOPT_LSRR ||
		    *o == IPOPT_SSRR)
			return NAT_R_OPTIONS;
		if (*o == IPOPT_RR && o[1] >= 3)
			*ret_record = o;
		o += o[1];
	}
	return NAT_R_NONE;
}

/* Also what earlier routers of the inside have recorded becomes ours */
static void record_route(struct nat *nat, const struct view *v, uint8_t *record, uint32_t self)
{
	const uint32_t at = record[2], len = record[1];

	if (at < 4 || at % 4 != 0)
		return;
	for (uint32_t i = 3; v->from == NAT_INSIDE && i + 4 < at && i + 4 <= len; i += 4)
		if (is_inside(nat, (struct addr){ AF_V4, get32(record + i) }))
			put32(record + i, self);
	if (at + 3 <= len) {
		put32(record + at - 1, self);
		record[2] = (uint8_t)(at + 4);
	}
	put16(v->ip + 10, 0);
	put16(v->ip + 10, csum_of(v->ip, v->l4, 0));
}

enum nat_reason path_check(struct nat *nat, const struct nat_packet *p, const struct view *v,
			   enum nat_side to)
{
	const struct answer_icmp late = {
		.to = (enum nat_side)v->from, .type = v->is_v6 ? 3 : 11,
	};
	const struct answer_icmp big = {
		.to = (enum nat_side)v->from, .type = v->is_v6 ? 2 : 3, .code = v->is_v6 ? 0 : 4,
		.rest = nat->cfg.mtu[to],
	};

	if (ttl_of(v) <= 1) {
		answer_icmp(nat, v, late);
		return NAT_R_TTL;
	}
	if (p->len <= nat->cfg.mtu[to] || (p->flags & NAT_P_GSO) != 0 || nat->in_datagram)
		return NAT_R_NONE;
	if (!v->is_v6 && (get16(v->ip + 6) & 0x4000) == 0)
		return NAT_R_NONE;
	answer_icmp(nat, v, big);
	return NAT_R_TOO_BIG;
}

void path_leave(struct nat *nat, struct nat_packet *p, enum nat_side to)
{
	forward(nat, p, to);
	if (p->len > nat->cfg.mtu[to] && (p->flags & NAT_P_GSO) == 0 && !nat->in_datagram)
		frag_split(nat, p, nat->cfg.mtu[to]);
}

static void keep_alive(struct nat *nat, struct session *s, bool out)
{
	if (out || (s->flags & S_BOTH) != 0)
		s->seen = nat->now;
	if (out && s->binding != NONE)
		nat->bindings[s->binding].time = nat->now;
}

/* What goes out by a session that its peer has opened permits other ports of the peer too */
static void permit_peer(struct nat *nat, struct session *s)
{
	if (s->binding == NONE || (s->flags & S_PERMIT) != 0 ||
	    nat->cfg.filtering[nat_protos[s->proto].class] != NAT_ADDRESS ||
	    !bind_permit(nat, s->binding, s->out.dst))
		return;
	s->flags |= S_PERMIT;
	if (s->scrub == 0)
		s->flags &= (uint8_t)~S_LOOK;
}

/* The session of a packet, with its part of the packet's history; NULL: verdict is set */
static struct session *session_for(struct nat *nat, struct nat_packet *p, struct view *v,
				   bool is_hairpin)
{
	struct session *s = session_find(nat, v);
	enum nat_reason why;

	if (s == NULL)
		s = open_session(nat, p, v, is_hairpin);
	if (s == NULL)
		return NULL;
	p->flow = (uint32_t)(s - nat->sessions) + 1;
	if (!is_hairpin) {
		const bool in = v->from == NAT_OUTSIDE || (s->flags & S_HAIRPIN) != 0;

		why = path_check(nat, p, v, in ? NAT_INSIDE : NAT_OUTSIDE);
		if (why != NAT_R_NONE) {
			drop(nat, p, why);
			return NULL;
		}
	}
	if (v->from == NAT_INSIDE && (s->flags & S_LOOK) != 0)
		permit_peer(nat, s);
	if (s->tcp != NAT_TCP_NONE) {
		why = tcp_track(nat, s, v);
		if (why != NAT_R_NONE) {
			drop(nat, p, why);
			return NULL;
		}
		if (v->from == NAT_INSIDE && s->binding != NONE)
			nat->bindings[s->binding].time = nat->now;
	} else {
		keep_alive(nat, s, v->from == NAT_INSIDE);
	}
	return s;
}

static void path_back(struct nat *nat, struct nat_packet *p, const struct view *v,
	       const struct session *first)
{
	const bool is_icmp = v->proto == PROTO_ICMP || v->proto == PROTO_ICMP6;
	struct view back = *v;
	struct session *s;

	back.from = NAT_OUTSIDE;
	back.src = first->out.src;
	back.dst = first->out.dst;
	back.sport = is_icmp ? 0 : first->out.sport;
	back.dport = is_icmp ? first->out.sport : first->out.dport;
	back.hash = view_hash(nat, &back);
	/* The id of a query is no port of its destination: to our own address it meets itself */
	if (is_icmp && session_matches(first, &back, 0))
		drop(nat, p, nat->cfg.no_echo ? NAT_R_NO_MAPPING : NAT_R_ANSWERED);
	s = p->verdict == NAT_DROP ? NULL : session_for(nat, p, &back, true);
	if (s == NULL && p->reason == NAT_R_ANSWERED) {
		rewrite(nat, p, v, first, false);
		answer_echo(nat, v, true);
	}
	if (s == NULL)
		return;
	rewrite(nat, p, &back, s, false);
	path_leave(nat, p, NAT_INSIDE);
}

/* The second leg of a packet whose first one was another worker's */
static void path_second(struct nat *nat, struct nat_packet *p, const struct view *v)
{
	const uint32_t n_made = nat->n_made;
	struct view back = *v;
	struct session *s;

	p->verdict = NAT_FORWARD;
	s = session_for(nat, p, &back, true);
	if (s == NULL && p->verdict == NAT_DROP && p->reason == NAT_R_ANSWERED) {
		answer_echo(nat, v, false);
		share_answered(nat, v, n_made);
	}
	if (s == NULL)
		return;
	rewrite(nat, p, &back, s, false);
	path_leave(nat, p, NAT_INSIDE);
	nat->n.hairpinned++;
}

static void path_flow(struct nat *nat, struct nat_packet *p, struct view *v)
{
	uint8_t *record = NULL;
	const enum nat_reason why = v->has_opts ? read_options(v, &record) : NAT_R_NONE;
	const bool out = v->from == NAT_INSIDE;
	struct session *s;

	if (why != NAT_R_NONE) {
		drop(nat, p, why);
		return;
	}
	s = session_for(nat, p, v, false);
	if (s == NULL && p->verdict == NAT_DROP && p->reason == NAT_R_ANSWERED)
		answer_echo(nat, v, false);
	if (s == NULL)
		return;
	nat->n.translated += (s->flags & S_CHANGES) != 0;
	rewrite_mss(v, nat->cfg.max_mss);
	rewrite_scrub(v, &nat->scrubs[s->scrub]);
	if (v->is_plain) {
		plain_rewrite(nat, v, s);
	} else {
		rewrite(nat, p, v, s, out);
		rewrite_ttl(v);
	}
	if (record != NULL)
		record_route(nat, v, record, s->out.src);
	p->verdict = NAT_FORWARD;
	if (!out)
		path_leave(nat, p, NAT_INSIDE);
	else if ((s->flags & S_HAIRPIN) != 0)
		path_back(nat, p, v, s);
	else
		path_leave(nat, p, NAT_OUTSIDE);
}

void path_view(struct nat *nat, struct nat_packet *p, struct view *v)
{
	if (nat->cfg.n_npt > 0 && v->is_v6 && npt_packet(nat, p, v))
		return;
	if (v->kind == K_FRAGMENT)
		frag_take(nat, p, v);
	else if (v->kind == K_ERROR)
		icmp_error(nat, p, v);
	else if ((p->flags & NAT_P_SECOND) != 0)
		path_second(nat, p, v);
	else
		path_flow(nat, p, v);
}

void path_packet(struct nat *nat, struct nat_packet *p)
{
	struct view v;
	const enum nat_reason why = view_read(nat, p, &v);

	if (why != NAT_R_NONE)
		drop(nat, p, why);
	else
		path_view(nat, p, &v);
}
