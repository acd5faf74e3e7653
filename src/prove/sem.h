/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sem - what declarations mean, as functions
 *
 * The meaning that model_eval() gives to one packet, for all packets at once.  A
 * crossing is taken apart where the kernel takes it apart: fences, translation,
 * filter.  Each part is a function of the packet as that part sees it.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_SEM_H
#define PROVE_SEM_H

#include "prove/proof.h"

/** sem_fences() - What stands before a language's own list but calls of translations; @passed */
dd sem_fences(struct proof *p, enum direction dir, dd passed);

/**
 * sem_translations() - The translation of a flow's first packet
 * @p:		Proof
 * @dir:	Direction
 * @local:	Those of the policy before the language's own; else both
 * @own:	The language's own
 */
dd sem_translations(struct proof *p, enum direction dir, bool local, bool own);

/** sem_touches() - The condition that a language's own translation has a rule for a packet */
dd sem_touches(struct proof *p, enum direction dir);

/** sem_tagged() - @then, behind the tags that a language's own translations give */
dd sem_tagged(struct proof *p, enum direction dir, dd then);

/** sem_has_state() - The condition that a packet has a state */
dd sem_has_state(struct proof *p, enum direction dir);

/** sem_tags() - Do they give any */
bool sem_tags(const struct model *m, enum direction dir);

/** enum sem_answers - What becomes of refusals that are answered */
enum sem_answers { SEM_ANSWERED, SEM_SILENT };

/** sem_scrub() - What a language's own list changes in headers first, and @then */
dd sem_scrub(struct proof *p, enum direction dir, dd then);

/** sem_filter() - The language's own list without translations, then what stands after it */
dd sem_filter(struct proof *p, enum direction dir, enum sem_answers answers);

/** sem_after() - What stands behind a language's own list, and then @passed */
dd sem_after(struct proof *p, enum direction dir, dd passed);

/** sem_free() - The list of a model with free states that translates nothing, then @passed */
dd sem_free(struct proof *p, enum direction dir, dd passed);

/** sem_free_before() - The same up to its nat rules, which are told as places */
dd sem_free_before(struct proof *p, enum direction dir);

/** sem_free_behind() - What comes behind a nat rule, then @passed */
dd sem_free_behind(struct proof *p, enum direction dir, struct proof_hand at, dd passed);

/**
 * sem_instance() - What a nat instance makes of a flow's first packet
 * @p:		Proof
 * @dir:	Direction
 * @x:		Translation of kind XL_INSTANCE
 * @then:	What becomes of a packet that it changes, by the number of what it is
 * @arg:	For @then
 * @unchanged:	And of one that it leaves as it is
 *
 * Return: the function
 */
dd sem_instance(struct proof *p, enum direction dir, const struct xlate *x,
		dd (*then)(void *arg, uint32_t xlate), void *arg, dd unchanged);

/** sem_instance_addrs() - Addresses that an instance gives to packets of a direction */
const struct set *sem_instance_addrs(struct proof *p, enum direction dir, const struct xlate *x);

/** sem_late_redirects() - Redirects that jails on links of their own meet behind the list */
dd sem_late_redirects(struct proof *p, dd unchanged);

/**
 * sem_head() - Where the filter of a language's own list begins
 * @m:		Model
 * @list:	List
 *
 * Return: number of its first rule that is neither a look for states, nor `skip`,
 * nor a call of translations or changes of headers
 */
uint32_t sem_head(const struct model *m, uint32_t list);

/** sem_match() - The condition of a rule, but for its draw */
dd sem_match(struct proof *p, enum direction dir, const struct rule *r);

/** sem_headers() - The same, but for tags: what a rule asks of what no rule changes */
dd sem_headers(struct proof *p, enum direction dir, const struct rule *r);

/** sem_with_tags() - @headers, and what a rule asks of tags */
dd sem_with_tags(struct proof *p, const struct rule *r, dd headers);

/** sem_in_map() - The condition that a table of forwards has a packet's destination */
dd sem_in_map(struct proof *p, const struct portmap *map);

/** sem_by_map() - The translation by a table; @to says all but where each row leads */
dd sem_by_map(struct proof *p, const struct portmap *map, struct proof_to *to);

#endif /* PROVE_SEM_H */
