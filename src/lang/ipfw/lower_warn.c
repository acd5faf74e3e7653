/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What means something else than its author thinks.  Private sources that leave:
 * for each interface where a nat rule translates what goes out, walk the lists
 * with a packet of which only direction, interface and source are known, skip
 * what an earlier rule takes whole, and tell each rule that lets some pass.
 */
#include "lang/ipfw/lower.h"
#include "net/names.h"

/* The walk with one kind of packet */
struct walk {
	struct lower *l;
	struct conj kind;
	uint32_t depth;
};

#define WALK_DEPTH	64u

/* -- one_pass --------------------------------------------------------------- */

static bool may_be(const struct work_rule *w, enum direction dir)
{
	for (uint32_t v = 0; v < w->variants.n; v++) {
		for (uint32_t k = 0; k < w->variants.v[v].alts.list.n; k++) {
			const struct set *dirs = w->variants.v[v].alts.list.v[k].f[F_DIR];

			if (dirs == NULL || set_has(dirs, AF_NONE, dir))
				return true;
		}
	}
	return false;
}

/* Does one rule match something that another matches too, inbound */
static bool meet_inbound(struct lower *l, const struct work_rule *x, const struct work_rule *y)
{
	const struct conj in = { .f = { [F_DIR] = set_one(l->a, DIR_IN) } };

	for (uint32_t i = 0; i < x->variants.v[0].alts.list.n; i++) {
		for (uint32_t k = 0; k < y->variants.v[0].alts.list.n; k++) {
			struct conj both;

			if (conj_and(l->a, &x->variants.v[0].alts.list.v[i],
				     &y->variants.v[0].alts.list.v[k], &both) &&
			    conj_and(l->a, &both, &in, &both))
				return true;
		}
	}
	return false;
}

static void warn_one_pass(struct lower *l)
{
	if (l->rs->one_pass >= 0 || l->o->one_pass >= 0)
		return;
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct work_rule *nat = &l->rules.v[i];

		if (nat->r->action != IW_NAT || nat->variants.n == 0 || !may_be(nat, DIR_IN))
			continue;
		for (uint32_t k = i + 1; k < l->rules.n; k++) {
			const struct work_rule *w = &l->rules.v[k];

			if (w->variants.n == 0 || !meet_inbound(l, nat, w))
				continue;
			diag_add(l->c->diags, DIAG_W2030, nat->r->at,
				 "one_pass is not said, so it is 1: rule %u accepts the packets "
				 "that it takes", nat->r->number);
			diag_note(l->c->diags, w->r->at,
				  "rule %u is the first that inbound packets then never reach",
				  w->r->number);
			diag_help(l->c->diags, "say 'disable one_pass' or --one-pass 0");
			return;
		}
	}
}

/* -- private sources -------------------------------------------------------- */

/* Private addresses behind the host: of cloned loopbacks and jails' links */
static const struct set *inside(struct lower *l)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < l->facts->ifaces.n; i++) {
		const struct iface *f = &l->facts->ifaces.v[i];

		for (uint32_t k = 0; k < f->addrs.n; k++) {
			const struct addr a = f->addrs.v[k].p.a;

			if (f->kind != IFACE_REAL && f->kind != IFACE_LO && a.af == AF_V4 &&
			    addr_is_private(a))
				ranges_add(l->a, &rs, a.af, a.v, a.v);
		}
	}
	return set_make(l->a, &rs);
}

/* Where such a packet was received: nowhere, it is a local process's, or on a jail's link */
static const struct set *inner_ifaces(struct lower *l)
{
	struct ranges rs = { 0 };

	ranges_add(l->a, &rs, AF_NONE, 0, 0);
	for (uint32_t i = 0; i < l->facts->ifaces.n; i++) {
		const struct iface *f = &l->facts->ifaces.v[i];

		if (f->kind != IFACE_REAL)
			ranges_add(l->a, &rs, AF_NONE, f->id, f->id);
	}
	return set_make(l->a, &rs);
}

