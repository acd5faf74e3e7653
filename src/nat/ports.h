/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports - outside ports of one (address, protocol) pair
 *
 * Owns:	 its bitmap, embedded.
 * Does not:	 know who has a port, or for how long.
 * Normative:	 RFC 4787 REQ-3 (never lend a port twice), REQ-3a (keep the
 *		 range), REQ-4 (parity, where asked for); RFC 6056 3.3.1 (random).
 */
#ifndef NAT_PORTS_H
#define NAT_PORTS_H

#include "nat/random.h"

#define PORT_WORDS	1024u		/* 65536 bits */

/**
 * struct ports - Ports lent and free
 * @lent:	By port number; 1 = lent, held or never to be lent
 */
struct ports {
	uint64_t lent[PORT_WORDS];
};

enum parity { PARITY_ANY, PARITY_KEEP };

/** ports_init() - All free but port 0 */
void ports_init(struct ports *p);

/** ports_is_lent() - Can a port not be taken */
static inline bool ports_is_lent(const struct ports *p, uint16_t port)
{
	return (__atomic_load_n(&p->lent[port / 64], __ATOMIC_RELAXED) >> (port % 64) & 1) != 0;
}

/** ports_mark() - Take a port that is free, or leave one that is lent */
static inline void ports_mark(struct ports *p, uint16_t port)
{
	p->lent[port / 64] |= UINT64_C(1) << (port % 64);
}

/** ports_take() - ports_mark(), whoever else does so meanwhile; false: it was lent */
static inline bool ports_take(struct ports *p, uint16_t port)
{
	const uint64_t bit = UINT64_C(1) << (port % 64);

	return (__atomic_fetch_or(&p->lent[port / 64], bit, __ATOMIC_ACQ_REL) & bit) == 0;
}

/** ports_give_shared() - ports_give(), whoever else does so meanwhile */
static inline void ports_give_shared(struct ports *p, uint16_t port)
{
	(void)__atomic_fetch_and(&p->lent[port / 64], ~(UINT64_C(1) << (port % 64)),
				 __ATOMIC_RELEASE);
}

/** ports_give() - Take a port back */
static inline void ports_give(struct ports *p, uint16_t port)
{
	p->lent[port / 64] &= ~(UINT64_C(1) << (port % 64));
}

/**
 * ports_choose() - A free port of a range, unpredictably
 * @p:		Pool; unchanged
 * @lo:		Lowest
 * @hi:		Highest, >= @lo
 * @like:	Port whose parity counts with PARITY_KEEP: first those of the
 *		same, then the others
 * @parity:	Whether it counts
 * @r:		Where chance comes from
 *
 * Cost: some draws; when most are lent one pass over the range, 64 at a step.
 *
 * Return: the port, 0 when all are lent
 */
uint16_t ports_choose(const struct ports *p, uint16_t lo, uint16_t hi, uint16_t like,
		      enum parity parity, struct random *r);

#endif /* NAT_PORTS_H */
