/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_nat - what the userspace NAT costs, in memory, on one core
 *
 *	nat-PROTO-SIZE-minimal	nanoseconds a packet of the minimal loop below
 *	nat-PROTO-SIZE		of the NAT, everything on
 *	nat-PROTO-SIZE-ratio	the second by the first; both in turn, medians of rounds
 *	nat-new-flow		nanoseconds a packet that makes a binding and a session
 *	nat-new-flow-ratio	by those of the minimal loop with as many flows, 64k
 *	nat-new-flow-1k-ratio	by those of the minimal loop with 1k flows, whose memory is near
 *				A machine whose minimal loop takes 10.5 and 13 ns makes a flow
 *				in 250 ns at 23.8 x (1k) and 19.2 x (64k)
 *	nat-expiry-stall	longest batch of 32 while a million sessions end, and then
 *				their ports become free, microseconds
 *	nat-bytes-per-flow	all memory of a NAT of a million flows, by their number
 *
 * A round's time is that of its median batch, so that what else the machine does
 * in between does not count.  The longest batch is sought among the shortest times
 * that each batch took in five runs of the same packets, for the same reason.
 * Packets are of 64 bytes, as many outbound as inbound, of uniformly random flows,
 * each of an endpoint of its own; they are built in one small buffer and only the
 * translation is timed.  Both tables are in large pages where the kernel has some,
 * as a live NAT's is.
 *
 * The minimal loop does in each batch of 32: hash, prefetch; one look-up in an
 * open-addressing table of entries with their keys; addresses, port, TTL, and
 * both checksums by RFC 1624.  It checks nothing and remembers nothing else.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "nat/nat.h"

#define PACKET		64u
#define ROUNDS		9
#define BATCHES		6000u		/* of one round */
#define OUTSIDES	32u
#define PEER		0xc6336401u	/* 198.51.100.1 */
#define PEER_PORT	80u

struct flow {
	uint32_t in;
	uint32_t out;
	uint16_t in_port;
	uint16_t out_port;
};

static uint64_t rng = 88172645463325252u;

static uint64_t draw(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#define LARGE_PAGE	((size_t)2 << 20)

static size_t whole_pages(size_t n)
{
	return (n + LARGE_PAGE - 1) & ~(LARGE_PAGE - 1);
}

/* Zeroed memory in large pages, for pages_free() */
static void *pages_new(size_t n)
{
	const size_t room = whole_pages(n) + LARGE_PAGE;
	uint8_t *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		exit(71);
	before = whole_pages((uintptr_t)p) - (uintptr_t)p;
	if (before > 0)
		munmap(p, before);
	munmap(p + before + whole_pages(n), LARGE_PAGE - before);
	(void)madvise(p + before, whole_pages(n), MADV_HUGEPAGE);
	return p + before;
}

static void pages_free(void *p, size_t n)
{
	munmap(p, whole_pages(n));
}

static uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)load16(p) << 16 | load16(p + 2);
}

static void store16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void store32(uint8_t *p, uint32_t v)
{
	store16(p, v >> 16);
	store16(p + 2, v);
}

/* ---- packets ------------------------------------------------------------------------ */

