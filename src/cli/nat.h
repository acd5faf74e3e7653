/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat - the verb `nat`: its options, and what live and capture runs share
 *
 * Owns:	 nothing; everything lives in the run's arena.
 * Threads:	 none.
 */
#ifndef CLI_NAT_H
#define CLI_NAT_H

#include "base/arena.h"

/** struct nat_words - What was given for an option that may be repeated */
struct nat_words {
	VEC(const char *) list;
};

/**
 * struct nat_args - Options of the verb, as they were typed
 * @read:	--read, or NULL: a live run
 * @write:	--write
 * @inside:	--inside
 * @outside:	--outside
 * @outside_addrs: --outside-address
 * @mapping:	--mapping
 * @filtering:	--filtering
 * @ports:	--ports
 * @timeouts:	--timeout
 * @nptv6:	--nptv6
 * @seed:	--seed
 * @max_flows:	--max-flows
 * @io:		--io
 * @no_lanes:	--no-lanes
 * @workers:	--workers, or NULL
 * @state:	--state
 * @answer:	--answer-arp
 * @explain:	--explain
 */
struct nat_args {
	const char *read;
	const char *write;
	struct nat_words inside;
	const char *outside;
	struct nat_words outside_addrs;
	struct nat_words mapping;
	struct nat_words filtering;
	struct nat_words ports;
	struct nat_words timeouts;
	struct nat_words nptv6;
	const char *seed;
	const char *max_flows;
	const char *io;
	bool no_lanes;
	const char *workers;
	const char *state;
	bool answer;
	bool explain;
};

#endif /* CLI_NAT_H */
