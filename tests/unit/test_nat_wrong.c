/* SPDX-License-Identifier: BSD-2-Clause */
/* What nobody should send through the userspace NAT, and what becomes of it */
#include "unit.h"

#include "natkit.h"

static struct kit k;

static const char *why(enum nat_side from, const struct kpkt *p)
{
	kit_send(&k, from, p);
	return k.p.verdict == NAT_DROP ? nat_reason_names[k.p.reason] : "";
}

/* IN1's flow to SRV1, and what left of it */
static struct kpkt begin(void)
{
	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 40)));
	return k.out;
}

/*
 * Who knows a connection's ends may forge a segment of it that acknowledges anything: that
 * errors and RSTs are held against it ends with the next of the peer's own.  Fails where what
 * is behind the last is taken for old.
 */
TEST(a_forged_acknowledgement_stands_until_the_next)
{
	struct kpkt p;

	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1000, 0)));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_SYN | K_ACK, 5000, 1001)));
	CHECK(kit_send(&k, NAT_INSIDE, k_tcp_data(IN1, 4000, SRV1, 80, K_ACK, 1001, 5001, 1000)));
	p = k.out;
	CHECK(kit_send(&k, NAT_OUTSIDE,
		       k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 77, 1001 + (1u << 29))));
	CHECK_STR(why(NAT_OUTSIDE, k_error(SRV3, NAT1, 3, 4, 1300, p.b, p.len, 28)),
		  "icmp-window");
	CHECK(kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 5001, 1001)));
	CHECK_STR(why(NAT_OUTSIDE, k_error(SRV3, NAT1, 3, 4, 1300, p.b, p.len, 28)), "");
	CHECK_STR(why(NAT_INSIDE, k_tcp(IN1, 4000, SRV1, 80, K_RST, 2001, 0)), "");
	kit_stop(&k);
}

/* Fails without the look: an error about a flow had any source */
TEST(errors_of_martians_and_in_our_name)
{
	static const char *const martians[] = { "127.0.0.1", "0.0.0.7", "224.0.0.1", "169.254.3.4",
						"255.255.255.255" };
	const struct kpkt p = begin();

	for (size_t i = 0; i < ARRAY_SIZE(martians); i++)
		CHECK_STR(why(NAT_OUTSIDE, k_error(kit_a6(martians[i]), NAT1, 3, 3, 0, p.b, p.len,
						   0)), "martian-source");
	CHECK_STR(why(NAT_OUTSIDE, k_error(NAT1, NAT1, 3, 3, 0, p.b, p.len, 0)),
		  "spoofed-source");
	CHECK_STR(why(NAT_OUTSIDE, k_error(IN2, NAT1, 3, 3, 0, p.b, p.len, 0)), "spoofed-source");
	/* To where the flow is not from */
	CHECK_STR(why(NAT_OUTSIDE, k_error(SRV3, IN1, 3, 3, 0, p.b, p.len, 0)), "icmp-stray");
	CHECK_STR(why(NAT_OUTSIDE, k_error(SRV3, SRV2, 3, 3, 0, p.b, p.len, 0)), "icmp-stray");
	/* A router on the way may have a private address */
	CHECK(kit_send(&k, NAT_OUTSIDE, k_error(addr_v4(192, 168, 7, 1), NAT1, 11, 0, 0, p.b,
						p.len, 0)));
	CHECK(addr_equal(k_dst(k.out.b), IN1));
	kit_stop(&k);
}

