/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward_nat - run-time forwards of a host whose NAT is the live userspace one
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef CLI_FORWARD_NAT_H
#define CLI_FORWARD_NAT_H

#include "cli/cli.h"

/**
 * forward_by_nat() - Carry out a change of forwards by the NAT alone
 * @c:		Run, in its network namespace, without the lock
 * @e:		Change
 * @ret_done:	Set: this was for it to do; false: no NAT runs, or something is applied
 *
 * Return: 0 or an exit status with diagnostics
 */
int forward_by_nat(struct cli *c, const struct kept_edit *e, bool *ret_done);

#endif /* CLI_FORWARD_NAT_H */
