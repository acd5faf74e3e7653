/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Chains and sets are compared by name, a chain's rules in their order, a set's
 * elements by key.  Of a chain the first and the last rules that are the same stay, with
 * what they have counted, and what stands between goes and comes: one rule that is
 * added to a list of thousands is one rule for the kernel.  More than one such place
 * would want a search for what two lists have in common, for little more.
 * Of a set only the elements that differ are written: tables and forwards change one
 * by one, and may be many.
 *
 * The kernel holds a range as two elements, its first value and the first value
 * behind it.  Ranges go and come as a whole: it refuses an end without its start.
 *
 * A set that has to be another (its size, its types) goes and comes under its name,
 * and with it the rules that use it.  Sets of ranges do not (nft_add_ranges()): a new
 * one shows what it holds a moment after the rules that ask it, and packets would slip
 * by, so it comes in a transaction before theirs.  Elements that go and come show all
 * at once.
 */
#include "target/nft/delta.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "base/search.h"

/* Rules of one side by family, chain and position */
struct rules {
	struct nft_line **v;
	uint32_t n;
};

struct work {
	struct arena *a;
	const struct nft_program *p;
	struct nft_lines *have;
	struct nft_lines *want;
	struct rules have_rules;
	struct rules want_rules;
	bool rewrite;
	struct nft_delta *d;
};

/* ---- look-ups --------------------------------------------------------------- */

static int line_cmp(const void *x, const void *y)
{
	return nft_lines_cmp(x, y);
}

/* The first line that is not before this one */
static uint32_t lower_bound(const struct nft_lines *l, const struct nft_line *key)
{
	return base_lower_bound(l->list.v, l->list.n, sizeof(*key), key, line_cmp);
}

static const struct nft_line *find(const struct nft_lines *l, enum nft_object kind,
				   uint8_t family, const char *key)
{
	const struct nft_line k = { .kind = kind, .family = family, .key = key };
	const uint32_t i = lower_bound(l, &k);

	return i < l->list.n && nft_lines_cmp(&l->list.v[i], &k) == 0 ? &l->list.v[i] : NULL;
}

static int rule_cmp(const void *x, const void *y)
{
	const struct nft_line *a = *(const struct nft_line *const *)x;
	const struct nft_line *b = *(const struct nft_line *const *)y;
	int order = a->family - b->family;

	if (order == 0)
		order = strcmp(a->name, b->name);
	return order != 0 ? order : a->position < b->position ? -1 : a->position > b->position;
}

static struct rules sort_rules(struct arena *a, struct nft_lines *l)
{
	struct rules r = { .n = 0 };

	r.v = arena_array(a, struct nft_line *, l->list.n + 1);
	for (uint32_t i = 0; i < l->list.n; i++)
		if (l->list.v[i].kind == NFT_O_RULE)
			r.v[r.n++] = &l->list.v[i];
	if (r.n > 1)
		qsort(r.v, r.n, sizeof(*r.v), rule_cmp);
	return r;
}

/* The rules of one chain */
static struct rules rules_of(const struct rules *all, uint8_t family, const char *chain)
{
	struct nft_line first = { .family = family, .name = chain };
	struct nft_line *const key = &first;
	struct rules r = { .n = 0 };
	const uint32_t lo = base_lower_bound(all->v, all->n, sizeof(*all->v), &key, rule_cmp);

	r.v = all->v + lo;
	while (lo + r.n < all->n && r.v[r.n]->family == family &&
	       strcmp(r.v[r.n]->name, chain) == 0)
		r.n++;
	return r;
}

/* ---- elements --------------------------------------------------------------- */

/* A range, or an element that is none: then without an end */
struct span_of {
	const struct nft_line *start;
	const struct nft_line *end;
};

struct elems {
	const struct nft_line *v;
	uint32_t n;
	uint32_t i;
};

static struct elems elems_of(struct work *w, const struct nft_lines *l, uint8_t family,
			     const char *set)
{
	const char *prefix = arena_printf(w->a, "%s ", set);
	const struct nft_line key = { .kind = NFT_O_ELEM, .family = family, .key = prefix };
	const uint32_t first = lower_bound(l, &key);
	struct elems e = { .v = l->list.v + first };

	while (first + e.n < l->list.n && e.v[e.n].kind == NFT_O_ELEM &&
	       e.v[e.n].family == family && strcmp(e.v[e.n].name, set) == 0)
		e.n++;
	return e;
}

static bool next(struct elems *e, struct span_of *ret)
{
	*ret = (struct span_of){ NULL, NULL };
	if (e->i == e->n)
		return false;
	if (!e->v[e->i].is_end)
		ret->start = &e->v[e->i++];
	if (e->i < e->n && e->v[e->i].is_end)
		ret->end = &e->v[e->i++];
	return true;
}

static bool same_line(const struct nft_line *x, const struct nft_line *y)
{
	if (x == NULL || y == NULL)
		return x == y;
	return strcmp(x->key, y->key) == 0 && strcmp(x->text, y->text) == 0;
}

