/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/lint.h"

/* As far from a jail's address a rule may lead and be meant for a jail */
#define NEAR_BITS	24u
#define NEAR6_BITS	64u

/* The same of a rule with a nat instance, which does both */
static const struct set *of_instance(const struct model *m, const struct rule *r,
				     const struct xlate *x, enum xlate_kind kind)
{
	const struct set *dirs = rule_tests(r, F_DIR), *src = rule_tests(r, F_SRC);
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t i = 0; kind == XL_DST && i < x->redirects.n; i++)
		for (uint32_t t = 0; t < x->redirects.v[i].to.n; t++)
			ranges_add_set(m->a, &rs, set_addr(m->a, x->redirects.v[i].to.v[t].a));
	if (kind == XL_DST || (dirs != NULL && !set_has(dirs, AF_NONE, DIR_OUT)))
		return set_make(m->a, &rs);
	ranges_add(m->a, &rs, AF_V4, 0, UINT32_MAX);
	src = src != NULL ? set_intersect(m->a, src, set_make(m->a, &rs)) : set_make(m->a, &rs);
	return x->only_from != NULL ? set_intersect(m->a, src, x->only_from) : src;
}

/* Addresses that translations of a kind lead to (XL_DST) or start from (XL_SRC) */
static const struct set *translated(const struct model *m, enum xlate_kind kind)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (uint32_t l = 0; l < m->lists.n; l++) {
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const struct set *src = rule_tests(r, F_SRC);
			const struct xlate *x = e != NULL ? &m->xlates.v[e->xlate] : NULL;

			if (x != NULL && x->kind == XL_INSTANCE)
				ranges_add_set(m->a, &rs, of_instance(m, r, x, kind));
			if (x == NULL || xlate_side(x) != kind)
				continue;
			for (uint32_t t = 0; kind == XL_DST && t < x->to.n; t++)
				ranges_add_set(m->a, &rs, set_addr(m->a, x->to.v[t]));
			if (kind == XL_SRC && src == NULL)
				src = set_all(m->a, SET_ADDR);
			if (kind == XL_SRC)
				ranges_add_set(m->a, &rs, src);
		}
	}
	return set_make(m->a, &rs);
}

/* Addresses behind the fences that the fence of a list does not hold at every interface */
static const struct set *unfenced(const struct model *m, uint32_t list, enum policy policy,
				  enum field f)
{
	const struct rule_list *l = &m->lists.v[list];
	const struct set *open = set_make(m->a, &(const struct ranges){ .list = { .n = 0 } });
	bool fenced = false;

	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct set *held = rule_tests(r, f);

		if (r->origin.policy != policy || held == NULL)
			continue;
		fenced = true;
		open = set_union(m->a, open, set_minus(m->a, m->interior, held, SET_ADDR));
	}
	return fenced ? open : m->interior;
}

/* Is there a way out of the host for a family, as far as its addresses are known */
static bool has_outside(const struct facts *f, uint8_t af)
{
	bool is_known = false;

	for (uint32_t i = 0; i < f->ifaces.n; i++) {
		const struct iface *ifp = &f->ifaces.v[i];

		for (uint32_t n = 0; ifp->kind == IFACE_REAL && n < ifp->addrs.n; n++) {
			const struct addr a = ifp->addrs.v[n].p.a;

			if (a.af == af && !addr_is_linklocal(a))
				return true;
			is_known = true;
		}
	}
	return !is_known;
}

/* Where rules lead to beside a jail's address, in its network, that is no jail's own */
static const struct set *astray(const struct model *m, const struct decl *d)
{
	struct ranges own = { .list = { .n = 0 } }, near = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < d->jails.n; i++) {
		for (uint32_t n = 0; n < d->jails.v[i].addrs.n; n++) {
			const struct addr a = d->jails.v[i].addrs.v[n].p.a;

			ranges_add_set(m->a, &own, set_addr(m->a, a));
			if (set_has_addr(m->interior, a))
				ranges_add_prefix(m->a, &near, (struct prefix){
					.a = a, .len = a.af == AF_V4 ? NEAR_BITS : NEAR6_BITS });
		}
	}
	return set_minus(m->a, set_intersect(m->a, translated(m, XL_DST), set_make(m->a, &near)),
			 set_make(m->a, &own), SET_ADDR);
}

/**
 * struct ways - Which addresses behind the fences get out and in
 * @out:	Those that get out, by translation or as they are
 * @in:		Those that are reached, the same
 * @astray:	Those that rules lead to, and that no jail has
 * @has_out:	The host has a way out, [0] IPv4, [1] IPv6
 */
struct ways {
	const struct set *out;
	const struct set *in;
	const struct set *astray;
	bool has_out[2];
};

/* That a jail keeps to itself is no finding; that its host could lead it out, or meant to
 * lead to it, is one */
static void lint_address(struct arena *a, const struct decl_jail *j, const struct decl_addr *x,
			 const struct ways *w, struct diags *diags)
{
	const bool is_v6 = x->p.a.af == AF_V6;
	const struct prefix all = { .a = { .af = x->p.a.af } };
	char buf[ADDR_TEXT_BYTES];

	if (w->has_out[is_v6] && !set_has_addr(w->out, x->p.a))
		diag_add(diags, DIAG_N1602, x->at,
			 "no nat rule covers %s of jail %s: it reaches no other host by %s",
			 addr_print(x->p.a, buf), j->name, is_v6 ? "IPv6" : "IPv4");
	/* haproxy leads clients to a jail with names of the web */
	if (set_overlaps(w->astray, set_prefix(a, all)) && !set_has_addr(w->in, x->p.a) &&
	    j->sites.n == 0)
		diag_add(diags, DIAG_N1603, x->at,
			 "no rule lets anything from outside reach %s of jail %s, and one leads to "
			 "an address beside it that no jail has",
			 addr_print(x->p.a, buf), j->name);
}

void lint_jails(const struct model *m, const struct decl *d, struct diags *diags)
{
	const struct ways w = {
		.out = set_union(m->a, translated(m, XL_SRC),
				 unfenced(m, m->after[DIR_OUT], POLICY_EGRESS, F_SRC)),
		.in = set_union(m->a, translated(m, XL_DST),
				unfenced(m, m->before[DIR_IN], POLICY_INTERIOR, F_DST)),
		.astray = astray(m, d),
		.has_out = { has_outside(m->facts, AF_V4), has_outside(m->facts, AF_V6) },
	};

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; j->is_enabled && n < j->addrs.n; n++)
			if (set_has_addr(m->interior, j->addrs.v[n].p.a))
				lint_address(m->a, j, &j->addrs.v[n], &w, diags);
	}
}
