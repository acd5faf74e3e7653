/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6888: many users behind one NAT; RFC 7422: whose port is whose */
#include "lines.h"

static struct nat_event events[4096];
static uint32_t n_events;

static void keep(void *ctx, const struct nat_event *e)
{
	(void)ctx;
	if (n_events < ARRAY_SIZE(events))
		events[n_events++] = *e;
}

static uint32_t told(enum nat_event_kind kind)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_events; i++)
		n += events[i].kind == kind;
	return n;
}

static const struct nat_jail jails[] = {
	{ { { AF_V4, 0x0a00000b }, 32 }, 1 },		/* IN1 */
	{ { { AF_V4, 0x0a00000c }, 32 }, 2 },		/* IN2 */
};

static void with_jails(void)
{
	setup();
	k.cfg.jails = jails;
	k.cfg.n_jails = 2;
	n_events = 0;
	k.cfg.notify = keep;
}

LINE(c1, "6888-1", MUST, "UDP-Lite, DCCP, SCTP and others as their kind needs")
{
	struct kpkt *p;

	plain();
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[9] = 136;
	k_fix(p);
	WANT(out(p));
	p = k_proto(IN1, SRV1, 33, 24);			/* DCCP */
	WANT(out(p) && addr_equal(k_src(k.out.b), NAT1));
	p = k_proto(IN1, SRV1, 132, 40);		/* SCTP: ports stay */
	WANT(out(p) && k_sport(k.out.b) == k_sport(p->b));
	WANT(!kit_send(&k, NAT_INSIDE, k_proto(IN2, SRV1, 132, 40)));
	WANT(out(k_proto(IN1, SRV1, 47, 40)) && in(k_proto(SRV1, NAT1, 47, 40)));
	WANT(addr_equal(k_dst(k.out.b), IN1));
	WANT(!kit_send(&k, NAT_INSIDE, k_proto(IN2, SRV1, 47, 40)) &&
	     k.p.reason == NAT_R_PORT_TAKEN);
	WANT(out(k_proto(IN2, SRV2, 47, 40)));
}

LINE(c2, "6888-2", MUST, "one outside address for all protocols of a host")
{
	const struct addr hosts[] = { IN1, IN2, addr_v4(10, 0, 0, 13), addr_v4(10, 0, 0, 14) };

	setup();
	for (uint8_t i = 0; i < 4; i++)
		k.outside[i] = addr_v4(198, 51, 100, (uint8_t)(i + 1));
	k.cfg.n_outside = 4;
	kit_start(&k);
	for (int i = 0; i < 4; i++) {
		struct addr a;

		kit_send(&k, NAT_INSIDE, k_udp(hosts[i], 5000, SRV1, 53, 5));
		a = k_src(k.out.b);
		kit_send(&k, NAT_INSIDE, k_tcp(hosts[i], 5000, SRV2, 80, K_SYN, 1, 0));
		WANT(addr_equal(k_src(k.out.b), a));
		kit_send(&k, NAT_INSIDE, k_icmp(hosts[i], SRV3, 8, 0, 7, 20));
		WANT(addr_equal(k_src(k.out.b), a));
		kit_send(&k, NAT_INSIDE, k_proto(hosts[i], addr_v4(203, 0, 113, (uint8_t)(20 + i)),
						 47, 20));
		WANT(addr_equal(k_src(k.out.b), a));
	}
}

/* How many of @n outside addresses 2000 hosts get */
static uint32_t addresses_used(uint32_t n, uint32_t step)
{
	bool used[256] = { false };
	uint32_t count = 0;

	setup();
	k.inside[0] = (struct prefix){ addr_v4(10, 0, 0, 0), 16 };
	for (uint32_t i = 0; i < n; i++)
		k.outside[i] = (struct addr){ AF_V4, 0xc6336400u + (u128)i * step };
	k.cfg.n_outside = n;
	kit_start(&k);
	for (uint32_t i = 0; i < 2000; i++) {
		uint32_t at;

		kit_send(&k, NAT_INSIDE, k_udp((struct addr){ AF_V4, 0x0a000001u + i }, 5000, SRV1,
					       53, 5));
		at = (uint32_t)(k_src(k.out.b).v - 0xc6336400u) / step;
		if (at < n && !used[at]) {
			used[at] = true;
			count++;
		}
	}
	return count;
}

