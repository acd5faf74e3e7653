/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/exec_base.h"

#include <linux/netfilter.h>
#include <string.h>

static bool is_of_quotas(const struct prog_chain *c)
{
	return c->family == NFPROTO_INET && strcmp(c->type, "filter") == 0 &&
	       (c->hook == NF_INET_PRE_ROUTING ? c->prio == PRIO_QUOTA_IN
		: c->hook == NF_INET_POST_ROUTING &&
		  (c->prio == PRIO_QUOTA_SRC || c->prio == PRIO_QUOTA_OUT));
}

static bool is_at(const struct prog_chain *c, const struct exec_at *at)
{
	return c->family == at->family && c->type != NULL && c->hook == at->hook &&
	       c->prio >= at->prio_lo && c->prio <= at->prio_hi &&
	       is_of_quotas(c) == at->of_quotas &&
	       (strcmp(c->type, "nat") == 0) == at->is_nat;
}

const struct prog_chain *exec_base_before(const struct prog *p, const struct exec_at *at,
					  const struct prog_chain *before)
{
	const struct prog_chain *last = NULL;

	for (uint32_t i = 0; i < p->chains.n; i++) {
		const struct prog_chain *c = &p->chains.v[i];

		if (!is_at(c, at) || (before != NULL && (c->prio > before->prio ||
				(c->prio == before->prio && c >= before))))
			continue;
		if (last == NULL || c->prio >= last->prio)
			last = c;
	}
	return last;
}

dd exec_base_no_ct(struct proof *p, const struct exec_at *at, const struct prog_chain *c)
{
	const dd invalid = space_bit(&p->s, P_INVALID, 0);

	if (at->family != NFPROTO_INET)
		return DD_NO_VAR;
	if (at->is_nat || c->prio > PRIO_CONNTRACK ||
	    (at->hook != NF_INET_PRE_ROUTING && at->hook != NF_INET_LOCAL_OUT))
		return invalid;
	/* By lo it comes as it left */
	return at->hook == NF_INET_LOCAL_OUT ? DD_TRUE
		: dd_or(p->d, invalid, dd_not(p->d, space_is(&p->s, P_IFACE, p->s.lo)));
}
