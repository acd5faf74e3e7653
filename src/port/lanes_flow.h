/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lanes_flow - a flow of the NAT's as a lane, and a lane's packets
 *
 * Owns:	 nothing.
 * Byte order:	 packets and lanes as on the wire.
 * Threads:	 none.
 */
#ifndef PORT_LANES_FLOW_H
#define PORT_LANES_FLOW_H

#include "host/lane.h"
#include "nat/nat.h"

#define LANES_FIN	0x01u
#define LANES_SYN	0x02u
#define LANES_RST	0x04u
#define LANES_MADE_BYTES 64u		/* of a packet made up, at most: headers, one option */

/**
 * lanes_flow_lane() - What becomes of a flow's packets from one side
 * @f:		Flow
 * @side:	Side
 * @ret:	Set whole; its tag without a generation, its link addresses are zero
 */
void lanes_flow_lane(const struct nat_flow *f, enum nat_side side, struct lane *ret);

/** lanes_flow_key() - Have in @ret the addresses, ports and protocol of a simple packet */
void lanes_flow_key(const uint8_t *ip, struct lane *ret);

/** lanes_flow_same() - Are the addresses, ports and protocol the same */
bool lanes_flow_same(const struct lane *a, const struct lane *b);

/** lanes_flow_is_v6() - Is it a lane of IPv6 */
bool lanes_flow_is_v6(const struct lane *l);

/** lanes_flow_changes() - Are addresses or ports other ones behind it */
bool lanes_flow_changes(const struct lane *l);

/** lanes_flow_dst() - Where its packets go to */
struct addr lanes_flow_dst(const struct lane *l);

/**
 * lanes_flow_make() - A packet of the flow, as it would come
 * @l:		Lane
 * @ret_ip:	LANES_MADE_BYTES
 *
 * Return: its length
 */
uint32_t lanes_flow_make(const struct lane *l, uint8_t *ret_ip);

/**
 * lanes_flow_greeting() - The same of a SYN's answer, which has gone by the lane
 * @l:		Lane
 * @shift:	Of its window
 * @ret_ip:	LANES_MADE_BYTES
 *
 * Return: its length
 */
uint32_t lanes_flow_greeting(const struct lane *l, uint8_t shift, uint8_t *ret_ip);

/** lanes_flow_made() - Is @ip what the lane would have made of lanes_flow_make()'s packet */
bool lanes_flow_made(const struct lane *l, const uint8_t *ip, uint32_t len);

/** lanes_flow_is_simple() - Is it a whole packet of TCP or UDP with nothing between */
bool lanes_flow_is_simple(const uint8_t *ip, uint32_t len);

/**
 * lanes_flow_turn() - Does a connection begin or end with it
 *
 * Return: which of LANES_SYN, LANES_FIN and LANES_RST a simple packet of TCP has; 0 for others
 */
uint8_t lanes_flow_turn(const uint8_t *ip, uint32_t len);

#endif /* PORT_LANES_FLOW_H */
