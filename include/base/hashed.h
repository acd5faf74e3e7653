/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashed - numbers of things by the hash of what they are found by
 *
 * The caller keeps the things, makes the hash and compares: those of one hash are
 * gone through, the last added first.
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 hash, or know what the things are.
 */
#ifndef BASE_HASHED_H
#define BASE_HASHED_H

#include "base/arena.h"

/**
 * struct hashed_entry - One thing
 * @hash:	Its hash
 * @number:	Its number
 * @next:	The entry that shares its place in the table, as index + 1
 */
struct hashed_entry {
	uint32_t hash;
	uint32_t number;
	uint32_t next;
};

/**
 * struct hashed - Things; all zero is none
 * @list:	In the order they were added
 * @head:	By the low bits of a hash: the entry added last, as index + 1
 * @n_heads:	A power of 2 no smaller than there are entries
 */
struct hashed {
	VEC(struct hashed_entry) list;
	uint32_t *head;
	uint32_t n_heads;
};

/** hashed_first() - The last added entry of a hash, or NULL */
const struct hashed_entry *hashed_first(const struct hashed *h, uint32_t hash);

/** hashed_next() - That added before @e with the same hash, or NULL */
const struct hashed_entry *hashed_next(const struct hashed *h, const struct hashed_entry *e);

/**
 * hashed_add() - Add a thing
 * @a:		Memory
 * @h:		To these
 * @hash:	Its hash
 * @number:	Its number
 *
 * Cost: amortised O(1).
 */
void hashed_add(struct arena *a, struct hashed *h, uint32_t hash, uint32_t number);

#endif /* BASE_HASHED_H */
