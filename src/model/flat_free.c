/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Every way through the lists is walked once, with the conditions that lead along it.
 * Where `nat` stands in a way, what is left of the way is taken apart: inbound the
 * redirects become rules of their own, and the way goes on with what is not redirected
 * and with what is; outbound the packets that get another source must pass whatever
 * they are, as the rules of pf see them behind the translation and ipfw's did not.
 *
 * What decided before `nat` keeps its packets from the translation: it becomes an
 * exemption as well.
 */
#include "model/flat_work.h"

#define MOST_PORTS	64u	/* of a redirect, each of which is a rule */

static bool walk(struct flatten *w, uint32_t list, uint32_t first, const struct flat_rule *at);

/* ---- nat, inbound ----------------------------------------------------------------------- */

static const struct set *one_way(struct flatten *w, enum direction dir)
{
	return set_one(w->a, dir);
}

/* A rule that looks at what translations cannot look at */
static bool is_of_flows(const struct flat_rule *r)
{
	static const enum field flows[] = { F_DIR, F_IFACE, F_AF, F_PROTO, F_SRC, F_DST, F_SPORT,
					    F_DPORT, F_SRC_LOCAL, F_DST_LOCAL };
	uint32_t n = 0, all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
		n += r->in[flows[i]] != NULL;
	for (enum field f = 0; f < N_FIELDS; f++)
		all += r->in[f] != NULL;
	return n == all && r->prob == 0;
}

/* What decides before a translation keeps its packets from it */
static bool exempt(struct flatten *w, struct flat_list *into, const struct flat_rule *from)
{
	for (uint32_t i = 0; i < w->f->filter.rules.n; i++) {
		struct flat_rule own = w->f->filter.rules.v[i];

		if (!flat_meets(w->a, &own, from))
			continue;
		if (!is_of_flows(&own))
			return flat_refuse(w, own.origin, "before nat, what looks at more than "
					   "addresses and ports");
		if (!flat_meet(w->a, &own, F_DIR, from->in[F_DIR]))
			continue;
		own.act = FLAT_EXEMPT;
		own.is_logged = false;
		if (!flat_add(w, into, &own))
			return false;
	}
	return true;
}

static struct addr own_address(const struct xlate *x)
{
	return x->to.n > 0 ? x->to.v[0] : (struct addr){ .af = AF_NONE };
}

static struct addr outside_of(const struct xlate *x, const struct redirect *r)
{
	return r->outside.af != AF_NONE ? r->outside : own_address(x);
}

static struct xlate *to_one(struct flatten *w, enum xlate_kind kind, struct addr to)
{
	struct xlate *x = arena_new(w->a, struct xlate);

	*x = (struct xlate){ .kind = kind, .port = XP_KEEP };
	vec_add(w->a, &x->to, to);
	return x;
}

/* A redirect, of what comes @at */
static bool redirect_in(struct flatten *w, const struct redirect *r, const struct xlate *of,
			const struct flat_rule *at)
{
	struct xlate *x = to_one(w, XL_DST, r->to.v[0].a);
	struct flat_rule own = *at;

	own.act = FLAT_TRANSLATE;
	own.x = x;
	if (r->has_ports) {
		x->port = r->lo == r->hi ? XP_TO : XP_SHIFT;
		x->lo = r->to.v[0].port;
		x->hi = (uint16_t)(x->lo + r->hi - r->lo);
		x->from = r->lo;
	}
	if ((r->proto >= 0 &&
	     !flat_meet(w->a, &own, F_PROTO, set_one(w->a, (u128)r->proto))) ||
	    !flat_meet(w->a, &own, F_DST, set_addr(w->a, outside_of(of, r))) ||
	    (r->has_ports &&
	     !flat_meet(w->a, &own, F_DPORT, set_range(w->a, AF_NONE, r->lo, r->hi))) ||
	    (r->peer.af != AF_NONE &&
	     !flat_meet(w->a, &own, F_SRC, set_addr(w->a, r->peer))) ||
	    (r->peer_lo != 0 &&
	     !flat_meet(w->a, &own, F_SPORT, set_range(w->a, AF_NONE, r->peer_lo, r->peer_hi))))
		return true;
	return exempt(w, &w->f->rdr, &own) && flat_add(w, &w->f->rdr, &own);
}

