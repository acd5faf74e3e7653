/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A translation whose target is written as addresses holds for their families
 * only; "(if)" and tables hold for both, and a packet of a family that has no
 * address then passes untranslated, as in pf.
 *
 * "port 2000:2010 -> port 3000:3004" starts again at 3000 for 2005, and counts
 * from the first port of each item of a list: a rule for each item.
 *
 * Filter rules with nat-to and rdr-to lead to the same kinds of target
 * (lower_to.c).
 */
#include "lang/pf/lower.h"

#include <string.h>

#include "base/fnv.h"
#include "base/limits.h"

#define NAT_PORT_LO	50001
#define NAT_PORT_HI	65535

struct target {
	VEC(struct addr) to;
	bool is_open;
	uint8_t host_bits;	/* of a bitmask pool */
};

static bool add_addr(struct pf_lower *l, struct target *t, struct addr a, struct span at)
{
	for (uint32_t i = 0; t->to.n < 64 && i < t->to.n; i++)
		if (addr_equal(t->to.v[i], a))
			return true;
	if (t->to.n >= LIMIT_LIST_ITEMS)
		return pl_error(l, E1314, at, "more than %u addresses to translate to",
				LIMIT_LIST_ITEMS);
	vec_add(l->c->a, &t->to, a);
	return true;
}

static bool add_range(struct pf_lower *l, struct target *t, struct range r, struct span at)
{
	if (r.hi - r.lo >= LIMIT_LIST_ITEMS)
		return pl_error(l, E1314, at, "more than %u addresses to translate to",
				LIMIT_LIST_ITEMS);
	for (u128 v = r.lo;; v++) {
		if (!add_addr(l, t, (struct addr){ r.af, v }, at))
			return false;
		if (v == r.hi)
			return true;
	}
}

static bool add_names(struct pf_lower *l, struct target *t, const struct pf_host *h)
{
	struct pf_locals locals = { .list = { 0 } };

	if ((h->mods & ~PHM_FIRST) != 0 || h->len >= 0)
		return pl_error(l, E1312, h->at, "a translation leads to addresses of an "
				"interface, not to its network");
	if (!pf_locals_of(l, h, &locals))
		return false;
	for (uint32_t i = 0; i < locals.list.n; i++) {
		const struct addr a = locals.list.v[i].p.a;

		/* Nobody answers to a link-local address from elsewhere */
		if (a.af == AF_V6 && addr_is_linklocal(a))
			continue;
		if (!add_addr(l, t, a, h->at))
			return false;
	}
	return true;
}

static bool add_table(struct pf_lower *l, struct target *t, const struct pf_host *h)
{
	const struct set *s = pf_table_find(l, h);

	for (uint32_t i = 0; i < s->n; i++)
		if (!add_range(l, t, s->r[i], h->at))
			return false;
	return true;
}

static bool add_host(struct pf_lower *l, struct target *t, const struct pf_host *h,
		     enum pf_pool pool)
{
	if (h->is_not || h->kind == PH_ANY)
		return pl_error(l, E1312, h->at, "a translation leads to an address, not to %s",
				h->is_not ? "all but one" : "any");
	switch (h->kind) {
	case PH_ADDR:
		t->host_bits = (uint8_t)(addr_bits(h->p.a.af) - h->p.len);
		/* Of a network without a word about it, pf takes the first address */
		if (pool == PO_DEFAULT || pool == PO_BITMASK)
			return add_addr(l, t, prefix_first(h->p), h->at);
		return add_range(l, t, (struct range){ h->p.a.af, prefix_first(h->p).v,
						       prefix_last(h->p).v }, h->at);
	case PH_RANGE:
		return add_range(l, t, (struct range){ h->p.a.af, h->p.a.v, h->hi.v }, h->at);
	case PH_TABLE:
		t->is_open = true;
		return add_table(l, t, h);
	default:
		t->is_open |= h->kind == PH_DYNAMIC || l->o->tolerate_missing;
		return add_names(l, t, h);
	}
}

/* May 127.0.0.1 be the target: only of what crosses a loopback anyway */
static bool on_loopback_only(const struct pf_rule *r)
{
	for (uint32_t i = 0; i < r->ifaces.n; i++) {
		const struct pf_iface *x = &r->ifaces.v[i];

		if (x->name == NULL || x->is_not ||
		    (strcmp(x->name, "lo") != 0 && !facts_is_loopback_name(x->name)))
			return false;
	}
	return r->ifaces.n > 0;
}

