/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * PACKET_FANOUT: each frame goes to one socket of a group, by a program.  A socket
 * must be open to an interface before it can join, so the first frames of all may be
 * in several rings: they are thrown away, as nothing has been promised for them yet.
 */
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "port/socket.h"

#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000	/* Linux 6.1 */
#endif

#define DRAIN_MOST	(1u << 16)	/* frames; who sends faster than that has to wait */

/* A group of its own; without the flag, frames that go out are told apart by their address */
static int begin_group(int fd, uint32_t *ret_group)
{
	const uint32_t kind = PACKET_FANOUT_EBPF | PACKET_FANOUT_FLAG_UNIQUEID;
	uint32_t all = (kind | PACKET_FANOUT_FLAG_IGNORE_OUTGOING) << 16;
	socklen_t len = sizeof(all);

	if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &all, sizeof(all)) < 0) {
		all = kind << 16;
		if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &all, sizeof(all)) < 0)
			return -errno;
	}
	if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &all, &len) < 0)
		return -errno;
	*ret_group = all & ~((uint32_t)PACKET_FANOUT_FLAG_UNIQUEID << 16);
	return 0;
}

static int join(struct io *const *v, uint32_t n, int prog)
{
	uint32_t group;
	int err = begin_group(v[0]->fd, &group);

	if (err < 0)
		return err;
	for (uint32_t i = 1; i < n; i++)
		if (setsockopt(v[i]->fd, SOL_PACKET, PACKET_FANOUT, &group, sizeof(group)) < 0)
			return -errno;
	return setsockopt(v[0]->fd, SOL_PACKET, PACKET_FANOUT_DATA, &prog, sizeof(prog)) < 0
	       ? -errno : 0;
}

int socket_several(const struct io_ops *ops, const char *ifname, uint32_t n, int prog,
		   struct io **ret)
{
	struct io_packet some[IO_BATCH];
	int err = 0;

	for (uint32_t i = 0; i < n && err == 0; i++)
		err = ops->open(ifname, &ret[i]);
	if (err == 0)
		err = join(ret, n, prog);
	for (uint32_t i = 0; i < n && err == 0; i++)
		for (uint32_t k = 0; k < DRAIN_MOST / IO_BATCH; k++)
			if (ops->rx(ret[i], some, IO_BATCH) == 0)
				break;
	return err;
}
