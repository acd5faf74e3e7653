/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Rules at random refuse nearly everything after a few lines, so most rulesets
 * have the shape of real ones: loopback passes, then nat for what comes in,
 * check-state, rules, a deny, and behind it nat for what goes out, where skipto
 * leads.  Each part may be missing or stand elsewhere.
 *
 * Two translations in one pass are refused, and are easily written where nat rules
 * hand on: what would lead to a second one is rare there.
 *
 * `prob` is so near to 1 that a rule matches, as the model's draws say.
 */
#include "diff_gen_ipfw.h"

#include <string.h>

#define STEP		10u	/* between rule numbers */
#define RULES_MAX	14u	/* in the middle */
#define LONG_MAX	60u	/* and in a ruleset whose places lie far behind each other */
#define OUT_NAT		9000u	/* number where what goes out is translated */

#define PICK(g, array)	((array)[gen_below((g), (uint32_t)ARRAY_SIZE(array))])

/* What a ruleset has that its rules may name */
struct shape {
	struct gen *g;
	struct arena *a;
	struct gen_lines *ret;
	bool has_nat;
	bool has_nat2;
	bool has_global;
	bool has_tags;
	bool has_names;
	bool one_pass;
	bool is_long;
	bool has_calls;
	uint32_t number;	/* of the rule that is made */
};

static const char *const hosts4[] = {
	"any", "any", "any", "any", "me", "me", "table(1)", "203.0.113.2", "203.0.113.3",
	"203.0.113.0/24", "192.0.2.0/24", "10.7.0.0/24", "10.0.0.0/8", "192.168.100.0/29",
	"192.168.100.2", "192.168.100.3", "198.51.100.77", "10.7.0.9", "192.0.2.7", "10.8.3.4",
	"192.0.2.7,192.0.2.66", "10.7.0.9,192.168.100.0/30", "192.168.100.0/29{2,3}",
	"192.0.2.0:255.255.255.192", "not me", "not table(1)", "not 192.168.100.0/29",
	"{ 203.0.113.9 or 10.7.0.0/24 or me }", "192.168.100.1",
};

static const char *const hosts6[] = {
	"any", "any", "me6", "2001:db8:a::9", "2001:db8:a::/64", "fd07::/64", "fd00:64::/64",
	"fd00:64::2", "2001:db8:77::1", "2001:db8:8::4", "table(1)", "not fd00:64::/64",
};

static const char *const dports[] = {
	" 80", " 80", " 80,443", " 22,25,53", " 8000-8011", " 1-1023", " not 22", " 2000-2010",
	" 53", " 443", " http", " 100-200,3306", " 1024-65535",
};

static const char *const sports[] = { " 1024-65535", " 300-20000", " not 1023" };

static const char *const options[] = {
	" in", " in", " in", " out", " out", " out", " in via igb0", " out via igb0",
	" via igb0", " via igb1", " in recv igb0", " out xmit igb0", " out xmit igb1",
	" in recv igb*", " via lo0", " via lo1", " not via lo0", " via table(3)",
	" out recv igb1 xmit igb0", " in not recv igb0", " via 203.0.113.2",
};

static const char *const tcp_options[] = {
	" setup", " setup", " established", " tcpflags syn,!ack", " tcpflags ack", " tcpflags !rst",
	" not established", " tcpflags fin",
};

static const char *const services[] = {
	" iptos lowdelay", " iptos throughput,!reliability", " not iptos lowdelay",
	" iptos !lowdelay,!throughput", " ipprecedence 5", " not ipprecedence 0", " dscp ef,af11",
	" dscp 4", " not dscp be,cs1", " dscp be", " ipttl 64", " ipttl 1-63", " not ipttl 63",
	" not ipttl 5,64-255",
};

static void say(struct shape *s, const char *text)
{
	vec_add(s->a, &s->ret->list, text);
}