static bool check_target(struct pf_lower *l, const struct pf_xlating *w, const struct target *t)
{
	const struct pf_target *target = w->target;
	char buf[ADDR_TEXT_BYTES];
	bool has[2] = { false, false };

	for (uint32_t i = 0; i < t->to.n; i++) {
		has[t->to.v[i].af == AF_V6] = true;
		if (w->kind != XL_DST || !addr_is_loopback(t->to.v[i]) ||
		    on_loopback_only(w->s->rule))
			continue;
		pf_diag(l->c, l->f, E1313, target->hosts.v[0].at,
			"a packet from outside cannot be redirected to %s: it dies at "
			"route_localnet=0", addr_print(t->to.v[i], buf));
		diag_help(l->c->diags, "give the service an address of a cloned loopback, as lo1, "
			  "and redirect there");
		return false;
	}
	if (!t->is_open && w->s->rule->af != AF_NONE && !has[w->s->rule->af == AF_V6])
		return pl_error(l, E1311, target->hosts.v[0].at,
				"no translation address with matching address family found");
	if (target->hosts.n > 1 && target->pool != PO_DEFAULT && target->pool != PO_ROUND_ROBIN)
		return pl_error(l, E1312, target->at, "a list of addresses is used in "
				"round-robin order only");
	return true;
}

static bool resolve_target(struct pf_lower *l, const struct pf_xlating *w, struct target *t)
{
	for (uint32_t i = 0; i < w->target->hosts.n; i++)
		if (!add_host(l, t, &w->target->hosts.v[i], w->target->pool))
			return false;
	return check_target(l, w, t);
}

/* The family that a target alone implies, or AF_NONE */
static uint8_t target_af(const struct target *t)
{
	if (t->is_open || t->to.n == 0)
		return AF_NONE;
	for (uint32_t i = 1; i < t->to.n; i++)
		if (t->to.v[i].af != t->to.v[0].af)
			return AF_NONE;
	return t->to.v[0].af;
}

struct finish {
	const struct pf_rule *rule;
	uint32_t xlate;
};

static void finish_nat(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct finish *f = arg;

	if (f->rule->is_log)
		rule_log(l->m, r);
	if (f->rule->is_no) {
		r->exit = EX_RETURN;
		return;
	}
	rule_translate(l->m, r, f->xlate, l->list_filter);
	if (f->rule->is_pass)
		rule_decide(r, ruling_keep());
	else
		rule_goto(r, l->list_filter);
}

static bool emit_xlate(struct pf_lower *l, const struct pf_xlating *w, const struct xlate *x)
{
	const struct finish f = { w->s->rule, model_add_xlate(l->m, *x) };

	return pf_emit(l, w->kind == XL_SRC ? l->list_nat : l->list_rdr, w->s, &l->match,
		       finish_nat, &f);
}

static bool nat_ports(struct pf_lower *l, const struct pf_xlating *w, struct xlate *x)
{
	const struct pf_target *t = w->target;

	if (t->is_open)
		return pl_error(l, E1312, t->at, "'port N:*' is for rdr; nat takes 'port N:M'");
	x->port = t->is_static ? XP_KEEP : XP_RANDOM;
	x->lo = NAT_PORT_LO;
	x->hi = NAT_PORT_HI;
	if (t->has_port) {
		x->lo = t->port_lo;
		x->hi = t->port_hi;
		if (x->lo == x->hi)
			x->port = XP_TO;
	}
	if (x->port == XP_KEEP)
		x->lo = x->hi = 0;
	return w->emit(l, w, x);
}

/* Ports in @d, to the range of @x, counted from @from on */
static bool shift_item(struct pf_lower *l, const struct pf_xlating *w, struct xlate *x,
		       const struct pf_port *d)
{
	const bool counts = d->op == PP_EQ || d->op == PP_RANGE || d->op == PP_GT ||
			    d->op == PP_GE || d->op == PP_INSIDE;

	if (!counts)
		return pl_error(l, E1312, d->at, "a range of target ports counts from the first "
				"destination port, and this has none: write a range a:b");
	l->match.dport = pf_port_set(l, d, 1);
	x->from = (uint16_t)d->lo;
	x->port = d->op == PP_EQ ? XP_TO : XP_SHIFT;
	if (x->port == XP_SHIFT)
		return w->emit(l, w, x);
	return w->emit(l, w, &(struct xlate){ .kind = x->kind, .pool = x->pool, .seed = x->seed,
		       .is_sticky = x->is_sticky, .host_bits = x->host_bits, .to = x->to,
		       .port = XP_TO, .lo = x->lo, .hi = x->lo });
}

