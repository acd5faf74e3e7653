/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flat - a model as three plain lists, to be written in another language
 *
 * Lists that lead to each other become one list of rules of which the first that
 * matches decides.  Before it stand two more: redirects of what comes in, and
 * translations of what goes out, each with the rules that keep packets from them.
 *
 *	in:   what has a state passes; rdr, first match; filter
 *	out:  what has a state passes; nat, first match; filter
 *
 * That is pf's order, and ipfw's where its rules are written as guides write them:
 * what stands before `nat` decides for packets as they come.
 *
 * Owns:	 nothing; lives in the model's arena.
 * Does not:	 look at the policy around the rules.
 * Threads:	 none.
 */
#ifndef MODEL_FLAT_H
#define MODEL_FLAT_H

#include "model/model.h"

#define FLAT_MOST	8192u	/* rules that lists may become */

/**
 * enum flat_act - What a flat rule does
 * @FLAT_DECIDE:	Its ruling stands
 * @FLAT_TRANSLATE:	It translates
 * @FLAT_EXEMPT:	It keeps packets from the translations behind it
 */
enum flat_act { FLAT_DECIDE, FLAT_TRANSLATE, FLAT_EXEMPT };

/**
 * struct flat_rule - A rule
 * @in:		By field: the set that it must be in, or NULL for anything
 * @prob:	As rule.prob
 * @is_logged:	What it decides is logged
 * @act:	What it does
 * @ruling:	FLAT_DECIDE: what stands; with .keep it is remembered
 * @x:		FLAT_TRANSLATE: the translation
 * @is_pass:	FLAT_TRANSLATE: what it translates passes; else the filter judges it as
 *		it is then
 * @origin:	Of the rule that it was
 */
struct flat_rule {
	const struct set *in[N_FIELDS];
	uint32_t prob;
	bool is_logged;
	enum flat_act act;
	struct ruling ruling;
	const struct xlate *x;
	bool is_pass;
	struct origin origin;
};

/** struct flat_list - Rules, the first that matches counts */
struct flat_list {
	VEC(struct flat_rule) rules;
};

/**
 * struct flat - A model, flat
 * @skipped:	Interfaces that are not looked at, or NULL
 * @rdr:	Of what comes in
 * @nat:	Of what goes out
 * @filter:	The rest; the last rule matches everything
 * @drops_opts:	As model.drops_opts
 * @is_free:	The model's states are free (ipfw's)
 * @refused:	What cannot be flat, or NULL
 * @refused_at:	Whose it is
 */
struct flat {
	const struct set *skipped;
	struct flat_list rdr;
	struct flat_list nat;
	struct flat_list filter;
	bool drops_opts;
	bool is_free;
	const char *refused;
	struct origin refused_at;
};

/**
 * flat_model() - Make a model flat
 * @m:		Model
 * @ret:	Set; where it says that something was refused, the lists are not all there
 *
 * Return: true, or false where something was refused
 */
MUST_USE bool flat_model(const struct model *m, struct flat *ret);

/** flat_meet() - Narrow @r to a field's set; false: nothing is left */
MUST_USE bool flat_meet(struct arena *a, struct flat_rule *r, enum field f, const struct set *in);

/** flat_families() - Families that addresses and family of a rule leave, SET_HAS_* */
unsigned int flat_families(const struct flat_rule *r);

/** flat_narrow() - Narrow @r to what @by matches too; false: nothing is left */
MUST_USE bool flat_narrow(struct arena *a, struct flat_rule *r, const struct flat_rule *by);

/** flat_meets() - Might a packet match both */
bool flat_meets(struct arena *a, const struct flat_rule *x, const struct flat_rule *y);

#endif /* MODEL_FLAT_H */
