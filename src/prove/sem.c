/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * model_eval() backwards.  A list is a function from what comes behind it to what
 * becomes of a packet that enters it: its rules are taken from the last to the
 * first, and each puts, for the packets that it matches, the function of what it
 * does there.  The last preferred ruling is a number in variables that exist only
 * here; `prefer` assigns it, and at the end it is "none".  So the order of quick
 * and other rules, anchors and calls needs no case of its own.
 *
 * A state that is there is a bit of the connection's mark, read with the direction
 * of the packet in its connection; a state that is made sets it.  What the mark
 * says of a connection that has none is not compared.
 */
#include "prove/sem.h"

#include <string.h>

#include "prove/counts.h"
#include "prove/headers.h"
#include "prove/logs.h"
#include "prove/states.h"

#define MAX_RULINGS	1000u
#define MAX_QUICK	20u
#define MAX_HITS	3u	/* free states found one behind the other */

/* A list that was entered before, with what came behind it then */
struct entered {
	uint32_t list;
	dd behind;
	uint32_t n_hits;
	dd r;
};

/* Which half of a pass with free states: up to a nat rule, behind it, or there is none */
enum half { HALF_WHOLE, HALF_BEFORE, HALF_BEHIND };

/* A ruling that may be settled, and the message of the rule that prefers it */
struct candidate {
	struct ruling ruling;
	uint32_t message;
};

/* A direction of the model being turned into functions */
struct sem {
	struct proof *p;
	struct dds *d;
	enum direction dir;
	enum sem_answers answers;
	VEC(struct candidate) rulings;	/* by number - 1 */
	dd settled;			/* the end of the filter */
	dd passed;			/* what becomes of what passes */
	uint32_t n_quick;		/* quick calls that the rule at hand is in */
	bool is_head;			/* ahead of translation */
	dd behind;			/* what comes behind the list of the rule at hand */
	struct proof_hand at;		/* that rule */
	enum half half;
	VEC(uint32_t) names;		/* of free states, by number - 2 */
	uint32_t n_hits;		/* free states found on the way to the rule at hand */
	VEC(struct entered) entered;
	VEC(uint32_t) draws;		/* by number: the probability, 0: not asked for */
};

/* ---- draws and states ------------------------------------------------------------- */

/* Matches, its @headers as they are, and is drawn */
static dd holds_with(struct sem *w, const struct rule *r, dd headers)
{
	dd m = sem_with_tags(w->p, r, headers);

	if (r->prob == 0 || m == DD_FALSE)
		return m;
	if (r->draw >= SPACE_DRAWS)
		return m;
	while (w->p->m->discipline == STATES_DIRECTED && w->draws.n <= r->draw)
		vec_add(w->p->a, &w->draws, 0);
	if (w->p->m->discipline == STATES_DIRECTED)
		w->draws.v[r->draw] = r->prob;
	return dd_and(w->d, m, space_bit(&w->p->s, P_DRAW, r->draw));
}

static dd holds(struct sem *w, const struct rule *r)
{
	return holds_with(w, r, sem_headers(w->p, w->dir, r));
}

static dd state_bit(struct sem *w, const uint32_t bits[2], bool same_way)
{
	const uint32_t bit = bits[same_way ? (int)w->dir : 1 - (int)w->dir];

	return bit == 0 ? DD_FALSE : dd_var(w->d, proof_mark_bit(w->p, P_CTMARK, bit));
}

/* Of the two bits the one that counts for a packet, by its way in the connection */
static dd by_way(struct sem *w, const uint32_t bits[2])
{
	const dd known = dd_not(w->d, space_bit(&w->p->s, P_INVALID, 0));

	return dd_and(w->d, known, dd_ite(w->d, space_bit(&w->p->s, P_REPLY, 0),
					  state_bit(w, bits, false), state_bit(w, bits, true)));
}

static dd has_state(struct sem *w)
{
	return by_way(w, w->p->marks.state);
}

