/* SPDX-License-Identifier: BSD-2-Clause */
#include "ns.h"

#include <linux/netlink.h>

#include "host/facts.h"
#include "nl/rtnl.h"

static struct arena arena;
static struct intern names;
static struct sources sources;
static struct diags diags;
static struct facts facts;

static void begin(void)
{
	arena_init(&arena, 16 << 20);
	intern_init(&names, &arena);
	sources_init(&sources, &arena);
	diags_init(&diags, &arena, &sources);
	facts_init(&facts, &arena, &names);
}

static void parse(const char *text)
{
	host_facts_file(&facts, &sources,
			sources_add(&sources, "ifaces", text, (uint32_t)strlen(text), SPAN_NONE),
			&diags);
}

/* All facts as lines of the same format, loopback apart */
static const char *dump(void)
{
	const char *text = "";
	char buf[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < facts.ifaces.n; i++) {
		const struct iface *f = &facts.ifaces.v[i];

		if (strcmp(f->name, "lo0") == 0)
			continue;
		text = arena_printf(&arena, "%s%s", text, f->name);
		for (uint32_t g = 0; g < f->groups.n; g++)
			text = arena_printf(&arena, "%s group %s", text, f->groups.v[g]);
		for (uint32_t n = 0; n < f->addrs.n; n++) {
			text = arena_printf(&arena, "%s %s", text,
					    prefix_print(f->addrs.v[n].p, buf));
			if (f->addrs.v[n].peer.af != AF_NONE)
				text = arena_printf(&arena, "%s peer %s", text,
						    addr_print(f->addrs.v[n].peer, buf));
		}
		text = arena_printf(&arena, "%s\n", text);
	}
	for (int i = 0; i < 2; i++)
		if (facts.default_if[i] != NULL)
			text = arena_printf(&arena, "%sdefault via %s dev %s\n", text,
					    addr_print(facts.default_via[i], buf),
					    facts.default_if[i]);
	return text;
}

TEST(file)
{
	begin();
	parse("# hosts of the example\n"
	      "igb0 group wan group egress2 203.0.113.2/24 2001:db8::2/64\t# outside\r\n"
	      "\n"
	      "  tun0 10.0.0.1 peer 10.0.0.2 10.9.0.1/24\n"
	      "lo1 192.168.100.1/29\n"
	      "lo 127.0.0.2/8\n"
	      "em1\n"
	      "default via 203.0.113.1 dev igb0\n"
	      "default via fe80::1 dev tun0");
	CHECK_INT(diags.list.n, 0);
	CHECK_STR(dump(),
		  "igb0 group wan group egress2 203.0.113.2/24 2001:db8::2/64\n"
		  "tun0 10.0.0.1/32 peer 10.0.0.2 10.9.0.1/24\n"
		  "lo1 group lo 192.168.100.1/29\n"
		  "em1\n"
		  "default via 203.0.113.1 dev igb0\n"
		  "default via fe80::1 dev tun0\n");
	CHECK(facts_find(&facts, "lo") == NULL);
	CHECK(facts_find(&facts, "igb0")->is_live);
	CHECK_INT(facts_find(&facts, "igb0")->kind, IFACE_REAL);
	CHECK_INT(facts_find(&facts, "lo1")->kind, IFACE_CLONED);
	CHECK(facts_find(&facts, "igb0")->addrs.v[0].at.src != 0);
	arena_fini(&arena);
}

/* Each line is wrong at the place between the brackets, which are not part of it */
static void check_bad(const char *marked)
{
	char text[256];
	uint32_t lo = 0, hi = 0, n = 0;

	for (const char *p = marked; *p != '\0'; p++)
		if (*p == '[')
			lo = n;
		else if (*p == ']')
			hi = n;
		else
			text[n++] = *p;
	text[n] = '\0';
	begin();
	parse(text);
	if (CHECK_INT(diags.list.n, 1)) {
		CHECK_INT(diags.list.v[0].code, DIAG_E1007);
		CHECK_INT(diags.list.v[0].at.lo, lo);
		CHECK_INT(diags.list.v[0].at.hi, hi);
	}
	arena_fini(&arena);
}