/* A redirect: a port, some ports that keep their distance, or a whole address */
static const char *redirect(struct shape *s)
{
	static const char *const some[] = {
		" redirect_port tcp 192.168.100.2:80 80",
		" redirect_port tcp 192.168.100.2:8000-8010 2000-2010",
		" redirect_port udp 192.168.100.3:53 53",
		" redirect_port tcp 192.168.100.3:22 203.0.113.3:22",
		" redirect_port tcp 10.7.0.9:443 443 192.0.2.7",
		" redirect_port tcp 192.168.100.3:8000 8000",
		" redirect_port udp 192.168.100.2:100-200 100-200",
		" redirect_port tcp 192.168.100.2:8000-8099 1950-2049",
		" redirect_addr 192.168.100.3 203.0.113.3",
		" redirect_addr 192.168.100.2 0.0.0.0",
		" redirect_proto esp 192.168.100.3",
	};

	return PICK(s->g, some);
}

static void add_nat_config(struct shape *s, uint32_t n)
{
	static const char *const where[] = {
		"if igb0", "if igb0", "ip 203.0.113.3", "ip 203.0.113.2",
	};
	static const char *const flags[] = {
		"", "", "", " same_ports", " unreg_only", " same_ports unreg_only", " deny_in",
		" reset", " same_ports deny_in", " log",
	};
	const char *text = arena_printf(s->a, "nat %u config %s%s", n, PICK(s->g, where),
					PICK(s->g, flags));

	/* Both at once is refused */
	if (!s->has_global && gen_often(s->g, 10))
		text = arena_printf(s->a, "%s skip_global", text);
	for (uint32_t i = gen_below(s->g, 4); i > 0; i--)
		text = arena_printf(s->a, "%s%s", text, redirect(s));
	say(s, text);
}

static void add_tables(struct shape *s)
{
	say(s, "table 1 add 10.7.0.0/24");
	say(s, "table 1 add 192.168.100.2");
	say(s, "table 1 add 192.0.2.66");
	say(s, "table 1 add fd07::/64");
	say(s, "table 2 create type number");
	say(s, "table 2 add 80");
	say(s, "table 2 add 8005");
	say(s, "table 2 add 22");
	say(s, "table 3 create type iface");
	say(s, "table 3 add igb0");
	say(s, "table 3 add lo1");
	say(s, arena_printf(s->a, "table 4 add 192.0.2.0/24 %u", 300 + STEP * gen_below(s->g, 30)));
	say(s, arena_printf(s->a, "table 4 add 10.7.0.9 %u", 300 + STEP * gen_below(s->g, 30)));
	say(s, "table 5 create type flow:dst-ip,dst-port");
	say(s, "table 5 add 203.0.113.2,80");
	say(s, "table 5 add 192.168.100.2,8005");
}

static const char *host(struct shape *s, bool v6)
{
	return v6 ? PICK(s->g, hosts6) : PICK(s->g, hosts4);
}

/* Protocol, addresses, ports, options; @ret_proto: which protocol */
static const char *body(struct shape *s, const char **ret_proto)
{
	static const char *const protos[] = {
		"ip", "ip", "tcp", "tcp", "tcp", "udp", "udp", "icmp", "ip4", "ip6", "ipv6-icmp",
		"esp", "{ tcp or udp }", "all",
	};
	const char *proto = *ret_proto = PICK(s->g, protos);
	const bool tcp = proto[0] == 't', ports = tcp || proto[0] == 'u' || proto[0] == '{';
	const bool v6 = strchr(proto, '6') != NULL || gen_often(s->g, 15);
	const char *text = arena_printf(s->a, "%s from %s%s to %s%s", proto,
					host(s, v6),
					ports && gen_often(s->g, 10) ? PICK(s->g, sports) : "",
					host(s, v6),
					ports && gen_often(s->g, 65) ? PICK(s->g, dports) : "");

	if (gen_often(s->g, 65))
		text = arena_printf(s->a, "%s%s", text, PICK(s->g, options));
	if (tcp && gen_often(s->g, 35))
		text = arena_printf(s->a, "%s%s", text, PICK(s->g, tcp_options));
	if (proto[0] == 'i' && proto[1] == 'c' && gen_often(s->g, 50))
		text = arena_printf(s->a, "%s icmptypes 8,0", text);
	if (strcmp(proto, "ipv6-icmp") == 0 && gen_often(s->g, 50))
		text = arena_printf(s->a, "%s icmp6types 128,129", text);
	if (gen_often(s->g, 5))
		text = arena_printf(s->a, "%s %s", text, gen_often(s->g, 50) ? "antispoof"
									 : "not antispoof in");
	if (gen_often(s->g, 4))
		text = arena_printf(s->a, "%s %s", text, gen_often(s->g, 50) ? "verrevpath"
									 : "not verrevpath in");
	if (ports && gen_often(s->g, 6))
		text = arena_printf(s->a, "%s lookup dst-port 2", text);
	if (ports && gen_often(s->g, 5))
		text = arena_printf(s->a, "%s flow table(5)", text);
	if (gen_often(s->g, 8))
		text = arena_printf(s->a, "%s%s", text, PICK(s->g, services));
	if (s->has_tags && gen_often(s->g, 20))
		text = arena_printf(s->a, "%s %stagged %u", text,
				    gen_often(s->g, 30) ? "not " : "", 1 + gen_below(s->g, 2));
	return text;
}

