/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw - the command line of ipfw(8), on this host
 *
 * ipfw_args.c reads it, ipfw.c carries out what changes something, ipfw_ask.c
 * answers questions, ipfw_say.c words refusals as ipfw does.
 *
 * Owns:	 nothing; lives in the arena of the run.
 */
#ifndef CLI_IPFW_H
#define CLI_IPFW_H

#include "cli/cli.h"
#include "lang/ipfw_show.h"

/**
 * struct ipfw_call - A call
 * @src:	Source of its words: the command line, or the file
 * @is_file:	A file of rules
 * @cmds:	Commands: one, or those of the file
 * @replies:	What was said of them
 * @text:	The ruleset that they left behind, as text
 * @made:	Places in it of the rules that they made
 * @counters:	-a, or show
 * @actions:	-b
 * @compact:	-c
 * @dynamic:	-d: 1; -D: 2
 * @force:	-f
 * @dry_run:	-n
 * @quiet:	-q
 * @sets:	-S
 * @time:	-t, -T
 */
struct ipfw_call {
	uint32_t src;
	bool is_file;
	struct ipfw_cmds cmds;
	struct ipfw_replies replies;
	const char *text;
	struct ipfw_spans made;
	bool counters;
	bool actions;
	bool compact;
	int dynamic;
	bool force;
	bool dry_run;
	bool quiet;
	bool sets;
	enum ipfw_time time;
};

/** ipfw_args_read() - Read the words after the verb; 0, -1 (help was printed) or an exit status */
int ipfw_args_read(struct cli *c, struct lang_ctx *ctx, struct ipfw_call *call);

/** ipfw_verb_index() - First word of a command behind options and "set N"; @ret_set: N or -1 */
uint32_t ipfw_verb_index(const struct ipfw_cmd *cmd, int32_t *ret_set);

/** ipfw_word_at() - A word of a command, or "" */
const char *ipfw_word_at(const struct ipfw_cmd *cmd, uint32_t i);

/** ipfw_call_run() - Carry out the call's commands on the ruleset that there is */
void ipfw_call_run(struct cli *c, struct lang_ctx *ctx, struct declared *d);

/** ipfw_is_question() - Does a command only ask */
bool ipfw_is_question(const struct ipfw_cmd *cmd);

/** ipfw_ask() - Answer a question on @c->out; 0 or an exit status, told */
int ipfw_ask(struct cli *c, const struct ipfw_cmd *cmd, const struct declared *d);

/** ipfw_refuse_forwards() - Say of $nat and $forward of jails how ipfw says it; 65 */
int ipfw_refuse_forwards(struct cli *c, const struct declared *from);

/** ipfw_say() - "ipfw: TEXT" on standard error, "Line N: TEXT" of a file at @at */
void ipfw_say(struct cli *c, struct span at, const char *fmt, ...) PRINTF(3, 4);

/** ipfw_refused() - Word the first error as ipfw does; its exit status, or @status */
int ipfw_refused(struct cli *c, int status);

/**
 * cli_rc_firewall() - Do the rules that rc.conf's firewall_type makes count
 * @c:		Run; told where rc.conf asks for rules and there are none
 * @d:		Declarations
 *
 * Return: true where no rules are given with -f, and these are known
 */
bool cli_rc_firewall(struct cli *c, const struct decl *d);

/** cli_rc_firewall_source() - Those rules as a source; @says_one_pass: something else says it */
uint32_t cli_rc_firewall_source(struct cli *c, const struct decl *d, bool says_one_pass);

#endif /* CLI_IPFW_H */
