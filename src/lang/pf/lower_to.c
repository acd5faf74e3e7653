/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * match, and the translations of filter rules: nat-to, rdr-to, binat-to.  They
 * are lowered like any filter rule; which of them translate what is noted on
 * the way, and hoist.c puts the translations before the filter.
 *
 * binat-to is two rules: out, the source becomes the address given; in, that
 * address, turned round, becomes the source of the rule.
 */
#include "lang/pf/lower.h"

#include "base/limits.h"

/* One translation of a rule, for each time that it is emitted */
struct to {
	const struct pf_rule *rule;
	uint32_t xlate;
};

static void finish_match(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct pf_rule *p = arg;

	if (p->is_log)
		rule_log(l->m, r);
	if (pf_mend_of(l, p) != 0)
		rule_mend(l->m, r, pf_mend_of(l, p) - 1);
}

/* Does an anchor around ask for addresses: once in pf, here again of each rule within */
static bool is_asked_around(const struct pf_lower *l)
{
	for (const struct pf_outer *o = l->outer; o != NULL; o = o->up) {
		const struct pf_rule *r = o->s->rule;

		if (r->from.hosts.n + r->to.hosts.n + r->from.ports.n + r->to.ports.n > 0)
			return true;
	}
	return false;
}

static void finish_to(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct to *to = arg;
	const bool is_match = to->rule->action == PA_MATCH;

	if (is_match)
		finish_match(l, r, to->rule);
	else
		pf_finish_filter(l, r, to->rule);
	vec_add(l->c->a, &l->turns, ((struct pf_turn){
		.rule = l->m->lists.v[l->list_filter].rules.n - 1, .xlate = to->xlate,
		.is_match = is_match, .is_inner = is_match && is_asked_around(l) }));
}

static bool emit_to(struct pf_lower *l, const struct pf_xlating *w, const struct xlate *x)
{
	const struct to to = { w->s->rule, model_add_xlate(l->m, *x) };

	return pf_emit(l, l->list_filter, w->s, &l->match, finish_to, &to);
}

static bool refuse(struct pf_lower *l, const struct pf_stmt *s, const char *what)
{
	pf_diag(l->c, l->f, E1330, s->at, "%s", what);
	diag_help(l->c->diags, "write the translation as a nat or rdr rule, and what it may pass "
		  "as a pass rule");
	return false;
}

/* ---- binat-to ------------------------------------------------------------- */

static struct pf_parts parts_of_prefix(struct pf_lower *l, struct prefix p)
{
	struct pf_parts ps = { .list = { 0 } };

	vec_add(l->c->a, &ps.list, ((struct pf_part){ .in = set_prefix(l->c->a, p) }));
	return ps;
}

static struct xlate onto(struct pf_lower *l, enum xlate_kind kind, struct prefix to)
{
	struct xlate x = { .kind = kind, .port = XP_KEEP };

	pf_xlate_onto(l, &x, to);
	return x;
}

static bool lower_binat_to(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_rule *r = s->rule;
	const struct pf_xlating w = { .s = s, .target = r->o->binat_to, .emit = emit_to };
	struct pf_match *mt = &l->match;
	const struct set *ports;
	struct pf_parts peers;
	struct prefix in, out;
	struct xlate x;

	if (r->dir >= 0)
		return refuse(l, s, "binat-to is of both directions: the rule takes no in or out");
	if (!pf_match_of(l, r) || !pf_binat_sides(l, r, w.target, &in, &out))
		return false;
	peers = mt->dst;
	mt->af = in.a.af;
	mt->dir = DIR_OUT;
	mt->src = parts_of_prefix(l, in);
	x = onto(l, XL_SRC, out);
	if (!emit_to(l, &w, &x))
		return false;
	mt->dir = DIR_IN;
	mt->src = peers;
	mt->dst = parts_of_prefix(l, out);
	ports = mt->sport;
	mt->sport = mt->dport;
	mt->dport = ports;
	x = onto(l, XL_DST, in);
	return emit_to(l, &w, &x);
}

/* ---- nat-to and rdr-to ---------------------------------------------------- */

bool pf_has_to(const struct pf_rule *r)
{
	return r->o->nat_to != NULL || r->o->rdr_to != NULL || r->o->binat_to != NULL ||
	       r->o->af_to != AF_NONE;
}

bool pf_lower_to(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_rule_opts *o = s->rule->o;
	const struct pf_xlating w = {
		.s = s, .target = o->nat_to != NULL ? o->nat_to : o->rdr_to,
		.kind = o->nat_to != NULL ? XL_SRC : XL_DST, .emit = emit_to,
	};

	if (o->af_to != AF_NONE)
		return pl_error(l, E1331, s->at, "nothing in Linux translates IPv4 to IPv6 or "
				"back: af-to needs a NAT64 daemon");
	if (s->rule->action == PA_BLOCK)
		return refuse(l, s, "a block rule translates nothing");
	if ((o->nat_to != NULL) + (o->rdr_to != NULL) + (o->binat_to != NULL) > 1)
		return refuse(l, s, "a packet is translated once at a crossing: nat-to and rdr-to "
			      "cannot stand on one rule");
	if (pf_mend_of(l, s->rule) != 0 && s->rule->action == PA_MATCH)
		return refuse(l, s, "scrub and a translation cannot stand on one match rule: write "
			      "two");
	if (o->binat_to != NULL)
		return lower_binat_to(l, s);
	if (s->rule->dir < 0)
		return refuse(l, s, "nat-to and rdr-to need a direction: nat-to out, rdr-to in");
	return pf_match_of(l, s->rule) && pf_xlate(l, &w);
}

bool pf_lower_match(struct pf_lower *l, const struct pf_stmt *s)
{
	if (pf_has_to(s->rule))
		return pf_lower_to(l, s);
	return pf_match_of(l, s->rule) &&
	       pf_emit(l, l->list_filter, s, &l->match, finish_match, s->rule);
}
