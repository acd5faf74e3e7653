/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a redirect takes is known from the walk of all rules.  What becomes of it is
 * asked of the rules behind: one function for each place where a redirect goes on, of
 * which there are few, and not one for each redirect.
 *
 * Private addresses are those of jails behind the fences, so none of a real interface,
 * where a router may lead to it and translate what leaves.  Only what comes from public
 * addresses, or goes to such, is told: a network of one's own may be routed to jails.
 */
#include "prove/lint_work.h"

#include <string.h>

#include "model/eval.h"
#include "model/portmap.h"

#define MOST_FORWARDS	256u	/* of which it is asked what becomes of their packets */

/* Interfaces of a kind, as the condition that a packet crosses one */
static dd crosses(struct lint_side *s, enum iface_kind kind)
{
	const struct facts *f = s->p.m->facts;
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (f->ifaces.v[i].kind == kind)
			ranges_add(s->p.a, &rs, AF_NONE, f->ifaces.v[i].id, f->ifaces.v[i].id);
	return space_iface_in(&s->p.s, set_make(s->p.a, &rs));
}

static dd addr_in(struct lint_side *s, enum part part, const struct set *in)
{
	return space_in(&s->p.s, part, in);
}

/* Addresses that no other host of the world has, and those of many */
static const struct set *not_public(struct arena *a)
{
	static const struct { uint8_t af, len; u128 v; } nets[] = {
		{ AF_V4, 8, (u128)0 }, { AF_V4, 8, (u128)10 << 24 },
		{ AF_V4, 10, (u128)0x64400000 }, { AF_V4, 8, (u128)127 << 24 },
		{ AF_V4, 16, (u128)0xa9fe0000 }, { AF_V4, 12, (u128)0xac100000 },
		{ AF_V4, 16, (u128)0xc0a80000 }, { AF_V4, 3, (u128)0xe0000000 },
		{ AF_V6, 8, (u128)0 }, { AF_V6, 7, (u128)0xfc << 120 },
		{ AF_V6, 8, (u128)0xfe << 120 }, { AF_V6, 8, (u128)0xff << 120 },
	};
	struct ranges rs = { .list = { .n = 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(nets); i++)
		ranges_add_prefix(a, &rs, (struct prefix){ { nets[i].af, nets[i].v },
							   nets[i].len });
	return set_make(a, &rs);
}

static dd is_public(struct lint_side *s, enum part part)
{
	return dd_not(&s->d, addr_in(s, part, not_public(s->p.a)));
}

/* ---- what is delivered ---------------------------------------------------------------- */

/* @f, of packets that cross @iface */
static dd at_iface(struct lint_side *s, dd f, const char *iface)
{
	const uint32_t n = space_width(&s->p.s, P_IFACE);
	uint32_t number = 0;

	while (number < s->p.s.names.n &&
	       strcmp(s->p.s.names.v[number], facts_linux_name(iface)) != 0)
		number++;
	for (uint32_t i = 0; i < n; i++)
		f = dd_with(&s->d, f, space_var(&s->p.s, P_IFACE, i),
			    (number >> (n - 1 - i) & 1) != 0);
	return f;
}

static const struct set *behind(struct arena *a, const struct iface *i)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t k = 0; k < i->behind.n; k++)
		ranges_add_prefix(a, &rs, i->behind.v[k]);
	return set_make(a, &rs);
}

/* Of packets that came in, those that reach the host, or get over the link of a jail */
static dd delivered(struct lint *l, struct lint_side *s, dd in)
{
	const struct lint_at entry = { l->m->entry[DIR_OUT], 0 };
	dd out = DD_TRUE, r = in;

	/* A free state that it has made by now may let it pass there too */
	if (l->records.n > 0)
		return in;
	for (uint32_t i = 0; i < l->m->facts->ifaces.n; i++) {
		const struct iface *link = &l->m->facts->ifaces.v[i];
		dd there;

		if (link->kind != IFACE_JAIL || link->behind.n == 0 || link->is_port)
			continue;
		if (out == DD_TRUE)
			out = lint_walk(l, s, DIR_OUT, WALK_PASSES, entry,
					lint_packets(s, DIR_OUT));
		there = dd_and(&s->d, r, addr_in(s, P_DST, behind(l->a, link)));
		r = dd_and(&s->d, r, dd_not(&s->d, there));
		r = dd_or(&s->d, r, dd_and(&s->d, there, at_iface(s, out, link->name)));
	}
	return r;
}

