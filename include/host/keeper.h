/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper - a process that tidies up when another has ended
 *
 * Who seals itself (host/seal.h) can no longer take away what it made of routes
 * and settings.  The keeper can, and does nothing else: it waits for the other's
 * end, whatever that is, and calls one function.
 *
 * Owns:	 one process, which has CAP_NET_ADMIN and no other capability, and no
 *		 descriptor but its own end of a pair of sockets and a lock.
 * Does not:	 read anything from the other process.
 * Threads:	 none, neither before nor after.
 */
#ifndef HOST_KEEPER_H
#define HOST_KEEPER_H

#include "base/base.h"

/**
 * struct keeper - A waiting keeper
 * @fd:		The other end of its sockets, -1: none
 */
struct keeper {
	int fd;
};

/**
 * keeper_start() - Start a keeper
 * @k:		Set on success
 * @lock:	A descriptor that it keeps open until it is done, -1: none
 * @tidy:	What it does in the end; 0 or a negative errno
 * @arg:	For @tidy, as it is now
 *
 * Call it before anything is opened that must go with this process.
 *
 * Return: 0 or a negative errno
 */
MUST_USE int keeper_start(struct keeper *k, int lock, int (*tidy)(void *arg), void *arg);

/**
 * keeper_stop() - Have it tidy up now, and wait for that
 * @k:		Keeper; none afterwards
 *
 * Return: what its function returned; -ECHILD: it is gone
 */
MUST_USE int keeper_stop(struct keeper *k);

#endif /* HOST_KEEPER_H */
