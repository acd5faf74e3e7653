/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "host/listeners.h"

static struct arena arena;

static void lo_up(void)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	CHECK(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0);
	close(fd);
}

static struct addr address(const char *text)
{
	struct addr a = { 0 };

	CHECK_INT(addr_parse(text, strlen(text), &a), 0);
	return a;
}

/* A socket of @type on @text and @port; listening if it can */
static int open_on(const char *text, int type, int proto, uint16_t port, bool v6only)
{
	const struct addr a = address(text);
	const int fd = socket(a.af == AF_V4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, proto);
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	const int only = v6only;

	CHECK(fd >= 0);
	four.sin_port = htons(port);
	six.sin6_port = four.sin_port;
	if (a.af == AF_V4) {
		four.sin_addr.s_addr = htonl((uint32_t)a.v);
		CHECK_INT(bind(fd, (struct sockaddr *)&four, sizeof(four)), 0);
	} else {
		addr_to_bytes(a, (uint8_t *)&six.sin6_addr);
		if (type != SOCK_RAW)
			CHECK_INT(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only,
					     sizeof(only)), 0);
		CHECK_INT(bind(fd, (struct sockaddr *)&six, sizeof(six)), 0);
	}
	if (type == SOCK_STREAM)
		CHECK_INT(listen(fd, 1), 0);
	return fd;
}

/* The sockets that a packet would reach */
static uint32_t n_takers(const struct sockdiag_socks *s, uint8_t proto, const char *to,
			 uint16_t port)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->list.n; i++)
		n += listener_takes(&s->list.v[i], proto, address(to), port, port);
	return n;
}

TEST(all_kinds)
{
	struct sockdiag_socks s;
	struct listener_owner who;
	int fds[6];

	NS_FRESH();
	lo_up();
	arena_init(&arena, 1 << 20);
	fds[0] = open_on("0.0.0.0", SOCK_STREAM, 0, 80, false);
	fds[1] = open_on("127.0.0.2", SOCK_STREAM, 0, 81, false);
	fds[2] = open_on("::", SOCK_STREAM, 0, 82, false);
	fds[3] = open_on("::", SOCK_STREAM, 0, 83, true);
	fds[4] = open_on("0.0.0.0", SOCK_DGRAM, 0, 53, false);
	fds[5] = open_on("::1", SOCK_DGRAM, 0, 54, false);
	CHECK_INT(listeners_read(&arena, &s), 0);
	CHECK_INT(s.list.n, 6);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "10.0.0.1", 80), 1);
	CHECK_INT(n_takers(&s, IPPROTO_UDP, "10.0.0.1", 80), 0);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "fd00::1", 80), 0);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "127.0.0.2", 81), 1);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "127.0.0.3", 81), 0);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "10.0.0.1", 82), 1);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "fd00::1", 82), 1);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "10.0.0.1", 83), 0);
	CHECK_INT(n_takers(&s, IPPROTO_TCP, "fd00::1", 83), 1);
	CHECK_INT(n_takers(&s, IPPROTO_UDP, "10.0.0.1", 53), 1);
	CHECK_INT(n_takers(&s, IPPROTO_UDP, "::1", 54), 1);
	for (uint32_t i = 0; i < s.list.n; i++) {
		listener_owner(&s.list.v[i], &who);
		CHECK_INT(who.pid, getpid());
		CHECK(strncmp(who.program, "test_host_liste", 15) == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	CHECK_INT(listeners_read(&arena, &s), 0);
	CHECK_INT(s.list.n, 0);
	arena_fini(&arena);
}

TEST(a_connection_is_no_listener)
{
	struct sockdiag_socks s;
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd, caller;

	NS_FRESH();
	lo_up();
	arena_init(&arena, 1 << 20);
	fd = open_on("127.0.0.1", SOCK_STREAM, 0, 80, false);
	caller = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_port = htons(80);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_INT(connect(caller, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_INT(listeners_read(&arena, &s), 0);
	CHECK_INT(s.list.n, 1);
	CHECK_INT(s.list.v[0].port, 80);
	CHECK(!listener_is_wild(&s.list.v[0]));
	close(caller);
	close(fd);
	arena_fini(&arena);
}

TEST(raw_takes_nothing)
{
	struct sockdiag_socks s;
	struct listener_owner who;
	int fd, fd6;

	NS_FRESH();
	lo_up();
	arena_init(&arena, 1 << 20);
	fd = open_on("0.0.0.0", SOCK_RAW, IPPROTO_ICMP, 0, false);
	CHECK_INT(listeners_read(&arena, &s), 0);
	CHECK_INT(s.list.n, 1);
	CHECK(s.list.v[0].is_raw);
	CHECK_INT(s.list.v[0].proto, IPPROTO_ICMP);
	CHECK(listener_is_wild(&s.list.v[0]));
	CHECK_INT(s.list.v[0].a.af, AF_V4);
	CHECK(!listener_takes(&s.list.v[0], IPPROTO_ICMP, address("10.0.0.1"), 0, 65535));
	listener_owner(&s.list.v[0], &who);
	CHECK_INT(who.pid, getpid());
	fd6 = open_on("::1", SOCK_RAW, IPPROTO_ICMPV6, 0, false);
	CHECK_INT(listeners_read(&arena, &s), 0);
	CHECK_INT(s.list.n, 2);
	CHECK(addr_equal(s.list.v[1].a, address("::1")));
	close(fd6);
	s.list.v[0].inode = 0;
	listener_owner(&s.list.v[0], &who);
	CHECK_INT(who.pid, 0);
	close(fd);
	arena_fini(&arena);
}
