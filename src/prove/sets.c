/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A set of ranges of one value is a list of borders: each element begins what
 * reaches to the next, and one that is an end begins what is not in the set.  In a
 * concatenation each value has a range of its own.
 */
#include "prove/sets.h"

#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "prove/tables.h"

/* A value of a key is in a range; of names there are no ranges but of one */
static bool in_field(struct proof *p, const struct regs *regs, uint32_t word, const uint8_t *lo,
		     const uint8_t *hi, uint32_t len, dd *ret)
{
	dd below, upto;

	if (word < REGS_WORDS && regs->w[word].kind == R_NAME)
		return memcmp(lo, hi, len) == 0 && regs_equal(p, regs, word, lo, len, ret);
	if (!regs_below(p, regs, word, lo, len, false, &below) ||
	    !regs_below(p, regs, word, hi, len, true, &upto))
		return false;
	*ret = dd_and(p->d, dd_not(p->d, below), upto);
	return true;
}

/* A key is the same, name by name and what stands between them */
static bool is_key(struct proof *p, const struct regs *regs, uint32_t word, const uint8_t *key,
		   uint32_t len, dd *ret)
{
	dd all = DD_TRUE;

	for (uint32_t at = 0, n; at < len; at += n) {
		const uint32_t first = word + at / 4;
		dd is;

		if (first >= REGS_WORDS)
			return false;
		for (n = 4; at + n < len && first + n / 4 < REGS_WORDS; n += 4)
			if (regs->w[first].kind == R_NAME ? n == IFNAMSIZ
							  : regs->w[first + n / 4].kind == R_NAME)
				break;
		n = MIN(n, len - at);
		if (!regs_equal(p, regs, first, key + at, n, &is))
			return false;
		all = dd_and(p->d, is, all);
	}
	*ret = all;
	return true;
}

/* A key is an element's: each value is in its range, of those that have one */
bool sets_elem(struct proof *p, const struct prog_set *s, const struct prog_elem *e,
	       const struct regs *regs, uint32_t word, dd *ret)
{
	uint32_t at = s->key_len;
	dd all = DD_TRUE;

	if (e->key_end == NULL)
		return is_key(p, regs, word, e->key, s->key_len, ret);
	for (uint32_t i = s->n_fields; i-- > 0;) {
		const uint32_t len = s->field_len[i];
		dd in;

		at -= MIN(at, (len + 3) / 4 * 4);
		if (!in_field(p, regs, word + at / 4, e->key + at, e->key_end + at, len, &in))
			return false;
		all = dd_and(p->d, in, all);
	}
	*ret = all;
	return s->n_fields > 0 && at == 0;
}

/* Elements of a set of ranges, the lowest first */
static int by_key(const void *x, const void *y, void *arg)
{
	const struct prog_set *s = arg;
	const struct prog_elem *a = &s->elems.v[*(const uint32_t *)x];
	const struct prog_elem *b = &s->elems.v[*(const uint32_t *)y];
	const int order = memcmp(a->key, b->key, s->key_len);

	/* An end and a start at one place: the start counts */
	return order != 0 ? order : (int)b->is_end - (int)a->is_end;
}

const uint32_t *sets_order(struct proof *p, const struct prog_set *s)
{
	uint32_t *order = arena_array(p->a, uint32_t, s->elems.n + 1);

	for (uint32_t i = 0; i < s->elems.n; i++)
		order[i] = i;
	qsort_r(order, s->elems.n, sizeof(*order), by_key, (void *)(uintptr_t)s);
	return order;
}

/* The nearest element at or below a value says whether it is in the set */
static bool in_interval(struct proof *p, const struct prog_set *s, const struct regs *regs,
			uint32_t word, dd *ret)
{
	const uint32_t *order = sets_order(p, s);
	dd all = DD_FALSE;

	for (uint32_t i = 0; i < s->elems.n; i++) {
		const struct prog_elem *e = &s->elems.v[order[i]];
		dd below;

		if (!regs_below(p, regs, word, e->key, s->key_len, false, &below))
			return false;
		all = dd_ite(p->d, below, all, e->is_end ? DD_FALSE : DD_TRUE);
	}
	*ret = all;
	return true;
}

/* What packets put into a set is not known, but the same for the same address */
static bool in_dynamic(struct proof *p, const struct prog_set *s, const struct regs *regs,
		       uint32_t word, dd *ret)
{
	const bool src = regs_bit(regs, word, 0) == space_bit(&p->s, P_SRC, 0);
	const bool dst = regs_bit(regs, word, 0) == space_bit(&p->s, P_DST, 0);
	uint32_t var;

	if (s->comment == NULL || (!src && !dst) || s->key_len != addr_bits(p->s.af) / 8)
		return false;
	var = space_opaque(&p->s, arena_printf(p->a, "%s in grown %s",
						  src ? "source" : "destination", s->comment), 1);
	*ret = var == DD_NO_VAR ? DD_FALSE : dd_var(p->d, var);
	return var != DD_NO_VAR;
}

static int by_var(const void *x, const void *y, void *arg)
{
	const uint32_t *var = arg;
	const uint32_t a = var[*(const uint32_t *)x], b = var[*(const uint32_t *)y];

	return a < b ? -1 : a > b;
}

