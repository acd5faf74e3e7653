/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A forward becomes one rule for each family and item of its ports, with all
 * outside addresses in one set: what a target makes one map of.  Claims are
 * compared before any rule is made, one address and range of ports each, sorted:
 * only neighbours that overlap are looked at closely.
 */
#include "model/forward.h"

#include <stdlib.h>
#include <string.h>

/* An outside place that somebody claims */
struct claim {
	uint8_t proto;
	struct addr to;
	uint32_t lo;
	uint32_t hi;
	const struct decl_forward *f;
	const char *jail;
	uint32_t order;
};

struct claims {
	VEC(struct claim) list;
};

struct lower {
	struct model *m;
	const struct decl *d;
	const struct forward_lists *lists;
	bool tolerate;
	struct diags *diags;
	struct claims claims;
};

bool forward_is_any(const struct decl *d)
{
	for (uint32_t i = 0; i < d->jails.n; i++)
		if (d->jails.v[i].is_enabled && !d->jails.v[i].is_down &&
		    (d->jails.v[i].forwards.n > 0 || d->jails.v[i].nats.n > 0))
			return true;
	return false;
}

/* The jail's first address of a family, or AF_NONE */
static struct addr inside(const struct decl_jail *j, uint8_t af)
{
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (j->addrs.v[i].p.a.af == af)
			return j->addrs.v[i].p.a;
	return (struct addr){ AF_NONE, 0 };
}

static bool is_usable(const struct decl *d, const struct decl_jail *j, struct addr a)
{
	return !addr_is_linklocal(a) && inside(j, a.af).af != AF_NONE && decl_jail_of(d, a) == NULL;
}

/* The interface of a nat for family @k (0 IPv4, 1 IPv6): "egress" is the default route's */
static const char *nat_iface(const struct facts *facts, const struct decl_nat *n, size_t k)
{
	if (strcmp(n->iface, "egress") != 0 || facts_find(facts, n->iface) != NULL)
		return n->iface;
	return facts->default_if[k] != NULL ? facts->default_if[k] : n->iface;
}

const char *forward_externals(const struct facts *facts, const struct decl *d,
			      const struct decl_jail *j, const struct decl_forward *f,
			      struct forward_addrs *ret)
{
	const char *names[2] = { f->on, f->on };
	const char *found = NULL;

	if (f->to.af != AF_NONE) {
		vec_add(facts->a, &ret->list, f->to);
		return NULL;
	}
	for (int n = 0; n < 2; n++)
		if (names[n] == NULL)
			names[n] = j->nats.n > 0 ? nat_iface(facts, &j->nats.v[0], (size_t)n)
						 : facts->default_if[n];
	for (int n = 0; n < 2; n++) {
		const uint8_t af = n == 0 ? AF_V4 : AF_V6;
		const struct iface *ifp = names[n] != NULL ? facts_find(facts, names[n]) : NULL;

		if (names[n] != NULL && inside(j, af).af != AF_NONE)
			found = names[n];
		for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n; i++)
			if (ifp->addrs.v[i].p.a.af == af && is_usable(d, j, ifp->addrs.v[i].p.a))
				vec_add(facts->a, &ret->list, ifp->addrs.v[i].p.a);
	}
	return found;
}

/* Something needs an interface that is not here; true where that is no error */
static bool tell_missing(struct lower *l, const char *iface, struct span at)
{
	if (!l->tolerate || iface == NULL || facts_find(l->m->facts, iface) != NULL)
		return false;
	diag_add(l->diags, DIAG_N1608, at, "the addresses of %s are not known here", iface);
	return true;
}

static void add_claims(struct lower *l, const struct decl_jail *j, const struct decl_forward *f,
		       const struct forward_addrs *to)
{
	static const struct { uint8_t bit, proto; } protos[] = {
		{ DECL_TCP, 6 }, { DECL_UDP, 17 },
	};

	for (uint32_t i = 0; i < to->list.n; i++)
		for (uint32_t p = 0; p < f->ports.n; p++)
			for (size_t n = 0; n < ARRAY_SIZE(protos); n++)
				if ((f->protos & protos[n].bit) != 0)
					vec_add(l->m->a, &l->claims.list, ((struct claim){
						.proto = protos[n].proto, .to = to->list.v[i],
						.lo = f->ports.v[p].ext_lo,
						.hi = f->ports.v[p].ext_hi, .f = f,
						.jail = j->name, .order = l->claims.list.n }));
}

