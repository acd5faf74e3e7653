/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Whatever changes in the host's rules, links, addresses and routes wakes us;
 * when it has been quiet for a moment, the host is compared with what was
 * applied, as `plan` does it, and made so, as `apply` does it.  The record of that is
 * read each time, under the lock: the newer state of another run wins, and what is a
 * snapshot of addresses is taken again.
 *
 * What counts are the texts as they were applied, not the files as somebody edits
 * them meanwhile: who saves half a rule must not find it loaded, or the host dark,
 * because another firewall was reloaded at that moment.
 *
 * Each round is a run of its own, with its own memory.  Our own changes wake us
 * too; that round finds nothing to do.
 *
 * The kernel itself ends a forward whose time is over, and tells nobody: we wake then
 * to forget the flows that it has made, and whenever the clock is set.  So we do when
 * an apply was to be confirmed, in case who waits for that was killed.
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/confirm.h"
#include "cli/gate.h"
#include "cli/host.h"
#include "cli/kept.h"
#include "cli/stale.h"
#include "host/alarm.h"
#include "host/notify.h"

#define QUIET_MS	50	/* without an event before we look */
#define PATIENCE_MS	300	/* of events without end */
#define FIGHT_REPAIRS	20u	/* in a row, each within a second: somebody works against us */
#define FIGHT_PAUSE_MS	1000
#define SHOWN		3u	/* things that are told by name */

static volatile sig_atomic_t stopped;

/**
 * struct watch - What stays between rounds
 * @c:		The command line
 * @rules:	Told of changed packet rules
 * @route:	Told of changed links, addresses and routes
 * @guard:	Owner of the guarding table
 * @ends:	Tells when a forward ends, and of the clock (alarm.h)
 * @told:	The last complaint, so that it is not repeated
 * @overdue:	The same of a host that cannot be put back
 * @proven:	Mark (gate.h) of the declarations and the program that were proven
 * @is_torn:	The texts that are recorded are those of a run that was killed, or damaged
 * @is_stormy:	Others changed the host until the round began: they will wake us again
 * @repairs:	Rounds in a row that had something to do
 * @next_end:	The next forward ends then, seconds since 1970; 0: none does
 * @note:	What waits to be confirmed; @until 0: nothing does
 * @waiting:	Signals that are let in while we wait, and only then: a round is
 *		never interrupted
 */
struct watch {
	struct cli *c;
	struct nl_session rules;
	struct nl_session route;
	struct nl_session guard;
	int ends;
	char told[256];
	char overdue[256];
	uint64_t proven;
	bool is_torn;
	bool is_stormy;
	uint32_t repairs;
	int64_t next_end;
	struct confirm_note note;
	sigset_t waiting;
};

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void close_all(struct watch *w)
{
	nl_close(&w->rules);
	nl_close(&w->route);
	nl_close(&w->guard);
	base_fd_close(&w->ends);
}

static int listen_to(struct watch *w)
{
	static const int groups[] = {
		RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
	};
	int err = nl_open(&w->rules, NETLINK_NETFILTER);

	if (err == 0)
		err = nl_join(&w->rules, NFNLGRP_NFTABLES);
	if (err == 0)
		err = nl_open(&w->route, NETLINK_ROUTE);
	for (size_t i = 0; i < ARRAY_SIZE(groups) && err == 0; i++)
		err = nl_join(&w->route, groups[i]);
	if (err == 0)
		w->ends = alarm_open();
	return err == 0 ? MIN(w->ends, 0) : err;
}

static void tell_change(struct cli *r, const struct cli_change *x, const char *before)
{
	const char *place = cli_place(r, x->at);

	fprintf(stderr, "%s%s %s%s%s%s", before,
		x->op[0] == 'a' ? "missing" : x->op[0] == 'd' ? "unwanted" : "changed", x->object,
		place[0] != '\0' ? " (" : "", place, place[0] != '\0' ? ")" : "");
}

/**
 * struct telling - Which differences are told by name
 * @n:		So many
 * @last:	The last of them: one with a declaration if those before have none
 * @i:		Number of the next difference
 * @is_placed:	One with a declaration was found
 */
struct telling {
	uint32_t n;
	uint32_t last;
	uint32_t i;
	bool is_placed;
};

static void find_last(struct cli *r, const struct cli_change *one, void *arg)
{
	struct telling *t = arg;

	(void)r;
	if (!t->is_placed && one->at.src != 0) {
		t->last = MAX(t->i, t->n - 1);
		t->is_placed = true;
	}
	t->i++;
}

