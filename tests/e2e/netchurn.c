/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netchurn - a steady rate of packets whose flows come and go, for long runs
 *
 *	netchurn send FROM TO RATE SECONDS
 *		RATE packets a second of IPv4 or IPv6, beside each other from some
 *		2000 ports of FROM to port 7 of TO, each port soon replaced by
 *		the next; of each 64 one is an echo request of a new id and one
 *		the first part of a datagram whose rest never comes.  Prints how
 *		many went, each second anew.  What comes back is not read.
 *	netchurn answer ADDR --ready FD
 *		sends all that comes to port 7 of ADDR back
 */
#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH		64
#define FLOWS		2000u
#define LIFE		24000u		/* packets until a quarter of the ports is replaced */
#define PORTS		50000u
#define PAYLOAD		24		/* bytes after a header of 8 */
#define L4_LEN		(8 + PAYLOAD)
#define MOST_LEN	(sizeof(struct ip6_hdr) + sizeof(struct ip6_frag) + L4_LEN)
#define ECHO_PORT	7

/* One sender: @a and @b are IPv4 addresses as ::ffff:a.b.c.d */
struct churn {
	struct in6_addr a, b;
	int is_v6;
	int fd;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int die(const char *what)
{
	perror(what);
	return 1;
}

static struct in6_addr address(const char *text)
{
	struct in6_addr a = { 0 };
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') != NULL ? "" : "::ffff:", text);
	if (inet_pton(AF_INET6, mapped, &a) != 1)
		exit(die(text));
	return a;
}

static uint32_t add_up(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t s = 0;

	for (size_t i = 0; i < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	return s;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

/* What the pseudo-header adds: the ::ffff: of an IPv4 address is no part of it */
static uint32_t pseudo(const struct churn *c, uint8_t proto)
{
	const size_t skip = c->is_v6 ? 0 : 12;

	return add_up(c->a.s6_addr + skip, 16 - skip) + add_up(c->b.s6_addr + skip, 16 - skip) +
	       proto + L4_LEN;
}

static uint8_t make_udp(const struct churn *c, uint8_t *l4, uint64_t i)
{
	const uint64_t port = i / LIFE * (FLOWS / 4) + i % FLOWS;
	struct udphdr udp = {
		.source = htons((uint16_t)(10000 + port % PORTS)), .dest = htons(ECHO_PORT),
		.len = htons(L4_LEN),
	};

	memcpy(l4, &udp, sizeof(udp));
	udp.check = fold(add_up(l4, L4_LEN) + pseudo(c, IPPROTO_UDP));
	udp.check = udp.check == 0 ? 0xffff : udp.check;
	memcpy(l4, &udp, sizeof(udp));
	return IPPROTO_UDP;
}

/* Both versions' echo request have the same form */
static uint8_t make_echo(const struct churn *c, uint8_t *l4, uint64_t i)
{
	struct icmphdr icmp = {
		.type = c->is_v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO,
		.un.echo.id = htons((uint16_t)(i / 64)),
	};

	memcpy(l4, &icmp, sizeof(icmp));
	icmp.checksum = fold(add_up(l4, L4_LEN) + (c->is_v6 ? pseudo(c, IPPROTO_ICMPV6) : 0));
	memcpy(l4, &icmp, sizeof(icmp));
	return c->is_v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

static size_t wrap_v4(const struct churn *c, uint8_t *p, const uint8_t *l4, uint8_t proto,
		      int frag)
{
	/* The kernel fills in the header's checksum */
	struct iphdr ip = {
		.version = 4, .ihl = 5, .tot_len = htons(sizeof(ip) + L4_LEN), .ttl = 64,
		.protocol = proto, .id = htons((uint16_t)frag),
		.frag_off = htons(frag != 0 ? IP_MF : 0),
	};

	memcpy(&ip.saddr, c->a.s6_addr + 12, 4);
	memcpy(&ip.daddr, c->b.s6_addr + 12, 4);
	memcpy(p, &ip, sizeof(ip));
	memcpy(p + sizeof(ip), l4, L4_LEN);
	return sizeof(ip) + L4_LEN;
}

static size_t wrap_v6(const struct churn *c, uint8_t *p, const uint8_t *l4, uint8_t proto,
		      int frag)
{
	const struct ip6_frag more = {
		.ip6f_nxt = proto, .ip6f_offlg = IP6F_MORE_FRAG,
		.ip6f_ident = htonl((uint32_t)frag),
	};
	const size_t between = frag != 0 ? sizeof(more) : 0;
	struct ip6_hdr ip = { .ip6_src = c->a, .ip6_dst = c->b };

	ip.ip6_flow = htonl(6u << 28);
	ip.ip6_hlim = 64;
	ip.ip6_nxt = frag != 0 ? IPPROTO_FRAGMENT : proto;
	ip.ip6_plen = htons((uint16_t)(between + L4_LEN));
	memcpy(p, &ip, sizeof(ip));
	memcpy(p + sizeof(ip), &more, between);
	memcpy(p + sizeof(ip) + between, l4, L4_LEN);
	return sizeof(ip) + between + L4_LEN;
}

static size_t make(const struct churn *c, uint8_t *p, uint64_t i)
{
	const int frag = i % 64 == 63 ? (int)(1 + i / 64 % 65535) : 0;
	uint8_t l4[L4_LEN] = { 0 };
	const uint8_t proto = i % 64 == 31 ? make_echo(c, l4, i) : make_udp(c, l4, i);

	return (c->is_v6 ? wrap_v6 : wrap_v4)(c, p, l4, proto, frag);
}

static int open_raw(const struct churn *c)
{
	const struct sockaddr_in6 from6 = { .sin6_family = AF_INET6, .sin6_addr = c->a };
	const int fd = socket(c->is_v6 ? AF_INET6 : AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct sockaddr_in from = { .sin_family = AF_INET };

	memcpy(&from.sin_addr, c->a.s6_addr + 12, 4);
	if (bind(fd, c->is_v6 ? (const void *)&from6 : (const void *)&from,
		 c->is_v6 ? sizeof(from6) : sizeof(from)) < 0)
		exit(die("bind"));
	return fd;
}

/* Packets @i to @i + @n - 1; how many went */
static uint64_t send_some(const struct churn *c, uint64_t i, uint64_t n)
{
	static uint8_t packets[BATCH][MOST_LEN];
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_addr = c->b };
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	uint64_t sent = 0;

	memcpy(&to.sin_addr, c->b.s6_addr + 12, 4);
	for (uint64_t k = 0; k < n; k++) {
		iov[k] = (struct iovec){ packets[k], make(c, packets[k], i + k) };
		msgs[k].msg_hdr = (struct msghdr){
			.msg_iov = &iov[k], .msg_iovlen = 1,
			.msg_name = c->is_v6 ? (void *)&to6 : (void *)&to,
			.msg_namelen = c->is_v6 ? sizeof(to6) : sizeof(to),
		};
	}
	/* The first that does not go is lost, as on any wire, and the rest goes on */
	for (uint64_t k = 0; k < n; ) {
		const int did = sendmmsg(c->fd, msgs + k, (unsigned int)(n - k), 0);

		sent += did > 0 ? (uint64_t)did : 0;
		k += did > 0 ? (uint64_t)did : 1;
	}
	return sent;
}

static int send_all(char **argv)
{
	struct churn c = { .a = address(argv[0]), .b = address(argv[1]) };
	const double rate = atof(argv[2]);
	uint64_t begin = now_ns(), told = begin, done = 0, sent = 0;
	const uint64_t end = begin + (uint64_t)(atof(argv[3]) * 1e9);

	c.is_v6 = !IN6_IS_ADDR_V4MAPPED(&c.a);
	c.fd = open_raw(&c);
	for (uint64_t now = begin; now < end; now = now_ns()) {
		const uint64_t due = (uint64_t)((double)(now - begin) / 1e9 * rate);

		/* Further behind than half a second: that is not sent any more */
		if (due > done + (uint64_t)(rate / 2))
			begin += (uint64_t)((double)(due - done) / rate * 1e9);
		else if (due > done) {
			const uint64_t n = due - done < BATCH ? due - done : BATCH;

			sent += send_some(&c, done, n);
			done += n;
		}
		if (due < done + BATCH / 2)
			usleep(500);
		if (now - told >= 1000000000) {
			printf("%llu\n", (unsigned long long)sent);
			fflush(stdout);
			told = now;
		}
	}
	printf("%llu\n", (unsigned long long)sent);
	return 0;
}

static int answer(char **argv)
{
	const struct sockaddr_in6 at = {
		.sin6_family = AF_INET6, .sin6_addr = address(argv[0]),
		.sin6_port = htons(ECHO_PORT),
	};
	const int fd = socket(AF_INET6, SOCK_DGRAM, 0), room = 8 << 20;
	static struct sockaddr_in6 from[BATCH];
	static char data[BATCH][2048];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    write(atoi(argv[2]), "ready\n", 6) != 6)
		return die("bind");
	for (;;) {
		int n;

		for (int k = 0; k < BATCH; k++) {
			iov[k] = (struct iovec){ data[k], sizeof(data[k]) };
			msgs[k].msg_hdr = (struct msghdr){
				.msg_iov = &iov[k], .msg_iovlen = 1,
				.msg_name = &from[k], .msg_namelen = sizeof(from[k]),
			};
		}
		n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int k = 0; k < n; k++)
			iov[k].iov_len = msgs[k].msg_len;
		for (int k = 0, did; k < n; k += did > 0 ? did : 1)
			did = sendmmsg(fd, msgs + k, (unsigned int)(n - k), 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "send") == 0)
		return send_all(argv + 2);
	if (argc == 5 && strcmp(argv[1], "answer") == 0)
		return answer(argv + 2);
	fputs("usage: see the top of netchurn.c\n", stderr);
	return 64;
}
