/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Everything that needs rights or memory is done before the first packet, in an
 * order in which nothing can leave untranslated and nothing is left behind: the
 * lock, the keeper, what an earlier run left, the kernel's hands off, the devices,
 * the routes to them.  Then the seal; from there on only packets, and what the
 * loop's watches bring.
 *
 * What goes by itself with this process, however it ends: devices, packet
 * sockets, the claim.  What does not (rules, routes, reserved ports) is the
 * keeper's.
 */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/calls.h"
#include "cli/nat_keep.h"
#include "cli/nat_plan.h"
#include "cli/nat_read.h"
#include "host/keeper.h"
#include "host/natpath.h"
#include "host/notify.h"
#include "host/seal.h"
#include "port/natloop.h"

#define LOCK_SECONDS	2u		/* for another one that is about to end */

NEEDS_CALL(write)

/**
 * struct live - A live run
 * @c:		Command line
 * @d:		Declarations
 * @plan:	What it is to be
 * @keeper:	Tidies up
 * @lock:	That this is the only one
 * @nft:	Session that the claim goes with
 * @route:	Of NETLINK_ROUTE, until the seal
 * @io:		Interfaces, by enum nat_side
 * @loop:	The loop
 * @mem:	Of the NAT
 * @mem_len:	Bytes
 * @signals:	signalfd
 * @keep:	State file
 */
struct live {
	struct cli *c;
	struct declared d;
	struct nat_plan plan;
	struct keeper keeper;
	int lock;
	struct nl_session nft;
	struct nl_session route;
	struct io *io[2];
	struct natloop *loop;
	void *mem;
	size_t mem_len;
	int signals;
	struct nat_keep keep;
};

static void tell(void *arg, const char *line)
{
	const struct live *v = arg;

	if (!v->c->quiet)
		fprintf(stderr, "sallyport: nat: %s\n", line);
}

/* ---- what is left behind -------------------------------------------------------- */

static int clear(const char *state_dir)
{
	CLEANUP(nl_close) struct nl_session s = { .fd = -1 };
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	CLEANUP(arena_fini) struct arena a;
	int err = nl_open(&s, NETLINK_ROUTE), err2;

	arena_init(&a, 16u << 20);
	if (err == 0)
		err = natpath_down(&s, &a);
	err2 = state_open(&st, state_dir, STATE_WRITE, STATE_LOCK_SECONDS);
	if (err2 == 0)
		err2 = natpath_release(&st, NATPATH_RUN, &a);
	return err < 0 ? err : err2;
}

static int tidy(void *arg)
{
	return clear(arg);
}

static int lock(struct live *v)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = state_open(&st, v->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err < 0)
		return err;
	v->lock = natpath_lock(&st, LOCK_SECONDS);
	return v->lock < 0 ? v->lock : 0;
}

/* ---- set up --------------------------------------------------------------------- */

/* The way to and from an interface, by --io */
static const struct io_ops *way_of(struct live *v)
{
	const char *name = v->c->nat.io;

	if (name == NULL || strcmp(name, "auto") == 0 || strcmp(name, "tun") == 0)
		return &io_packet_ops;
	return io_kind(name);
}

static int open_io(struct live *v, enum nat_side side)
{
	const bool is_device = side == NAT_INSIDE && v->plan.tun != NULL;
	const char *name = side == NAT_OUTSIDE ? v->plan.outside :
			   is_device ? v->plan.tun : v->plan.inside;
	const struct io_ops *ops = is_device ? &io_tun_ops : way_of(v);
	const int err = io_open(ops, name, &v->io[side]);

	if (err == 0)
		return 0;
	return cli_system(v->c, err, arena_printf(&v->c->arena, "take packets from %s by %s", name,
						  ops->name));
}

static int claim(struct live *v)
{
	int err = nl_open(&v->nft, NETLINK_NETFILTER);

	if (v->plan.tun != NULL)
		v->plan.claim.local_to = v->io[NAT_INSIDE]->ifindex;
	if (err == 0)
		err = nft_claim(&v->nft, &v->plan.claim);
	if ((err == -EOPNOTSUPP || err == -EINVAL) && v->plan.claim.local_to != 0) {
		tell(v, "this kernel cannot lead callers of this host to the forwards");
		v->plan.claim.local_to = 0;
		err = nft_claim(&v->nft, &v->plan.claim);
	}
	return err == 0 ? 0 : cli_system(v->c, err, "keep the kernel from answering for the NAT");
}

static int lead_here(struct live *v)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	const struct nat_config *cfg = &v->plan.cfg;
	int err = state_open(&st, v->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err == 0)
		err = natpath_reserve(&st, NATPATH_RUN, v->plan.ports, &v->c->arena);
	if (err == 0)
		err = nl_open(&v->route, NETLINK_ROUTE);
	if (err == 0 && v->plan.tun != NULL)
		err = natpath_up(&v->route, &(struct natpath){
			.tun = v->plan.tun, .tun_index = v->io[NAT_INSIDE]->ifindex,
			.outside_index = v->io[NAT_OUTSIDE]->ifindex,
			.mtu_bytes = v->io[NAT_OUTSIDE]->mtu_bytes,
			.inside = cfg->inside, .n_inside = cfg->n_inside }, &v->c->arena);
	nl_close(&v->route);
	return err == 0 ? 0 : cli_system(v->c, err, "lead the jails' packets to the NAT");
}

