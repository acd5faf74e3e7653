/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "nl/rtnl.h"
#include "nl/rtnl_veth.h"

static struct arena arena;

/* A message as hex, four bytes a word, so that its attributes can be read */
static const char *hex(const struct nlmsghdr *msg)
{
	const uint8_t *p = (const uint8_t *)msg;
	const char *text = "";

	for (uint32_t i = 0; i < msg->nlmsg_len; i++)
		text = arena_printf(&arena, "%s%s%02x", text, i > 0 && i % 4 == 0 ? " " : "", p[i]);
	return text;
}

static struct prefix pfx(const char *text)
{
	struct prefix p = { 0 };

	CHECK_INT(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static struct rtnl_addr ours(uint32_t ifindex, const char *text)
{
	return (struct rtnl_addr){ .ifindex = ifindex, .p = pfx(text), .proto = RTNL_ADDR_PROTO };
}

#define BYTES_OF_THIS_MACHINE() \
	do { \
		const uint16_t one = 1; \
		if (*(const uint8_t *)&one != 1) \
			UNIT_SKIP("the golden bytes are little-endian"); \
	} while (0)

TEST(golden_dummy)
{
	struct rtnl_msg m;

	BYTES_OF_THIS_MACHINE();
	arena_init(&arena, 1 << 20);
	CHECK_STR(hex(rtnl_msg_link_add(&m, "lo1", "dummy")),
		  /* length, RTM_NEWLINK with CREATE|EXCL, sequence, port */
		  "40000000 10000006 00000000 00000000 "
		  /* family, type, index, flags, change */
		  "00000000 00000000 00000000 00000000 "
		  /* IFLA_IFNAME "lo1" */
		  "08000300 6c6f3100 "
		  /* IFLA_GROUP "SALY" */
		  "08001b00 594c4153 "
		  /* IFLA_LINKINFO, nested: IFLA_INFO_KIND "dummy" */
		  "10001280 09000100 64756d6d 79000000");
	arena_fini(&arena);
}

TEST(golden_bridge)
{
	struct rtnl_msg m;

	BYTES_OF_THIS_MACHINE();
	arena_init(&arena, 1 << 20);
	CHECK_STR(hex(rtnl_msg_link_add(&m, "lo1", "bridge")),
		  "4c000000 10000006 00000000 00000000 00000000 00000000 00000000 00000000 "
		  "08000300 6c6f3100 08001b00 594c4153 "
		  /* IFLA_LINKINFO: "bridge", IFLA_INFO_DATA: IFLA_BR_MCAST_SNOOPING 0 */
		  "1c001280 0a000100 62726964 67650000 0c000280 05001700 00000000");
	arena_fini(&arena);
}

TEST(golden_mark_and_up)
{
	struct rtnl_msg m;

	BYTES_OF_THIS_MACHINE();
	arena_init(&arena, 1 << 20);
	CHECK_STR(hex(rtnl_msg_link_mark(&m, 7, true)),
		  "40000000 10000000 00000000 00000000 00000000 07000000 00000000 00000000 "
		  /* IFLA_IFALIAS "sallyport" */
		  "0e001400 73616c6c 79706f72 74000000 "
		  /* IFLA_AF_SPEC: AF_INET6: IFLA_INET6_ADDR_GEN_MODE none */
		  "10001a80 0c000a80 05000800 01000000");
	CHECK_STR(hex(rtnl_msg_link_mark(&m, 7, false)),
		  "30000000 10000000 00000000 00000000 00000000 07000000 00000000 00000000 "
		  "0e001400 73616c6c 79706f72 74000000");
	CHECK_STR(hex(rtnl_msg_link_set_up(&m, 7, true)),
		  "20000000 10000000 00000000 00000000 00000000 07000000 01000000 01000000");
	CHECK_STR(hex(rtnl_msg_link_del(&m, 7)),
		  "20000000 11000000 00000000 00000000 00000000 07000000 00000000 00000000");
	arena_fini(&arena);
}

TEST(golden_addresses)
{
	struct rtnl_addr v4 = ours(7, "192.168.100.2/32"), v6 = ours(7, "fd00::2/128");
	struct rtnl_msg m;

	BYTES_OF_THIS_MACHINE();
	arena_init(&arena, 1 << 20);
	CHECK_STR(hex(rtnl_msg_addr_add(&m, &v4)),
		  "30000000 14000006 00000000 00000000 02200000 07000000 "
		  /* IFA_LOCAL, IFA_ADDRESS, IFA_PROTO 'S' */
		  "08000200 c0a86402 08000100 c0a86402 05000b00 53000000");
	CHECK_STR(hex(rtnl_msg_addr_add(&m, &v6)),
		  "50000000 14000006 00000000 00000000 0a800000 07000000 "
		  "14000200 fd000000 00000000 00000000 00000002 "
		  "14000100 fd000000 00000000 00000000 00000002 "
		  /* IFA_FLAGS nodad, IFA_PROTO */
		  "08000800 02000000 05000b00 53000000");
	CHECK_STR(hex(rtnl_msg_addr_del(&m, &v4)),
		  "28000000 15000000 00000000 00000000 02200000 07000000 "
		  "08000200 c0a86402 08000100 c0a86402");
	v4.peer = pfx("10.0.0.9").a;
	CHECK_STR(hex(rtnl_msg_addr_del(&m, &v4)),
		  "28000000 15000000 00000000 00000000 02200000 07000000 "
		  "08000200 c0a86402 08000100 0a000009");
	arena_fini(&arena);
}

TEST(name_too_long)
{
	struct rtnl_msg m;

	CHECK_BUG(rtnl_msg_link_add(&m, "sixteen-bytes-xx", "dummy"));
}

#define OPEN(s) \
	NS_FRESH(); \
	struct nl_session s CLEANUP(nl_close); \
	if (!CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0)) \
		return; \
	arena_init(&arena, 16 << 20)

static struct rtnl_links read_links(struct nl_session *s)
{
	struct rtnl_links links = { 0 };

