/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Both rounds of a filter (see directed_plan.c) as rules: those of the list that
 * it starts with in the base chain, those of each called list in chains of their
 * own.  These are there even while the list is empty, and their names come from
 * its name, so that what is loaded into an anchor changes no other chain.
 */
#include "target/nft/directed.h"

/* A chain being filled */
struct lister {
	struct frame *f;
	struct nft_chain *c;
	const struct nft_view *v;
	enum judging how;
};

static const struct list_plan *plan_of(const struct lister *w, uint32_t list)
{
	return &w->f->sides[w->v->dir].plan.lists[list];
}

/* ---- chains of called lists ------------------------------------------------ */

static struct nft_chain *new_part(struct frame *f, const struct part *key)
{
	static const char *const heads[] = {
		[JUDGE] = "", [JUDGE_ANSWERS] = "answer_", [JUDGE_AHEAD] = "ahead_",
	};
	static const char *const tails[] = {
		[ROUND_FIRST] = "first", [ROUND_LAST] = "last", [ROUND_BOTH] = "both",
	};

	return nft_add_list(f->p, NFT_INET,
			    arena_printf(f->p->a, "%s%s_%s", heads[key->how],
					 key->dir == DIR_IN ? "in" : "out", tails[key->round]),
			    f->m->lists.v[key->list].name);
}

static const char *part_chain(const struct lister *w, uint32_t list, enum round round)
{
	struct frame *f = w->f;
	struct part key = { .list = list, .dir = w->v->dir, .how = w->how, .round = round };

	for (uint32_t i = 0; i < f->parts.n; i++) {
		const struct part *p = &f->parts.v[i];

		if (p->list == key.list && p->dir == key.dir && p->how == key.how &&
		    p->round == key.round)
			return p->chain->name;
	}
	key.chain = new_part(f, &key);
	vec_add(f->p->a, &f->parts, key);
	return key.chain->name;
}

/* ---- rules ----------------------------------------------------------------- */

void directed_draw(struct frame *f, struct nft_stmts *s, const struct rule *r)
{
	if (r->prob != 0)
		stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_DRAW, .draw = {
			.is_random = true, .mod = PROB_ONE, .below = r->prob } });
}

/* What a matching rule does, in each way in which its tests can hold */
static bool add_ways(struct lister *w, const struct rule *r, const struct nft_stmts *does)
{
	const struct nft_tests t = nft_tests_of(r);
	struct nft_alts alts = { 0 };

	if (!nft_match(w->v, &t, r->origin.at, &alts))
		return false;
	for (uint32_t i = 0; i < alts.list.n; i++) {
		stmts_append(w->f->p, &alts.list.v[i], does);
		nft_add_rule(w->f->p, w->c, &alts.list.v[i], &r->origin);
	}
	return true;
}

/* A candidate matched, or the tests of a call held, in the first round */
static void match_remembered(struct lister *w, struct nft_stmts *s, uint32_t id, uint32_t memo)
{
	const uint32_t ids = w->f->ids;
	uint32_t bit;

	if (memo == 0) {
		stmt_masked(w->f->p, s, NFT_K_MARK, ids, nft_spread(id, ids), false);
		return;
	}
	bit = nft_spread(1u << (memo - 1), w->f->memos);
	stmt_masked(w->f->p, s, NFT_K_MARK, bit, bit, false);
}

static void remember(struct lister *w, struct nft_stmts *s, uint32_t id, uint32_t memo)
{
	if (memo != 0)
		stmt_mark(w->f->p, s, NFT_K_MARK, UINT32_MAX,
			  nft_spread(1u << (memo - 1), w->f->memos));
	if (id != 0)
		stmt_mark(w->f->p, s, NFT_K_MARK, ~w->f->ids, nft_spread(id, w->f->ids));
}

/* What a rule does besides ruling and calling; answers need none of it */
static void add_effects(struct lister *w, struct nft_stmts *s, const struct rule *r)
{
	if (w->how == JUDGE_ANSWERS)
		return;
	if (r->effects.n > 0 && r->exit == EX_NEXT && rule_has_effect(r, EF_PREFER) == NULL)
		stmt_counter(w->f->p, s);
	if (rule_has_effect(r, EF_LOG) != NULL && rule_has_effect(r, EF_PREFER) == NULL &&
	    r->exit != EX_DECIDE)
		directed_log(w->f, s, &r->origin, "match");
	directed_tag(w->f, s, r);
	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind == EF_MEND)
			directed_mend(w->f, s, r->effects.v[i].scrub);
}

static bool first_call(struct lister *w, const struct rule *r, uint32_t memo)
{
	struct nft_stmts s = { 0 };

	directed_draw(w->f, &s, r);
	remember(w, &s, 0, memo);
	add_effects(w, &s, r);
	stmt_verdict(w->f->p, &s, NFT_V_JUMP,
		     part_chain(w, r->list, r->is_quick ? ROUND_BOTH : ROUND_FIRST));
	return add_ways(w, r, &s);
}

