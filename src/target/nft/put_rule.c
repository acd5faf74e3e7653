/* SPDX-License-Identifier: BSD-2-Clause */
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include "target/nft/kernel.h"
#include "target/nft/stmt.h"

void nft_put_exprs(struct nft_put *p, const struct nft_rule *r)
{
	const uint8_t *full = p->at + UINT16_MAX - NFT_STMT_BYTES;

	nft_put_open(p, NFTA_RULE_EXPRESSIONS);
	for (uint32_t i = 0; i < r->stmts.list.n; i++) {
		BUG_IF(p->at > full);
		nft_stmt_ops[r->stmts.list.v[i].kind].emit(&r->stmts.list.v[i], p);
	}
	nft_put_close_to(p, 0);
}

void nft_put_rule(struct nft_put *p, const char *chain, const struct nft_rule *r)
{
	nft_put_str(p, NFTA_RULE_TABLE, NFT_TABLE);
	nft_put_str(p, NFTA_RULE_CHAIN, chain);
	if (r->comment != NULL)
		nft_put_comment(p, NFTA_RULE_USERDATA, NFTNL_UDATA_RULE_COMMENT, r->comment);
	nft_put_exprs(p, r);
}
