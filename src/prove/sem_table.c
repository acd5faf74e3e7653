/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A forward is exact when it leads each of a few destinations to one address and
 * port, and asks nothing of them but what a table has as its key.  What else it asks
 * (interface, family, whose address it is) the rules of a run have in common.
 */
#include "prove/sem_table.h"

#include "model/portmap.h"
#include "prove/sem.h"
#include "prove/tables.h"

#define MOST_ROWS	65536u	/* of one rule */

static bool is_key(enum field f)
{
	return f == F_PROTO || f == F_DST || f == F_DPORT;
}

/* A rule without what a table has as its key */
static struct rule without_key(struct proof *p, const struct rule *r)
{
	struct rule common = *r;

	common.map = NULL;
	common.tests.v = arena_array(p->a, struct test, r->tests.n + 1);
	common.tests.n = 0;
	for (uint32_t i = 0; i < r->tests.n; i++)
		if (!is_key(r->tests.v[i].f))
			common.tests.v[common.tests.n++] = r->tests.v[i];
	return common;
}

static bool only_logs_and_translates(const struct rule *r)
{
	for (uint32_t i = 0; i < r->effects.n; i++)
		if (r->effects.v[i].kind != EF_TRANSLATE && r->effects.v[i].kind != EF_LOG)
			return false;
	return rule_has_effect(r, EF_TRANSLATE) != NULL && r->prob == 0 && r->until_s == 0;
}

static bool is_exact(const struct model *m, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct set *key[] = { rule_tests(r, F_PROTO), rule_tests(r, F_DST),
				    rule_tests(r, F_DPORT) };
	const struct xlate *x = e == NULL ? NULL : &m->xlates.v[e->xlate];
	u128 rows = 1;

	if (x == NULL || x->kind != XL_DST || x->to.n != 1 || x->pool == POOL_BITMASK ||
	    x->port == XP_RANDOM || r->map != NULL || r->effects.n != 1 ||
	    !only_logs_and_translates(r))
		return false;
	for (size_t k = 0; k < ARRAY_SIZE(key); k++) {
		u128 n = 0;

		for (uint32_t i = 0; key[k] != NULL && i < key[k]->n; i++)
			n += MIN(key[k]->r[i].hi - key[k]->r[i].lo, MOST_ROWS) + 1;
		rows *= MIN(n, MOST_ROWS + 1);
	}
	return rows > 0 && rows <= MOST_ROWS;
}

static bool same_effect(const struct rule *x, const struct rule *y)
{
	return rule_has_effect(x, EF_TRANSLATE)->list == rule_has_effect(y, EF_TRANSLATE)->list &&
	       x->exit == y->exit && x->list == y->list &&
	       x->ruling.verdict == y->ruling.verdict && x->ruling.keep == y->ruling.keep;
}

/* Two exact forwards that differ only in what leads where */
static bool joins(const struct rule *x, const struct rule *y)
{
	static const enum field fields[] = {
		F_DIR, F_IFACE, F_RECV, F_AF, F_SRC, F_SPORT, F_TCPFLAGS, F_ICMP, F_DST_LOCAL,
		F_SRC_LOCAL, F_TAGS, F_SRC_GROWN, F_DST_GROWN, F_SRC_ROUTE, F_DST_ROUTE, F_TOS,
		F_IPOPTS,
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct set *a = rule_tests(x, fields[i]), *b = rule_tests(y, fields[i]);

		if (a != b && (a == NULL || b == NULL || !set_equal(a, b)))
			return false;
	}
	return same_effect(x, y);
}

/* Rows of one outside address and protocol */
static bool add_ports(struct proof *p, const struct rule *r, struct table_row row,
		      struct table_rows *rows)
{
	const struct xlate *x = &p->m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate];
	const struct set *ports = rule_tests(r, F_DPORT);
	bool ok = true;

	for (uint32_t i = 0; i < ports->n; i++)
		for (u128 port = ports->r[i].lo; port <= ports->r[i].hi; port++) {
			row.port = (uint16_t)port;
			row.to_port = x->port == XP_KEEP ? row.port
				      : x->port == XP_TO ? x->lo : xlate_shift(x, row.port);
			ok &= tables_add(p, rows, row);
		}
	return ok;
}

