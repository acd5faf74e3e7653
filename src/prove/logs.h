/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * logs - what is told of a packet while it is judged, and that it is counted
 *
 * Nothing later sees a message or a count; so messages are told with what becomes of
 * the packet, and a rule of the program that counts wrongly does harm.  Messages are
 * compared where the program was made from the very declarations: they name lines.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_LOGS_H
#define PROVE_LOGS_H

#include "prove/proof.h"

/** logs_declared() - Number of the message of a rule that does @what; 0: none is compared */
uint32_t logs_declared(struct proof *p, const char *what, const struct origin *o);

/** logs_of_verdict() - As logs_declared(), of a rule that logs and decides; 0: it does not log */
uint32_t logs_of_verdict(struct proof *p, const struct rule *r, enum verdict v);

/** logs_of_rule() - Number of the message of X_LOG; 0: none is compared */
uint32_t logs_of_rule(struct proof *p, const struct prog_expr *x);

/** logs_add() - @f, when a message (0: none) was told ahead of it */
dd logs_add(struct proof *p, dd f, uint32_t message);

/**
 * logs_miscounts() - What is wrong with how often a rule of the program counts
 * @p:		Proof
 * @c:		Its chain
 * @r:		Rule
 *
 * What is written in a declaration counts once what it decides; which of two rules
 * that do the same has counted a packet is not asked.
 *
 * Return: that in words, or NULL
 */
const char *logs_miscounts(const struct proof *p, const struct prog_chain *c,
			   const struct prog_rule *r);

#endif /* PROVE_LOGS_H */
