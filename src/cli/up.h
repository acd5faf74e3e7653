/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * up - what `up` and `down` do besides the addresses and rules of a jail
 *
 * A step is a row of a table in up.c: what it refuses, it refuses before the
 * first change; what it adds to a jail, it adds when addresses and rules are
 * there.
 */
#ifndef CLI_UP_H
#define CLI_UP_H

#include "cli/host.h"

/**
 * struct up_step - A step of `up`; functions that are NULL do nothing
 * @check:	Refuse, before anything is changed; also with -n
 * @start:	`up`: add to the jails, after addresses and rules are there
 *
 * The lock is held (not with -n), @c->runs.list names the jails, all declared.
 * Each returns 0, or an exit status with diagnostics, which ends the run.
 */
struct up_step {
	int (*check)(struct cli *c, struct cli_host *h);
	int (*start)(struct cli *c, struct cli_host *h);
};

/** up_check_listeners() - Refuse (or warn with --force) where a service of the host would answer */
int up_check_listeners(struct cli *c, struct cli_host *h);

/** up_check_neighbours() - The same where a neighbour has an address that is about to be added */
int up_check_neighbours(struct cli *c, struct cli_host *h);

/** up_is_there() - Has the host an address already */
bool up_is_there(const struct cli_host *h, struct addr a);

/** up_may_ask() - Is a link one whose neighbours can be asked: real, up, with ARP */
bool up_may_ask(const struct rtnl_link *l);

#endif /* CLI_UP_H */
