/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each statement loads what it needs into register 1, as nft does, so nothing
 * has to be remembered between statements.  Registers are 4 of 16 bytes or the
 * same as 16 of 4 bytes; a value of a concatenation starts at the next word.
 */
#include "target/nft/stmt.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "net/wire.h"

#define WORDS_PER_REG	4u

uint32_t nft_reg(uint32_t word)
{
	return word % WORDS_PER_REG == 0 ? NFT_REG_1 + word / WORDS_PER_REG : NFT_REG32_00 + word;
}

static void load_meta(struct nft_put *p, uint32_t key, uint32_t reg)
{
	nft_put_expr(p, "meta");
	nft_put_u32(p, NFTA_META_KEY, key);
	nft_put_u32(p, NFTA_META_DREG, reg);
}

static void load_ct(struct nft_put *p, const struct nft_key_info *k, uint32_t reg)
{
	nft_put_expr(p, "ct");
	nft_put_u32(p, NFTA_CT_KEY, k->arg);
	nft_put_u32(p, NFTA_CT_DREG, reg);
	if (k->base != 0)
		nft_put_u8(p, NFTA_CT_DIRECTION, 0);
}

static void load_payload(struct nft_put *p, const struct nft_key_info *k, uint32_t len,
			 uint32_t reg)
{
	nft_put_expr(p, "payload");
	nft_put_u32(p, NFTA_PAYLOAD_BASE, k->base);
	nft_put_u32(p, NFTA_PAYLOAD_OFFSET, k->offset);
	nft_put_u32(p, NFTA_PAYLOAD_LEN, len);
	nft_put_u32(p, NFTA_PAYLOAD_DREG, reg);
}

