/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <linux/landlock.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "base/calls.h"
#include "host/seal.h"
#include "port/natloop.h"

/* To ask the kernel, and to tell what was found */
NEEDS_CALL(read)
NEEDS_CALL(write)
/* Nobody else does: it is permitted by this line alone */
NEEDS_CALL(getpid)

/* Have the linker bring the code that runs sealed, and what that needs */
static void (*const runs_sealed[])(struct natloop *l) = { natloop_run };

static int tap = -1;		/* a descriptor that was opened before */

static long try_open(void)	{ return open("/etc/passwd", O_RDONLY); }
static long try_create(void)	{ return open("/escaped", O_WRONLY | O_CREAT, 0600); }
static long try_stat(void)	{ struct stat st; return stat("/", &st); }
static long try_socket(void)	{ return socket(AF_INET, SOCK_STREAM, 0); }
static long try_packet(void)	{ return socket(AF_PACKET, SOCK_RAW, 0); }
static long try_pair(void)	{ int fds[2]; return socketpair(AF_UNIX, SOCK_STREAM, 0, fds); }
static long try_fork(void)	{ return syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL); }
static long try_exec(void)	{ char *argv[] = { NULL }; return execve("/bin/sh", argv, argv); }
static long try_setuid(void)	{ return syscall(SYS_setresuid, 0, 0, 0); }
static long try_unshare(void)	{ return unshare(CLONE_NEWUSER); }
static long try_setns(void)	{ return setns(tap, CLONE_NEWNET); }
static long try_mount(void)	{ return mount("none", "/", "tmpfs", 0, NULL); }
static long try_chroot(void)	{ return chroot("/"); }
static long try_kill(void)	{ return kill(getppid(), 0); }
static long try_ptrace(void)	{ return ptrace(PTRACE_ATTACH, 1, NULL, NULL); }
static long try_ioctl(void)	{ struct ifreq r = { 0 }; return ioctl(tap, SIOCGIFINDEX, &r); }
static long try_connect(void)
{
	const struct sockaddr to = { .sa_family = AF_UNSPEC };

	return connect(tap, &to, sizeof(to));
}
static long try_bpf(void)	{ return syscall(SYS_bpf, 0, NULL, 0); }
static long try_uring(void)	{ return syscall(SYS_io_uring_setup, 1, NULL); }
static long try_limit(void)
{
	const struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_NOFILE, &r);
}
static long try_execmem(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}
static long try_netlink(void)	{ return socket(AF_NETLINK, SOCK_RAW, 0); }
static long try_module(void)	{ return syscall(SYS_finit_module, tap, "", 0); }
static long try_dup_in(void)	{ return syscall(SYS_pidfd_getfd, tap, 0, 0); }

static const struct {
	const char *name;
	long (*fn)(void);
} tries[] = {
	{ "open a file", try_open }, { "create a file", try_create },
	{ "look at a file", try_stat }, { "open a socket", try_socket },
	{ "open a packet socket", try_packet }, { "open a pair of sockets", try_pair },
	{ "open netlink", try_netlink }, { "fork", try_fork }, { "run a program", try_exec },
	{ "become root", try_setuid }, { "make a user namespace", try_unshare },
	{ "enter a namespace", try_setns }, { "mount", try_mount },
	{ "change the root", try_chroot },
	{ "signal a process", try_kill }, { "trace a process", try_ptrace },
	{ "configure an interface", try_ioctl }, { "connect a socket", try_connect },
	{ "load a BPF program", try_bpf }, { "set up io_uring", try_uring },
	{ "raise a limit", try_limit }, { "map memory to run", try_execmem },
	{ "load a module", try_module }, { "take a descriptor", try_dup_in },
};

/* In a child of its own: what it could do, as a bitmap, by a pipe */
static uint64_t tried(bool is_sealed)
{
	uint64_t could = 0;
	struct seal s;
	int fds[2];
	pid_t pid;

	if (!CHECK_INT(pipe(fds), 0))
		return ~UINT64_C(0);
	tap = socket(AF_INET, SOCK_DGRAM, 0);
	pid = fork();
	if (pid == 0) {
		if (is_sealed && seal_enter(&s) < 0)
			_exit(1);
		for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
			if (tries[i].fn == try_open || tries[i].fn == try_socket || is_sealed)
				could |= (uint64_t)(tries[i].fn() >= 0 || errno != EPERM) << i;
		_exit(write(fds[1], &could, sizeof(could)) != sizeof(could));
	}
	close(fds[1]);
	could = ~UINT64_C(0);
	CHECK_INT(read(fds[0], &could, sizeof(could)), sizeof(could));
	CHECK_INT(unit_wait(pid), 0);
	close(fds[0]);
	close(tap);
	return could;
}

