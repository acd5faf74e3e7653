/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Last match becomes first match in two rounds.  The first takes rules in their
 * order: quick ones decide, and whatever rules do besides (tags, the log of
 * `match`) they do here, so it is done if and only if the packet gets there.
 * The second takes the rules that only prefer, from the last to the first, and
 * the first that matches decides.  A called list is two chains, one for each
 * round; a quick call has both in the first round.  Loading rules into an
 * anchor changes only its own chains, and no rule numbers have to be carried,
 * so the number of rules is not limited.
 *
 * What differs between the rounds is tags: in the second they are what they are
 * in the end, where a rule should ask for them at its place.  So a rule of the
 * second round that asks for tags, and that has a rule that gives one at its
 * place or behind it, is a candidate: in the first round, if it matches, it
 * leaves its number in the packet mark; in the second, having come to its
 * place, one only asks whether the number is there.  One place for a number
 * does for all of them: the last candidate that matched is the only one that
 * can be the last rule that matched.  A rule that draws and gives a tag is a
 * candidate too, as it may draw only once, and of a call that would be asked
 * twice a bit remembers the answer.
 *
 * The numbers are dense over candidates, not rules: three bits are enough for
 * seven of them, and most rulesets have none.  A program that needs more bits
 * than the mask has is refused.
 */
#include "target/nft/directed.h"

#include "base/limits.h"

/* A rule as a packet meets it */
struct event {
	const struct rule *r;
	uint32_t list;
	uint32_t idx;
	bool is_late;		/* the second round asks for tags, or draws */
};

struct planner {
	struct frame *f;
	struct filter_plan *plan;
	enum direction dir;
	VEC(struct event) events;
};

static bool refuse(const struct planner *w, const struct rule *r, const char *what)
{
	diag_add(w->f->d, DIAG_E1701, r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

bool directed_faces(const struct rule *r, enum direction dir)
{
	const struct set *in = rule_tests(r, F_DIR);

	return in == NULL || set_has(in, AF_NONE, dir);
}

static bool is_always(const struct rule *r)
{
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (r->tests.v[i].f != F_DIR)
			return false;
	return r->prob == 0;
}

bool directed_ends(const struct rule *r)
{
	return r->exit == EX_GOTO || r->exit == EX_RETURN ||
	       (r->exit == EX_SETTLE && rule_has_effect(r, EF_PREFER) == NULL);
}

static bool only_effects(const struct rule *r, unsigned int kinds)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if ((kinds >> r->effects.v[i].kind & 1) == 0)
			return false;
	return true;
}

static bool check_rule(const struct planner *w, const struct rule *r, bool is_called)
{
	const bool prefers = rule_has_effect(r, EF_PREFER) != NULL;

	if (!only_effects(r, 1u << EF_LOG | 1u << EF_PREFER | 1u << EF_TAG |
			     1u << EF_MEND))
		return refuse(w, r, "a filter rule that translates or remembers");
	if (prefers && r->exit != EX_NEXT && r->exit != EX_SETTLE)
		return refuse(w, r, "a filter rule that prefers and goes elsewhere");
	if (!directed_ends(r))
		return true;
	if (r->effects.n > 0)
		return refuse(w, r, "a filter rule that both does something and ends its list");
	if (!is_always(r))
		return refuse(w, r, "a filter rule that ends its list under a condition");
	return !is_called || r->exit == EX_RETURN ||
	       refuse(w, r, "a rule of a called list that does not come back");
}

static void note_rule(struct planner *w, const struct rule *r, uint32_t list, uint32_t idx)
{
	struct frame *f = w->f;
	const struct effect *prefer = rule_has_effect(r, EF_PREFER);
	const bool writes = directed_writes(f, r), asks = rule_tests(r, F_TAGS) != NULL;
	const bool prefers = prefer != NULL && r->exit == EX_NEXT;
	const bool calls = r->exit == EX_CALL && !r->is_quick;
	const enum verdict v = prefer != NULL ? prefer->ruling.verdict : r->ruling.verdict;

	if ((prefer != NULL || r->exit == EX_DECIDE) && v == V_RETURN && w->plan->answer == NULL)
		w->plan->answer = r;
	w->plan->has_effects |= writes || r->prob != 0;
	if (!writes && !((asks || r->prob != 0) && (prefers || calls)))
		return;
	vec_add(f->p->tmp, &w->events, ((struct event){
		.r = r, .list = list, .idx = idx, .is_late = prefers || calls }));
}

/* Rules in the order in which a packet can meet them; @is_called: must come back */
static bool walk(struct planner *w, uint32_t list, uint32_t first, bool is_called)
{
	const struct rule_list *l = &w->f->m->lists.v[list];
	struct list_plan *lp = &w->plan->lists[list];
	const uint32_t before = w->events.n;

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];

		if (!directed_faces(r, w->dir))
			continue;
		if (!check_rule(w, r, is_called))
			return false;
		note_rule(w, r, list, i);
		if (w->events.n > LIMIT_RULES)
			return refuse(w, r, "calling so many rules with tags so often");
		if (r->exit == EX_CALL && !w->plan->lists[r->list].is_quiet &&
		    !walk(w, r->list, 0, true))
			return false;
		if (r->exit == EX_GOTO && !walk(w, r->list, 0, is_called))
			return false;
		if (directed_ends(r))
			break;
	}
	lp->is_quiet = w->events.n == before;
	return true;
}

