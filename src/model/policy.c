/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Fences stand in the lists before and after the language's own, so no `quick`,
 * `pass` or `set skip` can step over one.  What lifts a fence is decided here,
 * once, from the written rules: a fence is then only a rule with a smaller
 * set, and eval, `plan`, `why` and the targets need to know nothing of it.
 *
 * Local callers: Linux translates the host's own packets before they are
 * routed, in the output hook, so all that applies on lo is one list, called on
 * every crossing of lo: first what the user wrote for lo, then a copy of each
 * other rdr rule, for the addresses of its own interfaces.
 */
#include "model/policy_work.h"

static const char *const policy_texts[N_POLICIES] = {
	[POLICY_INTERIOR] =
		"fence interior: nothing from outside reaches an inside address untranslated",
	[POLICY_SOURCE] = "fence source: nothing from outside has an inside source",
	[POLICY_EGRESS] = "fence egress: no inside source leaves untranslated",
};

static const char guard_text[] = "fence source: a vnet jail speaks in no other's name";

/* Call @fn for each rule that can be reached in direction @dir */
static void walk_list(struct work *w, uint32_t list, bool *seen, rule_fn *fn, void *arg)
{
	if (seen[list])
		return;
	seen[list] = true;
	for (uint32_t i = 0; i < w->m->lists.v[list].rules.n; i++) {
		const struct rule *r = &w->m->lists.v[list].rules.v[i];

		fn(w, r, arg);
		if (r->exit == EX_CALL || r->exit == EX_GOTO)
			walk_list(w, r->list, seen, fn, arg);
	}
}

void policy_each_rule(struct work *w, enum direction dir, rule_fn *fn, void *arg)
{
	bool *seen = arena_array(w->m->a, bool, w->m->lists.n);

	walk_list(w, w->m->entry[dir], seen, fn, arg);
}

/* The translation of a kind that a rule makes, or NULL */
static const struct xlate *xlate_of(const struct model *m, const struct rule *r,
				    enum xlate_kind kind)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x = e != NULL ? &m->xlates.v[e->xlate] : NULL;

	return x != NULL && xlate_side(x) == kind ? x : NULL;
}

static bool decides_pass(const struct rule *r)
{
	return r->exit == EX_DECIDE && r->ruling.verdict == V_PASS &&
	       rule_has_effect(r, EF_TRANSLATE) == NULL;
}

/*
 * pf's filter prefers, and what it decides at once translates or skips.  ipfw
 * decides; a rule that keeps a state does so in the list that the state repeats.
 */
static bool passes_untranslated(const struct model *m, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_PREFER);

	if (m->discipline == STATES_DIRECTED)
		return e != NULL && e->ruling.verdict == V_PASS;
	if (r->exit == EX_GOTO && rule_has_effect(r, EF_RECORD) != NULL &&
	    m->lists.v[r->list].rules.n > 0)
		r = &m->lists.v[r->list].rules.v[0];
	return decides_pass(r);
}

bool policy_may_cross(const struct rule *r, enum direction dir, uint32_t iface)
{
	const struct set *dirs = rule_tests(r, F_DIR);
	const struct set *ifaces = rule_tests(r, F_IFACE);

	return (dirs == NULL || set_has(dirs, AF_NONE, dir)) &&
	       (ifaces == NULL || set_has(ifaces, AF_NONE, iface));
}

static void add_nat_sources(struct work *w, const struct rule *r, void *arg)
{
	const struct set *src = rule_tests(r, F_SRC);

	if (xlate_of(w->m, r, XL_SRC) != NULL && src != NULL)
		ranges_add_set(w->m->a, arg, src);
}

