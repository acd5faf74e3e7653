/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The fences go up before there is anything behind them, and forwarding is
 * turned on last: rules, then links and addresses, then settings.  Everything
 * that can be refused is refused by the comparison and the proof (gate.h), before the
 * first change.
 * The files are recorded before links and addresses are touched: a run that
 * is killed later is completed by `apply` without -f.
 *
 * Addresses that go away are unknown to the new rules, but there until they are
 * removed, and for long if the run ends before.  So rules that fence them too
 * come first, and the new ones alone once they are gone.
 */
#include <string.h>
#include <time.h>

#include "cli/aliases.h"
#include "cli/applied.h"
#include "cli/confine.h"
#include "cli/confirm.h"
#include "cli/gate.h"
#include "cli/host.h"
#include "cli/nat_ask.h"
#include "cli/nat_ports.h"
#include "cli/pfrun.h"
#include "cli/quick.h"
#include "cli/runs.h"
#include "cli/shadow.h"
#include "cli/stale.h"

#define MOST_REMEMBERED	((size_t)4 << 20)	/* bytes of what the kernel holds, kept in memory */

static bool is_wanted(const struct host_want *w, struct addr a)
{
	for (uint32_t i = 0; i < w->addrs.n; i++)
		if (addr_equal(w->addrs.v[i].p.a, a))
			return true;
	return false;
}

/* Addresses of ours on links of ours that will go away */
static const struct set *leaving_addrs(struct cli *c, const struct cli_host *h)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < h->have.addrs.list.n; i++) {
		const struct rtnl_addr *x = &h->have.addrs.list.v[i];
		const struct rtnl_link *l = rtnl_link_at(&h->have.links, x->ifindex);

		if (l != NULL && host_is_our_link(l) && host_is_our_addr(x) &&
		    !is_wanted(&h->want, x->p.a))
			ranges_add(&c->arena, &rs, x->p.a.af, x->p.a.v, x->p.a.v);
	}
	return set_make(&c->arena, &rs);
}

/*
 * The rules that stand while links and addresses change, in @a where they are
 * others than those that stay: those fence a jail that is down already.  NULL: no
 * memory for them.
 */
static const struct nft_program *first_rules(struct cli *c, struct cli_host *h, struct arena *a)
{
	struct diags told = { .a = a, .sources = &c->sources };
	const struct set *leaving = set_minus(&c->arena, leaving_addrs(c, h),
					      h->d.model.interior, SET_ADDR);
	struct nft_options o;

	if (set_is_empty(leaving))
		return h->program;
	cli_nft_options(c, &o);
	policy_fence_more(&h->d.model, &c->policy, leaving);
	return nft_program_from_model(&h->d.model, &o, &told);
}

/* For the next jail that comes or goes; without it the kernel is asked */
static void remember_rules(struct cli_host *h, const struct nft_memo *memo)
{
	if (memo->text != NULL && memo->len <= MOST_REMEMBERED)
		(void)!state_write(&h->st, CLI_MEMO_FILE, memo->text, memo->len);
}

static int load_rules(struct cli *c, struct cli_host *h, const struct nft_program *p)
{
	const bool is_remembered = p == h->program && cli_is_one_jail(c, h);
	struct nft_memo memo = { .text = NULL };
	bool changed;
	const int err = nft_load_seen(&h->filter, p, h->look, is_remembered ? &memo : NULL,
				      &c->diags, &changed);

	nft_look_free(h->look);
	h->look = NULL;
	remember_rules(h, &memo);
	return err < 0 ? cli_host_error(c, err, "load the packet rules") : 0;
}