static uint16_t sum_of(const uint8_t *p, uint32_t len, uint32_t sum)
{
	for (uint32_t i = 0; i < len; i += 2)
		sum += load16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void build(uint8_t *p, uint8_t proto, uint8_t flags, uint32_t src, uint16_t sport,
		  uint32_t dst, uint16_t dport)
{
	const uint32_t l4_len = PACKET - 20, at = 20 + (proto == 6 ? 16 : 6);

	memset(p, 0, PACKET);
	p[0] = 0x45;
	store16(p + 2, PACKET);
	p[8] = 64;
	p[9] = proto;
	store32(p + 12, src);
	store32(p + 16, dst);
	store16(p + 10, (uint16_t)~sum_of(p, 20, 0));
	store16(p + 20, sport);
	store16(p + 22, dport);
	if (proto == 6) {
		p[32] = 0x50;
		p[33] = flags;
		store16(p + 34, 8192);
	} else {
		store16(p + 24, l4_len);
	}
	store16(p + at, (uint16_t)~sum_of(p + 20, l4_len, sum_of(p + 12, 8, proto + l4_len)));
}

static void build_of(uint8_t *p, uint8_t proto, uint8_t flags, const struct flow *f, bool out)
{
	if (out)
		build(p, proto, flags, f->in, f->in_port, PEER, PEER_PORT);
	else
		build(p, proto, flags, PEER, PEER_PORT, f->out, f->out_port);
}

/* ---- the minimal loop --------------------------------------------------------------- */

struct entry {
	uint32_t src;
	uint32_t dst;
	uint16_t sport;
	uint16_t dport;
	uint32_t proto;		/* 0: free */
	uint32_t addr;		/* new source outbound, new destination inbound */
	uint16_t port;
	uint16_t ip_delta;
	uint16_t l4_delta;
	uint16_t out;
};

static struct entry *entries;
static uint32_t mask;

static uint32_t entry_hash(uint32_t src, uint32_t dst, uint32_t ports, uint32_t proto)
{
	uint64_t h = ((uint64_t)src << 32 | dst) * 0x9e3779b97f4a7c15u;

	h ^= ((uint64_t)ports << 8 | proto) * 0xc2b2ae3d27d4eb4fu;
	h *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void entry_add(struct entry e, uint32_t old_addr, uint16_t old_port)
{
	uint32_t at = entry_hash(e.src, e.dst, (uint32_t)e.sport << 16 | e.dport, e.proto);

	e.ip_delta = fold((uint16_t)~(old_addr >> 16) + (uint32_t)(uint16_t)~old_addr +
			  (e.addr >> 16) + (e.addr & 0xffff));
	e.l4_delta = fold(e.ip_delta + (uint32_t)(uint16_t)~old_port + e.port);
	for (at &= mask; entries[at].proto != 0; at = (at + 1) & mask)
		;
	entries[at] = e;
}

static void minimal_fill(const struct flow *flows, uint32_t n, uint8_t proto)
{
	uint32_t size = 64;

	while (size < 4 * n)
		size *= 2;
	mask = size - 1;
	entries = pages_new(size * sizeof(*entries));
	for (uint32_t i = 0; i < n; i++) {
		const struct flow *f = &flows[i];

		entry_add((struct entry){ .src = f->in, .dst = PEER, .sport = f->in_port,
					  .dport = PEER_PORT, .proto = proto, .addr = f->out,
					  .port = f->out_port, .out = 1 }, f->in, f->in_port);
		entry_add((struct entry){ .src = PEER, .dst = f->out, .sport = PEER_PORT,
					  .dport = f->out_port, .proto = proto, .addr = f->in,
					  .port = f->in_port }, f->out, f->out_port);
	}
}

static void minimal_end(void)
{
	pages_free(entries, ((size_t)mask + 1) * sizeof(*entries));
}

static void apply(uint8_t *check, uint32_t delta)
{
	store16(check, (uint16_t)~fold((uint32_t)(uint16_t)~load16(check) + delta));
}

static void minimal_batch(struct nat_packet *p, uint32_t n)
{
	uint32_t home[NAT_BATCH];

	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *d = p[i].data;

		home[i] = entry_hash(load32(d + 12), load32(d + 16), load32(d + 20), d[9]) & mask;
		__builtin_prefetch(&entries[home[i]]);
	}
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *d = p[i].data, *at;
		const struct entry *e = &entries[home[i]];

		while (e->src != load32(d + 12) || e->dst != load32(d + 16) ||
		       e->sport != load16(d + 20) || e->dport != load16(d + 22) ||
		       e->proto != d[9]) {
			if (e->proto == 0)
				exit(70);
			e = &entries[(uint32_t)(e - entries + 1) & mask];
		}
		store32(d + (e->out ? 12 : 16), e->addr);
		store16(d + (e->out ? 20 : 22), e->port);
		d[8]--;
		apply(d + 10, e->ip_delta + 0xfeffu);
		at = d + (d[9] == 6 ? 36 : 26);
		apply(at, e->l4_delta);
	}
}

/* ---- the NAT ------------------------------------------------------------------------- */

static struct nat *nat;
static void *memory;
static uint64_t now = 1000000000;
static struct addr outsides[OUTSIDES];
static const struct prefix inside = { { AF_V4, 0x0a000000 }, 8 };
static size_t bytes;

