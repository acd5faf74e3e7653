/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_nat - what a translation of nf_tables leads to
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_EXEC_NAT_H
#define PROVE_EXEC_NAT_H

#include "prove/regs.h"

/** exec_nat_draws() - It draws ports in a way that no declaration asks for */
bool exec_nat_draws(const struct prog_nat *n);

/**
 * exec_nat() - Where a translation leads
 * @p:		Proof
 * @n:		Translation
 * @regs:	Registers that it reads
 * @to:		All but its target; that is set on success
 *
 * Return: false where it is not known
 */
bool exec_nat(struct proof *p, const struct prog_nat *n, const struct regs *regs,
	      struct proof_to *to);

/** exec_nat_by_table() - It leads where a whole table does; @ret is set on success */
bool exec_nat_by_table(struct proof *p, const struct prog_nat *n, const struct regs *regs,
		       uint32_t *ret);

#endif /* PROVE_EXEC_NAT_H */