/* A rule that asks for what only follows a first packet */
static bool is_for_first(const struct conj *c)
{
	return c->f[F_TCPFLAGS] == NULL || set_has(c->f[F_TCPFLAGS], AF_NONE, TCP_FLAG_SYN);
}

/* Local sources are of this host: the test says nothing more here */
static struct conj narrowed(const struct rule *r)
{
	struct conj c = conj_of_rule(r);

	if (c.f[F_SRC_LOCAL] != NULL && set_has(c.f[F_SRC_LOCAL], AF_NONE, 1))
		c.f[F_SRC_LOCAL] = NULL;
	return c;
}

static void walk_list(struct walk *w, uint32_t list, const struct conj *kind);

/* Where a rule that some packets match leads */
static void follow(struct walk *w, const struct rule *r, const struct conj *kind)
{
	if (rule_has_effect(r, EF_TRANSLATE) != NULL)
		return;		/* translated from here on */
	if (r->exit == EX_GOTO || r->exit == EX_CALL)
		walk_list(w, r->list, kind);
	else if (r->exit == EX_DECIDE && r->ruling.verdict == V_PASS && is_for_first(kind))
		diag_add(w->l->c->diags, DIAG_W2031, r->origin.at,
			 "the rule lets private sources out by an interface with nat, "
			 "untranslated");
}

static void walk_list(struct walk *w, uint32_t list, const struct conj *kind)
{
	const struct rule_list *rl = &w->l->m->lists.v[list];
	struct dnf seen = { .list = { .n = 0 } };
	bool is_all = false;

	if (w->depth == WALK_DEPTH)
		return;
	w->depth++;
	for (uint32_t i = 0; i < rl->rules.n && !is_all; i++) {
		const struct rule *r = &rl->rules.v[i];
		const struct conj c = narrowed(r);
		struct conj both;
		bool taken = false;

		if (!conj_and(w->l->a, kind, &c, &both))
			continue;
		for (uint32_t k = 0; k < seen.list.n && !taken; k++)
			taken = conj_covers(&seen.list.v[k], &both);
		if (taken)
			continue;
		follow(w, r, &both);
		/* What goes on from here is elsewhere, or translated */
		if (r->prob == 0 && ((r->exit != EX_NEXT && r->exit != EX_CALL) ||
				     rule_has_effect(r, EF_TRANSLATE) != NULL))
			dnf_add(w->l->a, &seen, &both);
		for (uint32_t k = 0; k < seen.list.n; k++)
			is_all |= conj_covers(&seen.list.v[k], kind);
	}
	w->depth--;
}

/* Does some rule translate what goes out by an interface */
static bool translates(struct lower *l, uint32_t iface)
{
	for (uint32_t i = 0; i < l->m->lists.n; i++) {
		for (uint32_t k = 0; k < l->m->lists.v[i].rules.n; k++) {
			const struct rule *r = &l->m->lists.v[i].rules.v[k];
			const struct set *dirs = rule_tests(r, F_DIR);
			const struct set *ifaces = rule_tests(r, F_IFACE);

			if (rule_has_effect(r, EF_TRANSLATE) != NULL &&
			    (dirs == NULL || set_has(dirs, AF_NONE, DIR_OUT)) &&
			    (ifaces == NULL || set_has(ifaces, AF_NONE, iface)))
				return true;
		}
	}
	return false;
}

static void warn_sources(struct lower *l)
{
	const struct set *sources = inside(l);

	for (uint32_t i = 0; i < l->facts->ifaces.n && !set_is_empty(sources); i++) {
		const struct iface *f = &l->facts->ifaces.v[i];
		struct walk w = { .l = l };

		if (f->kind != IFACE_REAL || !translates(l, f->id))
			continue;
		w.kind.f[F_DIR] = set_one(l->a, DIR_OUT);
		w.kind.f[F_IFACE] = set_one(l->a, f->id);
		w.kind.f[F_AF] = set_one(l->a, AF_V4);
		w.kind.f[F_SRC] = sources;
		w.kind.f[F_RECV] = inner_ifaces(l);
		walk_list(&w, l->m->entry[DIR_OUT], &w.kind);
	}
	lower_warn_answers(l, sources);
}

