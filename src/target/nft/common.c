/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What many rules in a row all test is tested once, ahead of a chain that holds the
 * rest of them: half of what the kernel does to take a rule is to find the kinds of
 * its expressions by name (`make bench`, pf-ranges-10k-check), and a packet that fails
 * asks one rule and not all.
 *
 * A chain that is jumped to goes on behind the jump when none of its rules decides, as
 * the rules themselves did.  So each rule of it ends in a verdict, or leads by goto to
 * a chain that does: one that came back would come back behind the jump, and not to
 * where the rule would have led.  Only tests of what no statement writes are moved.
 */
#include "target/nft/merge.h"

#include <string.h>

#define RULES_MIN	16u	/* in a row */
#define TESTS_MIN	2u	/* in common */
#define TESTS_MAX	8u
#define LEVELS_MAX	4u	/* of gotos behind a rule */

/* Tests that all rules of a run have */
struct common {
	const struct nft_stmt *tests[TESTS_MAX];
	uint32_t n;
};

static bool may_move(const struct nft_stmt *s)
{
	static const bool keys[N_NFT_KEYS] = {
		[NFT_K_IIFNAME] = true, [NFT_K_OIFNAME] = true, [NFT_K_NFPROTO] = true,
		[NFT_K_L4PROTO] = true, [NFT_K_TCP_FLAGS] = true, [NFT_K_CT_DIR] = true,
		[NFT_K_IP_SADDR] = true, [NFT_K_IP_DADDR] = true, [NFT_K_IP6_SADDR] = true,
		[NFT_K_IP6_DADDR] = true, [NFT_K_SPORT] = true, [NFT_K_DPORT] = true,
	};

	return keys[merge_key(s)];
}

static const struct nft_stmt *find_test(const struct nft_rule *r, const struct nft_stmt *test)
{
	for (uint32_t k = 0; k < merge_n_tests(r); k++)
		if (merge_same_test(merge_stmt(r, k), test))
			return merge_stmt(r, k);
	return NULL;
}

static struct common tests_of(const struct nft_rule *r)
{
	struct common c = { .n = 0 };

	for (uint32_t k = 0; k < merge_n_tests(r) && c.n < TESTS_MAX; k++)
		if (may_move(merge_stmt(r, k)))
			c.tests[c.n++] = merge_stmt(r, k);
	return c;
}

static struct common both(const struct common *x, const struct nft_rule *r)
{
	struct common c = { .n = 0 };

	for (uint32_t i = 0; i < x->n; i++)
		if (find_test(r, x->tests[i]) != NULL)
			c.tests[c.n++] = x->tests[i];
	return c;
}

/* ---- what never comes back ---------------------------------------------------- */

static bool never_returns(const struct nft_program *p, const char *name, uint32_t level);

/* Does a statement lead back, or where nobody has looked */
static bool may_return(const struct nft_program *p, const struct nft_stmt *s, uint32_t level)
{
	if (s->kind == NFT_S_VMAP)
		return true;
	if (s->kind != NFT_S_VERDICT)
		return false;
	switch (s->decision.verdict) {
	case NFT_V_ACCEPT:
	case NFT_V_DROP:
		return false;
	case NFT_V_GOTO:
		return !never_returns(p, s->decision.chain, level + 1);
	case NFT_V_JUMP:
		return level == 0;	/* from a chain behind it comes back to that chain */
	case NFT_V_RETURN:
		return true;
	}
	BUG_IF(true);
}

/* Does a rule decide whatever the packet is */
static bool is_last_word(const struct nft_rule *r)
{
	for (uint32_t k = 0; k + 1 < r->stmts.list.n; k++)
		if (merge_stmt(r, k)->kind != NFT_S_COUNTER &&
		    merge_stmt(r, k)->kind != NFT_S_MARK && merge_stmt(r, k)->kind != NFT_S_LOG)
			return false;
	return r->stmts.list.n > 0 &&
	       merge_stmt(r, r->stmts.list.n - 1)->kind == NFT_S_VERDICT;
}

