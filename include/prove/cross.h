/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cross - do a declaration in pf's manner and one in ipfw's mean the same
 *
 * The two remember in two ways: pf a flow as it crosses in one direction, and its
 * answers; ipfw two ends, in any direction.  So it is packets that are compared and not
 * memories: what each says of every packet of which nothing is remembered, and of all
 * packets of every conversation, each in a world that remembers nothing else.
 *
 *	compared	verdict, what a refusal is answered with, translation.  Where
 *			nothing translates: of all packets of which nothing is
 *			remembered.  And of all connections in, out, through and within
 *			the host: the first packet with any TCP flags at each crossing,
 *			answers and later packets with any flags, also after a refusal,
 *			until nothing more is remembered
 *	tried		conversations of which that cannot be said (pools of several
 *			addresses, lots, low limits, changes of headers): told
 *	not compared	what conversations do to each other (limits, ports that are
 *			taken); packets with IP options; what comes from outside with one
 *			of the host's own addresses (no kernel takes it); what would leave
 *			by where it came; ICMP but for queries and their answers; sockets
 *			that speak with themselves; answers to redirected local callers;
 *			lifetimes; logs
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_CROSS_H
#define PROVE_CROSS_H

#include "prove/prove.h"

/**
 * prove_cross() - Compare two declarations, whatever their languages
 * @m:		Declarations
 * @other:	Others, of the same names and the same host
 * @a:		Memory
 * @ret:	Gains a packet that shows a difference, and what could not be proven
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int prove_cross(const struct model *m, const struct model *other, struct arena *a,
			 struct prove_result *ret);

#endif /* PROVE_CROSS_H */
