/* SPDX-License-Identifier: BSD-2-Clause */
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>

#include "host/natpath.h"
#include "hostlive.h"
#include "nl/nft.h"
#include "nl/rtnl_rule.h"
#include "port/io.h"
#include "target/nft_claim.h"

static struct prefix pfx(const char *text)
{
	struct prefix p = { 0 };

	CHECK_INT(prefix_parse(text, strlen(text), &p), 0);
	return p;
}

static void talk(struct nlmsghdr *msg)
{
	CHECK_INT(nl_talk(&session, msg, NULL, NULL), 0);
}

static void add_address(uint32_t ifindex, const char *text)
{
	struct rtnl_msg m;

	talk(rtnl_msg_addr_add(&m, &(struct rtnl_addr){ .ifindex = ifindex, .p = pfx(text) }));
}

static void add_route(const char *dst, const char *via, uint32_t ifindex)
{
	struct rtnl_way w = { .dst = pfx(dst), .ifindex = ifindex };
	struct rtnl_msg m;

	if (via != NULL)
		w.via = pfx(via).a;
	talk(rtnl_msg_way_add(&m, RTNL_MAIN_TABLE, &w));
}

/* The table as text, a route a line */
static const char *table(uint8_t af)
{
	static const char *const kinds[] = { "out", "throw", "nowhere", "other" };
	struct rtnl_ways ways;
	char buf[ADDR_TEXT_BYTES];
	const char *text = "";

	if (!CHECK_INT(rtnl_ways_read(&session, af, NATPATH_TABLE, &fix.a, &ways), 0))
		return NULL;
	for (uint32_t i = 0; i < ways.list.n; i++)
		text = arena_printf(&fix.a, "%s%s %s %u\n", text,
				    prefix_print(ways.list.v[i].dst, buf),
				    kinds[ways.list.v[i].kind], ways.list.v[i].ifindex);
	return text;
}

static void set_up(const char *name)
{
	struct rtnl_msg m;

	foreign_link(name);
	talk(rtnl_msg_link_set_up(&m, index_of(name), true));
}

TEST(routes_lead_to_the_device)
{
	const struct prefix inside[] = { pfx("10.9.0.0/24"), pfx("fd09::/64") };
	CLEANUP(io_close) struct io *io = NULL;
	uint32_t out, other;

	BEGIN();
	set_up("out0");
	set_up("other0");
	out = index_of("out0");
	other = index_of("other0");
	add_address(out, "203.0.113.2/24");
	add_address(other, "10.7.0.1/24");
	add_route("0.0.0.0/0", "203.0.113.1", out);
	add_route("172.16.0.0/12", "10.7.0.2", other);
	if (!CHECK_INT(io_open(&io_tun_ops, "t0", &io), 0))
		return;
	CHECK_INT(natpath_up(&session, &(struct natpath){
		.tun = "t0", .tun_index = io->ifindex, .outside_index = out, .mtu_bytes = 1400,
		.inside = inside, .n_inside = 2 }, &fix.a), 0);
	CHECK_STR(table(AF_V4), arena_printf(&fix.a,
		"0.0.0.0/0 out %u\n0.0.0.0/0 nowhere 0\n10.7.0.0/24 throw 0\n"
		"172.16.0.0/12 throw 0\n203.0.113.0/24 out %u\n203.0.113.0/24 nowhere 0\n",
		io->ifindex, io->ifindex));
	/* The device goes: nothing of its routes is left but the way to nowhere */
	io_close(&io);
	CHECK_STR(table(AF_V4), "0.0.0.0/0 nowhere 0\n10.7.0.0/24 throw 0\n172.16.0.0/12 throw 0\n"
		  "203.0.113.0/24 nowhere 0\n");
	CHECK_INT(natpath_down(&session, &fix.a), 0);
	CHECK_STR(table(AF_V4), "");
	CHECK_STR(table(AF_V6), "");
	/* And twice */
	CHECK_INT(natpath_down(&session, &fix.a), 0);
	end();
}