const struct set *policy_interior(const struct model *m)
{
	struct work w = { .m = (struct model *)m };
	struct ranges nat = { 0 }, inner = { 0 }, outer = { 0 };
	const struct set *natted;

	policy_each_rule(&w, DIR_OUT, add_nat_sources, &nat);
	natted = set_make(m->a, &nat);
	for (uint32_t i = 0; i < m->facts->ifaces.n; i++) {
		const struct iface *f = &m->facts->ifaces.v[i];

		for (uint32_t j = 0; j < f->addrs.n; j++) {
			const struct prefix p = f->addrs.v[j].p;
			const struct set *net = set_prefix(m->a, p);

			if (f->kind == IFACE_REAL)
				ranges_add(m->a, &outer, p.a.af, p.a.v, p.a.v);
			else if (f->kind != IFACE_LO && !addr_is_linklocal(p.a) &&
				 (addr_is_private(p.a) || set_is_subset(net, natted)))
				ranges_add_set(m->a, &inner, net);
		}
		for (uint32_t j = 0; j < f->behind.n && !f->is_open; j++) {
			const struct set *net = set_prefix(m->a, f->behind.v[j]);

			if (addr_is_private(f->behind.v[j].a) || set_is_subset(net, natted))
				ranges_add_set(m->a, &inner, net);
		}
	}
	return set_minus(m->a, set_make(m->a, &inner), set_make(m->a, &outer), SET_ADDR);
}

static const struct set *inside_ifaces(const struct model *m)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < m->facts->ifaces.n; i++)
		if (m->facts->ifaces.v[i].kind != IFACE_REAL)
			ranges_add(m->a, &rs, AF_NONE, m->facts->ifaces.v[i].id,
				   m->facts->ifaces.v[i].id);
	return set_make(m->a, &rs);
}

static const struct set *jail_links(const struct model *m)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < m->facts->ifaces.n; i++)
		if (m->facts->ifaces.v[i].kind == IFACE_JAIL)
			ranges_add(m->a, &rs, AF_NONE, m->facts->ifaces.v[i].id,
				   m->facts->ifaces.v[i].id);
	return set_make(m->a, &rs);
}

static const struct set *loopback_nets(struct arena *a)
{
	struct ranges rs = { 0 };

	ranges_add_prefix(a, &rs, (struct prefix){ addr_v4(127, 0, 0, 0), 8 });
	ranges_add(a, &rs, AF_V6, 1, 1);
	return set_make(a, &rs);
}

static struct rule *add_fence(struct work *w, uint32_t list, enum policy policy,
			      const struct set *ifaces, enum field f, const struct set *in)
{
	struct rule *r = model_add_rule(w->m, list, (struct origin){
		.text = policy_texts[policy], .policy = policy });

	rule_test(w->m, r, F_IFACE, ifaces);
	rule_test(w->m, r, f, in);
	rule_decide(r, ruling_block());
	return r;
}

static const struct set nothing = { .n = 0 };

/* A written rule that may lift a fence on one interface */
struct lift {
	enum direction dir;
	uint32_t iface;
	enum field f;			/* the address that must be wholly interior */
	const struct set *covered;	/* addresses that translations there lead to or cover */
	struct ranges lifted;
};

static void add_covered(struct work *w, const struct rule *r, void *arg)
{
	struct lift *l = arg;
	struct ranges rs = { 0 };
	const struct xlate *x = xlate_of(w->m, r, l->dir == DIR_IN ? XL_DST : XL_SRC);
	const struct xlate *both = xlate_of(w->m, r, XL_INSTANCE);
	const struct set *src = rule_tests(r, F_SRC);

	if ((x == NULL && both == NULL) || !policy_may_cross(r, l->dir, l->iface))
		return;
	ranges_add_set(w->m->a, &rs, l->covered);
	if (l->dir == DIR_IN && x == NULL)	/* its answers lead anywhere inside */
		ranges_add_set(w->m->a, &rs, set_all(w->m->a, SET_ADDR));
	else if (l->dir == DIR_IN)
		for (uint32_t i = 0; i < x->to.n; i++) {
			const struct range to = xlate_range(x, i);

			ranges_add(w->m->a, &rs, to.af, to.lo, to.hi);
		}
	else
		ranges_add_set(w->m->a, &rs, src != NULL ? src : set_all(w->m->a, SET_ADDR));
	l->covered = set_make(w->m->a, &rs);
}

