/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy_work - what the files of the policy share
 *
 * Owns:	 nothing; lives in the model's arena.
 * Threads:	 none.
 */
#ifndef MODEL_POLICY_WORK_H
#define MODEL_POLICY_WORK_H

#include "model/policy.h"

/**
 * struct work - The work of one policy_add()
 * @m:		Model
 * @o:		What is switched off
 * @diags:	Diagnostics
 * @inside:	Numbers of lo, cloned loopbacks, jails' links
 * @outside:	All others
 */
struct work {
	struct model *m;
	const struct policy_options *o;
	struct diags *diags;
	const struct set *inside;
	const struct set *outside;
};

typedef void rule_fn(struct work *w, const struct rule *r, void *arg);

/** policy_each_rule() - Call @fn for each rule that can be reached in a direction */
void policy_each_rule(struct work *w, enum direction dir, rule_fn *fn, void *arg);

/** policy_may_cross() - Can a rule match at an interface in a direction */
bool policy_may_cross(const struct rule *r, enum direction dir, uint32_t iface);

/** policy_public() - Addresses of the real interfaces in @ifaces (NULL: all), not behind a fence */
const struct set *policy_public(const struct work *w, const struct set *ifaces);

/**
 * policy_local_redirects() - Redirects of nat instances again, for local callers
 * @w:		Work
 * @list:	Where they go: a rule each, which returns
 */
void policy_local_redirects(struct work *w, uint32_t list);

#endif /* MODEL_POLICY_WORK_H */
