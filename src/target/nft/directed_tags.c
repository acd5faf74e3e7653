/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet has one tag, so its number is kept, not a bit for each: fifteen tags
 * fit in four bits.  A tag that no rule asks for is as good as none, but takes
 * the place of another.
 *
 * The number stands in the packet mark, which goes with the packet from one
 * crossing to the next, over lo too.  A state has the tag of the packet that
 * made it: the number in the ct mark.  One place there does for both legs: the
 * tag is asked for at the next crossing, and only where that has no state, so
 * only one of the legs has one.
 *
 * nft cannot put bits of one mark into the other but one at a time (before
 * Linux 6.13), which is why numbers are short and copied only where there are
 * some.
 */
#include "target/nft/directed.h"

#define CT_CONFIRMED	0x8u	/* IPS_CONFIRMED */

/* Does some rule ask for the tag of a bit */
static bool is_asked_for(const struct model *m, uint32_t bit)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct set *in = rule_tests(&m->lists.v[l].rules.v[i], F_TAGS);

			if (in != NULL && set_has(in, AF_NONE, bit) != set_has(in, AF_NONE, 0))
				return true;
		}
	return false;
}

static bool check_tags(struct frame *f)
{
	for (uint32_t l = 0; l < f->m->lists.n; l++)
		for (uint32_t i = 0; i < f->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &f->m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TAG);

			if (e == NULL || (__builtin_popcount(e->tags) == 1 &&
					  (e->tags | e->untags) == UINT8_MAX))
				continue;
			diag_add(f->d, DIAG_E1701, r->origin.at, "more than one tag on a packet "
				 "cannot be expressed in nftables beside directed states");
			return false;
		}
	return true;
}

bool directed_tags(struct frame *f)
{
	if (f->m->tags.n == 0)
		return true;
	for (uint32_t i = 0; i < MODEL_TAGS; i++)
		if (is_asked_for(f->m, 1u << i))
			f->tag_codes[i] = (uint8_t)++f->n_codes;
	return check_tags(f);
}

bool directed_writes(const struct frame *f, const struct rule *r)
{
	return f->n_codes != 0 && rule_has_effect(r, EF_TAG) != NULL;
}

void directed_tag(struct frame *f, struct nft_stmts *s, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_TAG);

	if (directed_writes(f, r))
		stmt_mark(f->p, s, NFT_K_MARK, ~f->tag_mask,
			  nft_spread(f->tag_codes[__builtin_ctz(e->tags)], f->tag_mask));
}

/* The number in @from_mask of one mark to @to_mask of the other */
static void copy_bits(struct frame *f, struct nft_chain *c, enum nft_key from, uint32_t from_mask,
		      enum nft_key to, uint32_t to_mask)
{
	struct nft_stmts clear = { 0 };

	stmt_mark(f->p, &clear, to, ~to_mask, 0);
	nft_add_rule(f->p, c, &clear, NULL);
	for (; from_mask != 0; from_mask &= from_mask - 1, to_mask &= to_mask - 1) {
		const uint32_t bit = from_mask & -from_mask;
		struct nft_stmts s = { 0 };

		stmt_masked(f->p, &s, from, bit, bit, false);
		stmt_mark(f->p, &s, to, UINT32_MAX, to_mask & -to_mask);
		nft_add_rule(f->p, c, &s, NULL);
	}
}

const char *directed_save_tags(struct frame *f)
{
	if (f->saves != NULL)
		return f->saves->name;
	f->saves = nft_add_named(f->p, NFT_INET, "save_tag");
	copy_bits(f, f->saves, NFT_K_MARK, f->tag_mask, NFT_K_CT_MARK, f->ct_tags);
	return f->saves->name;
}

const char *directed_restore_tags(struct frame *f)
{
	struct nft_stmts is_new = { 0 }, has_none = { 0 }, end = { 0 };

	if (f->restores != NULL)
		return f->restores->name;
	f->restores = nft_add_named(f->p, NFT_INET, "state_tag");
	/* A translation with `pass` made the state just now, where tags cannot be saved */
	stmt_masked(f->p, &is_new, NFT_K_CT_STATUS, CT_CONFIRMED, 0, false);
	stmt_verdict(f->p, &is_new, NFT_V_JUMP, directed_save_tags(f));
	nft_add_rule(f->p, f->restores, &is_new, NULL);
	stmt_masked(f->p, &has_none, NFT_K_CT_MARK, f->ct_tags, 0, false);
	stmt_verdict(f->p, &has_none, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, f->restores, &has_none, NULL);
	copy_bits(f, f->restores, NFT_K_CT_MARK, f->ct_tags, NFT_K_MARK, f->tag_mask);
	stmt_verdict(f->p, &end, NFT_V_ACCEPT, NULL);
	nft_add_rule(f->p, f->restores, &end, NULL);
	return f->restores->name;
}
