/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shadow - programs of the host that a forward would take the packets from
 *
 * Owns:	 nothing.
 */
#ifndef CLI_SHADOW_H
#define CLI_SHADOW_H

#include "cli/cli.h"

/**
 * cli_shadow_check() - Look for programs that listen where a forward leads away
 * @c:		Run, in the network namespace in question
 * @d:		Declarations
 * @code:	DIAG_E2508: of the forward that this run adds or switches on, an
 *		error; DIAG_W2509: of all forwards, a warning each
 *
 * A forward that says share is left out.  Where sockets cannot be listed nothing
 * is told.
 *
 * Return: 0, or EX_DATAERR when an error was told
 */
int cli_shadow_check(struct cli *c, const struct declared *d, enum diag_code code);

#endif /* CLI_SHADOW_H */
