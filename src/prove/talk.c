/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The way of a conversation is that of journey.c, step by step; at each step all
 * conversations that went on alike so far are one set.  Both sides say what becomes of
 * their packets, which parts the set: into those that end for both, those that go on,
 * each with what the two remember now, and those of which the two say different things.
 * Of these one is gone through with the rules themselves, so that what is told is what
 * `why` says.
 */
#include "prove/talk.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "prove/journey.h"
#include "prove/stages.h"

#define MOST_IFACES	16u	/* each is gone through with each */

/* What only programs have stands for the flags of answers and of later packets */
#define ANSWER_FLAGS	P_CAND
#define LATER_FLAGS	P_QUICK

enum way { INWARD, OUTWARD, WITHIN };

/* Where a conversation is */
enum stage {
	BEGIN, ARRIVED, REACHED, COMING_BACK, LEFT, LO_LEFT, LO_REACHED, LO_BACK, FINISHED,
};

/* All conversations of one kind that begin in one way */
struct plot {
	struct proof *p;
	const struct model *const *m;
	struct arena a;
	struct talk_terms terms;
	struct talk side[2];
	struct prove_result *ret;
	enum way way;
	uint32_t iface;			/* where it begins; lo0 within */
	bool is_excluded;		/* differences are of what is not compared */
	struct talk_view first;
};

/* Some of them, at one stage */
struct scene {
	dd who;				/* their first packets */
	struct talk_view v;
	struct talk_world w[2];
	struct talk_world before[2];	/* as this packet began */
	uint32_t out;			/* how they leave the host, 0: not */
	uint32_t round;			/* packets in the first one's direction, with this */
};

struct pair {
	uint32_t one;
	uint32_t other;
};

struct pairs {
	struct arena *a;
	VEC(struct pair) list;
};

static void go_on(struct plot *t, struct scene s, enum stage at);

/* ---- what both say ----------------------------------------------------------------------- */

static uint32_t pair_of(void *arg, uint32_t one, uint32_t other)
{
	struct pairs *all = arg;

	if (one == 0)
		return 0;
	for (uint32_t i = 0; i < all->list.n; i++)
		if (all->list.v[i].one == one && all->list.v[i].other == other)
			return i + 2;
	vec_add(all->a, &all->list, ((struct pair){ one, other }));
	return all->list.n + 1;
}

static uint32_t is_number(void *arg, uint32_t value)
{
	return value == *(const uint32_t *)arg ? 1 : 0;
}

static void lose(struct plot *t, const char *why)
{
	prove_unproven(t->p, t->ret, arena_printf(t->p->a, "conversations: %s", why));
}

/* Those of whose packets some have given flags, as usual as can be */
static dd with_flags(struct proof *p, dd who, enum part part, uint8_t *ret)
{
	static const uint8_t usual[] = { TCP_FLAG_ACK, TCP_FLAG_SYN | TCP_FLAG_ACK };

	for (uint32_t i = 0; i < ARRAY_SIZE(usual) + UINT8_MAX; i++) {
		const uint32_t v = i < ARRAY_SIZE(usual) ? usual[i] : i - 1;
		const dd those = dd_and(p->d, who, space_is(&p->s, part, v));

		if (those != DD_FALSE) {
			*ret = (uint8_t)v;
			return those;
		}
	}
	return who;
}

