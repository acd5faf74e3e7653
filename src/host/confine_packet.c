/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel asks no program of a cgroup about packet sockets, so they can only be
 * found.  All of a network namespace stand in one file of /proc, and mostly there are
 * none; whose one is stands below /proc/PID/fd, and where that process is in its
 * cgroup file.
 */
#include "host/confine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/listeners.h"

/* Is @pid in the cgroup with directory @dir or one below it */
static bool is_below(int32_t pid, const char *dir, struct arena *a)
{
	const size_t len = strlen(dir);
	const char *path, *full;

	if (confine_cgroup_of(pid, a, &path) < 0)
		return false;
	CLEANUP(base_fd_close) int fd = confine_cgroup_open(path, a, &full);
	return fd >= 0 && strncmp(full, dir, len) == 0 && (full[len] == '\0' || full[len] == '/');
}

int confine_packets(const char *dir, struct arena *a, struct confine_packets *ret)
{
	CLEANUP(base_file_close) FILE *f = fopen("/proc/thread-self/net/packet", "re");
	struct confine_packets all = { .list = { .n = 0 } };
	char line[256];

	/* No such file: no such sockets */
	if (f == NULL && errno != ENOENT)
		return -errno;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		struct sockdiag_sock s = { .is_raw = true };
		struct listener_owner who;

		if (sscanf(line, "%*s %*d %*d %*x %*d %*d %*u %*u %u", &s.inode) != 1)
			continue;
		listener_owner(&s, &who);
		if (who.pid > 0 && is_below(who.pid, dir, a))
			vec_add(a, &all.list, ((struct confine_packet){ who.pid,
				arena_strndup(a, who.program, strlen(who.program)) }));
	}
	*ret = all;
	return 0;
}