dd sem_has_state(struct proof *p, enum direction dir)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	return has_state(&w);
}

/* Does the packet go against one that was let in the other way */
static dd is_answer(struct sem *w)
{
	const dd reply = dd_and(w->d, space_bit(&w->p->s, P_REPLY, 0),
				dd_not(w->d, space_bit(&w->p->s, P_INVALID, 0)));

	return dd_and(w->d, reply, state_bit(w, w->p->marks.state, false));
}

/*
 * @f, when the number in @from has been put into @to, but where @keeps_none and it is
 * none.  Bits of @f are replaced one by one by those of the other mark.
 */
static dd copy_tag(struct sem *w, dd f, enum part from, uint32_t from_mask, enum part to,
		   uint32_t to_mask, bool keeps_none)
{
	const uint32_t all = from_mask;
	dd copied = f;

	for (; to_mask != 0; to_mask &= to_mask - 1, from_mask &= from_mask - 1)
		copied = dd_compose(w->d, copied, proof_mark_bit(w->p, to, to_mask),
				    dd_var(w->d, proof_mark_bit(w->p, from, from_mask)));
	return !keeps_none ? copied
			   : dd_ite(w->d, proof_mark_is(w->p, from, all, 0), f, copied);
}

/* A state was made just now and has the packet's own tag */
static dd found_state(struct sem *w)
{
	const struct nft_marks *m = &w->p->marks;
	const dd allows = by_way(w, m->opts);
	const dd refused = dd_and(w->d, w->p->m->drops_opts ? space_bit(&w->p->s, P_OPTS, 0)
							    : DD_FALSE, dd_not(w->d, allows));
	const enum direction other = w->dir == DIR_IN ? DIR_OUT : DIR_IN;
	dd f = w->passed;

	if (m->tags != 0)
		f = dd_ite(w->d, space_bit(&w->p->s, P_KNOWN, 0),
			   copy_tag(w, w->passed, P_CTMARK, m->kept_tags, P_MARK, m->tags, true),
			   copy_tag(w, w->passed, P_MARK, m->tags, P_CTMARK, m->kept_tags,
				    false));
	f = dd_ite(w->d, space_bit(&w->p->s, P_REPLY, 0), header_kept(w->p, f, other),
		   header_kept(w->p, f, w->dir));
	return dd_ite(w->d, refused, proof_leaf(w->p, FATE_BLOCK), f);
}

static dd made_state(struct sem *w, dd f, bool allow_opts, bool reply)
{
	const struct nft_marks *m = &w->p->marks;
	const int leg = reply ? 1 - (int)w->dir : (int)w->dir;
	const uint32_t bits = m->state[leg] | (allow_opts ? m->opts[leg] : 0);

	f = header_keep(w->p, f, (enum direction)leg);
	if (m->tags != 0)
		f = copy_tag(w, proof_assign(w->p, f, P_CTMARK, bits, bits), P_MARK, m->tags,
			     P_CTMARK, m->kept_tags, false);
	return proof_assign(w->p, f, P_CTMARK, bits, bits);
}

/* A pass that makes a state, where there is a connection to remember it in */
static dd with_state(struct sem *w, dd f, bool allow_opts)
{
	const dd made = dd_ite(w->d, space_bit(&w->p->s, P_REPLY, 0),
			       made_state(w, f, allow_opts, true),
			       made_state(w, f, allow_opts, false));

	return dd_ite(w->d, space_bit(&w->p->s, P_INVALID, 0), f, made);
}

/* Was the packet translated at this crossing; on lo Linux does it on the way out */
static dd is_translated(struct sem *w)
{
	struct space *s = &w->p->s;
	const dd first_way = dd_not(w->d, dd_or(w->d, space_bit(s, P_REPLY, 0),
						space_bit(s, P_INVALID, 0)));
	const dd dst = space_bit(s, P_DNAT, 0);
	dd is = dst;

	if (w->dir == DIR_OUT)
		is = dd_or(w->d, space_bit(s, P_SNAT, 0),
			   dd_and(w->d, dst, space_is(s, P_IFACE, s->lo)));
	return dd_and(w->d, first_way, is);
}

