/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * offload - finish in software what the kernel left undone
 *
 * Does not:	 trust a packet: what io_offload says is checked against its bytes.
 */
#ifndef PORT_OFFLOAD_H
#define PORT_OFFLOAD_H

#include <linux/virtio_net.h>

#include "port/io.h"

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/**
 * struct offload_cut - A packet that is being cut
 * @p:		It
 * @l4:		Where its TCP or UDP header begins, bytes
 * @payload:	Where its payload begins
 * @done:	Payload bytes given out so far
 */
struct offload_cut {
	const struct io_packet *p;
	uint32_t l4;
	uint32_t payload;
	uint32_t done;
};

/** offload_complete() - Complete a partial checksum; 0, or -EBADMSG: it is not what it says */
MUST_USE int offload_complete(struct io_packet *p);

/** offload_cut_begin() - Begin to cut a packet; 0, or -EBADMSG: it is not what it says */
MUST_USE int offload_cut_begin(struct offload_cut *c, const struct io_packet *p);

/**
 * offload_cut_next() - The next of the packets that one stands for
 * @c:		Begun
 * @out:	Written; io_wire_bytes() of it
 * @ret:	Set when there is one: complete, nothing left undone
 *
 * Return: whether there is one
 */
MUST_USE bool offload_cut_next(struct offload_cut *c, uint8_t *out, struct io_packet *ret);

/**
 * offload_from_vnet() - Read the kernel's note
 * @h:		Before a received frame
 * @l2:		Bytes of link header between it and the packet
 * @ret:	Set on success
 *
 * Return: 0, or -EBADMSG for something that was never agreed on
 */
MUST_USE int offload_from_vnet(const struct virtio_net_hdr *h, uint32_t l2,
			       struct io_offload *ret);

/** offload_to_vnet() - Write the kernel's note for a packet behind @l2 bytes of link header */
void offload_to_vnet(const struct io_packet *p, uint32_t l2, struct virtio_net_hdr *ret);

#endif /* PORT_OFFLOAD_H */
