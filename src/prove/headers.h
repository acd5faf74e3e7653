/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * headers - changes of a packet's headers, as functions
 *
 * A header that is written is what later comparisons find; and that it was written is
 * told with what becomes of the packet.  Both sides of a comparison write by these.
 *
 * Owns:	 nothing.
 * Does not:	 know who writes.
 * Threads:	 none.
 */
#ifndef PROVE_HEADERS_H
#define PROVE_HEADERS_H

#include "prove/proof.h"

/**
 * header_write() - @f, when a header has become something
 * @p:		Proof
 * @f:		What becomes of the packet behind that
 * @what:	Which
 * @value:	What it is then; HD_MSS: if it is larger
 *
 * Return: the function ahead of it
 */
dd header_write(struct proof *p, dd f, enum header what, uint32_t value);

/** header_change() - @f, behind a change as a declaration says it */
dd header_change(struct proof *p, dd f, struct scrub x);

/** header_note() - @f, when the packet is to get a change if it passes; by P_MEND */
dd header_note(struct proof *p, dd f, struct scrub x);

/** header_noted() - @f, behind all changes that it was to get */
dd header_noted(struct proof *p, dd f);

/** header_kept() - @f, behind those that a state of a leg remembers */
dd header_kept(struct proof *p, dd f, enum direction leg);

/** header_keep() - @f, when a state of a leg has got those that the packet is to get */
dd header_keep(struct proof *p, dd f, enum direction leg);

/** header_keeps() - The same of one change, whatever the packet is to get */
dd header_keeps(struct proof *p, dd f, struct scrub x, enum direction leg);

/** header_none() - @f, where nothing is to be changed yet */
dd header_none(struct proof *p, dd f);

#endif /* PROVE_HEADERS_H */
