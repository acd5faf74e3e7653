/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_write - what a program writes into headers
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_EXEC_WRITE_H
#define PROVE_EXEC_WRITE_H

#include "prove/regs.h"

/**
 * exec_write() - A write into a packet
 * @p:		Proof
 * @x:		X_PAYLOAD_SET or X_EXTHDR_SET
 * @regs:	What is written
 * @then:	What becomes of the packet behind it
 * @fails:	And where nothing can be written
 * @ret:	Set on success: the function ahead of it
 *
 * Return: false when nothing is known of that
 */
bool exec_write(struct proof *p, const struct prog_expr *x, const struct regs *regs, dd then,
		dd fails, dd *ret);

#endif /* PROVE_EXEC_WRITE_H */
