/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limit - how many states a ruling may make, and what becomes of who makes more
 *
 * Owns:	 nothing.
 * Does not:	 know the time: every state that the world has is a new one, so
 *		 a rate is met by as many.
 * Threads:	 none.
 */
#ifndef MODEL_LIMIT_H
#define MODEL_LIMIT_H

#include "model/eval.h"

/**
 * limit_is_met() - Would one state more be one too many
 * @m:		Model
 * @w:		World; a source that connects too often is put into its table
 * @limit:	Of the ruling, 0: none
 * @p:		Packet as the filter sees it
 *
 * Cost: the square of the states.
 *
 * Return: whether it is to be refused
 */
bool limit_is_met(const struct model *m, struct world *w, uint32_t limit,
		  const struct packet *p);

/** limit_grown() - The tables that rules have put an address into */
uint8_t limit_grown(const struct world *w, struct addr a);

#endif /* MODEL_LIMIT_H */
