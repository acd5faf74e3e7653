/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A receive ring of version 3: the kernel fills blocks with packets of any length,
 * one behind the other, and hands over whole blocks, when they are full or their
 * time is over.  So small packets come densely, with one look for many of them;
 * and a packet that comes alone waits for a millisecond, the shortest time there
 * is.  Sending is that of version 2 (socket.c).
 *
 * A block is given back when all of its packets were handed over and the next are
 * asked for.
 */
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/offload.h"
#include "port/socket.h"

#define BLOCK_BYTES	(512u << 10)
#define BLOCKS		64u
#define SLOT_BYTES	2048u		/* of no meaning here, but asked for */
#define RETIRE_MS	1u
#define RING_BYTES	((size_t)BLOCKS * BLOCK_BYTES)

/**
 * struct blocks - An open packet socket
 * @io:		What the others see
 * @map:	The ring
 * @block:	Block that is being read
 * @left:	Packets of it that are left; 0: wait for it
 * @at:		Where the next of them is, bytes from the block's beginning
 * @is_held:	The block is ours
 */
struct blocks {
	struct io io;
	uint8_t *map;
	uint32_t block;
	uint32_t left;
	uint32_t at;
	bool is_held;
};

static struct tpacket_block_desc *block_at(const struct blocks *r)
{
	return (struct tpacket_block_desc *)(void *)(r->map + (size_t)r->block * BLOCK_BYTES);
}

static void v3_close(struct io *io)
{
	struct blocks *r = (struct blocks *)io;

	socket_ring_close(io, r->map, RING_BYTES);
	io_memory_end(r, sizeof(*r));
}

static int v3_open(const char *ifname, struct io **ret)
{
	const struct tpacket_req3 req = {
		.tp_block_size = BLOCK_BYTES, .tp_block_nr = BLOCKS, .tp_frame_size = SLOT_BYTES,
		.tp_frame_nr = BLOCKS * (BLOCK_BYTES / SLOT_BYTES), .tp_retire_blk_tov = RETIRE_MS,
	};
	const struct socket_ring how = { TPACKET_V3, &req, sizeof(req), RING_BYTES };
	struct blocks *r = io_memory_new(sizeof(*r));
	int err;

	if (r == NULL)
		return -ENOMEM;
	err = socket_ring_open(&r->io, ifname, &how, &r->map);
	if (err < 0) {
		v3_close(&r->io);
		return err;
	}
	*ret = &r->io;
	return 0;
}

static int v3_several(const char *ifname, uint32_t n, int prog, struct io **ret)
{
	return socket_several(&io_packet_v3_ops, ifname, n, prog, ret);
}

/* Have a block with packets; false: there is none yet */
static bool have_block(struct blocks *r)
{
	struct tpacket_block_desc *b = block_at(r);
	const uint32_t status = __atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE);

	if ((status & TP_STATUS_USER) == 0)
		return false;
	if ((status & TP_STATUS_LOSING) != 0)
		socket_count_lost(&r->io);
	r->is_held = true;
	r->left = b->hdr.bh1.num_pkts;
	r->at = b->hdr.bh1.offset_to_first_pkt;
	return true;
}

static void give_back(struct blocks *r)
{
	__atomic_store_n(&block_at(r)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->is_held = false;
	r->block = (r->block + 1) % BLOCKS;
}

static uint32_t v3_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct blocks *r = (struct blocks *)io;
	uint32_t n = 0;

	/* All of it was handed over, and by now used */
	if (r->is_held && r->left == 0)
		give_back(r);
	if (!r->is_held && !have_block(r))
		return 0;
	for (uint32_t i = 0; i < IO_BATCH && n < max && r->left > 0; i++) {
		struct tpacket3_hdr *h = (struct tpacket3_hdr *)(void *)((uint8_t *)block_at(r) +
									 r->at);

		n += socket_ring_take(io, (uint8_t *)h + h->tp_mac, h->tp_snaplen,
				      h->tp_snaplen == h->tp_len ? h->tp_status : TP_STATUS_COPY,
				      &v[n]);
		r->at += h->tp_next_offset;
		r->left--;
	}
	return n;
}

static void v3_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	socket_tx(io, v, n, true);
}

const struct io_ops io_packet_v3_ops = {
	.name = "packet-v3",
	.needs = "CAP_NET_RAW, Linux 5.0, an Ethernet interface",
	.costs = "32 MiB for its ring; a packet that comes alone waits up to 1 ms",
	.probe = socket_probe,
	.open = v3_open, .several = v3_several, .rx = v3_rx, .tx = v3_tx, .close = v3_close,
};
