/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Pools draw by rules: the first member takes every n-th flow, the next every
 * (n-1)-th of the rest, and the last what is left.  A hash of the source is
 * compared with each member's number.
 *
 * What makes a pool sticky is a set of sources for each of its addresses, which
 * is asked before anything is drawn.  pf forgets a source with its last state;
 * here it is forgotten a day, the longest that pf keeps an idle state, after its
 * last new flow.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>

#define STICKY_MS	UINT64_C(86400000)
#define STICKY_SOURCES	65536u

void directed_pool(struct frame *f, const struct xlate *x, const struct addr *to, uint32_t n_to,
		   uint32_t i, struct nft_stmts *ret)
{
	const bool v4 = to[i].af == AF_V4;

	if (i + 1 == n_to)
		return;
	if (x->pool != POOL_SOURCE_HASH) {
		stmt_add(f->p, ret, &(struct nft_stmt){ .kind = NFT_S_DRAW, .draw = {
			.is_random = x->pool == POOL_RANDOM, .mod = n_to - i } });
		return;
	}
	stmt_match(f->p, ret, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
	stmt_add(f->p, ret, &(struct nft_stmt){ .kind = NFT_S_HASH, .hash = {
		.key = v4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR,
		.seed = x->seed, .mod = n_to, .is = i } });
}

struct nft_set *directed_sticky(struct frame *f, const struct xlate *x, struct addr to)
{
	const enum nft_type type = to.af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	struct nft_set *set;

	for (uint32_t i = 0; i < f->stickies.n; i++)
		if (f->stickies.v[i].xlate == x && addr_equal(f->stickies.v[i].to, to))
			return f->stickies.v[i].set;
	set = nft_add_map(f->p, NFT_INET, "sticky", &type, 1);
	set->is_dynamic = true;
	set->timeout_ms = STICKY_MS;
	set->size = STICKY_SOURCES;
	nft_set_seal(set);
	vec_add(f->p->a, &f->stickies, ((struct sticky){ x, to, set }));
	return set;
}
