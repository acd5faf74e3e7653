/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec - what a program means, as functions
 *
 * The virtual machine of nf_tables, for all packets at once.
 *
 * Owns:	 nothing.
 * Does not:	 know how programs are made; what an expression does is what the
 *		 kernel does.
 * Threads:	 none.
 */
#ifndef PROVE_EXEC_H
#define PROVE_EXEC_H

#include "prove/proof.h"

#define PRIO_CONNTRACK	(-200)	/* where it looks at what comes in and what the host sends */
#define PRIO_QUOTA_IN	(-80)	/* where connections are counted: in prerouting */
#define PRIO_QUOTA_SRC	95	/* in postrouting, by their source */
#define PRIO_QUOTA_OUT	170	/* and the host's own */

/**
 * struct exec_at - Where a chain is run
 * @family:	Of the table
 * @hook:	Netfilter hook
 * @prio_lo:	Base chains from this priority on
 * @prio_hi:	To this one
 * @is_nat:	Chains of type nat, of which the first translation ends all
 * @of_quotas:	Those at the places of quotas; else all but those
 */
struct exec_at {
	uint8_t family;
	uint32_t hook;
	int32_t prio_lo;
	int32_t prio_hi;
	bool is_nat;
	bool of_quotas;
};

/**
 * exec_chains() - What becomes of a packet in some base chains
 * @p:		Proof
 * @at:		Which
 * @passed:	What becomes of what they accept
 *
 * Return: the function
 */
dd exec_chains(struct proof *p, const struct exec_at *at, dd passed);

/** exec_names() - Add the interfaces that a program names to the space of a proof */
void exec_names(struct proof *p);

#endif /* PROVE_EXEC_H */
