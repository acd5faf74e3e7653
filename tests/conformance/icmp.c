/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5508: ICMP */
#include "lines.h"

/* What SRV1 got of IN1:5000 -> SRV1:53 */
static const struct kpkt *seen_udp(void)
{
	static struct kpkt p;

	out_port(IN1, 5000, SRV1, 53);
	p = k.out;
	return &p;
}

/* What SRV1 got of a SYN from IN1:4000 */
static const struct kpkt *seen_tcp(void)
{
	static struct kpkt p;

	tcp_port(IN1, 4000, SRV1, 80);
	p = k.out;
	return &p;
}

static uint16_t echo_id(struct addr src, struct addr dst, uint16_t id)
{
	return kit_send(&k, NAT_INSIDE, k_icmp(src, dst, 8, 0, id, 20)) ? k_id(k.out.b) : 0;
}

LINE(i1, "5508-1", MUST, "echo and its reply")
{
	plain();
	WANT(out(k_icmp(IN1, SRV1, 8, 0, 77, 40)));
	WANT(in(k_icmp(SRV1, NAT1, 0, 0, k_id(k.out.b), 40)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && k_id(k.out.b) == 77);
}

LINE(i1a, "5508-1a", SHOULD, "one outside id of one inside id, another of another host's")
{
	uint16_t a, b;

	plain();
	a = echo_id(IN1, SRV1, 77);
	b = echo_id(IN1, SRV2, 77);
	WANT(a != 0 && a == b);
	b = echo_id(IN2, SRV1, 77);
	WANT(b != 0 && a != b);
}

LINE(i2, "5508-2", MUST, "a query session lives a minute")
{
	plain();
	WANT(echo_id(IN1, SRV1, 77) == 77);
	kit_wait(&k, 59.9);
	WANT(in(k_icmp(SRV1, NAT1, 0, 0, 77, 20)));
}

LINE(i2a, "5508-2a", SHOULD, "that time can be set")
{
	setup();
	k.cfg.timeout_s[NAT_T_ICMP] = 200;
	kit_start(&k);
	WANT(echo_id(IN1, SRV1, 77) == 77);
	kit_wait(&k, 199);
	WANT(in(k_icmp(SRV1, NAT1, 0, 0, 77, 20)));
	kit_wait(&k, 3);
	WANT(!in(k_icmp(SRV1, NAT1, 0, 0, 77, 20)));
}

LINE(i3, "5508-3", SHOULD, "an error whose ICMP checksum is wrong is dropped")
{
	const struct kpkt *p;
	struct kpkt *e;

	plain();
	p = seen_udp();
	e = k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0);
	e->b[22] ^= 1;
	WANT(!in(e) && dropped(NAT_R_L4_CHECKSUM) == 1);
}

LINE(i3a, "5508-3a", SHOULD, "one that quotes a wrong IP checksum is dropped")
{
	struct kpkt p;

	plain();
	p = *seen_udp();
	p.b[10] ^= 1;
	WANT(!in(k_error(SRV1, NAT1, 3, 3, 0, p.b, p.len, 0)) && dropped(NAT_R_ICMP_QUOTE) == 1);
}

LINE(i3b, "5508-3b", MUST, "one that quotes IP options is translated at the right place")
{
	static const uint8_t nops[4] = { 1, 1, 1, 1 };
	struct kpkt *p;

	plain();
	p = k_options(seen_udp(), nops, 4);
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0)));
	WANT(k_sport(k_quote(k.out.b)) == 5000 && addr_equal(k_src(k_quote(k.out.b)), IN1));
	WANT(kit_sound(k_quote(k.out.b), p->len) == NULL);
}

LINE(i3c, "5508-3c", SHOULD, "a wrong L4 checksum in the quotation does not matter")
{
	struct kpkt p;

	plain();
	p = *seen_udp();
	p.b[26] ^= 0x55;
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p.b, p.len, 0)));
}

