/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flat_work - what the two ways to make a model flat share
 *
 * Threads:	 none.
 */
#ifndef MODEL_FLAT_WORK_H
#define MODEL_FLAT_WORK_H

#include "model/flat.h"

/**
 * struct flatten - A model on its way
 * @m:		Model
 * @a:		Memory
 * @f:		What it becomes
 * @late:	pf: rules without quick, in order: the last that matches counts
 * @keeps:	ipfw: what passes on this way is remembered
 * @linked:	ipfw: what comes in is remembered by nat, and so are its answers
 * @asked:	ipfw: name of the states that were looked for, + 1; 0: none yet
 */
struct flatten {
	const struct model *m;
	struct arena *a;
	struct flat *f;
	struct flat_list late;
	bool keeps;
	struct flat_list linked;
	uint32_t asked;
};

/** flat_refuse() - Say what cannot be flat, once; false */
bool flat_refuse(struct flatten *w, struct origin at, const char *what);

/** flat_add() - Add a rule; false: too many */
bool flat_add(struct flatten *w, struct flat_list *l, const struct flat_rule *r);

/** flat_enter() - Narrow @r, which becomes @by's, to what rule @by matches; false: to nothing */
bool flat_enter(struct flatten *w, struct flat_rule *r, const struct rule *by);

/** flat_plain() - Is a ruling one that other languages have; else it is refused */
bool flat_plain(struct flatten *w, const struct ruling *r, struct origin at);

/** flat_directed() - The lists of a model of pf's */
bool flat_directed(struct flatten *w);

/** flat_free() - The lists of a model of ipfw's */
bool flat_free(struct flatten *w);

#endif /* MODEL_FLAT_WORK_H */
