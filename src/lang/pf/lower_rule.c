/* SPDX-License-Identifier: BSD-2-Clause */
/* pass, block and antispoof */
#include "lang/pf/lower.h"

static bool lower_single(struct pf_lower *l, const struct pf_stmt *s)
{
	return pf_match_of(l, s->rule) &&
	       pf_emit(l, l->list_filter, s, &l->match, pf_finish_filter, s->rule);
}

bool pf_lower_filter(struct pf_lower *l, const struct pf_stmt *s)
{
	if (s->rule->o->fragment) {
		if (l->part <= 1)
			pf_diag(l->c, l->f, N1315, s->at, "packets have been put together from "
				"their fragments: the rule matches nothing");
		return pf_match_of(l, s->rule);
	}
	pf_note_states(l, s);
	if (pf_has_to(s->rule))
		return pf_lower_to(l, s);
	return pf_has_limits(s->rule) ? pf_lower_split(l, s, lower_single) : lower_single(l, s);
}

/* ---- antispoof ------------------------------------------------------------ */

/* One of the two rules; an interface without such addresses has none */
static bool antispoof_rule(struct pf_lower *l, const struct pf_stmt *s, const struct pf_host *h,
			   uint8_t mods, const struct set *not_on)
{
	struct pf_match *mt = pf_match_new(l, DIR_IN, s->rule->af);
	struct pf_host from = *h;
	struct pf_locals locals = { .list = { 0 } };
	bool any = h->kind == PH_DYNAMIC;

	mt->ifaces = not_on;
	from.mods = mods;
	if (h->kind == PH_NAME) {
		if (!pf_locals_of(l, &from, &locals))
			return false;
		for (uint32_t i = 0; i < locals.list.n; i++)
			any |= s->rule->af == AF_NONE || locals.list.v[i].p.a.af == s->rule->af;
	}
	if (!any)
		return true;
	vec_add(l->c->a, &mt->dst.list, ((struct pf_part){ .in = NULL }));
	return pf_parts_of(l, &(struct pf_hosts){ &from, 1 }, &mt->src) &&
	       pf_emit(l, l->list_filter, s, mt, pf_finish_filter, s->rule);
}

/*
 * "block drop in on ! if from if:network", and, but for a loopback, "block
 * drop in from if".  A group is no loopback, even if all its members are.
 */
bool pf_lower_antispoof(struct pf_lower *l, const struct pf_stmt *s)
{
	bool ok = true;

	for (uint32_t i = 0; i < s->rule->antispoof.n; i++) {
		const struct pf_host *h = &s->rule->antispoof.v[i];
		const struct iface *known = facts_find(l->facts, h->name);
		const struct set *on = pf_iface_ids(l, h->name, h->at);

		ok &= antispoof_rule(l, s, h, PHM_NETWORK, set_complement(l->c->a, on, SET_U32));
		if (known == NULL || (known->kind != IFACE_LO && known->kind != IFACE_CLONED))
			ok &= antispoof_rule(l, s, h, 0, NULL);
	}
	return ok;
}