/* What IN1 says of an answer that it got */
TEST(errors_from_inside)
{
	struct kpkt in;

	begin();
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 40)));
	in = k.out;
	CHECK_STR(why(NAT_INSIDE, k_error(IN1, SRV2, 3, 3, 0, in.b, in.len, 0)), "icmp-stray");
	CHECK_STR(why(NAT_INSIDE, k_error(addr_v4(10, 9, 0, 1), SRV1, 3, 3, 0, in.b, in.len, 0)),
		  "spoofed-source");
	CHECK_STR(why(NAT_INSIDE, k_error(IN1, addr_v4(127, 0, 0, 1), 3, 3, 0, in.b, in.len, 0)),
		  "martian-destination");
	CHECK(kit_send(&k, NAT_INSIDE, k_error(IN2, SRV1, 3, 13, 0, in.b, in.len, 0)));
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	/* Parameter problem, with what RFC 4884 puts behind the quotation */
	CHECK(kit_send(&k, NAT_INSIDE, k_error(IN1, SRV1, 12, 0, 7u << 16, in.b, in.len, 0)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_STR(why(NAT_INSIDE, k_error(IN1, SRV1, 12, 0, 200u << 16, in.b, in.len, 0)),
		  "icmp-quotation");
	kit_stop(&k);
}

/* A flow that keeps its address: another host of the inside may not speak of it outside */
TEST(errors_about_a_flow_that_keeps_its_source)
{
	struct prefix straight = { SRV1, 32 };
	struct kpkt in;

	kit_init(&k);
	k.cfg.no_translate = &straight;
	k.cfg.n_no_translate = 1;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 40)));
	CHECK(addr_equal(k_src(k.out.b), IN1));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, IN1, 5000, 40)));
	in = k.out;
	CHECK_STR(why(NAT_INSIDE, k_error(IN2, SRV1, 3, 3, 0, in.b, in.len, 0)), "untranslated");
	CHECK(kit_send(&k, NAT_INSIDE, k_error(IN1, SRV1, 3, 3, 0, in.b, in.len, 0)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	kit_stop(&k);
}

/* UDP without checksum, quoted: none is made */
TEST(a_quotation_without_checksum_stays_without)
{
	struct kpkt p = *k_udp(IN1, 5000, SRV1, 53, 40);

	kit_init(&k);
	kit_start(&k);
	k_put16(p.b + 26, 0);
	CHECK(kit_send(&k, NAT_INSIDE, &p));
	p = k.out;
	CHECK(kit_send(&k, NAT_OUTSIDE, k_error(SRV1, NAT1, 3, 3, 0, p.b, p.len, 0)));
	CHECK_INT(k_get16(k_quote(k.out.b) + 26), 0);
	CHECK(addr_equal(k_src(k_quote(k.out.b)), IN1));
	kit_stop(&k);
}

/* Its headers say that there is more than is quoted */
TEST(quotations_of_ipv6_that_end_too_soon)
{
	const struct addr nat = kit_a6("2001:db8:f::1"), srv = kit_a6("2001:db8:f::10");
	struct kpkt p, q;

	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:1::11"), 5000, srv, 53, 80)));
	p = k.out;
	CHECK(kit_send(&k, NAT_OUTSIDE, k_error(srv, nat, 1, 4, 0, p.b, p.len, 0)));
	for (uint32_t words = 0; words < 3; words++) {
		q = p;
		memmove(q.b + 48, q.b + 40, p.len - 40);
		memset(q.b + 40, 0, 8);
		q.b[6] = 60;
		q.b[40] = 17;
		q.b[41] = words == 0 ? 0 : words == 1 ? 11 : 255;
		q.len += 8;
		CHECK_STR(why(NAT_OUTSIDE, k_error(srv, nat, 1, 4, 0, q.b, q.len, 0)),
			  words == 0 ? "" : "icmp-quotation");
	}
	/* Type 0 is none, and neither an error nor a query */
	CHECK_STR(why(NAT_OUTSIDE, k_error(srv, nat, 0, 0, 0, p.b, p.len, 0)), "icmp-type");
	kit_stop(&k);
}

TEST(addresses_that_no_packet_has)
{
	static const char *const six[] = { "::1", "::", "::ffff:10.0.0.1", "::7", "fe80::1",
					   "ff02::1" };
	const struct addr srv = kit_a6("2001:db8:f::10");

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(six); i++) {
		CHECK_STR(why(NAT_OUTSIDE, k_udp(kit_a6(six[i]), 53, k.outside[1], 5000, 20)),
			  "martian-source");
		CHECK_STR(why(NAT_INSIDE, k_udp(kit_a6("fd00:1::11"), 53, kit_a6(six[i]), 53, 20)),
			  "martian-destination");
	}
	CHECK_STR(why(NAT_OUTSIDE, k_udp(NAT1, 53, NAT1, 5000, 20)), "spoofed-source");
	CHECK_STR(why(NAT_OUTSIDE, k_udp(IN2, 53, NAT1, 5000, 20)), "spoofed-source");
	CHECK_STR(why(NAT_INSIDE, k_udp(SRV2, 53, SRV1, 5000, 20)), "spoofed-source");
	CHECK_STR(why(NAT_INSIDE, k_udp(NAT1, 53, SRV1, 5000, 20)), "spoofed-source");
	CHECK_STR(why(NAT_INSIDE, k_udp(srv, 53, kit_a6("2001:db8:f::11"), 5000, 20)),
		  "spoofed-source");
	kit_stop(&k);
}