LINE(c3a, "6888-3a", SHOULD, "any number of addresses: 1, 256")
{
	WANT(addresses_used(1, 1) == 1);
	WANT(addresses_used(256, 1) > 250);
}

LINE(c3b, "6888-3b", MUST, "addresses that are no block")
{
	WANT(addresses_used(3, 77) == 3);
}

LINE(c4, "6888-4", MUST, "a limit on one's ports holds")
{
	with_jails();
	k.cfg.quota.ports[NAT_UDP] = 5;
	kit_start(&k);
	for (uint16_t i = 0; i < 5; i++)
		WANT(out_port(IN1, (uint16_t)(5000 + i), SRV1, 53) != 0);
	WANT(out_port(IN1, 5005, SRV1, 53) == 0 && k.p.reason == NAT_R_QUOTA_PORTS);
	WANT(out_port(IN1, 5000, SRV2, 53) != 0);
	WANT(out_port(IN2, 5005, SRV1, 53) != 0);
}

LINE(c4a, "6888-4a", MUST, "that limit can be set")
{
	for (uint16_t most = 1; most < 20; most += 6) {
		uint16_t n = 0;

		with_jails();
		k.cfg.quota.ports[NAT_UDP] = most;
		kit_start(&k);
		for (uint16_t i = 0; i < 30; i++)
			n += out_port(IN1, (uint16_t)(5000 + i), SRV1, 53) != 0;
		WANT(n == most);
	}
}

LINE(c4b, "6888-4b", MAY, "by protocol")
{
	with_jails();
	k.cfg.quota.ports[NAT_TCP] = 1;
	kit_start(&k);
	WANT(tcp_port(IN1, 5000, SRV1, 80) != 0 && tcp_port(IN1, 5001, SRV1, 80) == 0);
	WANT(out_port(IN1, 5000, SRV1, 53) != 0 && out_port(IN1, 5001, SRV1, 53) != 0);
}

LINE(c4c, "6888-4c", SHOULD, "a limit on the rate of new mappings")
{
	uint32_t n = 0;

	with_jails();
	k.cfg.quota.per_s = 10;
	k.cfg.quota.burst = 20;
	kit_start(&k);
	for (uint16_t i = 0; i < 100; i++)
		n += out_port(IN1, (uint16_t)(5000 + i), SRV1, 53) != 0;
	WANT(n == 20 && k.p.reason == NAT_R_RATE);
	kit_wait(&k, 1);
	for (uint16_t i = 100; i < 200; i++)
		n += out_port(IN1, (uint16_t)(5000 + i), SRV1, 53) != 0;
	WANT(n >= 29 && n <= 31);
	WANT(out_port(IN2, 5000, SRV1, 53) != 0);
}

/* One host's flows over one binding until it is refused */
static uint32_t flows_allowed(uint32_t most)
{
	uint32_t n = 0;

	with_jails();
	k.cfg.quota.flows = most;
	kit_start(&k);
	for (uint16_t i = 0; i < 40; i++)
		n += out_port(IN1, 5000, SRV1, (uint16_t)(100 + i)) != 0;
	return n;
}

LINE(c5, "6888-5", SHOULD, "a limit on one's state")
{
	WANT(flows_allowed(10) == 10 && k.p.reason == NAT_R_QUOTA_FLOWS);
	WANT(out_port(IN2, 5000, SRV1, 53) != 0);
}

LINE(c5a, "6888-5a", SHOULD, "that limit can be set")
{
	WANT(flows_allowed(1) == 1 && flows_allowed(33) == 33);
}

LINE(c5b, "6888-5b", SHOULD, "a limit on the rate of new state")
{
	uint32_t n = 0;

	with_jails();
	k.cfg.quota.per_s = 5;
	k.cfg.quota.burst = 5;
	kit_start(&k);
	for (uint16_t i = 0; i < 40; i++)
		n += out_port(IN1, 5000, SRV1, (uint16_t)(100 + i)) != 0;
	WANT(n == 5);
}

