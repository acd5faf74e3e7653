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
 * @protos:	DECL_TCP, DECL_UDP or both; 0: others
 * @from:	Sources, "any" or as a set
 * @on:		Interfaces, "any" or as a set
 * @external:	"A:P" or "A:P-Q"
 * @internal:	The same of where it leads to
 * @origin:	Its rule
 * @place:	"FILE:LINE" of that
 * @dst:	External addresses, NULL: any
 * @ports:	External ports, NULL: any
 * @until:	When it ends, seconds since 1970; 0: never
 * @is_off:	Switched off
 * @is_live:	In force: not off, and its jail is up
 */
struct cli_forward {
	const struct decl_jail *jail;
	const char *proto;
	uint8_t protos;
	const char *from;
	const char *on;
	const char *external;
	const char *internal;
	struct origin origin;
	const char *place;
	const struct range *dst;
	const struct range *ports;
	int64_t until;
	bool is_off;
	bool is_live;
};

typedef void cli_forward_fn(struct cli *c, const struct cli_forward *f, void *arg);

/**
 * cli_forwards_each() - List the forwards
 * @c:		Run
 * @d:		Declarations
 * @fn:		Told of each, in the order of the rules, then of those that are not in force;
 *		each is gone when the next comes, as there may be 100,000
 * @arg:	For @fn
 */
void cli_forwards_each(struct cli *c, const struct declared *d, cli_forward_fn *fn, void *arg);

/**
 * struct cli_counters - What the kernel has counted
 * @rules:	First packets, by rule and forward; sorted, so that each is found in
 *		O(log n)
 * @traffic:	All packets, by outside place
 * @has_traffic: @traffic is counted
 */
struct cli_counters {
	struct nft_counts rules;
	struct nft_traffics traffic;
	bool has_traffic;
};

/**
 * struct cli_used - The use of a forward
 * @packets:	All packets of both directions; not @is_traffic: connections
 * @bytes:	Their bytes; not @is_traffic: of first packets
 * @is_traffic: See @packets
 * @last:	Time of the last packet, seconds since 1970; 0: there was none, or it is
 *		not known
 */
struct cli_used {
	uint64_t packets;
	uint64_t bytes;
	bool is_traffic;
	int64_t last;
};

/** cli_counters_read() - Read them; 0 or a negative errno */
MUST_USE int cli_counters_read(struct cli *c, struct nl_session *filter,
			       const struct nft_program *p, struct cli_counters *ret);

/**
 * cli_forward_used() - What a forward has counted, local callers included
 *
 * All packets where its outside places are known one by one; forwards that share a
 * place share what it counts.
 */
struct cli_used cli_forward_used(const struct cli_counters *counters, const struct cli_forward *f);

/** cli_forward_flows() - The connections that a forward has led on, local callers included */
uint64_t cli_forward_flows(const struct cli_counters *counters, const struct cli_forward *f);

#define CLI_TIME_BYTES	32u

/** cli_time_text() - A time as 2026-01-31T18:00:00Z in @buf, CLI_TIME_BYTES; NULL: 0 */
const char *cli_time_text(int64_t seconds, char *buf);

/** cli_forward_json() - A forward as a JSON object */
void cli_forward_json(struct cli *c, const struct cli_forward *f, const struct cli_used *n);

#endif /* CLI_FORWARDS_H */
