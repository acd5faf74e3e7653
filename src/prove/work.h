/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * work - a proof of one family, and the parts that it has
 *
 * What the files of the parts share: work.c says what packets there can be and
 * which are compared, stage_directed.c and stage_free.c compare what a discipline of
 * states does, stage_link.c what is below IP.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_WORK_H
#define PROVE_WORK_H

#include "prove/exec.h"
#include "prove/stages.h"

#define PRIO_DNAT	(-100)
#define PRIO_SNAT	100

/**
 * struct work - A proof of one family
 * @p:		Proof
 * @ret:	What it comes to
 * @real:	Packets that there can be
 * @fresh:	Those of which nothing is remembered
 */
struct work {
	struct proof p;
	struct prove_result *ret;
	dd real;
	dd fresh;
};

/** work_bit() - The condition that a part of one bit is 1 */
dd work_bit(struct work *w, enum part part);

/** work_no() - The condition does not hold */
dd work_no(struct work *w, dd x);

/** work_both() - Both conditions hold */
dd work_both(struct work *w, dd x, dd y);

/** work_real() - What can be: of connections, routes, tags, owners */
dd work_real(struct work *w);

/** work_own_answers() - The kernel's answers to what was refused, which rules do not judge */
dd work_own_answers(struct work *w, enum direction dir);

/** work_judged() - Packets that a filter of directed states is asked for */
dd work_judged(struct work *w, enum direction dir);

/** work_first() - The first packet of a flow that conntrack knows, not yet translated */
dd work_first(struct work *w);

/** work_chains() - What becomes of a packet in the base chains of inet at a hook */
dd work_chains(struct work *w, uint32_t hook, int32_t lo, int32_t hi, bool is_nat, dd passed);

/** work_compare() - Compare a part, its name completed by the family */
void work_compare(struct work *w, const char *name, enum direction dir, dd declared, dd kernel,
		  dd where);

/** work_compare_early() - As work_compare(), of a part that others come behind */
void work_compare_early(struct work *w, const char *name, enum direction dir, dd declared,
			dd kernel, dd where);

/** work_compare_first() - As work_compare(), packets shown with where they first went */
void work_compare_first(struct work *w, const char *name, enum direction dir, dd declared,
			dd kernel, dd where);

/** work_has_source_fence() - Is it declared that nobody speaks in another's name */
bool work_has_source_fence(const struct model *m);

/** stage_directed() - All that a model of directed states does behind the fences */
void stage_directed(struct work *w);

/** stage_free() - All that a model of free states does behind the fences */
void stage_free(struct work *w);

/** stage_free_nat() - The parts of it that a translation has its place in */
void stage_free_nat(struct work *w);

/** stage_quotas() - How many connections there may be */
void stage_quotas(struct work *w);

/** stage_arp() - ARP */
void stage_arp(struct work *w);

/** stage_bridges() - What crosses bridges, of the proof's family; with IPv4 all that is not IP */
void stage_bridges(struct work *w);

#endif /* PROVE_WORK_H */
