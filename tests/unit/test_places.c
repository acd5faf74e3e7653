/* SPDX-License-Identifier: BSD-2-Clause */
#include "port/places.h"

#include "unit.h"

#include "natkit.h"

static struct places p;

static void lead(uint8_t proto, uint16_t port)
{
	p.led[proto == 17][port / 8] |= (uint8_t)(1u << (port % 8));
}

static uint32_t of(const struct kpkt *k, bool is_dst)
{
	return places_of(&p, k->b, k->len, is_dst);
}

TEST(by_where_it_comes_to_or_seems_to_come_from)
{
	const struct addr a6 = kit_a6("2001:db8::1"), b6 = kit_a6("2001:db8::2");
	uint32_t at, at6;

	memset(&p, 0, sizeof(p));
	lead(6, 80);
	at = places_at(&p, 6, NAT1, 80);
	at6 = places_at(&p, 6, a6, 80);
	CHECK(at != PLACE_NONE && at6 != PLACE_NONE && at != at6);
	CHECK_INT(of(k_tcp(SRV1, 9, NAT1, 80, K_SYN, 1, 0), true), at);
	CHECK_INT(of(k_tcp(NAT1, 80, SRV1, 9, K_SYN, 1, 0), false), at);
	CHECK_INT(of(k_tcp(b6, 9, a6, 80, K_SYN, 1, 0), true), at6);
	CHECK_INT(of(k_tcp(a6, 80, b6, 9, K_SYN, 1, 0), false), at6);
	CHECK(of(k_tcp(SRV1, 9, NAT2, 80, K_SYN, 1, 0), true) != at);
	CHECK_INT(of(k_tcp(SRV1, 9, NAT1, 81, K_SYN, 1, 0), true), PLACE_NONE);
	CHECK_INT(of(k_udp(SRV1, 9, NAT1, 80, 10), true), PLACE_NONE);
	CHECK_INT(of(k_icmp(SRV1, NAT1, 8, 0, 80, 10), true), PLACE_NONE);
}

TEST(only_whole_headers_are_read)
{
	struct kpkt *k = k_udp(SRV1, 9, NAT1, 53, 100);

	memset(&p, 0, sizeof(p));
	memset(p.led, 0xff, sizeof(p.led));
	CHECK(of(k, true) != PLACE_NONE);
	for (uint32_t len = 0; len < 24; len++)
		CHECK_INT(places_of(&p, k->b, len, true), PLACE_NONE);
	CHECK_INT(of(k_fragment(k, 8, 40, true), true), PLACE_NONE);
}

/* Against a list */
TEST(each_counts_for_itself)
{
	static struct { uint16_t port; uint64_t packets, bytes; } naive[500];
	uint64_t lost = 0;

	memset(&p, 0, sizeof(p));
	memset(p.led, 0xff, sizeof(p.led));
	for (uint32_t i = 0; i < 20000; i++) {
		const uint32_t which = unit_below(ARRAY_SIZE(naive)), n = unit_below(3);

		naive[which].port = (uint16_t)(which * 131 + 1);
		naive[which].packets += n;
		naive[which].bytes += n * 100;
		places_count(&p, places_at(&p, 17, NAT1, naive[which].port), n, n * 100, i + 1);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(naive); i++) {
		const uint32_t at = places_at(&p, 17, NAT1, naive[i].port);

		if (!CHECK(at != PLACE_NONE))
			continue;
		CHECK_INT(p.v[at].packets, naive[i].packets);
		CHECK_INT(p.v[at].bytes, naive[i].bytes);
	}
	/* Too many: those that have a place keep it */
	for (uint32_t i = 0; i < 65536; i++)
		lost += places_at(&p, 6, SRV1, (uint16_t)i) == PLACE_NONE;
	CHECK(lost >= 65536 - PLACES);
	CHECK_INT(p.v[places_at(&p, 17, NAT1, naive[7].port)].packets, naive[7].packets);
	places_count(&p, PLACE_NONE, 1, 1, 1);
}
