/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_step - expressions of nf_tables that only change registers
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_EXEC_STEP_H
#define PROVE_EXEC_STEP_H

#include "prove/regs.h"

/**
 * exec_step() - What an expression puts into registers
 * @p:		Proof
 * @x:		Expression
 * @is_in:	As for regs_load()
 * @regs:	Changed
 *
 * Return: false where nothing is known of it
 */
bool exec_step(struct proof *p, const struct prog_expr *x, bool is_in, struct regs *regs);

#endif /* PROVE_EXEC_STEP_H */