static int claim_cmp(const void *x, const void *y)
{
	const struct claim *a = x, *b = y;

	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->to.af != b->to.af)
		return a->to.af < b->to.af ? -1 : 1;
	if (a->to.v != b->to.v)
		return a->to.v < b->to.v ? -1 : 1;
	if (a->lo != b->lo)
		return a->lo < b->lo ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static bool prefixes_meet(struct prefix a, struct prefix b)
{
	return a.a.af == AF_NONE || b.a.af == AF_NONE || prefix_has(a, b.a) || prefix_has(b, a.a);
}

/* Could one packet belong to both */
static bool is_conflict(const struct claim *a, const struct claim *b)
{
	if (a->f->is_shared || b->f->is_shared)
		return false;
	return (a->f->on == NULL || b->f->on == NULL || a->f->on == b->f->on) &&
	       prefixes_meet(a->f->from, b->f->from);
}

static void tell_conflict(struct lower *l, const struct claim *a, const struct claim *b)
{
	const struct claim *first = a->order < b->order ? a : b, *later = first == a ? b : a;
	const char *proto = a->proto == 6 ? "tcp" : "udp";
	const uint32_t lo = MAX(a->lo, b->lo), hi = MIN(a->hi, b->hi);
	char to[ADDR_TEXT_BYTES], ports[24];

	snprintf(ports, sizeof(ports), lo == hi ? "%u" : "%u-%u", lo, hi);
	diag_add(l->diags, DIAG_E1606, later->f->at, "%s %s of %s is forwarded to '%s' and to '%s'",
		 proto, ports, addr_print(a->to, to), first->jail, later->jail);
	diag_note(l->diags, first->f->at, "the first claim is here");
}

static bool check_claims(struct lower *l)
{
	struct claim *v = l->claims.list.v;
	const uint32_t n = l->claims.list.n;
	bool ok = true;

	if (n > 1)
		qsort(v, n, sizeof(*v), claim_cmp);
	for (uint32_t i = 0; i < n && !diag_is_full(l->diags); i++) {
		for (uint32_t k = i + 1; k < n && v[k].proto == v[i].proto &&
		     addr_equal(v[k].to, v[i].to) && v[k].lo <= v[i].hi; k++) {
			if (!is_conflict(&v[i], &v[k]))
				continue;
			tell_conflict(l, &v[i], &v[k]);
			ok = false;
			break;
		}
	}
	return ok;
}

static bool meets(const struct rule *r, enum field f, uint8_t af, u128 lo, u128 hi)
{
	const struct set *s = rule_tests(r, f);

	if (s == NULL)
		return true;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->r[i].af == af && s->r[i].lo <= hi && s->r[i].hi >= lo)
			return true;
	return false;
}

/* Could a written rule take a packet that @c claims */
static bool rule_meets(const struct lower *l, const struct rule *r, const struct claim *c)
{
	const struct prefix from = c->f->from;

	if (rule_has_effect(r, EF_TRANSLATE) == NULL ||
	    !meets(r, F_PROTO, AF_NONE, c->proto, c->proto) ||
	    !meets(r, F_DST, c->to.af, c->to.v, c->to.v) ||
	    !meets(r, F_DPORT, AF_NONE, c->lo, c->hi))
		return false;
	if (from.a.af != AF_NONE &&
	    !meets(r, F_SRC, from.a.af, prefix_first(from).v, prefix_last(from).v))
		return false;
	if (c->f->on != NULL) {
		const uint32_t id = intern_cid(l->m->names, c->f->on);

		return meets(r, F_IFACE, AF_NONE, id, id);
	}
	return true;
}

/* What the user wrote comes first, and would take the packets of a forward in silence */
static bool check_written(struct lower *l, uint32_t n_written)
{
	const struct rule_list *rdr = &l->m->lists.v[l->lists->rdr];
	char text[ADDR_TEXT_BYTES];
	bool ok = true;

	for (uint32_t i = 0; i < l->claims.list.n && !diag_is_full(l->diags); i++) {
		const struct claim *c = &l->claims.list.v[i];

		for (uint32_t k = 0; k < n_written && !c->f->is_shared; k++) {
			const struct rule *r = &rdr->rules.v[k];

			if (!rule_meets(l, r, c))
				continue;
			diag_add(l->diags, DIAG_E1606, c->f->at,
				 "%s %u of %s is forwarded to '%s' and by a written rule",
				 c->proto == 6 ? "tcp" : "udp", c->lo, addr_print(c->to, text),
				 c->jail);
			diag_note(l->diags, r->origin.at, "the rule is here");
			ok = false;
			break;
		}
	}
	return ok;
}

