/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table - from a hash to the numbers of records that may have the key
 *
 * Holds numbers only; the caller compares keys.  A record may stand in it more
 * than once, under several keys.
 *
 * Owns:	 nothing; its buckets are the caller's memory.
 * Does not:	 see keys, grow, or move what it holds.
 */
#ifndef NAT_TABLE_H
#define NAT_TABLE_H

#include "nat/hash.h"

#define TABLE_NONE	UINT32_MAX
#define BUCKET_SLOTS	15u

/**
 * struct bucket - One cache line
 * @slot:	Tag of the hash in the high bits, number + 1 in the low ones; 0: empty
 * @n_passed:	Entries that stand further on because this was full
 */
struct bucket {
	uint32_t slot[BUCKET_SLOTS];
	uint32_t n_passed;
} __attribute__((aligned(64)));

/**
 * struct table - All of it
 * @buckets:	Buckets
 * @n:		How many
 * @shift:	Bits of a slot that are the number
 * @mask:	They
 */
struct table {
	struct bucket *buckets;
	uint32_t n;
	uint32_t shift;
	uint32_t mask;
};

/**
 * struct table_look - A search that goes on
 * @at:		Bucket
 * @left:	Slots of it with the tag that have not been told yet, as bits
 * @tag:	Tag
 * @n:		Buckets seen
 */
struct table_look {
	uint32_t at;
	uint32_t left;
	uint32_t tag;
	uint32_t n;
};

/** table_buckets() - Buckets for @n_entries, @full of them in each on average, below 15 */
static inline uint32_t table_buckets(uint32_t n_entries, uint32_t full)
{
	return n_entries / full + 2;
}

/**
 * table_init() - An empty table
 * @t:		Table
 * @mem:	Its buckets
 * @n_buckets:	How many
 * @n_records:	Numbers are below this
 */
void table_init(struct table *t, struct bucket *mem, uint32_t n_buckets, uint32_t n_records);

/** table_home() - The bucket where a hash is looked for first */
static inline uint32_t table_home(const struct table *t, uint64_t hash)
{
	return (uint32_t)((hash >> 32) * t->n >> 32);
}

/** table_tag() - What a slot says of a hash; never 0 */
static inline uint32_t table_tag(const struct table *t, uint64_t hash)
{
	return ((uint32_t)hash >> t->shift) | 1u << (31 - t->shift);
}

/** table_prefetch() - Fetch what table_first() will read */
static inline void table_prefetch(const struct table *t, uint64_t hash)
{
	fetch_line(&t->buckets[table_home(t, hash)]);
}

/** bucket_match() - Slots with a tag, as bits */
static inline uint32_t bucket_match(const struct bucket *b, uint32_t tag, uint32_t shift);

#ifdef __SSE2__
#include <emmintrin.h>

/* Which of four slots have the tag */
static inline __m128i eq4(const __m128i *slots, __m128i by, __m128i want)
{
	return _mm_cmpeq_epi32(_mm_srl_epi32(_mm_load_si128(slots), by), want);
}

static inline uint32_t bucket_match(const struct bucket *b, uint32_t tag, uint32_t shift)
{
	const __m128i want = _mm_set1_epi32((int)tag);
	const __m128i by = _mm_cvtsi32_si128((int)shift);
	const __m128i *s = (const __m128i *)(const void *)b;
	const __m128i low = _mm_packs_epi32(eq4(s, by, want), eq4(s + 1, by, want));
	const __m128i high = _mm_packs_epi32(eq4(s + 2, by, want), eq4(s + 3, by, want));

	return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) & ((1u << BUCKET_SLOTS) - 1);
}
#else
static inline uint32_t bucket_match(const struct bucket *b, uint32_t tag, uint32_t shift)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; i < BUCKET_SLOTS; i++)
		bits |= (uint32_t)(b->slot[i] >> shift == tag) << i;
	return bits;
}
#endif

/** table_next() - The next number that may have the key, or TABLE_NONE */
static inline uint32_t table_next(const struct table *t, struct table_look *l)
{
	while (l->left == 0) {
		if (t->buckets[l->at].n_passed == 0 || ++l->n >= t->n)
			return TABLE_NONE;
		l->at = l->at + 1 == t->n ? 0 : l->at + 1;
		l->left = bucket_match(&t->buckets[l->at], l->tag, t->shift);
	}
	{
		const uint32_t i = (uint32_t)__builtin_ctz(l->left);

		l->left &= l->left - 1;
		return (t->buckets[l->at].slot[i] & t->mask) - 1;
	}
}

/** table_first() - The first number that may have the key, or TABLE_NONE */
static inline uint32_t table_first(const struct table *t, uint64_t hash, struct table_look *l)
{
	l->at = table_home(t, hash);
	l->tag = table_tag(t, hash);
	l->n = 0;
	l->left = bucket_match(&t->buckets[l->at], l->tag, t->shift);
	return table_next(t, l);
}

/**
 * table_add() - Add an entry
 * @t:		Table, with room: no more entries than it was made for
 * @hash:	Hash of the key
 * @number:	Number of the record
 */
void table_add(struct table *t, uint64_t hash, uint32_t number);

/** table_del() - Take out an entry, which must be there */
void table_del(struct table *t, uint64_t hash, uint32_t number);

#endif /* NAT_TABLE_H */
