/* SPDX-License-Identifier: BSD-2-Clause */
#include "hostfix.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <time.h>

#include "host/alias.h"

static struct host_have have;

static void begin(void)
{
	fix_begin();
	have = (struct host_have){ .is_saved_there = true };
}

/* @alias: ifalias; a link is up and of kind @kind */
static struct rtnl_link *have_link(const char *name, const char *kind, const char *alias)
{
	struct rtnl_link *l = vec_push(&fix.a, &have.links.list);

	l->index = have.links.list.n;
	l->flags = IFF_UP;
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->kind, sizeof(l->kind), "%s", kind);
	snprintf(l->alias, sizeof(l->alias), "%s", alias);
	return l;
}

static void have_addr(const char *iface, const char *prefix, uint8_t proto)
{
	struct rtnl_addr *x = vec_push(&fix.a, &have.addrs.list);

	x->ifindex = rtnl_link_find(&have.links, iface)->index;
	x->p = fix_prefix(prefix);
	x->proto = proto;
}

static void have_setting(const char *path, const char *value)
{
	vec_add(&fix.a, &have.settings.list, ((struct sysctl){ path, value }));
}

static void have_saved(const char *path, const char *was, const char *set)
{
	vec_push(&fix.a, &have.saved.saved)->main = (struct sysctl_change){ path, was, set };
}

static const char *plan(void)
{
	struct host_plan p;

	host_have_index(&have, &fix.a);
	host_plan_make(fix_want(), &have, &fix.a, &fix.diags, &p);
	return fix_plan(&p);
}

static const char *plan_destroy(void)
{
	struct host_plan p;

	host_have_index(&have, &fix.a);
	host_plan_destroy(&have, &fix.a, &fix.diags, &p);
	return fix_plan(&p);
}

#define OURS	RTNL_ADDR_PROTO

TEST(from_nothing)
{
	begin();
	have_link("lo", "", "");
	have_link("igb0", "veth", "");
	have_setting("net/ipv4/ip_forward", "0");
	have_setting("net/ipv6/conf/all/forwarding", "0");
	fix_link("lo1");
	fix_addr("lo1", "192.168.100.1/29");
	fix_addr("lo1", "192.168.100.2/32");
	fix_jail("www", "lo1", "192.168.100.2/32");
	fix_jail("db", "lo1", "fd00::3/128");
	fix_jail("ext", "igb0", "203.0.113.5/32");
	fix.d.gateway = 1;
	CHECK_STR(plan(),
		  "add link lo1\n"
		  "add address 192.168.100.1/29 on lo1\n"
		  "add address 192.168.100.2/32 on lo1\n"
		  "add address fd00::3/128 on lo1\n"
		  "add address 203.0.113.5/32 on igb0\n"
		  "change sysctl net.ipv4.ip_forward=1\n");
	CHECK_STR(fix_codes(), "");
	CHECK_STR(fix.w.addrs.v[1].jail, "www");
	fix_end();
}

TEST(nothing_left)
{
	begin();
	have_link("lo1", "dummy", "sallyport");
	have_addr("lo1", "192.168.100.1/29", OURS);
	have_addr("lo1", "fe80::1/64", IFAPROT_KERNEL_LL);
	have_setting("net/ipv4/ip_forward", "1");
	fix_link("lo1");
	fix_addr("lo1", "192.168.100.1/29");
	fix_sysctl("net.inet.ip.forwarding", "1");
	fix_sysctl("security.jail.enforce_statfs", "1");
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "");
	fix_end();
}

TEST(who_is_not_wanted)
{
	struct decl_jail *j;

	begin();
	have_link("lo", "", "");
	fix_jail("off", "lo0", "127.0.0.2/8")->is_enabled = false;
	j = fix_jail("vnet", "lo0", "127.0.0.3/8");
	j->is_vnet = true;
	fix_addr("lo0", "127.0.0.4/8");
	fix.d.addrs.v[0].is_host = true;
	fix_link("lo0");
	CHECK_STR(plan(), "");
	fix_jail("on", "lo0", "127.0.0.5/8");
	CHECK_STR(plan(), "add address 127.0.0.5/8 on lo\n");
	fix_end();
}

