/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * set - sets of numbers as sorted ranges
 *
 * Addresses, ports, protocols, interface numbers, flag bytes: every field of
 * a packet is a number, and every test of a rule is "field in set".  Ranges of
 * addresses carry their family; those of other fields have AF_NONE.
 *
 * Owns:	 nothing; sets live in an arena and never change.
 * Threads:	 none.
 */
#ifndef NET_SET_H
#define NET_SET_H

#include "base/arena.h"
#include "net/addr.h"

/**
 * struct range - Numbers @lo to @hi of one family
 * @af:		AF_V4, AF_V6, or AF_NONE for what is no address
 * @lo:		Lowest
 * @hi:		Highest, >= @lo
 */
struct range {
	uint8_t af;
	u128 lo;
	u128 hi;
};

/**
 * struct set - A set of numbers
 * @n:		Ranges
 * @name:	Of a table, whose members come and go: the same for the same table
 *		whatever it holds, "!" before it for what is not in it; else NULL.
 *		Says nothing about the members, and sets made of others have none
 * @r:		Sorted by family and number, disjoint, never adjacent
 */
struct set {
	uint32_t n;
	const char *name;
	struct range r[];
};

/** struct ranges - Ranges in any order, to make a set of */
struct ranges {
	VEC(struct range) list;
};

/**
 * enum set_universe - What a set's complement is taken in
 * @SET_U8:	0..255 (protocol, TCP flags)
 * @SET_U16:	0..65535 (ports, ICMP type and code)
 * @SET_U32:	0..2^32-1 (interface numbers, tags)
 * @SET_ADDR:	All addresses of both families
 */
enum set_universe { SET_U8, SET_U16, SET_U32, SET_ADDR };

/** ranges_add() - Add numbers @lo..@hi */
void ranges_add(struct arena *a, struct ranges *rs, uint8_t af, u128 lo, u128 hi);

/** ranges_add_prefix() - Add the addresses of a prefix */
void ranges_add_prefix(struct arena *a, struct ranges *rs, struct prefix p);

/** ranges_add_set() - Add the members of a set */
void ranges_add_set(struct arena *a, struct ranges *rs, const struct set *s);

/** set_make() - The set of all ranges; sorts and merges, O(n log n) */
const struct set *set_make(struct arena *a, const struct ranges *rs);

/** set_range() - The set of @lo..@hi */
const struct set *set_range(struct arena *a, uint8_t af, u128 lo, u128 hi);

/** set_one() - The set of one number that is no address */
const struct set *set_one(struct arena *a, u128 v);

/** set_addr() - The set of one address */
const struct set *set_addr(struct arena *a, struct addr v);

/** set_prefix() - The addresses of a prefix */
const struct set *set_prefix(struct arena *a, struct prefix p);

/** set_all() - Everything in a universe; always the same set, which takes no memory */
const struct set *set_all(struct arena *a, enum set_universe u);

/** set_union() - Members of either; O(n) */
const struct set *set_union(struct arena *a, const struct set *x, const struct set *y);

/** set_intersect() - Members of both; O(n) */
const struct set *set_intersect(struct arena *a, const struct set *x, const struct set *y);

/** set_complement() - What of universe @u is not in @x, which lies in it; named if @x is */
const struct set *set_complement(struct arena *a, const struct set *x, enum set_universe u);

/** set_named() - The same members under a name, which lives as long as the set */
const struct set *set_named(struct arena *a, const struct set *s, const char *name);

/** set_minus() - Members of @x that are not in @y, both in universe @u */
const struct set *set_minus(struct arena *a, const struct set *x, const struct set *y,
			    enum set_universe u);

/** set_has() - Is @v of family @af a member; O(log n) */
bool set_has(const struct set *s, uint8_t af, u128 v);

/** set_has_addr() - Is an address a member; O(log n) */
bool set_has_addr(const struct set *s, struct addr v);

/** set_is_empty() - Has no members */
static inline bool set_is_empty(const struct set *s)
{
	return s->n == 0;
}

/** set_equal() - The same members */
bool set_equal(const struct set *x, const struct set *y);

/** set_is_subset() - Every member of @x is in @y; O(n) */
bool set_is_subset(const struct set *x, const struct set *y);

/** set_overlaps() - Some number is in both; O(n) */
bool set_overlaps(const struct set *x, const struct set *y);

/** set_families() - Bit 0: has AF_V4 members, bit 1: AF_V6, bit 2: AF_NONE */
unsigned int set_families(const struct set *s);
#define SET_HAS_V4	1u
#define SET_HAS_V6	2u
#define SET_HAS_NUM	4u

/** set_of_family() - The members of family @af; named as @s is */
const struct set *set_of_family(struct arena *a, const struct set *s, uint8_t af);

/**
 * set_to_prefixes() - The shortest list of prefixes that covers a range
 * @r:		Range of addresses
 * @fn:		Called for each, in order
 * @arg:	For @fn
 */
void set_to_prefixes(struct range r, void (*fn)(struct prefix p, void *arg), void *arg);

#endif /* NET_SET_H */