static void start(uint32_t n)
{
	struct nat_config cfg;

	nat_config_init(&cfg);
	for (uint32_t i = 0; i < OUTSIDES; i++)
		outsides[i] = (struct addr){ AF_V4, 0xcb007100 + i };
	cfg.outside = outsides;
	cfg.n_outside = OUTSIDES;
	cfg.inside = &inside;
	cfg.n_inside = 1;
	cfg.max_flows = n;
	cfg.max_addr6 = 64;
	cfg.ports = NAT_PORTS_RANDOM;
	for (int i = 0; i < 4; i++)
		cfg.key[i] = draw();
	bytes = nat_bytes(&cfg);
	memory = pages_new(bytes);
	if (nat_init(&cfg, memory, &nat) != 0)
		exit(71);
}

static struct nat_packet packets[NAT_BATCH];
static uint8_t buffers[NAT_BATCH][PACKET];

static struct nat_packet packet_at(uint32_t i, bool out)
{
	return (struct nat_packet){
		.data = buffers[i], .len = PACKET,
		.from = out ? NAT_INSIDE : NAT_OUTSIDE,
	};
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), by_value);
	return v[n / 2];
}

static double times[65536];

/* Nanoseconds a packet of the median of @n batches */
static double per_packet(uint32_t n)
{
	return median(times, (int)n) / NAT_BATCH;
}

/* Send the first packet of each flow; nanoseconds a packet */
static double open_all(struct flow *flows, uint32_t n, uint8_t proto)
{
	uint32_t n_times = 0;

	for (uint32_t at = 0; at < n; at += NAT_BATCH) {
		const uint32_t some = MIN(NAT_BATCH, n - at);
		uint64_t t;

		for (uint32_t i = 0; i < some; i++) {
			packets[i] = packet_at(i, true);
			build_of(buffers[i], proto, 0x02, &flows[at + i], true);
		}
		t = nanoseconds(CLOCK_MONOTONIC);
		nat_batch(nat, now, packets, some);
		times[n_times++] = (double)(nanoseconds(CLOCK_MONOTONIC) - t);
		for (uint32_t i = 0; i < some; i++) {
			if (packets[i].verdict != NAT_FORWARD)
				exit(70);
			flows[at + i].out = load32(buffers[i] + 12);
			flows[at + i].out_port = load16(buffers[i] + 20);
		}
	}
	return per_packet(n_times);
}

/* Answer each SYN */
static void establish(struct flow *flows, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		packets[0] = packet_at(0, false);
		build_of(buffers[0], 6, 0x12, &flows[i], false);
		nat_batch(nat, now, packets, 1);
		if (packets[0].verdict != NAT_FORWARD)
			exit(70);
	}
}

static double one_round(const struct flow *flows, uint32_t n, uint8_t proto, bool minimal)
{
	for (uint32_t b = 0; b < BATCHES; b++) {
		uint64_t t;

		for (uint32_t i = 0; i < NAT_BATCH; i++) {
			const uint64_t x = draw();
			const bool out = (x & 1) != 0;

			packets[i] = packet_at(i, out);
			build_of(buffers[i], proto, 0x10, &flows[(x >> 32) * n >> 32], out);
		}
		t = nanoseconds(CLOCK_MONOTONIC);
		if (minimal)
			minimal_batch(packets, NAT_BATCH);
		else
			nat_batch(nat, now, packets, NAT_BATCH);
		times[b] = (double)(nanoseconds(CLOCK_MONOTONIC) - t);
		for (uint32_t i = 0; !minimal && i < NAT_BATCH; i++)
			if (packets[i].verdict != NAT_FORWARD)
				exit(70);
	}
	return per_packet(BATCHES);
}

static struct flow *make_flows(uint32_t n)
{
	struct flow *flows = calloc(n, sizeof(*flows));

	if (flows == NULL)
		exit(71);
	for (uint32_t i = 0; i < n; i++) {
		flows[i].in = 0x0a000001 + (i >> 10);
		flows[i].in_port = (uint16_t)(1024 + (i & 1023));
	}
	return flows;
}

