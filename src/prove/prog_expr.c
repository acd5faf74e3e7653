/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One small reader for each kind of expression, in a table by its name.  What a
 * reader does not wholly understand it leaves X_UNKNOWN, and then nothing is
 * proven of the packets that get there.
 */
#include "prove/prog.h"

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

/* An expression being read */
struct reading {
	struct prog *p;
	const struct nftnl_expr *e;
	struct prog_expr *to;
};

static uint32_t u32(const struct reading *r, uint16_t attr)
{
	return nftnl_expr_is_set(r->e, attr) ? nftnl_expr_get_u32(r->e, attr) : 0;
}

static bool has(const struct reading *r, uint16_t attr)
{
	return nftnl_expr_is_set(r->e, attr);
}

/* A value of at most PROG_DATA bytes; its length, 0 when there is none */
static uint32_t bytes(const struct reading *r, uint16_t attr, uint8_t *to)
{
	uint32_t len;
	const void *b = has(r, attr) ? nftnl_expr_get(r->e, attr, &len) : NULL;

	if (b == NULL || len > PROG_DATA)
		return 0;
	memcpy(to, b, len);
	return len;
}

static const char *text(const struct reading *r, uint16_t attr)
{
	const char *s = has(r, attr) ? nftnl_expr_get_str(r->e, attr) : NULL;

	return s == NULL ? NULL : arena_strndup(r->p->a, s, strlen(s));
}

static enum prog_op read_counter(struct reading *r)
{
	(void)r;
	return X_COUNTER;
}

static enum prog_op read_log(struct reading *r)
{
	const struct nftnl_expr *e = r->e;

	r->to->set = text(r, NFTNL_EXPR_LOG_PREFIX);
	r->to->has_dreg = has(r, NFTNL_EXPR_LOG_GROUP);
	r->to->key = r->to->has_dreg ? nftnl_expr_get_u16(e, NFTNL_EXPR_LOG_GROUP)
				     : u32(r, NFTNL_EXPR_LOG_LEVEL);
	r->to->is_not = u32(r, NFTNL_EXPR_LOG_SNAPLEN) != 0 || u32(r, NFTNL_EXPR_LOG_FLAGS) != 0 ||
			(has(r, NFTNL_EXPR_LOG_QTHRESHOLD) &&
			 nftnl_expr_get_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD) > 1);
	return X_LOG;
}

static enum prog_op read_meta(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_META_KEY);
	r->to->sreg = u32(r, NFTNL_EXPR_META_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_META_DREG);
	return has(r, NFTNL_EXPR_META_SREG) ? X_META_SET : X_META;
}

static enum prog_op read_ct(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_CT_KEY);
	r->to->sreg = u32(r, NFTNL_EXPR_CT_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_CT_DREG);
	if (has(r, NFTNL_EXPR_CT_DIR))
		r->to->offset = nftnl_expr_get_u8(r->e, NFTNL_EXPR_CT_DIR) + 1u;
	return has(r, NFTNL_EXPR_CT_SREG) ? X_CT_SET : X_CT;
}

static enum prog_op read_payload(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_PAYLOAD_BASE);
	r->to->offset = u32(r, NFTNL_EXPR_PAYLOAD_OFFSET);
	r->to->len = u32(r, NFTNL_EXPR_PAYLOAD_LEN);
	r->to->sreg = u32(r, NFTNL_EXPR_PAYLOAD_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_PAYLOAD_DREG);
	if (!has(r, NFTNL_EXPR_PAYLOAD_SREG))
		return X_PAYLOAD;
	if (u32(r, NFTNL_EXPR_PAYLOAD_CSUM_TYPE) == NFT_PAYLOAD_CSUM_INET)
		r->to->modulus = u32(r, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET);
	return u32(r, NFTNL_EXPR_PAYLOAD_FLAGS) == 0 ? X_PAYLOAD_SET : X_UNKNOWN;
}

static enum prog_op read_cmp(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_CMP_OP);
	r->to->sreg = u32(r, NFTNL_EXPR_CMP_SREG);
	r->to->len = bytes(r, NFTNL_EXPR_CMP_DATA, r->to->data);
	return r->to->len > 0 ? X_CMP : X_UNKNOWN;
}

static enum prog_op read_range(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_RANGE_OP);
	r->to->sreg = u32(r, NFTNL_EXPR_RANGE_SREG);
	r->to->len = bytes(r, NFTNL_EXPR_RANGE_FROM_DATA, r->to->data);
	if (r->to->len == 0 ||
	    bytes(r, NFTNL_EXPR_RANGE_TO_DATA, r->to->mask) != r->to->len)
		return X_UNKNOWN;
	return X_RANGE;
}

