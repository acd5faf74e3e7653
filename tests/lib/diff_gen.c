/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One table of addresses, each with the part that it plays: outside on the one
 * link or the other, the host's own, a jail's.  Rules draw from the same table
 * as packets, so what a rule names is what a packet has.
 *
 * Left out, because no packet of them reaches netfilter: sources and
 * destinations ::1 from outside, multicast, and addresses that nobody has.
 * Ranges that a translation draws from (50001 to 65535, 20000 to 20100) lie
 * wholly inside or outside every range of source ports that a rule names.
 */
#include "diff_gen.h"

#include <string.h>

#include "base/limits.h"

enum part { OUT0, OUT1, OWN0, OWN1, JAIL, PUBLIC_JAIL, LOOP, N_PARTS };

static const struct {
	enum part part;
	const char *text;
} places[] = {
	{ OUT0, "203.0.113.9" }, { OUT0, "203.0.113.10" }, { OUT0, "192.0.2.7" },
	{ OUT0, "192.0.2.66" }, { OUT1, "10.7.0.9" }, { OUT1, "10.7.0.10" }, { OUT1, "10.8.3.4" },
	{ OWN0, "203.0.113.2" }, { OWN0, "203.0.113.3" }, { OWN1, "10.7.0.1" },
	{ JAIL, "192.168.100.1" }, { JAIL, "192.168.100.2" }, { JAIL, "192.168.100.3" },
	{ PUBLIC_JAIL, "198.51.100.77" }, { LOOP, "127.0.0.1" },
	{ OUT0, "2001:db8:a::9" }, { OUT0, "2001:db8:ff::7" }, { OUT1, "fd07::9" },
	{ OUT1, "2001:db8:8::4" }, { OWN0, "2001:db8:a::2" }, { OWN1, "fd07::1" },
	{ JAIL, "fd00:64::1" }, { JAIL, "fd00:64::2" }, { JAIL, "fd00:64::3" },
	{ PUBLIC_JAIL, "2001:db8:77::1" }, { LOOP, "::1" },
};

static const uint16_t dports[] = {
	80, 80, 80, 80, 443, 443, 22, 22, 22, 25, 53, 3306, 8000, 8005, 8005, 8010, 8011, 100, 101,
	150, 150, 199, 200, 2000, 2005, 2005, 2010, 1023, 1024, 50001, 65535, 1,
};

struct gen gen_seed(uint64_t seed, uint64_t what)
{
	struct gen g = { seed * UINT64_C(0x9e3779b97f4a7c15) ^ (what + 1) *
			 UINT64_C(0xd1342543de82ef95) };

	for (int i = 0; i < 4; i++)
		gen_below(&g, 2);
	return g;
}

uint32_t gen_below(struct gen *g, uint32_t n)
{
	uint64_t x = g->state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((x ^ x >> 31) >> 16) % n;
}

bool gen_often(struct gen *g, uint32_t percent)
{
	return gen_below(g, 100) < percent;
}

#define PICK(g, array)	((array)[gen_below((g), (uint32_t)ARRAY_SIZE(array))])

static struct addr addr(const char *text)
{
	struct addr a;

	BUG_IF(addr_parse(text, strlen(text), &a) < 0);
	return a;
}

void gen_facts(struct facts *f, struct arena *a, struct intern *names)
{
	static const struct {
		const char *iface;
		const char *prefix;
	} addrs[] = {
		{ "igb0", "203.0.113.2/24" }, { "igb0", "203.0.113.3/32" },
		{ "igb0", "2001:db8:a::2/64" },
		{ "igb1", "10.7.0.1/24" }, { "igb1", "fd07::1/64" },
		{ "lo1", "192.168.100.1/29" }, { "lo1", "192.168.100.2/32" },
		{ "lo1", "192.168.100.3/32" }, { "lo1", "198.51.100.77/32" },
		{ "lo1", "fd00:64::1/64" }, { "lo1", "fd00:64::2/128" },
		{ "lo1", "fd00:64::3/128" },
		{ "lo1", "2001:db8:77::1/128" },
	};

	facts_init(f, a, names);
	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		struct iface_addr x = { .is_live = true };

		BUG_IF(prefix_parse(addrs[i].prefix, strlen(addrs[i].prefix), &x.p) < 0);
		facts_add_addr(f, facts_add(f, addrs[i].iface), x);
	}
	f->default_if[0] = f->default_if[1] = intern_cstr(names, "igb0");
	f->default_via[0] = addr("203.0.113.1");
	f->default_via[1] = addr("2001:db8:a::1");
}