/* ---- rulings --------------------------------------------------------------------- */

static dd icmp_answer(struct sem *w, int32_t icmp)
{
	const struct outcome x = { .fate = FATE_ICMP, .code = (uint16_t)(icmp & 0xff) };
	const int32_t unreachable = w->p->s.af == AF_V4 ? 3 : 1;

	if (icmp < 0)
		return proof_leaf(w->p, FATE_BLOCK);
	if (icmp >> 8 != unreachable)
		return proof_unknown(w->p, "an ICMP answer that is not `unreachable`");
	return proof_outcome(w->p, &x);
}

static dd answered(struct sem *w, const struct answer *a)
{
	struct space *s = &w->p->s;
	const bool v4 = s->af == AF_V4;
	const dd block = proof_leaf(w->p, FATE_BLOCK);
	const dd icmp = icmp_answer(w, v4 ? a->icmp4 : a->icmp6);
	const dd query = a->queries ? space_icmp_query(s) : DD_FALSE;
	const dd quiet = dd_and(w->d, space_is(s, P_PROTO, v4 ? PROTO_ICMP : PROTO_ICMP6),
				dd_not(w->d, query));
	dd r = icmp;

	if (w->answers == SEM_SILENT)
		return block;
	if (a->rst)
		r = dd_ite(w->d, space_is(s, P_PROTO, PROTO_TCP),
			   dd_ite(w->d, space_bit(s, P_FLAGS, 5), block,
				  proof_leaf(w->p, FATE_RST)), r);
	return dd_ite(w->d, quiet, block, r);
}

static dd decided(struct sem *w, const struct ruling *r)
{
	const dd opts = w->p->m->drops_opts && !r->allow_opts ? space_bit(&w->p->s, P_OPTS, 0)
							     : DD_FALSE;
	dd pass, plain;

	if (r->verdict == V_BLOCK)
		return proof_leaf(w->p, FATE_BLOCK);
	if (r->verdict == V_RETURN)
		return answered(w, &r->answer);
	if (w->p->m->discipline == STATES_FREE)
		return w->passed;
	plain = header_noted(w->p, w->passed);
	pass = with_state(w, plain, r->allow_opts);
	if (!r->keep)
		pass = w->is_head ? w->passed : dd_ite(w->d, is_translated(w), pass, plain);
	if (r->keep && r->limit != 0)
		pass = counts_limited(w->p, w->dir, r->limit, pass);
	if (r->mend != 0)
		pass = header_note(w->p, pass, w->p->m->scrubs.v[r->mend - 1]);
	return dd_ite(w->d, opts, proof_leaf(w->p, FATE_BLOCK), pass);
}

static bool same_ruling(const struct ruling *x, const struct ruling *y)
{
	return x->verdict == y->verdict && x->keep == y->keep &&
	       x->allow_opts == y->allow_opts && x->limit == y->limit && x->mend == y->mend &&
	       x->answer.rst == y->answer.rst && x->answer.icmp4 == y->answer.icmp4 &&
	       x->answer.icmp6 == y->answer.icmp6 && x->answer.queries == y->answer.queries;
}

static uint32_t ruling_number(struct sem *w, const struct rule *of, const struct ruling *r)
{
	const struct candidate c = { *r, logs_of_verdict(w->p, of, r->verdict) };

	for (uint32_t i = 0; i < w->rulings.n; i++)
		if (w->rulings.v[i].message == c.message && same_ruling(&w->rulings.v[i].ruling, r))
			return i + 1;
	if (w->rulings.n < MAX_RULINGS)
		vec_add(w->p->a, &w->rulings, c);
	return w->rulings.n;
}

/* ---- rules ----------------------------------------------------------------------- */

