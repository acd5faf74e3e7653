/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ipfw ruleset of seed.h, evaluated: each packet must take the rules that
 * FreeBSD's own ipfw took for it.
 */
#include "base/limits.h"
#include "model/eval.h"
#include "seed.h"
#include "unit.h"

static struct arena arena;
static struct seed seed;
static struct world world;
static struct packet last;	/* as it went on, for replies */

static void start(bool one_pass)
{
	arena_fini(&arena);
	arena_init(&arena, LIMIT_ARENA_BYTES);
	seed_init(&seed, &arena, one_pass);
	world_init(&world, &arena);
	world.draw = 4711;
}

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	if (addr_parse(text, strlen(text), &a) < 0)
		abort();
	return a;
}

static struct packet packet(enum direction dir, const char *iface, uint8_t proto,
			    const char *src, uint16_t sport, const char *dst, uint16_t dport,
			    uint8_t flags)
{
	return (struct packet){
		.dir = dir, .iface = intern_cid(&seed.names, iface), .proto = proto,
		.src = addr(src), .dst = addr(dst), .sport = sport, .dport = dport,
		.tcp_flags = flags, .icmp_type = proto == PROTO_ICMP ? 8 : 0,
	};
}

/* "1000 10000 10001 pass": the numbers of the rules that took part, the verdict */
static const char *trace(const struct packet *p)
{
	struct result r = model_eval(&seed.m, &world, p, &arena);
	char *text = arena_printf(&arena, "%s", "");

	for (uint32_t i = 0; i < r.steps.n; i++) {
		const struct step *s = &r.steps.v[i];

		if (s->origin.text == NULL)
			text = arena_printf(&arena, "%s65535 ", text);
		else if (strcmp(s->effect, "state") == 0)
			text = arena_printf(&arena, "%sdyn(%d) ", text, atoi(s->origin.text));
		else
			text = arena_printf(&arena, "%s%d ", text, atoi(s->origin.text));
	}
	last = r.packet;
	return arena_printf(&arena, "%s%s", text, r.verdict == V_PASS ? "pass" : "block");
}

/* The answer to the last packet, as the other host sends it */
static struct packet reply(const char *iface, uint8_t flags)
{
	struct packet p = last;

	p.dir = last.dir == DIR_OUT ? DIR_IN : DIR_OUT;
	p.iface = intern_cid(&seed.names, iface);
	p.src = last.dst;
	p.dst = last.src;
	p.sport = last.dport;
	p.dport = last.sport;
	p.tcp_flags = flags;
	return p;
}

#define S	TCP_FLAG_SYN
#define A	TCP_FLAG_ACK

TEST(is_well_formed)
{
	start(false);
	CHECK_STR(model_check(&seed.m), NULL);
}

TEST(dns_out_and_back)
{
	struct packet p;

	start(false);
	p = packet(DIR_OUT, "em0", PROTO_UDP, "10.1.0.2", 5353, "8.8.8.8", 53, 0);
	CHECK_STR(trace(&p), "1000 10000 10001 pass");
	CHECK(addr_equal(last.src, addr("198.51.100.2")));
	CHECK(last.sport >= 0x8000);
	p = reply("em0", 0);
	CHECK_STR(trace(&p), "100 dyn(1000) 1000 10001 pass");
	CHECK(addr_equal(last.dst, addr("10.1.0.2")));
	CHECK_INT(last.dport, 5353);
}

TEST(web_out_and_back)
{
	struct packet p;

	start(false);
	p = packet(DIR_OUT, "em0", PROTO_TCP, "10.1.0.2", 1111, "9.9.9.9", 443, S);
	CHECK_STR(trace(&p), "1100 10000 10001 pass");
	p = reply("em0", S | A);
	CHECK_STR(trace(&p), "100 dyn(1100) 1100 10001 pass");
	CHECK(addr_equal(last.dst, addr("10.1.0.2")));
	p = packet(DIR_OUT, "em0", PROTO_TCP, "10.1.0.2", 1111, "9.9.9.9", 443, A);
	CHECK_STR(trace(&p), "dyn(1100) 1100 10000 10001 pass");
	CHECK(last.sport >= 0x8000);
}

TEST(hosts_own_packets_are_translated_too)
{
	struct packet p;

	start(false);
	p = packet(DIR_OUT, "em0", PROTO_UDP, "198.51.100.2", 4000, "8.8.8.8", 53, 0);
	CHECK_STR(trace(&p), "1000 10000 10001 pass");
	CHECK(last.sport >= 0x8000);
	p = reply("em0", 0);
	CHECK_STR(trace(&p), "100 dyn(1000) 1000 10001 pass");
	CHECK_INT(last.dport, 4000);
}