LINE(i3d, "5508-3d", MUST, "an extension behind the quotation is left alone")
{
	struct kpkt big, *e;
	uint8_t quoted[140];

	plain();
	WANT(out(k_udp(IN1, 5000, SRV1, 53, 300)));
	big = k.out;
	memcpy(quoted, big.b, 128);
	memcpy(quoted + 128, "\x20\x00\x12\x34\x00\x08\x01\x01\xca\xfe\xba\xbe", 12);
	e = k_error(SRV1, NAT1, 3, 3, 128 / 4 << 16, quoted, sizeof(quoted), 0);
	WANT(in(e));
	WANT(memcmp(k.out.b + 28 + 128, quoted + 128, 12) == 0 && k.out.len == e->len);
	WANT(k.out.b[25] == 32 && addr_equal(k_src(k_quote(k.out.b)), IN1));
}

LINE(i4, "5508-4", SHOULD, "an outside error that names no mapping is dropped")
{
	struct kpkt *p;

	plain();
	p = k_udp(NAT1, 5000, SRV1, 53, 20);
	WANT(!in(k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0)) && dropped(NAT_R_ICMP_STRAY) == 1);
}

LINE(i4a, "5508-4a", MUST, "its quotation is the inside's again, with right checksums")
{
	const struct kpkt *p;
	struct addr in2 = IN2;

	plain();
	out_port(IN1, 5000, SRV1, 53);		/* so that the ports differ */
	WANT(out(k_udp(in2, 5000, SRV1, 53, 33)));
	p = &k.out;
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_src(k_quote(k.out.b)), IN2) && k_sport(k_quote(k.out.b)) == 5000);
	WANT(kit_sound(k_quote(k.out.b), k.out.len - 28) == NULL);
	p = seen_tcp();
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_src(k_quote(k.out.b)), IN1) && k_sport(k_quote(k.out.b)) == 4000);
	WANT(kit_sound(k_quote(k.out.b), k.out.len - 28) == NULL);
}

LINE(i4b, "5508-4b", MUST, "its type and code stay")
{
	const struct kpkt *p;

	plain();
	p = seen_udp();
	WANT(in(k_error(SRV1, NAT1, 11, 1, 0, p->b, p->len, 0)));
	WANT(k_type(k.out.b) == 11 && k_code(k.out.b) == 1);
}

