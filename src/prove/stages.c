/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The kernel judges a crossing in parts, and so does the proof: the fences on a
 * packet as it comes; the translation of a flow's first packet; the filter, on the
 * packet as it is then.  The filter is compared for every packet, whatever
 * translation might have led to it, and for every state of its connection; that is
 * more than can happen and so enough, and it does not grow with the number of
 * forwards.
 *
 * Between the parts stand the marks.  A part starts from any of their values and
 * must leave the same, so what one leaves is what the next one may start from.
 *
 * Known breaks between pf and Linux are not hidden in the functions but are stated
 * here, as conditions on what is compared (struct domain).
 */
#include "prove/stages.h"

#include <limits.h>
#include <setjmp.h>
#include <linux/netfilter.h>
#include <linux/if_ether.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_bridge.h>
#include <string.h>

#include "prove/exec.h"
#include "prove/guard.h"
#include "prove/sem.h"
#include "prove/states.h"

#define PRIO_CONNTRACK	(-200)
#define PRIO_DNAT	(-100)
#define PRIO_SNAT	100

/* A proof of one family */
struct work {
	struct proof p;
	struct prove_result *ret;
	dd real;		/* what can be */
	dd usual;		/* and is compared in filters, IN and OUT */
	dd fresh;		/* nothing is remembered */
};

static dd bit(struct work *w, enum part part)
{
	return space_bit(&w->p.s, part, 0);
}

static dd no(struct work *w, dd x)
{
	return dd_not(w->p.d, x);
}

static dd both(struct work *w, dd x, dd y)
{
	return dd_and(w->p.d, x, y);
}

static dd implies(struct work *w, dd x, dd y)
{
	return dd_or(w->p.d, no(w, x), y);
}

static dd icmp(struct work *w)
{
	return space_is(&w->p.s, P_PROTO, w->p.s.af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6);
}

/* ---- what is compared ------------------------------------------------------------------- */

/* The tag in a mark is one that somebody asks for, or none */
static dd tag_is_one(struct work *w, enum part mark, uint32_t mask)
{
	dd r = proof_mark_is(&w->p, mark, mask, 0);

	for (uint32_t i = 0; i < MODEL_TAGS; i++)
		if (w->p.codes[i] != 0)
			r = dd_or(w->p.d, r, proof_mark_is(&w->p, mark, mask,
							   proof_spread(w->p.codes[i], mask)));
	return r;
}

/* Is anything translated at all; nobody else is thought to do so */
static bool has_translation(const struct model *m, enum xlate_kind kind)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct effect *e = rule_has_effect(&m->lists.v[l].rules.v[i],
								 EF_TRANSLATE);

			if (e != NULL && xlate_side(&m->xlates.v[e->xlate]) == kind)
				return true;
		}
	return false;
}

/* What can be: of connections, routes, tags */
static dd what_can_be(struct work *w)
{
	const struct nft_marks *m = &w->p.marks;
	static const enum part of_connections[] = {
		P_REPLY, P_RELATED, P_SNAT, P_DNAT, P_KNOWN
	};
	const dd own_way = both(w, bit(w, P_RPF), bit(w, P_SROUTE));
	dd r = space_real(&w->p.s);

	r = both(w, r, implies(w, bit(w, P_REPLY), bit(w, P_KNOWN)));
	for (size_t i = 0; i < ARRAY_SIZE(of_connections); i++)
		r = both(w, r, implies(w, bit(w, P_INVALID), no(w, bit(w, of_connections[i]))));
	r = both(w, r, implies(w, bit(w, P_RPF), bit(w, P_SROUTE)));
	r = both(w, r, implies(w, space_is(&w->p.s, P_IFACE, w->p.s.lo), own_way));
	/* conntrack begins no flow with ICMP that is no query */
	r = both(w, r, implies(w, both(w, icmp(w), no(w, space_icmp_query(&w->p.s))),
			       dd_or(w->p.d, bit(w, P_INVALID), bit(w, P_RELATED))));
	r = both(w, r, space_range(&w->p.s, P_SCAST, 0, 2));
	r = both(w, r, space_range(&w->p.s, P_DCAST, 0, 2));
	/* ICMP of the other family is no ICMP to anybody */
	r = both(w, r, no(w, space_is(&w->p.s, P_PROTO,
				      w->p.s.af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP)));
	if (!has_translation(w->p.m, XL_DST))
		r = both(w, r, no(w, bit(w, P_DNAT)));
	if (!has_translation(w->p.m, XL_SRC))
		r = both(w, r, no(w, bit(w, P_SNAT)));
	for (int dir = 0; dir < 2 && m->opts[dir] != 0; dir++)
		r = both(w, r, implies(w, proof_mark_is(&w->p, P_CTMARK, m->opts[dir], UINT32_MAX),
				       proof_mark_is(&w->p, P_CTMARK, m->state[dir], UINT32_MAX)));
	if (m->tags != 0)
		r = both(w, r, both(w, tag_is_one(w, P_MARK, m->tags),
				    tag_is_one(w, P_CTMARK, m->kept_tags)));
	return r;
}

