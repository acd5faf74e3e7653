/* SPDX-License-Identifier: BSD-2-Clause */
/* Header work: RFC 768, 791, 815, 1191, 1624, 3022, 4443, 5722, 5927, 5961, 6864, 6946; leaks */
#include "lines.h"

#include "net/checksum.h"

/* The checksum of words @m and a rest of sum @rest */
static uint16_t recompute(uint32_t rest, uint16_t m)
{
	const uint32_t sum = rest + m;

	return (uint16_t)~(sum % 65536 + sum / 65536);
}

LINE(h1624, "1624-3", MUST, "equation 3 is recomputation, for every checksum and change")
{
	uint64_t wrong = 0;

	/* Each rest with each new word; the old word goes through 257 values */
	for (uint32_t rest = 1; rest < 65536; rest += 13)
		for (uint32_t old = 0; old < 65536; old += 257)
			for (uint32_t now = old & 7; now < 65536; now += 61)
				wrong += csum_apply(recompute(rest, (uint16_t)old),
						    csum_delta16((uint16_t)old, (uint16_t)now)) !=
					 recompute(rest, (uint16_t)now);
	WANT(wrong == 0);
}

LINE(h1141, "1141-neg", MUST, "it is not equation 2, whose zero is wrong")
{
	/* RFC 1624 4: with these the older equation gives 0xffff instead of 0 */
	WANT(csum_apply(0xdd2f, csum_delta16(0x5555, 0x3285)) == 0x0000);
}

LINE(h1624a, "1624-addr", MUST, "the change of an address is recomputation")
{
	uint64_t wrong = 0, x = 7;

	for (int i = 0; i < 2000000; i++) {
		uint32_t old, to;
		uint8_t b[8];

		x = x * 6364136223846793005u + 1442695040888963407u;
		old = (uint32_t)(x >> 32);
		x = x * 6364136223846793005u + 1442695040888963407u;
		to = i % 3 == 0 ? old ^ 0xffffffffu : (uint32_t)(x >> 32);
		k_put32(b, old);
		k_put32(b + 4, (uint32_t)x | 1);
		{
			const uint16_t before = (uint16_t)~csum_fold(csum_add(b, 8, 0));

			uint16_t after;

			k_put32(b, to);
			after = (uint16_t)~csum_fold(csum_add(b, 8, 0));
			wrong += csum_apply(before, csum_fold(csum_delta32(old, to))) != after;
		}
	}
	WANT(wrong == 0);
}

LINE(h768a, "768-0", MUST, "a UDP checksum that is none stays none")
{
	struct kpkt *p;

	plain();
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	k_put16(p->b + 26, 0);
	WANT(out(p) && k_get16(k.out.b + 26) == 0);
	p = k_udp(SRV1, 53, NAT1, 5000, 20);
	k_put16(p->b + 26, 0);
	WANT(in(p) && k_get16(k.out.b + 26) == 0);
}

LINE(h768b, "768-ffff", MUST, "one that becomes zero leaves as 0xffff")
{
	uint32_t n = 0;

	plain();
	/* Payload words that make each possible sum: one of them becomes zero */
	for (uint32_t w = 0; w < 65536; w++) {
		struct kpkt *p = k_udp(IN1, 5000, SRV1, 53, 2);

		k_put16(p->b + 28, (uint16_t)w);
		k_fix(p);
		if (!out(p))
			break;
		n += k_get16(k.out.b + 26) == 0xffff;
		if (k_get16(k.out.b + 26) == 0)
			n = 100;
	}
	WANT(n == 1 || n == 2);
}

LINE(h768c, "768-6", MUST, "UDP over IPv6 without checksum is dropped")
{
	struct kpkt *p;

	plain();
	p = k_udp(kit_a6("fd00:1::11"), 5000, kit_a6("2001:db8:f::10"), 53, 20);
	WANT(out(p));
	k_put16(p->b + 46, 0);
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.reason == NAT_R_UDP6_ZERO);
}

LINE(h30221, "3022-4.1", MUST, "only addresses, port or id, checksums, TTL and IPv4 id differ")
{
	struct kpkt *p[3];

	plain();
	p[0] = k_udp(IN1, 5000, SRV1, 53, 900);
	p[1] = k_tcp_data(IN1, 5000, SRV1, 80, K_SYN, 77, 0, 300);
	p[2] = k_icmp(IN1, SRV1, 8, 0, 99, 700);
	for (int i = 0; i < 3; i++) {
		static const uint8_t check[] = { 6, 16, 2 };
		bool same = true;

		WANT(out(p[i]) && k.out.len == p[i]->len);
		for (uint32_t at = 0; at < p[i]->len; at++) {
			const uint32_t l4 = at - 20;
			const bool may = at == 4 || at == 5 || at == 8 || at == 10 || at == 11 ||
					 (at >= 12 && at < 16) ||
					 (at >= 20 && (l4 == check[i] || l4 == check[i] + 1u ||
						       (i < 2 ? l4 < 2 : l4 == 4 || l4 == 5)));

			same &= may || k.out.b[at] == p[i]->b[at];
		}
		WANT(same);
	}
}

