/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match - what a rule tests, as nft statements
 *
 * One conjunction of the model may need several in nft: both families, TCP and
 * other protocols, and lo where it stands for a cloned loopback.  So the
 * answer is a list of alternatives, each a rule of its own with the same
 * effect.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 emit effects or verdicts.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_MATCH_H
#define TARGET_NFT_MATCH_H

#include "target/nft/program.h"

/**
 * enum nft_lo - Which packets a chain sees
 * @NFT_LO_TOO:	Those on lo and all others
 * @NFT_LO_NOT:	None on lo
 * @NFT_LO_ONLY: Only those on lo
 */
enum nft_lo { NFT_LO_TOO, NFT_LO_NOT, NFT_LO_ONLY };

/**
 * struct nft_view - From where a rule is looked at
 * @p:		Program
 * @m:		Model
 * @d:		Told what cannot be expressed
 * @dir:	Direction of the crossing; other directions never match
 * @iface:	Key of the interface crossed
 * @lo:		What the chain sees
 * @tag_mask:	Bits of the packet mark that hold the tags; 0: nowhere
 * @tag_codes:	NULL: a bit for each tag.  Else a packet has one tag or none, and the
 *		bits hold its number, by bit of F_TAGS; 0: none that is asked for
 * @n_codes:	The highest number
 */
struct nft_view {
	struct nft_program *p;
	const struct model *m;
	struct diags *d;
	enum direction dir;
	enum nft_key iface;
	enum nft_lo lo;
	uint32_t tag_mask;
	const uint8_t *tag_codes;
	uint32_t n_codes;
};

/** struct nft_alts - Alternatives; none: never true */
struct nft_alts {
	VEC(struct nft_stmts) list;
};

/**
 * struct nft_tests - The set of each field, NULL for anything
 */
struct nft_tests {
	const struct set *f[N_FIELDS];
};

/** nft_tests_of() - The tests of a rule */
struct nft_tests nft_tests_of(const struct rule *r);

/** nft_tests_and() - Both hold */
struct nft_tests nft_tests_and(struct arena *a, const struct nft_tests *x,
			       const struct nft_tests *y);

/**
 * nft_match() - Tests as alternatives of statements
 * @v:		View
 * @t:		Tests
 * @at:		Place for diagnostics
 * @ret:	Alternatives are added
 *
 * Return: false when an error was added to the view's diagnostics
 */
bool nft_match(const struct nft_view *v, const struct nft_tests *t, struct span at,
	       struct nft_alts *ret);

/** nft_match_ifaces() - As nft_match(), for a set of interfaces alone */
bool nft_match_ifaces(const struct nft_view *v, const struct set *ifaces, struct span at,
		      struct nft_alts *ret);

/** nft_spread() - The bits of @mask, from the lowest on, made those of @value */
uint32_t nft_spread(uint32_t value, uint32_t mask);

/** nft_is_prefix() - Is a range of addresses one prefix; @ret is set if so */
bool nft_is_prefix(const struct range *r, struct prefix *ret);

/** nft_full() - All values of a family (AF_V4, AF_V6), or 0..@hi for AF_NONE */
const struct set *nft_full(struct arena *a, uint8_t af, u128 hi);

#endif /* TARGET_NFT_MATCH_H */
