/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Quotas are asked at places of their own, behind all rules of a crossing but the
 * translation of a source.  They refuse, and change nothing: so they are compared by
 * themselves, and the other parts leave their chains out (exec.c).  Nothing may stand
 * behind them that could refuse what they have counted.
 */
#include "prove/work.h"

#include <limits.h>
#include <linux/netfilter.h>

#include "prove/quotas.h"

static const struct quota_place {
	const char *name;
	uint32_t hook;
	int32_t prio;
	enum direction dir;
	enum part jail;
	bool places;
	bool is_own;		/* of what the host itself sends, not by lo */
} all[] = {
	{ "quotas of what comes in", NF_INET_PRE_ROUTING, PRIO_QUOTA_IN, DIR_IN, P_DST, true,
	  false },
	{ "quotas of what jails send", NF_INET_POST_ROUTING, PRIO_QUOTA_SRC, DIR_OUT, P_SRC,
	  false, false },
	{ "quotas of the host's own", NF_INET_POST_ROUTING, PRIO_QUOTA_OUT, DIR_OUT, P_DST, true,
	  true },
};

static dd kernel_at(struct work *w, const struct quota_place *at)
{
	const struct exec_at chains = {
		.family = NFPROTO_INET, .hook = at->hook, .prio_lo = at->prio,
		.prio_hi = at->prio, .of_quotas = true,
	};

	return exec_chains(&w->p, &chains, proof_pass(&w->p, 0));
}

void stage_quotas(struct work *w)
{
	const dd none = proof_pass(&w->p, 0), lo = space_is(&w->p.s, P_IFACE, w->p.s.lo);
	const dd own = work_both(w, space_is(&w->p.s, P_RECV, 0), work_no(w, lo));

	quotas_init(&w->p);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		dd declared;

		if (!quotas_declared(&w->p, all[i].jail, all[i].places, none, &declared)) {
			prove_unproven(&w->p, w->ret, "so many limits of connections");
			return;
		}
		if (all[i].is_own)
			declared = dd_ite(w->p.d, own, declared, none);
		work_compare_first(w, all[i].name, all[i].dir, declared, kernel_at(w, &all[i]),
				   w->real);
		if (w->p.m->quotas.n > 0 && all[i].prio != PRIO_QUOTA_SRC)
			work_compare(w, "behind quotas", all[i].dir, none,
				     work_chains(w, all[i].hook, all[i].prio, INT_MAX, false,
						 none), w->real);
	}
}
