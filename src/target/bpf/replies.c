/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A flow that a rule remembers is its match without TCP flags and ICMP types, both
 * ways round, before and after a translation; and the ICMP errors about either.
 * That other rules may have taken some of these packets first is not looked at:
 * more packets are accepted than need be, never fewer.
 */
#include "target/bpf/decide.h"

/* One end of a flow */
struct end {
	const struct set *addr;		/* NULL: any */
	const struct set *port;
};

static const struct set *family_of(struct bpf_decider *d, const struct set *s)
{
	return s == NULL ? NULL : set_of_family(d->t->a, s, d->af);
}

static const struct bpf_node *accept_one(struct bpf_decider *d, const struct set *proto,
				     struct end src, struct end dst, const struct bpf_node *n)
{
	struct bpf_cond c = { .never = false };

	if (proto != NULL)
		bpf_cond_add(d, &c, BF_PROTO, proto);
	if (src.addr != NULL)
		bpf_cond_add(d, &c, BF_SRC, src.addr);
	if (dst.addr != NULL)
		bpf_cond_add(d, &c, BF_DST, dst.addr);
	if (src.port != NULL)
		bpf_cond_add(d, &c, BF_SPORT, src.port);
	if (dst.port != NULL)
		bpf_cond_add(d, &c, BF_DPORT, dst.port);
	c.maybe = false;
	return bpf_cond_tree(d, &c, &bpf_yes, n);
}

/* ICMP errors to one of the ends */
static const struct bpf_node *accept_errors(struct bpf_decider *d, struct end to,
					    const struct bpf_node *n)
{
	struct arena *a = d->t->a;
	struct ranges types = { 0 };
	struct bpf_cond c = { .never = false };

	if (d->af == AF_V4) {
		ranges_add(a, &types, AF_NONE, 3 << 8, (5 << 8) + 255);
		ranges_add(a, &types, AF_NONE, 11 << 8, (12 << 8) + 255);
	} else {
		ranges_add(a, &types, AF_NONE, 1 << 8, (4 << 8) + 255);
	}
	bpf_cond_add(d, &c, BF_PROTO, set_one(a, d->af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6));
	bpf_cond_add(d, &c, BF_ICMP, set_make(a, &types));
	if (to.addr != NULL)
		bpf_cond_add(d, &c, BF_DST, to.addr);
	c.maybe = false;
	return bpf_cond_tree(d, &c, &bpf_yes, n);
}

/* Both ways of a flow, and the errors about it */
static const struct bpf_node *accept_flow(struct bpf_decider *d, const struct set *proto,
					  struct end src, struct end dst,
					  const struct bpf_node *n)
{
	n = accept_errors(d, src, n);
	n = accept_errors(d, dst, n);
	n = accept_one(d, proto, dst, src, n);
	return accept_one(d, proto, src, dst, n);
}

static const struct set *addresses(struct bpf_decider *d, const struct xlate *x)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct range r = xlate_range(x, i);

		ranges_add(d->t->a, &rs, r.af, r.lo, r.hi);
	}
	return family_of(d, set_make(d->t->a, &rs));
}

/* What ports become; NULL: anything */
static const struct set *ports_after(struct bpf_decider *d, const struct xlate *x,
				     const struct set *from)
{
	struct ranges rs = { 0 };

	switch (x->port) {
	case XP_KEEP:
		return from;
	case XP_TO:
		return set_one(d->t->a, x->lo);
	case XP_RANDOM:
		return set_range(d->t->a, AF_NONE, x->lo, x->hi);
	case XP_SHIFT:
		break;
	}
	for (uint32_t i = 0; from != NULL && i < from->n; i++)
		for (uint32_t p = (uint32_t)from->r[i].lo; p <= (uint32_t)from->r[i].hi; p++) {
			const uint16_t to = xlate_shift(x, (uint16_t)p);

			ranges_add(d->t->a, &rs, AF_NONE, to, to);
		}
	return from == NULL ? NULL : set_make(d->t->a, &rs);
}

/* ICMP ids follow ports, so what has no ports is asked without them */
static const struct bpf_node *accept_translated(struct bpf_decider *d, const struct set *proto,
						struct end src, struct end dst,
						const struct bpf_node *n)
{
	const struct set *ported = bpf_ported(d->t->a);
	const struct set *other = set_complement(d->t->a, ported, SET_U8);
	const struct end s = { src.addr, NULL }, t = { dst.addr, NULL };

	if (proto != NULL) {
		ported = set_intersect(d->t->a, ported, proto);
		other = set_intersect(d->t->a, other, proto);
	}
	if (src.port == NULL && dst.port == NULL)
		return accept_flow(d, proto, src, dst, n);
	n = accept_flow(d, ported, src, dst, n);
	return accept_flow(d, other, s, t, n);
}

