/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_apply - what N port forwards of jails cost, by their number
 *
 *	apply-N-PART	milliseconds: parse, lower (with the policy), build, commit
 *	apply-N-raw	the same messages, made before, sent to the kernel
 *	apply-N-ratio	declarations to committed, in comparison with raw
 *	apply-N-build-ratio	from the lowered rules on, in comparison with raw
 *	apply-N-beside-PART	raw and either ratio where another namespace has rules, too
 *	...-q1, ...-q3	the quartiles of a ratio
 *	apply-N-memory	most memory that the process had, MiB
 *	reload-N	milliseconds to see that nothing differs
 *	open-add-N	microseconds to add one forward more on the open socket, and
 *	open-del-N	to delete it; in turns, all of it, the kernel's answer too
 *	open-raw-N	the same messages made before, sent and their last ack received: the
 *			mean of one that adds and one that deletes
 *
 * Processor time, the kernel's for this process included: nothing here waits, and the
 * machine's other work is none of it.  A ratio is of two neighbours: a process loads by
 * declarations and sends the bytes, in either order, into a network namespace that has no
 * table and held the same ones before; what it frees is waited for: 4 ms later the same
 * send takes anything between a half and all of its time.  The process itself has compiled
 * nothing before.  All figures are medians over such processes.
 *
 * The first chain of a hook on the whole machine makes the kernel patch its own code,
 * more than 1 ms whatever the size: so either ratio is measured on a machine as it is, and
 * beside a namespace that has the same rules, where raw is the less and the ratio the more.
 * Where anything on the machine listens to changes of rules, in whatever namespace, the
 * kernel writes a message for each element: raw and ours then take half as long again, and
 * the ratio is smaller.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lang/jail.h"
#include "lang/pf.h"
#include "linux/netfilter/nfnetlink.h"
#include "model/policy.h"
#include "nl/batch.h"
#include "nl/nft.h"
#include "target/nft_forward.h"

#define BENCH_BYTES	((size_t)1 << 30)
#define PER_JAIL	100u
#define PAIRS_MIN	8u
#define PAIRS_MAX	100u
#define PAIRS_OF	200000u	/* forwards in all pairs of one size: small ones are quick */
#define RUNS		5u	/* of what is no pair */
#define RAW_BYTES	((size_t)64 << 20)
#define TURNS		1000u
#define AWAKE_MS	10.0	/* all that was deleted is freed after that */
#define END_BYTES	(sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg))

enum part { PARSE, LOWER, BUILD, COMMIT, RAW, RELOAD, N_PARTS };

static const char *const part_names[N_PARTS] = {
	"parse", "lower", "build", "commit", "raw", "reload",
};

/* What one run found: milliseconds, 0 = not measured */
struct cost {
	double ms[N_PARTS];
	double ratio;
	double build_ratio;
	double mib;
	double us_add;
	double us_del;
	double us_raw;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void write_jails(FILE *f, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const unsigned int jail = i / PER_JAIL;

		if (i % PER_JAIL == 0)
			fprintf(f, "%sj%u {\n\tip4.addr = \"lo1|10.0.%u.%u/32\";\n",
				i > 0 ? "}\n" : "", jail, jail >> 8, jail & 255);
		fprintf(f, "\t$forward += \"%s %u:80 to 203.0.113.2\";\n",
			i % 2 == 0 ? "tcp" : "udp", 1 + i / 2);
	}
	fputs("}\n", f);
}

/* What one compile needs */
struct bench {
	struct arena a;
	struct arena trees;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct facts facts;
	struct decl decl;
	struct model model;
	struct nft_program *p;
	struct nl_session nl;
};

static void begin(struct bench *b)
{
	const struct iface_addr addr = { .p = { addr_v4(203, 0, 113, 2), 24 } };

	arena_init(&b->a, BENCH_BYTES);
	arena_init(&b->trees, BENCH_BYTES);
	intern_init(&b->names, &b->a);
	sources_init(&b->sources, &b->a);
	diags_init(&b->diags, &b->a, &b->sources);
	facts_init(&b->facts, &b->a, &b->names);
	decl_init(&b->decl, &b->a, &b->names);
	facts_add_addr(&b->facts, facts_add(&b->facts, "igb0"), addr);
	model_init(&b->model, &b->a, &b->names, &b->facts);
	if ((unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) ||
	    nl_open(&b->nl, NETLINK_NETFILTER) < 0)
		_exit(2);
}

static void fail(struct bench *b)
{
	diag_print(&b->diags, stderr, false, DIAG_ERROR);
	_exit(1);
}

