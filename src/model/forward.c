/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Forwards become rows of a table (portmap.h), one table for each interface and
 * way past the filter.  What a row cannot say (a source, a log, a long range, a
 * shared place) is one rule for each family and item of its ports.
 *
 * Claims, one address and range of ports each, are compared before any rule is
 * made, sorted: only neighbours that overlap are looked at closely.  They are in
 * the order of rows then, which are written down in one pass.  A claim has 16 bytes
 * and a row 24, since there may be 100,000 (bench_apply).
 */
#include "model/forward_work.h"

#include <string.h>

#define PORTS_MAX	1024	/* of one range in a table, unless they are shifted */

bool forward_is_any(const struct decl *d)
{
	for (uint32_t i = 0; i < d->jails.n; i++)
		if (d->jails.v[i].is_enabled && !d->jails.v[i].is_down &&
		    (d->jails.v[i].forwards.n > 0 || d->jails.v[i].nats.n > 0 ||
		     quota_is_any(&d->jails.v[i].quota)))
			return true;
	return false;
}

static const uint8_t families[2] = { AF_V4, AF_V6 };

struct addr forward_inside(const struct decl_jail *j, uint8_t af)
{
	for (uint32_t i = 0; i < j->addrs.n; i++)
		if (j->addrs.v[i].p.a.af == af)
			return j->addrs.v[i].p.a;
	return (struct addr){ AF_NONE, 0 };
}

/* Is it what an interface of the host has anyhow, whoever else uses it */
static bool is_hosts_own(const struct decl *d, struct addr a)
{
	for (uint32_t i = 0; i < d->addrs.n; i++)
		if (d->addrs.v[i].is_host && !d->addrs.v[i].is_alias &&
		    addr_equal(d->addrs.v[i].p.a, a))
			return true;
	return false;
}

/* May clients outside use it: none that only a link knows, and none of a jail alone */
static bool is_outside(const struct decl *d, struct addr a)
{
	return !addr_is_linklocal(a) && (decl_jail_of(d, a) == NULL || is_hosts_own(d, a));
}

/* The interface of a nat for family @k (0 IPv4, 1 IPv6): "egress" is the default route's */
static const char *nat_iface(const struct facts *facts, const struct decl_nat *n, size_t k)
{
	if (strcmp(n->iface, "egress") != 0 || facts_find(facts, n->iface) != NULL)
		return n->iface;
	return facts->default_if[k] != NULL ? facts->default_if[k] : n->iface;
}

/* The interface that a jail's clients of family @n (0 IPv4, 1 IPv6) come by, or NULL */
static const char *outside_iface(const struct facts *facts, const struct decl_jail *j, size_t n)
{
	return j->nats.n > 0 ? nat_iface(facts, &j->nats.v[0], n) : facts->default_if[n];
}

static void add_outside(const struct facts *facts, const struct decl *d, const char *iface,
			uint8_t af, struct forward_addrs *ret)
{
	const struct iface *ifp = iface != NULL ? facts_find(facts, iface) : NULL;

	for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n; i++)
		if (ifp->addrs.v[i].p.a.af == af && is_outside(d, ifp->addrs.v[i].p.a))
			vec_add(facts->a, &ret->list, ifp->addrs.v[i].p.a);
}

const char *forward_externals(const struct facts *facts, const struct decl *d,
			      const struct decl_jail *j, const struct decl_forward *f,
			      struct forward_addrs *ret)
{
	const char *found = NULL;

	if (f->to.af != AF_NONE) {
		vec_add(facts->a, &ret->list, f->to);
		return NULL;
	}
	for (size_t n = 0; n < ARRAY_SIZE(families); n++) {
		const char *iface = f->on != NULL ? f->on : outside_iface(facts, j, n);

		if (iface == NULL || forward_inside(j, families[n]).af == AF_NONE)
			continue;
		found = iface;
		add_outside(facts, d, iface, families[n], ret);
	}
	return found;
}

void forward_fronts(const struct facts *facts, const struct decl *d, const struct decl_jail *j,
		    struct forward_fronts *ret)
{
	for (size_t n = 0; n < ARRAY_SIZE(families); n++) {
		ret->iface[n] = outside_iface(facts, j, n);
		add_outside(facts, d, ret->iface[n], families[n], &ret->addrs);
	}
}

