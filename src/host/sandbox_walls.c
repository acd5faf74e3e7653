/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Several walls behind each other, so that one that falls is not the end:
 * files are away (pivot_root to a read-only tmpfs), other processes are (pid
 * namespace), the network is (net namespace, and no sockets), privileges are
 * (bounding set, no_new_privs, and no call that would make a new user
 * namespace, in which there would be some).  Limits and the caller's clock
 * bound what is left: CPU, memory and 4 MiB of /tmp.
 *
 * The list of forbidden system calls is short and names what attacks on
 * kernels begin with.  A list of permitted ones would be stricter, but would
 * have to follow each C library and each busybox.
 */
#include "host/sandbox_walls.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NEW_ROOT	"/tmp"		/* hidden by the new one, and of no use inside */

static const char *const tools[] = {
	"awk", "basename", "cat", "cut", "date", "dirname", "egrep", "expr", "fgrep", "grep",
	"head", "printf", "sed", "seq", "sleep", "sort", "tail", "test", "tr", "uniq", "wc",
	"which", "xargs", NULL
};

const char *const *sandbox_tools(void)
{
	return tools;
}

/* A path of the sandbox, below NEW_ROOT */
static const char *below_root(const char *path, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, NEW_ROOT "%s", path);
	return out;
}

/* The directories of a path below NEW_ROOT */
static int make_dirs(const char *path)
{
	char dir[PATH_MAX];

	for (const char *slash = path + sizeof(NEW_ROOT); (slash = strchr(slash, '/')) != NULL;
	     slash++) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int make_file(const char *path, const char *text, size_t len, mode_t mode)
{
	char full[PATH_MAX];
	int err = make_dirs(below_root(path, full));
	CLEANUP(base_fd_close) int fd = -1;

	if (err < 0)
		return err;
	fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	while (len > 0) {
		const ssize_t n = write(fd, text, len);

		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

/* A file of the host, read-only; what a device is for stays */
static int bind_file(const char *host, const char *inside, unsigned long flags)
{
	char full[PATH_MAX];
	int err = make_file(inside, "", 0, 0644);

	if (err < 0)
		return err;
	below_root(inside, full);
	if (mount(host, full, NULL, MS_BIND, NULL) < 0)
		return -errno;
	if (mount(NULL, full, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) < 0)
		return -errno;
	return 0;
}

static int make_link(const char *to, const char *path)
{
	char full[PATH_MAX];
	int err = make_dirs(below_root(path, full));

	if (err == 0 && symlink(to, full) < 0 && errno != EEXIST)
		err = -errno;
	return err;
}

/* Every directory of programs is the same one: no script has to be changed */
static int make_programs(const struct sandbox_start *s)
{
	static const struct { const char *path, *to; } dirs[] = {
		{ "/sbin", "bin" }, { "/usr/bin", "../bin" }, { "/usr/sbin", "../bin" },
		{ "/usr/local/bin", "../../bin" }, { "/usr/local/sbin", "../../bin" },
	};
	char path[PATH_MAX];
	int err = make_link(SANDBOX_SHELL, "/bin/sh");

	for (size_t i = 0; i < ARRAY_SIZE(dirs) && err == 0; i++)
		err = make_link(dirs[i].to, dirs[i].path);
	for (uint32_t i = 0; tools[i] != NULL && err == 0; i++) {
		snprintf(path, sizeof(path), "/bin/%s", tools[i]);
		err = make_link(SANDBOX_SHELL, path);
	}
	if (err == 0)
		err = make_link(SANDBOX_SHELL, "/bin/[");
	if (err == 0)
		err = make_file("/lib/answered", s->shim, strlen(s->shim), 0755);
	for (uint32_t i = 0; s->script->commands[i] != NULL && err == 0; i++) {
		snprintf(path, sizeof(path), "/bin/%s", s->script->commands[i]);
		err = make_link("/lib/answered", path);
	}
	return err;
}

static int make_fifos(int fifos[3])
{
	static const char *const paths[] = { SANDBOX_ASK, SANDBOX_REPLY, SANDBOX_TURN };

	for (int i = 0; i < 3; i++) {
		char full[PATH_MAX];

		/* Both ends, so that no side waits for the other to open or sees its end */
		if (mkfifo(below_root(paths[i], full), 0600) < 0)
			return -errno;
		fifos[i] = open(full, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fifos[i] < 0)
			return -errno;
	}
	return 0;
}

/* Files of the caller: those below /tmp when that is there, and the others */
static int make_files(const struct sandbox_start *s, bool in_tmp)
{
	int err = 0;

	for (uint32_t i = 0; i < s->script->n_files && err == 0; i++) {
		const struct sandbox_file *f = &s->script->files[i];

		if ((strncmp(f->path, "/tmp/", 5) == 0) == in_tmp)
			err = make_file(f->path, f->text, strlen(f->text), 0644);
	}
	return err;
}

static int fill_root(const struct sandbox_start *s, int fifos[3])
{
	int err = bind_file("/dev/null", "/dev/null", MS_NOSUID | MS_NOEXEC);

	for (uint32_t i = 0; i < s->libs->n && err == 0; i++)
		err = bind_file(s->libs->v[i].host, s->libs->v[i].inside, MS_NOSUID | MS_NODEV);
	if (err == 0)
		err = make_programs(s);
	if (err == 0)
		err = make_file(SANDBOX_SCRIPT, s->script->text, s->script->len, 0644);
	if (err == 0)
		err = make_file(SANDBOX_START, s->start, strlen(s->start), 0644);
	if (err == 0)
		err = make_files(s, false);
	return err == 0 ? make_fifos(fifos) : err;
}

/* /tmp inside: small, and nothing in it runs */
static int make_tmp(void)
{
	char full[PATH_MAX], options[64];

	below_root("/tmp", full);
	if (mkdir(full, 0755) < 0)
		return -errno;
	snprintf(options, sizeof(options), "size=%u,nr_inodes=%u,mode=700", SANDBOX_TMP_BYTES,
		 SANDBOX_TMP_FILES);
	if (mount("tmpfs", full, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return -errno;
	return 0;
}

int walls_root(const struct sandbox_start *s, int fifos[3])
{
	int err;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -errno;
	if (mount("tmpfs", NEW_ROOT, "tmpfs", MS_NOSUID | MS_NODEV, "size=32m,mode=755") < 0)
		return -errno;
	err = fill_root(s, fifos);
	if (err == 0)
		err = make_tmp();
	if (err == 0)
		err = make_files(s, true);
	if (err < 0)
		return err;
	if (mount(NULL, NEW_ROOT, NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return -errno;
	/* The old root comes to lie on the new one, and is taken off */
	if (chdir(NEW_ROOT) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

int walls_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return -errno;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capset, &header, none) < 0)
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int add_forbidden(scmp_filter_ctx f)
{
	static const int calls[] = {
		SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
		SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(fsopen), SCMP_SYS(move_mount),
		SCMP_SYS(open_tree), SCMP_SYS(mount_setattr), SCMP_SYS(open_by_handle_at),
		SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
		SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(bpf), SCMP_SYS(keyctl),
		SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(perf_event_open),
		SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(kexec_load),
		SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	};
	const uint64_t new_ns = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID |
				CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls) && err == 0; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	for (int bit = 0; bit < 32 && err == 0; bit++) {
		const uint64_t flag = UINT64_C(1) << bit;

		if ((new_ns & flag) != 0)
			err = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					       SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
	}
	/* Its flags are in memory, where no filter looks; the C library then uses clone */
	return err == 0 ? seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) : err;
}

int walls_syscalls(void)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	int err = f != NULL ? add_forbidden(f) : -ENOMEM;

	if (err == 0)
		err = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	return err;
}

int walls_limits(void)
{
	static const struct { int what; rlim_t most; } limits[] = {
		{ RLIMIT_CPU, SANDBOX_CPU_SECONDS },
		{ RLIMIT_AS, SANDBOX_MEMORY_BYTES },
		{ RLIMIT_NPROC, SANDBOX_PROCESSES },
		{ RLIMIT_FSIZE, SANDBOX_TMP_BYTES },
		{ RLIMIT_NOFILE, SANDBOX_OPEN_FILES },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit r = { limits[i].most, limits[i].most };

		if (setrlimit((__rlimit_resource_t)limits[i].what, &r) < 0)
			return -errno;
	}
	return 0;
}
