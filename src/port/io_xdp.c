/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A socket of AF_XDP gets a frame before the kernel has made a packet of it, and
 * sends without a look at queues: fastest for small packets.  But it knows no frames
 * of 64 KiB and no checksums left undone, and what it gets nobody else does.  So a
 * program (host/xdp.h) picks what is for the NAT alone, whole and short, and beside
 * it a packet socket (io_packet.c) sees all else: bulk and what comes from this host
 * stays with the offloads, and ICMP, fragments and the host's own with the kernel.
 * What has a lane is passed too; but short packets alone make none for a flow.  They are
 * carried faster here, where another processor than the sender's does half of the work
 * (bench-live small64, LIVE_REALTIME=1: 1.5 times what nft masquerade carried, by lanes 1.2).  With
 * no processor to spare lanes would be faster: they need half of the time.
 *
 * A lane does not begin in the program itself (XDP_REDIRECT), though that alone reached
 * 1.5 too: in SKB mode it does not see a VLAN tag that stands beside the frame, so a jail
 * could send tagged ones out.  For the same reason short tagged frames are taken here as if
 * they had no tag, those of a VLAN interface above this one too, where a ring leaves them
 * alone: this way is not for an interface with VLANs.  Both sockets are waited for by
 * themselves: epoll(7) would be called back for each packet, also while nobody waits
 * (1.3 instead of 1.5).
 *
 * One queue, the first; what comes by others goes by the packet socket too.  The
 * kernel copies (XDP_COPY): a veth has no other way, and a driver that has one would
 * take all its queues for it.  Where the driver can run the program itself it does,
 * but for veth, which would give up its offloads for that.
 *
 * Frames have one place for good, in received and in sent ones: what is received is
 * changed there, and copied when it is sent, which for short packets costs less than
 * memory shared by two sockets would.
 */
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "host/xdp.h"
#include "port/offload.h"
#include "port/socket.h"

#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#ifndef AF_XDP
#define AF_XDP 44
#endif

#define FRAME_BYTES	2048u
#define N_FRAMES	2048u		/* received, and as many to be sent; a power of two */
#define UMEM_BYTES	((size_t)2 * N_FRAMES * FRAME_BYTES)
#define SHORT_BYTES	256u		/* frames up to which a copy costs less than a lane */
#define RING_PART	4u		/* of a batch, one part is the packet socket's */
#define KICKS		8u		/* of a full queue, before the rest is given up */

NEEDS_CALL(sendto)

enum { RING_FILL, RING_DONE, RING_RX, RING_TX, N_RINGS };

/**
 * struct xring - A ring that is shared with the kernel
 * @map:	Its memory
 * @bytes:	How much
 * @producer:	Counter of who puts in
 * @consumer:	Counter of who takes out
 * @slots:	Addresses (fill, done) or struct xdp_desc (rx, tx)
 */
struct xring {
	void *map;
	size_t bytes;
	uint32_t *producer;
	uint32_t *consumer;
	void *slots;
};

/**
 * struct xdp - An open socket of AF_XDP and a packet socket
 * @io:		What the others see
 * @ring:	The packet socket
 * @fd:		The socket of AF_XDP
 * @sockets:	Map that leads to it
 * @link:	What the program is attached by
 * @umem:	Frames
 * @rings:	By RING_*
 * @free:	Frames to be sent that are free, addresses
 * @n_free:	How many
 * @n_held:	Frames that the caller still reads
 * @held:	Their addresses
 */
struct xdp {
	struct io io;
	struct io *ring;
	int fd;
	int sockets;
	int link;
	uint8_t *umem;
	struct xring rings[N_RINGS];
	uint64_t free[N_FRAMES];
	uint32_t n_free;
	uint32_t n_held;
	uint64_t held[IO_BATCH];
};

/* ---- rings ---------------------------------------------------------------------- */

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static uint64_t *addr_at(const struct xring *r, uint32_t i)
{
	return (uint64_t *)r->slots + i % N_FRAMES;
}

