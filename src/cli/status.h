/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status - how the host stands, for `status` and `metrics`
 */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include "cli/confirm.h"
#include "cli/forwards.h"
#include "cli/host.h"
#include "cli/verify.h"

/**
 * struct cli_status - How the host stands
 * @c:		Run
 * @h:		Host and declarations, compared
 * @aliases:	Addresses
 * @counts:	What forwards have counted
 * @note:	What waits to be confirmed; @until 0: nothing
 * @broken:	Packets for which what differs counts
 */
struct cli_status {
	struct cli *c;
	struct cli_host *h;
	struct host_aliases aliases;
	struct cli_counters counts;
	struct confirm_note note;
	struct prove_result broken;
};

/**
 * cli_status_read() - Look at all of it
 * @c:		Run
 * @h:		CLI_HOST_NONE; closed by the caller
 * @ret:	Set as far as it goes
 *
 * Return: 0, or an exit status with a diagnostic; @h->is_compared: all was looked
 * at all the same
 */
int cli_status_read(struct cli *c, struct cli_host *h, struct cli_status *ret);

/** cli_jail_is_up() - Are a jail's addresses there, or its link whole */
bool cli_jail_is_up(const struct cli_status *s, const struct decl_jail *j);

#endif /* CLI_STATUS_H */
