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
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nl/batch.h"
#include "target/nft.h"

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
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *msg;
	int err;

	if (t == NULL)
		return -ENOMEM;
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, table);
	nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE, NLM_F_CREATE,
			   NFPROTO_INET, 0, &msg);
	if (err == 0)
		nftnl_table_nlmsg_build_payload(msg, t);
	nftnl_table_free(t);
	return err;
}

static int put_chain(struct nl_batch *b, const char *table, size_t i)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *msg;
	int err;

	if (c == NULL)
		return -ENOMEM;
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, chains[i].name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, chains[i].type);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, chains[i].hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, chains[i].prio);
	err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWCHAIN, NLM_F_CREATE,
			   NFPROTO_INET, 0, &msg);
	if (err == 0)
		nftnl_chain_nlmsg_build_payload(msg, c);
	nftnl_chain_free(c);
	return err;
}

/* A rule that asks for the state of the connection, and does nothing with it */
static int put_rule(struct nl_batch *b, const char *table)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nftnl_expr *e = nftnl_expr_alloc("ct");
	struct nlmsghdr *msg;
	int err;

	if (r == NULL || e == NULL)
		return -ENOMEM;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chains[ARRAY_SIZE(chains) - 1].name);
	nftnl_rule_add_expr(r, e);
	err = nl_batch_add(b, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE,
			   NLM_F_CREATE | NLM_F_APPEND, NFPROTO_INET, 0, &msg);
	if (err == 0)
		nftnl_rule_nlmsg_build_payload(msg, r);
	nftnl_rule_free(r);
	return err;
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