/* Something needs an interface that is not here; true where that is no error */
static bool tell_missing(struct lower *l, const char *iface, struct span at)
{
	if (!l->tolerate || iface == NULL || facts_find(l->m->facts, iface) != NULL)
		return false;
	diag_add(l->diags, DIAG_N1608, at, "the addresses of %s are not known here", iface);
	return true;
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
	r->until_s = f->until;
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

/* The outside addresses of a forward; those of the last one where they are the same */
static const struct forward_addrs *externals(struct lower *l, const struct decl_jail *j,
					     const struct decl_forward *f, const char **ret_iface)
{
	struct known_externals *k = &l->known;

	*ret_iface = NULL;
	if (f->to.af != AF_NONE) {
		k->j = NULL;
		k->addrs.list.n = 0;
		vec_add(l->m->a, &k->addrs.list, f->to);
	} else if (k->j != j || k->on != f->on) {
		*k = (struct known_externals){ .j = j, .on = f->on };
		k->iface = forward_externals(l->m->facts, l->d, j, f, &k->addrs);
	}
	if (f->to.af == AF_NONE)
		*ret_iface = k->iface;
	return &k->addrs;
}

/* Does it lead from an outside address of a family to an inside one */
static bool has_family(const struct decl_forward *f, const struct decl_jail *j, uint8_t af)
{
	return forward_inside(j, af).af != AF_NONE &&
	       (f->from.a.af == AF_NONE || f->from.a.af == af);
}

/* Learn what a forward claims; false when it leads nowhere, which is told */
static bool claim_forward(struct lower *l, const struct decl_jail *j, const struct decl_forward *f)
{
	const char *iface;
	const struct forward_addrs *to = externals(l, j, f, &iface);
	bool is_some = false;

	if (j->addrs.n == 0) {
		diag_add(l->diags, DIAG_E1604, f->at, "jail '%s' has no address that it could lead "
			 "to", j->name);
		return false;
	}
	if (to->list.n == 0) {
		if (tell_missing(l, iface, f->at))
			return true;
		diag_add(l->diags, DIAG_E1605, f->at,
			 iface != NULL ? "%s has no address of a family of jail '%s'" :
			 "%snothing says which addresses of the host lead to jail '%s'",
			 iface != NULL ? iface : "", j->name);
		diag_help(l->diags, "say one: to ADDRESS");
		return false;
	}
	for (uint32_t i = 0; i < to->list.n; i++)
		is_some |= has_family(f, j, to->list.v[i].af);
	if (!is_some) {
		diag_add(l->diags, DIAG_E1604, f->at, "jail '%s' has no address of the family that "
			 "is forwarded", j->name);
		return false;
	}
	if (j->vnet.bridge != NULL)
		diag_add(l->diags, DIAG_N1611, f->at,
			 "jails on %s do not reach this by the public address", j->vnet.bridge);
	vec_add(l->tmp, &l->forwards, ((struct forward){ .f = f, .j = j }));
	claims_add(l, to);
	quota_add_forward(l, to);
	return true;
}

/* ---- tables --------------------------------------------------------------------- */

/*
 * Rows of a table say nothing of sources or time, log nothing, and change every
 * packet; of forwards that share a place the first counts, so these are rules in their order.
 */
static bool is_row(const struct decl_forward *f, const struct decl_jail *j)
{
	if (f->from.a.af != AF_NONE || f->is_log || f->is_shared || f->until != 0)
		return false;
	for (uint32_t i = 0; i < f->ports.n; i++)
		if (f->ports.v[i].ext_hi - f->ports.v[i].ext_lo >= (int)PORTS_MAX &&
		    f->ports.v[i].int_lo == f->ports.v[i].ext_lo)
			return false;
	/* Outside and inside may be one address only where that is said */
	return f->to.af == AF_NONE || !addr_equal(f->to, forward_inside(j, f->to.af));
}

static struct rule *map_rule(struct lower *l, const struct decl_forward *f)
{
	struct model *m = l->m;
	struct rule *r = model_add_rule(m, l->lists->rdr, (struct origin){ .at = f->at });

	if (f->on != NULL)
		rule_test(m, r, F_IFACE, set_one(m->a, intern_cid(m->names, f->on)));
	rule_translate(m, r, model_add_xlate(m, (struct xlate){ .kind = XL_MAP }), LIST_NONE);
	if (f->is_filtered)
		rule_goto(r, l->lists->filter);
	else
		rule_decide(r, ruling_keep());
	return r;
}

static struct portmap *map_for(struct lower *l, const struct decl_forward *f)
{
	struct open_map *o;

	for (uint32_t i = 0; i < l->open.n; i++)
		if (l->open.v[i].on == f->on && l->open.v[i].is_filtered == f->is_filtered)
			return l->open.v[i].map;
	o = vec_push(l->m->a, &l->open);
	*o = (struct open_map){ f->on, f->is_filtered, arena_new(l->m->a, struct portmap) };
	/* Most are of the first; what is not used is not there either */
	if (l->open.n == 1)
		vec_reserve(l->m->a, &o->map->origins, l->forwards.n);
	map_rule(l, f)->map = o->map;
	return o->map;
}

/* The number of an inside address: forwards of a jail come one after the other */
static uint32_t inside_number(struct lower *l, struct portmap *map, struct addr a)
{
	for (uint32_t i = map->inside.n; i-- > 0 && map->inside.n - i <= 2;)
		if (addr_equal(map->inside.v[i], a))
			return i;
	vec_add(l->m->a, &map->inside, a);
	return map->inside.n - 1;
}

static const char *forward_text(struct arena *a, const struct decl_jail *j,
				const struct decl_forward *f)
{
	static const char word[] = "forward ";
	const size_t name = strlen(j->name), rest = strlen(f->text);
	char *text = arena_alloc(a, sizeof(word) + name + rest + 1);

	memcpy(text, word, sizeof(word) - 1);
	memcpy(text + sizeof(word) - 1, j->name, name);
	text[sizeof(word) - 1 + name] = ' ';
	memcpy(text + sizeof(word) + name, f->text, rest);
	return text;
}

static void join_map(struct lower *l, struct forward *f, const char *text)
{
	f->map = map_for(l, f->f);
	f->origin = f->map->origins.n;
	vec_add(l->m->a, &f->map->origins, ((struct origin){ .at = f->f->at, .text = text }));
	for (size_t n = 0; n < ARRAY_SIZE(families); n++)
		if (forward_inside(f->j, families[n]).af != AF_NONE)
			f->inside[n] = inside_number(l, f->map, forward_inside(f->j, families[n]));
}

/* Claims are sorted as rows are to be */
static void fill_maps(struct lower *l)
{
	for (uint32_t i = 0; i < l->open.n; i++)
		vec_reserve(l->m->a, &l->open.v[i].map->rows, l->open.v[i].map->origins.n);
	for (uint32_t i = 0; i < l->claims.n; i++) {
		const struct claim *c = &l->claims.v[i];
		const struct forward *f = &l->forwards.v[c->forward];
		const struct decl_ports *p = claim_ports(l, c);
		const uint8_t af = claim_addr(l, c).af;

		if (f->map == NULL || !has_family(f->f, f->j, af))
			continue;
		vec_add(l->m->a, &f->map->rows, ((struct portmap_row){
			.outside = (uint32_t)(c->key >> CLAIM_ADDR),
			.inside = f->inside[af == AF_V6], .origin = f->origin,
			.lo = p->ext_lo, .hi = p->ext_hi, .to = p->int_lo,
			.proto = claim_proto(c), .is_one = p->int_hi == p->int_lo }));
	}
}

/* What a table's rule says of all rows, for who does not look at each */
static void finish_map(struct lower *l, struct rule *r, struct portmap *map)
{
	struct model *m = l->m;
	struct xlate *x = &m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate];
	struct ranges to = { 0 }, proto = { 0 };

	map->outside = l->outside.v;
	map->n_outside = l->outside.n;
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i], *last = row - (i > 0);
		const struct addr a = map->outside[row->outside];

		if (i > 0 && last->outside == row->outside && last->proto == row->proto)
			continue;
		ranges_add(m->a, &to, a.af, a.v, a.v);
		ranges_add(m->a, &proto, AF_NONE, row->proto, row->proto);
	}
	rule_test(m, r, F_PROTO, set_make(m->a, &proto));
	rule_test(m, r, F_DST, set_make(m->a, &to));
	for (uint32_t i = 0; i < map->inside.n; i++)
		vec_add(m->a, &x->to, map->inside.v[i]);
}