/* Can one packet meet both, their tests of tags aside */
static bool may_meet(const struct rule *x, const struct rule *y)
{
	for (uint32_t i = 0; i < x->tests.n; i++) {
		const struct set *other = rule_tests(y, x->tests.v[i].f);

		if (x->tests.v[i].f != F_TAGS && x->tests.v[i].f != F_TCPFLAGS && other != NULL &&
		    !set_overlaps(x->tests.v[i].in, other))
			return false;
	}
	return true;
}

/* Must what the rule asks be asked in the first round, and remembered */
static bool is_remembered(const struct planner *w, uint32_t event)
{
	const struct event *e = &w->events.v[event];

	if (!e->is_late)
		return false;
	if (e->r->prob != 0 && (e->r->exit == EX_CALL || directed_writes(w->f, e->r)))
		return true;
	for (uint32_t i = event; rule_tests(e->r, F_TAGS) != NULL && i < w->events.n; i++)
		if (directed_writes(w->f, w->events.v[i].r) && may_meet(e->r, w->events.v[i].r))
			return true;
	return false;
}

static bool remember(struct planner *w, const struct event *e)
{
	struct list_plan *lp = &w->plan->lists[e->list];
	const uint32_t n = w->f->m->lists.v[e->list].rules.n;
	const bool calls = e->r->exit == EX_CALL;
	uint8_t **numbers = calls ? &lp->memos : &lp->ids;

	if (*numbers == NULL)
		*numbers = arena_array(w->f->p->a, uint8_t, n);
	if ((*numbers)[e->idx] != 0)
		return refuse(w, e->r,
			      "a rule about tags in an anchor that is called more than once");
	if (MAX(w->plan->n_memos, w->plan->n_ids) >= UINT8_MAX)
		return refuse(w, e->r, "so many rules that ask for tags before others give them");
	(*numbers)[e->idx] = (uint8_t)(calls ? ++w->plan->n_memos : ++w->plan->n_ids);
	return true;
}

/* Does a list of translations give tags to what it leaves as it is */
static bool tags_others(const struct frame *f, uint32_t list)
{
	const struct rule_list *l = &f->m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];

		if ((directed_writes(f, r) && rule_has_effect(r, EF_TRANSLATE) == NULL) ||
		    (r->exit == EX_CALL && tags_others(f, r->list)))
			return true;
	}
	return false;
}

static bool plan_side(struct frame *f, enum direction dir)
{
	struct side *s = &f->sides[dir];
	struct planner w = { .f = f, .plan = &s->plan, .dir = dir };

	s->plan.lists = arena_array(f->p->a, struct list_plan, f->m->lists.n);
	if (!walk(&w, s->filter_list, s->filter_first, false))
		return false;
	for (uint32_t i = 0; i < s->nats.list.n; i++)
		s->plan.has_effects |= tags_others(f, s->nats.list.v[i].list);
	for (uint32_t i = 0; i < w.events.n; i++)
		if (is_remembered(&w, i) && !remember(&w, &w.events.v[i]))
			return false;
	return true;
}

/* Bits that hold the numbers 0 to @n */
static uint32_t bits_for(uint32_t n)
{
	uint32_t bits = 0;

	while (n >> bits != 0)
		bits++;
	return bits;
}