/* Declarations to a program */
static void compile(struct bench *b, const char *path, struct cost *ret)
{
	const struct policy_options policy = { 0 };
	const struct pf_options options = { .tolerate_missing = true };
	struct lang_ctx c = {
		.a = &b->a, .tmp = &b->trees, .names = &b->names, .sources = &b->sources,
		.diags = &b->diags,
	};
	const double start = now_ms();
	struct nft_options o;
	double parsed;
	uint32_t src;

	nft_options_init(&o);
	if (sources_read(&b->sources, path, &src) < 0)
		_exit(1);
	jail_lower(&c, jail_parse(&c, src), &b->decl);
	arena_fini(&b->trees);
	decl_finish(&b->decl, &b->diags);
	decl_to_facts(&b->decl, &b->facts);
	parsed = now_ms();
	if (!pf_lower(&c, pf_parse(&c, &b->decl, &src, 0), &b->facts, &b->decl, &options,
		      &b->model))
		fail(b);
	policy_add(&b->model, &policy, &b->diags);
	ret->ms[PARSE] = parsed - start;
	ret->ms[LOWER] = now_ms() - parsed;
	b->p = nft_program_from_model(&b->model, &o, &b->diags);
	if (b->p == NULL)
		fail(b);
	ret->ms[BUILD] = now_ms() - parsed - ret->ms[LOWER];
}

static void load(struct bench *b, enum part part, struct cost *ret)
{
	const double from = now_ms();
	bool changed = false;

	if (nft_load(&b->nl, b->p, &b->diags, &changed) < 0 || changed != (part == COMMIT))
		fail(b);
	ret->ms[part] = now_ms() - from;
}

/* Send these, as nl_batch_send() left them, and receive both acks */
static void send_raw(struct bench *b, const void *bytes, size_t n)
{
	size_t len;

	if (nl_send(&b->nl, bytes, n) < 0 ||
	    nl_receive(&b->nl, 0, &len) < 0 || nl_receive(&b->nl, 0, &len) < 0 ||
	    ((const struct nlmsgerr *)mnl_nlmsg_get_payload(
		    (const struct nlmsghdr *)b->nl.buf))->error != 0)
		fail(b);
}

static double max_rss_mib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

