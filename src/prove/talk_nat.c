/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * As instance.c and the translations of eval.c, with terms: where these ask, the packets
 * are told apart, and each part goes on for itself.
 */
#include "prove/talk.h"

#include "model/portmap.h"

#define MOST_ROWS	64u	/* of a table of forwards, each a way for itself */

/* A translation under way */
struct nat {
	struct talk *t;
	const struct talk_run *r;
	const struct xlate *x;
	const struct rule *rule;
	bool out;			/* of an instance: it is the source that changes */
	dd (*then)(struct talk *t, const struct talk_run *r, bool changed, void *arg);
	void *arg;
};

/* ---- a packet that is changed, or is not ------------------------------------------------- */

/* The packet has flow @to now; @r has what is remembered of that */
static dd rewritten(struct nat *n, const struct talk_run *r, struct talk_flow to, bool changes_dst)
{
	struct talk_run changed = *r, same = *r;
	const dd is_same = talk_equal(n->t, r->v.flow, to);

	if (is_same == DD_TRUE)
		return n->then(n->t, &same, false, n->arg);
	changed.v.flow = to;
	changed.is_dst_changed |= changes_dst;
	if (n->x->is_local)
		changed.v.iface = talk_crossed(n->t, r->v.iface, to.dst);
	if (is_same == DD_FALSE)
		return n->then(n->t, &changed, true, n->arg);
	return dd_ite(n->t->p->d, is_same, n->then(n->t, &same, false, n->arg),
		      n->then(n->t, &changed, true, n->arg));
}

static dd untouched(struct nat *n)
{
	return n->then(n->t, n->r, false, n->arg);
}

/* ---- rdr and nat of pf ------------------------------------------------------------------- */

/* The only address of a pool of this family; false: it has several */
static bool only_address(const struct nat *n, struct addr *ret)
{
	uint32_t n_to = 0;

	for (uint32_t i = 0; i < n->x->to.n; i++)
		if (n->x->to.v[i].af == n->t->p->s.af) {
			*ret = n->x->to.v[i];
			n_to++;
		}
	if (n_to == 0)
		ret->af = AF_NONE;
	return n_to < 2 && (n->x->pool != POOL_BITMASK || n->x->host_bits == 0);
}

static const struct set *tested(const struct nat *n, bool src)
{
	return rule_tests(n->rule, src ? F_SPORT : F_DPORT);
}

/* A shift that begins anew behind its end has no distance that is the same for all */
static bool has_distance(const struct nat *n, bool src)
{
	const struct xlate *x = n->x;
	const struct set *ports = tested(n, src);

	if (x->hi < x->lo)
		return true;
	return ports != NULL && ports->n > 0 && ports->r[0].lo >= x->from &&
	       ports->r[ports->n - 1].hi - x->from <= (uint32_t)(x->hi - x->lo);
}

/* The new port of a packet; false: it cannot be said */
static bool new_port(struct nat *n, uint32_t port, bool src, uint32_t *ret)
{
	const struct xlate *x = n->x;

	*ret = port;
	switch (x->port) {
	case XP_KEEP:
		return true;
	case XP_TO:
		*ret = talk_const(n->t, x->lo);
		return true;
	case XP_RANDOM:
		if (x->lo == x->hi)
			*ret = talk_const(n->t, x->lo);
		return x->lo == x->hi || talk_drawn(n->t, x->lo, x->hi, ret);
	case XP_SHIFT:
		*ret = talk_plus(n->t, port, (uint32_t)x->lo - x->from);
		return has_distance(n, src);
	}
	BUG_IF(true);
}

static dd translate_dst(struct nat *n)
{
	struct talk_flow to = n->r->v.flow;
	struct addr a;

	if (!only_address(n, &a))
		return talk_unknown(n->t, "a pool of several addresses");
	if (a.af == AF_NONE)
		return untouched(n);
	to.dst = talk_const(n->t, a.v);
	if (n->t->kind == TALK_PORTS && !new_port(n, to.dport, false, &to.dport))
		return talk_unknown(n->t, "how ports are chosen");
	return rewritten(n, n->r, to, true);
}

static dd translate_src(struct nat *n)
{
	struct talk_flow to = n->r->v.flow;
	struct addr a;
	bool said = true;

	if (!only_address(n, &a))
		return talk_unknown(n->t, "a pool of several addresses");
	if (a.af == AF_NONE)
		return untouched(n);
	to.src = talk_const(n->t, a.v);
	if (n->t->kind == TALK_PORTS)
		said = new_port(n, to.sport, true, &to.sport);
	else if (n->t->kind == TALK_QUERY && n->x->port == XP_RANDOM)
		said = talk_drawn(n->t, 1, UINT16_MAX, &to.sport);
	if (n->t->kind == TALK_QUERY)
		to.dport = to.sport;
	return said ? rewritten(n, n->r, to, false)
		    : talk_unknown(n->t, "how ports are chosen");
}

/* ---- tables of forwards ------------------------------------------------------------------ */

