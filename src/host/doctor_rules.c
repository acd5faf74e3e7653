/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What the rules of somebody else's base chain do with a packet, as far as it is
 * known: of a forward's first its protocol, where it goes, that it is new and
 * translated; of what a jail sends its source and link.  A rule that asks for more
 * is taken not to match, so what is told is certain for a caller whom no such rule
 * concerns.  Jumps are followed; whether a value is in a set the kernel is asked.
 */
#include "host/doctor_rules.h"

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl/nft.h"

#define ANSWER_STATE	2u		/* NF_CT_STATE_BIT(IP_CT_ESTABLISHED) */
#define NEW_STATE	8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define DEPTH		16u		/* of jumps, the kernel's own limit */
#define REQUEST_BYTES	1024u
#define ETHER_IPV4	0x0800u
#define ETHER_ARP	0x0806u
#define ETHER_IPV6	0x86ddu

/**
 * struct judge - One packet among the rules of a table
 * @t:		Table
 * @p:		Packet
 * @value:	What the register of the last load has
 * @len:	Its length, 0: not known
 * @verdict:	Of the rule; INT32_MIN: none
 * @chain:	Where it jumps
 * @rejects:	It refuses
 * @redirects:	It gives the packet another destination
 * @differs:	A condition is not met, or not known to be
 * @is_open:	Of a rule that was passed over it is not known
 */
struct judge {
	const struct doctor_table *t;
	const struct doctor_probe *p;
	uint8_t value[16];
	uint32_t len;
	int32_t verdict;
	const char *chain;
	bool rejects;
	bool redirects;
	bool differs;
	bool is_open;
};

/* A condition that nothing is known of */
static void leave_open(struct judge *j)
{
	j->differs = j->is_open = true;
}

static void know(struct judge *j, const void *value, uint32_t len)
{
	memcpy(j->value, value, len);
	j->len = len;
}

/* The family of a packet is that of the end of it that is known */
static bool is_v6(const struct doctor_probe *p)
{
	return p->ether == ETHER_IPV6 || p->dst.af == AF_V6 || p->src.af == AF_V6;
}

static void know_link(struct judge *j, const char *link, bool by_name)
{
	char name[IFNAMSIZ] = "";
	const uint32_t index = link == NULL ? 0 : if_nametoindex(link);

	if (link == NULL || strlen(link) >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%s", link);
	if (by_name)
		know(j, name, sizeof(name));
	else if (index != 0)
		know(j, &index, sizeof(index));
}

static void know_ether(struct judge *j)
{
	const uint16_t type = (uint16_t)(j->p->ether != 0 ? j->p->ether :
					 is_v6(j->p) ? ETHER_IPV6 : ETHER_IPV4);

	know(j, (const uint8_t[]){ (uint8_t)(type >> 8), (uint8_t)type }, 2);
}

static void take_meta(struct judge *j, const struct nftnl_expr *e)
{
	const uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);
	const uint8_t family = is_v6(j->p) ? NFPROTO_IPV6 : NFPROTO_IPV4;
	const bool asks_in = key == NFT_META_IIFNAME || key == NFT_META_IIF ||
			     key == NFT_META_IIFGROUP;

	j->len = 0;
	if (key == NFT_META_PROTOCOL)
		know_ether(j);
	else if (key == NFT_META_L4PROTO && j->p->proto != 0)
		know(j, &j->p->proto, 1);
	else if (key == NFT_META_NFPROTO)
		know(j, &family, 1);
	else if (key == NFT_META_IIFNAME || key == NFT_META_OIFNAME)
		know_link(j, asks_in ? j->p->in : j->p->out, true);
	else if (key == NFT_META_IIF || key == NFT_META_OIF)
		know_link(j, asks_in ? j->p->in : j->p->out, false);
	else if ((key == NFT_META_IIFGROUP || key == NFT_META_OIFGROUP) && j->p->group != 0 &&
		 asks_in == j->p->is_group_in)
		know(j, &j->p->group, sizeof(j->p->group));
}