static dd list_from(struct sem *w, uint32_t list, uint32_t first, dd behind);
static dd enter(struct sem *w, uint32_t list, dd behind);

static dd enter(struct sem *w, uint32_t list, dd behind)
{
	struct entered e = { .list = list, .behind = behind, .n_hits = w->n_hits };

	for (uint32_t i = 0; i < w->entered.n; i++)
		if (w->entered.v[i].list == list && w->entered.v[i].behind == behind &&
		    w->entered.v[i].n_hits == w->n_hits)
			return w->entered.v[i].r;
	e.r = list_from(w, list, 0, behind);
	if (w->n_quick == 0)
		vec_add(w->p->a, &w->entered, e);
	return e.r;
}

static dd prefer(struct sem *w, dd f, const struct rule *of, const struct ruling *r)
{
	struct space *s = &w->p->s;
	const uint32_t number = ruling_number(w, of, r), bits = space_width(s, P_CAND);

	for (uint32_t i = 0; i < bits; i++)
		f = dd_with(w->d, f, space_var(s, P_CAND, i), (number >> (bits - 1 - i) & 1) != 0);
	for (uint32_t i = 0; i < w->n_quick; i++)
		f = dd_with(w->d, f, space_var(s, P_QUICK, i), true);
	return f;
}

/* A quick call settles behind it if something was preferred in it */
static dd call_quick(struct sem *w, uint32_t list, dd behind)
{
	const uint32_t depth = w->n_quick;
	dd r;

	if (depth == MAX_QUICK)
		return proof_unknown(w->p, "quick anchors in each other");
	w->n_quick++;
	r = enter(w, list, dd_ite(w->d, space_bit(&w->p->s, P_QUICK, depth), w->settled, behind));
	w->n_quick--;
	return dd_with(w->d, r, space_var(&w->p->s, P_QUICK, depth), false);
}

static dd leave(struct sem *w, const struct rule *r, dd next, dd behind)
{
	switch (r->exit) {
	case EX_NEXT:
		return next;
	case EX_GOTO:
		return enter(w, r->list, behind);
	case EX_CALL:
		return r->is_quick ? call_quick(w, r->list, next) : enter(w, r->list, next);
	case EX_RETURN:
		return behind;
	case EX_DECIDE:
		return decided(w, &r->ruling);
	case EX_SETTLE:
		return w->settled;
	}
	BUG_IF(true);
}

static dd assign_tag(struct sem *w, dd f, const struct effect *e)
{
	struct proof *p = w->p;
	uint32_t bit;

	if (p->marks.tags == 0)
		return f;
	if (p->m->discipline == STATES_FREE)
		return proof_assign(p, f, P_MARK,
				    proof_spread(e->tags | e->untags, p->marks.tags),
				    proof_spread(e->tags & ~(uint32_t)e->untags, p->marks.tags));
	if (__builtin_popcount(e->tags) != 1 || (e->tags | e->untags) != UINT8_MAX)
		return proof_unknown(p, "more than one tag on a packet");
	bit = (uint32_t)__builtin_ctz(e->tags);
	return proof_assign(p, f, P_MARK, p->marks.tags,
			    proof_spread(p->codes[bit], p->marks.tags));
}

/* The number of a name that free states are looked for by; 1: any */
static uint32_t name_number(struct sem *w, uint32_t name)
{
	for (uint32_t i = 0; i < w->names.n; i++)
		if (w->names.v[i] == name)
			return i + 2;
	if (name != 0)
		vec_add(w->p->a, &w->names, name);
	return name == 0 ? 1 : w->names.n + 1;
}

/* Are all looks for free states by this name */
static bool is_only_name(const struct model *m, uint32_t name)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct effect *e = rule_has_effect(&m->lists.v[l].rules.v[i],
								 EF_PROBE);

			if (e != NULL && e->name != name)
				return false;
		}
	return true;
}