const struct lab_route *gen_routes(struct arena *a, uint32_t *ret_n)
{
	static const struct {
		const char *to;
		const char *via;
		uint32_t link;
	} rows[] = {
		{ "0.0.0.0/0", "203.0.113.1", 0 }, { "::/0", "2001:db8:a::1", 0 },
		{ "203.0.113.9/32", "203.0.113.9", 0 }, { "203.0.113.10/32", "203.0.113.10", 0 },
		{ "2001:db8:a::9/128", "2001:db8:a::9", 0 },
		{ "10.7.0.9/32", "10.7.0.9", 1 }, { "10.7.0.10/32", "10.7.0.10", 1 },
		{ "10.8.0.0/16", "10.7.0.9", 1 }, { "fd07::9/128", "fd07::9", 1 },
		{ "2001:db8:8::/48", "fd07::9", 1 },
	};
	struct lab_route *r = arena_array(a, struct lab_route, ARRAY_SIZE(rows));

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		BUG_IF(prefix_parse(rows[i].to, strlen(rows[i].to), &r[i].to) < 0);
		r[i].via = addr(rows[i].via);
		r[i].link = rows[i].link;
	}
	*ret_n = ARRAY_SIZE(rows);
	return r;
}

/* ---- rulesets -------------------------------------------------------------- */

static bool is_v6(const char *text)
{
	return strchr(text, ':') != NULL;
}

/* An address of the table, of family @af (AF_NONE: either) and one of the parts */
static const char *place(struct gen *g, uint8_t af, unsigned int parts)
{
	for (;;) {
		const size_t i = gen_below(g, ARRAY_SIZE(places));

		if ((parts & 1u << places[i].part) != 0 &&
		    (af == AF_NONE || is_v6(places[i].text) == (af == AF_V6)))
			return places[i].text;
	}
}

#define ALL_PARTS	((1u << N_PARTS) - 1)
#define OUTSIDE		(1u << OUT0 | 1u << OUT1)
#define INSIDE		(1u << JAIL | 1u << PUBLIC_JAIL)
#define OWN		(1u << OWN0 | 1u << OWN1)

static const char *const nets4[] = {
	"203.0.113.0/24", "192.0.2.0/24", "10.7.0.0/24", "10/8", "192.168.100.0/29", "$jails",
	"192.168.100.2/31", "192.0.2.0/25", "127.0.0.0/8", "igb0:network", "igb1:network",
};

static const char *const nets6[] = {
	"2001:db8:a::/64", "2001:db8::/32", "fd07::/64", "fd00:64::/64", "fd00::/8", "igb0:network",
};

static const char *const either[] = {
	"any", "any", "any", "<t>", "(igb0)", "(igb1)", "(lo1)", "(igb0:0)", "igb0", "igb1", "lo1",
	"(igb0:network)", "! <t>", "! (igb0)",
};

static const char *one_host(struct gen *g, uint8_t af)
{
	if (gen_often(g, 60))
		return place(g, af, ALL_PARTS);
	return af == AF_V6 ? PICK(g, nets6) : PICK(g, nets4);
}

static const char *host(struct gen *g, struct arena *a, uint8_t af)
{
	const uint32_t how = gen_below(g, 100);

	if (af == AF_NONE || how < 40)
		return PICK(g, either);
	if (how < 75)
		return one_host(g, af);
	if (how < 85)
		return arena_printf(a, "! %s", place(g, af, ALL_PARTS));
	return arena_printf(a, "{ %s%s %s }", one_host(g, af), gen_often(g, 50) ? "," : "",
			    one_host(g, af));
}

