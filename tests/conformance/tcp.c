/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5382: TCP */
#include "lines.h"

static bool has_one_endpoint(struct addr src, uint16_t sport)
{
	const uint16_t a = tcp_port(src, sport, SRV1, 80), b = tcp_port(src, sport, SRV1, 81);
	const uint16_t c = tcp_port(src, sport, SRV2, 80), d = tcp_port(src, sport, SRV3, 7);

	return a != 0 && a == b && b == c && c == d;
}

LINE(t1, "5382-1", MUST, "one outside endpoint whatever the destination, under contention too")
{
	plain();
	for (uint16_t port = 5000; port < 5040; port++) {
		WANT(has_one_endpoint(IN1, port));
		WANT(has_one_endpoint(IN2, port));
		tcp_port(IN2, (uint16_t)(port + 1000), SRV1, 80);
		WANT(has_one_endpoint(IN1, (uint16_t)(port + 1000)));
	}
}

LINE(t2, "5382-2", MUST, "a connection from its first segment to its last")
{
	struct nat_flow f;

	plain();
	WANT(tcp_open(4000));
	WANT(out(k_tcp_data(IN1, 4000, SRV1, 80, K_ACK | K_PSH, 1001, 5001, 100)));
	WANT(in(k_tcp_data(SRV1, 80, NAT1, 4000, K_ACK | K_PSH, 5001, 1101, 900)));
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_FIN | K_ACK, 1101, 5901)));
	WANT(in(k_tcp_data(SRV1, 80, NAT1, 4000, K_ACK | K_PSH, 5901, 1102, 900)));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_FIN_IN && f.left_s >= 7400);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_FIN | K_ACK, 6801, 1102)));
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1102, 6802)));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_FIN_BOTH);
	kit_wait(&k, 243);
	WANT(flows() == 0);
}

LINE(t2a, "5382-2a", MUST, "simultaneous open")
{
	struct nat_flow f;

	plain();
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0)));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_SYN | K_ACK, 1000, 5001)));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN | K_ACK, 5000, 1001)));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
}

static unsigned int let_in(void)
{
	const uint16_t port = tcp_port(IN1, 5000, SRV1, 80);

	return in(k_tcp(SRV1, 80, NAT1, port, K_SYN, 1, 0)) * 1u +
	       in(k_tcp(SRV1, 81, NAT1, port, K_SYN, 1, 0)) * 2u +
	       in(k_tcp(SRV2, 80, NAT1, port, K_SYN, 1, 0)) * 4u;
}

LINE(t3, "5382-3", SHOULD, "filtering is of the class that is configured")
{
	static const unsigned int want[] = { 7, 3, 1 };

	for (int how = NAT_ENDPOINT; how <= NAT_ADDRESS_PORT; how++) {
		setup();
		behave(NAT_ENDPOINT, (enum nat_behaviour)how);
		kit_start(&k);
		WANT(let_in() == want[how]);
	}
}

LINE(t3a, "5382-3a", MAY, "selectable, and independent of UDP (5382-3b)")
{
	setup();
	k.cfg.filtering[NAT_TCP] = NAT_ENDPOINT;
	kit_start(&k);
	WANT(let_in() == 7);
	WANT(out_port(IN1, 5000, SRV1, 53) != 0 && !in(k_udp(SRV2, 53, NAT1, 5000, 5)));
}

LINE(t4i, "5382-4i", MUST, "an unsolicited SYN is not answered for six seconds")
{
	plain();
	WANT(!in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
	WANT(k.n_made == 0);
	for (int i = 0; i < 12; i++) {
		kit_wait(&k, 0.5);
		WANT(k.n_made == 0);
	}
}

LINE(t4ii, "5382-4ii", MUST, "a SYN for the pair from inside opens it, and nothing is said")
{
	plain();
	WANT(!in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
	kit_wait(&k, 3);
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0)));
	for (int i = 0; i < 10; i++) {
		kit_wait(&k, 1);
		WANT(k.n_made == 0);
	}
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
}

