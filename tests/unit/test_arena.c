/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/arena.h"

#include "base/limits.h"
#include "unit.h"

TEST(memory_is_zero_aligned_and_apart)
{
	struct arena a;
	uint8_t *p[200];
	size_t len[200];

	arena_init(&a, LIMIT_ARENA_BYTES);
	for (unsigned int i = 0; i < 200; i++) {
		len[i] = unit_below(5000);
		p[i] = arena_alloc(&a, len[i]);
		CHECK_INT((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		for (size_t j = 0; j < len[i]; j++)
			if (p[i][j] != 0 && !CHECK(p[i][j] == 0))
				break;
		memset(p[i], (int)i + 1, len[i]);
	}
	for (unsigned int i = 0; i < 200; i++)
		for (size_t j = 0; j < len[i]; j++)
			if (p[i][j] != (uint8_t)(i + 1) && !CHECK(p[i][j] == (uint8_t)(i + 1)))
				break;
	arena_fini(&a);
	CHECK(a.head == NULL);
	CHECK_INT(a.used_bytes, 0);
}

TEST(fini_of_all_zero_and_twice)
{
	struct arena a = { 0 };

	arena_fini(&a);
	arena_init(&a, 1 << 20);
	CHECK(arena_alloc(&a, 0) != NULL);
	arena_fini(&a);
	arena_fini(&a);
	CHECK(a.head == NULL);
}

/* Allocate @step bytes until the arena is full; how many were had, or -1 for none of it */
static long fill(struct arena *a, size_t step)
{
	jmp_buf full;
	volatile long had = 0;

	a->full = &full;
	if (setjmp(full) != 0)
		return had;
	while (had < (1L << 40)) {
		memset(arena_alloc(a, step), 1, step);
		had += (long)step;
	}
	return -1;
}

TEST(cap_is_met_by_longjmp)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	CHECK(fill(&a, 100) > (1 << 19));
	CHECK(a.used_bytes <= 1 << 20);
	arena_fini(&a);
}

TEST(limit_arena_bytes)
{
	struct arena a;
	long had;

	arena_init(&a, LIMIT_ARENA_BYTES);
	had = fill(&a, 4096);
	CHECK(had <= (long)LIMIT_ARENA_BYTES);
	CHECK(had > (long)LIMIT_ARENA_BYTES / 10 * 8);
	CHECK(a.used_bytes <= LIMIT_ARENA_BYTES);
	arena_fini(&a);
}

TEST(one_request_over_the_cap)
{
	struct arena a;

	arena_init(&a, 1 << 20);
	CHECK_INT(fill(&a, (1 << 20) + 1), 0);
	CHECK_INT(fill(&a, SIZE_MAX), 0);
	CHECK_INT(fill(&a, SIZE_MAX - 8), 0);
	CHECK_INT(a.used_bytes, 0);
	arena_fini(&a);
}

TEST(no_one_to_tell_is_a_bug)
{
	struct arena a;

	arena_init(&a, 1000);
	CHECK_BUG(arena_alloc(&a, 2000));
	arena_fini(&a);
}

TEST(strings)
{
	struct arena a;
	char *s;

	arena_init(&a, 1 << 20);
	CHECK_STR(arena_strndup(&a, "abcdef", 3), "abc");
	CHECK_STR(arena_strndup(&a, NULL, 0), "");
	s = arena_strndup(&a, "a\0b", 3);
	CHECK(memcmp(s, "a\0b", 4) == 0);
	CHECK_STR(arena_printf(&a, "%s-%d", "x", 42), "x-42");
	CHECK_STR(arena_printf(&a, "%s", ""), "");
	s = arena_printf(&a, "%0*d", 100000, 7);
	CHECK_INT(strlen(s), 100000);
	CHECK_INT(s[99999], '7');
	arena_fini(&a);
}

TEST(vectors_grow_and_keep_their_elements)
{
	struct arena a;
	VEC(uint64_t) v = { 0 };
	bool same = true;

	arena_init(&a, 16 << 20);
	for (uint64_t i = 0; i < 100000; i++)
		vec_add(&a, &v, i * i);
	CHECK_INT(v.n, 100000);
	CHECK(v.cap >= v.n);
	for (uint64_t i = 0; i < v.n; i++)
		same = same && v.v[i] == i * i;
	CHECK(same);
	CHECK_INT(*vec_push(&a, &v), 0);
	arena_fini(&a);
}

TEST(the_last_vector_grows_where_it_is)
{
	struct arena a;
	VEC(uint64_t) v = { 0 }, other = { 0 };
	const uint64_t *at;

	arena_init(&a, 1 << 20);
	vec_add(&a, &v, 0);
	at = v.v;
	for (uint64_t i = 1; i < 1000; i++)
		vec_add(&a, &v, i);
	CHECK(v.v == at);
	vec_add(&a, &other, 7);
	for (uint64_t i = 1000; i < 2000; i++)
		vec_add(&a, &v, i);
	CHECK(v.v != at);
	CHECK_INT(other.v[0], 7);
	for (uint64_t i = 0; i < 2000; i++)
		if (v.v[i] != i && !CHECK_INT(v.v[i], i))
			break;
	/* Elements of any size, also of the largest that a chunk has no room for */
	for (unsigned int i = 0; i < 3; i++) {
		VEC(struct { uint8_t b[100000]; }) big = { 0 };

		CHECK_INT(vec_push(&a, &big)->b[99999], 0);
		memset(big.v[0].b, 1, sizeof(big.v[0].b));
		CHECK_INT(vec_push(&a, &big)->b[0], 0);
		CHECK_INT(big.v[0].b[99999], 1);
	}
	arena_fini(&a);
}

TEST(trimmed_memory_is_used_again_and_zero)
{
	struct arena a;
	uint8_t *p, *q;

	arena_init(&a, 1 << 20);
	p = arena_alloc(&a, 1000);
	memset(p, 0xff, 1000);
	arena_trim(&a, p, 1000, 33);
	q = arena_alloc(&a, 1000);
	CHECK(q > p && q < p + 1000);
	CHECK_INT(p[32], 0xff);
	for (unsigned int i = 0; i < 1000; i++)
		if (q[i] != 0 && !CHECK_INT(q[i], 0))
			break;
	/* Not the last any more: nothing happens */
	memset(p, 0xff, 33);
	arena_trim(&a, p, 33, 0);
	CHECK_INT(p[0], 0xff);
	CHECK(arena_alloc(&a, 16) > (void *)q);
	CHECK_BUG(arena_trim(&a, q, 10, 11));
	arena_fini(&a);
}

TEST(cleared_it_asks_for_nothing_more)
{
	struct arena a;
	size_t used;

	arena_init(&a, 1u << 20);
	memset(arena_alloc(&a, 50000), 1, 50000);
	used = a.used_bytes;
	for (int i = 0; i < 100; i++) {
		const unsigned char *p;

		arena_clear(&a);
		p = arena_alloc(&a, 50000);
		CHECK_INT(p[0] | p[49999], 0);
		memset(arena_alloc(&a, 10000), 1, 10000);
		CHECK(a.used_bytes == used);
	}
	memset(arena_alloc(&a, 500000), 1, 500000);
	arena_clear(&a);
	CHECK(a.used_bytes == used);
	arena_fini(&a);
	arena_clear(&a);
	CHECK_INT((intmax_t)a.used_bytes, 0);
}
