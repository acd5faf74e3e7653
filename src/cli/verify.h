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

extern const struct cli_sides cli_kernel_sides;	/* declarations, and what the kernel holds */

/** cli_difference_json() - A difference as a JSON object */
void cli_difference_json(struct cli *c, const struct prove_difference *d);

/** cli_difference_print() - A difference as text */
void cli_difference_print(struct cli *c, const struct prove_difference *d,
			  const struct cli_sides *sides);

/** cli_verify_tell() - Tell what a proof came to; an exit status */
int cli_verify_tell(struct cli *c, const struct prove_result *r, const struct cli_sides *sides);

#endif /* CLI_VERIFY_H */
