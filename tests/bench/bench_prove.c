/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_prove - what a proof costs, by the size of what is proven
 *
 *	prove-rules-N		milliseconds of processor time for N filter rules
 *	prove-forwards-N	the same for N forwards and 100 rules
 *	prove-SHAPE-N-nodes	nodes of diagrams, of 16 bytes and as much again
 *
 * Each is measured once: it is long, and does not vary with what else is cached.
 */
#include <stdlib.h>
#include <time.h>

#include "base/limits.h"
#include "prove_case.h"

static char *forwards(uint32_t n, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	BUG_IF(f == NULL);
	fprintf(f, "nat on igb0 inet from 192.168.0.0/16 to any -> 203.0.113.2\n");
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "rdr on igb0 inet proto tcp from any to 203.0.113.2 port %u -> "
			"192.168.%u.%u port 80\n", 1000 + i % 60000, i / 250 % 250, i % 250 + 1);
	fprintf(f, "block in on igb0\n");
	for (uint32_t i = 0; i < 100; i++)
		fprintf(f, "pass in on igb0 inet proto tcp from any to 192.168.%u.0/24 port 80\n",
			i);
	fclose(f);
	return text;
}

static char *rules(uint32_t n, size_t *ret_len)
{
	struct gen g = gen_seed(n, 1);
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	BUG_IF(f == NULL);
	fprintf(f, "block in on igb0\n");
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "%s in%s on igb0 inet proto %s from %u.%u.0.0/%u to 203.0.113.%u "
			"port %u\n", gen_often(&g, 60) ? "pass" : "block",
			gen_often(&g, 30) ? " quick" : "", gen_often(&g, 50) ? "tcp" : "udp",
			1 + gen_below(&g, 220), gen_below(&g, 256),
			gen_often(&g, 50) ? 16u : 24u, 1 + gen_below(&g, 4),
			1 + gen_below(&g, 60000));
	fclose(f);
	return text;
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void measure(const char *shape, uint32_t n, char *(*make)(uint32_t n, size_t *ret_len))
{
	struct prove_result r;
	struct prove_case c;
	size_t len;
	CLEANUP(base_free) char *text = make(n, &len);
	double start;

	prove_case_text(&c, text, NULL);
	BUG_IF(c.program == NULL);
	start = now_ms();
	BUG_IF(prove_program(&c.m, c.program, &c.a, &r) < 0);
	printf("prove-%s-%u %.1f ms%s\n", shape, n, now_ms() - start,
	       r.differences.n > 0 ? " # differs" : r.unproven.n > 0 ? " # not proven" : "");
	printf("prove-%s-%u-nodes %u nodes\n", shape, n, r.n_nodes);
	prove_case_fini(&c);
}

int main(void)
{
	static const uint32_t sizes[] = { 10, 100, 1000, 3000 };
	static const uint32_t many[] = { 10, 100, 1000, 10000 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		measure("rules", sizes[i], rules);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		measure("forwards", many[i], forwards);
	return 0;
}
