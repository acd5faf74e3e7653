/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The end of the pair of sockets is the only word that is understood: it comes by
 * itself when the other process ends, by a signal too.  A process that is killed
 * together with its keeper leaves things behind; the next start takes them away.
 */
#include "host/keeper.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/calls.h"

NEEDS_CALL(shutdown)
NEEDS_CALL(read)
NEEDS_CALL(close)

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* Everything but two descriptors and the standard streams */
static void close_others(int a, int b)
{
	const int keep[2] = { MIN(a, b), MAX(a, b) };
	unsigned int next = 3;

	for (int i = 0; i < 2; i++) {
		if (keep[i] > (int)next)
			(void)syscall(SYS_close_range, next, (unsigned int)keep[i] - 1, 0u);
		if (keep[i] >= (int)next)
			next = (unsigned int)keep[i] + 1;
	}
	(void)syscall(SYS_close_range, next, ~0u, 0u);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const uint32_t admin = 1u << CAP_NET_ADMIN;
	const struct __user_cap_data_struct data[2] = { { admin, admin, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capset, &header, data) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* Signals of the terminal are for the other process, whose end is ours */
static void ignore_signals(void)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		(void)signal(all[i], SIG_IGN);
}

static NORETURN void keep(int fd, int lock, int (*tidy)(void *arg), void *arg)
{
	char word;
	int err;

	close_others(fd, lock);
	ignore_signals();
	err = drop_capabilities();
	while (read(fd, &word, 1) < 0 && errno == EINTR)
		;
	if (err == 0)
		err = tidy(arg);
	(void)!write(fd, &err, sizeof(err));
	_exit(err < 0);
}

int keeper_start(struct keeper *k, int lock, int (*tidy)(void *arg), void *arg)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		keep(fds[1], lock, tidy, arg);
	k->fd = fds[0];
	close(fds[1]);
	if (pid >= 0)
		return 0;
	base_fd_close(&k->fd);
	return -EAGAIN;
}

int keeper_stop(struct keeper *k)
{
	int err = -ECHILD;
	ssize_t n;

	if (k->fd < 0)
		return 0;
	(void)shutdown(k->fd, SHUT_WR);
	do {
		n = read(k->fd, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	base_fd_close(&k->fd);
	return n == (ssize_t)sizeof(err) ? err : -ECHILD;
}
