/* SPDX-License-Identifier: BSD-2-Clause */
/* What outlives a restart of the userspace NAT, and what time does to it */
#include "unit.h"

#include "natkit.h"

static struct kit k;

static struct kit_bytes saved;

static void save(void)
{
	saved.len = 0;
	CHECK_INT(nat_save(k.nat, kit_put, &saved), 0);
}

/* Take up what was saved; how much was lost */
static uint32_t restore(void)
{
	uint32_t lost = UINT32_MAX;

	CHECK_INT(nat_restore(k.nat, k.now, saved.b, saved.len, &lost), 0);
	return lost;
}

/* Rules that change what else they can */
static bool scrubbing(void *ctx, const struct nat_ask *ask, struct nat_ruling *ret)
{
	const struct kit *kit = ctx;

	*ret = (struct nat_ruling){
		.pass = true, .icmp = -1, .keep = true, .has_src = ask->from == NAT_INSIDE,
		.to = kit->outside, .n_to = kit->cfg.n_outside, .ports = NAT_PORTS_PRESERVE,
		.port_lo = 1, .port_hi = UINT16_MAX, .max_mss = 1200, .min_ttl = 99,
		.no_df = true,
	};
	return true;
}

static struct kpkt *syn_with_mss(void)
{
	struct kpkt *p = k_tcp_data(IN1, 4000, SRV1, 80, K_SYN, 1, 0, 4);

	memcpy(p->b + 40, "\2\4\5\264", 4);	/* 1460 */
	p->b[6] = 0x40;
	p->b[32] = 6 * 16;
	k_fix(p);
	return p;
}

/* Fails where a session is saved without it: its packets would go as they come afterwards */
TEST(what_rules_change_besides_goes_on)
{
	kit_init(&k);
	k.cfg.judge = scrubbing;
	k.cfg.judge_ctx = &k;
	kit_start(&k);
	for (int i = 0; i < 3; i++) {
		CHECK(kit_send(&k, NAT_INSIDE, syn_with_mss()));
		CHECK_INT(k_get16(k.out.b + 42), 1200);
		CHECK_INT(k.out.b[8], 98);
		CHECK_INT(k.out.b[6] & 0x40, 0);
		CHECK_STR(kit_sound(k.out.b, k.out.len), NULL);
		save();
		kit_stop(&k);
		kit_start(&k);
		CHECK_INT(restore(), 0);
		/* The rules are not asked again */
		k.cfg.judge = NULL;
	}
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	kit_stop(&k);
}

/* One that is permitted by its address keeps being looked at for what else changes */
TEST(a_permission_ends_no_scrub)
{
	struct kpkt *p;

	kit_init(&k);
	k.cfg.filtering[NAT_UDP] = NAT_ADDRESS;
	k.cfg.judge = scrubbing;
	k.cfg.judge_ctx = &k;
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 54, NAT1, 5000, 20)));
	for (int i = 0; i < 2; i++) {
		p = k_udp(IN1, 5000, SRV1, (uint16_t)(53 + i), 20);
		CHECK(kit_send(&k, NAT_INSIDE, p));
		CHECK_INT(k.out.b[8], i == 0 ? 98 : 63);	/* the peer opened the second */
	}
	kit_stop(&k);
}

/* A clock of 2^64 nanoseconds, with silences of years in it */
TEST(years_of_silence_end_all)
{
	const uint64_t year = UINT64_C(365) * 86400 * 1000000000;
	static const uint32_t jumps[] = { 1, 9, 17, 100, 300, 2, 50 };

	kit_init(&k);
	k.cfg.timeout_s[NAT_T_TCP] = 1u << 24;
	kit_start(&k);
	for (uint32_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		CHECK(kit_send(&k, NAT_INSIDE, k_tcp(IN1, 4000, SRV1, 80, K_SYN, 1, 0)));
		CHECK(kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_SYN | K_ACK, 1, 2)));
		k.now += jumps[i] * year;
		CHECK(!kit_send(&k, NAT_OUTSIDE, k_tcp(SRV1, 80, NAT1, 4000, K_ACK, 2, 2)));
		while (nat_tick(k.nat, k.now))
			;
		CHECK_INT(nat_counters(k.nat)->flows, 0);
		/* Shorter times go on as ever */
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 5000, SRV1, 53, 20)));
		kit_wait(&k, 290);
		CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 20)));
		kit_wait(&k, 20);
		CHECK_INT(nat_counters(k.nat)->flows, 0);
		k.now += 130 * UINT64_C(1000000000);
	}
	kit_stop(&k);
}

/* Ten years of packets, so that ticks begin again: nothing lives longer for it */
TEST(ticks_that_wrap)
{
	const uint64_t month = UINT64_C(30) * 86400 * 1000000000;

	kit_init(&k);
	kit_start(&k);
	for (uint32_t i = 0; i < 250; i++) {
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
		k.now += month;
		while (nat_tick(k.nat, k.now))
			;
		if (!CHECK_INT(nat_counters(k.nat)->flows, 0))
			break;
	}
	kit_stop(&k);
}