static bool never_returns(const struct nft_program *p, const char *name, uint32_t level)
{
	const struct nft_chain *c = p->chains.v[nft_chain_number(p, NFT_INET, name)];

	if (level > LEVELS_MAX || c->rules.n == 0 || !is_last_word(&c->rules.v[c->rules.n - 1]))
		return false;
	for (uint32_t i = 0; i < c->rules.n; i++)
		for (uint32_t k = 0; k < c->rules.v[i].stmts.list.n; k++)
			if (may_return(p, merge_stmt(&c->rules.v[i], k), level))
				return false;
	return true;
}

/* Does a rule end what it matches, for good */
static bool decides(const struct nft_program *p, const struct nft_rule *r)
{
	const uint32_t n = r->stmts.list.n;

	for (uint32_t k = 0; k < n; k++)
		if (may_return(p, merge_stmt(r, k), 0))
			return false;
	return n > 0 && (merge_stmt(r, n - 1)->kind == NFT_S_VERDICT ||
			 merge_stmt(r, n - 1)->kind == NFT_S_REJECT);
}

/* ---- runs ---------------------------------------------------------------------- */

/* How many rules from @from on have something in common; what it is */
static uint32_t find_run(const struct nft_program *p, const struct nft_rule *rules, uint32_t n,
			 struct common *ret)
{
	uint32_t end = 1;

	*ret = tests_of(rules);
	if (ret->n < TESTS_MIN || !decides(p, rules))
		return 1;
	for (; end < n; end++) {
		const struct common c = both(ret, &rules[end]);

		/* The second rule says what the run is about */
		if (c.n < TESTS_MIN || (end > 1 && c.n < ret->n) || !decides(p, &rules[end]))
			break;
		*ret = c;
	}
	return end;
}

static void take_out(struct nft_rule *r, const struct nft_stmts *tests)
{
	const uint32_t n_tests = merge_n_tests(r);
	uint32_t n = 0;

	for (uint32_t k = 0; k < r->stmts.list.n; k++) {
		bool is_common = false;

		for (uint32_t i = 0; i < tests->list.n && k < n_tests; i++)
			is_common |= merge_same_test(merge_stmt(r, k), &tests->list.v[i]);
		if (!is_common)
			r->stmts.list.v[n++] = r->stmts.list.v[k];
	}
	r->stmts.list.n = n;
}

static void add_run(struct nft_program *p, struct nft_chain *to, const struct nft_rule *rules,
		    uint32_t n, const struct common *common)
{
	struct nft_chain *own = nft_add_chain(p, NFT_INET, "common");
	struct nft_stmts tests = { 0 }, jump = { 0 };

	for (uint32_t i = 0; i < common->n; i++)
		stmt_add(p, &tests, common->tests[i]);
	stmts_append(p, &jump, &tests);
	stmt_verdict(p, &jump, NFT_V_JUMP, own->name);
	nft_add_rule(p, to, &jump, NULL);
	vec_reserve(p->a, &own->rules, n);
	for (uint32_t i = 0; i < n; i++) {
		vec_add(p->a, &own->rules, rules[i]);
		take_out(&own->rules.v[i], &tests);
	}
}

static void share_in(struct nft_program *p, struct nft_chain *c)
{
	const struct nft_rule *rules = c->rules.v;
	const uint32_t n = c->rules.n;
	const struct nft_scope outer = nft_enter(p, c);

	c->rules.v = NULL;
	c->rules.n = c->rules.cap = 0;
	for (uint32_t i = 0, run; i < n; i += run) {
		struct common common;

		run = find_run(p, &rules[i], n - i, &common);
		if (run >= RULES_MIN) {
			add_run(p, c, &rules[i], run, &common);
			continue;
		}
		run = 1;
		vec_add(p->a, &c->rules, rules[i]);
	}
	p->scope = outer;
}

void nft_share_tests(struct nft_program *p)
{
	const uint32_t n = p->chains.n;

	for (uint32_t i = 0; i < n; i++) {
		struct nft_chain *c = p->chains.v[i];

		if (c->family == NFT_INET && c->type != NULL && strcmp(c->type, "nat") != 0 &&
		    c->rules.n >= RULES_MIN)
			share_in(p, c);
		nft_forget(p);
	}
}
