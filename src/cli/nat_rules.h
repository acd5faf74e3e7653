/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_rules - the declarations as the judge of the userspace NAT
 *
 * Owns:	 memory for one question at a time.
 * Does not:	 remember anything: states are the NAT's own.
 * Threads:	 none.
 */
#ifndef CLI_NAT_RULES_H
#define CLI_NAT_RULES_H

#include "model/model.h"
#include "nat/nat.h"

#define NAT_RULES_BYTES	(2u << 20)	/* memory of one question */

/**
 * struct nat_rules - A model that judges
 * @m:		It
 * @outside_if:	Interface that packets leave by, number in the intern table
 * @inside_if:	Interface that the jails' packets come by, the same; 0: they are the
 *		host's own, of alias jails
 * @outside:	Outside addresses of the NAT
 * @n_outside:	How many
 * @keep_lo:	Where the port is to be kept if it is free: only those from here
 * @keep_hi:	to here; another one becomes one of them.  The host has the rest
 * @draw:	For rules with a pool or a probability; counts up
 * @tree:	@m's rules, sorted
 * @scratch:	Memory of one question
 */
struct nat_rules {
	const struct model *m;
	uint32_t outside_if;
	uint32_t inside_if;
	const struct addr *outside;
	uint32_t n_outside;
	uint16_t keep_lo;
	uint16_t keep_hi;
	uint32_t draw;
	const struct ruletree *tree;
	struct arena scratch;
};

/** nat_rules_packet() - What the NAT asks about, without direction and interface */
struct packet nat_rules_packet(const struct nat_ask *ask);

/**
 * nat_rules_make() - Be ready for questions: none asks the system for memory then
 * @r:		Rules, with their model set
 * @a:		Memory of what lives as long as they do
 *
 * Return: 0, -ENOMEM
 */
MUST_USE int nat_rules_make(struct nat_rules *r, struct arena *a);

/** nat_rules_fini() - Give its memory back; also of what was never made, if it is zero */
void nat_rules_fini(struct nat_rules *r);

/** nat_rules_judge() - nat_config.judge; @ctx is a struct nat_rules */
bool nat_rules_judge(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret);

#endif /* CLI_NAT_RULES_H */
