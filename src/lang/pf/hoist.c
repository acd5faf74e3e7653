/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A filter rule that translates sees the old address; a pass rule translates
 * only as the last match, a match rule at once, so that later rules see the
 * new address.  The model, as the kernel, has its translations before the
 * filter.  So for each direction two lists are made that are called there:
 *
 *	matches		match rules in order; a quick rule that stands before one
 *			and matches leads out of the list.  What they translate
 *			goes to the filter.
 *	finals		the filter's rules as first matches (quick ones in order,
 *			then the others from the last to the first) as far as the
 *			last that translates.  One that does not leads out of the
 *			list; one that does translates and passes.
 *
 * A rule only leads out where a translation that it may overlap follows.  In
 * the filter a rule that translates is left with what already has the address
 * that it would get, and so is not translated.
 *
 * A match rule takes the new address before rules that stood in front of it
 * are asked.  That is the same as long as each of these says the same of old
 * and new addresses; else it is refused.  So is a second translation.
 */
#include "lang/pf/lower.h"

#define NO_TURN	UINT32_MAX

/* The work on one direction */
struct hoist {
	struct pf_lower *l;
	enum direction dir;
	const uint32_t *turn_of;	/* by rule of the filter, or NO_TURN */
	uint32_t n_rules;
	uint32_t list;			/* being built */
	bool any_more;			/* a rule tags, or logs without a verdict */
};

/* What a rule tests, NULL for anything */
struct tests {
	const struct set *f[N_FIELDS];
};

/* What rules say of some packets */
enum truth { NONE, ALL, SOME };

static const struct rule *rule_at(const struct hoist *h, uint32_t i)
{
	return &h->l->m->lists.v[h->l->list_filter].rules.v[i];
}

static const struct pf_turn *turn_at(const struct hoist *h, uint32_t i)
{
	return h->turn_of[i] == NO_TURN ? NULL : &h->l->turns.v[h->turn_of[i]];
}

static const struct xlate *xlate_at(const struct hoist *h, uint32_t i)
{
	return &h->l->m->xlates.v[turn_at(h, i)->xlate];
}

static bool is_turn_of(const struct hoist *h, uint32_t i, bool matches)
{
	return turn_at(h, i) != NULL && turn_at(h, i)->is_match == matches;
}

static struct tests tests_of(const struct rule *r)
{
	struct tests t = { .f = { NULL } };

	for (uint32_t i = 0; i < r->tests.n; i++)
		t.f[r->tests.v[i].f] = r->tests.v[i].in;
	return t;
}

static bool is_of_dir(const struct hoist *h, const struct rule *r)
{
	const struct set *dirs = rule_tests(r, F_DIR);

	return dirs == NULL || set_has(dirs, AF_NONE, h->dir);
}

static bool may_both(const struct tests *x, const struct tests *y)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (f != F_TCPFLAGS && f != F_TAGS && x->f[f] != NULL && y->f[f] != NULL &&
		    !set_overlaps(x->f[f], y->f[f]))
			return false;
	return true;
}

static bool refuse(const struct hoist *h, const struct rule *r, const char *what)
{
	struct diags *d = h->l->c->diags;

	diag_add(d, DIAG_E1330, r->origin.at, "%s", what);
	diag_help(d, "write the translation as a %s rule, and what it may pass as a pass rule",
		  h->dir == DIR_OUT ? "nat" : "rdr");
	return false;
}

/* ---- old and new addresses ------------------------------------------------ */

static const struct set *targets(struct arena *a, const struct xlate *x)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct range r = xlate_range(x, i);

		ranges_add(a, &rs, r.af, r.lo, r.hi);
	}
	return set_make(a, &rs);
}

static enum field addr_field(const struct xlate *x)
{
	return x->kind == XL_DST ? F_DST : F_SRC;
}

static enum field port_field(const struct xlate *x)
{
	return x->kind == XL_DST ? F_DPORT : F_SPORT;
}

