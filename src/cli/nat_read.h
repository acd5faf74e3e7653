/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_read - the userspace NAT over a capture
 *
 * Threads:	 none.
 */
#ifndef CLI_NAT_READ_H
#define CLI_NAT_READ_H

#include "cli/cli.h"
#include "cli/nat_rules.h"
#include "port/capture.h"

#define NAT_READ_TOP	10u	/* forwards that the summary names */

/**
 * struct nat_sides - What is inside and what outside, of a capture
 * @cfg:	Of the NAT
 * @rules:	Its judge, where there are declarations
 * @d:		The declarations
 * @has_rules:	There are some
 */
struct nat_sides {
	struct nat_config cfg;
	struct nat_rules rules;
	struct declared d;
	bool has_rules;
};

/**
 * nat_sides_make() - Read the options and declarations
 * @c:		Run
 * @s:		Filled; its pointers lead into @c's arena
 *
 * Return: 0, or an exit status with a diagnostic
 */
int nat_sides_make(struct cli *c, struct nat_sides *s);

/** struct nat_forward - A redirect that packets met: how many, of which flow */
struct nat_forward {
	uint64_t packets;
	struct nat_flow flow;
};

/**
 * struct nat_tally - What became of a capture
 * @packets:	Records read
 * @no_ip:	Of these, no IP packets
 * @no_side:	Of these, neither from inside nor to the outside
 * @written:	Records written
 * @forwards:	Redirects met
 * @said:	With --explain and --json: a line for each packet; else NULL
 */
struct nat_tally {
	uint64_t packets;
	uint64_t no_ip;
	uint64_t no_side;
	uint64_t written;
	VEC(struct nat_forward) forwards;
	char *said;
};

/** nat_tally_flow() - Count a packet of a flow for the redirect that led it */
void nat_tally_flow(struct cli *c, struct nat_tally *t, const struct nat_flow *f);

/** nat_tally_print() - The summary, as text or as the JSON object of the run */
void nat_tally_print(struct cli *c, const struct nat_sides *s, const struct nat_tally *t,
		     const struct nat *nat, FILE *out);

/** nat_explain() - One line: what became of packet number @n and which rule said so */
void nat_explain(struct cli *c, const struct nat_sides *s, const struct nat *nat, uint64_t n,
		 const struct nat_packet *p, const struct nat_ask *asked, FILE *out);

/**
 * nat_state_load() - Take up what a file of --state holds
 * @c:		Run
 * @path:	File; none is no error
 * @nat:	NAT, as new
 * @now_ns:	Time
 *
 * Return: 0, or an exit status with a diagnostic
 */
int nat_state_load(struct cli *c, const char *path, struct nat *nat, uint64_t now_ns);

/** nat_state_save() - Replace that file, whole or not at all; 0 or an exit status */
int nat_state_save(struct cli *c, const char *path, const struct nat *nat);

/** nat_over_capture() - The verb with --read; an exit status */
int nat_over_capture(struct cli *c);

#endif /* CLI_NAT_READ_H */
