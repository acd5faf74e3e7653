/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_plan - what a live NAT is to be, from declarations and options
 *
 * Owns:	 nothing; everything lives in the run's arena.
 * Threads:	 none.
 */
#ifndef CLI_NAT_PLAN_H
#define CLI_NAT_PLAN_H

#include "cli/cli.h"
#include "cli/nat_ports.h"
#include "cli/nat_rules.h"
#include "target/nft_claim.h"

/**
 * struct nat_plan - A live NAT
 * @outside:	Interface that leads outside, Linux's name
 * @inside:	Interface of the jails; NULL: @tun
 * @tun:	Name of the device that the jails' packets are led to, or NULL
 * @cfg:	Of the NAT; @rules is its judge
 * @rules:	The declarations
 * @claim:	What is the NAT's and not the kernel's
 * @ports:	Claimed ports of either protocol, a bitmap
 * @led:	Those that lead to a jail, bitmaps of TCP and UDP
 */
struct nat_plan {
	const char *outside;
	const char *inside;
	const char *tun;
	struct nat_config cfg;
	struct nat_rules rules;
	struct claim claim;
	uint8_t ports[NAT_PORTS_ALL / 8];
	uint8_t led[2][NAT_PORTS_ALL / 8];
};

/** nat_plan_sides() - Read --inside and --outside; 0 or an exit status */
int nat_plan_sides(struct cli *c, struct nat_plan *p);

/**
 * nat_plan_make() - Plan a live NAT
 * @c:		Run
 * @d:		Declarations
 * @p:		After nat_plan_sides(); filled.  Its pointers lead into @c's arena
 *
 * Return: 0, or an exit status with a diagnostic
 */
int nat_plan_make(struct cli *c, const struct declared *d, struct nat_plan *p);

/** nat_plan_options() - --mapping, --filtering, --timeout, --max-flows, --ports; an exit status */
int nat_plan_options(struct cli *c, struct nat_config *cfg);

/**
 * nat_plan_timeouts() - The times of a pf.conf, and over them those of the command line
 * @c:		Run, whose options nat_plan_options() has taken
 * @pf:		Its "set timeout", or NULL
 * @cfg:	Changed
 */
void nat_plan_timeouts(struct cli *c, const struct pf_file *pf, struct nat_config *cfg);

#endif /* CLI_NAT_PLAN_H */
