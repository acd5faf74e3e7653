/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each item of a list of addresses is a rule of its own to pf, so a list means
 * the union of its items, "! a" being everything else of its family: that is
 * why { !a, !b } is everything.
 *
 * A link-local address that comes from the name of an interface, or has a
 * scope, means that address on that interface only.  These are the parts that
 * do not go into the union.
 *
 * em0:0 is the first address that is not link-local: FreeBSD would take
 * fe80::... where that comes first, and nobody wants to be translated to it.
 */
#include "lang/pf/lower.h"

#include <ctype.h>
#include <string.h>

#define HOST_ADDRS	64u	/* of one host that count */

static bool is_link6(struct addr a)
{
	return a.af == AF_V6 && addr_is_linklocal(a);
}

/* What one address of an interface is to a host with modifiers */
static bool modified(const struct pf_host *h, const struct iface_addr *ia, struct prefix *ret)
{
	*ret = (struct prefix){ ia->p.a, (uint8_t)addr_bits(ia->p.a.af) };
	if ((h->mods & PHM_NETWORK) != 0) {
		if (is_link6(ia->p.a))
			return false;
		ret->a = prefix_first(ia->p);
		ret->len = ia->p.len;
	} else if ((h->mods & PHM_BROADCAST) != 0) {
		if (ia->p.a.af != AF_V4 || ia->p.len > 30)
			return false;
		ret->a = prefix_last(ia->p);
	} else if ((h->mods & PHM_PEER) != 0) {
		if (ia->peer.af == AF_NONE)
			return false;
		ret->a = ia->peer;
	}
	if (h->len >= 0)
		ret->len = (uint8_t)MIN((unsigned int)h->len, addr_bits(ret->a.af));
	return true;
}

static void locals_of_iface(struct pf_lower *l, const struct pf_host *h, const struct iface *i,
			    struct pf_locals *out)
{
	bool got[2] = { false, false };

	for (uint32_t k = 0; k < i->addrs.n; k++) {
		const struct iface_addr *ia = &i->addrs.v[k];
		bool *first = &got[ia->p.a.af == AF_V6];
		struct pf_local x = { .scope = 0 };

		if ((h->mods & PHM_FIRST) != 0 && (*first || is_link6(ia->p.a)))
			continue;
		if (!modified(h, ia, &x.p))
			continue;
		*first = true;
		if (h->kind == PH_NAME && is_link6(ia->p.a))
			x.scope = i->id;
		vec_add(l->c->a, &out->list, x);
	}
}

/* Could it be the name of an interface that is not there (em9), and not of a host */
static bool looks_like_iface(const struct pf_host *h)
{
	const size_t len = strlen(h->name);

	return h->mods != 0 || (len > 0 && isdigit((unsigned char)h->name[len - 1]) &&
				strchr(h->name, '.') == NULL);
}

static const char *modifier_text(const struct pf_host *h)
{
	return (h->mods & PHM_NETWORK) != 0 ? ":network" :
	       (h->mods & PHM_BROADCAST) != 0 ? ":broadcast" :
	       (h->mods & PHM_PEER) != 0 ? ":peer" : "";
}

static bool missing(struct pf_lower *l, const struct pf_host *h, bool is_known)
{
	if (h->kind == PH_DYNAMIC) {
		pf_diag(l->c, l->f, N1309, h->at, "no address is known of %s%s now", h->name,
			modifier_text(h));
		return true;
	}
	if (!is_known && !looks_like_iface(h)) {
		pf_diag(l->c, l->f, E1211, h->at, "no IP address found for %s: it is no interface, "
			"and no host that is known here", h->name);
		diag_help(l->c->diags, "write the address of the host");
		return false;
	}
	if (l->o->tolerate_missing) {
		pf_diag(l->c, l->f, N1310, h->at, "no IP address is known for %s%s here: the rule "
			"matches nothing", h->name, modifier_text(h));
		return true;
	}
	pf_diag(l->c, l->f, E1308, h->at, "no IP address found for %s%s", h->name,
		modifier_text(h));
	return false;
}

