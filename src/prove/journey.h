/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journey - the packets of conversations, as two declarations judge them
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_JOURNEY_H
#define PROVE_JOURNEY_H

#include "model/eval.h"
#include "prove/prove.h"

#define JOURNEY_ROUNDS	6u	/* packets in the first one's direction: each may leave something */

/** journey_excluded - Which conversations are not compared, in words */
extern const char journey_excluded[];

/**
 * journey_show() - Go through one conversation
 * @m:		Declarations
 * @other:	Others, of the same names and the same host
 * @first:	Its first packet, at the interface where it begins
 * @flags:	Of TCP: of answers, and of later packets
 * @a:		Memory
 * @ret:	Gains the first packet of it of which the two say different things
 *
 * Return: whether there is one
 */
bool journey_show(const struct model *m, const struct model *other, const struct packet *first,
		  const uint8_t flags[2], struct arena *a, struct prove_result *ret);

/**
 * journey_try() - Look for a conversation that goes two ways
 * @m:		Declarations
 * @other:	Others, of the same names and the same host
 * @n:		Conversations to try; the same ones each time
 * @a:		Memory
 * @ret:	Gains the difference, if one is found
 *
 * Cost: O(n * rules).
 */
void journey_try(const struct model *m, const struct model *other, uint32_t n,
		 struct arena *a, struct prove_result *ret);

#endif /* PROVE_JOURNEY_H */