/* Is the option or extension header there */
static void load_exthdr(struct nft_put *p, const struct nft_key_info *k, uint32_t reg)
{
	nft_put_expr(p, "exthdr");
	nft_put_u32(p, NFTA_EXTHDR_DREG, reg);
	nft_put_u8(p, NFTA_EXTHDR_TYPE, (uint8_t)k->arg);
	nft_put_u32(p, NFTA_EXTHDR_OP, k->base);
	nft_put_u32(p, NFTA_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	nft_put_u32(p, NFTA_EXTHDR_OFFSET, 0);
	nft_put_u32(p, NFTA_EXTHDR_LEN, 1);
}

static void load_fib(struct nft_put *p, const struct nft_key_info *k, uint32_t reg)
{
	nft_put_expr(p, "fib");
	nft_put_u32(p, NFTA_FIB_RESULT, k->base);
	nft_put_u32(p, NFTA_FIB_FLAGS, k->arg);
	nft_put_u32(p, NFTA_FIB_DREG, reg);
}

void nft_emit_load(struct nft_put *p, enum nft_key key, uint32_t len, uint32_t reg)
{
	const struct nft_key_info *k = &nft_keys[key];

	switch (k->load) {
	case NFT_L_META:
		load_meta(p, k->arg, reg);
		break;
	case NFT_L_CT:
		load_ct(p, k, reg);
		break;
	case NFT_L_PAYLOAD:
		load_payload(p, k, len == 0 ? nft_types[k->type].len : len, reg);
		break;
	case NFT_L_FIB:
		load_fib(p, k, reg);
		break;
	case NFT_L_EXTHDR:
		load_exthdr(p, k, reg);
		break;
	}
}

uint32_t nft_emit_keys(struct nft_put *p, const struct nft_lookup *l)
{
	static const uint8_t zero[NFT_VALUE_BYTES];
	uint32_t word = 0;

	for (uint8_t i = 0; i < l->n_keys; i++) {
		const struct nft_key_info *k = &nft_keys[l->keys[i]];

		nft_emit_load(p, l->keys[i], 0, nft_reg(word));
		if (k->mask[0] != 0) {
			BUG_IF(word != 0);	/* masks are for the first register */
			nft_emit_mask(p, k->mask, zero, nft_types[k->type].len);
		}
		word += (nft_types[k->type].len + 3u) / 4;
	}
	return word;
}

void nft_emit_immediate(struct nft_put *p, uint32_t reg, const void *data, uint32_t len)
{
	nft_put_expr(p, "immediate");
	nft_put_u32(p, NFTA_IMMEDIATE_DREG, reg);
	nft_put_data(p, NFTA_IMMEDIATE_DATA, data, len);
}

void nft_emit_mask(struct nft_put *p, const void *mask, const void *xor, uint32_t len)
{
	nft_put_expr(p, "bitwise");
	nft_put_u32(p, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_put_u32(p, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_put_u32(p, NFTA_BITWISE_LEN, len);
	nft_put_u32(p, NFTA_BITWISE_OP, NFT_BITWISE_BOOL);
	nft_put_data(p, NFTA_BITWISE_MASK, mask, len);
	nft_put_data(p, NFTA_BITWISE_XOR, xor, len);
}

void nft_emit_cmp(struct nft_put *p, uint32_t op, const void *data, uint32_t len)
{
	nft_put_expr(p, "cmp");
	nft_put_u32(p, NFTA_CMP_SREG, NFT_REG_1);
	nft_put_u32(p, NFTA_CMP_OP, op);
	nft_put_data(p, NFTA_CMP_DATA, data, len);
}

static void match_emit(const struct nft_stmt *s, struct nft_put *p)
{
	static const uint8_t zero[NFT_VALUE_BYTES];
	const struct nft_match *m = &s->match;
	const bool whole_bytes = m->prefix_len != 0 && m->prefix_len % 8 == 0;
	const uint32_t len = whole_bytes ? m->prefix_len / 8u : m->value.len;

	nft_emit_load(p, m->key, len, NFT_REG_1);
	if (m->has_mask || (m->prefix_len != 0 && !whole_bytes))
		nft_emit_mask(p, m->mask.b, zero, len);
	if (nft_keys[m->key].mask[0] != 0)
		nft_emit_mask(p, nft_keys[m->key].mask, zero, len);
	if (m->is_range) {
		nft_emit_cmp(p, NFT_CMP_GTE, m->value.b, len);
		nft_emit_cmp(p, NFT_CMP_LTE, m->mask.b, len);
		return;
	}
	nft_emit_cmp(p, m->is_less ? NFT_CMP_LT : m->is_not ? NFT_CMP_NEQ : NFT_CMP_EQ, m->value.b,
		 len);
}

void nft_print_value(enum nft_key key, const struct nft_value *v, FILE *out)
{
	nft_types[nft_keys[key].type].print(v->b, v->len, out);
}

static void match_print(const struct nft_stmt *s, FILE *out)
{
	const struct nft_match *m = &s->match;

	fputs(nft_keys[m->key].text, out);
	if (m->has_mask) {
		fputs(" & ", out);
		nft_print_value(m->key, &m->mask, out);
		fputs(m->is_not ? " != " : " == ", out);
	} else {
		fputs(m->is_less ? " < " : m->is_not ? " != " : " ", out);
	}
	nft_print_value(m->key, &m->value, out);
	if (m->prefix_len != 0)
		fprintf(out, "/%u", m->prefix_len);
	if (m->is_range) {
		putc('-', out);
		nft_print_value(m->key, &m->mask, out);
	}
}

static void emit_lookup(struct nft_put *p, const struct nft_set *set, bool is_not, int dreg)
{
	nft_put_expr(p, "lookup");
	nft_put_u32(p, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (dreg >= 0)
		nft_put_u32(p, NFTA_LOOKUP_DREG, (uint32_t)dreg);
	nft_put_str(p, NFTA_LOOKUP_SET, set->name);
	/* The kernel gives flags back even when there are none */
	nft_put_u32(p, NFTA_LOOKUP_FLAGS, is_not ? NFT_LOOKUP_F_INV : 0);
}

static void lookup_emit(const struct nft_stmt *s, struct nft_put *p)
{
	nft_emit_keys(p, &s->lookup);
	emit_lookup(p, s->lookup.set, s->lookup.is_not, -1);
}

void nft_print_keys(const struct nft_lookup *l, FILE *out)
{
	for (uint8_t i = 0; i < l->n_keys; i++)
		fprintf(out, "%s%s", i == 0 ? "" : " . ", nft_keys[l->keys[i]].text);
}

static void lookup_print(const struct nft_stmt *s, FILE *out)
{
	nft_print_keys(&s->lookup, out);
	fprintf(out, " %s@%s", s->lookup.is_not ? "!= " : "", s->lookup.set->name);
}

static void vmap_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const uint32_t zero = 0;

	nft_emit_keys(p, &s->lookup);
	if (s->lookup.mask != 0)
		nft_emit_mask(p, &s->lookup.mask, &zero, sizeof(zero));
	emit_lookup(p, s->lookup.set, false, NFT_REG_VERDICT);
}

static void vmap_print(const struct nft_stmt *s, FILE *out)
{
	nft_print_keys(&s->lookup, out);
	if (s->lookup.mask != 0)
		fprintf(out, " & 0x%08x", s->lookup.mask);
	fprintf(out, " vmap @%s", s->lookup.set->name);
}

/* Numbers are compared as bytes, so the first byte must be the highest */
void nft_emit_below(struct nft_put *p, uint64_t n, uint32_t len)
{
	uint8_t be[sizeof(n)];

	BUG_IF(len > sizeof(be));
	put64(be, n);
	nft_put_expr(p, "byteorder");
	nft_put_u32(p, NFTA_BYTEORDER_SREG, NFT_REG_1);
	nft_put_u32(p, NFTA_BYTEORDER_DREG, NFT_REG_1);
	nft_put_u32(p, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
	nft_put_u32(p, NFTA_BYTEORDER_LEN, len);
	nft_put_u32(p, NFTA_BYTEORDER_SIZE, len);
	nft_emit_cmp(p, NFT_CMP_LT, be + sizeof(be) - len, len);
}

static void draw_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const uint32_t zero = 0;

	nft_put_expr(p, "numgen");
	nft_put_u32(p, NFTA_NG_DREG, NFT_REG_1);
	nft_put_u32(p, NFTA_NG_MODULUS, s->draw.mod);
	nft_put_u32(p, NFTA_NG_TYPE, s->draw.is_random ? NFT_NG_RANDOM : NFT_NG_INCREMENTAL);
	nft_put_u32(p, NFTA_NG_OFFSET, 0);
	if (s->draw.below == 0)
		nft_emit_cmp(p, NFT_CMP_EQ, &zero, sizeof(zero));
	else
		nft_emit_below(p, s->draw.below, sizeof(s->draw.below));
}

static void draw_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "numgen %s mod %u ", s->draw.is_random ? "random" : "inc", s->draw.mod);
	if (s->draw.below == 0)
		fputs("0", out);
	else
		fprintf(out, "< %u", s->draw.below);
}

void nft_emit_map(const struct nft_lookup *l, struct nft_put *p)
{
	nft_emit_keys(p, l);
	emit_lookup(p, l->set, false, NFT_REG_1);
}

void stmt_nat_map_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const struct nft_lookup *l = &s->lookup;
	const uint32_t port = nft_reg(l->af == AF_V4 ? 1 : WORDS_PER_REG);

	nft_emit_map(l, p);
	nft_put_expr(p, "nat");
	nft_put_u32(p, NFTA_NAT_TYPE, l->is_dst ? NFT_NAT_DNAT : NFT_NAT_SNAT);
	nft_put_u32(p, NFTA_NAT_FAMILY, l->af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nft_put_u32(p, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
	nft_put_u32(p, NFTA_NAT_REG_ADDR_MAX, NFT_REG_1);
	nft_put_u32(p, NFTA_NAT_REG_PROTO_MIN, port);
	nft_put_u32(p, NFTA_NAT_REG_PROTO_MAX, port);
	nft_put_u32(p, NFTA_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
}

void stmt_nat_map_print(const struct nft_stmt *s, FILE *out)
{
	const struct nft_lookup *l = &s->lookup;

	fprintf(out, "%s %s to ", l->is_dst ? "dnat" : "snat", l->af == AF_V4 ? "ip" : "ip6");
	nft_print_keys(l, out);
	fprintf(out, " map @%s", l->set->name);
}

void stmt_mark_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const struct nft_mark *m = &s->mark;
	const bool is_ct = m->key == NFT_K_CT_MARK;

	nft_emit_load(p, m->key, 0, NFT_REG_1);
	nft_emit_mask(p, &m->keep, &m->set, sizeof(m->keep));
	nft_put_expr(p, is_ct ? "ct" : "meta");
	nft_put_u32(p, is_ct ? NFTA_CT_KEY : NFTA_META_KEY, nft_keys[m->key].arg);
	nft_put_u32(p, is_ct ? NFTA_CT_SREG : NFTA_META_SREG, NFT_REG_1);
}

void stmt_mark_print(const struct nft_stmt *s, FILE *out)
{
	const struct nft_mark *m = &s->mark;
	const char *text = nft_keys[m->key].text;

	fprintf(out, "%s set %s & 0x%08x", text, text, m->keep);
	if (m->set != 0)
		fprintf(out, " | 0x%08x", m->set);
}

const struct nft_stmt_ops nft_stmt_ops[N_NFT_STMTS] = {
	[NFT_S_MATCH] = { "match", match_emit, match_print },
	[NFT_S_LOOKUP] = { "lookup", lookup_emit, lookup_print },
	[NFT_S_DRAW] = { "numgen", draw_emit, draw_print },
	[NFT_S_MARK] = { "mark", stmt_mark_emit, stmt_mark_print },
	[NFT_S_COUNTER] = { "counter", stmt_counter_emit, stmt_counter_print },
	[NFT_S_LOG] = { "log", stmt_log_emit, stmt_log_print },
	[NFT_S_UPDATE] = { "update", stmt_update_emit, stmt_update_print },
	[NFT_S_NAT] = { "nat", stmt_nat_emit, stmt_nat_print },
	[NFT_S_NAT_MAP] = { "nat map", stmt_nat_map_emit, stmt_nat_map_print },
	[NFT_S_VMAP] = { "vmap", vmap_emit, vmap_print },
	[NFT_S_VERDICT] = { "verdict", stmt_verdict_emit, stmt_verdict_print },
	[NFT_S_REJECT] = { "reject", stmt_reject_emit, stmt_reject_print },
	[NFT_S_HASH] = { "jhash", stmt_hash_emit, stmt_hash_print },
	[NFT_S_COUNT] = { "ct count", stmt_count_emit, stmt_count_print },
	[NFT_S_HEADER] = { "header", stmt_header_emit, stmt_header_print },
	[NFT_S_BEFORE] = { "before", stmt_before_emit, stmt_before_print },
	[NFT_S_RATE] = { "rate", stmt_rate_emit, stmt_rate_print },
};
