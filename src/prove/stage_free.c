/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules with free states judge a packet in one go, in and out; where a nat rule stands
 * in the middle the kernel cuts the pass in two (stage_free_nat.c).
 */
#include "prove/work.h"

#include <limits.h>
#include <linux/netfilter.h>

#include "prove/sem.h"

static const struct { uint32_t hook; const char *name; } ways_out[] = {
	{ NF_INET_FORWARD, "rules for what is forwarded" },
	{ NF_INET_LOCAL_OUT, "rules for the host's own" },
};

static dd judged(struct work *w, enum direction dir)
{
	return work_both(w, w->real, work_no(w, work_own_answers(w, dir)));
}

static void whole(struct work *w)
{
	const dd none = proof_pass(&w->p, 0), own = space_is(&w->p.s, P_RECV, 0);
	const dd out = sem_free(&w->p, DIR_OUT, none), leaves = judged(w, DIR_OUT);

	work_compare(w, "rules", DIR_IN, sem_free(&w->p, DIR_IN, sem_after(&w->p, DIR_IN, none)),
		     work_chains(w, NF_INET_PRE_ROUTING, PRIO_CONNTRACK + 1, INT_MAX, false, none),
		     judged(w, DIR_IN));
	for (size_t i = 0; i < ARRAY_SIZE(ways_out); i++)
		work_compare(w, ways_out[i].name, DIR_OUT, out,
			     work_chains(w, ways_out[i].hook, INT_MIN, INT_MAX, false, none),
			     work_both(w, leaves, ways_out[i].hook == NF_INET_FORWARD
						  ? work_no(w, own) : own));
	work_compare(w, "fences of what leaves", DIR_OUT, sem_after(&w->p, DIR_OUT, none),
		     work_chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, false, none), w->real);
	for (uint32_t hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		work_compare(w, "translation", DIR_IN, none,
			     work_chains(w, hook, INT_MIN, INT_MAX, true, none), w->real);
}

/* What stands between the halves, and at other hooks: nothing may happen there */
static void nothing_else(struct work *w)
{
	const dd none = proof_pass(&w->p, 0);

	work_compare(w, "before local translation", DIR_OUT, none,
		     work_chains(w, NF_INET_LOCAL_OUT, INT_MIN, PRIO_DNAT, false, none), w->real);
	work_compare(w, "before source translation", DIR_OUT, none,
		     work_chains(w, NF_INET_POST_ROUTING, INT_MIN, PRIO_SNAT, false, none),
		     w->real);
	for (uint32_t hook = NF_INET_LOCAL_IN; hook <= NF_INET_FORWARD; hook++)
		work_compare(w, "translation", DIR_IN, none,
			     work_chains(w, hook, INT_MIN, INT_MAX, true, none), w->real);
}

void stage_free(struct work *w)
{
	const dd none = proof_pass(&w->p, 0);

	work_compare(w, "input", DIR_IN, none,
		     work_chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, false, none), w->real);
	if (!model_translates(w->p.m)) {
		whole(w);
		return;
	}
	nothing_else(w);
	stage_free_nat(w);
}
