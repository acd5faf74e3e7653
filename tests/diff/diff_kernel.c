/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_kernel [--lang pf|ipfw] [--rulesets N] [--packets M] [--seed S]
 *	       [--one RULESET_SEED] [-v]
 *
 * Rulesets at random, packets at random, and the kernel as the judge: what
 * model_eval() says must be what became of each packet, on the wire and at the
 * host.  A ruleset that shows a difference is made as short as it can be.
 *
 * DOC: Theory of operation
 *
 * Each ruleset has a number, from which it and its packets follow; the number
 * comes from the seed of the run and is printed with every difference, so that
 * `--one` shows it again.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "diff_gen_ipfw.h"
#include "diff_run.h"
#include "model/policy.h"

#define MAX_SHOWN	5u	/* rulesets with differences that are shown */
#define ENOUGH		100u	/* rulesets in which there is every kind of packet */

/* Percent of rulesets that may not compile, about twice what does not */
static const uint32_t max_refused[] = { [DIFF_PF] = 8, [DIFF_IPFW] = 15 };

struct options {
	enum diff_lang lang;
	uint32_t rulesets;
	uint32_t packets;
	uint64_t seed;
	uint64_t one;
	bool has_one;
	bool verbose;
};

/* What was tested: kinds of packets, each of which must have been there */
enum kind {
	K_IN_LOCAL, K_FORWARDED, K_OUT, K_LO, K_CALLER, K_LOST, K_ANSWERED, K_DST, K_SRC,
	K_REPLAYED, K_REPLY,
	K_ERROR, K_V4, K_V6, N_KINDS
};

static const char *const kinds[N_KINDS] = {
	"in", "forwarded", "out", "lo", "local-caller", "lost", "answered",
	"destination-translated",
	"source-translated", "by-state", "reply", "icmp-error", "ipv4", "ipv6",
};

static const char *const langs[] = { [DIFF_PF] = "kernel", [DIFF_IPFW] = "ipfw-kernel" };

struct totals {
	uint32_t rulesets;
	uint32_t refused;
	uint32_t packets;
	uint32_t wrong_rulesets;
	uint32_t of_kind[N_KINDS];
	uint32_t known[N_DIFF_KNOWN];
};

static void count_probe(struct totals *t, const struct diff_probe *p)
{
	const struct diff_expect *e = &p->want;
	const struct packet *x = &p->x.p;
	const bool arrived = e->fate == FATE_ARRIVED;

	t->packets++;
	t->known[e->known]++;
	if (e->fate == FATE_ANY)
		return;
	t->of_kind[K_IN_LOCAL] += arrived && !p->x.from_host && e->link == LAB_LOCAL;
	t->of_kind[K_FORWARDED] += arrived && !p->x.from_host && e->link != LAB_LOCAL;
	t->of_kind[K_OUT] += arrived && p->x.from_host && e->link != LAB_LOCAL;
	t->of_kind[K_LO] += arrived && p->x.from_host && e->link == LAB_LOCAL;
	t->of_kind[K_CALLER] += arrived && p->x.from_host && e->link == LAB_LOCAL &&
				!addr_equal(e->p.dst, x->dst);
	t->of_kind[K_LOST] += e->fate == FATE_LOST;
	t->of_kind[K_ANSWERED] += e->fate == FATE_ANSWERED && e->answer_link != LAB_NOWHERE;
	t->of_kind[K_DST] += arrived && !addr_equal(e->p.dst, x->dst);
	t->of_kind[K_SRC] += arrived && !addr_equal(e->p.src, x->src);
	t->of_kind[K_REPLAYED] += arrived && e->replays > 0;
	t->of_kind[K_REPLY] += arrived && p->role == ROLE_REPLY;
	t->of_kind[K_ERROR] += arrived && p->role == ROLE_ERROR;
	t->of_kind[x->src.af == AF_V4 ? K_V4 : K_V6]++;
}

static void make_ruleset(struct arena *a, const struct options *o, uint64_t seed,
			 struct diff_ruleset *s)
{
	struct gen g = gen_seed(seed, 0);

	*s = (struct diff_ruleset){
		.lang = o->lang, .seed = seed, .n_packets = o->packets,
		.only_flow = UINT32_MAX,
	};
	(o->lang == DIFF_IPFW ? gen_ipfw_ruleset : gen_ruleset)(&g, a, &s->lines);
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++)
		s->fences_off[p] = gen_often(&g, 30);
}

static void show_ruleset(const struct diff_ruleset *s)
{
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++)
		if (s->fences_off[p])
			printf("    # --no-fence=%s\n", policy_names[p]);
	for (uint32_t i = 0; i < s->lines.list.n; i++)
		printf("    %s\n", s->lines.list.v[i]);
}

