/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forwards - the port forwards of a model, as people list them
 *
 * One row for each external address and port range of each rdr rule.
 *
 * Owns:	 nothing; lives in the arena.
 */
#ifndef CLI_FORWARDS_H
#define CLI_FORWARDS_H

#include "cli/cli.h"

/**
 * struct cli_forward - A port forward
 * @jail:	Jail that it leads to, or NULL
 * @proto:	"tcp", "udp", "tcp+udp", another name, or "any"
 * @from:	Sources, "any" or as a set
 * @on:		Interfaces, "any" or as a set
 * @external:	"A:P" or "A:P-Q"
 * @internal:	The same of where it leads to
 * @origin:	Its rule
 * @dst:	External addresses, NULL: any
 * @ports:	External ports, NULL: any
 */
struct cli_forward {
	const char *jail;
	const char *proto;
	const char *from;
	const char *on;
	const char *external;
	const char *internal;
	struct origin origin;
	const struct range *dst;
	const struct range *ports;
};

/** struct cli_forwards - In the order of the rules */
struct cli_forwards {
	VEC(struct cli_forward) list;
};

/**
 * cli_forwards_list() - List the forwards
 * @c:		Run
 * @d:		Declarations
 * @ret:	Rows are added
 */
void cli_forwards_list(struct cli *c, const struct declared *d, struct cli_forwards *ret);

#endif /* CLI_FORWARDS_H */
