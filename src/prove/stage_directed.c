/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Behind the fences come the translation of a flow's first packet and the filter, on
 * the packet as it is then.  The filter is compared for every packet, whatever
 * translation might have led to it, and for every state of its connection; that is
 * more than can happen and so enough, and it does not grow with the number of
 * forwards.
 */
#include "prove/work.h"

#include <limits.h>
#include <linux/netfilter.h>

#include "prove/sem.h"

/* The parts of a crossing that translate */
enum translating { TR_REDIRECT, TR_LOCAL, TR_SOURCE, N_TRANSLATIONS };

static struct part_of translation_part(struct work *w, enum translating which)
{
	const uint32_t states = w->p.marks.state[DIR_IN] | w->p.marks.state[DIR_OUT];
	const dd lo = space_is(&w->p.s, P_IFACE, w->p.s.lo);
	const dd first = work_first(w);
	const dd never = work_both(w, work_both(w, first, work_no(w, work_bit(w, P_DNAT))),
			      proof_mark_is(&w->p, P_CTMARK, states, 0));
	const dd idle = proof_mark_is(&w->p, P_MARK, w->p.marks.own & ~w->p.marks.tags, 0);
	const dd none = proof_pass(&w->p, 0);
	const dd own = work_both(w, space_is(&w->p.s, P_RECV, 0), never);

	switch (which) {
	case TR_REDIRECT:
		return (struct part_of){
			.name = "redirection", .dir = DIR_IN,
			.where = work_both(w, never, work_no(w, lo)),
			.declared = sem_translations(&w->p, DIR_IN, true, true),
			.kernel = work_chains(w, NF_INET_PRE_ROUTING, INT_MIN, INT_MAX, true, none),
		};
	case TR_LOCAL:
		return (struct part_of){
			.name = "redirection of local callers", .dir = DIR_OUT, .where = own,
			.declared = dd_ite(w->p.d, lo,
					   sem_translations(&w->p, DIR_OUT, true, false), none),
			.kernel = work_chains(w, NF_INET_LOCAL_OUT, INT_MIN, INT_MAX, true, none),
		};
	default:
		return (struct part_of){
			.name = "source translation", .dir = DIR_OUT,
			.where = work_both(w, first, idle),
			.declared = sem_translations(&w->p, DIR_OUT, false, true),
			.kernel = work_chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, true,
					      none),
		};
	}
}

static uint32_t is_apart(void *arg, uint32_t value)
{
	return outcome_is_plain(arg, value) ? 0 : 1;
}

/* Both sides are the same, and no outcome is a draw or unknown */
static bool is_plain_and_same(struct work *w, enum translating which)
{
	const struct part_of part = translation_part(w, which);
	const dd x = dd_ite(w->p.d, part.where, part.declared, DD_FALSE);

	return x == dd_ite(w->p.d, part.where, part.kernel, DD_FALSE) &&
	       dd_map(w->p.d, x, is_apart, w->p.o) == DD_FALSE && !w->p.d->is_full;
}

/*
 * An outcome that is no draw is where a translation leads and what is left remembered:
 * if two functions have the same of either, they are the same.  Told together, each
 * of many translations takes as many outcomes as can be remembered.
 */
static bool is_same_by_halves(struct work *w, enum translating which, bool by_tables)
{
	bool same;

	w->p.by_tables = by_tables;
	proof_keeps_states(&w->p, false);
	same = is_plain_and_same(w, which);
	proof_keeps_states(&w->p, true);
	proof_tells_translations(&w->p, false);
	same = same && is_plain_and_same(w, which);
	proof_tells_translations(&w->p, true);
	w->p.by_tables = false;
	return same;
}

static void translations(struct work *w)
{
	for (enum translating i = 0; i < N_TRANSLATIONS; i++) {
		struct part_of part;

		if (is_same_by_halves(w, i, true) || is_same_by_halves(w, i, false))
			continue;
		part = translation_part(w, i);
		work_compare_early(w, part.name, part.dir, part.declared, part.kernel,
				   part.where);
	}
}

static void filter_in(struct work *w)
{
	work_compare(w, "filter", DIR_IN, sem_filter(&w->p, DIR_IN, SEM_ANSWERED),
		     work_chains(w, NF_INET_PRE_ROUTING, PRIO_DNAT + 1, INT_MAX, false,
		       proof_pass(&w->p, 0)), work_judged(w, DIR_IN));
}

