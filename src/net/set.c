/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Sorted, disjoint, merged ranges: a set has one form, so equal sets compare
 * equal word by word, and union, intersection and complement are one merge
 * each.  A bitmap would be faster for ports, but 2^128 addresses have none,
 * and one form for all fields keeps evaluation, lowering and proof to one
 * piece of code.
 */
#include "net/set.h"

#include <stdlib.h>
#include <string.h>

static int range_cmp(const void *x, const void *y)
{
	const struct range *a = x, *b = y;

	if (a->af != b->af)
		return a->af < b->af ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return 0;
}

/* May @b, which does not start before @a, be merged into it */
static bool touches(const struct range *a, const struct range *b)
{
	return a->af == b->af && (b->lo <= a->hi || b->lo - a->hi == 1);
}

static size_t set_bytes(uint32_t n)
{
	return sizeof(struct set) + n * sizeof(struct range);
}

static struct set *set_alloc(struct arena *a, uint32_t n)
{
	struct set *s = arena_alloc(a, set_bytes(n));

	s->n = n;
	s->name = NULL;
	return s;
}

/* A set that was made with room for @cap ranges and has @n */
static const struct set *set_done(struct arena *a, struct set *s, uint32_t cap, uint32_t n)
{
	arena_trim(a, s, set_bytes(cap), set_bytes(n));
	s->n = n;
	return s;
}

static void put(struct set *s, uint32_t *n, uint8_t af, u128 lo, u128 hi)
{
	s->r[(*n)++] = (struct range){ af, lo, hi };
}

void ranges_add(struct arena *a, struct ranges *rs, uint8_t af, u128 lo, u128 hi)
{
	BUG_IF(lo > hi);
	vec_add(a, &rs->list, ((struct range){ af, lo, hi }));
}

void ranges_add_prefix(struct arena *a, struct ranges *rs, struct prefix p)
{
	ranges_add(a, rs, p.a.af, prefix_first(p).v, prefix_last(p).v);
}

void ranges_add_set(struct arena *a, struct ranges *rs, const struct set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		vec_add(a, &rs->list, s->r[i]);
}

static bool is_sorted(const struct set *s)
{
	for (uint32_t i = 1; i < s->n; i++)
		if (range_cmp(&s->r[i - 1], &s->r[i]) > 0)
			return false;
	return true;
}

const struct set *set_make(struct arena *a, const struct ranges *rs)
{
	struct set *s = set_alloc(a, rs->list.n);
	uint32_t n = 0;

	if (rs->list.n > 0)
		memcpy(s->r, rs->list.v, rs->list.n * sizeof(s->r[0]));
	if (!is_sorted(s))
		qsort(s->r, s->n, sizeof(s->r[0]), range_cmp);
	for (uint32_t i = 0; i < s->n; i++) {
		if (n > 0 && touches(&s->r[n - 1], &s->r[i]))
			s->r[n - 1].hi = MAX(s->r[n - 1].hi, s->r[i].hi);
		else
			s->r[n++] = s->r[i];
	}
	return set_done(a, s, s->n, n);
}

const struct set *set_range(struct arena *a, uint8_t af, u128 lo, u128 hi)
{
	struct set *s = set_alloc(a, 1);

	BUG_IF(lo > hi);
	s->r[0] = (struct range){ af, lo, hi };
	return s;
}

const struct set *set_one(struct arena *a, u128 v)
{
	return set_range(a, AF_NONE, v, v);
}

const struct set *set_addr(struct arena *a, struct addr v)
{
	return set_range(a, v.af, v.v, v.v);
}

const struct set *set_prefix(struct arena *a, struct prefix p)
{
	return set_range(a, p.a.af, prefix_first(p).v, prefix_last(p).v);
}

static const struct set all_u8 = { 1, NULL, { { AF_NONE, 0, UINT8_MAX } } };
static const struct set all_u16 = { 1, NULL, { { AF_NONE, 0, UINT16_MAX } } };
static const struct set all_u32 = { 1, NULL, { { AF_NONE, 0, UINT32_MAX } } };
static const struct set all_addr = {
	2, NULL, { { AF_V4, 0, UINT32_MAX }, { AF_V6, 0, ~(u128)0 } },
};

const struct set *set_all(struct arena *a UNUSED, enum set_universe u)
{
	static const struct set *const all[] = {
		[SET_U8] = &all_u8, [SET_U16] = &all_u16, [SET_U32] = &all_u32,
		[SET_ADDR] = &all_addr,
	};

	return all[u];
}

const struct set *set_union(struct arena *a, const struct set *x, const struct set *y)
{
	struct ranges rs = { 0 };

	ranges_add_set(a, &rs, x);
	ranges_add_set(a, &rs, y);
	return set_make(a, &rs);
}

/* Is @x wholly before @y */
static bool before(const struct range *x, const struct range *y)
{
	return x->af < y->af || (x->af == y->af && x->hi < y->lo);
}

