/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a filter rule changes in headers is of all packets of the state that it makes.
 * Each different change has a bit: in the packet mark while the packet is judged, and
 * in the ct mark for each leg that a state can be of.  What passes goes on to a chain
 * that changes what its bits say; a packet with a state is asked by those of its leg.
 *
 * Of several rules the last that says something of a header counts.  So changes are
 * taken apart into classes of fields that always go together, and a bit that is set
 * clears the others of its class: then the order of the chains says nothing.
 */
#include "target/nft/directed.h"

/* The fields of each change that rules make are some of these classes, wholly */
struct classes {
	unsigned int of[4];
	uint32_t n;
};

typedef void each_fn(struct frame *f, struct classes *c, uint32_t scrub);

static void each_change(struct frame *f, struct classes *c, each_fn *fn)
{
	const struct model *m = f->m;

	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];

			for (uint32_t k = 0; k < r->effects.n; k++) {
				const struct effect *e = &r->effects.v[k];

				if (e->kind == EF_MEND)
					fn(f, c, e->scrub);
				if (e->kind == EF_PREFER && e->ruling.mend != 0)
					fn(f, c, e->ruling.mend - 1);
			}
		}
}

static void split(struct frame *f, struct classes *c, uint32_t scrub)
{
	const unsigned int fields = scrub_fields(f->m->scrubs.v[scrub]);

	for (uint32_t i = c->n; i-- > 0;) {
		const unsigned int in = c->of[i] & fields, rest = c->of[i] & ~fields;

		if (in == 0 || rest == 0)
			continue;
		c->of[i] = in;
		c->of[c->n++] = rest;
	}
}

static void note(struct frame *f, struct classes *c, uint32_t scrub)
{
	const struct scrub all = f->m->scrubs.v[scrub];

	for (uint32_t i = 0; i < c->n; i++) {
		const struct scrub part = scrub_part(all, c->of[i]);
		bool is_new = (c->of[i] & scrub_fields(all)) != 0;

		for (uint32_t k = 0; k < f->mends.n; k++)
			is_new &= !scrub_equal(f->mends.v[k].what, part);
		if (is_new)
			vec_add(f->p->a, &f->mends, ((struct mend){ .what = part }));
	}
}

void directed_mends(struct frame *f)
{
	struct classes c = { .of = { SCRUB_ALL }, .n = 1 };

	each_change(f, &c, split);
	each_change(f, &c, note);
}

/* Is a part one of those that a change takes the place of; *@is: it is of the change itself */
static bool is_replaced(const struct mend *x, struct scrub by, bool *is)
{
	const unsigned int fields = scrub_fields(x->what);

	*is = scrub_equal(x->what, scrub_part(by, fields));
	return (fields & scrub_fields(by)) != 0;
}

void directed_mend(struct frame *f, struct nft_stmts *s, uint32_t scrub)
{
	uint32_t keep = UINT32_MAX, set = 0;
	bool is;

	for (uint32_t i = 0; i < f->mends.n; i++) {
		if (!is_replaced(&f->mends.v[i], f->m->scrubs.v[scrub], &is))
			continue;
		if (is)
			set |= f->mends.v[i].bit;
		else
			keep &= ~f->mends.v[i].bit;
	}
	stmt_mark(f->p, s, NFT_K_MARK, keep, set);
}

uint32_t directed_mend_bits(struct frame *f, const struct rule *r, uint32_t legs)
{
	struct scrub all = { .tos = -1 };
	uint32_t bits = 0;
	bool is;

	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind == EF_MEND)
			all = scrub_merge(all, f->m->scrubs.v[r->effects.v[i].scrub]);
	for (uint32_t i = 0; i < f->mends.n; i++)
		for (int dir = DIR_IN; dir <= DIR_OUT; dir++)
			if ((legs & f->leg[dir]) != 0 &&
			    is_replaced(&f->mends.v[i], all, &is) && is)
				bits |= f->mends.v[i].ct[dir];
	return bits;
}

bool directed_mend_is_of_leg(const struct frame *f, uint32_t i)
{
	const struct scrub what = f->mends.v[i].what;
	bool has_others = false;

	for (uint32_t k = 0; k < f->mends.n; k++)
		has_others |= k != i && (scrub_fields(f->mends.v[k].what) & SCRUB_TOS) != 0;
	return what.min_ttl != 0 || (what.tos >= 0 && has_others);
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
			x->chain = directed_scrub_chain(f, &x->what);
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
