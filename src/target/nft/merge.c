/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules of a chain that end at once (tests, a counter, a verdict) and differ only
 * in the values of interfaces, protocols, addresses or ports are of one shape.
 * Where no packet meets two of them their order says nothing, so they are one
 * look-up of what differs in a map of verdicts, behind the tests that all have.
 * Each element keeps its rule's counter and comment, and with it the place of the
 * rule.  A rule that logs, draws or marks is none of these: that would have to stand
 * between the look-up and the verdict.
 *
 * Shapes may alternate, as `proto { tcp udp }` gives a rule with flags and one
 * without, as long as all rules of the one exclude all of the other by a value that
 * neither varies (udp is not tcp).  Such a pair asks the same map.
 *
 * Points are a hash; ranges and prefixes need an interval map of several keys, so a
 * field that varies alone is asked for twice: an interval map of one key holds a range
 * as two elements, its first value and the one behind it, which may be the first value
 * of the next.
 */
#include "target/nft/merge.h"

#include <string.h>

#define RULES_MIN	8u	/* fewer cost no more than the look-up */
#define ELEMS_PER_RULE	32u	/* on average; lists in several fields multiply */

/* What a map is made of: statements that are its keys, in their order */
struct keys {
	uint8_t stmts[NFT_KEYS_MAX];
	uint8_t n;
	bool has_ranges;
	uint64_t n_elems;
	struct nft_set *map;
};

static void count_elems(const struct merger *w, uint32_t shape, struct keys *ret)
{
	for (uint32_t i = w->start; i < w->end; i++) {
		uint64_t n = 1;

		for (uint8_t k = 0; k < ret->n && w->of[i] == shape; k++) {
			const struct nft_stmt *s = merge_stmt(&w->rules[i], ret->stmts[k]);

			n = MIN(n * merge_n_values(s), UINT32_MAX);
			ret->has_ranges |= merge_has_ranges(s);
		}
		ret->n_elems += w->of[i] == shape ? n : 0;
	}
}

static bool find_keys(const struct merger *w, uint32_t shape, struct keys *ret)
{
	const struct shape *s = &w->shapes[shape];

	*ret = (struct keys){ .n = 0 };
	for (uint32_t k = 0; k < merge_n_tests(s->first); k++)
		if ((s->varies >> k & 1) != 0)
			ret->stmts[ret->n++] = (uint8_t)k;
	if (s->n_rules < RULES_MIN || ret->n == 0)
		return false;
	count_elems(w, shape, ret);
	if (ret->n == 1 && ret->has_ranges)
		ret->stmts[ret->n++] = ret->stmts[0];	/* counted once */
	return ret->n_elems <= (uint64_t)s->n_rules * ELEMS_PER_RULE;
}

/* The chain of a verdict: a map leads to chains only */
static const char *chain_of(struct nft_program *p, const struct nft_decision *d)
{
	static const char *const names[] = {
		[NFT_V_ACCEPT] = "merged_accept", [NFT_V_DROP] = "merged_drop",
	};
	struct nft_stmts s = { 0 };

	if (d->verdict == NFT_V_GOTO)
		return d->chain;
	if (nft_chain_number(p, NFT_INET, names[d->verdict]) == UINT32_MAX) {
		stmt_verdict(p, &s, d->verdict, NULL);
		nft_add_rule(p, nft_add_named(p, NFT_INET, names[d->verdict]), &s, NULL);
	}
	return names[d->verdict];
}

