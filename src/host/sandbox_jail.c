/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Two processes: one outside that makes the namespaces and waits, and one
 * inside, process 1 of its pid namespace, that becomes the shell.  When either
 * dies the kernel kills all that the script has started, whatever it did to
 * its sessions and parents.
 *
 * Root becomes nobody first.  As root's own user a process would pass the
 * limit on processes and own root's files, should a wall ever leave one in
 * sight.
 *
 * The FIFOs are made inside and their descriptors handed out over a socket,
 * the only time that one is used.
 */
#include "host/sandbox_jail.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/sandbox_walls.h"

#define NOBODY		65534

/* What the two processes tell */
enum message_kind { MESSAGE_FAILED, MESSAGE_READY, MESSAGE_ENDED };

struct message {
	enum message_kind kind;
	int value;		/* errno, or wait status */
};

static void tell(int sock, enum message_kind kind, int value, const int fds[3])
{
	struct message m = { .kind = kind, .value = value };
	struct iovec io = { .iov_base = &m, .iov_len = sizeof(m) };
	union {
		char buf[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	struct msghdr msg = { .msg_iov = &io, .msg_iovlen = 1 };

	if (fds != NULL) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(3 * sizeof(int));
		memcpy(CMSG_DATA(c), fds, 3 * sizeof(int));
	}
	/* If nobody listens, the run is over */
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		_exit(EXIT_FAILURE);
}

/* One message; false at the end */
static bool hear(int sock, struct message *ret, int fds[3])
{
	struct iovec io = { .iov_base = ret, .iov_len = sizeof(*ret) };
	union {
		char buf[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	struct msghdr msg = {
		.msg_iov = &io, .msg_iovlen = 1,
		.msg_control = control.buf, .msg_controllen = sizeof(control.buf),
	};
	const struct cmsghdr *c;
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*ret))
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && fds != NULL && c->cmsg_len == CMSG_LEN(3 * sizeof(int)))
		memcpy(fds, CMSG_DATA(c), 3 * sizeof(int));
	return true;
}

