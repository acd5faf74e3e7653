/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables - exact forwards as whole tables
 *
 * Many forwards of single destinations are one table: protocol, address and port to
 * address and port.  Two sides that look into equal tables find the same, whatever
 * a packet has; so equal tables are one number, "it is in the table" is one variable,
 * and "it goes where the table says" is one translation.
 *
 * Nothing is known of such a variable: what is equal so is equal, and what is not is
 * looked at again bit by bit.
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_TABLES_H
#define PROVE_TABLES_H

#include "prove/proof.h"

struct portmap;

/**
 * struct table_row - Where one destination leads
 * @dst:	Address
 * @to:		And the one that it becomes, of the same family
 * @proto:	Protocol, one with ports
 * @port:	Port
 * @to_port:	And the one that it becomes
 * @rank:	For tables_of() alone
 */
struct table_row {
	u128 dst;
	u128 to;
	uint8_t proto;
	uint16_t port;
	uint16_t to_port;
	uint32_t rank;
};

/** struct table_rows - Rows in the order in which they count */
struct table_rows {
	VEC(struct table_row) list;
};

/**
 * tables_add() - Another row
 * @p:		Proof
 * @rows:	Gains it
 * @row:	Row
 *
 * Return: false where it changes nothing: such a packet is not translated
 */
bool tables_add(struct proof *p, struct table_rows *rows, struct table_row row);

/**
 * tables_of() - The table of some rows, the same one for the same meaning
 * @p:		Proof
 * @rows:	Rows, sorted here; of one destination the first counts
 *
 * Cost: O(n log n).
 *
 * Return: its number, from 1 on
 */
uint32_t tables_of(struct proof *p, struct table_rows *rows);

/** tables_hit() - The condition that a packet's destination is in a table; false: too many */
bool tables_hit(struct proof *p, uint32_t table, dd *ret);

/** tables_xlate() - The translation to where a table leads */
uint32_t tables_xlate(struct proof *p, uint32_t table);

/** tables_known() - The table that was made of something before, or 0 */
uint32_t tables_known(const struct proof *p, const void *of);

/** tables_know() - A table was made of it */
void tables_know(struct proof *p, const void *of, uint32_t table);

#endif /* PROVE_TABLES_H */
