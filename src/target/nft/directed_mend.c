/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a filter rule changes in headers is of all packets of the state that it makes.
 * Each different change has a bit: in the packet mark while the packet is judged, and
 * in the ct mark for each leg that a state can be of.  What passes goes on to a chain
 * that changes what its bits say; a packet with a state is asked by those of its leg.
 * Several bits may be set, so they stand in the order of the rules, the last counts.
 */
#include "target/nft/directed.h"

static void note(struct frame *f, uint32_t scrub)
{
	for (uint32_t i = 0; i < f->mends.n; i++)
		if (f->mends.v[i].scrub == scrub)
			return;
	vec_add(f->p->a, &f->mends, ((struct mend){ .scrub = scrub }));
}

void directed_mends(struct frame *f)
{
	const struct model *m = f->m;

	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];

			for (uint32_t k = 0; k < r->effects.n; k++) {
				const struct effect *e = &r->effects.v[k];

				if (e->kind == EF_MEND)
					note(f, e->scrub);
				if (e->kind == EF_PREFER && e->ruling.mend != 0)
					note(f, e->ruling.mend - 1);
			}
		}
}

static struct mend *mend_of(struct frame *f, uint32_t scrub)
{
	for (uint32_t i = 0; i < f->mends.n; i++)
		if (f->mends.v[i].scrub == scrub)
			return &f->mends.v[i];
	BUG_IF(true);
}

void directed_mend(struct frame *f, struct nft_stmts *s, uint32_t scrub)
{
	stmt_mark(f->p, s, NFT_K_MARK, UINT32_MAX, mend_of(f, scrub)->bit);
}

uint32_t directed_mend_bits(struct frame *f, const struct rule *r, uint32_t legs)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < r->effects.n; i++)
		for (int dir = DIR_IN; dir <= DIR_OUT && r->effects.v[i].kind == EF_MEND; dir++)
			if ((legs & f->leg[dir]) != 0)
				bits |= mend_of(f, r->effects.v[i].scrub)->ct[dir];
	return bits;
}

void directed_keep_mends(struct frame *f, struct nft_chain *c, bool is_reply, enum direction leg)
{
	for (uint32_t i = 0; i < f->mends.n; i++) {
		struct nft_stmts s = { 0 };

		stmt_match(f->p, &s, NFT_K_CT_DIR, false, nft_value_num(NFT_T_CT_DIR, is_reply));
		stmt_masked(f->p, &s, NFT_K_MARK, f->mends.v[i].bit, f->mends.v[i].bit, false);
		stmt_mark(f->p, &s, NFT_K_CT_MARK, UINT32_MAX, f->mends.v[i].ct[leg]);
		nft_add_rule(f->p, c, &s, NULL);
	}
}

/* The chain that changes what the bits in a mark say; it comes back */
static void add_changes(struct frame *f, struct nft_chain *c, int leg)
{
	for (uint32_t i = 0; i < f->mends.n; i++) {
		struct mend *x = &f->mends.v[i];
		const uint32_t bit = leg < 0 ? x->bit : x->ct[leg];
		struct nft_stmts s = { 0 };

		if (x->chain == NULL)
			x->chain = directed_scrub_chain(f, &f->m->scrubs.v[x->scrub]);
		stmt_masked(f->p, &s, leg < 0 ? NFT_K_MARK : NFT_K_CT_MARK, bit, bit, false);
		stmt_verdict(f->p, &s, NFT_V_JUMP, x->chain);
		nft_add_rule(f->p, c, &s, NULL);
	}
}

void directed_pass(struct frame *f, struct nft_stmts *s)
{
	struct nft_stmts end = { 0 };

	if (f->mends.n == 0) {
		stmt_verdict(f->p, s, NFT_V_ACCEPT, NULL);
		return;
	}
	if (f->mended == NULL) {
		f->mended = nft_add_named(f->p, NFT_INET, "mend");
		add_changes(f, f->mended, -1);
		stmt_verdict(f->p, &end, NFT_V_ACCEPT, NULL);
		nft_add_rule(f->p, f->mended, &end, NULL);
	}
	stmt_verdict(f->p, s, NFT_V_GOTO, f->mended->name);
}

void directed_pass_state(struct frame *f, struct nft_stmts *s, enum direction leg)
{
	static const char *const names[] = { [DIR_IN] = "in_mend", [DIR_OUT] = "out_mend" };
	const bool has_tags = f->tag_mask != 0;
	const enum nft_verdict v = has_tags ? NFT_V_GOTO : NFT_V_ACCEPT;
	struct nft_stmts end = { 0 };

	if (f->mends.n == 0) {
		stmt_verdict(f->p, s, v, has_tags ? directed_restore_tags(f) : NULL);
		return;
	}
	if (f->mended_states[leg] == NULL) {
		f->mended_states[leg] = nft_add_named(f->p, NFT_INET, names[leg]);
		add_changes(f, f->mended_states[leg], (int)leg);
		stmt_verdict(f->p, &end, v, has_tags ? directed_restore_tags(f) : NULL);
		nft_add_rule(f->p, f->mended_states[leg], &end, NULL);
	}
	stmt_verdict(f->p, s, NFT_V_GOTO, f->mended_states[leg]->name);
}
