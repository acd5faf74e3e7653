/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The keeper has rights and sees no packet: what it reads is the front's signals,
 * requests of who may read root's files (nat_control.c), and numbers.  It reads no
 * rules either: a process that is forked for it does, and becomes the new
 * generation's first worker, so memory is fresh each time and a ruleset that ends
 * its reader ends nothing else.
 *
 * The front's end is the end of all, by a signal too: workers, then devices, then
 * rules and routes, in this order, because routes to a device that is gone lead
 * nowhere.  When the keeper is killed all the others end; what is left of routes
 * leads nowhere, and the next start takes it away.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/nat_run.h"
#include "host/natpath.h"
#include "host/state.h"

/* ---- what is left behind ---------------------------------------------------------- */

int nat_keeper_clear(const char *state_dir)
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

/* ---- a generation ----------------------------------------------------------------- */

/* Close those of @v that are open, and wait for their processes, the first one's group */
static void end_workers(struct nat_worker *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		base_fd_close(&v[i].fd);
	/* Also those that have not said who they are: what they have open is busy until then */
	while (v[0].pid > 0 && waitpid(-v[0].pid, NULL, 0) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* A word of a worker; false: it has ended or is silent too long, or (for ever) the front has */
static bool hear(const struct nat_run *r, const struct nat_worker *w, int wait_ms,
		 struct nat_word *ret)
{
	struct pollfd fds[2] = { { w->fd, POLLIN, 0 }, { wait_ms < 0 ? r->other : -1, 0, 0 } };
	int n;

	do {
		n = poll(fds, 2, wait_ms);
	} while (n < 0 && errno == EINTR);
	return n > 0 && fds[0].revents != 0 && nat_word_get(w->fd, ret);
}

/* Until a worker says @want; 0 or an exit status, and why not in @why */
static int await(struct nat_run *r, struct nat_worker *w, enum nat_word_kind want,
		 int wait_ms, struct nat_word *why)
{
	struct nat_word word;

	while (hear(r, w, wait_ms, &word)) {
		if (word.kind == NAT_WORD_END)
			return word.value;
		if (word.kind == NAT_WORD_COMPLAINT)
			*why = word;
		if (word.kind == NAT_WORD_HELP)
			memcpy(r->help, word.text, sizeof(word.text));
		if (word.kind != want || (want == NAT_WORD_DONE && word.value != r->bid))
			continue;
		if (want == NAT_WORD_PREPARED)
			w->pid = word.value;
		return 0;
	}
	return EX_SOFTWARE;
}

/* One that is stopped hears nothing: what has no room any more it is not told */
static bool has_room(int fd)
{
	struct pollfd p = { fd, POLLOUT, 0 };

	return poll(&p, 1, 0) > 0;
}

/* Have all do something; 0 or an exit status, and why not in @why */
static int bid(struct nat_run *r, enum nat_word_kind what, struct nat_word *why)
{
	const uint64_t until_ns = natloop_now() + NAT_WAIT_MS * UINT64_C(1000000);
	int status = 0;

	*why = (struct nat_word){ .kind = NAT_WORD_COMPLAINT, .value = DIAG_E2803,
				  .text = "a worker has died" };
	r->bid = r->bid % INT32_MAX + 1;
	for (uint32_t i = 0; i < r->n_workers; i++)
		if (has_room(r->workers[i].fd))
			nat_word_send(r->workers[i].fd, what, r->bid, NULL);
	for (uint32_t i = 0; i < r->n_workers; i++) {
		const uint64_t now_ns = natloop_now();
		const int one = await(r, &r->workers[i], NAT_WORD_DONE,
				      (int)((until_ns - MIN(now_ns, until_ns)) / 1000000), why);

		status = status != 0 ? status : one;
	}
	return status;
}

/* All take over what was before them, and only then lends any of them a port */
static int let_begin(struct nat_run *r, struct nat_word *why)
{
	const int status = bid(r, NAT_WORD_GO, why);

	for (uint32_t i = 0; i < r->n_workers && status == 0; i++)
		nat_word_send(r->workers[i].fd, NAT_WORD_BEGIN, 0, NULL);
	return status;
}

static int plan_anew(struct cli *c, void *arg)
{
	struct nat_run *r = arg;
	int status;

	r->c = c;
	memset(&r->d, 0, sizeof(r->d));
	status = nat_plan_sides(c, &r->plan);
	if (status == 0)
		status = cli_declare(c, &r->d, CLI_STRICT);
	if (status == 0)
		status = nat_plan_make(c, &r->d, &r->plan);
	if (status == 0 && !c->quiet)
		diag_print(&c->diags, stderr, false, DIAG_WARNING);
	return status;
}

struct fresh {
	struct nat_run *r;
	const int *ends;
};

/* In the new process, with an arena of its own that lives as long as it */
static int begin_anew(struct cli *c, void *arg)
{
	const struct fresh *f = arg;
	const int status = plan_anew(c, f->r);

	if (status == 0)
		nat_worker_start(f->r, f->ends, false);
	diag_print(&c->diags, stderr, false, DIAG_ERROR);
	nat_word_complain(f->ends[0], &c->diags);
	nat_word_send(f->ends[0], NAT_WORD_END, status, NULL);
	return status;
}

/* The child closes what is the keeper's alone; the lock is everybody's, until the last ends */
static NORETURN void be_first(struct nat_run *r, const int *ends, bool is_first)
{
	struct fresh f = { r, ends };

	for (uint32_t i = 0; i < r->n_workers; i++)
		base_fd_close(&r->workers[i].fd);
	base_fd_close(&r->other);
	base_fd_close(&r->control);
	for (uint32_t i = 0; i < NAT_CALLERS; i++)
		base_fd_close(&r->callers[i].fd);
	base_fd_close(&r->journal.dir);
	nl_close(&r->route);
	if (is_first)
		nat_worker_start(r, ends, true);
	_exit(cli_round(r->c, begin_anew, &f));
}

/* Fork the next generation, up to where it waits to take over; 0 or an exit status */
static int breed(struct nat_run *r, struct nat_worker *v, struct nat_word *why)
{
	int ends[NAT_WORKERS_MOST], pair[2], err = 0, status;
	pid_t pid = -1;

	*why = (struct nat_word){ .kind = NAT_WORD_COMPLAINT, .value = DIAG_E2803,
				  .text = "the process that read the rules has died" };
	r->generation++;
	for (uint32_t i = 0; i < r->n_workers; i++) {
		v[i].fd = ends[i] = -1;
		v[i].pid = 0;
		if (err == 0)
			err = nat_word_pair(pair);
		if (err == 0) {
			v[i].fd = pair[0];
			ends[i] = pair[1];
		}
	}
	if (err == 0 && nat_journal_begin(&r->journal, r->n_workers,
					  nat_bindings_most(&r->plan.cfg)) < 0)
		nat_run_tell(r, "cannot write down which ports are lent: after a kill others "
			     "may get them at once");
	if (err == 0)
		pid = nat_run_fork();
	if (pid >= 0)
		(void)setpgid(pid, pid);	/* both do, whoever is first */
	if (pid == 0) {
		for (uint32_t i = 0; i < r->n_workers; i++)
			base_fd_close(&v[i].fd);
		be_first(r, ends, r->generation == 1);
	}
	for (uint32_t i = 0; i < r->n_workers; i++)
		base_fd_close(&ends[i]);
	v[0].pid = MAX(pid, 0);
	status = pid < 0 ? EX_OSERR : 0;
	/* However long it takes to read the rules */
	for (uint32_t i = 0; i < r->n_workers && status == 0; i++)
		status = await(r, &v[i], NAT_WORD_PREPARED, -1, why);
	if (status != 0) {
		r->generation--;
		nat_journal_cancel(&r->journal);
	}
	return status;
}

/* ---- states ----------------------------------------------------------------------- */

static int write_state(const struct nat_run *r)
{
	struct nat_keep_piece v[NAT_WORKERS_MOST];
	int err;

	for (uint32_t i = 0; i < r->n_workers; i++)
		v[i] = (struct nat_keep_piece){
			r->saved[i], MIN(r->posts[i].saved_bytes, r->saved_room) };
	err = nat_keep_write(&r->keep, v, r->n_workers);
	/* Nobody reads it until the next time: it would only grow to what was once most */
	for (uint32_t i = 0; i < r->n_workers; i++)
		(void)madvise(r->saved[i], r->saved_room, MADV_REMOVE);
	return err;
}

int nat_keeper_save(struct nat_run *r)
{
	struct nat_word why;

	return bid(r, NAT_WORD_SAVE, &why) == 0 ? write_state(r) : -EIO;
}

static void add_counts(struct nat_post *to, const struct nat_post *p)
{
	const uint32_t flows = to->nat.flows, bindings = to->nat.bindings, held = to->nat.held;
	uint64_t *sum = (uint64_t *)(void *)&to->nat;
	const uint64_t *more = (const uint64_t *)(const void *)&p->nat;

	/* Counts that only grow come first, the three of what is there now last */
	for (size_t i = 0; i < offsetof(struct nat_counters, flows) / sizeof(*sum); i++)
		sum[i] += more[i];
	to->nat.flows = flows + p->nat.flows;
	to->nat.bindings = bindings + p->nat.bindings;
	to->nat.held = held + p->nat.held;
	to->loop.not_ours[0] += p->loop.not_ours[0];
	to->loop.not_ours[1] += p->loop.not_ours[1];
	to->loop.by_kernel += p->loop.by_kernel;
	to->loop.handed += p->loop.handed;
	to->loop.rounds += p->loop.rounds;
	for (int side = 0; side < 2; side++) {
		to->lanes.packets[side] += p->lanes.packets[side];
		to->lanes.bytes[side] += p->lanes.bytes[side];
	}
	to->lanes.entered += p->lanes.entered;
	to->lanes.now += p->lanes.now;
}

/* What goes on counting with the interfaces themselves is taken as it is */
static void add_io(struct nat_post *to, const struct nat_post *p)
{
	for (int side = 0; side < 2; side++) {
		to->io[side].rx += p->io[side].rx;
		to->io[side].rx_lost += p->io[side].rx_lost;
		to->io[side].rx_other += p->io[side].rx_other;
		to->io[side].tx += p->io[side].tx;
		to->io[side].tx_refused += p->io[side].tx_refused;
		to->io[side].tx_too_big += p->io[side].tx_too_big;
	}
}

void nat_keeper_count(struct nat_run *r, struct nat_post *ret)
{
	struct nat_word why;

	(void)bid(r, NAT_WORD_TELL, &why);
	*ret = r->before;
	for (uint32_t i = 0; i < r->n_workers; i++) {
		add_counts(ret, &r->posts[i]);
		add_io(ret, &r->posts[i]);
	}
}

/* All workers save and end: what they had is in r->saved; false: not all of it */
static bool stop_workers(struct nat_run *r)
{
	struct nat_word word;
	bool ok;

	/* Whoever ends without saving leaves its journal */
	for (uint32_t i = 0; i < r->n_workers; i++)
		r->posts[i].saved_bytes = 0;
	ok = bid(r, NAT_WORD_STOP, &word) == 0;
	for (uint32_t i = 0; i < r->n_workers; i++) {
		struct nat_post gone = r->posts[i];

		gone.nat.flows = gone.nat.bindings = gone.nat.held = 0;
		gone.lanes.now = 0;
		add_counts(&r->before, &gone);
		if (r->io[i][0] == NULL || r->io[i][1] == NULL)
			add_io(&r->before, &gone);
		/* Its own end, or else by force: two must never use one ring */
		if (!ok && r->workers[i].pid > 0)
			(void)kill(r->workers[i].pid, SIGKILL);
		while (nat_word_get(r->workers[i].fd, &word))
			;
	}
	end_workers(r->workers, r->n_workers);
	return ok;
}

static void kill_workers(const struct nat_run *r)
{
	for (uint32_t i = 0; i < r->n_workers; i++)
		if (r->workers[i].pid > 0)
			(void)kill(r->workers[i].pid, SIGKILL);
}

int nat_keeper_reload(struct nat_run *r, struct nat_word *why)
{
	struct nat_worker next[NAT_WORKERS_MOST];
	int status = breed(r, next, why);
	bool has_saved;

	if (status != 0) {
		end_workers(next, r->n_workers);
		nat_run_tell(r, "the rules stay as they were");
		return status;
	}
	has_saved = stop_workers(r);
	memcpy(r->workers, next, sizeof(next));
	status = let_begin(r, why);
	if (status != 0) {
		/* Those that were only slow would wait for ever; the loop will find their end */
		kill_workers(r);
		return status;
	}
	nat_journal_settle(&r->journal);
	/* Only now: packets have waited long enough, and a disk is slow */
	if (!has_saved || write_state(r) < 0)
		nat_run_tell(r, "cannot write the state file");
	nat_run_tell(r, "rules read anew, flows kept");
	return 0;
}

/* ---- set up ----------------------------------------------------------------------- */

static void close_others(const struct nat_run *r)
{
	const int keep[2] = { MIN(r->other, r->lock), MAX(r->other, r->lock) };
	unsigned int next = 3;

	for (int i = 0; i < 2; i++) {
		if (keep[i] > (int)next)
			(void)syscall(SYS_close_range, next, (unsigned int)keep[i] - 1, 0u);
		next = (unsigned int)MAX(keep[i] + 1, (int)next);
	}
	(void)syscall(SYS_close_range, next, ~0u, 0u);
}

/* Signals of the terminal are for the front; a file that may not grow is told of, no end */
static void ignore_signals(void)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGXFSZ };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		(void)signal(all[i], SIG_IGN);
}