static void tell_some(struct cli *r, const struct cli_change *one, void *arg)
{
	struct telling *t = arg;

	if (t->i + 1 < t->n || t->i == t->last)
		tell_change(r, one, t->i > 0 && t->n > 1 ? "; " : "");
	t->i++;
}

static void begin_line(void)
{
	char when[32];
	const time_t now = time(NULL);
	struct tm tm;

	strftime(when, sizeof(when), "%F %T", localtime_r(&now, &tm));
	fputs(when, stderr);
}

/* One line for what a round repairs: the first things by name, the rest as a number */
static void tell_repair(struct watch *w, struct cli *r, const struct cli_host *h)
{
	const uint32_t n = cli_changes_count(h, NULL), shown = w->c->verbose ? n : MIN(n, SHOWN);
	struct telling t = { .n = shown, .last = shown - 1 };

	begin_line();
	fputs(" repairing: ", stderr);
	cli_changes_each(r, h, find_last, &t);
	t.i = 0;
	cli_changes_each(r, h, tell_some, &t);
	if (shown < n)
		fprintf(stderr, "; and %u more", n - shown);
	fputc('\n', stderr);
}

static const struct diag *find_told(const struct cli *r, enum diag_code code)
{
	for (uint32_t i = 0; i < r->diags.list.n; i++)
		if (r->diags.list.v[i].code == code)
			return &r->diags.list.v[i];
	return NULL;
}

/* The host was put back, or cannot be; of that the next round would say the same */
static void tell_overdue(struct watch *w, const struct cli *r)
{
	const struct diag *done = find_told(r, DIAG_W1913), *d = find_told(r, DIAG_W1914);

	if (d != NULL && strncmp(w->overdue, d->message, sizeof(w->overdue) - 1) == 0)
		return;
	snprintf(w->overdue, sizeof(w->overdue), "%s", d != NULL ? d->message : "");
	d = d != NULL ? d : done;
	if (d == NULL)
		return;
	begin_line();
	fprintf(stderr, " %s\n", d->message);
}

/* The complaints of a round, once */
static void tell_errors(struct watch *w, struct cli *r)
{
	const struct diag *first = NULL;

	for (uint32_t i = 0; i < r->diags.list.n && first == NULL; i++)
		if (diag_codes[r->diags.list.v[i].code].severity == DIAG_ERROR)
			first = &r->diags.list.v[i];
	if (first == NULL || strncmp(w->told, first->message, sizeof(w->told) - 1) == 0)
		return;
	snprintf(w->told, sizeof(w->told), "%s", first->message);
	diag_print(&r->diags, stderr, false, DIAG_ERROR);
}

static void note_next_end(struct watch *w, const struct kept *k)
{
	const int64_t now = (int64_t)time(NULL);

	for (uint32_t i = 0; k != NULL && i < k->forwards.n; i++) {
		const int64_t until = k->forwards.v[i].f.until;

		if (k->forwards.v[i].jail != NULL && until >= now &&
		    (w->next_end == 0 || until < w->next_end))
			w->next_end = until;
	}
}

/* While there is time: a repair loads what was proven without proving it again */
static int prove(struct watch *w, struct cli *r, const struct cli_host *h, uint64_t mark)
{
	const int status = mark == w->proven ? 0 : cli_gate(r, &h->d.model, h->program);

	if (status == 0)
		w->proven = mark;
	return status;
}

static int repair(struct watch *w, struct cli *r)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	uint64_t mark;
	int status;

	w->next_end = 0;
	status = cli_host_open(r, &h, STATE_WRITE);
	/* What was tried in vain is not tried again before something changes */
	if (confirm_read(&h.st, &r->arena, &w->note) < 0 || find_told(r, DIAG_W1914) != NULL)
		w->note.until = 0;
	if (status != 0)
		return status;
	note_next_end(w, h.d.kept);
	w->repairs = h.changes.n > 0 ? w->repairs + 1 : 0;
	mark = cli_gate_mark(r, &h.d.model, h.program);
	if (h.changes.n == 0) {
		status = cli_stale_forget(r, &h.filter, &h.d, NULL);
		return status != 0 ? status : prove(w, r, &h, mark);
	}
	tell_repair(w, r, &h);
	r->no_verify |= mark != 0 && mark == w->proven;
	status = cli_host_apply(r, &h);
	if (status == 0)
		w->proven = mark;
	return status;
}

/* One round: 0, or the exit status that `apply` would have had */
static int look_once(struct cli *r, void *arg)
{
	struct watch *w = arg;
	const int status = repair(w, r);

	w->is_torn = r->is_torn;
	tell_overdue(w, r);
	/* In a storm every other round may fail for the same reason */
	if (status == 0 && !w->is_stormy)
		w->told[0] = '\0';
	else if (status != 0 && !w->is_torn)
		tell_errors(w, r);
	return status;
}