static double wall_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *x, const void *y)
{
	const double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

static const struct nft_forward one_more = {
	.proto = 6, .outside = { .af = AF_V4, .v = 0xcb007102 }, .port = 65000,
	.inside = { .af = AF_V4, .v = 0x0a000000 }, .to = 80, .comment = "one more",
};

/* One forward more and one less, many times: the median, by the clock on the wall */
static void change_one(struct bench *b, struct cost *ret)
{
	struct nft_forward_map maps[2];
	static double us[2][TURNS];
	uint32_t genid;

	if (!nft_forward_maps(b->p, maps) || nl_genid(&b->nl, &genid) < 0)
		fail(b);
	for (uint32_t i = 0; i < 2 * TURNS; i++) {
		const double from = wall_us();
		const int err = i % 2 == 0 ? nft_forward_add(&b->nl, genid + i, maps, &one_more, 1,
							     NULL)
					   : nft_forward_del(&b->nl, genid + i, maps, &one_more, 1,
							     NULL);

		if (err < 0)
			fail(b);
		us[i % 2][i / 2] = wall_us() - from;
	}
	ret->us_add = median(us[0], TURNS);
	ret->us_del = median(us[1], TURNS);
}

/* The messages of one change, as nl_batch_send() leaves them */
static void make_change(struct bench *b, struct nl_batch *batch, bool is_add,
			const struct nft_forward_map *map)
{
	const uint16_t type = NFNL_SUBSYS_NFTABLES << 8 |
			      (is_add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM);
	struct nl_batch_result result;
	struct nlmsghdr *msg = NULL;

	nl_batch_init(batch);
	if (nl_batch_begin(batch, NFNL_SUBSYS_NFTABLES, 0) < 0 ||
	    nl_batch_add(batch, type, NLM_F_CREATE, NFPROTO_INET, 0, &msg) < 0)
		_exit(1);
	nft_forward_put(msg, map->name, &one_more, is_add);
	if (nl_batch_send(batch, &b->nl, &result) < 0)
		fail(b);
}


/* The kernel's part of that */
static void change_one_raw(struct bench *b, struct cost *ret)
{
	struct nft_forward_map maps[2];
	struct nl_batch batch[2];
	static double us[2][TURNS];

	if (!nft_forward_maps(b->p, maps))
		fail(b);
	make_change(b, &batch[0], true, &maps[0]);
	make_change(b, &batch[1], false, &maps[0]);
	for (uint32_t i = 0; i < 2 * TURNS; i++) {
		const double from = wall_us();

		send_raw(b, batch[i % 2].buf, batch[i % 2].len + END_BYTES);
		us[i % 2][i / 2] = wall_us() - from;
	}
	ret->us_raw = (median(us[0], TURNS) + median(us[1], TURNS)) / 2;
	nl_batch_fini(&batch[0]);
	nl_batch_fini(&batch[1]);
}

/* One size: the declarations, and the messages that they become, in memory of all processes */
struct size {
	unsigned int n;
	char path[32];
	struct raw *raw;
};

struct raw {
	size_t len;
	uint8_t bytes[];
};

/* What else is to be known of one size, and the messages themselves */
static void run_apply(const struct size *of, unsigned int turn, struct cost *ret)
{
	struct bench b;

	(void)turn;
	begin(&b);
	compile(&b, of->path, ret);
	load(&b, COMMIT, ret);
	ret->mib = max_rss_mib();
	load(&b, RELOAD, ret);
	change_one(&b, ret);
	change_one_raw(&b, ret);
}

static void run_make(const struct size *of, unsigned int turn, struct cost *ret)
{
	struct nl_batch_result result;
	struct nl_batch batch;
	struct bench b;

	(void)turn;
	begin(&b);
	compile(&b, of->path, ret);
	nl_batch_init(&batch);
	if (nft_program_messages(b.p, &batch) < 0 || nl_batch_send(&batch, &b.nl, &result) < 0)
		_exit(1);
	of->raw->len = batch.len + END_BYTES;
	if (of->raw->len > RAW_BYTES)
		_exit(1);
	memcpy(of->raw->bytes, batch.buf, of->raw->len);
}

/* Leave no table, and nothing that the kernel has yet to free: closing waits for that */
static void wipe(struct bench *b)
{
	const uint16_t type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE;
	struct nl_batch_result result;
	struct nlmsghdr *msg = NULL;
	struct nl_batch batch;

	nl_batch_init(&batch);
	if (nl_batch_begin(&batch, NFNL_SUBSYS_NFTABLES, 0) < 0 ||
	    nl_batch_add(&batch, type, 0, NFPROTO_UNSPEC, 0, &msg) < 0 ||
	    nl_batch_send(&batch, &b->nl, &result) < 0)
		_exit(1);
	nl_batch_fini(&batch);
	nl_close(&b->nl);
	if (nl_open(&b->nl, NETLINK_NETFILTER) < 0)
		_exit(2);
	/* What comes first would else pay for the sleep */
	for (const double from = now_ms(); now_ms() < from + AWAKE_MS; )
		;
}

static void run_pair(const struct size *of, unsigned int turn, struct cost *ret)
{
	uint8_t *bytes = malloc(of->raw->len);
	struct bench b;

	if (bytes == NULL)
		_exit(1);
	memcpy(bytes, of->raw->bytes, of->raw->len);
	begin(&b);
	for (unsigned int i = 0; i < 3; i++) {
		const double from = now_ms();

		if (i > 0 && i % 2 == turn % 2) {
			compile(&b, of->path, ret);
			load(&b, COMMIT, ret);
		} else {
			send_raw(&b, bytes, of->raw->len);
			ret->ms[RAW] = now_ms() - from;
		}
		wipe(&b);
	}
	ret->build_ratio = (ret->ms[BUILD] + ret->ms[COMMIT]) / ret->ms[RAW];
	ret->ratio = (ret->ms[PARSE] + ret->ms[LOWER]) / ret->ms[RAW] + ret->build_ratio;
	free(bytes);
}

typedef void run_fn(const struct size *of, unsigned int turn, struct cost *ret);

/* In a process of its own, so that nothing is left of the run before; false: it failed */
static bool run(run_fn *fn, const struct size *of, unsigned int turn, struct cost *ret)
{
	int fds[2], status = 1;
	pid_t pid;
	bool ok;

	if (pipe(fds) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		struct cost c = { .mib = 0 };

		fn(of, turn, &c);
		_exit(write(fds[1], &c, sizeof(c)) == sizeof(c) ? 0 : 1);
	}
	close(fds[1]);
	ok = pid > 0 && read(fds[0], ret, sizeof(*ret)) == sizeof(*ret);
	close(fds[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 && ok;
}

/* A process that has these rules in a namespace of its own until it is killed, or -1 */
static pid_t hold(const struct size *of)
{
	char ready = 0;
	int fds[2];
	pid_t pid;

	if (pipe(fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		struct bench b;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		begin(&b);
		send_raw(&b, of->raw->bytes, of->raw->len);
		if (write(fds[1], &ready, 1) == 1)
			pause();
		_exit(1);
	}
	close(fds[1]);
	if (pid > 0 && read(fds[0], &ready, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(fds[0]);
	return pid;
}

/* What the runs of one kind found, and how many they were */
struct runs {
	struct cost v[PAIRS_MAX];
	unsigned int n;
};

/* What a fourth, two or three of the runs say less than, of the double at byte @at */
static double quartile(const struct runs *r, size_t at, unsigned int fourths)
{
	double v[PAIRS_MAX];

	for (unsigned int i = 0; i < r->n; i++)
		memcpy(&v[i], (const char *)&r->v[i] + at, sizeof(v[i]));
	qsort(v, r->n, sizeof(*v), compare);
	return v[(r->n - 1) * fourths / 4];
}

#define MEDIAN(r, member) quartile(r, offsetof(struct cost, member), 2)

static void print_ratio(unsigned int n, const char *name, const struct runs *pairs, size_t at)
{
	static const char *const ends[] = { "", "-q1", "", "-q3" };
	static const unsigned int fourths[] = { 2, 1, 3 };

	for (size_t i = 0; i < ARRAY_SIZE(fourths); i++)
		printf("apply-%uk-%s%s %.2f x\n", n / 1000, name, ends[fourths[i]],
		       quartile(pairs, at, fourths[i]));
}

static void print_ratios(unsigned int n, const char *ratio, const char *build_ratio,
			 const struct runs *pairs)
{
	print_ratio(n, ratio, pairs, offsetof(struct cost, ratio));
	print_ratio(n, build_ratio, pairs, offsetof(struct cost, build_ratio));
}

static void print(unsigned int n, const struct runs *pairs, const struct runs *beside,
		  const struct runs *others)
{
	const unsigned int k = n / 1000;

	for (size_t i = 0; i < RELOAD; i++)
		printf("apply-%uk-%s %.2f ms\n", k, part_names[i],
		       quartile(pairs, offsetof(struct cost, ms) + i * sizeof(double), 2));
	print_ratios(n, "ratio", "build-ratio", pairs);
	printf("apply-%uk-beside-raw %.2f ms\n", k, MEDIAN(beside, ms[RAW]));
	print_ratios(n, "beside-ratio", "beside-build-ratio", beside);
	printf("apply-%uk-memory %.1f MiB\n", k, MEDIAN(others, mib));
	printf("reload-%uk %.2f ms\n", k, MEDIAN(others, ms[RELOAD]));
	printf("open-add-%uk %.2f us\n", k, MEDIAN(others, us_add));
	printf("open-del-%uk %.2f us\n", k, MEDIAN(others, us_del));
	printf("open-raw-%uk %.2f us\n", k, MEDIAN(others, us_raw));
	fflush(stdout);
}

static bool run_all(run_fn *fn, const struct size *of, unsigned int n, struct runs *ret)
{
	ret->n = n;
	for (unsigned int i = 0; i < n; i++)
		if (!run(fn, of, i, &ret->v[i]))
			return false;
	return true;
}

static bool measure(const struct size *of)
{
	const unsigned int n = MIN(PAIRS_MAX, MAX(PAIRS_MIN, PAIRS_OF / of->n));
	static struct runs pairs, beside, others;
	FILE *f = fopen(of->path, "we");
	struct cost unused;
	pid_t holder;
	bool ok;

	if (f == NULL)
		return false;
	write_jails(f, of->n);
	fclose(f);
	if (!run(run_make, of, 0, &unused) || !run_all(run_apply, of, RUNS, &others) ||
	    !run_all(run_pair, of, n, &pairs))
		return false;
	holder = hold(of);
	ok = holder > 0 && run_all(run_pair, of, n, &beside);
	if (holder > 0) {
		kill(holder, SIGKILL);
		waitpid(holder, NULL, 0);
	}
	if (ok)
		print(of->n, &pairs, &beside, &others);
	return ok;
}

int main(int argc, char **argv)
{
	const unsigned int one = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	struct size size = { .n = one > 0 ? one : 1000, .path = "/tmp/bench_apply.XXXXXX" };
	const int fd = mkstemp(size.path);
	bool ok = fd >= 0;

	size.raw = mmap(NULL, sizeof(*size.raw) + RAW_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok &= size.raw != MAP_FAILED;
	for (; size.n <= (one > 0 ? one : 100000) && ok; size.n *= 10)
		ok = measure(&size);
	if (fd >= 0)
		close(fd);
	unlink(size.path);
	if (!ok)
		fprintf(stderr, "bench_apply: a run failed\n");
	return !ok;
}