static void add_lifted(struct work *w, const struct rule *r, void *arg)
{
	struct lift *l = arg;
	const struct set *ifaces = rule_tests(r, F_IFACE);
	const struct set *addrs = rule_tests(r, l->f);

	if (!passes_untranslated(w->m, r) || ifaces == NULL || addrs == NULL ||
	    set_has(ifaces, AF_NONE, UINT32_MAX) || !policy_may_cross(r, l->dir, l->iface))
		return;
	if (!set_is_empty(addrs) && set_is_subset(addrs, w->m->interior) &&
	    !set_overlaps(addrs, l->covered))
		ranges_add_set(w->m->a, &l->lifted, addrs);
}

/*
 * The fence of one direction: one rule for interfaces that nothing lifts, one
 * for each other with what is left.
 */
static void add_lifted_fence(struct work *w, uint32_t list, enum policy policy,
			     enum direction dir, enum field f)
{
	struct arena *a = w->m->a;
	const struct set *rest = w->outside;

	for (uint32_t i = 0; i < w->m->facts->ifaces.n; i++) {
		const struct iface *iface = &w->m->facts->ifaces.v[i];
		struct lift l = { .dir = dir, .iface = iface->id, .f = f, .covered = &nothing };
		const struct set *only = set_one(a, iface->id);

		if (iface->kind != IFACE_REAL)
			continue;
		policy_each_rule(w, dir, add_covered, &l);
		policy_each_rule(w, dir, add_lifted, &l);
		if (l.lifted.list.n == 0)
			continue;
		rest = set_minus(a, rest, only, SET_U32);
		add_fence(w, list, policy, only, f,
			  set_minus(a, w->m->interior, set_make(a, &l.lifted), SET_ADDR));
	}
	add_fence(w, list, policy, rest, f, w->m->interior);
}

const struct set *policy_public(const struct work *w, const struct set *ifaces)
{
	struct arena *a = w->m->a;
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < w->m->facts->ifaces.n; i++) {
		const struct iface *f = &w->m->facts->ifaces.v[i];

		if (f->kind != IFACE_REAL ||
		    (ifaces != NULL && !set_has(ifaces, AF_NONE, f->id)))
			continue;
		for (uint32_t j = 0; j < f->addrs.n; j++)
			ranges_add(a, &rs, f->addrs.v[j].p.a.af, f->addrs.v[j].p.a.v,
				   f->addrs.v[j].p.a.v);
	}
	return set_minus(a, set_make(a, &rs), w->m->interior, SET_ADDR);
}

/* What building the list of local callers needs */
struct local {
	uint32_t list;		/* being built */
	uint32_t nowhere;	/* an empty list: back behind the call */
	bool copies;		/* second round: policy copies, not the user's own */
};

/* @from again at the end of @l->list, on inside interfaces only */
static void copy_rule(struct work *w, const struct local *l, const struct rule *from,
		      const struct set *ifaces, const struct set *dst)
{
	const struct effect *e = rule_has_effect(from, EF_TRANSLATE);
	const struct effect *tag = rule_has_effect(from, EF_TAG);
	struct origin origin = from->origin;
	struct rule *r;

	if (set_is_empty(ifaces) || (dst != NULL && set_is_empty(dst)))
		return;
	if (dst != NULL)
		origin.policy = POLICY_LOCAL;
	r = model_add_rule(w->m, l->list, origin);
	r->map = from->map;
	r->until_s = from->until_s;
	for (uint32_t i = 0; i < from->tests.n; i++)
		if (from->tests.v[i].f != F_IFACE && (dst == NULL || from->tests.v[i].f != F_DST))
			rule_test(w->m, r, from->tests.v[i].f, from->tests.v[i].in);
	rule_test(w->m, r, F_IFACE, ifaces);
	if (dst != NULL) {
		rule_test(w->m, r, F_DST, dst);
		rule_test(w->m, r, F_DST_LOCAL, set_one(w->m->a, 1));
	}
	if (rule_has_effect(from, EF_LOG) != NULL)
		rule_log(w->m, r);
	if (tag != NULL)
		rule_tag(w->m, r, tag->tags, tag->untags);
	if (e != NULL)
		rule_translate(w->m, r, e->xlate, l->nowhere);
	if (from->exit == EX_DECIDE)
		rule_decide(r, from->ruling);
	else
		r->exit = EX_RETURN;
}

