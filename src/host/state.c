/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The directory of a namespace is named by the namespace's cookie, which the
 * kernel never gives twice in one boot; the boot id tells boots apart.
 *
 * flock() dies with its process, so a killed run leaves no lock behind.  It is
 * asked for again every 20 ms until a deadline, because a blocking flock() can
 * only be ended by a signal.  The lock file goes away with the directory
 * (state_forget()), so whoever gets the lock checks that the file still has
 * its name, else it starts anew: otherwise two runs could hold the locks of two
 * files.
 */
#include "host/state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/netns.h"
#include "host/state_file.h"

#define BOOT_ID_PATH	"/proc/sys/kernel/random/boot_id"
#define LOCK_POLL_NS	20000000L

static int read_boot_id(char *out)
{
	int fd CLEANUP(base_fd_close) = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, STATE_BOOT_BYTES - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return out[0] == '\0' ? -EIO : 0;
}

/* A directory that only we may write: what others could have written is not believed */
static int check_dir(int fd)
{
	struct stat sb;

	if (fstat(fd, &sb) < 0)
		return -errno;
	if (sb.st_uid == geteuid() && (sb.st_mode & 022) == 0)
		return 0;
	return sb.st_uid == 0 && geteuid() != 0 ? -EACCES : -EUCLEAN;
}

