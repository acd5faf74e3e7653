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

/* A NAT with flows of both families, saved */
static void save_some(struct kit_bytes *w)
{
	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 20; i++)
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(kit_a6("fd00:1::11"), 5000,
					     kit_a6("2001:db8:f::10"), 53, 20)));
	w->len = 0;
	CHECK_INT(nat_save(k.nat, kit_put, w), 0);
	kit_stop(&k);
}

TEST(saved_bytes_are_whole_or_refused)
{
	static struct kit_bytes w;
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

/* Of several workers, one behind the other */
TEST(saved_nats_stand_one_behind_the_other)
{
	static struct kit_bytes w;
	uint32_t lost = 9;
	size_t first;

	save_some(&w);
	first = w.len;
	kit_start(&k);
	CHECK(first <= nat_save_most(&k.cfg));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 6000, SRV1, 53, 20)));
	CHECK_INT(nat_save(k.nat, kit_put, &w), 0);
	kit_stop(&k);
	CHECK_INT((intmax_t)nat_saved_bytes(w.b, w.len), (intmax_t)first);
	CHECK_INT((intmax_t)nat_saved_bytes(w.b + first, w.len - first),
		  (intmax_t)(w.len - first));
	/* What is cut off, or nothing of ours, is taken as it is: nat_restore() refuses it */
	for (size_t len = 0; len < first; len += 13)
		CHECK_INT((intmax_t)nat_saved_bytes(w.b, len), (intmax_t)len);
	kit_start(&k);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, first, &lost), 0);
	CHECK_INT(nat_restore(k.nat, k.now, w.b + first, w.len - first, &lost), 0);
	CHECK_INT(lost, 0);
	CHECK_INT(nat_counters(k.nat)->flows, 22);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5007, 20)));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 6000, 20)));
	kit_stop(&k);
}

TEST(restoring_without_the_address_loses_and_says_so)
{
	static struct kit_bytes w;
	uint32_t lost = 0;

	save_some(&w);
	k.outside[0] = NAT2;
	kit_start(&k);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	CHECK_INT(lost, 40);		/* 20 bindings, 20 sessions of IPv4 */
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	kit_stop(&k);
}

/* Fails without the look at the inside: the flow of a jail that is gone would go on */
TEST(restoring_leaves_out_who_is_no_longer_inside)
{
	static struct kit_bytes w;
	uint32_t lost = 0;

	save_some(&w);
	k.inside[0] = (struct prefix){ addr_v4(10, 77, 0, 0), 16 };
	kit_start(&k);
	CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	CHECK_INT(lost, 20);		/* the sessions of IPv4 */
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5007, 20)));
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

/* Each makes a configuration that cannot be */
static void no_flows(struct nat_config *c) { c->max_flows = 0; }
static void many_flows(struct nat_config *c) { c->max_flows = 1u << 27; }
static void many_addresses(struct nat_config *c) { c->max_addr6 = 1u << 27; }
static void many_outside(struct nat_config *c) { c->n_outside = 4097; }
static void port_zero(struct nat_config *c) { c->port_lo = 0; }
static void ports_reversed(struct nat_config *c) { c->port_lo = 2000; c->port_hi = 1999; }
static void small_mtu(struct nat_config *c) { c->mtu[0] = 60; }
static void small_mtu_outside(struct nat_config *c) { c->mtu[1] = 60; }
static void no_share(struct nat_config *c) { c->frag_share = 0; }
static void no_time(struct nat_config *c) { c->timeout_s[NAT_T_TCP] = 0; }
static void much_time(struct nat_config *c) { c->timeout_s[NAT_T_UDP] = 1u << 25; }

static void multicast_outside(struct nat_config *c)
{
	c->n_outside = 1;
	k.outside[0] = addr_v4(224, 0, 0, 1);
}

static void none_outside(struct nat_config *c)
{
	c->n_outside = 1;
	k.outside[0] = (struct addr){ .af = AF_NONE };
}

static void no_block(struct nat_config *c)
{
	c->ports = NAT_PORTS_BLOCK;
	c->block_ports = 0;
}

static void large_block(struct nat_config *c)
{
	c->ports = NAT_PORTS_BLOCK;
	c->block_ports = 64513;
}

static void prefix_of(struct nat_config *c, const char *in, uint8_t in_len, const char *out,
		      uint8_t out_len)
{
	static struct nat_npt npt;

	npt = (struct nat_npt){ { kit_a6(in), in_len }, { kit_a6(out), out_len } };
	c->npt = &npt;
	c->n_npt = 1;
}