/* Packets of @old once they are translated */
static struct tests translated(struct arena *a, const struct tests *old, const struct xlate *x)
{
	struct tests t = *old;

	t.f[addr_field(x)] = targets(a, x);
	if (x->port == XP_TO || x->port == XP_RANDOM)
		t.f[port_field(x)] = set_range(a, AF_NONE, x->lo, x->hi);
	else if (x->port == XP_SHIFT)
		t.f[port_field(x)] = x->hi >= x->lo ? set_range(a, AF_NONE, x->lo, x->hi) : NULL;
	return t;
}

/* Of the packets that @of says, which have field @f in @in */
static enum truth truth_of(const struct tests *of, enum field f, const struct set *in)
{
	if (in == NULL)
		return ALL;
	if (of->f[f] == NULL)
		return SOME;
	return set_is_subset(of->f[f], in) ? ALL : set_overlaps(of->f[f], in) ? SOME : NONE;
}

static enum truth both_of(const struct tests *of, const struct xlate *x, const struct tests *t)
{
	const enum truth addr = truth_of(of, addr_field(x), t->f[addr_field(x)]);
	const enum truth port = truth_of(of, port_field(x), t->f[port_field(x)]);

	return addr == NONE || port == NONE ? NONE : addr == ALL && port == ALL ? ALL : SOME;
}

/* Does rule @i say the same of what match rule @at translates, before and after */
static bool is_blind(const struct hoist *h, uint32_t i, uint32_t at)
{
	const struct xlate *x = xlate_at(h, at);
	const struct rule *r = rule_at(h, i);
	const struct tests old = tests_of(rule_at(h, at)), t = tests_of(r);
	const struct tests new = translated(h->l->c->a, &old, x);
	const bool is_quick = r->exit == EX_SETTLE;
	struct tests rest = t;

	rest.f[addr_field(x)] = rest.f[port_field(x)] = NULL;
	if (!may_both(&rest, &old))
		return true;
	/* What a quick rule matched never came to the match rule */
	if (is_quick)
		return both_of(&new, x, &t) == NONE;
	return both_of(&new, x, &t) != SOME && both_of(&new, x, &t) == both_of(&old, x, &t);
}

static bool check_match(const struct hoist *h, uint32_t at)
{
	const struct rule *r = rule_at(h, at);
	const struct tests old = tests_of(r);
	const struct tests new = translated(h->l->c->a, &old, xlate_at(h, at));

	for (uint32_t i = 0; i < h->n_rules; i++) {
		const struct tests t = tests_of(rule_at(h, i));

		if (i == at || !is_of_dir(h, rule_at(h, i)))
			continue;
		if (i < at && rule_at(h, i)->effects.n > 0 && !is_blind(h, i, at))
			return refuse(h, rule_at(h, i), "a match rule below translates what this "
				      "rule tests, and this one is asked before it");
		if (turn_at(h, i) != NULL && i > at && may_both(&new, &t))
			return refuse(h, rule_at(h, i), "the rule would translate a second time "
				      "what a match rule above has translated");
		if (turn_at(h, i) != NULL && i < at && !turn_at(h, i)->is_match &&
		    rule_at(h, i)->exit != EX_SETTLE && may_both(&old, &t))
			return refuse(h, rule_at(h, i), "the rule would translate a second time "
				      "what a match rule below translates");
	}
	return true;
}

/* What nat and rdr rules translated comes to the filter, and is not translated again */
static bool check_nat(const struct hoist *h, uint32_t list)
{
	const struct model *m = h->l->m;

	for (uint32_t i = 0; i < m->lists.v[list].rules.n; i++) {
		const struct rule *r = &m->lists.v[list].rules.v[i];
		const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
		const struct tests old = tests_of(r);
		struct tests new;

		if (e == NULL || r->exit == EX_DECIDE)
			continue;
		new = translated(h->l->c->a, &old, &m->xlates.v[e->xlate]);
		for (uint32_t k = 0; k < h->l->turns.n; k++) {
			const struct rule *to = rule_at(h, h->l->turns.v[k].rule);
			const struct tests t = tests_of(to);

			if (is_of_dir(h, to) && may_both(&new, &t))
				return refuse(h, to, "the rule would translate a second time what "
					      "a nat, rdr or binat rule has translated");
		}
	}
	return true;
}

