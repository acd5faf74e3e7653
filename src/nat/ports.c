/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A bitmap, not a free list: giving back is one store, and the common question,
 * "is the client's own port free?", one load.  A port that must change is drawn
 * at random some times; only where most are lent the rest is found by words
 * from a random start, because the port behind a long run of lent ones would be
 * found more often than others.
 *
 * Lines: 4787-3a 4787-4 6888-13 6888-15 7857-8a 7857-9a 7422-3
 */
#include "nat/ports.h"

#include <string.h>

#define DRAWS	16

void ports_init(struct ports *p)
{
	memset(p, 0, sizeof(*p));
	ports_mark(p, 0);
}

/* Bits of word @w that are ports of @lo..@hi */
static uint64_t within(uint32_t w, uint32_t lo, uint32_t hi)
{
	uint64_t m = ~UINT64_C(0);

	if (w == lo / 64)
		m &= ~UINT64_C(0) << (lo % 64);
	if (w == hi / 64)
		m &= ~UINT64_C(0) >> (63 - hi % 64);
	return m;
}

/* A free port of the range whose bit in each word is in @mask; 0: none */
static uint16_t scan(const struct ports *p, uint32_t lo, uint32_t hi, uint64_t mask,
		     struct random *r)
{
	const uint32_t first = lo / 64, n = hi / 64 - first + 1;
	uint32_t w = first + random_below(r, n);

	for (uint32_t i = 0; i < n; i++, w = w + 1 == first + n ? first : w + 1) {
		const uint64_t lent = __atomic_load_n(&p->lent[w], __ATOMIC_RELAXED);
		const uint64_t open = ~lent & mask & within(w, lo, hi);

		if (open != 0) {
			const uint32_t turn = random_below(r, 64);
			const uint64_t high = open >> turn << turn;

			return (uint16_t)(w * 64 +
					  (uint32_t)__builtin_ctzll(high != 0 ? high : open));
		}
	}
	return 0;
}

uint16_t ports_choose(const struct ports *p, uint16_t lo, uint16_t hi, uint16_t like,
		      enum parity parity, struct random *r)
{
	const uint64_t same = like % 2 != 0 ? UINT64_C(0xaaaaaaaaaaaaaaaa)
					    : UINT64_C(0x5555555555555555);
	const uint64_t mask = parity == PARITY_KEEP ? same : ~UINT64_C(0);
	uint16_t port;

	for (int i = 0; i < DRAWS; i++) {
		port = (uint16_t)(lo + random_below(r, (uint64_t)(hi - lo) + 1));
		if (parity == PARITY_KEEP && port % 2 != like % 2)
			port ^= 1;
		if (port >= lo && port <= hi && !ports_is_lent(p, port))
			return port;
	}
	port = scan(p, lo, hi, mask, r);
	if (port == 0 && parity == PARITY_KEEP)
		port = scan(p, lo, hi, ~mask, r);
	return port;
}
