/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang_golden.h"
#include "lang/text.h"

static void load(struct world *w, const char *text)
{
	world_init(w);
	world_text(w, "rc.conf", text);
	decl_finish(&w->decl, &w->diags);
	if (w->diags.n_errors > 0) {
		char *told = langkit_told(&w->diags);

		CHECK_STR(told, "");
		free(told);
	}
}

/* Value of a variable after the file, or NULL */
static const char *value(struct world *w, const char *text, const char *name)
{
	const uint32_t src = sources_add(&w->sources, "rc.conf", text, (uint32_t)strlen(text),
					 SPAN_NONE);
	const struct rc_file *f = rc_parse(&w->c, src);

	for (uint32_t i = 0; i < f->vars.n; i++)
		if (f->vars.v[i].is_last && strcmp(f->vars.v[i].name, name) == 0)
			return f->vars.v[i].value->buf.v;
	return NULL;
}

/* Addresses as "lo1|10.0.0.2/32", with " " between; a host's in parentheses */
static const char *addrs(struct world *w)
{
	const char *all = "";
	char text[ADDR_TEXT_BYTES];

	for (uint32_t i = 0; i < w->decl.addrs.n; i++) {
		const struct decl_addr *a = &w->decl.addrs.v[i];

		all = arena_printf(&w->a, a->is_host ? "%s%s(%s|%s)" : "%s%s%s|%s", all,
				   i > 0 ? " " : "", a->iface, prefix_print(a->p, text));
	}
	return all;
}

TEST(golden)
{
	golden_dir("rc", "15");
}