/* ---- the lists ------------------------------------------------------------ */

/* A list is called in one direction, and by policy for local callers in both */
static void copy_tests(const struct hoist *h, const struct rule *from, struct rule *to)
{
	for (uint32_t i = 0; i < from->tests.n; i++)
		if (from->tests.v[i].f != F_DIR)
			rule_test(h->l->m, to, from->tests.v[i].f, from->tests.v[i].in);
	to->prob = from->prob;
	to->draw = from->draw;
}

/* Nobody's, so that `why` tells of the rule where it decides, and not here */
static void add_exit(const struct hoist *h, const struct rule *from)
{
	struct rule *r = model_add_rule(h->l->m, h->list, (struct origin){ 0 });

	copy_tests(h, from, r);
	r->exit = EX_RETURN;
}

static bool mends(const struct rule *r)
{
	return rule_has_effect(r, EF_MEND) != NULL;
}

/* Is all that @t tests for tested by @of too, so that what meets one meets the other */
static bool covers(const struct tests *t, const struct tests *of)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (f != F_DIR && t->f[f] != NULL &&
		    (of->f[f] == NULL || !set_is_subset(of->f[f], t->f[f])))
			return false;
	return true;
}

/* Does rule @i change headers of packets that the pass rule @at translates */
static bool mends_final(const struct hoist *h, uint32_t i, uint32_t at)
{
	const struct rule *r = rule_at(h, i);
	const struct tests t = tests_of(r), final = tests_of(rule_at(h, at));
	const bool quick = rule_at(h, at)->exit == EX_SETTLE;

	return mends(r) && i != at && !(quick && i > at) && is_of_dir(h, r) &&
	       may_both(&t, &final);
}

/* A pass rule that translates passes the filter by: what it changes goes with it */
static void add_mends(const struct hoist *h, uint32_t at, struct rule *to)
{
	const struct effect *own = rule_has_effect(rule_at(h, at), EF_PREFER);

	for (uint32_t i = 0; i < h->n_rules; i++)
		if (mends_final(h, i, at))
			rule_mend(h->l->m, to, rule_has_effect(rule_at(h, i), EF_MEND)->scrub);
	if (own->ruling.mend != 0)
		rule_mend(h->l->m, to, own->ruling.mend - 1);
}

static void add_translation(const struct hoist *h, uint32_t i)
{
	struct rule *r = model_add_rule(h->l->m, h->list, rule_at(h, i)->origin);
	const struct rule *from = rule_at(h, i);

	copy_tests(h, from, r);
	for (uint32_t e = 0; e < from->effects.n; e++)
		if (from->effects.v[e].kind == EF_LOG || from->effects.v[e].kind == EF_TAG)
			vec_add(h->l->m->a, &r->effects, from->effects.v[e]);
	if (!turn_at(h, i)->is_match)
		add_mends(h, i, r);
	rule_translate(h->l->m, r, turn_at(h, i)->xlate, h->l->list_filter);
	if (turn_at(h, i)->is_match)
		rule_goto(r, h->l->list_filter);
	else
		rule_decide(r, ruling_keep());
}

/* May rule @rule stand in the way of one of the rules @turns, which come behind it */
static bool leads_out(const struct hoist *h, uint32_t rule, const uint32_t *turns, uint32_t n)
{
	const struct tests t = tests_of(rule_at(h, rule));

	for (uint32_t i = 0; i < n; i++) {
		const struct tests to = tests_of(rule_at(h, turns[i]));

		if (may_both(&t, &to))
			return true;
	}
	return false;
}

