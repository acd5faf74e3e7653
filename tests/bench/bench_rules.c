/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_rules - what a new flow costs where rules are asked
 *
 *	nat-new-flow-SHAPE-N		nanoseconds for a new flow of the userspace NAT, rules
 *					and all
 *	nat-new-flow-SHAPE-N-ratio	by that of the first N of its shape
 *	nat-judge-SHAPE-N-one-by-one	nanoseconds for a question to rules that are not sorted
 *	nat-judge-SHAPE-N		and to those that are
 *
 * Shapes: `rules`, N pass rules for an address and a port each behind a block, last
 * match counts; `quick`, the same with quick; `forwards`, N redirects beside 100
 * rules, flows from outside.  Each flow is for another rule, at random.  Medians of
 * batches of 32, as in bench_nat.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/nat_rules.h"
#include "natkit.h"
#include "prove_case.h"

#define FLOWS	6400u

static uint32_t peer_of(uint32_t rule)
{
	return 0x08000000u + rule * 7;
}

static uint16_t port_of(uint32_t rule)
{
	return (uint16_t)(1000 + rule * 5 % 60000);
}

static char *text_of(const char *shape, uint32_t n)
{
	const char *quick = strcmp(shape, "quick") == 0 ? " quick" : "";
	const bool forwards = strcmp(shape, "forwards") == 0;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	BUG_IF(f == NULL);
	fprintf(f, "nat on igb0 inet from 10.0.0.0/8 to any -> 203.0.113.2\n");
	for (uint32_t i = 0; forwards && i < n; i++)
		fprintf(f, "rdr on igb0 inet proto udp from any to 203.0.113.2 port %u -> "
			"10.0.%u.%u port 80\n", port_of(i), i / 250 % 250, i % 250 + 1);
	fprintf(f, "%s", forwards ? "" : "block out on igb0\n");
	for (uint32_t i = 0; i < (forwards ? 100 : n); i++)
		fprintf(f, "pass %s%s on igb0 inet proto udp from %s to %u.%u.%u.%u port %u\n",
			forwards ? "in" : "out", quick, forwards ? "any" : "203.0.113.2",
			peer_of(i) >> 24, peer_of(i) >> 16 & 255, peer_of(i) >> 8 & 255,
			peer_of(i) & 255, port_of(i));
	if (forwards)
		fprintf(f, "pass in on igb0 inet proto udp from any to 10.0.0.0/8 port 80\n");
	fclose(f);
	return text;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double times[FLOWS];

static double median(uint32_t n)
{
	qsort(times, n, sizeof(times[0]), by_value);
	return times[n / 2];
}

/* The first packet of flow @i, for some rule */
static const struct kpkt *packet_of(uint32_t i, uint32_t n, bool out)
{
	const uint32_t rule = (uint32_t)(((uint64_t)i * 2654435761u & 0xffffffffu) * n >> 32);
	const struct addr in = { AF_V4, 0x0a000001u + i / 4000 };
	const struct addr peer = { AF_V4, out ? peer_of(rule) : 0x09000001u + i / 4000 };
	const uint16_t port = (uint16_t)(1024 + i % 4000);

	return out ? k_udp(in, port, peer, port_of(rule), 22)
		   : k_udp(peer, port, addr_v4(203, 0, 113, 2), port_of(rule), 22);
}

/* Nanoseconds a flow */
static double open_flows(struct nat *nat, uint32_t n, bool out)
{
	static uint8_t bytes[NAT_BATCH][64];
	struct nat_packet p[NAT_BATCH];
	uint32_t n_times = 0;

	for (uint32_t i = 0; i < FLOWS; i += NAT_BATCH) {
		double t;

		for (uint32_t k = 0; k < NAT_BATCH; k++) {
			const struct kpkt *one = packet_of(i + k, n, out);

			memcpy(bytes[k], one->b, one->len);
			p[k] = (struct nat_packet){ .data = bytes[k], .len = one->len,
						    .from = out ? NAT_INSIDE : NAT_OUTSIDE };
		}
		t = now_ns();
		nat_batch(nat, 1000000000, p, NAT_BATCH);
		times[n_times++] = (now_ns() - t) / NAT_BATCH;
		for (uint32_t k = 0; k < NAT_BATCH; k++)
			BUG_IF(p[k].verdict != NAT_FORWARD);
	}
	return median(n_times);
}

static double ask(struct nat_rules *r, uint32_t n, bool out)
{
	const uint32_t some = 1000;

	for (uint32_t i = 0; i < some; i++) {
		const uint8_t *ip = packet_of(i, n, out)->b;
		const struct nat_ask q = {
			.from = out ? NAT_INSIDE : NAT_OUTSIDE, .proto = PROTO_UDP,
			.src = k_src(ip), .dst = k_dst(ip), .sport = k_sport(ip),
			.dport = k_dport(ip),
		};
		struct nat_ruling ruling;
		const double t = now_ns();

		BUG_IF(!nat_rules_judge(r, &q, &ruling) || !ruling.pass);
		times[i] = now_ns() - t;
	}
	return median(some);
}

/* Nanoseconds of a new flow; prints all */
static double measure(const char *shape, uint32_t n, double first)
{
	static const struct addr outside = { AF_V4, 0xcb007102u };
	static const bool off[N_POLICIES] = {
		[POLICY_INTERIOR] = true, [POLICY_SOURCE] = true, [POLICY_EGRESS] = true,
		[POLICY_LOCAL] = true,
	};
	const bool out = strcmp(shape, "forwards") != 0;
	const struct prefix inside = { { AF_V4, 0x0a000000 }, 8 };
	CLEANUP(base_free) char *text = text_of(shape, n);
	CLEANUP(base_free) void *mem = NULL;
	struct nat_config cfg;
	struct prove_case c;
	struct nat_rules r;
	const struct ruletree *tree;
	struct nat *nat;
	double ns;

	prove_case_text(&c, text, off);
	BUG_IF(c.diags.n_errors > 0);
	r = (struct nat_rules){ .m = &c.m, .outside_if = intern_cid(&c.names, "igb0"),
				.outside = &outside, .n_outside = 1, .keep_lo = 1,
				.keep_hi = UINT16_MAX };
	BUG_IF(nat_rules_make(&r, &c.a) < 0);
	nat_config_init(&cfg);
	cfg.inside = &inside;
	cfg.outside = &outside;
	cfg.n_inside = cfg.n_outside = 1;
	for (uint64_t i = 0; i < ARRAY_SIZE(cfg.key); i++)
		cfg.key[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	cfg.judge = nat_rules_judge;
	cfg.judge_ctx = &r;
	mem = malloc(nat_bytes(&cfg));
	BUG_IF(mem == NULL || nat_init(&cfg, mem, &nat) < 0);
	ns = open_flows(nat, n, out);
	printf("nat-new-flow-%s-%u %.0f ns\n", shape, n, ns);
	if (first > 0)
		printf("nat-new-flow-%s-%u-ratio %.2f x\n", shape, n, ns / first);
	tree = r.tree;
	r.tree = NULL;
	printf("nat-judge-%s-%u-one-by-one %.0f ns\n", shape, n, ask(&r, n, out));
	r.tree = tree;
	printf("nat-judge-%s-%u %.0f ns\n", shape, n, ask(&r, n, out));
	nat_rules_fini(&r);
	prove_case_fini(&c);
	return ns;
}

int main(void)
{
	static const char *const shapes[] = { "rules", "quick", "forwards" };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const double first = measure(shapes[i], 10, 0);

		measure(shapes[i], 1000, first);
		measure(shapes[i], 10000, first);
	}
	return 0;
}
