/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 6296: prefixes translated without state */
#include "lines.h"

static struct nat_npt npt;

static struct prefix p6(const char *text, uint8_t len)
{
	return (struct prefix){ kit_a6(text), len };
}

/* A NAT that only translates between these prefixes */
static void between(struct prefix inside, struct prefix outside)
{
	setup();
	npt = (struct nat_npt){ inside, outside };
	k.cfg.npt = &npt;
	k.cfg.n_npt = 1;
	kit_start(&k);
}

/* The prefixes of the RFC's example */
static void example(void)
{
	between(p6("fd01:203:405::", 48), p6("2001:db8:1::", 48));
}

#define HOST	kit_a6("fd01:203:405:1::1234")
#define MAPPED	kit_a6("2001:db8:1:d550::1234")
#define PEER	kit_a6("2001:db8:f::10")

static bool send(struct addr src)
{
	return kit_send(&k, NAT_INSIDE, k_udp(src, 5000, PEER, 53, 20)) && k.p.to == NAT_OUTSIDE &&
	       kit_sound(k.out.b, k.out.len) == NULL;
}

static bool receive(struct addr dst)
{
	return kit_send(&k, NAT_OUTSIDE, k_udp(PEER, 53, dst, 5000, 20)) &&
	       k.p.to == NAT_INSIDE && kit_sound(k.out.b, k.out.len) == NULL;
}

LINE(pex, "6296-ex", MUST, "the worked example, both ways")
{
	example();
	WANT(send(HOST) && addr_equal(k_src(k.out.b), MAPPED));
	WANT(receive(MAPPED) && addr_equal(k_dst(k.out.b), HOST));
}

LINE(p32, "6296-3.2", MUST, "out: the prefix replaced, the word adjusted, 0xffff becomes 0")
{
	bool zero = false, ones = false;

	example();
	for (uint32_t subnet = 0; subnet < 0xffff; subnet++) {
		const struct addr a = { AF_V6, kit_a6("fd01:203:405::1").v | (u128)subnet << 64 };
		uint16_t word;

		if (!send(a))
			break;
		word = (uint16_t)(k_src(k.out.b).v >> 64);
		zero |= word == 0;
		ones |= word == 0xffff;
	}
	WANT(zero && !ones);
	WANT((uint64_t)(k_src(k.out.b).v >> 80) == 0x20010db80001);
}

LINE(p33, "6296-3.3", MUST, "in after out is identity, for all subnets of many prefixes")
{
	uint64_t x = 5;
	uint32_t wrong = 0;

	for (int pair = 0; pair < 8; pair++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		between((struct prefix){ { AF_V6, (u128)0xfd << 120 | (u128)(x >> 24) << 80 }, 48 },
			(struct prefix){ { AF_V6, (u128)0x2001 << 112 | (u128)(x >> 40) << 80 },
					 48 });
		for (uint32_t subnet = 0; subnet < 0xffff; subnet += pair == 0 ? 1 : 101) {
			const struct addr a = {
				AF_V6, (npt.inside.a.v >> 80 << 80) | (u128)subnet << 64 | 0x77,
			};

			wrong += !send(a) || !receive(k_src(k.out.b)) ||
				 !addr_equal(k_dst(k.out.b), a);
		}
	}
	WANT(wrong == 0);
}

LINE(pneutral, "6296-neutral", MUST, "no L4 checksum changes, of unknown protocols neither")
{
	struct kpkt *p;

	example();
	p = k_tcp(HOST, 5000, PEER, 80, K_SYN, 1, 0);
	WANT(kit_send(&k, NAT_INSIDE, p) && memcmp(k.out.b + 40, p->b + 40, p->len - 40) == 0);
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
	p = k_proto(HOST, PEER, 200, 50);
	WANT(kit_send(&k, NAT_INSIDE, p) && memcmp(k.out.b + 40, p->b + 40, 50) == 0);
	p = k_fragment(k_udp(HOST, 5000, PEER, 53, 2000), 1400, 608, false);
	WANT(kit_send(&k, NAT_INSIDE, p) && addr_equal(k_src(k.out.b), MAPPED));
}

LINE(p48, "6296-48", MUST, "with /48 the subnet is adjusted, the interface id stays")
{
	example();
	WANT(send(kit_a6("fd01:203:405:7:1:2:3:4")));
	WANT((uint64_t)k_src(k.out.b).v == 0x0001000200030004);
}

