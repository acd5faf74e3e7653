/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A nat rule in the middle of a list cuts a pass in two: the rules ahead of it judge the
 * packet as it came, the kernel translates the first packet of a flow in a hook of its
 * own, and the rules behind see what it has become.  Which nat rule it was stands in the
 * packet mark in between.  What a value of the mark stands for is not believed but found
 * out: the first packet that leaves the first half with it says so, and then all of
 * them must say the same.  For each value the translation is compared, and the second
 * half from that value on.
 *
 * Behind a nat rule come packets with the addresses that it gives, those whose flow is
 * remembered from the other direction, and those that it leaves as they are; nothing
 * is compared of others.  conntrack translates flows where ipfw translates packets, so
 * what it does not know, and what belongs to a flow that began elsewhere, is left out.
 */
#include "prove/work.h"

#include <limits.h>
#include <linux/netfilter.h>
#include <string.h>

#include "prove/sem.h"
#include "prove/states.h"

#define MOST_BITS	12u	/* of the mark, in all of whose values the first half may end */

/**
 * struct free_place - A value of the mark between the halves
 * @raw:	The value
 * @hand:	Number of the nat rule; 0: the pass has ended
 * @where:	Packets that have it
 */
struct free_place {
	uint16_t raw;
	uint16_t hand;
	dd where;
};

/* Where it is looked for what values of the mark stand for: the surest place first */
enum looks { LOOK_CERTAIN, LOOK_WEIGHTS, LOOK_SINGLE, N_LOOKS };

/* One direction */
struct pass {
	struct work *w;
	enum direction dir;
	VEC(struct free_place) places;
	enum looks looks;
	dd declared;		/* the first half */
	dd where;
};

struct at {
	uint32_t hook;
	const char *name;
};

static const struct at ways_in[] = {
	{ NF_INET_PRE_ROUTING, "rules ahead of nat" },
}, ways_out[] = {
	{ NF_INET_FORWARD, "rules ahead of nat, for what is forwarded" },
	{ NF_INET_LOCAL_OUT, "rules ahead of nat, for the host's own" },
};

static const struct outcome *outcome(const struct pass *s, uint32_t value)
{
	return &s->w->p.o->list.v[value];
}

static struct free_place *place_of(struct pass *s, uint16_t raw)
{
	for (uint32_t i = 0; i < s->places.n; i++)
		if (s->places.v[i].raw == raw)
			return &s->places.v[i];
	return NULL;
}

/* ---- what values of the mark stand for ------------------------------------------------- */

static void note(struct pass *s, const struct outcome *x, const struct outcome *y)
{
	if (x->fate == FATE_PASS && y->fate == FATE_PASS && place_of(s, y->place) == NULL)
		vec_add(s->w->p.a, &s->places,
			((struct free_place){ .raw = y->place, .hand = x->place }));
}

/* An outcome as lots: what is certain is one */
static uint32_t lots_of(struct pass *s, uint32_t value, const struct lot **ret)
{
	const struct outcome *x = outcome(s, value);
	struct lot *one;

	*ret = x->lots;
	if (x->fate == FATE_DRAW)
		return x->n_lots;
	one = arena_new(s->w->p.a, struct lot);
	one->value = value;
	*ret = one;
	return 1;
}

/* How many of some lots pass */
static uint32_t n_passing(struct pass *s, const struct lot *lots, uint32_t n)
{
	uint32_t passing = 0;

	for (uint32_t i = 0; i < n; i++)
		passing += outcome(s, lots[i].value)->fate == FATE_PASS;
	return passing;
}

/* Of draws: lots of the same chances, then whatever passes where one thing only does */
static void note_lots(struct pass *s, uint32_t x, uint32_t y)
{
	const struct lot *one, *other;
	const uint32_t n = lots_of(s, x, &one), m = lots_of(s, y, &other);
	const bool is_single = n_passing(s, one, n) == 1;

	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < m; k++)
			if (s->looks == LOOK_SINGLE ? is_single
						    : one[i].weight == other[k].weight)
				note(s, outcome(s, one[i].value), outcome(s, other[k].value));
}

static uint32_t note_pair(void *arg, uint32_t x, uint32_t y)
{
	struct pass *s = arg;

	if (s->looks == LOOK_CERTAIN)
		note(s, outcome(s, x), outcome(s, y));
	else
		note_lots(s, x, y);
	return 0;
}