static uint32_t take_bits(uint32_t *left, uint32_t n)
{
	uint32_t mask = 0;

	for (; n > 0; n--) {
		mask |= *left & -*left;
		*left &= *left - 1;
	}
	return mask;
}

uint32_t nft_state_bit(const struct nft_options *o, enum direction dir)
{
	uint32_t left = o->mark_mask;

	(void)take_bits(&left, dir == DIR_IN ? 0 : 1);
	return take_bits(&left, 1);
}

/* Both legs of a forwarded flow see all of its packets: where it does no harm one bit does */
static uint32_t mend_bits(const struct frame *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->mends.n; i++)
		n += directed_mend_is_of_leg(f, i) ? 2 : 1;
	return n;
}

static void share_mends(struct frame *f, uint32_t *left)
{
	for (uint32_t i = 0; i < f->mends.n; i++) {
		struct mend *x = &f->mends.v[i];

		x->ct[DIR_IN] = x->ct[DIR_OUT] = take_bits(left, 1);
		if (directed_mend_is_of_leg(f, i))
			x->ct[DIR_OUT] = take_bits(left, 1);
	}
}

static void tell_marks(struct frame *f)
{
	struct nft_marks *m = &f->p->marks;

	*m = (struct nft_marks){
		.own = f->p->options.mark_mask, .state = { f->leg[DIR_IN], f->leg[DIR_OUT] },
		.opts = { f->opts[DIR_IN], f->opts[DIR_OUT] }, .answer = f->answer,
		.tags = f->tag_mask, .kept_tags = f->ct_tags,
	};
	for (uint32_t i = 0; i < f->mends.n; i++) {
		const struct mend *x = &f->mends.v[i];

		m->mend[m->n_mends++] = (struct nft_mend){ x->what, { x->ct[0], x->ct[1] } };
	}
}

#define CT_BITS	3u	/* a state of each leg, and the answer */

/* The packet mark and the ct mark have the same bits for us, each for its own */
static bool share_bits(struct frame *f)
{
	const struct filter_plan *in = &f->sides[DIR_IN].plan, *out = &f->sides[DIR_OUT].plan;
	const uint32_t mask = f->p->options.mark_mask;
	const uint32_t have = (uint32_t)__builtin_popcount(mask);
	const uint32_t tags = bits_for(f->n_codes), ids = bits_for(MAX(in->n_ids, out->n_ids));
	const uint32_t memos = MAX(in->n_memos, out->n_memos);
	const uint32_t opts = directed_allows_opts(f->m) ? 1 : 0;
	const uint32_t mends = f->mends.n;
	const bool ahead = out->has_effects && out->answer != NULL;
	uint32_t left = mask;

	if (have < CT_BITS + 2 * opts + tags + mend_bits(f) ||
	    have < tags + ids + memos + ahead + mends) {
		diag_add(f->d, DIAG_E1707, SPAN_NONE,
			 "mask 0x%08x has %u bits: the ct mark needs %u for states, %u for tags "
			 "and %u for scrub, the packet mark %u for tags, %u for rules that ask for "
			 "tags before others give them, %u for anchors and answers, and %u for "
			 "scrub", mask, have, CT_BITS + 2 * opts, tags, mend_bits(f), tags, ids,
			 memos + ahead, mends);
		return false;
	}
	f->leg[DIR_IN] = take_bits(&left, 1);
	f->leg[DIR_OUT] = take_bits(&left, 1);
	BUG_IF(f->leg[DIR_IN] != nft_state_bit(&f->p->options, DIR_IN) ||
	       f->leg[DIR_OUT] != nft_state_bit(&f->p->options, DIR_OUT));
	f->answer = take_bits(&left, 1);
	f->opts[DIR_IN] = take_bits(&left, opts);
	f->opts[DIR_OUT] = take_bits(&left, opts);
	f->ct_tags = take_bits(&left, tags);
	share_mends(f, &left);
	left = mask;
	f->tag_mask = take_bits(&left, tags);
	f->ids = take_bits(&left, ids);
	f->memos = take_bits(&left, memos);
	f->decided = take_bits(&left, ahead);
	for (uint32_t i = 0; i < mends; i++)
		f->mends.v[i].bit = take_bits(&left, 1);
	tell_marks(f);
	return true;
}

bool directed_plan(struct frame *f)
{
	directed_mends(f);
	return directed_tags(f) && plan_side(f, DIR_IN) && plan_side(f, DIR_OUT) && share_bits(f);
}
