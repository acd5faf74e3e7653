/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox_jail - the walls of the sandbox
 *
 * Owns:	 the child process that it starts, until its caller waits for it.
 * Does not:	 speak with the script; see sandbox.c.
 * Threads:	 none.
 */
#ifndef HOST_SANDBOX_JAIL_H
#define HOST_SANDBOX_JAIL_H

#include <sys/types.h>

#include "host/sandbox.h"

#define SANDBOX_LIBS		16u
#define SANDBOX_PATH_BYTES	256u
#define SANDBOX_SHELL		"/lib/shell"	/* not "busybox": that name runs any applet */
#define SANDBOX_SCRIPT		"/run/script"
#define SANDBOX_START		"/run/start"
#define SANDBOX_ASK		"/run/ask"	/* FIFOs: a call, its answer, whose turn it is */
#define SANDBOX_REPLY		"/run/reply"
#define SANDBOX_TURN		"/run/turn"

/**
 * struct sandbox_lib - A file of the host that the sandbox has
 * @host:	Its path outside
 * @inside:	Its path inside
 */
struct sandbox_lib {
	char host[SANDBOX_PATH_BYTES];
	char inside[SANDBOX_PATH_BYTES];
};

/**
 * struct sandbox_libs - The shell, its loader and its libraries
 * @v:		Files, the shell first
 * @n:		How many
 */
struct sandbox_libs {
	struct sandbox_lib v[SANDBOX_LIBS];
	uint32_t n;
};

/** sandbox_find_shell() - Find busybox and what it needs; false: it is not there */
MUST_USE bool sandbox_find_shell(struct sandbox_libs *ret);

/**
 * struct sandbox_start - What the jail is made with
 * @libs:	Shell
 * @script:	Script, files and names of commands
 * @start:	What the shell runs: sets variables, then the script
 * @shim:	Text of each command that is answered
 */
struct sandbox_start {
	const struct sandbox_libs *libs;
	const struct sandbox_script *script;
	const char *start;
	const char *shim;
};

/**
 * struct sandbox_child - A run
 * @pid:	Process outside the jail that waits for the one inside; when it
 *		dies, all inside do
 * @err_fd:	What the script writes to standard error (a socket with SO_PASSCRED,
 *		unix(7)); at its end all
 *		processes of the jail are gone
 * @ask_fd:	SANDBOX_ASK, as are the next two
 * @reply_fd:	Answers
 * @turn_fd:	Turns
 * @end_fd:	sandbox_jail_ended() reads from it
 */
struct sandbox_child {
	pid_t pid;
	int err_fd;
	int ask_fd;
	int reply_fd;
	int turn_fd;
	int end_fd;
};

/**
 * sandbox_jail_start() - Build the jail and start the shell in it
 * @s:		With what
 * @ret:	Set on success; descriptors do not block
 *
 * Return: 0; -ENOTSUP: no user namespaces; another negative errno
 */
MUST_USE int sandbox_jail_start(const struct sandbox_start *s, struct sandbox_child *ret);

/**
 * sandbox_jail_ended() - Has the shell ended
 * @c:		Run
 * @ret_status:	Set to its status as of waitpid(2), or to that of a SIGKILL if
 *		the jail was taken down
 *
 * Return: whether; @c->end_fd is readable when it has
 */
bool sandbox_jail_ended(const struct sandbox_child *c, int *ret_status);

/** sandbox_jail_fini() - Kill what is left of a run, wait for it, and close all */
void sandbox_jail_fini(struct sandbox_child *c);

#endif /* HOST_SANDBOX_JAIL_H */