static struct xdp_desc *desc_at(const struct xring *r, uint32_t i)
{
	return (struct xdp_desc *)r->slots + i % N_FRAMES;
}

static void put_addr(struct xring *r, uint64_t addr)
{
	const uint32_t at = *r->producer;

	*addr_at(r, at) = addr;
	__atomic_store_n(r->producer, at + 1, __ATOMIC_RELEASE);
}

static int map_ring(struct xdp *x, int which, const struct xdp_ring_offset *at, uint64_t offset,
		    size_t slot_bytes)
{
	struct xring *r = &x->rings[which];
	const size_t bytes = at->desc + N_FRAMES * slot_bytes;
	uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd,
			    (off_t)offset);

	if (map == MAP_FAILED)
		return -errno;
	*r = (struct xring){
		.map = map, .bytes = bytes, .producer = (uint32_t *)(void *)(map + at->producer),
		.consumer = (uint32_t *)(void *)(map + at->consumer), .slots = map + at->desc,
	};
	return 0;
}

static int make_rings(struct xdp *x)
{
	static const int options[N_RINGS] = {
		[RING_FILL] = XDP_UMEM_FILL_RING, [RING_DONE] = XDP_UMEM_COMPLETION_RING,
		[RING_RX] = XDP_RX_RING, [RING_TX] = XDP_TX_RING,
	};
	const struct xdp_umem_reg reg = {
		.addr = (uint64_t)(uintptr_t)x->umem, .len = UMEM_BYTES, .chunk_size = FRAME_BYTES,
	};
	const int n = N_FRAMES;
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	int err;

	if (setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)) < 0)
		return -errno;
	for (int i = 0; i < N_RINGS; i++)
		if (setsockopt(x->fd, SOL_XDP, options[i], &n, sizeof(n)) < 0)
			return -errno;
	if (getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) < 0)
		return -errno;
	err = map_ring(x, RING_FILL, &off.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t));
	if (err == 0)
		err = map_ring(x, RING_DONE, &off.cr, XDP_UMEM_PGOFF_COMPLETION_RING,
			       sizeof(uint64_t));
	if (err == 0)
		err = map_ring(x, RING_RX, &off.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc));
	return err == 0 ? map_ring(x, RING_TX, &off.tx, XDP_PGOFF_TX_RING,
				   sizeof(struct xdp_desc)) : err;
}

/* ---- open ------------------------------------------------------------------------ */

static void xdp_close(struct io *io)
{
	struct xdp *x = (struct xdp *)io;

	base_fd_close(&x->link);
	base_fd_close(&x->sockets);
	for (int i = 0; i < N_RINGS; i++)
		if (x->rings[i].map != NULL)
			munmap(x->rings[i].map, x->rings[i].bytes);
	base_fd_close(&x->fd);
	io_memory_end(x->umem, UMEM_BYTES);
	if (x->ring != NULL)
		x->ring->ops->close(x->ring);
	io_memory_end(x, sizeof(*x));
}

/* Does a driver run programs itself, and lose nothing by it */
static bool has_driver(int fd, const char *ifname)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq r = { .ifr_data = (char *)&info };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	return ioctl(fd, SIOCETHTOOL, &r) == 0 && strcmp(info.driver, "veth") != 0;
}

