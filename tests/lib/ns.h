/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ns - a fresh network namespace for a unit test
 *
 *	TEST(x)
 *	{
 *		NS_FRESH();
 *		...
 *	}
 *
 * The test program itself moves, so checks count as usual.  As root a network
 * namespace is enough; an ordinary user gets a user namespace first.
 *
 * Owns:	 nothing; a namespace goes with the last process in it.
 * Threads:	 none.
 */
#ifndef TESTS_NS_H
#define TESTS_NS_H

#include <fcntl.h>
#include <sched.h>

#include "unit.h"

static inline bool ns_write(const char *path, const char *text)
{
	const int fd = open(path, O_WRONLY | O_CLOEXEC);
	const bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* Root of a user namespace of our own, so that we may make others */
static inline bool ns_become_root(void)
{
	const unsigned int uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWUSER) < 0 || !ns_write("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!ns_write("/proc/self/uid_map", map))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return ns_write("/proc/self/gid_map", map);
}

/** ns_fresh() - Move into a new network namespace; whether that was possible */
static inline bool ns_fresh(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return true;
	return errno == EPERM && ns_become_root() && unshare(CLONE_NEWNET) == 0;
}

/** NS_FRESH() - Move into a new network namespace, or skip the test */
#define NS_FRESH() \
	do { \
		if (!ns_fresh()) \
			UNIT_SKIP("no network namespace can be made here"); \
	} while (0)

#endif /* TESTS_NS_H */