/* What it and the processes that it forks need to seal themselves; nothing else */
static int drop_capabilities(void)
{
	static const int needed[] = {
		CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_KILL, CAP_SETGID,
		CAP_SETUID, CAP_SETPCAP, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN, CAP_IPC_LOCK,
		CAP_SYS_NICE,
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		mask |= UINT64_C(1) << needed[i];
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(mask >> (32 * i));
		data[i].effective &= data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static void *shared_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static int have_memory(struct nat_run *r)
{
	r->saved_room = nat_save_most(&r->plan.cfg);
	r->posts = shared_memory(NAT_WORKERS_MOST * sizeof(*r->posts));
	for (uint32_t i = 0; i < r->n_workers && r->posts != NULL; i++) {
		r->places[i] = io_memory_new(sizeof(*r->places[i]));
		r->saved[i] = shared_memory(r->saved_room);
		if (r->saved[i] == NULL || r->places[i] == NULL)
			return cli_system(r->c, -ENOMEM, "have memory for flows");
	}
	if (r->posts != NULL)
		return 0;
	return cli_system(r->c, -ENOMEM, "have memory for counts");
}

static int open_journal(struct nat_run *r)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	int err = state_open(&st, r->c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	_Static_assert(NAT_JOURNAL_FILES >= NAT_WORKERS_MOST, "each worker has one");
	return err < 0 ? err : nat_journal_open(&r->journal, base_take_fd(&st.dir_fd));
}

/* By a TUN device they come with the jails' packets */
static int have_host_callers(struct nat_run *r)
{
	const int err = r->plan.tun != NULL ? 0 : io_open(&io_host_ops, "lo", &r->host);

	return err == 0 ? 0 : cli_system(r->c, err, "hear callers of this host on lo");
}

static int set_up(struct nat_run *r)
{
	int status = 0, err = nat_keeper_clear(r->c->state_dir);

	if (err < 0)
		return cli_system(r->c, err, "take away what another NAT has left");
	if (r->n_workers > 1)
		err = steer_open(&r->steer, r->n_workers);
	if (err < 0)
		return cli_system(r->c, err, "share packets out among workers");
	for (uint32_t i = 0; i < r->n_workers && status == 0; i++)
		status = nat_run_ways(r, i, false);
	if (status == 0)
		status = have_host_callers(r);
	if (status == 0)
		nat_lanes_open(r);
	if (status == 0)
		status = have_memory(r);
	if (status == 0)
		status = nat_keep_open(r->c, r->plan.outside, &r->keep);
	if (status != 0)
		return status;
	err = open_journal(r);
	if (err < 0)
		return cli_system(r->c, err, "read which ports a run before had lent");
	err = nl_open(&r->nft, NETLINK_NETFILTER);
	if (err == 0)
		err = nat_addrs_open(r);
	if (err == 0)
		err = nat_control_open(r);
	if (err == 0)
		err = drop_capabilities();
	return err == 0 ? 0 : cli_system(r->c, err, "set up the control socket");
}

/* ---- the run ---------------------------------------------------------------------- */

/* What the front says; false: the end */
static bool hear_front(struct nat_run *r)
{
	struct nat_word word, why;

	if (!nat_word_get(r->other, &word)) {
		nat_run_tell(r, "killed: ending, and tidying up");
		return false;
	}
	if (word.value != SIGHUP) {
		nat_run_tell(r, word.value == SIGTERM ? "SIGTERM: ending" : "SIGINT: ending");
		return false;
	}
	if (nat_keeper_reload(r, &why) != 0 && nat_keeper_save(r) < 0)
		nat_run_tell(r, "cannot write the state file");
	return true;
}

/* What the kernel says of interfaces; 0, or an exit status where nothing can be carried */
static int hear_interfaces(struct nat_run *r)
{
	const bool has_others = nat_addrs_hear(r);
	const char *gone = nat_addrs_gone(r);
	struct nat_word why;
	char line[64];

	if (gone != NULL)
		return cli_system(r->c, -ENODEV,
				  arena_printf(&r->c->arena, "go on, as %s is gone", gone));
	if (!has_others)
		return 0;
	snprintf(line, sizeof(line), "%s has other addresses", r->plan.outside);
	nat_run_tell(r, line);
	(void)nat_keeper_reload(r, &why);
	return 0;
}

/* Is this what a bid was not waited for any longer; false: the worker's end */
static bool is_late(const struct nat_worker *w)
{
	struct nat_word word;

	return nat_word_get(w->fd, &word) && word.kind == NAT_WORD_DONE;
}

/* Until the front or a worker ends; an exit status */
static int keep(struct nat_run *r)
{
	enum { FRONT, ROUTE, RULES, CONTROL, WORKERS = CONTROL + NAT_CONTROL_FDS };
	struct pollfd fds[WORKERS + NAT_WORKERS_MOST];
	int wait_ms, status = 0;

	for (;;) {
		fds[FRONT] = (struct pollfd){ r->other, POLLIN, 0 };
		wait_ms = nat_control_poll(r, &fds[CONTROL]);
		fds[ROUTE] = (struct pollfd){ r->route.fd, POLLIN, 0 };
		fds[RULES] = (struct pollfd){ r->rules.fd, POLLIN, 0 };
		for (uint32_t i = 0; i < r->n_workers; i++)
			fds[WORKERS + i] = (struct pollfd){ r->workers[i].fd, POLLIN, 0 };
		if (poll(fds, WORKERS + r->n_workers, wait_ms) < 0)
			continue;
		for (uint32_t i = 0; i < r->n_workers; i++) {
			if (fds[WORKERS + i].revents == 0 || is_late(&r->workers[i]))
				continue;
			diag_add(&r->c->diags, DIAG_E2803, SPAN_NONE, "worker %u has died", i);
			return EX_SOFTWARE;
		}
		if (fds[FRONT].revents != 0 && !hear_front(r))
			return 0;
		nat_control_serve(r, &fds[CONTROL]);
		if (fds[ROUTE].revents != 0)
			status = hear_interfaces(r);
		if (status != 0)
			return status;
		if (fds[RULES].revents != 0)
			nat_lanes_hear(r);
	}
}

static int start(struct nat_run *r)
{
	struct nat_word why;
	int status = set_up(r);

	if (status != 0)
		return status;
	status = breed(r, r->workers, &why);
	if (status == 0)
		status = let_begin(r, &why);
	nat_keep_forget(&r->keep);
	if (status != 0) {
		diag_add(&r->c->diags, (enum diag_code)why.value, SPAN_NONE, "%s", why.text);
		if (r->help[0] != '\0')
			diag_help(&r->c->diags, "%s", r->help);
		return status;
	}
	nat_journal_settle(&r->journal);
	nat_word_send(r->other, NAT_WORD_READY, 0, NULL);
	return 0;
}

static void close_ways(struct nat_run *r)
{
	for (uint32_t i = 0; i < r->n_workers; i++) {
		io_close(&r->io[i][NAT_INSIDE]);
		io_close(&r->io[i][NAT_OUTSIDE]);
	}
	io_close(&r->host);
}

void nat_keeper_run(struct nat_run *r)
{
	bool has_run, has_saved = false;
	int status, err;

	close_others(r);
	ignore_signals();
	/* What there is to say of the declarations the front says */
	r->c->diags.list.n = 0;
	status = start(r);
	has_run = status == 0;
	if (has_run) {
		status = keep(r);
		has_saved = stop_workers(r);
	}
	end_workers(r->workers, r->n_workers);
	/* None is left without its NAT, however long it takes to tidy up */
	nat_lanes_close(r);
	if (has_run && (!has_saved || write_state(r) < 0))
		nat_run_tell(r, "flows are not saved");
	else if (has_run && r->keep.path != NULL)
		nat_journal_forget(&r->journal);
	nat_control_close(r);
	nat_journal_close(&r->journal);
	close_ways(r);
	steer_close(&r->steer);
	nl_close(&r->nft);
	nl_close(&r->route);
	err = nat_keeper_clear(r->c->state_dir);
	if (err < 0 && status == 0)
		status = cli_system(r->c, err, "take rules and routes away");
	nat_word_complain(r->other, &r->c->diags);
	nat_word_send(r->other, NAT_WORD_END, status, NULL);
	_exit(status);
}
