/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Statements that do something with a packet: count, log, remember, and end.
 */
#include "target/nft/stmt.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

void stmt_counter_emit(const struct nft_stmt *s, struct nft_put *p)
{
	(void)s;
	nft_put_expr(p, "counter");
	if (p->packets != 0) {
		nft_put_u64(p, NFTA_COUNTER_PACKETS, p->packets);
		nft_put_u64(p, NFTA_COUNTER_BYTES, p->bytes);
	}
	p->packets = p->bytes = 0;
}

void stmt_counter_print(const struct nft_stmt *s, FILE *out)
{
	(void)s;
	fputs("counter", out);
}

void stmt_log_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_put_expr(p, "log");
	nft_put_str(p, NFTA_LOG_PREFIX, s->log.prefix);
	nft_put_u16(p, NFTA_LOG_GROUP, s->log.group);
}

void stmt_log_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "log prefix \"%s\" group %u", s->log.prefix, s->log.group);
}

void nft_put_count(struct nft_put *p, uint32_t over)
{
	nft_put_u32(p, NFTA_CONNLIMIT_COUNT, over);
	nft_put_u32(p, NFTA_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
}

void nft_put_rate(struct nft_put *p, uint32_t n, uint64_t unit_s, uint32_t burst)
{
	nft_put_u64(p, NFTA_LIMIT_RATE, n);
	nft_put_u64(p, NFTA_LIMIT_UNIT, unit_s);
	nft_put_u32(p, NFTA_LIMIT_BURST, burst);
	nft_put_u32(p, NFTA_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nft_put_u32(p, NFTA_LIMIT_FLAGS, NFT_LIMIT_F_INV);
}

void nft_print_rate(uint32_t n, uint64_t unit_s, uint32_t burst, FILE *out)
{
	fprintf(out, "limit rate over %u/%s burst %u packets", n,
		unit_s == 1 ? "second" : unit_s == 60 ? "minute" :
		unit_s == 3600 ? "hour" : "day", burst);
}

static bool is_adding(const struct nft_lookup *l)
{
	return l->count_over != 0 || l->is_add || l->counts_any;
}

/* The element has an expression of its own: a count, a measure of packets, a counter */
static void emit_elem_expr(const struct nft_lookup *l, struct nft_put *p)
{
	if (l->count_over != 0 || l->counts_any) {
		nft_put_expr_in(p, NFTA_DYNSET_EXPR, "connlimit");
		nft_put_count(p, l->count_over);
	} else if (l->rate != 0) {
		nft_put_expr_in(p, NFTA_DYNSET_EXPR, "limit");
		nft_put_rate(p, l->rate, l->rate_unit, l->burst);
	} else if (l->counts_packets) {
		nft_put_expr_in(p, NFTA_DYNSET_EXPR, "counter");
	}
}

void stmt_update_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const struct nft_lookup *l = &s->lookup;

	nft_emit_keys(p, l);
	nft_put_expr(p, "dynset");
	nft_put_u32(p, NFTA_DYNSET_OP, is_adding(l) ? NFT_DYNSET_OP_ADD : NFT_DYNSET_OP_UPDATE);
	nft_put_u32(p, NFTA_DYNSET_SREG_KEY, NFT_REG_1);
	nft_put_str(p, NFTA_DYNSET_SET_NAME, l->set->name);
	if (l->timeout_ms != 0)
		nft_put_u64(p, NFTA_DYNSET_TIMEOUT, l->timeout_ms);
	emit_elem_expr(l, p);
}

void stmt_update_print(const struct nft_stmt *s, FILE *out)
{
	const struct nft_lookup *l = &s->lookup;

	fprintf(out, "%s @%s { ", is_adding(l) ? "add" : "update", l->set->name);
	nft_print_keys(l, out);
	if (s->lookup.timeout_ms != 0)
		fprintf(out, " timeout %lums", (unsigned long)s->lookup.timeout_ms);
	if (l->count_over != 0 || l->counts_any)
		fprintf(out, " ct count over %u", s->lookup.count_over);
	if (l->rate != 0) {
		putc(' ', out);
		nft_print_rate(l->rate, l->rate_unit, l->burst, out);
	}
	if (l->counts_packets)
		fputs(" counter", out);
	fputs(" }", out);
}

static const struct {
	int code;
	const char *text;
} verdicts[] = {
	[NFT_V_ACCEPT] = { NF_ACCEPT, "accept" }, [NFT_V_DROP] = { NF_DROP, "drop" },
	[NFT_V_RETURN] = { NFT_RETURN, "return" }, [NFT_V_GOTO] = { NFT_GOTO, "goto" },
	[NFT_V_JUMP] = { NFT_JUMP, "jump" },
};

void stmt_verdict_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_put_expr(p, "immediate");
	nft_put_u32(p, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	nft_put_verdict(p, NFTA_IMMEDIATE_DATA, verdicts[s->decision.verdict].code,
			s->decision.chain);
}

void stmt_verdict_print(const struct nft_stmt *s, FILE *out)
{
	fputs(verdicts[s->decision.verdict].text, out);
	if (s->decision.chain != NULL)
		fprintf(out, " %s", s->decision.chain);
}

void stmt_reject_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const bool is_rst = s->decision.reject == NFT_R_RST;
	nft_put_expr(p, "reject");

	nft_put_u32(p, NFTA_REJECT_TYPE, is_rst ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
	nft_put_u8(p, NFTA_REJECT_ICMP_CODE, s->decision.code);
}

void stmt_reject_print(const struct nft_stmt *s, FILE *out)
{
	if (s->decision.reject == NFT_R_RST)
		fputs("reject with tcp reset", out);
	else
		fprintf(out, "reject with %s %u",
			s->decision.reject == NFT_R_ICMP ? "icmp" : "icmpv6", s->decision.code);
}