LINE(t4iii, "5382-4iii", SHOULD, "otherwise ICMP 3/3 after six seconds")
{
	unsigned int n = 0;

	plain();
	WANT(!in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
	for (int i = 0; i < 9; i++) {
		kit_wait(&k, 1);
		if (k.n_made == 0)
			continue;
		n++;
		WANT(made_error(3, 3) != NULL && k.made[0].to == NAT_OUTSIDE);
		WANT(addr_equal(k_dst(made(0)), SRV1));
		WANT(k_sport(k_quote(made(0))) == 80 && k_dport(k_quote(made(0))) == 4000);
	}
	WANT(n == 1);
}

LINE(t4a, "5382-4a", MUST, "silent where the policy says so")
{
	setup();
	k.cfg.syn_silent = true;
	kit_start(&k);
	WANT(!in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 5000, 0)));
	for (int i = 0; i < 9; i++) {
		kit_wait(&k, 1);
		WANT(k.n_made == 0);
	}
}

LINE(t5i, "5382-5i", MUST, "an established connection lives two hours and four minutes")
{
	plain();
	WANT(tcp_open(4000));
	kit_wait(&k, 7439);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 5001, 1001)));
}

LINE(t5ii, "5382-5ii", MUST, "one that opens or closes lives four minutes")
{
	plain();
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0)));
	kit_wait(&k, 239);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_SYN | K_ACK, 5000, 1001)));
	WANT(tcp_open(4001));
	WANT(out(k_tcp(IN1, 4001, SRV1, 80, K_FIN | K_ACK, 1001, 5001)));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4001, K_FIN | K_ACK, 5001, 1002)));
	kit_wait(&k, 239);
	WANT(out(k_tcp(IN1, 4001, SRV1, 80, K_ACK, 1002, 5002)));
	WANT(tcp_open(4002));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4002, K_RST, 5001, 0)));
	kit_wait(&k, 239);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4002, K_ACK, 5001, 1001)));
}

LINE(t5a, "5382-5a", MAY, "the timers can be set")
{
	setup();
	k.cfg.timeout_s[NAT_T_TCP] = 60;
	kit_start(&k);
	WANT(tcp_open(4000));
	kit_wait(&k, 62);
	WANT(flows() == 0);
}

LINE(t6, "5382-6", SHOULD, "all ALGs but that of FTP are off: there are none")
{
	NOT_HERE("no ALG exists");
}

LINE(t7, "5382-7", MUST, "no port is two hosts'")
{
	plain();
	WANT(tcp_port(IN1, 6000, SRV1, 80) != tcp_port(IN2, 6000, SRV2, 80));
}

LINE(t8, "5382-8", MUST, "hairpinning")
{
	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	tcp_port(IN2, 7000, SRV1, 80);
	WANT(kit_send(&k, NAT_INSIDE, k_tcp(IN1, 5000, NAT1, 7000, K_SYN, 1, 0)));
	WANT(k.p.to == NAT_INSIDE && addr_equal(k_dst(k.out.b), IN2));
	WANT(kit_send(&k, NAT_INSIDE, k_tcp(IN2, 7000, NAT1, 5000, K_SYN | K_ACK, 9, 2)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && kit_sound(k.out.b, k.out.len) == NULL);
	WANT(kit_send(&k, NAT_INSIDE, k_tcp(IN1, 5000, NAT1, 7000, K_ACK, 2, 10)));
	WANT(addr_equal(k_dst(k.out.b), IN2));
}

LINE(t8a, "5382-8a", MUST, "a hairpinned segment has its outside source")
{
	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	tcp_port(IN2, 7000, SRV1, 80);
	tcp_port(IN2, 5000, SRV1, 80);
	WANT(kit_send(&k, NAT_INSIDE, k_tcp(IN1, 5000, NAT1, 7000, K_SYN, 1, 0)));
	WANT(addr_equal(k_src(k.out.b), NAT1) && k_sport(k.out.b) != 5000);
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
}

LINE(t9, "5382-9", SHOULD, "ICMP 3/x about a connection is translated, of 28 bytes too")
{
	struct kpkt p;

	plain();
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0)));
	p = k.out;
	WANT(in(k_error(SRV3, NAT1, 3, 1, 0, p.b, p.len, 0)));
	WANT(in(k_error(SRV3, NAT1, 3, 1, 0, p.b, p.len, 28)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && k_sport(k_quote(k.out.b)) == 4000);
}

LINE(t10, "5382-10", MUST, "ICMP ends neither mapping nor connection")
{
	struct nat_flow f;
	struct kpkt p;

	plain();
	WANT(tcp_open(4000));
	p = k.out;
	for (uint8_t code = 0; code < 16; code++)
		kit_send(&k, NAT_OUTSIDE, k_error(SRV1, NAT1, 3, code, 0, p.b, p.len, 0));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 5001, 1001)));
}
