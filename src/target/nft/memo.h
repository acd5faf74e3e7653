/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memo - what the kernel held after a load, so that the next need not ask
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 look at the kernel, but for the handles of rules.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_MEMO_H
#define TARGET_NFT_MEMO_H

#include "target/nft/delta.h"

/**
 * nft_memo_lines() - The lines of a program, its rules by the digest of their messages
 * @p:		Program
 * @ret:	Filled and sorted; its arena must be set
 */
void nft_memo_lines(const struct nft_program *p, struct nft_lines *ret);

/**
 * nft_memo_read() - The lines that a memo remembers
 * @m:		Memo
 * @genid:	Generation that the kernel is in
 * @ret:	Filled and sorted; its arena must be set
 *
 * Return: false when it is of another generation, or says nothing
 */
bool nft_memo_read(const struct nft_memo *m, uint32_t genid, struct nft_lines *ret);

/**
 * nft_memo_write() - Remember
 * @m:		Memo; set
 * @genid:	Generation in which the kernel holds these lines
 * @l:		From nft_memo_lines()
 * @a:		Memory for the text
 */
void nft_memo_write(struct nft_memo *m, uint32_t genid, const struct nft_lines *l,
		    struct arena *a);

/** nft_memo_suffices() - Do rules only come or only go: nothing of theirs need be known */
bool nft_memo_suffices(const struct nft_program *p, const struct nft_delta *d);

/**
 * nft_memo_handles() - Ask for the handles of rules where a transaction names some
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program
 * @d:		The way to it; handles are set in its lines
 *
 * Return: 0; -ESTALE when there are not the rules that were remembered; or as nl_dump()
 */
MUST_USE int nft_memo_handles(struct nl_session *nl, const struct nft_program *p,
			      struct nft_delta *d);

#endif /* TARGET_NFT_MEMO_H */
