/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove_case.h"

#include <string.h>

#include "base/limits.h"
#include "diff_gen_ipfw.h"
#include "lang/ipfw.h"
#include "lang/jail.h"
#include "lang/pf.h"
#include "model/policy.h"

static bool lower_pf(struct prove_case *c, struct lang_ctx *ctx, uint32_t src)
{
	const struct pf_options o = { .tolerate_missing = false };

	return pf_lower(ctx, pf_parse(ctx, NULL, &src, 1), &c->facts, NULL, &o, &c->m);
}

static bool lower_ipfw(struct prove_case *c, struct lang_ctx *ctx, uint32_t src)
{
	const struct ipfw_options o = { .one_pass = -1 };
	struct ipfw_cmds cmds = { .list = { .n = 0 } };

	return ipfw_rules_read(ctx, src, &cmds) &&
	       ipfw_lower(ctx, ipfw_parse(ctx, &cmds), &c->facts, &o, &c->m);
}

static void compile(struct prove_case *c, bool is_ipfw, const struct policy_options *policy)
{
	struct lang_ctx ctx = {
		.a = &c->a, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
	};
	const uint32_t src = sources_add(&c->sources, is_ipfw ? "case.ipfw.rules" : "case.pf.conf",
					 c->text, (uint32_t)strlen(c->text), SPAN_NONE);
	struct nft_options options;

	c->is_ipfw = is_ipfw;
	memcpy(c->off, policy->off, sizeof(c->off));
	model_init(&c->m, &c->a, &c->names, &c->facts);
	if (!(is_ipfw ? lower_ipfw : lower_pf)(c, &ctx, src) || c->diags.n_errors > 0)
		return;
	policy_add(&c->m, policy, &c->diags);
	nft_options_init(&options);
	c->program = nft_program_from_model(&c->m, &options, &c->diags);
}

static void start(struct prove_case *c)
{
	*c = (struct prove_case){ .program = NULL };
	arena_init(&c->a, 16 * (size_t)LIMIT_ARENA_BYTES);
	intern_init(&c->names, &c->a);
	sources_init(&c->sources, &c->a);
	diags_init(&c->diags, &c->a, &c->sources);
	gen_facts(&c->facts, &c->a, &c->names);
}

void prove_case_text(struct prove_case *c, const char *text, const bool off[N_POLICIES])
{
	struct policy_options policy = { 0 };

	start(c);
	if (off != NULL)
		memcpy(policy.off, off, sizeof(policy.off));
	c->text = text;
	compile(c, false, &policy);
}

void prove_case_ipfw(struct prove_case *c, const char *text)
{
	const struct policy_options policy = { .off = { false } };

	start(c);
	c->text = text;
	compile(c, true, &policy);
}

void prove_case_like(struct prove_case *c, const struct prove_case *of, const char *text)
{
	struct policy_options policy;

	memcpy(policy.off, of->off, sizeof(policy.off));
	start(c);
	c->text = text;
	compile(c, of->is_ipfw, &policy);
}

void prove_case_jails(struct prove_case *c, const char *text)
{
	const struct policy_options policy = { .off = { false } };
	const struct pf_options o = { .tolerate_missing = false };
	struct lang_ctx ctx;
	struct nft_options options;
	struct iface *igb0;
	uint32_t src;

	start(c);
	ctx = (struct lang_ctx){ .a = &c->a, .names = &c->names, .sources = &c->sources,
				 .diags = &c->diags };
	c->text = text;
	facts_init(&c->facts, &c->a, &c->names);
	igb0 = facts_add(&c->facts, "igb0");
	facts_add_addr(&c->facts, igb0, (struct iface_addr){
		.p = { addr_v4(203, 0, 113, 2), 24 } });
	facts_add_addr(&c->facts, igb0, (struct iface_addr){
		.p = { { AF_V6, (u128)0x20010db8 << 96 | 2 }, 64 } });
	decl_init(&c->decl, &c->a, &c->names);
	model_init(&c->m, &c->a, &c->names, &c->facts);
	src = sources_add(&c->sources, "jail.conf", text, (uint32_t)strlen(text), SPAN_NONE);
	jail_lower(&ctx, jail_parse(&ctx, src), &c->decl);
	decl_finish(&c->decl, &c->diags);
	decl_to_facts(&c->decl, &c->facts);
	if (!pf_lower(&ctx, pf_parse(&ctx, &c->decl, &src, 0), &c->facts, &c->decl, &o, &c->m) ||
	    c->diags.n_errors > 0)
		return;
	policy_add(&c->m, &policy, &c->diags);
	nft_options_init(&options);
	c->program = nft_program_from_model(&c->m, &options, &c->diags);
}

void prove_case_read(struct prove_case *c, struct prog *p)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	const void *bytes;
	size_t len;

	nl_batch_init(&b);
	*p = (struct prog){ .a = &c->a };
	BUG_IF(nft_program_messages(c->program, &b) < 0);
	bytes = nl_batch_bytes(&b, &len);
	prog_take_all(p, bytes, len);
}

void prove_case_init(struct prove_case *c, int kind, uint64_t seed)
{
	static void (*const gens[])(struct gen *, struct arena *, struct gen_lines *) = {
		gen_ruleset, gen_dense, gen_host, gen_ipfw_ruleset,
	};
	struct policy_options policy = { 0 };
	struct gen_lines lines = { .list = { .n = 0 } };
	struct gen g = gen_seed(seed, (uint64_t)kind);
	const char *text = "";

	start(c);
	gens[kind](&g, &c->a, &lines);
	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++)
		policy.off[p] = gen_often(&g, 30);
	for (uint32_t i = 0; i < lines.list.n; i++)
		text = arena_printf(&c->a, "%s%s\n", text, lines.list.v[i]);
	c->text = text;
	compile(c, kind == PROVE_IPFW, &policy);
}

int prove_case_prove(struct prove_case *c, struct prove_result *ret)
{
	return prove_program(&c->m, c->program, PROVE_MAX_NODES, &c->a, ret);
}

void prove_case_fini(struct prove_case *c)
{
	arena_fini(&c->a);
}

void prove_case_show(const struct prove_case *c, const struct prove_result *r)
{
	for (uint32_t i = 0; i < r->differences.n; i++) {
		const struct prove_difference *d = &r->differences.v[i];

		printf("# %s%s: declared %s, kernel %s, in: %s\n", d->packet,
		       d->is_known ? " (known flow)" : "", d->declared, d->kernel, d->part);
	}
	for (uint32_t i = 0; i < r->unproven.n; i++)
		printf("# not proven: %s\n", r->unproven.v[i]);
	for (const char *line = c->text; *line != '\0';) {
		const size_t n = strcspn(line, "\n");

		printf("#   %.*s\n", (int)n, line);
		line += n + (line[n] != '\0');
	}
}
