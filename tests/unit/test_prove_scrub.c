/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Changes of headers: what random rules write must be proven, and each way in which a
 * compiler may get such a write wrong must be found, with a packet.
 */
#include "unit.h"

#include <linux/netfilter/nf_tables.h>

#include "prove/stages.h"
#include "prove_case.h"

static bool wrong_checksum(struct prog_expr *x)
{
	if (x->op != X_PAYLOAD_SET || x->modulus == 0)
		return false;
	x->modulus = 0;
	return true;
}

static bool wrong_place(struct prog_expr *x)
{
	x->offset += x->op == X_PAYLOAD_SET ? 2 : 0;
	return x->op == X_PAYLOAD_SET;
}

static bool other_value(struct prog_expr *x)
{
	/* Of what is written: the constant, or the bits that a mask leaves out */
	if (x->op == X_IMMEDIATE && x->len <= 2)
		x->data[x->len - 1] ^= 1;
	else if (x->op == X_BITWISE && x->len == 2 && (x->mask[0] & x->mask[1]) != 0xff)
		x->data[x->mask[0] == 0 ? 0 : 1] ^= x->mask[0] == 0 ? 1 : 0x40;
	else
		return false;
	return true;
}

static bool wider_mask(struct prog_expr *x)
{
	if (x->op != X_BITWISE || x->len != 2)
		return false;
	/* The version is not 0, and nothing is known of what stands behind */
	if ((x->mask[0] & 0x40) != 0)
		x->mask[0] &= 0xbf;
	else
		x->mask[1] &= 0xfe;
	return true;
}

static bool other_limit(struct prog_expr *x)
{
	if (x->op != X_CMP || x->key != NFT_CMP_LT || x->len != 1)
		return false;
	x->data[0]--;
	return true;
}

static bool lost_write(struct prog_expr *x)
{
	if (x->op != X_PAYLOAD_SET && x->op != X_EXTHDR_SET)
		return false;
	x->op = X_NOTHING;
	return true;
}

static const struct { const char *name; bool (*make)(struct prog_expr *x); } mistakes[] = {
	{ "checksum left", wrong_checksum }, { "other place", wrong_place },
	{ "other value", other_value }, { "wider mask", wider_mask },
	{ "other limit", other_limit }, { "lost write", lost_write },
};

/* Is a chain one that writes, and not one that judges */
static bool writes(const struct prog_chain *c)
{
	return strncmp(c->name, "scrub", 5) == 0;
}

static bool is_told(struct prove_case *c, struct prog *p)
{
	struct prove_result r;

	return prove_prog(&c->m, p, nft_program_marks(c->program), PROVE_MAX_NODES, &c->a,
			  &r) == 0 && r.differences.n > 0 && r.differences.v[0].packet != NULL;
}

/* Each write of a program, wrong in each way that there is */
static uint32_t try_all(struct prove_case *c)
{
	uint32_t n_told = 0;
	struct prog p;

	prove_case_read(c, &p);
	for (uint32_t i = 0; i < p.chains.n; i++)
		for (uint32_t k = 0; writes(&p.chains.v[i]) && k < p.chains.v[i].rules.n; k++) {
			struct prog_rule *rule = &p.chains.v[i].rules.v[k];

			for (uint32_t e = 0; e < rule->exprs.n; e++)
				for (size_t m = 0; m < ARRAY_SIZE(mistakes); m++) {
					const struct prog_expr was = rule->exprs.v[e];

					if (!mistakes[m].make(&rule->exprs.v[e]))
						continue;
					if (CHECK(is_told(c, &p)))
						n_told++;
					else
						printf("# %s, not told, of:\n# %s\n",
						       mistakes[m].name, c->text);
					rule->exprs.v[e] = was;
				}
		}
	return n_told;
}

static const char *random_change(struct gen *g, struct arena *a, bool df)
{
	const char *text = df && gen_often(g, 40) ? "no-df " : "";

	if (gen_often(g, 40))
		text = arena_printf(a, "%smax-mss %u ", text, 900 + 100 * gen_below(g, 3));
	if (gen_often(g, 40))
		text = arena_printf(a, "%smin-ttl %u ", text, 10 + 20 * gen_below(g, 2));
	if (gen_often(g, 40) || *text == '\0')
		text = arena_printf(a, "%sset-tos 0x%02x ", text, 8 * (1 + gen_below(g, 3)));
	return text;
}