static uint32_t named(void *arg, uint32_t value)
{
	struct pass *s = arg;
	static const struct outcome nothing = {
		.fate = FATE_HARM, .text = "it goes on with a mark that stands for nothing",
	};
	struct outcome x = *outcome(s, value);

	if (x.fate != FATE_PASS)
		return value;
	if (place_of(s, x.place) == NULL)
		return outcome_of(s->w->p.o, &nothing);
	x.place = place_of(s, x.place)->hand;
	return outcome_of(s->w->p.o, &x);
}

/* Packets whose outcome passes with a value of the mark, or may do so by lot */
struct having {
	const struct pass *s;
	uint16_t place;
};

static uint32_t has(void *arg, uint32_t value)
{
	const struct having *h = arg;
	const struct outcome *x = outcome(h->s, value);
	uint32_t is = x->fate == FATE_PASS && x->place == h->place;

	for (uint32_t i = 0; i < x->n_lots; i++)
		is |= has(arg, x->lots[i].value);
	return is;
}

static dd with_place(struct pass *s, dd f, uint16_t place)
{
	struct having h = { s, place };

	return dd_map(s->w->p.d, f, has, &h);
}

/* ---- the first half -------------------------------------------------------------------- */

static void compare_before(struct pass *s, const struct at *at, dd where)
{
	struct work *w = s->w;
	const bool in = s->dir == DIR_IN;
	dd kernel, declared = dd_ite(w->p.d, where, s->declared, DD_FALSE);

	proof_tells_places(&w->p, true);
	kernel = work_chains(w, at->hook, in ? PRIO_CONNTRACK + 1 : PRIO_DNAT + 1,
			     in ? PRIO_DNAT : INT_MAX, false, proof_pass(&w->p, 0));
	proof_tells_places(&w->p, false);
	kernel = dd_ite(w->p.d, where, kernel, DD_FALSE);
	for (s->looks = LOOK_CERTAIN; s->looks < N_LOOKS; s->looks++)
		dd_join(w->p.d, declared, kernel, note_pair, s);
	work_compare(w, at->name, s->dir, s->declared,
		     proof_each(&w->p, kernel, named, s), where);
	for (uint32_t i = 0; i < s->places.n; i++) {
		struct free_place *p = &s->places.v[i];

		p->where = dd_or(w->p.d, p->where, with_place(s, kernel, p->raw));
	}
}

static void first_half(struct pass *s)
{
	struct work *w = s->w;
	const dd own = space_is(&w->p.s, P_RECV, 0);
	const size_t n = s->dir == DIR_IN ? ARRAY_SIZE(ways_in) : ARRAY_SIZE(ways_out);

	s->where = work_both(w, w->real, work_no(w, work_own_answers(w, s->dir)));
	s->declared = sem_free_before(&w->p, s->dir);
	for (size_t i = 0; i < n; i++) {
		const struct at *at = s->dir == DIR_IN ? &ways_in[i] : &ways_out[i];
		dd where = s->where;

		if (s->dir == DIR_OUT)
			where = work_both(w, where, at->hook == NF_INET_FORWARD ? work_no(w, own)
										: own);
		compare_before(s, at, where);
	}
}

/* ---- translation ----------------------------------------------------------------------- */

static const struct rule *rule_of(const struct proof *p, uint32_t hand)
{
	const struct proof_hand *h = &p->hands.v[hand - 1];

	return &p->m->lists.v[h->list].rules.v[h->idx];
}

static const struct xlate *xlate_of(const struct proof *p, uint32_t hand)
{
	return &p->m->xlates.v[rule_has_effect(rule_of(p, hand), EF_TRANSLATE)->xlate];
}

/* The bits of the connection's mark that are of an instance's links; none: it asks for none */
static const uint32_t *links_of(const struct proof *p, const struct xlate *x)
{
	uint32_t n = 0;

	if (!x->deny_in)
		return NULL;
	for (const struct xlate *i = p->m->xlates.v; i != x; i++)
		n += i->deny_in;
	return n < NFT_LINKS ? p->marks.link[n] : NULL;
}

static dd with_mark(struct proof *p, dd f, uint16_t raw)
{
	const uint32_t mask = proof_places(p);

	return proof_assign(p, f, P_MARK, mask, proof_spread(raw, mask));
}

/* A redirect makes a link of what came in so */
struct translating {
	struct pass *s;
	const uint32_t *links;
};

static dd translated(void *arg, uint32_t xlate)
{
	const struct translating *t = arg;
	struct proof *p = &t->s->w->p;
	const dd f = proof_pass(p, xlate);

	if (t->links == NULL || t->s->dir == DIR_OUT)
		return f;
	return proof_assign(p, f, P_CTMARK, t->links[0], t->links[0]);
}

