/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aliases - addresses that `alias add` put on cloned loopbacks since boot
 *
 * They stand in the state directory, and belong to the declarations of every
 * run that looks at the host.
 *
 * Does not:	 hold the lock, or open the state.
 */
#ifndef CLI_ALIASES_H
#define CLI_ALIASES_H

#include "cli/cli.h"
#include "host/state.h"

/**
 * aliases_load() - What is recorded, into @c->aliases
 * @c:		Run
 * @st:		State
 *
 * Return: 0, also when nothing is recorded; -EBADMSG when it cannot be read;
 * another negative errno
 */
MUST_USE int aliases_load(struct cli *c, const struct state *st);

/**
 * aliases_declare() - Change @c->aliases as this run asks, and declare them
 * @c:		Run; errors are told
 * @d:		Declarations, all files read, not finished
 */
void aliases_declare(struct cli *c, struct decl *d);

/** aliases_save() - Record @c->aliases, if this run changed them; 0 or a negative errno */
MUST_USE int aliases_save(struct cli *c, struct state *st);

#endif /* CLI_ALIASES_H */
