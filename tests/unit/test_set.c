/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/set.h"

#include "base/limits.h"
#include "unit.h"

/*
 * The naive model: 0..255 as bits, for each family.  Around the numbers that
 * a family ends with, so that overflow is met: bit i stands for base + i.
 */
struct bits {
	bool in[3][256];
};

static const uint8_t afs[3] = { AF_NONE, AF_V4, AF_V6 };
static const u128 bases[3] = { 0, UINT32_MAX - 255, ~(u128)0 - 255 };

static struct arena arena;

static void begin(void)
{
	arena_init(&arena, LIMIT_ARENA_BYTES);
}

static void end(void)
{
	arena_fini(&arena);
}

static const struct set *random_set(struct bits *b)
{
	const uint64_t n = unit_below(12);
	struct ranges rs = { 0 };

	memset(b, 0, sizeof(*b));
	for (uint64_t i = 0; i < n; i++) {
		const unsigned int f = (unsigned int)unit_below(3);
		const unsigned int lo = (unsigned int)unit_below(256);
		const unsigned int len = (unsigned int)unit_below(unit_below(4) ? 8 : 256);
		const unsigned int hi = MIN(lo + len, 255);

		ranges_add(&arena, &rs, afs[f], bases[f] + lo, bases[f] + hi);
		for (unsigned int v = lo; v <= hi; v++)
			b->in[f][v] = true;
	}
	return set_make(&arena, &rs);
}

/* The set has the members of @b and its one form */
static bool is_bits(const struct set *s, const struct bits *b)
{
	for (unsigned int f = 0; f < 3; f++)
		for (unsigned int v = 0; v < 256; v++)
			if (set_has(s, afs[f], bases[f] + v) != b->in[f][v])
				return false;
	for (uint32_t i = 0; i < s->n; i++) {
		const struct range *r = &s->r[i], *q = i > 0 ? &s->r[i - 1] : NULL;

		if (r->lo > r->hi)
			return false;
		if (q != NULL && (q->af > r->af || (q->af == r->af && r->lo <= q->hi + 1)))
			return false;
	}
	return true;
}

TEST(random_operations_against_bits)
{
	for (unsigned int step = 0; step < 2000; step++) {
		struct bits x, y, u = { 0 }, n = { 0 };
		const struct set *sx, *sy;
		bool subset = true, overlaps = false;

		begin();
		sx = random_set(&x);
		sy = unit_below(8) ? random_set(&y) : (y = x, sx);
		if (unit_below(4) == 0) {
			sy = set_union(&arena, sx, sy);
			for (unsigned int i = 0; i < 3 * 256; i++)
				(&y.in[0][0])[i] |= (&x.in[0][0])[i];
		}
		for (unsigned int i = 0; i < 3 * 256; i++) {
			const bool a = (&x.in[0][0])[i], b = (&y.in[0][0])[i];

			(&u.in[0][0])[i] = a || b;
			(&n.in[0][0])[i] = a && b;
			subset = subset && (!a || b);
			overlaps = overlaps || (a && b);
		}
		CHECK(is_bits(sx, &x));
		CHECK(is_bits(set_union(&arena, sx, sy), &u));
		CHECK(is_bits(set_intersect(&arena, sx, sy), &n));
		CHECK_INT(set_is_subset(sx, sy), subset);
		CHECK_INT(set_overlaps(sx, sy), overlaps);
		CHECK_INT(set_equal(sx, sy), memcmp(&x, &y, sizeof(x)) == 0);
		CHECK(set_equal(set_union(&arena, sx, sy), set_union(&arena, sy, sx)));
		CHECK(set_equal(set_intersect(&arena, sx, sy), set_intersect(&arena, sy, sx)));
		end();
	}
}

TEST(random_complements_against_bits)
{
	for (unsigned int step = 0; step < 2000; step++) {
		struct bits x, y, d = { 0 };
		const struct set *sx, *sy, *num, *addr;

		begin();
		sx = random_set(&x);
		sy = random_set(&y);
		num = set_minus(&arena, set_of_family(&arena, sx, AF_NONE),
				set_of_family(&arena, sy, AF_NONE), SET_U8);
		addr = set_minus(&arena, sx, sy, SET_ADDR);
		for (unsigned int v = 0; v < 256; v++)
			d.in[0][v] = x.in[0][v] && !y.in[0][v];
		CHECK(is_bits(num, &d));
		memset(&d, 0, sizeof(d));
		for (unsigned int f = 1; f < 3; f++)
			for (unsigned int v = 0; v < 256; v++)
				d.in[f][v] = x.in[f][v] && !y.in[f][v];
		CHECK(is_bits(addr, &d));
		/* Twice is nothing */
		num = set_of_family(&arena, sx, AF_NONE);
		CHECK(set_equal(num, set_complement(&arena, set_complement(&arena, num, SET_U16),
						    SET_U16)));
		end();
	}
}

TEST(universes)
{
	begin();
	CHECK(set_has(set_all(&arena, SET_U8), AF_NONE, 255));
	CHECK(!set_has(set_all(&arena, SET_U8), AF_NONE, 256));
	CHECK(set_has(set_all(&arena, SET_U16), AF_NONE, 65535));
	CHECK(!set_has(set_all(&arena, SET_U16), AF_NONE, 65536));
	CHECK(set_has(set_all(&arena, SET_U32), AF_NONE, UINT32_MAX));
	CHECK(!set_has(set_all(&arena, SET_U32), AF_NONE, (u128)UINT32_MAX + 1));
	CHECK(set_has(set_all(&arena, SET_ADDR), AF_V4, UINT32_MAX));
	CHECK(set_has(set_all(&arena, SET_ADDR), AF_V6, ~(u128)0));
	CHECK(!set_has(set_all(&arena, SET_ADDR), AF_NONE, 0));
	for (enum set_universe u = SET_U8; u <= SET_ADDR; u++) {
		const struct set *all = set_all(&arena, u);
		const struct set *none = set_complement(&arena, all, u);

		CHECK(set_is_empty(none));
		CHECK(set_equal(set_complement(&arena, none, u), all));
		CHECK(set_is_subset(none, all) && !set_overlaps(none, all));
	}
	CHECK_BUG(set_complement(&arena, set_one(&arena, 256), SET_U8));
	end();
}

