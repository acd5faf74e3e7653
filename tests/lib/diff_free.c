/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * ipfw translates packets and remembers links whatever becomes of the packet;
 * conntrack translates flows and remembers those whose first packet arrived.
 * So links of what was lost are taken back, and where the rules translate a
 * packet of a known flow otherwise than conntrack does, that is a known
 * difference.  States are elements of sets, made at once: they stay.
 */
#include "diff_way.h"
#include "diff_wire.h"

#include <string.h>

/* What conntrack makes of a packet of a flow that it knows */
static struct flow by_conntrack(const struct way *w)
{
	const struct flow f = packet_flow(&w->p);

	for (uint32_t i = 0; i < w->e->link_lo; i++) {
		const struct nat_link *l = &w->j->w->links.v[i];

		if (flow_equal(l->inside, l->outside))
			continue;
		if (w->p.dir == DIR_OUT && flow_equal(l->inside, f))
			return l->outside;
		if ((w->p.dir == DIR_IN || l->instance == LINK_LOCAL) &&
		    flow_equal(flow_reverse(l->outside), f))
			return flow_reverse(l->inside);
	}
	return f;
}

/* The key of a state: without ports where the protocol has none */
static struct flow key_of(const struct packet *p)
{
	struct flow f = packet_flow(p);

	if (!proto_has_ports(p->proto))
		f.sport = f.dport = 0;
	return f;
}

static bool same_either_way(struct flow x, struct flow y)
{
	return flow_equal(x, y) || flow_equal(x, flow_reverse(y));
}

static bool is_unsure(const struct way *w, const struct packet *p)
{
	for (uint32_t i = 0; i < w->j->unsure.n; i++)
		if (same_either_way(w->j->unsure.v[i], key_of(p)))
			return true;
	return false;
}

/* States of two rules that fit a packet */
static bool fits_two(const struct way *w, const struct packet *p)
{
	const struct state *first = NULL;

	for (uint32_t i = 0; i < w->j->w->states.n; i++) {
		const struct state *s = &w->j->w->states.v[i];

		if (!same_either_way(s->before, key_of(p)))
			continue;
		if (first != NULL && first->cont != s->cont)
			return true;
		first = s;
	}
	return false;
}

/* Are the states that jump to a list counted by a limit */
static bool is_limited(const struct model *m, uint32_t list)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct effect *e =
				rule_has_effect(&m->lists.v[l].rules.v[i], EF_RECORD);

			if (e != NULL && e->limit > 0 && e->list == list)
				return true;
		}
	return false;
}

/* Did a limit count the packet that was judged last, or refuse to */
static bool counts(const struct way *w, const struct result *r)
{
	const struct world *world = w->j->w;

	for (uint32_t i = 0; i < r->steps.n; i++)
		if (strcmp(r->steps.v[i].effect, "limit") == 0)
			return true;
	return r->makes_state && world->states.n > 0 &&
	       is_limited(w->j->m, world->states.v[world->states.n - 1].cont);
}

static bool met_nat(const struct result *r)
{
	for (uint32_t i = 0; i < r->steps.n; i++)
		if (r->steps.v[i].rule != NULL &&
		    r->steps.v[i].rule->origin.policy != POLICY_LOCAL &&
		    rule_has_effect(r->steps.v[i].rule, EF_TRANSLATE) != NULL)
			return true;
	return false;
}

/* What passes, and then meets the fence behind the translation */
static bool is_fenced(const struct result *r)
{
	return r->steps.n > 0 && r->steps.v[r->steps.n - 1].origin.policy == POLICY_EGRESS;
}

/* Of a local caller whose forward leads to himself, and so both ways at once */
static bool is_own_answer(const struct way *w, struct flow f)
{
	for (uint32_t i = 0; i < w->e->link_lo; i++) {
		const struct nat_link *l = &w->j->w->links.v[i];

		if (l->instance == LINK_LOCAL && flow_equal(l->inside, flow_reverse(l->inside)) &&
		    (flow_equal(l->inside, f) || flow_equal(l->outside, f)))
			return true;
	}
	return false;
}

enum diff_known diff_free_known(struct way *w, const struct result *r)
{
	const bool changed = r->src_changed || r->dst_changed;

	if (changed && w->is_invalid && !w->is_tracked)
		return DK_INVALID;
	if (changed && w->is_own && w->p.dir == DIR_IN)
		return DK_LO_NAT;
	if (w->is_tracked && is_own_answer(w, packet_flow(&w->p)))
		return DK_SELF;
	if (w->is_tracked &&
	    (r->dst_changed || r->verdict == V_PASS || met_nat(r) || is_fenced(r)) &&
	    !flow_equal(by_conntrack(w), packet_flow(&r->packet)))
		return DK_FLOW;
	if (is_unsure(w, &w->p) || is_unsure(w, &r->packet))
		return DK_UNSURE;
	if (fits_two(w, &w->p) || fits_two(w, &r->packet))
		return DK_TWICE;
	return w->j->limits_unsure && counts(w, r) ? DK_LIMIT : DK_NONE;
}

static void add_unsure(struct way *w, const struct packet *p)
{
	vec_add(w->j->a, &w->j->unsure, key_of(p));
}

void diff_free_note(struct way *w, const struct packet *first)
{
	const struct diff_expect *e = w->e;

	/* What the host is told itself comes in by lo and may make a state */
	if (e->fate == FATE_ANY || (e->fate == FATE_ANSWERED && w->is_own)) {
		add_unsure(w, first);
		add_unsure(w, &w->p);
	}
	for (uint32_t i = e->state_lo; i < e->state_hi; i++)
		if (e->fate != FATE_ARRIVED || (w->is_invalid && !w->is_tracked))
			w->j->limits_unsure = true;
}

