/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - which address and port a translation gives a packet
 *
 * Owns:	 nothing.
 * Does not:	 draw random numbers: draws are part of the world.
 */
#ifndef SRC_MODEL_POOL_H
#define SRC_MODEL_POOL_H

#include "model/eval.h"

/**
 * pool_address() - The address of a pool for a packet
 * @x:		Translation
 * @w:		World: its draw chooses, its states make an address sticky
 * @number:	Number of the translation as states name it
 * @f:		The packet
 *
 * Return: the address; of AF_NONE when the pool has none of the packet's family
 */
struct addr pool_address(const struct xlate *x, const struct world *w, uint32_t number,
			 const struct flow *f);

/** pool_hash() - Which of @n a source is given: as Linux's nftables hashes addresses */
uint32_t pool_hash(struct addr source, uint32_t seed, uint32_t n);

#endif /* SRC_MODEL_POOL_H */
