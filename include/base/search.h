/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search - look-ups in sorted arrays
 *
 * Owns:	 nothing.
 */
#ifndef BASE_SEARCH_H
#define BASE_SEARCH_H

#include "base/base.h"

/**
 * base_lower_bound() - The first element that does not stand before a key
 * @v:		Array, sorted by @cmp
 * @n:		Its elements
 * @size:	Bytes of one
 * @key:	Key, as @cmp takes it
 * @cmp:	Compares an element with the key, as for qsort(3)
 *
 * Cost: O(log n).
 *
 * Return: its number; @n where all stand before the key
 */
uint32_t base_lower_bound(const void *v, uint32_t n, size_t size, const void *key,
			  int (*cmp)(const void *element, const void *key));

#endif /* BASE_SEARCH_H */
