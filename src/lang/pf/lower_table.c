/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * In a table the longest prefix that has an address decides, and an entry with
 * "!" is a hole.  Entries are applied by length, shortest first, so each
 * longer one has the last word; those of one length do not overlap, so one
 * union and one difference do for all of them.
 */
#include "lang/pf/lower.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct prefix p;
	bool is_not;
	uint32_t order;
};

struct entries {
	VEC(struct entry) list;
};

static int entry_cmp(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;

	if (a->p.len != b->p.len)
		return a->p.len < b->p.len ? -1 : 1;
	if (a->p.a.af != b->p.a.af)
		return a->p.a.af < b->p.a.af ? -1 : 1;
	if (a->p.a.v != b->p.a.v)
		return a->p.a.v < b->p.a.v ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static const struct set *flatten(struct arena *a, struct entries *es)
{
	const struct set *s = set_make(a, &(struct ranges){ .list = { 0 } });
	struct entry *v = es->list.v;
	uint32_t i = 0;

	if (es->list.n == 0)
		return s;
	qsort(v, es->list.n, sizeof(v[0]), entry_cmp);
	while (i < es->list.n) {
		struct ranges add = { .list = { 0 } }, hole = { .list = { 0 } };
		const uint8_t len = v[i].p.len;

		for (uint32_t first = i; i < es->list.n && v[i].p.len == len; i++) {
			/* Of two that are the same the first counts, as in pf */
			if (i > first && addr_equal(v[i].p.a, v[i - 1].p.a))
				v[i].is_not = v[i - 1].is_not;
			ranges_add_prefix(a, v[i].is_not ? &hole : &add, v[i].p);
		}
		s = set_union(a, s, set_make(a, &add));
		if (hole.list.n > 0)
			s = set_minus(a, s, set_make(a, &hole), SET_ADDR);
	}
	return s;
}

static void add_entry(struct pf_lower *l, struct entries *es, struct prefix p, bool is_not)
{
	p.a = prefix_first(p);
	vec_add(l->c->a, &es->list, ((struct entry){ p, is_not, es->list.n }));
}

static bool table_host(struct pf_lower *l, const struct pf_host *h, struct entries *es)
{
	struct pf_locals locals = { .list = { 0 } };

	if (h->kind == PH_ADDR) {
		add_entry(l, es, h->p, h->is_not);
		return true;
	}
	if (h->kind != PH_NAME) {
		pf_diag(l->c, l->f, E1115, h->at, "a table holds addresses, prefixes and names of "
			"interfaces only");
		if (h->kind == PH_ANY)
			diag_help(l->c->diags, "everything is { 0.0.0.0/0, ::/0 }");
		return false;
	}
	if (!pf_locals_of(l, h, &locals))
		return false;
	for (uint32_t i = 0; i < locals.list.n; i++)
		add_entry(l, es, locals.list.v[i].p, h->is_not);
	return true;
}

static const struct set *declared_jails(struct pf_lower *l)
{
	struct ranges rs = { .list = { 0 } };

	for (uint32_t i = 0; l->d != NULL && i < l->d->jails.n; i++)
		for (uint32_t k = 0; k < l->d->jails.v[i].addrs.n; k++) {
			const struct addr a = l->d->jails.v[i].addrs.v[k].p.a;

			ranges_add(l->c->a, &rs, a.af, a.v, a.v);
		}
	return set_make(l->c->a, &rs);
}

static bool one_table(struct pf_lower *l, const struct pf_table *t)
{
	struct pf_table_set x = { .name = t->name, .at = t->at };
	struct entries es = { .list = { 0 } };
	bool ok = true;

	for (uint32_t i = 0; i < t->parts.n; i++)
		if (t->parts.v[i].file != NULL)
			ok = pl_error(l, E1102, t->parts.v[i].at,
				      "'file' is not in this version of sallyport");
	for (uint32_t i = 0; i < t->hosts.n; i++)
		ok &= table_host(l, &t->hosts.v[i], &es);
	/* Without braces others fill it, and who fills <jails> here is us */
	if (!t->has_list && strcmp(t->name, "jails") == 0)
		x.in = declared_jails(l);
	else
		x.in = flatten(l->c->a, &es);
	for (uint32_t i = 0; i < l->tables.n; i++) {
		if (l->tables.v[i].name != t->name)
			continue;
		pf_diag(l->c, l->f, W1116, t->at, "table <%s> is defined again: this one counts",
			t->name);
		diag_note(l->c->diags, pf_span(l->c, l->f, l->tables.v[i].at),
			  "what it held before");
		l->tables.v[i] = x;
		return ok;
	}
	vec_add(l->c->a, &l->tables, x);
	return ok;
}

bool pf_tables(struct pf_lower *l)
{
	bool ok = true;

	for (uint32_t i = 0; i < l->f->stmts.n && !diag_is_full(l->c->diags); i++)
		if (l->f->stmts.v[i].kind == PS_TABLE)
			ok &= one_table(l, l->f->stmts.v[i].table);
	return ok;
}

const struct set *pf_table_find(struct pf_lower *l, const struct pf_host *h)
{
	struct pf_table_set x = { .name = h->name };

	for (uint32_t i = 0; i < l->tables.n; i++)
		if (l->tables.v[i].name == h->name)
			return l->tables.v[i].in;
	x.in = declared_jails(l);
	if (strcmp(h->name, "jails") != 0 || l->d == NULL || l->d->jails.n == 0) {
		pf_diag(l->c, l->f, W1114, h->at, "table <%s> is not defined: it is empty",
			h->name);
		x.in = set_make(l->c->a, &(struct ranges){ .list = { 0 } });
	}
	vec_add(l->c->a, &l->tables, x);
	return x.in;
}
