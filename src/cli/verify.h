/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify - how a proof is told, for `verify` and `equal`
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli/cli.h"
#include "prove/prove.h"

/**
 * struct cli_sides - What is compared
 * @one:	Name of what is declared
 * @other:	Name of what it is held against
 * @proven:	What is so where both are the same
 */
struct cli_sides {
	const char *one;
	const char *other;
	const char *proven;
};

/** cli_verify_tell() - Tell what a proof came to; an exit status */
int cli_verify_tell(struct cli *c, const struct prove_result *r, const struct cli_sides *sides);

#endif /* CLI_VERIFY_H */
