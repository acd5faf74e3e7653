/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 7857: updates */
#include "lines.h"

/* A session of IN1:4000 in a state; false: it could not be reached */
static bool reach(enum nat_tcp state)
{
	struct nat_flow f;

	plain();
	switch (state) {
	case NAT_TCP_INIT_IN:
		out(k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0));
		break;
	case NAT_TCP_FIN_IN:
		tcp_open(4000);
		out(k_tcp(IN1, 4000, SRV1, 80, K_FIN | K_ACK, 1001, 5001));
		break;
	case NAT_TCP_FIN_OUT:
		tcp_open(4000);
		in(k_tcp(SRV1, 80, NAT1, 4000, K_FIN | K_ACK, 5001, 1001));
		break;
	case NAT_TCP_FIN_BOTH:
		tcp_open(4000);
		out(k_tcp(IN1, 4000, SRV1, 80, K_FIN | K_ACK, 1001, 5001));
		in(k_tcp(SRV1, 80, NAT1, 4000, K_FIN | K_ACK, 5001, 1002));
		break;
	case NAT_TCP_TRANS:
		tcp_open(4000);
		in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001, 0));
		break;
	default:
		tcp_open(4000);
	}
	return flow_of(6, 4000, &f) && f.tcp == state;
}

/* The state after one packet */
static enum nat_tcp after(enum nat_tcp from, bool inside, uint8_t flags)
{
	struct nat_flow f;

	if (!reach(from))
		return N_NAT_TCP;
	if (inside)
		out(k_tcp(IN1, 4000, SRV1, 80, flags, 1002, 5002));
	else
		in(k_tcp(SRV1, 80, NAT1, 4000, flags, 5002, 1002));
	return flow_of(6, 4000, &f) ? f.tcp : NAT_TCP_NONE;
}

LINE(n2, "7857-2", SHOULD, "the state machine of TCP: states x packets x sides")
{
	static const struct {
		enum nat_tcp from, to[4][2];
	} t[] = {
		/* data, SYN, FIN, RST: from inside, from outside */
		{ NAT_TCP_INIT_IN, { { 2, 2 }, { 2, 4 }, { 2, 2 }, { 2, 2 } } },
		{ NAT_TCP_ESTABLISHED, { { 4, 4 }, { 4, 4 }, { 5, 6 }, { 8, 8 } } },
		{ NAT_TCP_FIN_IN, { { 5, 5 }, { 5, 5 }, { 5, 7 }, { 8, 8 } } },
		{ NAT_TCP_FIN_OUT, { { 6, 6 }, { 6, 6 }, { 7, 6 }, { 8, 8 } } },
		{ NAT_TCP_FIN_BOTH, { { 7, 7 }, { 2, 3 }, { 7, 7 }, { 7, 7 } } },
		{ NAT_TCP_TRANS, { { 4, 4 }, { 2, 3 }, { 4, 4 }, { 8, 8 } } },
	};
	static const uint8_t flags[] = { K_ACK, K_SYN, K_FIN | K_ACK, K_RST };
	static const double lives[] = { 240, 7440, 7440, 7440, 240, 240 };

	/* 2, 3: opening from inside, outside; 4 established; 5, 6 one FIN; 7 both; 8 after RST */
	for (uint32_t i = 0; i < ARRAY_SIZE(t); i++) {
		for (int what = 0; what < 4; what++)
			for (int side = 0; side < 2; side++)
				WANT((int)after(t[i].from, side == 0, flags[what]) + 1 ==
				     (int)t[i].to[what][side]);
		WANT(reach(t[i].from));
		kit_wait(&k, lives[i] - 1);
		WANT(flows() == 1);
		kit_wait(&k, 3);
		WANT(flows() == 0);
	}
}

LINE(n21a, "7857-2.1a", SHOULD, "opening and closing timers are separate")
{
	setup();
	k.cfg.timeout_s[NAT_T_TCP_OPEN] = 300;
	k.cfg.timeout_s[NAT_T_TCP_CLOSE] = 500;
	kit_start(&k);
	out(k_tcp(IN1, 4001, SRV1, 80, K_SYN, 1000, 0));
	tcp_open(4000);
	in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001, 0));
	WANT(flows() == 2);
	kit_wait(&k, 302);
	WANT(flows() == 1);
	kit_wait(&k, 197);
	WANT(flows() == 1);
	kit_wait(&k, 3);
	WANT(flows() == 0);
}

