/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Packets are led through the lists, all that come to a rule at once.  Lists that are
 * gone to wait until all that lead to them are done, so each is walked once.  Which rule
 * is preferred is a function of the packet, its value the rule's number; where that
 * counts in the end, the rules that it names do something.
 *
 * The other way, backwards as sem.c does it, merges rules that do the same, and cannot
 * tell which of them it was.
 *
 * What is not known is free: tables that are filled later, tags, lots, addresses that
 * the host may get.  A rule that is asked for such a thing may be for a packet or not,
 * so nothing is said to be dead that could live.
 */
#include "prove/lint_work.h"

#include <string.h>

#define MOST_ROUNDS	8	/* states lead backwards, and there to other states */

/* A walk under way */
struct walk {
	struct lint *l;
	struct lint_side *s;
	struct dds *d;
	enum direction dir;
	enum lint_mode mode;
	dd *waiting;		/* by list: what goes there */
	dd *gone;		/* by list: what of it went */
	bool *from_call;	/* by list: some of it comes out of a call */
	dd preferred;		/* by packet: number + 1 of the rule preferred last */
	dd fresh;		/* preferred something since the quick call at hand */
	dd passed;
	uint32_t depth;
	uint32_t n_quick;
};

const struct rule *lint_rule(const struct lint *l, uint32_t number)
{
	return &l->m->lists.v[l->at[number].list].rules.v[l->at[number].idx];
}

/* ---- what rules ask for -------------------------------------------------------------- */

static dd free_bit(struct lint_side *s, const char *what)
{
	const uint32_t var = space_opaque(&s->p.s, what, 1);

	/* No more of them: nothing can be said */
	if (var == DD_NO_VAR)
		s->d.is_full = true;
	return var == DD_NO_VAR ? DD_FALSE : dd_var(&s->d, var);
}

/* Tables of ipfw have no name in the model: their rules are known by the text */
static bool asks_table(const struct model *m, const struct rule *r)
{
	return m->discipline == STATES_FREE && r->origin.text != NULL &&
	       strstr(r->origin.text, "table(") != NULL;
}

static bool is_header(enum field f)
{
	return f == F_DIR || f == F_AF || f == F_PROTO || f == F_TCPFLAGS || f == F_ICMP;
}

/* The condition that stands for a test whose answer may change, or DD_TRUE: it stays */
static dd changing(struct lint *l, struct lint_side *s, uint32_t number, const struct test *t)
{
	const bool src = t->f == F_SRC || t->f == F_SRC_LOCAL;
	const struct rule *r = lint_rule(l, number);

	if (t->f == F_TAGS || (asks_table(l->m, r) && !is_header(t->f)))
		return free_bit(s, arena_printf(l->a, "rule %u", number));
	if (t->f == F_SRC_LOCAL || t->f == F_DST_LOCAL) {
		const dd own = dd_or(&s->d, space_local(&s->p.s, src ? P_SRC : P_DST),
				     free_bit(s, src ? "own source" : "own destination"));

		return dd_or(&s->d, set_has(t->in, AF_NONE, 1) ? own : DD_FALSE,
			     set_has(t->in, AF_NONE, 0) ? dd_not(&s->d, own) : DD_FALSE);
	}
	if (t->in->name != NULL) {
		const bool is_not = t->in->name[0] == '!';
		const dd in = free_bit(s, arena_printf(l->a, "%s in %s", src ? "source" : "other",
						       t->in->name + is_not));

		return is_not ? dd_not(&s->d, in) : in;
	}
	return DD_TRUE;
}

static dd make_match(struct lint *l, struct lint_side *s, enum direction dir, uint32_t number)
{
	const struct rule *r = lint_rule(l, number);
	struct rule fixed = *r;
	dd all = DD_TRUE;

	fixed.tests.v = arena_array(l->a, struct test, r->tests.n + 1);
	fixed.tests.n = 0;
	for (uint32_t i = 0; i < r->tests.n; i++) {
		const dd may = changing(l, s, number, &r->tests.v[i]);

		if (may == DD_TRUE)
			fixed.tests.v[fixed.tests.n++] = r->tests.v[i];
		all = dd_and(&s->d, all, may);
	}
	if (r->prob > 0 || r->until_s > 0)
		all = dd_and(&s->d, all, free_bit(s, arena_printf(l->a, "lot %u", number)));
	return dd_and(&s->d, all, sem_headers(&s->p, dir, &fixed));
}