LINE(p49, "6296-49", SHOULD, "with longer ones the first word of the id that is not 0xffff")
{
	between(p6("fd00:1:2:3::", 64), p6("2001:db8:1:7::", 64));
	WANT(send(kit_a6("fd00:1:2:3:ffff:5:6:7")));
	WANT((uint64_t)(k_src(k.out.b).v >> 64) == 0x20010db800010007);
	WANT((uint16_t)(k_src(k.out.b).v >> 48) == 0xffff);
	WANT((uint32_t)k_src(k.out.b).v == 0x00060007);
	WANT(receive(k_src(k.out.b)));
	WANT(addr_equal(k_dst(k.out.b), kit_a6("fd00:1:2:3:ffff:5:6:7")));
}

LINE(plen, "6296-len", MUST, "the shorter prefix is extended with zeroes")
{
	between(p6("fd01:203:405::", 48), p6("2001:db8::", 32));
	WANT(send(kit_a6("fd01:203:405:1::9")));
	WANT((uint64_t)(k_src(k.out.b).v >> 80) == 0x20010db80000);
	WANT(receive(k_src(k.out.b)) && addr_equal(k_dst(k.out.b), kit_a6("fd01:203:405:1::9")));
}

LINE(pnomap, "6296-nomap", SHOULD, "what cannot be mapped is dropped, and its sender told")
{
	example();
	WANT(!send(kit_a6("fd01:203:405:ffff::1")) && k.p.reason == NAT_R_NPT_UNMAPPED);
	WANT(made_error(1, 0) != NULL);
	between(p6("fd00:1:2:3::", 64), p6("2001:db8:1:7::", 64));
	WANT(!send(kit_a6("fd00:1:2:3:ffff:ffff:ffff:ffff")));
	WANT(k.p.reason == NAT_R_NPT_UNMAPPED);
}

LINE(piid, "6296-iid0", MUST, "an all-zero id with a long prefix: dropped, parameter problem")
{
	between(p6("fd00:1:2:3::", 64), p6("2001:db8:1:7::", 64));
	WANT(!send(kit_a6("fd00:1:2:3::")) && k.p.reason == NAT_R_NPT_IID);
	WANT(made_error(4, 0) != NULL && k_get32(made(0) + 44) == 8);
}

LINE(pcfg, "6296-cfg", MUST, "any pair of unicast prefixes")
{
	for (uint8_t len = 16; len <= 112; len += 8) {
		setup();
		npt = (struct nat_npt){ p6("fd01:203:405:6:7:8:9:0", len),
					p6("3fff:db8:1:2:3:4:5:0", len) };
		k.cfg.npt = &npt;
		k.cfg.n_npt = 1;
		WANT(nat_config_check(&k.cfg) == NULL);
		kit_start(&k);
		WANT(send(kit_a6("fd01:203:405:6:7:8:9:1")));
		WANT(receive(k_src(k.out.b)));
		WANT(addr_equal(k_dst(k.out.b), kit_a6("fd01:203:405:6:7:8:9:1")));
	}
}

LINE(phair, "6296-hairpin", MUST, "inside to an own outside address: both are translated")
{
	struct addr b;

	example();
	WANT(send(kit_a6("fd01:203:405:2::5")));
	b = k_src(k.out.b);
	WANT(kit_send(&k, NAT_INSIDE, k_udp(HOST, 5000, b, 53, 20)) && k.p.to == NAT_INSIDE);
	WANT(addr_equal(k_src(k.out.b), MAPPED));
	WANT(addr_equal(k_dst(k.out.b), kit_a6("fd01:203:405:2::5")));
	WANT(kit_sound(k.out.b, k.out.len) == NULL);
}

LINE(pnoport, "6296-noport", MUST, "ports stay, nothing is remembered: a restart is not seen")
{
	example();
	WANT(send(HOST) && k_sport(k.out.b) == 5000);
	WANT(nat_counters(k.nat)->flows == 0 && nat_counters(k.nat)->bindings == 0);
	kit_stop(&k);
	kit_start(&k);
	WANT(receive(MAPPED) && addr_equal(k_dst(k.out.b), HOST) && k_dport(k.out.b) == 5000);
}
