/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel counts chains that lead to each other from a base chain on, also by
 * goto, which needs no stack, and takes no more than 16.  A list with many places
 * to skip to, each before the next, is longer.  So where a way grows longer than
 * BAND chains it is cut: instead of going to the next place a rule notes the
 * place's number in the mark's label and returns; the base chain then asks for
 * each such place in turn and jumps there.  skipto goes forward only, so asking in
 * topological order finds whatever a place leads to behind it.
 *
 * What looks for states is jumped to and may return with a number too, so behind
 * such a jump a number means: return.
 *
 * Only lists that are too long are cut: for others the way stays goto, which costs
 * nothing.  Cutting at every place instead would cost each packet one comparison
 * for each place.
 */
#include "target/nft/free.h"

#include <string.h>

#define BAND	12u	/* chains from a base chain on; a look for states leads 2 further */

/* The chains that can be reached from some base chains */
struct graph {
	struct free_frame *f;
	struct nft_chain *const *bases;
	uint32_t n_bases;
	uint32_t *depth;	/* by number of the chain in the program, from the last cut on */
	uint32_t *id;		/* number of a place that is cut off, 0: none */
	bool *seen;
	bool *is_open;		/* on the way to the chain that is looked at */
	bool *is_jumped;
	VEC(uint32_t) order;	/* the other way round */
	uint32_t n_ids;
	struct span at;		/* of the rule that is looked at */
	bool is_loop;
};

static uint32_t number_of(const struct graph *g, const char *name)
{
	const uint32_t i = nft_chain_number(g->f->p, NFT_INET, name);

	BUG_IF(i == UINT32_MAX);
	return i;
}

static bool is_base(const struct graph *g, uint32_t i)
{
	return g->f->p->chains.v[i]->type != NULL;
}

typedef void edge_fn(struct graph *g, uint32_t from, uint32_t to, bool is_jump);

static void for_each_edge_of(struct graph *g, uint32_t from, const struct nft_rule *r,
			     edge_fn *fn)
{
	for (uint32_t k = 0; k < r->stmts.list.n; k++) {
		const struct nft_stmt *st = &r->stmts.list.v[k];

		if (r->origin != NFT_NO_ORIGIN)
			g->at = g->f->p->origins.v[r->origin].at;
		if (st->kind == NFT_S_VERDICT && st->decision.chain != NULL)
			fn(g, from, number_of(g, st->decision.chain),
			   st->decision.verdict == NFT_V_JUMP);
		for (uint32_t e = 0; st->kind == NFT_S_VMAP && e < st->lookup.set->elems.n; e++)
			fn(g, from, number_of(g, st->lookup.set->elems.v[e].chain), false);
	}
}

static void for_each_edge(struct graph *g, uint32_t from, edge_fn *fn)
{
	const struct nft_chain *c = g->f->p->chains.v[from];

	for (uint32_t i = 0; i < c->rules.n; i++)
		for_each_edge_of(g, from, &c->rules.v[i], fn);
}

static void visit(struct graph *g, uint32_t from, uint32_t to, bool is_jump)
{
	(void)from;
	g->is_jumped[to] |= is_jump;
	if (g->is_open[to] && !g->is_loop) {
		diag_add(g->f->d, DIAG_E1701, g->at,
			 "states of several names that lead back to each other cannot be "
			 "expressed in nftables");
		g->is_loop = true;
	}
	if (g->seen[to])
		return;
	g->seen[to] = g->is_open[to] = true;
	for_each_edge(g, to, visit);
	g->is_open[to] = false;
	vec_add(g->f->p->tmp, &g->order, to);
}

static void deepen(struct graph *g, uint32_t from, uint32_t to, bool is_jump)
{
	(void)is_jump;
	g->depth[to] = MAX(g->depth[to], g->depth[from] + 1);
}

static void find_cuts(struct graph *g)
{
	for (uint32_t b = 0; b < g->n_bases; b++)
		visit(g, 0, number_of(g, g->bases[b]->name), false);
	for (uint32_t i = g->order.n; i-- > 0 && !g->is_loop;) {
		const uint32_t c = g->order.v[i];

		if (g->depth[c] > BAND && !g->is_jumped[c] && !is_base(g, c)) {
			g->id[c] = ++g->n_ids;
			g->depth[c] = 1;
		}
		for_each_edge(g, c, deepen);
	}
}

/* Ends of rules that go to a place that is cut off */
static void cut_rule(struct graph *g, struct nft_rule *r)
{
	struct free_frame *f = g->f;
	struct nft_stmt *last = r->stmts.list.n > 0 ? &r->stmts.list.v[r->stmts.list.n - 1] : NULL;
	struct nft_stmts end = { 0 };
	uint32_t id;

	if (last == NULL || last->kind != NFT_S_VERDICT || last->decision.verdict != NFT_V_GOTO)
		return;
	id = g->id[number_of(g, last->decision.chain)];
	if (id == 0)
		return;
	if (r->origin != NFT_NO_ORIGIN)
		g->at = f->p->origins.v[r->origin].at;
	stmt_mark(f->p, &end, NFT_K_MARK, ~f->label_mask, nft_spread(id, f->label_mask));
	stmt_verdict(f->p, &end, NFT_V_RETURN, NULL);
	r->stmts.list.n--;
	for (uint32_t i = 0; i < end.list.n; i++)
		vec_add(f->p->a, &r->stmts.list, end.list.v[i]);
}

