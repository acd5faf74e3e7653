/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A rule with limits on its states, or with a name that is another one for each
 * address ("$dstport"), is taken apart into what pf makes of it: the single rules
 * of the normal form, in their order, each with a count and names of its own.  Every
 * other rule keeps its lists as sets.
 */
#include "lang/pf/norm.h"

#include <string.h>

#define SPLIT_MAX	1024u	/* rules that one may become */

/* A statement under way */
struct split {
	struct pf_lower *l;
	const struct pf_stmt *s;
	bool (*lower)(struct pf_lower *l, const struct pf_stmt *s);
	uint32_t n;		/* single rules so far */
	bool ok;
};

static bool is_variable(const char *name)
{
	return name != NULL && strchr(name, '$') != NULL;
}

bool pf_has_variables(const struct pf_rule *r)
{
	for (uint32_t i = 0; i < r->o->n_labels; i++)
		if (is_variable(r->o->labels[i]))
			return true;
	return is_variable(r->o->tag) || is_variable(r->o->tagged);
}

static bool has_number(const struct pf_rule *r)
{
	return (r->o->tag != NULL && strstr(r->o->tag, "$nr") != NULL) ||
	       (r->o->tagged != NULL && strstr(r->o->tagged, "$nr") != NULL);
}

/* ---- a single rule as a statement -------------------------------------------- */

static struct pf_hosts one_host(struct arena *a, const struct pf_nhost *x, struct span at)
{
	struct pf_host *h = arena_new(a, struct pf_host);

	if (x->kind == PH_ANY && !x->is_not)
		return (struct pf_hosts){ .n = 0 };
	*h = (struct pf_host){
		.kind = x->kind, .is_not = x->is_not, .mods = x->mods, .len = -1, .at = at,
		.name = x->kind == PH_ADDR ? x->scope : x->name,
	};
	if (x->kind == PH_DYNAMIC && x->len < (x->af == AF_V4 ? 32 : 128))
		h->len = x->len;
	if (x->kind == PH_ADDR)
		h->p = (struct prefix){ x->a, x->len };
	if (x->kind == PH_RANGE) {
		h->p = (struct prefix){ x->a, (uint8_t)addr_bits(x->af) };
		h->hi = x->hi;
	}
	return (struct pf_hosts){ h, 1 };
}

static struct span side_at(const struct pf_side *side, struct span whole)
{
	return side->hosts.n > 0 ? side->hosts.v[0].at : whole;
}

/* The item that a single rule has of a list, which stays what it is in the source */
#define ONLY(list, item) \
	do { \
		if ((item) != NULL) \
			(list).v += (item) - (list).v; \
		(list).n = (item) != NULL; \
	} while (0)

static const struct pf_rule_opts *named(struct pf_norm *n, const struct pf_nrule *x)
{
	struct pf_rule_opts *o = arena_new(n->l.c->a, struct pf_rule_opts);

	*o = *x->r->o;
	ONLY(o->oses, x->os);
	ONLY(o->users, x->user);
	ONLY(o->groups, x->group);
	if (o->tag != NULL)
		o->tag = pf_norm_name(n, x, o->tag);
	if (o->tagged != NULL)
		o->tagged = pf_norm_name(n, x, o->tagged);
	return o;
}

static struct pf_rule *single(struct pf_norm *n, const struct pf_nrule *x, struct span at)
{
	struct arena *a = n->l.c->a;
	struct pf_rule *r = arena_new(a, struct pf_rule);
	const struct pf_rule *whole = x->r;

	*r = *whole;
	if (x->ifname != NULL) {
		r->ifaces.v = arena_new(a, struct pf_iface);
		r->ifaces.v[0] = (struct pf_iface){ x->ifname, x->if_not, whole->ifaces.n > 0 ?
						    whole->ifaces.v[0].at : at };
		r->ifaces.n = 1;
	}
	if (x->proto >= 0) {
		r->protos.v = arena_new(a, struct pf_proto);
		r->protos.v[0] = (struct pf_proto){ (uint8_t)x->proto, whole->protos.v[0].at };
		r->protos.n = 1;
	}
	r->af = x->af;
	ONLY(r->icmps, x->icmp);
	ONLY(r->from.ports, x->sport);
	ONLY(r->to.ports, x->dport);
	r->from.hosts = one_host(a, &x->src, side_at(&whole->from, at));
	r->to.hosts = one_host(a, &x->dst, side_at(&whole->to, at));
	r->o = named(n, x);
	return r;
}

/* ---- all of them ------------------------------------------------------------- */

static void count(struct pf_norm *n UNUSED, const struct pf_nrule *x UNUSED, void *arg)
{
	((struct split *)arg)->n++;
}

static void lower_single(struct pf_norm *n, const struct pf_nrule *x, void *arg)
{
	struct split *w = arg;
	struct pf_stmt one = *w->s;

	one.rule = single(n, x, w->s->at);
	w->l->part = ++w->n;
	w->ok &= w->lower(w->l, &one);
}

bool pf_lower_split(struct pf_lower *l, const struct pf_stmt *s,
		    bool (*lower)(struct pf_lower *l, const struct pf_stmt *s))
{
	struct split w = { .l = l, .s = s, .lower = lower, .ok = true };
	struct pf_norm n = { .l = *l, .visit = count, .arg = &w };
	const bool must = pf_has_limits(s->rule) || is_variable(s->rule->o->tag) ||
			  is_variable(s->rule->o->tagged);

	/* One that was taken apart comes here again, for another reason */
	if (l->part != 0)
		return lower(l, s);
	if (!pf_norm_statement(&n, s))
		return false;
	l->told = n.l.told;
	if (w.n > SPLIT_MAX && must)
		return pl_error(l, E1314, s->at, "more than %u single rules with limits or names "
				"of their own", SPLIT_MAX);
	if (w.n > SPLIT_MAX)
		return lower(l, s);
	if (has_number(s->rule))
		pf_norm_number(&n, l->stmts, l->n_stmts, s);
	else
		n.nr = 0;
	l->is_single = w.n > 1;
	w.n = 0;
	n.visit = lower_single;
	if (!pf_norm_statement(&n, s))
		return false;
	l->is_single = false;
	l->part = 0;
	return w.ok;
}
