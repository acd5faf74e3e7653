/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * `nft flush ruleset` by somebody else takes our nat chains, and if they were the
 * last, conntrack with them: translated connections are reset before anybody can
 * repair it.  A table that belongs to our socket (NFT_TABLE_F_OWNER) is not
 * flushed by others, so its empty nat chains and a rule that asks conntrack keep
 * both alive; and it goes with the socket, however we end.
 */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nl/batch.h"
#include "target/nft.h"
#include "target/nft/put.h"

/* With the number of the owner's socket: each of several guards for itself, to its own end */
#define GUARD_TABLE	"sallyport_watch_%u"
#define GUARD_BYTES	32u

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER 0x2
#endif

static const struct {
	const char *name;
	const char *type;
	uint32_t hook;
	int32_t prio;
} chains[] = {
	{ "translate_in", "nat", NF_INET_PRE_ROUTING, -100 },
	{ "translate_local", "nat", NF_INET_LOCAL_OUT, -100 },
	{ "translate_out", "nat", NF_INET_POST_ROUTING, 100 },
	{ "track", "filter", NF_INET_PRE_ROUTING, 200 },
};

static int put_table(struct nl_batch *b, const char *table)
{
	struct nlmsghdr *msg;
	struct nft_put p;
	const int err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE,
				     NLM_F_CREATE, NFPROTO_INET, 0, &msg);

	if (err < 0)
		return err;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_TABLE_NAME, table);
	nft_put_u32(&p, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	nft_put_done(&p, msg);
	return 0;
}

static int put_chain(struct nl_batch *b, const char *table, size_t i)
{
	struct nlmsghdr *msg;
	struct nft_put p;
	const int err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN,
				     NLM_F_CREATE, NFPROTO_INET, 0, &msg);

	if (err < 0)
		return err;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_CHAIN_TABLE, table);
	nft_put_str(&p, NFTA_CHAIN_NAME, chains[i].name);
	nft_put_str(&p, NFTA_CHAIN_TYPE, chains[i].type);
	nft_put_hook(&p, chains[i].hook, chains[i].prio);
	nft_put_done(&p, msg);
	return 0;
}

/* A rule that asks for the state of the connection, and does nothing with it */
static int put_rule(struct nl_batch *b, const char *table)
{
	struct nlmsghdr *msg;
	struct nft_put p;
	const int err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
				     NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET, 0, &msg);

	if (err < 0)
		return err;
	p = nft_put_to(msg);
	nft_put_str(&p, NFTA_RULE_TABLE, table);
	nft_put_str(&p, NFTA_RULE_CHAIN, chains[ARRAY_SIZE(chains) - 1].name);
	nft_put_open(&p, NFTA_RULE_EXPRESSIONS);
	nft_put_expr_in(&p, NFTA_LIST_ELEM, "ct");
	nft_put_u32(&p, NFTA_CT_KEY, NFT_CT_STATE);
	nft_put_u32(&p, NFTA_CT_DREG, NFT_REG_1);
	nft_put_close(&p);
	nft_put_close(&p);
	nft_put_close(&p);
	nft_put_done(&p, msg);
	return 0;
}

int nft_guard(struct nl_session *nl)
{
	struct nl_batch b CLEANUP(nl_batch_fini);
	struct nl_batch_result result;
	char table[GUARD_BYTES];
	int err;

	snprintf(table, sizeof(table), GUARD_TABLE, nl->port);
	nl_batch_init(&b);
	err = nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, 0);
	if (err == 0)
		err = put_table(&b, table);
	for (size_t i = 0; i < ARRAY_SIZE(chains) && err == 0; i++)
		err = put_chain(&b, table, i);
	if (err == 0)
		err = put_rule(&b, table);
	return err < 0 ? err : nl_batch_send(&b, nl, &result);
}