/* All memory is there from the start: what is asked for later is had from what was freed here */
static int make_nat(struct live *v)
{
	struct nat_config *cfg = &v->plan.cfg;
	const char *wrong;

	for (int side = 0; side < 2; side++)
		cfg->mtu[side] = v->io[side]->mtu_bytes;
	wrong = nat_config_check(cfg);
	if (wrong != NULL) {
		diag_add(&v->c->diags, DIAG_E2802, SPAN_NONE, "%s", wrong);
		return EX_DATAERR;
	}
	v->mem_len = nat_bytes(cfg);
	v->mem = mmap(NULL, v->mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (v->mem == MAP_FAILED)
		return cli_system(v->c, -errno, "have memory for the NAT");
	if (nat_init(cfg, v->mem, &v->loop->nat) < 0)
		return cli_system(v->c, -EINVAL, "make the NAT");
	return nat_keep_open(v->c, v->plan.outside, v->loop->nat, natloop_now(), &v->keep);
}

static void save(struct live *v)
{
	if (nat_keep_save(&v->keep, v->loop->nat) < 0)
		tell(v, "cannot write the state file");
}

static void keep_memory(void)
{
	void *p;

	(void)mallopt(M_MMAP_THRESHOLD, 64 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
	p = malloc(NAT_RULES_BYTES);
	if (p != NULL)
		memset(p, 1, NAT_RULES_BYTES);
	free(p);
}

/* ---- signals --------------------------------------------------------------------- */

static void hear_signal(void *arg)
{
	struct live *v = arg;
	struct signalfd_siginfo si;

	while (read(v->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		v->loop->is_stopped |= si.ssi_signo != SIGHUP;
		save(v);
	}
}

static int open_signals(struct live *v)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	v->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return v->signals < 0 ? -errno : natloop_watch(v->loop, v->signals, hear_signal, v);
}

/* ---- the run --------------------------------------------------------------------- */

static int set_up(struct live *v)
{
	int status, err;

	for (int side = 0; side < 2; side++) {
		status = open_io(v, (enum nat_side)side);
		if (status != 0)
			return status;
	}
	err = natloop_init(v->loop, v->io[NAT_INSIDE], v->io[NAT_OUTSIDE], &v->plan.claim);
	if (err == 0)
		err = open_signals(v);
	if (err < 0)
		return cli_system(v->c, err, "follow routes and neighbours");
	v->loop->tell = tell;
	v->loop->arg = v;
	status = make_nat(v);
	if (status == 0)
		status = claim(v);
	return status == 0 ? lead_here(v) : status;
}

static int seal(struct live *v)
{
	struct seal s;
	int err;

	keep_memory();
	err = notify_send("READY=1");
	if (err < 0)
		return cli_system(v->c, err, "tell the service manager");
	/* What there is to say of the declarations is said now, not in the end */
	diag_print(&v->c->diags, stderr, false, v->c->quiet ? DIAG_ERROR : DIAG_NOTE);
	v->c->diags.list.n = 0;
	fflush(NULL);
	err = seal_enter(&s);
	if (err < 0)
		return cli_system(v->c, err, "give up all rights");
	if (!s.has_root)
		tell(v, "no empty root directory here: not permitted");
	if (s.landlock == 0)
		tell(v, "this kernel has no Landlock");
	fputs("ready\n", stderr);
	return 0;
}

/* What goes with us goes first: routes to a device that is gone lead nowhere */
static void close_all(struct live *v)
{
	if (v->loop != NULL)
		natloop_fini(v->loop);
	io_close(&v->io[NAT_INSIDE]);
	io_close(&v->io[NAT_OUTSIDE]);
	nl_close(&v->nft);
	base_fd_close(&v->signals);
	base_fd_close(&v->keep.fd);
	free(v->loop);
	v->loop = NULL;
}

static int run(struct live *v)
{
	int status = set_up(v);

	if (status == 0)
		status = seal(v);
	if (status != 0)
		return status;
	natloop_run(v->loop);
	return 0;
}

static int nat_live(struct cli *c, struct live *v)
{
	int status = nat_plan_sides(c, &v->plan), err;

	if (status == 0)
		status = cli_netns(c);
	if (status == 0)
		status = cli_declare(c, &v->d, CLI_STRICT);
	if (status == 0)
		status = nat_plan_make(c, &v->d, &v->plan);
	if (status != 0)
		return status;
	v->loop = calloc(1, sizeof(*v->loop));
	if (v->loop == NULL)
		return cli_system(c, -ENOMEM, "start");
	err = lock(v);
	if (err == 0)
		err = keeper_start(&v->keeper, v->lock, tidy, (void *)(uintptr_t)c->state_dir);
	if (err == 0)
		err = clear(c->state_dir);
	if (err < 0)
		return cli_system(c, err, "be the only NAT here");
	return run(v);
}

/* TAP would be a device in the place of the outside interface */
static bool is_way(const char *name)
{
	return strcmp(name, "auto") == 0 || (io_kind(name) != NULL && strcmp(name, "tap") != 0);
}

int verb_nat(struct cli *c)
{
	struct live v = {
		.c = c, .keeper = { .fd = -1 }, .lock = -1, .nft = { .fd = -1 },
		.route = { .fd = -1 }, .signals = -1, .keep = { .fd = -1 },
	};
	int status, err;

	if (c->nat.read != NULL)
		return nat_over_capture(c);
	if (c->nat.io != NULL && !is_way(c->nat.io))
		return cli_usage(c, "--io takes auto, packet, pcap or tun, not '%s'", c->nat.io);
	c->is_host = true;
	status = nat_live(c, &v);
	close_all(&v);
	err = keeper_stop(&v.keeper);
	base_fd_close(&v.lock);
	return err < 0 && status == 0 ? cli_system(c, err, "take rules and routes away") : status;
}