TEST(what_was_ours_goes)
{
	begin();
	have_link("lo1", "bridge", "sallyport");
	have_link("lo2", "bridge", "sallyport");
	have_link("igb0", "veth", "");
	have_addr("lo1", "10.0.0.1/24", OURS);
	have_addr("lo1", "10.0.0.2/24", OURS);
	have_addr("lo1", "10.0.0.3/24", OURS);
	have_addr("lo2", "10.0.1.1/24", OURS);
	have_addr("igb0", "203.0.113.2/24", 0);
	have_addr("igb0", "203.0.113.3/24", OURS);
	fix_link("lo1");
	fix_addr("lo1", "10.0.0.2/24");
	fix_addr("lo1", "10.0.0.3/32");
	CHECK_STR(plan(),
		  "del address 10.0.0.1/24 on lo1\n"
		  "del address 10.0.0.3/24 on lo1\n"
		  "del address 203.0.113.3/24 on igb0\n"
		  "add address 10.0.0.3/32 on lo1\n"
		  "del link lo2\n");
	CHECK_STR(fix_codes(), "");
	CHECK_STR(plan_destroy(),
		  "del address 203.0.113.3/24 on igb0\n"
		  "del link lo1\n"
		  "del link lo2\n");
	fix_end();
}

TEST(moved_and_given_a_peer)
{
	begin();
	have_link("lo1", "bridge", "sallyport");
	have_link("lo2", "bridge", "sallyport");
	have_addr("lo1", "10.0.0.1/32", OURS);
	have_addr("lo2", "10.0.0.2/32", OURS);
	fix_link("lo1");
	fix_link("lo2");
	fix_addr("lo2", "10.0.0.1/32");
	fix_addr("lo2", "10.0.0.2/32");
	fix.d.addrs.v[1].peer = fix_prefix("10.0.0.9").a;
	CHECK_STR(plan(),
		  "del address 10.0.0.1/32 on lo1\n"
		  "del address 10.0.0.2/32 on lo2\n"
		  "add address 10.0.0.1/32 on lo2\n"
		  "add address 10.0.0.2/32 on lo2\n");
	CHECK_STR(fix_codes(), "");
	fix_end();
}

/* Killed between making the link and marking it; or set down by somebody */
TEST(half_made_link)
{
	struct rtnl_link *l;

	begin();
	l = have_link("lo1", "bridge", "");
	l->group = RTNL_LINK_GROUP;
	l->flags = 0;
	fix_link("lo1");
	CHECK_STR(plan(), "change link lo1\n");
	CHECK_STR(plan_destroy(), "del link lo1\n");
	snprintf(l->alias, sizeof(l->alias), "sallyport");
	CHECK_STR(plan(), "change link lo1\n");
	l->flags = IFF_UP;
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "");
	fix_end();
}

TEST(link_of_somebody_else)
{
	begin();
	have_link("lo1", "dummy", "");
	have_link("lo2", "dummy", "mine")->group = RTNL_LINK_GROUP;
	have_link("lo3", "veth", "sallyport");
	have_addr("lo1", "10.0.0.1/32", 0);
	fix_link("lo1");
	fix_link("lo2");
	fix_link("lo3");
	fix_addr("lo1", "10.0.0.1/32");
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "E1801 E1801 E1801");
	CHECK_INT(fix.diags.list.v[0].at.src, fix.d.links.v[0].at.src);
	CHECK_STR(plan_destroy(), "");
	fix_end();
}

TEST(address_of_somebody_else_on_a_cloned_loopback)
{
	begin();
	have_link("lo1", "bridge", "sallyport");
	have_addr("lo1", "10.0.0.1/32", 0);
	have_addr("lo1", "10.0.0.9/32", 0);
	fix_link("lo1");
	fix_addr("lo1", "10.0.0.1/32");
	plan();
	CHECK_STR(fix_told(),
		  "decl:1:1: warning: 10.0.0.9/32 is on lo1 and is not declared [W1819]\n"
		  "    1 | lo1\n"
		  "      | ^~~\n"
		  "note: put there by somebody else, and left alone\n"
		  "help: remove it, or declare it after removing it\n"
		  "decl:1:1: error: 10.0.0.1/32 cannot be set on lo1 [E1802]\n"
		  "    1 | 10.0.0.1/32\n"
		  "      | ^~~~~~~~~~~\n"
		  "note: already on lo1, put there by somebody else\n"
		  "help: remove it, or declare another address\n");
	fix_end();
}

TEST(address_of_somebody_else_on_a_real_interface)
{
	begin();
	have_link("igb0", "veth", "");
	have_link("lo1", "bridge", "sallyport");
	have_addr("igb0", "203.0.113.5/24", 0);
	have_addr("igb0", "203.0.113.6/24", 0);
	fix_jail("www", "igb0", "203.0.113.5/32");
	fix_jail("db", "lo1", "203.0.113.6/32");
	fix_link("lo1");
	CHECK_STR(plan(), "add address 203.0.113.6/32 on lo1\n");
	CHECK_STR(fix_codes(), "N1804 W1817");
	CHECK_INT(fix.diags.n_errors, 0);
	fix_end();
}

