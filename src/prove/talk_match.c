/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a conversation does not change, its headers but for addresses and flags, is asked
 * of the first packet as in any other proof.
 */
#include "prove/sem.h"
#include "prove/talk.h"

static dd truth(bool is)
{
	return is ? DD_TRUE : DD_FALSE;
}

static dd local_in(struct talk *t, uint32_t term, const struct set *in)
{
	return dd_ite(t->p->d, talk_local(t, term), truth(set_has(in, AF_NONE, 1)),
		      truth(set_has(in, AF_NONE, 0)));
}

static dd port_in(struct talk *t, uint32_t term, const struct set *in)
{
	return t->kind == TALK_PORTS ? talk_number_in(t, term, in) : DD_FALSE;
}

static dd flags_in(struct talk *t, const struct talk_view *v, const struct set *in)
{
	if (t->kind != TALK_PORTS)
		return DD_TRUE;
	return dd_or(t->p->d, dd_not(t->p->d, space_is(&t->p->s, P_PROTO, PROTO_TCP)),
		     talk_number_in(t, v->flags, in));
}

static dd header_in(struct talk *t, const struct talk_view *v, const struct test *test)
{
	struct rule one = { .tests = { .v = (struct test *)(uintptr_t)test, .n = 1, .cap = 1 } };

	return sem_headers(t->p, (enum direction)v->dir, &one);
}

static dd test_holds(struct talk *t, const struct talk_run *r, const struct test *test,
		     const char **ret_why)
{
	const struct set *in = test->in;
	const struct talk_view *v = &r->v;

	switch (test->f) {
	case F_DIR:
		return truth(set_has(in, AF_NONE, v->dir));
	case F_IFACE:
		return truth(set_has(in, AF_NONE, v->iface));
	case F_RECV:
		return truth(set_has(in, AF_NONE, v->recv));
	case F_AF:
		return truth(set_has(in, AF_NONE, t->p->s.af));
	case F_PROTO:
		return space_in(&t->p->s, P_PROTO, in);
	case F_SRC:
		return talk_addr_in(t, v->flow.src, in);
	case F_DST:
		return talk_addr_in(t, v->flow.dst, in);
	case F_SPORT:
		return port_in(t, v->flow.sport, in);
	case F_DPORT:
		return port_in(t, v->flow.dport, in);
	case F_TCPFLAGS:
		return flags_in(t, v, in);
	case F_ICMP:
		return t->kind == TALK_QUERY ? talk_number_in(t, v->icmp, in) : DD_FALSE;
	case F_DST_LOCAL:
		return local_in(t, v->flow.dst, in);
	case F_SRC_LOCAL:
		return local_in(t, v->flow.src, in);
	case F_TAGS:
		return truth(set_has(in, AF_NONE, r->w.tags));
	case F_SRC_GROWN:
	case F_DST_GROWN:
		return truth(set_has(in, AF_NONE, 0));
	case F_SRC_ROUTE:
	case F_DST_ROUTE:
		*ret_why = "where the way to an address leads";
		return DD_TRUE;
	case F_UID:
	case F_GID:
		*ret_why = "owners of sockets";
		return DD_TRUE;
	default:
		return header_in(t, v, test);
	}
}

dd talk_match(struct talk *t, const struct talk_run *r, const struct rule *rule,
	      const char **ret_why)
{
	dd all = DD_TRUE;

	if (rule->prob != 0)
		*ret_why = "lots";
	for (uint32_t i = 0; i < rule->tests.n && all != DD_FALSE; i++)
		all = dd_and(t->p->d, all, test_holds(t, r, &rule->tests.v[i], ret_why));
	if (rule->map != NULL && all != DD_FALSE)
		all = dd_and(t->p->d, all, talk_map_has(t, r, rule->map));
	return all;
}