/* A rule of a list of translations: for lo as written, then for local callers */
static void add_local(struct work *w, const struct rule *from, const struct local *l)
{
	struct arena *a = w->m->a;
	const struct set *ifaces = rule_tests(from, F_IFACE);
	const struct set *dst = rule_tests(from, F_DST);
	const struct set *own;

	if (rule_has_effect(from, EF_SCRUB) != NULL ||
	    (xlate_of(w->m, from, XL_DST) == NULL && from->exit != EX_RETURN))
		return;
	if (!l->copies) {
		own = ifaces != NULL ? set_intersect(a, ifaces, w->inside) : w->inside;
		if (w->m->skipped != NULL)
			own = set_minus(a, own, w->m->skipped, SET_U32);
		copy_rule(w, l, from, own, NULL);
		return;
	}
	own = policy_public(w, ifaces);
	copy_rule(w, l, from, w->inside, dst != NULL ? set_intersect(a, own, dst) : own);
}

/* The list that is called on lo: -1 rules if nothing is translated there */
static uint32_t local_list(struct work *w)
{
	struct local l = {
		.list = model_add_list(w->m, "local"),
		.nowhere = model_add_list(w->m, "nowhere"),
	};
	const uint32_t entry = w->m->entry[DIR_IN];

	for (int round = 0; round < 2; round++) {
		l.copies = round == 1;
		if (l.copies && w->o->off[POLICY_LOCAL])
			break;
		for (uint32_t i = 0; i < w->m->lists.v[entry].rules.n; i++) {
			const struct rule *call = &w->m->lists.v[entry].rules.v[i];
			const struct rule_list *called;

			if (call->exit != EX_CALL)
				continue;
			called = &w->m->lists.v[call->list];
			for (uint32_t j = 0; j < called->rules.n; j++)
				add_local(w, &called->rules.v[j], &l);
		}
	}
	return l.list;
}

static void warn_of_skip(struct work *w, const struct rule *r, void *arg)
{
	const struct set *ifaces = rule_tests(r, F_IFACE);

	(void)arg;
	if (r->exit != EX_DECIDE || r->ruling.verdict != V_PASS || r->effects.n > 0 ||
	    ifaces == NULL || w->m->skipped == NULL || !set_equal(ifaces, w->m->skipped))
		return;
	for (uint32_t i = 0; i < w->m->facts->ifaces.n; i++) {
		const struct iface *f = &w->m->facts->ifaces.v[i];

		if (f->kind == IFACE_REAL && set_has(ifaces, AF_NONE, f->id))
			diag_add(w->diags, DIAG_W1601, r->origin.at,
				 "set skip on %s does not lift the fences there", f->name);
	}
}

static void add_call(struct work *w, uint32_t list, const struct set *ifaces, uint32_t called)
{
	struct rule *r;

	if (set_is_empty(ifaces))
		return;
	r = model_add_rule(w->m, list, (struct origin){ 0 });
	rule_test(w->m, r, F_IFACE, ifaces);
	rule_call(r, called);
}

/*
 * Beside free states what comes from a jail's link is translated behind the list,
 * which sees it as FreeBSD's would; what is on lo before it, as Linux does it.
 */
static void add_redirects(struct work *w)
{
	const uint32_t local = model_add_list(w->m, "local");
	const struct set *links = jail_links(w->m);
	const struct set *lo = set_minus(w->m->a, w->inside, links, SET_U32);

	if (w->o->off[POLICY_LOCAL])
		return;
	policy_local_redirects(w, local);
	if (w->m->lists.v[local].rules.n == 0)
		return;
	add_call(w, w->m->before[DIR_IN], lo, local);
	add_call(w, w->m->before[DIR_OUT], lo, local);
	if (set_is_empty(links))
		return;
	w->m->after[DIR_IN] = model_add_list(w->m, "after in");
	add_call(w, w->m->after[DIR_IN], links, local);
}

/*
 * What a jail may call itself on its own link: its addresses, a link-local one
 * that is not the host's there, and none at all while it looks for one.
 */
