/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share - what the workers of one NAT have in common, and whose a packet is
 *
 * Each inside address is one worker's: its endpoints, ports, flows and quota are there
 * and nowhere else.  Outside ports are lent from one pool of all, so that a port can be
 * kept whoever asks; beside it stands which worker has it.
 *
 *	before they part:   nat_config.shared = memory of nat_shared_bytes(), the
 *			    same for all; nat_shared_init()
 *	each of them:	    nat_config.worker, nat_init()
 *	NAT_ELSEWHERE, or nat_made.worker:  hand it on, with a struct nat_errand
 *	what was handed on: nat_handed()
 *
 * Owns:	 nothing; the memory is the caller's, and shared by all workers.
 * Does not:	 lock: a port is taken by one atomic instruction, and no packet of a flow
 *		 that is known looks here.
 * Threads:	 any number of workers, each with a struct nat of its own.
 */
#ifndef NAT_SHARE_H
#define NAT_SHARE_H

#include "nat/nat.h"

#define NAT_HINTS_OF	65536u			/* hints of one protocol */
#define NAT_HINTS	(3 * NAT_HINTS_OF)	/* UDP, TCP, queries of ICMP */

/**
 * struct nat_errand - What goes with a packet from worker to worker
 * @flags:	NAT_P_SECOND, NAT_P_JUDGED, NAT_P_HOST of nat_packet.flags
 * @hops:	Workers that have handed it on
 * @longest:	Of a datagram that came in fragments: bytes of the longest; 0: of none
 * @ruling:	With NAT_P_JUDGED: what the rules have said; not which source it gets
 */
struct nat_errand {
	uint8_t flags;
	uint8_t hops;
	uint16_t longest;
	struct nat_ruling ruling;
};

/** nat_shared_bytes() - Memory that workers share; of a configuration that is right */
size_t nat_shared_bytes(const struct nat_config *cfg);

/** nat_shared_init() - Prepare nat_config.shared: no port is lent but those never to be */
void nat_shared_init(const struct nat_config *cfg);

/**
 * nat_worker_of() - Whose flows of an inside address are
 * @a:		Address
 * @proto:	Protocol: those without ports are the first worker's
 * @n_workers:	How many there are
 *
 * Neighbouring addresses are different workers'.
 *
 * Return: its number
 */
uint8_t nat_worker_of(struct addr a, uint8_t proto, uint32_t n_workers);

/** nat_hint_at() - Where the hint for packets to an address and port stands */
static inline uint32_t nat_hint_at(uint32_t pool, uint32_t addr_low, uint16_t port)
{
	return pool * NAT_HINTS_OF + (uint16_t)(addr_low + port);
}

/**
 * nat_errand_of() - What goes with a packet that is NAT_ELSEWHERE
 * @nat:	NAT
 * @p:		It
 * @came:	Of nat_handed(), or NULL
 * @ret:	Set
 */
void nat_errand_of(const struct nat *nat, const struct nat_packet *p,
		   const struct nat_errand *came, struct nat_errand *ret);

/**
 * nat_handed() - A packet that another worker has handed on
 * @nat:	NAT
 * @now_ns:	As of nat_batch()
 * @p:		Packet; its verdict is set
 * @e:		What came with it; believed no further than any packet is
 *
 * Counts no packet: who got it first has.
 */
void nat_handed(struct nat *nat, uint64_t now_ns, struct nat_packet *p,
		const struct nat_errand *e);

#endif /* NAT_SHARE_H */
