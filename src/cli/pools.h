/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pools - jails that take their address from a pool, and `alias next`
 *
 * Does not:	 hold the state's lock; takes that of the loans while it works.
 */
#ifndef CLI_POOLS_H
#define CLI_POOLS_H

#include "cli/cli.h"

#define POOLS_HAND_OUT_SECONDS	60u	/* to use an address that no declared jail got */

/**
 * pools_settle() - Give each jail with a pool its address; carry out @c->next
 * @c:		Run; what is lent is recorded when it is writing
 * @d:		Declarations, all files read, not finished
 *
 * A run that only looks finds the same addresses as one that writes would.
 *
 * Return: 0, or an exit status with diagnostics
 */
int pools_settle(struct cli *c, struct decl *d);

#endif /* CLI_POOLS_H */
