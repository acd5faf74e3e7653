/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * pfctl makes a rule of each combination of a statement's lists: interfaces
 * outermost, then protocols, ICMP types, sources, their ports, systems,
 * destinations, their ports, users, groups.  The combinations are counted
 * through here in that order; one whose families or interfaces exclude each
 * other is left out, and a statement of which none is left is an error.
 */
#include "lang/pf/norm.h"

#include <string.h>

#include "base/limits.h"

/* ---- addresses ------------------------------------------------------------ */

static bool norm_names(struct pf_norm *n, const struct pf_host *h, struct pf_nhosts *out)
{
	struct pf_locals locals = { .list = { 0 } };

	if (!pf_locals_of(&n->l, h, &locals))
		return false;
	for (uint32_t i = 0; i < locals.list.n; i++) {
		const struct pf_local *x = &locals.list.v[i];
		struct pf_nhost *to = vec_push(n->l.c->a, &out->list);

		*to = (struct pf_nhost){
			.kind = PH_ADDR, .is_not = h->is_not, .af = x->p.a.af, .len = x->p.len,
			.a = prefix_first(x->p),
			.scope = x->scope != 0 ? intern_name(n->l.c->names, x->scope) : NULL,
		};
	}
	return true;
}

bool pf_norm_hosts(struct pf_norm *n, const struct pf_hosts *hosts, struct pf_nhosts *out)
{
	bool ok = true;

	for (uint32_t i = 0; i < hosts->n; i++) {
		const struct pf_host *h = &hosts->v[i];
		struct pf_nhost x = { .kind = h->kind, .is_not = h->is_not, .mods = h->mods,
				      .len = h->len >= 0 ? (uint8_t)h->len : 128, .name = h->name };

		if (h->kind == PH_NAME) {
			ok &= norm_names(n, h, out);
			continue;
		}
		if (h->kind == PH_ADDR) {
			x.af = h->p.a.af;
			x.len = h->p.len;
			x.a = prefix_first(h->p);
			x.scope = h->name;
		} else if (h->kind == PH_RANGE) {
			x.af = h->p.a.af;
			x.a = h->p.a;
			x.hi = h->hi;
		}
		vec_add(n->l.c->a, &out->list, x);
	}
	if (out->list.n == 0)
		vec_add(n->l.c->a, &out->list, ((struct pf_nhost){ .kind = PH_ANY }));
	return ok;
}

/* The family that a pool of addresses has or gives; leaves out what does not fit */
static bool norm_pool(struct pf_norm *n, const struct pf_target *t, uint8_t *af,
		      struct pf_nhosts *out)
{
	struct pf_nhosts all = { .list = { 0 } };

	if (!pf_norm_hosts(n, &t->hosts, &all))
		return false;
	for (uint32_t i = 0; i < all.list.n; i++) {
		const struct pf_nhost *h = &all.list.v[i];

		if (h->kind == PH_ANY || h->is_not)
			return pl_error(&n->l, E1312, t->hosts.v[0].at, "a translation leads to an "
					"address, not to any or all but one");
		if (*af != AF_NONE && h->af != AF_NONE && h->af != *af)
			continue;
		if (*af == AF_NONE)
			*af = h->af;
		vec_add(n->l.c->a, &out->list, *h);
	}
	if (out->list.n == 0)
		return pl_error(&n->l, E1311, t->hosts.v[0].at,
				"no translation address with matching address family found");
	return true;
}

/* ---- combinations --------------------------------------------------------- */

enum axis { AX_IF, AX_PROTO, AX_ICMP, AX_SRC, AX_SPORT, AX_OS, AX_DST, AX_DPORT, AX_USER,
	    AX_GROUP, N_AXES };

/**
 * struct expansion - A statement being taken apart
 * @r:		Its rule
 * @s:		It
 * @size:	Items of each axis, at least 1
 * @at:		Where each axis stands
 * @src:	Sources
 * @dst:	Destinations
 * @pool:	Where it leads
 * @af:		Family of the whole statement
 * @added:	Rules so far
 */
struct expansion {
	const struct pf_rule *r;
	const struct pf_stmt *s;
	uint32_t size[N_AXES];
	uint32_t at[N_AXES];
	struct pf_nhosts src;
	struct pf_nhosts dst;
	struct pf_nhosts pool;
	uint8_t af;
	uint32_t added;
	bool is_wrong;		/* inside of an anchor's block */
};

static bool step(struct expansion *e)
{
	for (int i = N_AXES - 1; i >= 0; i--) {
		if (++e->at[i] < e->size[i])
			return true;
		e->at[i] = 0;
	}
	return false;
}

static bool differ(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) != 0;
}

/* pf's own: an IPv4 rule cuts the length of "(if)", for the rules after it too */
static void cut_dynamic(struct pf_nhost *h, uint8_t af)
{
	if (h->kind == PH_DYNAMIC && af == AF_V4 && h->len > 32)
		h->len = 32;
}

