/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 4787: UDP */
#include "lines.h"

/* Does the endpoint have one outside endpoint towards four others */
static bool has_one_endpoint(struct addr src, uint16_t sport)
{
	const uint16_t a = out_port(src, sport, SRV1, 53), b = out_port(src, sport, SRV1, 54);
	const uint16_t c = out_port(src, sport, SRV2, 53), d = out_port(src, sport, SRV3, 7);

	return a != 0 && a == b && b == c && c == d;
}

LINE(u1, "4787-1", MUST, "one outside endpoint whatever the destination, under contention too")
{
	unsigned int several = 0;

	plain();
	for (uint16_t port = 5000; port < 5040; port++) {
		several += !has_one_endpoint(IN1, port);		/* no contention */
		several += !has_one_endpoint(IN2, port);		/* the neighbour has it */
		out_port(IN2, (uint16_t)(port + 1000), SRV1, 53);	/* to one only */
		several += !has_one_endpoint(IN1, (uint16_t)(port + 1000));
	}
	WANT(several == 0);
}

LINE(u2, "4787-2", SHOULD, "one address of a pool for all flows of a host")
{
	const struct addr peers[] = { SRV1, SRV2, SRV3 };
	bool same = true;
	struct addr first;

	setup();
	for (uint8_t i = 0; i < 4; i++)
		k.outside[i] = addr_v4(198, 51, 100, (uint8_t)(i + 1));
	k.cfg.n_outside = 4;
	kit_start(&k);
	WANT(out_port(IN1, 5000, SRV1, 53) != 0);
	first = k_src(k.out.b);
	for (uint16_t i = 0; i < 9; i++) {
		same &= out_port(IN1, (uint16_t)(6000 + i), peers[i % 3], 53) != 0 &&
			addr_equal(k_src(k.out.b), first);
		same &= tcp_port(IN1, (uint16_t)(6000 + i), peers[i % 3], 80) != 0 &&
			addr_equal(k_src(k.out.b), first);
	}
	WANT(same);
}

LINE(u3, "4787-3", MUST, "no port is two hosts'")
{
	plain();
	WANT(out_port(IN1, 6000, SRV1, 53) != out_port(IN2, 6000, SRV2, 53));
}

LINE(u3a, "4787-3a", SHOULD, "a port that changes stays in 0-1023 or 1024-65535")
{
	static const uint16_t ports[] = { 300, 500, 700, 1000, 2000, 40000 };

	plain();
	for (int i = 0; i < 6; i++) {
		uint16_t got;

		out_port(IN1, ports[i], SRV1, 53);
		got = out_port(IN2, ports[i], SRV1, 53);
		WANT(got != 0 && got != ports[i] && (got < 1024) == (ports[i] < 1024));
	}
}

LINE(u4, "4787-4", SHOULD, "a port that changes keeps its parity, where asked for")
{
	setup();
	k.cfg.keep_parity = true;
	kit_start(&k);
	for (uint16_t port = 7000; port < 7024; port++) {
		out_port(IN1, port, SRV1, 53);
		WANT(out_port(IN2, port, SRV1, 53) % 2 == port % 2);
	}
}

LINE(u5, "4787-5", MUST, "a mapping lives two minutes without packets")
{
	plain();
	WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
	kit_wait(&k, 119);
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u5a, "4787-5a", MAY, "mappings of well-known ports are no shorter unless asked for")
{
	plain();
	out_port(IN1, 5000, SRV1, 53);
	kit_wait(&k, 299);
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u5b, "4787-5b", MAY, "the timer can be set")
{
	setup();
	k.cfg.timeout_s[NAT_T_UDP] = 700;
	kit_start(&k);
	out_port(IN1, 5000, SRV1, 53);
	kit_wait(&k, 699);
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
	kit_wait(&k, 3);
	WANT(!in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u5c, "4787-5c", SHOULD, "five minutes by default")
{
	plain();
	out_port(IN1, 5000, SRV1, 53);
	kit_wait(&k, 300);
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
	kit_wait(&k, 2);
	WANT(!in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u6, "4787-6", MUST, "outbound packets keep the mapping alive")
{
	setup();
	k.cfg.timeout_s[NAT_T_UDP] = 120;
	kit_start(&k);
	for (int i = 0; i < 20; i++) {
		WANT(out_port(IN1, 5000, SRV1, 53) == 5000);
		kit_wait(&k, 100);
	}
	WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u6a, "4787-6a", MAY, "inbound packets do not: nobody outside holds a mapping")
{
	plain();
	out_port(IN1, 5000, SRV1, 53);
	for (int i = 0; i < 2; i++) {
		kit_wait(&k, 140);
		WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
	}
	kit_wait(&k, 30);
	WANT(!in(k_udp(SRV1, 53, NAT1, 5000, 5)));
}

LINE(u7, "4787-7", MUST, "an outside address within the inside prefix still translates")
{
	const struct addr odd = addr_v4(10, 0, 0, 200);

	setup();
	k.outside[0] = odd;
	k.cfg.n_outside = 1;
	kit_start(&k);
	WANT(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 5)));
	WANT(addr_equal(k_src(k.out.b), odd));
	WANT(in(k_udp(SRV1, 53, odd, 5000, 5)) && addr_equal(k_dst(k.out.b), IN1));
}

