/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Everything that needs rights or memory is done before the first packet, in an
 * order in which nothing can leave untranslated and nothing is left behind: the
 * lock, the keeper, what an earlier run left, the devices, the kernel's hands off,
 * the routes to them.  Then the seal; from there on only packets.
 *
 * What goes by itself with these processes, however they end: devices, packet
 * sockets, the claim.  What does not (rules, routes, reserved ports) is the
 * keeper's.
 *
 * What was started is the front: it hears signals, and its end is the end of all.
 * It is sealed too, so that whoever looks at the process that he started sees none
 * with rights; those that are needed to read rules anew are the keeper's, which
 * reads no packet (see nat_run.h).
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/calls.h"
#include "cli/nat_read.h"
#include "cli/nat_run.h"
#include "host/natpath.h"
#include "host/notify.h"
#include "host/seal.h"
#include "host/state.h"

#define LOCK_SECONDS	2u		/* for another one that is about to end */

NEEDS_CALL(read)
NEEDS_CALL(poll)

static uint32_t n_processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 :
	       MIN((uint32_t)CPU_COUNT(&set), NAT_WORKERS_MOST);
}

int nat_run_workers(struct nat_run *r)
{
	const char *said = r->c->nat.workers;
	const bool is_auto = said != NULL && strcmp(said, "auto") == 0;
	const struct io_ops *in = r->plan.tun != NULL ? nat_run_device(r) : nat_run_way(r);
	uint32_t n = 1;

	if (said != NULL && !is_auto && (!cli_number(said, &n) || n < 1 || n > NAT_WORKERS_MOST))
		return cli_usage(r->c, "--workers takes 1 to %u, or auto, not '%s'",
				 NAT_WORKERS_MOST, said);
	r->n_workers = is_auto ? n_processors() : n;
	if (r->n_workers == 1 || (in->several != NULL && nat_run_way(r)->several != NULL))
		return 0;
	r->n_workers = 1;
	if (is_auto)
		return 0;
	diag_add(&r->c->diags, DIAG_E1017, SPAN_NONE, "--io %s brings all packets to one worker: "
		 "--workers is for packet, packet-v3, tun and tap", nat_run_way(r)->name);
	return EX_USAGE;
}

/* AF_XDP would take what is tagged for the NAT's own */
static int check_vlans(struct nat_run *r)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	const char *const names[] = { r->plan.outside, r->plan.inside };
	const struct rtnl_link *on = NULL, *vlan = NULL;
	struct rtnl_links links = { 0 };
	int err;

	if (nat_run_way(r) != &io_xdp_ops)
		return 0;
	err = nl_open(&s, NETLINK_ROUTE);
	if (err == 0)
		err = rtnl_links_read(&s, &r->c->arena, &links);
	if (err < 0)
		return cli_system(r->c, err, "look for VLANs");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i] != NULL)
			on = rtnl_link_find(&links, names[i]);
		if (on != NULL)
			vlan = rtnl_link_vlan(&links, on->index);
		if (vlan != NULL)
			return cli_usage(r->c, "--io xdp sees no VLAN tags, and %s is a VLAN on "
					 "%s: --io packet sees them", vlan->name, on->name);
	}
	return 0;
}

/* ---- start ----------------------------------------------------------------------- */

static int lock(struct nat_run *r)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = state_open(&st, r->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err < 0)
		return err;
	r->lock = natpath_lock(&st, LOCK_SECONDS);
	return r->lock < 0 ? r->lock : 0;
}

static int start_keeper(struct nat_run *r)
{
	int ends[2], err = nat_word_pair(ends);
	pid_t pid;

	if (err < 0)
		return err;
	pid = nat_run_fork();
	if (pid == 0) {
		r->other = ends[1];
		nat_keeper_run(r);
	}
	err = pid < 0 ? -errno : 0;
	close(ends[1]);
	r->other = ends[0];
	return err;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);		/* where a log file may not grow */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ---- the run --------------------------------------------------------------------- */

static void pass_signals(int signals, const struct nat_run *r)
{
	struct signalfd_siginfo si;

	while (read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si))
		nat_word_send(r->other, NAT_WORD_SIGNAL, (int32_t)si.ssi_signo, NULL);
}

