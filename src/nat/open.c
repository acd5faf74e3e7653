/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet without a session.  From inside: may it speak, what do the rules
 * say, which outside end has its endpoint (bind.c), and then it is a session.
 * From outside: a binding whose filtering lets this peer in, or a rule that
 * sends it inside; what is neither may be a simultaneous open, an echo request
 * to the NAT, or nothing.
 *
 * TCP opens a session with a SYN only, ICMP with a request.
 *
 * Lines: 4787-8 4787-10 4787-10a 5382-3 5382-3a 5382-6 5508-8 6888-6 6888-7
 * 6888-11a 6888-11b 6888-11c leak
 */
#include "nat/core.h"
#include "net/names.h"

#define IPOPT_RR	7

bool is_inside(const struct nat *nat, struct addr a)
{
	for (uint32_t i = 0; i < nat->cfg.n_inside; i++) {
		const struct prefix *p = &nat->cfg.inside[i];

		if (p->a.af == a.af &&
		    (p->len == 0 || (a.v ^ p->a.v) >> (addr_bits(a.af) - p->len) == 0))
			return true;
	}
	return false;
}

/* Addresses that no packet between hosts has */
static bool is_martian4(uint32_t a)
{
	return a >> 24 == 0 || a >> 24 == 127 || a >= 0xe0000000u || a >> 16 == 0xa9fe;
}

static bool is_martian6(struct addr a)
{
	/* The first /96, which ::1 is of, and mapped IPv4 */
	return a.v >> 32 == 0 || a.v >> 32 == 0xffff || addr_is_multicast(a) ||
	       addr_is_linklocal(a);
}

enum nat_reason check_martians(const struct view *v)
{
	if (v->is_v6 ? is_martian6(view_src(v)) : is_martian4(get32(v->ip + 12)))
		return NAT_R_SOURCE;
	if (v->is_v6 ? is_martian6(view_dst(v)) : is_martian4(get32(v->ip + 16)))
		return NAT_R_DESTINATION;
	return NAT_R_NONE;
}

static enum nat_reason check_addresses(const struct nat *nat, const struct nat_packet *p,
				       const struct view *v, const struct nat_ask *ask)
{
	const bool may_be_host = nat->cfg.has_host || (p->flags & NAT_P_HOST) != 0;
	const enum nat_reason why = check_martians(v);

	if (why != NAT_R_NONE || ask->is_hairpin)
		return why;
	/* The host itself may send so, to an address that it shares with the NAT */
	if (own_find(nat, v->is_v6, v->src) != NULL)
		return may_be_host && v->from == NAT_INSIDE &&
				       own_find(nat, v->is_v6, v->dst) != NULL
			       ? NAT_R_NONE : NAT_R_SPOOFED;
	if (ask->from == NAT_INSIDE && nat->cfg.n_inside == 0)
		return NAT_R_NONE;
	return is_inside(nat, ask->src) == (ask->from == NAT_INSIDE) ? NAT_R_NONE : NAT_R_SPOOFED;
}

/* Can the packet be the first of a flow */
static enum nat_reason check_opens(const struct view *v)
{
	const uint8_t mask = TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST | TCP_FLAG_FIN;
	const uint8_t type = v->ip[v->l4];

	if (v->proto == PROTO_TCP && (v->tcp_flags & mask) != TCP_FLAG_SYN)
		return (v->tcp_flags & TCP_FLAG_SYN) != 0 && (v->tcp_flags & TCP_FLAG_ACK) == 0
			       ? NAT_R_TCP_FLAGS : NAT_R_NO_STATE;
	if (v->proto == PROTO_ICMP)
		return type == 8 || type == 13 || type == 17 ? NAT_R_NONE : NAT_R_NO_STATE;
	if (v->proto == PROTO_ICMP6)
		return type == 128 ? NAT_R_NONE : NAT_R_NO_STATE;
	return NAT_R_NONE;
}

/* Source routes have been refused before, and malformed options too */
static uint8_t options_of(const struct view *v)
{
	const uint8_t *o = v->ip + 20, *end = v->ip + v->l4;
	uint8_t mask = 0;

	while (!v->is_v6 && o < end && *o != 0) {
		if (*o == IPOPT_RR)
			mask |= IP_OPTION_RR;
		o += *o == 1 ? 1 : o[1];
	}
	return mask;
}