int cli_host_apply(struct cli *c, struct cli_host *h)
{
	struct host host = { .s = &h->route, .st = &h->st, .a = &c->arena, .diags = &c->diags };
	const struct vnet_place place = cli_vnet_place(c);
	const struct nft_program *first;
	struct arena a CLEANUP(arena_fini);
	int status, err;

	arena_init(&a, c->arena.cap_bytes);
	a.full = c->arena.full;
	status = cli_gate(c, &h->d.model, h->program);
	if (status != 0)
		return status;
	first = first_rules(c, h, &a);
	if (first == NULL)
		return cli_system(c, -ENOMEM, "make the rules for while addresses go");
	if (first != h->program)
		status = cli_gate(c, &h->d.model, first);
	if (status != 0)
		return status;
	/* A link that goes has no moment without its fences */
	err = vnet_delete(&host, &h->vnets);
	if (err < 0)
		return cli_host_error(c, err, "delete links of jails");
	status = load_rules(c, h, first);
	if (status != 0)
		return status;
	err = applied_save(c, &h->st);
	if (err == 0 && h->d.decl.runs.list.n > 0)
		err = runs_save(&h->st, &h->d.decl);
	if (err == 0)
		err = aliases_save(c, &h->st);
	if (err < 0)
		return cli_system(c, err, "record what was applied");
	if (h->d.run != NULL)
		err = pfrun_save(c, &h->st, h->d.run);
	if (err < 0)
		return cli_system(c, err, "record what is loaded");
	/* To look again for what was right a moment ago is much of the time of one jail */
	err = h->is_linked ? 0 : host_apply(&host, &h->want, HOST_LINKS);
	if (err < 0)
		return cli_host_error(c, err, "set links and addresses");
	err = vnet_make(&host, &h->d.decl, h->want.only, &place, &h->vnets);
	if (err == 0)
		err = vnet_sweep(&host, &h->d.decl);
	if (err < 0)
		return cli_host_error(c, err, "link the jails");
	if (first != h->program)
		status = load_rules(c, h, h->program);
	if (status == 0)
		status = cli_stale_forget(c, &h->filter, &h->d, &h->n_flows);
	if (status != 0)
		return status;
	err = h->is_set ? 0 : host_apply(&host, &h->want, HOST_SYSCTLS);
	if (err < 0)
		return cli_host_error(c, err, "set sysctls");
	status = nat_ports_apply(c, h);
	if (status == 0)
		status = cli_confine_refresh(c, h);
	if (status == 0)
		quick_save(c, h);
	return status;
}

/* Who applies what is to stay has seen that the host can be reached */
static int settle(struct cli *c, struct cli_host *h)
{
	const int err = confirm_settle(&h->st);

	return err < 0 ? cli_system(c, err, "forget what waits to be confirmed") : 0;
}

/* For `metrics`: when, and how long it took */
static int note_time(struct cli *c, struct cli_host *h, const struct timespec *start)
{
	struct timespec end;
	char text[64];
	int err;

	clock_gettime(CLOCK_MONOTONIC, &end);
	snprintf(text, sizeof(text), "%lld %.6f", (long long)time(NULL),
		 (double)(end.tv_sec - start->tv_sec) +
		 (double)(end.tv_nsec - start->tv_nsec) / 1e9);
	err = state_write(&h->st, APPLY_TIME_FILE, text, strlen(text));
	return err < 0 ? cli_system(c, err, "note when it was applied") : 0;
}

/* A host whose rules are new and whose record is old would be put back by the next look */
static int check_room(struct cli *c, struct cli_host *h)
{
	const int err = applied_has_room(c, &h->st);

	return err < 0 ? cli_system(c, err, "record what is to be applied; nothing is changed") : 0;
}

static int apply(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	struct timespec start;
	int status;

	clock_gettime(CLOCK_MONOTONIC, &start);
	status = cli_host_open(c, &h, STATE_WRITE);
	if (status == 0)
		status = cli_shadow_check(c, &h.d, DIAG_W2509);
	if (status == 0)
		status = check_room(c, &h);
	if (status == 0 && c->confirm_seconds > 0)
		status = confirm_start(c, &h);
	if (status == 0)
		status = cli_host_apply(c, &h);
	if (status == 0 && c->confirm_seconds == 0)
		status = settle(c, &h);
	if (status == 0)
		status = note_time(c, &h, &start);
	if (status == 0)
		cli_changes_end(c, &h);
	return status;
}

int verb_apply(struct cli *c)
{
	int status;

	if (c->dry_run)
		return verb_plan(c);
	status = apply(c);
	return status == 0 ? nat_ask_reload(c, NULL) : status;
}
