/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/work.h"

#include <limits.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>

#include "prove/exec.h"
#include "prove/guard.h"

/* ---- ARP ------------------------------------------------------------------------------------ */

static dd outside(struct work *w)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < w->p.m->facts->ifaces.n; i++)
		if (w->p.m->facts->ifaces.v[i].kind != IFACE_REAL)
			ranges_add(w->p.a, &rs, AF_NONE, w->p.m->facts->ifaces.v[i].id,
				   w->p.m->facts->ifaces.v[i].id);
	return work_no(w, space_link_in(&w->p.s, P_IFACE, set_make(w->p.a, &rs)));
}

/*
 * What the egress fence keeps inside: where a rule lets a source out as it is, so does
 * the question for its next hop, which is asked in its name
 */
static dd kept_inside(struct work *w)
{
	const uint32_t list = w->p.m->after[DIR_OUT];
	dd r = DD_FALSE;

	for (uint32_t i = 0; list != LIST_NONE && i < w->p.m->lists.v[list].rules.n; i++) {
		const struct rule *rule = &w->p.m->lists.v[list].rules.v[i];
		const struct set *src = rule_tests(rule, F_SRC);
		const struct set *ifaces = rule_tests(rule, F_IFACE);

		if (rule->origin.policy != POLICY_EGRESS || src == NULL || ifaces == NULL)
			continue;
		r = dd_or(w->p.d, r, work_both(w, space_link_in(&w->p.s, P_IFACE, ifaces),
					       space_in(&w->p.s, P_SRC, src)));
	}
	return r;
}

/* No ARP for inside addresses outside, whoever asks and whoever answers */
void stage_arp(struct work *w)
{
	const bool fenced = work_has_source_fence(w->p.m);
	const dd none = proof_pass(&w->p, 0), block = proof_leaf(&w->p, FATE_BLOCK);
	const dd request = space_is(&w->p.s, P_SPORT, 1);
	struct exec_at at = { .family = NFPROTO_ARP, .prio_lo = INT_MIN, .prio_hi = INT_MAX };
	dd in = DD_FALSE, out = DD_FALSE, real = space_real(&w->p.s);

	w->p.is_arp = true;
	if (fenced && w->p.m->interior != NULL) {
		const dd by = outside(w);

		in = work_both(w, by, work_both(w, request,
						space_in(&w->p.s, P_DST, w->p.m->interior)));
		out = work_both(w, by, kept_inside(w));
	}
	if (fenced)
		in = dd_or(w->p.d, in, guard_arp(&w->p));
	at.hook = NF_ARP_IN;
	work_compare(w, "ARP", DIR_IN, dd_ite(w->p.d, in, block, none),
		     exec_chains(&w->p, &at, none), real);
	at.hook = NF_ARP_OUT;
	work_compare(w, "ARP", DIR_OUT, dd_ite(w->p.d, out, block, none),
		     exec_chains(&w->p, &at, none), real);
	w->p.is_arp = false;
}

/* ---- bridges -------------------------------------------------------------------------------- */

static void bridged(struct work *w, uint16_t ethertype)
{
	struct exec_at at = { .family = NFPROTO_BRIDGE, .hook = NF_BR_PRE_ROUTING,
			      .prio_lo = INT_MIN, .prio_hi = INT_MAX };
	const dd none = proof_pass(&w->p, 0), block = proof_leaf(&w->p, FATE_BLOCK);
	dd real = space_real(&w->p.s), guarded = DD_FALSE;

	w->p.ethertype = ethertype;
	w->p.is_arp = ethertype == ETH_P_ARP;
	if (ethertype == 0)
		real = work_both(w, real, space_is_other_frame(&w->p.s));
	if (work_has_source_fence(w->p.m))
		guarded = guard_port(&w->p);
	work_compare(w, "bridge", DIR_IN, dd_ite(w->p.d, guarded, block, none),
		     exec_chains(&w->p, &at, none), real);
	for (at.hook = NF_BR_PRE_ROUTING + 1; at.hook < NF_BR_NUMHOOKS; at.hook++)
		work_compare(w, "bridge", DIR_IN, none, exec_chains(&w->p, &at, none), real);
	w->p.is_arp = false;
}

void stage_bridges(struct work *w)
{
	const uint16_t own = w->p.s.af == AF_V4 ? ETH_P_IP : ETH_P_IPV6;

	bridged(w, own);
	if (w->p.s.af == AF_V4) {
		bridged(w, ETH_P_ARP);
		bridged(w, 0);
	}
	w->p.ethertype = own;
}
