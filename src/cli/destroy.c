/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The way of apply, backwards: settings, then addresses and links, then the
 * rules.  What is ours the kernel itself says, so no declarations are read.
 */
#include "cli/confine.h"
#include "cli/host.h"
#include "cli/kept.h"
#include "cli/stale.h"
#include "host/natpath.h"

static int print_plan(struct cli *c, struct cli_host *h)
{
	struct nft_changes rules = { .list = { .n = 0 } };
	struct host_plan plan = { .ops = { .n = 0 } };
	struct host host = { .s = &h->route, .st = &h->st, .a = &c->arena, .diags = &c->diags };
	const struct vnet_place place = cli_vnet_place(c);
	int err = nft_diff(&h->filter, NULL, &c->arena, &rules);

	if (err == 0)
		err = host_have_read(&h->route, &h->st, &c->arena, &h->have);
	if (err < 0)
		return cli_system(c, err, "read this host");
	err = vnet_plan_make(NULL, NULL, &place, &host, &h->have, &h->vnets);
	if (err < 0)
		return cli_host_error(c, err, "look at the links of vnet jails");
	host_plan_destroy(&h->have, &c->arena, c->dry_run ? &c->diags : &(struct diags){
		.a = &c->arena, .sources = &c->sources }, &plan);
	for (uint32_t i = 0; i < plan.ops.n; i++)
		vec_add(&c->arena, &h->changes, ((struct cli_change){
			.op = host_op_verb(&plan.ops.v[i]), .object = plan.ops.v[i].object }));
	for (uint32_t i = 0; i < rules.list.n; i++)
		vec_add(&c->arena, &h->changes, ((struct cli_change){
			.op = "del", .object = rules.list.v[i].object }));
	cli_vnet_changes(c, h);
	cli_changes_end(c, h);
	return 0;
}

static int destroy_all(struct cli *c, struct cli_host *h)
{
	struct host host = { .s = &h->route, .st = &h->st, .a = &c->arena, .diags = &c->diags };
	bool changed;
	int err, status = cli_confine_free_all(c, h);

	if (status != 0)
		return status;
	err = host_destroy(&host, HOST_SYSCTLS);
	if (err == 0)
		err = natpath_release(&h->st, NATPATH_APPLIED, &c->arena);
	if (err < 0)
		return cli_host_error(c, err, "put sysctls back");
	err = vnet_delete(&host, &h->vnets);
	if (err == 0)
		err = vnet_sweep(&host, NULL);
	if (err < 0)
		return cli_host_error(c, err, "delete links of jails");
	err = host_destroy(&host, HOST_LINKS);
	if (err < 0)
		return cli_host_error(c, err, "remove links and addresses");
	err = nft_destroy(&h->filter, &changed);
	if (err < 0)
		return cli_host_error(c, err, "remove the packet rules");
	status = cli_stale_forget(c, &h->filter, NULL, NULL);
	if (status != 0)
		return status;
	if (c->forget)
		err = kept_forget(c);
	if (err < 0)
		return cli_system(c, err, "forget the run-time forwards");
	err = cli_state_forget(&h->st);
	return err < 0 ? cli_system(c, err, "remove the state directory") : 0;
}

int verb_destroy(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status = cli_netns(c), err;

	if (status != 0)
		return status;
	err = nl_open(&h.route, NETLINK_ROUTE);
	if (err == 0)
		err = nl_open(&h.filter, NETLINK_NETFILTER);
	if (err < 0)
		return cli_system(c, err, "open a netlink socket");
	err = state_open(&h.st, c->state_dir, c->dry_run ? STATE_READ : STATE_WRITE,
			 STATE_LOCK_SECONDS);
	if (err < 0)
		return cli_system(c, err, cli_state_what(c));
	if (c->locked.fn != NULL)
		status = c->locked.fn(c, &h.st, c->locked.arg);
	if (status == 0)
		status = print_plan(c, &h);
	if (status == 0 && c->dry_run)
		return h.changes.n > 0 ? EX_DIFFERS : 0;
	return status != 0 ? status : destroy_all(c, &h);
}