/* ---- rules ---------------------------------------------------------------------- */

static void add_rules(struct lower *l, const struct forward *f, const char *text)
{
	const char *iface;
	const struct forward_addrs *to = externals(l, f->j, f->f, &iface);

	for (size_t n = 0; n < ARRAY_SIZE(families); n++) {
		const struct set *s = to_set(l->m->a, to, families[n]);

		if (set_is_empty(s) || !has_family(f->f, f->j, families[n]))
			continue;
		for (uint32_t p = 0; p < f->f->ports.n; p++)
			add_forward_rule(l, f->f, forward_inside(f->j, families[n]), s,
					 &f->f->ports.v[p], text);
	}
}

/* All rules of rdr, tables among them, where the first of each comes in its turn */
static void lower_forwards(struct lower *l)
{
	const uint32_t first = l->m->lists.v[l->lists->rdr].rules.n;
	struct rule_list *rdr;

	for (uint32_t i = 0; i < l->forwards.n; i++) {
		struct forward *f = &l->forwards.v[i];
		const char *text = forward_text(l->m->a, f->j, f->f);

		if (f->f->is_shared)
			l->open.n = 0;
		if (is_row(f->f, f->j))
			join_map(l, f, text);
		else
			add_rules(l, f, text);
	}
	fill_maps(l);
	rdr = &l->m->lists.v[l->lists->rdr];
	for (uint32_t i = first; i < rdr->rules.n; i++)
		if (rdr->rules.v[i].map != NULL)
			finish_map(l, &rdr->rules.v[i], (struct portmap *)rdr->rules.v[i].map);
}

