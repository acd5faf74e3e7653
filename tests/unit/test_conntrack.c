/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "nl/conntrack.h"
#include "nl/rtnl.h"

#define MARK	0x01000000u

/* Loopback up, conntrack on, flows to port 7001 with a mark */
static bool prepare(void)
{
	return system("ip link set lo up && nft -f - <<-'X'\n"
		      "table inet t { chain o { type filter hook output priority 0;\n"
		      "	th dport 7001 ct mark set 0x01000000\n"
		      "	ct state new accept\n"
		      "}\n}\nX\n") == 0;
}

static int bound(int af, int type, uint16_t port)
{
	const int fd = socket(af, type | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 b = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	CHECK_INT(bind(fd, af == AF_INET ? (void *)&a : (void *)&b,
		       af == AF_INET ? sizeof(a) : sizeof(b)), 0);
	return fd;
}

/* A datagram or a connection from @from to @port of the same address */
static int talk(int af, int type, uint16_t from, uint16_t port)
{
	const int fd = bound(af, type, from);
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 b = { .sin6_family = AF_INET6, .sin6_port = htons(port),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	CHECK_INT(connect(fd, af == AF_INET ? (void *)&a : (void *)&b,
			  af == AF_INET ? sizeof(a) : sizeof(b)), 0);
	if (type == SOCK_DGRAM)
		CHECK_INT(send(fd, "x", 1, 0), 1);
	return fd;
}

static const struct conntrack_flow *find(const struct conntrack_flows *fs, uint8_t af,
					 uint8_t proto, uint16_t sport)
{
	for (uint32_t i = 0; i < fs->list.n; i++)
		if (fs->list.v[i].orig.src.af == af && fs->list.v[i].proto == proto &&
		    fs->list.v[i].orig.sport == sport)
			return &fs->list.v[i];
	return NULL;
}

TEST(nothing_is_tracked)
{
	NS_FRESH();
	struct nl_session s CLEANUP(nl_close);
	struct arena a CLEANUP(arena_fini);
	struct conntrack_flows fs = { .list = { .n = 7 } };
	const struct conntrack_flow none = {
		.proto = IPPROTO_UDP, .orig = { .src = addr_v4(127, 0, 0, 1),
						.dst = addr_v4(127, 0, 0, 1) } };

	arena_init(&a, 1 << 20);
	if (!CHECK_INT(nl_open(&s, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(conntrack_list(&s, &a, 0, &fs), 0);
	CHECK_INT(fs.list.n, 0);
	CHECK_INT(conntrack_delete(&s, &none), -ENOENT);
}

static void check_flows(const struct conntrack_flows *all)
{
	const struct conntrack_flow *udp = find(all, AF_V4, IPPROTO_UDP, 7101);
	const struct conntrack_flow *six = find(all, AF_V6, IPPROTO_UDP, 7102);
	const struct conntrack_flow *tcp = find(all, AF_V4, IPPROTO_TCP, 7103);

	if (!CHECK(udp != NULL) || !CHECK(six != NULL) || !CHECK(tcp != NULL))
		return;
	CHECK_INT(udp->mark, MARK);
	CHECK_INT(udp->orig.dport, 7001);
	CHECK_INT(udp->reply.sport, 7001);
	CHECK_INT(udp->reply.dport, 7101);
	CHECK(addr_equal(udp->orig.src, addr_v4(127, 0, 0, 1)));
	CHECK(udp->timeout_s > 0 && udp->timeout_s <= 600);
	CHECK(addr_equal(six->orig.dst, (struct addr){ AF_V6, 1 }));
	CHECK_INT(six->mark, 0);
	CHECK_INT(tcp->tcp_state, 3);	/* established */
	CHECK_INT(tcp->closed_by, -1);
}

TEST(listed_and_deleted)
{
	NS_FRESH();
	struct nl_session s CLEANUP(nl_close);
	struct arena a CLEANUP(arena_fini);
	const struct conntrack_to to = { IPPROTO_UDP, addr_v4(127, 0, 0, 1), 7001 };
	struct conntrack_flows all, one, marked, after;
	struct conntrack_flow other;
	int fds[5];

	arena_init(&a, 1 << 20);
	if (!CHECK(prepare()) || !CHECK_INT(nl_open(&s, NETLINK_NETFILTER), 0))
		return;
	fds[0] = bound(AF_INET, SOCK_STREAM, 7003);
	CHECK_INT(listen(fds[0], 4), 0);
	fds[1] = bound(AF_INET, SOCK_DGRAM, 7001);
	fds[2] = talk(AF_INET, SOCK_DGRAM, 7101, 7001);
	fds[3] = talk(AF_INET6, SOCK_DGRAM, 7102, 7002);
	fds[4] = talk(AF_INET, SOCK_STREAM, 7103, 7003);
	CHECK_INT(conntrack_list(&s, &a, 0, &all), 0);
	check_flows(&all);
	CHECK_INT(conntrack_list_to(&s, &a, &to, &one), 0);
	if (CHECK_INT(one.list.n, 1))
		CHECK_INT(one.list.v[0].orig.sport, 7101);
	CHECK_INT(conntrack_list(&s, &a, MARK, &marked), 0);
	if (CHECK_INT(marked.list.n, 1)) {
		/* One that has taken the place of another stays */
		other = marked.list.v[0];
		other.id ^= 1;
		CHECK_INT(conntrack_delete(&s, &other), -ENOENT);
		CHECK_INT(conntrack_delete(&s, &marked.list.v[0]), 0);
		CHECK_INT(conntrack_delete(&s, &marked.list.v[0]), -ENOENT);
	}
	CHECK_INT(conntrack_list(&s, &a, 0, &after), 0);
	CHECK(find(&after, AF_V4, IPPROTO_UDP, 7101) == NULL);
	if (CHECK(find(&after, AF_V6, IPPROTO_UDP, 7102) != NULL))
		CHECK_INT(conntrack_delete(&s, find(&after, AF_V6, IPPROTO_UDP, 7102)), 0);
	CHECK(find(&after, AF_V4, IPPROTO_TCP, 7103) != NULL);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}
