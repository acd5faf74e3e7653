/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Where the last match counts, the first match of quick rules does, and if there is
 * none the first of the others from the last to the first.  A list that another leads
 * to stands in its place, each rule narrowed to what comes there.
 */
#include "model/flat.h"

#include "model/flat_work.h"
#include "model/portmap.h"

bool flat_refuse(struct flatten *w, struct origin at, const char *what)
{
	if (w->f->refused == NULL) {
		w->f->refused = what;
		w->f->refused_at = at;
	}
	return false;
}

bool flat_meet(struct arena *a, struct flat_rule *r, enum field f, const struct set *in)
{
	if (in == NULL)
		return true;
	r->in[f] = r->in[f] == NULL || r->in[f] == in ? in : set_intersect(a, r->in[f], in);
	return !set_is_empty(r->in[f]);
}

unsigned int flat_families(const struct flat_rule *r)
{
	unsigned int some = SET_HAS_V4 | SET_HAS_V6;

	if (r->in[F_SRC] != NULL)
		some &= set_families(r->in[F_SRC]);
	if (r->in[F_DST] != NULL)
		some &= set_families(r->in[F_DST]);
	if (r->in[F_AF] != NULL && !set_has(r->in[F_AF], AF_NONE, AF_V4))
		some &= ~SET_HAS_V4;
	if (r->in[F_AF] != NULL && !set_has(r->in[F_AF], AF_NONE, AF_V6))
		some &= ~SET_HAS_V6;
	return some;
}

bool flat_narrow(struct arena *a, struct flat_rule *r, const struct flat_rule *by)
{
	for (enum field f = 0; f < N_FIELDS; f++)
		if (!flat_meet(a, r, f, by->in[f]))
			return false;
	return flat_families(r) != 0;
}

bool flat_meets(struct arena *a, const struct flat_rule *x, const struct flat_rule *y)
{
	struct flat_rule both = *x;

	return flat_narrow(a, &both, y);
}

/* Behind what decides for every packet nothing counts */
static bool is_closed(const struct flatten *w, const struct flat_list *l)
{
	const struct flat_rule *last = l->rules.n > 0 ? &l->rules.v[l->rules.n - 1] : NULL;

	if (last == NULL || last->act != FLAT_DECIDE || last->prob != 0 || l == &w->late)
		return false;
	for (enum field f = 0; f < N_FIELDS; f++)
		if (last->in[f] != NULL)
			return false;
	return true;
}

bool flat_add(struct flatten *w, struct flat_list *l, const struct flat_rule *r)
{
	if (is_closed(w, l))
		return true;
	if (l->rules.n == FLAT_MOST)
		return flat_refuse(w, r->origin, "so many combinations of rules");
	vec_add(w->a, &l->rules, *r);
	return true;
}

bool flat_enter(struct flatten *w, struct flat_rule *r, const struct rule *by)
{
	for (uint32_t i = 0; i < by->tests.n; i++)
		if (!flat_meet(w->a, r, by->tests.v[i].f, by->tests.v[i].in))
			return false;
	r->prob = by->prob != 0 ? by->prob : r->prob;
	r->origin = by->origin;
	return flat_families(r) != 0;
}

bool flat_plain(struct flatten *w, const struct ruling *r, struct origin at)
{
	if (r->limit != 0)
		return flat_refuse(w, at, "a limit of states");
	if (r->mend != 0)
		return flat_refuse(w, at, "a change of headers");
	return true;
}

/* ---- directed: pf --------------------------------------------------------------------- */

/* Effects that only pf's own words say */
static const char *strange(const struct rule *r)
{
	static const char *const names[] = {
		[EF_TAG] = "a tag", [EF_SCRUB] = "a change of headers",
		[EF_MEND] = "a change of headers",
	};

	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind < ARRAY_SIZE(names) &&
		    names[r->effects.v[i].kind] != NULL)
			return names[r->effects.v[i].kind];
	if (r->until_s != 0)
		return "an end in time";
	return NULL;
}

static bool filter_list(struct flatten *w, uint32_t list, const struct flat_rule *at);

static bool filter_rule(struct flatten *w, const struct rule *r, const struct flat_rule *at)
{
	const struct effect *e = rule_has_effect(r, EF_PREFER);
	struct flat_rule own = *at;

	if (strange(r) != NULL)
		return flat_refuse(w, r->origin, strange(r));
	if (!flat_enter(w, &own, r))
		return true;
	if (r->exit == EX_CALL && r->is_quick)
		return flat_refuse(w, r->origin, "a quick anchor");
	if (r->exit == EX_CALL && r->prob != 0)
		return flat_refuse(w, r->origin, "a probability of an anchor");
	if (r->exit == EX_CALL)
		return filter_list(w, r->list, &own);
	if (e == NULL)
		return r->exit == EX_SETTLE || r->exit == EX_NEXT ||
		       flat_refuse(w, r->origin, "this rule");
	own.ruling = e->ruling;
	own.is_logged = rule_has_effect(r, EF_LOG) != NULL;
	return flat_plain(w, &e->ruling, r->origin) &&
	       flat_add(w, r->exit == EX_SETTLE ? &w->f->filter : &w->late, &own);
}

