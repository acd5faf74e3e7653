/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Walls behind each other, as those of a script (see sandbox_walls.c), and here
 * the system calls are a list of what is permitted: the code that runs inside is
 * ours, and says itself what it needs.  What is refused fails with EPERM and does
 * not kill: an attacker gains nothing by either, and a call that somebody forgot
 * in a corner costs that corner and not everybody's connections.
 *
 * Landlock stands behind the empty root, for where that is not permitted.
 */
#include "host/seal.h"

#include <grp.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/calls.h"
#include "host/sandbox_walls.h"

#define EMPTY	"/tmp"		/* hidden by the empty root, which hides all else */

/* Whatever else happens, it must be possible to end, and to come back from a signal */
NEEDS_CALL(exit_group)
NEEDS_CALL(rt_sigreturn)
#ifdef __SANITIZE_ADDRESS__
/* The sanitizer asks for the signal stack wherever a function does not return, as _exit() */
NEEDS_CALL(sigaltstack)

/* Its search for leaks, as a process ends, needs calls that are refused then */
static bool is_sealed;

int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return is_sealed;
}
#define SEALED()	((void)(is_sealed = true))
#else
#define SEALED()	((void)0)
#endif

extern const int __start_needs_calls[], __stop_needs_calls[];	/* made by the linker */

static int by_number(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

uint32_t seal_calls(int *ret, uint32_t max)
{
	const size_t said = ((uintptr_t)__stop_needs_calls - (uintptr_t)__start_needs_calls) /
			    sizeof(int);
	uint32_t n = 0;

	for (size_t c = 0; c < said; c++) {
		uint32_t i = 0;

		while (i < MIN(n, max) && ret[i] != __start_needs_calls[c])
			i++;
		if (i < n)
			continue;
		if (n < max)
			ret[n] = __start_needs_calls[c];
		n++;
	}
	qsort(ret, MIN(n, max), sizeof(*ret), by_number);
	return n;
}

static int enter_empty_root(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", EMPTY, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,nr_inodes=1,mode=555") < 0 ||
	    mount(NULL, EMPTY, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
		  MS_NOEXEC, NULL) < 0 ||
	    chdir(EMPTY) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

static int become_nobody(bool *ret)
{
	*ret = true;
	/* Capabilities go by themselves a moment later: the last of them drops the others */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_NOROOT, 0, 0, 0) < 0)
		return -errno;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return -errno;
	if (setresgid(SEAL_UID, SEAL_UID, SEAL_UID) == 0 &&
	    setresuid(SEAL_UID, SEAL_UID, SEAL_UID) == 0)
		return 0;
	*ret = false;
	return errno == EINVAL ? 0 : -errno;	/* no such user in this user namespace */
}

/* No file, no TCP port, nobody else's abstract sockets and processes */
struct landlock_rules {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static int lock_files(int *ret_version)
{
	/* Rights by the version that brought them; later kernels know all earlier ones */
	static const struct { uint64_t fs; uint64_t net; uint64_t scoped; size_t len; } known[] = {
		{ (1u << 13) - 1, 0, 0, 8 }, { (1u << 14) - 1, 0, 0, 8 },
		{ (1u << 15) - 1, 0, 0, 8 }, { (1u << 15) - 1, 3, 0, 16 },
		{ (1u << 16) - 1, 3, 0, 16 }, { (1u << 16) - 1, 3, 3, 24 },
	};
	const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1u);
	const size_t i = version > 0 ? MIN((size_t)version, ARRAY_SIZE(known)) - 1 : 0;
	const struct landlock_rules rules = { known[i].fs, known[i].net, known[i].scoped };
	CLEANUP(base_fd_close) int fd = -1;

	*ret_version = version > 0 ? (int)version : 0;
	if (version <= 0)
		return 0;
	fd = (int)syscall(SYS_landlock_create_ruleset, &rules, known[i].len, 0u);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0u) < 0)
		return -errno;
	return 0;
}

static int permit_calls(uint32_t *ret_n)
{
	int calls[64] = { 0 };
	const uint32_t n = seal_calls(calls, ARRAY_SIZE(calls));
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err = f != NULL ? 0 : -ENOMEM;

	BUG_IF(n > SEAL_MOST_CALLS);
	for (uint32_t i = 0; i < n && err == 0; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	if (err == 0)
		err = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	*ret_n = n;
	return err;
}

int seal_walls(struct seal *ret)
{
	struct seal s = { .has_root = true };
	int err = enter_empty_root();

	if (err == -EPERM || err == -EACCES) {
		s.has_root = false;
		err = 0;
	}
	if (err == 0)
		err = become_nobody(&s.has_user);
	if (err == 0)
		err = walls_privileges();
	if (err == 0)
		err = lock_files(&s.landlock);
	if (err == 0)
		*ret = s;
	return err;
}

int seal_enter(struct seal *ret)
{
	struct seal s;
	int err = seal_walls(&s);

	if (err == 0)
		err = permit_calls(&s.n_calls);
	if (err < 0)
		return err;
	SEALED();
	*ret = s;
	return 0;
}