static void prefix4(struct nat_config *c) { prefix_of(c, "10.0.0.0", 8, "2001:db8::", 48); }
static void prefix4_outside(struct nat_config *c) { prefix_of(c, "fd00::", 48, "192.0.2.0", 24); }
static void long_prefix(struct nat_config *c) { prefix_of(c, "fd00::", 113, "2001:db8::", 48); }
static void multicast_prefix(struct nat_config *c) { prefix_of(c, "ff02::", 48, "fd00::", 48); }
static void multicast_outer(struct nat_config *c) { prefix_of(c, "fd00::", 48, "ff02::", 48); }

TEST(what_cannot_be_is_refused)
{
	static void (*const spoil[])(struct nat_config *c) = {
		no_flows, many_flows, many_addresses, many_outside, port_zero, ports_reversed,
		small_mtu, small_mtu_outside, no_share, no_time, much_time, multicast_outside,
		none_outside, no_block, large_block, prefix4, prefix4_outside, long_prefix,
		multicast_prefix, multicast_outer,
	};
	uint8_t mem[64];
	struct nat *nat;

	for (size_t i = 0; i < ARRAY_SIZE(spoil); i++) {
		kit_init(&k);
		CHECK_STR(nat_config_check(&k.cfg), NULL);
		spoil[i](&k.cfg);
		CHECK(nat_config_check(&k.cfg) != NULL);
		CHECK_INT(nat_init(&k.cfg, mem, &nat), -EINVAL);
	}
}

static int put_nothing(void *ctx, const void *p, size_t len)
{
	uint32_t *left = ctx;

	(void)p;
	(void)len;
	return (*left)-- == 0 ? -EIO : 0;
}

TEST(a_save_that_fails_says_so)
{
	kit_init(&k);
	kit_start(&k);
	kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20));
	for (uint32_t n = 0; n < 4; n++) {
		uint32_t left = n;

		CHECK_INT(nat_save(k.nat, put_nothing, &left), -EIO);
	}
	kit_stop(&k);
}

/* By address: an answer to a session that the peer has opened permits its other ports too */
TEST(an_answer_permits_the_peer)
{
	static struct kit_bytes w;
	uint32_t lost;

	kit_init(&k);
	k.cfg.filtering[NAT_UDP] = NAT_ADDRESS;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	kit_wait(&k, 200);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV2, 53, 20)));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 54, NAT1, 5000, 20)));
	kit_wait(&k, 150);
	/* What it was permitted by is over; what it has opened is not, and permits nothing */
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 54, NAT1, 5000, 20)));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 55, NAT1, 5000, 20)));
	w.len = 0;
	CHECK_INT(nat_save(k.nat, kit_put, &w), 0);
	for (int i = 0; i < 2; i++) {
		CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 56, NAT1, 5000, 20)));
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 54, 20)));
		CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 56, NAT1, 5000, 20)));
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 54, 20)));
		/* The same after a restart in between */
		kit_stop(&k);
		kit_start(&k);
		CHECK_INT(nat_restore(k.nat, k.now, w.b, w.len, &lost), 0);
	}
	kit_stop(&k);
}

TEST(a_port_is_held_for_its_last_user)
{
	struct nat_binding b = {
		.proto = 17, .inside = IN1, .in_port = 5000, .outside = NAT1,
		.out_port = 5000,
	};

	kit_init(&k);
	kit_start(&k);
	CHECK_INT(nat_hold(k.nat, k.now, &b), 0);
	CHECK_INT(nat_hold(k.nat, k.now, &b), -EEXIST);
	b.outside = SRV1;
	CHECK_INT(nat_hold(k.nat, k.now, &b), -ENOENT);
	/* Another jail gets another port, its last user this one */
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 5000, SRV1, 53, 20)));
	CHECK(k_sport(k.out.b) != 5000);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK_INT(k_sport(k.out.b), 5000);
	kit_stop(&k);
}

/* Of the host that shares an outside address only who is known to be it may have it as source */
TEST(only_the_host_speaks_in_the_hosts_name)
{
	struct nat_packet p = { .from = NAT_INSIDE };

	kit_init(&k);
	k.cfg.filtering[NAT_UDP] = NAT_ENDPOINT;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	for (int is_host = 0; is_host < 2; is_host++) {
		struct kpkt *call = k_udp(NAT1, 40000, NAT1, 5000, 20);

		p.data = call->b;
		p.len = call->len;
		p.flags = is_host ? NAT_P_HOST : 0;
		nat_batch(k.nat, k.now, &p, 1);
		CHECK(p.verdict == (is_host ? NAT_FORWARD : NAT_DROP));
		if (is_host)
			CHECK(addr_equal(k_dst(p.data), IN1));
		else
			CHECK_STR(nat_reason_names[p.reason], "spoofed-source");
	}
	kit_stop(&k);
}