static void show_probe(struct diff_bench *b, struct arena *a, const struct diff_probe *p)
{
	printf("    # flow %u, %s: %s\n", p->flow, diff_roles[p->role],
	       diff_line(a, &b->lab, &p->x));
	if (p->want.steps != NULL)
		printf("    #   %s%s%s\n", p->want.steps,
		       p->want.known != DK_NONE ? " known: " : "",
		       p->want.known != DK_NONE ? diff_known[p->want.known].name : "");
	if (p->wrong != NULL)
		printf("    #   %s\n", p->wrong);
	if (p->send_err != 0)
		printf("    #   not sent: %s\n", strerror(-p->send_err));
}

static void show_flow(struct diff_bench *b, struct arena *a, const struct diff_report *r,
		      uint32_t flow)
{
	for (uint32_t i = 0; i < r->probes.n; i++)
		if (r->probes.v[i].flow == flow)
			show_probe(b, a, &r->probes.v[i]);
}

static uint32_t first_wrong_flow(const struct diff_report *r)
{
	for (uint32_t i = 0; i < r->probes.n; i++)
		if (r->probes.v[i].wrong != NULL)
			return r->probes.v[i].flow;
	return UINT32_MAX;
}

static bool still_wrong(struct diff_bench *b, const struct diff_ruleset *s)
{
	struct arena a;
	struct diff_report r;
	bool wrong;

	arena_init(&a, LIMIT_ARENA_BYTES);
	diff_run(b, &a, s, &r);
	wrong = r.outcome == DIFF_RAN && r.n_wrong > 0;
	arena_fini(&a);
	return wrong;
}

/* Take out lines and switch off fences while the difference stays */
static void shrink(struct diff_bench *b, struct arena *a, struct diff_ruleset *s)
{
	bool again = true;

	while (again) {
		again = false;
		for (uint32_t i = s->lines.list.n; i-- > 0;) {
			struct diff_ruleset less = *s;

			less.lines.list.v = NULL;
			less.lines.list.n = less.lines.list.cap = 0;
			for (uint32_t j = 0; j < s->lines.list.n; j++)
				if (j != i)
					vec_add(a, &less.lines.list, s->lines.list.v[j]);
			if (less.lines.list.n == 0 || !still_wrong(b, &less))
				continue;
			*s = less;
			again = true;
		}
	}
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++) {
		struct diff_ruleset less = *s;

		less.fences_off[p] = true;
		if (!s->fences_off[p] && still_wrong(b, &less))
			*s = less;
	}
}

static void show_shortest(struct diff_bench *b, struct arena *a, const struct diff_ruleset *s,
			  uint32_t flow)
{
	struct diff_ruleset less = *s;
	struct diff_report r;

	less.only_flow = flow;
	if (!still_wrong(b, &less)) {
		printf("    # the flow alone shows no difference\n");
		return;
	}
	shrink(b, a, &less);
	diff_run(b, a, &less, &r);
	printf("    # the shortest ruleset with a difference:\n");
	show_ruleset(&less);
	show_flow(b, a, &r, flow);
}

static const char *const outcomes[] = {
	[DIFF_RAN] = "ran", [DIFF_REFUSED] = "refused", [DIFF_INEXPRESSIBLE] = "not expressible",
	[DIFF_NOT_LOADED] = "the kernel refused it", [DIFF_STALLED] = "the lab stalled",
};

static void show_wrong(struct diff_bench *b, struct arena *a, const struct diff_ruleset *s,
		       const struct diff_report *r)
{
	uint32_t shown = 0;

	printf("not ok diff/ruleset # --one %" PRIu64 " --packets %u: %s, %u of %u packets differ, "
	       "%u stray answers\n", s->seed, s->n_packets, outcomes[r->outcome], r->n_wrong,
	       r->probes.n, r->strays);
	show_ruleset(s);
	printf("%s%s", r->said[0] != '\0' ? "    # " : "", r->said);
	for (uint32_t i = 0; i < r->probes.n && shown < 5; i++)
		if (r->probes.v[i].wrong != NULL) {
			show_flow(b, a, r, r->probes.v[i].flow);
			shown++;
		}
	if (r->n_wrong > 0)
		show_shortest(b, a, s, first_wrong_flow(r));
}

static void show_all(struct diff_bench *b, struct arena *a, const struct diff_ruleset *s,
		     const struct diff_report *r)
{
	printf("# ruleset %" PRIu64 ": %s, %u packets\n%s", s->seed, outcomes[r->outcome],
	       r->probes.n, r->said);
	show_ruleset(s);
	for (uint32_t i = 0; i < r->probes.n; i++)
		show_probe(b, a, &r->probes.v[i]);
}