static int write_file(const char *path, const char *text)
{
	CLEANUP(base_fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Be nobody, here and inside */
static int map_user(uid_t uid, gid_t gid)
{
	char text[64];
	int err = write_file("/proc/self/setgroups", "deny");

	if (err == 0 || err == -ENOENT) {
		snprintf(text, sizeof(text), "%d %u 1", NOBODY, uid);
		err = write_file("/proc/self/uid_map", text);
	}
	if (err == 0) {
		snprintf(text, sizeof(text), "%d %u 1", NOBODY, gid);
		err = write_file("/proc/self/gid_map", text);
	}
	return err;
}

/* In a container that has no nobody, its root is some ordinary user already (EINVAL) */
static int leave_root(void)
{
	if (geteuid() == 0) {
		if (setgroups(0, NULL) < 0 && errno != EPERM)
			return -errno;
		if (setresgid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
			return -errno;
		if (setresuid(NOBODY, NOBODY, NOBODY) < 0 && errno != EINVAL)
			return -errno;
	}
	/* To write the maps, a process that changed its user must say so */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int make_namespaces(void)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC |
		    CLONE_NEWUTS) < 0)
		return -ENOTSUP;
	/* Some hosts give the namespace and then no privilege within it */
	return map_user(uid, gid) < 0 ? -ENOTSUP : 0;
}

static int redirect(int err_fd)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(err_fd, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

static void default_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
}

/* Process 1: puts up the walls, one by one, and becomes the shell */
static void NORETURN run_inside(const struct sandbox_start *s, int sock, int err_fd)
{
	static char command[] = ". " SANDBOX_START;
	char *const argv[] = { "sh", "-c", command, (char *)(uintptr_t)s->script->name, NULL };
	char *const env[] = {
		"PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin",
		"HOME=/tmp", "LC_ALL=C", NULL
	};
	int fifos[3] = { -1, -1, -1 };
	int err = redirect(err_fd);

	setsid();
	default_signals();
	umask(077);
	if (err == 0 && sethostname("sandbox", 7) < 0)
		err = -errno;
	if (err == 0)
		err = walls_root(s, fifos);
	if (err == 0)
		err = walls_privileges();
	if (err == 0)
		err = walls_syscalls();
	if (err == 0)
		err = walls_limits();
	tell(sock, err == 0 ? MESSAGE_READY : MESSAGE_FAILED, err, err == 0 ? fifos : NULL);
	if (err < 0 || close_range(3, ~0u, 0) < 0)
		_exit(EXIT_FAILURE);
	execve("/bin/sh", argv, env);
	_exit(EXIT_FAILURE);
}

/* The process outside */
static void NORETURN run_outside(const struct sandbox_start *s, int sock, int err_fd)
{
	int err, status = 0;
	pid_t pid;

	err = leave_root();
	/* After the change of user, which would undo it */
	if (err == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		err = -errno;
	if (err == 0)
		err = make_namespaces();
	if (err < 0) {
		tell(sock, MESSAGE_FAILED, err, NULL);
		_exit(EXIT_FAILURE);
	}
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		run_inside(s, sock, err_fd);
	}
	if (pid < 0) {
		tell(sock, MESSAGE_FAILED, -errno, NULL);
		_exit(EXIT_FAILURE);
	}
	close(err_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	tell(sock, MESSAGE_ENDED, status, NULL);
	_exit(EXIT_SUCCESS);
}

static int start(const struct sandbox_start *s, struct sandbox_child *c, int sock[2], int err[2])
{
	struct message m;
	int fifos[3] = { -1, -1, -1 };

	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (c->pid == 0) {
		close(sock[0]);
		close(err[0]);
		run_outside(s, sock[1], err[1]);
	}
	base_fd_close(&sock[1]);
	base_fd_close(&err[1]);
	if (!hear(sock[0], &m, fifos))
		return -ENOTSUP;
	if (m.kind != MESSAGE_READY || fifos[0] < 0)
		return m.value < 0 ? m.value : -EPROTO;
	c->ask_fd = fifos[0];
	c->reply_fd = fifos[1];
	c->turn_fd = fifos[2];
	return 0;
}

/*
 * Standard error of the script, [1], is a socket and no pipe, since a socket tells
 * which process wrote each piece, and never gives pieces of two as one.
 */
static int open_said(int said[2])
{
	const int on = 1;
	int err = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, said) < 0)
		return -errno;
	if (setsockopt(said[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    fcntl(said[0], F_SETFL, O_NONBLOCK) < 0)
		err = -errno;
	if (err < 0) {
		close(said[0]);
		close(said[1]);
	}
	return err;
}

int sandbox_jail_start(const struct sandbox_start *s, struct sandbox_child *ret)
{
	struct sandbox_child c = {
		.pid = -1, .err_fd = -1, .ask_fd = -1, .reply_fd = -1, .turn_fd = -1, .end_fd = -1
	};
	int sock[2], said[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	err = open_said(said);
	if (err < 0) {
		close(sock[0]);
		close(sock[1]);
		return err;
	}
	err = start(s, &c, sock, said);
	base_fd_close(&sock[1]);
	base_fd_close(&said[1]);
	c.end_fd = sock[0];
	c.err_fd = said[0];
	if (err < 0)
		sandbox_jail_fini(&c);
	else
		*ret = c;
	return err;
}

bool sandbox_jail_ended(const struct sandbox_child *c, int *ret_status)
{
	struct pollfd p = { .fd = c->end_fd, .events = POLLIN };
	struct message m;

	if (poll(&p, 1, 0) <= 0)
		return false;
	*ret_status = hear(c->end_fd, &m, NULL) && m.kind == MESSAGE_ENDED ? m.value : SIGKILL;
	return true;
}

void sandbox_jail_fini(struct sandbox_child *c)
{
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
			;
		c->pid = -1;
	}
	base_fd_close(&c->err_fd);
	base_fd_close(&c->ask_fd);
	base_fd_close(&c->reply_fd);
	base_fd_close(&c->turn_fd);
	base_fd_close(&c->end_fd);
}