/* ---- redirects ------------------------------------------------------------------------ */

/* A forward: one translation, a row of a table, or a redirect of a nat instance */
struct forward {
	const struct rule *r;
	struct lint_at at;
	struct origin origin;
	const void *which;	/* of a rule's several; the same where the rule is taken apart */
	dd in;			/* what it takes */
	dd to;			/* and what that becomes */
};

struct forwards {
	VEC(struct forward) list;
};

static void add_forward(struct lint *l, struct forwards *all, const struct lint_taken *t,
			struct forward f)
{
	f.r = lint_rule(l, t->number);
	f.at = l->at[t->number];
	if (f.origin.text == NULL)
		f.origin = f.r->origin;
	if (f.in != DD_FALSE && f.to != DD_FALSE && all->list.n < MOST_FORWARDS)
		vec_add(l->a, &all->list, f);
}

/* Of @in what goes to an address and, of protocols with such, to ports */
static dd bound_for(struct lint_side *s, dd in, struct addr a, uint16_t lo, uint16_t hi)
{
	if (a.af != s->p.s.af)
		return DD_FALSE;
	in = dd_and(&s->d, in, space_is(&s->p.s, P_DST, a.v));
	return lo == 0 && hi == UINT16_MAX ? in
	       : dd_and(&s->d, in, dd_and(&s->d, space_ports(&s->p.s),
					  space_range(&s->p.s, P_DPORT, lo, hi)));
}

static void add_rows(struct lint *l, struct lint_side *s, struct forwards *all,
		     const struct lint_taken *t, const struct xlate *x)
{
	const struct portmap *map = lint_rule(l, t->number)->map;

	for (uint32_t i = 0; i < map->rows.n && all->list.n < MOST_FORWARDS; i++) {
		const struct portmap_row *row = &map->rows.v[i];
		const uint16_t last = row->is_one ? row->to
				      : (uint16_t)(row->to + (row->hi - row->lo));
		const dd of = dd_and(&s->d, t->in, space_is(&s->p.s, P_PROTO, row->proto));
		const dd in = bound_for(s, of, map->outside[row->outside], row->lo, row->hi);

		add_forward(l, all, t, (struct forward){
			.origin = map->origins.v[row->origin], .in = in,
			.to = bound_for(s, lint_image(s, DIR_IN, x, in), x->to.v[row->inside],
					row->to, last) });
	}
}

static void add_redirect(struct lint *l, struct lint_side *s, struct forwards *all,
			 const struct lint_taken *t, const struct xlate *x,
			 const struct redirect *d)
{
	const struct addr outside = d->outside.af != AF_NONE || x->to.n == 0 ? d->outside
										: x->to.v[0];
	struct forward f = { .which = d, .in = t->in };

	if (d->proto >= 0)
		f.in = dd_and(&s->d, f.in, space_is(&s->p.s, P_PROTO, (uint8_t)d->proto));
	if (d->peer.af != AF_NONE)
		f.in = dd_and(&s->d, f.in, space_is(&s->p.s, P_SRC, d->peer.v));
	if (d->peer_lo > 0)
		f.in = dd_and(&s->d, f.in, space_range(&s->p.s, P_SPORT, d->peer_lo, d->peer_hi));
	f.in = bound_for(s, f.in, outside, d->has_ports ? d->lo : 0,
			 d->has_ports ? d->hi : UINT16_MAX);
	for (uint32_t i = 0; i < d->to.n; i++) {
		const struct redirect_to *to = &d->to.v[i];
		const uint16_t last = (uint16_t)(to->port + (d->hi - d->lo));

		f.to = dd_or(&s->d, f.to,
			     bound_for(s, lint_image(s, DIR_IN, x, f.in), to->a,
				       d->has_ports ? to->port : 0,
				       d->has_ports ? last : UINT16_MAX));
	}
	add_forward(l, all, t, f);
}