static const char *state(struct shape *s)
{
	static const char *const plain[] = {
		" keep-state", " keep-state", " keep-state", " keep-state", " record-state",
		" limit src-addr 2", " limit dst-addr 3", " limit src-addr dst-port 1",
	};
	static const char *const named[] = {
		" keep-state :web", " keep-state :web", " keep-state", " record-state :mail",
		" keep-state :mail", " limit src-addr 2 :web",
	};

	return s->has_names ? PICK(s->g, named) : PICK(s->g, plain);
}

/* The number of a later rule, which need not exist */
static uint32_t later(struct shape *s)
{
	if (gen_often(s->g, s->is_long ? 10 : 50))
		return OUT_NAT;
	return s->number + 1 + gen_below(s->g, 8 * STEP);
}

static const char *action(struct shape *s)
{
	static const char *const some[] = {
		"allow", "allow", "allow", "allow", "pass", "deny", "deny", "count", "count",
		"reset", "reject", "unreach port", "unreach host", "reset6",
		"unreach6 admin-prohib",
	};

	if (gen_often(s->g, s->is_long ? 60 : 25))
		return arena_printf(s->a, "skipto %u", later(s));
	if (s->has_calls && gen_often(s->g, 30))
		return "call 9500";
	if (gen_often(s->g, 4))
		return "skipto tablearg";
	if (s->has_nat && s->one_pass && gen_often(s->g, 6))
		return s->has_nat2 && gen_often(s->g, 50) ? "nat 2" : "nat 1";
	if (s->has_tags && gen_often(s->g, 20))
		return arena_printf(s->a, "count %s %u", gen_often(s->g, 75) ? "tag" : "untag",
				    1 + gen_below(s->g, 2));
	return PICK(s->g, some);
}

static void add_rule(struct shape *s)
{
	const char *proto, *what = action(s), *text = body(s, &proto);
	const bool by_table = what[0] == 's' && what[7] == 't';
	const bool decides = what[0] == 'a' || (what[0] == 'p' && what[1] == 'a');
	const char *keep = gen_often(s->g, 30) && (decides || !s->has_calls) ? state(s) : "";

	if (by_table)
		text = "ip from table(4) to any";
	if (gen_often(s->g, 6)) {
		say(s, arena_printf(s->a, "add %u check-state%s", s->number,
				    s->has_names && gen_often(s->g, 60)
					    ? gen_often(s->g, 50) ? " :web" : " :any" : ""));
		return;
	}
	say(s, arena_printf(s->a, "add %u %s%s%s %s%s", s->number,
			    gen_often(s->g, 5) ? "prob 0.9999999 " : "", what,
			    gen_often(s->g, 10) ? " log" : "", text, keep));
}

