/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A forward of ipfw is a redirect of a nat instance, which packets meet at a nat
 * rule.  Each redirect that a nat rule offers to what comes in by a real interface
 * becomes a rule of its own: the nat rule's conditions and the redirect's
 * together, so that `plan` shows it and `why` names it only where it acts.
 *
 * The rules between do not go with it: a local caller is judged by what the list
 * says of loopback interfaces, as he is without a redirect.
 */
#include "model/policy_work.h"

struct redirects {
	uint32_t list;
	uint32_t nowhere;	/* an empty list: back behind the call */
};

/* Fields that a nat rule and its redirect narrow together */
struct narrow {
	const struct set *src;
	const struct set *dst;
	const struct set *sport;
	const struct set *dport;
	const struct set *proto;
};

static const struct set *both(struct arena *a, const struct set *x, const struct set *y)
{
	if (x == NULL || y == NULL)
		return x != NULL ? x : y;
	return set_intersect(a, x, y);
}

static bool is_never(const struct set *s)
{
	return s != NULL && set_is_empty(s);
}

/* The outside of a redirect, or AF_NONE where the instance has no address */
static struct addr outside_of(const struct xlate *x, const struct redirect *to)
{
	if (to->outside.af != AF_NONE || x->to.n == 0)
		return to->outside;
	return x->to.v[0];
}

/* The real interfaces by which packets reach a nat rule, or NULL: all */
static const struct set *reached_by(struct arena *a, const struct rule *r)
{
	return both(a, rule_tests(r, F_IFACE), rule_tests(r, F_RECV));
}

static struct narrow narrow_of(struct work *w, const struct rule *r, const struct xlate *x,
			       const struct redirect *to)
{
	struct arena *a = w->m->a;
	struct narrow n = {
		.src = rule_tests(r, F_SRC), .sport = rule_tests(r, F_SPORT),
		.dport = rule_tests(r, F_DPORT), .proto = rule_tests(r, F_PROTO),
		.dst = both(a, rule_tests(r, F_DST), set_addr(a, outside_of(x, to))),
	};

	n.dst = set_intersect(a, n.dst, policy_public(w, reached_by(a, r)));
	if (to->proto >= 0)
		n.proto = both(a, n.proto, set_one(a, (u128)to->proto));
	if (to->has_ports)
		n.dport = both(a, n.dport, set_range(a, AF_NONE, to->lo, to->hi));
	if (to->peer.af != AF_NONE)
		n.src = both(a, n.src, set_addr(a, to->peer));
	if (to->peer_lo != 0)
		n.sport = both(a, n.sport, set_range(a, AF_NONE, to->peer_lo, to->peer_hi));
	return n;
}

static void test_some(struct work *w, struct rule *r, enum field f, const struct set *in)
{
	if (in != NULL)
		rule_test(w->m, r, f, in);
}

static void add_redirect(struct work *w, const struct redirects *l, const struct rule *from,
			 const struct xlate *x, const struct redirect *to)
{
	static const enum field as_they_are[] = { F_AF, F_TCPFLAGS, F_ICMP, F_TAGS, F_TOS };
	const struct narrow n = narrow_of(w, from, x, to);
	struct origin origin = from->origin;
	struct xlate only = { .kind = XL_INSTANCE, .is_local = true, .instance = x->instance };
	struct rule *r;

	if (is_never(n.src) || is_never(n.dst) || is_never(n.sport) || is_never(n.dport) ||
	    is_never(n.proto))
		return;
	only.to = x->to;
	vec_add(w->m->a, &only.redirects, *to);
	origin.policy = POLICY_LOCAL;
	r = model_add_rule(w->m, l->list, origin);
	test_some(w, r, F_PROTO, n.proto);
	test_some(w, r, F_SRC, n.src);
	test_some(w, r, F_DST, n.dst);
	test_some(w, r, F_SPORT, n.sport);
	test_some(w, r, F_DPORT, n.dport);
	rule_test(w->m, r, F_DST_LOCAL, set_one(w->m->a, 1));
	for (size_t i = 0; i < ARRAY_SIZE(as_they_are); i++)
		test_some(w, r, as_they_are[i], rule_tests(from, as_they_are[i]));
	rule_translate(w->m, r, model_add_xlate(w->m, only), l->nowhere);
	r->exit = EX_RETURN;
}

static bool comes_from_outside(const struct work *w, const struct rule *r)
{
	const struct set *by = reached_by(w->m->a, r);

	for (uint32_t i = 0; i < w->m->facts->ifaces.n; i++) {
		const struct iface *f = &w->m->facts->ifaces.v[i];

		if (f->kind == IFACE_REAL && policy_may_cross(r, DIR_IN, f->id) &&
		    (by == NULL || set_has(by, AF_NONE, f->id)))
			return true;
	}
	return false;
}

/* libalias prefers the redirect that says more, and of equals the first */
static int rank(const struct redirect *r)
{
	return 4 * r->has_ports + 2 * (r->peer.af != AF_NONE) + (r->proto >= 0);
}

/* What asks for the way that a packet came, or for luck, is not asked on lo */
static bool is_of_lo(const struct rule *r)
{
	return r->prob == 0 && rule_tests(r, F_SRC_ROUTE) == NULL &&
	       rule_tests(r, F_DST_ROUTE) == NULL;
}

static void add_redirects(struct work *w, const struct rule *from, void *arg)
{
	const struct redirects *l = arg;
	const struct effect *e = rule_has_effect(from, EF_TRANSLATE);
	struct xlate x;	/* a copy: translations move when one is added */

	if (e == NULL || w->m->xlates.v[e->xlate].kind != XL_INSTANCE || !is_of_lo(from) ||
	    !comes_from_outside(w, from))
		return;
	x = w->m->xlates.v[e->xlate];
	for (int want = 7; want >= 0 && !x.is_local && !x.is_global; want--)
		for (uint32_t i = 0; i < x.redirects.n; i++)
			if (rank(&x.redirects.v[i]) == want)
				add_redirect(w, l, from, &x, &x.redirects.v[i]);
}

void policy_local_redirects(struct work *w, uint32_t list)
{
	struct redirects l = { list, model_add_list(w->m, "nowhere") };

	policy_each_rule(w, DIR_IN, add_redirects, &l);
}