static const struct set *proto_set(struct arena *a, uint8_t protos)
{
	struct ranges rs = { 0 };

	if ((protos & DECL_TCP) != 0)
		ranges_add(a, &rs, AF_NONE, 6, 6);
	if ((protos & DECL_UDP) != 0)
		ranges_add(a, &rs, AF_NONE, 17, 17);
	return set_make(a, &rs);
}

/* The outside addresses of a family that a source of @f can reach */
static const struct set *to_set(struct arena *a, const struct forward_addrs *to, uint8_t af)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < to->list.n; i++)
		if (to->list.v[i].af == af)
			ranges_add(a, &rs, af, to->list.v[i].v, to->list.v[i].v);
	return set_make(a, &rs);
}

static void add_forward_rule(struct lower *l, const struct decl_forward *f, struct addr target,
			     const struct set *to, const struct decl_ports *p, const char *text)
{
	struct model *m = l->m;
	struct xlate x = { .kind = XL_DST };
	struct rule *r = model_add_rule(m, l->lists->rdr,
					(struct origin){ .at = f->at, .text = text });

	if (p->int_lo != p->ext_lo || p->int_hi != p->ext_hi) {
		x.port = p->int_hi == p->int_lo ? XP_TO : XP_SHIFT;
		x.from = x.port == XP_SHIFT ? p->ext_lo : 0;
		x.lo = p->int_lo;
		x.hi = p->int_hi;
	}
	vec_add(m->a, &x.to, target);
	if (f->on != NULL)
		rule_test(m, r, F_IFACE, set_one(m->a, intern_cid(m->names, f->on)));
	rule_test(m, r, F_PROTO, proto_set(m->a, f->protos));
	if (f->from.a.af != AF_NONE)
		rule_test(m, r, F_SRC, set_prefix(m->a, f->from));
	rule_test(m, r, F_DST, to);
	rule_test(m, r, F_DPORT, set_range(m->a, AF_NONE, p->ext_lo, p->ext_hi));
	if (f->is_log)
		rule_log(m, r);
	rule_translate(m, r, model_add_xlate(m, x), l->lists->filter);
	if (f->is_filtered)
		rule_goto(r, l->lists->filter);
	else
		rule_decide(r, ruling_keep());
}

static bool lower_forward(struct lower *l, const struct decl_jail *j, const struct decl_forward *f)
{
	static const uint8_t families[] = { AF_V4, AF_V6 };
	struct forward_addrs to = { .list = { 0 } };
	const char *iface = forward_externals(l->m->facts, l->d, j, f, &to);
	const char *text = arena_printf(l->m->a, "forward %s %s", j->name, f->text);
	bool is_some = false;

	if (to.list.n == 0) {
		if (tell_missing(l, iface, f->at))
			return true;
		diag_add(l->diags, DIAG_E1605, f->at,
			 iface != NULL ? "%s has no address of a family of jail '%s'" :
			 "%snothing says which addresses of the host lead to jail '%s'",
			 iface != NULL ? iface : "", j->name);
		diag_help(l->diags, "say one: to ADDRESS");
		return false;
	}
	add_claims(l, j, f, &to);
	for (size_t n = 0; n < ARRAY_SIZE(families); n++) {
		const struct set *s = to_set(l->m->a, &to, families[n]);
		const struct addr target = inside(j, families[n]);

		if (set_is_empty(s) || target.af == AF_NONE ||
		    (f->from.a.af != AF_NONE && f->from.a.af != families[n]))
			continue;
		is_some = true;
		for (uint32_t p = 0; p < f->ports.n; p++)
			add_forward_rule(l, f, target, s, &f->ports.v[p], text);
	}
	if (!is_some)
		diag_add(l->diags, DIAG_E1604, f->at, "jail '%s' has no address of the family that "
			 "is forwarded", j->name);
	return is_some;
}

