/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments in the userspace NAT: what somebody may send who wants its memory, or worse */
#include "unit.h"

#include "natkit.h"

static struct kit k;

/* Bytes of payload that came out in fragments with headers of @head bytes */
static uint32_t came_out(uint32_t head)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < k.n_made; i++)
		n += k.made[i].len - head;
	return n;
}

static uint64_t dropped(enum nat_reason why)
{
	return nat_counters(k.nat)->dropped[why];
}

/* A fragment of a datagram without end: @id, from IN1 or the like */
static bool keep(enum nat_side from, struct addr src, struct addr dst, uint16_t id, uint32_t off,
		 uint32_t n)
{
	static struct kpkt p;

	p = *k_udp(src, 5000, dst, 53, 3000);
	k_put16(p.b + 4, id);
	kit_send(&k, from, k_fragment(&p, off, n, true));
	return k.p.verdict == NAT_KEPT;
}

/* Fails where the oldest of all makes room: who forges sources outside put out what is inside */
TEST(a_flood_of_forged_sources_leaves_the_inside_what_it_has)
{
	struct kpkt p;

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(IN1, 5000, SRV1, 53, 1000);
	CHECK(!kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 496, true)));
	for (uint32_t i = 0; i < 5000; i++)
		CHECK(keep(NAT_OUTSIDE, addr_v4(100, i >> 8, i & 255, 1), NAT1, 7, 0, 8));
	CHECK(dropped(NAT_R_FRAG_BUDGET) > 0);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 496, 512, false));
	CHECK_INT(came_out(20), 1008);
	kit_stop(&k);
}

/* Fails where only each fragment's own header is counted: the whole is too long by 39 bytes */
TEST(a_long_first_header_makes_no_datagram_too_long)
{
	static const uint8_t options[40] = { 1, 1, 1, 1 };
	struct kpkt p;

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(IN1, 5000, SRV1, 53, 1000);
	for (uint32_t off = 1000; off < 65515; off += 1000)
		kit_send(&k, NAT_INSIDE, k_fragment(&p, off, MIN(1000, 65515 - off),
						    off + 1000 < 65515));
	CHECK_INT(k.p.verdict, NAT_KEPT);
	kit_send(&k, NAT_INSIDE, k_options(k_fragment(&p, 0, 1000, true), options, 40));
	CHECK_INT(k.p.verdict, NAT_DROP);
	CHECK_STR(nat_reason_names[k.p.reason], "fragment-bad");
	CHECK_INT(k.n_made, 0);
	/* With a header as the others have it is whole again */
	for (uint32_t off = 1000; off < 65515; off += 1000)
		kit_send(&k, NAT_INSIDE, k_fragment(&p, off, MIN(1000, 65515 - off),
						    off + 1000 < 65515));
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1000, true));
	CHECK_INT(came_out(20), 65515);
	kit_stop(&k);
}

/* The same of IPv6: extension headers before the fragment header of the first one only */
TEST(a_long_first_header_makes_no_datagram_too_long_in_ipv6)
{
	static struct kpkt p, first;
	const uint32_t end = 65535 - 40;

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(kit_a6("fd00:1::11"), 5000, kit_a6("2001:db8:f::10"), 53, 1000);
	for (uint32_t off = 1000; off < end; off += 1000)
		kit_send(&k, NAT_INSIDE, k_fragment(&p, off, MIN(1000, end - off),
						    off + 1000 < end));
	CHECK_INT(k.p.verdict, NAT_KEPT);
	first = *k_fragment(&p, 0, 1000, true);
	memmove(first.b + 40 + 64, first.b + 40, first.len - 40);
	memset(first.b + 40, 0, 64);
	first.b[6] = 60;		/* destination options of 64 bytes */
	first.b[40] = 44;
	first.b[41] = 7;
	first.len += 64;
	k_put16(first.b + 4, (uint16_t)(first.len - 40));
	kit_send(&k, NAT_INSIDE, &first);
	CHECK_INT(k.p.verdict, NAT_DROP);
	CHECK_STR(nat_reason_names[k.p.reason], "fragment-bad");
	CHECK_INT(k.n_made, 0);
	kit_stop(&k);
}