/* The two say different things of some conversations: go through one */
static void differ(struct plot *t, dd who)
{
	uint8_t flags[2] = { 0 };
	struct packet k;
	const char *line;

	if (t->is_excluded) {
		prove_unproven(t->p, t->ret, journey_excluded);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		who = with_flags(t->p, who, i == 0 ? ANSWER_FLAGS : LATER_FLAGS, &flags[i]);
	if (!prove_packet_in(t->p, t->way == INWARD ? DIR_IN : DIR_OUT, who, &k, &line))
		return;
	k.iface = t->iface;
	if (!journey_show(t->m[0], t->m[1], &k, flags, t->p->a, t->ret))
		lose(t, arena_printf(t->p->a, "what follows %s", line));
}

static void compare_pair(struct plot *t, const struct scene *s, struct pair ends, dd who,
			 enum stage next)
{
	const struct talk_end *x = t->side[0].ends.v[ends.one - 2];
	const struct talk_end *y = t->side[1].ends.v[ends.other - 2];
	struct scene then = *s;
	dd same;

	if (x->fate == TALK_UNKNOWN || y->fate == TALK_UNKNOWN) {
		lose(t, x->fate == TALK_UNKNOWN ? x->why : y->why);
	} else if (x->fate != y->fate) {
		differ(t, who);
	} else if (x->fate != TALK_PASS) {
		then.who = who;
		then.w[0] = x->world;
		then.w[1] = y->world;
		go_on(t, then, FINISHED);
	} else {
		t->side[0].care = who;
		same = dd_and(t->p->d, who, talk_equal(&t->side[0], x->view.flow, y->view.flow));
		if (dd_and(t->p->d, who, dd_not(t->p->d, same)) != DD_FALSE)
			differ(t, dd_and(t->p->d, who, dd_not(t->p->d, same)));
		then.who = same;
		then.v = x->view;
		then.w[0] = x->world;
		then.w[1] = y->world;
		go_on(t, then, next);
	}
}

static bool is_over(const struct plot *t)
{
	return t->ret->differences.n > 0 || t->p->d->is_full;
}

/* A packet crosses an interface */
static void cross(struct plot *t, struct scene s, enum direction dir, uint32_t iface,
		  uint32_t recv, enum stage next)
{
	struct dds *d = t->p->d;
	struct pairs all = { .a = &t->a };
	dd f[2], pairs;

	if (s.who == DD_FALSE || is_over(t))
		return;
	s.v.dir = dir;
	s.v.iface = iface;
	s.v.recv = recv;
	for (int i = 0; i < 2; i++) {
		t->side[i].care = s.who;
		f[i] = talk_cross(&t->side[i], &s.v, &s.w[i]);
		if (t->side[i].lost != NULL) {
			lose(t, t->side[i].lost);
			return;
		}
	}
	s.who = dd_and(d, s.who, talk_real_draws(&t->side[0]));
	pairs = dd_join(d, dd_ite(d, s.who, f[0], DD_FALSE), dd_ite(d, s.who, f[1], DD_FALSE),
			pair_of, &all);
	for (uint32_t i = 0; i < all.list.n && !is_over(t); i++) {
		uint32_t number = i + 2;

		compare_pair(t, &s, all.list.v[i], dd_map(d, pairs, is_number, &number), next);
	}
}

/* ---- ways -------------------------------------------------------------------------------- */

/* Through lo: by the cloned loopback that has the destination, if one has */
static void cross_lo(struct plot *t, struct scene s, enum direction dir, enum stage next)
{
	const struct facts *f = t->m[0]->facts;
	struct dds *d = t->p->d;
	dd rest = s.who;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];
		struct scene part = s;
		dd here = DD_FALSE;

		for (uint32_t k = 0; k < ifp->addrs.n; k++)
			if (ifp->kind == IFACE_CLONED && ifp->addrs.v[k].p.a.af == t->p->s.af &&
			    facts_iface_of(f, ifp->addrs.v[k].p.a) == ifp)
				here = dd_or(d, here, talk_is(&t->side[0], s.v.flow.dst,
							      ifp->addrs.v[k].p.a.v));
		part.who = dd_and(d, rest, here);
		rest = dd_and(d, rest, dd_not(d, here));
		cross(t, part, dir, ifp->id, dir == DIR_IN ? ifp->id : 0, next);
	}
	s.who = rest;
	cross(t, s, dir, t->iface, dir == DIR_IN ? t->iface : 0, next);
}

static bool is_loop(const struct iface *i)
{
	return i->kind == IFACE_LO || i->kind == IFACE_CLONED;
}

static const struct set *networks(struct plot *t, const struct iface *i)
{
	struct ranges rs = { 0 };

	for (uint32_t k = 0; k < i->addrs.n; k++)
		ranges_add_prefix(&t->a, &rs, i->addrs.v[k].p);
	for (uint32_t k = 0; k < i->behind.n; k++)
		ranges_add_prefix(&t->a, &rs, i->behind.v[k]);
	return set_make(&t->a, &rs);
}

