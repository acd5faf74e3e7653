/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netload - loads for measuring packet paths
 *
 *	netload blast IF GATEWAY-MAC SRC DST FLOWS SECONDS
 *		UDP packets of 64 bytes (with their link header), as many as go;
 *		prints how many went
 *	netload connect ADDR PORT[-PORT] SECONDS
 *		32 connections at a time, to each port in turn: connect, one byte
 *		each way, close; prints how many were done.  To one port there are
 *		no more in a second than half of the ports that the host may take:
 *		the kernel looks for others so long that it has time for nothing else
 *	netload accept PORT[-PORT] READY-FD
 *		the server of that
 *	netload pingpong ADDR PORT SECONDS
 *		one UDP byte there and back; prints the median and the 99th
 *		percentile in microseconds
 *	netload reflect PORT READY-FD
 *		the server of that
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH		64
#define FRAME		60	/* and 4 of the checksum that is not there */
#define AT_ONCE		32
#define MOST_SAMPLES	1000000
#define LISTENS		(UINT64_C(1) << 32)	/* beside a descriptor */

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t until(const char *seconds)
{
	return now_ns() + (uint64_t)(atof(seconds) * 1e9);
}

static int die(const char *what)
{
	perror(what);
	return 1;
}

static uint16_t sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t s = 0;

	for (size_t i = 0; i < len; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return htons((uint16_t)~s);
}

static void make_frame(uint8_t *f, const uint8_t *mac, char **argv, uint32_t flow)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .tot_len = htons(FRAME - ETH_HLEN), .ttl = 64,
		.protocol = IPPROTO_UDP,
	};
	struct udphdr udp = {
		.source = htons((uint16_t)(20000 + flow)), .dest = htons(9),
		.len = htons(FRAME - ETH_HLEN - sizeof(ip)),
	};

	inet_pton(AF_INET, argv[2], &ip.saddr);
	inet_pton(AF_INET, argv[3], &ip.daddr);
	ip.check = sum(&ip, sizeof(ip));
	memset(f, 0, FRAME);
	memcpy(f, mac, 6);
	f[6] = 2;
	f[12] = 8;
	memcpy(f + ETH_HLEN, &ip, sizeof(ip));
	memcpy(f + ETH_HLEN + sizeof(ip), &udp, sizeof(udp));
}

static int blast(char **argv)
{
	static uint8_t frames[1024][FRAME];
	const uint32_t flows = (uint32_t)atoi(argv[4]);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP) };
	const int fd = socket(AF_PACKET, SOCK_RAW, 0), yes = 1;
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	uint64_t n = 0, end = until(argv[5]);
	unsigned int mac[6];
	uint8_t bytes[6];

	to.sll_ifindex = (int)if_nametoindex(argv[0]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 || flows > 1024 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes)) < 0 ||
	    sscanf(argv[1], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
		   &mac[5]) != 6)
		return die(argv[0]);
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)mac[i];
	for (uint32_t i = 0; i < flows; i++)
		make_frame(frames[i], bytes, argv, i);
	for (uint32_t flow = 0; now_ns() < end; ) {
		int sent;

		for (int i = 0; i < BATCH; i++, flow = (flow + 1) % flows) {
			iov[i] = (struct iovec){ frames[flow], FRAME };
			msgs[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
		}
		sent = sendmmsg(fd, msgs, BATCH, 0);
		n += sent > 0 ? (uint64_t)sent : 0;
	}
	printf("%llu\n", (unsigned long long)n);
	return 0;
}

static struct sockaddr_in6 address(const char *text, const char *port, uint32_t plus)
{
	const uint32_t number = (uint32_t)atoi(port) + plus;
	struct sockaddr_in6 a = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)number),
	};
	char mapped[64];

	snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') != NULL ? "" : "::ffff:", text);
	inet_pton(AF_INET6, mapped, &a.sin6_addr);
	return a;
}

