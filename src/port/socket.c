/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/socket.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "net/wire.h"
#include "port/offload.h"

#define ETHERTYPE_IP4	0x0800u
#define ETHERTYPE_IP6	0x86ddu
#define ETHERTYPE_AT	12u
#define SEND_BYTES	(8 << 20)	/* that may wait in the interface's queue */

NEEDS_CALL(sendmmsg)
NEEDS_CALL(getsockopt)

int socket_packet(void)
{
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int socket_link(int fd, const char *ifname, struct io *io)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFINDEX, &r) < 0)
		return -errno;
	io->ifindex = (uint32_t)r.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &r) < 0)
		return -errno;
	io->mtu_bytes = (uint32_t)r.ifr_mtu;
	if (ioctl(fd, SIOCGIFHWADDR, &r) < 0)
		return -errno;
	if (r.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EMEDIUMTYPE;
	memcpy(io->mac, r.ifr_hwaddr.sa_data, IO_MAC_BYTES);
	return 0;
}

int socket_start(int fd, uint32_t ifindex)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = (int)ifindex };
	const int bytes = SEND_BYTES, yes = 1;

	/* Neither is worth refusing for: smaller queues, and frames that are told apart */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) < 0)
		return -errno;
	put16((uint8_t *)&to.sll_protocol, ETH_P_ALL);
	return bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

int socket_probe(void)
{
	const int version = TPACKET_V3, yes = 1;
	CLEANUP(base_fd_close) int fd = socket_packet();

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) < 0)
		return errno == ENOPROTOOPT ? -EOPNOTSUPP : -errno;
	return 0;
}

static int make_ring(int fd, const struct socket_ring *how, uint8_t **ret_map)
{
	const int yes = 1;
	void *map;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &how->version, sizeof(how->version)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, how->req, how->req_len) < 0)
		return -errno;
	map = mmap(NULL, how->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	*ret_map = map;
	return 0;
}

int socket_ring_open(struct io *io, const char *ifname, const struct socket_ring *how,
		     uint8_t **ret_map)
{
	int err = io->fd = io->packet_fd = socket_packet();

	io->has_offload = true;
	if (err >= 0)
		err = socket_link(io->fd, ifname, io);
	if (err >= 0)
		err = make_ring(io->fd, how, ret_map);
	return err >= 0 ? socket_start(io->fd, io->ifindex) : err;
}

void socket_ring_close(struct io *io, uint8_t *map, size_t bytes)
{
	if (map != NULL)
		munmap(map, bytes);
	base_fd_close(&io->fd);
}

bool socket_ring_take(struct io *io, uint8_t *frame, uint32_t len, uint32_t status,
		      struct io_packet *ret)
{
	struct virtio_net_hdr vnet;

	if ((status & (TP_STATUS_VLAN_VALID | TP_STATUS_COPY)) != 0) {
		io->n.rx_other++;
		return false;
	}
	if (!socket_take(io, frame, len, ret))
		return false;
	memcpy(&vnet, frame - sizeof(vnet), sizeof(vnet));
	return offload_from_vnet(&vnet, IO_ETHER_BYTES, &ret->off) == 0;
}

void socket_count_lost(struct io *io)
{
	struct tpacket_stats_v3 st = { .tp_drops = 0 };
	socklen_t len = sizeof(st);

	if (getsockopt(io->fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == 0)
		io->n.rx_lost += st.tp_drops;
}

void io_error(struct io *io)
{
	int err = 0;
	socklen_t len = sizeof(err);

	/* That an interface is down is told by netlink; a TUN device is no socket, and has none */
	(void)getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (io->also_fd > 0)
		(void)getsockopt(io->also_fd, SOL_SOCKET, SO_ERROR, &err, &len);
}

bool socket_take(struct io *io, uint8_t *frame, uint32_t len, struct io_packet *ret)
{
	const uint16_t type = len > IO_ETHER_BYTES ? get16(frame + ETHERTYPE_AT) : 0;

	if ((type != ETHERTYPE_IP4 && type != ETHERTYPE_IP6) ||
	    memcmp(frame, io->mac, IO_MAC_BYTES) != 0) {
		io->n.rx_other++;
		return false;
	}
	ret->data = frame + IO_ETHER_BYTES;
	ret->len = len - IO_ETHER_BYTES;
	ret->is_short = false;
	ret->off = (struct io_offload){ 0 };
	memcpy(ret->mac, frame + IO_MAC_BYTES, IO_MAC_BYTES);
	return true;
}

/* What stands before a packet that is sent */
struct head {
	struct virtio_net_hdr vnet;
	uint8_t ether[IO_ETHER_BYTES];
};

_Static_assert(sizeof(struct head) == sizeof(struct virtio_net_hdr) + IO_ETHER_BYTES,
	       "nothing between the two");

void socket_ether(const struct io *io, const struct io_packet *p, uint8_t *ret)
{
	memcpy(ret, p->mac, IO_MAC_BYTES);
	memcpy(ret + IO_MAC_BYTES, io->mac, IO_MAC_BYTES);
	put16(ret + ETHERTYPE_AT, p->data[0] >> 4 == 4 ? ETHERTYPE_IP4 : ETHERTYPE_IP6);
}

void socket_tx(struct io *io, const struct io_packet *v, uint32_t n, bool has_vnet)
{
	struct head heads[IO_BATCH];
	struct iovec iov[IO_BATCH][2];
	struct mmsghdr msgs[IO_BATCH];
	uint32_t done = 0;

	for (uint32_t i = 0; i < n; i++) {
		offload_to_vnet(&v[i], IO_ETHER_BYTES, &heads[i].vnet);
		socket_ether(io, &v[i], heads[i].ether);
		iov[i][0] = has_vnet ? (struct iovec){ &heads[i], sizeof(heads[i]) } :
				       (struct iovec){ heads[i].ether, IO_ETHER_BYTES };
		iov[i][1] = (struct iovec){ v[i].data, v[i].len };
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = iov[i], .msg_iovlen = 2 } };
	}
	while (done < n) {
		const int sent = sendmmsg(io->fd, msgs + done, n - done, MSG_DONTWAIT);

		if (sent > 0) {
			done += (uint32_t)sent;
			io->n.tx += (uint32_t)sent;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno == EMSGSIZE)
			io->n.tx_too_big++;
		else
			io->n.tx_refused++;
		done++;
	}
}