/* Fails without the look: prefixes were translated whatever the other address was */
TEST(prefixes_of_martians_stay_here)
{
	static const char *const martians[] = { "::1", "fe80::1", "ff0e::1", "::", "ff02::1" };
	const struct nat_npt npt = { { kit_a6("fd00:9::"), 48 }, { kit_a6("2001:db8:9::"), 48 } };

	kit_init(&k);
	k.cfg.npt = &npt;
	k.cfg.n_npt = 1;
	kit_start(&k);
	for (size_t i = 0; i < ARRAY_SIZE(martians); i++) {
		CHECK_STR(why(NAT_INSIDE, k_udp(kit_a6("fd00:9::5"), 1, kit_a6(martians[i]), 2, 8)),
			  "martian-destination");
		CHECK_STR(why(NAT_OUTSIDE, k_udp(kit_a6(martians[i]), 1, kit_a6("2001:db8:9::5"), 2,
						 8)), "martian-source");
	}
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:9::5"), 1, kit_a6("2001:db8::7"), 2, 8)));
	kit_stop(&k);
}

/* Its own host has outside addresses too, and may speak to them, but not as others */
TEST(the_host_itself)
{
	kit_init(&k);
	k.cfg.has_host = true;
	k.cfg.n_outside = 3;
	k.outside[2] = NAT2;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK_STR(why(NAT_INSIDE, k_udp(NAT2, 7000, NAT1, 5001, 20)), "no-mapping");
	CHECK_STR(why(NAT_INSIDE, k_udp(NAT2, 7000, SRV1, 53, 20)), "spoofed-source");
	CHECK_STR(why(NAT_OUTSIDE, k_udp(NAT2, 7000, NAT1, 5000, 20)), "spoofed-source");
	kit_stop(&k);
}

/* Everything is inside: nothing can come from outside */
TEST(an_inside_of_everything)
{
	begin();
	kit_stop(&k);
	k.inside[0] = (struct prefix){ addr_v4(0, 0, 0, 0), 0 };
	k.inside[1] = (struct prefix){ kit_a6("::"), 0 };
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	CHECK_STR(why(NAT_OUTSIDE, k_udp(SRV2, 53, NAT1, 5001, 20)), "spoofed-source");
	kit_stop(&k);
}

/* Options of IPv4 that end early, or record a route in odd places */
TEST(options_of_ipv4)
{
	static const struct { uint8_t o[8]; uint32_t n; const char *why; } cases[] = {
		{ { 1, 1, 1, 7 }, 4, "ip-options" },		/* no room for its length */
		{ { 7, 2, 1, 0 }, 4, "" },			/* none in it */
		{ { 7, 7, 3, 9, 9, 9, 9, 0 }, 8, "" },		/* points into itself */
		{ { 7, 7, 6, 9, 9, 9, 9, 0 }, 8, "" },		/* between places */
		{ { 7, 7, 4, 9, 9, 9, 9, 0 }, 8, "" },
		{ { 148, 4, 0, 0, 7, 9, 0, 0 }, 8, "ip-options" },
	};

	begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_STR(why(NAT_INSIDE, k_options(k_udp(IN1, 5000, SRV1, 53, 20), cases[i].o,
						    cases[i].n)), cases[i].why);
		if (k.p.verdict != NAT_FORWARD)
			continue;
		CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
		/* Only a place that is free gets our address */
		CHECK_INT(memcmp(k.out.b + 23, i == 4 ? "\xcb\x00\x71\x01" : (char *)cases[i].o + 3,
				 cases[i].n - 4), 0);
		CHECK_INT(k.out.b[22], i == 4 ? 8 : cases[i].o[2]);
	}
	kit_stop(&k);
}