static bool asks_destination(const struct flat_rule *r)
{
	return r->in[F_DST] != NULL || r->in[F_DPORT] != NULL || r->in[F_DST_LOCAL] != NULL;
}

/* No rule before nat may look like one for what a redirect leads to */
static bool check_earlier(struct flatten *w, const struct redirect *r, const struct flat_rule *at)
{
	struct flat_rule led = *at;

	led.in[F_DST] = set_addr(w->a, r->to.v[0].a);
	led.in[F_DPORT] = !r->has_ports ? NULL
		: set_range(w->a, AF_NONE, r->to.v[0].port,
			    (u128)(r->to.v[0].port + r->hi - r->lo));
	for (uint32_t i = 0; i < w->f->filter.rules.n; i++)
		if (asks_destination(&w->f->filter.rules.v[i]) &&
		    flat_meets(w->a, &w->f->filter.rules.v[i], &led))
			return flat_refuse(w, w->f->filter.rules.v[i].origin, "before nat, what "
					   "would judge redirected packets behind it");
	return true;
}

/* A pass; the link that nat leaves of what came in keeps the answers from being translated */
static bool pass(struct flatten *w, const struct flat_rule *at)
{
	struct flat_rule own = *at;

	own.ruling.verdict = V_PASS;
	own.ruling.allow_opts = true;
	for (uint32_t i = 0; i < w->linked.rules.n && !at->ruling.keep && at->prob == 0; i++) {
		struct flat_rule kept = own;

		if (!flat_narrow(w->a, &kept, &w->linked.rules.v[i]))
			continue;
		kept.ruling.keep = true;
		if (!flat_add(w, &w->f->filter, &kept))
			return false;
	}
	return flat_add(w, &w->f->filter, &own);
}

static bool nat_in(struct flatten *w, const struct rule *r, const struct xlate *x,
		   const struct flat_rule *at)
{
	struct flat_rule in = *at;

	if (!flat_meet(w->a, &in, F_DIR, one_way(w, DIR_IN)))
		return true;
	if (x->deny_in)
		return flat_refuse(w, r->origin, "deny_in");
	in.is_pass = r->exit == EX_DECIDE;
	for (uint32_t i = 0; i < x->redirects.n; i++) {
		const struct redirect *to = &x->redirects.v[i];

		if (to->to.n != 1)
			return flat_refuse(w, r->origin, "a redirect to several in turn");
		if (!check_earlier(w, to, &in) || !redirect_in(w, to, x, &in))
			return false;
	}
	vec_add(w->a, &w->linked.rules, in);
	return r->exit != EX_DECIDE || pass(w, &in);
}

/* ---- nat, outbound ---------------------------------------------------------------------- */

/* Does everything that comes @at pass from here on */
static bool all_passes(struct flatten *w, uint32_t list, uint32_t first,
		       const struct flat_rule *at)
{
	const struct rule_list *l = &w->m->lists.v[list];

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		struct flat_rule own = *at;

		if (!flat_enter(w, &own, r))
			continue;
		for (enum field f = 0; f < N_FIELDS; f++)
			if (own.in[f] != at->in[f] &&
			    (at->in[f] == NULL || !set_equal(own.in[f], at->in[f])))
				return flat_refuse(w, r->origin,
						   "behind nat, a rule for some of its packets");
		if (rule_has_effect(r, EF_TRANSLATE) != NULL || r->prob != 0 ||
		    r->exit == EX_CALL || r->exit == EX_RETURN)
			return flat_refuse(w, r->origin, "this rule behind nat");
		if (r->exit == EX_GOTO)
			return all_passes(w, r->list, 0, at);
		if (r->exit == EX_DECIDE)
			return r->ruling.verdict == V_PASS ||
			       flat_refuse(w, r->origin, "a refusal behind nat");
	}
	return w->m->otherwise.verdict == V_PASS ||
	       flat_refuse(w, at->origin, "the refusal of what nat has translated");
}

