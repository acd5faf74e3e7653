/* SPDX-License-Identifier: BSD-2-Clause */
/* The contract of the userspace NAT; what the RFCs ask for is in tests/conformance */
#include <malloc.h>

#include "unit.h"

#include "natkit.h"

static struct kit k;

TEST(udp_goes_out_and_back)
{
	kit_init(&k);
	kit_start(&k);
	if (!CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20))))
		return;
	CHECK(k.p.to == NAT_OUTSIDE);
	CHECK(addr_equal(k_src(k.out.b), NAT1));
	CHECK_INT(k_sport(k.out.b), 5000);
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(k.out.b[8], 63);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 30)));
	CHECK(addr_equal(k_dst(k.out.b), IN1));
	CHECK_INT(k_dport(k.out.b), 5000);
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	kit_wait(&k, 310);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	CHECK_INT(nat_counters(k.nat)->held, 1);
	kit_wait(&k, 130);
	CHECK_INT(nat_counters(k.nat)->held, 0);
	kit_stop(&k);
}

TEST(ipv6_with_ports)
{
	const struct addr in = kit_a6("fd00:1::11"), srv = kit_a6("2001:db8:f::10");
	const struct addr nat = kit_a6("2001:db8:f::1");

	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(in, 5000, srv, 53, 20)));
	CHECK(addr_equal(k_src(k.out.b), nat));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(srv, 53, nat, 5000, 21)));
	CHECK(addr_equal(k_dst(k.out.b), in));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_INSIDE, k_icmp(in, srv, 128, 0, 77, 20)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_icmp(srv, nat, 129, 0, k_id(k.out.b), 20)));
	CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
	CHECK_INT(k_id(k.out.b), 77);
	kit_wait(&k, 900);
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	kit_stop(&k);
}

TEST(unsolicited_is_dropped_with_a_name)
{
	kit_init(&k);
	kit_start(&k);
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "no-mapping");
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV2, 53, NAT1, 5000, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "filtered");
	CHECK(!kit_send(&k, NAT_INSIDE, k_udp(addr_v4(10, 9, 9, 9), 5000, SRV1, 53, 20)));
	CHECK_STR(nat_reason_names[k.p.reason], "spoofed-source");
	CHECK_INT((intmax_t)nat_counters(k.nat)->dropped[NAT_R_FILTERED], 1);
	kit_stop(&k);
}

struct bytes {
	uint8_t b[1 << 18];
	size_t len;
};

static int put(void *ctx, const void *p, size_t len)
{
	struct bytes *w = ctx;

	if (w->len + len > sizeof(w->b))
		return -ENOSPC;
	memcpy(w->b + w->len, p, len);
	w->len += len;
	return 0;
}

/* A NAT with flows of both families, saved */
static void save_some(struct bytes *w)
{
	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 20; i++)
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:1::11"), 5000,
					     kit_a6("2001:db8:f::10"), 53, 20)));
	w->len = 0;
	CHECK_INT(nat_save(k.nat, put, w), 0);
	kit_stop(&k);
}

TEST(saved_bytes_are_whole_or_refused)
{
	static struct bytes w;
	uint32_t lost = 9;

	save_some(&w);
	kit_start(&k);
	for (size_t len = 0; len < w.len; len += 7)
		CHECK_INT(nat_restore(k.nat, k.now, w.b, len, &lost), -EBADMSG);
	for (size_t at = 8; at < w.len; at += 11) {
		w.b[at] ^= 0x20;
		CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), -EBADMSG);
		w.b[at] ^= 0x20;
	}
	w.b[7]++;
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), -EPROTONOSUPPORT);
	w.b[7]--;
	CHECK_INT(nat_counters(k.nat)->flows, 0);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	CHECK_INT(lost, 0);
	CHECK_INT(nat_counters(k.nat)->flows, 21);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5007, 20)));
	kit_stop(&k);
}

TEST(restoring_without_the_address_loses_and_says_so)
{
	static struct bytes w;
	uint32_t lost = 0;

	save_some(&w);
	k.outside[0] = NAT2;
	kit_start(&k);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	CHECK_INT(lost, 40);		/* 20 bindings, 20 sessions of IPv4 */
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	kit_stop(&k);
}

TEST(nothing_is_allocated_after_the_start)
{
	size_t before;

	kit_init(&k);
	kit_start(&k);
	kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20));
	before = mallinfo2().uordblks;
	for (uint16_t i = 0; i < 3000; i++) {
		kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(6000 + i), SRV1, 53, 20));
		kit_send(&k, NAT_INSIDE, k_fragment(k_udp(IN2, i, SRV1, 53, 2000), 0, 1400, true));
		kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, i, K_SYN, 1, 0));
		kit_wait(&k, 0.5);
	}
	CHECK_INT((intmax_t)mallinfo2().uordblks, (intmax_t)before);
	kit_stop(&k);
}

TEST(a_partial_checksum_takes_the_addresses_only)
{
	struct kpkt p = *k_udp(IN1, 5000, SRV1, 53, 20), out;
	struct nat_packet q = {
		.data = p.b, .len = p.len, .from = NAT_INSIDE, .flags = NAT_P_PARTIAL,
	};
	uint32_t sum = 0;

	kit_init(&k);
	kit_start(&k);
	for (uint32_t i = 12; i < 20; i += 2)
		sum += k_get16(p.b + i);
	sum += 17 + 28;
	k_put16(p.b + 26, (uint16_t)(sum % 65536 + sum / 65536));
	nat_batch(k.nat, k.now, &q, 1);
	CHECK_INT(q.verdict, NAT_FORWARD);
	/* Whoever completes it gets it right */
	out = p;
	k_fix(&out);
	sum = k_get16(p.b + 26);
	k_put16(p.b + 26, 0);
	for (uint32_t i = 20; i < p.len; i += 2)
		sum += k_get16(p.b + i);
	while (sum > 65535)
		sum = sum % 65536 + sum / 65536;
	CHECK_INT(sum ^ 0xffff, k_get16(out.b + 26));
	kit_stop(&k);
}