static struct nat_ask ask_of(const struct nat_packet *p, const struct view *v, bool is_hairpin)
{
	const bool is_icmp = v->proto == PROTO_ICMP || v->proto == PROTO_ICMP6;
	const bool is_tcp = v->proto == PROTO_TCP;
	const uint8_t *l4 = v->ip + v->l4;

	return (struct nat_ask){
		.from = (enum nat_side)v->from, .is_hairpin = is_hairpin, .iface = p->iface,
		.proto = v->proto, .src = view_src(v), .dst = view_dst(v),
		.sport = is_icmp ? get16(l4 + 4) : v->sport,
		.dport = is_icmp ? get16(l4 + 4) : v->dport,
		.tcp_flags = v->tcp_flags, .icmp_type = is_icmp ? l4[0] : 0,
		.icmp_code = is_icmp ? l4[1] : 0,
		.tos = v->is_v6 ? (uint8_t)(get16(v->ip) >> 4) : v->ip[1],
		.has_opts = v->has_opts, .ip_opts = v->has_opts ? options_of(v) : 0,
		.ttl = v->ip[v->is_v6 ? 7 : 8],
		.len = (uint16_t)(get16(v->ip + (v->is_v6 ? 4 : 2)) + (v->is_v6 ? 40 : 0)),
		.id = v->is_v6 ? 0 : get16(v->ip + 4),
		.flow_label = v->is_v6 ? get32(v->ip) & FLOW_LABEL_MAX : 0,
		.win = is_tcp ? get16(l4 + 14) : 0, .seq = is_tcp ? get32(l4 + 4) : 0,
		.ack = is_tcp ? get32(l4 + 8) : 0,
	};
}

/* What happens where no rule says anything */
static void usual_ruling(const struct nat *nat, const struct nat_ask *ask, struct nat_ruling *r)
{
	*r = (struct nat_ruling){
		.pass = ask->from == NAT_INSIDE, .keep = true, .icmp = -1,
		.is_fenceless = nat->cfg.fenceless, .has_src = ask->from == NAT_INSIDE,
		.to = nat->cfg.outside, .n_to = nat->cfg.n_outside, .ports = nat->cfg.ports,
		.port_lo = nat->cfg.port_lo, .port_hi = nat->cfg.port_hi,
	};
	for (uint32_t i = 0; i < nat->cfg.n_no_translate; i++) {
		if (!prefix_has(nat->cfg.no_translate[i], ask->dst) || ask->is_hairpin)
			continue;
		r->has_src = false;
		r->is_fenceless = true;
	}
}

/* Ask the rules; true when they, and not what is usual, decided */
static bool judge(const struct nat *nat, const struct nat_ask *ask, struct nat_ruling *r)
{
	if (nat->cfg.judge != NULL) {
		*r = (struct nat_ruling){ .icmp = -1 };
		if (nat->cfg.judge(nat->cfg.judge_ctx, ask, r))
			return true;
	}
	usual_ruling(nat, ask, r);
	return false;
}

static struct session *refuse(struct nat *nat, struct nat_packet *p, enum nat_reason why)
{
	drop(nat, p, why);
	return NULL;
}

static struct session *refuse_rule(struct nat *nat, struct nat_packet *p, const struct view *v,
				   const struct nat_ruling *r)
{
	const uint32_t icmp = r->icmp >= 0 ? (uint32_t)r->icmp : 0;
	const struct answer_icmp e = {
		.to = (enum nat_side)v->from, .type = (uint8_t)(icmp >> 8), .code = (uint8_t)icmp,
	};

	if (r->answer && r->rst && v->proto == PROTO_TCP)
		answer_rst(nat, v);
	else if (r->answer && r->icmp >= 0)
		answer_icmp(nat, v, e);
	return refuse(nat, p, NAT_R_RULE);
}

/* No room for one more, and the sender is told (RFC 5508 REQ-8, RFC 6888 REQ-11) */
static struct session *refuse_room(struct nat *nat, struct nat_packet *p, const struct view *v,
				   uint16_t owner, enum nat_reason why)
{
	const bool is_quota = why == NAT_R_QUOTA_FLOWS || why == NAT_R_QUOTA_PORTS ||
			      why == NAT_R_RATE;
	struct owner *o = &nat->owners[owner];

	if (v->from == NAT_INSIDE)
		answer_unreachable(nat, v, is_quota ? 1 : 13);
	if (is_quota && (o->told == 0 || nat->now - o->told >= (60u << (30 - TICK_SHIFT)))) {
		const struct nat_event e = {
			.kind = NAT_EV_REFUSED, .proto = v->proto, .owner = owner,
			.inside = view_src(v), .in_port = v->sport, .outside = view_dst(v),
			.out_port = v->dport, .at_ns = nat->last_ns, .cfg = &nat->cfg,
		};

		o->told = nat->now;
		if (nat->cfg.notify != NULL)
			nat->cfg.notify(nat->cfg.notify_ctx, &e);
	}
	return refuse(nat, p, why);
}

