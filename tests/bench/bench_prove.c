/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_prove - what a proof costs, by the size of what is proven
 *
 *	prove-rules-N		milliseconds of processor time for N filter rules
 *	prove-forwards-N	the same for N forwards of a jail
 *	prove-rdr-N		the same for N rdr lines and 100 rules
 *	prove-SHAPE-N-nodes	nodes of diagrams, of 16 bytes and as much again
 *	prove-SHAPE-N-memory	MiB of all that the process had, declarations and program too
 *
 * Each is measured once, in a process of its own: it is long, and does not vary with
 * what else is cached.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "prove_case.h"

static char *forwards(uint32_t n, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	BUG_IF(f == NULL);
	fprintf(f, "www { ip4.addr = \"lo1|10.0.0.2/32\"; $nat = \"igb0\";\n");
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "$forward %s \"%s %u:%u\";\n", i == 0 ? "=" : "+=",
			i < 60000 ? "tcp" : "udp", 1000 + i % 60000, 2000 + i % 50000);
	fprintf(f, "}\n");
	fclose(f);
	return text;
}

static char *rdr(uint32_t n, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	BUG_IF(f == NULL);
	fprintf(f, "nat on igb0 inet from 192.168.0.0/16 to any -> 203.0.113.2\n");
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "rdr on igb0 inet proto tcp from any to 203.0.113.%u port %u -> "
			"192.168.%u.%u port 80\n", i / 60000 + 2, 1000 + i % 60000,
			i / 250 % 250, i % 250 + 1);
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

/* A shape of rulesets of many sizes */
struct shape {
	const char *name;
	char *(*make)(uint32_t n, size_t *ret_len);
	void (*compile)(struct prove_case *c, const char *text);
};

static void of_pf(struct prove_case *c, const char *text)
{
	prove_case_text(c, text, NULL);
}

static void measure(const struct shape *shape, uint32_t n)
{
	struct prove_result r;
	struct rusage used;
	struct prove_case c;
	size_t len;
	CLEANUP(base_free) char *text = shape->make(n, &len);
	double start;

	shape->compile(&c, text);
	BUG_IF(c.program == NULL);
	start = now_ms();
	BUG_IF(prove_case_prove(&c, &r) < 0);
	printf("prove-%s-%u %.1f ms%s\n", shape->name, n, now_ms() - start,
	       r.differences.n > 0 ? " # differs" : r.unproven.n > 0 ? " # not proven" : "");
	printf("prove-%s-%u-nodes %u nodes\n", shape->name, n, r.n_nodes);
	getrusage(RUSAGE_SELF, &used);
	printf("prove-%s-%u-memory %.1f MiB\n", shape->name, n, (double)used.ru_maxrss / 1024);
	prove_case_fini(&c);
}

static void measure_alone(const struct shape *shape, uint32_t n)
{
	const pid_t pid = fork();
	int status;

	BUG_IF(pid < 0);
	if (pid == 0) {
		measure(shape, n);
		fflush(stdout);
		_exit(0);
	}
	BUG_IF(waitpid(pid, &status, 0) != pid || status != 0);
}

int main(void)
{
	static const struct shape few = { "rules", rules, of_pf };
	static const struct shape many[] = {
		{ "forwards", forwards, prove_case_jails }, { "rdr", rdr, of_pf },
	};
	static const uint32_t n_few[] = { 10, 100, 1000, 3000 };
	/* pf's rules are no table in memory: 100,000 of them are more than it may have */
	static const uint32_t n_many[] = { 10, 100, 1000, 10000, 100000 };
	static const size_t n_sizes[] = { ARRAY_SIZE(n_many), ARRAY_SIZE(n_many) - 1 };

	for (size_t i = 0; i < ARRAY_SIZE(n_few); i++)
		measure_alone(&few, n_few[i]);
	for (size_t k = 0; k < ARRAY_SIZE(many); k++)
		for (size_t i = 0; i < n_sizes[k]; i++)
			measure_alone(&many[k], n_many[i]);
	return 0;
}