static dd row_has(struct talk *t, const struct talk_run *r, const struct portmap *map,
		  const struct portmap_row *row)
{
	const struct addr to = map->outside[row->outside];
	struct dds *d = t->p->d;

	if (to.af != t->p->s.af || t->kind != TALK_PORTS)
		return DD_FALSE;
	return dd_and(d, dd_and(d, talk_is(t, r->v.flow.dst, to.v),
				space_is(&t->p->s, P_PROTO, row->proto)),
		      talk_range(t, r->v.flow.dport, row->lo, row->hi));
}

dd talk_map_has(struct talk *t, const struct talk_run *r, const struct portmap *map)
{
	dd has = DD_FALSE;

	if (map->rows.n > MOST_ROWS)
		t->lost = "so many forwards";
	for (uint32_t i = 0; i < map->rows.n && i < MOST_ROWS; i++)
		has = dd_or(t->p->d, has, row_has(t, r, map, &map->rows.v[i]));
	return has;
}

static dd translate_map(struct nat *n)
{
	const struct portmap *map = n->rule->map;
	dd f = untouched(n);

	for (uint32_t i = 0; i < map->rows.n && i < MOST_ROWS; i++) {
		const struct portmap_row *row = &map->rows.v[i];
		const dd has = row_has(n->t, n->r, map, row);
		struct talk_flow to = n->r->v.flow;

		if (has == DD_FALSE)
			continue;
		to.dst = talk_const(n->t, n->x->to.v[row->inside].v);
		to.dport = row->is_one ? talk_const(n->t, row->to)
				       : talk_plus(n->t, to.dport, (uint32_t)row->to - row->lo);
		f = dd_ite(n->t->p->d, has, rewritten(n, n->r, to, true), f);
	}
	return f;
}

/* ---- instances --------------------------------------------------------------------------- */

static uint32_t number_of(const struct xlate *x)
{
	return x->is_local ? LINK_LOCAL : x->instance;
}

static bool is_own_link(const struct xlate *x, const struct talk_link *l)
{
	return x->is_global ? l->instance != LINK_LOCAL : l->instance == number_of(x);
}

static struct addr outside_of(const struct xlate *x, const struct redirect *r)
{
	if (r != NULL && r->outside.af != AF_NONE)
		return r->outside;
	for (uint32_t i = 0; i < x->to.n; i++)
		if (x->to.v[i].af == AF_V4)
			return x->to.v[i];
	return (struct addr){ .af = AF_NONE };
}

/* The flow has a link now, and goes on as @to */
static dd linked(struct nat *n, struct talk_flow inside, struct talk_flow outside,
		 struct talk_flow to)
{
	struct talk_run r = *n->r;

	if (r.w.n_links == TALK_LINKS)
		return talk_unknown(n->t, "so many links");
	r.w.link[r.w.n_links++] = (struct talk_link){ number_of(n->x), inside, outside };
	return rewritten(n, &r, to, !n->out);
}

static dd of_peer(struct nat *n, const struct redirect *r, uint32_t peer, uint32_t port)
{
	dd is = r->peer.af == AF_NONE ? DD_TRUE : talk_is(n->t, peer, r->peer.v);

	if (r->peer_lo != 0)
		is = dd_and(n->t->p->d, is, talk_range(n->t, port, r->peer_lo, r->peer_hi));
	return is;
}

static dd of_proto(struct nat *n, const struct redirect *r)
{
	return r->proto < 0 ? DD_TRUE : space_is(&n->t->p->s, P_PROTO, (u128)r->proto);
}

/* The condition that a redirect has an inbound packet, or is of an outbound one */
static dd has_redirect(struct nat *n, const struct redirect *r)
{
	const struct talk_flow *f = &n->r->v.flow;
	const struct addr own = n->out ? r->to.v[0].a : outside_of(n->x, r);
	const uint16_t lo = n->out ? r->to.v[0].port : r->lo;
	struct dds *d = n->t->p->d;
	dd is = DD_TRUE;

	if (own.af == AF_NONE || (n->out && r->to.n != 1))
		return DD_FALSE;
	is = talk_is(n->t, n->out ? f->src : f->dst, own.v);
	is = dd_and(d, is, of_proto(n, r));
	is = dd_and(d, is, n->out ? of_peer(n, r, f->dst, f->dport)
				  : of_peer(n, r, f->src, f->sport));
	if (r->has_ports)
		is = dd_and(d, is, talk_range(n->t, n->out ? f->sport : f->dport, lo,
					      (uint16_t)(lo + r->hi - r->lo)));
	return is;
}

static dd inbound(struct nat *n, const struct redirect *r)
{
	const struct talk_flow f = n->r->v.flow;
	struct talk_flow to = f;

	if (r != NULL) {
		const struct redirect_to *m = &r->to.v[n->r->w.n_links % r->to.n];

		to.dst = talk_const(n->t, m->a.v);
		if (r->has_ports)
			to.dport = talk_plus(n->t, f.dport, (uint32_t)m->port - r->lo);
	} else if (n->x->is_local) {
		return untouched(n);
	} else if (n->x->deny_in) {
		return talk_refused(n->t, n->r);
	}
	return linked(n, talk_reverse(to), talk_reverse(f), to);
}

