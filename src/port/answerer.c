/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Proxy entries of the kernel's own neighbour tables were the alternative.  It
 * heeds them only where it forwards between interfaces, and the NAT exists so
 * that it need not; they would also outlive a process that is killed.
 *
 * A socket of its own, with a filter that lets only questions through: packets of
 * flows never pass here, and questions never pass the rings.
 */
#include "port/answerer.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "net/checksum.h"

#define ARP_BYTES	28u
#define ARP_ASKS	1u
#define ARP_ANSWERS	2u
#define IP6_BYTES	40u
#define ND_BYTES	32u		/* of a question or an answer with its option */
#define ND_SOLICIT	135u
#define ND_ADVERT	136u
#define ND_SOLICITED	0x60000000u	/* an answer, and it replaces what was known */
#define ND_OVERRIDE	0x20000000u
#define ICMP6		58u
#define FRAME_MOST	256u
#define AT_ONCE		64

NEEDS_CALL(read)
NEEDS_CALL(write)

static bool is_mine(const struct answerer *w, struct addr a)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (addr_equal(w->addrs[i], a))
			return true;
	return false;
}

static void put_ether(const struct answerer *w, const uint8_t *to, uint16_t type, uint8_t *out)
{
	memcpy(out, to, IO_MAC_BYTES);
	memcpy(out + IO_MAC_BYTES, w->io->mac, IO_MAC_BYTES);
	put16(out + 2 * IO_MAC_BYTES, type);
}

/* ---- ARP -------------------------------------------------------------------------- */

static uint32_t put_arp(const struct answerer *w, uint16_t op, struct addr a, const uint8_t *to_mac,
			const uint8_t *to_addr, uint8_t *out)
{
	uint8_t *arp = out + IO_ETHER_BYTES;

	put_ether(w, to_mac, ETH_P_ARP, out);
	put16(arp, 1);			/* Ethernet */
	put16(arp + 2, ETH_P_IP);
	arp[4] = IO_MAC_BYTES;
	arp[5] = 4;
	put16(arp + 6, op);
	memcpy(arp + 8, w->io->mac, IO_MAC_BYTES);
	addr_to_bytes(a, arp + 14);
	memcpy(arp + 18, to_mac, IO_MAC_BYTES);
	memcpy(arp + 24, to_addr, 4);
	return IO_ETHER_BYTES + ARP_BYTES;
}

static uint32_t reply_arp(const struct answerer *w, const uint8_t *arp, uint32_t len, uint8_t *out)
{
	struct addr a;

	if (len < ARP_BYTES || get16(arp) != 1 || get16(arp + 2) != ETH_P_IP ||
	    arp[4] != IO_MAC_BYTES || arp[5] != 4 || get16(arp + 6) != ARP_ASKS)
		return 0;
	a = addr_from_bytes(AF_V4, arp + 24);
	/* Who has our address and tells so is not asking */
	if (!is_mine(w, a) || memcmp(arp + 14, arp + 24, 4) == 0)
		return 0;
	return put_arp(w, ARP_ANSWERS, a, arp + 8, arp + 14, out);
}

/* ---- neighbour discovery ---------------------------------------------------------- */

static uint32_t put_advert(const struct answerer *w, struct addr a, uint32_t flags,
			   const uint8_t *to_mac, const uint8_t *to_addr, uint8_t *out)
{
	uint8_t *ip = out + IO_ETHER_BYTES, *nd = ip + IP6_BYTES;

	put_ether(w, to_mac, ETH_P_IPV6, out);
	memset(ip, 0, IP6_BYTES + ND_BYTES);
	ip[0] = 0x60;
	put16(ip + 4, ND_BYTES);
	ip[6] = ICMP6;
	ip[7] = 255;
	addr_to_bytes(a, ip + 8);
	memcpy(ip + 24, to_addr, 16);
	nd[0] = ND_ADVERT;
	put32(nd + 4, flags);
	addr_to_bytes(a, nd + 8);
	nd[24] = 2;			/* our link address, 8 bytes with this */
	nd[25] = 1;
	memcpy(nd + 26, w->io->mac, IO_MAC_BYTES);
	put16(nd + 2, csum_of(nd, ND_BYTES, csum_pseudo(ip, ICMP6, ND_BYTES)));
	return IO_ETHER_BYTES + IP6_BYTES + ND_BYTES;
}

static const uint8_t all_nodes_mac[] = { 0x33, 0x33, 0, 0, 0, 1 };
static const uint8_t all_nodes[16] = { 0xff, 2, [15] = 1 };

