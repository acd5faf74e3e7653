/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Statements that ask the kernel's clock.  Its time is of host order and 8 bytes.
 */
#include "target/nft/stmt.h"

#include <linux/netfilter/nf_tables.h>

#define NS_PER_SECOND	UINT64_C(1000000000)

/* The clock counts nanoseconds in 64 bits: it does not get beyond the year 2554 */
static uint64_t within_clock(uint64_t seconds)
{
	return MIN(seconds, UINT64_MAX / NS_PER_SECOND);
}

void stmt_before_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_put_expr(p, "meta");
	nft_put_u32(p, NFTA_META_KEY, NFT_META_TIME_NS);
	nft_put_u32(p, NFTA_META_DREG, NFT_REG_1);
	nft_emit_below(p, within_clock(s->before_s) * NS_PER_SECOND, sizeof(uint64_t));
}

void stmt_before_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "meta time < %llu", (unsigned long long)within_clock(s->before_s));
}

void stmt_rate_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_put_expr(p, "limit");
	nft_put_rate(p, s->rate.n, s->rate.unit_s, s->rate.n);
}

void stmt_rate_print(const struct nft_stmt *s, FILE *out)
{
	nft_print_rate(s->rate.n, s->rate.unit_s, s->rate.n, out);
}
