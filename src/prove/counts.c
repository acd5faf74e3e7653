/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * pf counts the states of a rule, the program the connections that pass the rule in one
 * direction: so a count has a direction here, and what is compared is which packets are
 * counted in what, not how many there are.
 *
 * nft knows rates of whole numbers of packets in a second, a minute, an hour or a day.
 * A rate that is one of these must be it; another one must be what is next below it
 * in a day.
 */
#include "prove/counts.h"

#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define DAY_S	86400u

static const struct state_limit *limit_of(const struct proof *p, uint32_t limit)
{
	return &p->m->limits.v[limit - 1];
}

static uint32_t allowed(const struct state_limit *l, enum count_kind kind)
{
	const uint32_t n[N_COUNT_KINDS] = {
		[COUNT_MAX] = l->max, [COUNT_NODES] = l->max_src_nodes,
		[COUNT_STATES] = l->max_src_states, [COUNT_CONNS] = l->max_src_conn,
		[COUNT_RATE] = l->rate,
	};

	return n[kind];
}

/* Sources of several limits may be counted together; states and rates are not */
static bool is_shared(const struct state_limit *l, enum count_kind kind)
{
	return l->is_global && kind != COUNT_MAX && kind != COUNT_RATE;
}

static bool same_count(const struct proof_count *x, const struct proof_count *y)
{
	return x->kind == y->kind && x->n == y->n && x->burst == y->burst &&
	       x->unit_s == y->unit_s && x->limit == y->limit && x->dir == y->dir;
}

/* Its number, from 0 on */
static uint32_t number_of(struct proof *p, const struct proof_count *c)
{
	for (uint32_t i = 0; i < p->counts.n; i++)
		if (same_count(&p->counts.v[i], c))
			return i;
	vec_add(p->a, &p->counts, *c);
	p->counts.v[p->counts.n - 1].object = NULL;
	return p->counts.n - 1;
}

/* One thing of the program for one count, and one count for a thing */
static bool is_own(struct proof *p, const struct proof_count *c)
{
	const uint32_t own = number_of(p, c);

	if (c->object == NULL)
		return true;
	for (uint32_t i = 0; i < p->counts.n; i++)
		if (i != own && p->counts.v[i].object == c->object)
			return false;
	if (p->counts.v[own].object == NULL)
		p->counts.v[own].object = c->object;
	return p->counts.v[own].object == c->object;
}

/* ---- what outcomes tell ------------------------------------------------------------ */

struct telling {
	struct outcomes *o;
	uint32_t bit;
};

static uint32_t add_grown(void *arg, uint32_t value)
{
	const struct telling *t = arg;
	struct outcome x = t->o->list.v[value];

	if (x.fate != FATE_BLOCK)
		return value;
	x.grown |= (uint16_t)(1u << t->bit);
	return outcome_of(t->o, &x);
}

dd counts_grown(struct proof *p, dd f, uint32_t table)
{
	struct telling t = { p->o, table };

	return proof_each(p, f, add_grown, &t);
}

dd counts_ask(struct proof *p, struct proof_count c, dd over, dd not_over)
{
	static const struct outcome twice = {
		.fate = FATE_HARM, .text = "two limits count in one place, or one in two",
	};
	const uint32_t n = number_of(p, &c);

	if (!is_own(p, &c))
		return proof_outcome(p, &twice);
	if (n >= SPACE_COUNTS)
		return proof_unknown(p, "so many limits of states");
	/* What finds no room among the sources is in no count */
	if (c.kind != COUNT_NODES)
		over = proof_note(p, over, PROOF_COUNTS, true, (uint16_t)n);
	return dd_ite(p->d, space_bit(&p->s, P_COUNT, n), over,
		      proof_note(p, not_over, PROOF_COUNTS, true, (uint16_t)n));
}

/* ---- declared ------------------------------------------------------------------------- */

static struct proof_count count_of(const struct proof *p, enum direction dir, uint32_t limit,
				   enum count_kind kind)
{
	const struct state_limit *l = limit_of(p, limit);
	struct proof_count c = { .kind = kind, .n = allowed(l, kind), .limit = limit, .dir = dir };

