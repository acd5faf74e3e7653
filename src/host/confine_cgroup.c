/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A cgroup is named in two ways: by its directory, and as in /proc/PID/cgroup,
 * from the root of the hierarchy.  The latter is looked up below the mount of
 * cgroup2, wherever that is: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside
 * version 1.
 */
#include "host/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define ROOT_INODE	1u	/* the root's, whatever is mounted where */

/* A mount point's name as it is: mountinfo has \040 for a blank */
static void unescape(char *s)
{
	char *to = s;

	for (const char *from = s; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' &&
		    from[3] != '\0') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* "ID PARENT DEV ROOT POINT OPTIONS ... - cgroup2 SOURCE ...": @path below ROOT */
static const char *below_mount(char *line, const char *path, struct arena *a)
{
	char *words[5], *save = NULL, *end = strstr(line, " - cgroup2 ");
	size_t len;

	if (end == NULL)
		return NULL;
	*end = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
		if (words[i] == NULL)
			return NULL;
	}
	unescape(words[3]);
	unescape(words[4]);
	len = strcmp(words[3], "/") == 0 ? 0 : strlen(words[3]);
	if (strncmp(path, words[3], len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return NULL;
	return arena_printf(a, "%s%s", words[4], path + len);
}

static const char *find_mount(const char *path, struct arena *a)
{
	CLEANUP(base_file_close) FILE *f = fopen("/proc/self/mountinfo", "re");
	CLEANUP(base_free) char *line = NULL;
	const char *found = NULL;
	size_t cap = 0;

	/* The last one is what is seen where two are mounted on each other */
	while (f != NULL && getline(&line, &cap, f) > 0) {
		const char *at = below_mount(line, path, a);

		if (at != NULL)
			found = at;
	}
	return found;
}

/* A descriptor; -ENOTDIR for what is no cgroup of version 2 */
static int open_cgroup(const char *path)
{
	CLEANUP(base_fd_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return -errno;
	return fs.f_type == CGROUP2_SUPER_MAGIC ? base_take_fd(&fd) : -ENOTDIR;
}

int confine_cgroup_open(const char *path, struct arena *a, const char **ret_path)
{
	CLEANUP(base_fd_close) int fd = open_cgroup(path);
	const char *at = path;

	/* Also where there is such a directory, but of another kind: "/" */
	if ((fd == -ENOENT || fd == -ENOTDIR) && path[0] == '/') {
		const char *below = find_mount(path, a);
		const int other = below == NULL ? fd : open_cgroup(below);

		if (other >= 0) {
			fd = other;
			at = below;
		}
	}
	if (fd < 0)
		return fd;
	if (confine_cgroup_id(fd) <= ROOT_INODE)
		return -EXDEV;
	*ret_path = arena_strndup(a, at, strlen(at));
	return base_take_fd(&fd);
}

int confine_cgroup_of(int32_t pid, struct arena *a, const char **ret)
{
	char name[40];
	CLEANUP(base_free) char *line = NULL;
	size_t cap = 0;

	snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	CLEANUP(base_file_close) FILE *f = fopen(name, "re");
	if (f == NULL)
		return errno == ENOENT ? -ESRCH : -errno;
	while (getline(&line, &cap, f) > 0) {
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*ret = arena_strndup(a, line + 3, strlen(line + 3));
		return 0;
	}
	return -ENOENT;
}

uint64_t confine_cgroup_id(int cgroup)
{
	struct stat st;

	return fstat(cgroup, &st) < 0 ? 0 : st.st_ino;
}

/* CAP_NET_RAW in the bounding set: what root gets by execve(2) */
static bool may_have_net_raw(int32_t pid)
{
	char name[40];
	CLEANUP(base_free) char *line = NULL;
	size_t cap = 0;
	bool may = false;

	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	CLEANUP(base_file_close) FILE *f = fopen(name, "re");
	while (f != NULL && getline(&line, &cap, f) > 0)
		if (strncmp(line, "CapBnd:", 7) == 0)
			may = (strtoull(line + 7, NULL, 16) >> CAP_NET_RAW & 1) != 0;
	return may;
}

int32_t confine_packet_pid(int cgroup)
{
	int fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	CLEANUP(base_file_close) FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	int32_t pid;

	if (f == NULL) {
		base_fd_close(&fd);
		return 0;
	}
	while (fscanf(f, "%d", &pid) == 1)
		if (pid > 0 && may_have_net_raw(pid))
			return pid;
	return 0;
}
