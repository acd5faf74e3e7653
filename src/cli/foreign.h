/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign - what other tables do to what was declared, as differences of a proof
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include "cli/host.h"
#include "prove/prove.h"

/**
 * cli_foreign_read() - Add the forwards that other tables break
 * @c:		Run; told of chains that cannot be read (N1715)
 * @h:		Host
 * @ret:	Gains a difference for each
 *
 * Return: 0, or a negative errno
 */
MUST_USE int cli_foreign_read(struct cli *c, struct cli_host *h, struct prove_result *ret);

#endif /* CLI_FOREIGN_H */
