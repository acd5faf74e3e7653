/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pf.conf means: small rulesets are lowered, and packets judged by
 * model_eval().  The facts that hold for most of them are those of IFACES.
 */
#include "test_lang_pf.h"

static const char *const ifaces[] = {
	"igb0 203.0.113.2/24 203.0.113.3/24 2001:db8::2/64 fe80::2/64",
	"lo1 192.168.100.1/29 192.168.100.2/32 192.168.100.3/32",
	"ng0 198.51.100.50/32 peer 198.51.100.1",
	"em1 group dmz 10.1.1.1/24",
	"em2 group dmz 10.2.2.1/24",
};

static void start(struct pf_test *t)
{
	pf_test_init(t);
	for (size_t i = 0; i < ARRAY_SIZE(ifaces); i++)
		pf_test_iface(t, ifaces[i]);
}

/* "A:P", "[A]:P" or "A" */
static void read_end(const char *s, struct addr *a, uint16_t *port)
{
	const bool in_brackets = s[0] == '[';
	const char *end = in_brackets ? strchr(s, ']') : strchr(s, ':');
	const char *first = s + in_brackets;

	if (!in_brackets && end != NULL && strchr(end + 1, ':') != NULL)
		end = NULL;
	if (end == NULL)
		end = s + strlen(s);
	CHECK_INT(addr_parse(first, (size_t)(end - first), a), 0);
	end += in_brackets && *end == ']';
	*port = *end == ':' ? (uint16_t)atoi(end + 1) : 0;
}

/* "DIR IFACE PROTO SRC DST [FLAGS|TYPE/CODE]" */
static struct packet read_packet(struct pf_test *t, const char *line)
{
	char dir[8], iface[16], proto[16], src[64], dst[64], extra[16] = "S";
	struct packet p = { .dir = DIR_IN };

	CHECK(sscanf(line, "%7s %15s %15s %63s %63s %15s", dir, iface, proto, src, dst,
		     extra) >= 5);
	p.dir = strcmp(dir, "out") == 0 ? DIR_OUT : DIR_IN;
	p.iface = intern_cid(&t->names, iface);
	p.proto = (uint8_t)proto_parse(proto, strlen(proto));
	read_end(src, &p.src, &p.sport);
	read_end(dst, &p.dst, &p.dport);
	if (p.proto == PROTO_TCP)
		p.tcp_flags = (uint8_t)tcp_flags_parse(extra, strlen(extra));
	if (p.proto == PROTO_ICMP || p.proto == PROTO_ICMP6) {
		p.icmp_type = (uint8_t)atoi(extra);
		p.icmp_code = (uint8_t)(strchr(extra, '/') != NULL ? atoi(strchr(extra,
										 '/') + 1) : 0);
		p.sport = p.dport = 77;
	}
	return p;
}

/* "pass state > DST < SRC log", "return rst 768 260" */
static const char *verdict(struct pf_test *t, const char *line)
{
	static const char *const names[] = { "pass", "block", "return" };
	const struct packet p = read_packet(t, line);
	const struct result r = model_eval(&t->model, &t->world, &p, &t->a);
	char buf[ADDR_TEXT_BYTES];
	const char *s = names[r.verdict];

	if (r.makes_state)
		s = arena_printf(&t->a, "%s state", s);
	if (r.dst_changed)
		s = arena_printf(&t->a, "%s > %s", s,
				 addr_port_print(r.packet.dst, r.packet.dport, buf));
	if (r.src_changed && r.sport_lo != r.sport_hi)
		s = arena_printf(&t->a, "%s < %s:%u-%u", s, addr_print(r.packet.src, buf),
				 r.sport_lo, r.sport_hi);
	else if (r.src_changed)
		s = arena_printf(&t->a, "%s < %s", s,
				 addr_port_print(r.packet.src, r.packet.sport, buf));
	if (r.verdict == V_RETURN)
		s = arena_printf(&t->a, "%s%s %d %d", s, r.answer.rst ? " rst" : "",
				 r.answer.icmp4, r.answer.icmp6);
	return r.is_logged ? arena_printf(&t->a, "%s log", s) : s;
}

/*
 * A ruleset, and packets with what becomes of each, in order: "PACKET" and
 * "VERDICT" by turns, NULL after the last.
 */
struct meaning {
	const char *text;
	const char *const packets[21];
};

static void check_meaning(const struct meaning *x)
{
	struct pf_test t;
	char *told;

	start(&t);
	if (!CHECK(pf_test_text(&t, x->text))) {
		told = langkit_told(&t.diags);
		unit_detail("    # %s\n%s", x->text, told);
		free(told);
		pf_test_fini(&t);
		return;
	}
	pf_test_spans(&t);
	for (size_t i = 0; i < ARRAY_SIZE(x->packets) && x->packets[i] != NULL; i += 2)
		if (!CHECK_STR(verdict(&t, x->packets[i]), x->packets[i + 1]))
			unit_detail("    #   for %s\n    #   of %s\n", x->packets[i], x->text);
	pf_test_fini(&t);
}

static void check_meanings(const struct meaning *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_meaning(&v[i]);
}

#define MEANINGS(v)	check_meanings(v, ARRAY_SIZE(v))

TEST(last_match)
{
	static const struct meaning v[] = {
		{ "", { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "pass" } },
		{ "block\npass in proto tcp to port 22\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "pass state",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:23", "block",
		    "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "block" } },
		{ "block quick proto udp\npass\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "block",
		    "out igb0 tcp 203.0.113.2:1 9.9.9.9:22", "pass state" } },
		{ "block log\npass log quick inet\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "pass state log",
		    "in igb0 udp [2001:db8::9]:1 [2001:db8::2]:22", "block log" } },
	};

	MEANINGS(v);
}

