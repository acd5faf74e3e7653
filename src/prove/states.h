/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * states - free states (ipfw's), as conditions on a packet
 *
 * What is remembered of free states is what was put into sets: that a packet's flow is
 * in the set of a rule, as the packet goes or the other way round, is a variable each.
 * A rule that remembers a flow sets it; what one packet has added is told with what
 * becomes of it.
 *
 * Which set is whose the program's comments say.  They are no part of the trust: a set
 * that is taken for another's is asked and filled where nobody declared it.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_STATES_H
#define PROVE_STATES_H

#include "prove/regs.h"

/**
 * struct proof_record - A rule that remembers flows
 * @r:		The rule
 * @e:		Its effect
 * @flow:	Variables: the packet's flow is there, as it goes and reversed
 */
struct proof_record {
	const struct rule *r;
	const struct effect *e;
	uint32_t flow[2];
};

/** states_init() - All that the rules of a model remember; false: too much */
bool states_init(struct proof *p);

/** states_real() - What can be: a flow is remembered once, by a rule that may have met it */
dd states_real(struct proof *p);

/** states_has() - The condition that record @k has the packet's flow, either way round */
dd states_has(struct proof *p, uint32_t k);

/** states_has_way() - The same of one way */
dd states_has_way(struct proof *p, uint32_t k, bool reversed);

/** states_is_there() - The same of all records that lead where @k does */
dd states_is_there(struct proof *p, uint32_t k, bool reversed);

/** states_write() - @f, when record @k has got the packet's flow, or has it refreshed */
dd states_write(struct proof *p, dd f, uint32_t k, bool reversed);

/** states_is_met() - The condition that the limit of a record is met; false: too many limits */
bool states_is_met(struct proof *p, uint32_t k, dd *ret);

/**
 * struct states_set - What a set of the program is asked
 * @k:		Record that it is of
 * @reversed:	The key is the packet's flow the other way round
 * @kind:	Packets that it may be filled with
 * @is_safe:	Those that come so far are all of @kind
 * @tells:	The key tells the protocol: others are not found
 * @other:	The key is something else than the packet's flow: a word for it; else NULL
 */
struct states_set {
	uint32_t k;
	bool reversed;
	dd kind;
	bool is_safe;
	bool tells;
	const char *other;
};

/**
 * states_of_set() - Of which record a set of the program is
 * @p:		Proof
 * @s:		Set
 * @regs:	Registers
 * @word:	First word of a key for it
 * @when:	Packets that come so far
 * @ret:	Set on success
 *
 * Return: false where it is of none, or is asked with what is not known
 */
bool states_of_set(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, dd when, struct states_set *ret);

/**
 * states_asked() - The condition that a set of the program has a key
 *
 * What it has by a key that is no flow of the packet's is a variable of its own, which
 * no declaration asks for.
 *
 * Return: false where there are too many
 */
bool states_asked(struct proof *p, const struct states_set *of, dd *ret);

/** states_put() - @f, when a set of the program has got a key */
dd states_put(struct proof *p, dd f, const struct states_set *of);

/** states_count() - The condition that a count by a set's key is over what it allows */
bool states_count(struct proof *p, const struct prog_set *s, const struct prog_expr *x,
		  const struct regs *regs, dd when, dd *ret);

#endif /* PROVE_STATES_H */