static const char *dport(struct gen *g, struct arena *a)
{
	static const char *const some[] = {
		" port 80", " port http", " port $web", " port { 22 80:443 }", " port 8000:8010",
		" port != 22", " port < 1024", " port <= 1023", " port > 1024", " port >= 8000",
		" port 100 >< 200", " port 100 <> 200", " port { 22, 25, 3306 }", " port { != 80 }",
	};

	if (gen_often(g, 35))
		return arena_printf(a, " port %u", PICK(g, dports));
	return PICK(g, some);
}

static const char *sport(struct gen *g)
{
	static const char *const some[] = {
		" port < 1024", " port >= 1024", " port 1024:19999", " port > 50000",
		" port != 1023",
	};

	return gen_often(g, 10) ? PICK(g, some) : "";
}

static const char *on(struct gen *g, bool translation)
{
	static const char *const some[] = {
		" on igb0", " on igb0", " on igb0", " on $ext", " on igb1", " on { igb0 igb1 }",
		" on ! igb0", " on lo0", " on lo1", " on lo", " on egress", "", "", "",
	};

	/* A translation is of a real interface more often than not */
	return gen_below(g, 100) < (translation ? 75u : 30u) ? " on igb0" : PICK(g, some);
}

/* What a rule says of protocol, addresses and ports */
static const char *match(struct gen *g, struct arena *a, bool is_filter, uint8_t *af,
			 const char **ret_proto)
{
	static const char *const protos[] = {
		"", "", "tcp", "tcp", "tcp", "udp", "udp", "{ tcp udp }", "esp", "icmp",
	};
	const char *proto = PICK(g, protos);
	const bool ports = strstr(proto, "tcp") != NULL || strstr(proto, "udp") != NULL;
	const char *icmp = "";

	*af = gen_often(g, 60) ? AF_V4 : gen_often(g, 70) ? AF_V6 : AF_NONE;
	if (strcmp(proto, "icmp") == 0 && *af != AF_NONE) {
		proto = *af == AF_V4 ? "icmp" : "icmp6";
		if (is_filter && gen_often(g, 60))
			icmp = *af == AF_V6 ? " icmp6-type echoreq" :
			       gen_often(g, 50) ? " icmp-type echoreq" :
			       " icmp-type { echoreq, timereq code 0 }";
	} else if (strcmp(proto, "icmp") == 0) {
		proto = "";
	}
	*ret_proto = proto;
	return arena_printf(a, "%s%s%s from %s%s to %s%s%s",
			    *af == AF_NONE ? "" : icmp[0] == '\0' && gen_often(g, 50) ? "" :
			    *af == AF_V4 ? " inet" : " inet6",
			    proto[0] != '\0' ? " proto " : "", proto, host(g, a, *af),
			    ports ? sport(g) : "", host(g, a, *af),
			    ports && gen_often(g, 60) ? dport(g, a) : "", icmp);
}

static const char *nat(struct gen *g, struct arena *a)
{
	static const char *const options[] = { "", "", "", " static-port", " port 20000:20100" };
	static const char *const pools[] = {
		"203.0.113.2/31 round-robin", "203.0.113.2/31 random",
		"203.0.113.2/31 source-hash", "203.0.113.2/31 source-hash 0x1234",
		"203.0.113.2/31 bitmask", "203.0.113.2/31", "{ 203.0.113.2, 203.0.113.3 }",
		"{ 203.0.113.2 203.0.113.3 } sticky-address",
		"203.0.113.2/31 random sticky-address",
	};
	const char *proto, *what, *target;
	uint8_t af;

	what = match(g, a, false, &af, &proto);
	if (gen_often(g, 40)) {
		const char *from = gen_often(g, 50) ? "$jails" : "igb1:network";

		af = AF_V4;
		what = arena_printf(a, " from %s to any", from);
	}
	if (gen_often(g, 12))
		return arena_printf(a, "no nat%s%s%s", on(g, true), what,
				    gen_often(g, 10) ? gen_tags(g, a) : "");
	if (af == AF_V4 && gen_often(g, 35))
		return arena_printf(a, "nat%s on igb0%s -> %s%s", gen_often(g, 30) ? " pass" : "",
				    what, PICK(g, pools), gen_often(g, 20) ? " static-port" : "");
	target = gen_often(g, 60) ? (gen_often(g, 50) ? "(igb0)" : "(igb0:0)") :
		 af == AF_NONE ? "(igb1)" : place(g, af, OWN | 1u << PUBLIC_JAIL);
	return arena_printf(a, "nat%s%s%s -> %s%s", gen_often(g, 30) ? " pass" : "", on(g, true),
			    what, target, PICK(g, options));
}

