/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_pf - what a pf.conf costs, by its size
 *
 *	pf-SHAPE-SIZE-PART	nanoseconds a rule: parse, lower (with the policy), program
 *	pf-SHAPE-SIZE-kernel	the load, in a network namespace of its own; up to 10,000
 *	pf-SHAPE-SIZE-rule	nanoseconds a rule for all of it
 *	pf-SHAPE-SIZE-check	seconds for all of it, as `check` does
 *	pf-SHAPE-SIZE-memory	of the compile, MiB
 *	pf-SHAPE-SIZE-ratio	all but the kernel, a rule, in comparison with a tenth of the rules
 *
 * These are of the processor, which others may be using too.
 *
 *	filter-SIZE		nanoseconds to send a packet over lo that meets none of the
 *				rules, which differ in address and port
 *	filter-SIZE-ratio	the same in comparison with 10 rules
 *	filter-SIZE-plain-ratio	the same, were each rule asked in turn
 *
 * Each is measured in a process of its own; the least of some runs counts.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
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

/* Each with a range of its own, and no map for them: they log */
static void write_ranges(FILE *f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		fputs("pass in log on $ext_if inet proto tcp from ", f);
		address(f, 10, i << 4);
		fputs(" - ", f);
		address(f, 10, (i << 4) + 9);
		fprintf(f, " to any port %u:%u\n", 1 + i % 60000, 7 + i % 60000);
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
	{ "ranges", write_ranges, 100000 },
	{ "rdr", write_rdr, 100000 },
	{ "nat", write_nat, 100000 },
	/* One rule of so many addresses; a list has 65,536 at most */
	{ "table", write_table, 10000 },
	{ "list", write_list, 10000 },
};

/* As write_filter(), of the host's own packets on lo, each of which it blocks in the end */
static void write_own(FILE *f, unsigned int n)
{
	fputs("block out\n", f);
	for (unsigned int i = 0; i < n; i++) {
		fputs("pass out on lo0 inet proto udp from any to ", f);
		address(f, 10, i);
		fprintf(f, " port %u\n", 1 + i % 60000);
	}
}

enum part { PARSE, LOWER, PROGRAM, KERNEL, N_PARTS };

static const char *const part_names[N_PARTS] = { "parse", "lower", "program", "kernel" };

/* What is measured besides the compile */
enum with { NOTHING, THE_LOAD, PACKETS, PACKETS_PLAIN };

/* What one run found: nanoseconds, 0 = not measured */
struct cost {
	double ns[N_PARTS];
	double packet_ns;
	double bytes;
};

static double now_by(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now(void)
{
	return now_by(CLOCK_MONOTONIC);
}

/* What this process had of a processor */
static double spent(void)
{
	return now_by(CLOCK_PROCESS_CPUTIME_ID);
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

/* Nanoseconds for each packet of many that are refused as they leave */
static double send_packets(void)
{
	static const unsigned int n = 20000, runs = 5;
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	double least = 0;

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &up) < 0)
		return 0;
	for (unsigned int i = 0; i < runs; i++) {
		const double from = now();
		double took;

		for (unsigned int k = 0; k < n; k++)
			if (sendto(fd, "", 1, 0, (const struct sockaddr *)&to, sizeof(to)) >= 0 ||
			    errno != EPERM)
				return 0;
		took = (now() - from) / n;
		least = i == 0 ? took : MIN(least, took);
	}
	close(fd);
	return least;
}

static double load(struct bench *b, const struct nft_program *p)
{
	struct nl_session s = { .fd = -1 };
	bool changed;
	double from;

	if ((unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) ||
	    nl_open(&s, NETLINK_NETFILTER) < 0)
		return 0;
	from = spent();
	if (nft_load(&s, p, &b->diags, &changed) < 0)
		fail(b);
	return spent() - from;
}

static void compile(const char *text, size_t len, enum with with, struct cost *ret)
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
	o.no_merge = with == PACKETS_PLAIN;
	at[0] = spent();
	f = pf_parse(&c, &b.decl, &src, 1);
	at[1] = spent();
	if (!pf_lower(&c, f, &b.facts, &b.decl, &options, &b.model) || b.diags.n_errors > 0)
		fail(&b);
	policy_add(&b.model, &policy, &b.diags);
	at[2] = spent();
	p = nft_program_from_model(&b.model, &o, &b.diags);
	at[3] = spent();
	if (p == NULL)
		fail(&b);
	for (int i = 0; i < KERNEL; i++)
		ret->ns[i] = at[i + 1] - at[i];
	ret->ns[KERNEL] = with != NOTHING ? load(&b, p) : 0;
	ret->packet_ns = with >= PACKETS && ret->ns[KERNEL] > 0 ? send_packets() : 0;
	ret->bytes = (double)b.a.used_bytes;
}

/* In a process of its own, so that nothing is left of the run before; false: it failed */
static bool run(const char *text, size_t len, enum with with, struct cost *ret)
{
	int fds[2], status = 1;
	pid_t pid;
	bool ok;

	if (pipe(fds) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		struct cost c;

		compile(text, len, with, &c);
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
		struct cost c = { .bytes = 0 };

		ok = run(text, len, n <= 10000 ? THE_LOAD : NOTHING, &c);
		for (int k = 0; k < N_PARTS && ok; k++)
			ret->ns[k] = i == 0 ? c.ns[k] : MIN(ret->ns[k], c.ns[k]);
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
	printf("pf-%s-%uk-rule %.0f ns\n", sh->name, n / 1000, (total(c) + c->ns[KERNEL]) / n);
	if (c->ns[KERNEL] > 0)
		printf("pf-%s-%uk-check %.3f s\n", sh->name, n / 1000,
		       (total(c) + c->ns[KERNEL]) / 1e9);
	printf("pf-%s-%uk-memory %.1f MiB\n", sh->name, n / 1000, c->bytes / (1 << 20));
	if (before > 0)
		printf("pf-%s-%uk-ratio %.2f x\n", sh->name, n / 1000, total(c) / n / before);
	fflush(stdout);
}

/* Nanoseconds for a packet with @n rules, 0: cannot be measured */
static double packet_cost(unsigned int n, enum with with)
{
	struct cost c = { .bytes = 0 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	write_own(f, n);
	fclose(f);
	if (!run(text, len, with, &c))
		c.packet_ns = 0;
	free(text);
	return c.packet_ns;
}

static int bench_packets(void)
{
	static const struct {
		const char *name;
		unsigned int n;
		enum with with;
	} rows[] = {
		{ "filter-10", 10, PACKETS }, { "filter-1000", 1000, PACKETS },
		{ "filter-10000", 10000, PACKETS }, { "filter-1000-plain", 1000, PACKETS_PLAIN },
	};
	double least[ARRAY_SIZE(rows)] = { 0 };

	/* By turns, so that the machine's other work is in all of them or in none */
	for (unsigned int round = 0; round < 5; round++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			const double ns = packet_cost(rows[i].n, rows[i].with);

			if (ns == 0) {
				fprintf(stderr, "%s: packets cannot be sent here\n", rows[i].name);
				return 1;
			}
			least[i] = round == 0 ? ns : MIN(least[i], ns);
		}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		printf("%s %.0f ns\n", rows[i].name, least[i]);
		if (i > 0)
			printf("%s-ratio %.2f x\n", rows[i].name, least[i] / least[0]);
	}
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "packets") == 0)
		return bench_packets();
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
	return argc > 1 ? 0 : bench_packets();
}
