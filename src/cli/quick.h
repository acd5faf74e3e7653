/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quick - a forward more or less, without reading what there is
 *
 * Whoever has made the host so writes down what the next change of a forward needs
 * to know.  While that is true, which the ruleset's generation and the state's lock
 * tell, a change is an entry of the journal and elements of the kernel's map.
 *
 * Does not:	 say anything: what is not plain, and what is wrong, is the long way's.
 */
#ifndef CLI_QUICK_H
#define CLI_QUICK_H

#include "cli/host.h"
#include "cli/kept.h"

/** quick_save() - Write down what the host is now; the state is open for STATE_WRITE */
void quick_save(struct cli *c, struct cli_host *h);

#define QUICK_NOT (-1)

/**
 * quick_add() - Add a forward
 *
 * Return: 0 or an exit status; QUICK_NOT: nothing was done, go the long way
 */
int quick_add(struct cli *c, const struct kept_edit *e);

/** quick_edit() - Delete a forward, switch it off or on, as quick_add() */
int quick_edit(struct cli *c, const struct kept_edit *e);

#endif /* CLI_QUICK_H */
