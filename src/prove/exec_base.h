/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_base - which base chains a packet meets, and what is known of it there
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_EXEC_BASE_H
#define PROVE_EXEC_BASE_H

#include "prove/exec.h"

/**
 * exec_base_before() - The last base chain that is run before another
 * @p:		Program
 * @at:		Where
 * @before:	The other; NULL: the end
 *
 * Return: the chain, those of one priority in the order of the program; NULL: none
 */
const struct prog_chain *exec_base_before(const struct prog *p, const struct exec_at *at,
					  const struct prog_chain *before);

/**
 * exec_base_no_ct() - Of which packets conntrack knows nothing in a base chain
 *
 * Return: the condition, or DD_NO_VAR where that cannot be said
 */
dd exec_base_no_ct(struct proof *p, const struct exec_at *at, const struct prog_chain *c);

#endif /* PROVE_EXEC_BASE_H */
