/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules with free states that translate nothing judge a packet in one go, in and out.
 */
#include "prove/work.h"

#include <limits.h>
#include <linux/netfilter.h>

#include "prove/sem.h"

/* Rules that translate nothing judge a packet in one go, in and out */
void stage_free(struct work *w)
{
	static const struct { uint32_t hook; const char *name; } hooks[] = {
		{ NF_INET_FORWARD, "rules for what is forwarded" },
		{ NF_INET_LOCAL_OUT, "rules for the host's own" },
	};
	const dd none = proof_pass(&w->p, 0), own = space_is(&w->p.s, P_RECV, 0);
	const dd out = sem_free(&w->p, DIR_OUT, none);
	const dd leaves = work_both(w, w->real, work_no(w, work_own_answers(w, DIR_OUT)));

	work_compare(w, "rules", DIR_IN, sem_free(&w->p, DIR_IN, sem_after(&w->p, DIR_IN, none)),
		     work_chains(w, NF_INET_PRE_ROUTING, PRIO_CONNTRACK + 1, INT_MAX, false, none),
		work_both(w, w->real, work_no(w, work_own_answers(w, DIR_IN))));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		work_compare(w, hooks[i].name, DIR_OUT, out,
			     work_chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, none),
			work_both(w, leaves,
				  hooks[i].hook == NF_INET_FORWARD ? work_no(w, own) : own));
	work_compare(w, "fences of what leaves", DIR_OUT, sem_after(&w->p, DIR_OUT, none),
		     work_chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, false, none), w->real);
	for (uint32_t hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		work_compare(w, "translation", DIR_IN, none,
			     work_chains(w, hook, INT_MIN, INT_MAX, true, none), w->real);
	work_compare(w, "input", DIR_IN, none,
		     work_chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, false, none), w->real);
}
