/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep - what rules have counted, from one program to the next
 *
 * Owns:	 nothing; lives in an arena.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_KEEP_H
#define TARGET_NFT_KEEP_H

#include "target/nft/delta.h"

/**
 * nft_keep_texts() - Sums by text of what the kernel's rules have counted
 * @have:	Rules; those that stay where they are (is_kept) are left out
 * @a:		Memory
 * @ret:	Filled, sorted by text
 */
void nft_keep_texts(const struct nft_lines *have, struct arena *a, struct nft_texts *ret);

/**
 * nft_keep_fill() - Let a program's rules begin with what was counted
 * @p:		Program; the first counter of each rule's text gets all of it
 * @kept:	From nft_keep_texts()
 * @delta:	Which chains are written
 * @a:		Memory for the run
 */
void nft_keep_fill(struct nft_program *p, const struct nft_texts *kept,
		   const struct nft_delta *delta, struct arena *a);

#endif /* TARGET_NFT_KEEP_H */