/* Does another link of the instance look so from outside */
static dd is_taken(struct nat *n, struct talk_flow outside)
{
	dd is = DD_FALSE;

	for (uint32_t i = 0; i < n->r->w.n_links; i++)
		if (is_own_link(n->x, &n->r->w.link[i]))
			is = dd_or(n->t->p->d, is,
				   talk_equal(n->t, n->r->w.link[i].outside, outside));
	return is;
}

/* A new source port, where the instance chooses one */
static dd choose_port(struct nat *n, struct talk_flow to)
{
	const struct talk_flow f = n->r->v.flow;
	const bool is_icmp = n->t->kind == TALK_QUERY;
	dd taken;

	if (n->x->port != XP_KEEP) {
		if (!talk_drawn(n->t, is_icmp ? 1 : n->x->lo, is_icmp ? UINT16_MAX : n->x->hi,
				&to.sport))
			return talk_unknown(n->t, "how ports are chosen");
		if (is_icmp)
			to.dport = to.sport;
		return linked(n, f, to, to);
	}
	taken = is_taken(n, to);
	if (taken == DD_FALSE)
		return linked(n, f, to, to);
	return dd_ite(n->t->p->d, taken, talk_unknown(n->t, "a port that is taken"),
		      linked(n, f, to, to));
}

static dd outbound(struct nat *n, const struct redirect *r)
{
	const struct talk_flow f = n->r->v.flow;
	const struct addr own = outside_of(n->x, r);
	struct talk_flow to = f;

	if (own.af == AF_NONE)
		return untouched(n);
	to.src = talk_const(n->t, own.v);
	if (r != NULL && r->has_ports) {
		to.sport = talk_plus(n->t, f.sport, (uint32_t)r->lo - r->to.v[0].port);
		return linked(n, f, to, to);
	}
	if (n->t->kind == TALK_OTHER)
		return linked(n, f, to, to);
	return choose_port(n, to);
}

/* What only_from leaves out keeps its address, not its port */
static dd outbound_new(struct nat *n)
{
	const struct talk_flow f = n->r->v.flow;
	dd kept;

	if (n->x->only_from == NULL)
		return outbound(n, NULL);
	kept = n->t->kind == TALK_OTHER ? linked(n, f, f, f) : choose_port(n, f);
	return dd_ite(n->t->p->d, talk_addr_in(n->t, f.src, n->x->only_from), outbound(n, NULL),
		      kept);
}

/* libalias prefers the redirect that says more */
static int rank(const struct redirect *r)
{
	return 4 * r->has_ports + 2 * (r->peer.af != AF_NONE) + (r->proto >= 0);
}

/* A packet of which the instance has no link */
static dd unlinked(struct nat *n)
{
	dd f = n->out ? outbound_new(n) : inbound(n, NULL);

	for (int say = 0; say < 8; say++)
		for (uint32_t i = n->x->redirects.n; i-- > 0;) {
			const struct redirect *r = &n->x->redirects.v[i];
			const dd has = rank(r) == say ? has_redirect(n, r) : DD_FALSE;

			if (has != DD_FALSE)
				f = dd_ite(n->t->p->d, has,
					   n->out ? outbound(n, r) : inbound(n, r), f);
		}
	return f;
}

static dd translate_instance(struct nat *n)
{
	const struct talk_world *w = &n->r->w;
	const struct talk_flow f = n->r->v.flow;
	dd r;

	n->out = (n->r->v.dir == DIR_OUT && !n->x->is_local) || n->x->is_global;
	if (n->t->p->s.af != AF_V4)
		return untouched(n);
	r = n->x->is_global ? untouched(n) : unlinked(n);
	for (uint32_t i = w->n_links; i-- > 0;) {
		const struct talk_link *l = &w->link[i];
		dd is;

		if (!is_own_link(n->x, l))
			continue;
		is = talk_equal(n->t, n->out ? l->inside : talk_reverse(l->outside), f);
		if (is != DD_FALSE)
			r = dd_ite(n->t->p->d, is,
				   rewritten(n, n->r, n->out ? l->outside
							     : talk_reverse(l->inside), !n->out),
				   r);
	}
	return r;
}

dd talk_translate(struct talk *t, const struct talk_run *r, const struct xlate *x,
		  const struct rule *rule,
		  dd (*then)(struct talk *t, const struct talk_run *r, bool changed, void *arg),
		  void *arg)
{
	static dd (*const how[])(struct nat *) = {
		[XL_DST] = translate_dst, [XL_SRC] = translate_src,
		[XL_INSTANCE] = translate_instance, [XL_MAP] = translate_map,
	};
	struct nat n = { .t = t, .r = r, .x = x, .rule = rule, .then = then, .arg = arg };

	return how[x->kind](&n);
}