static bool rdr_ports(struct pf_lower *l, const struct pf_xlating *w, struct xlate *x)
{
	const struct pf_rule *r = w->s->rule;
	const struct pf_target *t = w->target;
	const struct pf_port *first = r->to.ports.n > 0 ? &r->to.ports.v[0] : NULL;
	uint32_t size = (uint32_t)(t->port_hi - t->port_lo) + 1;

	if (t->is_open)
		size = first != NULL && first->op == PP_RANGE
		     ? (uint32_t)(first->hi - first->lo) + 1 : 1;
	x->port = t->has_port ? XP_TO : XP_KEEP;
	x->lo = x->hi = t->has_port ? t->port_lo : 0;
	if (!t->has_port || size == 1)
		return w->emit(l, w, x);
	if (t->port_lo + size - 1 > 65535)
		return pl_error(l, E1204, t->at, "the target ports %u:* end above 65535",
				t->port_lo);
	x->hi = (uint16_t)(t->port_lo + size - 1);
	x->port = XP_SHIFT;
	if (first == NULL)	/* pf counts from 0 */
		return w->emit(l, w, x);
	for (uint32_t i = 0; i < r->to.ports.n; i++)
		if (!shift_item(l, w, x, &r->to.ports.v[i]))
			return false;
	return true;
}

static uint32_t seed_of(struct pf_lower *l, const struct pf_xlating *w)
{
	const char *key = w->target->hash_key;

	if (key == NULL)
		key = pf_stmt_text(l->c, w->s->at);
	return fnv32(FNV32_START, key, strlen(key));
}

static void set_pool(struct pf_lower *l, const struct pf_xlating *w, const struct target *t,
		     struct xlate *x)
{
	static const enum xlate_pool pools[] = {
		[PO_DEFAULT] = POOL_ROUND_ROBIN, [PO_ROUND_ROBIN] = POOL_ROUND_ROBIN,
		[PO_RANDOM] = POOL_RANDOM, [PO_SOURCE_HASH] = POOL_SOURCE_HASH,
		[PO_BITMASK] = POOL_BITMASK,
	};

	x->pool = pools[w->target->pool];
	x->is_sticky = w->target->is_sticky && x->to.n > 1;
	x->host_bits = x->pool == POOL_BITMASK ? t->host_bits : 0;
	if (x->pool == POOL_SOURCE_HASH) {
		x->seed = seed_of(l, w);
		if (x->to.n > 1)
			pf_diag(l->c, l->f, N1332, w->target->at, "each source keeps one address, "
				"but it need not be the one that FreeBSD would choose");
	}
	if (x->is_sticky)
		pf_diag(l->c, l->f, N1333, w->target->at, "a source keeps its address for a day "
			"after its last new connection, not until its last state ends");
}

bool pf_xlate(struct pf_lower *l, const struct pf_xlating *w)
{
	struct xlate x = { .kind = w->kind };
	struct target t = { .is_open = false };

	if (!resolve_target(l, w, &t))
		return false;
	if (l->match.af == AF_NONE)
		l->match.af = target_af(&t);
	for (uint32_t i = 0; i < t.to.n; i++)
		if (l->match.af == AF_NONE || t.to.v[i].af == l->match.af)
			vec_add(l->c->a, &x.to, t.to.v[i]);
	set_pool(l, w, &t, &x);
	return w->kind == XL_SRC ? nat_ports(l, w, &x) : rdr_ports(l, w, &x);
}

bool pf_lower_nat(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_rule *r = s->rule;
	const struct finish no = { r, 0 };
	const struct pf_xlating w = {
		.s = s, .target = r->target, .kind = r->action == PA_NAT ? XL_SRC : XL_DST,
		.emit = emit_xlate,
	};

	if (!pf_match_of(l, r))
		return false;
	if (r->is_no)
		return pf_emit(l, r->action == PA_NAT ? l->list_nat : l->list_rdr, s, &l->match,
			       finish_nat, &no);
	return pf_xlate(l, &w);
}
