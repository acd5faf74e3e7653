/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a script can do in the sandbox, and what it cannot.  Above each test of
 * a wall stands what was taken out to see it fail.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "host/sandbox.h"
#include "unit.h"

/**
 * struct seen - What a run told
 * @said:	Lines of standard error, each with a line end
 * @calls:	Calls, "LINE:NAME ARG..." each with a line end
 * @refused:	"LINE:NAME" each with a blank
 * @result:	How it ended
 * @err:	What sandbox_run() returned
 * @ms:		How long it took
 * @ask:	Variable to ask for at each call, or NULL
 * @answer:	What is answered to "ask"
 */
struct seen {
	char said[65536];
	char calls[65536];
	char refused[4096];
	struct sandbox_result result;
	int err;
	int64_t ms;
	const char *ask;
	const char *answer;
};

__attribute__((format(printf, 3, 4)))
static void put(char *to, size_t size, const char *fmt, ...)
{
	const size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + n, size - n, fmt, ap);
	va_end(ap);
}

static uint32_t on_ask(void *arg, const struct sandbox_call *call, const char **names,
		       uint32_t max)
{
	const struct seen *s = arg;

	CHECK(call->n > 0 && max > 0);
	names[0] = s->ask;
	return s->ask != NULL;
}

static void on_call(void *arg, const struct sandbox_call *call, uint64_t unset,
		    struct sandbox_answer *ret)
{
	struct seen *s = arg;

	put(s->calls, sizeof(s->calls), "%u:", call->line);
	for (uint32_t i = 0; i < call->n; i++)
		put(s->calls, sizeof(s->calls), "%s%s", i > 0 ? " " : "", call->argv[i]);
	put(s->calls, sizeof(s->calls), unset != 0 ? " (unset)\n" : "\n");
	if (call->n > 1 && strcmp(call->argv[1], "fail") == 0) {
		ret->status = 65;
		ret->err = "ipfw: no";
	} else if (call->n > 1 && strcmp(call->argv[1], "ask") == 0) {
		ret->out = s->answer;
	}
	ret->stop = call->n > 1 && strcmp(call->argv[1], "stop") == 0;
}

static void on_refused(void *arg, const char *name, uint32_t line)
{
	struct seen *s = arg;

	put(s->refused, sizeof(s->refused), "%u:%s ", line, name);
}

