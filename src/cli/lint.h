/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lint - what `check` says of rules that do nothing, or more than they seem to
 */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "cli/cli.h"

/** cli_lint() - Tell what the lints of a declaration find; 0 or an exit status */
int cli_lint(struct cli *c, const struct declared *d);

#endif /* CLI_LINT_H */