static void compare_translation(struct pass *s, const struct free_place *at, dd kernel)
{
	struct work *w = s->w;
	const dd lo = space_is(&w->p.s, P_IFACE, w->p.s.lo);
	struct translating t = { .s = s };
	dd declared = proof_pass(&w->p, 0), where = work_both(w, at->where, work_first(w));

	if (s->dir == DIR_IN) {
		where = work_both(w, where, work_no(w, dd_or(w->p.d, lo, work_bit(w, P_DNAT))));
		declared = sem_late_redirects(&w->p, declared);
	}
	if (at->hand != 0) {
		const struct xlate *x = xlate_of(&w->p, at->hand);

		t.links = links_of(&w->p, x);
		declared = sem_instance(&w->p, s->dir, x, translated, &t, declared);
	}
	work_compare(w, s->dir == DIR_IN ? "redirection" : "source translation", s->dir, declared,
		     with_mark(&w->p, kernel, at->raw), where);
}

static void compare_local(struct work *w)
{
	const dd none = proof_pass(&w->p, 0), lo = space_is(&w->p.s, P_IFACE, w->p.s.lo);
	const dd own = work_both(w, space_is(&w->p.s, P_RECV, 0),
				 work_both(w, work_first(w), work_no(w, work_bit(w, P_DNAT))));

	work_compare(w, "redirection of local callers", DIR_OUT,
		     dd_ite(w->p.d, lo, sem_translations(&w->p, DIR_OUT, true, false), none),
		     work_chains(w, NF_INET_LOCAL_OUT, INT_MIN, INT_MAX, true, none), own);
}

/* ---- the second half ------------------------------------------------------------------- */

/* What a translation of a direction may change of what variables say, and what it follows */
static void mark_changed(const struct proof *p, enum direction dir, bool addrs, bool *which)
{
	static const enum part in[] = { P_DST, P_DPORT, P_DCAST, P_DROUTE };
	static const enum part out[] = { P_SRC, P_SPORT, P_SCAST, P_SROUTE, P_RPF };
	const enum part *parts = dir == DIR_IN ? in : out;
	const size_t n = dir == DIR_IN ? ARRAY_SIZE(in) : ARRAY_SIZE(out);

	memset(which, 0, p->s.n_vars * sizeof(*which));
	for (uint32_t i = 0; i < space_width(&p->s, P_CTMARK); i++)
		which[space_var(&p->s, P_CTMARK, i)] = which[space_var(&p->s, P_MARK, i)] = true;
	for (uint32_t k = 0; k < p->records.n; k++)
		which[p->records.v[k].flow[0]] = which[p->records.v[k].flow[1]] = true;
	for (size_t k = 0; k < n && addrs; k++)
		for (uint32_t i = 0; i < space_width(&p->s, parts[k]); i++)
			which[space_var(&p->s, parts[k], i)] = true;
}

/*
 * Addresses (of @from) that the other direction hands to an instance, or to any, as a
 * condition on the address that this one's answers have (@to)
 */
static dd from_other_side(struct pass *other, const struct xlate *x, dd where, enum part from,
			  enum part to)
{
	struct proof *p = &other->w->p;
	bool *which = arena_array(p->a, bool, p->s.n_vars);
	dd is = DD_FALSE;

	for (uint32_t i = 0; i < p->s.n_vars; i++)
		which[i] = i < space_var(&p->s, from, 0) ||
			   i >= space_var(&p->s, from, 0) + space_width(&p->s, from);
	for (uint32_t i = 0; i < other->places.n; i++) {
		const struct free_place *at = &other->places.v[i];

		if (at->hand != 0 && (x->is_global ||
				      xlate_of(p, at->hand)->instance == x->instance))
			is = dd_or(p->d, is, dd_exists(p->d, dd_and(p->d, at->where, where),
						       which));
	}
	for (uint32_t i = 0; i < space_width(&p->s, from); i++)
		is = dd_compose(p->d, is, space_var(&p->s, from, i), space_bit(&p->s, to, i));
	return is;
}

static uint32_t is_pass(void *arg, uint32_t value)
{
	return ((const struct outcomes *)arg)->list.v[value].fate == FATE_PASS;
}

static dd unfenced(struct work *w)
{
	return dd_map(w->p.d, sem_fences(&w->p, DIR_IN, proof_pass(&w->p, 0)), is_pass, w->p.o);
}

