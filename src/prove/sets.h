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

/** sets_has() - The key at @word is in a set; as sets_elem() */
bool sets_has(struct proof *p, const struct prog_set *s, const struct regs *regs, uint32_t word,
	      dd *ret);

/** sets_order() - Numbers of a set's elements, the lowest key first; O(n log n) */
const uint32_t *sets_order(struct proof *p, const struct prog_set *s);

#endif /* PROVE_SETS_H */
