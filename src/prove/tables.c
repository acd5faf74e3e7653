/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * As diagrams, 10,000 forwards that pf wrote as rdr lines took 1.7 s, with a node for
 * each bit of each key; as tables to be sorted and compared they take what sorting
 * takes (tests/bench/bench_prove).
 */
#include "prove/tables.h"

#include <stdlib.h>
#include <string.h>

bool tables_add(struct proof *p, struct table_rows *rows, struct table_row row)
{
	if (row.dst == row.to && row.port == row.to_port)
		return false;
	row.rank = rows->list.n;
	vec_add(p->a, &rows->list, row);
	return true;
}

static int by_key(const struct table_row *x, const struct table_row *y)
{
	if (x->dst != y->dst)
		return x->dst < y->dst ? -1 : 1;
	if (x->proto != y->proto)
		return x->proto < y->proto ? -1 : 1;
	return x->port < y->port ? -1 : x->port > y->port;
}

static int by_key_and_rank(const void *x, const void *y)
{
	const struct table_row *a = x, *b = y;
	const int order = by_key(a, b);

	return order != 0 ? order : a->rank < b->rank ? -1 : 1;
}

static bool are_equal(const struct table_rows *x, const struct table_rows *y)
{
	if (x->list.n != y->list.n)
		return false;
	for (uint32_t i = 0; i < x->list.n; i++) {
		const struct table_row *a = &x->list.v[i], *b = &y->list.v[i];

		if (by_key(a, b) != 0 || a->to != b->to || a->to_port != b->to_port)
			return false;
	}
	return true;
}

uint32_t tables_of(struct proof *p, struct table_rows *rows)
{
	uint32_t n = 0;

	if (rows->list.n > 0)
		qsort(rows->list.v, rows->list.n, sizeof(*rows->list.v), by_key_and_rank);
	for (uint32_t i = 0; i < rows->list.n; i++)
		if (n == 0 || by_key(&rows->list.v[n - 1], &rows->list.v[i]) != 0)
			rows->list.v[n++] = rows->list.v[i];
	rows->list.n = n;
	for (uint32_t i = 0; i < p->tables.n; i++)
		if (are_equal(p->tables.v[i], rows))
			return i + 1;
	vec_add(p->a, &p->tables, arena_new(p->a, struct table_rows));
	*p->tables.v[p->tables.n - 1] = *rows;
	return p->tables.n;
}

bool tables_hit(struct proof *p, uint32_t table, dd *ret)
{
	const uint32_t var = space_opaque(&p->s, arena_printf(p->a, "table %u", table), 1);

	if (p->tables.v[table - 1]->list.n == 0) {
		*ret = DD_FALSE;
		return true;
	}
	*ret = var == DD_NO_VAR ? DD_FALSE : dd_var(p->d, var);
	return var != DD_NO_VAR;
}

uint32_t tables_xlate(struct proof *p, uint32_t table)
{
	const struct translation x = { .af = p->s.af, .table = table };

	return translation_of(p->o, &x);
}

uint32_t tables_known(const struct proof *p, const void *of)
{
	for (uint32_t i = 0; i < p->table_of.n; i++)
		if (p->table_of.v[i].of == of)
			return p->table_of.v[i].table;
	return 0;
}

void tables_know(struct proof *p, const void *of, uint32_t table)
{
	vec_add(p->a, &p->table_of, ((struct proof_table){ of, table }));
}