TEST(unasked_packets_from_outside)
{
	struct packet p;

	start(false);
	p = packet(DIR_IN, "em0", PROTO_UDP, "7.7.7.7", 2222, "198.51.100.2", 23, 0);
	CHECK_STR(trace(&p), "100 9999 block");
	p = packet(DIR_IN, "em0", PROTO_TCP, "7.7.7.7", 2222, "198.51.100.2", 23, S);
	CHECK_STR(trace(&p), "100 9999 block");
	p = packet(DIR_IN, "em0", PROTO_TCP, "7.7.7.7", 2222, "198.51.100.2", 23, A);
	CHECK_STR(trace(&p), "100 2000 pass");
	p = packet(DIR_IN, "em0", PROTO_TCP, "7.7.7.7", 3333, "198.51.100.2", 80, S);
	CHECK_STR(trace(&p), "100 5200 pass");
}

TEST(ssh_in_and_its_answer)
{
	struct packet p;

	start(false);
	p = packet(DIR_IN, "em0", PROTO_TCP, "7.7.7.7", 2222, "198.51.100.2", 22, S);
	CHECK_STR(trace(&p), "100 6100 pass");
	p = packet(DIR_OUT, "em0", PROTO_TCP, "198.51.100.2", 22, "7.7.7.7", 2222, S | A);
	CHECK_STR(trace(&p), "dyn(6100) 6100 pass");
	CHECK_INT(last.sport, 22);
}

TEST(spoofed_sources)
{
	struct packet p;

	start(false);
	p = packet(DIR_IN, "em0", PROTO_UDP, "10.1.0.2", 53, "198.51.100.2", 5353, 0);
	CHECK_STR(trace(&p), "50 block");
	p = packet(DIR_IN, "em0", PROTO_UDP, "198.51.100.2", 53, "198.51.100.2", 5353, 0);
	CHECK_STR(trace(&p), "50 block");
	p = packet(DIR_IN, "em1", PROTO_UDP, "198.51.100.77", 53, "198.51.100.2", 5353, 0);
	CHECK_STR(trace(&p), "50 block");
	p = packet(DIR_IN, "em0", PROTO_UDP, "198.51.100.77", 53, "198.51.100.2", 5353, 0);
	CHECK_STR(trace(&p), "100 9999 block");
}

TEST(private_sources_that_leave)
{
	struct packet p;

	start(false);
	p = packet(DIR_OUT, "em0", PROTO_TCP, "10.1.0.2", 3001, "9.9.9.9", 25, S);
	CHECK_STR(trace(&p), "6200 pass");
	CHECK(addr_equal(last.src, addr("10.1.0.2")));
	p = packet(DIR_OUT, "em0", PROTO_ICMP, "10.1.0.2", 99, "9.9.9.9", 99, 0);
	CHECK_STR(trace(&p), "6300 pass");
	CHECK(addr_equal(last.src, addr("10.1.0.2")));
}

TEST(between_jails)
{
	struct packet p;

	start(false);
	p = packet(DIR_OUT, "lo1", PROTO_TCP, "10.1.0.2", 4444, "10.1.0.1", 80, S);
	CHECK_STR(trace(&p), "25 pass");
	p.dir = DIR_IN;
	CHECK_STR(trace(&p), "25 pass");
	p = packet(DIR_IN, "lo0", PROTO_TCP, "10.1.0.2", 4444, "198.51.100.2", 80, S);
	CHECK_STR(trace(&p), "10 pass");
}

TEST(one_pass_ends_at_nat)
{
	struct packet p;

	start(true);
	p = packet(DIR_OUT, "em0", PROTO_UDP, "10.1.0.2", 5353, "8.8.8.8", 53, 0);
	CHECK_STR(trace(&p), "1000 10000 pass");
	p = reply("em0", 0);
	CHECK_STR(trace(&p), "100 pass");
	CHECK(addr_equal(last.dst, addr("10.1.0.2")));
	p = packet(DIR_OUT, "em0", PROTO_TCP, "10.1.0.2", 1111, "9.9.9.9", 443, S);
	CHECK_STR(trace(&p), "1100 10000 pass");
	p = reply("em0", S | A);
	CHECK_STR(trace(&p), "100 pass");
	p = packet(DIR_IN, "em0", PROTO_TCP, "7.7.7.7", 2222, "198.51.100.2", 23, S);
	CHECK_STR(trace(&p), "100 pass");
	CHECK_INT(last.dport, 23);
}
