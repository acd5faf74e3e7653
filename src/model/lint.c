/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/lint.h"

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

/* An address behind the fences; @out and @in: those that get out and in either way */
static void lint_address(const struct decl_jail *j, const struct decl_addr *x,
			 const struct set *out, const struct set *in, struct diags *diags)
{
	char buf[ADDR_TEXT_BYTES];

	if (!set_has_addr(out, x->p.a))
		diag_add(diags, DIAG_N1602, x->at,
			 "no nat rule covers %s of jail %s: it reaches no other host",
			 addr_print(x->p.a, buf), j->name);
	/* haproxy leads clients to a jail with names of the web */
	if (!set_has_addr(in, x->p.a) && j->sites.n == 0)
		diag_add(diags, DIAG_N1603, x->at,
			 "no rule lets anything from outside reach %s of jail %s",
			 addr_print(x->p.a, buf), j->name);
}

void lint_jails(const struct model *m, const struct decl *d, struct diags *diags)
{
	const struct set *out = set_union(m->a, translated(m, XL_SRC),
					  unfenced(m, m->after[DIR_OUT], POLICY_EGRESS, F_SRC));
	const struct set *in = set_union(m->a, translated(m, XL_DST),
					 unfenced(m, m->before[DIR_IN], POLICY_INTERIOR, F_DST));

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; j->is_enabled && n < j->addrs.n; n++)
			if (set_has_addr(m->interior, j->addrs.v[n].p.a))
				lint_address(j, &j->addrs.v[n], out, in, diags);
	}
}