static const char *reserved(void)
{
	static char text[256];
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_reserved_ports", "r");

	text[0] = '\0';
	if (f != NULL && fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	if (f != NULL)
		fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool write_reserved(const char *text)
{
	return ns_write("/proc/sys/net/ipv4/ip_local_reserved_ports", text);
}

TEST(ports_are_reserved_and_given_back)
{
	static uint8_t ports[NATPATH_MAP_BYTES];

	BEGIN();
	for (uint32_t i = 50000; i < NATPATH_PORTS; i++)
		ports[i / 8] |= (uint8_t)(1u << (i % 8));
	ports[8080 / 8] |= 1u << (8080 % 8);
	CHECK(write_reserved("8080,60000-60010"));
	CHECK_INT(natpath_reserve(&state, NATPATH_RUN, ports, &fix.a), 0);
	CHECK_STR(reserved(), "8080,50000-65535");
	/* Somebody adds one; a killed run is followed by another */
	CHECK(write_reserved("25,8080,50000-65535"));
	CHECK_INT(natpath_reserve(&state, NATPATH_RUN, ports, &fix.a), 0);
	CHECK_STR(reserved(), "25,8080,50000-65535");
	CHECK_INT(natpath_release(&state, NATPATH_RUN, &fix.a), 0);
	CHECK_STR(reserved(), "25,8080,60000-60010");
	CHECK_INT(natpath_release(&state, NATPATH_RUN, &fix.a), 0);
	CHECK_STR(reserved(), "25,8080,60000-60010");
	end();
}

static int count(const struct nlmsghdr *msg, void *arg)
{
	*(uint32_t *)arg = msg == NULL ? 0 : *(uint32_t *)arg + 1;
	return 0;
}

static uint32_t objects(enum nl_nft_kind kind)
{
	struct nl_session s;
	uint32_t n = 0;

	if (CHECK_INT(nl_open(&s, NETLINK_NETFILTER), 0))
		CHECK_INT(nl_nft_dump(&s, &(struct nl_nft_query){
			.kind = kind, .family = NFPROTO_NETDEV, .table = CLAIM_TABLE }, count,
			&n), 0);
	nl_close(&s);
	return n;
}

TEST(claim_goes_with_its_session)
{
	const struct claim_addr addrs[] = {
		{ pfx("203.0.113.2").a, true }, { pfx("203.0.113.3").a, false },
		{ pfx("2001:db8::3").a, false },
	};
	struct claim_ports ports[3000] = {
		{ IPPROTO_TCP, 443, 443 }, { IPPROTO_UDP, 50001, 65535 },
	};
	const struct prefix home[] = { pfx("10.9.0.0/24"), pfx("224.0.0.0/3"), pfx("ff00::/8") };
	struct claim c = { .outside = "out0", .inside = "in0", .addrs = addrs, .n_addrs = 3,
			   .ports = ports, .n_ports = 2, .home = home, .n_home = 3 };
	struct nl_session s, other;

	BEGIN();
	foreign_link("out0");
	foreign_link("in0");
	if (!CHECK_INT(nl_open(&s, NETLINK_NETFILTER), 0) ||
	    !CHECK_INT(nl_open(&other, NETLINK_NETFILTER), 0))
		return;
	CHECK_INT(nft_claim(&s, &c, false), 0);
	/* Of each chain two for the shared address, one for the others, two for ND; two for away */
	CHECK_INT(objects(NL_NFT_RULES), 2 * (2 + 1 + 3) + 2);
	CHECK(nft_claim(&other, &c, false) < 0);
	CHECK_INT(objects(NL_NFT_TABLES), 1);
	nl_close(&s);
	/* The kernel clears up in its own time */
	for (int i = 0; i < 500 && objects(NL_NFT_TABLES) > 0; i++)
		usleep(2000);
	CHECK_INT(objects(NL_NFT_TABLES), 0);
	/* More ports than one message holds */
	for (uint32_t i = 0; i < 3000; i++)
		ports[i] = (struct claim_ports){ IPPROTO_TCP, (uint16_t)(i * 3 + 1),
						 (uint16_t)(i * 3 + 2) };
	c.n_ports = 3000;
	c.inside = NULL;
	CHECK_INT(nft_claim(&other, &c, false), 0);
	CHECK_INT(objects(NL_NFT_RULES), 6);
	/* Once more, in the place of what it claimed before */
	CHECK_INT(nft_claim(&other, &c, true), 0);
	CHECK_INT(objects(NL_NFT_RULES), 6);
	CHECK_INT(objects(NL_NFT_TABLES), 1);
	nl_close(&other);
	end();
}
