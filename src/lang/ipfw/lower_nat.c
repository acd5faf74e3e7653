/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/ipfw/lower.h"

#define ALIAS_PORT_LO	0x8000u	/* libalias: ALIAS_PORT_BASE */
#define ALIAS_PORT_HI	0xffffu

/* Private sources; those of RFC 6598 too with unreg_cgn */
static const struct set *unregistered(struct lower *l, bool cgn)
{
	struct ranges rs = { 0 };

	ranges_add_prefix(l->a, &rs, (struct prefix){ addr_v4(10, 0, 0, 0), 8 });
	ranges_add_prefix(l->a, &rs, (struct prefix){ addr_v4(172, 16, 0, 0), 12 });
	ranges_add_prefix(l->a, &rs, (struct prefix){ addr_v4(192, 168, 0, 0), 16 });
	if (cgn)
		ranges_add_prefix(l->a, &rs, (struct prefix){ addr_v4(100, 64, 0, 0), 10 });
	return set_make(l->a, &rs);
}

/* The first IPv4 address of an interface, or NULL */
static const struct addr *first_address(const struct lower *l, const char *iface)
{
	const struct iface *f = facts_find(l->facts, iface);

	for (uint32_t i = 0; f != NULL && i < f->addrs.n; i++)
		if (f->addrs.v[i].p.a.af == AF_V4)
			return &f->addrs.v[i].p.a;
	return NULL;
}

bool lower_nat_is_ready(const struct lower *l, uint32_t instance)
{
	const struct ipfw_nat *n = ipfw_find_nat(l->rs, instance);

	return n != NULL && (n->iface == NULL || first_address(l, n->iface) != NULL);
}

/* The address of the instance */
static void add_address(struct lower *l, const struct ipfw_nat *n, struct xlate *x)
{
	const struct addr *first = n->iface != NULL ? first_address(l, n->iface) : &n->ip;

	if (first != NULL && first->af != AF_NONE)
		vec_add(l->a, &x->to, *first);
	if (first == NULL)
		diag_add(l->c->diags, l->o->tolerate_missing ? DIAG_N2044 : DIAG_E2018, n->iface_at,
			 facts_find(l->facts, n->iface) == NULL ? "interface %s is not known"
								: "no IPv4 address of %s is known",
			 n->iface);
}

static struct xlate instance(struct lower *l, const struct ipfw_nat *n)
{
	struct xlate x = { .kind = XL_INSTANCE, .instance = n->number, .port = XP_RANDOM,
			   .lo = ALIAS_PORT_LO, .hi = ALIAS_PORT_HI };
	struct ranges none = { 0 };

	add_address(l, n, &x);
	if (n->lo > 0) {
		x.lo = n->lo;
		x.hi = n->hi;
	}
	if ((n->flags & IPFW_NAT_FLAG(IW_N_SAME_PORTS)) != 0)
		x.port = XP_KEEP;
	if ((n->flags & (IPFW_NAT_FLAG(IW_N_UNREG_ONLY) | IPFW_NAT_FLAG(IW_N_UNREG_CGN))) != 0)
		x.only_from = unregistered(l, (n->flags & IPFW_NAT_FLAG(IW_N_UNREG_CGN)) != 0);
	else if ((n->flags & IPFW_NAT_FLAG(IW_N_PROXY_ONLY)) != 0)
		x.only_from = set_make(l->a, &none);
	x.deny_in = (n->flags & IPFW_NAT_FLAG(IW_N_DENY_IN)) != 0;
	for (uint32_t i = 0; i < n->redirects.n; i++)
		vec_add(l->a, &x.redirects, n->redirects.v[i]);
	return x;
}

/* nat global passes over instances with skip_global: not told apart here */
static void check_global(struct lower *l, const struct ipfw_rule *r)
{
	for (uint32_t i = 0; i < l->rs->nats.n; i++)
		if ((l->rs->nats.v[i].flags & IPFW_NAT_FLAG(IW_N_SKIP_GLOBAL)) != 0)
			diag_add(l->c->diags, DIAG_E2004, r->arg_at,
				 "nat global beside an instance with skip_global is not possible "
				 "here: Linux keeps no links apart by instance");
}

uint32_t lower_xlate(struct lower *l, const struct ipfw_rule *r, uint32_t number)
{
	const bool is_global = number == 0 && r->arg != IPFW_TABLEARG;
	const struct ipfw_nat *n = ipfw_find_nat(l->rs, number);
	struct xlate x = { .kind = XL_INSTANCE, .is_global = is_global };
	uint32_t *known = &l->xlates[MIN(number, UINT16_MAX + 1u)];

	if (*known > 0)
		return *known - 1;
	if (is_global) {
		check_global(l, r);
	} else if (n != NULL) {
		x = instance(l, n);
	} else {
		diag_add(l->c->diags, DIAG_E2014, r->arg_at, "nat instance %u is not configured",
			 number);
		diag_help(l->c->diags, "nat %u config if ...", number);
	}
	*known = model_add_xlate(l->m, x) + 1;
	return *known - 1;
}