static void find_forwards(struct lint *l, struct lint_side *s, struct forwards *all)
{
	const dd unfenced = lint_unfenced(l, s, DIR_IN, false);

	for (uint32_t i = 0; i < s->taken.n; i++) {
		const struct rule *r = lint_rule(l, s->taken.v[i].number);
		const struct xlate *x = &l->m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate];
		const struct lint_taken t = { s->taken.v[i].number,
					      dd_and(&s->d, s->taken.v[i].in, unfenced) };

		if (r->origin.policy != POLICY_NONE)
			continue;
		if (x->kind == XL_MAP)
			add_rows(l, s, all, &t, x);
		for (uint32_t k = 0; x->kind == XL_INSTANCE && k < x->redirects.n; k++)
			add_redirect(l, s, all, &t, x, &x->redirects.v[k]);
		if (x->kind == XL_DST)
			add_forward(l, all, &t, (struct forward){
				.in = t.in, .to = lint_image(s, DIR_IN, x, t.in) });
	}
}

/* Where packets of a forward go on, and what of all packets passes from there */
struct way_on {
	struct lint_at at;
	dd passes;
};

struct ways_on {
	VEC(struct way_on) list;
};

static dd passes_from(struct lint *l, struct lint_side *s, struct ways_on *known,
		      struct lint_at at)
{
	struct way_on new = { .at = at, .passes = lint_packets(s, DIR_IN) };

	for (uint32_t i = 0; i < known->list.n; i++)
		if (known->list.v[i].at.list == at.list && known->list.v[i].at.idx == at.idx)
			return known->list.v[i].passes;
	if (at.list != LIST_NONE)
		new.passes = lint_walk(l, s, DIR_IN, WALK_PASSES, at, new.passes);
	new.passes = delivered(l, s, new.passes);
	vec_add(l->a, &known->list, new);
	return new.passes;
}

/* What of a forward's packets gets inside */
static dd let_in(struct lint *l, struct lint_side *s, struct ways_on *known,
		 const struct forward *f)
{
	struct lint_at at = { LIST_NONE, 0 };

	if (f->r->exit == EX_DECIDE && f->r->ruling.verdict != V_PASS)
		return DD_FALSE;
	if (f->r->exit == EX_GOTO)
		at.list = f->r->list;
	if (f->r->exit == EX_NEXT)
		at = (struct lint_at){ f->at.list, f->at.idx + 1 };
	return dd_and(&s->d, f->to, passes_from(l, s, known, at));
}

static bool same_forward(const struct forward *a, const struct forward *b)
{
	return a->origin.at.src == b->origin.at.src && a->origin.at.lo == b->origin.at.lo &&
	       a->which == b->which;
}

static const struct step *last_word(const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n; i++)
		if (r->steps.v[i].is_final)
			return &r->steps.v[i];
	return NULL;
}

/* What came in and passed is refused on its way to the jail */
static bool show_shut_behind(struct lint *l, const struct packet *in, struct lint_finding *f)
{
	for (uint32_t i = 0; i < l->m->facts->ifaces.n; i++) {
		const struct iface *link = &l->m->facts->ifaces.v[i];
		struct packet out = *in;
		struct result r;
		struct world w;

		if (link->kind != IFACE_JAIL || !set_has_addr(behind(l->a, link), in->dst))
			continue;
		out.dir = DIR_OUT;
		out.iface = link->id;
		out.recv = 0;
		world_init(&w, l->a);
		r = model_eval(l->m, &w, &out, l->a);
		if (r.verdict == V_PASS || last_word(&r) == NULL)
			return false;
		f->packet = prove_packet_line(l->a, &out, link->name);
		f->by = last_word(&r)->origin;
		return true;
	}
	return false;
}