/* Each write may be met: rules are of both families, and one is the first of its direction */
static const char *random_rules(struct gen *g, struct arena *a)
{
	static const char *const dirs[] = { "in", "out", "in on igb0", "out on igb0" };
	static const char *const protos[] = { "", "proto tcp" };
	const char *text = gen_often(g, 30) ? "set skip on lo\n" : "";

	for (uint32_t i = 0; i < 2; i++)
		if (gen_often(g, 50))
			text = arena_printf(a, "%sscrub %s %s %s\n", text,
					    dirs[2 * gen_below(g, 2) + i], protos[gen_below(g, 2)],
					    random_change(g, a, true));
	if (gen_often(g, 40))
		text = arena_printf(a, "%snat on igb0 inet from 10.0.0.0/8 -> 203.0.113.2\n", text);
	if (gen_often(g, 40))
		text = arena_printf(a, "%srdr %son igb0 proto tcp to port 80 -> 10.0.0.2\n", text,
				    gen_often(g, 50) ? "pass " : "");
	if (gen_often(g, 40))
		text = arena_printf(a, "%sblock in\n", text);
	for (uint32_t i = gen_below(g, 3); i > 0; i--)
		text = arena_printf(a, "%smatch %s %s scrub (%s)\n", text, dirs[gen_below(g, 4)],
				    protos[gen_below(g, 2)], random_change(g, a, gen_often(g, 50)));
	for (uint32_t i = gen_below(g, 4); i > 0; i--)
		text = arena_printf(a, "%spass %s%s %s %s\n", text,
				    dirs[gen_below(g, 4)], gen_often(g, 30) ? " tos 0x10" : "",
				    protos[gen_below(g, 2)],
				    gen_often(g, 30) ? "no state" : "");
	return arena_printf(a, "%spass out\n", text);
}

/* SALLYPORT_LONG=1: 2,000 rulesets */
TEST(random_changes_of_headers)
{
	const uint32_t n = getenv("SALLYPORT_LONG") != NULL ? 2000 : 12;
	uint32_t n_proven = 0, n_told = 0, n_refused = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct gen g = gen_seed(9000 + i, 7);
		struct prove_result r;
		struct prove_case c;
		struct arena a;

		arena_init(&a, 1u << 20);
		prove_case_text(&c, random_rules(&g, &a), NULL);
		if (c.program == NULL) {
			n_refused++;
		} else if (CHECK_INT(prove_case_prove(&c, &r), 0)) {
			if (!CHECK_INT(r.differences.n, 0) || !CHECK_INT(r.unproven.n, 0))
				prove_case_show(&c, &r);
			n_proven++;
			n_told += try_all(&c);
		}
		prove_case_fini(&c);
		arena_fini(&a);
	}
	printf("# %u rulesets: %u proven, %u do not compile; %u wrong writes told\n", n, n_proven,
	       n_refused, n_told);
	CHECK(n_proven * 3 > n);
	CHECK(n_told > n);
}

static bool is_proven(const char *text)
{
	struct prove_result r = { .n_nodes = 0 };
	struct prove_case c;
	bool is;

	prove_case_text(&c, text, NULL);
	is = c.program != NULL && prove_case_prove(&c, &r) == 0 && r.differences.n == 0 &&
	     r.unproven.n == 0;
	if (!is)
		prove_case_show(&c, &r);
	prove_case_fini(&c);
	return is;
}

/* The chains that write stand in one order for all packets, and rules do not */
TEST(the_last_of_several_counts)
{
	CHECK(is_proven("match in all scrub (max-mss 1200)\n"
			"match in on igb0 scrub (max-mss 1400)\npass\n"));
	CHECK(is_proven("match out all scrub (min-ttl 10)\n"
			"match out on igb0 proto tcp scrub (min-ttl 64)\n"
			"pass\npass in quick proto udp no state scrub (min-ttl 10)\n"));
	CHECK(is_proven("match in all scrub (set-tos 0x10)\n"
			"match out on igb0 proto tcp scrub (set-tos 0x20)\npass\n"));
}