static void compare(const char *name, uint32_t n, uint8_t proto)
{
	struct flow *flows = make_flows(n);
	double small[ROUNDS], full[ROUNDS], ratio;
	const char *p = proto == 6 ? "tcp" : "udp";

	start(n);
	open_all(flows, n, proto);
	if (proto == 6)
		establish(flows, n);
	minimal_fill(flows, n, proto);
	for (int i = 0; i < ROUNDS; i++) {
		small[i] = one_round(flows, n, proto, true);
		full[i] = one_round(flows, n, proto, false);
	}
	ratio = median(full, ROUNDS) / median(small, ROUNDS);
	printf("nat-%s-%s-minimal %.1f ns\n", p, name, median(small, ROUNDS));
	printf("nat-%s-%s %.1f ns\n", p, name, median(full, ROUNDS));
	printf("nat-%s-%s-ratio %.2f x\n", p, name, ratio);
	minimal_end();
	pages_free(memory, bytes);
	free(flows);
}

static void new_flows(void)
{
	double v[ROUNDS], small[ROUNDS], near[ROUNDS];
	struct flow *flows = make_flows(65536);

	for (int i = 0; i < ROUNDS; i++) {
		start(65536);
		open_all(flows, 65536, 17);
		/* Again over memory that has been touched */
		while (nat_counters(nat)->flows > 0 || nat_counters(nat)->held > 0)
			nat_tick(nat, now += UINT64_C(1000) * 1000000000);
		v[i] = open_all(flows, 65536, 17);
		minimal_fill(flows, 65536, 17);
		small[i] = one_round(flows, 65536, 17, true);
		minimal_end();
		minimal_fill(flows, 1000, 17);
		near[i] = one_round(flows, 1000, 17, true);
		minimal_end();
		pages_free(memory, bytes);
	}
	printf("nat-new-flow %.0f ns\n", median(v, ROUNDS));
	printf("nat-new-flow-ratio %.1f x\n", median(v, ROUNDS) / median(small, ROUNDS));
	printf("nat-new-flow-1k-ratio %.1f x\n", median(v, ROUNDS) / median(near, ROUNDS));
	free(flows);
}

#define EXPIRY_RUNS	5
#define EXPIRY_BATCHES	200000u

static double shortest[EXPIRY_BATCHES];

/* One batch of packets that nobody waits for, so that the timers' work is most of it */
static double strangers(void)
{
	uint64_t t;

	for (uint32_t i = 0; i < NAT_BATCH; i++) {
		packets[i] = packet_at(i, false);
		build(buffers[i], 17, 0, PEER, 9, 0xcb007100, 9);
	}
	t = nanoseconds(CLOCK_MONOTONIC);
	nat_batch(nat, now, packets, NAT_BATCH);
	return (double)(nanoseconds(CLOCK_MONOTONIC) - t) / 1000;
}

/* Batches, from the @n-th on, until none of what is counted is left */
static uint32_t end_all(const uint32_t *left, uint32_t n)
{
	for (; *left > 0; n++) {
		const double us = strangers();

		if (n == EXPIRY_BATCHES)
			exit(70);
		shortest[n] = shortest[n] == 0 ? us : MIN(shortest[n], us);
	}
	return n;
}

static void expiry(uint32_t n)
{
	const uint64_t seed = rng;
	struct flow *flows = make_flows(n);
	double worst = 0;
	uint32_t n_batches = 0;

	for (int run = 0; run < EXPIRY_RUNS; run++) {
		rng = seed;
		now = 1000000000;
		start(n);
		open_all(flows, n, 17);
		now += UINT64_C(310) * 1000000000;
		n_batches = end_all(&nat_counters(nat)->flows, 0);
		now += UINT64_C(130) * 1000000000;
		n_batches = end_all(&nat_counters(nat)->held, n_batches);
		if (run == 0)
			printf("nat-bytes-per-flow %.1f B\n", (double)bytes / n);
		pages_free(memory, bytes);
	}
	for (uint32_t i = 0; i < n_batches; i++)
		worst = MAX(worst, shortest[i]);
	printf("nat-expiry-stall %.1f us\n", worst);
	free(flows);
}

/* Without an argument all of it; else "1k", "64k", "1M", "new" or "expiry" */
int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint32_t n;
	} sizes[] = { { "1k", 1000 }, { "64k", 65536 }, { "1M", 1000000 } };
	const char *only = argc > 1 ? argv[1] : NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 0; i < 6; i++)
		if (only == NULL || strcmp(only, sizes[i % 3].name) == 0)
			compare(sizes[i % 3].name, sizes[i % 3].n, i < 3 ? 17 : 6);
	if (only == NULL || strcmp(only, "new") == 0)
		new_flows();
	if (only == NULL || strcmp(only, "expiry") == 0)
		expiry(1000000);
	return 0;
}
