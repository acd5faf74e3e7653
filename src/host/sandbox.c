/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each command that the caller answers is a small shell script in the jail:
 * it takes its turn, writes its arguments to one FIFO and carries out the
 * answer from another.  It uses builtins only, so one call is one process.
 * The alternatives: our own program under that name, which would need all its
 * libraries in the jail and, built for tests, more memory than the jail has;
 * functions of the shell, which cannot be called "/sbin/ipfw".
 *
 * "set -a" gives each variable of the script to that process too, so it can
 * say which of those that the line names have no value; nothing else but the
 * shell itself knows.
 *
 * Where the last argument is the path of a file, as in "ipfw /dev/stdin", its
 * text is told too, since the script may have made it; it is read before the
 * turn is taken, because what writes to a pipe may call commands itself.  And a
 * pipe whose reader has gone ("ipfw list | grep -q") must not kill who has the
 * turn.
 *
 * The shell has written the trace of a command before it starts it.  So when
 * the call comes, standard error is read empty first, and the newest trace of
 * that name is its line.
 */
#include "host/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/sandbox_jail.h"
#include "host/sandbox_trace.h"

#define ASK_MAX		64u	/* variables asked for, as many as a mask has bits */
#define LAST_WAIT_MS	1000	/* for processes that the kernel is killing */

static const char shim[] =
	"#!/bin/sh\n"
	"trap '' PIPE\n"
	"_sp=\n"
	"for _sp in \"$@\"; do :; done\n"
	"_spf= _spn=$#\n"
	"case $_sp in\n"
	"/dev/stdin | /dev/fd/0) _spn=${#}f; _sp=/proc/self/fd/0 ;;\n"
	"/*) [ ! -f \"$_sp\" ] || _spn=${#}f ;;\n"
	"esac\n"
	"case $_spn in *f)\n"
	"	_spl() { while IFS= read -r _spt || [ -n \"$_spt\" ]; do\n"
	"		_spf=$_spf$_spt'\n'\n"
	"	done; }\n"
	"	case $_sp in /proc/*) _spl ;; *) _spl <\"$_sp\" ;; esac\n"
	"	set -- \"$@\" \"$_spf\" ;;\n"
	"esac\n"
	"IFS= read -r _sp <" SANDBOX_TURN "\n"
	"printf '%s\\0' \"$_spn\" \"${0##*/}\" \"$@\" >" SANDBOX_ASK "\n"
	"while IFS= read -r _sp; do\n"
	"	case $_sp in\n"
	"	o*) printf '%s\\n' \"${_sp#?}\" 2>/dev/null ;;\n"
	"	e*) printf '%s\\n' \"${_sp#?}\" >&2 ;;\n"
	"	\\?*) eval \"printf '%s' \\\"\\${${_sp#?}+1}0\\\"\" >" SANDBOX_ASK " ;;\n"
	"	x*) printf 'T\\n' >" SANDBOX_TURN "; exit \"${_sp#?}\" ;;\n"
	"	esac\n"
	"done <" SANDBOX_REPLY "\n";

/**
 * struct run - A script that runs
 * @script:	Script
 * @ops:	Listener
 * @arg:	For @ops
 * @child:	Its jail
 * @trace:	Its trace
 * @asked:	Bytes from SANDBOX_ASK that are not yet understood
 * @n_asked:	How many
 * @argv:	The call that is being answered; points into @call
 * @call:	Its bytes
 * @now:	The call
 * @names:	Variables asked for
 * @n_names:	How many
 * @n_known:	How many have been told
 * @unset:	Those without a value
 * @reply:	What is still to be written, from @reply_at on
 * @reply_len:	Its bytes
 * @reply_at:	How many are written
 * @n_calls:	Calls so far
 * @n_said:	Bytes of standard error so far
 * @at_end:	The script came to its end
 * @too_much:	A limit of calls or bytes was met
 */