/* Enter a session; the owner is charged here */
static struct session *enter(struct nat *nat, struct nat_packet *p, const struct view *v,
			     struct session *like)
{
	enum nat_reason why = owner_charge(nat, like->owner);
	struct session *s;

	if (why != NAT_R_NONE)
		return refuse_room(nat, p, v, like->owner, why);
	like->proto = v->proto;
	like->flags |= v->is_v6 ? S_V6 : 0;
	like->timer = v->proto == PROTO_TCP || nat_protos[v->proto].min_len > 0
			      ? nat_protos[v->proto].timer : NAT_T_OTHER;
	if (v->proto == PROTO_TCP)
		like->tcp = (like->flags & S_FROM_OUT) != 0 ? NAT_TCP_INIT_OUT : NAT_TCP_INIT_IN;
	why = session_new(nat, like, v, &s);
	if (why == NAT_R_NONE) {
		share_note(nat, s);
		return s;
	}
	owner_release(nat, like->owner);
	return refuse_room(nat, p, v, like->owner, why);
}

/* What the rules change besides */
static struct scrub_all scrub_of(const struct nat_ruling *r)
{
	return (struct scrub_all){ r->max_mss, r->min_ttl, r->no_df };
}

/* Let a packet pass that nobody remembers: its answer is judged for itself */
static struct session *pass_once(struct nat *nat, struct nat_packet *p, const struct view *v,
				 const struct nat_ruling *r)
{
	const enum nat_side to = v->from == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE;
	const struct scrub_all scrub = scrub_of(r);
	const enum nat_reason why = path_check(nat, p, v, to);

	if (why != NAT_R_NONE)
		return refuse(nat, p, why);
	rewrite_scrub(v, &scrub);
	rewrite_ttl(v);
	path_leave(nat, p, to);
	return NULL;
}

/* ---- outbound ---------------------------------------------------------------- */

/* The outside source of a session: a binding's, or by address; NAT_R_NONE or why not */
static enum nat_reason choose_source(struct nat *nat, const struct view *v,
				     const struct nat_ruling *r, struct session *like)
{
	const struct bind_ask ask = {
		.is_v6 = v->is_v6, .proto = v->proto, .owner = like->owner, .in = like->in.src,
		.in_port = like->in.sport, .peer = like->out.dst, .peer_port = like->out.dport,
		.rule = r,
	};
	const struct proto *info = &nat_protos[v->proto];
	enum nat_reason why;

	like->flags |= S_SOURCE;
	if (info->min_len == 0) {
		const struct own *own = bind_own(nat, &ask);

		if (own == NULL)
			return NAT_R_UNTRANSLATED;
		like->out.src = own->handle;
		return NAT_R_NONE;
	}
	why = bind_get(nat, &ask, &like->binding);
	if (why != NAT_R_NONE)
		return why;
	if (nat->likely.to != r->to || nat->likely.ports != r->ports ||
	    nat->likely.port_lo != r->port_lo || nat->likely.port_hi != r->port_hi)
		nat->likely = *r;
	bind_use(nat, like->binding);	/* until the session does */
	like->out.src = nat->bindings[like->binding].out;
	like->out.sport = nat->bindings[like->binding].out_port;
	if (nat->cfg.filtering[info->class] == NAT_ADDRESS)
		like->flags |= S_PERMIT;
	return NAT_R_NONE;
}

static struct session *enter_out(struct nat *nat, struct nat_packet *p, const struct view *v,
				 const struct nat_ruling *r, struct session *like)
{
	enum nat_reason why = NAT_R_NONE;
	struct session *s;

	if (r->has_src)
		why = choose_source(nat, v, r, like);
	else
		like->flags |= S_BOTH;
	if (why != NAT_R_NONE)
		return refuse_room(nat, p, v, like->owner, why);
	s = enter(nat, p, v, like);
	if (like->binding != NONE)
		bind_put(nat, like->binding);
	if (s != NULL && v->proto == PROTO_TCP)
		held_syn_drop(nat, s);
	return s;
}