LINE(i4c, "5508-4c", MUST, "it goes to the inside source")
{
	const struct kpkt *p;

	plain();
	p = seen_udp();
	WANT(in(k_error(SRV2, NAT1, 3, 1, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && addr_equal(k_src(k.out.b), SRV2));
}

LINE(i5, "5508-5", SHOULD, "an inside error that names no mapping is dropped")
{
	struct kpkt *p;

	plain();
	p = k_udp(SRV1, 53, IN1, 5000, 20);
	WANT(!kit_send(&k, NAT_INSIDE, k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0)));
	WANT(dropped(NAT_R_ICMP_STRAY) == 1);
}

/* A packet of SRV1 that IN1:5000 got, from outside port 5000 of a second host of the same port */
static struct kpkt *seen_inside(void)
{
	static struct kpkt p;
	uint16_t port;

	out_port(IN2, 5000, SRV1, 53);
	port = out_port(IN1, 5000, SRV1, 53);
	in(k_udp(SRV1, 53, NAT1, port, 30));
	p = k.out;
	return &p;
}

LINE(i5a, "5508-5a", MUST, "an inside error's quotation is the outside's again")
{
	const struct kpkt *p;
	uint16_t port;

	plain();
	p = seen_inside();
	port = out_port(IN1, 5000, SRV1, 53);
	WANT(out(k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_dst(k_quote(k.out.b)), NAT1) && k_dport(k_quote(k.out.b)) == port);
	WANT(addr_equal(k_src(k_quote(k.out.b)), SRV1) && k_sport(k_quote(k.out.b)) == 53);
	WANT(kit_sound(k_quote(k.out.b), k.out.len - 28) == NULL);
}

LINE(i5b, "5508-5b", MUST, "its type and code stay")
{
	const struct kpkt *p;

	plain();
	p = seen_inside();
	WANT(out(k_error(IN1, SRV1, 3, 2, 0, p->b, p->len, 0)));
	WANT(k_type(k.out.b) == 3 && k_code(k.out.b) == 2);
}

LINE(i5c, "5508-5c", MUST, "its source is the outside address, whichever inside host sends it")
{
	const struct kpkt *p;

	plain();
	p = seen_inside();
	WANT(out(k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_src(k.out.b), NAT1));
	WANT(out(k_error(IN2, SRV1, 11, 0, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_src(k.out.b), NAT1));
}

LINE(i6, "5508-6", MUST, "an error neither keeps a query session nor ends it")
{
	struct kpkt p;

	plain();
	echo_id(IN1, SRV1, 77);
	p = k.out;
	kit_wait(&k, 40);
	WANT(in(k_error(SRV2, NAT1, 3, 1, 0, p.b, p.len, 0)));
	WANT(flows() == 1);
	WANT(in(k_icmp(SRV1, NAT1, 0, 0, 77, 20)));
	kit_wait(&k, 22);
	WANT(flows() == 0);
}

/* IN1:5000 has spoken to IN2:7000 by the outside endpoints; what IN2 got */
static const struct kpkt *hairpinned(void)
{
	static struct kpkt p;

	setup();
	behave(NAT_ENDPOINT, NAT_ENDPOINT);
	kit_start(&k);
	out_port(IN1, 7000, SRV1, 53);			/* IN2's 7000 becomes another */
	out_port(IN2, 7000, SRV1, 53);
	kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, NAT1, k_sport(k.out.b), 9));
	p = k.out;
	return &p;
}

/* NAT2 is IN2's, in both directions */
static bool basic_nat(void *ctx, const struct nat_ask *ask, struct nat_ruling *r)
{
	const struct nat_config *cfg = ctx;

	r->pass = r->keep = true;
	r->has_dst = ask->from == NAT_OUTSIDE && addr_equal(ask->dst, NAT2);
	r->dst = IN2;
	r->has_src = ask->from == NAT_INSIDE;
	r->to = cfg->outside;
	r->n_to = 1;
	return true;
}

LINE(i7, "5508-7", MUST, "a hairpinned error crosses, and so do queries")
{
	const struct kpkt *p = hairpinned();

	WANT(kit_send(&k, NAT_INSIDE, k_error(IN2, NAT1, 3, 3, 0, p->b, p->len, 0)));
	WANT(k.p.to == NAT_INSIDE && addr_equal(k_dst(k.out.b), IN1));
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
	setup();
	k.outside[2] = NAT2;
	k.cfg.n_outside = 3;
	k.cfg.judge = basic_nat;
	k.cfg.judge_ctx = &k.cfg;
	kit_start(&k);
	WANT(kit_send(&k, NAT_INSIDE, k_icmp(IN1, NAT2, 8, 0, 900, 20)));
	WANT(addr_equal(k_dst(k.out.b), IN2) && addr_equal(k_src(k.out.b), NAT1));
	WANT(kit_send(&k, NAT_INSIDE, k_icmp(IN2, NAT1, 0, 0, k_id(k.out.b), 20)));
	WANT(addr_equal(k_dst(k.out.b), IN1) && addr_equal(k_src(k.out.b), NAT2));
	WANT(k_id(k.out.b) == 900 && kit_sound(k.out.b, k.out.len) == NULL);
}