static uint32_t is_same(void *arg, uint32_t x, uint32_t y)
{
	(void)arg;
	return x == y ? 1 : 0;
}

/*
 * What goes out, with the tags of nat rules.  Later packets of a flow without a state meet
 * no nat rule in the kernel, so get no tags there, but where they are judged ahead of it:
 * they may be judged as if they had them, or as if they had not.
 */
static dd with_tags(struct work *w, dd declared, dd kernel)
{
	const dd all = sem_scrub(&w->p, DIR_OUT, sem_tagged(&w->p, DIR_OUT, declared));
	const dd none = sem_scrub(&w->p, DIR_OUT, declared);
	const dd tagged = dd_or(w->p.d, work_first(w), sem_has_state(&w->p, DIR_OUT));
	dd same;

	if (!sem_tags(w->p.m, DIR_OUT))
		return all;
	same = dd_join(w->p.d, kernel, all, is_same, NULL);
	return dd_ite(w->p.d, dd_or(w->p.d, tagged, same), all, none);
}

/*
 * Out: answers are given ahead of the translation, and only to what has none; the
 * rest is judged behind it, where a refusal is silent.
 */
static void filter_out(struct work *w)
{
	static const struct {
		uint32_t hook;
		const char *name;
		const char *ahead;
	} hooks[] = {
		{ NF_INET_FORWARD, "filter of what is forwarded",
		  "answers to what is forwarded" },
		{ NF_INET_LOCAL_OUT, "filter of the host's own", "answers to the host's own" },
	};
	const dd none = proof_pass(&w->p, 0);
	const dd behind = work_chains(w, NF_INET_POST_ROUTING, PRIO_SNAT + 1, INT_MAX, false, none);
	const dd moved = dd_or(w->p.d, sem_touches(&w->p, DIR_OUT),
			       dd_or(w->p.d, work_bit(w, P_SNAT), work_bit(w, P_DNAT)));
	const dd declared = sem_filter(&w->p, DIR_OUT, SEM_ANSWERED);
	const dd silent = sem_filter(&w->p, DIR_OUT, SEM_SILENT);
	const dd all = work_judged(w, DIR_OUT);
	const dd idle = proof_mark_is(&w->p, P_MARK, w->p.marks.own & ~w->p.marks.tags, 0);
	const dd first = work_first(w);
	const dd moving = work_chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, true, behind);
	const dd through = work_chains(w, NF_INET_POST_ROUTING, INT_MIN, PRIO_SNAT, false,
				       dd_ite(w->p.d, first, moving, behind));

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const dd own = space_is(&w->p.s, P_RECV, 0);
		const bool forwards = hooks[i].hook == NF_INET_FORWARD;
		const dd here = work_both(w, all, forwards ? work_no(w, own) : own);
		const dd kernel = work_chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, through);

		work_compare(w, hooks[i].name, DIR_OUT, with_tags(w, declared, kernel), kernel,
			     work_both(w, here, work_no(w, moved)));
		work_compare(w, hooks[i].ahead, DIR_OUT, none,
			     work_chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, none),
			work_both(w, here, work_both(w, moved, idle)));
	}
	work_compare(w, "filter of what is translated", DIR_OUT, silent, behind,
		     work_both(w, all, work_both(w, moved, idle)));
}

/* Between the parts, and at other hooks, nothing may happen */
static void nothing_else(struct work *w)
{
	const dd none = proof_pass(&w->p, 0);

	work_compare_early(w, "between conntrack and redirection", DIR_IN, none,
		     work_chains(w, NF_INET_PRE_ROUTING, PRIO_CONNTRACK + 1, PRIO_DNAT, false,
				 none),
		w->real);
	work_compare_early(w, "before source translation", DIR_OUT, sem_scrub(&w->p, DIR_OUT, none),
		     work_chains(w, NF_INET_POST_ROUTING, INT_MIN, PRIO_SNAT, false, none),
		     w->real);
	work_compare_early(w, "input", DIR_IN, none,
		     work_chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, true,
		       work_chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, false, none)), w->real);
}

void stage_directed(struct work *w)
{
	proof_keeps_states(&w->p, true);
	translations(w);
	filter_in(w);
	filter_out(w);
	nothing_else(w);
	proof_keeps_states(&w->p, false);
}
