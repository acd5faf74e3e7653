/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * That shared tests mean the same is shown with packets (tests/diff); here is shown
 * what is shared, what is not, and what it looks like.
 */
#include "unit.h"

#include <linux/netfilter.h>

#include "target/nft/merge.h"
#include "test_nft.h"

/* Rules that log are not merged, so they stand in a row */
static void logged(struct fix *f, struct rule *r, uint32_t i)
{
	run_points(f, r, i);
	rule_log(&f->m, r);
}

static const char *text_of(struct fix *f, uint32_t n, run_fn *fn)
{
	fix_init(f);
	fix_enter(f);
	fix_run(f, n, true, fn);
	return fix_text(f, true);
}

static uint32_t chains_of(uint32_t n, run_fn *fn)
{
	struct fix f;
	const uint32_t chains = fix_count(text_of(&f, n, fn), "\tchain common_");

	fix_fini(&f);
	return chains;
}

TEST(what_all_rules_of_a_row_test_is_tested_once)
{
	struct fix f;
	const char *text = text_of(&f, 20, logged);

	/* In either direction */
	CHECK_INT(fix_count(text, "\tchain common_"), 2);
	CHECK_INT(fix_count(text, "meta nfproto 2 meta l4proto 6 jump common_"), 2);
	CHECK_INT(fix_count(text, "meta l4proto 6"), 2);
	CHECK_INT(fix_count(text, "\t\tip daddr 10.7.0."), 40);
	CHECK_INT(fix_count(text, "\t\tip daddr 10.7.0.3 th dport 83 counter log prefix"), 2);
	fix_fini(&f);
}

TEST(few_rules_in_a_row_keep_their_tests)
{
	CHECK_INT(chains_of(15, logged), 0);
	CHECK_INT(chains_of(16, logged), 2);
}

/* The twentieth is of another protocol */
static void broken(struct fix *f, struct rule *r, uint32_t i)
{
	if (i != 20) {
		logged(f, r, i);
		return;
	}
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_UDP));
	rule_log(&f->m, r);
}

TEST(another_rule_ends_the_row)
{
	CHECK_INT(chains_of(40, broken), 4);
	CHECK_INT(chains_of(30, broken), 2);
}

/* One test in common is not worth a chain */
static void of_protocol(struct fix *f, struct rule *r, uint32_t i)
{
	rule_test(&f->m, r, F_PROTO, set_one(&f->a, PROTO_TCP));
	rule_test(&f->m, r, F_DPORT, fix_num(f, i, i));
	rule_log(&f->m, r);
}

TEST(one_test_is_not_shared)
{
	CHECK_INT(chains_of(20, of_protocol), 0);
}

/* Rules in a row that go to a chain of two rules; how many chains share their tests */
static uint32_t chains_to(enum nft_verdict first, enum nft_verdict last, bool always)
{
	struct nft_stmts to = { 0 }, inner = { 0 }, end = { 0 };
	struct nft_chain *base, *behind;
	struct nft_program p = { 0 };
	struct nft_options o;
	uint32_t chains = 0;
	struct fix f;

	fix_init(&f);
	nft_options_init(&o);
	nft_program_init(&p, &f.a, &f.sources, &o);
	base = nft_add_base(&p, NFT_INET, "base", "filter", NF_INET_PRE_ROUTING, 0);
	behind = nft_add_named(&p, NFT_INET, "behind");
	stmt_match(&p, &inner, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_UDP));
	if (!always)
		stmts_append(&p, &end, &inner);
	stmt_verdict(&p, &inner, first, first == NFT_V_JUMP ? "other" : NULL);
	stmt_verdict(&p, &end, last, NULL);
	nft_add_rule(&p, behind, &inner, NULL);
	nft_add_rule(&p, behind, &end, NULL);
	stmt_match(&p, &to, NFT_K_IIFNAME, false, nft_value_name("igb0"));
	stmt_match(&p, &to, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_TCP));
	stmt_verdict(&p, &to, NFT_V_GOTO, "behind");
	for (int i = 0; i < 20; i++)
		nft_add_rule(&p, base, &to, NULL);
	nft_share_tests(&p);
	for (uint32_t i = 0; i < p.chains.n; i++)
		chains += strncmp(p.chains.v[i]->name, "common_", 7) == 0;
	fix_fini(&f);
	return chains;
}

TEST(rules_that_lead_to_what_comes_back_keep_their_tests)
{
	CHECK_INT(chains_to(NFT_V_DROP, NFT_V_ACCEPT, true), 1);
	CHECK_INT(chains_to(NFT_V_JUMP, NFT_V_ACCEPT, true), 1);
	CHECK_INT(chains_to(NFT_V_RETURN, NFT_V_ACCEPT, true), 0);
	CHECK_INT(chains_to(NFT_V_DROP, NFT_V_RETURN, true), 0);
	CHECK_INT(chains_to(NFT_V_DROP, NFT_V_ACCEPT, false), 0);
}