dd lint_match(struct lint *l, struct lint_side *s, enum direction dir, uint32_t number)
{
	dd *m = &s->match[dir][number];

	if (*m == DD_NO_VAR)
		*m = make_match(l, s, dir, number);
	return *m;
}

/* ---- translations -------------------------------------------------------------------- */

static dd ports_in(struct lint_side *s, enum part part, uint16_t lo, uint16_t hi)
{
	return dd_or(&s->d, dd_not(&s->d, space_ports(&s->p.s)),
		     space_range(&s->p.s, part, lo, hi));
}

/* @in with an address, and with @ports where there are such its port, become anything */
static dd any_end(struct lint_side *s, bool src, bool ports, dd in)
{
	static const enum part of_addresses[] = {
		P_RPF, P_SROUTE, P_DROUTE, P_SCAST, P_DCAST, P_OPAQUE,
	};
	struct space *sp = &s->p.s;
	bool *which = arena_array(s->p.a, bool, sp->n_vars);
	dd r;

	for (size_t i = 0; i < ARRAY_SIZE(of_addresses); i++)
		for (uint32_t k = 0; k < space_width(sp, of_addresses[i]); k++)
			which[space_var(sp, of_addresses[i], k)] = true;
	for (uint32_t k = 0; k < space_width(sp, P_SRC); k++)
		which[space_var(sp, src ? P_SRC : P_DST, k)] = true;
	if (!ports)
		return dd_exists(&s->d, in, which);
	r = dd_exists(&s->d, dd_and(&s->d, in, dd_not(&s->d, space_ports(sp))), which);
	for (uint32_t k = 0; k < space_width(sp, P_SPORT); k++)
		which[space_var(sp, src ? P_SPORT : P_DPORT, k)] = true;
	return dd_or(&s->d, r, dd_exists(&s->d, dd_and(&s->d, in, space_ports(sp)), which));
}

/* Addresses of the family that a translation gives; false: none */
static bool targets(struct lint_side *s, const struct xlate *x, dd *ret)
{
	const enum part part = xlate_side(x) == XL_SRC ? P_SRC : P_DST;

	*ret = DD_FALSE;
	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct range to = x->kind == XL_MAP
			? (struct range){ x->to.v[i].af, x->to.v[i].v, x->to.v[i].v }
			: xlate_range(x, i);

		if (to.af == s->p.s.af)
			*ret = dd_or(&s->d, *ret, space_range(&s->p.s, part, to.lo, to.hi));
	}
	return *ret != DD_FALSE;
}

dd lint_image(struct lint_side *s, enum direction dir, const struct xlate *x, dd in)
{
	const bool src = x->kind == XL_INSTANCE ? dir == DIR_OUT : x->kind == XL_SRC;
	const enum part port = src ? P_SPORT : P_DPORT;
	dd to, r;

	if (x->kind == XL_INSTANCE)
		return any_end(s, src, true, in);
	if (!targets(s, x, &to))
		return DD_FALSE;
	r = dd_and(&s->d, any_end(s, src, x->kind == XL_MAP || x->port != XP_KEEP, in), to);
	if (x->port == XP_TO && x->kind != XL_MAP)
		r = dd_and(&s->d, r, ports_in(s, port, x->lo, x->lo));
	if (x->port == XP_RANDOM && x->kind != XL_MAP)
		r = dd_and(&s->d, r, ports_in(s, port, x->lo, x->hi));
	return r;
}

/* What of @in a translation may leave as it is */
static dd unchanged(struct lint_side *s, const struct xlate *x, dd in)
{
	dd to;

	if (x->kind == XL_INSTANCE || !targets(s, x, &to))
		return in;
	return dd_and(&s->d, in, to);
}

/* ---- the walk ------------------------------------------------------------------------ */

static dd list_from(struct walk *w, struct lint_at at, dd come);

