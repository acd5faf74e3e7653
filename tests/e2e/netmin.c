/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netmin - the least that a NAT in userspace can do, to measure others by
 *
 *	netmin INSIDE OUTSIDE CLIENT ADDRESS CLIENT-MAC SERVER-MAC READY-FD
 *		What comes by INSIDE from CLIENT leaves by OUTSIDE with ADDRESS,
 *		its ports kept, and back.  IPv4, TCP and UDP
 *
 * A packet socket with a ring of version 2 and virtio headers on each side; one
 * look into a table of flows, addresses and checksums changed in place, sent from
 * the ring itself.  No states, no times, no fragments, no ICMP, no rules.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH		64
#define SLOT_BYTES	(69632u + 192u)
#define BLOCK_BYTES	(1u << 20)
#define BLOCK_SLOTS	(BLOCK_BYTES / SLOT_BYTES)
#define BLOCKS		32u
#define SLOTS		(BLOCKS * BLOCK_SLOTS)
#define FLOWS		(1u << 18)
#define IP		ETH_HLEN
#define TCP_CSUM	16
#define UDP_CSUM	6

struct side {
	int fd;
	uint8_t *map;
	uint32_t next;
	uint8_t head[12];	/* of frames that leave here: to whom, from whom */
};

struct flow {
	uint32_t peer;
	uint32_t ports;
	uint8_t proto;
	bool is_used;
};

static struct flow flows[FLOWS];
static struct side sides[2];
static uint32_t addr[2];	/* the client's, ours; as they lie in packets */

static int die(const char *what)
{
	perror(what);
	exit(1);
}

static void set_up(struct side *s, const char *ifname)
{
	const struct tpacket_req req = { BLOCK_BYTES, BLOCKS, SLOT_BYTES, SLOTS };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int version = TPACKET_V2, yes = 1, bytes = 8 << 20;

	s->fd = socket(AF_PACKET, SOCK_RAW, 0);
	at.sll_ifindex = (int)if_nametoindex(ifname);
	if (s->fd < 0 ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_VNET_HDR, &yes, sizeof(yes)) < 0 ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0 ||
	    setsockopt(s->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes)) < 0 ||
	    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		die(ifname);
	s->map = mmap(NULL, (size_t)BLOCKS * BLOCK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_POPULATE, s->fd, 0);
	if (s->map == MAP_FAILED || bind(s->fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(ifname);
}

static struct tpacket2_hdr *slot_at(const struct side *s, uint32_t i)
{
	return (struct tpacket2_hdr *)(void *)(s->map + (size_t)(i / BLOCK_SLOTS) * BLOCK_BYTES +
					       (size_t)(i % BLOCK_SLOTS) * SLOT_BYTES);
}

/* Is there such a flow; one from the client is entered */
static bool look_up(uint8_t proto, uint32_t peer, uint32_t ports, bool from_client)
{
	const uint64_t h = ((uint64_t)peer << 32 | (ports ^ proto)) * UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t i = (uint32_t)(h >> 40); ; i++) {
		struct flow *f = &flows[i % FLOWS];

		if (f->is_used && f->peer == peer && f->ports == ports && f->proto == proto)
			return true;
		if (f->is_used)
			continue;
		if (from_client)
			*f = (struct flow){ peer, ports, proto, true };
		return from_client;
	}
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* RFC 1624, equation 3; a sum that is not complemented yet changes the other way */
static void change(uint8_t *field, uint32_t was, uint32_t is, bool is_partial)
{
	uint32_t sum;
	uint16_t c;

	memcpy(&c, field, 2);
	was = (was & 0xffff) + (was >> 16);
	is = (is & 0xffff) + (is >> 16);
	sum = (is_partial ? c : (uint16_t)~c) + (uint16_t)~fold(was) + (uint32_t)fold(is);
	c = is_partial ? fold(sum) : (uint16_t)~fold(sum);
	memcpy(field, &c, 2);
}

/* Translate a frame that came by a side; false: it is none of ours */
static bool translate(uint8_t *frame, uint32_t len, int from)
{
	const struct virtio_net_hdr *vnet = (void *)(frame - sizeof(*vnet));
	const bool is_partial = (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
	uint8_t *ip = frame + IP, *l4 = ip + 20, *mine = ip + (from == 0 ? 12 : 16);
	const uint32_t csum = ip[9] == IPPROTO_TCP ? TCP_CSUM : UDP_CSUM;
	uint32_t peer, ports, a;

	memcpy(&a, mine, 4);
	if (len < IP + 20 + csum + 2 || frame[12] != 8 || frame[13] != 0 || ip[0] != 0x45 ||
	    (ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP) || a != addr[from])
		return false;
	memcpy(&peer, ip + (from == 0 ? 16 : 12), 4);
	memcpy(&ports, l4, 4);
	if (!look_up(ip[9], peer, from == 0 ? ports : ports << 16 | ports >> 16, from == 0))
		return false;
	memcpy(mine, &addr[!from], 4);
	change(ip + 10, addr[from], addr[!from], false);
	if (is_partial || ip[9] == IPPROTO_TCP || l4[csum] != 0 || l4[csum + 1] != 0)
		change(l4 + csum, addr[from], addr[!from], is_partial);
	memcpy(frame, sides[!from].head, sizeof(sides[0].head));
	return true;
}

static int pass(int from)
{
	struct side *s = &sides[from];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint32_t n = 0, held = 0;

	while (held < BATCH) {
		struct tpacket2_hdr *h = slot_at(s, (s->next + held) % SLOTS);
		uint8_t *frame = (uint8_t *)h + h->tp_mac;

		if ((__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
			break;
		held++;
		if (!translate(frame, h->tp_snaplen, from))
			continue;
		iov[n] = (struct iovec){ frame - sizeof(struct virtio_net_hdr),
					 h->tp_snaplen + sizeof(struct virtio_net_hdr) };
		msgs[n] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov[n], .msg_iovlen = 1 } };
		n++;
	}
	for (uint32_t done = 0; done < n; done++) {
		const int sent = sendmmsg(sides[!from].fd, msgs + done, n - done, MSG_DONTWAIT);

		done += sent > 0 ? (uint32_t)sent - 1 : 0;
	}
	for (uint32_t i = 0; i < held; i++, s->next = (s->next + 1) % SLOTS)
		__atomic_store_n(&slot_at(s, s->next)->tp_status, TP_STATUS_KERNEL,
				 __ATOMIC_RELEASE);
	return (int)held;
}

static void parse_mac(const char *text, uint8_t *ret)
{
	unsigned int v[6];

	if (sscanf(text, "%x:%x:%x:%x:%x:%x", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 6)
		die(text);
	for (int i = 0; i < 6; i++)
		ret[i] = (uint8_t)v[i];
}

int main(int argc, char **argv)
{
	struct pollfd fds[2];

	if (argc != 8) {
		fputs("usage: see the top of netmin.c\n", stderr);
		return 64;
	}
	for (int i = 0; i < 2; i++) {
		set_up(&sides[i], argv[1 + i]);
		if (inet_pton(AF_INET, argv[3 + i], &addr[i]) != 1)
			die(argv[3 + i]);
		parse_mac(argv[5 + i], sides[i].head);
		sides[i].head[6] = 2;
		fds[i] = (struct pollfd){ sides[i].fd, POLLIN, 0 };
	}
	if (write(atoi(argv[7]), "ready\n", 6) != 6)
		return die("ready");
	for (;;)
		if (pass(0) + pass(1) == 0)
			(void)poll(fds, 2, -1);
}
