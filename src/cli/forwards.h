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
#include "target/nft.h"

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
 * @until:	When it ends, seconds since 1970; 0: never
 * @is_off:	Switched off
 * @is_live:	In force: not off, and its jail is up
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
	int64_t until;
	bool is_off;
	bool is_live;
};

/** struct cli_forwards - In the order of the rules, then those that are not in force */
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

/** cli_forward_count() - What a forward has counted, its copies for local callers included */
struct nft_count cli_forward_count(const struct nft_counts *counts, const struct cli_forward *f);

/** cli_forward_json() - A forward as a JSON object */
void cli_forward_json(struct cli *c, const struct cli_forward *f, const struct nft_count *n);

#endif /* CLI_FORWARDS_H */