/* A packet of a forward that is refused: by whom */
static bool show_shut(struct lint *l, struct lint_side *s, const struct forward *fw,
		      struct lint_finding *f)
{
	const dd in = dd_and(&s->d, fw->in, sem_match(&s->p, DIR_IN, fw->r));
	struct result r;

	if (!lint_judge(l, s, DIR_IN, in, NULL, &f->packet, &r) || !r.dst_changed)
		return false;
	if (r.verdict == V_PASS)
		return show_shut_behind(l, &r.packet, f);
	if (last_word(&r) != NULL)
		f->by = last_word(&r)->origin;
	return true;
}

/* Forward number @i of a family is shut, and so are those that stand for the same one */
static bool is_shut(struct lint *l, struct forwards all[2], struct ways_on known[2], size_t side,
		    uint32_t i)
{
	const struct forward *f = &all[side].list.v[i];

	for (size_t k = 0; k < ARRAY_SIZE(l->side); k++)
		for (uint32_t n = 0; n < all[k].list.n; n++) {
			const struct forward *g = &all[k].list.v[n];

			if (!same_forward(f, g))
				continue;
			/* It was looked at when the first of them was */
			if (k < side || (k == side && n < i))
				return false;
			if (let_in(l, &l->side[k], &known[k], g) != DD_FALSE)
				return false;
		}
	return true;
}

static void look_at_forwards(struct lint *l)
{
	struct forwards all[2] = { 0 };
	struct ways_on known[2] = { 0 };

	for (size_t k = 0; k < ARRAY_SIZE(l->side); k++)
		find_forwards(l, &l->side[k], &all[k]);
	for (size_t k = 0; k < ARRAY_SIZE(l->side); k++)
		for (uint32_t i = 0; i < all[k].list.n; i++) {
			const struct forward *fw = &all[k].list.v[i];
			struct lint_finding f = { .kind = LINT_SHUT, .rule = fw->origin };

			if (lint_is_written(&fw->origin) && is_shut(l, all, known, k, i) &&
			    show_shut(l, &l->side[k], fw, &f))
				vec_add(l->a, &l->ret->list, f);
		}
}

static bool is_told(const struct lint *l, const struct origin *o)
{
	for (uint32_t i = 0; i < l->ret->list.n; i++) {
		const struct lint_finding *f = &l->ret->list.v[i];

		if (f->kind == LINT_TRANSIT && f->rule.at.src == o->at.src &&
		    f->rule.at.lo == o->at.lo)
			return true;
	}
	return false;
}

/* Addresses that a rule names one by one are meant */
static const struct set *ranges_of(struct arena *a, const struct set *in)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < in->n; i++)
		if (in->r[i].lo < in->r[i].hi)
			ranges_add(a, &rs, in->r[i].af, in->r[i].lo, in->r[i].hi);
	return set_make(a, &rs);
}

/* What a redirect takes on its way through the host */
static void look_for_transit(struct lint *l, struct lint_side *s, const struct lint_taken *t)
{
	const struct rule *r = lint_rule(l, t->number);
	const struct set *dst = rule_tests(r, F_DST), *local = rule_tests(r, F_DST_LOCAL);
	struct lint_finding f = { .kind = LINT_TRANSIT, .rule = r->origin };
	struct result res;
	dd in = dd_and(&s->d, t->in, is_public(s, P_DST));

	if (is_told(l, &r->origin) || r->map != NULL || local != NULL ||
	    (dst != NULL && dst->name != NULL))
		return;
	if (dst != NULL)
		in = dd_and(&s->d, in, addr_in(s, P_DST, ranges_of(l->a, dst)));
	in = dd_and(&s->d, in, dd_not(&s->d, space_local(&s->p.s, P_DST)));
	in = dd_and(&s->d, in, dd_or(&s->d, crosses(s, IFACE_JAIL),
				     rule_tests(r, F_IFACE) == NULL ? crosses(s, IFACE_REAL)
								    : DD_FALSE));
	in = dd_and(&s->d, in, lint_unfenced(l, s, DIR_IN, false));
	if (lint_judge(l, s, DIR_IN, in, r, &f.packet, &res) && res.dst_changed)
		vec_add(l->a, &l->ret->list, f);
}