static bool has_answers(const struct model *m)
{
	bool is = m->otherwise.verdict == V_RETURN;

	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_PREFER);

			is |= (e != NULL && e->ruling.verdict == V_RETURN) ||
			      (r->exit == EX_DECIDE && r->ruling.verdict == V_RETURN);
		}
	return is;
}

/* The kernel's answers to what was refused: nobody judges those in pf */
static dd own_answers(struct work *w, enum direction dir)
{
	struct space *s = &w->p.s;
	const dd by_host = dir == DIR_OUT ? space_is(s, P_RECV, 0) : space_is(s, P_IFACE, s->lo);
	const dd v4 = both(w, space_is(s, P_PROTO, PROTO_ICMP),
			   space_range(s, P_SPORT, 0x300, 0x3ff));
	const dd v6 = both(w, space_is(s, P_PROTO, PROTO_ICMP6),
			   space_range(s, P_SPORT, 0x100, 0x1ff));
	const dd error = dd_or(w->p.d, v4, v6);
	const dd rst = both(w, space_is(s, P_PROTO, PROTO_TCP), space_bit(s, P_FLAGS, 5));
	const dd noted = both(w, no(w, bit(w, P_INVALID)),
			      proof_mark_is(&w->p, P_CTMARK, w->p.marks.answer,
					    w->p.marks.answer));
	const dd looks = both(w, bit(w, P_INVALID), dd_or(w->p.d, error, rst));

	if (!has_answers(w->p.m) || w->p.marks.answer == 0)
		return DD_FALSE;
	return both(w, by_host, dd_or(w->p.d, noted, looks));
}

static dd domain(struct work *w, enum direction dir)
{
	const uint32_t own = w->p.marks.state[dir];
	const dd states = proof_mark_is(&w->p, P_CTMARK, own, own);
	dd r = both(w, w->real, no(w, bit(w, P_RELATED)));

	/* A leg has a state before it is judged only by a translation, or of an earlier packet */
	r = both(w, r, implies(w, states, dd_or(w->p.d, bit(w, P_KNOWN),
						dd_or(w->p.d, bit(w, P_SNAT),
						      bit(w, P_DNAT)))));
	return both(w, r, no(w, own_answers(w, dir)));
}

/* The first packet of a flow that conntrack knows, not yet translated */
static dd first_packets(struct work *w)
{
	static const enum part none[] = { P_INVALID, P_REPLY, P_RELATED, P_SNAT, P_KNOWN };
	dd r = both(w, w->real, bit(w, P_NEW));

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		r = both(w, r, no(w, bit(w, none[i])));
	return r;
}

/* ---- the parts ------------------------------------------------------------------------------ */

static dd chains(struct work *w, uint32_t hook, int32_t lo, int32_t hi, bool is_nat, dd passed)
{
	const struct exec_at at = {
		.family = NFPROTO_INET, .hook = hook, .prio_lo = lo, .prio_hi = hi,
		.is_nat = is_nat,
		.has_ct = is_nat || hook != NF_INET_PRE_ROUTING || lo > PRIO_CONNTRACK,
	};

	return exec_chains(&w->p, &at, passed);
}

static void compare(struct work *w, const char *name, enum direction dir, dd declared, dd kernel,
		    dd where)
{
	const struct part_of part = {
		.name = arena_printf(w->p.a, "%s, IPv%u", name, w->p.s.af), .dir = dir,
		.declared = declared, .kernel = kernel, .where = where, .fresh = w->fresh,
	};

	prove_compare(&w->p, &part, w->ret);
}

static bool has_source_fence(const struct model *m)
{
	const uint32_t list = m->before[DIR_IN];

	for (uint32_t i = 0; list != LIST_NONE && i < m->lists.v[list].rules.n; i++)
		if (m->lists.v[list].rules.v[i].origin.policy == POLICY_SOURCE)
			return true;
	return false;
}

