/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/portmap.h"

/* Order of a row and a destination, 0 when the row has it */
static int row_cmp(const struct portmap_row *r, uint32_t outside, uint8_t proto, uint16_t port)
{
	if (r->outside != outside)
		return r->outside < outside ? -1 : 1;
	if (r->proto != proto)
		return r->proto < proto ? -1 : 1;
	return r->hi < port ? -1 : r->lo > port;
}

const struct portmap_row *portmap_find(const struct portmap *map, uint8_t proto, struct addr to,
				       uint16_t port)
{
	uint32_t outside = 0, lo = 0, hi = map->rows.n;

	while (outside < map->n_outside && !addr_equal(map->outside[outside], to))
		outside++;
	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;
		const int order = row_cmp(&map->rows.v[mid], outside, proto, port);

		if (order == 0)
			return &map->rows.v[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

uint16_t portmap_port(const struct portmap_row *row, uint16_t port)
{
	return (uint16_t)(row->is_one ? row->to : row->to + (port - row->lo));
}
