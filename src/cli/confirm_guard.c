/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The process outlives the session that started it, or an admin who cut
 * themselves off would be left alone: a session of its own, no terminal, nothing
 * open but the directory of the state.  It wakes when a file there is replaced,
 * looks whether the note is still its own, and ends when it is not.  When the
 * time is over it puts the host back under the lock, so that a `confirm` comes
 * either before or too late.
 *
 * There are two of it: one waits for the time, the other for the first, and starts
 * it anew when it was killed.  Where both are killed the note stays, and whoever
 * would change the host next puts it back first.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "cli/confirm.h"

#define RETRIES		60u	/* once a second: another run may hold the lock */
#define READY_FD	3	/* all that stays open of the parent's */
#define LIVES		16u	/* times that the one who waits is started */
#define NOT_OURS	(-1)	/* no exit status: the note is gone, or another apply's */

/**
 * struct guard - The process
 * @run:		What it puts the host back with: no option of the run that it was started
 *		by but where the state is
 * @note:	What it waits for
 * @is_new:	Nothing was applied before
 */
struct guard {
	struct cli run;
	struct confirm_note note;
	bool is_new;
};

static void guard_init(struct guard *g, const struct cli *c, const struct confirm_note *note)
{
	*g = (struct guard){
		.run = {
			.state_dir = c->state_dir,
			.one_pass = -1,
			.use_kept = true,
			/* Proven when it was applied; a host is better put back than left */
			.no_verify = true,
		},
		.note = *note,
	};
}

static bool is_ours(const struct guard *g, const struct state *st, struct arena *a)
{
	struct confirm_note note;

	return confirm_read(st, a, &note) == 0 && note.id == g->note.id;
}

/* ---- putting back ------------------------------------------------------------- */

/* Under the lock, before anything is read: 0, an exit status, or NOT_OURS */
static int restore(struct cli *r, struct state *st, void *arg)
{
	const struct guard *g = arg;
	int err;

	if (!is_ours(g, st, &r->arena))
		return NOT_OURS;
	err = g->is_new ? 0 : confirm_restore(r, st);
	return err < 0 ? cli_system(r, err, "read what to put back") : 0;
}

static int note_reverted(struct state *st)
{
	char text[32];
	int err = confirm_settle(st);

	snprintf(text, sizeof(text), "%" PRId64, (int64_t)time(NULL));
	return err == 0 ? state_write(st, "reverted", text, strlen(text)) : err;
}

static int apply_before(struct cli *r)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	int status = cli_host_open(r, &h, STATE_WRITE), err;

	if (status == 0)
		status = cli_host_apply(r, &h);
	if (status != 0)
		return status;
	err = note_reverted(&h.st);
	return err < 0 ? cli_system(r, err, "note that the host was put back") : 0;
}

static const char *first_error(const struct cli *r)
{
	for (uint32_t i = 0; i < r->diags.list.n; i++)
		if (diag_codes[r->diags.list.v[i].code].severity == DIAG_ERROR)
			return r->diags.list.v[i].message;
	return "no reason is known";
}

static int put_back(struct cli *r, void *arg)
{
	struct guard *g = arg;

	r->locked = (struct cli_locked){ restore, g };
	return g->is_new ? verb_destroy(r) : apply_before(r);
}

/* ---- by who comes later --------------------------------------------------------- */

/**
 * struct late - Putting back within another run
 * @g:		As the process that waits would have done it
 * @why:	What was in the way
 */
struct late {
	struct guard g;
	char why[256];
};

static int put_back_late(struct cli *r, void *arg)
{
	struct late *l = arg;
	const int status = put_back(r, &l->g);

	snprintf(l->why, sizeof(l->why), "%s", first_error(r));
	return status;
}