static void fences(struct work *w)
{
	const dd guarded = has_source_fence(w->p.m) ? guard_nd(&w->p) : DD_FALSE;
	dd where = both(w, w->real, no(w, dd_or(w->p.d, bit(w, P_LSRR), bit(w, P_SSRR))));

	/* A routing header is refused where it could lead over the fence */
	if (w->p.s.af == AF_V6)
		where = both(w, where, no(w, bit(w, P_OPTS)));
	proof_keeps_states(&w->p, false);
	compare(w, "fences", DIR_IN, dd_ite(w->p.d, guarded,
					    proof_leaf(&w->p, FATE_BLOCK),
					    sem_fences(&w->p, DIR_IN)),
		chains(w, NF_INET_PRE_ROUTING, INT_MIN, PRIO_CONNTRACK, false,
		       proof_pass(&w->p, 0)), where);
}

/* The parts of a crossing that translate */
enum translating { TR_REDIRECT, TR_LOCAL, TR_SOURCE, N_TRANSLATIONS };

static struct part_of translation_part(struct work *w, enum translating which)
{
	const uint32_t states = w->p.marks.state[DIR_IN] | w->p.marks.state[DIR_OUT];
	const dd lo = space_is(&w->p.s, P_IFACE, w->p.s.lo);
	const dd first = first_packets(w);
	const dd never = both(w, both(w, first, no(w, bit(w, P_DNAT))),
			      proof_mark_is(&w->p, P_CTMARK, states, 0));
	const dd idle = proof_mark_is(&w->p, P_MARK, w->p.marks.own & ~w->p.marks.tags, 0);
	const dd none = proof_pass(&w->p, 0);
	const dd own = both(w, space_is(&w->p.s, P_RECV, 0), never);

	switch (which) {
	case TR_REDIRECT:
		return (struct part_of){
			.name = "redirection", .dir = DIR_IN, .where = both(w, never, no(w, lo)),
			.declared = sem_translations(&w->p, DIR_IN, true, true),
			.kernel = chains(w, NF_INET_PRE_ROUTING, INT_MIN, INT_MAX, true, none),
		};
	case TR_LOCAL:
		return (struct part_of){
			.name = "redirection of local callers", .dir = DIR_OUT, .where = own,
			.declared = dd_ite(w->p.d, lo,
					   sem_translations(&w->p, DIR_OUT, true, false), none),
			.kernel = chains(w, NF_INET_LOCAL_OUT, INT_MIN, INT_MAX, true, none),
		};
	default:
		return (struct part_of){
			.name = "source translation", .dir = DIR_OUT,
			.where = both(w, first, idle),
			.declared = sem_translations(&w->p, DIR_OUT, false, true),
			.kernel = chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, true, none),
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
		compare(w, part.name, part.dir, part.declared, part.kernel, part.where);
	}
}

static void filter_in(struct work *w)
{
	compare(w, "filter", DIR_IN, sem_filter(&w->p, DIR_IN, SEM_ANSWERED),
		chains(w, NF_INET_PRE_ROUTING, PRIO_DNAT + 1, INT_MAX, false,
		       proof_pass(&w->p, 0)), domain(w, DIR_IN));
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
	const dd behind = chains(w, NF_INET_POST_ROUTING, PRIO_SNAT + 1, INT_MAX, false, none);
	const dd moved = dd_or(w->p.d, sem_touches(&w->p, DIR_OUT),
			       dd_or(w->p.d, bit(w, P_SNAT), bit(w, P_DNAT)));
	const dd declared = sem_filter(&w->p, DIR_OUT, SEM_ANSWERED);
	const dd silent = sem_filter(&w->p, DIR_OUT, SEM_SILENT);
	const dd all = domain(w, DIR_OUT);
	const dd idle = proof_mark_is(&w->p, P_MARK, w->p.marks.own & ~w->p.marks.tags, 0);
	const dd first = first_packets(w);
	const dd through = dd_ite(w->p.d, first, chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX,
							true, behind), behind);
	/* Later packets of a flow without a state meet no nat rule, so get no tags there */
	const dd tagged = dd_or(w->p.d, first, sem_has_state(&w->p, DIR_OUT));
	const dd asked = sem_tags(w->p.m, DIR_OUT) ? both(w, all, tagged) : all;

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		const dd own = space_is(&w->p.s, P_RECV, 0);
		const dd here = both(w, all, hooks[i].hook == NF_INET_FORWARD ? no(w, own) : own);

		compare(w, hooks[i].name, DIR_OUT, sem_tagged(&w->p, DIR_OUT, declared),
			chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, through),
			both(w, both(w, here, asked), no(w, moved)));
		compare(w, hooks[i].ahead, DIR_OUT, none,
			chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, none),
			both(w, here, both(w, moved, idle)));
	}
	compare(w, "filter of what is translated", DIR_OUT, silent, behind,
		both(w, all, both(w, moved, idle)));
}

