/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sem_table - runs of exact forwards in declarations, as tables
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_SEM_TABLE_H
#define PROVE_SEM_TABLE_H

#include "prove/proof.h"

/**
 * struct sem_run - Rules of one list that differ only in what leads where
 * @first:	Number of the first
 * @table:	Their table (tables.h)
 * @where:	The condition that they share, and that the table has the destination
 */
struct sem_run {
	uint32_t first;
	uint32_t table;
	dd where;
};

/**
 * sem_run_ending() - The run of exact forwards that ends with a rule
 * @p:		Proof
 * @dir:	Direction
 * @l:		List
 * @last:	Number of the rule
 * @ret:	Set on success
 *
 * Return: false where there is none that is worth a table
 */
bool sem_run_ending(struct proof *p, enum direction dir, const struct rule_list *l,
		    uint32_t last, struct sem_run *ret);

#endif /* PROVE_SEM_TABLE_H */