LINE(n21b, "7857-2.1b", SHOULD, "both are four minutes by default")
{
	WANT(reach(NAT_TCP_INIT_IN));
	kit_wait(&k, 239);
	WANT(flows() == 1);
	WANT(reach(NAT_TCP_FIN_BOTH));
	kit_wait(&k, 239);
	WANT(flows() == 1);
}

LINE(n22a, "7857-2.2a", MUST, "a RST of a mapping is translated")
{
	plain();
	WANT(tcp_open(4000));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001, 0)));
	WANT(addr_equal(k_dst(k.out.b), IN1));
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_RST | K_ACK, 1001, 5001)));
}

LINE(n22b, "7857-2.2b", SHOULD, "the session stays four minutes after a RST")
{
	WANT(reach(NAT_TCP_TRANS));
	kit_wait(&k, 239);
	WANT(flows() == 1);
	kit_wait(&k, 4);
	WANT(flows() == 0);
}

LINE(n22c, "7857-2.2c", SHOULD, "a RST that does not belong changes nothing")
{
	struct nat_flow f;

	plain();
	WANT(tcp_open(4000));
	WANT(!in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001 + 100000, 0)));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
}

LINE(n3, "7857-3", MAY, "ports are never shared, not even towards different destinations")
{
	plain();
	WANT(out_port(IN1, 5000, SRV1, 53) != out_port(IN2, 5000, SRV2, 53));
}

/* Two addresses with one port each; what becomes of a host's second flow */
static void out_of_ports(uint8_t proto)
{
	struct kpkt *p;

	setup();
	k.outside[0] = NAT1;
	k.outside[1] = NAT2;
	k.cfg.ports = NAT_PORTS_RANDOM;
	k.cfg.port_lo = k.cfg.port_hi = 40000;
	kit_start(&k);
	for (uint16_t port = 5000; port < 5002; port++) {
		p = proto == 17 ? k_udp(IN1, port, SRV1, 53, 5)
				: k_tcp(IN1, port, SRV1, 80, K_SYN, 1, 0);
		kit_send(&k, NAT_INSIDE, p);
	}
	WANT(k.p.verdict == NAT_DROP && k.p.reason == NAT_R_NO_PORT);
}

LINE(n4a, "7857-4a", SHOULD, "a host's address without ports: dropped, not moved (UDP)")
{
	out_of_ports(17);
}

LINE(n4b, "7857-4b", SHOULD, "the same for TCP")
{
	out_of_ports(6);
}

LINE(n5, "7857-5", MUST, "UDP from an endpoint that TCP has mapped gets a mapping of its own")
{
	plain();
	tcp_port(IN2, 5000, SRV1, 80);			/* so that TCP's port differs */
	WANT(tcp_port(IN1, 5000, SRV1, 80) != 5000);
	WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
}

LINE(n6, "7857-6", MUST, "UDP to a TCP mapping is not accepted")
{
	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	WANT(tcp_port(IN1, 5000, SRV1, 80) == 5000);
	WANT(!in(k_udp(SRV1, 80, NAT1, 5000, 5)) && dropped(NAT_R_NO_MAPPING) == 1);
}

LINE(n7a, "7857-7a", SHOULD, "what filtering refuses keeps no mapping alive (UDP)")
{
	plain();
	out_port(IN1, 5000, SRV1, 53);
	for (int i = 0; i < 3; i++) {
		kit_wait(&k, 100);
		WANT(!in(k_udp(SRV2, 53, NAT1, 5000, 5)));
	}
	kit_wait(&k, 2);
	WANT(flows() == 0);
}

LINE(n7b, "7857-7b", SHOULD, "the same for TCP")
{
	plain();
	tcp_port(IN1, 5000, SRV1, 80);
	for (int i = 0; i < 3; i++) {
		kit_wait(&k, 80);
		WANT(!in(k_tcp(SRV2, 80, NAT1, 5000, K_SYN, 1, 0)));
	}
	kit_wait(&k, 2);
	WANT(flows() == 0);
}