struct forward_way forward_way(const struct facts *facts, const struct decl *d,
			       const struct decl_nat *n, uint8_t af)
{
	struct forward_way way = { .iface = nat_iface(facts, n, af == AF_V6) };
	const struct iface *ifp = facts_find(facts, way.iface);

	if (n->as.af != AF_NONE) {
		if (n->as.af == af)
			way.as = n->as;
		return way;
	}
	for (uint32_t i = 0; ifp != NULL && i < ifp->addrs.n && way.as.af == AF_NONE; i++) {
		const struct addr a = ifp->addrs.v[i].p.a;

		if (a.af == af && is_outside(d, a))
			way.as = a;
	}
	return way;
}

static bool lower_nat(struct lower *l, const struct decl_jail *j, const struct decl_nat *n)
{
	struct model *m = l->m;
	bool is_some = false;

	for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
		const struct forward_way way = forward_way(m->facts, l->d, n, families[k]);
		struct xlate x = { .kind = XL_SRC, .may_change = true };
		struct ranges src = { 0 };
		struct rule *r;

		for (uint32_t i = 0; i < j->addrs.n; i++)
			if (j->addrs.v[i].p.a.af == families[k])
				ranges_add(m->a, &src, families[k], j->addrs.v[i].p.a.v,
					   j->addrs.v[i].p.a.v);
		if (src.list.n == 0 || way.as.af == AF_NONE)
			continue;
		is_some = true;
		if (!ports_take(l, j, way.as, &x))
			return false;
		vec_add(m->a, &x.to, way.as);
		r = model_add_rule(m, l->lists->nat, (struct origin){ .at = n->at,
			.text = arena_printf(m->a, "nat of jail %s on %s", j->name, way.iface) });
		rule_test(m, r, F_IFACE, set_one(m->a, intern_cid(m->names, way.iface)));
		rule_test(m, r, F_SRC, set_make(m->a, &src));
		rule_translate(m, r, model_add_xlate(m, x), l->lists->filter);
		rule_goto(r, l->lists->filter);
	}
	/* Of a jail without addresses there is nothing to translate, whoever says $nat */
	if (is_some || j->addrs.n == 0 || tell_missing(l, n->iface, n->at))
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
	struct model *m = l->m;

	for (size_t k = 0; k < ARRAY_SIZE(families) && j->vnet.bridge == NULL; k++) {
		struct xlate x = { .kind = XL_SRC, .may_change = true };
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

/* A jail that is not up keeps its ports: those after it must not move */
static void keep_ports(struct lower *l, const struct decl_jail *j)
{
	for (uint32_t n = 0; n < j->nats.n; n++) {
		for (size_t k = 0; k < ARRAY_SIZE(families); k++) {
			const struct decl_nat *nat = &j->nats.v[n];
			const struct addr as = forward_way(l->m->facts, l->d, nat,
							   families[k]).as;
			struct xlate x;

			if (as.af != AF_NONE && forward_inside(j, families[k]).af != AF_NONE)
				(void)ports_take(l, j, as, &x);
		}
	}
}

/* Forwards, of which most will be in force */
static uint32_t count(const struct decl *d)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < d->jails.n; i++)
		n += d->jails.v[i].forwards.n;
	return n;
}

static bool lower_all(struct lower *l)
{
	const uint32_t n_written = l->m->lists.v[l->lists->rdr].rules.n;
	const struct decl *d = l->d;
	bool ok = true;

	intern_init(&l->numbers, l->m->a);
	vec_reserve(l->tmp, &l->forwards, count(d));
	vec_reserve(l->tmp, &l->claims, l->forwards.cap);
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		if (!j->is_enabled || j->is_down) {
			keep_ports(l, j);
			continue;
		}
		for (uint32_t n = 0; n < j->forwards.n; n++)
			ok &= j->forwards.v[n].is_off ||
			      claim_forward(l, j, &j->forwards.v[n]);
		for (uint32_t n = 0; n < j->nats.n; n++)
			ok &= lower_nat(l, j, &j->nats.v[n]);
		quota_add_jail(l, j);
		if (j->is_vnet)
			lower_self(l, j);
	}
	if (!ok)
		return false;
	claims_sort(l);
	if (!claims_check(l) || !claims_check_written(l, n_written))
		return false;
	lower_forwards(l);
	return true;
}

bool forward_lower(struct model *m, const struct decl *d, const struct forward_lists *lists,
		   bool tolerate_missing, struct diags *diags)
{
	struct arena tmp CLEANUP(arena_fini);
	struct lower l = { .m = m, .tmp = &tmp, .d = d, .lists = lists,
			   .tolerate = tolerate_missing, .diags = diags };

	arena_init(&tmp, m->a->cap_bytes);
	tmp.full = m->a->full;
	return lower_all(&l);
}
