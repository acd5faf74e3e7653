/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places - what the outside places of forwards have seen
 *
 * A place is a protocol, an outside address and a port that leads to a jail.  Counted
 * are all packets of both directions, those of callers inside too.
 *
 * Owns:	 nothing; a struct places is memory shared by who counts and who reads.
 * Does not:	 count more than PLACES places: those that come later are not told of.
 * Byte order:	 host order.
 * Threads:	 one counts; others may read, numbers of a moment.
 */
#ifndef PORT_PLACES_H
#define PORT_PLACES_H

#include "nat/nat.h"

#define PLACES		8192u		/* a power of two */
#define PLACES_AT_ONCE	32u		/* where one is looked for */
#define PLACE_NONE	UINT32_MAX

/**
 * struct places_one - What one has seen
 * @a:		Outside address; AF_NONE: a free place
 * @port:	Its port
 * @proto:	TCP or UDP
 * @packets:	Packets
 * @bytes:	Their bytes, from the IP header on
 * @last_ns:	When the last one came; natloop_now()
 */
struct places_one {
	struct addr a;
	uint16_t port;
	uint8_t proto;
	uint64_t packets;
	uint64_t bytes;
	uint64_t last_ns;
};

/**
 * struct places - All of them
 * @led:	Ports that lead to a jail, bitmaps of TCP and UDP
 * @v:		Places by a hash
 */
struct places {
	uint8_t led[2][65536 / 8];
	struct places_one v[PLACES];
};

/** places_at() - Index of a place, entered where it is new; PLACE_NONE: no port of ours, no room */
uint32_t places_at(struct places *p, uint8_t proto, struct addr a, uint16_t port);

/** places_count() - Count at a place; at PLACE_NONE nothing */
void places_count(struct places *p, uint32_t at, uint64_t packets, uint64_t bytes,
		  uint64_t now_ns);

/**
 * places_of() - Where a packet is counted
 * @p:		Places
 * @ip:		Packet, TCP or UDP with its ports, or any other
 * @len:	Its bytes
 * @is_dst:	By its destination, as it comes; else by its source, as it leaves
 *
 * Return: index or PLACE_NONE
 */
uint32_t places_of(struct places *p, const uint8_t *ip, uint32_t len, bool is_dst);

#endif /* PORT_PLACES_H */
