/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Two folded 64x64 multiplications over secret words.  Whoever sends packets
 * sees no hash value, only time, and without the secret cannot choose tuples
 * that meet in one bucket; a bucket that overflows costs one cache line more
 * and nothing else.  SipHash would be stronger and cost as much as all the rest
 * of a packet; it is kept for what others do see, the random numbers
 * (random.h).
 */
#ifndef NAT_HASH_H
#define NAT_HASH_H

#include "base/base.h"

/** hash_fold() - 128-bit product of two words, its halves folded */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	const unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/** hash_words() - Keyed hash of two words */
static inline uint64_t hash_words(const uint64_t key[4], uint64_t a, uint64_t b)
{
	return hash_fold(hash_fold(a ^ key[0], b ^ key[1]) ^ key[2], key[3] | 1);
}

/**
 * fetch_line() - Have a cache line here soon
 *
 * To gcc a prefetch is no effect, and a function that only prefetches is not called;
 * an asm statement is one.
 */
static inline void fetch_line(const void *p)
{
	__builtin_prefetch(p);
	__asm__ volatile("" : : "r"(p));
}

#endif /* NAT_HASH_H */