static int open_one(int ep, const struct sockaddr_in6 *to)
{
	const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct epoll_event e = { .events = EPOLLOUT, .data.fd = fd };

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

/* How many PORT-PORT says, or PORT: one */
static uint32_t n_ports(const char *port)
{
	const char *last = strchr(port, '-');

	return last == NULL ? 1 : (uint32_t)(atoi(last + 1) - atoi(port) + 1);
}

static int connect_all(char **argv)
{
	const uint32_t ports = n_ports(argv[1]);
	const uint64_t end = until(argv[2]);
	const int ep = epoll_create1(0);
	uint64_t done = 0, failed = 0;
	uint32_t tried = 0;
	int open_now = 0;

	while (now_ns() < end) {
		struct epoll_event ev[AT_ONCE];
		int n;

		while (open_now < AT_ONCE && failed < 100000) {
			const struct sockaddr_in6 to = address(argv[0], argv[1], tried++ % ports);

			if (open_one(ep, &to) == 0)
				open_now++;
			else if (++failed % 100 == 0)
				usleep(1000);
		}
		n = epoll_wait(ep, ev, AT_ONCE, 100);
		for (int i = 0; i < n; i++) {
			const int fd = ev[i].data.fd;
			char c = 'x';

			if ((ev[i].events & EPOLLOUT) != 0 && (ev[i].events & EPOLLERR) == 0 &&
			    write(fd, &c, 1) == 1) {
				ev[i].events = EPOLLIN;
				epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev[i]);
				continue;
			}
			done += read(fd, &c, 1) == 1;
			failed += (ev[i].events & EPOLLERR) != 0;
			close(fd);
			open_now--;
		}
	}
	printf("%llu %llu\n", (unsigned long long)done, (unsigned long long)failed);
	return 0;
}

static int listen_at(const char *addr, const char *port, uint32_t plus, int kind)
{
	const struct sockaddr_in6 at = address(addr, port, plus);
	const int fd = socket(AF_INET6, kind, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
	    (kind == SOCK_STREAM && listen(fd, 4096) < 0))
		exit(die("listen"));
	return fd;
}

static void tell_ready(const char *fd)
{
	if (write(atoi(fd), "ready\n", 6) != 6)
		exit(die("ready"));
}

/* One byte there and back; then the other one closes */
static void serve(int fd)
{
	char c;

	if (read(fd, &c, 1) == 1)
		(void)!write(fd, &c, 1);
	else
		close(fd);
}

static int accept_all(char **argv)
{
	const uint32_t ports = n_ports(argv[0]);
	const int ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN };

	for (uint32_t i = 0; i < ports; i++) {
		const int fd = listen_at("::", argv[0], i, SOCK_STREAM);

		e.data.u64 = LISTENS | (uint32_t)fd;
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	}
	tell_ready(argv[1]);
	for (;;) {
		struct epoll_event ev[BATCH];
		const int n = epoll_wait(ep, ev, BATCH, -1);

		for (int i = 0; i < n; i++) {
			const int fd = (int)(uint32_t)ev[i].data.u64;

			if ((ev[i].data.u64 & LISTENS) == 0) {
				serve(fd);
				continue;
			}
			e.data.u64 = (uint32_t)accept4(fd, NULL, NULL, SOCK_NONBLOCK);
			if ((int)e.data.u64 >= 0)
				epoll_ctl(ep, EPOLL_CTL_ADD, (int)e.data.u64, &e);
		}
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int pingpong(char **argv)
{
	static uint32_t took[MOST_SAMPLES];
	const struct sockaddr_in6 to = address(argv[0], argv[1], 0);
	const uint64_t end = until(argv[2]);
	const int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	struct pollfd p = { fd, POLLIN, 0 };
	uint32_t n = 0;

	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return die("connect");
	while (now_ns() < end && n < MOST_SAMPLES) {
		const uint64_t start = now_ns();
		char c = 'x';

		if (write(fd, &c, 1) != 1 || poll(&p, 1, 1000) != 1 || read(fd, &c, 1) != 1)
			continue;
		took[n++] = (uint32_t)((now_ns() - start) / 1000);
	}
	if (n == 0)
		return die("no answer");
	qsort(took, n, sizeof(*took), compare);
	printf("%u %u\n", took[n / 2], took[(uint64_t)n * 99 / 100]);
	return 0;
}

static int reflect(char **argv)
{
	const int fd = listen_at("::", argv[0], 0, SOCK_DGRAM);

	tell_ready(argv[1]);
	for (;;) {
		struct sockaddr_storage from;
		socklen_t len = sizeof(from);
		char c[16];
		const ssize_t n = recvfrom(fd, c, sizeof(c), 0, (struct sockaddr *)&from, &len);

		if (n > 0)
			(void)!sendto(fd, c, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int n; int (*fn)(char **argv); } all[] = {
		{ "blast", 6, blast }, { "connect", 3, connect_all }, { "accept", 2, accept_all },
		{ "pingpong", 3, pingpong }, { "reflect", 2, reflect },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (argc == all[i].n + 2 && strcmp(argv[1], all[i].name) == 0)
			return all[i].fn(argv + 2);
	fputs("usage: see the top of netload.c\n", stderr);
	return 64;
}