/* Would the rules let an ICMP error with this source out */
static bool error_passes(struct way *w, const struct packet *first, struct addr src)
{
	const int32_t icmp = first->src.af == AF_V4 ? w->e->answer.icmp4 : w->e->answer.icmp6;
	const uint32_t n = w->j->w->states.n, n_links = w->j->w->links.n;
	struct packet p = {
		.dir = DIR_OUT, .src = src, .dst = first->src,
		.proto = first->src.af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6,
		.icmp_type = (uint8_t)(icmp >> 8), .icmp_code = (uint8_t)icmp,
		.iface = intern_cid(w->j->m->names, diff_link_name(w->j, w->e->answer_link)),
	};
	struct result r;
	bool is_counted;

	wire_set_heads(&p);
	r = model_eval(w->j->m, w->j->w, &p, w->j->a);
	is_counted = counts(w, &r);
	w->j->w->states.n = n;
	w->j->w->links.n = n_links;
	/* A limit counts it like any packet, here for as long as conntrack likes */
	if (is_counted && w->j->limits_unsure) {
		w->e->known = DK_LIMIT;
		w->e->fate = FATE_ANY;
	}
	w->j->limits_unsure |= is_counted;
	return r.verdict == V_PASS && !r.src_changed;
}

static struct flow error_flow(const struct packet *first, struct addr src)
{
	return (struct flow){ .proto = first->src.af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6,
			      .src = src, .dst = first->src };
}

/*
 * The ICMP error that answers passes the rules like any packet, a RST does not.
 * It comes from the address that was asked or from the interface's, the kernel knows.
 */
static bool answer_passes(struct way *w, const struct packet *first)
{
	const struct facts *f = w->j->lab->facts;
	const struct iface *by = &f->ifaces.v[w->j->lab->links[w->e->answer_link].iface];
	struct addr own = { .af = AF_NONE };

	if (first->proto == PROTO_TCP && w->e->answer.rst)
		return true;
	for (uint32_t i = 0; i < by->addrs.n && own.af == AF_NONE; i++)
		if (by->addrs.v[i].p.a.af == first->src.af)
			own = by->addrs.v[i].p.a;
	/* It makes states as any packet does, of whichever source it has */
	vec_add(w->j->a, &w->j->unsure, error_flow(first, own));
	vec_add(w->j->a, &w->j->unsure, error_flow(first, first->dst));
	return error_passes(w, first, own) &&
	       (facts_iface_of(f, first->dst) == NULL || error_passes(w, first, first->dst));
}

/* A RST comes from the address that was asked, also from an interior one */
static bool is_answer_fenced(struct way *w, const struct packet *first)
{
	const struct packet rst = { .proto = first->proto, .src = first->dst, .dst = first->src };

	return first->proto == PROTO_TCP && w->e->answer.rst &&
	       !diff_leaves(w->j, w->e->answer_link, &rst);
}

static bool answers_rst(const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct ruling *r = &m->lists.v[l].rules.v[i].ruling;

			if (r->verdict == V_RETURN && r->answer.rst)
				return true;
		}
	return false;
}

void diff_free_refused(struct way *w, const struct result *r, const struct packet *first)
{
	struct diff_expect *e = w->e;

	e->fate = r->verdict == V_RETURN ? FATE_ANSWERED : FATE_LOST;
	if (w->is_own && w->p.proto == PROTO_TCP && (w->p.tcp_flags & TCP_FLAG_RST) != 0 &&
	    answers_rst(w->j->m)) {
		e->known = DK_OWN_ERROR;
		e->fate = FATE_ANY;
		return;
	}
	e->answer = r->answer;
	e->answer_link = w->is_own ? LAB_NOWHERE : lab_route(w->j->lab, first->src);
	if (r->verdict != V_RETURN)
		return;
	if (e->answer_link == LAB_LOCAL || w->was_translated)
		e->answer_link = LAB_NOWHERE;
	if (w->p.dir == DIR_OUT && met_nat(r)) {
		e->known = DK_RETURN;
		e->fate = FATE_LOST;
	} else if (!diff_is_summed(w->p.proto)) {
		e->known = DK_UNSUMMED;
		e->fate = FATE_LOST;
	} else if (e->answer_link != LAB_NOWHERE && is_answer_fenced(w, first)) {
		e->known = DK_FENCED;
		e->fate = FATE_LOST;
	} else if (e->answer_link != LAB_NOWHERE && !answer_passes(w, first)) {
		e->answer_link = LAB_NOWHERE;
	}
}

void diff_free_learn(struct diff_judge *j, const struct diff_expect *e, const struct packet *seen)
{
	for (uint32_t i = e->link_lo; i < e->link_hi; i++) {
		struct flow *f = &j->w->links.v[i].outside;

		if (!addr_equal(f->src, e->p.src) || f->sport != e->p.sport)
			continue;
		f->sport = seen->sport;
		if (!proto_has_ports(f->proto))
			f->dport = seen->dport;
	}
}

struct diff_expect diff_expect_error(struct diff_judge *j, const struct gen_packet *x,
				     const struct packet *quoted)
{
	const struct flow f = packet_flow(quoted);
	struct diff_expect e;

	e = diff_expect(j, x, false);
	for (uint32_t i = 0; i < j->w->links.n; i++) {
		const struct nat_link *l = &j->w->links.v[i];

		if (same_either_way(l->inside, f) || same_either_way(l->outside, f)) {
			e.fate = FATE_ANY;
			e.known = DK_FLOW;
		}
	}
	return e;
}
