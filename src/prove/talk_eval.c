/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The machine of eval.c, for all packets at once: where that asks whether a rule holds,
 * this goes both ways, and puts what became of the two together again.  What it has been
 * through is part of its state, so the same state at the same rule is the same function,
 * and is made once.
 */
#include "prove/talk.h"

#include <string.h>

#define MOST_HITS	8u	/* free states found one behind the other */
#define MOST_RULINGS	200u

enum { BEFORE, OWN, AFTER };	/* phases */

/* ---- what is numbered -------------------------------------------------------------------- */

static uint64_t stir(uint64_t h, uint32_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

static uint32_t hash_run(const struct talk_run *r)
{
	const uint32_t *word = (const void *)r;
	uint64_t h = 0;

	for (size_t i = 0; i < sizeof(*r) / sizeof(*word); i++)
		h = stir(h, word[i]);
	return (uint32_t)h;
}

static void put_run(struct talk *t, uint32_t number)
{
	uint32_t at = hash_run(t->runs.v[number]);

	while (t->run_slot[at & (t->cap_runs - 1)] != 0)
		at++;
	t->run_slot[at & (t->cap_runs - 1)] = number + 1;
}

static uint32_t number_of(struct talk *t, const struct talk_run *r)
{
	uint32_t at = hash_run(r), i;
	struct talk_run *copy;

	for (; (i = t->run_slot == NULL ? 0 : t->run_slot[at & (t->cap_runs - 1)]) != 0; at++)
		if (memcmp(t->runs.v[i - 1], r, sizeof(*r)) == 0)
			return i - 1;
	copy = arena_new(t->a, struct talk_run);
	*copy = *r;
	vec_add(t->a, &t->runs, copy);
	if (2 * t->runs.n >= t->cap_runs) {
		t->cap_runs = MAX(256u, 4 * t->cap_runs);
		t->run_slot = arena_array(t->a, uint32_t, t->cap_runs);
		for (i = 0; i < t->runs.n; i++)
			put_run(t, i);
	} else {
		put_run(t, t->runs.n - 1);
	}
	return t->runs.n - 1;
}

/* Where a run at a place is kept, or can be */
static struct talk_memo *memo_of(const struct talk *t, uint32_t run, uint32_t list, uint32_t rule)
{
	uint32_t at = (uint32_t)stir(stir(stir(stir(0, run), list), rule), t->care);

	for (;; at++) {
		struct talk_memo *m = &t->memo[at & (t->cap_memos - 1)];

		if (!m->is_used || (m->run == run && m->list == list && m->rule == rule &&
				    m->care == t->care))
			return m;
	}
}

static void grow_memos(struct talk *t)
{
	const struct talk_memo *old = t->memo;
	const uint32_t n = t->cap_memos;

	t->cap_memos = MAX(1024u, 4 * n);
	t->memo = arena_array(t->a, struct talk_memo, t->cap_memos);
	for (uint32_t i = 0; i < n; i++)
		if (old[i].is_used)
			*memo_of(t, old[i].run, old[i].list, old[i].rule) = old[i];
}

static bool same_end(const struct talk_end *x, const struct talk_end *y)
{
	return x->fate == y->fate && x->why == y->why &&
	       memcmp(&x->view, &y->view, sizeof(x->view)) == 0 &&
	       memcmp(&x->world, &y->world, sizeof(x->world)) == 0;
}

static dd end_of(struct talk *t, const struct talk_end *e)
{
	for (uint32_t i = 0; i < t->ends.n; i++)
		if (same_end(t->ends.v[i], e))
			return dd_leaf(t->p->d, i + 2);
	vec_add(t->a, &t->ends, arena_new(t->a, struct talk_end));
	*t->ends.v[t->ends.n - 1] = *e;
	return dd_leaf(t->p->d, t->ends.n + 1);
}

/* The packet ends here; what it has left stays */
static dd ended(struct talk *t, const struct talk_run *r, uint32_t fate)
{
	struct talk_end e = { .fate = fate, .world = r->w };

	e.world.tags = 0;
	/* A directed state goes with the packet that made it */
	while (r->phase == AFTER && t->m->discipline == STATES_DIRECTED &&
	       e.world.n_states > r->n_states)
		memset(&e.world.state[--e.world.n_states], 0, sizeof(e.world.state[0]));
	return end_of(t, &e);
}

dd talk_unknown(struct talk *t, const char *why)
{
	return end_of(t, &(const struct talk_end){ .fate = TALK_UNKNOWN, .why = why });
}

dd talk_refused(struct talk *t, const struct talk_run *r)
{
	return ended(t, r, TALK_BLOCK);
}

/* ---- ends -------------------------------------------------------------------------------- */

static dd passed(struct talk *t, const struct talk_run *r)
{
	return end_of(t, &(const struct talk_end){
		.fate = TALK_PASS, .view = r->v, .world = r->w,
	});
}

/* The list after what passes; a directed state of this packet goes with what it refuses */
static dd run_after(struct talk *t, const struct talk_run *r)
{
	struct talk_run next = *r;

	next.phase = AFTER;
	next.depth = 0;
	return talk_at(t, &next, t->m->after[r->v.dir], 0);
}

/* Answers to what a directed state let in the other way are not judged there */
static dd after_unless_answer(struct talk *t, const struct talk_run *r)
{
	dd f;

	if (t->m->after[r->v.dir] == LIST_NONE)
		return passed(t, r);
	f = run_after(t, r);
	for (uint32_t i = 0; t->m->discipline == STATES_DIRECTED && i < r->w.n_states; i++) {
		const struct talk_state *s = &r->w.state[i];
		const bool same_way = s->dir == r->v.dir;
		const dd is = talk_equal(t, r->first,
					 same_way ? s->before : talk_reverse(s->after));

		f = dd_ite(t->p->d, is, same_way ? run_after(t, r) : passed(t, r), f);
	}
	return f;
}

/* Linux changes answers to local callers behind the rules, as they leave */
static dd pass(struct talk *t, const struct talk_run *r)
{
	dd f;

	if (r->phase == AFTER)
		return passed(t, r);
	f = after_unless_answer(t, r);
	if (t->m->discipline != STATES_FREE || r->v.dir != DIR_OUT || r->is_dst_changed)
		return f;
	for (uint32_t i = r->w.n_links; i-- > 0;) {
		const struct talk_link *l = &r->w.link[i];
		struct talk_run changed = *r;
		dd is = DD_FALSE;

		if (l->instance == LINK_LOCAL)
			is = talk_equal(t, l->inside, r->v.flow);
		changed.v.flow = l->outside;
		if (is != DD_FALSE)
			f = dd_ite(t->p->d, is, after_unless_answer(t, &changed), f);
	}
	return f;
}

static dd answered(struct talk *t, const struct talk_run *r, const struct answer *a)
{
	struct space *s = &t->p->s;
	const int32_t icmp = s->af == AF_V4 ? a->icmp4 : a->icmp6;
	const dd block = talk_refused(t, r);
	const dd other = icmp < 0 ? block : ended(t, r, TALK_ICMP + (uint32_t)icmp);
	dd rst;

	if (t->kind == TALK_QUERY)
		return a->queries ? other : block;
	if (t->kind != TALK_PORTS || !a->rst)
		return other;
	rst = dd_ite(t->p->d, talk_number_in(t, r->v.flags, t->rst_flags), block,
		     ended(t, r, TALK_RST));
	return dd_ite(t->p->d, space_is(s, P_PROTO, PROTO_TCP), rst, other);
}

/* May a limit be met by the few states of one conversation */
static bool is_low(const struct state_limit *l)
{
	const uint32_t most[] = { l->max, l->max_src_states, l->max_src_conn, l->rate };

	for (size_t i = 0; i < ARRAY_SIZE(most); i++)
		if (most[i] != 0 && most[i] <= TALK_STATES)
			return true;
	return false;
}

static dd remember(struct talk *t, const struct talk_run *r)
{
	struct talk_run next = *r;

	if (r->w.n_states == TALK_STATES)
		return talk_unknown(t, "so many states");
	next.w.state[next.w.n_states++] = (struct talk_state){
		.dir = r->v.dir, .cont = LIST_NONE, .tags = r->w.tags, .before = r->first,
		.after = r->v.flow,
	};
	return pass(t, &next);
}

static dd decided(struct talk *t, const struct talk_run *r, const struct ruling *ruling)
{
	const bool is_directed = t->m->discipline == STATES_DIRECTED;

	if (ruling->verdict == V_BLOCK)
		return talk_refused(t, r);
	if (ruling->verdict == V_RETURN)
		return answered(t, r, &ruling->answer);
	if (ruling->keep && ruling->limit != 0 && is_low(&t->m->limits.v[ruling->limit - 1]))
		return talk_unknown(t, "low limits of states");
	if (ruling->mend != 0)
		return talk_unknown(t, "changes of headers");
	return is_directed && (ruling->keep || r->is_translated) ? remember(t, r) : pass(t, r);
}

static dd settled(struct talk *t, const struct talk_run *r)
{
	return decided(t, r, r->candidate == 0 ? &t->m->otherwise
					       : &t->rulings.v[r->candidate - 1]);
}

/* A local caller's destination is translated for both crossings of lo (see eval.c) */
static dd decided_by(struct talk *t, const struct talk_run *r, const struct rule *rule)
{
	const struct effect *e = rule_has_effect(rule, EF_TRANSLATE);
	struct talk_run next = *r;

	if (r->v.dir == DIR_OUT && e != NULL && r->is_dst_changed &&
	    t->m->discipline == STATES_DIRECTED &&
	    xlate_side(&t->m->xlates.v[e->xlate]) == XL_DST) {
		if (r->w.n_states == TALK_STATES)
			return talk_unknown(t, "so many states");
		next.w.state[next.w.n_states++] = (struct talk_state){
			.dir = DIR_IN, .cont = LIST_NONE, .tags = r->w.tags,
			.before = r->v.flow, .after = r->v.flow,
		};
	}
	return decided(t, &next, &rule->ruling);
}

/* ---- states ------------------------------------------------------------------------------ */

/* A rule under way, from one of its effects on */
struct doing {
	uint32_t list;
	uint32_t rule;
	uint32_t effect;
};

static dd do_effects(struct talk *t, const struct talk_run *r, struct doing at);

static dd probe_directed(struct talk *t, const struct talk_run *r, struct doing at)
{
	dd f = do_effects(t, r, at);

	for (uint32_t i = 0; i < r->w.n_states; i++) {
		const struct talk_state *s = &r->w.state[i];
		const bool same_way = s->dir == r->v.dir;
		const dd is = talk_equal(t, r->v.flow,
					 same_way ? s->before : talk_reverse(s->after));
		struct talk_run hit = *r;

		if (is == DD_FALSE)
			continue;
		hit.v.flow = same_way ? s->after : talk_reverse(s->before);
		hit.w.tags = s->tags != 0 ? s->tags : r->w.tags;
		f = dd_ite(t->p->d, is, pass(t, &hit), f);
	}
	return f;
}

static struct talk_flow free_key(struct talk *t, struct talk_flow f)
{
	if (t->kind == TALK_QUERY)
		f.sport = f.dport = talk_const(t, 0);
	return f;
}

static dd probe_free(struct talk *t, const struct talk_run *r, uint32_t name, struct doing at)
{
	const struct talk_flow key = free_key(t, r->v.flow);
	struct talk_run next = *r;
	dd f;

	if (r->is_probed != 0 && (r->probed_name == 0 || r->probed_name == name))
		return do_effects(t, r, at);
	next.is_probed = 1;
	next.probed_name = name;
	f = do_effects(t, &next, at);
	next.n_hits++;
	for (uint32_t i = r->w.n_states; i-- > 0;) {
		const struct talk_state *s = &r->w.state[i];
		dd is, hit;

		if (name != 0 && s->name != name)
			continue;
		is = dd_or(t->p->d, talk_equal(t, key, s->before),
			   talk_equal(t, key, talk_reverse(s->before)));
		if (is == DD_FALSE)
			continue;
		hit = next.n_hits > MOST_HITS ? talk_unknown(t, "states that lead to states")
					      : talk_at(t, &next, s->cont, 0);
		f = dd_ite(t->p->d, is, hit, f);
	}
	return f;
}

static dd record_free(struct talk *t, const struct talk_run *r, const struct effect *e,
		      struct doing at)
{
	const struct talk_flow key = free_key(t, r->v.flow);
	struct talk_run next = *r;
	uint32_t n_alike = 0;
	dd f;

	for (uint32_t i = 0; i < r->w.n_states; i++)
		n_alike += r->w.state[i].cont == e->list;
	if (e->limit > 0 && n_alike >= e->limit)
		return talk_unknown(t, "low limits of states");
	if (r->w.n_states == TALK_STATES)
		return talk_unknown(t, "so many states");
	next.w.state[next.w.n_states++] = (struct talk_state){
		.dir = r->v.dir, .cont = e->list, .name = e->name, .before = key, .after = key,
	};
	f = do_effects(t, &next, at);
	for (uint32_t i = r->w.n_states; i-- > 0;) {
		const struct talk_state *s = &r->w.state[i];
		const dd is = s->cont == e->list ? talk_equal(t, s->before, key) : DD_FALSE;

		if (is != DD_FALSE)
			f = dd_ite(t->p->d, is, do_effects(t, r, at), f);
	}
	return f;
}

/* ---- rules ------------------------------------------------------------------------------- */

static bool same_ruling(const struct ruling *x, const struct ruling *y)
{
	return x->verdict == y->verdict && x->keep == y->keep &&
	       x->limit == y->limit && x->mend == y->mend &&
	       x->answer.rst == y->answer.rst && x->answer.icmp4 == y->answer.icmp4 &&
	       x->answer.icmp6 == y->answer.icmp6 && x->answer.queries == y->answer.queries;
}

/* Its number, from 1 on; 0: there are so many */
static uint32_t ruling_number(struct talk *t, const struct ruling *r)
{
	for (uint32_t i = 0; i < t->rulings.n; i++)
		if (same_ruling(&t->rulings.v[i], r))
			return i + 1;
	if (t->rulings.n == MOST_RULINGS)
		return 0;
	vec_add(t->a, &t->rulings, *r);
	return t->rulings.n;
}

static dd prefer(struct talk *t, const struct talk_run *r, const struct ruling *ruling,
		 struct doing at)
{
	struct talk_run next = *r;

	next.candidate = ruling_number(t, ruling);
	if (next.candidate == 0)
		return talk_unknown(t, "so many kinds of rulings");
	for (uint32_t i = 0; i < next.depth; i++)
		next.frame[i].has_preferred = 1;
	return do_effects(t, &next, at);
}

/* Behind a translation: with what follows in the rule, or where it goes if nothing changed */
static dd translated(struct talk *t, const struct talk_run *r, bool changed, void *arg)
{
	const struct doing *at = arg;
	const struct rule *rule = &t->m->lists.v[at->list].rules.v[at->rule];
	const struct effect *e = &rule->effects.v[at->effect - 1];
	struct talk_run next = *r;

	next.is_probed = 0;
	next.is_translated |= changed;
	return changed || e->list == LIST_NONE ? do_effects(t, &next, *at)
					       : talk_at(t, &next, e->list, 0);
}

static dd tag(struct talk *t, const struct talk_run *r, const struct effect *e, struct doing at)
{
	struct talk_run next = *r;

	next.w.tags = (uint8_t)((r->w.tags | e->tags) & ~(uint32_t)e->untags);
	return do_effects(t, &next, at);
}

static dd called(struct talk *t, const struct talk_run *r, const struct rule *rule, struct doing at)
{
	struct talk_run next = *r;

	if (r->depth == TALK_CALLS)
		return talk_unknown(t, "so many calls in each other");
	next.frame[next.depth++] = (struct talk_frame){ at.list, at.rule + 1, rule->is_quick, 0 };
	return talk_at(t, &next, rule->list, 0);
}

/* Behind the last rule of a list */
static dd list_ended(struct talk *t, const struct talk_run *r)
{
	struct talk_run next = *r;
	struct talk_frame f;

	if (r->depth > 0) {
		f = r->frame[r->depth - 1];
		memset(&next.frame[--next.depth], 0, sizeof(f));
		return f.is_quick != 0 && f.has_preferred != 0 ? settled(t, &next)
							       : talk_at(t, &next, f.list, f.rule);
	}
	if (r->phase == OWN)
		return settled(t, r);
	if (r->phase == AFTER)
		return passed(t, r);
	next.phase = OWN;
	return talk_at(t, &next, t->m->entry[r->v.dir], 0);
}

static dd leave(struct talk *t, const struct talk_run *r, const struct rule *rule, struct doing at)
{
	switch (rule->exit) {
	case EX_NEXT:
		return talk_at(t, r, at.list, at.rule + 1);
	case EX_CALL:
		return called(t, r, rule, at);
	case EX_GOTO:
		return talk_at(t, r, rule->list, 0);
	case EX_RETURN:
		return list_ended(t, r);
	case EX_DECIDE:
		return decided_by(t, r, rule);
	case EX_SETTLE:
		return settled(t, r);
	}
	BUG_IF(true);
}

/* The effects of a rule from @at on, and then its exit */
static dd do_effects(struct talk *t, const struct talk_run *r, struct doing at)
{
	const struct rule *rule = &t->m->lists.v[at.list].rules.v[at.rule];
	const struct effect *e;

	if (at.effect == rule->effects.n)
		return leave(t, r, rule, at);
	e = &rule->effects.v[at.effect++];
	switch (e->kind) {
	case EF_LOG:
		return do_effects(t, r, at);
	case EF_PREFER:
		return prefer(t, r, &e->ruling, at);
	case EF_TRANSLATE:
		return talk_translate(t, r, &t->m->xlates.v[e->xlate], rule, translated, &at);
	case EF_PROBE:
		return t->m->discipline == STATES_DIRECTED ? probe_directed(t, r, at)
							    : probe_free(t, r, e->name, at);
	case EF_RECORD:
		return record_free(t, r, e, at);
	case EF_TAG:
		return tag(t, r, e, at);
	case EF_SCRUB:
	case EF_MEND:
		return talk_unknown(t, "changes of headers");
	}
	BUG_IF(true);
}

/* The rules of a list, one after the other */
static dd rules_from(struct talk *t, const struct talk_run *r, uint32_t list, uint32_t rule)
{
	const struct rule_list *l = &t->m->lists.v[list];
	const char *why = NULL;
	dd cond = DD_FALSE, then;

	while (rule < l->rules.n) {
		cond = dd_and(t->p->d, t->care, talk_match(t, r, &l->rules.v[rule], &why));
		if (cond != DD_FALSE)
			break;
		why = NULL;
		rule++;
	}
	if (rule == l->rules.n)
		return list_ended(t, r);
	then = why != NULL ? talk_unknown(t, why)
			   : do_effects(t, r, (struct doing){ list, rule, 0 });
	return cond == t->care ? then
			       : dd_ite(t->p->d, cond, then, talk_at(t, r, list, rule + 1));
}

dd talk_at(struct talk *t, const struct talk_run *r, uint32_t list, uint32_t rule)
{
	struct talk_memo *m;
	uint32_t run;
	dd f;

	if (t->p->d->is_full)
		return DD_FALSE;
	if (2 * t->n_memos >= t->cap_memos)
		grow_memos(t);
	run = number_of(t, r);
	m = memo_of(t, run, list, rule);
	if (m->is_used)
		return m->r;
	f = rules_from(t, r, list, rule);
	if (2 * t->n_memos >= t->cap_memos)
		grow_memos(t);
	m = memo_of(t, run, list, rule);
	t->n_memos += !m->is_used;
	*m = (struct talk_memo){ run, list, rule, t->care, f, true };
	return f;
}

dd talk_cross(struct talk *t, const struct talk_view *v, const struct talk_world *w)
{
	const uint32_t before = t->m->before[v->dir];
	const struct talk_run r = {
		.v = *v, .first = v->flow, .w = *w, .n_states = w->n_states,
		.phase = before == LIST_NONE ? OWN : BEFORE,
	};

	return talk_at(t, &r, before == LIST_NONE ? t->m->entry[v->dir] : before, 0);
}
