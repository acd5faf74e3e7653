/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random - numbers that nobody can guess who does not know the key
 *
 * SipHash-2-4 of a counter: others see the ports and ids that it chooses, and
 * must not be able to tell the next (RFC 6056, RFC 6888 REQ-15).
 */
#ifndef NAT_RANDOM_H
#define NAT_RANDOM_H

#include "base/base.h"

/**
 * struct random - A sequence
 * @key:	Secret
 * @n:		Numbers drawn so far
 * @half:	Half of the last one that was not used, @has_half
 * @back:	What random_return() was given, @has_back
 * @has_half:	See @half
 * @has_back:	See @back
 */
struct random {
	uint64_t key[2];
	uint64_t n;
	uint32_t half;
	uint32_t back;
	bool has_half;
	bool has_back;
};

/** random_next() - 64 bits */
uint64_t random_next(struct random *r);

/** random_below() - A number in 0..@n-1, for @n in 1..2^32 */
static inline uint32_t random_below(struct random *r, uint64_t n)
{
	if (r->has_back) {
		r->has_back = false;
		return (uint32_t)(r->back * n >> 32);
	}
	r->has_half = !r->has_half;
	if (r->has_half) {
		const uint64_t both = random_next(r);

		r->half = (uint32_t)both;
		return (uint32_t)((both >> 32) * n >> 32);
	}
	return (uint32_t)(r->half * n >> 32);
}

/** random_return() - The next random_below() is of these 32 bits, drawn before */
static inline void random_return(struct random *r, uint32_t bits)
{
	r->back = bits;
	r->has_back = true;
}

#endif /* NAT_RANDOM_H */
