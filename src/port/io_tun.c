/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * TUN and TAP with a virtio header before each packet: the kernel hands over and
 * takes packets of 64 KiB with their checksums undone.  Each is a read() or a
 * write(); there is no call for several.  The device is made by opening it, and
 * goes with its descriptor, however we end.
 *
 * TAP has link headers, for those who look at its frames; neighbours it has none, as
 * it is a line between the host and us.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/calls.h"
#include "port/offload.h"
#include "port/socket.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20	/* Linux 6.2 */
#define TUN_F_USO6	0x40
#endif

#define SLOT_BYTES	66048u		/* a link header, the longest packet, whole cache lines */

NEEDS_CALL(readv)
NEEDS_CALL(writev)

/**
 * struct tun - An open device
 * @io:		What the others see
 * @l2:		Bytes of link header: TAP has one
 * @slots:	IO_BATCH of them
 */
struct tun {
	struct io io;
	uint32_t l2;
	uint8_t *slots;
};

static void tun_close(struct io *io)
{
	struct tun *t = (struct tun *)io;

	free(t->slots);
	base_fd_close(&io->fd);
	io_memory_end(t, sizeof(*t));
}

/* Nobody is on that link but the host and us: it asks nobody, and sends to its own address */
static int learn_tap(struct tun *t, int fd, const char *ifname)
{
	struct ifreq r = { 0 };
	const int err = socket_link(fd, ifname, &t->io);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	if (err < 0 || ioctl(fd, SIOCGIFFLAGS, &r) < 0)
		return err < 0 ? err : -errno;
	r.ifr_flags |= IFF_NOARP;
	return ioctl(fd, SIOCSIFFLAGS, &r) < 0 ? -errno : 0;
}

/* The MTU and the number of the device; a TAP's address too */
static int learn_link(struct tun *t, const char *ifname)
{
	struct ifreq r = { 0 };
	CLEANUP(base_fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (t->l2 > 0)
		return learn_tap(t, fd, ifname);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		return -errno;
	t->io.ifindex = (uint32_t)r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &r) < 0)
		return -errno;
	t->io.mtu_bytes = (uint32_t)r.ifr_mtu;
	return 0;
}

static int set_offloads(int fd)
{
	const unsigned int tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	const int header = sizeof(struct virtio_net_hdr);

	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	if (ioctl(fd, TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6) == 0 ||
	    ioctl(fd, TUNSETOFFLOAD, tso) == 0)
		return 0;
	return -errno;
}

static int make_device(struct tun *t, const char *ifname, unsigned int kind)
{
	struct ifreq r = { .ifr_flags = (short)(kind | IFF_NO_PI | IFF_VNET_HDR) };
	int err;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	t->io.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->io.fd < 0)
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	if (ioctl(t->io.fd, TUNSETIFF, &r) < 0)
		return -errno;
	err = set_offloads(t->io.fd);
	if (err == 0)
		err = learn_link(t, ifname);
	return err;
}

static int tun_probe(void)
{
	CLEANUP(base_fd_close) int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	unsigned int can;

	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? -EOPNOTSUPP : -errno;
	return ioctl(fd, TUNGETFEATURES, &can) < 0 ? -errno :
	       (can & IFF_VNET_HDR) != 0 ? 0 : -EOPNOTSUPP;
}

static int open_kind(const char *ifname, unsigned int kind, uint32_t l2, struct io **ret)
{
	struct tun *t = io_memory_new(sizeof(*t));
	int err;

	if (t == NULL)
		return -ENOMEM;
	t->io.fd = -1;
	t->io.has_offload = true;
	t->l2 = l2;
	t->slots = malloc((size_t)IO_BATCH * SLOT_BYTES);
	err = t->slots != NULL ? make_device(t, ifname, kind) : -ENOMEM;
	if (err < 0) {
		tun_close(&t->io);
		return err;
	}
	memset(t->slots, 0, (size_t)IO_BATCH * SLOT_BYTES);
	*ret = &t->io;
	return 0;
}

static int tun_open(const char *ifname, struct io **ret)
{
	return open_kind(ifname, IFF_TUN | IFF_TUN_EXCL, 0, ret);
}

static int tap_open(const char *ifname, struct io **ret)
{
	return open_kind(ifname, IFF_TAP | IFF_TUN_EXCL, IO_ETHER_BYTES, ret);
}