static struct session *open_out(struct nat *nat, struct nat_packet *p, const struct view *v,
				struct nat_ask *ask)
{
	const struct addr src = ask->src, dst = ask->dst;
	struct nat_ruling r;
	struct session like = { .binding = NONE, .seen = nat->now }, *s;
	struct addr to = dst;
	uint32_t in;

	ask->is_hairpin = own_find(nat, v->is_v6, v->dst) != NULL;
	judge(nat, ask, &r);
	if (!r.pass)
		return refuse_rule(nat, p, v, &r);
	if (r.has_dst) {
		to = r.dst;
		ask->is_hairpin = own_of(nat, to) != NULL;
	}
	/* Hairpinned packets have an outside source, whichever rule is theirs */
	if (ask->is_hairpin) {
		like.flags |= S_HAIRPIN;
		if (!r.has_src)
			usual_ruling(nat, ask, &r);
	}
	if (!r.has_src && !r.is_fenceless && (addr_is_private(src) || is_inside(nat, src)) &&
	    !is_inside(nat, to))
		return refuse(nat, p, NAT_R_UNTRANSLATED);
	if (!r.keep && !r.has_src && !r.has_dst)
		return pass_once(nat, p, v, &r);
	if (check_opens(v) != NAT_R_NONE)
		return refuse(nat, p, check_opens(v));
	if (!rewrite_scrub_set(nat, &like, scrub_of(&r)))
		return refuse(nat, p, NAT_R_TABLE_FULL);
	like.owner = owner_of(nat, src);
	in = addr_get(nat, &src);
	like.in = (struct ends){ in, addr_get(nat, &dst), v->sport, v->dport };
	like.out = (struct ends){ in, addr_get(nat, &to), v->sport, v->dport };
	if (r.has_dst && nat_protos[v->proto].has_ports)
		like.out.dport = r.dport;
	if (v->is_v6 && (like.in.src == NONE || like.in.dst == NONE || like.out.dst == NONE))
		s = refuse_room(nat, p, v, like.owner, NAT_R_TABLE_FULL);
	else
		s = enter_out(nat, p, v, &r, &like);
	addr_drop(nat, v->is_v6, like.in.src);
	addr_drop(nat, v->is_v6, like.in.dst);
	addr_drop(nat, v->is_v6, like.out.dst);
	return s;
}

/* ---- inbound ------------------------------------------------------------------ */

static bool is_let_in(const struct nat *nat, const struct view *v, uint32_t binding)
{
	const enum nat_behaviour how = nat->cfg.filtering[nat_protos[v->proto].class];

	return how == NAT_ENDPOINT ||
	       (how == NAT_ADDRESS && v->src != NONE && bind_is_permitted(nat, binding, v->src));
}

/* Enter what comes from outside and leads to @in, @in_port */
static struct session *enter_in(struct nat *nat, struct nat_packet *p, const struct view *v,
				const struct nat_ask *ask, struct session *like, uint32_t in,
				uint16_t in_port)
{
	const bool is_icmp = nat_protos[v->proto].pool == POOL_ICMP;
	struct session *s;

	like->out = (struct ends){ addr_get(nat, &ask->dst), addr_get(nat, &ask->src),
				   v->dport, v->sport };
	like->in = (struct ends){ in, like->out.dst, is_icmp ? v->dport : in_port, v->sport };
	like->flags |= S_FROM_OUT;
	if (own_of(nat, ask->src) != NULL)
		like->flags |= S_HAIRPIN;	/* a hairpinned one, and so are its answers */
	like->owner = owner_of(nat, addr_of(nat, v->is_v6, in));
	if (v->is_v6 && (like->out.src == NONE || like->out.dst == NONE))
		s = refuse(nat, p, NAT_R_TABLE_FULL);
	else
		s = enter(nat, p, v, like);
	addr_drop(nat, v->is_v6, like->out.src);
	addr_drop(nat, v->is_v6, like->out.dst);
	return s;
}