static bool translate_out(struct flatten *w, const struct flat_rule *at, struct xlate *x)
{
	struct flat_rule own = *at;

	own.act = FLAT_TRANSLATE;
	own.is_pass = true;
	own.x = x;
	if (!exempt(w, &w->f->nat, &own) || !flat_add(w, &w->f->nat, &own))
		return false;
	/* What has that source already is not changed, and passes too */
	own.act = FLAT_DECIDE;
	own.ruling = ruling_keep();
	own.ruling.allow_opts = true;
	return !flat_meet(w->a, &own, F_SRC, set_addr(w->a, x->to.v[0])) ||
	       flat_add(w, &w->f->filter, &own);
}

/* What an inside port of a redirect sends first leaves as its outside port */
static bool redirect_port_out(struct flatten *w, const struct redirect *r, uint16_t n,
			      const struct xlate *of, const struct flat_rule *at)
{
	struct xlate *x = to_one(w, XL_SRC, outside_of(of, r));
	const uint16_t inside = (uint16_t)(r->to.v[0].port + n);
	struct flat_rule own = *at;

	x->port = XP_RANDOM;
	x->lo = x->hi = (uint16_t)(r->lo + n);
	return !flat_meet(w->a, &own, F_SPORT, set_one(w->a, inside)) ||
	       translate_out(w, &own, x);
}

/* What an inside address of a redirect sends first leaves as its outside too */
static bool redirect_out(struct flatten *w, const struct redirect *r, const struct xlate *of,
			 const struct flat_rule *at)
{
	struct flat_rule own = *at;

	if (r->has_ports && (uint32_t)(r->hi - r->lo) >= MOST_PORTS)
		return flat_refuse(w, at->origin, "a redirect of so many ports");
	if ((r->proto >= 0 &&
	     !flat_meet(w->a, &own, F_PROTO, set_one(w->a, (u128)r->proto))) ||
	    !flat_meet(w->a, &own, F_SRC, set_addr(w->a, r->to.v[0].a)) ||
	    (r->peer.af != AF_NONE &&
	     !flat_meet(w->a, &own, F_DST, set_addr(w->a, r->peer))) ||
	    (r->peer_lo != 0 &&
	     !flat_meet(w->a, &own, F_DPORT, set_range(w->a, AF_NONE, r->peer_lo, r->peer_hi))))
		return true;
	if (!r->has_ports)
		return translate_out(w, &own, to_one(w, XL_SRC, outside_of(of, r)));
	for (uint16_t n = 0; n <= r->hi - r->lo; n++)
		if (!redirect_port_out(w, r, n, of, &own))
			return false;
	return true;
}

static bool nat_out(struct flatten *w, uint32_t list, uint32_t i, const struct xlate *of,
		    const struct flat_rule *at)
{
	const struct rule *r = &w->m->lists.v[list].rules.v[i];
	struct flat_rule out = *at, behind;
	struct xlate *x;

	if (!flat_meet(w->a, &out, F_DIR, one_way(w, DIR_OUT)))
		return true;
	if (own_address(of).af == AF_NONE)
		return flat_refuse(w, r->origin, "an instance without an address");
	if (of->only_from != NULL && of->port != XP_KEEP)
		return flat_refuse(w, r->origin, "unreg_only without same_ports");
	behind = out;
	behind.in[F_SRC] = set_addr(w->a, own_address(of));
	behind.in[F_SPORT] = behind.in[F_SRC_LOCAL] = NULL;
	if (r->exit != EX_DECIDE && !all_passes(w, list, i + 1, &behind))
		return false;
	for (uint32_t k = 0; k < of->redirects.n; k++)
		if (of->redirects.v[k].to.n == 1 &&
		    !redirect_out(w, &of->redirects.v[k], of, &out))
			return false;
	if (of->only_from != NULL && !flat_meet(w->a, &out, F_SRC, of->only_from))
		return true;
	x = to_one(w, XL_SRC, own_address(of));
	x->port = of->port;
	x->lo = of->lo;
	x->hi = of->hi;
	return translate_out(w, &out, x);
}

/* ---- ways ------------------------------------------------------------------------------- */

static bool look(struct flatten *w, struct origin at, const struct effect *e)
{
	if (w->asked != 0 && w->asked != e->name + 1)
		return flat_refuse(w, at, "the second name of states");
	w->asked = e->name + 1;
	return true;
}