/* The values of an element, each at a multiple of 4 bytes */
static void put_key(struct nft_program *p, const struct keys *keys, const struct nft_rule *r,
		    const uint32_t *at, struct nft_elem *e)
{
	uint8_t *end = e->key + NFT_VALUE_BYTES;
	uint32_t to = 0;

	if (keys->n > 1 && keys->has_ranges)
		e->key_end = end = arena_alloc(p->a, NFT_CONCAT_BYTES);
	for (uint8_t k = 0; k < keys->n; k++) {
		const struct nft_stmt *s = merge_stmt(r, keys->stmts[k]);
		const uint8_t len = merge_len(merge_key(s));
		/* A field that is asked for twice has the same value twice */
		const bool is_twice = k > 0 && keys->stmts[k] == keys->stmts[0];
		const struct values v = merge_value(s, at[is_twice ? 0 : k]);

		memcpy(e->key + to, v.lo, len);
		if (keys->has_ranges || keys->n == 1)
			memcpy(end + to, v.hi, len);
		to += (len + 3u) / 4 * 4;
	}
}

/* Each combination of a rule's values */
static void add_elems(struct nft_program *p, const struct keys *keys, const struct nft_rule *r,
		      struct nft_set *map)
{
	const uint8_t n = keys->stmts[0] == keys->stmts[1] ? 1 : keys->n;
	uint32_t at[NFT_KEYS_MAX] = { 0 };
	uint8_t k;

	do {
		struct nft_elem *e = vec_push(p->a, &map->elems);

		e->chain = chain_of(p, merge_verdict(r));
		e->comment = r->comment;
		e->origin = r->origin;
		put_key(p, keys, r, at, e);
		for (k = 0; k < n; k++) {
			if (++at[k] < merge_n_values(merge_stmt(r, keys->stmts[k])))
				break;
			at[k] = 0;
		}
	} while (k < n);
}

static const struct nft_rule *next_of(const struct merger *w, uint32_t shape, uint32_t *at)
{
	while (*at < w->end && w->of[*at] != shape)
		++*at;
	return *at < w->end ? &w->rules[(*at)++] : NULL;
}

static bool same_elems(const struct nft_rule *x, const struct keys *xs, const struct nft_rule *y,
		       const struct keys *ys)
{
	const struct nft_decision *a = merge_verdict(x), *b = merge_verdict(y);

	for (uint8_t k = 0; k < xs->n; k++)
		if (!merge_same_values(merge_stmt(x, xs->stmts[k]), merge_stmt(y, ys->stmts[k])))
			return false;
	return x->origin == y->origin && x->comment == y->comment && a->verdict == b->verdict &&
	       (a->verdict != NFT_V_GOTO || strcmp(a->chain, b->chain) == 0);
}

/* Would the maps of two shapes be the same */
static bool same_map(const struct merger *w, uint32_t x, const struct keys *xs, uint32_t y,
		     const struct keys *ys)
{
	const struct nft_rule *a = w->shapes[x].first, *b = w->shapes[y].first;
	uint32_t at[2] = { w->start, w->start };

	if (xs->n != ys->n || xs->n_elems != ys->n_elems || xs->has_ranges != ys->has_ranges ||
	    w->shapes[x].n_rules != w->shapes[y].n_rules ||
	    merge_is_counted(a) != merge_is_counted(b))
		return false;
	for (uint8_t k = 0; k < xs->n; k++)
		if (merge_key(merge_stmt(a, xs->stmts[k])) !=
		    merge_key(merge_stmt(b, ys->stmts[k])))
			return false;
	while ((a = next_of(w, x, &at[0])) != NULL && (b = next_of(w, y, &at[1])) != NULL)
		if (!same_elems(a, xs, b, ys))
			return false;
	return true;
}

static struct nft_set *make_map(const struct merger *w, uint32_t shape, const struct keys *keys)
{
	enum nft_type types[NFT_KEYS_MAX];
	struct nft_set *map;

	for (uint8_t k = 0; k < keys->n; k++)
		types[k] = nft_keys[merge_key(merge_stmt(w->shapes[shape].first,
						   keys->stmts[k]))].type;
	map = (keys->has_ranges ? nft_add_ranges : nft_add_map)(w->p, NFT_INET, "verdicts", types,
								keys->n);
	map->is_vmap = true;
	map->is_counted = merge_is_counted(w->shapes[shape].first);
	for (uint32_t i = w->start; i < w->end; i++)
		if (w->of[i] == shape)
			add_elems(w->p, keys, &w->rules[i], map);
	nft_set_seal(map);
	if (!map->is_interval)
		nft_set_say_size(map);
	return map;
}