LINE(c6, "6888-6", MUST, "destinations that are not translated for")
{
	static const struct prefix list[] = { { { AF_V4, 0xcb007100 + 11 }, 32 } };	/* SRV2 */

	setup();
	k.cfg.no_translate = list;
	k.cfg.n_no_translate = 1;
	kit_start(&k);
	WANT(out(k_udp(IN1, 5000, SRV1, 53, 5)));
	WANT(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV2, 53, 5)));
	WANT(addr_equal(k_src(k.out.b), IN1) && kit_sound(k.out.b, k.out.len) == NULL);
	WANT(in(k_udp(SRV2, 53, IN1, 5000, 5)));
}

LINE(c7, "6888-7", SHOULD, "endpoint-independent filtering can be had")
{
	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	out_port(IN1, 5000, SRV1, 53);
	WANT(in(k_udp(SRV3, 9, NAT1, 5000, 5)));
}

LINE(c8, "6888-8", SHOULD, "a freed port is nobody else's for two minutes")
{
	with_jails();
	kit_start(&k);
	WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
	kit_wait(&k, 303);
	WANT(flows() == 0);
	kit_wait(&k, 110);
	WANT(out_port(IN2, 5000, SRV1, 53) != 5000);
	WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
	kit_wait(&k, 430);
	WANT(out_port(IN2, 5000, SRV2, 53) != 0);
	kit_wait(&k, 430);
	WANT(tcp_port(IN2, 5000, SRV1, 80) == 5000);
}

LINE(c8m, "6888-8m", MUST, "hold time and number can be set")
{
	with_jails();
	k.cfg.timeout_s[NAT_T_HOLD] = 10;
	k.cfg.max_held = 2;
	kit_start(&k);
	out_port(IN1, 5000, SRV1, 53);
	kit_wait(&k, 303);
	WANT(out_port(IN2, 5000, SRV1, 53) != 5000);
	kit_wait(&k, 320);
	WANT(out_port(IN2, 5001, SRV1, 53) == 5001);
	for (uint16_t i = 0; i < 5; i++)
		out_port(IN1, (uint16_t)(6000 + i), SRV1, 53);
	for (int i = 0; i < 303 && flows() > 0; i++)
		kit_wait(&k, 1);
	WANT(nat_counters(k.nat)->held <= 2);
}

LINE(c8r, "6888-8r", SHOULD, "not after a crash either, and a restart loses no flow")
{
	const struct nat_binding b = {
		.proto = 17, .inside = IN1, .in_port = 5000, .outside = NAT1, .out_port = 5000,
	};
	static struct kit_bytes w;
	uint32_t lost = 1;

	with_jails();
	kit_start(&k);
	WANT(nat_hold(k.nat, k.now, &b) == 0);
	WANT(out_port(IN2, 5000, SRV1, 53) != 5000);
	WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
	WANT(tcp_open(4000));
	w.len = 0;
	WANT(nat_save(k.nat, kit_put, &w) == 0);
	kit_stop(&k);
	kit_start(&k);
	WANT(nat_restore(k.nat, k.now, w.b, w.len, &lost) == 0 && lost == 0);
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)) && addr_equal(k_dst(k.out.b), IN1));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 5001, 1001)));
	kit_wait(&k, 305);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 5001, 1001)));
	WANT(!in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(c9, "6888-9", MUST, "a control protocol for forwards")
{
	NOT_HERE("no PCP: the host's administrator makes forwards (forward add, $forward)");
}

LINE(c10, "6888-10", SHOULD, "state and counters can be read")
{
	struct nat_flow f;
	struct nat_binding b;
	bool found = false;

	plain();
	out_port(IN1, 5000, SRV1, 53);
	WANT(flow_of(17, 5000, &f) && addr_equal(f.outside.src, NAT1) && f.left_s >= 299);
	for (uint32_t i = 0; i < nat_binding_slots(k.nat); i++)
		found |= nat_binding_at(k.nat, i, &b) && b.n_flows == 1 && b.out_port == 5000;
	WANT(found);
	WANT(nat_counters(k.nat)->packets[NAT_INSIDE] == 1);
	WANT(nat_counters(k.nat)->translated == 1);
}

LINE(c11a, "6888-11a", MUST, "over a limit the packet is dropped")
{
	WANT(flows_allowed(3) == 3);
	WANT(k.p.verdict == NAT_DROP && dropped(NAT_R_QUOTA_FLOWS) == 37);
}

LINE(c11b, "6888-11b", SHOULD, "and its sender told: ICMP 3/1")
{
	WANT(flows_allowed(3) == 3);
	WANT(made_error(3, 1) != NULL && addr_equal(k_dst(made(0)), IN1));
}

LINE(c11c, "6888-11c", SHOULD, "and somebody else, once a minute")
{
	WANT(flows_allowed(3) == 3 && told(NAT_EV_REFUSED) == 1);
	kit_wait(&k, 65);
	out_port(IN1, 5000, SRV1, 999);
	out_port(IN1, 5000, SRV1, 998);
	WANT(told(NAT_EV_REFUSED) == 2 && events[n_events - 1].owner == 1);
}

LINE(c11d, "6888-11d", MUST, "nothing that exists goes for something new")
{
	with_jails();
	k.cfg.max_flows = 500;
	kit_start(&k);
	for (uint16_t i = 0; i < 50; i++)
		WANT(out_port(IN2, (uint16_t)(6000 + i), SRV1, 53) != 0);
	for (uint32_t i = 0; i < 40000; i++)
		kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(1024 + i), SRV2, 9, 5));
	WANT(dropped(NAT_R_TABLE_FULL) > 30000);
	for (uint16_t i = 0; i < 50; i++)
		WANT(in(k_udp(SRV1, 53, NAT1, (uint16_t)(6000 + i), 5)));
}

