/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * `up` and `down` say what is wanted and then go the way of `apply`, with one
 * difference: of what is missing only the addresses of the named jails are
 * added, so a hook that starts one jail starts no other.  Everything happens
 * under the lock, so that fifty of them at once end as one after the other
 * would.
 */
#include "cli/host.h"
#include "cli/runs.h"

static int carry_out(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status = cli_host_open(c, &h, c->dry_run ? STATE_READ : STATE_WRITE);

	if (status == 0 && !c->dry_run)
		status = cli_host_apply(c, &h);
	if (status == 0)
		cli_changes_print(c, &h);
	return status == 0 && c->dry_run && h.changes.n > 0 ? EX_DIFFERS : status;
}

static void want(struct cli *c, bool is_up)
{
	for (uint32_t i = 0; i < c->args.n; i++)
		vec_add(&c->arena, &c->runs.list, ((struct decl_run){ c->args.v[i], is_up }));
}

int verb_up(struct cli *c)
{
	want(c, true);
	return carry_out(c);
}

int verb_down(struct cli *c)
{
	want(c, false);
	return carry_out(c);
}