/* -- nat and IPv6 ----------------------------------------------------------- */

static bool has_ipv6(const struct facts *facts)
{
	for (uint32_t i = 0; i < facts->ifaces.n; i++) {
		const struct iface *f = &facts->ifaces.v[i];

		for (uint32_t k = 0; k < f->addrs.n; k++) {
			const struct addr a = f->addrs.v[k].p.a;

			if (a.af == AF_V6 && !addr_is_linklocal(a) && !addr_is_loopback(a))
				return true;
		}
	}
	return false;
}

static void warn_ipv6(struct lower *l)
{
	const struct conj v6 = { .f = { [F_AF] = set_one(l->a, AF_V6) } };

	if (!has_ipv6(l->facts))
		return;
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct work_rule *w = &l->rules.v[i];
		bool meets = false;

		for (uint32_t v = 0; v < w->variants.n; v++) {
			for (uint32_t k = 0; k < w->variants.v[v].alts.list.n; k++) {
				const struct conj *c = &w->variants.v[v].alts.list.v[k];
				struct conj both;

				meets |= conj_and(l->a, c, &v6, &both) &&
					 (c->f[F_SRC] == NULL ||
					  (set_families(c->f[F_SRC]) & SET_HAS_V6) != 0) &&
					 (c->f[F_DST] == NULL ||
					  (set_families(c->f[F_DST]) & SET_HAS_V6) != 0);
			}
		}
		if (w->r->action == IW_NAT && meets)
			diag_add(l->c->diags, DIAG_W2033, w->r->at,
				 "rule %u denies the IPv6 packets that reach it", w->r->number);
	}
}

/* Options that know no table, interface or route, and each of which some packet meets */
static bool has_plain_options(struct lower *l, const struct ipfw_rule *r)
{
	static const bool is_plain[] = {
		[INSN_ANY] = true, [INSN_AF] = true, [INSN_PROTO] = true, [INSN_ADDR] = true,
		[INSN_PORT] = true, [INSN_DIR] = true, [INSN_TCPFLAGS] = true,
		[INSN_ICMP] = true, [INSN_ICMP6] = true, [INSN_IPOPTIONS] = true,
		[INSN_TOS] = true, [INSN_DSCP] = true, [INSN_HEAD] = true,
	};

	for (uint32_t i = 0; i < r->insns.n; i++) {
		const struct ipfw_insn *n = &r->insns.v[i];

		if (n->kind >= ARRAY_SIZE(is_plain) || !is_plain[n->kind] ||
		    n->table.name != NULL || lower_insn(l, n, NULL).list.n == 0)
			return false;
	}
	return true;
}

static bool is_never_told(const struct diags *d, struct span at)
{
	for (uint32_t i = 0; i < d->list.n; i++)
		if (d->list.v[i].code == DIAG_W2032 && d->list.v[i].at.lo == at.lo &&
		    d->list.v[i].at.src == at.src)
			return true;
	return false;
}

static void warn_never(struct lower *l)
{
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct work_rule *w = &l->rules.v[i];
		bool may = w->variants.n == 0;

		for (uint32_t v = 0; v < w->variants.n; v++)
			may |= w->variants.v[v].alts.is_over || w->variants.v[v].alts.list.n > 0;
		if (!may && has_plain_options(l, w->r) && !is_never_told(l->c->diags, w->r->at))
			diag_add(l->c->diags, DIAG_W2032, w->r->at,
				 "the rule never matches: what it asks for excludes itself");
	}
}

void lower_warn(struct lower *l)
{
	warn_never(l);
	warn_one_pass(l);
	warn_sources(l);
	warn_ipv6(l);
}
