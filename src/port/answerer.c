/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Proxy entries of the kernel's own neighbour tables were the alternative.  It
 * heeds them only where it forwards between interfaces, and the NAT exists so
 * that it need not; they would also outlive a process that is killed.
 *
 * A socket of its own, with a filter that lets only questions through: packets of
 * flows never pass here, and questions never pass the rings.  A tagged frame is no
 * question for us, though the socket sees it without its tag: it is asked on another
 * network.
 *
 * Who says that one of our addresses is his is contradicted, once in a while (RFC 5227
 * 2.4 c), so that neighbours who believed it come back; and it is told, as nobody but
 * the administrator can say who is right.  What is said too soon after that is
 * contradicted later, not never: else who speaks twice would be believed.
 */
#include "port/answerer.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/calls.h"
#include "net/checksum.h"
#include "port/natloop.h"

#define ARP_BYTES	28u
#define ARP_ASKS	1u
#define ARP_ANSWERS	2u
#define IP6_BYTES	40u
#define ND_LEAST	24u		/* of one without options */
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

/* Its number among ours; not below w->n: it is none */
static uint32_t find(const struct answerer *w, struct addr a)
{
	uint32_t i = 0;

	while (i < w->n && !addr_equal(w->addrs[i], a))
		i++;
	return i;
}

static bool is_mine(const struct answerer *w, struct addr a)
{
	return find(w, a) < w->n;
}

