/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw_host - what a script's questions about its host are answered with
 *
 * Does not:	 look at the live host.
 */
#ifndef HOST_IPFW_HOST_H
#define HOST_IPFW_HOST_H

#include "host/ipfw_exec.h"
#include "host/sandbox.h"

/**
 * struct host_query - A command other than ipfw
 * @x:		Run
 * @cmds:	What is recorded; sysctl adds to it
 * @call:	The command
 * @at:		Its place
 */
struct host_query {
	const struct ipfw_exec *x;
	struct ipfw_cmds *cmds;
	const struct sandbox_call *call;
	struct span at;
};

/** ipfw_host_commands() - Commands that ipfw_host_answer() knows, NULL after the last */
const char *const *ipfw_host_commands(void);

/**
 * ipfw_host_answer() - Answer a command
 * @q:		Command
 * @ret:	Set
 *
 * Return: true; false if it is none of ipfw_host_commands()
 */
bool ipfw_host_answer(const struct host_query *q, struct sandbox_answer *ret);

#endif /* HOST_IPFW_HOST_H */
