/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sticky - sources that keep the address that a pool gave them, as conditions
 *
 * That the source of a packet has got an address of a pool before is a variable; that
 * it gets one is told with what becomes of the packet.
 *
 * Which set of the program is whose its comment says: the address, and the rule's text.
 * It is no part of the trust: a set that is taken for another's is asked and filled
 * where nobody declared it.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_STICKY_H
#define PROVE_STICKY_H

#include "prove/regs.h"

/**
 * sticky_has() - The condition that a translation gave a packet's source an address
 * @p:		Proof
 * @xlate:	Number of the translation
 * @to:		The address
 * @ret:	Set on success
 *
 * Return: false where there are too many such addresses
 */
bool sticky_has(struct proof *p, uint32_t xlate, struct addr to, dd *ret);

/** sticky_note() - @f, when it has */
dd sticky_note(struct proof *p, dd f, uint32_t xlate, struct addr to);

/**
 * sticky_of_set() - Of which translation and address a set of the program is
 * @p:		Proof
 * @s:		Set
 * @regs:	Registers
 * @word:	First word of a key for it
 * @ret_xlate:	Set on success
 * @ret_to:	The same
 *
 * Return: false where it is of none, or is asked with something else than the source
 */
bool sticky_of_set(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, uint32_t *ret_xlate, struct addr *ret_to);

#endif /* PROVE_STICKY_H */
