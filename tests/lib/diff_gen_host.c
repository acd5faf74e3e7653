/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The other rulesets have rules that meet often; these have the breadth of the
 * language: whatever pf.conf has words for and a packet can show, in the shape
 * of a real host's file.  Each statement draws its options one by one, so that
 * words that are rare stand beside each other too.
 *
 * A limit is either 1 or far above what a run sends: what counts towards it
 * differs in places that have names of their own.
 */
#include "diff_gen.h"

#include <string.h>

#define PICK(g, array)	((array)[gen_below((g), (uint32_t)ARRAY_SIZE(array))])

struct host {
	struct gen *g;
	struct arena *a;
	struct gen_lines *ret;
	bool has_v6;
	bool has_limits;
	int depth;
	uint32_t n_anchors;	/* that have a name */
};

static void say(struct host *h, const char *text)
{
	vec_add(h->a, &h->ret->list, text);
}

static bool often(struct host *h, uint32_t percent)
{
	return gen_often(h->g, percent);
}

/* One of several texts, in so many percent of cases */
#define MAYBE(h, percent, ...) ({ \
	static const char *const maybe[] = { __VA_ARGS__ }; \
	often((h), (percent)) ? PICK((h)->g, maybe) : ""; })

static void add_head(struct host *h)
{
	static const char *const options[] = {
		"set timeout { tcp.established 600, udp.first 60 }", "set limit states 10000",
		"set optimization aggressive", "set loginterface igb0", "set fingerprints \"/x\"",
		"set state-policy floating", "set ruleset-optimization none", "set debug urgent",
		"set timeout interval 10", "set hostid 7",
	};

	say(h, "# what a host has");
	say(h, "ext = \"igb0\"\nint=igb1 # inside");
	say(h, "web = \"{ http, 443 }\"\nmail = \"25\"\nall_in = $mail");
	say(h, "lan = \"10.7.0.0/24\"\nnets = \"{ 10.7.0.0/24, 192.168.100.0/29 }\"");
	say(h, "table <jails> persist { 192.168.100.0/29, !192.168.100.3, fd00:64::/64 }");
	say(h, "table <rfc1918> const { 10/8 172.16/12 192.168/16 !10.7.0.9 10.7.0.10 }");
	say(h, "table <bad> persist\ntable <own> { self }\ntable <ifs> { $int:network, lo1 }");
	if (often(h, 40))
		say(h, PICK(h->g, options));
	if (often(h, 40))
		say(h, arena_printf(h->a, "set block-policy %s", often(h, 50) ? "return" : "drop"));
	if (often(h, 30))
		say(h, PICK(h->g, ((const char *const[]){ "scrub in on $ext all",
			"scrub in all fragment reassemble", "no scrub in on $int all",
			"scrub out on igb0 no-df random-id", "scrub in inet min-ttl 5" })));
	if (often(h, 35))
		say(h, arena_printf(h->a, "set skip on %s", MAYBE(h, 100, "lo", "lo0", "{ lo }")));
}

static const char *source(struct host *h)
{
	static const char *const v4[] = {
		"any", "any", "any", "any", "<jails>", "$lan", "$nets", "<rfc1918>", "! <rfc1918>",
		"<own>", "<ifs>", "($int:network)", "igb1:network", "192.0.2.0/24", "no-route",
		"{ <jails> 10.7.0.9 }", "{ 192.0.2.7, !192.0.2.66 }", "(lo1)", "self", "! $lan",
		"203.0.113.9 - 203.0.113.10", "198.51.100/24", "lo1",
	};
	static const char *const v6[] = {
		"any", "any", "<jails>", "2001:db8::/32", "fd00::/8", "igb0:network", "! <own>",
		"{ fd07::9 2001:db8:a::9 }", "2001:db8:ff::7", "<ifs>",
	};

	return h->has_v6 ? PICK(h->g, v6) : PICK(h->g, v4);
}