/* Does a rule do what its last match does not undo */
static bool does_more(const struct rule *r, bool log)
{
	return rule_has_effect(r, EF_TAG) != NULL ||
	       (log && rule_has_effect(r, EF_LOG) != NULL && rule_has_effect(r, EF_PREFER) == NULL);
}

/* What is asked before the filter draws nothing, and knows no tag that the filter gives */
static bool check_asked(const struct hoist *h, uint32_t at)
{
	const struct rule *r = rule_at(h, at);
	const struct tests t = tests_of(r);

	if (r->prob != 0)
		return refuse(h, r, "a rule with a probability stands in the way of one that "
			      "translates");
	for (uint32_t i = 0; t.f[F_TAGS] != NULL && i < h->n_rules; i++) {
		const struct tests other = tests_of(rule_at(h, i));

		if (does_more(rule_at(h, i), false) && is_of_dir(h, rule_at(h, i)) &&
		    may_both(&t, &other))
			return refuse(h, r, "a filter rule gives the tag that a translation asks "
				      "for, or that stands in its way");
	}
	return true;
}

/* A pass rule that translates passes the filter by, with all that other rules do there */
static bool check_final(const struct hoist *h, uint32_t at)
{
	const struct tests t = tests_of(rule_at(h, at));
	const bool quick = rule_at(h, at)->exit == EX_SETTLE;

	for (uint32_t i = 0; h->any_more && i < h->n_rules; i++) {
		const struct rule *r = rule_at(h, i);
		struct tests other = tests_of(r);

		if (mends_final(h, i, at) && (r->prob != 0 || !covers(&other, &t)))
			return refuse(h, r, "the rule changes headers of some of the packets that "
				      "a pass rule translates");
		/* What a match rule has translated is another packet */
		if (!does_more(r, true) || is_turn_of(h, i, true) || i == at || (quick && i > at))
			continue;
		if (is_of_dir(h, r) && may_both(&t, &other))
			return refuse(h, r, "the rule tags or logs what a pass rule translates");
	}
	return true;
}

/* Rules @order: those of @finals, or match rules, translate; others lead out */
static bool build(struct hoist *h, const char *name, const uint32_t *order, uint32_t n,
		  bool matches)
{
	uint32_t *turns = arena_array(h->l->c->a, uint32_t, n + 1);
	uint32_t n_turns = 0, at = 0;

	for (uint32_t i = 0; i < n; i++)
		if (is_turn_of(h, order[i], matches))
			turns[n_turns++] = order[i];
	h->list = model_add_list(h->l->m, name);
	for (uint32_t i = 0; i < n; i++) {
		const bool is_mine = is_turn_of(h, order[i], matches);

		at += is_mine;
		if (!is_mine && !leads_out(h, order[i], turns + at, n_turns - at))
			continue;
		if (!check_asked(h, order[i]) || (is_mine && !matches && !check_final(h, order[i])))
			return false;
		if (is_mine)
			add_translation(h, order[i]);
		else
			add_exit(h, rule_at(h, order[i]));
	}
	return true;
}

static bool prefers(const struct hoist *h, uint32_t i)
{
	return rule_has_effect(rule_at(h, i), EF_PREFER) != NULL && is_of_dir(h, rule_at(h, i));
}

static bool is_quick(const struct hoist *h, uint32_t i)
{
	return prefers(h, i) && rule_at(h, i)->exit == EX_SETTLE;
}

static bool build_matches(struct hoist *h)
{
	uint32_t *order = arena_array(h->l->c->a, uint32_t, h->n_rules);
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->n_rules; i++) {
		const struct pf_turn *turn = turn_at(h, i);
		const bool is_match = turn != NULL && turn->is_match && is_of_dir(h, rule_at(h, i));

		if (is_match && !check_match(h, i))
			return false;
		if (is_match || is_quick(h, i))
			order[n++] = i;
	}
	return build(h, "matches", order, n, true);
}