/* Of one source, in small pieces: its own oldest datagram goes, and its share is all it has */
TEST(a_source_displaces_itself)
{
	struct kpkt other;
	uint32_t n = 0;

	kit_init(&k);
	k.cfg.frag_bytes = 1u << 20;
	k.cfg.frag_share = 8;		/* 256 blocks */
	kit_start(&k);
	other = *k_udp(IN2, 5000, SRV1, 53, 1000);
	kit_send(&k, NAT_INSIDE, k_fragment(&other, 0, 800, true));
	for (uint16_t id = 1; id < 40; id++)
		for (uint32_t i = 0; i < 50; i++)
			n += keep(NAT_INSIDE, IN1, SRV1, id, 8 * i, 8);
	CHECK_INT(n, 39 * 50);
	CHECK(dropped(NAT_R_FRAG_BUDGET) >= 33);
	/* What is alone too much is refused piece by piece; what it has goes with its time */
	for (uint32_t i = n = 0; i < 300; i++)
		n += keep(NAT_INSIDE, IN1, SRV1, 99, 8 * i, 8);
	CHECK_INT(n, 256);
	CHECK_STR(nat_reason_names[k.p.reason], "fragment-budget");
	/* The other source has lost nothing */
	kit_send(&k, NAT_INSIDE, k_fragment(&other, 800, 208, false));
	CHECK_INT(came_out(20), 1008);
	kit_wait(&k, 40);
	CHECK(dropped(NAT_R_FRAG_TIMEOUT) >= 1);
	kit_stop(&k);
}

/* Many sources outside: their own oldest goes, and the inside loses nothing */
TEST(the_outside_takes_no_memory_of_the_inside)
{
	struct kpkt p;

	kit_init(&k);
	k.cfg.frag_bytes = 1u << 17;	/* 256 blocks: 128 of each side */
	kit_start(&k);
	p = *k_udp(IN1, 5000, SRV1, 53, 3000);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 1400, true));
	for (uint32_t i = 0; i < 3000; i++) {
		const struct addr src = addr_v4(198, 51, (uint8_t)(i / 250), 1 + i % 250);

		CHECK(keep(NAT_OUTSIDE, src, NAT1, (uint16_t)i, 0, 800));
	}
	CHECK_INT((intmax_t)dropped(NAT_R_FRAG_BUDGET), 3000 - 64);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 1400, 1608, false));
	CHECK_INT(came_out(20), 3008);
	/* One that is larger than all that its side has is refused */
	for (uint32_t i = 0; i < 200; i++)
		(void)keep(NAT_INSIDE, IN1, SRV1, 77, 8 * i, 8);
	CHECK_STR(nat_reason_names[k.p.reason], "fragment-budget");
	kit_stop(&k);
}

/* More datagrams than a side has records, in lists that are not full: its oldest goes */
TEST(the_oldest_of_a_side_goes_where_records_are_few)
{
	uint32_t n = 0;

	kit_init(&k);
	k.cfg.frag_bytes = 8u << 20;
	kit_start(&k);
	for (uint32_t i = 0; i < 2500; i++) {
		const struct addr src = addr_v4(198, 51, (uint8_t)(i / 250), 1 + i % 250);

		n += keep(NAT_OUTSIDE, src, NAT1, (uint16_t)i, 0, 800);
		if (i % 100 == 0)
			kit_wait(&k, 0.1);
	}
	CHECK_INT(n, 2500);
	CHECK_INT((intmax_t)dropped(NAT_R_FRAG_BUDGET), 2500 - 1024);
	kit_stop(&k);
}

/* Two that say different things of where the datagram ends: all of it is refused from then on */
TEST(ends_that_disagree_end_it)
{
	static const struct { uint32_t off, n; bool more; } first[] = {
		{ 800, 80, false }, { 800, 80, false }, { 800, 80, true }, { 1600, 80, false },
	}, second[] = {
		{ 880, 80, true }, { 400, 80, false }, { 400, 80, false }, { 1680, 80, false },
	};
	struct kpkt p;

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(IN1, 5000, SRV1, 53, 3000);
	for (uint32_t i = 0; i < ARRAY_SIZE(first); i++) {
		k_put16(p.b + 4, (uint16_t)(100 + i));
		kit_send(&k, NAT_INSIDE, k_fragment(&p, first[i].off, first[i].n, first[i].more));
		CHECK_INT(k.p.verdict, NAT_KEPT);
		kit_send(&k, NAT_INSIDE,
			 k_fragment(&p, second[i].off, second[i].n, second[i].more));
		CHECK_STR(nat_reason_names[k.p.reason], "fragment-bad");
		kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 400, true));
		CHECK_INT(k.p.verdict, NAT_DROP);
	}
	CHECK_INT(k.n_made, 0);
	kit_stop(&k);
}

