/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_updown - what `up` and `down` of one of fifty jails cost
 *
 *	updown-up, updown-down	the whole command, ms
 *	updown-exec		a process of the program that does nothing, ms
 *	updown-netlink		two addresses added over rtnetlink, and deleted, ms
 *	updown-up-ratio		up in comparison with exec and half of netlink
 *	updown-down-ratio	the same of down
 *
 * All in one network namespace of its own; the least of some runs counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nl/rtnl.h"

#define RUNS	15
#define JAILS	50

static char dir[] = "/tmp/bench-updown-XXXXXX";
static const char *program;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Run the program; its time in ms, or -1 */
static double run(const char *const *args)
{
	const double start = now_ms();
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		const int null_fd = open("/dev/null", O_WRONLY);

		dup2(null_fd, 1);
		dup2(null_fd, 2);
		execv(program, (char *const *)(const void *)args);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		return -1;
	return now_ms() - start;
}

static double least(double a, double b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		return -errno;
	fputs(text, f);
	return fclose(f) == 0 ? 0 : -errno;
}

static int write_jails(void)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int err;

	for (int i = 1; i <= JAILS; i++)
		fprintf(f, "j%d { ip4.addr = \"lo1|10.0.0.%d/32\"; ip6.addr = \"lo1|fd00::%d\"; "
			"$forward = \"tcp %d:80 to 203.0.113.2\"; }\n", i, i, i,
			8000 + i);
	fclose(f);
	err = write_file("jail.conf", text);
	free(text);
	return err;
}

/* Two addresses come and go; ms, or -1 */
static double netlink(void)
{
	static const char *const texts[] = { "10.9.0.1/32", "fd09::1/128" };
	struct nl_session s CLEANUP(nl_close) = { .fd = -1 };
	const double start = now_ms();
	int err = nl_open(&s, NETLINK_ROUTE);

	for (int i = 0; i < 4 && err == 0; i++) {
		struct rtnl_addr x = { .ifindex = if_nametoindex("lo1"),
				       .proto = RTNL_ADDR_PROTO };
		struct rtnl_msg m;

		err = prefix_parse(texts[i % 2], strlen(texts[i % 2]), &x.p);
		if (err == 0)
			err = nl_talk(&s, i < 2 ? rtnl_msg_addr_add(&m, &x) :
				      rtnl_msg_addr_del(&m, &x), NULL, NULL);
	}
	return err == 0 ? now_ms() - start : -1;
}

static int measure(void)
{
	char rc[128], jails[128], state[128];
	const char *const apply[] = { program, "-q", "--state-dir", state, "-f", rc, "-f", jails,
				      "apply", NULL };
	const char *const up[] = { program, "-q", "--state-dir", state, "up", "j7", NULL };
	const char *const down[] = { program, "-q", "--state-dir", state, "down", "j7", NULL };
	const char *const nothing[] = { program, "--version", NULL };
	double t_up = -1, t_down = -1, t_exec = -1, t_nl = -1;

	snprintf(rc, sizeof(rc), "%s/rc.conf", dir);
	snprintf(jails, sizeof(jails), "%s/jail.conf", dir);
	snprintf(state, sizeof(state), "%s/state", dir);
	if (run(apply) < 0)
		return -1;
	for (int i = 0; i < RUNS; i++) {
		t_exec = least(t_exec, run(nothing));
		t_down = least(t_down, run(down));
		t_up = least(t_up, run(up));
		t_nl = least(t_nl, netlink());
	}
	if (t_up < 0 || t_down < 0 || t_exec < 0 || t_nl < 0)
		return -1;
	printf("updown-up %.2f ms\nupdown-down %.2f ms\n", t_up, t_down);
	printf("updown-exec %.2f ms\nupdown-netlink %.3f ms\n", t_exec, t_nl);
	printf("updown-up-ratio %.2f x\n", t_up / (t_exec + t_nl / 2));
	printf("updown-down-ratio %.2f x\n", t_down / (t_exec + t_nl / 2));
	return 0;
}

int main(void)
{
	char command[160];
	int err;

	program = getenv("SALLYPORT");
	if (program == NULL || mkdtemp(dir) == NULL)
		return 71;
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 77;
	err = write_jails();
	if (err == 0)
		err = write_file("rc.conf", "cloned_interfaces=\"lo1\"\n");
	if (err == 0)
		err = measure();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0 || err != 0) {
		fprintf(stderr, "bench_updown: the program did not do what was asked\n");
		return 1;
	}
	return 0;
}
