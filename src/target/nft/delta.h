/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delta - what a transaction has to touch, and what it leaves alone
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 write messages (see batch.h).
 * Threads:	 none.
 */
#ifndef TARGET_NFT_DELTA_H
#define TARGET_NFT_DELTA_H

#include "target/nft/kernel.h"

/**
 * enum nft_fate - What becomes of a chain or set of the program
 * @NFT_STAYS:	The kernel has it as it should be
 * @NFT_REPLACED: The kernel has another of the name, which goes first
 * @NFT_COMES:	The kernel has none
 */
enum nft_fate { NFT_STAYS, NFT_REPLACED, NFT_COMES };

/**
 * struct nft_chain_delta - What becomes of a chain
 * @fate:	Of the chain
 * @refill:	Rules of it are written; else they are left alone
 * @head:	So many of its first rules stay all the same
 * @tail:	And so many of its last
 * @n_old:	Rules between them, which go
 * @have:	All of them: first ones, those that go, last ones
 * @before:	The kernel's rule that those which come stand before; 0: they are last
 */
struct nft_chain_delta {
	enum nft_fate fate;
	bool refill;
	uint32_t head;
	uint32_t tail;
	uint32_t n_old;
	struct nft_line *const *have;
	uint64_t before;
};

/**
 * struct nft_set_delta - What becomes of a set
 * @fate:	Of the set; unless it stays all its elements are written
 * @out:	Elements that go
 * @in:		Elements that come
 */
struct nft_set_delta {
	enum nft_fate fate;
	VEC(const struct nft_line *) out;
	VEC(const struct nft_line *) in;
};

/**
 * struct nft_delta - The way from what the kernel holds to a program
 * @a:		Memory
 * @stays:	By family: its table stays
 * @chains:	By number of the program's chain
 * @sets:	By number of the program's set
 * @gone:	Chains and sets of tables that stay that the program has not
 */
struct nft_delta {
	struct arena *a;
	bool stays[N_NFT_FAMILIES];
	struct nft_chain_delta *chains;
	struct nft_set_delta *sets;
	VEC(const struct nft_line *) gone;
};

/**
 * nft_delta_make() - Compare
 * @a:		Memory
 * @p:		Program, or NULL for nothing
 * @have:	What the kernel holds, sorted; rules that stay are marked (is_kept)
 * @want:	The lines of @p, sorted; not looked at where @have is empty
 * @rewrite:	Write all rules, also those that are the same
 * @ret:	Set
 *
 * Cost: O(n log n) in the number of lines.
 */
void nft_delta_make(struct arena *a, const struct nft_program *p, struct nft_lines *have,
		    struct nft_lines *want, bool rewrite, struct nft_delta *ret);

/**
 * nft_delta_split() - Part off what has to be there before the rest comes
 * @p:		Program of @d
 * @d:		Left without @ret_first
 * @ret_first:	New sets of ranges of tables that stay, and new chains that they may lead
 *		to: nothing asks them yet
 * @ret_undo:	The way back from @ret_first
 *
 * Return: false: there is nothing of that kind
 */
bool nft_delta_split(const struct nft_program *p, struct nft_delta *d,
		     struct nft_delta *ret_first, struct nft_delta *ret_undo);

#endif /* TARGET_NFT_DELTA_H */
