/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Both sides are computed from the end to the start: what becomes of a packet from
 * here on is a function; to go one step back is to change the function.  A rule
 * that matches some packets gives those another function; one that sets a bit puts
 * its value for the variable.  So a mark needs no bookkeeping, and at the end
 * stands a function of what was there before.
 *
 * A port that becomes what it was is a port that stays, on either side: a map has
 * no word for "as it is", and rules have.
 */
#include "prove/proof.h"

#include <string.h>

#include "prove/states.h"

dd proof_outcome(struct proof *p, const struct outcome *x)
{
	return dd_leaf(p->d, outcome_of(p->o, x));
}

dd proof_leaf(struct proof *p, enum fate fate)
{
	const struct outcome x = { .fate = fate };

	return proof_outcome(p, &x);
}

dd proof_unknown(struct proof *p, const char *why)
{
	return dd_leaf(p->d, outcome_unknown(p->o, why));
}

uint32_t proof_spread(uint32_t value, uint32_t mask)
{
	uint32_t out = 0;

	for (; mask != 0; mask &= mask - 1, value >>= 1)
		out |= (value & 1) != 0 ? mask & -mask : 0;
	return out;
}

struct each {
	struct outcomes *o;
	outcome_fn *fn;
	void *arg;
};

static uint32_t each(void *arg, uint32_t value)
{
	const struct each *e = arg;

	return outcome_each(e->o, value, e->fn, e->arg);
}

dd proof_each(struct proof *p, dd f, outcome_fn *fn, void *arg)
{
	struct each e = { p->o, fn, arg };

	return dd_map(p->d, f, each, &e);
}

struct noting {
	struct outcomes *o;
	enum proof_noted what;
	bool passes;
	uint16_t number;
};

static uint32_t note_one(void *arg, uint32_t value)
{
	const struct noting *g = arg;
	struct outcome x = g->o->list.v[value];
	uint32_t *const in[] = {
		[PROOF_RECORDS] = &x.record, [PROOF_COUNTS] = &x.counts, [PROOF_LOGS] = &x.logs,
	};

	if (g->passes ? x.fate != FATE_PASS :
	    x.fate == FATE_NONE || x.fate == FATE_UNKNOWN || x.fate == FATE_HARM)
		return value;
	*in[g->what] = record_add(g->o, *in[g->what], g->number);
	return outcome_of(g->o, &x);
}

dd proof_note(struct proof *p, dd f, enum proof_noted what, bool passes, uint16_t number)
{
	struct noting g = { p->o, what, passes, number };

	return proof_each(p, f, note_one, &g);
}

uint32_t proof_mark_bit(const struct proof *p, enum part mark, uint32_t mask)
{
	return mask == 0 ? DD_NO_VAR
			 : space_mark(&p->s, mark, (uint32_t)__builtin_ctz(mask));
}

dd proof_mark_is(struct proof *p, enum part mark, uint32_t mask, uint32_t value)
{
	dd r = DD_TRUE;

	for (; mask != 0; mask &= mask - 1) {
		const dd bit = dd_var(p->d, proof_mark_bit(p, mark, mask));

		r = dd_and(p->d, r, (value & mask & -mask) != 0 ? bit : dd_not(p->d, bit));
	}
	return r;
}

dd proof_assign(struct proof *p, dd f, enum part mark, uint32_t mask, uint32_t value)
{
	for (; mask != 0; mask &= mask - 1)
		f = dd_with(p->d, f, proof_mark_bit(p, mark, mask),
			    (value & mask & -mask) != 0);
	return f;
}

/* ---- a pass and what it leaves ------------------------------------------------- */

/* A bit that outcomes tell, and where in them */
struct told_bit {
	uint32_t var;
	uint16_t *at;
	uint16_t value;
};

#define MAX_TOLD	32u

struct telling {
	struct outcome x;
	struct told_bit bits[MAX_TOLD];
	uint32_t n;
};

/* The bits of a mark, from the lowest on, as those of @at from @value on */
static void tell(const struct proof *p, struct telling *t, enum part mark, uint32_t mask,
		 uint16_t *at, uint16_t value)
{
	for (; mask != 0; mask &= mask - 1, value = (uint16_t)(value << 1)) {
		struct told_bit *b = &t->bits[t->n++];

		BUG_IF(t->n > MAX_TOLD);
		b->var = proof_mark_bit(p, mark, mask);
		b->at = at;
		b->value = value;
	}
}

static dd told(struct proof *p, struct telling *t, uint32_t i)
{
	dd lo, hi;

	if (i == t->n)
		return proof_outcome(p, &t->x);
	lo = told(p, t, i + 1);
	*t->bits[i].at |= t->bits[i].value;
	hi = told(p, t, i + 1);
	*t->bits[i].at &= (uint16_t)~t->bits[i].value;
	return dd_ite(p->d, dd_var(p->d, t->bits[i].var), hi, lo);
}

/* What a mark of the connection says; without one there is none */
static void tell_connection(const struct proof *p, struct telling *t)
{
	const struct nft_marks *m = &p->marks;

	for (uint32_t i = 0; i < NFT_LINKS; i++)
		for (uint32_t way = 0; way < 2; way++)
			tell(p, t, P_CTMARK, m->link[i][way], &t->x.links,
			     (uint16_t)(1u << (2 * i + way)));
	if (!p->states)
		return;
	tell(p, t, P_CTMARK, m->kept_tags, &t->x.kept_tag, 1);
	for (uint32_t dir = 0; dir < 2; dir++) {
		tell(p, t, P_CTMARK, m->state[dir], &t->x.states, (uint16_t)(1u << dir));
		tell(p, t, P_CTMARK, m->opts[dir], &t->x.states, (uint16_t)(4u << dir));
	}
	tell(p, t, P_CTMARK, proof_mends(p), &t->x.mends, 1);
}