static int open_socket(struct xdp *x)
{
	struct sockaddr_xdp to = {
		.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY, .sxdp_ifindex = x->io.ifindex,
	};
	int err;

	x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd < 0)
		return errno == EAFNOSUPPORT ? -EOPNOTSUPP : -errno;
	err = make_rings(x);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < N_FRAMES; i++) {
		put_addr(&x->rings[RING_FILL], (uint64_t)i * FRAME_BYTES);
		x->free[x->n_free++] = (uint64_t)(N_FRAMES + i) * FRAME_BYTES;
	}
	if (bind(x->fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	x->sockets = xdp_map_sockets();
	return x->sockets < 0 ? x->sockets : xdp_map_put(x->sockets, 0, x->fd);
}

/* A program that passes all: the place for others, kept by a descriptor that is there for good */
static int attach(struct xdp *x, bool has_driver)
{
	const struct claim none = { .n_addrs = 0 };
	const struct xdp_how how = { .claim = &none, .sockets = x->sockets };
	CLEANUP(base_fd_close) int prog = -1;
	CLEANUP(arena_fini) struct arena a;

	arena_init(&a, 4u << 20);
	prog = xdp_load(&how, &a);
	if (prog < 0)
		return prog;
	x->link = -EOPNOTSUPP;
	if (has_driver)
		x->link = xdp_attach(x->io.ifindex, XDP_FLAGS_DRV_MODE, prog);
	if (x->link < 0 && x->link != -EBUSY)
		x->link = xdp_attach(x->io.ifindex, XDP_FLAGS_SKB_MODE, prog);
	return MIN(x->link, 0);
}

static int xdp_open(const char *ifname, struct io **ret)
{
	struct xdp *x = io_memory_new(sizeof(*x));
	int err;

	if (x == NULL)
		return -ENOMEM;
	x->fd = x->sockets = x->link = -1;
	err = io_packet_ops.open(ifname, &x->ring);
	if (err == 0) {
		x->ring->ops = &io_packet_ops;
		x->io.ifindex = x->ring->ifindex;
		x->io.mtu_bytes = x->ring->mtu_bytes;
		memcpy(x->io.mac, x->ring->mac, IO_MAC_BYTES);
		x->io.has_offload = true;
		x->io.packet_fd = x->ring->fd;
		x->umem = io_memory_new(UMEM_BYTES);
		err = x->umem != NULL ? open_socket(x) : -ENOMEM;
	}
	if (err == 0)
		err = attach(x, has_driver(x->ring->fd, ifname));
	if (err < 0) {
		xdp_close(&x->io);
		return err;
	}
	x->io.fd = x->fd;
	x->io.also_fd = x->ring->fd;
	*ret = &x->io;
	return 0;
}

static int xdp_claim(struct io *io, const struct claim *claim, bool is_inside)
{
	const struct xdp *x = (const struct xdp *)io;
	struct xdp_how how = { .claim = claim, .is_inside = is_inside, .sockets = x->sockets,
			       .lanes = io->lane_map };
	CLEANUP(base_fd_close) int prog = -1;
	CLEANUP(arena_fini) struct arena a;

	memcpy(how.mac, io->mac, IO_MAC_BYTES);
	memcpy(how.lane_key, io->lane_key, sizeof(how.lane_key));
	arena_init(&a, 4u << 20);
	prog = xdp_load(&how, &a);
	return prog < 0 ? prog : xdp_replace(x->link, prog);
}

static int xdp_probe(void)
{
	CLEANUP(base_fd_close) int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	CLEANUP(base_fd_close) int map = -1;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? -EOPNOTSUPP : -errno;
	map = xdp_map_sockets();
	return map < 0 ? map : socket_probe();
}

/* ---- packets --------------------------------------------------------------------- */

static void give_back(struct xdp *x)
{
	for (uint32_t i = 0; i < x->n_held; i++)
		put_addr(&x->rings[RING_FILL], x->held[i]);
	x->n_held = 0;
}

/* Of the frames that the program has picked; frames of others count too */
static uint32_t take_picked(struct xdp *x, struct io_packet *v, uint32_t max)
{
	struct xring *rx = &x->rings[RING_RX];
	const uint32_t end = load(rx->producer);
	uint32_t n = 0, at = *rx->consumer;

	for (; at != end && n < max && x->n_held < IO_BATCH; at++) {
		const struct xdp_desc *d = desc_at(rx, at);

		/* It begins somewhere in its frame, which is given back whole */
		x->held[x->n_held++] = d->addr - d->addr % FRAME_BYTES;
		if (socket_take(&x->io, x->umem + d->addr, d->len, &v[n]))
			v[n++].is_short = d->len <= SHORT_BYTES;
	}
	__atomic_store_n(rx->consumer, at, __ATOMIC_RELEASE);
	return n;
}

/* However many short packets there are, a part of each batch is the packet socket's */
static uint32_t xdp_rx(struct io *io, struct io_packet *v, uint32_t max)
{
	struct xdp *x = (struct xdp *)io;
	uint32_t n;

	give_back(x);
	n = take_picked(x, v, max - max / RING_PART);
	if (n == max)
		return n;
	memcpy(x->ring->mac, io->mac, IO_MAC_BYTES);
	n += x->ring->ops->rx(x->ring, v + n, max - n);
	io->n.rx_lost += x->ring->n.rx_lost;
	io->n.rx_other += x->ring->n.rx_other;
	x->ring->n = (struct io_counts){ .rx = 0 };
	return n + take_picked(x, v + n, max - n);
}

/* Frames that were sent are free again */
static void reap(struct xdp *x)
{
	struct xring *done = &x->rings[RING_DONE];
	const uint32_t end = load(done->producer);
	uint32_t at = *done->consumer;

	for (; at != end && x->n_free < N_FRAMES; at++)
		x->free[x->n_free++] = *addr_at(done, at) - *addr_at(done, at) % FRAME_BYTES;
	__atomic_store_n(done->consumer, at, __ATOMIC_RELEASE);
}

/* The kernel sends some at a time, and says so */
static void kick(struct xdp *x)
{
	const struct xring *tx = &x->rings[RING_TX];

	for (uint32_t i = 0; i < KICKS && load(tx->consumer) != *tx->producer; i++)
		if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EBUSY && errno != EINTR)
			return;
	reap(x);
}

