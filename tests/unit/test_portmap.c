/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "model/portmap.h"

static struct arena arena;

static struct portmap *map_of(const struct addr *outside, uint32_t n)
{
	struct portmap *map = arena_new(&arena, struct portmap);

	map->outside = outside;
	map->n_outside = n;
	return map;
}

TEST(ports_lead_to_one_or_keep_their_distance)
{
	const struct portmap_row shift = { .lo = 2000, .hi = 2999, .to = 8000 };
	const struct portmap_row one = { .lo = 2000, .hi = 2999, .to = 80, .is_one = true };

	CHECK_INT(portmap_port(&shift, 2000), 8000);
	CHECK_INT(portmap_port(&shift, 2999), 8999);
	CHECK_INT(portmap_port(&one, 2000), 80);
	CHECK_INT(portmap_port(&one, 2999), 80);
}

TEST(nothing_is_in_an_empty_table)
{
	const struct addr outside = addr_v4(203, 0, 113, 2);

	arena_init(&arena, 1 << 20);
	CHECK(portmap_find(map_of(&outside, 1), 6, outside, 80) == NULL);
	CHECK(portmap_find(map_of(NULL, 0), 6, outside, 80) == NULL);
	arena_fini(&arena);
}

/* Rows of random length with random gaps, in order, as forward_lower() makes them */
static void fill(struct portmap *map)
{
	for (uint32_t a = 0; a < map->n_outside; a++)
		for (uint32_t proto = 6; proto <= 17; proto += 11)
			for (uint32_t lo = unit_below(40); lo < 400;) {
				const uint32_t hi = lo + unit_below(12);

				vec_add(&arena, &map->rows, ((struct portmap_row){
					.outside = a, .proto = (uint8_t)proto,
					.lo = (uint16_t)lo, .hi = (uint16_t)hi }));
				lo = hi + 1 + unit_below(12);
			}
}

static const struct portmap_row *naive(const struct portmap *map, uint8_t proto, struct addr to,
				       uint32_t port)
{
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		if (r->proto == proto && addr_equal(map->outside[r->outside], to) &&
		    r->lo <= port && port <= r->hi)
			return r;
	}
	return NULL;
}

TEST(a_destination_is_found_as_by_looking_at_each_row)
{
	const struct addr outside[] = {
		addr_v4(203, 0, 113, 9), addr_v4(203, 0, 113, 2), { AF_V6, 2 },
	};
	const struct addr others[] = { addr_v4(203, 0, 113, 3), { AF_V6, 3 } };
	uint32_t n_found = 0;

	arena_init(&arena, 8 << 20);
	for (uint32_t round = 0; round < 20; round++) {
		struct portmap *map = map_of(outside, ARRAY_SIZE(outside));

		fill(map);
		for (uint32_t i = 0; i < 2000; i++) {
			const uint32_t a = unit_below(5), port = unit_below(450);
			const struct addr to = a < 3 ? outside[a] : others[a - 3];
			const uint8_t proto = (uint8_t)(unit_below(2) ? 6 : 17);
			const struct portmap_row *r = portmap_find(map, proto, to, (uint16_t)port);

			CHECK(r == naive(map, proto, to, port));
			n_found += r != NULL;
		}
	}
	CHECK(n_found > 1000);
	arena_fini(&arena);
}
