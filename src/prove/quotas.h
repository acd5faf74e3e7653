/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quotas - how many connections jails and forwards may have, on either side of a proof
 *
 * How far a count has come is not known, and what is over it is refused whatever else
 * holds: so what is compared is which quotas a connection's first packet is counted in.
 * A quota that counts by other numbers, or does anything else with what is over, is
 * harm.
 *
 * Which chain of the program is whose the maps say that lead to it.  They are no part
 * of the trust: a quota has one chain and a chain one quota, and what is led to another's
 * is counted where nobody declared it.
 *
 * Owns:	 nothing.
 * Does not:	 tell in which order two quotas are asked.
 * Threads:	 none.
 */
#ifndef PROVE_QUOTAS_H
#define PROVE_QUOTAS_H

#include "prove/proof.h"

/** struct proof_quota - A chain and the quota that it is of, by number from 0 on */
struct proof_quota {
	const char *chain;
	uint32_t quota;
};

/** quotas_init() - Which chains are whose */
void quotas_init(struct proof *p);

/**
 * quotas_declared() - @pass, behind the quotas of a packet
 * @p:		Proof
 * @jail:	P_SRC or P_DST: the address that a jail's quota is asked for
 * @places:	Those of forwards are asked too
 * @pass:	What becomes of what is in none, or not over it
 * @ret:	Set on success
 *
 * Return: false where there are too many quotas
 */
bool quotas_declared(struct proof *p, enum part jail, bool places, dd pass, dd *ret);

/**
 * quotas_of_rule() - What a rule that counts connections is
 * @p:		Proof
 * @chain:	Chain of the rule
 * @x:		X_LIMIT
 * @over:	What the rule does where there are too many
 * @next:	And what comes behind it
 */
dd quotas_of_rule(struct proof *p, const char *chain, const struct prog_expr *x, dd over, dd next);

#endif /* PROVE_QUOTAS_H */