/* What is there already is nobody else's, and what comes twice comes once */
TEST(restoring_over_what_is_there)
{
	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 4; i++)
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_INSIDE, k_proto(IN1, SRV1, 47, 20)));
	save();
	CHECK_INT(restore(), 4 + 4 + 1);
	CHECK_INT(nat_counters(k.nat)->flows, 5);
	kit_stop(&k);
	/* 5000 is another's by now, 5001 is held for another, 5002 for itself */
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 5000, SRV1, 53, 20)));
	for (uint16_t i = 1; i < 4; i++)
		CHECK_INT(nat_hold(k.nat, k.now, &(struct nat_binding){
			.proto = 17, .inside = i == 1 ? IN2 : IN1,
			.in_port = (uint16_t)(i == 3 ? 9 : 5000 + i), .outside = NAT1,
			.out_port = (uint16_t)(5000 + i) }), 0);
	CHECK_INT(restore(), 3 + 3);
	CHECK_INT(nat_counters(k.nat)->flows, 3);
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5000, 20)));
	CHECK(addr_equal(k_dst(k.out.b), IN2));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5001, 20)));
	CHECK(kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5002, 20)));
	CHECK(!kit_send(&k, NAT_OUTSIDE, k_udp(SRV1, 53, NAT1, 5003, 20)));
	kit_stop(&k);
}

/* Fails where a flow that ended by itself is one that was lost, or one that is made anew */
TEST(what_ended_by_itself_is_not_lost)
{
	kit_init(&k);
	kit_start(&k);
	for (uint16_t i = 0; i < 200; i++)
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
	k.now += UINT64_C(400) * 1000000000;
	/* Not all that is over is freed by the time of the next packet */
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 4000, SRV1, 53, 20)));
	CHECK(nat_counters(k.nat)->flows > 1);
	save();
	kit_stop(&k);
	kit_start(&k);
	CHECK_INT(restore(), 0);
	CHECK_INT(nat_counters(k.nat)->flows, 1);
	CHECK_INT(nat_counters(k.nat)->flows_made, 0);
	kit_stop(&k);
}

/* Into a smaller one: as much as fits, the rest is told */
TEST(restoring_into_less_room)
{
	const struct addr srv = kit_a6("2001:db8:f::10");
	uint32_t lost;

	kit_init(&k);
	k.cfg.filtering[NAT_UDP] = NAT_ADDRESS;
	kit_start(&k);
	for (uint16_t i = 0; i < 40; i++) {
		struct addr in = kit_a6("fd00:1::100");

		in.v += i;
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, (uint16_t)(5000 + i), SRV1, 53, 20)));
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(in, (uint16_t)(5000 + i), srv, 53, 20)));
	}
	save();
	kit_stop(&k);
	for (uint32_t room = 1; room < 64; room += 9) {
		k.cfg.max_flows = room;
		k.cfg.max_addr6 = room / 2;
		kit_start(&k);
		lost = restore();
		CHECK(nat_counters(k.nat)->flows <= room);
		CHECK(lost + 3 * room >= 160 && lost < 160);
		kit_wait(&k, 700);
		CHECK_INT(nat_counters(k.nat)->flows, 0);
		CHECK_INT(nat_counters(k.nat)->bindings, 0);
		CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN2, 1, SRV1, 53, 20)));
		kit_stop(&k);
	}
}

TEST(what_cannot_be_held_is_told)
{
	const struct nat_binding good = {
		.proto = 17, .inside = IN1, .in_port = 5000, .outside = NAT1, .out_port = 5000,
	};
	struct nat_binding b = good;

	kit_init(&k);
	k.cfg.max_flows = 2;
	k.cfg.max_addr6 = 0;
	kit_start(&k);
	b.inside = kit_a6("fd00:1::11");
	CHECK_INT(nat_hold(k.nat, k.now, &b), -ENOENT);
	b = good;
	b.proto = 47;
	CHECK_INT(nat_hold(k.nat, k.now, &b), -ENOENT);
	/* Two lived, so neither makes way */
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 6000, SRV1, 53, 20)));
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 6001, SRV1, 53, 20)));
	CHECK_INT(nat_hold(k.nat, k.now, &good), -ENOSPC);
	kit_wait(&k, 310);
	CHECK_INT(nat_hold(k.nat, k.now, &good), 0);
	b = (struct nat_binding){ .proto = 17, .in_port = 5000, .outside = k.outside[1] };
	for (uint16_t i = 1; i < 20; i++) {
		b.inside = kit_a6("fd00:1::11");
		b.inside.v += i;
		b.out_port = i;
		if (nat_hold(k.nat, k.now, &b) != 0)
			CHECK_INT(nat_hold(k.nat, k.now, &b), -ENOSPC);
	}
	CHECK_INT(nat_counters(k.nat)->held, 2);
	kit_stop(&k);
}

/* Saved bytes that are another's */
TEST(bytes_of_another_kind)
{
	uint8_t b[64] = { 0x53, 0x50, 0x4e, 0x41, 0, 0, 0, 2 };

	CHECK_INT((intmax_t)nat_saved_bytes(b, sizeof(b)), sizeof(b));
	b[7] = 1;
	CHECK_INT((intmax_t)nat_saved_bytes(b, sizeof(b)), 24);
	b[0] = 0;
	CHECK_INT((intmax_t)nat_saved_bytes(b, sizeof(b)), sizeof(b));
}

TEST(numbers_behind_the_last_are_nothing)
{
	struct nat_flow f;
	struct nat_binding b;

	kit_init(&k);
	kit_start(&k);
	CHECK(kit_send(&k, NAT_INSIDE, k_udp(IN1, 6000, SRV1, 53, 20)));
	CHECK(nat_flow_at(k.nat, k.p.flow - 1, &f));
	CHECK(!nat_flow_at(k.nat, nat_flow_slots(k.nat), &f));
	CHECK(!nat_flow_at(k.nat, UINT32_MAX, &f));
	CHECK(nat_binding_at(k.nat, f.binding - 1, &b));
	CHECK(!nat_binding_at(k.nat, nat_binding_slots(k.nat), &b));
	CHECK(!nat_binding_at(k.nat, UINT32_MAX, &b));
	kit_stop(&k);
}