static bool is_short(const struct io_packet *p)
{
	return !p->off.is_partial && p->off.gso == IO_GSO_NONE &&
	       p->len + IO_ETHER_BYTES <= XDP_FRAME_BYTES;
}

/* Short packets from the first on, as many as there are frames for; how many */
static uint32_t send_short(struct xdp *x, const struct io_packet *v, uint32_t n)
{
	struct xring *tx = &x->rings[RING_TX];
	uint32_t at = *tx->producer, i;

	for (i = 0; i < n && x->n_free > 0 && is_short(&v[i]); i++) {
		const uint64_t addr = x->free[--x->n_free];

		socket_ether(&x->io, &v[i], x->umem + addr);
		memcpy(x->umem + addr + IO_ETHER_BYTES, v[i].data, v[i].len);
		*desc_at(tx, at++) = (struct xdp_desc){ addr, IO_ETHER_BYTES + v[i].len, 0 };
	}
	if (i == 0)
		return 0;
	__atomic_store_n(tx->producer, at, __ATOMIC_RELEASE);
	kick(x);
	x->io.n.tx += i;
	return i;
}

static void xdp_tx(struct io *io, struct io_packet *v, uint32_t n)
{
	struct xdp *x = (struct xdp *)io;

	for (uint32_t i = 0, other; i < n; i += other) {
		i += send_short(x, v + i, n - i);
		/* The others up to the next short one; without a frame it is one of them */
		for (other = 0; i + other < n && (other == 0 || !is_short(&v[i + other]));)
			other++;
		if (other == 0)
			break;
		memcpy(x->ring->mac, io->mac, IO_MAC_BYTES);
		x->ring->ops->tx(x->ring, v + i, other);
		io->n.tx += x->ring->n.tx;
		io->n.tx_refused += x->ring->n.tx_refused;
		io->n.tx_too_big += x->ring->n.tx_too_big;
		x->ring->n = (struct io_counts){ .rx = 0 };
	}
}

const struct io_ops io_xdp_ops = {
	.name = "xdp",
	.needs = "CAP_BPF and CAP_NET_ADMIN, Linux 5.9, no other XDP program and no VLANs there",
	.costs = "40 MiB; every frame is looked at twice, and copied where it is long",
	.probe = xdp_probe,
	.open = xdp_open, .rx = xdp_rx, .tx = xdp_tx, .claim = xdp_claim, .close = xdp_close,
};
