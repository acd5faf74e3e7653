/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A rule matches where all its tests hold.  What they ask of headers does not change
 * on the way through the rules, and what they ask of tags does; so each is a condition
 * of its own.
 */
#include "prove/sem.h"

#define IP6_HEADER	40u

/* Packets of a direction, as a rule asks for them */
struct asked {
	struct proof *p;
	struct dds *d;
	enum direction dir;
};

static dd routes_in(struct asked *w, const struct set *in, bool src)
{
	struct space *s = &w->p->s;
	struct dds *d = w->d;
	const dd here = space_bit(s, P_RPF, 0);
	const dd routed = space_bit(s, src ? P_SROUTE : P_DROUTE, 0);
	const dd cast = space_is(s, src ? P_SCAST : P_DCAST, 0);
	const dd none = dd_and(d, dd_and(d, dd_not(d, routed), cast),
			       dd_not(d, space_local(s, src ? P_SRC : P_DST)));
	const dd is_in[] = {
		[ROUTE_HERE] = set_has(in, AF_NONE, ROUTE_HERE) ? DD_TRUE : DD_FALSE,
		[ROUTE_ELSEWHERE] = set_has(in, AF_NONE, ROUTE_ELSEWHERE) ? DD_TRUE : DD_FALSE,
		[ROUTE_NONE] = set_has(in, AF_NONE, ROUTE_NONE) ? DD_TRUE : DD_FALSE,
	};

	if (!src)
		return dd_ite(d, none, is_in[ROUTE_NONE], is_in[ROUTE_HERE]);
	return dd_ite(d, here, is_in[ROUTE_HERE],
		      dd_ite(d, none, is_in[ROUTE_NONE], is_in[ROUTE_ELSEWHERE]));
}

/* Of ipfw a packet has any number of tags, each a bit of the mark */
static dd tag_bits_in(struct proof *p, const struct set *in)
{
	dd r = DD_FALSE;

	for (uint32_t v = 0; v < 1u << p->m->tags.n; v++)
		if (set_has(in, AF_NONE, v))
			r = dd_or(p->d, r, proof_mark_is(p, P_MARK, p->marks.tags,
							 proof_spread(v, p->marks.tags)));
	return r;
}

/* Of pf it has one, the mark its number */
static dd tags_in(struct asked *w, const struct set *in)
{
	struct proof *p = w->p;
	dd r = set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE;

	if (p->m->discipline == STATES_FREE)
		return tag_bits_in(p, in);
	for (uint32_t i = 0; i < MODEL_TAGS; i++)
		if (p->codes[i] != 0)
			r = dd_ite(w->d, proof_mark_is(p, P_MARK, p->marks.tags,
						       proof_spread(p->codes[i], p->marks.tags)),
				   set_has(in, AF_NONE, 1u << i) ? DD_TRUE : DD_FALSE, r);
	return r;
}

/* The members of a set of table bits, of which each says whether an address is in a table */
static dd grown_in(struct asked *w, const struct set *in, const char *which)
{
	const struct model *m = w->p->m;
	dd r = DD_FALSE;

	for (uint32_t v = 0; v < 1u << m->grown.n; v++) {
		dd all = set_has(in, AF_NONE, v) ? DD_TRUE : DD_FALSE;

		for (uint32_t i = 0; i < m->grown.n && all != DD_FALSE; i++) {
			const char *what = arena_printf(w->p->a, "%s in grown %s", which,
							m->grown.v[i]);
			const uint32_t var = space_opaque(&w->p->s, what, 1);
			const dd bit = var == DD_NO_VAR ? DD_FALSE : dd_var(w->d, var);

			all = dd_and(w->d, all, (v >> i & 1) != 0 ? bit : dd_not(w->d, bit));
		}
		r = dd_or(w->d, r, all);
	}
	return r;
}

static dd tos_in(struct asked *w, const struct set *in)
{
	dd r = DD_FALSE;

	for (uint32_t v = 0; v <= UINT8_MAX; v += 4)
		if (set_has(in, AF_NONE, v))
			r = dd_or(w->d, r, space_range(&w->p->s, P_TOS, v, v + 3));
	return r;
}