LINE(i7a, "5508-7a", MUST, "it goes where the packet came from, and quotes it as sent")
{
	const struct kpkt *p = hairpinned();

	WANT(kit_send(&k, NAT_INSIDE, k_error(IN2, NAT1, 3, 3, 0, p->b, p->len, 0)));
	WANT(addr_equal(k_src(k.out.b), NAT1) && addr_equal(k_dst(k.out.b), IN1));
	WANT(addr_equal(k_src(k_quote(k.out.b)), IN1) && k_sport(k_quote(k.out.b)) == 5000);
	WANT(addr_equal(k_dst(k_quote(k.out.b)), NAT1));
	WANT(kit_sound(k_quote(k.out.b), k.out.len - 28) == NULL);
}

LINE(i8, "5508-8", SHOULD, "no port left: ICMP 3/13, and the packet is dropped")
{
	setup();
	k.cfg.ports = NAT_PORTS_RANDOM;
	k.cfg.port_lo = k.cfg.port_hi = 40000;
	kit_start(&k);
	WANT(out_port(IN1, 5000, SRV1, 53) == 40000);
	WANT(out_port(IN1, 5001, SRV1, 53) == 0 && dropped(NAT_R_NO_PORT) == 1);
	WANT(made_error(3, 13) != NULL && addr_equal(k_dst(made(0)), IN1));
}

LINE(i9, "5508-9", MAY, "errors of its own can be silenced by side")
{
	struct kpkt *p;

	setup();
	k.cfg.silent[NAT_INSIDE] = true;
	kit_start(&k);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[8] = 1;
	k_fix(p);
	WANT(!kit_send(&k, NAT_INSIDE, p) && k.n_made == 0);
}

LINE(i10a1, "5508-10a1", MUST, "destination unreachable")
{
	const struct kpkt *p;

	plain();
	p = seen_udp();
	WANT(in(k_error(SRV1, NAT1, 3, 3, 0, p->b, p->len, 0)));
	p = seen_inside();
	WANT(out(k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0)));
}

LINE(i10a2, "5508-10a2", MUST, "time exceeded: traceroute works")
{
	const struct kpkt *p;
	struct kpkt *q;

	plain();
	q = k_udp(IN1, 5000, SRV1, 33434, 20);
	q->b[8] = 1;
	k_fix(q);
	WANT(!kit_send(&k, NAT_INSIDE, q));
	WANT(made_error(11, 0) != NULL && addr_equal(k_dst(made(0)), IN1));
	p = seen_udp();
	WANT(in(k_error(SRV3, NAT1, 11, 0, 0, p->b, p->len, 28)));
}

LINE(i10a3, "5508-10a3", MUST, "echo through it, and to it")
{
	plain();
	WANT(echo_id(IN1, SRV1, 5) != 0);
	WANT(!kit_send(&k, NAT_OUTSIDE, k_icmp(SRV1, NAT1, 8, 0, 4242, 30)));
	WANT(made_error(0, 0) != NULL && k.made[0].to == NAT_OUTSIDE);
	WANT(addr_equal(k_src(made(0)), NAT1) && addr_equal(k_dst(made(0)), SRV1));
	WANT(k_id(made(0)) == 4242);
	WANT(!kit_send(&k, NAT_INSIDE, k_icmp(IN1, NAT1, 8, 0, 4242, 30)));
	WANT(made_error(0, 0) != NULL && k.made[0].to == NAT_INSIDE);
	WANT(addr_equal(k_src(made(0)), NAT1) && addr_equal(k_dst(made(0)), IN1));
	WANT(k_id(made(0)) == 4242);
}

/* Never forwarded from either side */
static bool is_dropped(uint8_t type, uint8_t code)
{
	const struct kpkt *p = seen_udp();
	const bool o = kit_send(&k, NAT_INSIDE, k_icmp(IN1, SRV1, type, code, 7, 30));
	const bool i = kit_send(&k, NAT_OUTSIDE,
				k_error(SRV1, NAT1, type, code, 0, p->b, p->len, 0));

	return !o && !i;
}

LINE(i10b1, "5508-10b1", MAY, "redirect: dropped")
{
	plain();
	WANT(is_dropped(5, 1));
}

