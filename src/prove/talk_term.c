/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a rule asks of a later packet is asked of the first: "the port is 80" of a port
 * that is the first packet's and two is "78".  Two addresses of the first packet are
 * never compared bit by bit but where both are the host's own, of which there are few:
 * nobody speaks with himself through a router.
 */
#include "prove/talk.h"

#include <string.h>

/* What only programs have stands for ports that are drawn, one for each range */
static const enum part drawn_parts[TALK_DRAWS] = { P_CTMARK, P_MARK };

static const struct talk_term *term_of(const struct talk *t, uint32_t term)
{
	return &t->terms->list.v[term];
}

static uint32_t add_term(struct talk *t, struct talk_term x)
{
	for (uint32_t i = 0; i < t->terms->list.n; i++) {
		const struct talk_term *y = term_of(t, i);

		if (x.is_const ? y->is_const && x.value == y->value
			       : !y->is_const && x.part == y->part && x.delta == y->delta)
			return i;
	}
	vec_add(t->a, &t->terms->list, x);
	return t->terms->list.n - 1;
}

uint32_t talk_const(struct talk *t, u128 value)
{
	return add_term(t, (struct talk_term){ .is_const = true, .value = value });
}

uint32_t talk_part(struct talk *t, enum part part, uint32_t delta)
{
	return add_term(t, (struct talk_term){ .part = part, .delta = delta & UINT16_MAX });
}

uint32_t talk_plus(struct talk *t, uint32_t term, uint32_t delta)
{
	const struct talk_term x = *term_of(t, term);

	if (x.is_const)
		return talk_const(t, (x.value + delta) & UINT16_MAX);
	return talk_part(t, x.part, x.delta + delta);
}

bool talk_drawn(struct talk *t, uint16_t lo, uint16_t hi, uint32_t *ret)
{
	struct talk_terms *all = t->terms;
	uint32_t i = 0;

	while (i < all->n_drawn && (all->lo[i] != lo || all->hi[i] != hi))
		i++;
	if (i >= TALK_DRAWS)
		return false;
	all->lo[i] = lo;
	all->hi[i] = hi;
	all->n_drawn = MAX(all->n_drawn, i + 1);
	*ret = talk_part(t, drawn_parts[i], 0);
	return true;
}

dd talk_real_draws(struct talk *t)
{
	dd r = DD_TRUE;

	for (uint32_t i = 0; i < TALK_DRAWS && i < t->terms->n_drawn; i++)
		r = dd_and(t->p->d, r, space_range(&t->p->s, drawn_parts[i], t->terms->lo[i],
						   t->terms->hi[i]));
	return r;
}

dd talk_is(struct talk *t, uint32_t term, u128 value)
{
	const struct talk_term *x = term_of(t, term);

	if (x->is_const)
		return x->value == value ? DD_TRUE : DD_FALSE;
	if (x->delta != 0)
		value = (value - x->delta) & UINT16_MAX;
	return space_is(&t->p->s, x->part, value);
}

dd talk_addr_in(struct talk *t, uint32_t term, const struct set *in)
{
	const struct talk_term *x = term_of(t, term);

	if (!x->is_const)
		return space_addr_in(&t->p->s, x->part, in);
	return set_has_addr(in, (struct addr){ t->p->s.af, x->value }) ? DD_TRUE : DD_FALSE;
}

/* The values that become those of a set when @delta is added */
static const struct set *shifted(struct talk *t, const struct set *in, uint32_t delta)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < in->n; i++) {
		const uint32_t lo = (uint32_t)(in->r[i].lo - delta) & UINT16_MAX;
		const uint32_t hi = (uint32_t)(in->r[i].hi - delta) & UINT16_MAX;

		if (lo <= hi) {
			ranges_add(t->a, &rs, AF_NONE, lo, hi);
		} else {
			ranges_add(t->a, &rs, AF_NONE, 0, hi);
			ranges_add(t->a, &rs, AF_NONE, lo, UINT16_MAX);
		}
	}
	return set_make(t->a, &rs);
}