TEST(bad_lines)
{
	check_bad("igb0 [203.0.113.300/24]\nem0 1.2.3.4\n");
	check_bad("igb0 [203.0.113.2/33]");
	check_bad("igb0 group[]\n");
	check_bad("igb0 group [a/b]\n");
	check_bad("[a-name-of-16-byte] 10.0.0.1/8\n");
	check_bad("[em0:1] 10.0.0.1\n");
	check_bad("igb0 [peer] 10.0.0.1\n");
	check_bad("igb0 10.0.0.1 peer[]\n");
	check_bad("igb0 10.0.0.1 peer 10.0.0.2 [peer] 10.0.0.3\n");
	check_bad("igb0 10.0.0.1 peer [fe80::1]\n");
	check_bad("igb0 10.0.0.1 peer [10.0.0.0/8] # no prefix here\n");
	check_bad("default[]\n");
	check_bad("default [gw] 10.0.0.1\n");
	check_bad("default via [em0]\n");
	check_bad("default via 10.0.0.1 [em0]\n");
	check_bad("default via 10.0.0.1 dev[]\n");
	check_bad("default via 10.0.0.1 dev em0 [metric] 10\n");
}

TEST(many_bad_lines)
{
	begin();
	for (int i = 0; i < 100; i++)
		parse("em0 bad\n");
	CHECK(diag_is_full(&diags));
	arena_fini(&arena);
}

TEST(random_bytes)
{
	for (int i = 0; i < 2000; i++) {
		static const char alphabet[] =
			"lo em0 10.0.0.1/8 peer default via dev group #\n\t:::ff/";
		char text[80];
		const uint32_t len = (uint32_t)unit_below(sizeof(text));

		for (uint32_t n = 0; n < len; n++)
			text[n] = unit_below(8) == 0 ? (char)unit_random()
						     : alphabet[unit_below(sizeof(alphabet))];
		begin();
		host_facts_file(&facts, &sources, sources_add(&sources, "x", text, len, SPAN_NONE),
				&diags);
		for (uint32_t n = 0; n < diags.list.n; n++)
			CHECK(diags.list.v[n].at.hi <= len &&
			      diags.list.v[n].at.lo <= diags.list.v[n].at.hi);
		CHECK(diags.n_errors <= 21);
		arena_fini(&arena);
	}
}

static void talk(struct nl_session *s, struct nlmsghdr *msg)
{
	CHECK_INT(nl_talk(s, msg, NULL, NULL), 0);
}

TEST(live)
{
	NS_FRESH();
	struct nl_session s CLEANUP(nl_close);
	struct rtnl_addr x = { .ifindex = 2, .p = { addr_v4(10, 1, 0, 1), 24 } };
	struct host_live live;
	struct rtnl_msg m;

	if (!CHECK_INT(nl_open(&s, NETLINK_ROUTE), 0))
		return;
	begin();
	/* A cloned loopback by another name, and a bridge of somebody else */
	talk(&s, rtnl_msg_link_add(&m, "jails0", "bridge"));
	talk(&s, rtnl_msg_link_mark(&m, 2, true));
	talk(&s, rtnl_msg_link_set_up(&m, 2, true));
	talk(&s, rtnl_msg_addr_add(&m, &x));
	CHECK_INT(host_live_read(&s, &arena, &live), 0);
	host_facts_live(&facts, &live);
	CHECK_STR(dump(), "jails0 group lo 10.1.0.1/24\n");
	CHECK(facts_find(&facts, "lo0")->is_live);
	CHECK_INT(facts_find(&facts, "jails0")->kind, IFACE_CLONED);
	CHECK(facts_find(&facts, "jails0")->addrs.v[0].is_live);
	arena_fini(&arena);
}