LINE(i10b2, "5508-10b2", MAY, "timestamp and its reply")
{
	plain();
	WANT(out(k_icmp(IN1, SRV1, 13, 0, 9, 12)));
	WANT(in(k_icmp(SRV1, NAT1, 14, 0, 9, 12)));
}

LINE(i10b3, "5508-10b3", MAY, "source routes are not followed")
{
	static const uint8_t lsrr[8] = { 131, 7, 4, 203, 0, 113, 12, 0 };
	struct kpkt *p;

	plain();
	p = k_options(k_udp(IN1, 5000, SRV1, 53, 20), lsrr, 8);
	WANT(!kit_send(&k, NAT_INSIDE, p) && dropped(NAT_R_OPTIONS) == 1);
}

LINE(i10b4, "5508-10b4", MAY, "address mask and its reply")
{
	plain();
	WANT(out(k_icmp(IN1, SRV1, 17, 0, 9, 4)));
	WANT(in(k_icmp(SRV1, NAT1, 18, 0, 9, 4)));
}

LINE(i10b5, "5508-10b5", MAY, "parameter problem")
{
	const struct kpkt *p;

	plain();
	p = seen_udp();
	WANT(in(k_error(SRV1, NAT1, 12, 0, 20u << 24, p->b, p->len, 0)));
	WANT(k.out.b[24] == 20);
}

LINE(i10b6, "5508-10b6", MAY, "router advertisement and solicitation: dropped")
{
	plain();
	WANT(is_dropped(9, 0) && is_dropped(10, 0));
}

LINE(i10c1, "5508-10c1", SHOULD, "source quench: dropped")
{
	plain();
	WANT(is_dropped(4, 0) && dropped(NAT_R_ICMP_TYPE) == 2);
}

LINE(i10c2, "5508-10c2", SHOULD, "information request and reply: dropped")
{
	plain();
	WANT(is_dropped(15, 0) && is_dropped(16, 0));
}

/* Make a time exceeded about a packet; whether there was one */
static bool makes_error(struct kpkt *p)
{
	p->b[8] = 1;
	k_fix(p);
	kit_send(&k, NAT_INSIDE, p);
	return k.n_made > 0;
}

LINE(i10d, "5508-10d", SHOULD, "its errors have the precedence of internetwork control")
{
	plain();
	WANT(makes_error(k_udp(IN1, 5000, SRV1, 53, 20)));
	WANT(made(0) != NULL && made(0)[1] == 0xc0);
}

LINE(i10e, "5508-10e", SHOULD, "none about broadcasts, later fragments, errors")
{
	const struct kpkt *p;

	plain();
	WANT(!makes_error(k_udp(IN1, 5000, addr_v4(255, 255, 255, 255), 53, 20)));
	WANT(!makes_error(k_udp(IN1, 5000, addr_v4(224, 0, 0, 1), 53, 20)));
	WANT(!makes_error(k_fragment(k_udp(IN1, 5000, SRV1, 53, 2000), 1400, 608, false)));
	p = seen_inside();
	WANT(!makes_error(k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0)));
	WANT(makes_error(k_udp(IN1, 5000, SRV1, 53, 20)));
}

LINE(i10f, "5508-10f", SHOULD, "not more than so many in a second")
{
	unsigned int n = 0;

	setup();
	k.cfg.error_per_s = 10;
	kit_start(&k);
	for (int i = 0; i < 100; i++)
		n += makes_error(k_udp(IN1, 5000, SRV1, 53, 20));
	WANT(n == 10);
	kit_wait(&k, 1.1);
	WANT(makes_error(k_udp(IN1, 5000, SRV1, 53, 20)));
}

LINE(i11, "5508-11", MAY, "other types never leave untranslated")
{
	plain();
	WANT(is_dropped(200, 0) && is_dropped(40, 0) && is_dropped(255, 3));
}