LINE(c12, "6888-12", SHOULD, "what is logged of a mapping has no destination")
{
	with_jails();
	kit_start(&k);
	out_port(IN1, 5000, SRV1, 53);
	WANT(told(NAT_EV_BIND) == 1 && addr_equal(events[0].outside, NAT1));
	WANT(events[0].out_port == 5000 && addr_equal(events[0].inside, IN1));
}

LINE(c13, "6888-13", SHOULD, "all of a range is used before anybody is refused")
{
	uint32_t n = 0;

	setup();
	k.cfg.ports = NAT_PORTS_RANDOM;
	k.cfg.port_lo = 30000;
	k.cfg.port_hi = 31999;
	kit_start(&k);
	for (uint16_t i = 0; i < 2000; i++)
		n += out_port(i % 2 != 0 ? IN1 : IN2, (uint16_t)(5000 + i), SRV1, 53) != 0;
	WANT(n == 2000);
	WANT(out_port(IN1, 4999, SRV1, 53) == 0);
}

/* Blocks of 100 ports from 10.0.0.0 on */
static void blocks(void)
{
	with_jails();
	k.cfg.ports = NAT_PORTS_BLOCK;
	k.cfg.block_ports = 100;
	k.cfg.block_base = addr_v4(10, 0, 0, 0);
}

LINE(c14, "6888-14", SHOULD, "at most one record for a block of ports")
{
	blocks();
	kit_start(&k);
	for (uint16_t i = 0; i < 80; i++)
		out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);
	/* The block is known from the configuration: no binding needs a record */
	WANT(told(NAT_EV_BLOCKS) == 1 && told(NAT_EV_BLOCK) == 0);
}

LINE(c15, "6888-15", SHOULD, "ports are hard to guess")
{
	uint16_t first[50];
	uint32_t same = 0;

	for (uint64_t key = 0; key < 2; key++) {
		setup();
		k.cfg.ports = NAT_PORTS_RANDOM;
		k.cfg.key[0] ^= key;
		kit_start(&k);
		for (uint16_t i = 0; i < 50; i++) {
			const uint16_t port = out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);

			same += key == 1 && port == first[i];
			first[i] = port;
		}
	}
	WANT(same < 3);
}

/* ---- RFC 7422 ----------------------------------------------------------------------- */

LINE(d1, "7422-1", MUST, "blocks come from the configuration alone")
{
	struct addr outside;
	uint16_t lo, hi;

	blocks();
	WANT(nat_block_of(&k.cfg, IN1, &outside, &lo, &hi));
	WANT(addr_equal(outside, NAT1) && lo == 1024 + 1100 && hi == lo + 99);
	kit_start(&k);
	for (uint16_t i = 0; i < 60; i++) {
		const uint16_t port = out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);

		WANT(port >= lo && port <= hi);
	}
}

