/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane - flows that the kernel translates by itself, as it was told
 *
 * A table of flows in memory that is the kernel's and the NAT's at once, and a
 * program where packets come in that looks them up there, changes what the table
 * says, and sends them on by another interface.  What is not in the table, and
 * whatever is more than a plain packet of a flow (fragments, options, SYN, RST, a last
 * hop, one that is too long), goes the way that it would go without; but a SYN's answer
 * takes a lane, if its options stand as most hosts write them.
 *
 * Only TCP and UDP, between an Ethernet interface and another one or a device that
 * leads the host's own packets to a process (TUN, TAP): those are taken where the host
 * sends by it, and what is for them the host receives from it.
 *
 * Owns:	 nothing; descriptors and the table are the caller's, and what is
 *		 attached goes with its descriptor.
 * Does not:	 decide which flows: see port/lanes.h.  Nor does what takes a lane meet
 *		 nft's egress hook: the kernel skips that for what tc has sent on.
 * Byte order:	 addresses and ports as they lie in packets.
 * Threads:	 all processors run the program, while one process writes the table:
 *		 lane.tag is written last and read first, and what a lane says is read
 *		 where its tag says so; ended, it stays as it is for a while.
 * Normative:	 bpf-helpers(7); RFC 1624 (checksums); RFC 6864 (IPv4 ids).
 */
#ifndef HOST_LANE_H
#define HOST_LANE_H

#include "base/arena.h"

#define LANES		65536u		/* of one direction, a power of two */
#define LANES_AT_ONCE	4u		/* places that one flow may have */
#define LANE_IDS	256u		/* counters of IPv4 ids, a power of two */
#define LANE_OLD_ID	0xffffu		/* lane.id_slot: the id stays */
#define LANE_FREE	0u		/* lane.tag: there is none */

#define LANE_NEVER	0xffffff00u	/* lane_table.generation: no lanes from now on */
#define LANE_GREETED	0x80u		/* beside a window's shift in lane.greeted */
#define LANE_V6		0x80u		/* beside the protocol in lane.tag: IPv6 */

/**
 * struct lane - One direction of a flow
 * @src:	Source; one of IPv4 has the first word alone
 * @dst:	Destination
 * @ports:	Both ports, as one word
 * @tag:	Protocol, LANE_V6 and the table's generation; another one: no lane
 * @to_ports:	What becomes of @ports
 * @d_addr:	One's complement difference of the addresses
 * @to_src:	What becomes of @src
 * @to_dst:	Of @dst
 * @d_ports:	Difference of the ports
 * @d_ip:	Of an IPv4 header, its TTL lowered by 1
 * @id_slot:	Counter that packets without DF get their id from, or LANE_OLD_ID
 * @ether:	New link addresses
 * @ack:	Acknowledgement of the last segment that had one, as it lies there
 * @win:	Its window, the same
 * @is_over:	1: a FIN has gone this way
 * @greeted:	LANE_GREETED and the shift of its window: a SYN's answer has gone this way
 * @hidden:	Packets that lane_hide() has kept from the socket, about
 * @packets:	Packets that went this way
 * @bytes:	Their bytes, from the IP header on
 */
struct lane {
	uint32_t src[4];
	uint32_t dst[4];
	uint32_t ports;
	uint32_t tag;
	uint32_t to_ports;
	uint32_t d_addr;
	uint32_t to_src[4];
	uint32_t to_dst[4];
	uint32_t d_ports;
	uint16_t d_ip;
	uint16_t id_slot;
	uint8_t ether[12];
	uint32_t ack;
	uint16_t win;
	uint8_t is_over;
	uint8_t greeted;
	uint32_t hidden;
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct lane_table - Lanes of what comes by one interface
 * @generation:	In the upper three bytes, the lowest is 0; a new one ends all lanes
 * @mtu_bytes:	Of the interface that they lead to
 * @mac:	Link address that a frame is to have as its destination; zeroes after
 * @ids:	Counters
 * @v:		Lanes, LANES_AT_ONCE side by side, each of two cache lines
 */
struct lane_table {
	uint32_t generation;
	uint32_t mtu_bytes;
	uint8_t mac[8];
	uint32_t ids[LANE_IDS];
	struct lane v[LANES] __attribute__((aligned(128)));
};

/**
 * struct lane_end - An interface
 * @ifindex:	Its number
 * @is_bare:	Packets have no link header there
 * @is_device:	It leads to a process
 */
struct lane_end {
	uint32_t ifindex;
	bool is_bare;
	bool is_device;
};

/**
 * lane_first() - The first lane that a flow may have
 * @key:	The table's secret
 * @l:		Addresses and ports
 * @is_v6:	They are of IPv6
 *
 * Return: its index
 */
uint32_t lane_first(const uint32_t key[2], const struct lane *l, bool is_v6);

/** lane_table_new() - A table without lanes; its descriptor or a negative errno */
MUST_USE int lane_table_new(struct lane_table **ret);

/** lane_table_free() - Free what lane_table_new() set, or NULL; not its descriptor */
void lane_table_free(struct lane_table *t);

/**
 * lane_load() - Load the program that sends
 * @table:	Descriptor
 * @key:	Secret of the table
 * @from:	Where packets come in
 * @to:		Where lanes lead to, one that has link headers if @from has none
 * @a:		Memory, only for this call
 *
 * Return: a descriptor or a negative errno
 */
MUST_USE int lane_load(int table, const uint32_t key[2], const struct lane_end *from,
		       const struct lane_end *to, struct arena *a);

/** lane_attach() - Attach it where packets come in; a descriptor, or a negative errno before 6.6 */
MUST_USE int lane_attach(const struct lane_end *from, int prog);

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