/* What of SRV1:p, SRV1:q, SRV2:p gets in after IN1 -> SRV1:p, as bits */
static unsigned int let_in(void)
{
	const uint16_t port = out_port(IN1, 5000, SRV1, 53);

	return in(k_udp(SRV1, 53, NAT1, port, 5)) * 1u +
	       in(k_udp(SRV1, 54, NAT1, port, 5)) * 2u + in(k_udp(SRV2, 53, NAT1, port, 5)) * 4u;
}

LINE(u8, "4787-8", SHOULD, "filtering is of the class that is configured")
{
	static const unsigned int want[] = { 7, 3, 1 };

	for (int how = NAT_ENDPOINT; how <= NAT_ADDRESS_PORT; how++) {
		setup();
		behave(NAT_ENDPOINT, (enum nat_behaviour)how);
		kit_start(&k);
		WANT(let_in() == want[how]);
	}
}

LINE(u8a, "4787-8a", MAY, "filtering and mapping can be selected")
{
	uint16_t a, b, c;

	setup();
	behave(NAT_ADDRESS, NAT_ADDRESS_PORT);
	kit_start(&k);
	a = out_port(IN1, 5000, SRV1, 53);
	b = out_port(IN1, 5000, SRV1, 54);
	c = out_port(IN1, 5000, SRV2, 53);
	WANT(a == b && a != c && c != 0);
	setup();
	behave(NAT_ADDRESS_PORT, NAT_ADDRESS_PORT);
	kit_start(&k);
	a = out_port(IN1, 5000, SRV1, 53);
	b = out_port(IN1, 5000, SRV1, 54);
	WANT(a != b && b != 0);
}

/* IN2:7000 is mapped and open to all; IN1 speaks to it by the outside endpoint */
static void hairpin(void)
{
	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	out_port(IN2, 7000, SRV1, 53);
	kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, NAT1, 7000, 9));
}

LINE(u9, "4787-9", MUST, "hairpinning to a dynamic mapping")
{
	hairpin();
	WANT(k.p.verdict == NAT_FORWARD && k.p.to == NAT_INSIDE);
	WANT(addr_equal(k_dst(k.out.b), IN2) && k_dport(k.out.b) == 7000);
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
	WANT(k.out.b[8] == 63);
}