TEST(assignments)
{
	static const struct {
		const char *text;
		const char *value;	/* of x */
	} cases[] = {
		{ "x=1", "1" },
		{ "x=", "" },
		{ "x=\"a b\"", "a b" },
		{ "x='a $y \\n'", "a $y \\n" },
		{ "y=1; x=\"$y${y}2\"", "112" },
		{ "y=1 x=a'b'\"c\"$y", "abc1" },
		{ "x=\"a\\\"b\\$c\\\\d\\ne\"", "a\"b$c\\d\\ne" },
		{ "x=a\\ b", "a b" },
		{ "x=\"a \\\n  b\"", "a   b" },
		{ "x=a\\\nb", "ab" },
		{ "x=\"one\ntwo\"", "one\ntwo" },
		{ "x=1 # y\nx=2#3", "2#3" },
		{ "# x=1\n\t x=2 ;", "2" },
		{ "x=1\nx=\"$x 2\"\nx=\"$x 3\"", "1 2 3" },
		{ "x=\"5$ $\"", "5$ $" },
		{ "x=\"1\"\r\ny=2\r\n", "1" },
		{ "\\\nx=1", "1" },
		{ "x=a=b", "a=b" },
		{ "y=1", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		world_init(&w);
		CHECK_STR(value(&w, cases[i].text, "x"), cases[i].value);
		CHECK_INT(w.diags.list.n, 0);
		world_fini(&w);
	}
}

TEST(web_and_db)
{
	struct world w;

	load(&w,
	     "hostname=\"host.example.org\"\n"
	     "sshd_enable=\"YES\"\n"
	     "cloned_interfaces=\"lo1\"\n"
	     "ifconfig_igb0=\"inet 203.0.113.2/24\"\n"
	     "ifconfig_igb0_ipv6=\"inet6 2001:db8::2 prefixlen 64\"\n"
	     "ifconfig_lo1_aliases=\"inet 192.168.100.1/29 inet 192.168.100.2-6/32\"\n"
	     "defaultrouter=\"203.0.113.1\"\n"
	     "ipv6_defaultrouter=\"fe80::1%igb0\"\n"
	     "gateway_enable=\"YES\"\n"
	     "ipv6_gateway_enable=no\n"
	     "jail_enable=\"YES\"\n"
	     "jail_parallel_start=\"YES\"\n"
	     "jail_www_rootdir=\"/j\"\n"
	     "pf_enable=\"YES\"\n"
	     "pf_rules=\"/etc/pf.conf\"\n");
	CHECK_INT(w.diags.list.n, 0);
	CHECK_STR(addrs(&w), "(igb0|203.0.113.2/24) lo1|192.168.100.1/29 lo1|192.168.100.2/32 "
			     "lo1|192.168.100.3/32 lo1|192.168.100.4/32 lo1|192.168.100.5/32 "
			     "lo1|192.168.100.6/32 (igb0|2001:db8::2/64)");
	CHECK_INT(w.decl.gateway, 1);
	CHECK_INT(w.decl.gateway6, 0);
	CHECK_INT(w.decl.pf_enable, 1);
	CHECK_INT(w.decl.jail_enable, 1);
	CHECK_STR(w.decl.pf_rules, "/etc/pf.conf");
	CHECK(addr_equal(w.decl.default_via[0], addr_v4(203, 0, 113, 1)));
	CHECK(w.decl.default_if[0] == NULL);
	CHECK_STR(w.decl.default_if[1], "igb0");
	CHECK(!w.decl.has_jail_list);
	CHECK_INT(w.decl.links.n, 1);
	world_fini(&w);
}

TEST(nothing_said)
{
	struct world w;

	load(&w, "defaultrouter=\"NO\"\njail_list=\"\"\ncloned_interfaces=\"\"\n");
	CHECK_INT(w.decl.gateway, -1);
	CHECK_INT(w.decl.gateway6, -1);
	CHECK_INT(w.decl.pf_enable, -1);
	CHECK_INT(w.decl.jail_enable, -1);
	CHECK_INT(w.decl.default_via[0].af, AF_NONE);
	CHECK(!w.decl.has_jail_list);
	world_fini(&w);
}

TEST(interfaces)
{
	static const struct {
		const char *text;
		const char *addrs;
	} cases[] = {
		{ "ifconfig_em0=\"inet 10.0.0.1 netmask 0xffffff00\"", "(em0|10.0.0.1/24)" },
		{ "ifconfig_em0=\"10.0.0.1 netmask 255.255.0.0 up\"", "(em0|10.0.0.1/16)" },
		{ "ifconfig_em0=\"up mtu 9000 inet 10.0.0.1/30 broadcast 10.0.0.3\"",
		  "(em0|10.0.0.1/30)" },
		{ "ifconfig_em0=\"inet 10.0.0.1/8 inet6 fd00::1 prefixlen 48\"",
		  "(em0|10.0.0.1/8) (em0|fd00::1/48)" },
		{ "ifconfig_em0_ipv6=\"inet6 accept_rtadv\"", "" },
		{ "ifconfig_em0_ipv6=\"inet6 fd00::1/64 auto_linklocal\"", "(em0|fd00::1/64)" },
		{ "ifconfig_em0_ipv6=\"fd00::1\"", "(em0|fd00::1/64)" },
		{ "ifconfig_em0_ipv6=\"inet6 2001:db8:: eui64\"", "" },
		{ "ifconfig_em0_alias0=\"inet 10.0.0.3/32\"\nifconfig_em0=\"inet 10.0.0.2/24\"",
		  "(em0|10.0.0.2/24) (em0|10.0.0.3/32)" },
		{ "ifconfig_em0_aliases=\"inet 10.0.0.3-4/28 netmask 255.255.255.255\"",
		  "(em0|10.0.0.3/32) (em0|10.0.0.4/32)" },
		{ "ipv4_addrs_em0=\"10.0.0.1/24 10.0.0.2-4/27\"",
		  "(em0|10.0.0.1/24) (em0|10.0.0.2/27) (em0|10.0.0.3/32) (em0|10.0.0.4/32)" },
		{ "ifconfig_em0_aliases=\"inet 10.0.0-2.9\"",
		  "(em0|10.0.0.9/32) (em0|10.0.1.9/32) (em0|10.0.2.9/32)" },
		{ "ifconfig_em0_aliases=\"inet6 fd00::9-b/128 inet6 fd00:1-2::1\"",
		  "(em0|fd00::9/128) (em0|fd00::a/128) (em0|fd00::b/128) "
		  "(em0|fd00:1::1/64) (em0|fd00:2::1/64)" },
		{ "ifconfig_em0=\"DHCP\"", "" },
		{ "ifconfig_em0_descr=\"inet uplink\"", "" },
		{ "ifconfig_DEFAULT=\"DHCP\"", "" },
		{ "vlans_em0=\"100\"\nifconfig_em0_100=\"inet 10.0.0.1/24\"",
		  "(em0.100|10.0.0.1/24)" },
		{ "ifconfig_gif0=\"inet 10.0.0.1 10.0.0.2 netmask 255.255.255.255\"",
		  "(gif0|10.0.0.1/32)" },
		{ "cloned_interfaces=\"lo1:sticky\"\nifconfig_lo1_name=\"jails0\"\n"
		  "ifconfig_jails0=\"inet 10.0.0.1/24\"", "jails0|10.0.0.1/24" },
		{ "ifconfig_lo0_alias0=\"inet 127.0.0.2/8\"", "(lo0|127.0.0.2/8)" },
		{ "cloned_interfaces=\"lo1\"\nifconfig_lo1=\"inet 10.0.0.1/24\"\n"
		  "ifconfig_lo1_alias0=\"inet 10.0.0.1/24\"", "lo1|10.0.0.1/24" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct world w;

		load(&w, cases[i].text);
		CHECK_STR(addrs(&w), cases[i].addrs);
		CHECK_INT(w.diags.list.n, 0);
		world_fini(&w);
	}
}

TEST(dhcp)
{
	struct world w;

	load(&w, "ifconfig_em0=\"SYNCDHCP\"\nifconfig_em0_ipv6=\"inet6 accept_rtadv\"\n"
		 "ifconfig_em1=\"dhcp\"\n");
	CHECK_INT(w.decl.dhcp.n, 2);
	CHECK_STR(w.decl.dhcp.v[0], "em0");
	CHECK_STR(w.decl.dhcp.v[1], "em1");
	world_fini(&w);
}

TEST(jail_list)
{
	struct world w;

	world_init(&w);
	world_text(&w, "rc.conf", "jail_list=\"db  mail\"\n");
	world_text(&w, "jail.conf", "www { } db { } mail { }");
	decl_finish(&w.decl, &w.diags);
	CHECK_INT(w.diags.list.n, 0);
	CHECK(!decl_find_jail(&w.decl, "www")->is_enabled);
	CHECK(decl_find_jail(&w.decl, "db")->is_enabled);
	CHECK(decl_find_jail(&w.decl, "mail")->is_enabled);
	world_fini(&w);
}

TEST(sysctl)
{
	struct world w;

	world_init(&w);
	world_text(&w, "sysctl.conf", "# all\nkern.maxfiles=3\n\nnet.inet.ip.forwarding=0\n"
		   "net.inet.ip.forwarding = 1 # on\r\nnet.inet6.ip6.forwarding=1");
	CHECK_INT(w.diags.list.n, 0);
	if (CHECK_INT(w.decl.sysctls.n, 2)) {
		CHECK_STR(w.decl.sysctls.v[0].name, "net.inet.ip.forwarding");
		CHECK_STR(w.decl.sysctls.v[0].value, "1");
		CHECK_STR(w.decl.sysctls.v[1].name, "net.inet6.ip6.forwarding");
	}
	world_fini(&w);
}

TEST(defines)
{
	struct world w;

	world_init(&w);
	w.defines[0] = (struct lang_define){ "gateway_enable", "NO" };
	w.defines[1] = (struct lang_define){ "extif", "em0" };
	w.c.n_defines = 2;
	world_text(&w, "rc.conf", "gateway_enable=YES\nipv6_defaultrouter=\"fe80::1%$extif\"\n");
	CHECK_INT(w.diags.list.n, 0);
	CHECK_INT(w.decl.gateway, 0);
	CHECK_STR(w.decl.default_if[1], "em0");
	world_fini(&w);
}

/* LIMIT_LIST_ITEMS addresses are allowed; the golden case has one more */
TEST(many_addresses)
{
	struct world w;

	load(&w, "cloned_interfaces=lo1\nifconfig_lo1_aliases=\"inet6 fd00::0-ffff/128\"\n");
	CHECK_INT(w.decl.addrs.n, LIMIT_LIST_ITEMS);
	world_fini(&w);
}

/* ---- fmt -------------------------------------------------------------------------------- */

/* Names and values in order, a line for each */
static const char *said(struct world *w, uint32_t src, bool is_sysctl)
{
	const char *all = "";

	if (is_sysctl) {
		const struct sysctlconf_file *f = sysctlconf_parse(&w->c, src);

		for (uint32_t i = 0; i < f->settings.n; i++)
			all = arena_printf(&w->a, "%s%s=%s\n", all, f->settings.v[i].name,
					   f->settings.v[i].value);
	} else {
		const struct rc_file *f = rc_parse(&w->c, src);

		for (uint32_t i = 0; i < f->vars.n; i++)
			all = arena_printf(&w->a, "%s%s=%s\n", all, f->vars.v[i].name,
					   f->vars.v[i].value->buf.v);
	}
	return all;
}

/* The canonical text of a source, as a new one */
static uint32_t formatted(struct world *w, uint32_t src, bool is_sysctl)
{
	const struct source s = *source_at(&w->sources, src);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!CHECK(out != NULL))
		return src;
	(is_sysctl ? sysctlconf_fmt : rc_fmt)(s.text, s.len, out);
	fclose(out);
	src = sources_add(&w->sources, "again", arena_strndup(&w->a, text, len), (uint32_t)len,
			  SPAN_NONE);
	free(text);
	return src;
}

/* What is printed says the same, and is printed as itself */
static void check_fmt(struct world *w, const char *text, bool is_sysctl)
{
	const uint32_t src = sources_add(&w->sources, "first", text, (uint32_t)strlen(text),
					 SPAN_NONE);
	const char *before = said(w, src, is_sysctl);
	uint32_t once;

	if (w->diags.n_errors > 0)
		return;
	once = formatted(w, src, is_sysctl);
	CHECK_STR(said(w, once, is_sysctl), before);
	CHECK_INT(w->diags.n_errors, 0);
	CHECK_STR(source_at(&w->sources, formatted(w, once, is_sysctl))->text,
		  source_at(&w->sources, once)->text);
}

TEST(fmt_of_words)
{
	static const char *const texts[] = {
		"a=$b\"$c\"'$d' # x\n\n\n;b='\"`\\'#y", "export a=1 b=2;c=3", "a=b\\\nc\\ \\$d",
		"a=\"x\\\n y\\z\\\"\"",
		"a=\"\n\t#b\"\r\n#c \r\n", "a=$ b=\"$\" c='$'d", "a=b\\", "",
		"# only\n\n", "a=${b}c\"${d}\"e",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct world w;

		world_init(&w);
		check_fmt(&w, texts[i], false);
		CHECK_INT(w.diags.n_errors, 0);
		world_fini(&w);
	}
}

TEST(mutations)
{
	static const char good[] =
		"a='b' c=\"$a ${a}\" # x\ncloned_interfaces=\"lo1 bridge0\"\n"
		"ifconfig_lo1_aliases=\"inet 10.0.0.1/29 inet 10.0.0.2-6/32 inet6 fd00::1-3/64\"\n"
		"ifconfig_igb0=\"inet 203.0.113.2 netmask 0xffffff00 up\"\n"
		"defaultrouter=203.0.113.1\n"
		"gateway_enable=YES; jail_list=\"a \\\n b\"\nipv4_addrs_lo1=\"10.0.0.1-2/24\"\n";
	static const char bytes[] = "\"'$\\{}()=; \n#-/.:x09|`\x80";

	for (int i = 0; i < 3000; i++) {
		char text[sizeof(good)];
		struct world w;

		memcpy(text, good, sizeof(good));
		langkit_damage(text, bytes);
		world_init(&w);
		world_text(&w, i % 8 == 0 ? "sysctl.conf" : "rc.conf", text);
		decl_finish(&w.decl, &w.diags);
		langkit_spans_check(&w.diags);
		world_fini(&w);
		world_init(&w);
		check_fmt(&w, text, i % 8 == 0);
		world_fini(&w);
	}
}
