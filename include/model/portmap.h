/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * portmap - many forwards as one rule
 *
 * Forwards that differ only in what leads where are rows of one table, as the
 * kernel holds them in one map: a rule with a table matches what a row names, and
 * its translation leads where the row says.  Each row knows its declaration.
 *
 * Owns:	 nothing; lives in the model's arena.
 * Does not:	 know sources, interfaces, or anything else that a rule tests.
 * Threads:	 none.
 */
#ifndef MODEL_PORTMAP_H
#define MODEL_PORTMAP_H

#include "model/model.h"

/**
 * struct portmap_row - Ports of one outside address, and where they lead
 * @outside:	Index in portmap.outside
 * @inside:	Index in portmap.inside, of the same family
 * @origin:	Index in portmap.origins
 * @lo:		Lowest outside port
 * @hi:		Highest, >= @lo
 * @to:		Inside port of @lo
 * @proto:	Protocol, one with ports
 * @is_one:	All become @to; else they keep their distance
 */
struct portmap_row {
	uint32_t outside;
	uint32_t inside;
	uint32_t origin;
	uint16_t lo;
	uint16_t hi;
	uint16_t to;
	uint8_t proto;
	bool is_one;
};

/**
 * struct portmap - Rows, sorted by outside address, protocol and port; none overlap
 * @rows:	See portmap_find()
 * @outside:	Outside addresses, perhaps of other tables too
 * @n_outside:	How many
 * @inside:	Inside addresses
 * @origins:	Declarations
 */
struct portmap {
	VEC(struct portmap_row) rows;
	const struct addr *outside;
	uint32_t n_outside;
	VEC(struct addr) inside;
	VEC(struct origin) origins;
};

/**
 * portmap_find() - The row of a destination
 * @map:	Table
 * @proto:	Protocol
 * @to:		Address
 * @port:	Port
 *
 * Cost: O(outside addresses + log rows).
 *
 * Return: the row, or NULL
 */
const struct portmap_row *portmap_find(const struct portmap *map, uint8_t proto, struct addr to,
				       uint16_t port);

/** portmap_port() - The inside port that @port, one of the row's, becomes */
uint16_t portmap_port(const struct portmap_row *row, uint16_t port);

#endif /* MODEL_PORTMAP_H */