/* Each combination of options for itself; IPv6 has none of them */
static dd options_in(struct asked *w, const struct set *in)
{
	static const struct { uint32_t bit; enum part part; } options[] = {
		{ IP_OPTION_LSRR, P_LSRR }, { IP_OPTION_SSRR, P_SSRR }, { IP_OPTION_RR, P_RR },
	};
	dd r = DD_FALSE;

	if (w->p->s.af != AF_V4)
		return set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE;
	for (uint32_t v = 0; v <= IP_OPTIONS_ALL; v++) {
		dd all = set_has(in, AF_NONE, v) ? DD_TRUE : DD_FALSE;

		for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
			const dd is = space_bit(&w->p->s, options[i].part, 0);

			all = dd_and(w->d, all, (v & options[i].bit) != 0 ? is : dd_not(w->d, is));
		}
		r = dd_or(w->d, r, all);
	}
	return r;
}

static dd bool_in(struct asked *w, const struct set *in, dd is)
{
	return dd_ite(w->d, is, set_has(in, AF_NONE, 1) ? DD_TRUE : DD_FALSE,
		      set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE);
}

static dd icmp_in(struct asked *w, const struct set *in)
{
	struct space *s = &w->p->s;
	const dd icmp = dd_or(w->d, space_is(s, P_PROTO, PROTO_ICMP),
			      space_is(s, P_PROTO, PROTO_ICMP6));

	return dd_and(w->d, icmp, space_in(s, P_SPORT, in));
}

static dd flags_in(struct asked *w, const struct set *in)
{
	struct space *s = &w->p->s;

	return dd_or(w->d, dd_not(w->d, space_is(s, P_PROTO, PROTO_TCP)),
		     space_in(s, P_FLAGS, in));
}

/* The length that a header of IPv6 says is less by the header */
static dd length_in(struct asked *w, const struct set *in)
{
	const uint32_t less = w->p->s.af == AF_V4 ? 0 : IP6_HEADER;
	dd r = DD_FALSE;

	for (uint32_t i = 0; i < in->n; i++)
		if (in->r[i].hi >= less)
			r = dd_or(w->d, r, space_range(&w->p->s, P_LEN,
						       MAX(in->r[i].lo, less) - less,
						       in->r[i].hi - less));
	return r;
}

/* The owner of the socket that sends a packet, where one can be known */
static dd owner_in(struct asked *w, enum part part, const struct set *in)
{
	struct space *s = &w->p->s;
	dd is = dd_and(w->d, space_bit(s, P_SOCK, 0), space_in(s, part, in));

	is = dd_and(w->d, is, dd_or(w->d, space_is(s, P_PROTO, PROTO_TCP),
				    dd_or(w->d, space_is(s, P_PROTO, PROTO_UDP),
					  space_is(s, P_PROTO, PROTO_UDPLITE))));
	return w->dir == DIR_IN ? DD_FALSE : dd_and(w->d, is, space_is(s, P_RECV, 0));
}

static dd head_in(struct asked *w, enum head h, const struct set *in)
{
	static const struct { enum part part; uint8_t af; bool is_tcp; } heads[N_HEADS] = {
		[HEAD_TTL] = { P_TTL, AF_NONE, false }, [HEAD_ID] = { P_ID, AF_V4, false },
		[HEAD_FLOWID] = { P_FLOW, AF_V6, false }, [HEAD_WIN] = { P_WIN, AF_NONE, true },
		[HEAD_SEQ] = { P_SEQ, AF_NONE, true }, [HEAD_ACK] = { P_ACK, AF_NONE, true },
	};
	struct space *s = &w->p->s;
	dd is;

	if (h == HEAD_LEN)
		return length_in(w, in);
	if (h == HEAD_UID || h == HEAD_GID)
		return owner_in(w, h == HEAD_UID ? P_UID : P_GID, in);
	if (heads[h].af != AF_NONE && heads[h].af != s->af)
		return DD_FALSE;
	is = space_in(s, heads[h].part, in);
	return heads[h].is_tcp ? dd_and(w->d, is, space_is(s, P_PROTO, PROTO_TCP)) : is;
}

