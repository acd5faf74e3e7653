/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket - packet sockets, for the ways that are built on them
 */
#ifndef PORT_SOCKET_H
#define PORT_SOCKET_H

#include "port/io.h"

/**
 * socket_link() - Learn of an Ethernet interface what an io has to know
 * @fd:		Any socket
 * @ifname:	Interface
 * @io:		Its ifindex, MTU and address are set
 *
 * Return: 0; -ENODEV; -EMEDIUMTYPE: not Ethernet; another negative errno
 */
MUST_USE int socket_link(int fd, const char *ifname, struct io *io);

/**
 * socket_packet() - A packet socket that takes nothing yet
 *
 * Return: a descriptor, or a negative errno
 */
MUST_USE int socket_packet(void);

/**
 * socket_start() - Take every frame that comes in by an interface, none that goes out
 * @fd:		Of socket_packet(), set up
 * @ifindex:	Interface
 *
 * Return: 0 or a negative errno
 */
MUST_USE int socket_start(int fd, uint32_t ifindex);

/**
 * socket_tx() - Send packets by a packet socket
 * @io:		Way; @io->fd is the socket
 * @v:		Packets
 * @n:		How many, at most IO_BATCH
 * @has_vnet:	The socket has PACKET_VNET_HDR
 */
void socket_tx(struct io *io, const struct io_packet *v, uint32_t n, bool has_vnet);

/**
 * socket_take() - A received frame as a packet
 * @io:		Way, for its counts
 * @frame:	Frame
 * @len:	Its length, bytes
 * @ret:	Set on success but for its offloads
 *
 * Return: whether it is IP, and for our address on that link
 */
bool socket_take(struct io *io, uint8_t *frame, uint32_t len, struct io_packet *ret);

/** socket_ether() - Write the link header of a packet, IO_ETHER_BYTES */
void socket_ether(const struct io *io, const struct io_packet *p, uint8_t *ret);

#endif /* PORT_SOCKET_H */
