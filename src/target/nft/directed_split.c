/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Finds in a model the parts that the frame has chains for: what stands before
 * and after the language's own list, the skips, the translations that it calls,
 * and where its filter starts.  What does not fit is refused by name.
 */
#include "target/nft/directed.h"

/* The work on one direction */
struct split {
	struct frame *f;
	struct side *s;
	enum direction dir;
};

static bool refuse(const struct split *w, const struct rule *r, const char *what)
{
	diag_add(w->f->d, DIAG_E1701, r->origin.at, "%s cannot be expressed in nftables", what);
	return false;
}

static void add_flat(const struct split *w, struct flat_rules *to, const struct nft_tests *t,
		     const struct rule *r, struct ruling ruling)
{
	if (t->f[F_DIR] != NULL && !set_has(t->f[F_DIR], AF_NONE, w->dir))
		return;
	vec_add(w->f->p->a, &to->list, ((struct flat_rule){
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

static bool list_scrubs(const struct model *m, uint32_t list)
{
	const struct rule_list *l = &m->lists.v[list];

	return l->rules.n > 0 && rule_has_effect(&l->rules.v[0], EF_SCRUB) != NULL;
}

static bool only_effects(const struct rule *r, unsigned int kinds)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if ((kinds >> r->effects.v[i].kind & 1) == 0)
			return false;
	return true;
}

static void add_call(const struct split *w, const struct rule *r, struct nat_calls *to)
{
	const struct nat_call call = { nft_tests_of(r), r->list, r->origin.at };

	if (w->f->m->lists.v[r->list].rules.n > 0)
		vec_add(w->f->p->a, &to->list, call);
}

/* A list around the language's own: fences, which judge one way only, and before it
 * calls of translations
 */
static bool split_around(struct split *w, uint32_t list, bool is_fenced, struct nat_calls *calls,
			 struct flat_rules *fences)
{
	const struct rule_list *l;

	if (list == LIST_NONE)
		return true;
	l = &w->f->m->lists.v[list];
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct nft_tests t = nft_tests_of(r);

		if (calls != NULL && r->exit == EX_CALL && r->effects.n == 0 &&
		    !list_filters(w->f->m, r->list))
			add_call(w, r, calls);
		else if (is_fenced && r->exit == EX_DECIDE && r->ruling.verdict == V_BLOCK &&
			 only_effects(r, 1u << EF_LOG))
			add_flat(w, fences, &t, r, r->ruling);
		else
			return refuse(w, r, calls != NULL
					? "a policy rule that is neither fence nor forward"
					: "a policy rule after the filter that is no fence");
	}
	return true;
}

/* Is a rule of the entry list something other than the start of the filter */
static bool split_entry_rule(struct split *w, const struct rule *r)
{
	const struct nft_tests t = nft_tests_of(r);

	if (r->prob != 0)
		return false;
	if (r->exit == EX_CALL && r->effects.n == 0 && r->tests.n == 0 &&
	    list_scrubs(w->f->m, r->list)) {
		w->s->scrub = r->list;
		return true;
	}
	if (rule_has_effect(r, EF_PROBE) != NULL && r->effects.n == 1 && r->exit == EX_NEXT)
		return true;
	if (r->exit == EX_CALL && r->effects.n == 0 &&
	    (list_translates(w->f->m, r->list) || !list_filters(w->f->m, r->list))) {
		add_call(w, r, &w->s->nats);
		return true;
	}
	if (r->exit == EX_DECIDE && r->effects.n == 0 && w->s->nats.list.n == 0 &&
	    !r->ruling.keep && r->ruling.verdict != V_RETURN) {
		add_flat(w, &w->s->skips, &t, r, r->ruling);
		return true;
	}
	return false;
}

bool directed_split_policy(struct frame *f, enum direction dir)
{
	struct split w = { .f = f, .s = &f->sides[dir], .dir = dir };

	return split_around(&w, f->m->before[dir], dir == DIR_IN, &w.s->policy, &w.s->fences) &&
	       split_around(&w, f->m->after[dir], dir == DIR_OUT,
			    f->m->discipline == STATES_FREE ? &w.s->late : NULL, &w.s->after);
}

bool directed_split(struct frame *f, enum direction dir)
{
	struct split w = { .f = f, .s = &f->sides[dir], .dir = dir };
	const uint32_t entry = f->m->entry[dir];
	const struct rule_list *l = &f->m->lists.v[entry];
	uint32_t i = 0;

	w.s->scrub = LIST_NONE;
	if (!directed_split_policy(f, dir))
		return false;
	while (i < l->rules.n && split_entry_rule(&w, &l->rules.v[i]))
		i++;
	w.s->filter_list = entry;
	w.s->filter_first = i;
	if (i < l->rules.n && l->rules.v[i].exit == EX_GOTO && l->rules.v[i].tests.n == 0 &&
	    l->rules.v[i].effects.n == 0 && l->rules.v[i].prob == 0) {
		w.s->filter_list = l->rules.v[i].list;
		w.s->filter_first = 0;
	}
	return true;
}