LINE(h30223, "3022-4.3", MUST, "an ICMP error: outer and quoted headers, three checksums")
{
	struct kpkt p;

	plain();
	out_port(IN2, 5000, SRV1, 53);
	WANT(out(k_udp(IN1, 5000, SRV1, 53, 60)));
	p = k.out;
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p.b, p.len, 0)));
	WANT(kit_sound(k_quote(k.out.b), k.out.len - 28) == NULL);
	WANT(addr_equal(k_dst(k.out.b), IN1) && addr_equal(k_src(k_quote(k.out.b)), IN1));
}

LINE(h30224, "3022-4.4", MAY, "the addresses in FTP commands")
{
	NOT_HERE("no ALG: passive FTP works, active FTP does not");
}

LINE(h30226, "3022-4.6", MUST, "IP options stay; a route record shows the outside address")
{
	static const uint8_t rr[12] = { 1, 7, 11, 4 };
	struct kpkt *p;

	plain();
	p = k_options(k_udp(IN1, 5000, SRV1, 53, 20), rr, 12);
	WANT(out(p) && k.out.len == p->len && k.out.b[0] == 0x48);
	WANT(k.out.b[21] == 7 && k.out.b[23] == 8);
	WANT(addr_equal(addr_from_bytes(AF_V4, k.out.b + 24), NAT1));
}

/* The outside id of a fragmented datagram of @src with id 0x4242; 0: none came out */
static uint16_t fragment_id(struct addr src)
{
	struct kpkt p = *k_udp(src, 5000, SRV1, 53, 2000);

	k_put16(p.b + 4, 0x4242);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 608, false));
	if (k.n_made != 2 || k_get16(made(0) + 4) != k_get16(made(1) + 4))
		return 0;
	return k_get16(made(0) + 4);
}

LINE(h30226b, "3022-6.3", MUST, "fragments of two hosts with one id do not mix")
{
	uint16_t a, b;

	plain();
	a = fragment_id(IN1);
	b = fragment_id(IN2);
	WANT(a != 0 && b != 0 && a != b);
}

LINE(h791t, "791-ttl", MUST, "one hop less; at the last one ICMP 11/0 that quotes the inside")
{
	struct kpkt *p;

	plain();
	WANT(out(k_udp(IN1, 5000, SRV1, 53, 20)) && k.out.b[8] == 63);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[8] = 1;
	k_fix(p);
	WANT(!kit_send(&k, NAT_INSIDE, p) && made_error(11, 0) != NULL);
	WANT(memcmp(k_quote(made(0)), p->b, p->len) == 0);
}

LINE(h791l, "791-len", MUST, "lengths: short ones are dropped, padding is cut")
{
	struct kpkt *p;

	plain();
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->len += 18;
	WANT(out(p) && k.out.len == p->len - 18);
	p->len = 40;
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.reason == NAT_R_LENGTH);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	k_put16(p->b + 2, 16);
	k_fix(p);
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.reason == NAT_R_LENGTH);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[0] = 0x44;
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.reason == NAT_R_LENGTH);
	p->len = 19;
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.reason == NAT_R_SHORT);
}

LINE(h815, "815-hole", MUST, "fragments that overlap, go too far or hide headers are dropped")
{
	struct kpkt p;
	unsigned int n = 0;

	plain();
	p = *k_udp(IN1, 5000, SRV1, 53, 3000);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));	/* a copy is ignored */
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 1608, false));
	for (uint32_t i = 0; i < k.n_made; i++)
		n += k.made[i].len - 20;
	WANT(n == 3008);
	k_put16(p.b + 4, 2);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 800, 2208, false));	/* overlaps */
	WANT(k.n_made == 0 && k.p.reason == NAT_R_FRAG_OVERLAP);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 1608, false));
	WANT(k.n_made == 0 && k.p.verdict == NAT_DROP);
	k_put16(p.b + 4, 3);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 65528, 64, false));	/* beyond 65535 */
	WANT(k.p.reason == NAT_R_FRAGMENT);
	p = *k_tcp_data(IN1, 5000, SRV1, 80, K_SYN, 1, 0, 500);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 8, true));		/* tiny */
	WANT(k.p.reason == NAT_R_FRAGMENT);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 8, 500, false));	/* hides the flags */
	WANT(k.p.reason == NAT_R_FRAGMENT);
}

LINE(h5722, "5722", MUST, "IPv6 fragments that overlap: the whole datagram is dropped")
{
	const struct addr in6 = kit_a6("fd00:1::11"), srv6 = kit_a6("2001:db8:f::10");
	struct kpkt p;
	uint32_t n = 0;

	plain();
	p = *k_udp(in6, 5000, srv6, 53, 3000);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1000, 2008, false));
	WANT(k.n_made == 0 && k.p.reason == NAT_R_FRAG_OVERLAP);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 1608, false));
	WANT(k.n_made == 0);
	kit_wait(&k, 40);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 1608, false));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	for (uint32_t i = 0; i < k.n_made; i++) {
		WANT(kit_sound(made(i), k.made[i].len) == NULL);
		n += k.made[i].len - 48;
	}
	WANT(n == 3008);
}