const struct set *set_intersect(struct arena *a, const struct set *x, const struct set *y)
{
	const uint32_t cap = x->n + y->n;	/* each step puts one at most and ends one */
	struct set *s;
	uint32_t i = 0, j = 0, n = 0;

	if (x == y)
		return x;
	s = set_alloc(a, cap);
	while (i < x->n && j < y->n) {
		const struct range *p = &x->r[i], *q = &y->r[j];

		if (before(p, q)) {
			i++;
		} else if (before(q, p)) {
			j++;
		} else {
			put(s, &n, p->af, MAX(p->lo, q->lo), MIN(p->hi, q->hi));
			if (p->hi < q->hi)
				i++;
			else
				j++;
		}
	}
	return set_done(a, s, cap, n);
}

/* Add what @x leaves of @whole */
static void put_gaps(struct set *s, uint32_t *n, const struct set *x, const struct range *whole)
{
	u128 next = whole->lo;

	for (uint32_t i = 0; i < x->n; i++) {
		const struct range *r = &x->r[i];

		if (r->af != whole->af)
			continue;
		BUG_IF(r->lo < whole->lo || r->hi > whole->hi);
		if (r->lo > next)
			put(s, n, whole->af, next, r->lo - 1);
		if (r->hi == whole->hi)
			return;
		next = r->hi + 1;
	}
	put(s, n, whole->af, next, whole->hi);
}

const struct set *set_complement(struct arena *a, const struct set *x, enum set_universe u)
{
	const struct set *whole = set_all(a, u);
	const uint32_t cap = x->n + whole->n;
	struct set *s = set_alloc(a, cap);
	uint32_t n = 0;

	for (uint32_t w = 0; w < whole->n; w++)
		put_gaps(s, &n, x, &whole->r[w]);
	if (x->name != NULL)
		s->name = x->name[0] == '!' ? x->name + 1 : arena_printf(a, "!%s", x->name);
	return set_done(a, s, cap, n);
}

const struct set *set_named(struct arena *a, const struct set *s, const char *name)
{
	struct set *to = set_alloc(a, s->n);

	memcpy(to->r, s->r, s->n * sizeof(to->r[0]));
	to->name = name;
	return to;
}

const struct set *set_minus(struct arena *a, const struct set *x, const struct set *y,
			    enum set_universe u)
{
	return set_intersect(a, x, set_complement(a, y, u));
}

bool set_has(const struct set *s, uint8_t af, u128 v)
{
	const struct range want = { af, v, v };
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (before(&s->r[mid], &want))
			lo = mid + 1;
		else if (before(&want, &s->r[mid]))
			hi = mid;
		else
			return true;
	}
	return false;
}

bool set_has_addr(const struct set *s, struct addr v)
{
	return set_has(s, v.af, v.v);
}

bool set_equal(const struct set *x, const struct set *y)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++)
		if (x->r[i].af != y->r[i].af || x->r[i].lo != y->r[i].lo ||
		    x->r[i].hi != y->r[i].hi)
			return false;
	return true;
}

bool set_is_subset(const struct set *x, const struct set *y)
{
	uint32_t j = 0;

	for (uint32_t i = 0; i < x->n; i++) {
		while (j < y->n && before(&y->r[j], &x->r[i]))
			j++;
		if (j == y->n || y->r[j].af != x->r[i].af || y->r[j].lo > x->r[i].lo ||
		    y->r[j].hi < x->r[i].hi)
			return false;
	}
	return true;
}

bool set_overlaps(const struct set *x, const struct set *y)
{
	uint32_t i = 0, j = 0;

	while (i < x->n && j < y->n) {
		if (before(&x->r[i], &y->r[j]))
			i++;
		else if (before(&y->r[j], &x->r[i]))
			j++;
		else
			return true;
	}
	return false;
}

unsigned int set_families(const struct set *s)
{
	unsigned int bits = 0;

	for (uint32_t i = 0; i < s->n; i++)
		bits |= s->r[i].af == AF_V4 ? SET_HAS_V4 :
			s->r[i].af == AF_V6 ? SET_HAS_V6 : SET_HAS_NUM;
	return bits;
}

const struct set *set_of_family(struct arena *a, const struct set *s, uint8_t af)
{
	uint32_t lo = 0, hi = s->n;
	struct set *of;

	while (lo < hi && s->r[lo].af != af)
		lo++;
	while (hi > lo && s->r[hi - 1].af != af)
		hi--;
	if (lo == 0 && hi == s->n)
		return s;
	of = set_alloc(a, hi - lo);
	memcpy(of->r, &s->r[lo], (hi - lo) * sizeof(of->r[0]));
	of->name = s->name;
	return of;
}

void set_to_prefixes(struct range r, void (*fn)(struct prefix p, void *arg), void *arg)
{
	const unsigned int bits = addr_bits(r.af);
	u128 lo = r.lo;

	for (;;) {
		unsigned int len = bits;

		while (len > 0) {
			const struct prefix wider = { { r.af, lo }, (uint8_t)(len - 1) };

			if (prefix_first(wider).v != lo || prefix_last(wider).v > r.hi)
				break;
			len--;
		}
		fn((struct prefix){ { r.af, lo }, (uint8_t)len }, arg);
		lo = prefix_last((struct prefix){ { r.af, lo }, (uint8_t)len }).v;
		if (lo >= r.hi)
			return;
		lo++;
	}
}