/* In the first round: quick rules, calls, and what others do besides ruling */
static bool first_rule(struct lister *w, const struct rule *r, uint32_t id, uint32_t memo)
{
	const struct effect *prefer = rule_has_effect(r, EF_PREFER);
	const bool decides = r->exit == EX_SETTLE || r->exit == EX_DECIDE;
	struct nft_stmts s = { 0 };

	if (r->exit == EX_CALL)
		return first_call(w, r, memo);
	if (prefer != NULL && !decides && id == 0 && !directed_writes(w->f, r))
		return true;
	directed_draw(w->f, &s, r);
	remember(w, &s, id, 0);
	add_effects(w, &s, r);
	if (!decides)
		return s.list.n == 0 || add_ways(w, r, &s);
	return directed_ruling(w->f, &s, prefer != NULL ? &prefer->ruling : &r->ruling, r,
			       w->v->dir, w->how) &&
	       add_ways(w, r, &s);
}

/* In the last round: rules that prefer, and calls */
static bool last_rule(struct lister *w, const struct rule *r, uint32_t id, uint32_t memo)
{
	const struct effect *prefer = rule_has_effect(r, EF_PREFER);
	const bool is_remembered = id != 0 || memo != 0;
	struct nft_stmts s = { 0 };

	if (r->exit == EX_CALL ? r->is_quick : prefer == NULL || r->exit != EX_NEXT)
		return true;
	if (is_remembered)
		match_remembered(w, &s, id, memo);
	else
		directed_draw(w->f, &s, r);
	if (r->exit == EX_CALL)
		stmt_verdict(w->f->p, &s, NFT_V_JUMP, part_chain(w, r->list, ROUND_LAST));
	else if (!directed_ruling(w->f, &s, &prefer->ruling, r, w->v->dir, w->how))
		return false;
	if (!is_remembered)
		return add_ways(w, r, &s);
	nft_add_rule(w->f->p, w->c, &s, &r->origin);
	return true;
}

static bool add_rule(struct lister *w, uint32_t list, uint32_t idx, enum round round)
{
	const struct rule *r = &w->f->m->lists.v[list].rules.v[idx];
	const struct list_plan *lp = plan_of(w, list);
	const uint32_t id = lp->ids != NULL ? lp->ids[idx] : 0;
	const uint32_t memo = lp->memos != NULL ? lp->memos[idx] : 0;
	bool ok;

	if (!directed_faces(r, w->v->dir))
		return true;
	ok = round == ROUND_FIRST ? first_rule(w, r, id, memo) : last_rule(w, r, id, memo);
	nft_forget(w->f->p);
	return ok;
}

static bool add_first(struct lister *w, uint32_t list, uint32_t first)
{
	const struct rule_list *l = &w->f->m->lists.v[list];

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];

		if (directed_ends(r) && directed_faces(r, w->v->dir))
			return r->exit != EX_GOTO || add_first(w, r->list, 0);
		if (!add_rule(w, list, i, ROUND_FIRST))
			return false;
	}
	return true;
}

static bool add_last(struct lister *w, uint32_t list, uint32_t first)
{
	const struct rule_list *l = &w->f->m->lists.v[list];
	uint32_t end = first;

	while (end < l->rules.n && !(directed_ends(&l->rules.v[end]) &&
				     directed_faces(&l->rules.v[end], w->v->dir)))
		end++;
	if (end < l->rules.n && l->rules.v[end].exit == EX_GOTO &&
	    !add_last(w, l->rules.v[end].list, 0))
		return false;
	while (end-- > first)
		if (!add_rule(w, list, end, ROUND_LAST))
			return false;
	return true;
}

static bool fill_part(struct frame *f, const struct nft_view *v, const struct part *p)
{
	static const enum round rounds[] = { ROUND_FIRST, ROUND_LAST };
	struct lister w = { .f = f, .c = p->chain, .v = v, .how = p->how };

	if (p->round == ROUND_FIRST)
		return add_first(&w, p->list, 0);
	if (p->round == ROUND_LAST)
		return add_last(&w, p->list, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		struct nft_stmts s = { 0 };

		stmt_verdict(f->p, &s, NFT_V_JUMP, part_chain(&w, p->list, rounds[i]));
		nft_add_rule(f->p, p->chain, &s, NULL);
	}
	return true;
}

bool directed_list(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		   enum judging how)
{
	const struct side *s = &f->sides[v->dir];
	struct lister w = { .f = f, .c = c, .v = v, .how = how };

	if (!add_first(&w, s->filter_list, s->filter_first) ||
	    !add_last(&w, s->filter_list, s->filter_first))
		return false;
	while (f->n_parts < f->parts.n) {
		const struct part next = f->parts.v[f->n_parts++];

		if (!fill_part(f, v, &next))
			return false;
	}
	return true;
}
