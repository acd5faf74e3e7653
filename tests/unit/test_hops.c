/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "port/hops.h"

#define IFINDEX	7
#define FIRST	0x0a000001u

static struct io io = { .ops = &io_packet_ops, .ifindex = IFINDEX };
static struct hops h;

/* All are on the link */
static void begin(void)
{
	memset(&h, 0, sizeof(h));
	h.io = &io;
	h.ways[0] = (struct rtnl_way){ .dst = { { AF_V4, 0 }, 0 } };
	h.n_ways = 1;
}

static struct addr nth(uint32_t i)
{
	return (struct addr){ AF_V4, FIRST + i };
}

/* As the kernel tells of a neighbour, or that it has forgotten him */
static void hear(uint32_t i, bool is_there)
{
	const uint8_t mac[IO_MAC_BYTES] = { 2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
					    (uint8_t)i };
	uint8_t room[256] = { 0 }, addr[16];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct ndmsg *nd;

	msg->nlmsg_type = is_there ? RTM_NEWNEIGH : RTM_DELNEIGH;
	nd = mnl_nlmsg_put_extra_header(msg, sizeof(*nd));
	nd->ndm_family = AF_INET;
	nd->ndm_ifindex = IFINDEX;
	nd->ndm_state = is_there ? NUD_REACHABLE : NUD_FAILED;
	mnl_attr_put(msg, NDA_DST, (size_t)addr_to_bytes(nth(i), addr), addr);
	mnl_attr_put(msg, NDA_LLADDR, IO_MAC_BYTES, mac);
	CHECK(!hops_hear(&h, msg));
}

static bool knows(uint32_t i)
{
	uint8_t mac[IO_MAC_BYTES];
	bool is_due;

	return hops_peek(&h, nth(i), HOPS_FRESH_NS + 1, mac, &is_due) && is_due &&
	       mac[5] == (uint8_t)i && mac[4] == (uint8_t)(i >> 8) && mac[3] == (uint8_t)(i >> 16);
}

TEST(knows_neighbours_until_they_are_forgotten)
{
	begin();
	hear(1, true);
	hear(2, true);
	CHECK(knows(1) && knows(2) && !knows(3));
	hear(1, false);
	CHECK(!knows(1) && knows(2));
	hear(1, true);
	CHECK(knows(1));
}

/* Strangers that come and go leave their places to others, and take nobody's */
TEST(strangers_do_not_fill_the_table)
{
	begin();
	hear(0, true);
	for (uint32_t i = 1; i < 64 * HOPS_NEIGHS; i++) {
		hear(i, true);
		if (!CHECK(knows(i)) || !CHECK(knows(0)))
			return;
		hear(i, false);
		/* What is forgotten twice, or was never known, changes nothing */
		hear(i, false);
		hear(i + 64 * HOPS_NEIGHS, false);
	}
}

TEST(more_neighbours_than_places_are_the_kernels)
{
	uint32_t n = 0;

	begin();
	for (uint32_t i = 0; i < 2 * HOPS_NEIGHS; i++)
		hear(i, true);
	for (uint32_t i = 0; i < 2 * HOPS_NEIGHS; i++)
		n += knows(i);
	CHECK(n > HOPS_NEIGHS / 2 && n <= HOPS_NEIGHS);
	CHECK(knows(0));
}