static void take_ct(struct judge *j, const struct nftnl_expr *e)
{
	const uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY);
	const uint32_t state = j->p->is_answer ? ANSWER_STATE : NEW_STATE;
	const uint8_t direction = j->p->is_answer;

	j->len = 0;
	if (j->p->is_untracked)
		return;
	if (key == NFT_CT_STATE)
		know(j, &state, sizeof(state));
	else if (key == NFT_CT_STATUS)
		know(j, &j->p->status, sizeof(j->p->status));
	else if (key == NFT_CT_DIRECTION)
		know(j, &direction, sizeof(direction));
}

/* The first @len bytes of an address */
static void know_addr(struct judge *j, struct addr a, uint32_t len)
{
	uint8_t bytes[16];

	if (a.af == AF_NONE || len > addr_bits(a.af) / 8)
		return;
	(void)addr_to_bytes(a, bytes);
	know(j, bytes, len);
}

static void take_payload(struct judge *j, const struct nftnl_expr *e)
{
	const uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);
	const uint32_t at = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
	const uint32_t len = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
	const uint8_t port[2] = { (uint8_t)(j->p->port >> 8), (uint8_t)j->p->port };
	const bool v6 = is_v6(j->p);

	j->len = 0;
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && at == 2 && len == 2 && j->p->port != 0)
		know(j, port, 2);
	if (base == NFT_PAYLOAD_LL_HEADER && at == 12 && len == 2)
		know_ether(j);
	if (base != NFT_PAYLOAD_NETWORK_HEADER)
		return;
	if (j->p->ether == ETHER_ARP) {
		know_addr(j, at == 14 ? j->p->src : at == 24 ? j->p->dst :
			  (struct addr){ AF_NONE, 0 }, len);
		return;
	}
	if (at == (v6 ? 6 : 9) && len == 1 && j->p->proto != 0)
		know(j, &j->p->proto, 1);
	else if (at == (v6 ? 8 : 12))
		know_addr(j, j->p->src, len);
	else if (at == (v6 ? 24 : 16))
		know_addr(j, j->p->dst, len);
}

static void take_bitwise(struct judge *j, const struct nftnl_expr *e)
{
	uint32_t mask_len = 0, xor_len = 0;
	const uint8_t *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &mask_len);
	const uint8_t *flip = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_len);

	if (mask == NULL || flip == NULL || mask_len < j->len || xor_len < j->len) {
		j->len = 0;
		return;
	}
	for (uint32_t i = 0; i < j->len; i++)
		j->value[i] = (uint8_t)((j->value[i] & mask[i]) ^ flip[i]);
}

static void take_cmp(struct judge *j, const struct nftnl_expr *e)
{
	uint32_t len = 0;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &len);
	const bool is_known = data != NULL && j->len > 0 && len <= j->len;
	const int order = is_known ? memcmp(j->value, data, len) : 0;
	const bool is_met[] = {
		[NFT_CMP_EQ] = order == 0, [NFT_CMP_NEQ] = order != 0, [NFT_CMP_LT] = order < 0,
		[NFT_CMP_LTE] = order <= 0, [NFT_CMP_GT] = order > 0, [NFT_CMP_GTE] = order >= 0,
	};
	const uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP);

	if (!is_known || op >= ARRAY_SIZE(is_met))
		leave_open(j);
	else
		j->differs |= !is_met[op];
}

static void take_range(struct judge *j, const struct nftnl_expr *e)
{
	uint32_t lo_len = 0, hi_len = 0;
	const void *lo = nftnl_expr_get(e, NFTNL_EXPR_RANGE_FROM_DATA, &lo_len);
	const void *hi = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &hi_len);
	bool is_in;

	if (lo == NULL || hi == NULL || j->len == 0 || lo_len > j->len || hi_len > j->len) {
		leave_open(j);
		return;
	}
	is_in = memcmp(j->value, lo, lo_len) >= 0 && memcmp(j->value, hi, hi_len) <= 0;
	j->differs |= is_in != (nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_EQ);
}