struct run {
	const struct sandbox_script *script;
	const struct sandbox_ops *ops;
	void *arg;
	struct sandbox_child child;
	struct trace trace;
	char asked[SANDBOX_CALL_BYTES];
	uint32_t n_asked;
	const char **argv;
	char call[SANDBOX_CALL_BYTES];
	struct sandbox_call now;
	const char *names[ASK_MAX];
	uint32_t n_names;
	uint32_t n_known;
	uint64_t unset;
	char *reply;
	size_t reply_len;
	size_t reply_at;
	uint32_t n_calls;
	size_t n_said;
	bool at_end;
	bool too_much;
};

/* ---- what the shell runs --------------------------------------------------- */

static void put_quoted(FILE *f, const char *s)
{
	fputc('\'', f);
	for (; *s != '\0'; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	fputs("'\n", f);
}

static char *start_text(const struct sandbox_script *s, const char *mark)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	fputs("set -a\n", f);
	for (uint32_t i = 0; i < s->n_vars; i++) {
		fprintf(f, "%s=", s->vars[i].name);
		put_quoted(f, s->vars[i].value);
	}
	fprintf(f, "PS4='%s$LINENO:'\nset -x\n. " SANDBOX_SCRIPT "\n"
		"{ _sp=$?; set +x; } 2>/dev/null\n"
		"IFS= read -r _spt <" SANDBOX_TURN "\n"
		"printf 'end\\0' >" SANDBOX_ASK "\nexit $_sp\n", mark);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- answers --------------------------------------------------------------- */

/* Write what the FIFO takes; the rest when poll() says so */
static void write_reply(struct run *r)
{
	while (r->reply_at < r->reply_len) {
		const ssize_t n = write(r->child.reply_fd, r->reply + r->reply_at,
					r->reply_len - r->reply_at);

		if (n < 0)
			return;
		r->reply_at += (size_t)n;
	}
}

static void put_lines(FILE *f, char kind, const char *text)
{
	while (text != NULL && *text != '\0') {
		const size_t n = strcspn(text, "\n");

		fprintf(f, "%c%.*s\n", kind, (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* What is to be replied: names to ask for, or the answer */
static void set_reply(struct run *r, const struct sandbox_answer *answer)
{
	FILE *f;

	BUG_IF(r->reply_at < r->reply_len);
	free(r->reply);
	r->reply = NULL;
	r->reply_len = r->reply_at = 0;
	f = open_memstream(&r->reply, &r->reply_len);
	if (f == NULL)
		return;
	for (uint32_t i = 0; answer == NULL && i < r->n_names; i++)
		fprintf(f, "?%s\n", r->names[i]);
	if (answer != NULL) {
		put_lines(f, 'o', answer->out);
		put_lines(f, 'e', answer->err);
		fprintf(f, "x%d\n", answer->status & 255);
	}
	fclose(f);
	write_reply(r);
}

static void answer_call(struct run *r)
{
	struct sandbox_answer answer = { .status = 0 };

	r->ops->call(r->arg, &r->now, r->unset, &answer);
	r->now.n = 0;
	r->too_much |= answer.stop;
	set_reply(r, &answer);
}

/* ---- calls ----------------------------------------------------------------- */

static void drop_asked(struct run *r, uint32_t n)
{
	memmove(r->asked, r->asked + n, r->n_asked - n);
	r->n_asked -= n;
}

/* Length of the next @n strings of what was asked, or 0 if they are not all there */
static uint32_t strings_len(const struct run *r, uint32_t n)
{
	uint32_t at = 0;

	while (n > 0) {
		const char *nul = memchr(r->asked + at, '\0', r->n_asked - at);

		if (nul == NULL)
			return 0;
		at = (uint32_t)(nul - r->asked) + 1;
		n--;
	}
	return at;
}

/* @n strings, and where @has_file the text of a file */
static void begin_call(struct run *r, uint32_t n, bool has_file, uint32_t len)
{
	const char *at = r->call;

	memcpy(r->call, r->asked, len);
	drop_asked(r, len);
	at += strlen(at) + 1;
	for (uint32_t i = 0; i < n; i++) {
		r->argv[i] = at;
		at += strlen(at) + 1;
	}
	r->now = (struct sandbox_call){
		.argv = r->argv, .n = n, .line = trace_take(&r->trace, r->argv[0]),
		.file = has_file ? at : NULL,
	};
	r->now.n_callers = trace_callers(&r->trace, r->now.line, r->now.callers, SANDBOX_CALLERS);
	r->too_much |= ++r->n_calls > SANDBOX_CALLS;
	r->unset = 0;
	r->n_known = 0;
	r->n_names = r->ops->ask != NULL ? r->ops->ask(r->arg, &r->now, r->names, ASK_MAX) : 0;
	if (r->n_names > 0)
		set_reply(r, NULL);
	else
		answer_call(r);
}

/* "10" is a variable that has a value, "0" one that has none */
static bool take_value(struct run *r)
{
	const char *zero = memchr(r->asked, '0', r->n_asked);

	if (zero == NULL)
		return false;
	if (zero == r->asked)
		r->unset |= UINT64_C(1) << r->n_known;
	drop_asked(r, (uint32_t)(zero - r->asked) + 1);
	if (++r->n_known == r->n_names)
		answer_call(r);
	return true;
}

/* Understand the next of what was asked; false: it is not all there */
static bool take_asked(struct run *r)
{
	unsigned long n;
	bool has_file;
	char *end;
	uint32_t len;

	if (r->now.n > 0)
		return take_value(r);
	len = strings_len(r, 1);
	if (len == 0)
		return false;
	if (strcmp(r->asked, "end") == 0) {
		r->at_end = true;
		drop_asked(r, len);
		return true;
	}
	/* The script may write here too, and then gets what it asked for */
	n = strtoul(r->asked, &end, 10);
	has_file = *end == 'f';
	r->too_much |= n >= SANDBOX_CALL_BYTES;
	len = r->too_much ? 0 : strings_len(r, (uint32_t)n + 2 + has_file);
	if (len == 0)
		return false;
	begin_call(r, (uint32_t)n + 1, has_file, len);
	return true;
}

/* A piece of standard error and who wrote it; 0 at the end, negative: nothing now */
static ssize_t read_piece(int fd, struct iovec io, pid_t *ret_pid)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	struct msghdr msg = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	const ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	struct ucred from = { .pid = 0 };

	if (c != NULL && c->cmsg_type == SCM_CREDENTIALS)
		memcpy(&from, CMSG_DATA(c), sizeof(from));
	*ret_pid = from.pid;
	return n;
}

/* All that is there; false when it has ended */
static bool read_said(struct run *r)
{
	char buf[4096];
	const struct iovec io = { .iov_base = buf, .iov_len = sizeof(buf) };
	ssize_t n;
	pid_t pid;

	while ((n = read_piece(r->child.err_fd, io, &pid)) > 0) {
		r->n_said += (size_t)n;
		r->too_much |= r->n_said > SANDBOX_SAID_BYTES;
		if (r->too_much)
			return true;
		trace_feed(&r->trace, pid, buf, (size_t)n);
	}
	return n < 0;
}

static void read_asked(struct run *r)
{
	for (;;) {
		const ssize_t n = read(r->child.ask_fd, r->asked + r->n_asked,
				       sizeof(r->asked) - r->n_asked);

		if (n <= 0)
			return;
		r->n_asked += (uint32_t)n;
		read_said(r);
		while (!r->too_much && take_asked(r))
			;
		r->too_much |= r->n_asked == sizeof(r->asked);
		if (r->too_much)
			return;
	}
}

/* ---- the run --------------------------------------------------------------- */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* After process 1 the kernel kills the others; then the stream ends */
static void wait_for_others(struct run *r)
{
	const int64_t until = now_ms() + LAST_WAIT_MS;
	struct pollfd p = { .fd = r->child.err_fd, .events = POLLIN };

	while (read_said(r) && !r->too_much && now_ms() < until)
		(void)poll(&p, 1, 10);
	trace_end(&r->trace);
}

static void set_end(const struct run *r, int status, struct sandbox_result *ret)
{
	*ret = (struct sandbox_result){ .line = r->trace.line, .status = WEXITSTATUS(status) };
	if (WIFSIGNALED(status)) {
		ret->end = SANDBOX_KILLED;
		ret->status = WTERMSIG(status);
	} else {
		ret->end = r->at_end || ret->status == 0 ? SANDBOX_DONE : SANDBOX_STOPPED;
	}
}

/* Serve the script until it ends, one way or the other */
static void serve(struct run *r, struct sandbox_result *ret)
{
	const uint32_t seconds = r->script->seconds > 0 ? r->script->seconds : SANDBOX_SECONDS;
	const int64_t until = now_ms() + (int64_t)seconds * 1000;
	struct pollfd p[4] = {
		{ .fd = r->child.ask_fd, .events = POLLIN },
		{ .fd = r->child.err_fd, .events = POLLIN },
		{ .fd = r->child.end_fd, .events = POLLIN },
		{ .fd = r->child.reply_fd },
	};

	for (;;) {
		const int64_t left = until - now_ms();
		int status;

		*ret = (struct sandbox_result){ .line = r->trace.line, .end = SANDBOX_TOO_MUCH };
		if (r->too_much)
			return;
		ret->end = SANDBOX_TIMEOUT;
		if (left <= 0)
			return;
		p[3].events = r->reply_at < r->reply_len ? POLLOUT : 0;
		poll(p, ARRAY_SIZE(p), (int)left);
		read_asked(r);
		read_said(r);
		write_reply(r);
		if ((p[2].revents & (POLLIN | POLLHUP)) != 0 &&
		    sandbox_jail_ended(&r->child, &status)) {
			read_asked(r);
			wait_for_others(r);
			set_end(r, status, ret);
			return;
		}
		if ((p[1].revents & POLLHUP) != 0)
			p[1].fd = -1;
	}
}

static int set_mark(struct trace *t)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	snprintf(t->mark, sizeof(t->mark), "+%016llx:", (unsigned long long)random);
	return 0;
}

static int run_script(struct run *r, struct sandbox_result *ret)
{
	struct sandbox_libs libs;
	CLEANUP(base_free) char *start = NULL;
	int err = set_mark(&r->trace);

	if (err < 0)
		return err;
	if (!sandbox_find_shell(&libs))
		return -ENOEXEC;
	start = start_text(r->script, r->trace.mark);
	if (start == NULL)
		return -ENOMEM;
	err = sandbox_jail_start(&(struct sandbox_start){
		.libs = &libs, .script = r->script, .start = start, .shim = shim }, &r->child);
	if (err < 0)
		return err;
	if (write(r->child.turn_fd, "T\n", 2) != 2)
		err = -EIO;
	else
		serve(r, ret);
	sandbox_jail_fini(&r->child);
	return err;
}

int sandbox_run(const struct sandbox_script *script, const struct sandbox_ops *ops, void *arg,
		struct sandbox_result *ret)
{
	struct run *r = calloc(1, sizeof(*r));
	int err = -ENOMEM;

	if (r == NULL)
		return -ENOMEM;
	r->script = script;
	r->ops = ops;
	r->arg = arg;
	r->trace.script = script;
	r->trace.ops = ops;
	r->trace.arg = arg;
	r->argv = calloc(SANDBOX_CALL_BYTES, sizeof(*r->argv));
	if (r->argv != NULL)
		err = run_script(r, ret);
	free(r->reply);
	free(r->argv);
	free(r);
	return err;
}