static void leave_by(struct plot *t, struct scene s, const struct iface *i)
{
	if (i != NULL && i->id != t->iface && !is_loop(i))
		cross(t, s, DIR_OUT, i->id, t->iface, REACHED);
	else
		go_on(t, s, FINISHED);
}

/* Leave by the interface that leads to the destination; never by where it came */
static void route(struct plot *t, struct scene s)
{
	const struct facts *f = t->m[0]->facts;
	const char *way = f->default_if[t->p->s.af == AF_V6];
	const struct iface *last = way == NULL ? NULL : facts_find(f, way);
	struct dds *d = t->p->d;
	const dd own = talk_local(&t->side[0], s.v.flow.dst);
	struct scene stays = s;
	dd rest = dd_and(d, s.who, dd_not(d, own));

	stays.who = dd_and(d, s.who, own);
	stays.out = 0;
	go_on(t, stays, REACHED);
	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];
		const dd leads = talk_addr_in(&t->side[0], s.v.flow.dst, networks(t, ifp));
		struct scene part = s;

		part.who = dd_and(d, rest, leads);
		part.out = ifp->id;
		rest = dd_and(d, rest, dd_not(d, leads));
		leave_by(t, part, ifp);
	}
	s.who = rest;
	s.out = last == NULL ? 0 : last->id;
	leave_by(t, s, last);
}

/* Those of which something holds; with the others nothing more happens for this packet */
static struct scene only(struct plot *t, struct scene s, dd is)
{
	struct scene others = s;

	others.who = dd_and(t->p->d, s.who, dd_not(t->p->d, is));
	s.who = dd_and(t->p->d, s.who, is);
	go_on(t, others, FINISHED);
	return s;
}

/* What goes back, of those that somebody answers */
static struct scene turned(struct plot *t, struct scene s)
{
	struct talk *side = &t->side[0];
	const uint32_t echo = t->p->s.af == AF_V4 ? 8 : 128, reply = t->p->s.af == AF_V4 ? 0 : 129;

	s.v.flow = talk_reverse(s.v.flow);
	s.w[0].tags = s.w[1].tags = 0;
	s.v.flags = talk_part(side, ANSWER_FLAGS, 0);
	if (side->kind == TALK_QUERY) {
		s = only(t, s, talk_range(side, s.v.icmp, (uint16_t)(echo << 8),
					  (uint16_t)(echo << 8 | UINT8_MAX)));
		s.v.icmp = talk_plus(side, s.v.icmp, (reply - echo) << 8);
	}
	return s;
}

/* Those that are still on their way to where they were sent */
static struct scene undiverted(struct plot *t, struct scene s)
{
	struct talk_flow to = s.v.flow;

	to.dst = t->first.flow.dst;
	t->side[0].care = s.who;
	return only(t, s, talk_equal(&t->side[0], s.v.flow, to));
}

/*
 * Another packet follows, until nothing more is remembered: from there on all is as it was
 * for the last one
 */
static void again(struct plot *t, struct scene s)
{
	s.w[0].tags = s.w[1].tags = 0;
	if (s.round > 0 && memcmp(s.w, s.before, sizeof(s.w)) == 0)
		return;
	if (s.round++ == JOURNEY_ROUNDS) {
		lose(t, "what is remembered grows with each packet");
		return;
	}
	memcpy(s.before, s.w, sizeof(s.w));
	s.v = t->first;
	s.v.flags = talk_part(&t->side[0], s.round > 1 ? LATER_FLAGS : P_FLAGS, 0);
	go_on(t, s, BEGIN);
}

static void begin(struct plot *t, struct scene s)
{
	if (t->way == INWARD)
		cross(t, s, DIR_IN, t->iface, t->iface, ARRIVED);
	else if (t->way == OUTWARD)
		cross(t, s, DIR_OUT, t->iface, 0, LEFT);
	else
		cross_lo(t, s, DIR_OUT, LO_LEFT);
}

