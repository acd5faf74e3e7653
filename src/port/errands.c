/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A socket of packets in order, one for each reader: a message of it is whole or
 * not there, any number of processes write to it, and what bounds it is bytes and not
 * the ten messages of a datagram socket.  A message says of the packet what
 * the kernel says of one, so it is read with the same distrust.
 */
#include "port/errands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/calls.h"
#include "port/offload.h"

#define QUEUE_BYTES	(8 << 20)

#define M_KEEP		0x01u
#define M_HAS_DST	0x02u
#define M_NO_DF		0x04u

NEEDS_CALL(sendmsg)
NEEDS_CALL(recvmsg)

/* A message: this, and the packet */
struct message {
	struct virtio_net_hdr vnet;
	uint8_t from;
	uint8_t flags;
	uint8_t hops;
	uint8_t bits;
	uint16_t longest;
	uint16_t dport;
	uint16_t max_mss;
	uint8_t min_ttl;
	uint8_t af;
	uint8_t dst[16];
};

int errands_make(int ends[ERRANDS_WORKERS], uint32_t n_workers, struct errands *ret)
{
	const int bytes = QUEUE_BYTES;
	int pair[2];

	*ret = (struct errands){ .from = -1 };
	for (uint32_t i = 0; i < ERRANDS_WORKERS; i++)
		ret->to[i] = ends[i] = -1;
	for (uint32_t i = 0; i < n_workers; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
			return -errno;
		ends[i] = pair[0];
		ret->to[i] = pair[1];
		/* Where it may not be so large, it is smaller */
		(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	}
	ret->buf = malloc(IO_PACKET_BYTES);
	if (ret->buf == NULL)
		return -ENOMEM;
	memset(ret->buf, 0, IO_PACKET_BYTES);
	return 0;
}

void errands_send(struct errands *e, uint32_t worker, enum nat_side from,
		  const struct io_packet *p, const struct nat_errand *errand)
{
	const struct nat_ruling *r = &errand->ruling;
	struct message m = {
		.from = (uint8_t)from, .flags = errand->flags, .hops = errand->hops,
		.bits = (uint8_t)((r->keep ? M_KEEP : 0) | (r->has_dst ? M_HAS_DST : 0) |
				  (r->no_df ? M_NO_DF : 0)),
		.longest = errand->longest, .dport = r->dport, .max_mss = r->max_mss,
		.min_ttl = r->min_ttl, .af = r->dst.af,
	};
	struct iovec iov[2] = { { &m, sizeof(m) }, { p->data, p->len } };
	const struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	BUG_IF(worker >= ERRANDS_WORKERS || e->to[worker] < 0);
	if (r->dst.af != AF_NONE)
		(void)addr_to_bytes(r->dst, m.dst);
	offload_to_vnet(p, 0, &m.vnet);
	if (sendmsg(e->to[worker], &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		e->lost++;
}

static bool read_message(const struct message *m, enum nat_side *ret_from, struct io_packet *ret,
			 struct nat_errand *e)
{
	if (m->from > NAT_OUTSIDE || offload_from_vnet(&m->vnet, 0, &ret->off) < 0)
		return false;
	*ret_from = (enum nat_side)m->from;
	*e = (struct nat_errand){
		.flags = m->flags, .hops = m->hops, .longest = m->longest,
		.ruling = {
			.pass = true, .icmp = -1, .keep = (m->bits & M_KEEP) != 0,
			.has_dst = (m->bits & M_HAS_DST) != 0, .dport = m->dport,
			.max_mss = m->max_mss, .min_ttl = m->min_ttl,
			.no_df = (m->bits & M_NO_DF) != 0,
		},
	};
	if (m->af == AF_V4 || m->af == AF_V6)
		e->ruling.dst = addr_from_bytes(m->af, m->dst);
	return true;
}

bool errands_get(struct errands *e, enum nat_side *ret_from, struct io_packet *ret,
		 struct nat_errand *ret_errand)
{
	struct message m;
	struct iovec iov[2] = { { &m, sizeof(m) }, { e->buf, IO_PACKET_BYTES } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	for (;;) {
		const ssize_t n = recvmsg(e->from, &msg, MSG_DONTWAIT);

		if (n <= 0)
			return false;
		*ret = (struct io_packet){ .data = e->buf,
					   .len = (uint32_t)n - (uint32_t)sizeof(m) };
		if ((size_t)n > sizeof(m) && (msg.msg_flags & MSG_TRUNC) == 0 &&
		    read_message(&m, ret_from, ret, ret_errand))
			return true;
	}
}