TEST(link_in_use_stays)
{
	begin();
	have_link("lo1", "bridge", "sallyport");
	have_link("lo2", "bridge", "sallyport");
	have_link("veth9", "veth", "")->master = 2;
	have_addr("lo1", "10.0.0.1/32", OURS);
	have_addr("lo1", "10.0.0.9/32", 0);
	CHECK_STR(plan_destroy(), "del address 10.0.0.1/32 on lo1\n");
	CHECK_STR(fix_codes(), "W1814 W1814");
	CHECK_STR(plan(), "del address 10.0.0.1/32 on lo1\n");
	fix_end();
}

TEST(places_that_are_not_there)
{
	begin();
	have_link("lo", "", "");
	fix_jail("a", "em9", "10.0.0.1/32");
	fix_jail("b", NULL, "10.0.0.2/32");
	fix_addr("a-name-of-16-byte", "10.0.0.3/32");
	fix_link("a b");
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "E1812 E1812 E1803 W1805");
	fix_end();
}

TEST(address_without_interface)
{
	begin();
	have_link("igb0", "veth", "");
	have_addr("igb0", "10.0.0.2/24", 0);
	fix_jail("b", NULL, "10.0.0.2/32");
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "");
	fix_end();
}

TEST(settings)
{
	begin();
	have_setting("net/ipv4/ip_forward", "0");
	fix_sysctl("net.inet.ip.forwarding", "0");
	fix.d.gateway = 1;
	fix_sysctl("net.inet6.ip6.forwarding", "1");
	CHECK_STR(plan(), "change sysctl net.ipv4.ip_forward=1\n");
	/* No IPv6 in this kernel */
	CHECK_STR(fix_codes(), "E1818");
	fix_clear();
	fix_sysctl("net.inet.ip.forwarding", "YES");
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "E1816");
	fix_clear();
	fix.d.gateway = 0;
	CHECK_STR(plan(), "");
	CHECK_STR(fix_codes(), "");
	fix_end();
}

TEST(router_advertisements)
{
	begin();
	have_link("igb0", "veth", "");
	have.route6 = (struct rtnl_route){ .af = AF_V6, .ifindex = 1, .proto = RTPROT_RA };
	have_setting("net/ipv6/conf/all/forwarding", "0");
	fix.d.gateway6 = 1;
	CHECK_STR(plan(), "change sysctl net.ipv6.conf.all.forwarding=1\n");
	CHECK_STR(fix_codes(), "W1813");
	fix_end();
}

TEST(settings_put_back)
{
	begin();
	have_setting("net/ipv4/ip_forward", "1");
	have_setting("net/ipv6/conf/all/forwarding", "0");
	have_saved("net/ipv4/ip_forward", "0", "1");
	CHECK_STR(plan(), "change sysctl net.ipv4.ip_forward=0\n");
	CHECK_STR(plan_destroy(), "change sysctl net.ipv4.ip_forward=0\n");
	CHECK_STR(fix_codes(), "");
	have_saved("net/ipv6/conf/all/forwarding", "0", "1");
	CHECK_STR(plan_destroy(), "change sysctl net.ipv4.ip_forward=0\n");
	CHECK_STR(fix_codes(), "N1810");
	fix_end();
}

TEST(record_lost)
{
	begin();
	have.is_saved_lost = true;
	have.is_saved_there = false;
	have_setting("net/ipv4/ip_forward", "1");
	CHECK_STR(plan_destroy(), "");
	CHECK_STR(fix_codes(), "N1811");
	fix_end();
}

TEST(killed_while_putting_back)
{
	begin();
	have_setting("net/ipv4/ip_forward", "0");
	vec_add(&fix.a, &have.saved.journal.list,
		((struct sysctl){ "net/ipv4/conf/em0/forwarding", "1" }));
	CHECK_STR(plan_destroy(), "change sysctl net.ipv4.conf.em0.forwarding=1\n");
	CHECK_STR(plan(), "change sysctl net.ipv4.conf.em0.forwarding=1\n");
	fix_end();
}

