/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stages - a proof, part by part
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef PROVE_STAGES_H
#define PROVE_STAGES_H

#include "prove/proof.h"
#include "prove/prove.h"

/**
 * prove_prog() - Prove a program that was read
 * @m:		Declarations
 * @p:		Program
 * @marks:	What its marks are said to mean
 * @max_nodes:	Most nodes of diagrams
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int prove_prog(const struct model *m, const struct prog *p, struct nft_marks marks,
			uint32_t max_nodes, struct arena *a, struct prove_result *ret);

/**
 * struct part_of - A part of a crossing that is compared
 * @name:	In words
 * @dir:	Direction
 * @declared:	What the declarations mean there
 * @kernel:	What the program does there
 * @where:	For which packets
 * @fresh:	Of these, packets of which nothing is remembered
 * @at_first:	It asks where a connection first went: shown is a packet that goes there
 * @behind:	What comes behind it, to show a packet whose fate hangs on it; NULL: nothing
 */
struct part_of {
	const char *name;
	enum direction dir;
	dd declared;
	dd kernel;
	dd where;
	dd fresh;
	bool at_first;
	dd (*behind)(struct proof *p, enum direction dir);
};

/** prove_compare() - Compare the two sides of a part; what differs is added to @ret */
void prove_compare(struct proof *p, const struct part_of *part, struct prove_result *ret);

/** prove_unproven() - Note that something could not be compared, once */
void prove_unproven(struct proof *p, struct prove_result *ret, const char *what);

#endif /* PROVE_STAGES_H */
