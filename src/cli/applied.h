/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * applied - what the last apply was given
 *
 * Its files, in their languages, and the options that change their meaning:
 * a later run without -f takes the same, read anew.
 *
 * Does not:	 hold the lock, or open the state.
 */
#ifndef CLI_APPLIED_H
#define CLI_APPLIED_H

#include "cli/cli.h"
#include "host/state.h"

/**
 * applied_save() - Record this run's files, options, and the texts as they are
 * @c:		Run whose declarations were applied
 * @st:		State open for writing
 *
 * Return: 0 or a negative errno
 */
MUST_USE int applied_save(struct cli *c, struct state *st);

/**
 * applied_has_room() - Could all that be recorded now
 * @c:		Run whose declarations are to be applied
 * @st:		State open for writing
 *
 * Return: 0; -ENOSPC or another negative errno
 */
MUST_USE int applied_has_room(struct cli *c, struct state *st);

/**
 * applied_load() - Take the files and options of the last apply
 * @c:		Run without files; what its own command line says wins
 * @st:		State
 *
 * Return: 0; -ENOENT: nothing was applied since boot; another negative errno
 */
MUST_USE int applied_load(struct cli *c, const struct state *st);

#endif /* CLI_APPLIED_H */