static enum prog_op read_bitwise(struct reading *r)
{
	r->to->sreg = u32(r, NFTNL_EXPR_BITWISE_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_BITWISE_DREG);
	r->to->len = u32(r, NFTNL_EXPR_BITWISE_LEN);
	if (u32(r, NFTNL_EXPR_BITWISE_OP) != NFT_BITWISE_BOOL ||
	    bytes(r, NFTNL_EXPR_BITWISE_MASK, r->to->mask) != r->to->len ||
	    bytes(r, NFTNL_EXPR_BITWISE_XOR, r->to->data) != r->to->len || r->to->len == 0)
		return X_UNKNOWN;
	return X_BITWISE;
}

static enum prog_op read_byteorder(struct reading *r)
{
	r->to->sreg = u32(r, NFTNL_EXPR_BYTEORDER_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_BYTEORDER_DREG);
	r->to->len = u32(r, NFTNL_EXPR_BYTEORDER_LEN);
	if (u32(r, NFTNL_EXPR_BYTEORDER_SIZE) != r->to->len ||
	    (r->to->len != 4 && r->to->len != 8))
		return X_UNKNOWN;
	return X_SWAP;
}

static enum prog_op read_lookup(struct reading *r)
{
	r->to->sreg = u32(r, NFTNL_EXPR_LOOKUP_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_LOOKUP_DREG);
	r->to->has_dreg = has(r, NFTNL_EXPR_LOOKUP_DREG);
	r->to->is_not = (u32(r, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;
	r->to->set = text(r, NFTNL_EXPR_LOOKUP_SET);
	return r->to->set != NULL ? X_LOOKUP : X_UNKNOWN;
}

static enum prog_op read_immediate(struct reading *r)
{
	r->to->dreg = u32(r, NFTNL_EXPR_IMM_DREG);
	if (r->to->dreg == NFT_REG_VERDICT) {
		r->to->key = u32(r, NFTNL_EXPR_IMM_VERDICT);
		r->to->set = text(r, NFTNL_EXPR_IMM_CHAIN);
		return X_VERDICT;
	}
	r->to->len = bytes(r, NFTNL_EXPR_IMM_DATA, r->to->data);
	return r->to->len > 0 ? X_IMMEDIATE : X_UNKNOWN;
}

static enum prog_op read_nat(struct reading *r)
{
	struct prog_nat *n = &r->to->nat;

	n->is_src = u32(r, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT;
	n->family = u32(r, NFTNL_EXPR_NAT_FAMILY);
	n->addr[0] = u32(r, NFTNL_EXPR_NAT_REG_ADDR_MIN);
	n->addr[1] = has(r, NFTNL_EXPR_NAT_REG_ADDR_MAX) ? u32(r, NFTNL_EXPR_NAT_REG_ADDR_MAX)
							 : n->addr[0];
	n->port[0] = u32(r, NFTNL_EXPR_NAT_REG_PROTO_MIN);
	n->port[1] = has(r, NFTNL_EXPR_NAT_REG_PROTO_MAX) ? u32(r, NFTNL_EXPR_NAT_REG_PROTO_MAX)
							  : n->port[0];
	n->flags = u32(r, NFTNL_EXPR_NAT_FLAGS);
	return X_NAT;
}

static enum prog_op read_reject(struct reading *r)
{
	r->to->key = u32(r, NFTNL_EXPR_REJECT_TYPE);
	r->to->offset = has(r, NFTNL_EXPR_REJECT_CODE)
				? nftnl_expr_get_u8(r->e, NFTNL_EXPR_REJECT_CODE) : 0;
	return X_REJECT;
}

static enum prog_op read_numgen(struct reading *r)
{
	r->to->dreg = u32(r, NFTNL_EXPR_NG_DREG);
	r->to->modulus = u32(r, NFTNL_EXPR_NG_MODULUS);
	r->to->key = u32(r, NFTNL_EXPR_NG_TYPE);
	return u32(r, NFTNL_EXPR_NG_OFFSET) == 0 && r->to->modulus > 0 ? X_NUMGEN : X_UNKNOWN;
}

static enum prog_op read_hash(struct reading *r)
{
	r->to->sreg = u32(r, NFTNL_EXPR_HASH_SREG);
	r->to->dreg = u32(r, NFTNL_EXPR_HASH_DREG);
	r->to->len = u32(r, NFTNL_EXPR_HASH_LEN);
	r->to->modulus = u32(r, NFTNL_EXPR_HASH_MODULUS);
	r->to->seed = u32(r, NFTNL_EXPR_HASH_SEED);
	if (u32(r, NFTNL_EXPR_HASH_TYPE) != NFT_HASH_JENKINS || r->to->modulus == 0 ||
	    u32(r, NFTNL_EXPR_HASH_OFFSET) != 0)
		return X_UNKNOWN;
	return X_HASH;
}

static enum prog_op read_fib(struct reading *r)
{
	r->to->dreg = u32(r, NFTNL_EXPR_FIB_DREG);
	r->to->key = u32(r, NFTNL_EXPR_FIB_RESULT);
	r->to->offset = u32(r, NFTNL_EXPR_FIB_FLAGS);
	return X_FIB;
}

static enum prog_op read_exthdr(struct reading *r)
{
	r->to->key = has(r, NFTNL_EXPR_EXTHDR_TYPE)
			     ? nftnl_expr_get_u8(r->e, NFTNL_EXPR_EXTHDR_TYPE) : 0;
	r->to->offset = u32(r, NFTNL_EXPR_EXTHDR_OP);
	r->to->len = u32(r, NFTNL_EXPR_EXTHDR_LEN);
	r->to->dreg = u32(r, NFTNL_EXPR_EXTHDR_DREG);
	r->to->sreg = u32(r, NFTNL_EXPR_EXTHDR_SREG);
	if (has(r, NFTNL_EXPR_EXTHDR_SREG)) {
		r->to->modulus = u32(r, NFTNL_EXPR_EXTHDR_OFFSET);
		return X_EXTHDR_SET;
	}
	return u32(r, NFTNL_EXPR_EXTHDR_FLAGS) == NFT_EXTHDR_F_PRESENT ? X_EXTHDR : X_UNKNOWN;
}

static bool is_named(const struct nftnl_expr *e, const char *name)
{
	return strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), name) == 0;
}

/* More connections than a number, or more packets in a time; else nothing is known of it */
static void read_over(struct prog_expr *to, const struct nftnl_expr *e)
{
	if (is_named(e, "connlimit") &&
	    nftnl_expr_get_u32(e, NFTNL_EXPR_CONNLIMIT_FLAGS) == NFT_CONNLIMIT_F_INV) {
		to->is_over = true;
		to->modulus = nftnl_expr_get_u32(e, NFTNL_EXPR_CONNLIMIT_COUNT);
	}
	if (!is_named(e, "limit") ||
	    nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_TYPE) != NFT_LIMIT_PKTS ||
	    nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_FLAGS) != NFT_LIMIT_F_INV)
		return;
	to->is_over = true;
	to->modulus = (uint32_t)nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_RATE);
	to->unit_s = (uint32_t)nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_UNIT);
	to->burst = nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_BURST);
}

