/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A count is a number in what outcomes tell, from QUOTA_FIRST on; limits of states have
 * those below.  So thousands of quotas need no variable, where each limit of states has
 * one.
 *
 * A chain is found by the first element of a map that leads to it: its key is an outside
 * place or an address of a jail, and those are of one quota.
 */
#include "prove/quotas.h"

#include <string.h>

#define QUOTA_FIRST	0x8000u
#define MOST_QUOTAS	(QUOTA_FIRST / 2)

enum counted { BY_RATE, BY_NUMBER };

static dd harm(struct proof *p, const char *what, const struct prog_expr *x)
{
	const char *n = x->unit_s == 0 ? arena_printf(p->a, "%u", x->modulus)
				       : arena_printf(p->a, "%u in %u s", x->modulus, x->unit_s);
	const struct outcome o = {
		.fate = FATE_HARM, .text = arena_printf(p->a, "%s: %s", what, n),
	};

	return proof_outcome(p, &o);
}

/* ---- whose a chain is ---------------------------------------------------------------- */

static u128 number(const uint8_t *b, uint32_t len)
{
	u128 v = 0;

	for (uint32_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

/* A key of protocol, address and port, in words */
static bool is_place_of(const struct quota *q, uint8_t af, const uint8_t *key)
{
	const uint32_t len = addr_bits(af) / 8;

	return q->protos != NULL && set_has(q->protos, AF_NONE, key[0]) &&
	       set_has(q->addrs, af, number(key + 4, len)) &&
	       set_has(q->ports, AF_NONE, number(key + 4 + len, 2));
}

static bool leads_to(const struct quota *q, uint8_t af, const struct prog_set *s,
		     const struct prog_elem *e)
{
	const uint32_t len = addr_bits(af) / 8;

	if (s->key_len == len + 8)
		return is_place_of(q, af, e->key);
	return s->key_len == len && q->protos == NULL &&
	       set_has(q->addrs, af, number(e->key, len));
}

/* The quota of an element's key, UINT32_MAX: none */
static uint32_t quota_of(const struct proof *p, const struct prog_set *s,
			 const struct prog_elem *e)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };

	for (size_t f = 0; f < ARRAY_SIZE(afs) && e->key != NULL; f++)
		for (uint32_t i = 0; i < p->m->quotas.n; i++)
			if (leads_to(&p->m->quotas.v[i], afs[f], s, e))
				return i;
	return UINT32_MAX;
}

static bool is_known(const struct proof *p, const char *chain)
{
	for (uint32_t i = p->quotas.n; i-- > 0;)
		if (strcmp(p->quotas.v[i].chain, chain) == 0)
			return true;
	return false;
}

void quotas_init(struct proof *p)
{
	if (p->m->quotas.n == 0)
		return;
	for (uint32_t i = 0; i < p->p->sets.n; i++) {
		const struct prog_set *s = &p->p->sets.v[i];

		for (uint32_t k = 0; k < s->elems.n; k++) {
			const struct prog_elem *e = &s->elems.v[k];
			uint32_t q;

			if (e->chain == NULL || is_known(p, e->chain))
				continue;
			q = quota_of(p, s, e);
			if (q != UINT32_MAX)
				vec_add(p->a, &p->quotas, ((struct proof_quota){ e->chain, q }));
		}
	}
}

static const struct proof_quota *owner_of(const struct proof *p, const char *chain)
{
	for (uint32_t i = 0; i < p->quotas.n; i++)
		if (strcmp(p->quotas.v[i].chain, chain) == 0)
			return &p->quotas.v[i];
	return NULL;
}

/* Is no other chain of that quota too */
static bool is_only_one(const struct proof *p, const struct proof_quota *own)
{
	for (uint32_t i = 0; i < p->quotas.n; i++)
		if (&p->quotas.v[i] != own && p->quotas.v[i].quota == own->quota)
			return false;
	return true;
}

/* ---- what is counted ------------------------------------------------------------------- */

static dd counted(struct proof *p, dd f, uint32_t quota, enum counted by)
{
	return proof_note(p, f, PROOF_COUNTS, true, (uint16_t)(QUOTA_FIRST + 2 * quota + by));
}

/* Does an expression count as a quota declares */
static bool is_as_declared(const struct quota *q, const struct prog_expr *x)
{
	return x->unit_s == 0 ? x->modulus == q->max
			      : x->modulus == q->rate && x->unit_s == q->per_s &&
					x->burst == q->rate;
}

dd quotas_of_rule(struct proof *p, const char *chain, const struct prog_expr *x, dd over, dd next)
{
	const struct proof_quota *own = owner_of(p, chain);

	if (!x->is_over)
		return proof_unknown(p, "a limit of another kind");
	if (own == NULL)
		return harm(p, "nobody declared this limit", x);
	if (!is_only_one(p, own))
		return harm(p, "it counts apart what is counted together", x);
	if (!is_as_declared(&p->m->quotas.v[own->quota], x))
		return harm(p, "connections are counted by other numbers", x);
	if (over != proof_leaf(p, FATE_BLOCK))
		return harm(p, "what is over a limit is not dropped", x);
	return counted(p, next, own->quota, x->unit_s != 0 ? BY_RATE : BY_NUMBER);
}

/* ---- declared -------------------------------------------------------------------------- */

static dd limited(struct proof *p, uint32_t quota, dd f)
{
	const struct quota *q = &p->m->quotas.v[quota];

	if (q->max != 0)
		f = counted(p, f, quota, BY_NUMBER);
	return q->rate != 0 ? counted(p, f, quota, BY_RATE) : f;
}

/* It came to an outside place of a forward, as conntrack remembers */
static dd came_to(struct proof *p, const struct quota *q)
{
	return dd_and(p->d, space_in(&p->s, P_PROTO, q->protos),
		      dd_and(p->d, space_in(&p->s, P_FIRST_DST, q->addrs),
			     space_in(&p->s, P_FIRST_DPORT, q->ports)));
}

bool quotas_declared(struct proof *p, enum part jail, bool places, dd pass, dd *ret)
{
	const dd is_new = dd_and(p->d, space_bit(&p->s, P_NEW, 0),
				 dd_not(p->d, dd_or(p->d, space_bit(&p->s, P_INVALID, 0),
						    space_bit(&p->s, P_RELATED, 0))));
	dd by_jail = pass, all = pass;

	if (p->m->quotas.n > MOST_QUOTAS)
		return false;
	/* The first that has an address counts */
	for (uint32_t i = p->m->quotas.n; i-- > 0;)
		if (p->m->quotas.v[i].protos == NULL)
			by_jail = dd_ite(p->d, space_in(&p->s, jail, p->m->quotas.v[i].addrs),
					 limited(p, i, pass), by_jail);
	all = by_jail;
	for (uint32_t i = p->m->quotas.n; i-- > 0 && places;)
		if (p->m->quotas.v[i].protos != NULL)
			all = dd_ite(p->d, came_to(p, &p->m->quotas.v[i]), limited(p, i, by_jail),
				     all);
	*ret = dd_ite(p->d, is_new, all, pass);
	return true;
}
