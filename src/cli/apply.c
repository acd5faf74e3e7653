/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The fences go up before there is anything behind them, and forwarding is
 * turned on last: rules, then links and addresses, then settings.  Everything
 * that can be refused is refused by the comparison, before the first change.
 * The files are recorded before links and addresses are touched: a run that
 * is killed later is completed by `apply` without -f.
 */
#include "cli/applied.h"
#include "cli/host.h"

static int apply_all(struct cli *c, struct cli_host *h)
{
	struct host host = { .s = &h->route, .st = &h->st, .a = &c->arena, .diags = &c->diags };
	bool changed;
	int err = nft_load(&h->filter, h->program, &c->diags, &changed);

	if (err < 0)
		return cli_host_error(c, err, "load the packet rules");
	err = applied_save(c, &h->st);
	if (err < 0)
		return cli_system(c, err, "record what was applied");
	err = host_apply(&host, &h->want, HOST_LINKS);
	if (err < 0)
		return cli_host_error(c, err, "set links and addresses");
	err = host_apply(&host, &h->want, HOST_SYSCTLS);
	if (err < 0)
		return cli_host_error(c, err, "set sysctls");
	return 0;
}

int verb_apply(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status;

	if (c->dry_run)
		return verb_plan(c);
	status = cli_host_open(c, &h, STATE_WRITE);
	if (status == 0)
		status = apply_all(c, &h);
	if (status == 0)
		cli_changes_print(c, &h);
	return status;
}
