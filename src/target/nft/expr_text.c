/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libnftnl can print any expression, by some thirty calls of snprintf() a rule, and
 * that was a quarter of all instructions of `up` of one jail among fifty
 * (updown-up in bench_updown).  Six kinds of expression are nearly all that our rules
 * consist of; these are written here from their attributes, and the library prints
 * the rest.
 *
 * An attribute that is absent means 0 to the kernel, which gives some back that were
 * never set; so 0 is left out, but where to be there at all says something: a lookup
 * with a destination is one in a map, and a direction of 0 is "original".
 */
#include "target/nft/expr_text.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define ATTRS_MAX	8u

enum form {
	END,
	NUMBER,		/* left out when 0 */
	PRESENT,	/* a number that is written even when it is 0 */
	BYTES,
	STRING,
	VERDICT,
};

struct attr {
	enum form form;
	uint16_t type;
	const char *label;
};

static const struct known {
	const char *name;
	struct attr attrs[ATTRS_MAX + 1];
} knowns[] = {
	{ "meta", {
		{ NUMBER, NFTNL_EXPR_META_KEY, "key" },
		{ NUMBER, NFTNL_EXPR_META_DREG, "=> reg" },
		{ NUMBER, NFTNL_EXPR_META_SREG, "<= reg" },
	} },
	{ "cmp", {
		{ NUMBER, NFTNL_EXPR_CMP_SREG, "reg" },
		{ NUMBER, NFTNL_EXPR_CMP_OP, "op" },
		{ BYTES, NFTNL_EXPR_CMP_DATA, "0x" },
	} },
	{ "payload", {
		{ NUMBER, NFTNL_EXPR_PAYLOAD_BASE, "base" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_OFFSET, "offset" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_LEN, "length" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_DREG, "=> reg" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_SREG, "<= reg" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, "checksum" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET, "at" },
		{ NUMBER, NFTNL_EXPR_PAYLOAD_FLAGS, "flags" },
	} },
	{ "immediate", {
		{ NUMBER, NFTNL_EXPR_IMM_DREG, "=> reg" },
		{ VERDICT, NFTNL_EXPR_IMM_VERDICT, NULL },
		{ STRING, NFTNL_EXPR_IMM_CHAIN, NULL },
		{ BYTES, NFTNL_EXPR_IMM_DATA, "0x" },
	} },
	{ "bitwise", {
		{ NUMBER, NFTNL_EXPR_BITWISE_SREG, "reg" },
		{ NUMBER, NFTNL_EXPR_BITWISE_DREG, "=> reg" },
		{ NUMBER, NFTNL_EXPR_BITWISE_LEN, "length" },
		{ NUMBER, NFTNL_EXPR_BITWISE_OP, "op" },
		{ BYTES, NFTNL_EXPR_BITWISE_MASK, "& 0x" },
		{ BYTES, NFTNL_EXPR_BITWISE_XOR, "^ 0x" },
		{ BYTES, NFTNL_EXPR_BITWISE_DATA, "by 0x" },
	} },
	{ "lookup", {
		{ NUMBER, NFTNL_EXPR_LOOKUP_SREG, "reg" },
		{ STRING, NFTNL_EXPR_LOOKUP_SET, "set" },
		{ PRESENT, NFTNL_EXPR_LOOKUP_DREG, "=> reg" },
		{ NUMBER, NFTNL_EXPR_LOOKUP_FLAGS, "flags" },
	} },
	{ "ct", {
		{ NUMBER, NFTNL_EXPR_CT_KEY, "key" },
		{ PRESENT, NFTNL_EXPR_CT_DIR, "direction" },
		{ NUMBER, NFTNL_EXPR_CT_DREG, "=> reg" },
		{ NUMBER, NFTNL_EXPR_CT_SREG, "<= reg" },
	} },
};

/* Text that grows as long as there is room */
struct text {
	char *at;
	const char *end;
	bool is_full;
};

static void put(struct text *t, const char *s, size_t len)
{
	if ((size_t)(t->end - t->at) <= len) {
		t->is_full = true;
		return;
	}
	memcpy(t->at, s, len);
	t->at += len;
}

static void put_word(struct text *t, const char *s)
{
	put(t, s, strlen(s));
	put(t, " ", 1);
}

static void put_number(struct text *t, uint32_t n)
{
	char digits[10], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	put(t, p, (size_t)(digits + sizeof(digits) - p));
	put(t, " ", 1);
}

static void put_bytes(struct text *t, const uint8_t *data, uint32_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < len; i++)
		put(t, (const char[]){ digits[data[i] >> 4], digits[data[i] & 15] }, 2);
	put(t, " ", 1);
}

static void put_verdict(struct text *t, int32_t verdict)
{
	static const struct { int32_t verdict; const char *name; } names[] = {
		{ NF_ACCEPT, "accept" }, { NF_DROP, "drop" }, { NFT_CONTINUE, "continue" },
		{ NFT_BREAK, "break" }, { NFT_JUMP, "jump" }, { NFT_GOTO, "goto" },
		{ NFT_RETURN, "return" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].verdict == verdict) {
			put_word(t, names[i].name);
			return;
		}
	}
	put_word(t, "verdict");
	put_number(t, (uint32_t)verdict);
}

static uint32_t number(const void *data, uint32_t len)
{
	uint16_t half;
	uint32_t n = 0;

	if (len == sizeof(uint8_t))
		return *(const uint8_t *)data;
	if (len == sizeof(half)) {
		memcpy(&half, data, sizeof(half));
		return half;
	}
	BUG_IF(len != sizeof(n));
	memcpy(&n, data, sizeof(n));
	return n;
}

static void put_attr(struct text *t, const struct nftnl_expr *e, const struct attr *x)
{
	uint32_t len = 0;
	const void *data = nftnl_expr_is_set(e, x->type) ? nftnl_expr_get(e, x->type, &len) : NULL;
	const bool is_number = x->form == NUMBER || x->form == PRESENT;

	if (data == NULL || (x->form == NUMBER && number(data, len) == 0))
		return;
	if (x->label != NULL && x->form == BYTES)
		put(t, x->label, strlen(x->label));
	else if (x->label != NULL)
		put_word(t, x->label);
	if (is_number)
		put_number(t, number(data, len));
	else if (x->form == BYTES)
		put_bytes(t, data, len);
	else if (x->form == STRING)
		put_word(t, data);
	else
		put_verdict(t, (int32_t)number(data, len));
}

size_t nft_expr_put(char *to, size_t size, const struct nftnl_expr *e, const char *name)
{
	struct text t = { .at = to, .end = to + size };

	for (size_t i = 0; i < ARRAY_SIZE(knowns); i++) {
		if (strcmp(knowns[i].name, name) != 0)
			continue;
		for (const struct attr *x = knowns[i].attrs; x->form != END; x++)
			put_attr(&t, e, x);
		break;
	}
	if (t.is_full || t.at == to)
		return 0;
	*t.at = '\0';
	return (size_t)(t.at - to);
}