static const char *rdr(struct gen *g, struct arena *a)
{
	static const char *const shifts[] = {
		" port 2000:2010 -> %s port 8000:*", " port 2000:2010 -> %s port 8000",
		" port 8000:8010 -> %s", " port { 80 443 } -> %s", " port 80 -> %s port 8000",
		" port 100:200 -> %s port 100:200", " port 22 -> %s",
		" port 2000:2010 -> %s port 8000:8003", " port 65001:65535 -> %s port 80:89",
	};
	static const char *const pools[] = {
		" -> 192.168.100.2/31 round-robin", " port 80 -> 192.168.100.2/31 port 8000 random",
		" -> { 192.168.100.2, 192.168.100.3 } port 80",
		" port { 80 443 } -> 192.168.100.2/31 source-hash", " -> 192.168.100.2/31 bitmask",
		" port 80:443 -> { 192.168.100.2 192.168.100.3 } sticky-address",
		" port 2000:2010 -> 192.168.100.2/31 port 8000:8003 random",
	};
	static const char *const ports[] = { " port 22", " port $web", " port 8000:8010" };
	static const char *const protos[] = { "tcp", "tcp", "tcp", "udp", "{ tcp udp }" };
	const uint8_t af = gen_often(g, 65) ? AF_V4 : AF_V6;
	const char *target = place(g, af, gen_often(g, 75) ? INSIDE : OUTSIDE | OWN);
	const char *to = gen_often(g, 50) ? place(g, af, 1u << OWN0) :
			 gen_often(g, 50) ? place(g, af, OWN | INSIDE) : host(g, a, af);
	const char *head = arena_printf(a, "%s%s proto %s from %s to %s", on(g, true),
					af == AF_V4 ? " inet" : " inet6", PICK(g, protos),
					gen_often(g, 75) ? "any" : host(g, a, af), to);
	const char *tail = PICK(g, shifts);
	char buf[128];

	if (gen_often(g, 12))
		return arena_printf(a, "no rdr%s%s", head, gen_often(g, 50) ? PICK(g, ports) : "");
	if (gen_often(g, 15))
		return arena_printf(a, "rdr%s%s -> %s", head,
				    gen_often(g, 20) ? gen_tags(g, a) : "", target);
	if (af == AF_V4 && gen_often(g, 25))
		return arena_printf(a, "rdr%s%s%s", gen_often(g, 45) ? " pass" : "", head,
				    PICK(g, pools));
	/* The format is of the table above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(buf, sizeof(buf), tail, target);
#pragma GCC diagnostic pop
	return arena_printf(a, "rdr%s%s%s", gen_often(g, 45) ? " pass" : "", head, buf);
}

static const char *binat(struct gen *g, struct arena *a)
{
	static const char *const some[] = {
		"binat on igb0 inet from 192.168.100.2 to any -> 203.0.113.3",
		"binat pass on igb0 inet from 192.168.100.2 to any -> 203.0.113.3",
		"binat on igb0 inet from 192.168.100.2/31 to any -> 203.0.113.2/31",
		"binat on igb0 inet from 192.168.100.2/31 to ! 192.0.2.0/24 -> 203.0.113.2/31",
		"binat on igb0 inet proto tcp from 10.7.0.9 to any -> 203.0.113.3",
		"binat on igb0 inet6 from fd00:64::2 to any -> 2001:db8:a::2",
		"no binat on igb0 inet proto udp from 192.168.100.2 to any",
		"no binat on igb0 inet from 192.168.100.2 to 192.0.2.0/24",
	};

	return arena_printf(a, "%s", PICK(g, some));
}

/* A filter rule that translates; those of match come before what they could blind */
static const char *to(struct gen *g, struct arena *a, bool is_match)
{
	static const char *const sources[] = {
		"$jails", "igb1:network", "192.168.100.2", "10.7.0.9", "{ 10.7.0.9 192.168.100.3 }",
	};
	static const char *const outs[] = {
		"(igb0:0)", "203.0.113.3", "203.0.113.2/31 random", "203.0.113.3 static-port",
		"{ 203.0.113.2 203.0.113.3 }",
	};
	static const char *const ins[] = {
		"port 80 rdr-to 192.168.100.2", "port 2000:2010 rdr-to 192.168.100.2 port 8000:*",
		"rdr-to 192.168.100.3", "port 22 rdr-to 192.168.100.2 port 2222",
		"port { 80 443 } rdr-to { 192.168.100.2 192.168.100.3 }",
		"rdr-to 198.51.100.77", "port 8000:8010 rdr-to 203.0.113.2 port 8000:*",
	};
	const char *head = is_match ? "match" : "pass", *quick = "";

	if (!is_match && gen_often(g, 35))
		quick = " quick";
	if (gen_often(g, 30))
		return arena_printf(a, "%s out%s on igb0 inet%s from %s to any nat-to %s", head,
				    quick, gen_often(g, 50) ? " proto tcp" : "",
				    PICK(g, sources), PICK(g, outs));
	if (!is_match && gen_often(g, 15))
		return arena_printf(a, "pass%s on igb0 inet from 192.168.100.2 to any binat-to "
				    "203.0.113.3", quick);
	return arena_printf(a, "%s in%s%s inet proto %s from %s to %s %s", head, quick,
			    gen_often(g, 85) ? " on igb0" : "", gen_often(g, 70) ? "tcp" : "udp",
			    gen_often(g, 75) ? "any" : place(g, AF_V4, OUTSIDE),
			    place(g, AF_V4, 1u << OWN0), PICK(g, ins));
}

static const char *filter(struct gen *g, struct arena *a, bool block)
{
	static const char *const blocks[] = {
		"block", "block", "block drop", "block return", "block return-icmp",
	};
	static const char *const dirs[] = { "", " in", " in", " out" };
	static const char *const flags[] = {
		" flags S/SA", " flags any", " flags A/A", " flags S/SAFR", " flags /R",
	};
	static const char *const states[] = { "", "", "", " keep state", " no state" };
	const char *proto, *what = "", *action;
	uint8_t af;
	bool all = gen_often(g, 20);

	what = match(g, a, true, &af, &proto);
	if (all)
		what = " all";
	action = !block ? "pass" : gen_often(g, 8) && strcmp(proto, "tcp") == 0 && !all ?
		 "block return-rst" : PICK(g, blocks);
	return arena_printf(a, "%s%s%s%s%s%s%s%s%s%s", action, PICK(g, dirs),
			    gen_often(g, 15) ? " log" : "", gen_often(g, 20) ? " quick" : "",
			    on(g, false), what,
			    !all && strcmp(proto, "tcp") == 0 && gen_often(g, 30) ?
			    PICK(g, flags) : "", block ? "" : PICK(g, states),
			    gen_often(g, 5) ? gen_tags(g, a) : "", gen_chance(g));
}

static void filters(struct gen *g, struct arena *a, bool by_filter, struct gen_lines *ret)
{
	static const char *const anchors[] = { "anchor {", "anchor on igb0 {", "anchor in {" };
	static const char *const changes[] = {
		"match in scrub (no-df)", "match on igb0 scrub (max-mss 1300)",
		"match out scrub (min-ttl 9)",
	};
	bool is_inner;

	if (by_filter && gen_often(g, 25))
		vec_add(a, &ret->list, PICK(g, changes));
	is_inner = by_filter && gen_often(g, 35);
	if (is_inner)
		vec_add(a, &ret->list, PICK(g, anchors));
	if (by_filter && gen_often(g, 50))
		vec_add(a, &ret->list, to(g, a, true));
	for (uint32_t n = gen_below(g, 7); n > 0; n--) {
		if (by_filter && gen_often(g, 40))
			vec_add(a, &ret->list, to(g, a, false));
		vec_add(a, &ret->list, filter(g, a, gen_often(g, 45)));
	}
	if (is_inner)
		vec_add(a, &ret->list, "}");
}

void gen_ruleset(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	static const char *const skips[] = {
		"lo", "lo", "lo0", "lo1", "igb1", "{ lo igb1 }",
	};
	const bool by_filter = gen_often(g, 25);	/* translations are of filter rules */
	uint32_t n;

	ret->list.n = 0;
	if (gen_often(g, 20)) {
		gen_dense(g, a, ret);
		return;
	}
	if (gen_often(g, 20)) {
		gen_runs(g, a, ret);
		return;
	}
	if (gen_often(g, 35)) {
		gen_host(g, a, ret);
		return;
	}
	vec_add(a, &ret->list, "ext = \"igb0\"");
	vec_add(a, &ret->list, "web = \"{ 80 443 }\"");
	vec_add(a, &ret->list, "jails = \"192.168.100.0/29\"");
	vec_add(a, &ret->list, arena_printf(a, "table <t> { 10.7.0.0/24, !10.7.0.9, %s, %s }",
					    place(g, AF_V4, ALL_PARTS),
					    place(g, AF_V6, ALL_PARTS)));
	if (gen_often(g, 30))
		vec_add(a, &ret->list, arena_printf(a, "set skip on %s", PICK(g, skips)));
	if (gen_often(g, 40))
		vec_add(a, &ret->list, gen_often(g, 70) ? "set block-policy return"
							: "set block-policy drop");
	if (gen_often(g, 25))
		vec_add(a, &ret->list, "scrub in all");
	for (n = by_filter ? 0 : gen_below(g, 3); n > 0; n--)
		vec_add(a, &ret->list, nat(g, a));
	for (n = by_filter ? 0 : gen_below(g, 6); n > 0; n--)
		vec_add(a, &ret->list, rdr(g, a));
	for (n = by_filter || gen_often(g, 75) ? 0 : 1 + gen_below(g, 2); n > 0; n--)
		vec_add(a, &ret->list, binat(g, a));
	if (gen_often(g, 40))
		vec_add(a, &ret->list, gen_often(g, 50) ? "block in all" : "block all");
	filters(g, a, by_filter, ret);
	if (gen_often(g, 15))
		vec_add(a, &ret->list, gen_often(g, 50) ? "antispoof for igb0"
							: "antispoof quick for { igb0 lo1 }");
}

/* ---- packets --------------------------------------------------------------- */

/* Parts that sources and destinations have, by who sends; percent of each */
enum sender { IN0, IN1, OUTBOUND, LOCAL, N_SENDERS };

static const struct {
	uint32_t percent;
	uint8_t src[N_PARTS];
	uint8_t dst[N_PARTS];
} senders[N_SENDERS] = {
	[IN0] = { 45,	{ [OUT0] = 86, [OUT1] = 3, [OWN0] = 2, [OWN1] = 2, [JAIL] = 5, [LOOP] = 2 },
			{ [OUT0] = 6, [OUT1] = 20, [OWN0] = 44, [OWN1] = 6, [JAIL] = 16,
			  [PUBLIC_JAIL] = 8 } },
	[IN1] = { 20,	{ [OUT0] = 4, [OUT1] = 88, [OWN0] = 2, [OWN1] = 1, [JAIL] = 5 },
			{ [OUT0] = 45, [OUT1] = 5, [OWN0] = 15, [OWN1] = 15, [JAIL] = 14,
			  [PUBLIC_JAIL] = 6 } },
	[OUTBOUND] = { 23, { [OUT0] = 3, [OWN0] = 27, [OWN1] = 15, [JAIL] = 45,
			     [PUBLIC_JAIL] = 10 },
			{ [OUT0] = 70, [OUT1] = 30 } },
	[LOCAL] = { 12,	{ [OWN0] = 35, [OWN1] = 10, [JAIL] = 45, [PUBLIC_JAIL] = 10 },
			{ [OWN0] = 45, [OWN1] = 10, [JAIL] = 30, [PUBLIC_JAIL] = 10, [LOOP] = 5 } },
};

static const char *draw(struct gen *g, uint8_t af, const uint8_t percent[N_PARTS])
{
	uint32_t n = gen_below(g, 100), part = 0;

	while (part < LOOP && n >= percent[part])
		n -= percent[part++];
	if (percent[part] == 0)
		part = JAIL;
	return place(g, af, 1u << part);
}

static void draw_addresses(struct gen *g, enum sender s, struct packet *p)
{
	const uint8_t af = gen_often(g, 65) ? AF_V4 : AF_V6;

	do {
		p->src = addr(draw(g, af, senders[s].src));
		p->dst = addr(draw(g, af, senders[s].dst));
		if (s == LOCAL && addr_is_loopback(p->dst))
			p->src = p->dst;
	} while ((s != LOCAL && addr_equal(p->src, p->dst)) ||
		 (s != LOCAL && af == AF_V6 && addr_is_loopback(p->src)));
}

static uint8_t draw_flags(struct gen *g)
{
	static const uint8_t some[] = {
		TCP_FLAG_ACK, TCP_FLAG_ACK, TCP_FLAG_ACK | TCP_FLAG_PSH,
		TCP_FLAG_SYN | TCP_FLAG_ACK, TCP_FLAG_RST, TCP_FLAG_RST | TCP_FLAG_ACK,
		TCP_FLAG_FIN | TCP_FLAG_ACK, TCP_FLAG_SYN | TCP_FLAG_ECE | TCP_FLAG_CWR,
		TCP_FLAG_FIN | TCP_FLAG_PSH | TCP_FLAG_URG, 0,
	};

	return gen_often(g, 85) ? TCP_FLAG_SYN : PICK(g, some);
}

/* Protocols without ports have one flow each, or they would share states */
static uint8_t draw_proto(struct gen *g, uint8_t af, uint32_t number)
{
	const uint32_t n = gen_below(g, 100);

	if (number < 2)
		return number == 0 ? PROTO_ESP : 99;
	if (n < 55)
		return PROTO_TCP;
	return n < 80 ? PROTO_UDP : af == AF_V4 ? PROTO_ICMP : PROTO_ICMP6;
}

static void draw_icmp(struct gen *g, struct packet *p, uint32_t number)
{
	static const uint8_t rest4[] = { 0, 3, 5, 11, 13 }, rest6[] = { 129, 1, 3 };

	p->icmp_type = p->proto == PROTO_ICMP ? 8 : 128;
	if (gen_often(g, 15))
		p->icmp_type = p->proto == PROTO_ICMP ? PICK(g, rest4) : PICK(g, rest6);
	if (packet_icmp_is_query(p))
		p->sport = p->dport = (uint16_t)(1000 + number);
}

struct gen_packet gen_packet(struct gen *g, uint32_t number)
{
	/* lowdelay, throughput, af11, ef, most with bits of ECN */
	static const uint8_t types_of_service[] = { 0x10, 0x13, 0x0a, 0x2a, 0xb9, 0xb8 };
	static const uint16_t bases[] = { 300, 1024, 5000, 30000, 51000, 64000 };
	struct gen_packet x = { .from_host = false };
	uint32_t n = gen_below(g, 100);
	enum sender s = IN0;

	while (n >= senders[s].percent)
		n -= senders[s++].percent;
	x.from_host = s == OUTBOUND || s == LOCAL;
	x.link = s == IN1;
	draw_addresses(g, s, &x.p);
	x.p.proto = draw_proto(g, x.p.src.af, number);
	x.p.tos = gen_often(g, 15) ? PICK(g, types_of_service) : 0;
	x.p.has_opts = x.p.src.af == AF_V4 && gen_often(g, 6);
	if (x.p.proto == PROTO_TCP)
		x.p.tcp_flags = draw_flags(g);
	if (proto_has_ports(x.p.proto)) {
		x.p.sport = (uint16_t)(PICK(g, bases) + number);
		x.p.dport = PICK(g, dports);
	} else if (x.p.proto == PROTO_ICMP || x.p.proto == PROTO_ICMP6) {
		draw_icmp(g, &x.p, number);
	}
	return x;
}
