/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live - the ruleset that the ipfw command keeps between its calls
 *
 * Stands in the state as text, and takes the place of the ipfw files that are
 * declared, until declarations with rules of their own are applied.
 *
 * Does not:	 hold the lock, or open the state.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "cli/cli.h"
#include "host/state.h"

#define LIVE_NAME	"ipfw"	/* in the state, and in messages */

/**
 * live_load() - Let the kept ruleset stand for the ipfw files
 * @c:		Run; its files are settled otherwise
 * @st:		State
 * @given:	The files are those of the command line: they stand, if there are
 *		rules among them
 *
 * An ipfw command always has a ruleset: an empty one, if there is no other.
 *
 * Return: 0, also when none is kept; a negative errno
 */
MUST_USE int live_load(struct cli *c, const struct state *st, bool given);

/** live_is_there() - Is the kept ruleset among the files */
bool live_is_there(const struct cli *c);

/** live_forget() - Keep nothing, unless the kept ruleset is what was applied; 0 or an errno */
MUST_USE int live_forget(struct cli *c, struct state *st);

#endif /* CLI_LIVE_H */