static void wait(struct walk *w, uint32_t list, dd come)
{
	w->waiting[list] = dd_or(w->d, w->waiting[list], come);
	w->from_call[list] |= w->depth > 0 && come != DD_FALSE;
}

static bool passes(const struct walk *w, uint32_t preferred)
{
	const struct effect *e;

	if (preferred == 0)
		return w->l->m->otherwise.verdict == V_PASS;
	e = rule_has_effect(lint_rule(w->l, preferred - 1), EF_PREFER);
	return e->ruling.verdict == V_PASS;
}

static uint32_t is_pass(void *arg, uint32_t preferred)
{
	return passes(arg, preferred);
}

static uint32_t note_life(void *arg, uint32_t preferred)
{
	const struct walk *w = arg;

	if (preferred > 0)
		w->l->lives[preferred - 1] = true;
	return 0;
}

/* The last preferred ruling stands for @come */
static void settle(struct walk *w, dd come)
{
	if (come == DD_FALSE)
		return;
	if (w->mode == WALK_LIVES) {
		(void)dd_map(w->d, dd_ite(w->d, come, w->preferred, DD_FALSE), note_life, w);
		return;
	}
	w->passed = dd_or(w->d, w->passed,
			  dd_and(w->d, come, dd_map(w->d, w->preferred, is_pass, w)));
}

static void decide(struct walk *w, enum verdict v, dd come)
{
	if (v == V_PASS)
		w->passed = dd_or(w->d, w->passed, come);
}

/* A state that is there leads where its rule leads; the walk goes on without one */
static void find_states(struct walk *w, const struct effect *probe, dd come)
{
	if (w->mode != WALK_LIVES)
		return;
	for (uint32_t i = 0; i < w->l->records.n; i++)
		if (probe->name == 0 || w->l->records.v[i]->name == probe->name)
			wait(w, w->l->records.v[i]->list, come);
}

static dd translate(struct walk *w, uint32_t number, const struct effect *e, dd come)
{
	const struct xlate *x = &w->l->m->xlates.v[e->xlate];
	const dd same = unchanged(w->s, x, come);
	dd changed = DD_FALSE;

	if (w->mode == WALK_LIVES && w->dir == DIR_IN)
		vec_add(w->l->a, &w->s->taken, ((struct lint_taken){ number, come }));
	if (w->mode != WALK_AS_IS)
		changed = lint_image(w->s, w->dir, x, come);
	if (e->list == LIST_NONE)
		return dd_or(w->d, changed, same);
	wait(w, e->list, same);
	return changed;
}

/* Rules may ask for what a scrub changes */
static dd scrub(struct walk *w, dd come)
{
	static const enum part changed[] = { P_TOS, P_TTL };
	bool *which = arena_array(w->l->a, bool, w->s->p.s.n_vars);

	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		for (uint32_t k = 0; k < space_width(&w->s->p.s, changed[i]); k++)
			which[space_var(&w->s->p.s, changed[i], k)] = true;
	return dd_exists(w->d, come, which);
}

static dd do_effects(struct walk *w, uint32_t number, const struct rule *r, dd come)
{
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const struct effect *e = &r->effects.v[i];

		switch (e->kind) {
		case EF_PREFER:
			if (r->exit == EX_SETTLE)
				break;
			w->preferred = dd_ite(w->d, come, dd_leaf(w->d, number + 1), w->preferred);
			if (w->n_quick > 0)
				w->fresh = dd_or(w->d, w->fresh, come);
			break;
		case EF_PROBE:
			find_states(w, e, come);
			break;
		case EF_TRANSLATE:
			come = translate(w, number, e, come);
			break;
		case EF_SCRUB:
			come = scrub(w, come);
			break;
		case EF_LOG:
		case EF_RECORD:
		case EF_TAG:
		case EF_MEND:
			break;
		}
	}
	return come;
}

static dd call(struct walk *w, const struct rule *r, dd come)
{
	const dd outer = w->fresh;
	dd back;

	w->fresh = DD_FALSE;
	w->depth++;
	w->n_quick += r->is_quick;
	back = list_from(w, (struct lint_at){ r->list, 0 }, come);
	w->n_quick -= r->is_quick;
	w->depth--;
	if (r->is_quick) {
		settle(w, dd_and(w->d, back, w->fresh));
		back = dd_ite(w->d, w->fresh, DD_FALSE, back);
	}
	w->fresh = dd_or(w->d, w->fresh, outer);
	return back;
}

