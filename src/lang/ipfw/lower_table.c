/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Of a table of addresses the longest prefix counts: an entry stands for its
 * prefix without those of longer entries, so entries are taken longest first
 * and what is taken is left out of the later ones.
 */
#include <stdlib.h>

#include "lang/ipfw/lower.h"

static bool has_value(const struct ipfw_insn *n, const uint32_t *value, const struct ipfw_entry *e)
{
	if (value != NULL && e->value != *value)
		return false;
	return !n->table.has_value || e->value == n->table.value;
}

static int longest_first(const void *x, const void *y)
{
	const struct ipfw_entry *p = x, *q = y;

	return (int)q->addrs.len - (int)p->addrs.len;
}

static const struct set *addr_set(struct lower *l, const struct ipfw_insn *n,
				  const struct ipfw_table *t, const uint32_t *value)
{
	struct ipfw_entry *sorted = arena_array(l->a, struct ipfw_entry, t->entries.n);
	const bool all = value == NULL && !n->table.has_value;
	struct ranges rs = { 0 }, none = { 0 };
	const struct set *taken = set_make(l->a, &none);

	for (uint32_t i = 0; i < t->entries.n; i++)
		sorted[i] = t->entries.v[i];
	if (!all)
		qsort(sorted, t->entries.n, sizeof(*sorted), longest_first);
	for (uint32_t i = 0; i < t->entries.n; i++) {
		const struct set *s = set_prefix(l->a, sorted[i].addrs);

		if (!has_value(n, value, &sorted[i])) {
			taken = set_union(l->a, taken, s);
			continue;
		}
		ranges_add_set(l->a, &rs, all ? s : set_minus(l->a, s, taken, SET_ADDR));
		if (!all)
			taken = set_union(l->a, taken, s);
	}
	return set_make(l->a, &rs);
}

static const struct set *number_set(struct lower *l, const struct ipfw_insn *n,
				    const struct ipfw_table *t, const uint32_t *value)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < t->entries.n; i++) {
		const struct ipfw_entry *e = &t->entries.v[i];
		const uint32_t v = t->type == IW_K_IFACE ? intern_cid(l->c->names, e->iface)
							 : e->number;

		if (has_value(n, value, e) && (t->type == IW_K_IFACE || v <= UINT16_MAX))
			ranges_add(l->a, &rs, AF_NONE, v, v);
	}
	return set_make(l->a, &rs);
}

static const struct ipfw_table *find(struct lower *l, const struct ipfw_insn *n, enum iw type)
{
	const struct ipfw_table *t = lower_find_table(l, n->table.name);

	if (t == NULL) {
		diag_add(l->c->diags, DIAG_W2037, n->at, "there is no table %s: taken as empty",
			 n->table.name);
		return NULL;
	}
	if (t->type == type || t->type == IW_NONE || t->entries.n == 0)
		return t;
	diag_add(l->c->diags, DIAG_E2012, n->at, "table %s is of type %s, not %s", t->name,
		 iw_text(t->type), iw_text(type));
	return NULL;
}

struct dnf lower_table(struct lower *l, const struct ipfw_insn *n, const uint32_t *value)
{
	static const struct { enum field f; enum iw type; } keys[] = {
		[KEY_SRC] = { F_SRC, IW_K_ADDR }, [KEY_DST] = { F_DST, IW_K_ADDR },
		[KEY_SPORT] = { F_SPORT, IW_K_NUMBER }, [KEY_DPORT] = { F_DPORT, IW_K_NUMBER },
		[KEY_IFACE] = { F_IFACE, IW_K_IFACE }, [KEY_PROTO] = { F_PROTO, IW_K_NUMBER },
	};
	const enum lookup_key key = n->kind == INSN_TABLE ? n->key : KEY_IFACE;
	const struct ipfw_table *t = find(l, n, keys[key].type);
	const struct set *in;

	if (t == NULL)
		return (struct dnf){ .is_over = false };
	in = keys[key].type == IW_K_ADDR ? addr_set(l, n, t, value) : number_set(l, n, t, value);
	if (key == KEY_PROTO)
		in = set_intersect(l->a, in, set_all(l->a, SET_U8));
	return dnf_test(l->a, keys[key].f, in);
}

struct dnf lower_flow(struct lower *l, const struct ipfw_insn *n, const uint32_t *value)
{
	const struct ipfw_table *t = find(l, n, IW_K_FLOW);
	struct dnf d = { .is_over = false };

	for (uint32_t i = 0; t != NULL && i < t->entries.n; i++) {
		const struct ipfw_entry *e = &t->entries.v[i];
		struct conj c = { .f = { NULL } };

		if (!has_value(n, value, e))
			continue;
		if (e->addrs.a.af != AF_NONE)
			c.f[F_SRC] = set_prefix(l->a, e->addrs);
		if (e->dst.a.af != AF_NONE)
			c.f[F_DST] = set_prefix(l->a, e->dst);
		if (e->proto >= 0)
			c.f[F_PROTO] = set_one(l->a, (u128)e->proto);
		if (e->sport >= 0)
			c.f[F_SPORT] = set_one(l->a, (u128)e->sport);
		if (e->dport >= 0)
			c.f[F_DPORT] = set_one(l->a, (u128)e->dport);
		dnf_add(l->a, &d, &c);
	}
	return d;
}

const struct ipfw_insn *lower_tablearg(struct lower *l, const struct ipfw_rule *r)
{
	const struct ipfw_insn *found = NULL;

	for (uint32_t i = 0; i < r->insns.n; i++) {
		const struct ipfw_insn *n = &r->insns.v[i];
		const bool alone = !n->or_next && (i == 0 || !r->insns.v[i - 1].or_next);

		if (n->table.name != NULL && alone && !n->is_not)
			found = n;	/* the last lookup counts */
	}
	if (found == NULL)
		diag_add(l->c->diags, DIAG_E2021, r->arg_at,
			 "tablearg needs a table in the rule, without not or or");
	return found;
}

/* A variant for each value of the table, in the order of its entries */
static void table_variants(struct lower *l, struct work_rule *w)
{
	const struct ipfw_insn *n = lower_tablearg(l, w->r);
	const struct ipfw_table *t = n != NULL ? lower_find_table(l, n->table.name) : NULL;

	if (n != NULL && t == NULL)
		(void)lower_insn(l, n, NULL);	/* tells that there is no such table */
	for (uint32_t i = 0; t != NULL && i < t->entries.n; i++) {
		const uint32_t value = t->entries.v[i].value;
		uint32_t k = 0;

		while (k < w->variants.n && w->variants.v[k].arg != value)
			k++;
		if (k == w->variants.n)
			vec_add(l->a, &w->variants, ((struct variant){
				value, lower_body(l, w->r, &value) }));
	}
}

void lower_variants(struct lower *l, struct work_rule *w)
{
	if (w->r->arg == IPFW_TABLEARG && (w->r->action == IW_SKIPTO || w->r->action == IW_CALL ||
					   w->r->action == IW_NAT)) {
		table_variants(l, w);
		return;
	}
	vec_add(l->a, &w->variants, ((struct variant){ w->r->arg, lower_body(l, w->r, NULL) }));
}