static struct session *open_at_binding(struct nat *nat, struct nat_packet *p,
				       const struct view *v, const struct nat_ask *ask,
				       uint32_t binding)
{
	const struct binding *b = &nat->bindings[binding];
	/* It lives no longer than what its endpoint has sent allows (RFC 4787 REQ-6) */
	struct session like = {
		.binding = binding, .seen = b->time, .flags = S_SOURCE,
	}, *s;

	if (session_is_over(nat, &(struct session){ .seen = b->time,
						    .timer = nat_protos[v->proto].timer }))
		return refuse(nat, p, NAT_R_NO_MAPPING);
	if (nat->cfg.filtering[nat_protos[v->proto].class] == NAT_ADDRESS)
		like.flags |= S_LOOK;
	/* What else it has may end meanwhile */
	bind_use(nat, binding);
	s = enter_in(nat, p, v, ask, &like, b->in, b->in_port);
	bind_put(nat, binding);
	return s;
}

/* Ask the rules, unless another worker has asked its own: they are the same */
static bool judge_in(const struct nat *nat, const struct nat_packet *p, const struct nat_ask *ask,
		     struct nat_ruling *r)
{
	if (nat->errand == NULL || (p->flags & NAT_P_JUDGED) == 0)
		return judge(nat, ask, r);
	*r = nat->errand->ruling;
	return true;
}

/* Neither a mapping nor a rule wants it */
static struct session *nobody(struct nat *nat, struct nat_packet *p, const struct view *v,
			      bool is_own, enum nat_reason why)
{
	const bool is_echo = (v->proto == PROTO_ICMP && v->ip[v->l4] == 8) ||
			     (v->proto == PROTO_ICMP6 && v->ip[v->l4] == 128);

	/* Who knows its first leg answers */
	if (is_own && is_echo && !nat->cfg.no_echo)
		return refuse(nat, p, NAT_R_ANSWERED);
	if (is_own && v->proto == PROTO_TCP && p->from == NAT_OUTSIDE &&
	    (p->flags & NAT_P_SECOND) == 0 && check_opens(v) == NAT_R_NONE)
		held_syn_add(nat, v);
	return refuse(nat, p, why);
}

static struct session *open_in(struct nat *nat, struct nat_packet *p, const struct view *v,
			       const struct nat_ask *ask)
{
	const bool is_own = own_of(nat, ask->dst) != NULL;
	const uint32_t binding = is_own ? bind_find_out(nat, v->is_v6, v->proto, v->dst, v->dport)
					: NONE;
	struct session like = { .binding = NONE, .seen = nat->now, .flags = S_BOTH }, *s;
	struct nat_ruling r;
	bool ruled;

	if (binding != NONE && check_opens(v) == NAT_R_NONE && is_let_in(nat, v, binding))
		return open_at_binding(nat, p, v, ask, binding);
	ruled = judge_in(nat, p, ask, &r);
	if (!r.pass && ruled)
		return refuse_rule(nat, p, v, &r);
	if (!r.pass || (is_own && !r.has_dst))
		return nobody(nat, p, v, is_own, binding != NONE ? NAT_R_FILTERED
								 : NAT_R_NO_MAPPING);
	if (!r.has_dst)
		r.dst = ask->dst;
	if (!is_inside(nat, r.dst))
		return refuse(nat, p, NAT_R_DESTINATION);
	if (share_judged(nat, p, v, &r, ask->is_hairpin))
		return NULL;
	if (!r.keep && !r.has_dst)
		return pass_once(nat, p, v, &r);
	if (check_opens(v) != NAT_R_NONE)
		return refuse(nat, p, check_opens(v));
	if (!rewrite_scrub_set(nat, &like, scrub_of(&r)))
		return refuse(nat, p, NAT_R_TABLE_FULL);
	like.in.src = addr_get(nat, &r.dst);
	if (v->is_v6 && like.in.src == NONE)
		return refuse(nat, p, NAT_R_TABLE_FULL);
	s = enter_in(nat, p, v, ask, &like, like.in.src, r.has_dst ? r.dport : v->dport);
	addr_drop(nat, v->is_v6, like.in.src);
	return s;
}

struct session *open_session(struct nat *nat, struct nat_packet *p, struct view *v,
			     bool is_hairpin)
{
	struct nat_ask ask = ask_of(p, v, is_hairpin);
	const enum nat_reason why = check_addresses(nat, p, v, &ask);

	if (why != NAT_R_NONE)
		return refuse(nat, p, why);
	if (share_opens(nat, p, v, is_hairpin))
		return NULL;
	return v->from == NAT_INSIDE ? open_out(nat, p, v, &ask) : open_in(nat, p, v, &ask);
}
