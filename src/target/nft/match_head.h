/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_head - tests of numbers in headers, as nft statements
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_MATCH_HEAD_H
#define TARGET_NFT_MATCH_HEAD_H

#include "target/nft/match.h"

/** head_of_ip() - Do tests ask for a number of the header of IP, which each family has elsewhere */
bool head_of_ip(const struct nft_tests *t);

/** head_has_family() - Have packets of a family the numbers that are asked for */
bool head_has_family(const struct nft_tests *t, uint8_t af);

/** head_protos() - Those of @protos that have the numbers asked for */
const struct set *head_protos(struct arena *a, const struct nft_tests *t,
			      const struct set *protos);

/**
 * head_add() - Add statements with the tests of numbers
 * @v:		View
 * @t:		Tests; F_AF is one family where head_of_ip() says so
 * @from:	Statements before
 * @ret:	Alternatives are added, one for each range, or @from alone
 */
void head_add(const struct nft_view *v, const struct nft_tests *t, const struct nft_stmts *from,
	      struct nft_alts *ret);

#endif /* TARGET_NFT_MATCH_HEAD_H */
