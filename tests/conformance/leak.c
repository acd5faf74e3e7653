/* SPDX-License-Identifier: BSD-2-Clause */
/* What a jail may send, malformed or out of place: nothing leaves with its own source */
#include "lines.h"

static unsigned int n_classes, n_leaks;

/* Send it and look at all that leaves */
static void try(const struct kpkt *p)
{
	const bool gone = kit_send(&k, NAT_INSIDE, p) && k.p.to == NAT_OUTSIDE;

	n_classes++;
	n_leaks += gone && !addr_equal(k_src(k.out.b), NAT1) &&
		   !addr_equal(k_src(k.out.b), k.outside[1]);
	for (uint32_t i = 0; i < k.n_made; i++)
		n_leaks += k.made[i].to == NAT_OUTSIDE &&
			   (addr_is_private(k_src(made(i))) || made(i)[0] >> 4 != 4);
}

static void try_tcp(void)
{
	static const uint8_t flags[] = {
		0, K_SYN | K_FIN, K_RST, K_FIN | K_ACK, K_ACK, K_SYN | K_RST, K_SYN | K_ACK,
		K_FIN, K_FIN | K_PSH | 0x20, 0xff, K_PSH,
	};
	struct kpkt *p;

	for (uint32_t i = 0; i < ARRAY_SIZE(flags); i++)
		try(k_tcp(IN1, 3000, SRV2, 81, flags[i], 1, 1));
	tcp_open(4000);
	try(k_tcp_data(IN1, 4000, SRV1, 80, K_ACK, 0x70000000, 5001, 100));	/* out of window */
	try(k_tcp(IN1, 4000, SRV1, 80, K_SYN | K_FIN, 1, 1));
	try(k_tcp(IN1, 4000, SRV1, 80, K_RST, 0x50000000, 1));
	p = k_tcp(IN1, 4001, SRV1, 80, K_SYN, 1, 0);
	p->b[36] ^= 0x10;						/* bad checksum */
	try(p);
	p = k_tcp(IN1, 4002, SRV1, 80, K_SYN, 1, 0);
	p->b[32] = 0x40;						/* header too short */
	try(p);
	p->b[32] = 0xf0;						/* and too long */
	try(p);
	p = k_proto(IN1, SRV1, 6, 12);					/* not all of it */
	try(p);
}

static void try_udp(void)
{
	struct kpkt *p = k_udp(IN1, 5000, SRV1, 53, 20);

	p->b[26] ^= 0x10;
	try(p);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	k_put16(p->b + 24, 4);
	try(p);
	k_put16(p->b + 24, 400);
	try(p);
	try(k_udp(IN1, 0, SRV1, 0, 20));
	try(k_proto(IN1, SRV1, 17, 3));
	try(k_udp(addr_v4(169, 254, 1, 1), 5, SRV1, 53, 20));
	try(k_udp(addr_v4(240, 0, 0, 1), 5, SRV1, 53, 20));
	try(k_udp(addr_v4(127, 0, 0, 1), 5, SRV1, 53, 20));
	try(k_udp(addr_v4(0, 0, 0, 1), 5, SRV1, 53, 20));
	try(k_udp(addr_v4(192, 168, 7, 7), 5, SRV1, 53, 20));
	try(k_udp(SRV2, 5, SRV1, 53, 20));
	try(k_udp(IN1, 5, addr_v4(255, 255, 255, 255), 53, 20));
	try(k_udp(IN1, 5, addr_v4(224, 0, 0, 251), 5353, 20));
	try(k_udp(IN1, 5, addr_v4(127, 0, 0, 1), 53, 20));
	try(k_udp(IN1, 5, IN1, 5, 20));					/* land */
	try(k_udp(IN1, 5, NAT1, 5, 20));
}

static void try_icmp(void)
{
	static const uint8_t types[] = { 0, 1, 2, 4, 5, 6, 7, 9, 10, 14, 15, 16, 30, 40, 200, 255 };
	struct kpkt *q = k_udp(SRV1, 53, IN1, 5999, 20), *p;

	for (uint32_t i = 0; i < ARRAY_SIZE(types); i++)
		try(k_icmp(IN1, SRV1, types[i], 0, 1, 30));
	try(k_error(IN1, SRV1, 3, 3, 0, q->b, q->len, 0));		/* of no flow */
	try(k_error(IN1, SRV1, 3, 3, 0, q->b, 10, 0));			/* too short */
	p = k_error(IN1, SRV1, 3, 3, 0, q->b, q->len, 0);
	try(k_error(IN1, SRV1, 3, 3, 0, p->b, p->len, 0));		/* about an error */
	try(k_proto(IN1, SRV1, 1, 4));
	try(k_proto(IN1, SRV1, 58, 20));
}

static void try_ip(void)
{
	static const uint8_t bad[8] = { 7, 40, 4 }, lsrr[8] = { 131, 7, 4, 1, 2, 3, 4, 0 };
	struct kpkt *p = k_udp(IN1, 5000, SRV1, 53, 20);

	p->b[10] ^= 1;
	try(p);
	p = k_udp(IN1, 5000, SRV1, 53, 20);
	p->b[0] = 0x55;
	try(p);
	try(k_options(k_udp(IN1, 5000, SRV1, 53, 20), bad, 8));
	try(k_options(k_udp(IN1, 5000, SRV1, 53, 20), lsrr, 8));
	try(k_proto(IN1, SRV1, 132, 4));
	try(k_proto(IN1, SRV1, 132, 40));
	try(k_proto(IN1, SRV1, 33, 6));
	try(k_proto(IN1, SRV1, 0, 20));
	try(k_proto(IN1, SRV1, 255, 20));
	try(k_proto(IN1, SRV1, 50, 40));
	try(k_fragment(k_udp(IN1, 5000, SRV1, 53, 2000), 1400, 608, false));
	try(k_fragment(k_udp(IN1, 5001, SRV1, 53, 2000), 0, 1400, true));
	try(k_fragment(k_udp(IN1, 5001, SRV1, 53, 2000), 800, 608, true));
	try(k_udp(kit_a6("fe80::1"), 5, kit_a6("2001:db8:f::10"), 53, 20));
	try(k_udp(kit_a6("fd00:9::1"), 5, kit_a6("2001:db8:f::10"), 53, 20));
	try(k_udp(kit_a6("fd00:1::11"), 5, kit_a6("ff02::1"), 53, 20));
	try(k_udp(kit_a6("::1"), 5, kit_a6("2001:db8:f::10"), 53, 20));
	try(k_icmp(kit_a6("fd00:1::11"), kit_a6("2001:db8:f::10"), 135, 0, 1, 20));
}

LINE(leak, "leak", MUST, "of 40 classes of odd packets none leaves with a source of the inside")
{
	plain();
	n_classes = n_leaks = 0;
	try_tcp();
	try_udp();
	try_icmp();
	try_ip();
	WANT(n_classes >= 40);
	WANT(n_leaks == 0);
	WANT(nat_counters(k.nat)->dropped[NAT_R_NONE] == 0);
}
