/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runs - which jails were taken up and down since boot
 *
 * Does not:	 hold the lock, or open the state.
 */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include "cli/cli.h"
#include "host/state.h"

/**
 * runs_load() - What is recorded
 * @st:		State
 * @a:		Memory
 * @ret:	Runs are added
 *
 * Return: 0, also when nothing is recorded; -EBADMSG when it cannot be read;
 * another negative errno
 */
MUST_USE int runs_load(const struct state *st, struct arena *a, struct decl_runs *ret);

/**
 * runs_expand() - Put the jails that are meant in the place of patterns
 * @a:		Memory
 * @d:		Declarations, not finished yet
 * @r:		Runs: names of jails; patterns as of glob(7), for the declared
 *		jails that match; "ALL": up for those of jail_list, all without
 *		one, and down for each
 *
 * A name that is a jail's is that jail.  What matches none stays as it is.
 */
void runs_expand(struct arena *a, const struct decl *d, struct decl_runs *r);

/**
 * runs_save() - Record the runs of declared jails
 * @st:		State open for writing
 * @d:		Declarations, finished
 *
 * Return: 0 or a negative errno
 */
MUST_USE int runs_save(struct state *st, const struct decl *d);

#endif /* CLI_RUNS_H */