LINE(d2, "7422-2", MUST, "a port is of the block while one of it is free")
{
	struct addr outside;
	uint16_t lo, hi;

	blocks();
	k.cfg.block_overflow = true;
	WANT(nat_block_of(&k.cfg, IN1, &outside, &lo, &hi));
	kit_start(&k);
	for (uint16_t i = 0; i < 100; i++) {
		const uint16_t port = out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);

		WANT(port >= lo && port <= hi);
	}
	WANT(out_port(IN1, 6000, SRV1, 53) > hi);
}

LINE(d3, "7422-3", SHOULD, "within the block the order is no order")
{
	uint32_t next = 0, even = 0;
	uint16_t last = 0;

	blocks();
	kit_start(&k);
	for (uint16_t i = 0; i < 80; i++) {
		const uint16_t port = out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);

		next += port == last + 1;
		even += port % 2 == last % 2;
		last = port;
	}
	WANT(next < 10 && even > 20 && even < 60);
}

LINE(d4, "7422-4", MUST, "ports of another block are logged")
{
	blocks();
	k.cfg.block_overflow = true;
	kit_start(&k);
	for (uint16_t i = 0; i < 101; i++)
		out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);
	WANT(told(NAT_EV_BLOCK) == 1);
	for (uint32_t i = 0; i < n_events; i++)
		WANT(events[i].kind != NAT_EV_BLOCK ||
		     (addr_equal(events[i].inside, IN1) && events[i].out_port == k_sport(k.out.b)));
}

LINE(d5, "7422-5", SHOULD, "an alarm when nine tenths of a block are used")
{
	blocks();
	kit_start(&k);
	for (uint16_t i = 0; i < 89; i++)
		out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);
	WANT(told(NAT_EV_ALARM) == 0);
	for (uint16_t i = 89; i < 100; i++)
		out_port(IN1, (uint16_t)(5000 + i), SRV1, 53);
	WANT(told(NAT_EV_ALARM) == 1);
}

LINE(d6, "7422-6", MUST, "what blocks depend on is logged at the start and once a day")
{
	const struct nat_config *cfg;

	blocks();
	kit_start(&k);
	WANT(told(NAT_EV_BLOCKS) == 1);
	nat_tick(k.nat, k.now += UINT64_C(86399) * 1000000000);
	WANT(told(NAT_EV_BLOCKS) == 1);
	nat_tick(k.nat, k.now += 2000000000);
	WANT(told(NAT_EV_BLOCKS) == 2);
	cfg = events[n_events - 1].cfg;
	WANT(cfg->block_ports == 100 && cfg->inside == k.inside && cfg->outside == k.outside &&
	     cfg->ports == NAT_PORTS_BLOCK && events[n_events - 1].at_ns == k.now);
}

LINE(d7, "7422-7", SHOULD, "ports below 1024 are of no block")
{
	struct addr a;

	blocks();
	for (uint16_t port = 1; port < 1024; port++)
		WANT(!nat_block_owner(&k.cfg, NAT1, port, &a));
	WANT(nat_block_owner(&k.cfg, NAT1, 1024, &a));
}

LINE(d8, "7422-8", SHOULD, "who had a port: a million answers without the NAT")
{
	uint32_t wrong = 0;
	uint64_t x = 1;

	blocks();
	k.outside[2] = NAT2;
	k.cfg.n_outside = 3;
	for (uint32_t i = 0; i < 1000000; i++) {
		struct addr in, outside;
		uint16_t lo, hi, port;

		x = x * 6364136223846793005u + 1442695040888963407u;
		in = (struct addr){ AF_V4, 0x0a000000u + (x >> 33) % 1280 };
		if (!nat_block_of(&k.cfg, in, &outside, &lo, &hi)) {
			wrong++;
			continue;
		}
		port = (uint16_t)(lo + (x >> 50) % 100);
		wrong += !nat_block_owner(&k.cfg, outside, port, &outside) ||
			 !addr_equal(outside, in);
	}
	WANT(wrong == 0);
	kit_start(&k);
	for (uint8_t i = 1; i < 200; i++) {
		struct addr in, src = addr_v4(10, 0, 0, i);

		kit_send(&k, NAT_INSIDE, k_udp(src, 5000, SRV1, 53, 5));
		WANT(nat_block_owner(&k.cfg, k_src(k.out.b), k_sport(k.out.b), &in));
		WANT(addr_equal(in, src));
	}
}
