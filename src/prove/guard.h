/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard - what vnet jails may not say in another's name, below what a model judges
 *
 * The source fence of a model judges IP packets.  ARP, neighbour discovery and frames
 * on a bridge are fenced by the same facts of the same jails.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_GUARD_H
#define PROVE_GUARD_H

#include "prove/proof.h"

/** guard_nd() - Neighbour discovery that a routed jail may not send; IPv6 */
dd guard_nd(struct proof *p);

/** guard_arp() - ARP that a routed jail may not send; @p is of ARP */
dd guard_arp(struct proof *p);

/** guard_port() - What a jail on a bridge may not send, of frames of @p->ethertype */
dd guard_port(struct proof *p);

#endif /* PROVE_GUARD_H */
