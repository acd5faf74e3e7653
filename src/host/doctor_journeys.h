/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_journeys - packets from one place to another, at base chains of somebody else
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_JOURNEYS_H
#define HOST_DOCTOR_JOURNEYS_H

#include "host/doctor_trial.h"

/**
 * doctor_journeys_try() - Try what comes for jails, what they send, and siblings, with a chain
 * @t:	Trial
 *
 * Of chains of packets only what siblings and the host send to jails: all else is
 * doctor_chains()'s.  What cannot be judged is a note that names the chain, where it
 * is one of frames.
 */
void doctor_journeys_try(struct doctor_trial *t);

/**
 * doctor_journeys_called() - Somebody's first packet of a forward, as a chain of frames sees it
 * @x:		Examination
 * @c:		Chain
 * @f:		Forward
 * @src:	Somebody
 * @ret:	Set to the packet, where it comes there
 *
 * Return: whether it does
 */
bool doctor_journeys_called(const struct doctor *x, const struct doctor_base *c,
			    const struct doctor_forward *f, struct addr src,
			    struct doctor_probe *ret);

#endif /* HOST_DOCTOR_JOURNEYS_H */