	CHECK_INT(rtnl_links_read(s, &arena, &links), 0);
	return links;
}

static struct rtnl_addrs read_addrs(struct nl_session *s)
{
	struct rtnl_addrs addrs = { 0 };

	CHECK_INT(rtnl_addrs_read(s, &arena, &addrs), 0);
	return addrs;
}

/* A marked bridge that is up; its index */
static uint32_t make_link(struct nl_session *s, const char *name)
{
	const struct rtnl_link *l;
	struct rtnl_links links;
	struct rtnl_msg m;

	CHECK_INT(nl_talk(s, rtnl_msg_link_add(&m, name, "bridge"), NULL, NULL), 0);
	links = read_links(s);
	l = rtnl_link_find(&links, name);
	if (!CHECK(l != NULL))
		return 0;
	CHECK_INT(nl_talk(s, rtnl_msg_link_mark(&m, l->index, true), NULL, NULL), 0);
	CHECK_INT(nl_talk(s, rtnl_msg_link_set_up(&m, l->index, true), NULL, NULL), 0);
	return l->index;
}

TEST(link_life)
{
	OPEN(s);
	struct rtnl_links links = read_links(&s);
	const struct rtnl_link *l;
	struct rtnl_msg m;
	uint32_t index;

	CHECK_INT(links.list.n, 1);
	CHECK_STR(links.list.v[0].name, "lo");
	CHECK_STR(links.list.v[0].kind, "");
	CHECK(rtnl_link_find(&links, "lo1") == NULL);
	index = make_link(&s, "lo1");
	links = read_links(&s);
	l = rtnl_link_at(&links, index);
	if (CHECK(l != NULL)) {
		CHECK_STR(l->name, "lo1");
		CHECK_STR(l->kind, "bridge");
		CHECK_STR(l->alias, "sallyport");
		CHECK_INT(l->group, RTNL_LINK_GROUP);
		CHECK_INT(l->flags & IFF_UP, IFF_UP);
		CHECK_INT(l->master, 0);
	}
	/* No fe80:: address came with it */
	CHECK_INT(read_addrs(&s).list.n, 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_link_del(&m, index), NULL, NULL), 0);
	CHECK_INT(read_links(&s).list.n, 1);
	arena_fini(&arena);
}

/* A veth stands on its peer; not every kernel has VLANs, so theirs are told by kind here */
TEST(links_that_stand_on_others)
{
	OPEN(s);
	int own CLEANUP(base_fd_close) = open("/proc/self/ns/net", O_RDONLY);
	const struct rtnl_link *a, *b;
	struct rtnl_links links;
	struct rtnl_msg m;

	CHECK_INT(nl_talk(&s, rtnl_msg_veth_add(&m, "a0", 0, "b0", own), NULL, NULL), 0);
	links = read_links(&s);
	a = rtnl_link_find(&links, "a0");
	b = rtnl_link_find(&links, "b0");
	if (CHECK(a != NULL && b != NULL)) {
		CHECK_INT(a->lower, b->index);
		CHECK_INT(rtnl_link_find(&links, "lo")->lower, 0);
		CHECK(rtnl_link_vlan(&links, b->index) == NULL);
		strcpy(links.list.v[a - links.list.v].kind, "vlan");
		CHECK(rtnl_link_vlan(&links, b->index) == a);
		CHECK(rtnl_link_vlan(&links, a->index) == NULL);
	}
	arena_fini(&arena);
}