/* What is half recorded, or damaged, is completed from its files, as by `apply` */
static int look(struct watch *w)
{
	int status;

	w->c->use_kept = w->c->files.n == 0;
	status = cli_round(w->c, look_once, w);
	if (w->is_torn) {
		w->c->use_kept = false;
		status = cli_round(w->c, look_once, w);
	}
	return status;
}

/* Take what has come; events are only a reason to look, lost ones too */
static bool drain(struct nl_session *s)
{
	size_t len;
	bool any = false;
	int err;

	do {
		err = nl_receive(s, MSG_DONTWAIT, &len);
		any |= err != -EAGAIN;
	} while (err == 0 || err == -ENOBUFS || err == -EMSGSIZE);
	return any;
}

/* How long to wait for an event: until the end of what waits to be confirmed */
static const struct timespec *patience(const struct watch *w, struct timespec *buf)
{
	const int64_t left_ms = MAX(confirm_left_ms(&w->note), 0);

	if (w->note.until == 0)
		return NULL;
	*buf = (struct timespec){ .tv_sec = left_ms / 1000,
				  .tv_nsec = left_ms % 1000 * 1000000 };
	return buf;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until something changed, and then until it is quiet; false when we are to end */
static bool wait_for_change(struct watch *w)
{
	struct pollfd fds[] = {
		{ .fd = w->rules.fd, .events = POLLIN },
		{ .fd = w->route.fd, .events = POLLIN },
		{ .fd = w->ends, .events = POLLIN },
	};
	static const struct timespec quiet = { .tv_nsec = QUIET_MS * 1000000 };
	struct timespec end;
	const struct timespec *timeout = patience(w, &end);
	int64_t first_ms = 0;

	/* In the second after the last one of a forward */
	if (alarm_set(w->ends, w->next_end == 0 ? 0 : w->next_end + 1) == -ECANCELED)
		return true;
	while (!stopped) {
		const int n = ppoll(fds, ARRAY_SIZE(fds), timeout, &w->waiting);

		if (n < 0)
			continue;	/* a signal: the loop's condition says which */
		if (first_ms == 0)
			first_ms = now_ms();
		w->is_stormy = n > 0 && now_ms() - first_ms >= PATIENCE_MS;
		if (n == 0 || w->is_stormy)
			return true;
		(void)drain(&w->rules);
		(void)drain(&w->route);
		alarm_heard(w->ends);
		timeout = &quiet;
	}
	return false;
}

static void pause_if_fought(struct watch *w)
{
	if (w->repairs < FIGHT_REPAIRS)
		return;
	if (w->repairs == FIGHT_REPAIRS)
		fputs("sallyport: warning: somebody changes the host against the declarations, "
		      "again and again; repairing once a second\n", stderr);
	(void)poll(NULL, 0, FIGHT_PAUSE_MS);
}

/* Signals end us between rounds; which they are is held back until we wait */
static void hold_signals(struct watch *w)
{
	const struct sigaction sa = { .sa_handler = stop };
	sigset_t ours;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &w->waiting);
	sigdelset(&w->waiting, SIGINT);
	sigdelset(&w->waiting, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void start_guard(struct watch *w)
{
	int err = nl_open(&w->guard, NETLINK_NETFILTER);

	if (err == 0)
		err = nft_guard(&w->guard);
	if (err < 0 && !w->c->quiet)
		fprintf(stderr, "sallyport: note: connections are reset when somebody flushes all "
			"rules: no table can be guarded (%s)\n", strerror(-err));
}

int verb_watch(struct cli *c)
{
	CLEANUP(close_all) struct watch w = {
		.c = c, .rules = { .fd = -1 }, .route = { .fd = -1 }, .guard = { .fd = -1 },
		.ends = -1,
	};
	int status = cli_netns(c), err;

	if (status != 0)
		return status;
	err = listen_to(&w);
	if (err < 0)
		return cli_system(c, err, "listen to changes of this host");
	hold_signals(&w);
	status = look(&w);
	if (status == EX_NOPERM || status == EX_NOINPUT || status == EX_DATAERR)
		return status;
	/* What was given is applied now; from here on what is applied counts */
	c->files.n = c->defines.n = 0;
	start_guard(&w);
	if (!c->quiet)
		fputs("watching\n", stderr);
	err = notify_send("READY=1");
	if (err < 0)
		return cli_system(c, err, "tell the service manager");
	while (wait_for_change(&w)) {
		(void)look(&w);
		pause_if_fought(&w);
	}
	(void)!notify_send("STOPPING=1");
	return 0;
}