/* One is told from another by all that RFC 791 and 8200 name */
TEST(parts_of_different_datagrams_never_meet)
{
	struct kpkt p, q;

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(IN1, 5000, SRV1, 53, 1000);
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 0, 800, true));
	for (uint32_t i = 0; i < 3; i++) {
		q = *k_udp(IN1, 5000, i == 0 ? SRV2 : SRV1, 53, 1000);
		memcpy(q.b + 4, p.b + 4, 2);
		q.b[9] = i == 1 ? 136 : 17;
		q.b[5] ^= i == 2;
		kit_send(&k, NAT_INSIDE, k_fragment(&q, 800, 208, false));
		CHECK_INT(k.p.verdict, NAT_KEPT);
		CHECK_INT(k.n_made, 0);
	}
	kit_send(&k, NAT_INSIDE, k_fragment(&p, 800, 208, false));
	CHECK_INT(came_out(20), 1008);
	kit_stop(&k);
}

/* Extension headers before the fragment header stay before it, or stand behind the new one */
TEST(ipv6_headers_before_the_fragment_header)
{
	static struct kpkt p, f;
	static const uint8_t kinds[] = { 60, 0 };

	kit_init(&k);
	kit_start(&k);
	p = *k_udp(kit_a6("fd00:1::11"), 5000, kit_a6("2001:db8:f::10"), 53, 2000);
	for (uint32_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (uint32_t off = 0; off < 2008; off += 1200) {
			f = *k_fragment(&p, off, MIN(1200, 2008 - off), off == 0);
			/* Two headers of 8 bytes: of @kinds[i], and destination options */
			memmove(f.b + 56, f.b + 40, f.len - 40);
			memset(f.b + 40, 0, 16);
			f.b[6] = kinds[i];
			f.b[40] = 60;
			f.b[48] = 44;
			f.len += 16;
			k_put16(f.b + 4, (uint16_t)(f.len - 40));
			k_put32(f.b + 60, 77 + i);
			kit_send(&k, NAT_INSIDE, &f);
		}
		if (!CHECK_INT(k.n_made, 2))
			return;
		for (uint32_t n = 0; n < 2; n++) {
			const uint8_t *b = k.made[n].data;

			CHECK_INT(b[6], kinds[i] == 0 ? 0 : 44);
			CHECK_INT(b[40], kinds[i] == 0 ? 44 : 60);
			CHECK_STR(kit_sound(b, k.made[n].len), NULL);
			CHECK(addr_equal(k_src(b), k.outside[1]));
		}
	}
	kit_stop(&k);
}

/* More than a batch may make: what cannot leave whole does not leave, and is counted */
TEST(no_room_for_the_pieces_is_no_half_datagram)
{
	static struct kpkt p[2];
	struct nat_packet q[64];
	static uint8_t bytes[64][16100];
	uint32_t n_forwarded = 0, n_dropped = 0;

	kit_init(&k);
	k.cfg.mtu[NAT_OUTSIDE] = 576;
	kit_start(&k);
	p[0] = *k_udp(IN1, 5000, SRV1, 53, 16000);
	for (uint32_t i = 0; i < 64; i++) {
		memcpy(bytes[i], p[0].b, p[0].len);
		q[i] = (struct nat_packet){ .data = bytes[i], .len = p[0].len,
					    .from = NAT_INSIDE };
	}
	nat_batch(k.nat, k.now, q, 64);
	k.made = nat_made(k.nat, &k.n_made);
	for (uint32_t i = 0; i < 64; i++) {
		n_forwarded += q[i].verdict == NAT_KEPT;
		n_dropped += q[i].verdict == NAT_DROP && q[i].reason == NAT_R_NO_BUFFER;
	}
	CHECK(n_forwarded > 20 && n_dropped > 0);
	CHECK_INT(n_forwarded + n_dropped, 64);
	CHECK_INT(came_out(20), n_forwarded * 16008);
	CHECK_INT((intmax_t)nat_counters(k.nat)->forwarded[NAT_INSIDE], n_forwarded);
	kit_stop(&k);
}
