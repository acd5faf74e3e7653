/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Statements that do something with a packet: count, log, remember, and end.
 */
#include "target/nft/stmt.h"

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

void stmt_counter_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	(void)s;
	nft_expr(r, "counter");
}

void stmt_counter_print(const struct nft_stmt *s, FILE *out)
{
	(void)s;
	fputs("counter", out);
}

void stmt_log_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	struct nftnl_expr *e = nft_expr(r, "log");

	nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, s->log.prefix);
	nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, s->log.group);
}

void stmt_log_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "log prefix \"%s\" group %u", s->log.prefix, s->log.group);
}

/* The element has an expression of its own: a measure of packets, a counter */
static struct nftnl_expr *add_expr(const char *name, struct nftnl_expr *dynset)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	BUG_IF(e == NULL);
	nftnl_expr_set(dynset, NFTNL_EXPR_DYNSET_EXPR, e, 0);
	return e;
}

/* The element counts connections, and is true when there are too many */
static void add_count(uint32_t over, struct nftnl_expr *dynset)
{
	struct nftnl_expr *e = add_expr("connlimit", dynset);

	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_COUNT, over);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CONNLIMIT_FLAGS, NFT_CONNLIMIT_F_INV);
}

void nft_set_rate(struct nftnl_expr *e, uint32_t n, uint64_t unit_s, uint32_t burst)
{
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, n);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, unit_s);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
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

void stmt_update_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	const struct nft_lookup *l = &s->lookup;
	struct nftnl_expr *e;

	nft_emit_keys(r, l);
	e = nft_expr(r, "dynset");
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP,
			   is_adding(l) ? NFT_DYNSET_OP_ADD : NFT_DYNSET_OP_UPDATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, l->set->name);
	if (l->timeout_ms != 0)
		nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, l->timeout_ms);
	if (l->count_over != 0 || l->counts_any)
		add_count(l->count_over, e);
	if (l->rate != 0)
		nft_set_rate(add_expr("limit", e), l->rate, l->rate_unit, l->burst);
	if (l->counts_packets)
		add_expr("counter", e);
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

void stmt_verdict_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	struct nftnl_expr *e = nft_expr(r, "immediate");

	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT,
			   (uint32_t)verdicts[s->decision.verdict].code);
	if (s->decision.chain != NULL)
		nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, s->decision.chain);
}

void stmt_verdict_print(const struct nft_stmt *s, FILE *out)
{
	fputs(verdicts[s->decision.verdict].text, out);
	if (s->decision.chain != NULL)
		fprintf(out, " %s", s->decision.chain);
}

void stmt_reject_emit(const struct nft_stmt *s, struct nftnl_rule *r)
{
	const bool is_rst = s->decision.reject == NFT_R_RST;
	struct nftnl_expr *e = nft_expr(r, "reject");

	nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE,
			   is_rst ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
	nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, s->decision.code);
}

void stmt_reject_print(const struct nft_stmt *s, FILE *out)
{
	if (s->decision.reject == NFT_R_RST)
		fputs("reject with tcp reset", out);
	else
		fprintf(out, "reject with %s %u",
			s->decision.reject == NFT_R_ICMP ? "icmp" : "icmpv6", s->decision.code);
}