/* Queues of one device: the first open makes it, each further one is one queue more */
static int open_queues(const char *ifname, unsigned int kind, uint32_t l2, uint32_t n,
		       int prog, struct io **ret)
{
	int err = 0;

	for (uint32_t i = 0; i < n && err == 0; i++)
		err = open_kind(ifname, kind | IFF_MULTI_QUEUE | (i == 0 ? IFF_TUN_EXCL : 0), l2,
				&ret[i]);
	return err < 0 ? err : ioctl(ret[0]->fd, TUNSETSTEERINGEBPF, &prog) < 0 ? -errno : 0;
}

static int tun_several(const char *ifname, uint32_t n, int prog, struct io **ret)
{
	return open_queues(ifname, IFF_TUN, 0, n, prog, ret);
}

static int tap_several(const char *ifname, uint32_t n, int prog, struct io **ret)
{
	return open_queues(ifname, IFF_TAP, IO_ETHER_BYTES, n, prog, ret);
}

/* What a rule has led here from lo still has that link's header, of addresses that are 0 */
static bool is_from_lo(const uint8_t *frame, uint32_t len)
{
	static const uint8_t none[2 * IO_MAC_BYTES];

	return len > IO_ETHER_BYTES && memcmp(frame, none, sizeof(none)) == 0;
}

static bool take_frame(struct tun *t, uint8_t *frame, uint32_t len,
		       const struct virtio_net_hdr *vnet, struct io_packet *ret)
{
	const bool from_lo = is_from_lo(frame, len);
	const uint32_t l2 = from_lo ? IO_ETHER_BYTES : t->l2;

	if (t->l2 > 0 && !from_lo) {
		if (!socket_take(&t->io, frame, len, ret))
			return false;
	} else {
		*ret = (struct io_packet){ .data = frame + l2, .len = len - l2 };
	}
	if (ret->len > 0 && (ret->data[0] >> 4 == 4 || ret->data[0] >> 4 == 6))
		return offload_from_vnet(vnet, l2, &ret->off) == 0;
	t->io.n.rx_other++;
	return false;
}

static uint32_t tun_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct tun *t = (struct tun *)io;
	struct virtio_net_hdr vnet;
	uint32_t n = 0;

	for (uint32_t i = 0; i < IO_BATCH && n < max; i++) {
		uint8_t *slot = t->slots + (size_t)n * SLOT_BYTES;
		const struct iovec iov[2] = { { &vnet, sizeof(vnet) }, { slot, SLOT_BYTES } };
		const ssize_t len = readv(io->fd, iov, 2);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < (ssize_t)sizeof(vnet))
			break;
		n += take_frame(t, slot, (uint32_t)((size_t)len - sizeof(vnet)), &vnet, &v[n]);
	}
	return n;
}

static void tun_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	const struct tun *t = (const struct tun *)io;
	struct virtio_net_hdr vnet;
	uint8_t ether[IO_ETHER_BYTES];

	for (uint32_t i = 0; i < n; i++) {
		struct iovec iov[3] = {
			{ &vnet, sizeof(vnet) }, { ether, t->l2 }, { v[i].data, v[i].len },
		};

		memcpy(v[i].mac, io->mac, IO_MAC_BYTES);
		offload_to_vnet(&v[i], t->l2, &vnet);
		socket_ether(io, &v[i], ether);
		if (writev(io->fd, iov, 3) >= 0)
			io->n.tx++;
		else
			io->n.tx_refused++;
	}
}

const struct io_ops io_tun_ops = {
	.name = "tun",
	.needs = "/dev/net/tun and CAP_NET_ADMIN",
	.costs = "one call for each packet read or written; 4 MiB",
	.is_l3 = true,
	.probe = tun_probe,
	.open = tun_open, .several = tun_several, .rx = tun_rx, .tx = tun_tx, .close = tun_close,
};

const struct io_ops io_tap_ops = {
	.name = "tap",
	.needs = "/dev/net/tun and CAP_NET_ADMIN",
	.costs = "as tun, and a link header",
	.is_l3 = true,
	.probe = tun_probe,
	.open = tap_open, .several = tap_several, .rx = tun_rx, .tx = tun_tx, .close = tun_close,
};