static bool filter_list(struct flatten *w, uint32_t list, const struct flat_rule *at)
{
	const struct rule_list *l = &w->m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++)
		if (!filter_rule(w, &l->rules.v[i], at))
			return false;
	return true;
}

/* Each row of a table of forwards is a redirect of its own */
static bool map_rows(struct flatten *w, const struct rule *r, const struct flat_rule *at,
		     struct flat_list *into)
{
	for (uint32_t i = 0; i < r->map->rows.n; i++) {
		const struct portmap_row *row = &r->map->rows.v[i];
		struct flat_rule own = *at;
		struct xlate *x = arena_new(w->a, struct xlate);

		*x = (struct xlate){ .kind = XL_DST, .port = row->is_one ? XP_TO : XP_SHIFT,
				     .lo = row->to, .from = row->lo };
		x->hi = row->is_one ? row->to : (uint16_t)(row->to + row->hi - row->lo);
		vec_add(w->a, &x->to, r->map->inside.v[row->inside]);
		own.origin = r->map->origins.v[row->origin];
		own.x = x;
		if (flat_meet(w->a, &own, F_PROTO, set_one(w->a, row->proto)) &&
		    flat_meet(w->a, &own, F_DST,
			      set_addr(w->a, r->map->outside[row->outside])) &&
		    flat_meet(w->a, &own, F_DPORT,
			      set_range(w->a, AF_NONE, row->lo, row->hi)) &&
		    !flat_add(w, into, &own))
			return false;
	}
	return true;
}

static bool translation_list(struct flatten *w, uint32_t list, const struct flat_rule *at,
			     struct flat_list *into)
{
	const struct rule_list *l = &w->m->lists.v[list];

	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
		struct flat_rule own = *at;
		bool good;

		if (strange(r) != NULL || r->prob != 0)
			return flat_refuse(w, r->origin, r->prob != 0 ? "a probability"
								      : strange(r));
		if (!flat_enter(w, &own, r))
			continue;
		own.act = e != NULL ? FLAT_TRANSLATE : FLAT_EXEMPT;
		own.x = e != NULL ? &w->m->xlates.v[e->xlate] : NULL;
		own.is_pass = r->exit == EX_DECIDE;
		own.is_logged = rule_has_effect(r, EF_LOG) != NULL;
		if (r->exit == EX_CALL && e == NULL)
			good = translation_list(w, r->list, &own, into);
		else if (e == NULL && r->exit != EX_RETURN)
			good = flat_refuse(w, r->origin, "this rule");
		else
			good = r->map != NULL ? map_rows(w, r, &own, into)
					      : flat_add(w, into, &own);
		if (!good)
			return false;
	}
	return true;
}

/* A list that a crossing begins with: skip, states, translations, filter */
static bool entry_list(struct flatten *w, enum direction dir, bool with_filter)
{
	const struct rule_list *l = &w->m->lists.v[w->m->entry[dir]];
	struct flat_rule any = { .prob = 0 }, way = any;

	way.in[F_DIR] = set_one(w->a, dir);
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		bool good = true;

		if (r->exit == EX_DECIDE)
			w->f->skipped = rule_tests(r, F_IFACE);
		else if (strange(r) != NULL)
			good = flat_refuse(w, r->origin, strange(r));
		else if (r->exit == EX_CALL)
			good = translation_list(w, r->list, &way,
						dir == DIR_IN ? &w->f->rdr : &w->f->nat);
		else if (r->exit == EX_GOTO && with_filter)
			good = filter_list(w, r->list, &any);
		if (!good)
			return false;
	}
	return true;
}

bool flat_directed(struct flatten *w)
{
	if (!entry_list(w, DIR_IN, true) || !entry_list(w, DIR_OUT, false))
		return false;
	for (uint32_t i = w->late.rules.n; i-- > 0;)
		if (!flat_add(w, &w->f->filter, &w->late.rules.v[i]))
			return false;
	return true;
}

bool flat_model(const struct model *m, struct flat *ret)
{
	struct flatten w = { .m = m, .a = m->a, .f = ret };
	const struct flat_rule end = { .ruling = m->otherwise };
	const bool is_free = m->discipline == STATES_FREE;

	*ret = (struct flat){ .drops_opts = m->drops_opts, .is_free = is_free };
	if (m->grown.n > 0)
		return flat_refuse(&w, end.origin, "a table that rules fill");
	return (is_free ? flat_free(&w) : flat_directed(&w)) && flat_add(&w, &ret->filter, &end);
}
