/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane - flows that the kernel translates by itself, as it was told
 *
 * A table of flows in memory that is the kernel's and the NAT's at once, and a
 * program where packets come in that looks them up there, changes what the table
 * says, and sends them on by another interface.  What is not in the table, and
 * whatever is more than a plain packet of a flow (fragments, options, SYN, FIN,
 * RST, a last hop, one that is too long), goes the way that it would go without.
 *
 * Only TCP and UDP over IPv4 between two Ethernet interfaces.
 *
 * Owns:	 nothing; descriptors and the table are the caller's, and what is
 *		 attached goes with its descriptor.
 * Does not:	 decide which flows: see port/lanes.h.  Nor does what takes a lane meet
 *		 nft's egress hook: the kernel skips that for what tc has sent on.
 * Byte order:	 addresses and ports as they lie in packets.
 * Threads:	 all processors run the program, while one process writes the table:
 *		 lane.tag is written last, and first when a lane ends.
 * Normative:	 bpf-helpers(7); RFC 1624 (checksums); RFC 6864 (IPv4 ids).
 */
#ifndef HOST_LANE_H
#define HOST_LANE_H

#include "base/arena.h"

#define LANES		32768u		/* of one direction, a power of two */
#define LANES_AT_ONCE	2u		/* places that one flow may have */
#define LANE_IDS	256u		/* counters of IPv4 ids, a power of two */
#define LANE_OLD_ID	0xffffu		/* lane.id_slot: the id stays */
#define LANE_FREE	0u		/* lane.tag: there is none */

/**
 * struct lane - One direction of a flow
 * @src:	Source
 * @dst:	Destination
 * @ports:	Both ports, as one word
 * @tag:	Protocol and the table's generation; another one: no lane
 * @to_src:	What becomes of @src
 * @to_dst:	Of @dst
 * @to_ports:	Of @ports
 * @d_addr:	One's complement difference of the addresses
 * @d_ports:	Of the ports
 * @d_ip:	Of the IP header, its TTL lowered by 1
 * @id_slot:	Counter that packets without DF get their id from, or LANE_OLD_ID
 * @win:	Window of the last segment that had an ACK
 * @ether:	New link addresses
 * @zero:	Nothing: the next is aligned
 * @ack:	Its acknowledgement, both as they lie there
 * @zero2:	The same
 * @packets:	Packets that went this way
 * @bytes:	Their bytes, from the IP header on
 */
struct lane {
	uint32_t src;
	uint32_t dst;
	uint32_t ports;
	uint32_t tag;
	uint32_t to_src;
	uint32_t to_dst;
	uint32_t to_ports;
	uint32_t d_addr;
	uint32_t d_ports;
	uint16_t d_ip;
	uint16_t id_slot;
	uint16_t win;
	uint8_t ether[12];
	uint16_t zero;
	uint32_t ack;
	uint32_t zero2;
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct lane_table - Lanes of what comes by one interface
 * @generation:	In the upper three bytes, the lowest is 0; a new one ends all lanes
 * @mtu_bytes:	Of the interface that they lead to
 * @mac:	Link address that a frame is to have as its destination; zeroes after
 * @ids:	Counters
 * @v:		Lanes, LANES_AT_ONCE side by side
 */
struct lane_table {
	uint32_t generation;
	uint32_t mtu_bytes;
	uint8_t mac[8];
	uint32_t ids[LANE_IDS];
	struct lane v[LANES];
};

/** lane_first() - Index of the first lane that a flow may have; @key is the table's secret */
uint32_t lane_first(const uint32_t key[2], uint32_t src, uint32_t dst, uint32_t ports);

/** lane_table_new() - A table without lanes; its descriptor or a negative errno */
MUST_USE int lane_table_new(struct lane_table **ret);

/** lane_table_free() - Free what lane_table_new() set, or NULL; not its descriptor */
void lane_table_free(struct lane_table *t);

/**
 * lane_load() - Load the program that sends
 * @table:	Descriptor
 * @key:	Secret of the table
 * @to:		Number of the interface that lanes lead to
 * @a:		Memory, only for this call
 *
 * Return: a descriptor or a negative errno
 */
MUST_USE int lane_load(int table, const uint32_t key[2], uint32_t to, struct arena *a);

/** lane_attach() - Attach it where packets come in; a descriptor, or a negative errno before 6.6 */
MUST_USE int lane_attach(uint32_t ifindex, int prog);

/**
 * lane_hide() - Keep from a packet socket what takes a lane
 * @sock:	Packet socket of the same interface
 * @table:	Descriptor
 * @key:	Secret of the table
 * @a:		Memory, only for this call
 *
 * Return: 0 or a negative errno
 */
MUST_USE int lane_hide(int sock, int table, const uint32_t key[2], struct arena *a);

#endif /* HOST_LANE_H */
