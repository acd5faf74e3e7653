/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel counts chains that lead to each other from a base chain on, also
 * by goto, which needs no stack, and takes no more than 16.  So lists that lead
 * further are refused here, at the rule that does.
 */
#include "target/nft/program.h"

#define DEPTH_MAX	16u	/* NFT_JUMP_STACK_SIZE, base chain included */

/* The walk: how deep each chain has been seen, as level + 1 */
struct depths {
	const struct nft_program *p;
	enum nft_family family;
	uint32_t *seen;
	struct span too_deep;
};

static bool visit(struct depths *d, uint32_t chain, uint32_t level, struct span at);

static bool visit_name(struct depths *d, const char *name, uint32_t level, struct span at)
{
	const uint32_t i = nft_chain_number(d->p, d->family, name);

	BUG_IF(i == UINT32_MAX);
	return visit(d, i, level, at);
}

static bool visit_stmt(struct depths *d, const struct nft_stmt *s, uint32_t level, struct span at)
{
	if (s->kind == NFT_S_VERDICT && s->decision.chain != NULL)
		return visit_name(d, s->decision.chain, level, at);
	for (uint32_t i = 0; s->kind == NFT_S_VMAP && i < s->lookup.set->elems.n; i++)
		if (!visit_name(d, s->lookup.set->elems.v[i].chain, level, at))
			return false;
	return true;
}

static bool visit(struct depths *d, uint32_t chain, uint32_t level, struct span at)
{
	const struct nft_chain *c = d->p->chains.v[chain];

	if (level == DEPTH_MAX) {
		d->too_deep = at;
		return false;
	}
	if (d->seen[chain] > level)
		return true;
	d->seen[chain] = level + 1;
	for (uint32_t i = 0; i < c->rules.n; i++) {
		const struct nft_rule *r = &c->rules.v[i];

		if (r->origin != NFT_NO_ORIGIN)
			at = d->p->origins.v[r->origin].at;
		for (uint32_t k = 0; k < r->stmts.list.n; k++)
			if (!visit_stmt(d, &r->stmts.list.v[k], level + 1, at))
				return false;
	}
	return true;
}

bool nft_check_depth(struct nft_program *p, struct diags *d, const char *what)
{
	struct depths w = { .p = p, .seen = arena_array(p->tmp, uint32_t, p->chains.n + 1) };

	for (uint32_t i = 0; i < p->chains.n; i++) {
		w.family = p->chains.v[i]->family;
		if (p->chains.v[i]->type == NULL || visit(&w, i, 0, SPAN_NONE))
			continue;
		diag_add(d, DIAG_E1711, w.too_deep,
			 "more than %u %s one behind the other cannot be expressed in nftables",
			 DEPTH_MAX - 1, what);
		return false;
	}
	return true;
}