static uint32_t reply_nd(const struct answerer *w, const uint8_t *frame, uint32_t len, uint8_t *out)
{
	static const uint8_t nobody[16];
	const uint8_t *ip = frame + IO_ETHER_BYTES, *nd = ip + IP6_BYTES;
	struct addr a;

	/* From a neighbour: nothing with a lower limit has crossed no router */
	if (len < IO_ETHER_BYTES + IP6_BYTES + 24 || ip[0] >> 4 != 6 || ip[6] != ICMP6 ||
	    ip[7] != 255 || nd[0] != ND_SOLICIT || nd[1] != 0)
		return 0;
	a = addr_from_bytes(AF_V6, nd + 8);
	if (!is_mine(w, a))
		return 0;
	/* Who looks whether it is free has no address yet: all are told that it is not */
	if (memcmp(ip + 8, nobody, sizeof(nobody)) == 0)
		return put_advert(w, a, ND_OVERRIDE, all_nodes_mac, all_nodes, out);
	return put_advert(w, a, ND_SOLICITED, frame + IO_MAC_BYTES, ip + 8, out);
}

uint32_t answerer_reply(const struct answerer *w, const uint8_t *frame, uint32_t len, uint8_t *out)
{
	if (len < IO_ETHER_BYTES)
		return 0;
	if (get16(frame + 2 * IO_MAC_BYTES) == ETH_P_ARP)
		return reply_arp(w, frame + IO_ETHER_BYTES, len - IO_ETHER_BYTES, out);
	if (get16(frame + 2 * IO_MAC_BYTES) == ETH_P_IPV6)
		return reply_nd(w, frame, len, out);
	return 0;
}

/* ---- the socket ------------------------------------------------------------------- */

void answerer_tell(struct answerer *w)
{
	static const uint8_t all_mac[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t out[FRAME_MOST], bytes[16];
	uint32_t len;

	for (uint32_t i = 0; i < w->n; i++) {
		addr_to_bytes(w->addrs[i], bytes);
		len = w->addrs[i].af == AF_V4 ?
			put_arp(w, ARP_ASKS, w->addrs[i], all_mac, bytes, out) :
			put_advert(w, w->addrs[i], ND_OVERRIDE, all_nodes_mac, all_nodes, out);
		/* Who does not hear it will ask */
		(void)!write(w->fd, out, len);
	}
}

void answerer_hear(void *arg)
{
	struct answerer *w = arg;
	uint8_t frame[FRAME_MOST], out[FRAME_MOST];

	for (int i = 0; i < AT_ONCE; i++) {
		const ssize_t n = read(w->fd, frame, sizeof(frame));
		const uint32_t len = n > 0 ? answerer_reply(w, frame, (uint32_t)n, out) : 0;

		if (n < 0)
			return;
		if (len > 0 && write(w->fd, out, len) > 0)
			w->n_answers++;
	}
}

/* ARP, and ICMPv6 questions for neighbours */
static int filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2 * IO_MAC_BYTES),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 5, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IO_ETHER_BYTES + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IO_ETHER_BYTES + IP6_BYTES),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_SOLICIT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, FRAME_MOST),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

/* Questions for an IPv6 address go to a group that its last 24 bits name */
static int join(const struct answerer *w, struct addr a)
{
	struct packet_mreq m = {
		.mr_ifindex = (int)w->io->ifindex, .mr_type = PACKET_MR_MULTICAST,
		.mr_alen = IO_MAC_BYTES, .mr_address = { 0x33, 0x33, 0xff },
	};
	uint8_t bytes[16];

	if (a.af != AF_V6)
		return 0;
	addr_to_bytes(a, bytes);
	memcpy(m.mr_address + 3, bytes + 13, 3);
	return setsockopt(w->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)) < 0 ? -errno : 0;
}

static int listen_on(struct answerer *w)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)w->io->ifindex };
	const int yes = 1;
	int err;

	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return -errno;
	err = filter(w->fd);
	for (uint32_t i = 0; i < w->n && err == 0; i++)
		err = join(w, w->addrs[i]);
	put16((uint8_t *)&at.sll_protocol, ETH_P_ALL);
	if (err == 0 &&
	    (setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) < 0 ||
	     bind(w->fd, (const struct sockaddr *)&at, sizeof(at)) < 0))
		err = -errno;
	return err;
}

int answerer_open(struct answerer *w, const struct io *io, const struct addr *addrs, uint32_t n)
{
	int err;

	*w = (struct answerer){ .io = io, .fd = -1 };
	if (n > ANSWERER_MOST)
		return -E2BIG;
	w->n = n;
	memcpy(w->addrs, addrs, n * sizeof(*addrs));
	err = listen_on(w);
	if (err < 0)
		answerer_close(w);
	return err;
}

void answerer_close(struct answerer *w)
{
	base_fd_close(&w->fd);
}