/* Families and interfaces; false: no such rule */
static bool combine(struct expansion *e, struct pf_nrule *x)
{
	struct pf_nhost *src = &e->src.list.v[e->at[AX_SRC]];
	struct pf_nhost *dst = &e->dst.list.v[e->at[AX_DST]];

	x->af = e->af;
	if ((x->af != AF_NONE && src->af != AF_NONE && x->af != src->af) ||
	    (x->af != AF_NONE && dst->af != AF_NONE && x->af != dst->af) ||
	    (src->af != AF_NONE && dst->af != AF_NONE && src->af != dst->af))
		return false;
	if (differ(src->scope, dst->scope) || differ(src->scope, x->ifname) ||
	    differ(dst->scope, x->ifname))
		return false;
	if (x->af == AF_NONE)
		x->af = src->af != AF_NONE ? src->af : dst->af;
	if (x->ifname == NULL)
		x->ifname = src->scope != NULL ? src->scope : dst->scope;
	cut_dynamic(src, x->af);
	cut_dynamic(dst, x->af);
	x->src = *src;
	x->dst = *dst;
	return true;
}

static void set_flags(const struct pf_rule *r, struct pf_nrule *x)
{
	const bool keeps = r->keep != PK_NO;

	if (x->proto >= 0 && x->proto != (int)PROTO_TCP)
		return;
	if (r->has_flags) {
		x->flags = r->flags;
		x->flag_mask = r->flag_mask;
	} else if (r->action == PA_PASS && keeps && !r->o->fragment) {
		x->flags = TCP_FLAG_SYN;
		x->flag_mask = TCP_FLAG_SYN | TCP_FLAG_ACK;
	}
}

/* What follows a rule that is shown: its end, its counts, what an anchor holds */
static void show_rest(struct pf_norm *n, const struct expansion *e)
{
	const bool is_open = e->r->action == PA_ANCHOR && pf_norm_shows_inside(n, e->r->anchor);
	const uint32_t part = ++n->part;

	fputs(is_open ? " {\n" : "\n", n->out);
	if (n->show->after != NULL)
		n->show->after(e->s->at, part, n->out, n->show->arg);
	if (!is_open)
		return;
	pf_norm_inside(n, e->r->anchor);
	fprintf(n->out, "%*s}\n", (int)n->depth * 2, "");
	n->part = part;
}

#define PICK(list, axis)	((list).n > 0 ? &(list).v[e->at[axis]] : NULL)

static void one_rule(struct pf_norm *n, struct expansion *e)
{
	const struct pf_rule *r = e->r;
	const struct pf_iface *on = PICK(r->ifaces, AX_IF);
	const struct pf_proto *proto = PICK(r->protos, AX_PROTO);
	struct pf_nrule x = {
		.r = r,
		.ifname = on != NULL ? on->name : NULL,
		.if_not = on != NULL && on->is_not,
		.proto = proto != NULL ? (int16_t)proto->number : -1,
		.icmp = PICK(r->icmps, AX_ICMP),
		.sport = PICK(r->from.ports, AX_SPORT),
		.dport = PICK(r->to.ports, AX_DPORT),
		.os = PICK(r->o->oses, AX_OS),
		.user = PICK(r->o->users, AX_USER),
		.group = PICK(r->o->groups, AX_GROUP),
		.pool = &e->pool,
		.nr = n->nr,
	};

	if (!combine(e, &x))
		return;
	if (n->visit != NULL) {
		n->visit(n, &x, n->arg);
		n->nr++;
		e->added++;
		return;
	}
	set_flags(r, &x);
	fprintf(n->out, "%*s", (int)n->depth * 2, "");
	if (n->show != NULL && n->show->is_numbered)
		fprintf(n->out, "@%u ", n->nr);
	pf_norm_rule(n, &x);
	n->nr++;
	if (n->show != NULL) {
		show_rest(n, e);
		e->added++;
		return;
	}
	/* Only the first of several calls shows the block; an empty one only without a name */
	if (r->action == PA_ANCHOR && r->anchor->is_inline &&
	    ((r->anchor->n_stmts > 0 && e->added == 0) || r->anchor->name == NULL)) {
		fputs(" {\n", n->out);
		if (e->added == 0)
			e->is_wrong = !pf_norm_block(n, r->anchor);
		fprintf(n->out, "%*s}", (int)n->depth * 2, "");
	}
	putc('\n', n->out);
	e->added++;
}

static uint32_t at_least_one(uint32_t n)
{
	return n > 0 ? n : 1;
}

