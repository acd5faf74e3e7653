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
 * struct socket_ring - A receive ring with virtio headers
 * @version:	TPACKET_V2 or TPACKET_V3
 * @req:	struct tpacket_req or tpacket_req3
 * @req_len:	Its length
 * @bytes:	Of the ring
 */
struct socket_ring {
	int version;
	const void *req;
	uint32_t req_len;
	size_t bytes;
};

/**
 * socket_ring_open() - Open a packet socket with a receive ring
 * @io:		Way; set but for its table of functions, also in part on failure
 * @ifname:	Interface
 * @how:	Which
 * @ret_map:	Set on success: the ring
 *
 * Return: 0 or a negative errno; socket_ring_close() all the same
 */
MUST_USE int socket_ring_open(struct io *io, const char *ifname, const struct socket_ring *how,
			      uint8_t **ret_map);

/** socket_ring_close() - Close what socket_ring_open() opened */
void socket_ring_close(struct io *io, uint8_t *map, size_t bytes);

/**
 * socket_ring_take() - A frame of a ring as a packet
 * @io:		Way, for its counts
 * @frame:	Frame, behind its virtio header
 * @len:	Its length, bytes
 * @status:	Its TP_STATUS_*; TP_STATUS_COPY: it is cut off
 * @ret:	Set on success
 *
 * Return: whether it is one for us
 */
bool socket_ring_take(struct io *io, uint8_t *frame, uint32_t len, uint32_t status,
		      struct io_packet *ret);

/** socket_count_lost() - Count what the kernel had no room for; that ends TP_STATUS_LOSING too */
void socket_count_lost(struct io *io);

/**
 * socket_several() - io_ops.several of a ring
 * @ops:	Its io_ops.open and io_ops.rx are used
 * @ifname:	Interface
 * @n:		How many
 * @prog:	Which gets a packet
 * @ret:	Set
 *
 * Return: 0 or a negative errno
 */
MUST_USE int socket_several(const struct io_ops *ops, const char *ifname, uint32_t n, int prog,
			    struct io **ret);

/** socket_probe() - io_ops.probe of what needs a packet socket */
MUST_USE int socket_probe(void);

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
