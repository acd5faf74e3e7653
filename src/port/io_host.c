/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Callers of the host itself never cross an interface of the NAT's, so they are met
 * on lo: a packet socket there sees what the host sends to an address that it shares
 * with the NAT, and the claim drops the ports that are the NAT's (target/nft_claim.h).
 * A filter keeps all other traffic of lo away from the socket, and none of it waits
 * for anybody.  No ring: it is the host alone that calls here.
 *
 * What goes back to the host does so by a raw socket (port/hops.h).
 */
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/if_packet.h>

#include "base/calls.h"
#include "port/offload.h"
#include "port/socket.h"
#include "target/nft_claim.h"

#define SLOTS		16u		/* packets handed over at once */
#define SLOT_BYTES	(IO_PACKET_BYTES + IO_ETHER_BYTES)
#define FILTER_MOST	1024u		/* instructions */
#define ALL		UINT32_MAX	/* bytes that are let through: the packet */

NEEDS_CALL(recvmsg)

/**
 * struct host - An open socket
 * @io:		What the others see
 * @slots:	SLOTS of SLOT_BYTES
 */
struct host {
	struct io io;
	uint8_t *slots;
};

static void host_close(struct io *io)
{
	struct host *h = (struct host *)io;

	free(h->slots);
	base_fd_close(&io->fd);
	io_memory_end(h, sizeof(*h));
}

/* ---- what the socket sees ---------------------------------------------------------- */

struct filter {
	struct sock_filter v[FILTER_MOST];
	uint16_t n;
};

static void emit(struct filter *f, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (f->n < FILTER_MOST)
		f->v[f->n++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

/* All words the same: the packet; else on to what follows */
static void match(struct filter *f, struct addr a)
{
	const uint32_t words = addr_bits(a.af) / 32, at = a.af == AF_V4 ? 16 : 24;

	emit(f, BPF_LD | BPF_H | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL, 0, 0);
	emit(f, BPF_JMP | BPF_JEQ | BPF_K, a.af == AF_V4 ? ETH_P_IP : ETH_P_IPV6, 0,
	     (uint8_t)(2 * words + 1));
	for (uint32_t i = 0; i < words; i++) {
		emit(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + at + 4 * i, 0, 0);
		emit(f, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(a.v >> (32 * (words - 1 - i))), 0,
		     (uint8_t)(2 * (words - 1 - i) + 1));
	}
	emit(f, BPF_RET | BPF_K, ALL, 0, 0);
}

static int host_claim(struct io *io, const struct claim *claim, bool is_inside)
{
	struct filter f = { .n = 0 };
	struct sock_fprog prog = { .filter = f.v };

	(void)is_inside;
	for (uint32_t i = 0; i < claim->n_addrs; i++)
		if (claim->addrs[i].is_shared)
			match(&f, claim->addrs[i].a);
	emit(&f, BPF_RET | BPF_K, 0, 0, 0);
	if (f.n == FILTER_MOST)
		return -E2BIG;
	prog.len = f.n;
	return setsockopt(io->fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno
											 : 0;
}

/* ---- packets ----------------------------------------------------------------------- */

static int learn(struct host *h, const char *ifname)
{
	const struct claim none = { .n_addrs = 0 };
	const int yes = 1;

	h->io.ifindex = if_nametoindex(ifname);
	h->io.mtu_bytes = UINT16_MAX;
	if (h->io.ifindex == 0)
		return -ENODEV;
	if (setsockopt(h->io.fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) < 0)
		return -errno;
	return host_claim(&h->io, &none, true);
}

static int host_open(const char *ifname, struct io **ret)
{
	struct host *h = io_memory_new(sizeof(*h));
	int err;

	if (h == NULL)
		return -ENOMEM;
	h->io.has_offload = true;
	h->slots = calloc(SLOTS, SLOT_BYTES);
	h->io.fd = socket_packet();
	err = h->slots == NULL ? -ENOMEM : MIN(h->io.fd, 0);
	if (err == 0)
		err = learn(h, ifname);
	if (err == 0)
		err = socket_start(h->io.fd, h->io.ifindex);
	if (err < 0) {
		host_close(&h->io);
		return err;
	}
	*ret = &h->io;
	return 0;
}

static uint32_t host_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct host *h = (struct host *)io;
	struct virtio_net_hdr vnet;
	uint32_t n = 0;

	for (uint32_t i = 0; i < SLOTS && n < max; i++) {
		uint8_t *slot = h->slots + (size_t)n * SLOT_BYTES;
		struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { slot, SLOT_BYTES } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
		const ssize_t len = recvmsg(io->fd, &msg, MSG_DONTWAIT);

		if (len < (ssize_t)sizeof(vnet))
			break;
		if ((msg.msg_flags & MSG_TRUNC) == 0 &&
		    socket_take(io, slot, (uint32_t)((size_t)len - sizeof(vnet)), &v[n]) &&
		    offload_from_vnet(&vnet, IO_ETHER_BYTES, &v[n].off) == 0)
			n++;
	}
	return n;
}

static void host_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	(void)v;
	io->n.tx_refused += n;
}

const struct io_ops io_host_ops = {
	.name = "host",
	.needs = "CAP_NET_RAW",
	.costs = "1 MiB",
	.probe = socket_probe,
	.open = host_open, .rx = host_rx, .tx = host_tx, .claim = host_claim, .close = host_close,
};
