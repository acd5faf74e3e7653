/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/nft/merge.h"

#include <string.h>

#define VALUES_MAX	64u	/* of one test */
#define STMTS_MAX	16u

/* ---- tests and their values --------------------------------------------------- */

static bool is_test(const struct nft_stmt *s)
{
	return s->kind == NFT_S_MATCH ||
	       (s->kind == NFT_S_LOOKUP && s->lookup.n_keys == 1 && !s->lookup.set->is_dynamic);
}

enum nft_key merge_key(const struct nft_stmt *s)
{
	return s->kind == NFT_S_MATCH ? s->match.key : s->lookup.keys[0];
}

bool merge_has_values(const struct nft_stmt *s)
{
	if (s->kind == NFT_S_MATCH)
		return !s->match.is_not && !s->match.is_less && !s->match.has_mask;
	return s->kind == NFT_S_LOOKUP && is_test(s) && !s->lookup.is_not &&
	       s->lookup.set->table == NULL && s->lookup.set->elems.n > 0 &&
	       s->lookup.set->elems.n <= VALUES_MAX;
}

bool merge_may_vary(const struct nft_stmt *s)
{
	static const bool keys[N_NFT_KEYS] = {
		[NFT_K_IIFNAME] = true, [NFT_K_OIFNAME] = true, [NFT_K_L4PROTO] = true,
		[NFT_K_IP_SADDR] = true, [NFT_K_IP_DADDR] = true, [NFT_K_IP6_SADDR] = true,
		[NFT_K_IP6_DADDR] = true, [NFT_K_SPORT] = true, [NFT_K_DPORT] = true,
	};

	return merge_has_values(s) && keys[merge_key(s)];
}

uint8_t merge_len(enum nft_key key)
{
	return nft_types[nft_keys[key].type].len;
}

uint32_t merge_n_values(const struct nft_stmt *s)
{
	return s->kind == NFT_S_MATCH ? 1 : s->lookup.set->elems.n;
}

struct values merge_value(const struct nft_stmt *s, uint32_t i)
{
	const uint8_t len = merge_len(merge_key(s));
	struct values v = { .lo = { 0 } };

	if (s->kind == NFT_S_LOOKUP) {
		memcpy(v.lo, s->lookup.set->elems.v[i].key, len);
		memcpy(v.hi, s->lookup.set->elems.v[i].key + NFT_VALUE_BYTES, len);
		return v;
	}
	memcpy(v.lo, s->match.value.b, len);
	memcpy(v.hi, s->match.is_range ? s->match.mask.b : s->match.value.b, len);
	for (uint8_t b = 0; b < len && s->match.prefix_len != 0; b++)
		v.hi[b] |= (uint8_t)~s->match.mask.b[b];
	return v;
}

static bool is_point(const struct values *v)
{
	return memcmp(v->lo, v->hi, sizeof(v->lo)) == 0;
}

bool merge_same_values(const struct nft_stmt *x, const struct nft_stmt *y)
{
	if (merge_n_values(x) != merge_n_values(y))
		return false;
	if (x->kind == NFT_S_LOOKUP && y->kind == NFT_S_LOOKUP)
		return x->lookup.set == y->lookup.set;
	for (uint32_t i = 0; i < merge_n_values(x); i++) {
		const struct values a = merge_value(x, i), b = merge_value(y, i);

		if (memcmp(&a, &b, sizeof(a)) != 0)
			return false;
	}
	return true;
}

bool merge_values_meet(const struct nft_stmt *x, const struct nft_stmt *y)
{
	for (uint32_t i = 0; i < merge_n_values(x); i++) {
		const struct values a = merge_value(x, i);

		for (uint32_t k = 0; k < merge_n_values(y); k++) {
			const struct values b = merge_value(y, k);

			if (memcmp(a.lo, b.hi, sizeof(a.lo)) <= 0 &&
			    memcmp(b.lo, a.hi, sizeof(a.lo)) <= 0)
				return true;
		}
	}
	return false;
}

/* ---- shapes ------------------------------------------------------------------- */

uint32_t merge_n_tests(const struct nft_rule *r)
{
	uint32_t n = 0;

	while (n < r->stmts.list.n && is_test(merge_stmt(r, n)))
		n++;
	return n;
}

bool merge_is_counted(const struct nft_rule *r)
{
	return r->stmts.list.n > 1 &&
	       merge_stmt(r, r->stmts.list.n - 2)->kind == NFT_S_COUNTER;
}

const struct nft_decision *merge_verdict(const struct nft_rule *r)
{
	return &merge_stmt(r, r->stmts.list.n - 1)->decision;
}

bool merge_has_shape(const struct nft_rule *r)
{
	const uint32_t n = r->stmts.list.n;
	bool varies = false;

	if (n == 0 || n > STMTS_MAX || merge_stmt(r, n - 1)->kind != NFT_S_VERDICT ||
	    merge_verdict(r)->verdict == NFT_V_JUMP || merge_verdict(r)->verdict == NFT_V_RETURN ||
	    merge_n_tests(r) + merge_is_counted(r) + 1 != n)
		return false;
	for (uint32_t k = 0; k < merge_n_tests(r); k++)
		varies |= merge_may_vary(merge_stmt(r, k));
	return varies;
}

/* Does a later test stand on the protocol: flags, types */
static bool needs_proto(const struct nft_rule *r)
{
	for (uint32_t k = 0; k < merge_n_tests(r); k++) {
		const enum nft_key key = merge_key(merge_stmt(r, k));

		if (nft_keys[key].load == NFT_L_PAYLOAD && !merge_may_vary(merge_stmt(r, k)))
			return true;
	}
	return false;
}

static bool same_test(const struct nft_stmt *x, const struct nft_stmt *y)
{
	if (merge_has_values(x) && merge_has_values(y))
		return merge_same_values(x, y);
	if (x->kind != y->kind)
		return false;
	if (x->kind == NFT_S_LOOKUP)
		return x->lookup.set == y->lookup.set && x->lookup.is_not == y->lookup.is_not;
	return x->match.is_not == y->match.is_not && x->match.is_less == y->match.is_less &&
	       x->match.has_mask == y->match.has_mask &&
	       x->match.prefix_len == y->match.prefix_len &&
	       memcmp(x->match.value.b, y->match.value.b, x->match.value.len) == 0 &&
	       (!(x->match.has_mask || x->match.prefix_len != 0) ||
		memcmp(x->match.mask.b, y->match.mask.b, x->match.mask.len) == 0);
}

bool merge_same_test(const struct nft_stmt *x, const struct nft_stmt *y)
{
	return merge_key(x) == merge_key(y) && same_test(x, y);
}

bool merge_same_shape(const struct nft_rule *x, const struct nft_rule *y)
{
	const bool by_proto = needs_proto(x);

	if (x->stmts.list.n != y->stmts.list.n || merge_is_counted(x) != merge_is_counted(y))
		return false;
	for (uint32_t k = 0; k < merge_n_tests(x); k++) {
		const struct nft_stmt *a = merge_stmt(x, k), *b = merge_stmt(y, k);

		if (merge_key(a) != merge_key(b))
			return false;
		if (merge_may_vary(a) && merge_may_vary(b) &&
		    !(by_proto && merge_key(a) == NFT_K_L4PROTO))
			continue;
		if (!same_test(a, b))
			return false;
	}
	return true;
}

bool merge_has_ranges(const struct nft_stmt *s)
{
	for (uint32_t i = 0; i < merge_n_values(s); i++) {
		const struct values v = merge_value(s, i);

		if (!is_point(&v))
			return true;
	}
	return false;
}