TEST(address_life)
{
	OPEN(s);
	const uint32_t index = make_link(&s, "lo1");
	struct rtnl_addr v4 = ours(index, "192.168.100.1/29"), v6 = ours(index, "fd00::2/128");
	struct rtnl_addr ptp = ours(index, "10.0.0.1/32");
	struct rtnl_addrs got;
	struct rtnl_msg m;

	ptp.peer = pfx("10.0.0.9").a;
	ptp.proto = 0;
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &v4), NULL, NULL), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &v4), NULL, NULL), -EEXIST);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &v6), NULL, NULL), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &ptp), NULL, NULL), 0);
	got = read_addrs(&s);
	if (CHECK_INT(got.list.n, 3)) {
		CHECK(addr_equal(got.list.v[0].p.a, v4.p.a));
		CHECK_INT(got.list.v[0].p.len, 29);
		CHECK_INT(got.list.v[0].proto, RTNL_ADDR_PROTO);
		CHECK_INT(got.list.v[0].peer.af, AF_NONE);
		CHECK_INT(got.list.v[0].ifindex, index);
		CHECK_STR(got.list.v[0].label, "lo1");
		CHECK(addr_equal(got.list.v[1].p.a, ptp.p.a));
		CHECK(addr_equal(got.list.v[1].peer, ptp.peer));
		CHECK_INT(got.list.v[1].proto, 0);
		CHECK(addr_equal(got.list.v[2].p.a, v6.p.a));
		/* Usable at once */
		CHECK_INT(got.list.v[2].flags & (IFA_F_TENTATIVE | IFA_F_NODAD), IFA_F_NODAD);
	}
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_del(&m, &ptp), NULL, NULL), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_del(&m, &ptp), NULL, NULL), -EADDRNOTAVAIL);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_del(&m, &v6), NULL, NULL), 0);
	CHECK_INT(read_addrs(&s).list.n, 1);
	arena_fini(&arena);
}

static void add_default(struct nl_session *s, uint8_t family, uint32_t index, const char *via,
			uint32_t metric)
{
	struct rtnl_msg m = { 0 };
	struct nlmsghdr *msg = mnl_nlmsg_put_header(&m);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(msg, sizeof(*rtm));
	uint8_t bytes[16];
	size_t len;

	msg->nlmsg_type = RTM_NEWROUTE;
	msg->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTPROT_STATIC;
	rtm->rtm_scope = RT_SCOPE_UNIVERSE;
	rtm->rtm_type = RTN_UNICAST;
	len = addr_to_bytes(pfx(via).a, bytes);
	mnl_attr_put(msg, RTA_GATEWAY, len, bytes);
	mnl_attr_put_u32(msg, RTA_OIF, index);
	mnl_attr_put_u32(msg, RTA_PRIORITY, metric);
	CHECK_INT(nl_talk(s, msg, NULL, NULL), 0);
}

TEST(default_routes)
{
	OPEN(s);
	const uint32_t one = make_link(&s, "em0"), two = make_link(&s, "em1");
	struct rtnl_addr a = ours(one, "203.0.113.2/24"), b = ours(two, "198.51.100.2/24");
	struct rtnl_addr c = ours(two, "2001:db8::2/64");
	struct rtnl_route r = { .metric = 99 };
	struct rtnl_msg m;

	CHECK_INT(rtnl_default_read(&s, AF_V4, &r), 0);
	CHECK_INT(r.af, AF_NONE);
	CHECK_INT(rtnl_default_read(&s, AF_V6, &r), 0);
	CHECK_INT(r.af, AF_NONE);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &a), NULL, NULL), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &b), NULL, NULL), 0);
	CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &c), NULL, NULL), 0);
	add_default(&s, AF_INET, one, "203.0.113.1", 200);
	add_default(&s, AF_INET, two, "198.51.100.1", 100);
	add_default(&s, AF_INET6, two, "2001:db8::1", 1024);
	CHECK_INT(rtnl_default_read(&s, AF_V4, &r), 0);
	CHECK_INT(r.ifindex, two);
	CHECK_INT(r.metric, 100);
	CHECK(addr_equal(r.via, pfx("198.51.100.1").a));
	CHECK_INT(r.proto, RTPROT_STATIC);
	CHECK_INT(rtnl_default_read(&s, AF_V6, &r), 0);
	CHECK_INT(r.af, AF_V6);
	CHECK_INT(r.ifindex, two);
	CHECK(addr_equal(r.via, pfx("2001:db8::1").a));
	arena_fini(&arena);
}

TEST(many_addresses)
{
	OPEN(s);
	const uint32_t index = make_link(&s, "lo1");
	struct rtnl_addr x = ours(index, "10.0.0.0/32");
	struct rtnl_addrs got;

	for (uint32_t i = 0; i < 2000; i++) {
		struct rtnl_msg m;

		x.p.a.v++;
		CHECK_INT(nl_talk(&s, rtnl_msg_addr_add(&m, &x), NULL, NULL), 0);
	}
	got = read_addrs(&s);
	CHECK_INT(got.list.n, 2000);
	CHECK(addr_equal(got.list.v[1999].p.a, x.p.a));
	arena_fini(&arena);
}
