/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ruletree - which rules of a list may hold for a packet, without asking each
 *
 * For whoever asks model_eval() often: with it the time of an evaluation grows
 * with the logarithm of the number of rules, and nothing else changes.
 *
 * Owns:	 nothing; it lives in an arena and never changes.
 * Does not:	 say that a rule holds, only which ones do not.
 * Threads:	 any number may read it.
 */
#ifndef MODEL_RULETREE_H
#define MODEL_RULETREE_H

#include "model/eval.h"

struct ruletree;

/**
 * ruletree_make() - Sort a model's rules
 * @a:		Memory; a few hundred bytes a rule
 * @m:		Model; stays the caller's, must not change as long as this is used
 *
 * Cost: O(n log n) for rules that can be told apart.
 *
 * Return: the trees of all lists
 */
const struct ruletree *ruletree_make(struct arena *a, const struct model *m);

/**
 * ruletree_next() - The next rule that may hold
 * @t:		Trees
 * @list:	Number of the list
 * @p:		Packet as rules see it now
 * @from:	First rule that counts
 *
 * Cost: O(log n) for rules that can be told apart.
 *
 * Return: number of the first rule from @from on whose tests of interface,
 *	   direction, protocol, addresses and ports may hold; UINT32_MAX: none
 */
uint32_t ruletree_next(const struct ruletree *t, uint32_t list, const struct packet *p,
		       uint32_t from);

#endif /* MODEL_RULETREE_H */
