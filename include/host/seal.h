/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seal - give up everything but what is open
 *
 * For a process that reads packets from strangers: once it has its descriptors,
 * it becomes an ordinary user without capabilities in an empty root directory,
 * whose system calls are those that NEEDS_CALL() names.
 *
 * Owns:	 nothing.
 * Does not:	 close descriptors.
 * Threads:	 the caller is the only one.
 * Normative:	 seccomp(2), capabilities(7), landlock(7).
 */
#ifndef HOST_SEAL_H
#define HOST_SEAL_H

#include "base/base.h"

#define SEAL_UID	65534u		/* nobody, and nogroup */
#define SEAL_MOST_CALLS	20u

/**
 * struct seal - How tight it is
 * @has_root:	The root directory is empty; false: not permitted here
 * @has_user:	The user is SEAL_UID; false: this user namespace knows no such, so it
 *		stays the ordinary user that made it
 * @landlock:	Version of Landlock that is in force, 0: this kernel has none
 * @n_calls:	System calls left
 */
struct seal {
	bool has_root;
	bool has_user;
	int landlock;
	uint32_t n_calls;
};

/**
 * seal_enter() - Seal this process
 * @ret:	Set on success
 *
 * There is no way back, and on failure no way on either: the caller ends.
 *
 * Return: 0, or a negative errno
 */
MUST_USE int seal_enter(struct seal *ret);

/**
 * seal_walls() - All walls but the last, that of the system calls
 * @ret:	Set on success, but for the number of calls
 *
 * For tests: what a call is refused by depends on these alone then.
 *
 * Return: 0, or a negative errno
 */
MUST_USE int seal_walls(struct seal *ret);

/**
 * seal_calls() - The system calls that a sealed process may make
 * @ret:	Filled, ascending, none twice
 * @max:	Room
 *
 * Return: how many there are, perhaps more than @max
 */
uint32_t seal_calls(int *ret, uint32_t max);

#endif /* HOST_SEAL_H */