static void add_head(struct shape *s)
{
	static const char *const nat_in[] = {
		"ip from any to any in via igb0", "ip from any to any in recv igb0",
		"ip4 from any to me in via igb0",
		"ip4 from any to any in via igb0", "ip4 from any to any in",
		"{ tcp or udp } from any to any in via igb0",
	};

	if (gen_often(s->g, 60))
		say(s, "add 10 allow ip from any to any via lo0");
	if (gen_often(s->g, 50))
		say(s, "add 20 allow ip from any to any via lo1");
	if (gen_often(s->g, 20))
		say(s, "add 30 deny ip from any to any not antispoof in");
	if (gen_often(s->g, 10))
		say(s, "add 40 deny ip from any to any not verrevpath in");
	if (s->has_nat && gen_often(s->g, 80))
		say(s, arena_printf(s->a, "add 50 nat 1 %s", PICK(s->g, nat_in)));
	if (gen_often(s->g, 60))
		say(s, "add 60 check-state");
	if (gen_often(s->g, 15))
		say(s, "add 70 allow tcp from any to any established");
}

/* A state of a nat rule, and one behind it that finds those from before, lead back to it */
static bool leads_back(struct shape *s)
{
	return s->has_nat && (!s->one_pass || s->has_calls) && gen_often(s->g, 90);
}

static void add_tail(struct shape *s)
{
	static const char *const nat_out[] = {
		"ip from any to any out via igb0", "ip from any to any out xmit igb0",
		"ip4 from 192.168.100.0/29 to any out via igb0", "ip4 from any to any out via igb0",
		"ip from any to any out via igb0 keep-state",
	};

	say(s, gen_often(s->g, 60) ? "add 8990 deny ip from any to any"
				   : "add 8990 count ip from any to any");
	if (s->has_global)
		say(s, arena_printf(s->a, "add %u nat global %s", OUT_NAT, PICK(s->g, nat_out)));
	if (s->has_nat && gen_often(s->g, 80)) {
		const uint32_t n = s->has_nat2 && gen_often(s->g, 30) ? 2 : 1;
		const char *out = PICK(s->g, nat_out);

		if (strstr(out, "keep-state") != NULL && leads_back(s))
			out = nat_out[0];
		say(s, arena_printf(s->a, "add %u nat %u %s", OUT_NAT, n, out));
	}
	if (gen_often(s->g, 20))
		say(s, "add 9050 deny tcp from any to any 8000-8010");
	say(s, arena_printf(s->a, "add 9090 allow ip from any to any%s",
			    gen_often(s->g, 80) || leads_back(s) ? "" : " keep-state"));
}

/* Rules that others call, behind all that fall through to the end */
static void add_called(struct shape *s)
{
	static const char *const what[] = { "deny", "count", "allow", "skipto 9560", "return" };
	const char *proto;

	for (uint32_t i = 0; i < 4; i++)
		say(s, arena_printf(s->a, "add %u %s %s", 9500 + STEP * i, PICK(s->g, what),
				    body(s, &proto)));
	say(s, gen_often(s->g, 80) ? "add 9560 return" : "add 9560 return ip4 from any to any");
}

void gen_ipfw_ruleset(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	struct shape s = {
		.g = g, .a = a, .ret = ret, .has_nat = gen_often(g, 65),
		.has_tags = gen_often(g, 20), .has_names = gen_often(g, 20),
		.one_pass = gen_often(g, 35), .is_long = gen_often(g, 12),
		.has_calls = gen_often(g, 15),
		.number = 100,
	};

	ret->list.n = 0;
	s.has_nat2 = s.has_nat && gen_often(g, 25);
	s.has_global = s.has_nat && gen_often(g, 12) && (s.one_pass || gen_often(g, 10));
	say(&s, s.one_pass ? "enable one_pass" : "disable one_pass");
	add_tables(&s);
	if (s.has_nat)
		add_nat_config(&s, 1);
	if (s.has_nat2)
		add_nat_config(&s, 2);
	add_head(&s);
	for (uint32_t n = gen_below(g, s.is_long ? LONG_MAX : RULES_MAX); n > 0; n--) {
		add_rule(&s);
		s.number += STEP * (1 + gen_below(g, 4));
	}
	add_tail(&s);
	if (s.has_calls)
		add_called(&s);
}
