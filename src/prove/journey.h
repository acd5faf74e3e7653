/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journey - the packets of conversations, as two declarations judge them
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_JOURNEY_H
#define PROVE_JOURNEY_H

#include "prove/prove.h"

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
