/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch - the transaction that makes the kernel hold a program
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_BATCH_H
#define TARGET_NFT_BATCH_H

#include "nl/batch.h"
#include "target/nft/delta.h"

/**
 * struct nft_job - What a message of the transaction is about
 * @what:	"chain", for a refusal without a place
 * @name:	"out_filter", or NULL: @what says it all
 * @origin:	Whose rule, or NFT_NO_ORIGIN
 */
struct nft_job {
	const char *what;
	const char *name;
	uint32_t origin;
};

/** struct nft_jobs - By cookie of the messages */
struct nft_jobs {
	struct arena *a;
	VEC(struct nft_job) list;
};

/**
 * nft_batch_fill() - Messages from what the kernel holds to what it should
 * @b:		Batch that was begun
 * @p:		Program, or NULL for nothing
 * @have:	What the kernel holds, sorted
 * @d:		The way from @have to @p
 * @jobs:	Filled, by cookie
 *
 * What is the same is not touched: base chains, other chains with all their rules,
 * sets, elements.
 *
 * Return: 0, -ENOMEM, or -EMSGSIZE
 */
MUST_USE int nft_batch_fill(struct nl_batch *b, const struct nft_program *p,
			    const struct nft_lines *have, const struct nft_delta *d,
			    struct nft_jobs *jobs);

#endif /* TARGET_NFT_BATCH_H */
