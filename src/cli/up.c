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
#include "cli/up.h"

#include "cli/confine.h"
#include "cli/nat_ask.h"
#include "cli/runs.h"

static const struct up_step steps[] = {
	{ .check = up_check_listeners },
	{ .check = up_check_neighbours },
	{ .check = cli_confine_prepare, .start = cli_confine_commit },
};

static int check(struct cli *c, struct cli_host *h)
{
	int status = 0;

	for (size_t i = 0; i < ARRAY_SIZE(steps) && status == 0; i++)
		if (steps[i].check != NULL)
			status = steps[i].check(c, h);
	return status;
}

static int carry_out(struct cli *c, struct cli_host *h, bool is_up)
{
	int status = cli_host_apply(c, h);

	for (size_t i = 0; is_up && i < ARRAY_SIZE(steps) && status == 0; i++)
		if (steps[i].start != NULL)
			status = steps[i].start(c, h);
	return status;
}

static int run(struct cli *c, bool is_up)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status;

	for (uint32_t i = 0; i < c->args.n; i++)
		vec_add(&c->arena, &c->runs.list, ((struct decl_run){ c->args.v[i], is_up }));
	status = cli_host_open(c, &h, c->dry_run ? STATE_READ : STATE_WRITE);
	if (status == 0 && is_up)
		status = check(c, &h);
	if (status == 0 && !c->dry_run)
		status = carry_out(c, &h, is_up);
	if (status == 0)
		cli_changes_print(c, &h);
	return status == 0 && c->dry_run && h.changes.n > 0 ? EX_DIFFERS : status;
}

/* One place cannot be that of several jails */
static int check_place(struct cli *c)
{
	if (c->args.n > 1 && (c->pid != NULL || c->jail_netns != NULL))
		return cli_usage(c, "%s is the place of one jail, and there are %u",
				 c->pid != NULL ? "--pid" : "--jail-netns", c->args.n);
	if ((c->pid != NULL) + (c->jail_netns != NULL) + c->create > 1)
		return cli_usage(c, "--pid, --jail-netns and --create exclude each other");
	return 0;
}

/* Forwards of jails that come and go are the userspace NAT's too, where one runs */
static int run_all(struct cli *c, bool is_up)
{
	const int status = run(c, is_up);

	return status == 0 && !c->dry_run ? nat_ask_reload(c, NULL) : status;
}

int verb_up(struct cli *c)
{
	const int status = check_place(c);

	return status != 0 ? status : run_all(c, true);
}

int verb_down(struct cli *c)
{
	return run_all(c, false);
}