TEST(makers)
{
	const struct prefix p = { addr_v4(192, 168, 100, 5), 29 };
	struct ranges rs = { 0 };

	begin();
	CHECK(set_is_empty(set_make(&arena, &rs)));
	CHECK_INT(set_one(&arena, 80)->n, 1);
	CHECK(set_has(set_one(&arena, 80), AF_NONE, 80));
	CHECK(!set_has(set_one(&arena, 80), AF_V4, 80));
	CHECK(set_has_addr(set_prefix(&arena, p), addr_v4(192, 168, 100, 0)));
	CHECK(!set_has_addr(set_prefix(&arena, p), addr_v4(192, 168, 100, 8)));
	CHECK(set_has_addr(set_addr(&arena, addr_v4(1, 2, 3, 4)), addr_v4(1, 2, 3, 4)));
	ranges_add_prefix(&arena, &rs, p);
	CHECK(set_equal(set_make(&arena, &rs), set_prefix(&arena, p)));
	/* Adjacent ranges are one */
	rs = (struct ranges){ 0 };
	ranges_add(&arena, &rs, AF_NONE, 11, 20);
	ranges_add(&arena, &rs, AF_NONE, 1, 10);
	CHECK(set_equal(set_make(&arena, &rs), set_range(&arena, AF_NONE, 1, 20)));
	/* but not those of two families, though their numbers touch */
	rs = (struct ranges){ 0 };
	ranges_add(&arena, &rs, AF_V4, 1, 10);
	ranges_add(&arena, &rs, AF_V6, 11, 20);
	CHECK_INT(set_make(&arena, &rs)->n, 2);
	CHECK_BUG(ranges_add(&arena, &rs, AF_NONE, 2, 1));
	CHECK_BUG(set_range(&arena, AF_NONE, 2, 1));
	end();
}

TEST(families)
{
	const struct set *v4, *v6, *both;

	begin();
	v4 = set_addr(&arena, addr_v4(1, 2, 3, 4));
	v6 = set_addr(&arena, (struct addr){ AF_V6, 1 });
	both = set_union(&arena, v4, v6);
	CHECK_INT(set_families(v4), SET_HAS_V4);
	CHECK_INT(set_families(v6), SET_HAS_V6);
	CHECK_INT(set_families(both), SET_HAS_V4 | SET_HAS_V6);
	CHECK_INT(set_families(set_one(&arena, 1)), SET_HAS_NUM);
	CHECK_INT(set_families(set_complement(&arena, set_all(&arena, SET_U8), SET_U8)), 0);
	CHECK(set_equal(set_of_family(&arena, both, AF_V4), v4));
	CHECK(set_equal(set_of_family(&arena, both, AF_V6), v6));
	end();
}

struct cover {
	struct range r;
	u128 next;
	unsigned int n;
	bool right;
	bool ended;
};

static void cover_one(struct prefix p, void *arg)
{
	struct cover *c = arg;

	c->n++;
	c->right = c->right && !c->ended && p.a.af == c->r.af && p.a.v == c->next &&
		   prefix_first(p).v == p.a.v && prefix_last(p).v <= c->r.hi;
	/* Shortest: one bit less would begin earlier or end later than may be */
	if (p.len > 0) {
		const struct prefix wider = { p.a, (uint8_t)(p.len - 1) };

		c->right = c->right && (prefix_first(wider).v != p.a.v ||
					prefix_last(wider).v > c->r.hi);
	}
	c->ended = prefix_last(p).v == c->r.hi;
	c->next = prefix_last(p).v + 1;
}

static unsigned int cover(uint8_t af, u128 lo, u128 hi)
{
	struct cover c = { .r = { af, lo, hi }, .next = lo, .right = true };

	set_to_prefixes(c.r, cover_one, &c);
	CHECK(c.right && c.ended);
	return c.n;
}

TEST(prefixes_of_a_range)
{
	CHECK_INT(cover(AF_V4, 0, UINT32_MAX), 1);
	CHECK_INT(cover(AF_V6, 0, ~(u128)0), 1);
	CHECK_INT(cover(AF_V4, 5, 5), 1);
	CHECK_INT(cover(AF_V4, 1, UINT32_MAX - 1), 62);
	CHECK_INT(cover(AF_V6, 1, ~(u128)0 - 1), 254);
	CHECK_INT(cover(AF_V4, UINT32_MAX, UINT32_MAX), 1);
	CHECK_INT(cover(AF_V6, ~(u128)0, ~(u128)0), 1);
	for (unsigned int i = 0; i < 2000; i++) {
		const uint8_t af = unit_below(2) ? AF_V4 : AF_V6;
		const u128 mask = af == AF_V4 ? UINT32_MAX : ~(u128)0;
		const u128 x = ((u128)unit_random() << 64 | unit_random()) & mask;
		const u128 y = unit_below(2) ? (x ^ unit_below(5000)) :
			       ((u128)unit_random() << 64 | unit_random()) & mask;

		cover(af, MIN(x, y), MAX(x, y));
	}
}
