/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_walls - what is done inside the jail before the shell starts
 *
 * Each is called once, in this order, in the process that becomes the shell,
 * in new user, mount, network, pid, ipc and uts namespaces.
 *
 * Does not:	 return to the caller's world: a failure ends the process.
 */
#ifndef HOST_SANDBOX_WALLS_H
#define HOST_SANDBOX_WALLS_H

#include "host/sandbox_jail.h"

/**
 * walls_root() - A file system with nothing but what is given, read-only
 * @s:		What is to be in it
 * @fifos:	SANDBOX_ASK, SANDBOX_REPLY and SANDBOX_TURN, opened
 *
 * Return: 0, or a negative errno
 */
MUST_USE int walls_root(const struct sandbox_start *s, int fifos[3]);

/** walls_privileges() - No capability, and none to come; 0 or a negative errno */
MUST_USE int walls_privileges(void);

/** walls_syscalls() - No call that makes namespaces, mounts or sockets; 0 or a negative errno */
MUST_USE int walls_syscalls(void);

/** walls_limits() - CPU, memory, processes, files; 0 or a negative errno */
MUST_USE int walls_limits(void);

#endif /* HOST_SANDBOX_WALLS_H */