static bool is_group(const uint8_t *mac)
{
	return (mac[0] & 1) != 0;
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

/* The addresses of an ARP packet whose sender is one; false: it is none */
static bool read_arp(const uint8_t *arp, uint32_t len, struct addr *ret_from, struct addr *ret_to)
{
	if (len < ARP_BYTES || get16(arp) != 1 || get16(arp + 2) != ETH_P_IP ||
	    arp[4] != IO_MAC_BYTES || arp[5] != 4 || is_group(arp + 8))
		return false;
	*ret_from = addr_from_bytes(AF_V4, arp + 14);
	*ret_to = addr_from_bytes(AF_V4, arp + 24);
	return true;
}

static uint32_t reply_arp(const struct answerer *w, const uint8_t *arp, uint32_t len, uint8_t *out)
{
	struct addr from, to;

	/* Who speaks in our name is not answered */
	if (!read_arp(arp, len, &from, &to) || get16(arp + 6) != ARP_ASKS || !is_mine(w, to) ||
	    is_mine(w, from))
		return 0;
	return put_arp(w, ARP_ANSWERS, to, arp + 8, arp + 14, out);
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

/*
 * A question or an answer that one may believe (RFC 4861 7.1): from a neighbour, as
 * nothing with a lower limit has crossed no router, and whole
 */
static bool read_nd(const uint8_t *frame, uint32_t len, struct addr *ret_from, struct addr *ret_of)
{
	const uint8_t *ip = frame + IO_ETHER_BYTES, *nd = ip + IP6_BYTES;
	uint32_t nd_len;

	if (len < IO_ETHER_BYTES + IP6_BYTES + ND_LEAST || is_group(frame + IO_MAC_BYTES) ||
	    ip[0] >> 4 != 6 || ip[6] != ICMP6 || ip[7] != 255 || nd[1] != 0)
		return false;
	nd_len = get16(ip + 4);
	if (nd_len < ND_LEAST || nd_len > len - IO_ETHER_BYTES - IP6_BYTES ||
	    csum_of(nd, nd_len, csum_pseudo(ip, ICMP6, nd_len)) != 0)
		return false;
	*ret_from = addr_from_bytes(AF_V6, ip + 8);
	*ret_of = addr_from_bytes(AF_V6, nd + 8);
	return !addr_is_multicast(*ret_from);
}

static uint32_t reply_nd(const struct answerer *w, const uint8_t *frame, uint32_t len, uint8_t *out)
{
	const uint8_t *ip = frame + IO_ETHER_BYTES;
	struct addr from, of;

	if (!read_nd(frame, len, &from, &of) || ip[IP6_BYTES] != ND_SOLICIT || !is_mine(w, of) ||
	    is_mine(w, from))
		return 0;
	/* Who looks whether it is free has no address yet: all are told that it is not */
	if (from.v == 0)
		return put_advert(w, of, ND_OVERRIDE, all_nodes_mac, all_nodes, out);
	return put_advert(w, of, ND_SOLICITED, frame + IO_MAC_BYTES, ip + 8, out);
}

static uint16_t type_of(const uint8_t *frame)
{
	return get16(frame + 2 * IO_MAC_BYTES);
}

uint32_t answerer_reply(const struct answerer *w, const uint8_t *frame, uint32_t len, uint8_t *out)
{
	if (len < IO_ETHER_BYTES)
		return 0;
	if (type_of(frame) == ETH_P_ARP)
		return reply_arp(w, frame + IO_ETHER_BYTES, len - IO_ETHER_BYTES, out);
	return type_of(frame) == ETH_P_IPV6 ? reply_nd(w, frame, len, out) : 0;
}

/* The address that a frame says its sender has; AF_NONE: it says none */
static struct addr told_by(const uint8_t *frame, uint32_t len)
{
	const struct addr none = { AF_NONE, 0 };
	struct addr from, of;

	if (len < IO_ETHER_BYTES)
		return none;
	if (type_of(frame) == ETH_P_ARP)
		return read_arp(frame + IO_ETHER_BYTES, len - IO_ETHER_BYTES, &from, &of) ? from
											  : none;
	if (type_of(frame) != ETH_P_IPV6 || !read_nd(frame, len, &from, &of))
		return none;
	return frame[IO_ETHER_BYTES + IP6_BYTES] == ND_ADVERT ? of : from;
}

/* What all are told of an address; its length */
static uint32_t put_word(const struct answerer *w, struct addr a, uint8_t *out)
{
	static const uint8_t all_mac[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint8_t bytes[16];

	addr_to_bytes(a, bytes);
	return a.af == AF_V4 ? put_arp(w, ARP_ASKS, a, all_mac, bytes, out) :
	       put_advert(w, a, ND_OVERRIDE, all_nodes_mac, all_nodes, out);
}

bool answerer_is_rival(const struct answerer *w, const uint8_t *frame, uint32_t len,
		       uint32_t *ret_idx)
{
	const struct addr a = told_by(frame, len);
	uint8_t own[FRAME_MOST];
	uint32_t own_len;

	if (a.af == AF_NONE || !is_mine(w, a))
		return false;
	/* Our own word, that some link brings back */
	own_len = put_word(w, a, own);
	if (len >= own_len && memcmp(frame, own, own_len) == 0)
		return false;
	*ret_idx = find(w, a);
	return true;
}

/* ---- the socket ------------------------------------------------------------------- */

static void tell_one(struct answerer *w, struct addr a)
{
	uint8_t out[FRAME_MOST];
	const uint32_t len = put_word(w, a, out);

	/* Who does not hear it will ask */
	(void)!write(w->fd, out, len);
}

void answerer_tell(struct answerer *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		tell_one(w, w->addrs[i]);
}

static void defend(struct answerer *w, uint32_t idx, uint64_t now_ns)
{
	w->defended_ns[idx] = now_ns;
	w->is_owed[idx] = false;
	tell_one(w, w->addrs[idx]);
}

static bool is_too_soon(const struct answerer *w, uint32_t idx, uint64_t now_ns)
{
	return w->defended_ns[idx] != 0 && now_ns - w->defended_ns[idx] < ANSWERER_DEFEND_NS;
}

void answerer_contradict(struct answerer *w, uint32_t idx, const uint8_t *frame, uint64_t now_ns)
{
	const uint8_t *m = frame + IO_MAC_BYTES;
	char line[128], text[ADDR_TEXT_BYTES];

	w->is_owed[idx] |= is_too_soon(w, idx, now_ns);
	if (w->is_owed[idx])
		return;
	snprintf(line, sizeof(line), "%02x:%02x:%02x:%02x:%02x:%02x says on %s that it has %s",
		 m[0], m[1], m[2], m[3], m[4], m[5], w->io->name,
		 addr_print(w->addrs[idx], text));
	w->tell(w->arg, line);
	defend(w, idx, now_ns);
}

void answerer_tick(struct answerer *w, uint64_t now_ns)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->is_owed[i] && !is_too_soon(w, i, now_ns))
			defend(w, i, now_ns);
}

void answerer_hear(void *arg)
{
	struct answerer *w = arg;
	uint8_t frame[FRAME_MOST], out[FRAME_MOST];
	uint32_t idx;

	for (int i = 0; i < AT_ONCE; i++) {
		const ssize_t n = read(w->fd, frame, sizeof(frame));
		const uint32_t len = n > 0 ? answerer_reply(w, frame, (uint32_t)n, out) : 0;

		if (n < 0)
			return;
		if (answerer_is_rival(w, frame, (uint32_t)n, &idx))
			answerer_contradict(w, idx, frame, natloop_now());
		if (len > 0 && write(w->fd, out, len) > 0)
			w->n_answers++;
	}
}

/* ARP, and neighbours' questions and answers of ICMPv6, without a tag */
static int filter(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 9),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2 * IO_MAC_BYTES),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 6, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 6),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IO_ETHER_BYTES + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6, 0, 4),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, IO_ETHER_BYTES + IP6_BYTES),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_SOLICIT, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ND_ADVERT, 0, 1),
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

	w->io = io;
	w->fd = -1;
	w->n = 0;
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
