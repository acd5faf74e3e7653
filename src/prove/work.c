/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The variables of a proof are free of each other, and packets are not: a reply is of
 * a connection that is known, a way back by an interface is a way back.  What cannot
 * be is left out of all comparisons, and so is what is known to differ between pf and
 * Linux, which is stated here and not hidden in the functions.
 */
#include "prove/work.h"

#include <linux/netfilter.h>

#include "prove/exec.h"
#include "prove/sem.h"

dd work_bit(struct work *w, enum part part)
{
	return space_bit(&w->p.s, part, 0);
}

dd work_no(struct work *w, dd x)
{
	return dd_not(w->p.d, x);
}

dd work_both(struct work *w, dd x, dd y)
{
	return dd_and(w->p.d, x, y);
}

static dd implies(struct work *w, dd x, dd y)
{
	return dd_or(w->p.d, work_no(w, x), y);
}

static dd icmp(struct work *w)
{
	return space_is(&w->p.s, P_PROTO, w->p.s.af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6);
}

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

static dd of_mark(struct work *w, uint32_t bits)
{
	return proof_mark_is(&w->p, P_CTMARK, bits, UINT32_MAX);
}

/* What can be: of connections, routes, tags */
dd work_real(struct work *w)
{
	const struct nft_marks *m = &w->p.marks;
	static const enum part of_connections[] = {
		P_REPLY, P_RELATED, P_SNAT, P_DNAT, P_KNOWN
	};
	const dd own_way = work_both(w, work_bit(w, P_RPF), work_bit(w, P_SROUTE));
	dd r = space_real(&w->p.s);

	r = work_both(w, r, implies(w, work_bit(w, P_REPLY), work_bit(w, P_KNOWN)));
	for (size_t i = 0; i < ARRAY_SIZE(of_connections); i++)
		r = work_both(w, r, implies(w, work_bit(w, P_INVALID),
					    work_no(w, work_bit(w, of_connections[i]))));
	r = work_both(w, r, implies(w, work_bit(w, P_RPF), work_bit(w, P_SROUTE)));
	r = work_both(w, r, implies(w, space_is(&w->p.s, P_IFACE, w->p.s.lo), own_way));
	/* conntrack begins no flow with ICMP that is no query */
	r = work_both(w, r, implies(w, work_both(w, icmp(w), work_no(w, space_icmp_query(&w->p.s))),
			       dd_or(w->p.d, work_bit(w, P_INVALID), work_bit(w, P_RELATED))));
	r = work_both(w, r, space_range(&w->p.s, P_SCAST, 0, 2));
	r = work_both(w, r, space_range(&w->p.s, P_DCAST, 0, 2));
	/* ICMP of the other family is no ICMP to anybody */
	r = work_both(w, r, work_no(w, space_is(&w->p.s, P_PROTO,
				      w->p.s.af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP)));
	if (!has_translation(w->p.m, XL_DST))
		r = work_both(w, r, work_no(w, work_bit(w, P_DNAT)));
	if (!has_translation(w->p.m, XL_SRC))
		r = work_both(w, r, work_no(w, work_bit(w, P_SNAT)));
	for (int dir = 0; dir < 2 && m->opts[dir] != 0; dir++)
		r = work_both(w, r, implies(w, of_mark(w, m->opts[dir]),
					    of_mark(w, m->state[dir])));
	/* Only who sends has a socket; no packet is longer than a header can say */
	r = work_both(w, r, implies(w, work_bit(w, P_SOCK), space_is(&w->p.s, P_RECV, 0)));
	if (w->p.s.af == AF_V6)
		r = work_both(w, r, space_range(&w->p.s, P_LEN, 0, UINT16_MAX - 40));
	if (m->tags != 0 && w->p.m->discipline == STATES_DIRECTED)
		r = work_both(w, r, work_both(w, tag_is_one(w, P_MARK, m->tags),
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
dd work_own_answers(struct work *w, enum direction dir)
{
	struct space *s = &w->p.s;
	const dd by_host = dir == DIR_OUT ? space_is(s, P_RECV, 0) : space_is(s, P_IFACE, s->lo);
	const dd v4 = work_both(w, space_is(s, P_PROTO, PROTO_ICMP),
			   space_range(s, P_SPORT, 0x300, 0x3ff));
	const dd v6 = work_both(w, space_is(s, P_PROTO, PROTO_ICMP6),
			   space_range(s, P_SPORT, 0x100, 0x1ff));
	const dd error = dd_or(w->p.d, v4, v6);
	const dd rst = work_both(w, space_is(s, P_PROTO, PROTO_TCP), space_bit(s, P_FLAGS, 5));
	const dd noted = work_both(w, work_no(w, work_bit(w, P_INVALID)),
			      proof_mark_is(&w->p, P_CTMARK, w->p.marks.answer,
					    w->p.marks.answer));
	const dd looks = work_both(w, work_bit(w, P_INVALID), dd_or(w->p.d, error, rst));

	if (!has_answers(w->p.m) || w->p.marks.answer == 0)
		return DD_FALSE;
	return work_both(w, by_host, dd_or(w->p.d, noted, looks));
}

dd work_judged(struct work *w, enum direction dir)
{
	const uint32_t own = w->p.marks.state[dir];
	const dd states = proof_mark_is(&w->p, P_CTMARK, own, own);
	dd r = work_both(w, w->real, work_no(w, work_bit(w, P_RELATED)));

	/* A leg has a state before it is judged only by a translation, or of an earlier packet */
	r = work_both(w, r, implies(w, states, dd_or(w->p.d, work_bit(w, P_KNOWN),
						dd_or(w->p.d, work_bit(w, P_SNAT),
						      work_bit(w, P_DNAT)))));
	return work_both(w, r, work_no(w, work_own_answers(w, dir)));
}

/* The first packet of a flow that conntrack knows, not yet translated */
dd work_first(struct work *w)
{
	static const enum part none[] = { P_INVALID, P_REPLY, P_RELATED, P_SNAT, P_KNOWN };
	dd r = work_both(w, w->real, work_bit(w, P_NEW));

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		r = work_both(w, r, work_no(w, work_bit(w, none[i])));
	return r;
}

/* ---- what the parts share ------------------------------------------------------------------- */

dd work_chains(struct work *w, uint32_t hook, int32_t lo, int32_t hi, bool is_nat, dd passed)
{
	const struct exec_at at = {
		.family = NFPROTO_INET, .hook = hook, .prio_lo = lo, .prio_hi = hi,
		.is_nat = is_nat,
	};

	return exec_chains(&w->p, &at, passed);
}

static void compare(struct work *w, const char *name, struct part_of part)
{
	part.name = arena_printf(w->p.a, "%s, IPv%u", name, w->p.s.af);
	part.fresh = w->fresh;
	prove_compare(&w->p, &part, w->ret);
}

void work_compare(struct work *w, const char *name, enum direction dir, dd declared, dd kernel,
		  dd where)
{
	compare(w, name, (struct part_of){
		.dir = dir, .declared = declared, .kernel = kernel, .where = where,
	});
}

void work_compare_first(struct work *w, const char *name, enum direction dir, dd declared,
			dd kernel, dd where)
{
	compare(w, name, (struct part_of){
		.dir = dir, .declared = declared, .kernel = kernel, .where = where,
		.at_first = true,
	});
}

/* The language's own rules for what nothing is remembered of */
static dd own_rules(struct proof *p, enum direction dir)
{
	const dd pass = proof_pass(p, 0);

	return p->m->discipline == STATES_DIRECTED ? sem_filter(p, dir, SEM_ANSWERED)
						   : sem_free(p, dir, pass);
}

void work_compare_early(struct work *w, const char *name, enum direction dir, dd declared,
			dd kernel, dd where)
{
	compare(w, name, (struct part_of){
		.dir = dir, .declared = declared, .kernel = kernel, .where = where,
		.behind = own_rules,
	});
}

bool work_has_source_fence(const struct model *m)
{
	const uint32_t list = m->before[DIR_IN];

	for (uint32_t i = 0; list != LIST_NONE && i < m->lists.v[list].rules.n; i++)
		if (m->lists.v[list].rules.v[i].origin.policy == POLICY_SOURCE)
			return true;
	return false;
}