static void run_one(struct diff_bench *b, const struct options *o, uint64_t seed,
		    struct totals *t)
{
	struct diff_ruleset s;
	struct diff_report r;
	struct arena a;

	arena_init(&a, 4 * LIMIT_ARENA_BYTES);
	make_ruleset(&a, o, seed, &s);
	diff_run(b, &a, &s, &r);
	t->rulesets++;
	for (uint32_t i = 0; i < r.probes.n; i++)
		count_probe(t, &r.probes.v[i]);
	if (o->verbose)
		show_all(b, &a, &s, &r);
	if (r.outcome == DIFF_REFUSED || r.outcome == DIFF_INEXPRESSIBLE) {
		t->refused++;
	} else if (r.outcome != DIFF_RAN || r.n_wrong > 0 || r.strays > 0) {
		if (t->wrong_rulesets++ < MAX_SHOWN)
			show_wrong(b, &a, &s, &r);
	}
	arena_fini(&a);
}

static bool summary(const struct options *o, const struct totals *t)
{
	bool ok = t->wrong_rulesets == 0;

	if (ok)
		printf("ok diff/%s # %u rulesets, %u packets, seed %" PRIu64 "\n",
		       langs[o->lang], t->rulesets, t->packets, o->seed);
	else
		printf("not ok diff/%s # %u of %u rulesets differ, seed %" PRIu64 "\n",
		       langs[o->lang], t->wrong_rulesets, t->rulesets, o->seed);
	for (int k = 0; k < N_KINDS && t->rulesets >= ENOUGH; k++) {
		ok &= t->of_kind[k] > 0;
		printf("%s diff/%s # %u packets\n", t->of_kind[k] > 0 ? "ok" : "not ok", kinds[k],
		       t->of_kind[k]);
	}
	for (int k = DK_NONE + 1; k < N_DIFF_KNOWN; k++)
		if (t->known[k] > 0)
			printf("# known difference %s: %u packets (%s)\n", diff_known[k].name,
			       t->known[k], diff_known[k].text);
	if (t->refused * 100 > t->rulesets * max_refused[o->lang]) {
		printf("not ok diff/refused # %u of %u rulesets did not compile\n", t->refused,
		       t->rulesets);
		ok = false;
	}
	return ok;
}

static int usage(void)
{
	fprintf(stderr, "usage: diff_kernel [--lang pf|ipfw] [--rulesets N] [--packets M] "
			"[--seed S] [--one RULESET_SEED] [-v]\n");
	return 64;
}

static bool parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "lang", required_argument, NULL, 'l' },
		{ "rulesets", required_argument, NULL, 'r' },
		{ "packets", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ "one", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "v", longs, NULL)) != -1) {
		switch (c) {
		case 'l':
			o->lang = strcmp(optarg, "ipfw") == 0 ? DIFF_IPFW : DIFF_PF;
			break;
		case 'r':
			o->rulesets = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			o->packets = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 0);
			break;
		case 'o':
			o->one = strtoull(optarg, NULL, 0);
			o->has_one = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && o->packets >= 5 && o->packets <= 400;
}

int main(int argc, char **argv)
{
	struct options o = { .rulesets = 200, .packets = 50, .seed = 1 };
	static struct diff_bench b;
	struct totals t = { 0 };
	const struct lab_route *routes;
	const char *why = "";
	struct arena a;
	uint32_t n;
	int err;
	bool ok;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse(argc, argv, &o))
		return usage();
	arena_init(&a, 16 * LIMIT_ARENA_BYTES);
	intern_init(&b.names, &a);
	gen_facts(&b.facts, &a, &b.names);
	routes = gen_routes(&a, &n);
	err = lab_open(&b.lab, &b.facts, routes, n, &why);
	if (err == -EPERM) {
		printf("skip diff/%s # cannot %s: %s\n", langs[o.lang], why, strerror(-err));
		return 0;
	}
	if (err < 0) {
		printf("not ok diff/%s # cannot %s: %s\n", langs[o.lang], why, strerror(-err));
		return 1;
	}
	if (o.has_one)
		run_one(&b, &o, o.one, &t);
	for (uint32_t i = 0; !o.has_one && i < o.rulesets; i++)
		run_one(&b, &o, o.seed * UINT64_C(1000003) + i, &t);
	ok = summary(&o, &t);
	lab_close(&b.lab);
	arena_fini(&a);
	return ok ? 0 : 1;
}
