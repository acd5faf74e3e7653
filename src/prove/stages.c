/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel judges a crossing in parts, and so does the proof: the fences on a
 * packet as it comes; then what stage_directed.c or stage_free.c says; and what is
 * below IP.
 *
 * Between the parts stand the marks.  A part starts from any of their values and
 * must leave the same, so what one leaves is what the next one may start from.
 */
#include "prove/stages.h"

#include <limits.h>
#include <setjmp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

#include "prove/exec.h"
#include "prove/guard.h"
#include "prove/sem.h"
#include "prove/states.h"
#include "prove/work.h"

static void fences(struct work *w)
{
	const dd guarded = work_has_source_fence(w->p.m) ? guard_nd(&w->p) : DD_FALSE;
	const dd routed = dd_or(w->p.d, work_bit(w, P_LSRR), work_bit(w, P_SSRR));
	dd where = work_both(w, w->real, work_no(w, routed)), scrubbed;

	/* A routing header is refused where it could lead over the fence */
	if (w->p.s.af == AF_V6)
		where = work_both(w, where, work_no(w, work_bit(w, P_OPTS)));
	proof_keeps_states(&w->p, false);
	scrubbed = sem_scrub(&w->p, DIR_IN, proof_pass(&w->p, 0));
	work_compare_early(w, "fences", DIR_IN, dd_ite(w->p.d, guarded,
					    proof_leaf(&w->p, FATE_BLOCK),
					    sem_fences(&w->p, DIR_IN, scrubbed)),
		work_chains(w, NF_INET_PRE_ROUTING, INT_MIN, PRIO_CONNTRACK, false,
		       proof_pass(&w->p, 0)), where);
}

static void number_tags(struct proof *p)
{
	uint8_t n = 0;

	for (uint32_t bit_no = 0; bit_no < MODEL_TAGS && p->m->tags.n > 0; bit_no++)
		for (uint32_t l = 0; l < p->m->lists.n && p->codes[bit_no] == 0; l++)
			for (uint32_t i = 0; i < p->m->lists.v[l].rules.n; i++) {
				const struct set *in = rule_tests(&p->m->lists.v[l].rules.v[i],
								  F_TAGS);

				if (in != NULL && set_has(in, AF_NONE, 1u << bit_no) !=
							  set_has(in, AF_NONE, 0)) {
					p->codes[bit_no] = ++n;
					break;
				}
			}
}

static void note_uncovered(struct work *w)
{
	if (w->p.p->n_broken > 0)
		prove_unproven(&w->p, w->ret, "objects that could not be read");
	for (uint32_t i = 0; i < w->p.p->chains.n; i++) {
		const struct prog_chain *c = &w->p.p->chains.v[i];

		if (c->type != NULL && c->family != NFPROTO_INET && c->family != NFPROTO_ARP &&
		    c->family != NFPROTO_BRIDGE)
			prove_unproven(&w->p, w->ret, arena_printf(w->p.a, "chain %s of another "
								   "family", c->name));
	}
}

/* ---- a family ---------------------------------------------------------------------------- */

static void prove_family(struct work *w)
{
	static const enum part of_flows[] = { P_SNAT, P_DNAT, P_KNOWN, P_INVALID, P_REPLY };
	bool is_read;
	dd fresh;

	w->p.ethertype = w->p.s.af == AF_V4 ? ETH_P_IP : ETH_P_IPV6;
	number_tags(&w->p);
	is_read = states_init(&w->p);
	if (!is_read)
		prove_unproven(&w->p, w->ret, "so many states");
	w->real = work_both(w, work_real(w), states_real(&w->p));
	fresh = work_bit(w, P_NEW);
	for (size_t i = 0; i < ARRAY_SIZE(of_flows); i++)
		fresh = work_both(w, fresh, work_no(w, work_bit(w, of_flows[i])));
	fresh = work_both(w, fresh, proof_mark_is(&w->p, P_CTMARK, UINT32_MAX, 0));
	w->fresh = work_both(w, fresh, proof_mark_is(&w->p, P_MARK, UINT32_MAX, 0));
	fences(w);
	if (is_read && w->p.m->discipline == STATES_DIRECTED)
		stage_directed(w);
	else if (is_read)
		stage_free(w);
	stage_quotas(w);
	if (w->p.s.af == AF_V4)
		stage_arp(w);
	stage_bridges(w);
}

/* Prove one family; false: the arena is full */
static bool prove_within(struct work *w, uint8_t af)
{
	struct arena *a = w->p.a;
	jmp_buf *outer = a->full, full;

	if (setjmp(full) != 0) {
		a->full = outer;
		return false;
	}
	a->full = &full;
	space_init(&w->p.s, a, w->p.d, w->p.m, af);
	exec_names(&w->p);
	space_seal(&w->p.s);
	note_uncovered(w);
	prove_family(w);
	a->full = outer;
	return !w->p.d->is_full;
}

static bool is_said(const struct prove_result *r, const char *what)
{
	for (uint32_t i = 0; i < r->unproven.n; i++)
		if (r->unproven.v[i] == what)
			return true;
	return false;
}

static const char too_large[] = "so many packets to tell apart";

int prove_prog(const struct model *m, const struct prog *p, struct nft_marks marks,
	       uint32_t max_nodes, struct arena *a, struct prove_result *ret)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };
	struct outcomes o;

	*ret = (struct prove_result){ .n_nodes = 0 };
	/* Room to say so when there is none */
	vec_reserve(a, &ret->unproven, ARRAY_SIZE(afs) + PROVE_MOST);
	outcomes_init(&o, a);
	for (size_t i = 0; i < ARRAY_SIZE(afs); i++) {
		struct dds d CLEANUP(dd_fini) = { 0 };
		struct work w = {
			.p = { .a = a, .d = &d, .o = &o, .m = m, .p = p, .marks = marks },
			.ret = ret,
		};

		if (dd_init(&d, max_nodes) < 0)
			return -ENOMEM;
		if (!prove_within(&w, afs[i]) && !is_said(ret, too_large))
			vec_add(a, &ret->unproven, too_large);
		ret->n_nodes += d.n;
	}
	return 0;
}