/* What a rule only prefers lives when that counts in the end; the rest does something now */
static bool only_prefers(const struct rule *r)
{
	bool prefers = false;

	for (uint32_t i = 0; i < r->effects.n; i++) {
		if (r->effects.v[i].kind != EF_PREFER && r->effects.v[i].kind != EF_LOG)
			return false;
		prefers |= r->effects.v[i].kind == EF_PREFER;
	}
	return prefers && r->exit == EX_NEXT;
}

/* A rule, for those of @come that it is for; what goes on to the next, and in @back behind */
static dd do_rule(struct walk *w, uint32_t number, dd hit, dd come, dd *back)
{
	const struct rule *r = lint_rule(w->l, number);
	const dd then = do_effects(w, number, r, hit);
	dd rest;

	if (w->mode == WALK_LIVES && !only_prefers(r))
		w->l->lives[number] = true;
	if (r->exit == EX_NEXT && then == hit)
		return come;
	rest = dd_ite(w->d, hit, DD_FALSE, come);
	switch (r->exit) {
	case EX_NEXT:
		return dd_or(w->d, rest, then);
	case EX_GOTO:
		wait(w, r->list, then);
		return rest;
	case EX_CALL:
		return dd_or(w->d, rest, call(w, r, then));
	case EX_RETURN:
		*back = dd_or(w->d, *back, then);
		return rest;
	case EX_DECIDE:
		decide(w, r->ruling.verdict, then);
		return rest;
	case EX_SETTLE:
		if (rule_has_effect(r, EF_PREFER) != NULL)
			decide(w, rule_has_effect(r, EF_PREFER)->ruling.verdict, then);
		else
			settle(w, then);
		return rest;
	}
	BUG_IF(true);
}

/* What comes out of a list behind its last rule */
static dd list_from(struct walk *w, struct lint_at at, dd come)
{
	const uint32_t n = w->l->m->lists.v[at.list].rules.n;
	dd back = DD_FALSE;

	for (uint32_t i = at.idx; i < n && come != DD_FALSE && !w->d->is_full; i++) {
		const uint32_t number = w->l->base[at.list] + i;
		const dd match = lint_match(w->l, w->s, w->dir, number);
		const dd hit = dd_and(w->d, come, match);

		if (hit != DD_FALSE)
			come = do_rule(w, number, hit, come, &back);
	}
	return dd_or(w->d, come, back);
}

/* Lists that packets wait for, in order; were there any */
static bool enter_waiting(struct walk *w)
{
	bool any = false;

	for (uint32_t i = 0; i < w->l->order.n && !w->d->is_full; i++) {
		const uint32_t list = w->l->order.v[i];
		const dd come = dd_and(w->d, w->waiting[list], dd_not(w->d, w->gone[list]));
		dd out;

		if (come == DD_FALSE)
			continue;
		any = true;
		w->gone[list] = w->waiting[list];
		out = list_from(w, (struct lint_at){ list, 0 }, come);
		/* It would go on behind a call that this walk has left */
		w->l->ret->is_left_out |= out != DD_FALSE && w->from_call[list];
		settle(w, out);
	}
	return any;
}

dd lint_walk(struct lint *l, struct lint_side *s, enum direction dir, enum lint_mode mode,
	     struct lint_at at, dd come)
{
	struct walk w = {
		.l = l, .s = s, .d = &s->d, .dir = dir, .mode = mode,
		.waiting = arena_array(l->a, dd, l->m->lists.n),
		.gone = arena_array(l->a, dd, l->m->lists.n),
		.from_call = arena_array(l->a, bool, l->m->lists.n),
	};

	settle(&w, list_from(&w, at, come));
	for (int round = 0; round < MOST_ROUNDS && enter_waiting(&w); round++)
		l->ret->is_left_out |= round + 1 == MOST_ROUNDS;
	return w.passed;
}