static void on_said(void *arg, const char *text, size_t len, uint32_t line)
{
	struct seen *s = arg;

	(void)line;
	put(s->said, sizeof(s->said), "%.*s\n", (int)len, text);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct seen seen;

/* Run a script; what it did is in @seen.  False: there is no sandbox here */
static bool run_for(const char *text, uint32_t seconds)
{
	static const char *const commands[] = { "ipfw", "sysctl", NULL };
	static const struct sandbox_var vars[] = { { "given", "a 'b' $c" } };
	static const struct sandbox_file files[] = { { "/etc/given.conf", "x=1\nf() { :; }\n" } };
	static const struct sandbox_ops ops = { on_ask, on_call, on_refused, on_said };
	const struct sandbox_script script = {
		.name = "the.sh", .text = text, .len = (uint32_t)strlen(text),
		.vars = vars, .n_vars = 1, .files = files, .n_files = 1,
		.commands = commands, .seconds = seconds,
	};
	const char *ask = seen.ask, *answer = seen.answer;
	const int64_t from = now_ms();

	memset(&seen, 0, sizeof(seen));
	seen.ask = ask;
	seen.answer = answer;
	seen.err = sandbox_run(&script, &ops, &seen, &seen.result);
	seen.ms = now_ms() - from;
	if (seen.err == -ENOEXEC)
		unit.skip = "no busybox";
	else if (seen.err == -ENOTSUP)
		unit.skip = "no user namespaces here";
	else
		CHECK_INT(seen.err, 0);
	return seen.err == 0;
}

static bool run(const char *text)
{
	return run_for(text, 20);
}

TEST(calls_have_lines_and_arguments)
{
	if (!run("fw='/sbin/ipfw -q'\n"
		 "$fw add 1\n"
		 "for i in 1 2; do\n"
		 "	ipfw add \\\n"
		 "		$i 'a  b' \"$given\"\n"
		 "done\n"
		 "f() {\n"
		 "	sysctl x=1 ''\n"
		 "}\n"
		 "\n"
		 "f; ipfw \"l1\nl2\"\n"
		 "ipfw add $0\n"))
		return;
	CHECK_STR(seen.calls, "2:ipfw -q add 1\n4:ipfw add 1 a  b a 'b' $c\n"
			      "4:ipfw add 2 a  b a 'b' $c\n8:sysctl x=1 \n11:ipfw l1\nl2\n"
			      "13:ipfw add the.sh\n");
	CHECK_STR(seen.said, "");
	CHECK_STR(seen.refused, "");
	CHECK_INT(seen.result.end, SANDBOX_DONE);
}

TEST(answers_are_output_and_status)
{
	seen.answer = "00100 allow\n65535 deny\n";
	if (!run("ipfw ask | while read n a; do ipfw $a $n; done\n"
		 "ipfw fail || ipfw add $?\n"
		 "x=$(ipfw ask)\nipfw \"$x\"\n"))
		return;
	CHECK_STR(seen.calls, "1:ipfw ask\n1:ipfw allow 00100\n1:ipfw deny 65535\n2:ipfw fail\n"
			      "2:ipfw add 65\n3:ipfw ask\n4:ipfw 00100 allow\n65535 deny\n");
	CHECK_STR(seen.said, "ipfw: no\n");
	seen.answer = NULL;
}

/* More than the FIFO holds */
TEST(a_long_answer)
{
	static char text[300001];

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 100 == 99 ? '\n' : 'a';
	seen.answer = text;
	if (run("ipfw add $(ipfw ask | wc -c)\n"))
		CHECK_STR(seen.calls, "1:ipfw ask\n1:ipfw add 300000\n");
	seen.answer = NULL;
}

TEST(calls_at_the_same_time)
{
	if (!run("for i in 1 2 3 4 5 6 7 8; do ipfw add $i & done\nwait\nipfw end\n"))
		return;
	for (int i = 1; i <= 8; i++) {
		char want[32];

		/* Its line may be that of what runs beside it */
		snprintf(want, sizeof(want), ":ipfw add %d\n", i);
		CHECK(strstr(seen.calls, want) != NULL);
	}
	CHECK(strstr(seen.calls, "3:ipfw end\n") != NULL);
}

TEST(set_e_stops_where_a_call_fails)
{
	if (!run("set -e\nipfw add 1\nipfw fail\nipfw add 2\n"))
		return;
	CHECK_STR(seen.calls, "2:ipfw add 1\n3:ipfw fail\n");
	CHECK_INT(seen.result.end, SANDBOX_STOPPED);
	CHECK_INT(seen.result.status, 65);
	CHECK_INT(seen.result.line, 3);
}

TEST(ends)
{
	if (!run("ipfw x\nfalse\n"))
		return;
	CHECK_INT(seen.result.end, SANDBOX_DONE);
	CHECK(run("exit 0\nipfw x\n"));
	CHECK_INT(seen.result.end, SANDBOX_DONE);
	CHECK_STR(seen.calls, "");
	CHECK(run(":\nexit 3\n"));
	CHECK_INT(seen.result.end, SANDBOX_STOPPED);
	CHECK_INT(seen.result.status, 3);
	CHECK(run("ipfw x\nif\n"));
	CHECK_INT(seen.result.end, SANDBOX_STOPPED);
	CHECK(strstr(seen.said, "syntax error") != NULL);
	CHECK(run(". /etc/none\n"));
	CHECK_INT(seen.result.end, SANDBOX_STOPPED);
	CHECK(run("ipfw stop\nipfw x\n"));
	CHECK_INT(seen.result.end, SANDBOX_TOO_MUCH);
	CHECK(strstr(seen.calls, "ipfw x") == NULL);
	CHECK(run("kill -9 $$; ipfw x\n"));
	CHECK_INT(seen.result.end, SANDBOX_DONE);	/* process 1 is not killed from inside */
}

TEST(unset_variables_are_known)
{
	seen.ask = "here";
	if (run("ipfw 1 $here\nhere=\nipfw 2 $here\nunset here\nipfw 3 $here\n"
		"f() { local here=1; ipfw 4; }\nf\nfor here in 1; do ipfw 5; done\n"))
		CHECK_STR(seen.calls, "1:ipfw 1 (unset)\n3:ipfw 2\n5:ipfw 3 (unset)\n6:ipfw 4\n"
				      "8:ipfw 5\n");
	seen.ask = NULL;
}

TEST(tools_and_files)
{
	if (!run(". /etc/given.conf; f\n"
		 "ipfw $(printf 'b\\na\\n' | sort | head -n 1 | tr a-z A-Z)\n"
		 "ipfw $(echo 'inet 1.2.3.4' | awk '{ print $2 }' | cut -d. -f1) $(expr 1 + 2)\n"
		 "echo text >/tmp/x; "
		 "ipfw $(cat /tmp/x) $(basename /a/b) $(seq 2 | /usr/bin/wc -l)\n"
		 "if command -v wget >/dev/null; then ipfw wget; fi\n"
		 "[ -r /etc/passwd ] && ipfw passwd\n:\n"))
		return;
	CHECK_STR(seen.calls, "2:ipfw A\n3:ipfw 1 3\n4:ipfw text b 2\n");
	CHECK_STR(seen.refused, "");
	CHECK_STR(seen.said, "");
}

TEST(other_commands_are_refused_with_their_line)
{
	if (!run("wget x\n:\nrm -rf / 2>/dev/null\n/usr/local/bin/x y\nA=1 curl z\n"
		 "sh -c 'ipfw x'\nexec -a wget sh\n"))
		return;
	CHECK(strstr(seen.refused, "1:wget ") != NULL);
	CHECK(strstr(seen.refused, "3:rm ") != NULL);
	CHECK(strstr(seen.refused, "4:x ") != NULL);
	CHECK(strstr(seen.refused, "5:curl ") != NULL);
	CHECK(strstr(seen.refused, "6:sh ") != NULL);
}

/* Traces of a pipeline come in pieces between each other: fails if who wrote one is not known */
TEST(commands_of_a_pipeline_are_told_apart)
{
	static const char one[] = "3:wget ";
	const char *at;

	if (!run("i=0\nwhile [ $i -lt 60 ]; do\n"
		 "wget a | sort -r | tail -1 >/dev/null\n"
		 "i=$((i + 1))\ndone\necho last >&2\n"))
		return;
	at = seen.refused;
	while (strncmp(at, one, sizeof(one) - 1) == 0)
		at += sizeof(one) - 1;
	CHECK(at != seen.refused);
	CHECK_STR(at, "");
	CHECK_STR(seen.said, "last\n");
}

/* Fails without the MS_RDONLY of the new root, or of the bind mounts */
TEST(nothing_outside_tmp_is_written)
{
	if (!run("for f in /x /etc/x /bin/x /lib/x /run/x /dev/x /etc/given.conf /bin/sh "
		 "/lib/shell /run/script; do\n"
		 "	(echo x >$f) 2>/dev/null && ipfw wrote $f\n"
		 "done\n"
		 "echo x >/tmp/x && ipfw tmp\n"
		 "echo x >/dev/null && ipfw null\n"))
		return;
	CHECK_STR(seen.calls, "4:ipfw tmp\n5:ipfw null\n");
}

/* Fails without pivot_root() and the umount2() after it */
TEST(the_hosts_files_are_not_there)
{
	char text[512], name[] = "/tmp/sandbox-test-XXXXXX";
	const int fd = mkstemp(name);

	if (!CHECK(fd >= 0))
		return;
	close(fd);
	snprintf(text, sizeof(text),
		 "for f in /etc/shadow /etc/passwd /proc/self /sys/kernel /root /home %s "
		 "/../etc/passwd /tmp/../../etc/passwd /lib/../../etc/hostname /usr/share "
		 "/var; do\n"
		 "	[ -e $f ] && ipfw sees $f\n"
		 "done\n"
		 "cd /tmp; cd ../../../..; for f in *; do ipfw has $f; done\n", name);
	if (run(text))
		CHECK_STR(seen.calls, "4:ipfw has bin\n4:ipfw has dev\n4:ipfw has etc\n"
				      "4:ipfw has lib\n4:ipfw has lib64\n4:ipfw has run\n"
				      "4:ipfw has sbin\n4:ipfw has tmp\n4:ipfw has usr\n");
	unlink(name);
}

/*
 * A symbolic link of the script's own leads nowhere either; there is no ln, so
 * PATH and "exec -a" are what can be tried.  Fails with /tmp mounted without
 * MS_NOEXEC: the file that the script wrote there then runs.
 */
TEST(path_and_own_programs_lead_nowhere)
{
	if (!run("echo '#!/bin/sh' >/tmp/rm; echo 'echo x >/tmp/ran' >>/tmp/rm\n"
		 "PATH=/tmp:$PATH; export PATH\n"
		 "umask 0; rm -rf / 2>/dev/null; /tmp/rm 2>/dev/null\n"
		 "[ -e /tmp/ran ] && ipfw ran\n"
		 "[ -x /tmp/rm ] && ipfw executable\n"
		 "(exec -a chmod /bin/sh 755 /tmp/rm) 2>/dev/null; /tmp/rm 2>/dev/null\n"
		 "[ -e /tmp/ran ] && ipfw ran\n:\n"))
		return;
	CHECK_STR(seen.calls, "");
	CHECK_INT(seen.result.end, SANDBOX_DONE);
}

static int listen_here(uint16_t *ret_port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.0.0.1")
	};
	socklen_t len = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		return -1;
	*ret_port = (uint16_t)((at.sin_port & 0xff) << 8 | at.sin_port >> 8);
	return fd;
}

