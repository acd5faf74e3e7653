/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xdp - a program that hands a socket of AF_XDP the frames that are the NAT's alone
 *
 * TCP and UDP in whole, short frames whose checksum is there, to the NAT by its
 * claim (target/nft_claim.h).  All else goes the way that it would go without it.
 *
 * Owns:	 nothing; descriptors are the caller's to close, and what is attached
 *		 goes with its descriptor.
 * Byte order:	 the map of ports counts them in host order.
 * Threads:	 none.
 */
#ifndef HOST_XDP_H
#define HOST_XDP_H

#include "base/arena.h"
#include "target/nft_claim.h"

#define XDP_FRAME_BYTES	1792u	/* longest frame that the socket gets */
#define XDP_ADDRS	64u	/* of a claim that are looked through for a frame; more: none */

/**
 * struct xdp_how - What is wanted
 * @claim:	What is the NAT's
 * @is_inside:	The interface leads to the jails
 * @mac:	Its address
 * @sockets:	Map with the sockets by queue, of xdp_map_sockets()
 * @lanes:	Table of lanes of what comes by the interface (host/lane.h), 0: none; what
 *		has one is left to it
 * @lane_key:	Its secret
 */
struct xdp_how {
	const struct claim *claim;
	bool is_inside;
	uint8_t mac[6];
	int sockets;
	int lanes;
	uint32_t lane_key[2];
};

/** xdp_map_sockets() - A map for a socket of each queue; a descriptor or a negative errno */
MUST_USE int xdp_map_sockets(void);

/** xdp_map_put() - Put a bound socket into it; 0 or a negative errno */
MUST_USE int xdp_map_put(int sockets, uint32_t queue, int fd);

/**
 * xdp_load() - Load the program
 * @how:	What it is to do
 * @a:		Memory, only for this call
 *
 * Return: a descriptor or a negative errno
 */
MUST_USE int xdp_load(const struct xdp_how *how, struct arena *a);

/**
 * xdp_attach() - Attach a program
 * @ifindex:	Interface
 * @flags:	XDP_FLAGS_SKB_MODE or XDP_FLAGS_DRV_MODE
 * @prog:	Program
 *
 * Return: a descriptor that it is attached by, or a negative errno; -EBUSY: another
 * program is there
 */
MUST_USE int xdp_attach(uint32_t ifindex, uint32_t flags, int prog);

/** xdp_replace() - Put a program in the place of the one that @link attaches; 0 or an errno */
MUST_USE int xdp_replace(int link, int prog);

#endif /* HOST_XDP_H */