static bool redirects(const struct lint *l, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);

	return l->m->xlates.v[e->xlate].kind == XL_DST && lint_is_written(&r->origin);
}

void lint_redirects(struct lint *l)
{
	for (size_t k = 0; k < ARRAY_SIZE(l->side); k++)
		for (uint32_t i = 0; i < l->side[k].taken.n; i++)
			if (redirects(l, lint_rule(l, l->side[k].taken.v[i].number)))
				look_for_transit(l, &l->side[k], &l->side[k].taken.v[i]);
	look_at_forwards(l);
}

/* ---- private addresses ------------------------------------------------------------------ */

/* Of a family, what gets in from public addresses, or out to such, past the fences */
static dd strangers(struct lint *l, struct lint_side *s, enum direction dir)
{
	const enum part outside = dir == DIR_IN ? P_SRC : P_DST;
	dd r = dd_and(&s->d, lint_packets(s, dir), crosses(s, IFACE_REAL));

	r = dd_and(&s->d, r, is_public(s, outside));
	r = dd_and(&s->d, r, dd_not(&s->d, space_local(&s->p.s, outside)));
	r = dd_and(&s->d, r, lint_unfenced(l, s, dir, false));
	return dd_and(&s->d, r, lint_unfenced(l, s, dir, true));
}

/* Those of @come that get in, or out, as they are */
static dd as_is(struct lint *l, struct lint_side *s, enum direction dir, dd come)
{
	const struct lint_at entry = { l->m->entry[dir], 0 };

	/* Most hosts have their fences: no walk then */
	if (come == DD_FALSE)
		return DD_FALSE;
	come = lint_walk(l, s, dir, WALK_AS_IS, entry, come);
	return dir == DIR_IN ? delivered(l, s, come) : come;
}

static void look_at_address(struct lint *l, const struct decl_jail *j, struct addr a,
			    enum lint_kind kind, dd come)
{
	const enum direction dir = kind == LINT_REACHED ? DIR_IN : DIR_OUT;
	struct lint_finding f = { .kind = kind, .jail = j, .addr = a };
	struct lint_side *s = &l->side[a.af == AF_V6];
	struct result r;

	come = dd_and(&s->d, come, space_is(&s->p.s, dir == DIR_IN ? P_DST : P_SRC, a.v));
	come = as_is(l, s, dir, come);
	if (come == DD_FALSE || !lint_judge(l, s, dir, come, NULL, &f.packet, &r) ||
	    r.verdict != V_PASS || r.src_changed || r.dst_changed)
		return;
	if (last_word(&r) != NULL)
		f.rule = last_word(&r)->origin;
	vec_add(l->a, &l->ret->list, f);
}

static void look_at_addresses(struct lint *l, enum lint_kind kind)
{
	const enum direction dir = kind == LINT_REACHED ? DIR_IN : DIR_OUT;
	const dd come[] = { strangers(l, &l->side[0], dir), strangers(l, &l->side[1], dir) };

	for (uint32_t i = 0; i < l->decl->jails.n; i++) {
		const struct decl_jail *j = &l->decl->jails.v[i];

		for (uint32_t n = 0; j->is_enabled && n < j->addrs.n; n++) {
			const struct addr a = j->addrs.v[n].p.a;

			if (set_has_addr(l->m->interior, a))
				look_at_address(l, j, a, kind, come[a.af == AF_V6]);
		}
	}
}

void lint_private(struct lint *l)
{
	look_at_addresses(l, LINT_REACHED);
	look_at_addresses(l, LINT_LEAVES);
}
