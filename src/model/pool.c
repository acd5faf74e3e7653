/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The hash of POOL_SOURCE_HASH is pf's in what it does, not in which member it
 * gives: it is Bob Jenkins's lookup3, byte by byte, scaled by a multiplication,
 * so that `why` and the kernel name the same member.
 */
#include "model/pool.h"

/* One word of up to four bytes, the first the lowest */
static uint32_t word(const uint8_t *b, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n && i < 4; i++)
		v |= (uint32_t)b[i] << (8 * i);
	return v;
}

static uint32_t rol(uint32_t v, unsigned int by)
{
	return v << by | v >> (32 - by);
}

static void mix(uint32_t v[3])
{
	static const uint8_t by[] = { 4, 6, 8, 16, 19, 4 };

	for (uint32_t i = 0; i < ARRAY_SIZE(by); i++) {
		uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];

		*a -= *c;
		*a ^= rol(*c, by[i]);
		*c += *b;
	}
}

static void finish(uint32_t v[3])
{
	static const uint8_t by[] = { 14, 11, 25, 16, 4, 14, 24 };

	for (uint32_t i = 0; i < ARRAY_SIZE(by); i++) {
		uint32_t *to = &v[(i + 2) % 3], *from = &v[(i + 1) % 3];

		*to = (*to ^ *from) - rol(*from, by[i]);
	}
}

uint32_t pool_hash(struct addr source, uint32_t seed, uint32_t n)
{
	uint8_t bytes[16];
	const size_t len = addr_to_bytes(source, bytes);
	const uint32_t start = 0xdeadbeefu + (uint32_t)len + seed;
	uint32_t v[3] = { start, start, start };
	size_t at = 0;

	for (; len - at > 12; at += 12) {
		for (uint32_t i = 0; i < 3; i++)
			v[i] += word(bytes + at + 4 * i, 4);
		mix(v);
	}
	for (uint32_t i = 0; at + 4 * i < len; i++)
		v[i] += word(bytes + at + 4 * i, len - at - 4 * i);
	finish(v);
	return (uint32_t)((uint64_t)v[2] * n >> 32);
}

/* The address that a state of the translation gave to the same source */
static struct addr stuck_to(const struct xlate *x, const struct world *w, uint32_t number,
			    struct addr source)
{
	for (uint32_t i = w->states.n; i-- > 0;) {
		const struct state *s = &w->states.v[i];

		if (s->xlate == number && addr_equal(s->before.src, source))
			return x->kind == XL_DST ? s->after.dst : s->after.src;
	}
	return (struct addr){ .af = AF_NONE };
}

static struct addr with_host_bits(const struct xlate *x, struct addr to, struct addr own)
{
	const u128 low = ~prefix_mask(to.af, addr_bits(to.af) - x->host_bits);
	const u128 all = prefix_mask(to.af, addr_bits(to.af));

	return (struct addr){ to.af, (to.v & ~low) | (own.v & low & all) };
}

struct addr pool_address(const struct xlate *x, const struct world *w, uint32_t number,
			 const struct flow *f)
{
	uint32_t n = 0, pick = w->draw;
	struct addr to = { .af = AF_NONE };

	for (uint32_t i = 0; i < x->to.n; i++)
		n += x->to.v[i].af == f->src.af;
	if (n == 0)
		return to;
	if (x->is_sticky) {
		to = stuck_to(x, w, number, f->src);
		if (to.af != AF_NONE)
			return to;
	}
	pick = x->pool == POOL_SOURCE_HASH ? pool_hash(f->src, x->seed, n) : pick % n;
	for (uint32_t i = 0; to.af == AF_NONE; i++)
		if (x->to.v[i].af == f->src.af && pick-- == 0)
			to = x->to.v[i];
	if (x->pool == POOL_BITMASK)
		to = with_host_bits(x, to, x->kind == XL_DST ? f->dst : f->src);
	return to;
}

uint16_t xlate_shift(const struct xlate *x, uint16_t port)
{
	const int32_t far = (int32_t)port - x->from;

	return (uint16_t)(x->lo + (x->hi >= x->lo ? far % (x->hi - x->lo + 1) : far));
}
