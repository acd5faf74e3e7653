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

void stmt_count_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_put_expr(p, "connlimit");
	nft_put_count(p, s->count_over);
}

void stmt_count_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "ct count over %u", s->count_over);
}

static void emit_maxseg(uint16_t size, struct nft_put *p)
{
	const uint8_t be[] = { (uint8_t)(size >> 8), (uint8_t)size };

	nft_emit_immediate(p, NFT_REG_1, be, sizeof(be));
	nft_put_expr(p, "exthdr");
	nft_put_u32(p, NFTA_EXTHDR_SREG, NFT_REG_1);
	nft_put_u8(p, NFTA_EXTHDR_TYPE, TCPOPT_MAXSEG);
	nft_put_u32(p, NFTA_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
	nft_put_u32(p, NFTA_EXTHDR_OFFSET, 2);
	nft_put_u32(p, NFTA_EXTHDR_LEN, sizeof(be));
}

static void emit_old(struct nft_put *p, enum nft_header what, const uint8_t *value)
{
	nft_put_expr(p, "payload");
	nft_put_u32(p, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nft_put_u32(p, NFTA_PAYLOAD_OFFSET, writes[what].offset);
	nft_put_u32(p, NFTA_PAYLOAD_LEN, writes[what].len);
	nft_put_u32(p, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_emit_mask(p, writes[what].keep, value, writes[what].len);
}

void stmt_header_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const enum nft_header what = s->write.what;
	const bool csum = what != NFT_H_MAXSEG && writes[what].has_checksum;
	uint32_t v;

	if (what == NFT_H_MAXSEG) {
		emit_maxseg(s->write.value, p);
		return;
	}
	v = what == NFT_H_NO_DF ? 0 : (uint32_t)s->write.value << writes[what].shift;
	if (writes[what].len == 1)
		nft_emit_immediate(p, NFT_REG_1, &(uint8_t){ (uint8_t)v }, 1);
	else
		emit_old(p, what, (const uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v });
	nft_put_expr(p, "payload");
	nft_put_u32(p, NFTA_PAYLOAD_SREG, NFT_REG_1);
	nft_put_u32(p, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	nft_put_u32(p, NFTA_PAYLOAD_OFFSET, writes[what].offset);
	nft_put_u32(p, NFTA_PAYLOAD_LEN, writes[what].len);
	nft_put_u32(p, NFTA_PAYLOAD_CSUM_TYPE,
		    csum ? NFT_PAYLOAD_CSUM_INET : NFT_PAYLOAD_CSUM_NONE);
	nft_put_u32(p, NFTA_PAYLOAD_CSUM_OFFSET, csum ? IP_CHECKSUM : 0);
	nft_put_u32(p, NFTA_PAYLOAD_CSUM_FLAGS, 0);
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
