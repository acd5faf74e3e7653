/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet socket with a receive ring of version 2 and PACKET_VNET_HDR: packets
 * of up to 64 KiB that stand for several, with their checksums left undone, are
 * read where the kernel put them, changed there, and sent from there by sendmmsg.
 *
 * Version 3 packs small packets densely, but hands blocks over by a timer of a
 * millisecond: round trips of 1 ms, and 40 % fewer connections in a second.
 * Slots are 68 KiB and an odd multiple of a cache line longer, so that the
 * beginnings of all slots do not fall into the same lines of the cache.
 */
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/offload.h"
#include "port/socket.h"

#define SLOT_BYTES	(69632u + 192u)	/* the longest packet, its headers, and the ring's */
#define BLOCK_BYTES	(1u << 20)
#define BLOCK_SLOTS	(BLOCK_BYTES / SLOT_BYTES)
#define BLOCKS		32u
#define SLOTS		(BLOCKS * BLOCK_SLOTS)
#define AHEAD		2u		/* slots, that are fetched before they are looked at */
#define HEAD_BYTES	192u		/* of a slot, what is looked at */
#define RING_BYTES	((size_t)BLOCKS * BLOCK_BYTES)

/**
 * struct ring - An open packet socket
 * @io:		What the others see
 * @map:	The ring
 * @next:	Slot that is looked at next
 * @held:	Slots before it that the caller still reads
 */
struct ring {
	struct io io;
	uint8_t *map;
	uint32_t next;
	uint32_t held;
};

static struct tpacket2_hdr *slot_at(const struct ring *r, uint32_t i)
{
	return (struct tpacket2_hdr *)(void *)(r->map + (size_t)(i / BLOCK_SLOTS) * BLOCK_BYTES +
					       (size_t)(i % BLOCK_SLOTS) * SLOT_BYTES);
}

static void packet_close(struct io *io)
{
	struct ring *r = (struct ring *)io;

	socket_ring_close(io, r->map, RING_BYTES);
	io_memory_end(r, sizeof(*r));
}

static int packet_open(const char *ifname, struct io **ret)
{
	const struct tpacket_req req = {
		.tp_block_size = BLOCK_BYTES, .tp_block_nr = BLOCKS,
		.tp_frame_size = SLOT_BYTES, .tp_frame_nr = SLOTS,
	};
	const struct socket_ring how = { TPACKET_V2, &req, sizeof(req), RING_BYTES };
	struct ring *r = io_memory_new(sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	err = socket_ring_open(&r->io, ifname, &how, &r->map);
	if (err < 0) {
		packet_close(&r->io);
		return err;
	}
	*ret = &r->io;
	return 0;
}

static int packet_several(const char *ifname, uint32_t n, int prog, struct io **ret)
{
	return socket_several(&io_packet_ops, ifname, n, prog, ret);
}

static void give_back(struct ring *r)
{
	for (; r->held > 0; r->held--)
		__atomic_store_n(&slot_at(r, (r->next + SLOTS - r->held) % SLOTS)->tp_status,
				 TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

/* Another processor has written it: a slot's header, and those of its packet */
static void fetch(const struct tpacket2_hdr *h)
{
	for (uint32_t at = 0; at < HEAD_BYTES; at += 64)
		__builtin_prefetch((const uint8_t *)h + at);
}

static uint32_t packet_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct ring *r = (struct ring *)io;
	uint32_t n = 0;

	give_back(r);
	/* Slots of other frames count too, so that a flood of them does not hold us here */
	while (n < max && r->held < IO_BATCH) {
		struct tpacket2_hdr *h = slot_at(r, r->next);
		const uint32_t status = __atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE);

		if ((status & TP_STATUS_USER) == 0)
			break;
		fetch(slot_at(r, (r->next + AHEAD) % SLOTS));
		if ((status & TP_STATUS_LOSING) != 0)
			socket_count_lost(io);
		n += socket_ring_take(io, (uint8_t *)h + h->tp_mac, h->tp_snaplen,
				      h->tp_snaplen == h->tp_len ? status : TP_STATUS_COPY, &v[n]);
		r->next = (r->next + 1) % SLOTS;
		r->held++;
	}
	return n;
}

static void packet_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	socket_tx(io, v, n, true);
}

const struct io_ops io_packet_ops = {
	.name = "packet",
	.needs = "CAP_NET_RAW, Linux 5.0, an Ethernet interface",
	.costs = "32 MiB for its ring; one copy when a packet is sent",
	.is_for_all = true,
	.probe = socket_probe,
	.open = packet_open, .several = packet_several,
	.rx = packet_rx, .tx = packet_tx, .close = packet_close,
};