static int range_cmp(const struct span_of *x, const struct span_of *y)
{
	const struct nft_line *a = x->start != NULL ? x->start : x->end;
	const struct nft_line *b = y->start != NULL ? y->start : y->end;

	BUG_IF(a == NULL || b == NULL);
	return strcmp(a->key, b->key);
}

static void take(struct work *w, struct nft_set_delta *to, const struct span_of *r, bool comes)
{
	const struct nft_line *const both[] = { r->start, r->end };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		if (both[i] == NULL)
			continue;
		if (comes)
			vec_add(w->a, &to->in, both[i]);
		else
			vec_add(w->a, &to->out, both[i]);
	}
}

/* @anew: also those that are the same go and come */
static void compare_elems(struct work *w, const struct nft_set *s, bool anew,
			  struct nft_set_delta *to)
{
	const uint8_t family = nft_family_number(s->family);
	struct elems have = elems_of(w, w->have, family, s->name);
	struct elems want = elems_of(w, w->want, family, s->name);
	struct span_of h, n;
	bool is_h = next(&have, &h), is_n = next(&want, &n);

	while (is_h || is_n) {
		const int order = !is_h ? 1 : !is_n ? -1 : range_cmp(&h, &n);

		if (anew || order != 0 || !same_line(h.start, n.start) ||
		    !same_line(h.end, n.end)) {
			if (order <= 0)
				take(w, to, &h, false);
			if (order >= 0)
				take(w, to, &n, true);
		}
		if (order <= 0)
			is_h = next(&have, &h);
		if (order >= 0)
			is_n = next(&want, &n);
	}
}

/* ---- chains and sets ---------------------------------------------------------- */

static enum nft_fate fate_of(struct work *w, enum nft_object kind, enum nft_family f,
			     const char *name)
{
	const uint8_t family = nft_family_number(f);
	const struct nft_line *h = w->d->stays[f] ? find(w->have, kind, family, name) : NULL;
	const struct nft_line *n = h != NULL ? find(w->want, kind, family, name) : NULL;

	if (h == NULL)
		return NFT_COMES;
	BUG_IF(n == NULL);
	return strcmp(h->text, n->text) == 0 ? NFT_STAYS : NFT_REPLACED;
}

static void compare_sets(struct work *w)
{
	for (uint32_t i = 0; i < w->p->sets.n; i++) {
		const struct nft_set *s = w->p->sets.v[i];
		struct nft_set_delta *to = &w->d->sets[i];

		to->fate = fate_of(w, NFT_O_SET, s->family, s->name);
		/* Rules begin to count anew, and so do those that are elements; what
		   packets have put there stays */
		if (to->fate == NFT_STAYS && !s->is_dynamic)
			compare_elems(w, s, w->rewrite && s->is_vmap && s->is_counted, to);
	}
}

static bool is_replaced(const struct work *w, const struct nft_set *s)
{
	for (uint32_t i = 0; i < w->p->sets.n; i++)
		if (w->p->sets.v[i] == s)
			return w->d->sets[i].fate == NFT_REPLACED;
	return false;
}

static bool any_replaced(const struct work *w)
{
	for (uint32_t i = 0; i < w->p->sets.n; i++)
		if (w->d->sets[i].fate == NFT_REPLACED)
			return true;
	return false;
}

static bool uses_replaced(const struct work *w, const struct nft_chain *c)
{
	for (uint32_t i = 0; i < c->rules.n; i++) {
		for (uint32_t k = 0; k < c->rules.v[i].stmts.list.n; k++) {
			const struct nft_set *s = nft_set_in(&c->rules.v[i].stmts.list.v[k]);

			if (s != NULL && is_replaced(w, s))
				return true;
		}
	}
	return false;
}

/* What of a chain goes and comes */
static void compare_rules(const struct rules *have, const struct rules *want,
			  struct nft_chain_delta *to)
{
	const uint32_t most = MIN(have->n, want->n);

	while (to->head < most && same_line(have->v[to->head], want->v[to->head]))
		to->head++;
	while (to->tail < most - to->head &&
	       same_line(have->v[have->n - 1 - to->tail], want->v[want->n - 1 - to->tail]))
		to->tail++;
	to->refill = to->head + to->tail < MAX(have->n, want->n);
	for (uint32_t i = 0; i < have->n; i++)
		have->v[i]->is_kept = i < to->head || i >= have->n - to->tail;
}