static bool is_jump(const struct nft_rule *r)
{
	const struct nft_stmt *last = r->stmts.list.n > 0 ? &r->stmts.list.v[r->stmts.list.n - 1]
							  : NULL;

	return last != NULL && last->kind == NFT_S_VERDICT &&
	       last->decision.verdict == NFT_V_JUMP;
}

static void cut_chain(struct graph *g, struct nft_chain *c)
{
	struct free_frame *f = g->f;
	const struct nft_rule *rules = c->rules.v;
	const uint32_t n = c->rules.n;

	c->rules.v = NULL;
	c->rules.n = c->rules.cap = 0;
	for (uint32_t i = 0; i < n; i++) {
		struct nft_rule *r = vec_push(f->p->a, &c->rules);
		struct nft_stmts back = { 0 };

		*r = rules[i];
		cut_rule(g, r);
		if (!is_jump(r))
			continue;
		stmt_masked(f->p, &back, NFT_K_MARK, f->label_mask, 0, true);
		stmt_verdict(f->p, &back, NFT_V_RETURN, NULL);
		nft_add_rule(f->p, c, &back, NULL);
	}
}

/* What has this number goes there, without it */
static void dispatch(struct free_frame *f, struct nft_chain *base, uint32_t value,
		     const char *chain)
{
	struct nft_stmts s = { 0 };

	stmt_masked(f->p, &s, NFT_K_MARK, f->decided | f->label_mask, value, false);
	stmt_mark(f->p, &s, NFT_K_MARK, ~f->label_mask, 0);
	stmt_verdict(f->p, &s, NFT_V_JUMP, chain);
	nft_add_rule(f->p, base, &s, NULL);
}

static void forget_set(struct nft_program *p, const struct nft_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->sets.n; i++)
		if (p->sets.v[i] != set)
			p->sets.v[n++] = p->sets.v[i];
	p->sets.n = n;
}

/* The base chain's last rule leads to the first places: from now on by jump */
static void cut_base(struct graph *g, struct nft_chain *base)
{
	struct free_frame *f = g->f;
	struct nft_rule *last = &base->rules.v[base->rules.n - 1];
	struct nft_stmt *st = &last->stmts.list.v[last->stmts.list.n - 1];

	if (st->kind == NFT_S_VERDICT) {
		st->decision.verdict = NFT_V_JUMP;
	} else {
		const struct nft_set *map = st->lookup.set;

		base->rules.n--;
		for (uint32_t i = 0; i < map->elems.n; i++) {
			uint32_t value;

			memcpy(&value, map->elems.v[i].key, sizeof(value));
			dispatch(f, base, value, map->elems.v[i].chain);
		}
		forget_set(f->p, map);
	}
	for (uint32_t i = g->order.n; i-- > 0;) {
		const uint32_t c = g->order.v[i];

		if (g->id[c] != 0)
			dispatch(f, base, nft_spread(g->id[c], f->label_mask),
				 f->p->chains.v[c]->name);
	}
}

/* Is there a return from a call: cut off, it would not know its caller */
static bool returns(struct graph *g)
{
	for (uint32_t i = 0; i < g->order.n; i++) {
		const struct nft_chain *c = g->f->p->chains.v[g->order.v[i]];

		for (uint32_t k = 0; k < c->rules.n; k++) {
			const struct nft_rule *r = &c->rules.v[k];

			for (uint32_t s = 0; s < r->stmts.list.n; s++)
				if (r->stmts.list.v[s].kind == NFT_S_VERDICT &&
				    r->stmts.list.v[s].decision.verdict == NFT_V_RETURN) {
					if (r->origin != NFT_NO_ORIGIN)
						g->at = g->f->p->origins.v[r->origin].at;
					return true;
				}
		}
	}
	return false;
}

bool free_cut(struct free_frame *f, struct nft_chain *const *bases, uint32_t n_bases)
{
	const uint32_t n = f->p->chains.n;
	struct arena *a = f->p->tmp;
	struct graph g = {
		.f = f, .bases = bases, .n_bases = n_bases, .at = SPAN_NONE,
		.depth = arena_array(a, uint32_t, n), .id = arena_array(a, uint32_t, n),
		.seen = arena_array(a, bool, n), .is_open = arena_array(a, bool, n),
		.is_jumped = arena_array(a, bool, n),
	};

	find_cuts(&g);
	if (g.is_loop || g.n_ids == 0)
		return !g.is_loop;
	if (returns(&g)) {
		diag_add(f->d, DIAG_E1711, g.at, "a return, where more than %u places to skip to "
			 "lie behind each other, cannot be expressed in nftables", BAND);
		return false;
	}
	for (uint32_t i = 0; i < g.order.n; i++)
		if (!is_base(&g, g.order.v[i]))
			cut_chain(&g, f->p->chains.v[g.order.v[i]]);
	for (uint32_t b = 0; b < n_bases; b++)
		cut_base(&g, bases[b]);
	if (g.n_ids < 1u << __builtin_popcount(f->label_mask))
		return true;
	diag_add(f->d, DIAG_E1707, g.at, "mask 0x%08x has no bits left for the %u places to skip "
		 "to that lie too far behind each other", f->p->options.mark_mask, g.n_ids);
	return false;
}
