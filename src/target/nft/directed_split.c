/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Finds in a model the parts that the frame has chains for.  Filter lists that
 * are called are put in their caller's place, with the call's tests added to
 * each rule; that is the same because nothing in a filter changes a packet.
 * What does not fit is refused by name.
 */
#include "target/nft/directed.h"

/* The work on one direction */
struct split {
	struct frame *f;
	struct side *s;
	enum direction dir;
	struct flat_rules quick;
	struct flat_rules slow;
};

static bool refuse(const struct split *w, const struct rule *r, const char *what)
{
	diag_add(w->f->d, DIAG_E1701, r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

static bool has_tests(const struct nft_tests *t)
{
	for (int i = 0; i < N_FIELDS; i++)
		if (t->f[i] != NULL)
			return true;
	return false;
}

static void add_flat(const struct split *w, struct flat_rules *to, const struct nft_tests *t,
		     const struct rule *r, struct ruling ruling)
{
	/* What first_match() puts together is forgotten after it */
	struct arena *a = to == &w->quick || to == &w->slow ? w->f->p->tmp : w->f->p->a;

	if (t->f[F_DIR] != NULL && !set_has(t->f[F_DIR], AF_NONE, w->dir))
		return;
	vec_add(a, &to->list, ((struct flat_rule){
		.t = *t, .ruling = ruling, .origin = &r->origin,
		.is_logged = rule_has_effect(r, EF_LOG) != NULL }));
}

/* Is there a translation in a list, or in what it calls */
static bool list_translates(const struct model *m, uint32_t list)
{
	const struct rule_list *l = &m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++)
		if (rule_has_effect(&l->rules.v[i], EF_TRANSLATE) != NULL ||
		    (l->rules.v[i].exit == EX_CALL && list_translates(m, l->rules.v[i].list)))
			return true;
	return false;
}

/* Does a list prefer or settle anything, so that it is of the filter */
static bool list_filters(const struct model *m, uint32_t list)
{
	const struct rule_list *l = &m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++)
		if (rule_has_effect(&l->rules.v[i], EF_PREFER) != NULL ||
		    (l->rules.v[i].exit == EX_CALL && list_filters(m, l->rules.v[i].list)))
			return true;
	return false;
}

static bool only_effects(const struct rule *r, unsigned int kinds)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if ((kinds >> r->effects.v[i].kind & 1) == 0)
			return false;
	return true;
}

/* How a list of the filter ended */
enum ended { ENDED_NEXT, ENDED_FINAL, ENDED_ERROR };

static enum ended split_filter(struct split *w, uint32_t list, uint32_t first,
			       const struct nft_tests *outer);

/* A rule that goes to another list */
static enum ended split_jump(struct split *w, const struct rule *r, const struct nft_tests *t)
{
	enum ended e;

	if (r->is_quick) {
		refuse(w, r, "a quick anchor");
		return ENDED_ERROR;
	}
	if (r->effects.n > 0) {
		refuse(w, r, "a filter rule that both does something and goes elsewhere");
		return ENDED_ERROR;
	}
	e = split_filter(w, r->list, 0, t);
	if (e == ENDED_ERROR || (r->exit == EX_CALL && e == ENDED_NEXT))
		return e;
	/* From here nothing comes back, which only a first-match list of its own could say */
	if (has_tests(t) && (r->exit == EX_GOTO || e == ENDED_FINAL)) {
		refuse(w, r, "a filter rule that leaves the list for good under a condition");
		return ENDED_ERROR;
	}
	return ENDED_FINAL;
}

/* A rule that stays in its list or ends it */
static enum ended split_rule(struct split *w, const struct rule *r, const struct nft_tests *t)
{
	const struct effect *prefer = rule_has_effect(r, EF_PREFER);

	switch (r->exit) {
	case EX_NEXT:
		if (prefer != NULL)
			add_flat(w, &w->slow, t, r, prefer->ruling);
		else if (r->effects.n > 0 && !refuse(w, r, "a rule that only logs"))
			return ENDED_ERROR;
		return ENDED_NEXT;
	case EX_DECIDE:
		add_flat(w, &w->quick, t, r, r->ruling);
		return ENDED_NEXT;
	case EX_SETTLE:
	case EX_RETURN:
		if (prefer != NULL && r->exit == EX_SETTLE) {
			add_flat(w, &w->quick, t, r, prefer->ruling);
			return ENDED_NEXT;
		}
		if (has_tests(t) || prefer != NULL) {
			refuse(w, r, "a filter rule that ends its list without a verdict");
			return ENDED_ERROR;
		}
		return r->exit == EX_SETTLE ? ENDED_FINAL : ENDED_NEXT;
	default:
		return ENDED_ERROR;
	}
}