/* Between the parts, and at other hooks, nothing may happen */
static void nothing_else(struct work *w)
{
	const dd none = proof_pass(&w->p, 0);

	compare(w, "between conntrack and redirection", DIR_IN, none,
		chains(w, NF_INET_PRE_ROUTING, PRIO_CONNTRACK + 1, PRIO_DNAT, false, none),
		w->real);
	compare(w, "before source translation", DIR_OUT, none,
		chains(w, NF_INET_POST_ROUTING, INT_MIN, PRIO_SNAT, false, none), w->real);
	compare(w, "input", DIR_IN, none,
		chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, true,
		       chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, false, none)), w->real);
}

/* ---- ARP ------------------------------------------------------------------------------------ */

static dd outside(struct work *w)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < w->p.m->facts->ifaces.n; i++)
		if (w->p.m->facts->ifaces.v[i].kind != IFACE_REAL)
			ranges_add(w->p.a, &rs, AF_NONE, w->p.m->facts->ifaces.v[i].id,
				   w->p.m->facts->ifaces.v[i].id);
	return no(w, space_link_in(&w->p.s, P_IFACE, set_make(w->p.a, &rs)));
}

/* No ARP for inside addresses outside, whoever asks and whoever answers */
static void arp(struct work *w)
{
	const bool fenced = has_source_fence(w->p.m);
	const dd none = proof_pass(&w->p, 0), block = proof_leaf(&w->p, FATE_BLOCK);
	const dd request = space_is(&w->p.s, P_SPORT, 1);
	struct exec_at at = { .family = NFPROTO_ARP, .prio_lo = INT_MIN, .prio_hi = INT_MAX };
	dd in = DD_FALSE, out = DD_FALSE, real = space_real(&w->p.s);

	w->p.is_arp = true;
	if (fenced && w->p.m->interior != NULL) {
		const dd by = outside(w);

		in = both(w, by, both(w, request, space_in(&w->p.s, P_DST, w->p.m->interior)));
		out = both(w, by, space_in(&w->p.s, P_SRC, w->p.m->interior));
	}
	if (fenced)
		in = dd_or(w->p.d, in, guard_arp(&w->p));
	at.hook = NF_ARP_IN;
	compare(w, "ARP", DIR_IN, dd_ite(w->p.d, in, block, none), exec_chains(&w->p, &at, none),
		real);
	at.hook = NF_ARP_OUT;
	compare(w, "ARP", DIR_OUT, dd_ite(w->p.d, out, block, none),
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
		real = both(w, real, space_is_other_frame(&w->p.s));
	if (has_source_fence(w->p.m))
		guarded = guard_port(&w->p);
	compare(w, "bridge", DIR_IN, dd_ite(w->p.d, guarded, block, none),
		exec_chains(&w->p, &at, none), real);
	for (at.hook = NF_BR_PRE_ROUTING + 1; at.hook < NF_BR_NUMHOOKS; at.hook++)
		compare(w, "bridge", DIR_IN, none, exec_chains(&w->p, &at, none), real);
	w->p.is_arp = false;
}

static void bridges(struct work *w)
{
	const uint16_t own = w->p.s.af == AF_V4 ? ETH_P_IP : ETH_P_IPV6;

	bridged(w, own);
	if (w->p.s.af == AF_V4) {
		bridged(w, ETH_P_ARP);
		bridged(w, 0);
	}
	w->p.ethertype = own;
}

/* ---- all ------------------------------------------------------------------------------------- */

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

static void note_rule(struct work *w, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_PREFER);

	if (rule_has_effect(r, EF_SCRUB) != NULL || rule_has_effect(r, EF_MEND) != NULL ||
	    (e != NULL && e->ruling.mend != 0))
		prove_unproven(&w->p, w->ret, "scrub");
}

static void note_uncovered(struct work *w)
{
	const struct model *m = w->p.m;

	if (w->p.p->n_broken > 0)
		prove_unproven(&w->p, w->ret, "objects that could not be read");
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++)
			note_rule(w, &m->lists.v[l].rules.v[i]);
	for (uint32_t i = 0; i < w->p.p->chains.n; i++) {
		const struct prog_chain *c = &w->p.p->chains.v[i];

		if (c->type != NULL && c->family != NFPROTO_INET && c->family != NFPROTO_ARP &&
		    c->family != NFPROTO_BRIDGE)
			prove_unproven(&w->p, w->ret, arena_printf(w->p.a, "chain %s of another "
								   "family", c->name));
	}
}

