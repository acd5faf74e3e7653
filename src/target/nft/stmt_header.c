/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Statements that write into a packet, and the count of connections.  A byte of
 * the IPv4 header is written with its neighbour, because the checksum is made
 * of pairs: that is how nft does it.  The kernel makes a segment size never
 * larger.
 */
#include "target/nft/stmt.h"

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/tcp.h>

#define IP_CHECKSUM	10	/* its byte in the IPv4 header */

/* Bytes that are written: what of them stays, and how far left the value goes */
static const struct {
	const char *text;
	bool has_value;
	uint32_t offset;
	uint8_t len;
	uint8_t keep[2];
	uint8_t shift;
	bool has_checksum;
} writes[] = {
	[NFT_H_TTL] = { "ip ttl set", true, 8, 2, { 0x00, 0xff }, 8, true },
	[NFT_H_HOPLIMIT] = { "ip6 hoplimit set", true, 7, 1, { 0 }, 0, false },
	[NFT_H_DSCP] = { "ip dscp set", true, 0, 2, { 0xff, 0x03 }, 2, true },
	[NFT_H_DSCP6] = { "ip6 dscp set", true, 0, 2, { 0xf0, 0x3f }, 6, false },
	[NFT_H_NO_DF] = { "ip frag-off set ip frag-off & 49151", false, 6, 2, { 0xbf, 0xff }, 0,
			  true },
};

void stmt_count_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	struct nftnl_expr *e = nft_expr(r, "connlimit");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_COUNT, s->count_over);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
}

void stmt_count_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "ct count over %u", s->count_over);
}

static void emit_maxseg(uint16_t size, struct nftnl_rule *r)
{
	const uint8_t be[] = { (uint8_t)(size >> 8), (uint8_t)size };
	struct nftnl_expr *e;

	nft_emit_immediate(r, NFT_REG_1, be, sizeof(be));
	e = nft_expr(r, "exthdr");
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_SREG, NFT_REG_1);
	nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 2);
	nftnl_expr_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, sizeof(be));
}

static void emit_old(struct nftnl_rule *r, enum nft_header what, const uint8_t *value)
{
	struct nftnl_expr *e = nft_expr(r, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, writes[what].offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, writes[what].len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
	nft_emit_mask(r, writes[what].keep, value, writes[what].len);
}

void stmt_header_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	const enum nft_header what = s->write.what;
	const bool csum = what != NFT_H_MAXSEG && writes[what].has_checksum;
	struct nftnl_expr *e;
	uint32_t v;

	if (what == NFT_H_MAXSEG) {
		emit_maxseg(s->write.value, r);
		return;
	}
	v = what == NFT_H_NO_DF ? 0 : (uint32_t)s->write.value << writes[what].shift;
	if (writes[what].len == 1)
		nft_emit_immediate(r, NFT_REG_1, &(uint8_t){ (uint8_t)v }, 1);
	else
		emit_old(r, what, (const uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v });
	e = nft_expr(r, "payload");
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, writes[what].offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, writes[what].len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_TYPE,
			   csum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, csum ? IP_CHECKSUM : 0);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_FLAGS, 0);
}

void stmt_header_print(const struct nft_stmt *s, FILE *out)
{
	const enum nft_header what = s->write.what;

	if (what == NFT_H_MAXSEG)
		fprintf(out, "tcp option maxseg size set %u", s->write.value);
	else if (writes[what].has_value)
		fprintf(out, "%s %u", writes[what].text, s->write.value);
	else
		fputs(writes[what].text, out);
}
