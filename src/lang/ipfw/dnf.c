/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Alternatives may overlap: the first that matches decides, as with rules.
 * What keeps their number small is that two which differ in one field only are
 * one with the union, so { 10.0.0.1 or 10.0.0.2 } stays one rule.
 *
 * Ports and ICMP types are false, and TCP flags true, for packets that have
 * none; the opposite of such a test therefore speaks of the protocol too.  Of the
 * numbers of other headers the family or protocol stands beside them as a test,
 * so the opposite of the conjunction is right by itself.
 */
#include "lang/ipfw/dnf.h"

static const struct set *limits(struct arena *a, enum field f)
{
	switch (f) {
	case F_DIR:
		return set_range(a, AF_NONE, DIR_IN, DIR_OUT);
	case F_AF: {
		struct ranges rs = { 0 };

		ranges_add(a, &rs, AF_NONE, AF_V4, AF_V4);
		ranges_add(a, &rs, AF_NONE, AF_V6, AF_V6);
		return set_make(a, &rs);
	}
	case F_DST_LOCAL:
	case F_SRC_LOCAL:
		return set_range(a, AF_NONE, 0, 1);
	case F_TOS: {
		struct ranges rs = { 0 };

		for (unsigned int v = 0; v < 256; v += TOS_ECN + 1)
			ranges_add(a, &rs, AF_NONE, v, v);
		return set_make(a, &rs);
	}
	case F_IPOPTS:
		return set_range(a, AF_NONE, 0, IP_OPTIONS_ALL);
	case F_FLOWID:
		return set_range(a, AF_NONE, 0, FLOW_LABEL_MAX);
	default:
		return set_all(a, model_fields[f].universe);
	}
}

static const struct set *ported(struct arena *a)
{
	struct ranges rs = { 0 };

	for (unsigned int p = 0; p < 256; p++)
		if (proto_has_ports((uint8_t)p))
			ranges_add(a, &rs, AF_NONE, p, p);
	return set_make(a, &rs);
}

static const struct set *icmps(struct arena *a)
{
	return set_union(a, set_one(a, PROTO_ICMP), set_one(a, PROTO_ICMP6));
}

static bool set_in(const struct set *inner, const struct set *outer)
{
	return outer == NULL || (inner != NULL && set_is_subset(inner, outer));
}

bool conj_covers(const struct conj *outer, const struct conj *inner)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (!set_in(inner->f[f], outer->f[f]))
			return false;
	return true;
}

bool conj_and(struct arena *a, const struct conj *x, const struct conj *y, struct conj *ret)
{
	*ret = *x;
	for (int f = 0; f < N_FIELDS; f++) {
		if (y->f[f] == NULL)
			continue;
		ret->f[f] = x->f[f] != NULL ? set_intersect(a, x->f[f], y->f[f]) : y->f[f];
		if (set_is_empty(ret->f[f]))
			return false;
	}
	return true;
}

/* The one field in which two differ: N_FIELDS if none, -1 if several */
static int difference(const struct conj *x, const struct conj *y)
{
	int at = N_FIELDS;

	for (int f = 0; f < N_FIELDS; f++) {
		const struct set *p = x->f[f], *q = y->f[f];

		if (p == q || (p != NULL && q != NULL && set_equal(p, q)))
			continue;
		if (at != N_FIELDS || p == NULL || q == NULL)
			return -1;
		at = f;
	}
	return at;
}

void dnf_add(struct arena *a, struct dnf *d, const struct conj *c)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (c->f[f] != NULL && set_is_empty(c->f[f]))
			return;
	for (uint32_t i = 0; i < d->list.n; i++) {
		struct conj *have = &d->list.v[i];
		const int at = difference(have, c);

		if (conj_covers(have, c))
			return;
		if (at < 0 || at == N_FIELDS)
			continue;
		have->f[at] = set_union(a, have->f[at], c->f[at]);
		return;
	}
	if (d->list.n == DNF_MAX) {
		d->is_over = true;
		return;
	}
	vec_add(a, &d->list, *c);
}

struct dnf dnf_always(struct arena *a)
{
	struct dnf d = { .is_over = false };
	const struct conj c = { .f = { NULL } };

	dnf_add(a, &d, &c);
	return d;
}

struct dnf dnf_test2(struct arena *a, enum field f, const struct set *in, enum field f2,
		     const struct set *in2)
{
	struct dnf d = { .is_over = false };
	struct conj c = { .f = { NULL } };

	c.f[f] = in;
	c.f[f2] = in2;
	dnf_add(a, &d, &c);
	return d;
}

struct dnf dnf_test(struct arena *a, enum field f, const struct set *in)
{
	return dnf_test2(a, f, in, f, in);
}

struct dnf dnf_or(struct arena *a, const struct dnf *x, const struct dnf *y)
{
	struct dnf d = { .is_over = x->is_over || y->is_over };

	for (uint32_t i = 0; i < x->list.n; i++)
		dnf_add(a, &d, &x->list.v[i]);
	for (uint32_t i = 0; i < y->list.n; i++)
		dnf_add(a, &d, &y->list.v[i]);
	return d;
}

struct dnf dnf_and(struct arena *a, const struct dnf *x, const struct dnf *y)
{
	struct dnf d = { .is_over = x->is_over || y->is_over };
	struct conj c;

	for (uint32_t i = 0; i < x->list.n && !d.is_over; i++)
		for (uint32_t j = 0; j < y->list.n && !d.is_over; j++)
			if (conj_and(a, &x->list.v[i], &y->list.v[j], &c))
				dnf_add(a, &d, &c);
	return d;
}

/* Not in the set, or without such a field */
static void add_not(struct arena *a, struct dnf *d, enum field f, const struct set *in)
{
	struct conj c = { .f = { NULL } };

	c.f[f] = set_minus(a, limits(a, f), in, model_fields[f].universe);
	if (f == F_TCPFLAGS)
		c.f[F_PROTO] = set_one(a, PROTO_TCP);
	dnf_add(a, d, &c);
	if (f != F_SPORT && f != F_DPORT && f != F_ICMP)
		return;
	c.f[f] = NULL;
	c.f[F_PROTO] = set_complement(a, f == F_ICMP ? icmps(a) : ported(a), SET_U8);
	dnf_add(a, d, &c);
}

struct dnf dnf_not(struct arena *a, const struct dnf *d)
{
	struct dnf res = dnf_always(a);

	for (uint32_t i = 0; i < d->list.n; i++) {
		struct dnf one = { .is_over = false };

		for (int f = 0; f < N_FIELDS; f++)
			if (d->list.v[i].f[f] != NULL)
				add_not(a, &one, (enum field)f, d->list.v[i].f[f]);
		res = dnf_and(a, &res, &one);
	}
	res.is_over |= d->is_over;
	return res;
}

struct conj conj_of_rule(const struct rule *r)
{
	struct conj c = { .f = { NULL } };

	for (uint32_t i = 0; i < r->tests.n; i++)
		c.f[r->tests.v[i].f] = r->tests.v[i].in;
	return c;
}

void conj_to_rule(struct model *m, struct rule *r, const struct conj *c)
{
	for (int f = 0; f < N_FIELDS; f++) {
		const struct set *in = c->f[f];

		if (in == NULL)
			continue;
		/* All ports is not all packets */
		if ((f == F_SPORT || f == F_DPORT || f == F_ICMP) &&
		    set_equal(in, set_all(m->a, SET_U16)))
			rule_test(m, r, F_PROTO, f == F_ICMP ? icmps(m->a) : ported(m->a));
		else
			rule_test(m, r, (enum field)f, in);
	}
}