static int be_ready(struct nat_run *r)
{
	struct seal s;
	int err = notify_send("READY=1");

	if (err < 0)
		return cli_system(r->c, err, "tell the service manager");
	/* What there is to say of the declarations is said now, not in the end */
	diag_print(&r->c->diags, stderr, false, r->c->quiet ? DIAG_ERROR : DIAG_NOTE);
	r->c->diags.list.n = 0;
	fflush(NULL);
	err = seal_enter(&s);
	if (err < 0)
		return cli_system(r->c, err, "give up all rights");
	fputs("ready\n", stderr);
	return 0;
}

/* A word of the keeper's; -1: go on, else the exit status */
static int hear_keeper(struct nat_run *r)
{
	struct nat_word w;
	int status;

	if (!nat_word_get(r->other, &w)) {
		diag_add(&r->c->diags, DIAG_E2803, SPAN_NONE,
			 "the keeper has died: the next start takes rules and routes away");
		return EX_SOFTWARE;
	}
	if (w.kind == NAT_WORD_END)
		return w.value;
	if (w.kind == NAT_WORD_COMPLAINT && w.value >= 0 && w.value < (int32_t)DIAG_N_CODES)
		diag_add(&r->c->diags, (enum diag_code)w.value, SPAN_NONE, "%s", w.text);
	if (w.kind == NAT_WORD_HELP)
		diag_help(&r->c->diags, "%s", w.text);
	if (w.kind != NAT_WORD_READY)
		return -1;
	status = be_ready(r);
	return status == 0 ? -1 : status;
}

static int be_front(struct nat_run *r, int signals)
{
	int status = -1;

	while (status < 0) {
		struct pollfd fds[2] = { { r->other, POLLIN, 0 }, { signals, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents != 0)
			pass_signals(signals, r);
		if (fds[0].revents != 0)
			status = hear_keeper(r);
	}
	return status;
}

static int nat_live(struct cli *c, struct nat_run *r)
{
	CLEANUP(base_fd_close) int signals = -1;
	int status = nat_plan_sides(c, &r->plan), err;

	if (status == 0)
		status = nat_run_workers(r);
	if (status == 0)
		status = cli_netns(c);
	if (status == 0)
		status = cli_declare(c, &r->d, CLI_STRICT);
	if (status == 0)
		status = nat_plan_make(c, &r->d, &r->plan);
	if (status == 0)
		status = check_vlans(r);
	if (status != 0 || c->dry_run)
		return status;
	err = lock(r);
	if (err == -EBUSY) {
		diag_add(&c->diags, DIAG_E2804, SPAN_NONE,
			 "another NAT runs in this network namespace");
		return EX_BUSY;
	}
	signals = err == 0 ? open_signals() : -1;
	if (err == 0 && signals < 0)
		err = -errno;
	if (err == 0)
		err = start_keeper(r);
	return err == 0 ? be_front(r, signals) : cli_system(c, err, "be the NAT here");
}

static bool is_way(const char *name)
{
	return strcmp(name, "auto") == 0 || io_kind(name) != NULL;
}

int verb_nat(struct cli *c)
{
	CLEANUP(base_free) struct nat_run *r = NULL;
	int status;

	if (c->nat.read != NULL)
		return nat_over_capture(c);
	if (c->nat.write != NULL || c->nat.explain)
		return cli_usage(c, "--write and --explain are of a run over a capture: --read");
	if (c->nat.io != NULL && !is_way(c->nat.io))
		return cli_usage(c, "--io takes auto, packet, packet-v3, xdp, pcap, tun or tap, "
				 "not '%s'", c->nat.io);
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return cli_system(c, -ENOMEM, "start");
	r->c = c;
	r->lock = r->other = r->control = r->nft.fd = r->route.fd = -1;
	for (uint32_t i = 0; i < NAT_CALLERS; i++)
		r->callers[i].fd = -1;
	r->journal.dir = -1;
	r->lanes = LANES_WAY_NONE;
	r->steer = STEER_NONE;
	r->rules.fd = -1;
	r->since_ns = natloop_now();
	c->is_host = true;
	status = nat_live(c, r);
	base_fd_close(&r->other);
	base_fd_close(&r->lock);
	nat_rules_fini(&r->plan.rules);
	return status;
}