TEST(nothing_but_what_is_open)
{
	uint64_t could;

	NS_FRESH();
	could = tried(true);
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		if (!CHECK((could >> i & 1) == 0))
			unit_detail("    #   it could %s\n", tries[i].name);
	/* The same by one that is not sealed */
	could = tried(false);
	CHECK((could & 1) != 0 && (could >> 3 & 1) != 0);
}

/* What the kernel says of a sealed process, whatever its system calls are */
TEST(walls_behind_the_calls)
{
	int fds[2];
	char got[512] = "";
	pid_t pid;

	NS_FRESH();
	if (!CHECK_INT(pipe(fds), 0))
		return;
	pid = fork();
	if (pid == 0) {
		const int status = open("/proc/self/status", O_RDONLY);
		char text[8192];
		struct seal s;
		ssize_t n;

		if (status < 0 || seal_enter(&s) < 0 || s.n_calls > SEAL_MOST_CALLS)
			_exit(1);
		n = read(status, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		n = snprintf(got, sizeof(got), "%d%d%d", s.has_root, s.has_user, s.landlock > 0);
		for (char *l = strtok(text, "\n"); l != NULL; l = strtok(NULL, "\n"))
			if (strncmp(l, "Cap", 3) == 0 || strncmp(l, "NoNew", 5) == 0 ||
			    strncmp(l, "Seccomp:", 8) == 0)
				n += snprintf(got + n, sizeof(got) - (size_t)n, " %s", l);
		_exit(write(fds[1], got, sizeof(got)) != sizeof(got));
	}
	close(fds[1]);
	CHECK_INT(read(fds[0], got, sizeof(got)), sizeof(got));
	CHECK_INT(unit_wait(pid), 0);
	CHECK_INT(got[0], '1');
	CHECK(strstr(got, "CapInh:\t0000000000000000 CapPrm:\t0000000000000000 "
			  "CapEff:\t0000000000000000 CapBnd:\t0000000000000000 "
			  "CapAmb:\t0000000000000000 NoNewPrivs:\t1 Seccomp:\t2") != NULL);
	close(fds[0]);
}

static int etc = -1;		/* a directory that was opened before */

static long try_back_door(void)	{ return openat(etc, "passwd", O_RDONLY); }
static long try_list(void)	{ return open("/", O_RDONLY | O_DIRECTORY); }
static long try_proc(void)	{ return open("/proc/self/mem", O_RDWR); }
static long try_bind(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	return bind(fd, (const struct sockaddr *)&at, sizeof(at));
}
static long try_dump(void)	{ return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? -1 : 0; }
static long try_look(void)	{ struct stat st; return stat("/etc/passwd", &st); }

/* What each wall refuses where every system call may be made; bits of the seal that it needs */
enum { ROOT = 1, USER = 2, LANDLOCK = 4, LANDLOCK_NET = 8 };
static const struct {
	const char *name;
	long (*fn)(void);
	int wall;
} behind[] = {
	{ "open a file", try_open, ROOT }, { "create a file", try_create, ROOT },
	{ "read memory by /proc", try_proc, ROOT },
	{ "open a packet socket", try_packet, 0 }, { "become root", try_setuid, 0 },
	{ "mount", try_mount, 0 }, { "change the root", try_chroot, 0 },
	{ "load a BPF program", try_bpf, 0 }, { "load a module", try_module, 0 },
	{ "look at a file of the host", try_look, ROOT },
	{ "open by a directory that was open", try_back_door, LANDLOCK },
	{ "list the root", try_list, LANDLOCK }, { "listen by TCP", try_bind, LANDLOCK_NET },
	{ "be traced by others of its user", try_dump, USER },
};

/* Each wall alone refuses what it is for: none of them leans on the system calls' */
TEST(each_wall_stands_alone)
{
	uint64_t found[2] = { 0, 0 };
	int fds[2];
	pid_t pid;

	NS_FRESH();
	if (!CHECK_INT(pipe(fds), 0))
		return;
	etc = open("/etc", O_PATH | O_DIRECTORY);
	pid = fork();
	if (pid == 0) {
		struct seal s;

		if (seal_walls(&s) < 0)
			_exit(1);
		found[0] = (uint64_t)((s.has_root ? ROOT : 0) | (s.has_user ? USER : 0) |
				      (s.landlock > 0 ? LANDLOCK : 0) |
				      (s.landlock >= 4 ? LANDLOCK_NET : 0));
		for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
			found[1] |= (uint64_t)(behind[i].fn() >= 0) << i;
		_exit(write(fds[1], found, sizeof(found)) != sizeof(found));
	}
	close(fds[1]);
	CHECK_INT(read(fds[0], found, sizeof(found)), sizeof(found));
	CHECK_INT(unit_wait(pid), 0);
	CHECK((found[0] & ROOT) != 0);
	for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++)
		if (((uint64_t)behind[i].wall & ~found[0]) == 0 &&
		    !CHECK((found[1] >> i & 1) == 0))
			unit_detail("    #   it could %s\n", behind[i].name);
	close(fds[0]);
	close(etc);
}