dd talk_number_in(struct talk *t, uint32_t term, const struct set *in)
{
	const struct talk_term *x = term_of(t, term);

	if (x->is_const)
		return set_has(in, AF_NONE, x->value) ? DD_TRUE : DD_FALSE;
	return space_in(&t->p->s, x->part, x->delta == 0 ? in : shifted(t, in, x->delta));
}

dd talk_range(struct talk *t, uint32_t term, uint16_t lo, uint16_t hi)
{
	return talk_number_in(t, term, set_range(t->a, AF_NONE, lo, hi));
}

dd talk_local(struct talk *t, uint32_t term)
{
	const struct talk_term *x = term_of(t, term);

	if (!x->is_const)
		return space_local(&t->p->s, x->part);
	return facts_is_own(t->m->facts, (struct addr){ t->p->s.af, x->value }) ? DD_TRUE
										: DD_FALSE;
}

uint32_t talk_crossed(struct talk *t, uint32_t iface, uint32_t dst)
{
	const struct talk_term *x = term_of(t, dst);
	const struct model *m = t->m;

	if (!x->is_const)
		t->lost = "where a local caller is led";
	return intern_cid(m->names, facts_crossed(m->facts, intern_name(m->names, iface),
						  (struct addr){ t->p->s.af, x->value }));
}

/* ---- flows ----------------------------------------------------------------------------- */

struct talk_flow talk_reverse(struct talk_flow f)
{
	return (struct talk_flow){ f.dst, f.src, f.dport, f.sport };
}

/* The two addresses of the first packet are the same, where @where holds */
static dd same_ends(struct talk *t, dd where)
{
	struct space *s = &t->p->s;
	struct dds *d = t->p->d;

	for (uint32_t i = 0; i < addr_bits(s->af) && where != DD_FALSE; i++) {
		const dd a = space_bit(s, P_SRC, i), b = space_bit(s, P_DST, i);

		where = dd_and(d, where, dd_ite(d, a, b, dd_not(d, b)));
	}
	return where;
}

static bool is_const(const struct talk *t, uint32_t term)
{
	return term_of(t, term)->is_const;
}

/* @where, and two terms are the same; one of them is a number */
static dd same_number(struct talk *t, dd where, uint32_t x, uint32_t y)
{
	const struct talk_term *c = term_of(t, is_const(t, x) ? x : y);

	return dd_and(t->p->d, where, talk_is(t, is_const(t, x) ? y : x, c->value));
}

/*
 * @where, and two terms that are both the first packet's are the same.  A port that is
 * drawn is a free one, none that the conversation has already; and the port of one end is
 * never that of the other's at the same address: no socket speaks with itself.
 */
static dd same_parts(struct talk *t, dd where, uint32_t x, uint32_t y, bool is_addr)
{
	if (x == y)
		return where;
	if (!is_addr || !t->is_within || term_of(t, x)->part == term_of(t, y)->part)
		return DD_FALSE;
	return same_ends(t, where);
}

dd talk_equal(struct talk *t, struct talk_flow x, struct talk_flow y)
{
	const uint32_t pairs[4][2] = {
		{ x.src, y.src }, { x.dst, y.dst }, { x.sport, y.sport }, { x.dport, y.dport },
	};
	dd r = t->care;

	if (memcmp(&x, &y, sizeof(x)) == 0)
		return DD_TRUE;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (is_const(t, pairs[i][0]) || is_const(t, pairs[i][1]))
			r = same_number(t, r, pairs[i][0], pairs[i][1]);
	for (size_t i = 0; i < ARRAY_SIZE(pairs) && r != DD_FALSE; i++)
		if (!is_const(t, pairs[i][0]) && !is_const(t, pairs[i][1]))
			r = same_parts(t, r, pairs[i][0], pairs[i][1], i < 2);
	return r;
}