/* What a host's name stands for; a name like em9 is an interface that may come */
static void locals_of_host(struct pf_lower *l, const struct pf_host *h, struct pf_locals *out)
{
	struct addr v[HOST_ADDRS];
	uint32_t n = 0;

	if (h->kind == PH_NAME && l->c->resolve != NULL && !looks_like_iface(h))
		n = l->c->resolve(h->name, v, ARRAY_SIZE(v));
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t bits = (uint8_t)addr_bits(v[i].af);

		vec_add(l->c->a, &out->list, ((struct pf_local){ .p = {
			v[i], h->len < 0 || h->len > bits ? bits : (uint8_t)h->len } }));
	}
}

bool pf_locals_of(struct pf_lower *l, const struct pf_host *h, struct pf_locals *out)
{
	const bool is_self = strcmp(h->name, "self") == 0;
	const uint32_t before = out->list.n;
	bool is_known = is_self;

	for (uint32_t k = 0; k < l->facts->ifaces.n; k++) {
		const struct iface *i = &l->facts->ifaces.v[k];

		if (!is_self && strcmp(i->name, h->name) != 0 &&
		    !facts_has_group(l->facts, i, h->name))
			continue;
		is_known = true;
		locals_of_iface(l, h, i, out);
	}
	if (!is_known && h->kind == PH_NAME && strcmp(h->name, "localhost") == 0) {
		vec_add(l->c->a, &out->list, ((struct pf_local){ .p = { { AF_V6, 1 }, 128 } }));
		vec_add(l->c->a, &out->list,
			((struct pf_local){ .p = { addr_v4(127, 0, 0, 1), 32 } }));
	} else if (!is_known) {
		locals_of_host(l, h, out);
	}
	return out->list.n > before || missing(l, h, is_known);
}

static const struct set *complement_in_family(struct pf_lower *l, const struct set *s)
{
	const unsigned int families = set_families(s);
	const struct set *not_s = set_complement(l->c->a, s, SET_ADDR);

	if (families == SET_HAS_V4)
		return set_of_family(l->c->a, not_s, AF_V4);
	if (families == SET_HAS_V6)
		return set_of_family(l->c->a, not_s, AF_V6);
	return not_s;
}

/* Add a set, or what is not in it, to the union or as a part of its own */
static void add_set(struct pf_lower *l, const struct pf_host *h, const struct set *s,
		    uint32_t scope, struct ranges *all, struct pf_parts *out)
{
	const bool is_open = h->kind == PH_DYNAMIC || h->kind == PH_TABLE;

	if (h->is_not)
		s = is_open ? set_complement(l->c->a, s, SET_ADDR) : complement_in_family(l, s);
	if (scope != 0)
		vec_add(l->c->a, &out->list, ((struct pf_part){ .iface = scope, .in = s }));
	else
		ranges_add_set(l->c->a, all, s);
}

static bool add_names(struct pf_lower *l, const struct pf_host *h, struct ranges *all,
		      struct pf_parts *out)
{
	struct pf_locals locals = { .list = { 0 } };
	struct ranges *together;

	if (!pf_locals_of(l, h, &locals))
		return false;
	together = pf_ranges(l);
	for (uint32_t i = 0; i < locals.list.n; i++) {
		const struct pf_local *x = &locals.list.v[i];

		/* Each address that a static name stands for is a rule of its own */
		if (h->kind == PH_NAME)
			add_set(l, h, set_prefix(l->c->a, x->p), x->scope, all, out);
		else
			ranges_add_prefix(l->c->a, together, x->p);
	}
	if (h->kind == PH_DYNAMIC)
		add_set(l, h, pf_ranges_set(l, together), 0, all, out);
	else
		l->n_scratch--;
	return true;
}

