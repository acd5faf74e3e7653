/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Long runs of rules that differ only in a few values, which a target may turn into
 * look-ups: single values, prefixes, ranges and lists, over both families, several
 * interfaces and protocols.  Mostly no two rules of a run have a packet in common,
 * sometimes two do, and between runs stand rules that many packets meet.
 */
#include "diff_gen.h"

#define PICK(g, array)	((array)[gen_below((g), (uint32_t)ARRAY_SIZE(array))])

static const char *const hosts4[] = {
	"203.0.113.9", "203.0.113.10", "192.0.2.7", "192.0.2.66", "10.7.0.9", "10.7.0.10",
	"10.8.3.4", "203.0.113.2", "203.0.113.3", "10.7.0.1", "192.168.100.1", "192.168.100.2",
	"192.168.100.3", "198.51.100.77",
};

static const char *const nets4[] = {
	"203.0.113.8/31", "203.0.113.10/31", "192.0.2.0/26", "192.0.2.64/26", "10.7.0.8/31",
	"10.7.0.10/31", "10.8.0.0/16", "203.0.113.2/31", "10.7.0.0/29", "192.168.100.0/31",
	"192.168.100.2/31", "198.51.100.64/27",
};

static const char *const hosts6[] = {
	"2001:db8:a::9", "2001:db8:ff::7", "fd07::9", "2001:db8:8::4", "2001:db8:a::2", "fd07::1",
	"fd00:64::1", "fd00:64::2", "fd00:64::3", "2001:db8:77::1",
};

static const char *const ports[] = {
	"80", "443", "22", "25", "53", "3306", "8000", "8005", "8010:8011", "{ 100:150 199 }",
	"200:2000", "{ 2005, 2010 }", "1023", "{ 1024 50001 }", "65535", "< 22",
};

static const char *const ifaces[] = { "igb0", "igb1", "lo1", "lo0" };

/* What all rules of a run have, and in what they differ */
struct run {
	const char *dir;
	const char *quick;
	const char *iface;	/* "": any of them */
	const char *proto;	/* "": any of them */
	const char *state;	/* of what passes */
	const char *log;	/* rules that log are not merged */
	bool v6;
	bool nets;
	bool by_src;
	bool by_port;
};

static const char *address(struct gen *g, const struct run *r)
{
	return r->v6 ? PICK(g, hosts6) : r->nets && gen_often(g, 60) ? PICK(g, nets4)
								      : PICK(g, hosts4);
}

static const char *rule(struct gen *g, struct arena *a, const struct run *r)
{
	static const char *const actions[] = { "pass", "pass", "pass", "block", "block return" };
	static const char *const protos[] = { "tcp", "udp", "{ tcp udp }" };
	const char *action = PICK(g, actions);
	const char *addr = address(g, r);
	/* Some have another shape, and meet the others all the same */
	const bool by_src = r->by_src != gen_often(g, 15);
	const bool by_port = r->by_port != gen_often(g, 15);

	return arena_printf(a, "%s%s%s%s on %s %s proto %s from %s to %s%s%s%s", action, r->dir,
			    r->log, r->quick, r->iface[0] != '\0' ? r->iface : PICK(g, ifaces),
			    r->v6 ? "inet6" : "inet",
			    r->proto[0] != '\0' ? r->proto : PICK(g, protos),
			    by_src ? addr : "any", by_src ? "any" : addr,
			    by_port ? " port " : "", by_port ? PICK(g, ports) : "",
			    action[0] == 'p' ? r->state : "");
}

static void gen_run(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	static const char *const dirs[] = { " in", " in", " out", "" };
	static const char *const states[] = { "", "", " no state", " flags any" };
	static const char *const protos[] = { "tcp", "udp", "{ tcp udp }", "" };
	const struct run r = {
		.dir = PICK(g, dirs), .quick = gen_often(g, 40) ? " quick" : "",
		.iface = gen_often(g, 70) ? PICK(g, ifaces) : "", .proto = PICK(g, protos),
		.state = PICK(g, states), .v6 = gen_often(g, 35), .nets = gen_often(g, 40),
		.by_src = gen_often(g, 40), .by_port = gen_often(g, 85),
		.log = gen_often(g, 40) ? " log" : "",
	};

	for (uint32_t n = 8 + gen_below(g, 32); n > 0; n--)
		vec_add(a, &ret->list, rule(g, a, &r));
}

/* Source translations, each of its own sources; no two networks meet, as a rule */
static void gen_nats(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	static const char *const on[] = { " on igb0", " on igb0", " on igb1", "" };
	static const char *const proto[] = { "", "", " proto tcp", " proto { tcp udp }" };
	static const char *const port[] = { "", "", " static-port", " port 20000:20100" };
	static const char *const to4[] = { "203.0.113.2", "203.0.113.3" };
	const bool v6 = gen_often(g, 30), nets = !v6 && gen_often(g, 50);
	const char *head = arena_printf(a, "nat%s %s%s from", PICK(g, on), v6 ? "inet6" : "inet",
					PICK(g, proto));
	const char *tail = PICK(g, port);
	const uint32_t at = gen_below(g, 100), n = 8 + gen_below(g, nets ? 5 : 12);

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t k = gen_often(g, 5) ? gen_below(g, 100) : at + i;
		const char *src = v6 ? hosts6[k % ARRAY_SIZE(hosts6)]
				  : nets ? nets4[k % ARRAY_SIZE(nets4)]
					 : hosts4[k % ARRAY_SIZE(hosts4)];
		const char *to = v6 ? "2001:db8:a::2" : PICK(g, to4);

		if (gen_often(g, 3))
			vec_add(a, &ret->list, arena_printf(a, "no %s %s to any", head, src));
		else
			vec_add(a, &ret->list, arena_printf(a, "%s %s to any -> %s%s", head, src,
							    to, tail));
	}
}

void gen_runs(struct gen *g, struct arena *a, struct gen_lines *ret)
{
	static const char *const between[] = {
		"block", "block return", "pass", "pass in on igb0", "block out proto tcp",
		"pass quick proto udp to port 53", "match log proto tcp",
	};

	if (gen_often(g, 40))
		gen_nats(g, a, ret);
	vec_add(a, &ret->list, gen_often(g, 50) ? "block" : "pass");
	for (uint32_t n = 1 + gen_below(g, 4); n > 0; n--) {
		gen_run(g, a, ret);
		if (gen_often(g, 40))
			vec_add(a, &ret->list, PICK(g, between));
	}
	if (gen_often(g, 40)) {
		vec_add(a, &ret->list, "anchor \"run\" {");
		gen_run(g, a, ret);
		vec_add(a, &ret->list, "}");
	}
}
