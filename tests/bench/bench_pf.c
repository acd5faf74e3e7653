/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_pf - what a pf.conf costs, by its size
 *
 *	pf-SHAPE-SIZE-PART	nanoseconds a rule: parse, lower (with the policy), program
 *	pf-SHAPE-SIZE-kernel	the load, in a network namespace of its own; once
 *	pf-SHAPE-SIZE-check	seconds for all of it, as `check` does
 *	pf-SHAPE-SIZE-memory	of the compile, MiB
 *	pf-SHAPE-SIZE-ratio	all but the kernel, a rule, in comparison with a tenth of the rules
 *
 * Each is measured in a process of its own; the least of some runs counts.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lang/pf.h"
#include "model/policy.h"
#include "target/nft.h"

#define BENCH_BYTES	((size_t)2 << 30)

static void address(FILE *f, unsigned int net, unsigned int i)
{
	fprintf(f, "%u.%u.%u.%u", net, i >> 16 & 255, i >> 8 & 255, i & 255);
}

static void write_filter(FILE *f, unsigned int n)
{
	fputs("block in\n", f);
	for (unsigned int i = 0; i < n; i++) {
		fputs("pass in on $ext_if inet proto tcp from any to ", f);
		address(f, 10, i);
		fprintf(f, " port %u\n", 1 + i % 60000);
	}
}

static void write_quick(FILE *f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fprintf(f, "%s quick on igb%u proto { tcp udp } from ",
			i % 3 == 0 ? "block in" : "pass out", i % 3);
		address(f, 172, i << 4);
		fputs("/28 to ", f);
		address(f, 10, i);
		fprintf(f, " port { %u, %u:%u }\n", 1 + i % 1000, 2000 + i % 1000,
			3000 + i % 1000);
	}
}

static void write_rdr(FILE *f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fprintf(f, "rdr pass on $ext_if inet proto tcp to 203.0.113.%u port %u -> ",
			2 + i / 60000, 1 + i % 60000);
		address(f, 10, i);
		fputs(" port 80\n", f);
	}
}

static void write_nat(FILE *f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fputs("nat on $ext_if inet from ", f);
		address(f, 10, i);
		fprintf(f, " to any -> 203.0.113.%u\n", 2 + i % 250);
	}
}

static void write_table(FILE *f, unsigned int n)
{
	fputs("table <t> persist {", f);
	for (unsigned int i = 0; i < n; i++) {
		putc(' ', f);
		address(f, 10, 2 * i);
	}
	fputs(" }\nblock in from <t>\n", f);
}

static void write_list(FILE *f, unsigned int n)
{
	fputs("pass in proto tcp from {", f);
	for (unsigned int i = 0; i < n; i++) {
		putc(' ', f);
		address(f, 10, 2 * i);
	}
	fputs(" } to any port {", f);
	for (unsigned int i = 0; i < 100; i++)
		fprintf(f, " %u", 1 + 2 * i);
	fputs(" }\n", f);
}

static const struct shape {
	const char *name;
	void (*write)(FILE *f, unsigned int n);
	unsigned int max;
} shapes[] = {
	{ "filter", write_filter, 100000 },
	{ "quick", write_quick, 100000 },
	{ "rdr", write_rdr, 100000 },
	{ "nat", write_nat, 10000 },
	{ "table", write_table, 10000 },
	{ "list", write_list, 10000 },
};

enum part { PARSE, LOWER, PROGRAM, KERNEL, N_PARTS };

static const char *const part_names[N_PARTS] = { "parse", "lower", "program", "kernel" };

