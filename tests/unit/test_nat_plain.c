/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way of most packets does what the long one does, to the byte */
#include "unit.h"

#include "nat/plain.h"
#include "natkit.h"

#define HOSTS	6u
#define STEPS	60000u

static struct kit fast, slow;

/* A packet of one of few flows, in either direction; @port: of the outside end */
static struct kpkt draw_packet(enum nat_side from, uint16_t port)
{
	static const uint8_t flags[] = { K_ACK, K_ACK, K_ACK, K_SYN, K_SYN | K_ACK, K_FIN | K_ACK,
					 K_RST, K_RST | K_ACK, K_PSH | K_ACK, 0 };
	const struct addr in = addr_v4(10, 0, 0, (uint8_t)(1 + unit_below(HOSTS)));
	const uint16_t in_port = (uint16_t)(5000 + unit_below(3));
	const bool out = from == NAT_INSIDE;
	const struct addr src = out ? in : SRV1, dst = out ? SRV1 : NAT1;
	const uint16_t sport = out ? in_port : 80, dport = out ? 80 : port;

	if (unit_below(2) == 0)
		return *k_udp(src, sport, dst, dport, (uint32_t)unit_below(40));
	return *k_tcp(src, sport, dst, dport, flags[unit_below(sizeof(flags))],
		      (uint32_t)unit_below(100000), (uint32_t)unit_below(100000));
}

/* What a plain packet is not: options of headers, a low TTL, wrong sums and lengths */
static void spoil(struct kpkt *p)
{
	const uint32_t at = 1 + (uint32_t)unit_below(p->len - 1);	/* not the version */

	switch (unit_below(10)) {
	case 0:
		p->b[at] = (uint8_t)unit_random();
		break;
	case 1:
		p->b[at] = (uint8_t)unit_random();
		k_fix(p);
		break;
	case 2:
		p->b[8] = (uint8_t)unit_below(4);
		k_fix(p);
		break;
	case 3:
		p->b[6] ^= 0x40;
		k_fix(p);
		break;
	case 4:
		p->len -= (uint32_t)unit_below(p->len);
		break;
	case 5:
		p->len += 12;		/* padded by the link */
		break;
	default:
		break;
	}
}

static struct nat_packet packet_of(struct kpkt *p, enum nat_side from, uint8_t flags)
{
	return (struct nat_packet){ .data = p->b, .len = p->len, .from = (uint8_t)from,
				    .flags = flags };
}

/* Does @p mean the same read in either way */
static bool reads_alike(const struct kpkt *p, enum nat_side from)
{
	struct kpkt copy[2] = { *p, *p };
	struct nat_packet a = packet_of(&copy[0], from, 0), b = packet_of(&copy[1], from, 0);
	struct view x, y;

	if (!plain_read(fast.nat, &a, &x))
		return a.len == p->len;
	return view_read(fast.nat, &b, &y) == NAT_R_NONE && a.len == b.len && x.len == y.len &&
	       x.l4 == y.l4 && x.frag == y.frag && x.is_v6 == y.is_v6 &&
	       x.has_opts == y.has_opts && x.proto == y.proto && x.kind == y.kind &&
	       x.from == y.from && x.tcp_flags == y.tcp_flags && x.hash == y.hash &&
	       memcmp(&x.at, &y.at, sizeof(x.at)) == 0;
}

static void start(struct kit *k)
{
	kit_init(k);
	k->cfg.key[0] = 17;
	kit_start(k);
	nat_tick(k->nat, k->now);
}

TEST(the_short_way_is_the_long_way)
{
	struct kpkt one, other;
	uint32_t n_forwarded = 0;

	start(&fast);
	start(&slow);
	for (uint32_t i = 0; i < STEPS && unit.n_failed == 0; i++) {
		const enum nat_side from = unit_below(2) == 0 ? NAT_INSIDE : NAT_OUTSIDE;
		const uint8_t flags = unit_below(20) == 0 ? NAT_P_PARTIAL : 0;
		struct nat_packet a, b;

		one = draw_packet(from, (uint16_t)(5000 + unit_below(3)));
		spoil(&one);
		CHECK(reads_alike(&one, from));
		other = one;
		a = packet_of(&one, from, flags);
		b = packet_of(&other, from, flags);
		fast.now = slow.now += unit_below(50000000);
		nat_batch(fast.nat, fast.now, &a, 1);
		while (nat_tick(slow.nat, slow.now))
			;
		path_packet(slow.nat, &b);
		CHECK_INT(a.verdict, b.verdict);
		CHECK_INT(a.reason, b.reason);
		CHECK_INT(a.len, b.len);
		CHECK_INT(a.flow, b.flow);
		CHECK(a.verdict != NAT_FORWARD || memcmp(one.b, other.b, a.len) == 0);
		n_forwarded += a.verdict == NAT_FORWARD;
	}
	CHECK(n_forwarded > STEPS / 4);
	CHECK_INT((intmax_t)nat_counters(fast.nat)->translated,
		  (intmax_t)nat_counters(slow.nat)->translated);
	CHECK_INT((intmax_t)nat_counters(fast.nat)->forwarded[NAT_OUTSIDE],
		  (intmax_t)nat_counters(slow.nat)->forwarded[NAT_OUTSIDE]);
	kit_stop(&fast);
	kit_stop(&slow);
}
