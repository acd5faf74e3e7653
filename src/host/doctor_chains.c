/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A packet that our table accepts still meets every other base chain of its
 * hooks, and any of them may drop it.  What a foreign ruleset does with a packet
 * is not computed here: a chain is told that ends in a drop, by policy or by a
 * rule without conditions, unless it accepts before that what was translated
 * (ct status).  That is the cure as well, so a host that is cured is silent.  A rule
 * with conditions is told where it is known to drop what a forward brings
 * (doctor_rules.h).
 */
#include "host/doctor.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "host/doctor_rules.h"
#include "nl/nft.h"
#include "target/nft.h"

#define PROBES_MAX 1024u	/* forwards that are tried with each chain */
#define TOLD_MAX 16u		/* rules of one chain that are told */
#define DNAT_PRIO (-100)	/* NF_IP_PRI_NAT_DST */

/**
 * struct end - What happens to a packet that reaches the end of a chain
 * @handle:	Rule that drops everything; 0: the policy does
 * @drops:	It is dropped
 * @accepts_nat: What was translated was accepted before
 */
struct end {
	uint64_t handle;
	bool drops;
	bool accepts_nat;
};

/**
 * struct chain - A base chain of somebody else
 * @family:	NFPROTO_INET and the like
 * @table:	Its table
 * @name:	Its name
 * @hook:	Its hook
 * @prio:	Its priority
 * @end:	What its end does
 */
struct chain {
	uint8_t family;
	const char *table;
	const char *name;
	uint32_t hook;
	int32_t prio;
	struct end end;
};

struct chains {
	struct doctor *x;
	VEC(struct chain) list;
};

static const char *text_of(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

static int take_chain(const struct nlmsghdr *msg, void *arg)
{
	struct chains *all = arg;
	struct nftnl_chain *c;
	const char *table;

	if (msg == NULL) {
		all->list.n = 0;
		return 0;
	}
	c = nftnl_chain_alloc();
	if (c == NULL)
		return -ENOMEM;
	if (nftnl_chain_nlmsg_parse(msg, c) == 0 && nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
		table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE);
		if (!nft_is_ours(table))
			vec_add(all->x->a, &all->list, ((struct chain){
				.family = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY),
				.table = text_of(all->x->a, table),
				.name = text_of(all->x->a,
						nftnl_chain_get_str(c, NFTNL_CHAIN_NAME)),
				.hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM),
				.prio = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO),
				.end.drops =
					nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP }));
	}
	nftnl_chain_free(c);
	return 0;
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

static void judge_rule(struct chain *c, struct nftnl_rule *r)
{
	struct look l = { .verdict = INT32_MIN };

	if (c->end.handle != 0 || c->end.accepts_nat)
		return;
	(void)nftnl_expr_foreach(r, take_expr, &l);
	if (l.verdict == NF_ACCEPT && (l.is_nat || l.conditions == 0))
		c->end.accepts_nat = true;
	else if (l.conditions == 0 && (l.rejects || l.verdict == NF_DROP))
		c->end = (struct end){
			.handle = nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE), .drops = true };
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct chain *c = arg;
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

static const char *family_name(uint8_t family)
{
	return family == NFPROTO_IPV4 ? "ip" : family == NFPROTO_IPV6 ? "ip6" : "inet";
}

/* The way of packets through a hook: of alias jails, of jails with a link of their own */
static const struct way {
	uint32_t hook;
	const char *name;
	bool vnet;
	const char *what;
} ways[] = {
	{ NF_INET_PRE_ROUTING, "prerouting", false, "what comes for jails" },
	{ NF_INET_LOCAL_IN, "input", false, "what is forwarded to jails on this host's addresses" },
	{ NF_INET_FORWARD, "forward", true, "what is forwarded to and from jails" },
	{ NF_INET_LOCAL_OUT, "output", false, "what jails on this host's addresses send" },
	{ NF_INET_POST_ROUTING, "postrouting", false, "what jails send" },
};

static bool concerns(const struct doctor *x, const struct way *w)
{
	for (uint32_t i = 0; i < x->d->jails.n; i++)
		if (x->d->jails.v[i].is_enabled &&
		    (x->d->jails.v[i].is_vnet == w->vnet || w->hook == NF_INET_PRE_ROUTING ||
		     w->hook == NF_INET_POST_ROUTING))
			return true;
	return !w->vnet && x->forwards.n > 0;
}