	if (is_shared(l, kind))
		c.limit = c.dir = 0;
	if (kind == COUNT_RATE)
		c.burst = l->rate;
	if (kind == COUNT_RATE)
		c.unit_s = l->seconds;
	return c;
}

/* Those that count together count what passes any of them */
static dd counted_by_others(struct proof *p, uint32_t limit, dd pass)
{
	for (uint32_t i = 1; i <= p->m->limits.n && limit_of(p, limit)->is_global; i++)
		for (enum count_kind k = COUNT_NODES; k <= COUNT_CONNS; k++) {
			const struct proof_count c = count_of(p, DIR_IN, i, k);
			dd counted;

			if (!limit_of(p, i)->is_global || c.n == 0 ||
			    c.n == allowed(limit_of(p, limit), k))
				continue;
			counted = counts_ask(p, c, pass, pass);
			pass = k != COUNT_CONNS ? counted
				: dd_ite(p->d, space_is(&p->s, P_PROTO, PROTO_TCP), counted, pass);
		}
	return pass;
}

dd counts_limited(struct proof *p, enum direction dir, uint32_t limit, dd pass)
{
	static const enum count_kind order[] = {
		COUNT_RATE, COUNT_CONNS, COUNT_STATES, COUNT_NODES, COUNT_MAX,
	};
	const struct state_limit *l = limit_of(p, limit);
	const dd block = proof_leaf(p, FATE_BLOCK), tcp = space_is(&p->s, P_PROTO, PROTO_TCP);
	dd f = counted_by_others(p, limit, pass);

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		const bool of_tcp = order[i] == COUNT_RATE || order[i] == COUNT_CONNS;
		const dd over = of_tcp && l->grown != 0 ? counts_grown(p, block, l->grown - 1u)
							: block;
		dd asked;

		if (allowed(l, order[i]) == 0)
			continue;
		asked = counts_ask(p, count_of(p, dir, limit, order[i]), over, f);
		f = of_tcp ? dd_ite(p->d, tcp, asked, f) : asked;
	}
	return f;
}

/* ---- of the program ----------------------------------------------------------------------- */

/* The rate of a limit, if this is how nft says it */
static bool is_rate_of(const struct state_limit *l, const struct prog_expr *x)
{
	const uint64_t n = (uint64_t)l->rate * x->unit_s;

	return l->seconds != 0 && x->burst == l->rate &&
	       (n == (uint64_t)x->modulus * l->seconds ||
		(x->unit_s == DAY_S && x->modulus == MAX(n / l->seconds, 1u)));
}

static enum count_kind kind_of(const struct prog_expr *x, const struct prog_set *s)
{
	if (s == NULL)
		return COUNT_MAX;
	if (x->unit_s != 0)
		return COUNT_RATE;
	if (x->modulus == 0)
		return COUNT_NODES;
	return strncmp(s->name, "conns", 5) == 0 ? COUNT_CONNS : COUNT_STATES;
}

bool counts_of_rule(struct proof *p, const char *chain, const struct prog_expr *x,
		    const struct prog_set *s, struct proof_count *ret)
{
	const struct state_limit *l;
	unsigned int limit;
	char way[4];

	if (!x->is_over || (sscanf(chain, "limit%u_%3s", &limit, way) != 2 &&
			    sscanf(chain, "nodes%u_%3s", &limit, way) != 2) ||
	    limit == 0 || limit > p->m->limits.n)
		return false;
	l = limit_of(p, limit);
	*ret = (struct proof_count){
		.kind = kind_of(x, s), .n = x->modulus, .burst = x->burst, .unit_s = x->unit_s,
		.limit = limit, .dir = strcmp(way, "in") == 0 ? DIR_IN : DIR_OUT,
		.object = s != NULL ? (const void *)s : (const void *)x,
	};
	if (ret->kind == COUNT_NODES)
		ret->n = s->size;
	if (ret->kind == COUNT_RATE && is_rate_of(l, x)) {
		ret->n = ret->burst = l->rate;
		ret->unit_s = l->seconds;
	}
	if (is_shared(l, ret->kind))
		ret->limit = ret->dir = 0;
	return true;
}