/* What one run found: nanoseconds, 0 = not measured */
struct cost {
	double ns[N_PARTS];
	double bytes;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* What one compile needs */
struct bench {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct decl decl;
	struct model model;
};

static void begin(struct bench *b)
{
	struct iface_addr addr = { .p = { addr_v4(203, 0, 113, 2), 24 } };

	arena_init(&b->a, BENCH_BYTES);
	intern_init(&b->names, &b->a);
	sources_init(&b->sources, &b->a);
	diags_init(&b->diags, &b->a, &b->sources);
	facts_init(&b->facts, &b->a, &b->names);
	decl_init(&b->decl, &b->a, &b->names);
	facts_add_addr(&b->facts, facts_add(&b->facts, "igb0"), addr);
	model_init(&b->model, &b->a, &b->names, &b->facts);
}

static void fail(struct bench *b)
{
	diag_print(&b->diags, stderr, false, DIAG_ERROR);
	_exit(1);
}

static double load(struct bench *b, const struct nft_program *p)
{
	struct nl_session s = { .fd = -1 };
	bool changed;
	double from;

	if ((unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) ||
	    nl_open(&s, NETLINK_NETFILTER) < 0)
		return 0;
	from = now();
	if (nft_load(&s, p, &b->diags, &changed) < 0)
		fail(b);
	return now() - from;
}

static void compile(const char *text, size_t len, bool with_kernel, struct cost *ret)
{
	const struct policy_options policy = { 0 };
	const struct pf_options options = { .tolerate_missing = true };
	struct nft_options o;
	struct nft_program *p;
	struct pf_file *f;
	struct lang_ctx c;
	struct bench b;
	uint32_t src;
	double at[4];

	begin(&b);
	c = (struct lang_ctx){
		.a = &b.a, .names = &b.names, .sources = &b.sources, .diags = &b.diags,
	};
	src = sources_add(&b.sources, "pf.conf", text, (uint32_t)len, SPAN_NONE);
	nft_options_init(&o);
	at[0] = now();
	f = pf_parse(&c, &b.decl, &src, 1);
	at[1] = now();
	if (!pf_lower(&c, f, &b.facts, &b.decl, &options, &b.model))
		fail(&b);
	policy_add(&b.model, &policy, &b.diags);
	at[2] = now();
	p = nft_program_from_model(&b.model, &o, &b.diags);
	at[3] = now();
	if (p == NULL)
		fail(&b);
	for (int i = 0; i < KERNEL; i++)
		ret->ns[i] = at[i + 1] - at[i];
	ret->ns[KERNEL] = with_kernel ? load(&b, p) : 0;
	ret->bytes = (double)b.a.used_bytes;
}

/* In a process of its own, so that nothing is left of the run before; false: it failed */
static bool run(const char *text, size_t len, bool with_kernel, struct cost *ret)
{
	int fds[2], status = 1;
	pid_t pid;
	bool ok;

	if (pipe(fds) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		struct cost c;

		compile(text, len, with_kernel, &c);
		_exit(write(fds[1], &c, sizeof(c)) == sizeof(c) ? 0 : 1);
	}
	close(fds[1]);
	ok = pid > 0 && read(fds[0], ret, sizeof(*ret)) == sizeof(*ret);
	close(fds[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && ok;
}

static double total(const struct cost *c)
{
	return c->ns[PARSE] + c->ns[LOWER] + c->ns[PROGRAM];
}

/* The least of some runs, which the machine's other work cannot lower */
static bool measure(const struct shape *sh, unsigned int n, struct cost *ret)
{
	const int runs = n > 10000 ? 2 : 4;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	bool ok = true;

	fputs("ext_if = \"igb0\"\n", f);
	sh->write(f, n);
	fclose(f);
	for (int i = 0; i < runs && ok; i++) {
		struct cost c;

		ok = run(text, len, i == 0 && n <= 10000, &c);
		for (int k = 0; k < KERNEL && ok; k++)
			ret->ns[k] = i == 0 ? c.ns[k] : MIN(ret->ns[k], c.ns[k]);
		if (i == 0 && ok)
			ret->ns[KERNEL] = c.ns[KERNEL];
		ret->bytes = c.bytes;
	}
	free(text);
	return ok;
}

static void print(const struct shape *sh, unsigned int n, const struct cost *c, double before)
{
	for (int i = 0; i < N_PARTS; i++)
		if (c->ns[i] > 0)
			printf("pf-%s-%uk-%s %.0f ns\n", sh->name, n / 1000, part_names[i],
			       c->ns[i] / n);
	if (c->ns[KERNEL] > 0)
		printf("pf-%s-%uk-check %.3f s\n", sh->name, n / 1000,
		       (total(c) + c->ns[KERNEL]) / 1e9);
	printf("pf-%s-%uk-memory %.1f MiB\n", sh->name, n / 1000, c->bytes / (1 << 20));
	if (before > 0)
		printf("pf-%s-%uk-ratio %.2f x\n", sh->name, n / 1000, total(c) / n / before);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *sh = &shapes[i];
		double before = 0;

		if (argc > 1 && strcmp(argv[1], sh->name) != 0)
			continue;
		for (unsigned int n = 1000; n <= sh->max; n *= 10) {
			struct cost c = { .bytes = 0 };

			if (!measure(sh, n, &c)) {
				fprintf(stderr, "pf-%s-%u failed\n", sh->name, n);
				return 1;
			}
			print(sh, n, &c, before);
			before = total(&c) / n;
		}
	}
	return 0;
}
