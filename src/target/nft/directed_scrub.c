/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Headers are changed ahead of all translation: in a base chain's last rules,
 * each of which leads to the chain that writes.  The first match is the only
 * one, so that chain is gone to.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>

static void add_write(struct frame *f, struct nft_chain *c, struct nft_stmts *s,
		      enum nft_header what, uint16_t value)
{
	stmt_add(f->p, s, &(struct nft_stmt){ .kind = NFT_S_HEADER,
		 .write = { .what = what, .value = value } });
	nft_add_rule(f->p, c, s, NULL);
}

static void match_family(struct frame *f, struct nft_stmts *s, bool v6)
{
	stmt_match(f->p, s, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4));
}

static void add_ttl(struct frame *f, struct nft_chain *c, uint8_t ttl, bool v6)
{
	struct nft_stmts s = { 0 };

	match_family(f, &s, v6);
	stmt_add(f->p, &s, &(struct nft_stmt){ .kind = NFT_S_MATCH, .match = {
		.key = v6 ? NFT_K_IP6_HOPLIMIT : NFT_K_IP_TTL, .is_less = true,
		.value = nft_value_num(NFT_T_BYTE, ttl) } });
	add_write(f, c, &s, v6 ? NFT_H_HOPLIMIT : NFT_H_TTL, ttl);
}

static void add_mss(struct frame *f, struct nft_chain *c, uint16_t mss)
{
	struct nft_stmts s = { 0 };

	stmt_match(f->p, &s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_TCP));
	stmt_masked(f->p, &s, NFT_K_TCP_FLAGS, TCP_FLAG_SYN, TCP_FLAG_SYN, false);
	add_write(f, c, &s, NFT_H_MAXSEG, mss);
}

const char *directed_scrub_chain(struct frame *f, const struct scrub *x)
{
	struct nft_chain *c = nft_add_chain(f->p, NFT_INET, "scrub");

	if (x->no_df) {
		struct nft_stmts s = { 0 };

		match_family(f, &s, false);
		add_write(f, c, &s, NFT_H_NO_DF, 0);
	}
	for (int v6 = 0; v6 < 2; v6++) {
		struct nft_stmts s = { 0 };

		if (x->min_ttl != 0)
			add_ttl(f, c, x->min_ttl, v6 != 0);
		if (x->tos < 0)
			continue;
		match_family(f, &s, v6 != 0);
		add_write(f, c, &s, v6 != 0 ? NFT_H_DSCP6 : NFT_H_DSCP, (uint16_t)x->tos >> 2);
	}
	if (x->max_mss != 0)
		add_mss(f, c, x->max_mss);
	return c->name;
}

bool directed_has_scrub(const struct frame *f, enum direction dir)
{
	const uint32_t list = f->sides[dir].scrub;

	for (uint32_t i = 0; list != LIST_NONE && i < f->m->lists.v[list].rules.n; i++) {
		const struct set *dirs = rule_tests(&f->m->lists.v[list].rules.v[i], F_DIR);

		if (dirs == NULL || set_has(dirs, AF_NONE, dir))
			return true;
	}
	return false;
}

bool directed_scrub(struct frame *f, struct nft_chain *c, const struct nft_view *v)
{
	const struct rule_list *l = &f->m->lists.v[f->sides[v->dir].scrub];

	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		const struct effect *e = rule_has_effect(r, EF_SCRUB);
		const struct nft_tests t = nft_tests_of(r);
		struct nft_alts alts = { 0 };
		const char *chain = NULL;

		if (e == NULL || r->exit != EX_RETURN || r->effects.n != 1 || r->prob != 0) {
			diag_add(f->d, DIAG_E1701, r->origin.at, "this change of headers cannot be "
				 "expressed in nftables");
			return false;
		}
		if (!nft_match(v, &t, r->origin.at, &alts))
			return false;
		for (uint32_t k = 0; k < alts.list.n; k++) {
			chain = chain != NULL ? chain :
				directed_scrub_chain(f, &f->m->scrubs.v[e->scrub]);
			stmt_counter(f->p, &alts.list.v[k]);
			stmt_verdict(f->p, &alts.list.v[k], NFT_V_GOTO, chain);
			nft_add_rule(f->p, c, &alts.list.v[k], &r->origin);
		}
		nft_forget(f->p);
	}
	return true;
}
