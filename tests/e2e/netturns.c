/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netturns - what a new flow costs on one way, beside what it costs on another
 *
 *	netturns ROUNDS tcp|udp ADDR PORT INNER INNER-PORT CLIENT HOST CLIENT2 HOST2
 *		flows from namespace CLIENT to ADDR, PORT, which HOST has and leads to
 *		its own INNER, INNER-PORT, and the same of the second pair, in turns
 *		1, 2, 2, 1; prints for each round the nanoseconds of a flow of the first
 *		and of the second
 *
 * Client and server are this process, and the way between them is gone in its own
 * calls: on one processor, at a real-time priority, and so short that what disturbs
 * falls into few rounds.  Every flow has a source port of its own.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MOST_ROUNDS	300
#define FLOWS		100	/* in a turn; all of them in 65535 ports */
#define FIRST_PORT	2000

/* A way: the namespace that calls, and the socket that is called */
struct way {
	int client;
	int server;
	uint16_t next;
};

static int kind;
static struct sockaddr_in outer, inner;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in address(const char *addr, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, addr, &a.sin_addr) != 1)
		die(addr);
	return a;
}

static void enter(int ns)
{
	if (setns(ns, CLONE_NEWNET) < 0)
		die("setns");
}

static int namespace(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	return fd;
}

static int new_socket(const struct sockaddr_in *at)
{
	static const struct timeval patience = { .tv_sec = 5 };
	static const struct linger none = { .l_onoff = 1 };
	const int fd = socket(AF_INET, kind, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	/* Closed it is gone: nothing of one turn is left for the next */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		die("bind");
	return fd;
}

static struct way way(const char *client, const char *host)
{
	struct way w = { .client = namespace(client), .next = FIRST_PORT };
	const int at = namespace(host);

	enter(at);
	w.server = new_socket(&inner);
	if (kind == SOCK_STREAM && listen(w.server, FLOWS) < 0)
		die("listen");
	close(at);
	return w;
}

static void answer(int fd)
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char c;
	const int peer = kind == SOCK_STREAM ? accept4(fd, NULL, NULL, 0) : fd;

	if (recvfrom(peer, &c, 1, 0, (struct sockaddr *)&from, &len) != 1)
		die("recvfrom");
	if (sendto(peer, &c, 1, 0, len > 0 ? (struct sockaddr *)&from : NULL, len) != 1)
		die("sendto");
	if (peer != fd)
		close(peer);
}

static void flow(struct way *w)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(w->next++) };
	const int fd = new_socket(&any);
	char c = 'x';

	if (connect(fd, (const struct sockaddr *)&outer, sizeof(outer)) < 0 ||
	    write(fd, &c, 1) != 1)
		die("connect");
	answer(w->server);
	if (read(fd, &c, 1) != 1)
		die("read");
	close(fd);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t turn(struct way *w)
{
	uint64_t start;

	enter(w->client);
	start = now_ns();
	for (int i = 0; i < FLOWS; i++)
		flow(w);
	return now_ns() - start;
}

/* Where that is not allowed the rounds are as good as they are */
static void alone(void)
{
	const struct sched_param first = { .sched_priority = 1 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
}

int main(int argc, char **argv)
{
	struct way a, b;
	int rounds;

	if (argc != 11)
		return 64;
	rounds = atoi(argv[1]);
	if (rounds > MOST_ROUNDS)
		return 64;
	kind = strcmp(argv[2], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
	outer = address(argv[3], argv[4]);
	inner = address(argv[5], argv[6]);
	a = way(argv[7], argv[8]);
	b = way(argv[9], argv[10]);
	alone();
	for (int i = 0; i < rounds; i++) {
		uint64_t first = turn(&a), second = turn(&b);

		second += turn(&b);
		first += turn(&a);
		first /= 2 * FLOWS;
		second /= 2 * FLOWS;
		printf("%llu %llu\n", (unsigned long long)first, (unsigned long long)second);
	}
	return 0;
}