static bool add_rule(struct proof *p, const struct rule *r, struct table_rows *rows)
{
	const struct xlate *x = &p->m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate];
	const struct set *dsts = rule_tests(r, F_DST), *protos = rule_tests(r, F_PROTO);
	bool ok = true;

	for (uint32_t d = 0; d < dsts->n; d++) {
		if (dsts->r[d].af == p->s.af && x->to.v[0].af != p->s.af)
			return false;
		for (u128 dst = dsts->r[d].lo; dsts->r[d].af == p->s.af && dst <= dsts->r[d].hi;
		     dst++)
			for (u128 proto = 0; proto <= UINT8_MAX; proto++)
				if (set_has(protos, AF_NONE, proto))
					ok &= proto_has_ports((uint8_t)proto) &&
					      add_ports(p, r, (struct table_row){
						.proto = (uint8_t)proto, .dst = dst,
						.to = x->to.v[0].v }, rows);
	}
	return ok;
}

static bool is_wanted(const struct rule *r, enum field f, uint8_t af, u128 v)
{
	const struct set *in = rule_tests(r, f);

	return in == NULL || set_has(in, af, v);
}

static bool add_map(struct proof *p, const struct rule *r, struct table_rows *rows)
{
	const struct portmap *map = r->map;
	bool ok = true;

	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i];
		const struct addr dst = map->outside[row->outside];

		if (dst.af != p->s.af || !is_wanted(r, F_DST, dst.af, dst.v) ||
		    !is_wanted(r, F_PROTO, AF_NONE, row->proto))
			continue;
		for (uint32_t port = row->lo; port <= row->hi; port++)
			if (is_wanted(r, F_DPORT, AF_NONE, port))
				ok &= tables_add(p, rows, (struct table_row){
					.proto = row->proto, .dst = dst.v, .port = (uint16_t)port,
					.to = map->inside.v[row->inside].v,
					.to_port = portmap_port(row, (uint16_t)port) });
	}
	return ok;
}

/* The rows of rules @first to @last, into @rows */
static bool add_all(struct proof *p, const struct rule_list *l, uint32_t first, uint32_t last,
		    struct table_rows *rows)
{
	if (l->rules.v[last].map != NULL)
		return add_map(p, &l->rules.v[last], rows);
	for (uint32_t i = first; i <= last; i++)
		if (!add_rule(p, &l->rules.v[i], rows))
			return false;
	/* One alone is a rule in the program too */
	return rows->list.n > 1 || first < last;
}

bool sem_run_ending(struct proof *p, enum direction dir, const struct rule_list *l,
		    uint32_t last, struct sem_run *ret)
{
	const struct rule *r = &l->rules.v[last];
	struct table_rows rows = { .list = { .n = 0 } };
	const struct rule common = without_key(p, r);
	dd hit;

	*ret = (struct sem_run){ .first = last, .table = tables_known(p, r) };
	if (r->map != NULL ? !only_logs_and_translates(r) : !is_exact(p->m, r))
		return false;
	while (r->map == NULL && ret->first > 0 && is_exact(p->m, &l->rules.v[ret->first - 1]) &&
	       joins(&l->rules.v[ret->first - 1], r))
		ret->first--;
	if (ret->table == 0) {
		if (!add_all(p, l, ret->first, last, &rows))
			return false;
		ret->table = tables_of(p, &rows);
		tables_know(p, r, ret->table);
	}
	if (!tables_hit(p, ret->table, &hit))
		return false;
	ret->where = dd_and(p->d, sem_match(p, dir, &common), hit);
	return true;
}