TEST(states)
{
	static const struct meaning v[] = {
		/* The default of pass: keep state, and of TCP only the first packet */
		{ "block\npass in\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 A", "block",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 S", "pass state",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 A", "pass",
		    "out igb0 tcp 203.0.113.2:22 9.9.9.9:1 SA", "pass",
		    "out em1 tcp 203.0.113.2:22 9.9.9.9:1 SA", "pass",
		    "out igb0 tcp 9.9.9.9:1 203.0.113.2:22 S", "block",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 SEW", "pass" } },
		{ "block\npass in no state\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 A", "pass",
		    "out igb0 tcp 203.0.113.2:22 9.9.9.9:1 SA", "block" } },
		{ "block\npass in flags any\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 A", "pass state" } },
		{ "block\npass in proto tcp flags /SFRA\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 A", "block",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 PU", "pass state" } },
		{ "block\npass in proto tcp all modulate state\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 S", "pass state" } },
	};

	MEANINGS(v);
}

TEST(refusals)
{
	static const struct meaning v[] = {
		{ "block return\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "return rst 771 260",
		    "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "return rst 771 260",
		    "in igb0 icmp 9.9.9.9 203.0.113.2 8/0", "block" } },
		{ "set block-policy return\nblock in\nblock drop in proto udp\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "return rst 771 260",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22 R", "block",
		    "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "block" } },
		{ "block return-rst in proto tcp\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "return rst -1 -1" } },
		{ "block return-icmp(host-unr, 0) in\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "return 769 256",
		    "in igb0 udp [2001:db8::9]:1 [2001:db8::2]:22", "return 769 256" } },
		{ "block return-icmp6(1) in\n",
		  { "in igb0 udp [2001:db8::9]:1 [2001:db8::2]:22", "return 771 257" } },
	};

	MEANINGS(v);
}

