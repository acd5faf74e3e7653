/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_trial - packets for and of jails, tried with a base chain of somebody else
 *
 * Owns:	 the rules of the chain's table, until doctor_trial_end().
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_TRIAL_H
#define HOST_DOCTOR_TRIAL_H

#include "host/doctor_base.h"
#include "host/doctor_rules.h"

#define DOCTOR_TRIAL_MAX	1024u	/* packets of one kind that are tried with a chain */
#define DOCTOR_TRIAL_TOLD	16u	/* rules of one chain that are told */
#define DOCTOR_DNAT		0x120u	/* IPS_DST_NAT, IPS_DST_NAT_DONE */
#define DOCTOR_SNAT		0x210u	/* IPS_SRC_NAT, IPS_SRC_NAT_DONE */

/**
 * struct doctor_trial - Packets that are tried with a base chain
 * @x:		Examination
 * @c:		Chain
 * @rules:	Those of its table
 * @told:	Handles of rules that were told
 * @n_told:	So many
 * @n:		Packets tried; the caller may begin anew for another kind of them
 * @is_cut:	One came to the end that drops
 * @is_open:	Of one it is not known what becomes of it
 */
struct doctor_trial {
	struct doctor *x;
	const struct doctor_base *c;
	struct doctor_table rules;
	uint64_t told[DOCTOR_TRIAL_TOLD];
	uint32_t n_told;
	uint32_t n;
	bool is_cut;
	bool is_open;
};

/**
 * doctor_trial_begin() - Read the rules
 * @t:		Trial; is set
 * @x:		Examination
 * @c:		Chain
 *
 * Return: 0, or a negative errno; doctor_trial_end() in any case
 */
MUST_USE int doctor_trial_begin(struct doctor_trial *t, struct doctor *x,
				const struct doctor_base *c);

/**
 * doctor_trial_try() - Try a packet
 * @t:		Trial
 * @p:		Packet
 * @ret:	Set to what becomes of it
 *
 * Return: handle of a rule with conditions that drops or redirects it, or 0
 */
uint64_t doctor_trial_try(struct doctor_trial *t, const struct doctor_probe *p,
			  enum doctor_fate *ret);

/**
 * doctor_trial_tell() - A rule is a finding, once
 * @t:		Trial
 * @handle:	Rule
 * @what:	"drops what is sent by 10.0.0.2 of jail www"
 * @cure:	A line to type
 * @at:		The declaration that suffers
 * @is_note:	It may be as it should
 */
void doctor_trial_tell(struct doctor_trial *t, uint64_t handle, const char *what,
		       const char *cure, struct span at, bool is_note);

/** doctor_trial_end() - Forget the rules */
void doctor_trial_end(struct doctor_trial *t);

#endif /* HOST_DOCTOR_TRIAL_H */