static enum prog_op read_limit(struct reading *r)
{
	read_over(r->to, r->e);
	return X_LIMIT;
}

static enum prog_op read_dynset(struct reading *r)
{
	r->to->sreg = u32(r, NFTNL_EXPR_DYNSET_SREG_KEY);
	r->to->key = u32(r, NFTNL_EXPR_DYNSET_OP);
	r->to->set = text(r, NFTNL_EXPR_DYNSET_SET_NAME);
	r->to->has_inner = has(r, NFTNL_EXPR_DYNSET_EXPR);
	if (r->to->has_inner) {
		const struct nftnl_expr *inner = nftnl_expr_get(r->e, NFTNL_EXPR_DYNSET_EXPR,
								&(uint32_t){ 0 });

		r->to->is_count = is_named(inner, "counter");
		read_over(r->to, inner);
	}
	if (r->to->set == NULL || has(r, NFTNL_EXPR_DYNSET_SREG_DATA))
		return X_UNKNOWN;
	return X_DYNSET;
}

static const struct {
	const char *name;
	enum prog_op (*read)(struct reading *r);
} readers[] = {
	{ "counter", read_counter }, { "log", read_log }, { "meta", read_meta },
	{ "ct", read_ct }, { "payload", read_payload }, { "cmp", read_cmp },
	{ "range", read_range }, { "bitwise", read_bitwise }, { "byteorder", read_byteorder },
	{ "lookup", read_lookup }, { "immediate", read_immediate }, { "nat", read_nat },
	{ "reject", read_reject }, { "numgen", read_numgen }, { "hash", read_hash },
	{ "fib", read_fib }, { "exthdr", read_exthdr }, { "limit", read_limit },
	{ "connlimit", read_limit }, { "dynset", read_dynset },
};

/* A rule being read */
struct reading_rule {
	struct prog *p;
	struct prog_rule *ret;
};

static int read_expr(struct nftnl_expr *e, void *arg)
{
	const struct reading_rule *rule = arg;
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct reading r = { rule->p, e, vec_push(rule->p->a, &rule->ret->exprs) };

	r.to->name = arena_strndup(rule->p->a, name, strlen(name));
	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (strcmp(readers[i].name, name) == 0)
			r.to->op = readers[i].read(&r);
	return 0;
}

void prog_read_exprs(struct prog *p, struct nftnl_rule *rule, struct prog_rule *ret)
{
	struct reading_rule r = { p, ret };

	nftnl_expr_foreach(rule, read_expr, &r);
}