static void compare_chains(struct work *w)
{
	const bool has_replaced = any_replaced(w);

	for (uint32_t i = 0; i < w->p->chains.n; i++) {
		const struct nft_chain *c = w->p->chains.v[i];

		w->d->chains[i].fate = fate_of(w, NFT_O_CHAIN, c->family, c->name);
		/* A rule may jump to it */
		w->rewrite |= w->d->chains[i].fate == NFT_REPLACED;
	}
	for (uint32_t i = 0; i < w->p->chains.n; i++) {
		const struct nft_chain *c = w->p->chains.v[i];
		const uint8_t family = nft_family_number(c->family);
		struct nft_chain_delta *to = &w->d->chains[i];
		struct rules have = { .n = 0 }, want = { .n = 0 };

		if (to->fate != NFT_COMES)
			have = rules_of(&w->have_rules, family, c->name);
		if (to->fate == NFT_STAYS)
			want = rules_of(&w->want_rules, family, c->name);
		to->refill = to->fate != NFT_STAYS || w->rewrite ||
			     (has_replaced && uses_replaced(w, c));
		if (!to->refill)
			compare_rules(&have, &want, to);
		to->have = have.v;
		to->n_old = have.n - to->head - to->tail;
		if (to->tail > 0 && have.v != NULL)
			to->before = have.v[have.n - to->tail]->handle;
	}
}

static bool family_stays(const struct nft_delta *d, uint8_t family)
{
	for (int f = 0; f < N_NFT_FAMILIES; f++)
		if (nft_family_number((enum nft_family)f) == family)
			return d->stays[f];
	return false;
}

static void find_gone(struct work *w)
{
	for (uint32_t i = 0; i < w->have->list.n; i++) {
		const struct nft_line *l = &w->have->list.v[i];

		if ((l->kind == NFT_O_SET || l->kind == NFT_O_CHAIN) &&
		    family_stays(w->d, l->family) &&
		    find(w->want, l->kind, l->family, l->key) == NULL)
			vec_add(w->a, &w->d->gone, l);
	}
}

void nft_delta_make(struct arena *a, const struct nft_program *p, struct nft_lines *have,
		    struct nft_lines *want, bool rewrite, struct nft_delta *ret)
{
	struct work w = { .a = a, .p = p, .have = have, .want = want, .rewrite = rewrite,
			  .d = ret };

	*ret = (struct nft_delta){ .a = a };
	if (p == NULL)
		return;
	ret->chains = arena_array(a, struct nft_chain_delta, p->chains.n + 1);
	ret->sets = arena_array(a, struct nft_set_delta, p->sets.n + 1);
	for (int f = 0; f < N_NFT_FAMILIES; f++) {
		const struct nft_line *l = find(have, NFT_O_TABLE,
						nft_family_number((enum nft_family)f), "");

		/* One with flags sleeps, and cannot be woken while it changes */
		ret->stays[f] = p->has_table[f] && l != NULL && l->text[0] == '\0';
	}
	if (have->list.n > 0) {
		w.have_rules = sort_rules(a, have);
		w.want_rules = sort_rules(a, want);
	}
	compare_sets(&w);
	compare_chains(&w);
	find_gone(&w);
}

static bool is_early(const struct nft_program *p, const struct nft_delta *d, uint32_t set)
{
	const struct nft_set *s = p->sets.v[set];

	return d->sets[set].fate == NFT_COMES && s->is_interval && d->stays[s->family];
}

static void add_gone(struct nft_delta *d, enum nft_object kind, enum nft_family f,
		     const char *name)
{
	struct nft_line *l = arena_new(d->a, struct nft_line);

	*l = (struct nft_line){ .kind = kind, .family = nft_family_number(f), .name = name };
	vec_add(d->a, &d->gone, l);
}

static void delta_of_nothing(const struct nft_program *p, struct arena *a, struct nft_delta *ret)
{
	*ret = (struct nft_delta){
		.a = a,
		.chains = arena_array(a, struct nft_chain_delta, p->chains.n + 1),
		.sets = arena_array(a, struct nft_set_delta, p->sets.n + 1),
	};
	for (int f = 0; f < N_NFT_FAMILIES; f++)
		ret->stays[f] = true;
}

bool nft_delta_split(const struct nft_program *p, struct nft_delta *d,
		     struct nft_delta *ret_first, struct nft_delta *ret_undo)
{
	bool is_any = false;

	for (uint32_t i = 0; i < p->sets.n && !is_any; i++)
		is_any = is_early(p, d, i);
	if (!is_any)
		return false;
	delta_of_nothing(p, d->a, ret_first);
	delta_of_nothing(p, d->a, ret_undo);
	for (uint32_t i = 0; i < p->chains.n; i++) {
		const struct nft_chain *c = p->chains.v[i];

		if (d->chains[i].fate != NFT_COMES || c->type != NULL || !d->stays[c->family])
			continue;
		d->chains[i].fate = NFT_STAYS;
		ret_first->chains[i].fate = NFT_COMES;
		add_gone(ret_undo, NFT_O_CHAIN, c->family, c->name);
	}
	for (uint32_t i = 0; i < p->sets.n; i++) {
		if (!is_early(p, d, i))
			continue;
		d->sets[i].fate = NFT_STAYS;
		ret_first->sets[i].fate = NFT_COMES;
		add_gone(ret_undo, NFT_O_SET, p->sets.v[i]->family, p->sets.v[i]->name);
	}
	return true;
}