/* Packets that come behind a nat rule */
static dd behind(struct pass *s, struct pass *other, const struct free_place *at)
{
	struct work *w = s->w;
	struct proof *p = &w->p;
	const struct xlate *x = xlate_of(p, at->hand);
	const enum part moved = s->dir == DIR_IN ? P_DST : P_SRC;
	bool *which = arena_array(p->a, bool, p->s.n_vars);
	dd stays, goes, given, answers, lost;

	mark_changed(p, s->dir, false, which);
	stays = dd_exists(p->d, at->where, which);
	mark_changed(p, s->dir, true, which);
	goes = dd_exists(p->d, at->where, which);
	given = space_in(&p->s, moved, sem_instance_addrs(p, s->dir, x));
	/* What comes in and meets no redirect gives a link to its answers, or is denied */
	answers = s->dir == DIR_OUT && x->deny_in ? DD_FALSE :
		  from_other_side(other, x, s->dir == DIR_IN ? DD_TRUE : unfenced(w),
				  s->dir == DIR_IN ? P_SRC : P_DST, moved);
	answers = work_both(w, answers, work_bit(w, P_KNOWN));
	if (s->dir == DIR_IN)
		return dd_or(p->d, stays, work_both(w, goes, dd_or(p->d, given, answers)));
	lost = x->only_from != NULL ? work_no(w, space_addr_in(&p->s, P_SRC, x->only_from))
				    : x->to.n == 0 || x->is_global ? DD_TRUE : DD_FALSE;
	return dd_or(p->d, work_both(w, goes, given),
		     work_both(w, stays, dd_or(p->d, lost, answers)));
}

/* What an instance that asks for links does with what has none, and remembers */
static dd with_links(struct pass *s, const struct xlate *x, dd f)
{
	struct work *w = s->w;
	struct proof *p = &w->p;
	const uint32_t *links = links_of(p, x);
	const dd reply = work_bit(w, P_REPLY);

	if (links == NULL)
		return f;
	if (s->dir == DIR_OUT)
		return dd_ite(p->d, reply, proof_assign(p, f, P_CTMARK, links[0], links[0]),
			      proof_assign(p, f, P_CTMARK, links[1], links[1]));
	return dd_ite(p->d, dd_ite(p->d, reply, proof_mark_is(p, P_CTMARK, links[1], links[1]),
				   proof_mark_is(p, P_CTMARK, links[0], links[0])),
		      f, proof_leaf(p, FATE_BLOCK));
}

static void compare_behind(struct pass *s, struct pass *other, const struct free_place *at,
			   dd kernel)
{
	struct work *w = s->w;
	struct proof *p = &w->p;
	const dd after = sem_after(p, s->dir, proof_pass(p, 0));
	const dd strange = dd_or(p->d, work_bit(w, P_INVALID), work_bit(w, P_RELATED));
	dd declared = after, where = w->real;

	if (at->hand != 0) {
		declared = with_links(s, xlate_of(p, at->hand),
				      sem_free_behind(p, s->dir, p->hands.v[at->hand - 1],
						      after));
		where = work_both(w, behind(s, other, at), work_both(w, where,
								     work_no(w, strange)));
	}
	work_compare(w, at->hand != 0 ? "rules behind nat" : "what comes behind the rules", s->dir,
		     declared, with_mark(p, kernel, at->raw), where);
}

static void second_half(struct pass *s, struct pass *other)
{
	struct work *w = s->w;
	const bool in = s->dir == DIR_IN;
	const uint32_t hook = in ? NF_INET_PRE_ROUTING : NF_INET_POST_ROUTING;
	const dd none = proof_pass(&w->p, 0);
	const dd nat = work_chains(w, hook, INT_MIN, INT_MAX, true, none);
	const dd rest = work_chains(w, hook, in ? PRIO_DNAT + 1 : PRIO_SNAT + 1, INT_MAX, false,
				    none);

	for (uint32_t i = 0; i < s->places.n; i++) {
		compare_translation(s, &s->places.v[i], nat);
		compare_behind(s, other, &s->places.v[i], rest);
	}
}

void stage_free_nat(struct work *w)
{
	struct pass in = { .w = w, .dir = DIR_IN }, out = { .w = w, .dir = DIR_OUT };

	if (__builtin_popcount(proof_places(&w->p)) > (int)MOST_BITS) {
		prove_unproven(&w->p, w->ret, "so many bits of a mark");
		return;
	}
	compare_local(w);
	first_half(&in);
	first_half(&out);
	second_half(&in, &out);
	second_half(&out, &in);
}
