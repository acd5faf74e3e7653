/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/host.h"

int verb_plan(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	const int status = cli_host_open(c, &h, STATE_READ);

	if (status != 0)
		return status;
	cli_changes_end(c, &h);
	return h.changes.n > 0 ? EX_DIFFERS : 0;
}
