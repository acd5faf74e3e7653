/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * `up` and `down` say what is wanted and then go the way of `apply`, with one
 * difference: of what is missing only the addresses of the named jails are
 * added, so a hook that starts one jail starts no other.  Everything happens
 * under the lock, so that fifty of them at once end as one after the other
 * would.
 *
 * A jail that has stopped must go, whatever its files say by now.  So `down` takes
 * the declarations that were applied last where those that it should read have
 * errors, or know the jail no more; the errors are told, and are its exit status.
 */
#include "cli/up.h"

#include <string.h>

#include "cli/confine.h"
#include "cli/nat_ask.h"
#include "cli/runs.h"

/* Only a vnet jail has a place of its own; beside one the others need none */
static int check_vnet(struct cli *c, struct cli_host *h)
{
	const struct decl_jail *other = NULL;

	for (uint32_t i = 0; i < c->args.n && (c->jail_netns != NULL || c->create); i++) {
		const struct decl_jail *j = decl_find_jail(&h->d.decl, c->args.v[i]);

		if (j != NULL && j->is_vnet)
			return 0;
		if (j != NULL)
			other = j;
	}
	return other == NULL ? 0 :
	       cli_usage(c, "jail '%s' is no vnet jail: %s is not for it", other->name,
			 c->create ? "--create" : "--jail-netns");
}

static const struct up_step steps[] = {
	{ .check = check_vnet },
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

static bool has_own_links(const struct cli_host *h)
{
	for (uint32_t i = 0; i < h->have.links.list.n; i++) {
		const struct rtnl_link *l = &h->have.links.list.v[i];

		if (host_is_our_link(l) || vnet_is_ours(l) || vnet_is_our_bridge(l))
			return true;
	}
	for (uint32_t i = 0; i < h->have.addrs.list.n; i++)
		if (host_is_our_addr(&h->have.addrs.list.v[i]))
			return true;
	return false;
}

/*
 * Where nothing is ours, as after boot or `destroy`, a jail that goes takes nothing
 * away, and brings nothing with it.
 */
static bool is_untouched(struct cli *c, struct cli_host *h)
{
	struct nft_changes ours = { .list = { .n = 0 } };
	char *text;
	size_t len;

	return state_read(&h->st, "applied", &c->arena, &text, &len) == -ENOENT &&
	       !has_own_links(h) && nft_diff(&h->filter, NULL, &c->arena, &ours) == 0 &&
	       ours.list.n == 0;
}

/* What is to stay down when the host is made so later */
static int note_down(struct cli *c, struct cli_host *h)
{
	const int err = c->dry_run ? 0 : runs_save(&h->st, &h->d.decl);

	return err < 0 ? cli_system(c, err, "record which jails are down") : 0;
}

static int run(struct cli *c, bool is_up, bool *ret_is_declared)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status;

	for (uint32_t i = 0; i < c->args.n; i++)
		vec_add(&c->arena, &c->runs.list, ((struct decl_run){ c->args.v[i], is_up }));
	status = cli_host_open(c, &h, c->dry_run ? STATE_READ : STATE_WRITE);
	*ret_is_declared = h.program != NULL;
	if (status == 0 && !is_up && is_untouched(c, &h))
		return note_down(c, &h);
	if (status == 0 && is_up)
		status = check(c, &h);
	if (status == 0 && !c->dry_run)
		status = carry_out(c, &h, is_up);
	if (status == 0)
		cli_changes_print(c, &h);
	return status == 0 && c->dry_run && h.changes.n > 0 ? EX_DIFFERS : status;
}

/* As it was applied last; @arg is the run that could not read its declarations */
static int down_as_applied(struct cli *r, void *arg)
{
	struct cli *c = arg;
	bool is_declared;
	int status;

	r->files.n = r->files.cap = r->defines.n = r->defines.cap = 0;
	r->runs.list.n = r->runs.list.cap = 0;
	r->is_found = r->is_host = r->may_be_empty = false;
	r->use_kept = true;
	r->out = c->out;
	status = run(r, false, &is_declared);
	c->n_out = r->n_out;
	return status == 0 || (c->dry_run && status == EX_DIFFERS) ? 0 : status;
}

/* Was anything applied since boot */
static bool has_applied(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	char *text;
	size_t len;

	return cli_state_look(c, &st) == 0 &&
	       state_read(&st, "applied", &c->arena, &text, &len) == 0;
}

static int down(struct cli *c)
{
	bool is_declared;
	const int status = run(c, false, &is_declared);

	if (is_declared || (status != EX_DATAERR && status != EX_NOINPUT &&
			    status != EX_UNAVAILABLE))
		return status;
	if (has_applied(c) && cli_round(c, down_as_applied, c) == 0)
		diag_note(&c->diags, SPAN_NONE, "taken down as it was applied last, all the same");
	return status;
}

/* One place cannot be that of several jails */
static int check_place(struct cli *c)
{
	if (c->pid != NULL && (c->pid[0] == '\0' || c->pid[strspn(c->pid, "0123456789")] != '\0'))
		return cli_usage(c, "'%s' is not the number of a process", c->pid);
	if (c->args.n > 1 && (c->pid != NULL || c->jail_netns != NULL))
		return cli_usage(c, "%s is the place of one jail, and there are %u",
				 c->pid != NULL ? "--pid" : "--jail-netns", c->args.n);
	if ((c->pid != NULL) + (c->jail_netns != NULL) + c->create > 1)
		return cli_usage(c, "--pid, --jail-netns and --create exclude each other");
	return 0;
}

/* Forwards of jails that come and go are the userspace NAT's too, where one runs */
static int tell_nat(struct cli *c, int status)
{
	return status == 0 && !c->dry_run ? nat_ask_reload(c, NULL) : status;
}

int verb_up(struct cli *c)
{
	const int status = check_place(c);
	bool is_declared;

	return status != 0 ? status : tell_nat(c, run(c, true, &is_declared));
}

int verb_down(struct cli *c)
{
	return tell_nat(c, down(c));
}