/* The address that a family leaves with, or AF_NONE */
static struct addr leaves_as(const struct lower *l, const struct decl_nat *n, const char *iface,
			     uint8_t af)
{
	const struct iface *ifp = facts_find(l->m->facts, iface);

	if (n->as.af != AF_NONE)
		return n->as.af == af ? n->as : (struct addr){ AF_NONE, 0 };
	for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n; i++) {
		const struct addr a = ifp->addrs.v[i].p.a;

		if (a.af == af && !addr_is_linklocal(a) && decl_jail_of(l->d, a) == NULL)
			return a;
	}
	return (struct addr){ AF_NONE, 0 };
}

static bool lower_nat(struct lower *l, const struct decl_jail *j, const struct decl_nat *n)
{
	static const uint8_t families[] = { AF_V4, AF_V6 };
	struct model *m = l->m;
	bool is_some = false;

	for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
		const char *iface = nat_iface(m->facts, n, k);
		const struct addr as = leaves_as(l, n, iface, families[k]);
		struct xlate x = { .kind = XL_SRC };
		struct ranges src = { 0 };
		struct rule *r;

		for (uint32_t i = 0; i < j->addrs.n; i++)
			if (j->addrs.v[i].p.a.af == families[k])
				ranges_add(m->a, &src, families[k], j->addrs.v[i].p.a.v,
					   j->addrs.v[i].p.a.v);
		if (src.list.n == 0 || as.af == AF_NONE)
			continue;
		is_some = true;
		vec_add(m->a, &x.to, as);
		r = model_add_rule(m, l->lists->nat, (struct origin){ .at = n->at,
			.text = arena_printf(m->a, "nat of jail %s on %s", j->name, iface) });
		rule_test(m, r, F_IFACE, set_one(m->a, intern_cid(m->names, iface)));
		rule_test(m, r, F_SRC, set_make(m->a, &src));
		rule_translate(m, r, model_add_xlate(m, x), l->lists->filter);
		rule_goto(r, l->lists->filter);
	}
	if (is_some || tell_missing(l, n->iface, n->at))
		return true;
	diag_add(l->diags, DIAG_E1607, n->at,
		 "there is no address for jail '%s' to leave with by %s", j->name, n->iface);
	return false;
}

/*
 * What a jail sends to itself by a public address comes back with its own as the
 * source, and its kernel drops that: there the host's end of its link is the source.
 */
static void lower_self(struct lower *l, const struct decl_jail *j)
{
	static const uint8_t families[] = { AF_V4, AF_V6 };
	struct model *m = l->m;

	for (size_t k = 0; k < ARRAY_SIZE(families) && j->vnet.bridge == NULL; k++) {
		struct xlate x = { .kind = XL_SRC };
		struct ranges own = { 0 };
		struct rule *r;

		for (uint32_t i = 0; i < j->addrs.n; i++)
			if (j->addrs.v[i].p.a.af == families[k])
				ranges_add_prefix(m->a, &own, decl_vnet_net(j, i));
		if (own.list.n == 0)
			continue;
		vec_add(m->a, &x.to, decl_vnet_gateway(j, families[k]));
		r = model_add_rule(m, l->lists->nat, (struct origin){ .at = j->vnet_at,
			.text = arena_printf(m->a, "nat of jail %s to itself", j->name),
			.policy = POLICY_LOCAL });
		rule_test(m, r, F_IFACE, set_one(m->a, intern_cid(m->names, j->vnet.host_if)));
		rule_test(m, r, F_SRC, set_make(m->a, &own));
		rule_test(m, r, F_DST, set_make(m->a, &own));
		rule_translate(m, r, model_add_xlate(m, x), l->lists->filter);
		rule_goto(r, l->lists->filter);
	}
}

bool forward_lower(struct model *m, const struct decl *d, const struct forward_lists *lists,
		   bool tolerate_missing, struct diags *diags)
{
	struct lower l = { .m = m, .d = d, .lists = lists, .tolerate = tolerate_missing,
			   .diags = diags };
	const uint32_t n_written = m->lists.v[lists->rdr].rules.n;
	bool ok = true;

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		if (!j->is_enabled || j->is_down)
			continue;
		for (uint32_t n = 0; n < j->forwards.n; n++)
			ok &= j->forwards.v[n].is_off ||
			      lower_forward(&l, j, &j->forwards.v[n]);
		for (uint32_t n = 0; n < j->nats.n; n++)
			ok &= lower_nat(&l, j, &j->nats.v[n]);
		if (j->is_vnet)
			lower_self(&l, j);
	}
	return ok && check_claims(&l) && check_written(&l, n_written);
}