static bool expand(struct pf_norm *n, struct expansion *e)
{
	const struct pf_rule *r = e->r;

	e->size[AX_IF] = at_least_one(r->ifaces.n);
	e->size[AX_PROTO] = at_least_one(r->protos.n);
	e->size[AX_ICMP] = at_least_one(r->icmps.n);
	e->size[AX_SRC] = e->src.list.n;
	e->size[AX_SPORT] = at_least_one(r->from.ports.n);
	e->size[AX_OS] = at_least_one(r->o->oses.n);
	e->size[AX_DST] = e->dst.list.n;
	e->size[AX_DPORT] = at_least_one(r->to.ports.n);
	e->size[AX_USER] = at_least_one(r->o->users.n);
	e->size[AX_GROUP] = at_least_one(r->o->groups.n);
	do {
		one_rule(n, e);
		if (n->nr > LIMIT_RULES)
			return pl_error(&n->l, E1314, e->s->at, "more than %u rules", LIMIT_RULES);
	} while (step(e));
	if (e->added == 0)
		return pl_error(&n->l, E1301, e->s->at, "rule expands to no valid combination");
	return !e->is_wrong;
}

/* ---- statements ----------------------------------------------------------- */

static uint8_t only_family(const struct pf_nhosts *hs)
{
	for (uint32_t i = 0; i < hs->list.n; i++)
		if (hs->list.v[i].af != hs->list.v[0].af)
			return AF_NONE;
	return hs->list.v[0].af;
}

static bool check_family(struct pf_norm *n, const struct expansion *e)
{
	uint8_t af = e->af;

	if (af == AF_NONE)
		af = only_family(&e->src);
	if (af == AF_NONE)
		af = only_family(&e->dst);
	return pf_check_icmp(&n->l, e->r, af);
}

/* Where "route-to (em0 addr)" leads must have the rule's family, or any */
static bool check_route(struct pf_norm *n, const struct expansion *e)
{
	const struct pf_rule_opts *o = e->r->o;
	struct pf_nhosts to = { .list = { 0 } };

	if (o->route == PW_NONE || o->prefer_ipv6_nexthop)
		return true;
	if (!pf_norm_hosts(n, &o->route_to->hosts, &to))
		return false;
	for (uint32_t i = 0; i < to.list.n; i++)
		if (e->af == AF_NONE || o->af_to != AF_NONE || to.list.v[i].af == AF_NONE ||
		    to.list.v[i].af == e->af)
			return true;
	return pl_error(&n->l, E1311, o->route_to->at,
			"no routing address with matching address family found.");
}

static bool antispoof_one(struct pf_norm *n, const struct pf_stmt *s, const struct pf_host *h,
			  uint8_t mods, bool on)
{
	struct pf_host from = *h;
	const struct pf_hosts hosts = { &from, 1 };
	struct pf_iface iface = { .name = h->name, .is_not = true, .at = h->at };
	struct pf_rule r = *s->rule;
	struct expansion e = { .r = &r, .s = s, .af = r.af };

	from.mods = mods;
	r.action = PA_BLOCK;
	r.refusal = PR_DROP;
	r.dir = DIR_IN;
	if (on) {
		r.ifaces.v = &iface;
		r.ifaces.n = 1;
	}
	if (!pf_norm_hosts(n, &hosts, &e.src))
		return false;
	/* An interface without such addresses has no such rule */
	for (uint32_t i = 0; i < e.src.list.n; i++) {
		const struct pf_nhost *x = &e.src.list.v[i];

		if (x->kind != PH_ANY && (r.af == AF_NONE || x->af == AF_NONE || x->af == r.af)) {
			vec_add(n->l.c->a, &e.dst.list, ((struct pf_nhost){ .kind = PH_ANY }));
			return expand(n, &e);
		}
	}
	return true;
}

static bool antispoof(struct pf_norm *n, const struct pf_stmt *s)
{
	bool ok = true;

	for (uint32_t i = 0; i < s->rule->antispoof.n; i++) {
		const struct pf_host *h = &s->rule->antispoof.v[i];
		const struct iface *known = facts_find(n->l.facts, h->name);

		ok &= antispoof_one(n, s, h, PHM_NETWORK, true);
		if (known == NULL || (known->kind != IFACE_LO && known->kind != IFACE_CLONED))
			ok &= antispoof_one(n, s, h, 0, false);
	}
	return ok;
}

bool pf_norm_statement(struct pf_norm *n, const struct pf_stmt *s)
{
	const struct pf_rule *r = s->rule;
	struct expansion e = { .r = r, .s = s, .af = r->af };

	n->part = 0;
	if (r->action == PA_ANTISPOOF)
		return antispoof(n, s);
	if (!pf_check_rule(&n->l, r) || !pf_norm_hosts(n, &r->from.hosts, &e.src) ||
	    !pf_norm_hosts(n, &r->to.hosts, &e.dst))
		return false;
	if (r->target != NULL && !norm_pool(n, r->target, &e.af, &e.pool))
		return false;
	return check_family(n, &e) && check_route(n, &e) && expand(n, &e);
}