/* Which bits of keys are variables: @order gets their places, @var their variables */
static bool key_vars(struct proof *p, const struct prog_set *s, const struct regs *regs,
		     uint32_t word, struct sets_cases *ret, uint32_t *place)
{
	uint32_t var[DD_MOST_KEYS];

	if (s->key_len * 8 > DD_MOST_KEYS || word >= REGS_WORDS)
		return false;
	for (uint32_t i = 0; i < s->key_len * 8; i++) {
		const dd bit = regs_bit(regs, word, i);

		if (bit == DD_TRUE || bit == DD_FALSE)
			continue;
		if (bit == DD_NO_VAR || !dd_is_var(p->d, bit, &var[i]))
			return false;
		place[ret->n_vars++] = i;
	}
	qsort_r(place, ret->n_vars, sizeof(*place), by_var, var);
	ret->var = arena_array(p->a, uint32_t, ret->n_vars + 1);
	for (uint32_t k = 0; k < ret->n_vars; k++) {
		ret->var[k] = var[place[k]];
		if (k > 0 && ret->var[k] == ret->var[k - 1])
			return false;
	}
	return ret->n_vars > 0;
}

static bool byte_bit(const uint8_t *b, uint32_t i)
{
	return (b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* Has the key the bits that are constant */
static bool may_be(const struct prog_set *s, const struct prog_elem *e, const struct regs *regs,
		   uint32_t word)
{
	for (uint32_t i = 0; i < s->key_len * 8; i++) {
		const dd bit = regs_bit(regs, word, i);

		if ((bit == DD_TRUE && !byte_bit(e->key, i)) ||
		    (bit == DD_FALSE && byte_bit(e->key, i)))
			return false;
	}
	return true;
}

bool sets_as_cases(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, struct sets_cases *ret)
{
	uint32_t place[DD_MOST_KEYS];

	*ret = (struct sets_cases){ .n_vars = 0 };
	for (uint32_t i = 0; i < s->elems.n; i++)
		if (s->elems.v[i].key_end != NULL)
			return false;
	if (!key_vars(p, s, regs, word, ret, place))
		return false;
	ret->cases = arena_array(p->a, struct dd_case, s->elems.n + 1);
	ret->elem = arena_array(p->a, const struct prog_elem *, s->elems.n + 1);
	for (uint32_t i = 0; i < s->elems.n; i++) {
		uint8_t *key;

		if (!may_be(s, &s->elems.v[i], regs, word))
			continue;
		key = arena_array(p->a, uint8_t, ret->n_vars / 8 + 1);
		for (uint32_t k = 0; k < ret->n_vars; k++)
			if (byte_bit(s->elems.v[i].key, place[k]))
				key[k / 8] |= (uint8_t)(0x80u >> k % 8);
		ret->elem[ret->n] = &s->elems.v[i];
		ret->cases[ret->n++] = (struct dd_case){ .key = key, .then = DD_TRUE };
	}
	return true;
}

/* The key is protocol, destination and port of the packet, and nothing else */
static bool is_destination(struct proof *p, const struct regs *regs, uint32_t word)
{
	static const struct { enum part part; uint32_t words; } parts[] = {
		{ P_PROTO, 1 }, { P_DST, 0 }, { P_DPORT, 1 },
	};

	for (size_t k = 0; k < ARRAY_SIZE(parts); k++) {
		const uint32_t n = space_width(&p->s, parts[k].part);
		const uint32_t words = parts[k].words != 0 ? parts[k].words : n / 32;

		for (uint32_t i = 0; i < 32 * words; i++)
			if (regs_bit(regs, word, i) != (i < n ? space_bit(&p->s, parts[k].part, i)
							      : DD_FALSE))
				return false;
		word += words;
	}
	return true;
}

static u128 number(const uint8_t *b, uint32_t len)
{
	u128 v = 0;

	for (uint32_t i = 0; i < len; i++)
		v = v << 8 | b[i];
	return v;
}

bool sets_as_table(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, uint32_t *ret)
{
	const uint32_t addr = addr_bits(p->s.af) / 8, known = tables_known(p, s);
	struct table_rows rows = { .list = { .n = 0 } };

	if (s->key_len != addr + 8 || s->data_len != addr + 4 ||
	    (s->flags & (NFT_SET_EVAL | NFT_SET_INTERVAL)) != 0 || !is_destination(p, regs, word))
		return false;
	*ret = known;
	for (uint32_t i = 0; known == 0 && i < s->elems.n; i++) {
		const struct prog_elem *e = &s->elems.v[i];
		const uint8_t *port = e->key + 4 + addr;

		if (e->key_end != NULL || e->data == NULL || number(e->key + 1, 3) != 0 ||
		    number(port + 2, 2) != 0 || !proto_has_ports(e->key[0]) ||
		    !tables_add(p, &rows, (struct table_row){
				.proto = e->key[0], .dst = number(e->key + 4, addr),
				.port = (uint16_t)number(port, 2), .to = number(e->data, addr),
				.to_port = (uint16_t)number(e->data + addr, 2) }))
			return false;
	}
	if (known == 0) {
		*ret = tables_of(p, &rows);
		tables_know(p, s, *ret);
	}
	return true;
}

bool sets_has(struct proof *p, const struct prog_set *s, const struct regs *regs, uint32_t word,
	      dd *ret)
{
	struct sets_cases c;
	dd all = DD_FALSE, one;

	if ((s->flags & NFT_SET_EVAL) != 0)
		return in_dynamic(p, s, regs, word, ret);
	if ((s->flags & NFT_SET_INTERVAL) != 0 && s->n_fields < 2)
		return in_interval(p, s, regs, word, ret);
	if (sets_as_cases(p, s, regs, word, &c)) {
		*ret = dd_cases(p->d, c.var, c.n_vars, c.cases, c.n, DD_FALSE);
		return true;
	}
	for (uint32_t i = 0; i < s->elems.n; i++) {
		if (!sets_elem(p, s, &s->elems.v[i], regs, word, &one))
			return false;
		all = dd_or(p->d, all, one);
	}
	*ret = all;
	return true;
}