/* What arrived is answered */
static void answer(struct plot *t, struct scene s)
{
	s = turned(t, s);
	if (s.out != 0)
		cross(t, s, DIR_IN, s.out, s.out, COMING_BACK);
	else
		go_on(t, s, COMING_BACK);
}

static void go_on(struct plot *t, struct scene s, enum stage at)
{
	if (s.who == DD_FALSE || is_over(t))
		return;
	switch (at) {
	case BEGIN:
		begin(t, s);
		break;
	case ARRIVED:
		route(t, s);
		break;
	case REACHED:
		answer(t, s);
		break;
	case COMING_BACK:
		cross(t, s, DIR_OUT, t->iface, s.out, FINISHED);
		break;
	case LEFT:
		cross(t, turned(t, s), DIR_IN, t->iface, t->iface, FINISHED);
		break;
	case LO_LEFT:
		cross_lo(t, s, DIR_IN, LO_REACHED);
		break;
	case LO_REACHED:
		cross_lo(t, turned(t, undiverted(t, s)), DIR_OUT, LO_BACK);
		break;
	case LO_BACK:
		cross_lo(t, s, DIR_IN, FINISHED);
		break;
	case FINISHED:
		again(t, s);
		break;
	}
}

/* ---- who begins -------------------------------------------------------------------------- */

/* No packet of TCP is without any */
static dd some_flags(struct proof *p)
{
	static const enum part parts[] = { P_FLAGS, ANSWER_FLAGS, LATER_FLAGS };
	dd r = DD_TRUE;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		r = dd_and(p->d, r, space_range(&p->s, parts[i], 1, UINT8_MAX));
	return r;
}

/* First packets of a kind */
static dd of_kind(struct proof *p, enum talk_kind kind)
{
	struct space *s = &p->s;
	struct dds *d = p->d;
	const dd ports = space_ports(s), tcp = space_is(s, P_PROTO, PROTO_TCP);
	const dd icmp = dd_or(d, space_is(s, P_PROTO, PROTO_ICMP),
			      space_is(s, P_PROTO, PROTO_ICMP6));

	if (kind == TALK_OTHER)
		return dd_not(d, dd_or(d, ports, icmp));
	if (kind == TALK_QUERY)
		return dd_and(d, space_icmp_query(s), space_range(s, P_SEQ, 0, UINT16_MAX));
	return dd_and(d, ports, dd_or(d, dd_not(d, tcp), some_flags(p)));
}

/* As journey.c: is something of a redirect's on the wrong side of it */
static dd of_redirect(struct plot *t, const struct redirect *r)
{
	struct talk *side = &t->side[0];
	const struct talk_flow *f = &t->first.flow;
	struct dds *d = t->p->d;
	dd is = dd_and(d, talk_local(side, f->src), talk_range(side, f->sport, r->lo, r->hi));

	for (uint32_t i = 0; i < r->to.n; i++) {
		const uint16_t lo = r->to.v[i].port, hi = (uint16_t)(lo + r->hi - r->lo);

		is = dd_or(d, is, dd_and(d, talk_is(side, f->src, r->to.v[i].a.v),
					 talk_range(side, f->sport, lo, hi)));
		is = dd_or(d, is, dd_and(d, talk_is(side, f->dst, r->to.v[i].a.v),
					 talk_range(side, f->dport, lo, hi)));
	}
	return is;
}

static dd excluded(struct plot *t)
{
	dd is = DD_FALSE;

	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; i < t->m[k]->xlates.n; i++)
			for (uint32_t n = 0; n < t->m[k]->xlates.v[i].redirects.n; n++) {
				const struct redirect *r = &t->m[k]->xlates.v[i].redirects.v[n];

				if (r->has_ports && t->p->s.af == AF_V4 &&
				    t->side[0].kind == TALK_PORTS)
					is = dd_or(t->p->d, is, of_redirect(t, r));
			}
	return is;
}

/* By where the two ends are */
static dd of_way(struct plot *t)
{
	struct dds *d = t->p->d;
	const dd src = space_local(&t->p->s, P_SRC), dst = space_local(&t->p->s, P_DST);

	if (t->way == WITHIN)
		return dd_and(d, src, dst);
	return t->way == OUTWARD ? dd_and(d, src, dd_not(d, dst)) : dd_not(d, src);
}