TEST(at_most_twenty_calls)
{
	int calls[64];
	const uint32_t n = seal_calls(calls, 64);

	CHECK(runs_sealed[0] != NULL && io_kinds[0] != NULL);
	CHECK(n >= 10 && n <= SEAL_MOST_CALLS);
	for (uint32_t i = 1; i < n && i < 64; i++)
		CHECK(calls[i - 1] < calls[i]);
}

#define CALLS_MOST	600	/* more than any kernel of today has */
#define URETPROBE	335	/* of a page of the kernel's: whoever else makes it is ended, */
#define UPROBE		336	/* whatever a filter says */

static volatile sig_atomic_t n_signals;

static void count_signal(int signo)
{
	(void)signo;
	n_signals++;
}

/* With what no call can do anything with.  The first two do not return to tell */
static bool is_refused(long nr)
{
	if (nr == SYS_exit_group || nr == SYS_rt_sigreturn)
		return false;
	if (nr == URETPROBE || nr == UPROBE)
		return true;
	errno = 0;
	return syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L) == -1 && errno == EPERM;
}

/* By a pipe: for each call, is it refused; and it comes back from a signal, and ends */
static NORETURN void try_all(int to)
{
	static char refused[CALLS_MOST];
	/* Again and again: the first may come before the seal */
	const struct itimerval soon = { { 0, 20000 }, { 0, 20000 } };
	struct seal s;

	(void)signal(SIGALRM, count_signal);
	if (setitimer(ITIMER_REAL, &soon, NULL) < 0 || seal_enter(&s) < 0)
		_exit(1);
	for (const int before = n_signals; n_signals == before;)
		(void)poll(NULL, 0, 1);
	for (long nr = 0; nr < CALLS_MOST; nr++)
		refused[nr] = (char)is_refused(nr);
	_exit(write(to, refused, sizeof(refused)) != sizeof(refused));
}

/* What is annotated is permitted, and nothing else is, of all there is */
TEST(permits_what_is_annotated_and_nothing_else)
{
	char refused[CALLS_MOST] = "";
	int calls[64], fds[2];
	uint32_t at = 0;
	const uint32_t n = seal_calls(calls, 64);
	pid_t pid;

	NS_FRESH();
	if (!CHECK_INT(pipe(fds), 0))
		return;
	pid = fork();
	if (pid == 0)
		try_all(fds[1]);
	close(fds[1]);
	if (!CHECK_INT(read(fds[0], refused, sizeof(refused)), sizeof(refused)))
		return;
	CHECK_INT(unit_wait(pid), 0);
	close(fds[0]);
	for (int nr = 0; nr < CALLS_MOST; nr++) {
		const bool is_said = at < n && calls[at] == nr;

		at += is_said;
		if (!CHECK_INT(refused[nr], !is_said))
			unit_detail("    #   system call %d\n", nr);
	}
	CHECK_INT(at, n);
	CHECK(!refused[SYS_getpid] && refused[SYS_getppid]);
}