static void tell(struct doctor *x, const struct chain *c, const struct way *w)
{
	const char *family = family_name(c->family);
	const char *by = c->end.handle == 0 ? "its policy" :
		arena_printf(x->a, "its rule with handle %llu", (unsigned long long)c->end.handle);

	doctor_add(x, &(struct doctor_finding){
		.object = arena_printf(x->a, "table %s %s, chain %s (hook %s, priority %d)", family,
				       c->table, c->name, w->name, c->prio),
		.what = arena_printf(x->a, "%s drops what no rule before accepts: %s", by, w->what),
		.cure = arena_printf(x->a, "nft insert rule %s %s %s ct status dnat,snat accept",
				     family, c->table, c->name) });
}

/* The packet of a forward as it is at a chain; false: it does not come there */
static bool make_probe(const struct doctor *x, const struct chain *c,
		       const struct doctor_forward *f, struct doctor_probe *ret)
{
	const bool is_before = c->hook == NF_INET_PRE_ROUTING && c->prio < DNAT_PRIO;
	const struct addr dst = is_before ? f->to : f->inside;
	const struct decl_jail *j = decl_jail_of(x->d, f->inside);
	const bool is_vnet = j != NULL && j->is_vnet;

	*ret = (struct doctor_probe){ .proto = f->proto, .dst = dst,
				      .port = is_before ? f->lo : f->port,
				      .is_translated = !is_before };
	return dst.af != AF_NONE && c->family != (dst.af == AF_V6 ? NFPROTO_IPV4 : NFPROTO_IPV6) &&
	       (c->hook == NF_INET_PRE_ROUTING || (c->hook == NF_INET_LOCAL_IN && !is_vnet) ||
		(c->hook == NF_INET_FORWARD && is_vnet));
}

static void tell_rule(struct doctor *x, const struct chain *c, const struct way *w,
		      const struct doctor_forward *f, const struct doctor_probe *p,
		      uint64_t handle)
{
	const char *family = family_name(c->family);
	char to[ADDR_TEXT_BYTES];

	doctor_add(x, &(struct doctor_finding){
		.object = arena_printf(x->a, "table %s %s, chain %s (hook %s, priority %d), rule "
				       "with handle %llu", family, c->table, c->name, w->name,
				       c->prio, (unsigned long long)handle),
		.what = arena_printf(x->a, "it drops what is forwarded to %s",
				     addr_port_print(p->dst, p->port, to)),
		.cure = p->is_translated ?
			arena_printf(x->a, "nft insert rule %s %s %s ct status dnat,snat accept",
				     family, c->table, c->name) :
			arena_printf(x->a, "nft delete rule %s %s %s handle %llu", family,
				     c->table, c->name, (unsigned long long)handle),
		.at = f->at });
}

/* Rules with conditions, each once */
static int try_forwards(struct doctor *x, const struct chain *c, const struct way *w)
{
	struct doctor_table t CLEANUP(doctor_table_free) = {
		.nl = x->nft, .family = c->family, .name = c->table };
	uint64_t told[TOLD_MAX];
	uint32_t n_told = 0;
	const int err = doctor_table_read(&t, x->a);

	for (uint32_t i = 0; i < MIN(x->forwards.n, PROBES_MAX) && err == 0; i++) {
		const struct doctor_forward *f = &x->forwards.v[i];
		struct doctor_probe p;
		uint64_t handle;
		uint32_t k = 0;

		if (n_told == TOLD_MAX || !make_probe(x, c, f, &p))
			continue;
		handle = doctor_table_drops(&t, c->name, &p);
		while (k < n_told && told[k] != handle)
			k++;
		if (handle == 0 || k < n_told)
			continue;
		told[n_told++] = handle;
		tell_rule(x, c, w, f, &p, handle);
	}
	return err;
}

/* What a base chain does with what is for jails */
static int check_chain(struct doctor *x, struct chain *c)
{
	const struct nl_nft_query rules = { .kind = NL_NFT_RULES, .family = c->family,
					    .table = c->table };
	int err = nl_nft_dump(x->nft, &rules, take_rule, c);

	for (size_t w = 0; w < ARRAY_SIZE(ways) && err == 0; w++) {
		if (ways[w].hook != c->hook || !concerns(x, &ways[w]))
			continue;
		if (c->end.drops && !c->end.accepts_nat)
			tell(x, c, &ways[w]);
		else
			err = try_forwards(x, c, &ways[w]);
	}
	return err;
}

int doctor_chains(struct doctor *x)
{
	static const uint8_t families[] = { NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6 };
	struct chains all = { .x = x };

	for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
		const struct nl_nft_query q = { .kind = NL_NFT_CHAINS, .family = families[f] };
		int err = nl_nft_dump(x->nft, &q, take_chain, &all);

		for (uint32_t i = 0; i < all.list.n && err == 0; i++)
			err = check_chain(x, &all.list.v[i]);
		if (err < 0)
			return err;
	}
	return 0;
}