int confirm_overdue(struct cli *c)
{
	CLEANUP(state_close) struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct confirm_note note;
	struct late l = { .why = "out of memory" };
	int status;

	/* Who cannot look will be told when it opens the state for itself */
	if (state_open(&st, c->state_dir, STATE_READ, 0) < 0 ||
	    confirm_read(&st, &c->arena, &note) < 0 || confirm_left_ms(&note) > 0)
		return 0;
	guard_init(&l.g, c, &note);
	l.g.is_new = confirm_is_new(&st, &c->arena);
	state_close(&st);
	status = cli_round(&l.g.run, put_back_late, &l);
	if (status == EX_BUSY || status == EX_NOPERM) {
		diag_add(&c->diags, DIAG_E1011, SPAN_NONE,
			 "cannot put the host back, which was not confirmed in time: %s", l.why);
		return status;
	}
	if (status == 0)
		diag_add(&c->diags, DIAG_W1913, SPAN_NONE,
			 "the last apply was not confirmed in time: the host is put back first");
	else if (status != NOT_OURS)
		diag_add(&c->diags, DIAG_W1914, SPAN_NONE,
			 "the last apply was not confirmed in time, and the host cannot be put "
			 "back: %s", l.why);
	return 0;
}

/* ---- waiting ------------------------------------------------------------------ */

/* Until the time is over: true; or the note is not ours any more: false */
static bool wait_out(const struct guard *g, const struct state *st, int events)
{
	char buf[4096];

	for (int64_t left; (left = confirm_left_ms(&g->note)) > 0;) {
		struct pollfd p = { .fd = events, .events = POLLIN };
		struct arena a;
		bool ours;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		(void)!read(events, buf, sizeof(buf));
		arena_init(&a, STATE_FILE_BYTES);
		ours = is_ours(g, st, &a);
		arena_fini(&a);
		if (!ours)
			return false;
	}
	return true;
}

/* A descriptor that tells of files replaced and removed in the state's directory, or -1 */
static int watch_state(const struct state *st)
{
	const int fd = inotify_init1(IN_CLOEXEC);
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", st->dir_fd);
	if (fd >= 0 && inotify_add_watch(fd, path, IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Nothing of the parent's: no lock, no terminal, no socket; but @ready */
static int let_go(int ready)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || setsid() < 0)
		return -1;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null, fd) < 0)
			return -1;
	if (dup2(ready, READY_FD) < 0)
		return -1;
	prctl(PR_SET_NAME, "sallyport-guard");
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	/* Ignored, as by who started us, it would hide how the one who waits has ended */
	signal(SIGCHLD, SIG_DFL);
	return close_range(READY_FD + 1, ~0u, 0);
}

static int put_back_told(struct cli *r, void *arg)
{
	const int status = put_back(r, arg);

	if (status == 0)
		syslog(LOG_NOTICE, "apply was not confirmed: the host is put back");
	else if (status > 0)
		syslog(LOG_ERR, "cannot put the host back: %s", first_error(r));
	return status;
}

/* @ready: told when it waits, or -1 */
static void guard_run(struct guard *g, int ready)
{
	struct state st = { .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	struct arena a;
	int events, status;

	if (state_open(&st, g->run.state_dir, STATE_READ, 0) < 0)
		return;
	events = watch_state(&st);
	arena_init(&a, 2 * STATE_FILE_BYTES);
	g->is_new = confirm_is_new(&st, &a);
	if (events < 0 || !is_ours(g, &st, &a))
		return;
	arena_fini(&a);
	if (ready >= 0 && (write(ready, "1", 1) != 1 || close(ready) < 0))
		return;
	if (!wait_out(g, &st, events))
		return;
	openlog("sallyport", LOG_PID, LOG_DAEMON);
	for (uint32_t i = 0; i < RETRIES; i++) {
		status = cli_round(&g->run, put_back_told, g);
		if (status == 0 || status == NOT_OURS)
			return;
		poll(NULL, 0, 1000);
	}
}

/* The second: until the first has ended by itself */
static void guard_keep(struct guard *g, int ready)
{
	int status;

	if (let_go(ready) < 0)
		return;
	for (uint32_t i = 0; i < LIVES; i++) {
		const pid_t pid = fork();

		if (pid == 0) {
			guard_run(g, i == 0 ? READY_FD : -1);
			_exit(0);
		}
		if (i == 0)
			close(READY_FD);
		if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSIGNALED(status))
			return;
	}
}

int confirm_guard(const struct cli *c, const struct confirm_note *note)
{
	struct guard g;
	int ends[2];
	pid_t pid;
	char byte;
	ssize_t n;

	guard_init(&g, c, note);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		/* Twice, so that nobody has to wait for it */
		if (fork() == 0)
			guard_keep(&g, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	n = pid > 0 ? read(ends[0], &byte, 1) : 0;
	close(ends[0]);
	return n == 1 ? 0 : -ECHILD;
}
