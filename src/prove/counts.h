/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * counts - limits of directed states: what is counted together, and that a limit is met
 *
 * How far a count has come is not known: that it is over what it allows is a variable,
 * the same for the same count on either side.  What a packet is counted in is told
 * with what becomes of it.
 *
 * Which count of the program is whose the names of its chains say.  They are no part
 * of the trust: a count taken for another's is asked where nobody declared it, and one
 * that stands for two is found out.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_COUNTS_H
#define PROVE_COUNTS_H

#include "prove/proof.h"

/**
 * enum count_kind - What is counted
 * @COUNT_MAX:	States of a limit
 * @COUNT_NODES: Their sources; a source that finds no room is over
 * @COUNT_STATES: States of one source
 * @COUNT_CONNS: TCP connections of one source
 * @COUNT_RATE:	New ones in a time
 */
enum count_kind { COUNT_MAX, COUNT_NODES, COUNT_STATES, COUNT_CONNS, COUNT_RATE, N_COUNT_KINDS };

/**
 * struct proof_count - A count
 * @kind:	What it counts
 * @n:		How many it allows; COUNT_RATE: as many in @unit_s seconds
 * @burst:	COUNT_RATE: and these at once
 * @unit_s:	COUNT_RATE
 * @limit:	Number of the limit that it is of, from 1 on; 0: of all that count together
 * @dir:	Direction that it is of, DIR_IN for those of all
 * @object:	COUNT_*: what of the program counts, once it was seen
 */
struct proof_count {
	enum count_kind kind;
	uint32_t n;
	uint32_t burst;
	uint32_t unit_s;
	uint32_t limit;
	enum direction dir;
	const void *object;
};

/** counts_limited() - @pass, behind a limit (a number from 1 on) of states */
dd counts_limited(struct proof *p, enum direction dir, uint32_t limit, dd pass);

/**
 * counts_of_rule() - What a rule's count is
 * @p:		Proof
 * @chain:	Chain of the rule
 * @x:		X_LIMIT, or X_DYNSET that counts
 * @s:		Set that it counts in, NULL: none
 * @ret:	Set on success
 *
 * Return: false where it is none of a limit
 */
bool counts_of_rule(struct proof *p, const char *chain, const struct prog_expr *x,
		    const struct prog_set *s, struct proof_count *ret);

/**
 * counts_ask() - A packet is counted, and it is asked whether that is too many
 * @p:		Proof
 * @c:		Count
 * @over:	What becomes of it then
 * @not_over:	And else
 */
dd counts_ask(struct proof *p, struct proof_count c, dd over, dd not_over);

/** counts_grown() - @f, where what is refused in it puts its source into table number @table */
dd counts_grown(struct proof *p, dd f, uint32_t table);

#endif /* PROVE_COUNTS_H */
