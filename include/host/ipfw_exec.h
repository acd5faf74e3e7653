/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw_exec - learn a firewall script's rules by running it in the sandbox
 *
 * The script calls ipfw and sysctl, which record, and asks its host with
 * ifconfig, jls, hostname, route and sysctl -n, which are answered from what
 * is declared.
 *
 * Owns:	 nothing; what it records lives in the context's arena.
 * Does not:	 understand ipfw's language (the caller's @answer does), or ask
 *		 the live host.
 * Threads:	 none.
 */
#ifndef HOST_IPFW_EXEC_H
#define HOST_IPFW_EXEC_H

#include "lang/ipfw.h"
#include "model/decl.h"

/**
 * struct ipfw_exec_answer - What ipfw says to one call
 * @status:	Exit status: 0; 64 usage, 65 data, 69 refused
 * @out:	Standard output, or NULL
 * @err:	Standard error, or NULL
 * @is_query:	Only asks, as `ipfw list` does: not recorded
 */
struct ipfw_exec_answer {
	int status;
	const char *out;
	const char *err;
	bool is_query;
};

/**
 * struct ipfw_exec - A script and what it is told
 * @c:		Context; told of what is wrong
 * @src:	Script
 * @facts:	Interfaces, addresses and default routes
 * @decl:	Jails and sysctls, or NULL
 * @rc:		Sources of rc.conf, which the script finds as /etc/rc.conf
 * @n_rc:	How many
 * @given:	Sources of other files that it may read, by their names
 * @n_given:	How many
 * @seconds:	Time; 0: SANDBOX_SECONDS
 * @answer:	Answers ipfw's calls, with what was recorded before; NULL:
 *		everything succeeds
 * @arg:	For @answer
 */
struct ipfw_exec {
	struct lang_ctx *c;
	uint32_t src;
	const struct facts *facts;
	const struct decl *decl;
	const uint32_t *rc;
	uint32_t n_rc;
	const uint32_t *given;
	uint32_t n_given;
	uint32_t seconds;
	void (*answer)(void *arg, const struct ipfw_cmd *cmd, const struct ipfw_cmds *before,
		       struct ipfw_exec_answer *ret);
	void *arg;
};

/**
 * ipfw_exec_run() - Run a script
 * @x:		Script
 * @ret:	Commands are added
 *
 * A word that stands in the script's line as it is has its place there; any
 * other is shown in the command as it was run, and where that was.
 *
 * Return: 0; -EINVAL: an error was told of the script; -ENOEXEC or -ENOTSUP:
 * E2310 or E2311 was told; another negative errno of the system, nothing told
 */
MUST_USE int ipfw_exec_run(const struct ipfw_exec *x, struct ipfw_cmds *ret);

/**
 * ipfw_exec_answer() - For struct ipfw_exec: succeed and fail as ipfw(8) does
 * @arg:	The struct lang_ctx; told of nothing
 * @cmd:	Call
 * @before:	What was recorded before
 * @ret:	Set
 *
 * A call is refused for its syntax, and a rule to delete or a table to ask
 * for that is not there; `list`, `show` and `table X list` show what was
 * recorded.
 */
void ipfw_exec_answer(void *arg, const struct ipfw_cmd *cmd, const struct ipfw_cmds *before,
		      struct ipfw_exec_answer *ret);

#endif /* HOST_IPFW_EXEC_H */
