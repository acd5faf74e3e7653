/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_way - ways in which a rule's tests can hold, while they are made statements
 *
 * Owns:	 nothing; lives in the program's scratch arena.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_MATCH_WAY_H
#define TARGET_NFT_MATCH_WAY_H

#include "target/nft/match.h"

/**
 * struct nft_way - One way in which tests can hold
 * @stmts:	What is said so far
 * @t:		What is left after some fields are done
 */
struct nft_way {
	struct nft_stmts stmts;
	struct nft_tests t;
};

/** struct nft_ways - All of them; none: the tests never hold */
struct nft_ways {
	VEC(struct nft_way) list;
};

/** nft_add_way() - One way more, which is @from so far */
struct nft_way *nft_add_way(const struct nft_view *v, struct nft_ways *ws,
			    const struct nft_way *from);

/**
 * nft_expand_ifaces() - The interface crossed, and lo where it stands for a cloned loopback
 * @v:		View
 * @from:	Way, before its interfaces
 * @at:		Of the rule
 * @out:	Added to
 *
 * Return: false: there is an interface whose name nft cannot have, which is told
 */
bool nft_expand_ifaces(const struct nft_view *v, const struct nft_way *from, struct span at,
		       struct nft_ways *out);

/** nft_add_received() - The same for what received a packet that goes out; none: no name */
bool nft_add_received(const struct nft_view *v, struct nft_way *w, struct span at);

#endif /* TARGET_NFT_MATCH_WAY_H */