static const struct set *own_names(struct work *w, const struct iface *i)
{
	struct arena *a = w->m->a;
	struct ranges own = { 0 }, host = { 0 };

	ranges_add_prefix(a, &own, (struct prefix){ { AF_V6, (u128)0xfe80 << 112 }, 10 });
	ranges_add(a, &own, AF_V6, 0, 0);
	for (uint32_t n = 0; n < i->behind.n; n++)
		ranges_add_prefix(a, &own, i->behind.v[n]);
	for (int n = 0; n < 2; n++)
		if (i->gateway[n].af != AF_NONE)
			ranges_add(a, &host, i->gateway[n].af, i->gateway[n].v, i->gateway[n].v);
	return set_minus(a, set_make(a, &own), set_make(a, &host), SET_ADDR);
}

/* A bridge's ports are guarded below IP, where the port is still known */
static void add_guards(struct work *w)
{
	for (uint32_t n = 0; n < w->m->facts->ifaces.n; n++) {
		const struct iface *i = &w->m->facts->ifaces.v[n];

		if (i->kind != IFACE_JAIL || i->is_port || i->behind.n == 0)
			continue;
		add_fence(w, w->m->before[DIR_IN], POLICY_SOURCE, set_one(w->m->a, i->id), F_SRC,
			  set_complement(w->m->a, own_names(w, i), SET_ADDR))->origin.text =
			guard_text;
	}
}

void policy_add(struct model *m, const struct policy_options *o, struct diags *diags)
{
	struct work w = { .m = m, .o = o, .diags = diags };
	const struct set *loopback = loopback_nets(m->a);
	uint32_t local;

	m->interior = policy_interior(m);
	w.inside = inside_ifaces(m);
	w.outside = set_complement(m->a, w.inside, SET_U32);
	if (!o->off[POLICY_SOURCE] || !o->off[POLICY_INTERIOR] || !o->off[POLICY_EGRESS])
		policy_each_rule(&w, DIR_IN, warn_of_skip, NULL);
	local = m->discipline == STATES_DIRECTED ? local_list(&w) : LIST_NONE;
	m->before[DIR_IN] = model_add_list(m, "before in");
	m->before[DIR_OUT] = model_add_list(m, "before out");
	m->after[DIR_OUT] = model_add_list(m, "after out");
	if (!o->off[POLICY_SOURCE]) {
		add_fence(&w, m->before[DIR_IN], POLICY_SOURCE, w.outside, F_SRC,
			  set_union(m->a, m->interior, loopback));
		add_fence(&w, m->before[DIR_IN], POLICY_SOURCE, w.outside, F_DST, loopback);
	}
	if (!o->off[POLICY_SOURCE])
		add_guards(&w);
	if (!o->off[POLICY_INTERIOR] && !set_is_empty(m->interior))
		add_lifted_fence(&w, m->before[DIR_IN], POLICY_INTERIOR, DIR_IN, F_DST);
	if (!o->off[POLICY_EGRESS] && !set_is_empty(m->interior))
		add_lifted_fence(&w, m->after[DIR_OUT], POLICY_EGRESS, DIR_OUT, F_SRC);
	if (m->discipline == STATES_FREE) {
		add_redirects(&w);
	} else if (m->lists.v[local].rules.n > 0) {
		add_call(&w, m->before[DIR_IN], w.inside, local);
		add_call(&w, m->before[DIR_OUT], w.inside, local);
	}
}

void policy_fence_more(struct model *m, const struct policy_options *o, const struct set *more)
{
	struct work w = { .m = m, .o = o };

	m->interior = set_union(m->a, m->interior, more);
	w.outside = set_complement(m->a, inside_ifaces(m), SET_U32);
	if (!o->off[POLICY_SOURCE])
		add_fence(&w, m->before[DIR_IN], POLICY_SOURCE, w.outside, F_SRC, more);
	if (!o->off[POLICY_INTERIOR])
		add_fence(&w, m->before[DIR_IN], POLICY_INTERIOR, w.outside, F_DST, more);
	if (!o->off[POLICY_EGRESS])
		add_fence(&w, m->after[DIR_OUT], POLICY_EGRESS, w.outside, F_SRC, more);
}