static int open_dir(int at, const char *path, enum state_mode mode)
{
	int fd CLEANUP(base_fd_close) = -1;
	int err;

	if (mode == STATE_WRITE && mkdirat(at, path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = check_dir(fd);
	return err < 0 ? err : base_take_fd(&fd);
}

/* @base/@sub, or @fallback when there is no @base */
static int open_root(const char *base, const char *sub, const char *fallback,
		     enum state_mode mode)
{
	int fd CLEANUP(base_fd_close) = -1;

	if (base == NULL)
		return open_dir(AT_FDCWD, fallback, mode);
	if (mode == STATE_WRITE && mkdir(base, 0700) < 0 && errno != EEXIST)
		return -errno;
	/* The user chose @base and may well mean a link */
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : open_dir(fd, sub, mode);
}

int state_lib_open(const char *base, enum state_mode mode)
{
	return open_root(base, "lib", STATE_LIB_DIR, mode);
}

/* Is the locked file still the one that has the name? */
static bool lock_has_name(int dir_fd, int lock_fd)
{
	struct stat held, named;

	return fstat(lock_fd, &held) == 0 &&
	       fstatat(dir_fd, "lock", &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

/* One try: the lock's descriptor, -EAGAIN when to try again, else a negative errno */
static int try_lock(int dir_fd)
{
	int fd CLEANUP(base_fd_close) =
		openat(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	return lock_has_name(dir_fd, fd) ? base_take_fd(&fd) : -EAGAIN;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* The directory anew each time: whoever held the lock may have removed it */
static int lock_dir(struct state *st, uint32_t wait_seconds)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_NS };
	const int64_t until_ns = now_ns() + (int64_t)wait_seconds * 1000000000;

	for (;;) {
		int lock;

		base_fd_close(&st->dir_fd);
		st->dir_fd = open_dir(st->run_fd, st->dir, STATE_WRITE);
		lock = st->dir_fd < 0 ? st->dir_fd : try_lock(st->dir_fd);
		if (lock >= 0) {
			st->lock_fd = lock;
			return 0;
		}
		if (lock != -EAGAIN && lock != -ENOENT)
			return lock;
		if (now_ns() >= until_ns)
			return -EBUSY;
		nanosleep(&pause, NULL);
	}
}

/* 0 when the state is of this boot, -ESTALE when not */
static int check_boot(const struct state *st)
{
	char boot[STATE_BOOT_BYTES];
	size_t len;
	const int err = state_file_load(st->dir_fd, "boot", boot, sizeof(boot) - 1, &len);

	if (err == -ENOENT || err == -EBADMSG || err == -EFBIG)
		return -ESTALE;
	if (err < 0)
		return err;
	boot[len] = '\0';
	return strcmp(boot, st->boot) == 0 ? 0 : -ESTALE;
}

static int open_for_write(struct state *st, uint32_t wait_seconds)
{
	int err = lock_dir(st, wait_seconds);

	if (err == 0)
		err = check_boot(st);
	if (err != -ESTALE)
		return err;
	err = state_file_clear(st->dir_fd, (const char *const[]){ "lock", NULL });
	return err < 0 ? err : state_file_save(st->dir_fd, "boot", st->boot, strlen(st->boot));
}

static int open_for_read(struct state *st)
{
	int err;

	st->dir_fd = open_dir(st->run_fd, st->dir, STATE_READ);
	err = st->dir_fd < 0 ? st->dir_fd : check_boot(st);
	if (err == -ENOENT || err == -ESTALE) {
		base_fd_close(&st->dir_fd);
		st->dir_fd = -1;
		return 0;
	}
	return err;
}

static int open_parts(struct state *st, const char *base, enum state_mode mode,
		      uint32_t wait_seconds)
{
	uint64_t cookie;
	int err = netns_cookie(&cookie);

	if (err == 0)
		err = read_boot_id(st->boot);
	if (err < 0)
		return err;
	snprintf(st->dir, sizeof(st->dir), "%016llx", (unsigned long long)cookie);
	st->run_fd = open_root(base, "run", STATE_RUN_DIR, mode);
	if (st->run_fd == -ENOENT && mode == STATE_READ)
		return 0;
	if (st->run_fd < 0)
		return st->run_fd;
	return mode == STATE_WRITE ? open_for_write(st, wait_seconds) : open_for_read(st);
}

int state_open(struct state *st, const char *base, enum state_mode mode, uint32_t wait_seconds)
{
	int err;

	*st = (struct state){ .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
	err = open_parts(st, base, mode == STATE_READ ? STATE_READ : STATE_WRITE, wait_seconds);
	/* What was derived from the state is not true any more */
	if (err == 0 && mode == STATE_WRITE && unlinkat(st->dir_fd, STATE_DERIVED, 0) < 0 &&
	    errno != ENOENT)
		err = -errno;
	if (err < 0)
		state_close(st);
	return err;
}

static int share_fd(int fd, int *ret)
{
	*ret = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return fd >= 0 && *ret < 0 ? -errno : 0;
}

int state_share(const struct state *from, struct state *st)
{
	int err;

	*st = *from;
	st->dir_fd = st->lock_fd = -1;
	err = share_fd(from->run_fd, &st->run_fd);
	if (err == 0)
		err = share_fd(from->dir_fd, &st->dir_fd);
	if (err < 0)
		state_close(st);
	return err;
}

void state_close(struct state *st)
{
	base_fd_close(&st->lock_fd);
	base_fd_close(&st->dir_fd);
	base_fd_close(&st->run_fd);
}

/* "text/N" stands in a directory of its own, all else beside the lock */
static bool is_text(const char *name)
{
	return strncmp(name, "text/", 5) == 0;
}

static bool is_good_name(const char *name)
{
	if (is_text(name))
		name += 5;
	return name[0] != '\0' && strlen(name) <= 32 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
	       strcmp(name, "lock") != 0 && strcmp(name, "boot") != 0;
}

/* The directory that holds @name, a descriptor of the caller's; and its name there */
static int open_holder(const struct state *st, const char *name, enum state_mode mode,
		       const char **ret_base)
{
	int fd;

	BUG_IF(!is_good_name(name));
	if (st->dir_fd < 0)
		return -ENOENT;
	*ret_base = is_text(name) ? name + 5 : name;
	if (is_text(name))
		return open_dir(st->dir_fd, "text", mode);
	fd = fcntl(st->dir_fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

static int content_size(const struct state *st, const char *name, size_t *ret)
{
	const char *base;
	int fd CLEANUP(base_fd_close) = open_holder(st, name, STATE_READ, &base);
	int err;

	if (fd < 0)
		return fd;
	err = state_file_size(fd, base, ret);
	return err == 0 && *ret > STATE_FILE_BYTES ? -EBADMSG : err;
}

static int content_load(const struct state *st, const char *name, char *buf, size_t size,
			size_t *ret_len)
{
	const char *base;
	int fd CLEANUP(base_fd_close) = open_holder(st, name, STATE_READ, &base);

	return fd < 0 ? fd : state_file_load(fd, base, buf, size, ret_len);
}

/* No descriptor is held while the arena may refuse */
int state_read(const struct state *st, const char *name, struct arena *a, char **ret,
	       size_t *ret_len)
{
	size_t size, len;
	char *buf;
	int err = content_size(st, name, &size);

	if (err < 0)
		return err;
	buf = arena_alloc(a, size + 1);
	err = content_load(st, name, buf, size, &len);
	if (err < 0)
		return err;
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return 0;
}

int state_write(struct state *st, const char *name, const char *data, size_t len)
{
	int fd CLEANUP(base_fd_close) = -1;
	const char *base;

	BUG_IF(st->lock_fd < 0);
	if (len > STATE_FILE_BYTES)
		return -EFBIG;
	fd = open_holder(st, name, STATE_WRITE, &base);
	return fd < 0 ? fd : state_file_save(fd, base, data, len);
}

size_t state_needs(const struct state *st, const char *name, const char *data, size_t len)
{
	const char *base = name;
	int fd CLEANUP(base_fd_close) = open_holder(st, name, STATE_READ, &base);

	return state_file_needs(fd, base, data, len);
}

int state_has_room(const struct state *st, size_t bytes)
{
	int fd CLEANUP(base_fd_close) = -1;

	BUG_IF(st->lock_fd < 0);
	fd = openat(st->dir_fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno == EOPNOTSUPP || errno == EISDIR ? 0 : -errno;
	while (fallocate(fd, 0, 0, (off_t)bytes) < 0)
		if (errno != EINTR)
			return errno == EOPNOTSUPP ? 0 : -errno;
	return 0;
}

int state_remove(struct state *st, const char *name)
{
	int fd CLEANUP(base_fd_close) = -1;
	const char *base;

	BUG_IF(st->lock_fd < 0);
	fd = open_holder(st, name, STATE_READ, &base);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (unlinkat(fd, base, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

/* The lock goes last, and while we hold it: see above */
int state_forget(struct state *st, const char *keep)
{
	/* A directory that does not say its boot would be emptied by who opens it next */
	const char *const kept[] = { "lock", keep, keep != NULL ? "boot" : NULL, NULL };
	int err;

	BUG_IF(st->lock_fd < 0);
	err = state_file_clear(st->dir_fd, kept);
	if (err == 0 && unlinkat(st->dir_fd, "lock", 0) < 0)
		err = -errno;
	/* Another run may be waiting in it already: then it stays */
	if (err == 0 && unlinkat(st->run_fd, st->dir, AT_REMOVEDIR) < 0 && errno != ENOTEMPTY)
		err = -errno;
	state_close(st);
	return err;
}