LINE(u9a, "4787-9a", MUST, "a hairpinned packet has its outside source, and is answered there")
{
	hairpin();
	WANT(addr_equal(k_src(k.out.b), NAT1) && k_sport(k.out.b) == 5000);
	WANT(kit_send(&k, NAT_INSIDE, k_udp(IN2, 7000, NAT1, 5000, 9)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && k_dport(k.out.b) == 5000);
	WANT(addr_equal(k_src(k.out.b), NAT1) && k_sport(k.out.b) == 7000);
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
}

LINE(u10, "4787-10", SHOULD, "payload that looks like SIP is not touched")
{
	static const char sip[] = "INVITE sip:a@203.0.113.1 SIP/2.0\r\nContact: <sip:b@10.0.0.11>";
	struct kpkt *p;

	plain();
	p = k_udp(IN1, 5060, SRV1, 5060, sizeof(sip));
	memcpy(p->b + 28, sip, sizeof(sip));
	k_fix(p);
	WANT(out(p));
	WANT(memcmp(k.out.b + 28, sip, sizeof(sip)) == 0);
}

LINE(u10a, "4787-10a", SHOULD, "each ALG can be switched: there are none")
{
	NOT_HERE("no ALG exists");
}

LINE(u11, "4787-11", MUST, "one class before, during and after contention, exhaustion, restart")
{
	const struct addr hosts[] = { IN1, IN2 };

	setup();
	k.cfg.ports = NAT_PORTS_RANDOM;
	k.cfg.port_lo = 40000;
	k.cfg.port_hi = 40009;
	kit_start(&k);
	for (uint16_t i = 0; i < 10; i++)
		WANT(has_one_endpoint(hosts[i % 2], (uint16_t)(5000 + i)));
	WANT(out_port(IN1, 6000, SRV1, 53) == 0);
	for (uint16_t i = 0; i < 10; i++)
		WANT(has_one_endpoint(hosts[i % 2], (uint16_t)(5000 + i)));
	WANT(!in(k_udp(SRV2, 99, NAT1, 40003, 5)));
	kit_stop(&k);
	kit_start(&k);
	WANT(has_one_endpoint(IN1, 5000));
	WANT(!in(k_udp(SRV2, 99, NAT1, k_sport(k.out.b), 5)));
}

/* IN1:5000 speaks with SRV1:53; this is what SRV1 got */
static struct kpkt *seen_outside(void)
{
	static struct kpkt p;

	out_port(IN1, 5000, SRV1, 53);
	p = k.out;
	return &p;
}

LINE(u12, "4787-12", MUST, "no ICMP message ends a mapping")
{
	static const uint8_t codes[][2] = {
		{ 3, 0 }, { 3, 1 }, { 3, 2 }, { 3, 3 }, { 3, 4 }, { 3, 5 }, { 3, 6 }, { 3, 7 },
		{ 3, 8 }, { 3, 9 }, { 3, 10 }, { 3, 11 }, { 3, 12 }, { 3, 13 }, { 3, 14 },
		{ 3, 15 }, { 4, 0 }, { 5, 1 }, { 11, 0 }, { 11, 1 }, { 12, 0 }, { 12, 2 },
	};
	const struct kpkt *p;

	plain();
	p = seen_outside();
	for (uint32_t i = 0; i < ARRAY_SIZE(codes); i++) {
		kit_send(&k, NAT_OUTSIDE, k_error(SRV1, NAT1, codes[i][0], codes[i][1], 0, p->b,
						  p->len, 0));
		WANT(in(k_udp(SRV1, 53, NAT1, 5000, 5)));
	}
}

LINE(u12a, "4787-12a", SHOULD, "an error from a router on the way is delivered")
{
	const struct kpkt *p;

	plain();
	p = seen_outside();
	WANT(in(k_error(SRV3, NAT1, 11, 0, 0, p->b, p->len, 28)));
	WANT(addr_equal(k_src(k.out.b), SRV3));
}

LINE(u12b, "4787-12b", SHOULD, "destination unreachable of all codes is translated")
{
	const struct kpkt *p;

	plain();
	p = seen_outside();
	for (uint8_t code = 0; code < 16; code++) {
		WANT(in(k_error(SRV1, NAT1, 3, code, 0, p->b, p->len, 28)));
		WANT(addr_equal(k_src(k_quote(k.out.b)), IN1));
	}
}

LINE(u13, "4787-13", MUST, "too long and not to be fragmented: ICMP 3/4 with the MTU")
{
	struct kpkt *p;
	const uint8_t *e;

	setup();
	k.cfg.mtu[NAT_OUTSIDE] = 1300;
	kit_start(&k);
	p = k_udp(IN1, 5000, SRV1, 53, 1372);
	k_put16(p->b + 6, 0x4000);
	k_fix(p);
	WANT(!kit_send(&k, NAT_INSIDE, p));
	e = made_error(3, 4);
	WANT(e != NULL && k.made[0].to == NAT_INSIDE && addr_equal(k_dst(e), IN1));
	WANT(e != NULL && k_get16(e + 26) == 1300 && memcmp(e + 28, p->b, 40) == 0);
}

LINE(u13a, "4787-13a", MUST, "too long, may be fragmented: fragments in order")
{
	struct kpkt *p;
	uint32_t at = 0;

	setup();
	k.cfg.mtu[NAT_OUTSIDE] = 1300;
	kit_start(&k);
	p = k_udp(IN1, 5000, SRV1, 53, 1372);
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.p.verdict == NAT_KEPT && k.n_made == 2);
	for (uint32_t i = 0; i < k.n_made; i++) {
		const uint8_t *f = made(i);

		WANT(kit_sound(f, k.made[i].len) == NULL && k.made[i].len <= 1300);
		WANT((k_get16(f + 6) & 0x1fff) * 8u == at && k.made[i].to == NAT_OUTSIDE);
		WANT(((k_get16(f + 6) & 0x2000) != 0) == (i == 0));
		WANT(addr_equal(k_src(f), NAT1));
		at += k.made[i].len - 20;
	}
	WANT(at == 1380);
}