/* A look for free states: @f where none is found; it is not done again for what was asked */
static dd probe_free(struct sem *w, dd f, const struct effect *e)
{
	struct proof *p = w->p;
	struct space *s = &p->s;
	const uint32_t number = name_number(w, e->name), bits = space_width(s, P_PROBED);
	const dd asked = dd_or(w->d, space_is(s, P_PROBED, 1), space_is(s, P_PROBED, number));
	dd found = f;

	if (number >= 1u << bits)
		return proof_unknown(p, "so many names of states");
	/* What was found leads to rules that look again: not by the only name there is */
	if (w->n_hits == MAX_HITS || (w->n_hits > 0 && is_only_name(p->m, e->name)))
		return dd_ite(w->d, asked, f, proof_unknown(p, "states that lead to states"));
	w->n_hits++;
	for (uint32_t k = p->records.n; k-- > 0;) {
		const struct effect *rec = p->records.v[k].e;

		if (e->name == 0 || rec->name == e->name)
			found = dd_ite(w->d, states_has(p, k), enter(w, rec->list, w->behind),
				       found);
	}
	w->n_hits--;
	for (uint32_t i = 0; i < bits; i++)
		found = dd_with(w->d, found, space_var(s, P_PROBED, i),
				(number >> (bits - 1 - i) & 1) != 0);
	return dd_ite(w->d, asked, f, found);
}

static dd record_free(struct sem *w, dd f, const struct effect *e)
{
	struct proof *p = w->p;
	uint32_t own = 0;
	dd met, made;

	while (p->records.v[own].e != e)
		own++;
	if (!states_is_met(p, own, &met))
		return proof_unknown(p, "so many limits of states");
	made = dd_ite(w->d, met, proof_leaf(p, FATE_BLOCK), states_write(p, f, own, false));
	return dd_ite(w->d, states_is_there(p, own, false), f, made);
}

/* A nat rule: what comes then sees another packet */
static dd hand_over(struct sem *w)
{
	struct proof *p = w->p;
	uint32_t i = 0;

	if (w->half != HALF_BEFORE)
		return proof_unknown(p, "a second translation in one pass");
	if (w->behind != w->settled)
		return proof_unknown(p, "a translation in a call");
	while (i < p->hands.n && (p->hands.v[i].list != w->at.list ||
				  p->hands.v[i].idx != w->at.idx))
		i++;
	if (i == p->hands.n)
		vec_add(p->a, &p->hands, w->at);
	return proof_handed(p, i + 1);
}

/* A rule that prefers logs where it is what settles */
static dd log_here(struct sem *w, dd f, const struct rule *r)
{
	if (rule_has_effect(r, EF_PREFER) != NULL)
		return f;
	if (r->exit == EX_DECIDE && rule_has_effect(r, EF_TRANSLATE) == NULL)
		return logs_add(w->p, f, logs_of_verdict(w->p, r, r->ruling.verdict));
	return logs_add(w->p, f, logs_declared(w->p, rule_has_effect(r, EF_TRANSLATE) != NULL
							     ? "nat" : "match", &r->origin));
}

static dd do_effect(struct sem *w, dd f, const struct rule *r, const struct effect *e)
{
	switch (e->kind) {
	case EF_LOG:
		return log_here(w, f, r);
	case EF_MEND:
		return header_note(w->p, f, w->p->m->scrubs.v[e->scrub]);
	case EF_PREFER:
		return prefer(w, f, r, &e->ruling);
	case EF_PROBE:
		return w->p->m->discipline == STATES_FREE ? probe_free(w, f, e)
			: dd_ite(w->d, has_state(w), found_state(w), f);
	case EF_TAG:
		return assign_tag(w, f, e);
	case EF_SCRUB:
		return proof_unknown(w->p, "a change of headers");
	case EF_RECORD:
		return record_free(w, f, e);
	case EF_TRANSLATE:
		return w->p->m->discipline == STATES_FREE ? hand_over(w)
			: proof_unknown(w->p, "a translation in the middle of a filter");
	}
	BUG_IF(true);
}