static bool build_finals(struct hoist *h)
{
	uint32_t *order = arena_array(h->l->c->a, uint32_t, h->n_rules);
	uint32_t n = 0;

	for (uint32_t i = 0; i < h->n_rules; i++)
		if (is_quick(h, i))
			order[n++] = i;
	for (uint32_t i = h->n_rules; i-- > 0;)
		if (prefers(h, i) && !is_quick(h, i))
			order[n++] = i;
	return build(h, "finals", order, n, false);
}

/* The last rule of an entry list goes to the filter: call a list before it */
static void call_before(const struct hoist *h, uint32_t entry)
{
	struct model *m = h->l->m;
	struct rule *last;
	struct rule keep;

	if (m->lists.v[h->list].rules.n == 0)
		return;
	last = &m->lists.v[entry].rules.v[m->lists.v[entry].rules.n - 1];
	keep = *last;
	*last = (struct rule){ .origin = { .text = "translations of filter rules" } };
	rule_call(last, h->list);
	*model_add_rule(m, entry, keep.origin) = keep;
}

static bool check_lists(const struct hoist *h)
{
	const struct pf_lower *l = h->l;
	const uint32_t *binat = l->list_binat;

	if (h->dir == DIR_IN)
		return check_nat(h, l->list_rdr) &&
		       (binat[DIR_IN] == 0 || check_nat(h, binat[DIR_IN]));
	return check_nat(h, l->list_nat) &&
	       (binat[DIR_OUT] == 0 || check_nat(h, binat[DIR_OUT]));
}

static bool hoist_dir(struct hoist *h)
{
	const uint32_t entry = h->l->m->entry[h->dir];

	if (!check_lists(h) || !build_matches(h))
		return false;
	call_before(h, entry);
	if (!build_finals(h))
		return false;
	call_before(h, entry);
	return true;
}

/* What a rule that translates leaves to the filter */
static void narrow(const struct hoist *h)
{
	struct model *m = h->l->m;
	struct rule_list *filter = &m->lists.v[h->l->list_filter];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < h->n_rules; i++) {
		struct rule *r = &filter->rules.v[i];

		if (turn_at(h, i) != NULL)
			rule_test(m, r, addr_field(xlate_at(h, i)),
				  targets(m->a, xlate_at(h, i)));
		if (turn_at(h, i) == NULL || !rule_is_never(r))
			filter->rules.v[kept++] = *r;
	}
	filter->rules.n = kept;
}

static bool check_shape(const struct hoist *h)
{
	for (uint32_t i = 0; i < h->n_rules; i++)
		if (rule_at(h, i)->exit != EX_NEXT && rule_at(h, i)->exit != EX_SETTLE)
			return refuse(h, rule_at(h, i), "an anchor with rules stands beside filter "
				      "rules that translate");
	for (uint32_t i = 0; i < h->l->turns.n; i++)
		if (h->l->turns.v[i].is_inner)
			return refuse(h, rule_at(h, h->l->turns.v[i].rule),
				      "a match rule translates within an anchor that asks for "
				      "addresses");
	return true;
}

bool pf_hoist(struct pf_lower *l)
{
	const uint32_t n = l->m->lists.v[l->list_filter].rules.n;
	uint32_t *turn_of = arena_array(l->c->a, uint32_t, n + 1);
	struct hoist h = { .l = l, .turn_of = turn_of, .n_rules = n };

	if (l->turns.n == 0)
		return true;
	for (uint32_t i = 0; i < n; i++)
		turn_of[i] = NO_TURN;
	for (uint32_t i = 0; i < l->turns.n; i++)
		turn_of[l->turns.v[i].rule] = i;
	if (!check_shape(&h))
		return false;
	for (uint32_t i = 0; i < n; i++)
		h.any_more |= does_more(rule_at(&h, i), true) || mends(rule_at(&h, i));
	for (h.dir = DIR_IN; h.dir <= DIR_OUT; h.dir++)
		if (!hoist_dir(&h))
			return false;
	narrow(&h);
	return true;
}
