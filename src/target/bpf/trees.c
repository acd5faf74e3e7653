/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Bytes do not tell the interface.  BPF_TOUCH asks at every kind of interface that
 * the rules tell apart, and accepts what any of them touches; BPF_FILTER is of one
 * crossing, and says which where another would answer otherwise.
 */
#include "target/bpf/decide.h"

#define SOME_IFACE	(UINT32_MAX - 1)	/* one that nothing names */

/* Interfaces that rules tell apart */
struct kinds {
	VEC(const struct set *) sets;		/* that rules ask for */
	VEC(uint32_t) ids;			/* one of each kind */
};

static bool are_alike(const struct kinds *k, uint32_t x, uint32_t y)
{
	for (uint32_t i = 0; i < k->sets.n; i++)
		if (set_has(k->sets.v[i], AF_NONE, x) != set_has(k->sets.v[i], AF_NONE, y))
			return false;
	return true;
}

static void add_kind(const struct model *m, struct kinds *k, uint32_t id)
{
	for (uint32_t i = 0; i < k->ids.n; i++)
		if (are_alike(k, k->ids.v[i], id))
			return;
	vec_add(m->a, &k->ids, id);
}

static void add_set(const struct model *m, struct kinds *k, const struct set *s)
{
	for (uint32_t i = 0; s != NULL && i < k->sets.n; i++)
		if (k->sets.v[i] == s || set_equal(k->sets.v[i], s))
			return;
	if (s != NULL)
		vec_add(m->a, &k->sets, s);
}

static void find_kinds(const struct model *m, struct kinds *k)
{
	for (uint32_t i = 0; i < m->lists.n; i++) {
		for (uint32_t r = 0; r < m->lists.v[i].rules.n; r++) {
			add_set(m, k, rule_tests(&m->lists.v[i].rules.v[r], F_IFACE));
			add_set(m, k, rule_tests(&m->lists.v[i].rules.v[r], F_RECV));
		}
	}
	add_kind(m, k, SOME_IFACE);
	for (uint32_t i = 0; i < m->facts->ifaces.n; i++)
		add_kind(m, k, m->facts->ifaces.v[i].id);
	for (uint32_t i = 0; i < k->sets.n; i++)
		for (uint32_t r = 0; r < k->sets.v[i]->n; r++)
			if (k->sets.v[i]->r[r].lo == k->sets.v[i]->r[r].hi)
				add_kind(m, k, (uint32_t)k->sets.v[i]->r[r].lo);
}

/* ---- the crossing of BPF_FILTER --------------------------------------------- */

static bool may_be_outside(const struct model *m, uint32_t id)
{
	const struct iface *i = facts_find(m->facts, intern_name(m->names, id));

	return i == NULL || i->kind == IFACE_REAL;
}

/* Interfaces that written rules name one by one; how many, and the last one */
static uint32_t named_iface(const struct model *m, uint32_t *ret)
{
	uint32_t n = 0, found = 0;

	for (uint32_t i = 0; i < m->lists.n; i++) {
		for (uint32_t k = 0; k < m->lists.v[i].rules.n; k++) {
			const struct rule *r = &m->lists.v[i].rules.v[k];
			const struct set *s = rule_tests(r, F_IFACE);

			if (s == NULL || s->n != 1 || s->r[0].lo != s->r[0].hi ||
			    r->origin.policy != POLICY_NONE ||
			    !may_be_outside(m, (uint32_t)s->r[0].lo))
				continue;
			n += n == 0 || found != (uint32_t)s->r[0].lo;
			found = (uint32_t)s->r[0].lo;
		}
	}
	*ret = found;
	return n;
}

static uint32_t choose_iface(const struct model *m)
{
	const char *def = m->facts->default_if[0] != NULL ? m->facts->default_if[0]
							  : m->facts->default_if[1];
	uint32_t id;

	if (named_iface(m, &id) == 1)
		return id;
	if (def != NULL)
		return intern_cid(m->names, def);
	for (uint32_t i = 0; i < m->facts->ifaces.n; i++)
		if (m->facts->ifaces.v[i].kind == IFACE_REAL)
			return m->facts->ifaces.v[i].id;
	return SOME_IFACE;
}

/* ---- trees ---------------------------------------------------------------- */

static const uint8_t families[] = { AF_V4, AF_V6 };

