/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scrub - changes of headers, but for addresses
 *
 * Threads:	 none.
 */
#ifndef MODEL_SCRUB_H
#define MODEL_SCRUB_H

#include "base/base.h"

#define SCRUB_MSS	0x1u	/* fields that a change may say something of */
#define SCRUB_TTL	0x2u
#define SCRUB_DF	0x4u
#define SCRUB_TOS	0x8u
#define SCRUB_ALL	0xfu

/**
 * struct scrub - What is changed in the headers of packets, but for addresses
 * @max_mss:	A larger segment size in a SYN becomes this; 0: stays
 * @min_ttl:	A smaller TTL or hop limit becomes this; 0: stays
 * @no_df:	"Do not fragment" is cleared in IPv4 packets
 * @tos:	Type of service or traffic class without the bits of ECN; -1: stays
 */
struct scrub {
	uint16_t max_mss;
	uint8_t min_ttl;
	bool no_df;
	int16_t tos;
};

/** scrub_merge() - One change: @first, and what @then says of a header in its place */
struct scrub scrub_merge(struct scrub first, struct scrub then);

/** scrub_then() - Two changes of a packet, one behind the other, as one */
struct scrub scrub_then(struct scrub first, struct scrub then);

/** scrub_fields() - SCRUB_* of what it says something of */
unsigned int scrub_fields(struct scrub x);

/** scrub_part() - What it says of @fields, SCRUB_*, alone */
struct scrub scrub_part(struct scrub x, unsigned int fields);

/** scrub_equal() - Are two the same */
bool scrub_equal(struct scrub x, struct scrub y);

#endif /* MODEL_SCRUB_H */