static enum ended split_filter(struct split *w, uint32_t list, uint32_t first,
			       const struct nft_tests *outer)
{
	const struct rule_list *l = &w->f->m->lists.v[list];

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct nft_tests own = nft_tests_of(r);
		const struct nft_tests t = nft_tests_and(w->f->p->a, &own, outer);
		const bool is_jump = r->exit == EX_CALL || r->exit == EX_GOTO;
		enum ended e;

		if (!only_effects(r, 1u << EF_LOG | 1u << EF_PREFER) || r->prob != 0) {
			refuse(w, r, r->prob != 0 ? "a probability"
						  : "a filter rule that translates or remembers");
			return ENDED_ERROR;
		}
		e = is_jump ? split_jump(w, r, &t) : split_rule(w, r, &t);
		if (e != ENDED_NEXT)
			return e;
		if (r->exit == EX_RETURN || (r->exit == EX_SETTLE && !has_tests(&own) &&
					     rule_has_effect(r, EF_PREFER) == NULL))
			return ENDED_NEXT;
	}
	return ENDED_NEXT;
}

static void add_call(const struct split *w, const struct rule *r, bool is_policy)
{
	const struct nat_call call = { nft_tests_of(r), r->list, r->origin.at };

	if (w->f->m->lists.v[r->list].rules.n > 0)
		vec_add(w->f->p->a, &(is_policy ? &w->s->policy : &w->s->nats)->list, call);
}

/* The lists before the language's own: fences, and calls of translations */
static bool split_before(struct split *w, uint32_t list, enum direction dir)
{
	const struct rule_list *l;

	if (list == LIST_NONE)
		return true;
	l = &w->f->m->lists.v[list];
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct nft_tests t = nft_tests_of(r);

		if (r->exit == EX_CALL && r->effects.n == 0 && !list_filters(w->f->m, r->list))
			add_call(w, r, true);
		else if (r->exit == EX_DECIDE && r->ruling.verdict == V_BLOCK && dir == DIR_IN &&
			 only_effects(r, 1u << EF_LOG))
			add_flat(w, &w->s->fences, &t, r, r->ruling);
		else
			return refuse(w, r, "a policy rule that is neither fence nor forward");
	}
	return true;
}

static bool split_after(struct split *w, uint32_t list, enum direction dir)
{
	const struct rule_list *l;

	if (list == LIST_NONE)
		return true;
	l = &w->f->m->lists.v[list];
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct nft_tests t = nft_tests_of(r);

		if (r->exit != EX_DECIDE || r->ruling.verdict != V_BLOCK || dir != DIR_OUT ||
		    !only_effects(r, 1u << EF_LOG))
			return refuse(w, r, "a policy rule after the filter that is no fence");
		add_flat(w, &w->s->after, &t, r, r->ruling);
	}
	return true;
}

/* Is a rule of the entry list something other than the start of the filter */
static bool split_entry_rule(struct split *w, const struct rule *r)
{
	const struct nft_tests t = nft_tests_of(r);

	if (r->prob != 0)
		return false;
	if (rule_has_effect(r, EF_PROBE) != NULL && r->effects.n == 1 && r->exit == EX_NEXT)
		return true;
	if (r->exit == EX_CALL && r->effects.n == 0 &&
	    (list_translates(w->f->m, r->list) || !list_filters(w->f->m, r->list))) {
		add_call(w, r, false);
		return true;
	}
	if (r->exit == EX_DECIDE && r->effects.n == 0 && w->s->nats.list.n == 0 &&
	    !r->ruling.keep && r->ruling.verdict != V_RETURN) {
		add_flat(w, &w->s->skips, &t, r, r->ruling);
		return true;
	}
	return false;
}

/* Quick rules in their order, then the others from the last to the first */
static void first_match(struct split *w)
{
	struct flat_rules *to = &w->s->filter;

	to->list.cap = w->quick.list.n + w->slow.list.n;
	to->list.v = arena_array(w->f->p->a, struct flat_rule, to->list.cap);
	for (uint32_t q = 0; q < w->quick.list.n; q++)
		to->list.v[to->list.n++] = w->quick.list.v[q];
	for (uint32_t s = w->slow.list.n; s-- > 0;)
		to->list.v[to->list.n++] = w->slow.list.v[s];
}

bool directed_split_policy(struct frame *f, enum direction dir)
{
	struct split w = { .f = f, .s = &f->sides[dir], .dir = dir };

	return split_before(&w, f->m->before[dir], dir) && split_after(&w, f->m->after[dir], dir);
}

bool directed_split(struct frame *f, enum direction dir)
{
	struct split w = { .f = f, .s = &f->sides[dir], .dir = dir };
	const uint32_t entry = f->m->entry[dir];
	const struct rule_list *l = &f->m->lists.v[entry];
	const struct nft_tests none = { 0 };
	uint32_t i = 0;

	w.s->filter_list = entry;
	if (!directed_split_policy(f, dir))
		return false;
	while (i < l->rules.n && split_entry_rule(&w, &l->rules.v[i]))
		i++;
	if (i < l->rules.n && l->rules.v[i].exit == EX_GOTO && l->rules.v[i].tests.n == 0)
		w.s->filter_list = l->rules.v[i].list;
	if (split_filter(&w, entry, i, &none) == ENDED_ERROR)
		return false;
	first_match(&w);
	return true;
}