LINE(n71, "7857-7.1", SHOULD, "an outbound RST or ICMP error that answers keeps nothing alive")
{
	struct nat_flow f;
	struct kpkt p;

	WANT(reach(NAT_TCP_TRANS));
	kit_wait(&k, 200);
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_RST, 1001, 0)));
	WANT(flow_of(6, 4000, &f) && f.left_s <= 41);
	out_port(IN1, 5000, SRV1, 53);
	kit_wait(&k, 200);
	in(k_udp(SRV1, 53, NAT1, 5000, 5));
	p = k.out;
	WANT(out(k_error(IN1, SRV1, 3, 3, 0, p.b, p.len, 0)));
	WANT(flow_of(17, 5000, &f) && f.left_s <= 101);
}

LINE(n8a, "7857-8a", SHOULD, "parity is not kept by default, and can be asked for")
{
	unsigned int same = 0;

	plain();
	for (uint16_t port = 7000; port < 7200; port++) {
		out_port(IN1, port, SRV1, 53);
		same += out_port(IN2, port, SRV1, 53) % 2 == port % 2;
	}
	WANT(same > 50 && same < 150);
}

LINE(n9a, "7857-9a", SHOULD, "a port that changes is unpredictable")
{
	static uint32_t bins[64];
	double chi = 0;
	unsigned int next = 0;
	uint16_t last = 0;

	setup();
	k.cfg.max_flows = 30000;
	k.cfg.ports = NAT_PORTS_RANDOM;
	kit_start(&k);
	memset(bins, 0, sizeof(bins));
	for (uint32_t i = 0; i < 10000; i++) {
		const uint16_t port = out_port(IN1, (uint16_t)(20000 + i), SRV1, 53);

		bins[(port - 1024u) * 64 / 64512]++;
		next += port == last + 1;
		last = port;
	}
	for (int i = 0; i < 64; i++)
		chi += (bins[i] - 156.25) * (bins[i] - 156.25) / 156.25;
	WANT(chi < 120);		/* 63 degrees of freedom: 1 in 10^5 by chance */
	WANT(next < 10);
}

LINE(n9b, "7857-9b", SHOULD, "a port is kept when it is free")
{
	plain();
	for (uint16_t port = 2000; port < 2100; port++)
		WANT(out_port(IN1, port, SRV1, 53) == port);
}

LINE(n10, "7857-10", SHOULD, "IPv4 ids of translated packets are unique")
{
	static bool used[65536];
	bool twice = false;

	plain();
	memset(used, 0, sizeof(used));
	for (int i = 0; i < 1000; i++) {
		struct kpkt *p = k_udp(i % 2 != 0 ? IN1 : IN2, 5000, SRV1, 53, 20);
		uint16_t id;

		k_put16(p->b + 4, 0x4242);
		k_fix(p);
		kit_send(&k, NAT_INSIDE, p);
		id = k_get16(k.out.b + 4);
		twice |= used[id];
		used[id] = true;
	}
	WANT(!twice);
}

LINE(n11, "7857-11", MAY, "a query mapping ends with its last session")
{
	plain();
	WANT(out(k_icmp(IN1, SRV1, 8, 0, 77, 20)));
	WANT(nat_counters(k.nat)->bindings == 1);
	kit_wait(&k, 62);
	WANT(nat_counters(k.nat)->bindings == 0);
}

LINE(n12, "7857-12", SHOULD, "hairpinned ICMP errors cross, and an echo to its address is answered")
{
	struct kpkt p;

	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	out_port(IN2, 7000, SRV1, 53);
	kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, NAT1, 7000, 9));
	p = k.out;
	WANT(kit_send(&k, NAT_INSIDE, k_error(IN2, NAT1, 3, 3, 0, p.b, p.len, 0)));
	WANT(addr_equal(k_dst(k.out.b), IN1));
	kit_send(&k, NAT_INSIDE, k_icmp(IN1, NAT1, 8, 0, 3, 20));
	WANT(made_error(0, 0) != NULL && k.made[0].to == NAT_INSIDE);
}