/* Places behind the record's end are not its own, wherever it points */
TEST(a_route_record_ends_where_it_says)
{
	static const uint8_t o[12] = { 7, 7, 20, 10, 0, 0, 12, 1, 1, 1, 1, 0 };

	begin();
	CHECK(kit_send(&k, NAT_INSIDE, k_options(k_udp(IN1, 5000, SRV1, 53, 20), o, 12)));
	CHECK_INT(memcmp(k.out.b + 23, "\xcb\x00\x71\x01", 4), 0);
	CHECK_INT(memcmp(k.out.b + 27, o + 7, 4), 0);
	kit_stop(&k);
}

/* TCP options that end early, in a SYN whose segment size is lowered and scale noted */
TEST(options_of_tcp)
{
	static const uint8_t options[][4] = {
		{ 1, 1, 1, 2 }, { 2, 3, 9, 0 }, { 3, 4, 9, 9 }, { 3, 1, 0, 0 }, { 2, 9, 0, 0 },
		{ 1, 1, 1, 3 },
	};

	kit_init(&k);
	k.cfg.max_mss = 1000;
	kit_start(&k);
	for (uint32_t i = 0; i < ARRAY_SIZE(options); i++) {
		struct kpkt *p = k_tcp_data(IN1, (uint16_t)(4000 + i), SRV1, 80, K_SYN, 1, 0, 4);

		memcpy(p->b + 40, options[i], 4);
		p->b[32] = 6 * 16;
		k_fix(p);
		CHECK(kit_send(&k, NAT_INSIDE, p));
		CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
		CHECK_INT(memcmp(k.out.b + 40, options[i], 4), 0);
	}
	kit_stop(&k);
}

/* An IPv6 packet longer than IPv6 can say, and headers that reach beyond it */
TEST(lengths_of_ipv6)
{
	static struct kpkt p;
	const struct addr in = kit_a6("fd00:1::11"), srv = kit_a6("2001:db8:f::10");

	begin();
	p = *k_udp(in, 5000, srv, 53, 1000);
	p.len = 65575;
	k_put16(p.b + 4, 65535);
	CHECK_STR(why(NAT_INSIDE, &p), "ip-length");
	p = *k_udp(in, 5000, srv, 53, 8);
	p.b[6] = 60;
	p.b[40] = 17;
	p.b[41] = 3;			/* 32 bytes of 16 */
	CHECK_STR(why(NAT_INSIDE, &p), "short");
	kit_stop(&k);
}

/* A SYN behind so many headers that nothing of it could be quoted is not answered later */
TEST(a_syn_behind_long_headers_waits_for_nothing)
{
	static struct kpkt p;
	const struct addr srv = kit_a6("2001:db8:f::10");

	kit_init(&k);
	kit_start(&k);
	p = *k_tcp(srv, 80, k.outside[1], 80, K_SYN, 1, 0);
	CHECK_STR(why(NAT_OUTSIDE, &p), "no-mapping");
	memmove(p.b + 104, p.b + 40, 20);
	memset(p.b + 40, 0, 64);
	p.b[6] = 60;
	p.b[40] = 6;
	p.b[41] = 7;
	p.len += 64;
	k_put16(p.b + 4, (uint16_t)(p.len - 40));
	CHECK_STR(why(NAT_OUTSIDE, &p), "no-mapping");
	kit_wait(&k, 10);
	CHECK_INT((intmax_t)nat_counters(k.nat)->made, 1);
	kit_stop(&k);
}

/* Other types of ICMP of IPv6 than those with an answer are no flows */
TEST(icmp_of_the_other_family)
{
	begin();
	CHECK_STR(why(NAT_INSIDE, k_proto(IN1, SRV1, 58, 20)), "icmp-type");
	CHECK_STR(why(NAT_INSIDE, k_proto(kit_a6("fd00:1::11"), kit_a6("2001:db8:f::10"), 1, 20)),
		  "icmp-type");
	kit_stop(&k);
}