static struct bpf_decider decider(const struct model *m, struct bpf_forest *t,
				  enum bpf_part part, int family, bool is_part)
{
	return (struct bpf_decider){ .m = m, .t = t, .is_touch = part == BPF_TOUCH,
				     .is_part = is_part, .af = families[family] };
}

static void add_any(struct bpf_any *any, struct arena *a, const struct bpf_node *n)
{
	for (uint32_t i = 0; i < any->list.n; i++)
		if (any->list.v[i] == n)
			return;
	if (n != &bpf_no)
		vec_add(a, &any->list, n);
}

/* What each kind of interface touches, and what belongs to flows remembered */
static void touch_trees(struct bpf_decider *d, const struct kinds *k, struct bpf_any *any)
{
	for (uint32_t i = 0; i < 2 * k->ids.n && !d->failed; i++) {
		d->dir = i % 2 == 0 ? DIR_IN : DIR_OUT;
		d->iface = k->ids.v[i / 2];
		d->steps = 0;
		add_any(any, d->t->a, bpf_decide(d));
	}
	add_any(any, d->t->a, bpf_replies(d, &bpf_no));
}

static const struct bpf_node *join(struct bpf_forest *f, const struct bpf_any *any)
{
	const struct bpf_node *n = &bpf_no;

	for (uint32_t i = any->list.n; i-- > 0;)
		n = any->list.v[i] == &bpf_yes ? &bpf_yes
		    : bpf_replace(f, any->list.v[i], &bpf_yes, n, &bpf_no);
	return n;
}

/* Would another crossing answer otherwise; one that cannot be judged would */
static bool differs_elsewhere(const struct bpf_trees *t, struct bpf_forest *f,
			      const struct model *m, const struct kinds *k)
{
	for (int v = 0; v < 2; v++) {
		struct bpf_decider d = decider(m, f, BPF_FILTER, v, false);

		for (uint32_t i = 0; i < 2 * k->ids.n; i++) {
			d.dir = i % 2 == 0 ? DIR_IN : DIR_OUT;
			d.iface = k->ids.v[i / 2];
			if (bpf_decide(&d) != t->whole[v] || d.failed)
				return true;
		}
	}
	return false;
}

static void tell_crossing(const struct model *m, struct diags *diags, enum direction dir,
			  uint32_t iface)
{
	const char *name = iface == SOME_IFACE ? "an interface that nothing names"
					       : intern_name(m->names, iface);

	diag_add(diags, DIAG_N1722, SPAN_NONE, "packets are judged as those that %s by %s",
		 dir == DIR_IN ? "come in" : "go out", name);
	diag_help(diags, "--dir in|out and --on IF choose another crossing");
}

bool bpf_trees_make(const struct model *m, const struct bpf_ask *ask, struct diags *diags,
		    struct bpf_trees *ret)
{
	struct bpf_forest f;
	struct kinds k = { .sets = { 0 } };
	const uint32_t iface = ask->iface != 0 ? ask->iface : choose_iface(m);
	bool failed = false;

	bpf_forest_init(&f, m->a);
	f.is_plain = ask->is_plain;
	find_kinds(m, &k);
	*ret = (struct bpf_trees){ .part = ask->part, .a = m->a };
	for (int i = 0; i < 4 && !failed; i++) {
		struct bpf_decider d = decider(m, &f, ask->part, i / 2, i % 2 == 1);
		const struct bpf_node **to = i % 2 == 1 ? ret->part_of : ret->whole;

		d.diags = diags;
		d.dir = ask->dir;
		d.iface = iface;
		if (ask->part == BPF_TOUCH)
			touch_trees(&d, &k, &ret->any[i / 2][i % 2]);
		else
			add_any(&ret->any[i / 2][i % 2], m->a, bpf_decide(&d));
		to[i / 2] = join(&f, &ret->any[i / 2][i % 2]);
		failed = d.failed || f.is_full;
	}
	if (f.is_full)
		diag_add(diags, DIAG_E1723, SPAN_NONE,
			 "the program would have more than %u decisions", BPF_MAX_NODES);
	if (!failed && ask->part == BPF_FILTER && differs_elsewhere(ret, &f, m, &k))
		tell_crossing(m, diags, ask->dir, iface);
	return !failed;
}