/* The map of a shape: that of a shape before it, or a new one */
static void find_map(const struct merger *w, uint32_t shape, struct keys *keys)
{
	struct keys *own = &keys[shape];

	for (uint32_t i = 0; i < w->n_shapes && own->map == NULL; i++)
		if (keys[i].map != NULL && same_map(w, i, &keys[i], shape, own))
			own->map = keys[i].map;
	if (own->map == NULL)
		own->map = make_map(w, shape, own);
}

/* What all rules of a shape test, and then the look-up of the rest */
static void add_map(struct merger *w, struct nft_chain *to, uint32_t shape,
		    const struct keys *keys)
{
	const struct shape *sh = &w->shapes[shape];
	struct nft_stmt look = { .kind = NFT_S_VMAP,
				 .lookup = { .n_keys = keys->n, .set = keys->map } };
	struct nft_stmts s = { 0 };

	for (uint32_t k = 0; k < merge_n_tests(sh->first); k++)
		if ((sh->varies >> k & 1) == 0)
			stmt_add(w->p, &s, merge_stmt(sh->first, k));
	for (uint8_t k = 0; k < keys->n; k++)
		look.lookup.keys[k] = merge_key(merge_stmt(sh->first, keys->stmts[k]));
	stmt_add(w->p, &s, &look);
	nft_add_rule(w->p, to, &s, NULL);
}

/* The rules of the window into a chain: a map where the first of its rules stood */
static void add_run(struct merger *w, struct nft_chain *to)
{
	bool is_map[MERGE_SHAPES] = { false }, is_there[MERGE_SHAPES] = { false };
	struct keys keys[MERGE_SHAPES] = { { .n = 0 } };

	for (uint32_t i = 0; i < w->n_shapes; i++)
		is_map[i] = find_keys(w, i, &keys[i]);
	for (uint32_t i = w->start; i < w->end; i++) {
		const uint8_t shape = w->of[i];

		if (!is_map[shape]) {
			vec_add(w->p->a, &to->rules, w->rules[i]);
		} else if (!is_there[shape]) {
			find_map(w, shape, keys);
			add_map(w, to, shape, &keys[shape]);
		}
		is_there[shape] = true;
	}
}

static void merge_chain(struct nft_program *p, struct nft_chain *c)
{
	struct merger w = { .p = p, .rules = c->rules.v, .n = c->rules.n };
	const struct nft_scope outer = nft_enter(p, c);

	w.of = arena_array(p->tmp, uint8_t, w.n);
	w.open = arena_array(p->tmp, uint32_t, w.n);
	c->rules.v = NULL;
	c->rules.n = c->rules.cap = 0;
	while (w.start < w.n) {
		merge_find_run(&w);
		if (w.end == w.start)
			vec_add(p->a, &c->rules, w.rules[w.end++]);
		else
			add_run(&w, c);
		w.start = w.end;
	}
	p->scope = outer;
}

/* Are there so many rules with a shape that some may be merged */
static bool is_worth_it(const struct nft_chain *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->rules.n && n < RULES_MIN; i++)
		n += merge_has_shape(&c->rules.v[i]);
	return n == RULES_MIN;
}

void nft_merge_rules(struct nft_program *p)
{
	const uint32_t n = p->chains.n;

	for (uint32_t i = 0; i < n; i++) {
		struct nft_chain *c = p->chains.v[i];

		if (c->family == NFT_INET && (c->type == NULL || strcmp(c->type, "nat") != 0) &&
		    is_worth_it(c))
			merge_chain(p, c);
		nft_forget(p);
	}
}