static const char *target(struct host *h)
{
	static const char *const v4[] = {
		"any", "any", "any", "any", "($ext)", "($ext:0)", "$ext", "igb0:0", "<jails>",
		"192.168.100.2", "{ 203.0.113.2 203.0.113.3 }", "<own>", "self", "$nets",
		"! 192.168.100.2", "198.51.100.77", "igb1:broadcast", "lo1:network",
	};
	static const char *const v6[] = {
		"any", "any", "(igb0)", "fd00:64::2", "<jails>", "2001:db8:77::1", "igb0:0",
		"{ fd00:64::2, 2001:db8:a::2 }", "! fd00::/8",
	};

	return h->has_v6 ? PICK(h->g, v6) : PICK(h->g, v4);
}

static const char *port(struct host *h)
{
	return MAYBE(h, 60, " port 80", " port $web", " port $all_in", " port { ssh, $mail, 53 }",
		     " port 8000:8010", " port != 22", " port < 1024", " port >= 1024",
		     " port 100 >< 200", " port 100 <> 200", " port { 22, 80:443, > 2000 }",
		     " port { smtp domain https }", " port = 3306", " port 1:1023");
}

static const char *state(struct host *h)
{
	if (h->has_limits && often(h, 25))
		return MAYBE(h, 100, " keep state (max 1)", " keep state (max 5000)",
			     " keep state (source-track rule, max-src-states 1)",
			     " keep state (max-src-nodes 1)", " keep state (max-src-conn 1000)",
			     " keep state (max-src-states 100, tcp.established 60)",
			     " keep state (source-track global, max-src-states 200)");
	return MAYBE(h, 50, " keep state", " no state", " no state", " modulate state",
		     " synproxy state", " keep state (tcp.closing 10)");
}

static const char *marks(struct host *h)
{
	return arena_printf(h->a, "%s%s%s%s", MAYBE(h, 8, " tos lowdelay", " tos 0x10"),
			    often(h, 8) ? gen_tags(h->g, h->a) : "", gen_chance(h->g),
			    MAYBE(h, 8, " label \"$if:$nr\"", " label x label \"$dstport\"",
				  " queue q"));
}

/* Protocol, addresses, and what depends on them */
static const char *body(struct host *h)
{
	const uint32_t how = gen_below(h->g, 100);

	if (how < 15)
		return " all";
	if (how < 25)
		return arena_printf(h->a, " inet%s from %s to %s",
				    h->has_v6 ? "6 proto ipv6-icmp" : " proto icmp", source(h),
				    target(h));
	if (how < 35)
		return h->has_v6 ? " inet6 proto icmp6 icmp6-type { echoreq, unreach }"
				 : MAYBE(h, 100, " inet proto icmp icmp-type echoreq",
					 " inet proto icmp all icmp-type { 0, 8, timex }",
					 " inet proto icmp icmp-type { unreach code needfrag, 3 }");
	if (how < 45)
		return arena_printf(h->a, " from %s to %s", source(h), target(h));
	if (how < 70)
		return arena_printf(h->a, " proto tcp from %s to %s%s%s", source(h), target(h),
				    port(h), MAYBE(h, 25, " flags S/SA", " flags any",
						   " flags /SFRA", " flags A/A"));
	return arena_printf(h->a, " proto { tcp, udp } from %s%s to %s%s", source(h),
			    MAYBE(h, 10, " port 1024:19999", " port != 1023"), target(h), port(h));
}

static void add_rule(struct host *h)
{
	const bool is_block = often(h, 45);
	const char *dir = MAYBE(h, 85, " in", " in", " in", " out", " out");
	const char *action = is_block ? MAYBE(h, 100, "block", "block", "block drop",
					      "block return", "block return-icmp(3, 1)") : "pass";
	const char *log = MAYBE(h, 15, " log", " log (all)", " log (user, to pflog1)");
	const char *quick = often(h, 20) ? " quick" : "";
	const char *on = MAYBE(h, 65, " on $ext", " on $ext", " on igb0", " on $int",
			       " on { $ext $int }", " on ! $ext", " on lo", " on egress");
	const bool is_out = strcmp(dir, " out") == 0;
	const char *by = is_out && often(h, 20) ? MAYBE(h, 100, " received-on $int",
							" received-on igb0") : "";

	h->has_v6 = often(h, 30);
	say(h, arena_printf(h->a, "%s%s%s%s%s%s%s%s%s%s", action, dir, log, quick, on, body(h),
			    is_block ? "" : state(h), by, marks(h),
			    is_block ? "" : MAYBE(h, 15, " allow-opts")));
}