static dd test_holds(struct asked *w, const struct test *t)
{
	struct space *s = &w->p->s;

	switch (t->f) {
	case F_DIR:
		return set_has(t->in, AF_NONE, w->dir) ? DD_TRUE : DD_FALSE;
	case F_IFACE:
		return space_iface_in(s, t->in);
	case F_RECV:
		return w->dir == DIR_IN ? space_iface_in(s, t->in)
					: space_link_in(s, P_RECV, t->in);
	case F_AF:
		return set_has(t->in, AF_NONE, s->af) ? DD_TRUE : DD_FALSE;
	case F_PROTO:
		return space_in(s, P_PROTO, t->in);
	case F_SRC:
		return space_addr_in(s, P_SRC, t->in);
	case F_DST:
		return space_addr_in(s, P_DST, t->in);
	case F_SPORT:
		return dd_and(w->d, space_ports(s), space_in(s, P_SPORT, t->in));
	case F_DPORT:
		return dd_and(w->d, space_ports(s), space_in(s, P_DPORT, t->in));
	case F_TCPFLAGS:
		return flags_in(w, t->in);
	case F_ICMP:
		return icmp_in(w, t->in);
	case F_DST_LOCAL:
		return bool_in(w, t->in, space_local(s, P_DST));
	case F_SRC_LOCAL:
		return bool_in(w, t->in, space_local(s, P_SRC));
	case F_TAGS:
		return tags_in(w, t->in);
	case F_SRC_GROWN:
		return grown_in(w, t->in, "source");
	case F_DST_GROWN:
		return grown_in(w, t->in, "destination");
	case F_SRC_ROUTE:
		return routes_in(w, t->in, true);
	case F_DST_ROUTE:
		return routes_in(w, t->in, false);
	case F_TOS:
		return tos_in(w, t->in);
	case F_IPOPTS:
		return options_in(w, t->in);
	default:
		return head_in(w, (enum head)(t->f - F_TTL), t->in);
	}
}

/* Tests of a family that a rule does not have cost nothing: they come first */
static bool is_of_family(const struct asked *w, const struct rule *r)
{
	const unsigned int own = w->p->s.af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6;
	const struct set *src = rule_tests(r, F_SRC), *dst = rule_tests(r, F_DST);

	return (src == NULL || (set_families(src) & own) != 0) &&
	       (dst == NULL || (set_families(dst) & own) != 0);
}

/* The clock of the kernel ends with its 64 bits */
static dd is_before(struct proof *p, uint64_t seconds)
{
	const uint64_t second = UINT64_C(1000000000);

	return space_range(&p->s, P_CLOCK, 0, MIN(seconds, UINT64_MAX / second) * second - 1);
}

dd sem_headers(struct proof *p, enum direction dir, const struct rule *r)
{
	struct asked w = { .p = p, .d = p->d, .dir = dir };
	dd all = DD_TRUE;

	if (!is_of_family(&w, r))
		return DD_FALSE;
	for (uint32_t i = 0; i < r->tests.n && all != DD_FALSE; i++)
		if (r->tests.v[i].f != F_TAGS)
			all = dd_and(p->d, all, test_holds(&w, &r->tests.v[i]));
	if (r->until_s != 0 && all != DD_FALSE)
		all = dd_and(p->d, all, is_before(p, (uint64_t)r->until_s));
	return r->map == NULL || all == DD_FALSE ? all : dd_and(p->d, all, sem_in_map(p, r->map));
}

dd sem_with_tags(struct proof *p, const struct rule *r, dd headers)
{
	struct asked w = { .p = p, .d = p->d };
	const struct set *tags = rule_tests(r, F_TAGS);

	return tags == NULL ? headers : dd_and(p->d, headers, tags_in(&w, tags));
}

dd sem_match(struct proof *p, enum direction dir, const struct rule *r)
{
	return sem_with_tags(p, r, sem_headers(p, dir, r));
}
