/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A table of forwards is a choice by protocol, destination and port.  Rows of one
 * port are put into it all at once, in their order, so that a node is made once: one
 * by one, 10,000 of them took 7 s (tests/bench/bench_prove).  What a row leads to is
 * made for packets of its key alone, where most of what a translation asks is known.
 */
#include "prove/sem.h"

#include "model/portmap.h"

/* The destinations of a row, of the family that is looked at */
static dd row_is(struct proof *p, const struct portmap *map, const struct portmap_row *row)
{
	const struct addr to = map->outside[row->outside];
	dd all;

	if (to.af != p->s.af)
		return DD_FALSE;
	all = space_range(&p->s, P_DPORT, row->lo, row->hi);
	all = dd_and(p->d, all, space_is(&p->s, P_DST, to.v));
	return dd_and(p->d, all, space_is(&p->s, P_PROTO, row->proto));
}

/* A row whose ports are one case each; what takes many to one port is a range */
static bool is_cases(const struct portmap_row *row)
{
	return row->lo == row->hi || !row->is_one;
}

#define KEY_BYTES	19u	/* protocol, destination, port */

/* Rows as cases over protocol, destination and port, one for each port */
struct rows {
	struct proof *p;
	uint32_t var[KEY_BYTES * 8];
	uint32_t n_vars;
	uint8_t *here;		/* what is known where the row at hand is */
	VEC(struct dd_case) cases;
};

static void rows_init(struct rows *r, struct proof *p)
{
	static const enum part parts[] = { P_PROTO, P_DST, P_DPORT };

	*r = (struct rows){ .p = p, .here = arena_array(p->a, uint8_t, p->s.n_vars) };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (uint32_t bit = 0; bit < space_width(&p->s, parts[i]); bit++)
			r->var[r->n_vars++] = space_var(&p->s, parts[i], bit);
}

static const uint8_t *rows_add(struct rows *r, uint8_t proto, struct addr to, uint16_t port,
			       dd then)
{
	const uint32_t n = addr_bits(to.af) / 8;
	uint8_t *key = arena_array(r->p->a, uint8_t, KEY_BYTES);

	key[0] = proto;
	for (uint32_t i = 0; i < n; i++)
		key[1 + i] = (uint8_t)(to.v >> 8 * (n - 1 - i));
	key[1 + n] = (uint8_t)(port >> 8);
	key[2 + n] = (uint8_t)port;
	vec_add(r->p->a, &r->cases, ((struct dd_case){ .key = key, .then = then }));
	return key;
}

static dd rows_choose(struct rows *r, dd other)
{
	return dd_cases(r->p->d, r->var, r->n_vars, r->cases.v, r->cases.n, other);
}

static dd in_map(struct proof *p, const struct portmap *map)
{
	dd ranges = DD_FALSE;
	struct rows rows;

	rows_init(&rows, p);
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i];

		if (map->outside[row->outside].af != p->s.af)
			continue;
		if (row->lo == row->hi)
			rows_add(&rows, row->proto, map->outside[row->outside], row->lo, DD_TRUE);
		else
			ranges = dd_or(p->d, ranges, row_is(p, map, row));
	}
	return rows_choose(&rows, ranges);
}

dd sem_in_map(struct proof *p, const struct portmap *map)
{
	struct proof_map known = { .map = map };

	for (uint32_t i = 0; i < p->maps.n; i++)
		if (p->maps.v[i].map == map)
			return p->maps.v[i].in;
	known.in = in_map(p, map);
	vec_add(p->a, &p->maps, known);
	return known.in;
}

static void translate_row(struct rows *rows, const struct portmap_row *row, struct addr outside,
			  struct proof_to *to)
{
	uint8_t *here = rows->here;

	to->here = here;
	for (uint32_t port = row->lo; port <= row->hi; port++) {
		const uint8_t *key = rows_add(rows, row->proto, outside, (uint16_t)port, DD_FALSE);

		for (uint32_t k = 0; k < rows->n_vars; k++)
			here[rows->var[k]] = (key[k / 8] >> (7 - k % 8) & 1) != 0 ? DD_IS_1
										  : DD_IS_0;
		to->x.lo = to->x.hi = portmap_port(row, (uint16_t)port);
		rows->cases.v[rows->cases.n - 1].then = proof_translate(rows->p, to);
	}
	to->here = NULL;
}

dd sem_by_map(struct proof *p, const struct portmap *map, struct proof_to *to)
{
	dd r = to->unchanged;
	struct rows rows;

	rows_init(&rows, p);
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *row = &map->rows.v[i];
		const struct addr outside = map->outside[row->outside];

		if (outside.af != p->s.af)
			continue;
		to->x.to = map->inside.v[row->inside].v;
		if (is_cases(row)) {
			translate_row(&rows, row, outside, to);
			continue;
		}
		to->x.lo = to->x.hi = row->to;
		r = dd_ite(p->d, row_is(p, map, row), proof_translate(p, to), r);
	}
	return rows_choose(&rows, r);
}