/* Is the value in a set; a map's verdict is not known here */
static void take_lookup(struct judge *j, const struct nftnl_expr *e)
{
	_Alignas(struct nlmsghdr) uint8_t buf[REQUEST_BYTES];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(msg, sizeof(*g));
	const bool is_inverted = (nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) &
				  NFT_LOOKUP_F_INV) != 0;
	struct nlattr *list, *elem, *key;
	int err;

	if (j->len == 0 || nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG)) {
		leave_open(j);
		return;
	}
	msg->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	g->nfgen_family = j->t->family;
	g->version = NFNETLINK_V0;
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_TABLE, j->t->name);
	mnl_attr_put_strz(msg, NFTA_SET_ELEM_LIST_SET,
			  nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET));
	list = mnl_attr_nest_start(msg, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(msg, NFTA_SET_ELEM_KEY);
	mnl_attr_put(msg, NFTA_DATA_VALUE, j->len, j->value);
	mnl_attr_nest_end(msg, key);
	mnl_attr_nest_end(msg, elem);
	mnl_attr_nest_end(msg, list);
	err = nl_talk(j->t->nl, msg, NULL, NULL);
	if (err != 0 && err != -ENOENT)
		leave_open(j);
	else
		j->differs |= (err == 0) == is_inverted;
}

static void take_verdict(struct judge *j, const struct nftnl_expr *e)
{
	if (!nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
		return;
	j->verdict = (int32_t)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);
	j->chain = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);
}

static void take_reject(struct judge *j, const struct nftnl_expr *e)
{
	(void)e;
	j->rejects = true;
}

static void take_redirect(struct judge *j, const struct nftnl_expr *e)
{
	(void)e;
	j->redirects = true;
}

/* Another source is the end of the chain, and no other destination */
static void take_nat(struct judge *j, const struct nftnl_expr *e)
{
	if (nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT)
		j->redirects = true;
	else
		j->verdict = NF_ACCEPT;
}

static void take_masquerade(struct judge *j, const struct nftnl_expr *e)
{
	(void)e;
	j->verdict = NF_ACCEPT;
}

static void take_nothing(struct judge *j, const struct nftnl_expr *e)
{
	(void)j;
	(void)e;
}

static int take_expr(struct nftnl_expr *e, void *arg)
{
	static const struct {
		const char *name;
		void (*take)(struct judge *j, const struct nftnl_expr *e);
	} kinds[] = {
		{ "meta", take_meta }, { "ct", take_ct }, { "payload", take_payload },
		{ "bitwise", take_bitwise }, { "cmp", take_cmp }, { "range", take_range },
		{ "lookup", take_lookup }, { "immediate", take_verdict },
		{ "reject", take_reject }, { "counter", take_nothing }, { "log", take_nothing },
		{ "notrack", take_nothing }, { "nat", take_nat }, { "redir", take_redirect },
		{ "masq", take_masquerade },
	};
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);
	struct judge *j = arg;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			kinds[i].take(j, e);
			return j->differs ? -1 : 0;
		}
	}
	leave_open(j);
	return -1;
}