static void add_rule_or_anchor(struct host *h)
{
	const char *what, *name;

	if (h->depth >= 2 || often(h, 85)) {
		add_rule(h);
		return;
	}
	what = MAYBE(h, 50, " on $ext", " on igb1", " proto tcp",
		     " proto { tcp udp } from any to any port 80");
	/* pfctl prints an unnamed one whole for the first of several rules only */
	name = often(h, strchr(what, '{') != NULL ? 100 : 60)
	       ? arena_printf(h->a, " \"a-%u\"", h->n_anchors++) : "";
	say(h, arena_printf(h->a, "anchor%s%s%s%s {", name, MAYBE(h, 50, " in", " out"),
			    MAYBE(h, 20, " quick"), what));
	h->depth++;
	for (uint32_t n = 1 + gen_below(h->g, 4); n > 0; n--)
		add_rule_or_anchor(h);
	h->depth--;
	say(h, "}");
}

static void add_translations(struct host *h)
{
	static const char *const nats[] = {
		"nat on $ext inet from <jails> to any -> ($ext:0)",
		"nat on $ext inet from $nets to ! <rfc1918> -> 203.0.113.3",
		"nat pass on $ext from $lan -> $ext", "no nat on $ext from <jails> to <rfc1918>",
		"nat on egress inet from ! (egress) to any -> (egress:0)",
		("nat log on $ext inet proto { tcp udp } from $lan to any -> 203.0.113.2 "
		 "port 20000:20100"),
		"nat on $ext inet6 from fd00:64::/64 to any -> 2001:db8:a::2 static-port",
		"nat-anchor \"jail-nat/*\"",
	};
	static const char *const rdrs[] = {
		"rdr on $ext inet proto tcp from any to ($ext:0) port $web -> 192.168.100.2",
		"rdr pass on $ext inet proto tcp to 203.0.113.3 port ssh -> 192.168.100.3",
		("rdr pass log on $ext proto tcp from ! <bad> to $ext port 2000:2010 \\\n"
		 "\t-> 192.168.100.2 port 8000:*"),
		"no rdr on $ext proto tcp from 192.0.2.0/24 to any",
		"rdr on $ext inet6 proto tcp to 2001:db8:a::2 port 80 -> fd00:64::2 port 8000",
		"rdr on $ext inet proto { tcp udp } to ($ext) port domain -> 10.7.0.9",
		"rdr on lo0 inet proto tcp to 203.0.113.2 port 443 -> 192.168.100.2",
		"rdr-anchor \"rdr/*\"", "binat-anchor \"b/*\"",
		"rdr on $ext inet proto tcp to 203.0.113.2 port 8000:8010 -> <jailpool>",
		"rdr on ! $int inet proto tcp from <rfc1918> to any port 25 -> 192.168.100.2",
	};

	if (often(h, 25))
		say(h, "binat on $ext inet from 192.168.100.2 to any -> 203.0.113.3");
	for (uint32_t n = gen_below(h->g, 3); n > 0; n--)
		say(h, PICK(h->g, nats));
	for (uint32_t n = gen_below(h->g, 4); n > 0; n--)
		say(h, PICK(h->g, rdrs));
	say(h, "table <jailpool> { 192.168.100.2, 192.168.100.3 }");
}

void gen_host(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	struct host h = { .g = g, .a = a, .ret = ret, .has_limits = gen_often(g, 30) };

	add_head(&h);
	add_translations(&h);
	if (often(&h, 50))
		say(&h, MAYBE(&h, 100, "antispoof for $ext", "antispoof log quick for { $ext lo }",
			      "antispoof quick for $int inet", "antispoof for lo0"));
	if (often(&h, 60))
		say(&h, MAYBE(&h, 100, "block in log all", "block all", "block return in",
			      "block in on $ext"));
	if (often(&h, 20))
		say(&h, "anchor \"ftp-proxy/*\"");
	if (often(&h, 30))
		say(&h, "block in quick from <bad>");
	if (often(&h, 40))
		say(&h, MAYBE(&h, 100, "pass out quick keep state", "pass out all modulate state",
			      "pass out on $ext inet all"));
	for (uint32_t n = 2 + gen_below(g, 8); n > 0; n--)
		add_rule_or_anchor(&h);
}
