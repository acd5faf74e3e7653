/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gate - nothing is loaded that is known to mean something else than was declared
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef CLI_GATE_H
#define CLI_GATE_H

#include "cli/cli.h"
#include "target/nft.h"

/**
 * cli_gate() - Prove a program before it is loaded, unless --no-verify says not to
 * @c:		Run
 * @m:		What it is to mean
 * @p:		Program
 *
 * What cannot be proven is told as a note.
 *
 * Cost: as prove_program(), with PROVE_FEW_NODES.
 *
 * Return: 0, or EX_SOFTWARE with diagnostics when it means something else
 */
int cli_gate(struct cli *c, const struct model *m, const struct nft_program *p);

/**
 * cli_gate_mark() - A number that stands for declarations and their program
 * @c:		The command line
 * @m:		Declarations
 * @p:		Program made from them
 *
 * Return: the same for the same, another (by 64 bits) for others; 0: no memory
 */
uint64_t cli_gate_mark(struct cli *c, const struct model *m, const struct nft_program *p);

#endif /* CLI_GATE_H */