static const struct bpf_node *instance_flows(struct bpf_decider *d, const struct xlate *x,
					     const struct bpf_node *n)
{
	const struct end any = { NULL, NULL };

	if (x->to.n > 0)
		n = accept_flow(d, NULL, any, (struct end){ addresses(d, x), NULL }, n);
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *r = &x->redirects.v[i];
		struct ranges rs = { 0 };

		if (r->outside.af != AF_NONE)
			ranges_add(d->t->a, &rs, r->outside.af, r->outside.v, r->outside.v);
		for (uint32_t k = 0; k < r->to.n; k++)
			ranges_add(d->t->a, &rs, r->to.v[k].a.af, r->to.v[k].a.v, r->to.v[k].a.v);
		n = accept_flow(d, NULL, any, (struct end){ set_make(d->t->a, &rs), NULL }, n);
	}
	return n;
}

/* Flows that a table leads in, of one protocol; whichever row goes with which is not told */
static const struct bpf_node *map_flows(struct bpf_decider *d, const struct portmap *map,
					uint8_t proto, struct end peer, const struct bpf_node *n)
{
	struct ranges outside = { 0 }, inside = { 0 }, from = { 0 }, to = { 0 };
	struct arena *a = d->t->a;

	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];
		const struct addr x = map->outside[r->outside], y = map->inside.v[r->inside];

		if (r->proto != proto)
			continue;
		ranges_add(a, &outside, x.af, x.v, x.v);
		ranges_add(a, &inside, y.af, y.v, y.v);
		ranges_add(a, &from, AF_NONE, r->lo, r->hi);
		ranges_add(a, &to, AF_NONE, r->to,
			   r->is_one ? r->to : portmap_port(r, r->hi));
	}
	if (outside.list.n == 0)
		return n;
	n = accept_flow(d, set_one(a, proto), peer,
			(struct end){ set_make(a, &outside), set_make(a, &from) }, n);
	return accept_flow(d, set_one(a, proto), peer,
			   (struct end){ set_make(a, &inside), set_make(a, &to) }, n);
}

static bool keeps(const struct bpf_decider *d, const struct rule *r)
{
	const struct effect *prefer = rule_has_effect(r, EF_PREFER);

	if (rule_has_effect(r, EF_RECORD) != NULL)
		return true;
	return d->m->discipline == STATES_DIRECTED &&
	       ((prefer != NULL && prefer->ruling.verdict == V_PASS && prefer->ruling.keep) ||
		(r->exit == EX_DECIDE && r->ruling.verdict == V_PASS && r->ruling.keep));
}

static bool is_other_family(const struct bpf_decider *d, const struct rule *r)
{
	const struct set *af = rule_tests(r, F_AF);

	return (af != NULL && !set_has(af, AF_NONE, d->af)) || rule_is_never(r);
}

static const struct bpf_node *rule_flows(struct bpf_decider *d, const struct rule *r,
					 const struct bpf_node *n)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x = e != NULL ? &d->m->xlates.v[e->xlate] : NULL;
	const struct set *proto = rule_tests(r, F_PROTO);
	const struct end src = { family_of(d, rule_tests(r, F_SRC)), rule_tests(r, F_SPORT) };
	const struct end dst = { family_of(d, rule_tests(r, F_DST)), rule_tests(r, F_DPORT) };

	if (is_other_family(d, r) || (x == NULL && !keeps(d, r)))
		return n;
	for (unsigned int i = 0; r->map != NULL && i < 256; i++)
		if (proto_has_ports((uint8_t)i))
			n = map_flows(d, r->map, (uint8_t)i, src, n);
	if (r->map != NULL)
		return n;
	if (x != NULL && x->kind == XL_INSTANCE && d->af == AF_V4)
		n = instance_flows(d, x, n);
	if (x != NULL && x->kind == XL_SRC && !set_is_empty(addresses(d, x)))
		n = accept_translated(d, proto, (struct end){ addresses(d, x),
				      ports_after(d, x, src.port) }, dst, n);
	if (x != NULL && x->kind == XL_DST && !set_is_empty(addresses(d, x)))
		n = accept_translated(d, proto, src, (struct end){ addresses(d, x),
				      ports_after(d, x, dst.port) }, n);
	return accept_flow(d, proto, src, dst, n);
}

const struct bpf_node *bpf_replies(struct bpf_decider *d, const struct bpf_node *n)
{
	for (uint32_t i = 0; i < d->m->lists.n && n != &bpf_yes; i++) {
		const struct rule_list *l = &d->m->lists.v[i];

		for (uint32_t k = 0; k < l->rules.n && n != &bpf_yes; k++)
			n = rule_flows(d, &l->rules.v[k], n);
	}
	return n;
}