/* Put what was made together again; its length, 0: not one datagram */
static uint32_t join(struct kpkt *whole)
{
	uint32_t at = 0;

	memset(whole, 0, sizeof(*whole));
	for (uint32_t i = 0; i < k.n_made; i++) {
		const uint8_t *f = made(i);

		if (kit_sound(f, k.made[i].len) != NULL ||
		    (k_get16(f + 6) & 0x1fff) * 8u != at)
			return 0;
		if (i == 0)
			memcpy(whole->b, f, 20);
		memcpy(whole->b + 20 + at, f + 20, k.made[i].len - 20);
		at += k.made[i].len - 20;
	}
	whole->len = 20 + at;
	k_put16(whole->b + 2, (uint16_t)whole->len);
	k_put16(whole->b + 6, 0);
	/* The IP header is another one; the rest is as it came */
	k_put16(whole->b + 10, 0);
	for (uint32_t sum = 0, i = 0; i <= 20; i += 2) {
		if (i == 20)
			k_put16(whole->b + 10, (uint16_t)~(sum % 65536 + sum / 65536));
		else
			sum += k_get16(whole->b + i);
	}
	return at == 0 ? 0 : whole->len;
}

/* Send a datagram in three fragments in an order; did it come out whole */
static bool send_three(enum nat_side from, const struct kpkt *p, const char *order)
{
	static struct kpkt whole;
	const uint32_t all = p->len - 20;

	for (int i = 0; i < 3; i++) {
		const uint32_t n = (uint32_t)(order[i] - '0'), off = n * 800;

		if (kit_send(&k, from, k_fragment(p, off, n == 2 ? all - off : 800, n < 2)))
			return false;
	}
	return join(&whole) == p->len && kit_sound(whole.b, whole.len) == NULL &&
	       memcmp(whole.b + 28, p->b + 28, p->len - 28) == 0;
}

LINE(u14, "4787-14", MUST, "fragments in any order, both ways")
{
	static const char *const orders[] = { "012", "210", "120" };

	plain();
	for (int i = 0; i < 3; i++) {
		struct kpkt p = *k_udp(IN1, 5000, SRV1, 53, 2000), q;

		WANT(send_three(NAT_INSIDE, &p, orders[i]));
		q = *k_udp(SRV1, 53, NAT1, 5000, 2000);
		WANT(send_three(NAT_OUTSIDE, &q, orders[i]));
	}
}

LINE(u14a, "4787-14a", MUST, "20,000 orphan fragments take nothing from anybody")
{
	struct kpkt p;

	plain();
	for (uint32_t i = 0; i < 20000; i++) {
		struct kpkt *f = k_fragment(k_udp(IN2, 5000, SRV1, 53, 2000), 0, 1400, true);

		k_put16(f->b + 4, (uint16_t)i);
		k_fix(f);
		kit_send(&k, NAT_INSIDE, f);
	}
	WANT(out(k_udp(IN1, 5000, SRV1, 53, 100)));
	p = *k_udp(IN1, 5000, SRV1, 53, 2000);
	WANT(send_three(NAT_INSIDE, &p, "012"));
	p = *k_udp(IN2, 5001, SRV1, 53, 2000);
	WANT(send_three(NAT_INSIDE, &p, "120"));
}
