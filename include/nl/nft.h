/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nft - what nf_tables holds, as raw messages
 *
 * Reads the generation and the objects of tables.  Who knows libnftnl parses
 * the messages.
 *
 * Owns:	 nothing.
 * Does not:	 parse objects, or change anything (see nl/batch.h for that).
 * Threads:	 none.
 */
#ifndef NL_NFT_H
#define NL_NFT_H

#include "nl/session.h"

/**
 * enum nl_nft_kind - Objects that can be listed
 * @NL_NFT_TABLES:	Tables
 * @NL_NFT_CHAINS:	Chains
 * @NL_NFT_RULES:	Rules
 * @NL_NFT_SETS:	Sets and maps
 * @NL_NFT_ELEMS:	Elements of one set
 */
enum nl_nft_kind { NL_NFT_TABLES, NL_NFT_CHAINS, NL_NFT_RULES, NL_NFT_SETS, NL_NFT_ELEMS };

/**
 * struct nl_nft_query - Which objects
 * @kind:	What to list
 * @family:	NFPROTO_INET and so on; NFPROTO_UNSPEC for all
 * @table:	Only those of this table; NULL for all, not with NL_NFT_ELEMS
 * @set:	Name of the set, with NL_NFT_ELEMS only
 * @chain:	With NL_NFT_RULES and @table: the kernel may leave out those of others
 */
struct nl_nft_query {
	enum nl_nft_kind kind;
	uint8_t family;
	const char *table;
	const char *set;
	const char *chain;
};

/**
 * nl_genid() - The generation of the nf_tables objects of this namespace
 * @s:		Session of NETLINK_NETFILTER
 * @ret:	Set on success; every commit makes another, never 0
 *
 * Return: 0, or a negative errno of nl_talk()
 */
MUST_USE int nl_genid(struct nl_session *s, uint32_t *ret);

/**
 * nl_nft_dump() - List objects
 * @s:		Session of NETLINK_NETFILTER
 * @q:		Which
 * @each:	As nl_dump(): told NULL whenever the list starts (again)
 * @arg:	For @each
 *
 * One list is consistent in itself; to know that several lists belong
 * together compare nl_genid() before and after.  A table that does not exist
 * has no objects: an empty list and no error, but with NL_NFT_ELEMS.
 *
 * Return: 0; -ENOENT for the elements of a set that does not exist; else as
 * nl_dump()
 */
MUST_USE int nl_nft_dump(struct nl_session *s, const struct nl_nft_query *q, nl_each_fn *each,
			 void *arg);

/** nl_nft_rule_handle() - The handle of a listed rule, 0 when it is of another chain */
uint64_t nl_nft_rule_handle(const struct nlmsghdr *msg, const char *chain);

#endif /* NL_NFT_H */