LINE(h6946, "6946", MUST, "an IPv6 atomic fragment is a packet of its own")
{
	const struct addr in6 = kit_a6("fd00:1::11"), srv6 = kit_a6("2001:db8:f::10");
	struct kpkt p;

	plain();
	p = *k_udp(in6, 5000, srv6, 53, 100);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 56, true));
	WANT(out(k_fragment(&p, 0, 108, false)));
	WANT(k.n_made == 0);
}

/* A packet-too-big about a UDP packet of IN1, from outside; the MTU that IN1 is told */
static uint16_t told_mtu(uint16_t mtu)
{
	struct kpkt p;

	out(k_udp(IN1, 5000, SRV1, 53, 1400));
	p = k.out;
	if (!in(k_error(SRV3, NAT1, 3, 4, mtu, p.b, p.len, 28)))
		return 0;
	return k_get16(k.out.b + 26);
}

LINE(h1191i, "1191-in", MUST, "an MTU from outside is passed on; none becomes the next plateau")
{
	plain();
	WANT(told_mtu(1300) == 1300);
	WANT(told_mtu(0) == 1006);
}

LINE(h1191t, "1191-tcp", MUST, "packet too big for data that was never in flight is dropped")
{
	struct kpkt p;

	plain();
	WANT(tcp_open(4000));
	WANT(out(k_tcp_data(IN1, 4000, SRV1, 80, K_ACK, 1001, 5001, 1000)));
	p = k.out;
	WANT(in(k_error(SRV3, NAT1, 3, 4, 1300, p.b, p.len, 28)));
	k_put32(p.b + 24, 1001 + 900000);
	WANT(!in(k_error(SRV3, NAT1, 3, 4, 1300, p.b, p.len, 28)));
	WANT(dropped(NAT_R_ICMP_WINDOW) == 1);
}

LINE(h4443, "4443-ptb6", MUST, "packet too big of IPv6, never below 1280")
{
	const struct addr in6 = kit_a6("fd00:1::11"), srv6 = kit_a6("2001:db8:f::10");
	const struct addr nat6 = kit_a6("2001:db8:f::1");
	struct kpkt p;

	plain();
	WANT(out(k_udp(in6, 5000, srv6, 53, 1400)));
	p = k.out;
	WANT(in(k_error(srv6, nat6, 2, 0, 1400, p.b, p.len, 1232)));
	WANT(k_get32(k.out.b + 44) == 1400 && addr_equal(k_dst(k.out.b), in6));
	WANT(addr_equal(k_src(k.out.b + 48), in6));
	WANT(in(k_error(srv6, nat6, 2, 0, 600, p.b, p.len, 1232)));
	WANT(k_get32(k.out.b + 44) == 1280);
}

LINE(h5961r, "5961-rst", MUST, "a RST within the window passes, the flow stays for the challenge")
{
	struct nat_flow f;

	plain();
	WANT(tcp_open(4000));
	WANT(in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001 + 100, 0)));
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1001, 5001)));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
}

LINE(h5961s, "5961-syn", MUST, "a SYN in a connection ends nothing")
{
	struct nat_flow f;

	plain();
	WANT(tcp_open(4000));
	kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_SYN, 9999, 0));
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
	WANT(out(k_tcp(IN1, 4000, SRV1, 80, K_ACK, 1001, 5001)));
}

LINE(h5961o, "5961-oow", MUST, "of 100,000 forged RSTs outside the window none passes or ends it")
{
	struct nat_flow f;
	unsigned int passed = 0;

	plain();
	WANT(tcp_open(4000));
	for (uint32_t i = 0; i < 100000; i++)
		passed += in(k_tcp(SRV1, 80, NAT1, 4000, K_RST, 5001 + 8192 + i * 42000, 0));
	WANT(passed == 0 && dropped(NAT_R_RST_WINDOW) == 100000);
	WANT(flow_of(6, 4000, &f) && f.tcp == NAT_TCP_ESTABLISHED);
}

LINE(h6864, "6864-id", MUST, "ids of what may be fragmented, and of fragments, are unique")
{
	static bool used[65536];
	bool twice = false;

	plain();
	memset(used, 0, sizeof(used));
	for (int i = 0; i < 200; i++) {
		const uint16_t id = fragment_id(i % 2 != 0 ? IN1 : IN2);

		twice |= id == 0 || used[id];
		used[id] = true;
		WANT(out(k_udp(IN1, 5000, SRV1, 53, 20)));
		twice |= used[k_get16(k.out.b + 4)];
		used[k_get16(k.out.b + 4)] = true;
	}
	WANT(!twice);
}