/* @then, behind the effects of a rule from number @first on */
static dd do_effects(struct sem *w, struct proof_hand at, uint32_t first, dd then, dd behind)
{
	const struct rule *r = &w->p->m->lists.v[at.list].rules.v[at.idx];

	for (uint32_t k = r->effects.n; k-- > first;) {
		/* What leads to other lists has changed these */
		w->behind = behind;
		w->at = at;
		then = do_effect(w, then, r, &r->effects.v[k]);
	}
	return then;
}

/*
 * Free states may lead a packet to a rule twice, and then it is drawn for twice: so the
 * lot is drawn where the first of the rules that it is for stands
 */
static dd draw_here(struct sem *w, const struct rule_list *l, uint32_t i, uint32_t first, dd f)
{
	const struct rule *r = &l->rules.v[i];
	const bool is_first = i == first || l->rules.v[i - 1].prob == 0 ||
			      l->rules.v[i - 1].draw != r->draw;

	if (r->prob == 0 || !is_first || w->p->m->discipline == STATES_DIRECTED)
		return f;
	if (r->draw >= SPACE_DRAWS)
		return proof_unknown(w->p, "so many lots");
	return proof_draw(w->p, dd_with(w->d, f, space_var(&w->p->s, P_DRAW, r->draw), true),
			  dd_with(w->d, f, space_var(&w->p->s, P_DRAW, r->draw), false), r->prob,
			  PROB_ONE, false);
}

/* What becomes of a packet that enters a list at @first, @behind it what comes then */
static dd list_from(struct sem *w, uint32_t list, uint32_t first, dd behind)
{
	const struct rule_list *l = &w->p->m->lists.v[list];
	dd f = behind;

	for (uint32_t i = l->rules.n; i-- > first;) {
		const struct rule *r = &l->rules.v[i];
		const dd headers = sem_headers(w->p, w->dir, r), cond = holds_with(w, r, headers);
		dd then;

		if (cond == DD_FALSE) {
			f = draw_here(w, l, i, first, f);
			continue;
		}
		/* Effects change what follows, of which only these packets' part counts */
		then = dd_ite(w->d, headers, leave(w, r, f, behind), DD_FALSE);
		then = do_effects(w, (struct proof_hand){ list, i }, 0, then, behind);
		f = draw_here(w, l, i, first, dd_ite(w->d, cond, then, f));
	}
	return f;
}

/* ---- parts of a crossing ----------------------------------------------------------- */

/* Draws are the same in the whole of an evaluation, so they can be made at its start */
static dd draw_all(struct sem *w, dd f)
{
	for (uint32_t i = 0; i < w->draws.n; i++) {
		const uint32_t var = space_var(&w->p->s, P_DRAW, i);

		if (w->draws.v[i] != 0)
			f = proof_draw(w->p, dd_with(w->d, f, var, true),
				       dd_with(w->d, f, var, false), w->draws.v[i], PROB_ONE,
				       false);
	}
	return f;
}

static dd with_log(struct sem *w, dd f, const struct rule *r)
{
	return rule_has_effect(r, EF_LOG) == NULL ? f : log_here(w, f, r);
}

/* Fences and the like: calls are of translations, and not looked at here */
static dd policy_list(struct sem *w, uint32_t list, dd behind)
{
	const struct rule_list *l;
	dd f = behind;

	if (list == LIST_NONE)
		return behind;
	l = &w->p->m->lists.v[list];
	for (uint32_t i = l->rules.n; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];

		if (r->exit != EX_CALL)
			f = dd_ite(w->d, holds(w, r), with_log(w, leave(w, r, f, behind), r), f);
	}
	return f;
}

dd sem_fences(struct proof *p, enum direction dir, dd passed)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	w.passed = passed;
	return policy_list(&w, p->m->before[dir], passed);
}

