/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/doctor_base.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "nl/nft.h"
#include "target/nft.h"

/**
 * struct reading - Base chains on their way from the kernel
 * @x:		Examination
 * @ret:	Gains them
 */
struct reading {
	struct doctor *x;
	struct doctor_bases *ret;
};

static const char *text_of(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

static enum doctor_layer layer_of(uint8_t family, uint32_t hook)
{
	if (family == NFPROTO_BRIDGE)
		return DOCTOR_BRIDGE;
	if (family == NFPROTO_NETDEV)
		return hook == NF_NETDEV_INGRESS ? DOCTOR_INGRESS : DOCTOR_EGRESS;
	return hook == NF_INET_INGRESS ? DOCTOR_INGRESS : DOCTOR_IP;
}

/* The kernel says one interface, or a list that ends in NULL */
static void take_devs(struct arena *a, const struct nftnl_chain *c, struct doctor_base *ret)
{
	const char *const *devs = nftnl_chain_get_array(c, NFTNL_CHAIN_DEVICES);
	const char *dev = nftnl_chain_get_str(c, NFTNL_CHAIN_DEV);

	for (; devs != NULL && *devs != NULL; devs++)
		vec_add(a, &ret->devs, text_of(a, *devs));
	if (ret->devs.n == 0 && dev != NULL)
		vec_add(a, &ret->devs, text_of(a, dev));
}

static struct doctor_base base_of(struct arena *a, const struct nftnl_chain *c)
{
	struct doctor_base b = {
		.family = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
		.table = text_of(a, nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)),
		.name = text_of(a, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
		.hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
		.prio = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
		.is_nat = strcmp(nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE), "nat") == 0,
		.end.drops = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP,
	};

	b.layer = layer_of(b.family, b.hook);
	take_devs(a, c, &b);
	return b;
}

static int take_chain(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_chain *c;

	if (msg == NULL) {
		r->ret->list.n = 0;
		return 0;
	}
	c = nftnl_chain_alloc();
	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(msg, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) &&
	    !nft_is_ours(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
		vec_add(r->x->a, &r->ret->list, base_of(r->x->a, c));
	nftnl_chain_free(c);
	return 0;
}

int doctor_bases_read(struct doctor *x, uint8_t family, struct doctor_bases *ret)
{
	const struct nl_nft_query q = { .kind = NL_NFT_CHAINS, .family = family };
	struct reading r = { x, ret };

	ret->list.n = 0;
	return nl_nft_dump(x->nft, &q, take_chain, &r);
}

/**
 * struct look - What a rule consists of
 * @conditions:	Expressions that can end it
 * @is_nat:	It asks whether the packet was translated
 * @verdict:	Of its immediate expression, INT32_MIN: none
 * @rejects:	It refuses
 */
struct look {
	uint32_t conditions;
	bool is_nat;
	int32_t verdict;
	bool rejects;
};

static int take_expr(struct nftnl_expr *e, void *arg)
{
	static const char *const harmless[] = { "counter", "log", "notrack" };
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct look *l = arg;

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (strcmp(name, harmless[i]) == 0)
			return 0;
	if (strcmp(name, "immediate") == 0 && nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
		l->verdict = (int32_t)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	else if (strcmp(name, "reject") == 0)
		l->rejects = true;
	else
		l->conditions++;
	if (strcmp(name, "ct") == 0 && nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY) == NFT_CT_STATUS)
		l->is_nat = true;
	return 0;
}

static void judge_rule(struct doctor_base *c, struct nftnl_rule *r)
{
	struct look l = { .verdict = INT32_MIN };

	if (c->end.handle != 0 || c->end.accepts_nat)
		return;
	(void)nftnl_expr_foreach(r, take_expr, &l);
	if (l.verdict == NF_ACCEPT && (l.is_nat || l.conditions == 0))
		c->end.accepts_nat = true;
	else if (l.conditions == 0 && (l.rejects || l.verdict == NF_DROP))
		c->end = (struct doctor_end){
			.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE), .drops = true };
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct doctor_base *c = arg;
	struct nftnl_rule *r;

	if (msg == NULL) {
		c->end.handle = 0;
		c->end.accepts_nat = false;
		return 0;
	}
	r = nftnl_rule_alloc();
	if (r == NULL)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(msg, r) == 0 &&
	    strcmp(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), c->name) == 0)
		judge_rule(c, r);
	nftnl_rule_free(r);
	return 0;
}

int doctor_base_read_end(struct doctor *x, struct doctor_base *c)
{
	const struct nl_nft_query rules = { .kind = NL_NFT_RULES, .family = c->family,
					    .table = c->table };

	return nl_nft_dump(x->nft, &rules, take_rule, c);
}

/* ---- in words ---------------------------------------------------------------------- */

static const char *family_name(uint8_t family)
{
	static const char *const names[] = {
		[NFPROTO_INET] = "inet", [NFPROTO_IPV4] = "ip", [NFPROTO_IPV6] = "ip6",
		[NFPROTO_BRIDGE] = "bridge", [NFPROTO_NETDEV] = "netdev",
	};

	return family < ARRAY_SIZE(names) && names[family] != NULL ? names[family] : "?";
}

/* Those of a bridge have the numbers of those of packets */
static const char *hook_name(const struct doctor_base *c)
{
	static const char *const names[] = {
		[NF_INET_PRE_ROUTING] = "prerouting", [NF_INET_LOCAL_IN] = "input",
		[NF_INET_FORWARD] = "forward", [NF_INET_LOCAL_OUT] = "output",
		[NF_INET_POST_ROUTING] = "postrouting",
	};

	if (c->layer == DOCTOR_INGRESS || c->layer == DOCTOR_EGRESS)
		return c->layer == DOCTOR_INGRESS ? "ingress" : "egress";
	return c->hook < ARRAY_SIZE(names) ? names[c->hook] : "?";
}

const char *doctor_base_text(struct arena *a, const struct doctor_base *c)
{
	return arena_printf(a, "%s %s %s", family_name(c->family), c->table, c->name);
}

const char *doctor_base_place(struct arena *a, const struct doctor_base *c)
{
	return arena_printf(a, "table %s %s, chain %s (hook %s, priority %d)",
			    family_name(c->family), c->table, c->name, hook_name(c), c->prio);
}

bool doctor_base_sees(const struct doctor_base *c, uint8_t af)
{
	return c->family != (af == AF_V6 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}