/* ---- free states ------------------------------------------------------------------------- */

static bool asks_numbers(const struct rule *r)
{
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (r->tests.v[i].f >= F_TTL)
			return true;
	return false;
}

/* What a rule does or asks that is not read yet, so that nothing can be said; or NULL */
static const char *not_read(const struct model *m, const struct rule *r)
{
	const bool is_free = m->discipline == STATES_FREE;

	if (asks_numbers(r))
		return "numbers of headers";
	if (is_free && rule_has_effect(r, EF_TRANSLATE) != NULL)
		return "nat of ipfw";
	return is_free && rule_has_effect(r, EF_TAG) != NULL ? "tags of ipfw" : NULL;
}

static bool is_readable(struct work *w)
{
	const struct model *m = w->p.m;
	bool is = states_init(&w->p);

	if (!is)
		prove_unproven(&w->p, w->ret, "so many states");
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const char *what = not_read(m, &m->lists.v[l].rules.v[i]);

			if (what != NULL)
				prove_unproven(&w->p, w->ret, what);
			is &= what == NULL;
		}
	return is;
}

/* Rules that translate nothing judge a packet in one go, in and out */
static void prove_free(struct work *w)
{
	static const struct { uint32_t hook; const char *name; } hooks[] = {
		{ NF_INET_FORWARD, "rules for what is forwarded" },
		{ NF_INET_LOCAL_OUT, "rules for the host's own" },
	};
	const dd none = proof_pass(&w->p, 0), own = space_is(&w->p.s, P_RECV, 0);
	const dd out = sem_free(&w->p, DIR_OUT, none);
	const dd leaves = both(w, w->real, no(w, own_answers(w, DIR_OUT)));

	compare(w, "rules", DIR_IN, sem_free(&w->p, DIR_IN, sem_after(&w->p, DIR_IN, none)),
		chains(w, NF_INET_PRE_ROUTING, PRIO_CONNTRACK + 1, INT_MAX, false, none),
		both(w, w->real, no(w, own_answers(w, DIR_IN))));
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		compare(w, hooks[i].name, DIR_OUT, out,
			chains(w, hooks[i].hook, INT_MIN, INT_MAX, false, none),
			both(w, leaves, hooks[i].hook == NF_INET_FORWARD ? no(w, own) : own));
	compare(w, "fences of what leaves", DIR_OUT, sem_after(&w->p, DIR_OUT, none),
		chains(w, NF_INET_POST_ROUTING, INT_MIN, INT_MAX, false, none), w->real);
	for (uint32_t hook = 0; hook < NF_INET_NUMHOOKS; hook++)
		compare(w, "translation", DIR_IN, none,
			chains(w, hook, INT_MIN, INT_MAX, true, none), w->real);
	compare(w, "input", DIR_IN, none,
		chains(w, NF_INET_LOCAL_IN, INT_MIN, INT_MAX, false, none), w->real);
}

/* ---- a family ---------------------------------------------------------------------------- */

static void prove_directed(struct work *w)
{
	proof_keeps_states(&w->p, true);
	translations(w);
	filter_in(w);
	filter_out(w);
	nothing_else(w);
	proof_keeps_states(&w->p, false);
}

static void prove_family(struct work *w)
{
	const dd moved = dd_or(w->p.d, bit(w, P_SNAT), bit(w, P_DNAT));
	bool is_read;
	dd fresh;

	w->p.ethertype = w->p.s.af == AF_V4 ? ETH_P_IP : ETH_P_IPV6;
	number_tags(&w->p);
	is_read = is_readable(w);
	w->real = both(w, what_can_be(w), states_real(&w->p));
	fresh = both(w, bit(w, P_NEW), no(w, dd_or(w->p.d, moved, bit(w, P_KNOWN))));
	fresh = both(w, fresh, no(w, dd_or(w->p.d, bit(w, P_INVALID), bit(w, P_REPLY))));
	fresh = both(w, fresh, proof_mark_is(&w->p, P_CTMARK, UINT32_MAX, 0));
	w->fresh = both(w, fresh, proof_mark_is(&w->p, P_MARK, UINT32_MAX, 0));
	fences(w);
	if (is_read && w->p.m->discipline == STATES_DIRECTED)
		prove_directed(w);
	else if (is_read)
		prove_free(w);
	if (w->p.s.af == AF_V4)
		arp(w);
	bridges(w);
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