static bool take_effects(struct flatten *w, const struct rule *r, struct origin at,
			 struct flat_rule *own, bool *keeps)
{
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const struct effect *e = &r->effects.v[i];

		switch (e->kind) {
		case EF_LOG:
			own->is_logged = true;
			break;
		case EF_PROBE:
			if (!look(w, at, e))
				return false;
			break;
		case EF_RECORD:
			if (e->limit != 0)
				return flat_refuse(w, r->origin, "a limit of states");
			if (r->exit != EX_GOTO || e->list != r->list)
				return flat_refuse(w, r->origin, "a deferred action");
			*keeps = true;
			break;
		case EF_TRANSLATE:
			break;
		default:
			return flat_refuse(w, r->origin, "a tag");
		}
	}
	return true;
}

static bool decide(struct flatten *w, const struct rule *r, const struct flat_rule *at)
{
	struct flat_rule own = *at;

	own.ruling = r->ruling;
	own.ruling.keep = w->keeps && r->ruling.verdict == V_PASS;
	own.ruling.allow_opts = r->ruling.verdict == V_PASS;
	if (w->keeps && r->ruling.verdict != V_PASS)
		return flat_refuse(w, r->origin, "states of what is refused");
	if (!flat_plain(w, &r->ruling, r->origin))
		return false;
	return r->ruling.verdict == V_PASS ? pass(w, &own) : flat_add(w, &w->f->filter, &own);
}

/* A list of its own, behind which nothing else stands */
static bool follow(struct flatten *w, const struct rule *r, const struct flat_rule *at)
{
	struct flat_rule end = *at;
	const uint32_t before = w->f->filter.rules.n;

	if (!walk(w, r->list, 0, at))
		return false;
	if (w->f->filter.rules.n > before) {
		const struct flat_rule *last = &w->f->filter.rules.v[w->f->filter.rules.n - 1];
		bool ends = last->prob == at->prob;

		for (enum field f = 0; f < N_FIELDS; f++)
			ends = ends && last->in[f] == at->in[f];
		if (ends)
			return true;
	}
	end.ruling = w->m->otherwise;
	return flat_add(w, &w->f->filter, &end);
}

static bool step(struct flatten *w, uint32_t list, uint32_t i, struct flat_rule *own)
{
	const struct rule *r = &w->m->lists.v[list].rules.v[i];
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x = e != NULL ? &w->m->xlates.v[e->xlate] : NULL;

	if (x != NULL && (x->kind != XL_INSTANCE || x->is_global || x->is_local))
		return flat_refuse(w, r->origin, "nat global");
	if (x != NULL)
		return nat_in(w, r, x, own) && nat_out(w, list, i, x, own);
	switch (r->exit) {
	case EX_NEXT:
		return true;
	case EX_GOTO:
		own->is_logged = false;
		return follow(w, r, own);
	case EX_DECIDE:
		return decide(w, r, own);
	default:
		return flat_refuse(w, r->origin, "call and return");
	}
}

static bool walk(struct flatten *w, uint32_t list, uint32_t first, const struct flat_rule *at)
{
	const struct rule_list *l = &w->m->lists.v[list];

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const bool is_own = r->origin.text != NULL || i + 1 == l->rules.n;
		struct flat_rule own = *at;
		const bool kept = w->keeps;
		bool good;

		if (!flat_enter(w, &own, r))
			continue;
		if (at->prob != 0 && r->prob != 0)
			return flat_refuse(w, r->origin, "one probability behind another");
		if (at->prob != 0 && r->exit != EX_DECIDE)
			return flat_refuse(w, r->origin, "a probability of a way of rules");
		/* keep-state looks in a rule of its own, before the one that says so */
		good = take_effects(w, r, is_own ? r->origin : l->rules.v[i + 1].origin, &own,
				    &w->keeps) && step(w, list, i, &own);
		w->keeps = kept;
		if (!good)
			return false;
	}
	return true;
}

bool flat_free(struct flatten *w)
{
	const struct flat_rule any = { .prob = 0 };

	return walk(w, w->m->entry[DIR_IN], 0, &any);
}
