/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
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
