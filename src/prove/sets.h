/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sets - what is in a set of nf_tables, as conditions on registers
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_SETS_H
#define PROVE_SETS_H

#include "prove/regs.h"

/**
 * sets_elem() - The key at @word is that of an element
 * @p:		Proof
 * @s:		Set of single values or of concatenations
 * @e:		Its element
 * @regs:	Registers
 * @word:	First word of the key
 * @ret:	Set on success
 *
 * Return: false when that cannot be said
 */
bool sets_elem(struct proof *p, const struct prog_set *s, const struct prog_elem *e,
	       const struct regs *regs, uint32_t word, dd *ret);

/**
 * struct sets_cases - Single values of a set as cases of a choice
 * @var:	The variables that a key is of, the lowest first
 * @n_vars:	How many
 * @cases:	Elements that a key can be, each DD_TRUE
 * @elem:	By case: its element
 * @n:		How many
 */
struct sets_cases {
	uint32_t *var;
	uint32_t n_vars;
	struct dd_case *cases;
	const struct prog_elem **elem;
	uint32_t n;
};

/**
 * sets_as_cases() - A set for dd_cases(), the key at @word
 * @p:		Proof
 * @s:		Set that is no list of borders
 * @regs:	Registers
 * @word:	First word of the key
 * @ret:	Set on success
 *
 * Return: false where it has ranges, or bits of a key are more than variables
 */
bool sets_as_cases(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, struct sets_cases *ret);

/**
 * sets_as_table() - A map of exact forwards as a table (tables.h), the key at @word
 * @p:		Proof
 * @s:		Map
 * @regs:	Registers
 * @word:	First word of the key
 * @ret:	Set on success
 *
 * Return: false where it is another kind of map
 */
bool sets_as_table(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, uint32_t *ret);

/** sets_has() - The key at @word is in a set; as sets_elem() */
bool sets_has(struct proof *p, const struct prog_set *s, const struct regs *regs, uint32_t word,
	      dd *ret);

/** sets_order() - Numbers of a set's elements, the lowest key first; O(n log n) */
const uint32_t *sets_order(struct proof *p, const struct prog_set *s);

#endif /* PROVE_SETS_H */
