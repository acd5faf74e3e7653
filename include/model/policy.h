/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - the rules that make a Linux host as safe as the guides assume
 *
 * On FreeBSD an address of lo1 cannot be reached from outside, a forward is
 * reached by everybody who uses the public address, and the guides rely on
 * both.  The policy adds ordinary rules around what the user wrote: fences,
 * and forwards for local callers.  Each can be switched off alone.
 *
 * Does not:	 change a written rule.
 * Threads:	 none.
 */
#ifndef MODEL_POLICY_H
#define MODEL_POLICY_H

#include "model/decl.h"
#include "model/model.h"

/**
 * struct policy_options - What is switched off
 * @off:	By policy; all false is the default
 */
struct policy_options {
	bool off[N_POLICIES];
};

/**
 * policy_add() - Add the policy to a model
 * @m:		Model with the written rules; gains before and after lists, and
 *		its interior
 * @o:		What is switched off
 * @diags:	Told where a written rule does less than it seems
 */
void policy_add(struct model *m, const struct policy_options *o, struct diags *diags);

/**
 * policy_fence_more() - Fence more addresses, as inside ones that no rule lifts
 * @m:		Model after policy_add()
 * @o:		What is switched off
 * @more:	Addresses; added to the model's interior
 */
void policy_fence_more(struct model *m, const struct policy_options *o, const struct set *more);

/**
 * policy_interior() - The addresses that are behind the fences
 * @m:		Model with the written rules
 *
 * Networks of cloned loopbacks and jails' links that are private, or that a
 * nat rule covers; without addresses that a real interface has.
 *
 * Return: the set
 */
const struct set *policy_interior(const struct model *m);

#endif /* MODEL_POLICY_H */
