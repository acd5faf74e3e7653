/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Statements that ask the kernel's clock.  Its time is of host order and 8 bytes,
 * and is compared as bytes, so the first byte must be the highest.
 */
#include "target/nft/stmt.h"

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

#define NS_PER_SECOND	UINT64_C(1000000000)
#define TIME_BYTES	8u

/* The clock counts nanoseconds in 64 bits: it does not get beyond the year 2554 */
static uint64_t within_clock(uint64_t seconds)
{
	return MIN(seconds, UINT64_MAX / NS_PER_SECOND);
}

void stmt_before_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	const uint64_t ns = within_clock(s->before_s) * NS_PER_SECOND;
	uint8_t be[TIME_BYTES];
	struct nftnl_expr *e = nft_expr(r, "meta");

	for (uint32_t i = 0; i < TIME_BYTES; i++)
		be[i] = (uint8_t)(ns >> (8 * (TIME_BYTES - 1 - i)));
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_TIME_NS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
	e = nft_expr(r, "byteorder");
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, TIME_BYTES);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, TIME_BYTES);
	e = nft_expr(r, "cmp");
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_LT);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, be, sizeof(be));
}

void stmt_before_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "meta time < %llu", (unsigned long long)within_clock(s->before_s));
}

void stmt_rate_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	nft_set_rate(nft_expr(r, "limit"), s->rate.n, s->rate.unit_s, s->rate.n);
}

void stmt_rate_print(const struct nft_stmt *s, FILE *out)
{
	nft_print_rate(s->rate.n, s->rate.unit_s, s->rate.n, out);
}