/* A table that rules fill has what it has from the file, or what they put into it */
static bool add_table(struct pf_lower *l, const struct pf_host *h, struct ranges *all,
		      struct pf_parts *out)
{
	const struct set *s = pf_table_find(l, h);
	const uint8_t bit = pf_grown_bit(l, h->name);
	struct ranges *grown;
	struct pf_part part = { .is_open = true };

	if (bit == 0 || !h->is_not)
		add_set(l, h, s, 0, all, out);
	if (bit == 0)
		return true;
	grown = pf_ranges(l);
	for (unsigned int v = 0; v < 1u << MODEL_GROWN; v++)
		if (((v & bit) == 0) == h->is_not)
			ranges_add(l->c->a, grown, AF_NONE, v, v);
	part.grown = pf_ranges_set(l, grown);
	if (h->is_not)
		part.in = set_complement(l->c->a, s, SET_ADDR);
	vec_add(l->c->a, &out->list, part);
	return true;
}

static void add_route(struct pf_lower *l, const struct pf_host *h, struct pf_parts *out)
{
	const u128 least = h->kind == PH_URPF ? ROUTE_ELSEWHERE : ROUTE_NONE;
	struct pf_part part = { .route = set_range(l->c->a, AF_NONE, least, ROUTE_NONE) };

	if (h->is_not)
		part.route = set_range(l->c->a, AF_NONE, ROUTE_HERE, least - 1);
	vec_add(l->c->a, &out->list, part);
}

static bool add_host(struct pf_lower *l, const struct pf_host *h, struct ranges *all,
		     struct pf_parts *out)
{
	uint32_t scope = 0;

	switch (h->kind) {
	case PH_ANY:
		ranges_add_set(l->c->a, all, set_all(l->c->a, SET_ADDR));
		return true;
	case PH_ADDR:
		if (h->name != NULL)
			scope = intern_cid(l->m->names, h->name);
		add_set(l, h, set_prefix(l->c->a, h->p), scope, all, out);
		return true;
	case PH_RANGE:
		add_set(l, h, set_range(l->c->a, h->p.a.af, h->p.a.v, h->hi.v), 0, all, out);
		return true;
	case PH_TABLE:
		return add_table(l, h, all, out);
	case PH_NAME:
	case PH_DYNAMIC:
		return add_names(l, h, all, out);
	case PH_NOROUTE:
	case PH_URPF:
		add_route(l, h, out);
		return true;
	}
	return false;
}

/* Of a list with tables: whatever they hold, its name is the same */
static const struct set *named_after(struct pf_lower *l, const struct pf_hosts *hosts,
				     const struct set *s)
{
	const char *name = NULL;

	for (uint32_t i = 0; i < hosts->n; i++) {
		const struct pf_host *h = &hosts->v[i];
		const struct set *in = h->kind == PH_TABLE ? pf_table_find(l, h) : NULL;

		if (in == NULL)
			continue;
		if (hosts->n == 1)
			return h->is_not ? set_complement(l->c->a, in, SET_ADDR) : in;
		name = arena_printf(l->c->a, "%s%s%s", name != NULL ? name : "{} ",
				    h->is_not ? " !" : " ", in->name);
	}
	return name != NULL ? set_named(l->c->a, s, name) : s;
}

bool pf_parts_of(struct pf_lower *l, const struct pf_hosts *hosts, struct pf_parts *out)
{
	struct ranges *all = pf_ranges(l);
	struct pf_part whole = { .is_open = false };
	bool has_any = hosts->n == 0, ok = true;

	for (uint32_t i = 0; i < hosts->n; i++) {
		const struct pf_host *h = &hosts->v[i];
		const uint32_t before = all->list.n + out->list.n;

		has_any |= h->kind == PH_ANY;
		ok &= add_host(l, h, all, out);
		/* What a name that is missing stands for is not known, so no contradiction */
		whole.is_open |= h->kind == PH_DYNAMIC || h->kind == PH_TABLE ||
				 (h->kind == PH_NAME && l->o->tolerate_missing &&
				  all->list.n + out->list.n == before);
	}
	if (has_any) {
		out->list.n = 0;
		vec_add(l->c->a, &out->list, whole);
	} else if (all->list.n > 0 || out->list.n == 0) {
		whole.in = named_after(l, hosts, set_make(l->c->a, all));
		vec_add(l->c->a, &out->list, whole);
	}
	l->n_scratch--;
	return ok;
}