/* The end of a filter: what was preferred last, or the model's own ruling */
static dd settle_all(struct sem *w)
{
	struct space *s = &w->p->s;
	dd f = decided(w, &w->p->m->otherwise);

	for (uint32_t i = 0; i < w->rulings.n; i++) {
		const struct candidate *c = &w->rulings.v[i];

		f = dd_ite(w->d, space_is(s, P_CAND, i + 1),
			   logs_add(w->p, decided(w, &c->ruling), c->message), f);
	}
	return f;
}

static void number_rulings(struct sem *w)
{
	for (uint32_t l = 0; l < w->p->m->lists.n; l++)
		for (uint32_t i = 0; i < w->p->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &w->p->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_PREFER);

			if (e != NULL)
				ruling_number(w, r, &e->ruling);
		}
}

/* As list_from(), of a language's own list: without what it calls ahead of its filter */
static dd own_list(struct sem *w, uint32_t list)
{
	const struct rule_list *l = &w->p->m->lists.v[list];
	const uint32_t head = sem_head(w->p->m, list);
	dd f = list_from(w, list, head, w->settled);

	w->is_head = true;
	for (uint32_t i = head; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];
		dd then;

		if (r->exit == EX_CALL)
			continue;
		then = leave(w, r, f, w->settled);
		for (uint32_t k = r->effects.n; k-- > 0;)
			then = do_effect(w, then, r, &r->effects.v[k]);
		f = dd_ite(w->d, holds(w, r), then, f);
	}
	w->is_head = false;
	return f;
}

dd sem_filter(struct proof *p, enum direction dir, enum sem_answers answers)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir, .answers = answers };
	const dd end = proof_pass(p, 0);
	dd f, fenced;

	w.passed = end;
	fenced = policy_list(&w, p->m->after[dir], end);
	w.passed = dd_ite(p->d, is_answer(&w), end, fenced);
	number_rulings(&w);
	if (w.rulings.n >= MAX_RULINGS)
		return proof_unknown(p, "so many kinds of rulings");
	w.settled = settle_all(&w);
	f = own_list(&w, p->m->entry[dir]);
	for (uint32_t i = 0; i < space_width(&p->s, P_CAND); i++)
		f = dd_with(p->d, f, space_var(&p->s, P_CAND, i), false);
	return draw_all(&w, header_none(p, f));
}

dd sem_after(struct proof *p, enum direction dir, dd passed)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	w.passed = passed;
	return policy_list(&w, p->m->after[dir], passed);
}

static struct sem free_pass(struct proof *p, enum direction dir, enum half half, dd passed)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir, .answers = SEM_ANSWERED, .half = half };

	/* Behind the translation of what goes out the kernel answers nothing */
	if (half == HALF_BEHIND && dir == DIR_OUT)
		w.answers = SEM_SILENT;
	w.passed = passed;
	w.settled = decided(&w, &p->m->otherwise);
	return w;
}

dd sem_free(struct proof *p, enum direction dir, dd passed)
{
	struct sem w = free_pass(p, dir, HALF_WHOLE, passed);

	return enter(&w, p->m->entry[dir], w.settled);
}

dd sem_free_before(struct proof *p, enum direction dir)
{
	struct sem w = free_pass(p, dir, HALF_BEFORE, proof_pass(p, 0));

	return enter(&w, p->m->entry[dir], w.settled);
}

dd sem_free_behind(struct proof *p, enum direction dir, struct proof_hand at, dd passed)
{
	struct sem w = free_pass(p, dir, HALF_BEHIND, passed);
	const struct rule *r = &p->m->lists.v[at.list].rules.v[at.idx];
	const dd next = list_from(&w, at.list, at.idx + 1, w.settled);
	const dd then = leave(&w, r, next, w.settled);
	uint32_t first = 0;

	while (r->effects.v[first].kind != EF_TRANSLATE)
		first++;
	return do_effects(&w, at, first + 1, then, w.settled);
}
