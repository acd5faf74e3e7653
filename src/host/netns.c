/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

#define SELF		"/proc/thread-self/ns/net"
#define PATH_BYTES	(NAME_MAX + 32u)

static const char *const places[] = { "/run/netns", "/var/run/netns" };

/* Not blocking, so that a FIFO in the place of a namespace does not hang us */
static int open_path(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int open_name(const char *name)
{
	int fd = -ENOENT;

	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(places) && fd == -ENOENT; i++) {
		char path[4096];
		const int n = snprintf(path, sizeof(path), "%s/%s", places[i], name);

		fd = n < 0 || (size_t)n >= sizeof(path) ? -ENAMETOOLONG : open_path(path);
	}
	return fd;
}

int netns_open(const char *where)
{
	return strchr(where, '/') != NULL ? open_path(where) : open_name(where);
}

int netns_enter(const char *where)
{
	int fd CLEANUP(base_fd_close) = netns_open(where);

	if (fd < 0)
		return fd;
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
}

int netns_is_same(int fd, uint64_t *ret_inode)
{
	int own CLEANUP(base_fd_close) = open(SELF, O_RDONLY | O_CLOEXEC);
	struct stat a, b;
	struct statfs fs;

	if (own < 0 || fstat(own, &a) < 0 || fstat(fd, &b) < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	if (ret_inode != NULL)
		*ret_inode = b.st_ino;
	return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* The directory of names, shared with other mount namespaces as ip-netns(8) has it */
static int make_dir(void)
{
	if (mkdir(places[0], 0755) < 0 && errno != EEXIST)
		return -errno;
	if (mount("", places[0], "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL || mount(places[0], places[0], "none", MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return mount("", places[0], "none", MS_SHARED | MS_REC, NULL) < 0 ? -errno : 0;
}

/* A new namespace gets its name while we are in it for a moment */
static int make_at(const char *path)
{
	int own CLEANUP(base_fd_close) = open(SELF, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return -errno;
	if (mount(SELF, path, "none", MS_BIND, NULL) < 0)
		err = -errno;
	/* To go on in another namespace would change what is somebody else's */
	BUG_IF(setns(own, CLONE_NEWNET) < 0);
	return err;
}

static bool is_plain_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && strlen(name) <= NAME_MAX;
}

int netns_create(const char *name, uint64_t *ret_inode)
{
	char path[PATH_BYTES];
	int fd, err;

	if (!is_plain_name(name))
		return -EINVAL;
	err = make_dir();
	if (err < 0)
		return err;
	snprintf(path, sizeof(path), "%s/%s", places[0], name);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	close(fd);
	err = make_at(path);
	fd = err < 0 ? err : open_path(path);
	if (fd >= 0)
		err = netns_is_same(fd, ret_inode);
	if (fd < 0 || err < 0) {
		(void)umount2(path, MNT_DETACH);
		(void)unlink(path);
		return err < 0 ? err : fd;
	}
	return fd;
}

int netns_remove(const char *name, uint64_t inode)
{
	int fd CLEANUP(base_fd_close) = -1;
	char path[PATH_BYTES];
	uint64_t found = 0;
	int is_mount;

	if (!is_plain_name(name))
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/%s", places[0], name);
	fd = open_path(path);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	/* A run that was killed leaves the place without the namespace */
	is_mount = netns_is_same(fd, &found);
	if (is_mount < 0 && is_mount != -EINVAL)
		return is_mount;
	if (is_mount >= 0 && inode != 0 && found != inode)
		return -EBUSY;
	if (is_mount >= 0 && umount2(path, MNT_DETACH) < 0)
		return -errno;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int netns_cookie(uint64_t *ret)
{
	int fd CLEANUP(base_fd_close) = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret);
	uint64_t cookie;

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return -errno;
	*ret = cookie;
	return 0;
}

static bool is_same(int at, const char *path, const struct stat *own)
{
	struct stat sb;

	return fstatat(at, path, &sb, 0) == 0 && sb.st_dev == own->st_dev &&
	       sb.st_ino == own->st_ino;
}

static void close_dir(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* The first name in a directory of names, in order */
static void find_name(const char *place, const struct stat *own, char *best, size_t size)
{
	DIR *d CLEANUP(close_dir) = opendir(place);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= size ||
		    (best[0] != '\0' && strcmp(e->d_name, best) >= 0) ||
		    !is_same(dirfd(d), e->d_name, own))
			continue;
		snprintf(best, size, "%s", e->d_name);
	}
}

int netns_lasting_name(char *ret, size_t size)
{
	char best[256] = "";
	struct stat own;
	int n;

	if (stat("/proc/self/ns/net", &own) < 0)
		return -errno;
	if (is_same(AT_FDCWD, "/proc/1/ns/net", &own))
		return (size_t)snprintf(ret, size, "host") >= size ? -ENAMETOOLONG : 0;
	for (size_t i = 0; i < ARRAY_SIZE(places) && best[0] == '\0'; i++)
		find_name(places[i], &own, best, sizeof(best));
	if (best[0] == '\0')
		return -ENOENT;
	n = snprintf(ret, size, "netns-%s", best);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}