static void set_first(struct plot *t)
{
	struct talk *s = &t->side[0];
	struct talk_flow *f = &t->first.flow;

	f->src = talk_part(s, P_SRC, 0);
	f->dst = talk_part(s, P_DST, 0);
	f->sport = f->dport = s->kind == TALK_OTHER ? talk_const(s, 0) : talk_part(s, P_SEQ, 0);
	if (s->kind == TALK_PORTS) {
		f->sport = talk_part(s, P_SPORT, 0);
		f->dport = talk_part(s, P_DPORT, 0);
	}
	t->first.icmp = talk_part(s, P_SPORT, 0);
}

static void set_sides(struct plot *t, enum talk_kind kind)
{
	struct ranges rst = { 0 };

	for (uint32_t v = 0; v <= UINT8_MAX; v++)
		if ((v & TCP_FLAG_RST) != 0)
			ranges_add(&t->a, &rst, AF_NONE, v, v);
	for (int i = 0; i < 2; i++)
		t->side[i] = (struct talk){
			.p = t->p, .a = &t->a, .m = t->m[i], .terms = &t->terms, .kind = kind,
			.is_within = t->way == WITHIN, .rst_flags = set_make(&t->a, &rst),
		};
	set_first(t);
}

/* All that begin by one interface in one way */
static void compare_way(struct plot *t, enum talk_kind kind)
{
	struct proof *p = t->p;
	struct scene s = { .who = DD_FALSE };
	dd out;

	set_sides(t, kind);
	s.who = dd_and(p->d, of_kind(p, kind), of_way(t));
	s.who = dd_and(p->d, s.who, dd_not(p->d, space_bit(&p->s, P_OPTS, 0)));
	s.who = dd_and(p->d, s.who, space_range(&p->s, P_CTMARK, 0, UINT16_MAX));
	s.who = dd_and(p->d, s.who, space_range(&p->s, P_MARK, 0, UINT16_MAX));
	out = dd_and(p->d, s.who, excluded(t));
	s.who = dd_and(p->d, s.who, dd_not(p->d, out));
	go_on(t, s, FINISHED);
	t->is_excluded = true;
	s.who = out;
	go_on(t, s, FINISHED);
}

/* The same, within the memory that there is */
static void compare_within(struct proof *p, const struct model *const m[2], enum talk_kind kind,
			   enum way way, uint32_t iface, struct prove_result *ret)
{
	struct plot *t = arena_new(p->a, struct plot);
	jmp_buf *outer = p->a->full, full;

	*t = (struct plot){ .p = p, .m = m, .ret = ret, .way = way, .iface = iface };
	arena_init(&t->a, p->a->cap_bytes);
	if (setjmp(full) == 0) {
		p->a->full = t->a.full = &full;
		compare_way(t, kind);
	} else {
		prove_unproven(p, ret, "conversations: so many ways to go on");
	}
	p->a->full = outer;
	arena_fini(&t->a);
}

static void compare_kind(struct proof *p, const struct model *const m[2], enum talk_kind kind,
			 struct prove_result *ret)
{
	const struct facts *f = m[0]->facts;
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->ifaces.n && ret->differences.n == 0; i++) {
		const struct iface *ifp = &f->ifaces.v[i];

		if (ifp->kind == IFACE_LO)
			compare_within(p, m, kind, WITHIN, ifp->id, ret);
		if (is_loop(ifp))
			continue;
		if (n++ == MOST_IFACES) {
			prove_unproven(p, ret, "conversations: so many interfaces");
			return;
		}
		compare_within(p, m, kind, OUTWARD, ifp->id, ret);
		compare_within(p, m, kind, INWARD, ifp->id, ret);
	}
}

void talk_compare(struct proof *p, const struct model *const m[2], struct prove_result *ret)
{
	for (int kind = 0; kind < N_TALK_KINDS; kind++)
		compare_kind(p, m, (enum talk_kind)kind, ret);
}