uint32_t proof_mends(const struct proof *p)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < p->marks.n_mends; i++)
		bits |= p->marks.mend[i].ct[DIR_IN] | p->marks.mend[i].ct[DIR_OUT];
	return bits;
}

uint32_t proof_places(const struct proof *p)
{
	return p->marks.own & ~(p->marks.tags | p->marks.drawn);
}

static dd make_pass(struct proof *p, const struct outcome *x)
{
	struct telling t = { .x = *x };
	dd without;

	tell(p, &t, P_MARK, p->marks.tags, &t.x.tag, 1);
	if (p->places)
		tell(p, &t, P_MARK, proof_places(p), &t.x.place, 1);
	without = told(p, &t, 0);
	tell_connection(p, &t);
	return dd_ite(p->d, space_bit(&p->s, P_INVALID, 0), without, told(p, &t, 0));
}

dd proof_pass(struct proof *p, uint32_t xlate)
{
	if (p->only_that && xlate > 1)
		xlate = 1;
	while (p->pass.n <= xlate)
		vec_add(p->a, &p->pass, 0);
	if (p->pass.v[xlate] == 0) {
		const struct outcome x = { .fate = FATE_PASS, .xlate = xlate };
		const dd made = make_pass(p, &x);

		p->pass.v[xlate] = made;
	}
	return p->pass.v[xlate];
}

dd proof_handed(struct proof *p, uint32_t hand)
{
	const struct outcome x = { .fate = FATE_PASS, .place = (uint16_t)hand };

	return make_pass(p, &x);
}

void proof_tells_places(struct proof *p, bool places)
{
	p->places = places;
	p->pass.n = 0;
}

void proof_keeps_states(struct proof *p, bool states)
{
	p->states = states;
	p->pass.n = 0;
}

void proof_tells_translations(struct proof *p, bool tells)
{
	p->only_that = !tells;
	p->pass.n = 0;
}

/* ---- draws ----------------------------------------------------------------------- */

struct drawing {
	struct outcomes *o;
	uint64_t n;
	uint64_t of;
	bool is_turn;
};

static uint32_t draw_one(void *arg, uint32_t x, uint32_t y)
{
	const struct drawing *g = arg;

	return outcome_draw(g->o, x, y, g->n, g->of, g->is_turn);
}

dd proof_draw(struct proof *p, dd x, dd y, uint64_t n, uint64_t of, bool is_turn)
{
	struct drawing g = { p->o, n, of, is_turn };

	return x == y || n == of ? x : dd_join(p->d, x, y, draw_one, &g);
}

/* ---- translations ---------------------------------------------------------------- */

static dd then(const struct proof_to *to, struct proof *p, uint16_t lo, uint16_t hi, bool random)
{
	struct translation x = to->x;

	x.lo = lo;
	x.hi = hi;
	x.is_random = random;
	return to->then(to->arg, translation_of(p->o, &x));
}

/* A part is @value, but for the bits @own; only where @to->here says */
static dd same(struct proof *p, const struct proof_to *to, enum part part, u128 value, u128 own)
{
	const uint32_t n = space_width(&p->s, part);
	dd r = DD_TRUE;

	for (uint32_t i = n; i-- > 0;) {
		const uint32_t at = n - 1 - i, var = space_var(&p->s, part, i);
		const bool is = (value >> at & 1) != 0;

		if ((own >> at & 1) != 0)
			continue;
		if (to->here != NULL && to->here[var] != DD_ANY) {
			if ((to->here[var] == DD_IS_1) != is)
				return DD_FALSE;
			continue;
		}
		r = is ? dd_ite(p->d, dd_var(p->d, var), r, DD_FALSE)
		       : dd_ite(p->d, dd_var(p->d, var), DD_FALSE, r);
	}
	return r;
}

/* Its port, or id, stays */
static dd with_port_kept(struct proof *p, const struct proof_to *to)
{
	const struct translation *x = &to->x;
	const dd unmoved = same(p, to, x->is_src ? P_SRC : P_DST, x->to, x->own);

	if (unmoved == DD_TRUE)
		return to->unchanged;
	return dd_ite(p->d, unmoved, to->unchanged, then(to, p, 0, 0, false));
}

static dd with_port(struct proof *p, const struct proof_to *to)
{
	const struct translation *x = &to->x;
	dd kept;

	if (x->lo != x->hi)
		return then(to, p, x->lo, x->hi, x->is_random);
	kept = same(p, to, x->is_src ? P_SPORT : P_DPORT, x->lo, 0);
	if (kept == DD_TRUE)
		return with_port_kept(p, to);
	if (kept == DD_FALSE)
		return then(to, p, x->lo, x->hi, false);
	return dd_ite(p->d, kept, with_port_kept(p, to), then(to, p, x->lo, x->hi, false));
}

dd proof_translate(struct proof *p, const struct proof_to *to)
{
	dd has_ports = space_ports(&p->s), ids;

	if (!to->has_port)
		return with_port_kept(p, to);
	if (to->here != NULL)
		has_ports = dd_known(p->d, has_ports, to->here);
	if (has_ports == DD_TRUE)
		return with_port(p, to);
	ids = to->id_hi == 0 ? with_port_kept(p, to)
			     : then(to, p, to->id_lo, to->id_hi, to->x.is_random);
	return dd_ite(p->d, has_ports, with_port(p, to),
		      dd_ite(p->d, space_icmp_query(&p->s), ids, with_port_kept(p, to)));
}
