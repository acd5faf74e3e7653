/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr_index - places of addresses in a list, found by the address
 *
 * A range may declare 65536 addresses; comparing each with each would take
 * minutes.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef HOST_ADDR_INDEX_H
#define HOST_ADDR_INDEX_H

#include "base/arena.h"
#include "net/addr.h"

/**
 * struct addr_slot - An address and its place
 * @a:		Address
 * @i:		Its place in the list
 */
struct addr_slot {
	struct addr a;
	uint32_t i;
};

/**
 * struct addr_index - Addresses in order, equal ones by their place
 * @v:		Slots
 * @n:		How many
 */
struct addr_index {
	struct addr_slot *v;
	uint32_t n;
};

/** addr_index_sort() - Put slots in order; O(n log n) */
void addr_index_sort(struct addr_index *x);

/** addr_index_first() - The first slot that is not before @a; @x->n for none; O(log n) */
uint32_t addr_index_first(const struct addr_index *x, struct addr a);

/** addr_index_each() - Walk the places @slot of address @a */
#define addr_index_each(x, addr, slot) \
	for (uint32_t slot = addr_index_first((x), (addr)); \
	     slot < (x)->n && addr_equal((x)->v[slot].a, (addr)); slot++)

#endif /* HOST_ADDR_INDEX_H */