TEST(aliases)
{
	struct host_aliases got;

	begin();
	have_link("lo", "", "");
	have_link("lo1", "bridge", "sallyport");
	have_addr("lo", "127.0.0.1/8", IFAPROT_KERNEL_LO);
	have_addr("lo", "127.0.0.2/8", 0);
	have_addr("lo1", "10.0.0.1/32", OURS);
	have_addr("lo1", "10.0.0.9/32", 0);
	fix_link("lo1");
	fix_jail("www", "lo1", "10.0.0.1/32");
	fix_jail("db", "lo0", "127.0.0.2/8");
	host_have_index(&have, &fix.a);
	host_aliases_list(fix_want(), &have, &fix.a, &got);
	if (CHECK_INT(got.list.n, 3)) {
		CHECK_STR(got.list.v[0].iface, "lo0");
		CHECK_STR(got.list.v[0].kind, "device");
		CHECK_STR(got.list.v[0].jail, "db");
		CHECK(!got.list.v[0].is_owned);
		CHECK_STR(got.list.v[1].iface, "lo1");
		CHECK_STR(got.list.v[1].kind, "bridge");
		CHECK_STR(got.list.v[1].jail, "www");
		CHECK(got.list.v[1].is_owned);
		CHECK_STR(got.list.v[2].jail, NULL);
	}
	fix_end();
}

/* A whole range: planning must not compare each address with each */
TEST(many_addresses)
{
	struct decl_addr x;
	struct host_plan p;
	clock_t t;

	begin();
	have_link("lo1", "dummy", "sallyport");
	fix_link("lo1");
	x = fix_decl("lo1", "10.0.0.0/32");
	for (uint32_t i = 0; i < 65536; i++) {
		struct rtnl_addr *y;

		x.p.a.v++;
		vec_add(&fix.a, &fix.d.addrs, x);
		if (i % 2 == 0)
			continue;
		y = vec_push(&fix.a, &have.addrs.list);
		*y = (struct rtnl_addr){ .ifindex = 1, .p = x.p, .proto = OURS };
	}
	t = clock();
	host_have_index(&have, &fix.a);
	host_plan_make(fix_want(), &have, &fix.a, &fix.diags, &p);
	CHECK_INT(p.ops.n, 32768);
	CHECK((clock() - t) / CLOCKS_PER_SEC < 5);
	fix_end();
}

/* Whatever there is and is wanted: ops that are carried out leave nothing to do */
TEST(random_plans_converge)
{
	static const char *const ifaces[] = { "lo", "lo1", "lo2", "igb0" };

	for (int i = 0; i < 300; i++) {
		struct host_plan p;
		uint32_t n = 0;

		begin();
		have_link("lo", "", "");
		have_link("lo1", "dummy", "sallyport");
		have_link("lo2", "dummy", "sallyport");
		have_link("igb0", "", "");
		fix_link("lo1");
		fix_link("lo2");
		for (uint64_t k = unit_below(12); k > 0; k--)
			have_addr(ifaces[unit_below(4)],
				  arena_printf(&fix.a, "10.0.0.%d/%d", (int)unit_below(6),
					       (int)(24 + 8 * unit_below(2))), OURS);
		for (uint64_t k = unit_below(8); k > 0; k--)
			fix_addr(ifaces[unit_below(4)],
				 arena_printf(&fix.a, "10.0.0.%d/32", (int)unit_below(6)));
		host_have_index(&have, &fix.a);
		host_plan_make(fix_want(), &have, &fix.a, &fix.diags, &p);
		for (uint32_t k = 0; k < p.ops.n; k++) {
			const struct host_op *op = &p.ops.v[k];

			if (op->kind == HOST_ADDR_ADD) {
				vec_add(&fix.a, &have.addrs.list, op->addr);
				continue;
			}
			CHECK_INT(op->kind, HOST_ADDR_DEL);
			for (n = 0; n < have.addrs.list.n; n++)
				if (have.addrs.list.v[n].ifindex == op->addr.ifindex &&
				    have.addrs.list.v[n].p.len == op->addr.p.len &&
				    addr_equal(have.addrs.list.v[n].p.a, op->addr.p.a))
					have.addrs.list.v[n].proto = 200;
			for (uint32_t from = n = 0; from < have.addrs.list.n; from++)
				if (have.addrs.list.v[from].proto != 200)
					have.addrs.list.v[n++] = have.addrs.list.v[from];
			have.addrs.list.n = n;
		}
		CHECK_STR(plan(), "");
		CHECK_INT(have.addrs.list.n >= fix.w.addrs.n, 1);
		CHECK_INT(fix.diags.n_errors, 0);
		fix_end();
	}
}