/* ---- interfaces ----------------------------------------------------------- */

const struct set *pf_iface_ids(struct pf_lower *l, const char *name, struct span at)
{
	struct ranges *ids = pf_ranges(l);
	const struct set *known;

	for (uint32_t k = 0; k < l->facts->ifaces.n; k++) {
		const struct iface *i = &l->facts->ifaces.v[k];

		if (strcmp(i->name, name) == 0 || facts_has_group(l->facts, i, name))
			ranges_add(l->c->a, ids, AF_NONE, i->id, i->id);
	}
	known = pf_ranges_set(l, ids);
	if (known->n > 0 || facts_is_group(l->facts, name))
		return known;
	for (uint32_t k = 0; k < l->told.n; k++)
		if (strcmp(l->told.v[k], name) == 0)
			return set_one(l->c->a, intern_cid(l->m->names, name));
	vec_add(l->c->a, &l->told, name);
	pf_diag(l->c, l->f, N1309, at, "interface %s is not known now", name);
	return set_one(l->c->a, intern_cid(l->m->names, name));
}

const struct set *pf_iface_set(struct pf_lower *l, const struct pf_iface *v, uint32_t n)
{
	struct ranges *ids;

	for (uint32_t i = 0; i < n; i++)
		if (v[i].name == NULL)
			return NULL;
	if (n == 0)
		return NULL;
	ids = pf_ranges(l);
	for (uint32_t i = 0; i < n; i++) {
		const struct set *s = pf_iface_ids(l, v[i].name, v[i].at);

		ranges_add_set(l->c->a, ids,
			       v[i].is_not ? set_complement(l->c->a, s, SET_U32) : s);
	}
	return pf_ranges_set(l, ids);
}

/* ---- ports ---------------------------------------------------------------- */

static void add_ports(struct arena *a, struct ranges *rs, int32_t lo, int32_t hi)
{
	if (lo <= hi)
		ranges_add(a, rs, AF_NONE, (u128)lo, (u128)hi);
}

const struct set *pf_port_set(struct pf_lower *l, const struct pf_port *v, uint32_t n)
{
	struct ranges *rs;

	if (n == 0)
		return NULL;
	rs = pf_ranges(l);
	for (uint32_t i = 0; i < n; i++) {
		const int32_t lo = v[i].lo, hi = v[i].hi;
		const bool below = v[i].op == PP_NE || v[i].op == PP_LT || v[i].op == PP_LE ||
				   v[i].op == PP_OUTSIDE;
		const bool above = v[i].op == PP_NE || v[i].op == PP_GT || v[i].op == PP_GE ||
				   v[i].op == PP_OUTSIDE;

		if (below)
			add_ports(l->c->a, rs, 0, v[i].op == PP_LE ? lo : lo - 1);
		if (above)
			add_ports(l->c->a, rs, v[i].op == PP_OUTSIDE ? hi + 1 :
				  v[i].op == PP_GE ? lo : lo + 1, 65535);
		if (v[i].op == PP_EQ || v[i].op == PP_RANGE)
			add_ports(l->c->a, rs, lo, v[i].op == PP_EQ ? lo : hi);
		if (v[i].op == PP_INSIDE)
			add_ports(l->c->a, rs, lo + 1, hi - 1);
		if (rs->list.n == 0)
			pf_diag(l->c, l->f, N1315, v[i].at, "no port can be that: the rule matches "
				"nothing");
	}
	return pf_ranges_set(l, rs);
}
