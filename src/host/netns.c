/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/netns.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

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

int netns_enter(const char *where)
{
	int fd CLEANUP(base_fd_close) = -1;

	fd = strchr(where, '/') != NULL ? open_path(where) : open_name(where);
	if (fd < 0)
		return fd;
	return setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
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
