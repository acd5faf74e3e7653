/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The canonical text of random rulesets, proven to mean what they mean: the program that
 * is made from the one is held against the other.
 */
#include "unit.h"

#include <string.h>

#include "lang/ipfw.h"
#include "lang/pf.h"
#include "model/policy.h"
#include "prove_case.h"

static bool read_pf(struct prove_case *c, struct lang_ctx *ctx, uint32_t src, struct model *ret)
{
	const struct pf_options o = { .tolerate_missing = false };

	return pf_lower(ctx, pf_parse(ctx, NULL, &src, 1), &c->facts, NULL, &o, ret);
}

static bool read_ipfw(struct prove_case *c, struct lang_ctx *ctx, uint32_t src,
		      struct model *ret)
{
	const struct ipfw_options o = { .one_pass = -1 };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };

	return ipfw_rules_read(ctx, src, &cmds) &&
	       ipfw_lower(ctx, ipfw_parse(ctx, &cmds), &c->facts, &o, ret);
}

static struct lang_ctx context(struct prove_case *c)
{
	return (struct lang_ctx){ .a = &c->a, .names = &c->names, .sources = &c->sources,
				  .diags = &c->diags };
}

/* What `fmt` prints of a case */
static char *formatted(struct prove_case *c)
{
	struct lang_ctx ctx = context(c);
	struct ipfw_cmds cmds = { .list = { .n = 0 } };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	uint32_t src;

	if (!c->is_ipfw) {
		pf_fmt(c->text, (uint32_t)strlen(c->text), out);
	} else {
		src = sources_add(&c->sources, "again", c->text, (uint32_t)strlen(c->text),
				  SPAN_NONE);
		if (CHECK(ipfw_rules_read(&ctx, src, &cmds)))
			ipfw_fmt(ipfw_parse(&ctx, &cmds), out);
	}
	fclose(out);
	return text;
}

/* The program of another text is held against a case */
static bool prove_text(struct prove_case *c, const char *text, struct prove_result *ret)
{
	const uint32_t src = sources_add(&c->sources, "formatted", text, (uint32_t)strlen(text),
					 SPAN_NONE);
	struct lang_ctx ctx = context(c);
	struct policy_options policy = { .off = { false } };
	struct nft_options options;
	struct nft_program *p;
	struct model m;

	memcpy(policy.off, c->off, sizeof(policy.off));
	model_init(&m, &c->a, &c->names, &c->facts);
	if (!CHECK((c->is_ipfw ? read_ipfw : read_pf)(c, &ctx, src, &m)))
		return false;
	policy_add(&m, &policy, &c->diags);
	nft_options_init(&options);
	p = nft_program_from_model(&m, &options, &c->diags);
	return CHECK(p != NULL) &&
	       CHECK_INT(prove_program(&c->m, p, PROVE_MAX_NODES, &c->a, ret), 0);
}

static void format_random(int kind)
{
	const uint64_t n = getenv("SALLYPORT_LONG") != NULL ? 300 : 6;
	uint32_t n_proven = 0;

	for (uint64_t seed = 0; seed < n; seed++) {
		struct prove_result r = { .n_nodes = 0 };
		struct prove_case c;
		char *text = NULL;

		prove_case_init(&c, kind, seed);
		if (c.program != NULL) {
			text = formatted(&c);
			if (!prove_text(&c, text, &r) || !CHECK_INT(r.differences.n, 0) ||
			    !CHECK_INT(r.unproven.n, 0)) {
				printf("# kind %d, seed %u\n", kind, (unsigned int)seed);
				prove_case_show(&c, &r);
			}
			n_proven++;
		}
		prove_case_fini(&c);
		free(text);
	}
	printf("# %u of %u rulesets compile, and are proven\n", n_proven, (unsigned int)n);
	CHECK(n_proven > n / 2);
}

TEST(pf)
{
	format_random(0);
}

TEST(pf_dense)
{
	format_random(1);
}

TEST(pf_hosts)
{
	format_random(2);
}

TEST(ipfw)
{
	format_random(PROVE_IPFW);
}

/* A rule that fmt would lose is told */
TEST(lost_rule)
{
	struct prove_result r = { .n_nodes = 0 };
	struct prove_case c;

	prove_case_text(&c, "block all\npass in on igb0 proto tcp to port 22\n", NULL);
	if (CHECK(c.program != NULL) && prove_text(&c, "block all\n", &r))
		CHECK(r.differences.n > 0);
	prove_case_fini(&c);
}