/*
 * busybox has nc, which "exec -a" calls.  With CLONE_NEWNET and the rule on
 * socket() both taken out the connection comes; with either it does not, and
 * without the rule the message is another.
 */
TEST(the_network_is_not_there)
{
	uint16_t port;
	char text[256];
	const int fd = listen_here(&port);

	if (!CHECK(fd >= 0))
		return;
	snprintf(text, sizeof(text), "(exec -a nc /bin/sh -w 1 127.0.0.1 %u)\n", port);
	if (run(text)) {
		CHECK(accept(fd, NULL, NULL) < 0);
		CHECK(strstr(seen.said, "socket") != NULL &&
		      strstr(seen.said, "Operation not permitted") != NULL);
	}
	close(fd);
}

/* Fails without CLONE_NEWPID */
TEST(other_processes_are_not_reached)
{
	pid_t victim = fork();
	char text[256];

	if (victim == 0) {
		if (getuid() == 0 && setuid(65534) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	snprintf(text, sizeof(text), "kill -9 %d; kill -9 %d; kill -9 -1\nipfw alive $$\n", victim,
		 getppid());
	if (run(text)) {
		CHECK_INT(waitpid(victim, NULL, WNOHANG), 0);
		CHECK_STR(seen.calls, "2:ipfw alive 1\n");
	}
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
}

/* Fails without the time limit, and without the kill that comes with it */
TEST(a_script_that_sleeps_ends_in_time)
{
	if (!run_for("sleep 60 & sleep 60\n", 1))
		return;
	CHECK_INT(seen.result.end, SANDBOX_TIMEOUT);
	CHECK_INT(seen.result.line, 1);
	CHECK(seen.ms >= 1000 && seen.ms < 5000);
	CHECK(run_for("while :; do :; done\n", 1));
	CHECK(seen.result.end == SANDBOX_TIMEOUT || seen.result.end == SANDBOX_TOO_MUCH);
	CHECK(seen.ms < 8000);
	CHECK(run_for("{ while :; do :; done; } 2>/dev/null\n", 1));
	CHECK_INT(seen.result.end, SANDBOX_TIMEOUT);
	CHECK(seen.ms < 5000);
}

/* Fails without RLIMIT_NPROC, and, for root, without leaving root's user */
TEST(a_fork_bomb_ends)
{
	if (!run_for("n=0\nwhile [ $n -lt 200 ]; do sleep 30 & n=$((n+1)); done\nipfw $n\n", 10))
		return;
	CHECK_INT(seen.result.end, SANDBOX_STOPPED);	/* "can't fork" */
	CHECK_STR(seen.calls, "");
	CHECK(run_for("b() { b | b & }; b\nsleep 30\n", 2));
	CHECK(seen.result.end != SANDBOX_DONE || strstr(seen.said, "fork") != NULL);
	CHECK(seen.ms < 10000);
}

/* Fails without the size of the tmpfs and RLIMIT_FSIZE */
TEST(tmp_is_small)
{
	if (!run_for("x=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x\n"
		     "set +x\n"
		     "for f in 1 2 3 4 5 6 7 8 9; do for i in $(seq 64); do\n"
		     "	echo $x$x$x$x >>/tmp/f$f || break 2\n"
		     "done; done\n"
		     "ipfw $(cat /tmp/* | wc -c)\n", 10))
		return;
	CHECK(strstr(seen.said, "No space left") != NULL);
	CHECK(strncmp(strstr(seen.calls, "ipfw") != NULL ? strstr(seen.calls, "ipfw") : "",
		      "ipfw 4", 6) == 0);
}

/* Fails without RLIMIT_AS */
TEST(memory_is_small)
{
	if (!run_for("set +x\nx=0123456789abcdef\nwhile :; do x=$x$x; done\nipfw x\n", 10))
		return;
	CHECK(seen.result.end == SANDBOX_KILLED || seen.result.end == SANDBOX_STOPPED);
	CHECK_STR(seen.calls, "");
	CHECK(seen.ms < 9000);
}

/* SANDBOX_SAID_BYTES, SANDBOX_CALL_BYTES */
TEST(output_is_bounded)
{
	if (!run_for("set +x\nx=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x\n"
		     "while :; do echo $x >&2; done\n", 10))
		return;
	CHECK_INT(seen.result.end, SANDBOX_TOO_MUCH);
	CHECK(run_for("set +x\nx=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x\n"
		      "x=$x$x$x$x$x$x$x$x; ipfw $x$x$x\n", 10));
	CHECK_INT(seen.result.end, SANDBOX_TOO_MUCH);
	CHECK_STR(seen.calls, "");
}

/* What the script writes to our FIFOs hurts only itself */
TEST(forged_messages)
{
	if (!run_for("printf '4294967295\\0x\\0' >/run/ask\nipfw x\n", 2))
		return;
	CHECK(seen.result.end == SANDBOX_TIMEOUT || seen.result.end == SANDBOX_TOO_MUCH);
	CHECK(run_for("printf '1\\0ipfw\\0forged\\0' >/run/ask\n", 2));
	CHECK_STR(seen.calls, "1:ipfw forged\n");
	CHECK(run_for("printf 'end\\0' >/run/ask; exit 3\n", 2));
	CHECK(run_for("while read -r x </run/reply; do :; done\n", 1));
	CHECK_INT(seen.result.end, SANDBOX_TIMEOUT);
	CHECK(run_for("printf '\\0\\0\\0' >/run/ask\nprintf 'x\\0y\\0' >/run/ask\n", 2));
}