TEST(interfaces)
{
	static const struct meaning v[] = {
		{ "block on igb0\n",
		  { "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in em1 udp 9.9.9.9:1 1.1.1.1:1", "pass" } },
		{ "block on ! igb0\n",
		  { "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "pass",
		    "out lo1 udp 9.9.9.9:1 1.1.1.1:1", "block" } },
		/* Two rules: everything */
		{ "block on { !igb0, !em1 }\n",
		  { "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "block" } },
		{ "block on dmz\n",
		  { "in em1 udp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in em2 udp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "pass" } },
		{ "set skip on lo\nblock\n",
		  { "in lo0 tcp 127.0.0.1:1 127.0.0.1:2", "pass",
		    "out lo1 tcp 192.168.100.2:1 192.168.100.3:2", "pass",
		    "in igb0 tcp 9.9.9.9:1 192.168.100.3:2", "block" } },
		{ "block\nset skip on { lo0 em1 }\n",
		  { "in em1 udp 9.9.9.9:1 1.1.1.1:1", "pass",
		    "in lo1 udp 9.9.9.9:1 1.1.1.1:1", "block" } },
		{ "block on em9\n",
		  { "in em9 udp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "pass" } },
		{ "block on any\n", { "in em9 udp 9.9.9.9:1 1.1.1.1:1", "block" } },
	};

	MEANINGS(v);
}

TEST(addresses)
{
	static const struct meaning v[] = {
		{ "block from { 10/8, 10.1/16, 2001:db8::/32 } to any\n",
		  { "in igb0 udp 10.255.1.1:1 1.1.1.1:1", "block",
		    "in igb0 udp 11.0.0.0:1 1.1.1.1:1", "pass",
		    "in igb0 udp [2001:db8:1::1]:1 [2001:db8::2]:1", "block" } },
		{ "block from ! 10/8\n",
		  { "in igb0 udp 10.255.1.1:1 1.1.1.1:1", "pass",
		    "in igb0 udp 11.0.0.0:1 1.1.1.1:1", "block",
		    "in igb0 udp [2001:db8:1::1]:1 [2001:db8::2]:1", "pass" } },
		{ "block from { !10.0.0.1, !10.0.0.2 }\n",
		  { "in igb0 udp 10.0.0.1:1 1.1.1.1:1", "block" } },
		{ "block to 10.0.0.1 - 10.0.0.9\n",
		  { "in igb0 udp 1.1.1.1:1 10.0.0.9:1", "block",
		    "in igb0 udp 1.1.1.1:1 10.0.0.10:1", "pass" } },
		/* Families of a list that do not fit are left out in silence */
		{ "block from { 10.0.0.1 2001:db8::1 } to { 10.0.0.2 2001:db8::2 }\n",
		  { "in igb0 udp 10.0.0.1:1 10.0.0.2:1", "block",
		    "in igb0 udp [2001:db8::1]:1 [2001:db8::2]:1", "block" } },
		{ "block inet from { 10.0.0.1 2001:db8::1 }\n",
		  { "in igb0 udp 10.0.0.1:1 10.0.0.2:1", "block",
		    "in igb0 udp [2001:db8::1]:1 [2001:db8::2]:1", "pass" } },
		{ "block inet6\n",
		  { "in igb0 udp 10.0.0.1:1 10.0.0.2:1", "pass",
		    "in igb0 udp [2001:db8::1]:1 [2001:db8::2]:1", "block" } },
		{ "block from fe80::9%igb0\n",
		  { "in igb0 udp [fe80::9]:1 [2001:db8::2]:1", "block",
		    "in em1 udp [fe80::9]:1 [2001:db8::2]:1", "pass" } },
	};

	MEANINGS(v);
}

TEST(addresses_of_interfaces)
{
	static const struct meaning v[] = {
		{ "block to igb0\n",
		  { "in em1 udp 1.1.1.1:1 203.0.113.3:1", "block",
		    "in em1 udp [2001:db8::9]:1 [2001:db8::2]:1", "block",
		    "in igb0 udp [fe80::9]:1 [fe80::2]:1", "block",
		    "in em1 udp [fe80::9]:1 [fe80::2]:1", "pass",
		    "in em1 udp 1.1.1.1:1 203.0.113.4:1", "pass" } },
		{ "block to igb0:0\n",
		  { "in em1 udp 1.1.1.1:1 203.0.113.2:1", "block",
		    "in em1 udp 1.1.1.1:1 203.0.113.3:1", "pass" } },
		{ "block to (igb0)\n",
		  { "in em1 udp 1.1.1.1:1 203.0.113.3:1", "block",
		    "in em1 udp 1.1.1.1:1 203.0.113.4:1", "pass" } },
		{ "block to !(igb0:0)\n",
		  { "in em1 udp 1.1.1.1:1 203.0.113.2:1", "pass",
		    "in em1 udp 1.1.1.1:1 203.0.113.3:1", "block" } },
		{ "block from igb0:network\n",
		  { "in em1 udp 203.0.113.77:1 1.1.1.1:1", "block",
		    "in em1 udp [2001:db8::77]:1 [2001:db8::1]:1", "block",
		    "in em1 udp [fe80::77]:1 [2001:db8::1]:1", "pass" } },
		{ "block from (igb0:network)\n",
		  { "in em1 udp 203.0.113.77:1 1.1.1.1:1", "block",
		    "in em1 udp [fe80::77]:1 [2001:db8::1]:1", "pass" } },
		{ "block to em1:broadcast\nblock to ng0:peer\n",
		  { "in em1 udp 1.1.1.1:1 10.1.1.255:1", "block",
		    "in em1 udp 1.1.1.1:1 10.1.1.254:1", "pass",
		    "in em1 udp 1.1.1.1:1 198.51.100.1:1", "block" } },
		{ "block to self\n",
		  { "in em1 udp 1.1.1.1:1 192.168.100.3:1", "block",
		    "in em1 udp 1.1.1.1:1 192.168.100.4:1", "pass" } },
		{ "block to dmz:network\n",
		  { "in igb0 udp 1.1.1.1:1 10.1.1.9:1", "block",
		    "in igb0 udp 1.1.1.1:1 10.2.2.9:1", "block",
		    "in igb0 udp 1.1.1.1:1 10.3.2.9:1", "pass" } },
		/* None now is no mistake in parentheses */
		{ "block to (em9)\n", { "in em1 udp 1.1.1.1:1 10.1.1.1:1", "pass" } },
		{ "block inet6 to (em1)\n", { "in em1 udp [2001:db8::1]:1 [2001:db8::2]:1",
			"pass" } },
		/* Each address that the name stands for is a rule: all but one,
			or all but another */
		{ "block inet from ! igb0\n", { "in em1 udp 203.0.113.2:1 1.1.1.1:1", "block" } },
	};

	MEANINGS(v);
}

TEST(tables)
{
	static const struct meaning v[] = {
		{ "table <t> { 0.0.0.0/0, !10/8, 10.1/16, !10.1.2.3 }\nblock from <t>\n",
		  { "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in igb0 udp 10.2.0.1:1 1.1.1.1:1", "pass",
		    "in igb0 udp 10.1.0.1:1 1.1.1.1:1", "block",
		    "in igb0 udp 10.1.2.3:1 1.1.1.1:1", "pass" } },
		{ "block from ! <t>\ntable <t> const { 10/8 2001:db8::/32 }\n",
		  { "in igb0 udp 10.2.0.1:1 1.1.1.1:1", "pass",
		    "in igb0 udp [2001:db9::1]:1 [2001:db8::2]:1", "block",
		    "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "block" } },
		{ "table <t> { self, !lo1 }\nblock to <t>\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.3:1", "block",
		    "in igb0 udp 9.9.9.9:1 192.168.100.9:1", "pass" } },
		{ "table <t> { }\nblock from <t>\nblock from <undefined>\n",
		  { "in igb0 udp 10.2.0.1:1 1.1.1.1:1", "pass" } },
		/* The last definition counts, for all rules */
		{ "table <t> { 10/8 }\nblock from <t>\ntable <t> { 11/8 }\n",
		  { "in igb0 udp 10.2.0.1:1 1.1.1.1:1", "pass",
		    "in igb0 udp 11.2.0.1:1 1.1.1.1:1", "block" } },
	};

	MEANINGS(v);
}

TEST(ports)
{
	static const struct {
		const char *test;
		const char *ports;	/* of 0 1 79 80 81 90 91 65535, those that match */
	} v[] = {
		{ "80", "80" }, { "= 80", "80" }, { "http", "80" }, { "0x50", "80" },
		{ "!= 80", "0 1 79 81 90 91 65535" },
		{ "< 80", "0 1 79" }, { "<= 80", "0 1 79 80" },
		{ "> 80", "81 90 91 65535" }, { ">= 80", "80 81 90 91 65535" },
		{ "80:90", "80 81 90" }, { "79 >< 81", "80" }, { "80 <> 90", "0 1 79 91 65535" },
		{ "{ 1, 80:90 }", "1 80 81 90" }, { "{ != 80 != 81 }", "0 1 79 80 81 90 91 65535" },
		{ "< 0", "" }, { "> 65535", "" }, { "80 >< 81", "" },
	};
	static const int ports[] = { 0, 1, 79, 80, 81, 90, 91, 65535 };

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		struct pf_test t;
		const char *got = "";

		start(&t);
		CHECK(pf_test_text(&t, arena_printf(&t.a, "block in proto tcp to port %s\n",
						    v[i].test)));
		for (size_t k = 0; k < ARRAY_SIZE(ports); k++)
			if (strcmp(verdict(&t, arena_printf(&t.a,
							    "in igb0 tcp 9.9.9.9:5 1.1.1.1:%d",
							    ports[k])), "block") == 0)
				got = arena_printf(&t.a, "%s%s%d", got, *got != '\0' ? " " : "",
						   ports[k]);
		if (!CHECK_STR(got, v[i].ports))
			unit_detail("    #   for %s\n", v[i].test);
		pf_test_fini(&t);
	}
}

TEST(protocols)
{
	static const struct meaning v[] = {
		{ "block proto { tcp udp 47 }\n",
		  { "in igb0 gre 9.9.9.9 1.1.1.1", "block",
		    "in igb0 tcp 9.9.9.9:1 1.1.1.1:1", "block",
		    "in igb0 icmp 9.9.9.9 1.1.1.1 8/0", "pass" } },
		{ "block inet proto icmp all icmp-type { echoreq, unreach code net-unr, 11 code 1 "
			"}\n",
		  { "in igb0 icmp 9.9.9.9 1.1.1.1 8/0", "block",
		    "in igb0 icmp 9.9.9.9 1.1.1.1 3/0", "block",
		    "in igb0 icmp 9.9.9.9 1.1.1.1 3/1", "pass",
		    "in igb0 icmp 9.9.9.9 1.1.1.1 11/1", "block",
		    "in igb0 icmp 9.9.9.9 1.1.1.1 11/0", "pass" } },
		{ "block inet6 proto icmp6 all icmp6-type echoreq\n",
		  { "in igb0 icmp6 2001:db8::9 2001:db8::2 128/0", "block",
		    "in igb0 icmp6 2001:db8::9 2001:db8::2 129/0", "pass" } },
		/* The family may follow from an address */
		{ "block proto icmp from 9.9.9.9 icmp-type echoreq\n",
		  { "in igb0 icmp 9.9.9.9 1.1.1.1 8/0", "block" } },
		{ "block\npass proto { tcp udp icmp }\n",
		  { "in igb0 tcp 9.9.9.9:1 1.1.1.1:1 A", "block",
		    "in igb0 udp 9.9.9.9:1 1.1.1.1:1", "pass state" } },
	};

	MEANINGS(v);
}

TEST(nat)
{
	static const struct meaning v[] = {
		{ "nat on igb0 from 192.168.100.0/29 to any -> 203.0.113.2\nblock out from ! "
			"203.0.113.2\n",
		  { "out igb0 tcp 192.168.100.2:1000 9.9.9.9:80",
		    "pass state < 203.0.113.2:50001-65535",
		    "out em1 tcp 192.168.100.2:1001 9.9.9.9:80", "block" } },
		/* Only pass leaves the filter out */
		{ "nat pass on igb0 from 192.168.100.2 to any -> 203.0.113.2 static-port\n"
		  "nat on igb0 from 192.168.100.3 to any -> 203.0.113.2 port 2000:3000\nblock\n",
		  { "out igb0 tcp 192.168.100.2:1000 9.9.9.9:80", "pass state < 203.0.113.2:1000",
		    "out igb0 tcp 192.168.100.3:1000 9.9.9.9:80",
		    "block < 203.0.113.2:2000-3000" } },
		{ "nat pass on igb0 from 192.168.100.3 to any -> 203.0.113.2 port 2000:3000\n",
		  { "out igb0 udp 192.168.100.3:1 9.9.9.9:80",
			"pass state < 203.0.113.2:2000-3000" } },
		/* First match; "no" ends the search */
		{ "no nat on igb0 from any to 9.0.0.0/8\nnat on igb0 from any to any -> "
			"203.0.113.2\n"
		  "nat on igb0 from any to any -> 203.0.113.3\n",
		  { "out igb0 udp 192.168.100.3:1 9.9.9.9:80", "pass",
		    "out igb0 udp 192.168.100.3:1 8.8.8.8:80",
		    "pass state < 203.0.113.2:50001-65535" } },
		/* A target of one family says which; (if) has both */
		{ "nat pass on igb0 from any to any -> 203.0.113.2\n",
		  { "out igb0 udp [fd00::1]:1 [2001:db9::1]:80", "pass" } },
		{ "nat pass on igb0 from any to any -> (igb0:0)\n",
		  { "out igb0 udp [fd00::1]:1 [2001:db9::1]:80",
		    "pass state < 2001:db8::2:50001-65535",
		    "out igb0 udp 10.0.0.1:1 9.9.9.9:80",
		"pass state < 203.0.113.2:50001-65535" } },
		/* No address of that family: the rule matched, nothing is changed,
			the filter judges */
		{ "nat pass on em1 from any to any -> (em1)\nblock out inet6\n",
		  { "out em1 udp [fd00::1]:1 [2001:db9::1]:80", "block",
		    "out em1 udp 10.0.0.1:1 9.9.9.9:80", "pass state < 10.1.1.1:50001-65535" } },
		{ "nat on igb0 from any to any port 53 -> 203.0.113.2\n",
		  { "out igb0 udp 10.0.0.1:1 9.9.9.9:53", "pass state < 203.0.113.2:50001-65535",
		    "out igb0 gre 10.0.0.1 9.9.9.9", "pass" } },
		/* Inbound packets meet no nat */
		{ "nat on igb0 from any to any -> 203.0.113.2\n",
		  { "in igb0 udp 10.0.0.1:1 9.9.9.9:53", "pass" } },
		{ "nat on igb0 from any to any -> 203.0.113.0/29\n",
		  { "out igb0 gre 10.0.0.1 9.9.9.9", "pass state < 203.0.113.0:0" } },
	};

	MEANINGS(v);
}

TEST(pools)
{
	static const struct {
		const char *target;
		uint32_t n;
		enum xlate_pool pool;
		const char *first;
	} v[] = {
		{ "203.0.113.2", 1, POOL_ROUND_ROBIN, "203.0.113.2" },
		{ "{ 203.0.113.2 203.0.113.9 2001:db8::9 }", 3, POOL_ROUND_ROBIN, "203.0.113.2" },
		{ "203.0.113.8/29 round-robin", 8, POOL_ROUND_ROBIN, "203.0.113.8" },
		{ "203.0.113.8/29 random", 8, POOL_RANDOM, "203.0.113.8" },
		{ "203.0.113.8/29", 1, POOL_ROUND_ROBIN, "203.0.113.8" },
		{ "igb0", 3, POOL_ROUND_ROBIN, "203.0.113.2" },
		{ "(igb0)", 3, POOL_ROUND_ROBIN, "203.0.113.2" },
		{ "igb0:0", 2, POOL_ROUND_ROBIN, "203.0.113.2" },
		{ "<t>", 5, POOL_ROUND_ROBIN, "10.0.0.0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		char buf[ADDR_TEXT_BYTES];
		struct pf_test t;

		start(&t);
		if (CHECK(pf_test_text(&t, arena_printf(&t.a, "table <t> { 10.0.0.0/30 10.1.1.1 }\n"
							"nat on igb0 from any to any -> %s\n",
							v[i].target))) &&
		    CHECK_INT(t.model.xlates.n, 1)) {
			CHECK_INT(t.model.xlates.v[0].to.n, v[i].n);
			CHECK_INT(t.model.xlates.v[0].pool, v[i].pool);
			CHECK_STR(addr_print(t.model.xlates.v[0].to.v[0], buf), v[i].first);
		}
		pf_test_fini(&t);
	}
}

TEST(rdr)
{
	static const struct meaning v[] = {
		{ "rdr on igb0 proto tcp to port { 80 443 } -> 192.168.100.2\nblock in\n"
		  "pass in proto tcp to 192.168.100.2 port 80\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass state > 192.168.100.2:80",
		    "out igb0 tcp 192.168.100.2:80 9.9.9.9:1 SA", "pass < 203.0.113.2:80",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:443", "block > 192.168.100.2:443",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "block",
		    "in em1 tcp 9.9.9.9:2 203.0.113.2:80", "block" } },
		{ "rdr pass log on igb0 proto tcp to port 80 -> 192.168.100.2 port 8080\nblock "
			"in\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass state > 192.168.100.2:8080 log",
		    /* pass is of what was changed only */
		    "in igb0 tcp 9.9.9.9:1 192.168.100.2:8080", "block" } },
		/* The same address and port: nothing is changed, so nothing passes */
		{ "rdr pass on igb0 proto tcp to any port 80 -> 192.168.100.2\nblock in\n",
		  { "in igb0 tcp 9.9.9.9:1 192.168.100.2:80", "block" } },
		{ "no rdr on igb0 proto tcp from 9.9.9.9 to any\n"
		  "rdr on igb0 proto tcp to any port 80 -> 192.168.100.2\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass",
		    "in igb0 tcp 9.9.9.8:1 203.0.113.2:80", "pass state > 192.168.100.2:80" } },
		{ "rdr on igb0 proto tcp to any port 2000:2010 -> 192.168.100.2 port 3000\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:2010", "pass state > 192.168.100.2:3000" } },
		{ "rdr on igb0 proto tcp to any port 2000:2010 -> 192.168.100.2 port 3000:*\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:2000", "pass state > 192.168.100.2:3000",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:2010", "pass state > 192.168.100.2:3010" } },
		/* new = (dport - first) % length + 3000 */
		{ "rdr on igb0 proto tcp to any port { 2000:2010 80 } -> 192.168.100.2 port "
			"3000:3004\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:2004", "pass state > 192.168.100.2:3004",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:2005", "pass state > 192.168.100.2:3000",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:2010", "pass state > 192.168.100.2:3000",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass state > 192.168.100.2:3000" } },
		{ "rdr on igb0 inet6 proto tcp to any port 80 -> fd00::2\n",
		  { "in igb0 tcp [2001:db9::1]:1 [2001:db8::2]:80", "pass state > [fd00::2]:80",
		    "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass" } },
		{ "rdr on lo0 proto tcp to port 80 -> 127.0.0.1 port 8080\n",
		  { "in lo0 tcp 127.0.0.1:1 203.0.113.2:80", "pass state > 127.0.0.1:8080" } },
	};

	MEANINGS(v);
}

TEST(antispoof)
{
	static const struct meaning v[] = {
		{ "set block-policy return\nantispoof for igb0\n",
		  { "in em1 udp 203.0.113.99:1 1.1.1.1:1", "block",
		    "in igb0 udp 203.0.113.99:1 1.1.1.1:1", "pass",
		    "in igb0 udp 203.0.113.2:1 1.1.1.1:1", "block",
		    "out em1 udp 203.0.113.99:1 1.1.1.1:1", "pass",
		    "in em1 udp [2001:db8::9]:1 [2001:db8::1]:1", "block" } },
		/* A loopback may speak to itself */
		{ "antispoof log quick for lo0 inet\npass in\n",
		  { "in igb0 udp 127.0.0.9:1 1.1.1.1:1", "block log",
		    "in lo0 udp 127.0.0.1:1 127.0.0.1:1", "pass state",
		    "in igb0 udp [::1]:1 [2001:db8::2]:1", "pass state" } },
		/* An alias of length 32 is a network of its own */
		{ "antispoof for lo1\n",
		  { "in igb0 udp 192.168.100.3:1 1.1.1.1:1", "block",
		    "in igb0 udp 192.168.100.7:1 1.1.1.1:1", "block",
		    "in lo1 udp 192.168.100.3:1 1.1.1.1:1", "pass" } },
		{ "antispoof quick for { (igb0), em1 }\n",
		  { "in em2 udp 203.0.113.99:1 1.1.1.1:1", "block",
		    "in em2 udp 10.1.1.9:1 1.1.1.1:1", "block" } },
	};

	MEANINGS(v);
}

TEST(macros)
{
	static const struct meaning v[] = {
		{ "a = \"10.0.0.1\"\nb = $a 10.0.0.2\nl = \"{\" $b \"}\"\nblock from $l\n",
		  { "in igb0 udp 10.0.0.1:1 1.1.1.1:1", "block",
		    "in igb0 udp 10.0.0.2:1 1.1.1.1:1", "block",
		    "in igb0 udp 10.0.0.3:1 1.1.1.1:1", "pass" } },
		/* What follows a use belongs to its last word */
		{ "i = igb0\nn = \"10.1\"\nblock from $i:network\nblock from $n/16\n",
		  { "in em1 udp 203.0.113.9:1 1.1.1.1:1", "block",
		    "in em1 udp 10.1.2.3:1 1.1.1.1:1", "block" } },
		{ "x = \"block in\"\n$x proto udp # block out\\\nblock out\n",
		  { "in em1 udp 10.1.2.3:1 1.1.1.1:1", "block",
		    "out em1 udp 10.1.2.3:1 1.1.1.1:1", "pass" } },
		{ "block in \\\n\tproto udp \\\r\n  from 10/\\\n8\n",
		  { "in em1 udp 10.1.2.3:1 1.1.1.1:1", "block",
		    "in em1 tcp 10.1.2.3:1 1.1.1.1:1", "pass" } },
		{ "l = \"{ 10.0.0.1\n10.0.0.2 }\"\nblock from {\n\t$l,\n\t10.0.0.3\n}\nblock on "
			"\"em1\"\n",
		  { "in igb0 udp 10.0.0.210:1 1.1.1.1:1", "pass",
		    "in igb0 udp 10.0.0.3:1 1.1.1.1:1", "block",
		    "in em1 udp 11.0.0.3:1 1.1.1.1:1", "block" } },
	};

	/* Line ends within quotes vanish: 10.0.0.110.0.0.2 is no address */
	for (size_t i = 0; i + 1 < ARRAY_SIZE(v); i++)
		check_meaning(&v[i]);
	struct pf_test t;

	start(&t);
	CHECK(!pf_test_text(&t, v[ARRAY_SIZE(v) - 1].text));
	CHECK_INT(langkit_count(&t.diags, DIAG_E1201), 1);
	pf_test_fini(&t);
}

TEST(macros_from_outside)
{
	struct pf_test t;
	struct decl_jail *j;
	static const char *const addrs[] = { "192.168.100.2", "192.168.100.3", "fd00::3" };

	start(&t);
	t.defines[0] = (struct lang_define){ "ext_if", "em1" };
	t.c.n_defines = 1;
	j = vec_push(&t.a, &t.decl.jails);
	j->name = "www";
	vec_push(&t.a, &j->addrs)->p.len = 32;
	CHECK_INT(prefix_parse(addrs[0], strlen(addrs[0]), &j->addrs.v[0].p), 0);
	j = vec_push(&t.a, &t.decl.jails);
	j->name = "my-db.1";
	for (int i = 1; i < 3; i++)
		CHECK_INT(prefix_parse(addrs[i], strlen(addrs[i]),
				       &vec_push(&t.a, &j->addrs)->p), 0);
	CHECK(pf_test_text(&t, "ext_if = \"igb0\"\nblock on $ext_if from $jail_www\n"
			   "block on $ext_if from $jail_my_db_1\nblock on em2 from <jails>\n"));
	CHECK_STR(verdict(&t, "in em1 udp 192.168.100.2:1 1.1.1.1:1"), "block");
	CHECK_STR(verdict(&t, "in igb0 udp 192.168.100.2:1 1.1.1.1:1"), "pass");
	CHECK_STR(verdict(&t, "in em1 udp [fd00::3]:1 [fd00::9]:1"), "block");
	CHECK_STR(verdict(&t, "in em2 udp 192.168.100.3:1 1.1.1.1:1"), "block");
	CHECK_INT(langkit_count(&t.diags, DIAG_W1114), 0);
	CHECK(pf_test_text(&t, "jail_www = 10.9.9.9\ntable <jails> { 10.8.8.8 }\n"
			   "block from { $jail_www <jails> }\n"));
	CHECK_STR(verdict(&t, "in em2 udp 192.168.100.2:1 1.1.1.1:1"), "pass");
	CHECK_STR(verdict(&t, "in em2 udp 10.9.9.9:1 1.1.1.1:1"), "block");
	CHECK_STR(verdict(&t, "in em2 udp 10.8.8.8:1 1.1.1.1:1"), "block");
	/* A table that others are to fill is filled by us */
	CHECK(pf_test_text(&t, "table <jails> persist\nblock from <jails>\n"));
	CHECK_STR(verdict(&t, "in em2 udp 192.168.100.2:1 1.1.1.1:1"), "block");
	pf_test_fini(&t);
}

/* A file system of two texts */
static int read_part(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	const char *text = strcmp(path, "/etc/rules/part.conf") == 0 ?
			   "net = \"10/8\"\nblock in on $ext from $net\n" : NULL;

	(void)arg;
	if (text == NULL)
		return -ENOENT;
	*ret_src = sources_add(s, path, text, (uint32_t)strlen(text), SPAN_NONE);
	return 0;
}

TEST(include)
{
	static const struct lang_loader loader = { .read = read_part };
	static const char text[] = "ext = igb0\ninclude \"rules/part.conf\"\nblock out to $net\n";
	struct pf_test t;

	start(&t);
	t.c.loader = &loader;
	CHECK(pf_test_compile(&t, sources_add(&t.sources, "/etc/pf.conf", text, sizeof(text) - 1,
					      SPAN_NONE)));
	CHECK_STR(verdict(&t, "in igb0 udp 10.2.0.1:1 1.1.1.1:1"), "block");
	CHECK_STR(verdict(&t, "out em1 udp 1.1.1.1:1 10.2.0.1:1"), "block");
	CHECK_STR(verdict(&t, "in em1 udp 10.2.0.1:1 1.1.1.1:1"), "pass");
	pf_test_fini(&t);
}

TEST(origins)
{
	static const char text[] =
		"i = \"igb0\"\n"
		"\n"
		"  pass   in \\\n\ton $i # why\n"
		"block out proto {\n\ttcp, # one\n\tudp }\n";
	struct pf_test t;
	const struct rule_list *filter;

	start(&t);
	if (CHECK(pf_test_text(&t, text))) {
		filter = &t.model.lists.v[t.model.lists.n - 1];
		CHECK_STR(filter->name, "filter");
		CHECK_STR(filter->rules.v[0].origin.text, "pass in on $i");
		CHECK_INT(source_place(&t.sources, filter->rules.v[0].origin.at).line, 3);
		CHECK_INT(source_place(&t.sources, filter->rules.v[0].origin.at).column, 3);
		CHECK_STR(filter->rules.v[1].origin.text, "block out proto { tcp, udp }");
	}
	pf_test_fini(&t);
}

TEST(one_rule_a_statement)
{
	struct pf_test t;

	start(&t);
	CHECK(pf_test_text(&t, "pass in on { igb0 em1 } proto { tcp udp } from { 10/8 "
			   "2001:db8::/32 "
			   "!192.168/16 } to { igb0 em1 } port { 80 443 8000:8010 }\n"));
	/* One for addresses, one for the link-local address, which is of igb0 only; the end */
	CHECK_INT(t.model.lists.v[t.model.lists.n - 1].rules.n, 3);
	pf_test_fini(&t);
}

TEST(main_example)
{
	static const struct meaning x = {
		"if = \"igb0\"\nextip = \"203.0.113.2\"\njailnet = \"192.168.100.0/29\"\n"
		"jailwww = \"192.168.100.2\"\njaildb = \"192.168.100.3\"\ndbrepl = "
		"\"203.0.113.9\"\n"
		"wwwports = \"{ 80 443 }\"\nset skip on lo\nscrub in all\n"
		"nat pass on $if from $jailnet to any -> $extip\n"
		"rdr pass on $if proto tcp from any to $extip port $wwwports -> $jailwww\n"
		"rdr pass on $if proto tcp from $dbrepl to $extip port 3306 -> $jaildb\n"
		"block in log on $if\npass out on $if keep state\n"
		"pass in on $if proto tcp to $extip port 22\npass quick from $jailwww to "
		"$jailwww\n",
		{ "in igb0 tcp 198.51.100.7:4000 203.0.113.2:80", "pass state > 192.168.100.2:80",
		  "in igb0 tcp 198.51.100.7:4000 203.0.113.2:22", "pass state",
		  "in igb0 tcp 198.51.100.7:4000 203.0.113.2:23", "block log",
		  "in igb0 tcp 203.0.113.9:4000 203.0.113.2:3306",
		"pass state > 192.168.100.3:3306",
		  "in igb0 tcp 198.51.100.7:4000 203.0.113.2:3306", "block log",
		  "out igb0 tcp 192.168.100.2:4000 9.9.9.9:25",
		  "pass state < 203.0.113.2:50001-65535",
		  "out igb0 udp 203.0.113.2:4000 9.9.9.9:53", "pass state",
		  "in lo1 tcp 192.168.100.3:4000 192.168.100.2:80", "pass" },
	};
	struct pf_test t;

	check_meaning(&x);
	start(&t);
	CHECK(pf_test_text(&t, x.text));
	for (uint32_t i = 0; i < t.diags.list.n; i++)
		CHECK_INT(diag_codes[t.diags.list.v[i].code].severity, DIAG_NOTE);
	pf_test_fini(&t);
}

/* The policy library does what the heads of its files say */
TEST(library)
{
	static const struct {
		const char *name;
		const char *const packets[13];
	} v[] = {
		{ "options", { "in lo1 tcp 192.168.100.2:1 192.168.100.3:2", "pass",
			       "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "block" } },
		{ "nat-jails", { "out igb0 udp 192.168.100.2:1 9.9.9.9:53",
				 "pass state < 203.0.113.2:50001-65535",
				 "out em1 udp 192.168.100.2:2 9.9.9.9:53", "pass" } },
		{ "rdr-web", { "in igb0 tcp 9.9.9.9:1 203.0.113.2:443",
			       "pass state > 192.168.100.2:443" } },
		{ "rdr-replica", { "in igb0 tcp 203.0.113.9:1 203.0.113.2:3306",
				   "pass state > 192.168.100.3:3306",
				   "in igb0 tcp 203.0.113.8:1 203.0.113.2:3306", "pass" } },
		{ "filter-antispoof", { "in em1 udp 203.0.113.77:1 9.9.9.9:1", "block",
					"in igb0 udp 203.0.113.2:1 9.9.9.9:1", "block",
					"in igb0 udp 203.0.113.77:1 9.9.9.9:1", "pass" } },
		{ "filter-deny-ssh", { "in igb0 tcp 198.51.100.1:1 203.0.113.2:22", "pass state",
				       "in igb0 tcp 9.9.9.9:1 203.0.113.2:22", "block log",
				       "in igb0 icmp 9.9.9.9 203.0.113.2 8/0", "pass state",
				       "in igb0 icmp6 fe80::9 ff02::1 135/0", "pass state",
				       "out igb0 udp 203.0.113.2:1 9.9.9.9:53", "pass state",
				       "in igb0 udp 9.9.9.9:53 203.0.113.2:1", "pass" } },
		{ "all", { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass state > 192.168.100.2:80",
			   "in igb0 tcp 9.9.9.9:1 203.0.113.2:3306", "block log",
			   "in igb0 tcp 203.0.113.2:1 203.0.113.2:80",
			"pass state > 192.168.100.2:80",
			   "out igb0 udp 192.168.100.3:1 9.9.9.9:53",
			   "pass state < 203.0.113.2:50001-65535",
			   "in igb0 tcp 9.9.9.9:1 192.168.100.2:80", "block log" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		char dir[2048], path[4096];
		struct pf_test t;
		uint32_t src;

		pf_test_init(&t);
		snprintf(dir, sizeof(dir), "%.*s/../golden/rules",
			 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
		snprintf(path, sizeof(path), "%s/ifs", dir);
		pf_test_ifaces_file(&t, path);
		snprintf(path, sizeof(path), "%s/%s.pf.conf", dir, v[i].name);
		if (CHECK_INT(sources_read(&t.sources, path, &src), 0) &&
		    CHECK(pf_test_compile(&t, src))) {
			CHECK_INT(t.diags.list.n, 0);
			for (size_t k = 0; v[i].packets[k] != NULL; k += 2)
				if (!CHECK_STR(verdict(&t, v[i].packets[k]), v[i].packets[k + 1]))
					unit_detail("    #   %s: %s\n", v[i].name, v[i].packets[k]);
		}
		pf_test_fini(&t);
	}
}

/* 10,000 rules that use a macro each: fast, and well within the memory of a compile */
TEST(many_uses)
{
	struct timespec from, to;
	struct pf_test t;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs("ext_if = \"igb0\"\nnet = \"10/8\"\n", f);
	for (int i = 0; i < 10000; i++)
		fprintf(f, "pass in on $ext_if proto tcp from $net to 10.%d.%d.1 port 80\n",
			i / 250, i % 250);
	fclose(f);
	start(&t);
	clock_gettime(CLOCK_MONOTONIC, &from);
	CHECK(pf_test_text(&t, text));
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9 < 5);
	CHECK(t.a.used_bytes < LIMIT_ARENA_BYTES);
	CHECK(t.sources.list.n < 10);
	free(text);
	pf_test_fini(&t);
}

/* Inbound rdr stands before binat, outbound binat before nat; a "no" stops its own list only */
TEST(binat)
{
	static const char text[] =
		"no binat on igb0 from 192.168.100.4 to 9.9.9.0/24\n"
		"binat on igb0 from 192.168.100.4 to any -> 203.0.113.5\n"
		"nat on igb0 from 192.168.100.0/29 to any -> 203.0.113.2\n"
		"no rdr on igb0 proto tcp to 203.0.113.5 port 80\n"
		"rdr pass on igb0 proto tcp to 203.0.113.5 port 2222 -> 192.168.100.2 port 22\n"
		"block\npass in proto tcp to 192.168.100.4 port 80\npass out\n";
	static const struct meaning v[] = {
		{ text,
		  { "in igb0 tcp 8.8.8.8:4000 203.0.113.5:80", "pass state > 192.168.100.4:80",
		    "in igb0 tcp 8.8.8.8:4000 203.0.113.5:81", "block > 192.168.100.4:81",
		    "in igb0 tcp 8.8.8.8:4000 203.0.113.5:2222", "pass state > 192.168.100.2:22",
		    "out igb0 udp 192.168.100.4:9 8.8.8.8:80", "pass state < 203.0.113.5:9",
		    "out igb0 udp 192.168.100.4:9 9.9.9.9:80",
		    "pass state < 203.0.113.2:50001-65535" } },
		{ "binat on igb0 from 10.0.0.0/30 to 9.9.9.9 -> 203.0.113.8/30\nblock in\n",
		  { "out igb0 udp 10.0.0.3:9 9.9.9.9:80", "pass state < 203.0.113.11:9",
		    "out igb0 udp 10.0.0.3:9 8.8.8.8:80", "pass",
		    "in igb0 udp 9.9.9.9:9 203.0.113.9:80", "block > 10.0.0.1:80",
		    "in igb0 udp 8.8.8.8:9 203.0.113.9:80", "block" } },
		{ "binat pass on igb0 from 10.0.0.1 to any -> 203.0.113.8\nblock\n",
		  { "in igb0 udp 9.9.9.9:9 203.0.113.8:80", "pass state > 10.0.0.1:80" } },
	};

	MEANINGS(v);
}

TEST(anchors)	/* their rules and the caller's are one list: the last match of both counts */
{
	static const struct meaning v[] = {
		{ "block\nanchor \"w\" in on igb0 proto tcp {\npass proto tcp to port 80\n"
		  "anchor inet {\nblock quick from 6.6.6.6\n}\n}\n"
		  "block return proto tcp from 7.7.7.7 to port 80\npass from 6.6.6.6\n",
		  { "in igb0 tcp 8.8.8.8:4000 203.0.113.2:80", "pass state",
		    "in igb0 tcp 8.8.8.8:4000 203.0.113.2:81", "block",
		    "out igb0 tcp 8.8.8.8:4000 203.0.113.2:80", "block",
		    "in em9 tcp 8.8.8.8:4001 203.0.113.2:80", "block",
		    "in igb0 tcp 7.7.7.7:4000 203.0.113.2:80", "return rst 771 260",
		    "in igb0 tcp 6.6.6.6:4000 203.0.113.2:80", "block",
		    "in igb0 udp 6.6.6.6:4000 203.0.113.2:80", "pass state" } },
		{ "anchor out {\nblock in\n}\nanchor inet6 {\nblock from 9.9.9.9\n}\n",
		  { "in igb0 tcp 9.9.9.9:4000 203.0.113.2:80", "pass" } },
		{ "nat-anchor \"n/*\"\nrdr-anchor r\nanchor \"f/*\"\nblock in\n",
		  { "in igb0 tcp 9.9.9.9:4000 203.0.113.2:80", "block" } },
	};

	MEANINGS(v);
}

/* A tag is given by every match, also one that is not the last; a packet has one */
TEST(tags)
{
	static const struct meaning v[] = {
		{ "block\npass in tag A\nblock in proto udp\npass in proto udp tagged A\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "pass state" } },
		{ "block in tag A\nblock in tag B\npass in tagged A\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "block" } },
		{ "block in\npass in ! tagged A\nblock in inet6 tag A\nblock in inet6\n"
		  "pass in inet6 ! tagged A\n",
		  { "in igb0 udp 9.9.9.9:1 203.0.113.2:22", "pass state",
		    "in igb0 udp [2001:db8::9]:1 [2001:db8::2]:22", "block" } },
		{ "rdr on igb0 proto tcp to port 80 tag W -> 192.168.100.2\nblock in\n"
		  "pass in proto tcp tagged W\n",
		  { "in igb0 tcp 9.9.9.9:1 203.0.113.2:80", "pass state > 192.168.100.2:80" } },
	};

	MEANINGS(v);
}

/* In order, as the search wants them, and each given to the fuzzer */
TEST(words)
{
	const char *const *w = pf_words();
	char path[4096], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "%.*s/../fuzz/pf.dict",
		 (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__);
	f = fopen(path, "r");
	if (!CHECK(f != NULL))
		return;
	for (; *w != NULL; w++) {
		if (w[1] != NULL)
			CHECK(strcmp(w[0], w[1]) < 0);
		do {
			if (!CHECK(fgets(line, sizeof(line), f) != NULL))
				break;
		} while (line[0] == '#');
		CHECK(strncmp(line + 1, *w, strlen(*w)) == 0 && line[strlen(*w) + 1] == '"');
	}
	fclose(f);
}