static int compare_chains(const void *a, const void *b)
{
	const struct doctor_chain *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The handle of the rule that drops or redirects the packet, 0: none does; @ret_done: judged */
static uint64_t judge_chain(struct judge *j, const char *chain, uint32_t depth, bool *ret_done)
{
	const struct doctor_chain key = { .name = chain };
	const struct doctor_chain *c = j->t->chains.n == 0 ? NULL :
		bsearch(&key, j->t->chains.v, j->t->chains.n, sizeof(key), compare_chains);

	for (uint32_t i = 0; c != NULL && i < c->n && depth < DEPTH; i++) {
		struct nftnl_rule *r = j->t->rules.v[c->first + i];
		uint64_t found;
		bool is_goto;

		j->len = 0;
		j->verdict = INT32_MIN;
		j->rejects = j->redirects = j->differs = false;
		(void)nftnl_expr_foreach(r, take_expr, j);
		if (j->differs)
			continue;
		*ret_done = j->rejects || j->redirects || j->verdict == NF_DROP ||
			    j->verdict == NF_ACCEPT;
		if (*ret_done)
			return j->verdict == NF_ACCEPT ? 0 :
				nftnl_rule_get_u64(r, NFTNL_RULE_HANDLE);
		if (j->verdict == NFT_RETURN)
			return 0;
		if (j->verdict != NFT_JUMP && j->verdict != NFT_GOTO)
			continue;
		is_goto = j->verdict == NFT_GOTO;
		found = judge_chain(j, j->chain, depth + 1, ret_done);
		if (*ret_done || is_goto)
			return found;
	}
	return 0;
}

enum doctor_fate doctor_table_fate(const struct doctor_table *t, const char *chain,
				   const struct doctor_probe *p, uint64_t *ret_handle,
				   bool *ret_is_open)
{
	struct judge j = { .t = t, .p = p };
	bool is_done = false;

	*ret_handle = judge_chain(&j, chain, 0, &is_done);
	*ret_is_open = j.is_open;
	if (!is_done)
		return DOCTOR_ENDS;
	if (j.redirects)
		return DOCTOR_REDIRECTS;
	return *ret_handle != 0 ? DOCTOR_DROPS : DOCTOR_PASSES;
}

struct reading {
	struct doctor_table *t;
	struct arena *a;
};

/* The kernel lists them chain by chain */
static void add_rule(struct reading *r, struct nftnl_rule *rule)
{
	const char *chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);
	struct doctor_table *t = r->t;

	if (t->chains.n == 0 || strcmp(t->chains.v[t->chains.n - 1].name, chain) != 0)
		vec_add(r->a, &t->chains, ((struct doctor_chain){ chain, t->rules.n, 0 }));
	t->chains.v[t->chains.n - 1].n++;
	vec_add(r->a, &t->rules, rule);
}

static int take_rule(const struct nlmsghdr *msg, void *arg)
{
	struct reading *r = arg;
	struct nftnl_rule *rule;

	if (msg == NULL) {
		doctor_table_free(r->t);
		return 0;
	}
	rule = nftnl_rule_alloc();
	if (rule == NULL)
		return -ENOMEM;
	if (nftnl_rule_nlmsg_parse(msg, rule) < 0) {
		nftnl_rule_free(rule);
		return -EBADMSG;
	}
	add_rule(r, rule);
	return 0;
}

int doctor_table_read(struct doctor_table *t, struct arena *a)
{
	const struct nl_nft_query q = { .kind = NL_NFT_RULES, .family = t->family,
					.table = t->name };
	struct reading r = { t, a };
	const int err = nl_nft_dump(t->nl, &q, take_rule, &r);

	if (err == 0 && t->chains.n > 0)
		qsort(t->chains.v, t->chains.n, sizeof(t->chains.v[0]), compare_chains);
	return err;
}

static int find_drop(struct nftnl_expr *e, void *arg)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	(void)arg;
	/* A map's verdicts are not known here */
	return strcmp(name, "reject") == 0 ||
	       (strcmp(name, "immediate") == 0 && nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT) &&
		(int32_t)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT) == NF_DROP) ||
	       (strcmp(name, "lookup") == 0 && nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG)) ?
		-1 : 0;
}

bool doctor_table_may_drop(const struct doctor_table *t)
{
	for (uint32_t i = 0; i < t->rules.n; i++)
		if (nftnl_expr_foreach(t->rules.v[i], find_drop, NULL) != 0)
			return true;
	return false;
}

void doctor_table_free(struct doctor_table *t)
{
	for (uint32_t i = 0; i < t->rules.n; i++)
		nftnl_rule_free(t->rules.v[i]);
	t->rules.n = t->chains.n = 0;
}
