/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A table of forwards is a diagram over protocol, destination and port; rows are
 * put into it one by one, and each costs as many nodes as its key has bits.
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

dd sem_in_map(struct proof *p, const struct portmap *map)
{
	dd r = DD_FALSE;

	for (uint32_t i = 0; i < map->rows.n; i++)
		r = dd_ite(p->d, row_is(p, map, &map->rows.v[i]), DD_TRUE, r);
	return r;
}

/* What becomes of the ports of a row */
static dd translate_row(struct proof *p, const struct portmap *map, const struct portmap_row *row,
			struct proof_to *to)
{
	const uint32_t last = row->is_one ? row->lo : row->hi;
	dd r = to->unchanged;

	to->x.to = map->inside.v[row->inside].v;
	for (uint32_t port = row->lo; port <= last; port++) {
		to->x.lo = to->x.hi = portmap_port(row, (uint16_t)port);
		if (row->lo == last)
			return proof_translate(p, to);
		r = dd_ite(p->d, space_is(&p->s, P_DPORT, port), proof_translate(p, to), r);
	}
	return r;
}

dd sem_by_map(struct proof *p, const struct portmap *map, struct proof_to *to)
{
	dd r = to->unchanged;

	for (uint32_t i = 0; i < map->rows.n; i++) {
		const dd here = row_is(p, map, &map->rows.v[i]);

		if (here != DD_FALSE)
			r = dd_ite(p->d, here, translate_row(p, map, &map->rows.v[i], to), r);
	}
	return r;
}
