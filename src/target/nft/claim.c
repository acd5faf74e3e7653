/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Family netdev, ingress: packet sockets have their copy by then, and nothing of
 * the kernel's has looked: no routing, no conntrack, no answer.  Rules are few,
 * whatever the number of ports and networks: those are elements of sets.
 *
 * ICMP of a shared address goes to both: the kernel ignores answers to echo
 * requests that it did not send and errors about flows that it does not have, and
 * the NAT leaves echo requests to it.
 */
#include "target/nft_claim.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "nl/batch.h"

#ifndef NFT_TABLE_F_OWNER
#define NFT_TABLE_F_OWNER 0x2
#endif

#ifndef NFT_NETDEV_EGRESS
#define NFT_NETDEV_EGRESS 1		/* Linux 5.16 */
#endif

#define PRIORITY	(-490)		/* before whatever else looks at frames */
#define OUTSIDE		"outside"
#define INSIDE		"inside"
#define LOCAL		"local"
#define ICMP6		58u
#define ND_SOLICIT	135u
#define ND_ADVERT	136u
#define MOST_RANGES	500u		/* of one message; its list of elements ends at 64 KiB */

/* Sets by what they hold */
enum { SET_TCP, SET_UDP, SET_HOME4, SET_HOME6, N_SETS };

static const struct {
	const char *name;
	uint32_t type;		/* nft's number for it, for those who list it */
	uint32_t key_len;
} sets[N_SETS] = {
	[SET_TCP] = { "tcp_ports", 13, 2 },
	[SET_UDP] = { "udp_ports", 13, 2 },
	[SET_HOME4] = { "home4", 7, 4 },
	[SET_HOME6] = { "home6", 8, 16 },
};

/**
 * struct fill - A batch that is being filled
 * @b:		It
 * @c:		What is claimed
 * @rule:	Rule that is being made
 * @err:	First failure; nothing is added after one
 */
struct fill {
	struct nl_batch b;
	const struct claim *c;
	struct nftnl_rule *rule;
	int err;
};

static struct nlmsghdr *add(struct fill *f, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg = NULL;

	if (f->err == 0)
		f->err = nl_batch_add(&f->b, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
				      NLM_F_CREATE | flags, NFPROTO_NETDEV, 0, &msg);
	return f->err == 0 ? msg : NULL;
}

static void add_table(struct fill *f)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_NEWTABLE, NLM_F_EXCL);
	struct nftnl_table *t = nftnl_table_alloc();

	BUG_IF(t == NULL);
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, CLAIM_TABLE);
	nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, NFT_TABLE_F_OWNER);
	if (msg != NULL)
		nftnl_table_nlmsg_build_payload(msg, t);
	nftnl_table_free(t);
}

static void add_chain(struct fill *f, const char *name, const char *device, uint32_t hook)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_NEWCHAIN, 0);
	struct nftnl_chain *c = nftnl_chain_alloc();

	BUG_IF(c == NULL);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, CLAIM_TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, PRIORITY);
	nftnl_chain_set_str(c, NFTNL_CHAIN_DEV, device);
	if (msg != NULL)
		nftnl_chain_nlmsg_build_payload(msg, c);
	nftnl_chain_free(c);
}

/* ---- sets -------------------------------------------------------------------- */

static void set_elem(struct nftnl_set *s, const uint8_t *key, uint32_t len, bool is_end)
{
	struct nftnl_set_elem *e = nftnl_set_elem_alloc();

	BUG_IF(e == NULL);
	nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, len);
	if (is_end)
		nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	nftnl_set_elem_add(s, e);
}

static bool is_zero(const uint8_t *key, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (key[i] != 0)
			return false;
	return true;
}

/* Both ends of a range, the second one past it; none there when it is past the last of all */
static void set_range(struct nftnl_set *s, const uint8_t *lo, const uint8_t *past, uint32_t len)
{
	set_elem(s, lo, len, false);
	if (!is_zero(past, len))
		set_elem(s, past, len, true);
}

static struct nftnl_set *set_new(int which)
{
	struct nftnl_set *s = nftnl_set_alloc();

	BUG_IF(s == NULL);
	nftnl_set_set_str(s, NFTNL_SET_TABLE, CLAIM_TABLE);
	nftnl_set_set_str(s, NFTNL_SET_NAME, sets[which].name);
	nftnl_set_set_u32(s, NFTNL_SET_ID, (uint32_t)which + 1);
	nftnl_set_set_u32(s, NFTNL_SET_FLAGS, NFT_SET_INTERVAL);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_TYPE, sets[which].type);
	nftnl_set_set_u32(s, NFTNL_SET_KEY_LEN, sets[which].key_len);
	return s;
}

/* Send @n ranges; a list of none is refused */
static void send_elems(struct fill *f, struct nftnl_set *s, uint32_t n)
{
	struct nlmsghdr *msg = n > 0 ? add(f, NFT_MSG_NEWSETELEM, 0) : NULL;

	if (msg != NULL)
		nftnl_set_elems_nlmsg_build_payload(msg, s);
	nftnl_set_free(s);
}

static void port_key(uint32_t port, uint8_t key[2])
{
	key[0] = (uint8_t)(port >> 8);
	key[1] = (uint8_t)port;
}

static void add_ports(struct fill *f, int which, uint8_t proto)
{
	struct nftnl_set *s = set_new(which);
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->c->n_ports; i++) {
		const struct claim_ports *p = &f->c->ports[i];
		uint8_t lo[2], past[2];

		if (p->proto != proto)
			continue;
		port_key(p->lo, lo);
		port_key(p->hi + 1u, past);
		set_range(s, lo, past, sizeof(lo));
		if (++n == MOST_RANGES) {
			send_elems(f, s, n);
			s = set_new(which);
			n = 0;
		}
	}
	send_elems(f, s, n);
}

static void add_home(struct fill *f, int which, uint8_t af)
{
	struct nftnl_set *s = set_new(which);
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->c->n_home; i++) {
		const struct prefix p = f->c->home[i];
		uint8_t lo[16], past[16];
		struct addr after;

		if (p.a.af != af)
			continue;
		after = prefix_last(p);
		after.v = (after.v + 1) & prefix_mask(af, addr_bits(af));
		addr_to_bytes(after, past);
		set_range(s, lo, past, (uint32_t)addr_to_bytes(prefix_first(p), lo));
		if (++n == MOST_RANGES) {
			send_elems(f, s, n);
			s = set_new(which);
			n = 0;
		}
	}
	send_elems(f, s, n);
}

static void add_sets(struct fill *f)
{
	for (int i = 0; i < N_SETS; i++) {
		struct nlmsghdr *msg = add(f, NFT_MSG_NEWSET, 0);
		struct nftnl_set *s = set_new(i);

		if (msg != NULL)
			nftnl_set_nlmsg_build_payload(msg, s);
		nftnl_set_free(s);
	}
	add_ports(f, SET_TCP, IPPROTO_TCP);
	add_ports(f, SET_UDP, IPPROTO_UDP);
	add_home(f, SET_HOME4, AF_V4);
	add_home(f, SET_HOME6, AF_V6);
}

/* ---- rules ------------------------------------------------------------------- */

static void begin(struct fill *f, const char *chain)
{
	f->rule = nftnl_rule_alloc();
	BUG_IF(f->rule == NULL);
	nftnl_rule_set_str(f->rule, NFTNL_RULE_TABLE, CLAIM_TABLE);
	nftnl_rule_set_str(f->rule, NFTNL_RULE_CHAIN, chain);
}

static struct nftnl_expr *expr(struct fill *f, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	BUG_IF(e == NULL);
	nftnl_rule_add_expr(f->rule, e);
	return e;
}

static void compare(struct fill *f, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(f, "cmp");

	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, NFT_CMP_EQ);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void meta(struct fill *f, uint32_t key)
{
	struct nftnl_expr *e = expr(f, "meta");

	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, NFT_REG_1);
}

static void load(struct fill *f, uint32_t base, uint32_t offset, uint32_t len)
{
	struct nftnl_expr *e = expr(f, "payload");

	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, NFT_REG_1);
}

static void lookup(struct fill *f, int which, bool is_outside_it)
{
	struct nftnl_expr *e = expr(f, "lookup");

	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, sets[which].name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, (uint32_t)which + 1);
	if (is_outside_it)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void send_rule(struct fill *f)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_NEWRULE, NLM_F_APPEND);

	if (msg != NULL)
		nftnl_rule_nlmsg_build_payload(msg, f->rule);
	nftnl_rule_free(f->rule);
}

/* The rule's end: its verdict, counted */
static void end(struct fill *f, uint32_t verdict)
{
	struct nftnl_expr *e;

	expr(f, "counter");
	e = expr(f, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict);
	send_rule(f);
}

/* Or another device, that has the packet from here on */
static void end_elsewhere(struct fill *f, uint32_t ifindex)
{
	struct nftnl_expr *e;

	expr(f, "counter");
	e = expr(f, "immediate");
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_1);
	nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, &ifindex, sizeof(ifindex));
	nftnl_expr_set_u32(expr(f, "fwd"), NFTNL_EXPR_FWD_SREG_DEV, NFT_REG_1);
	send_rule(f);
}

static void match_family(struct fill *f, uint8_t af)
{
	const uint16_t type = af == AF_V4 ? ETH_P_IP : ETH_P_IPV6;
	const uint8_t bytes[2] = { (uint8_t)(type >> 8), (uint8_t)type };

	meta(f, NFT_META_PROTOCOL);
	compare(f, bytes, sizeof(bytes));
}

static void load_dst(struct fill *f, uint8_t af)
{
	load(f, NFT_PAYLOAD_NETWORK_HEADER, af == AF_V4 ? 16 : 24, addr_bits(af) / 8);
}

/* A rule for packets to an address */
static void begin_to(struct fill *f, const char *chain, struct addr a)
{
	uint8_t bytes[16];

	begin(f, chain);
	match_family(f, a.af);
	load_dst(f, a.af);
	compare(f, bytes, (uint32_t)addr_to_bytes(a, bytes));
}

static void match_proto(struct fill *f, uint8_t proto)
{
	meta(f, NFT_META_L4PROTO);
	compare(f, &proto, 1);
}

static void add_shared(struct fill *f, const char *chain, struct addr a)
{
	static const struct { uint8_t proto; int set; } protos[] = {
		{ IPPROTO_TCP, SET_TCP }, { IPPROTO_UDP, SET_UDP },
	};

	for (size_t i = 0; i < ARRAY_SIZE(protos); i++) {
		begin_to(f, chain, a);
		match_proto(f, protos[i].proto);
		load(f, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
		lookup(f, protos[i].set, false);
		if (strcmp(chain, LOCAL) == 0 && f->c->local_to != 0)
			end_elsewhere(f, f->c->local_to);
		else
			end(f, NF_DROP);
	}
}

/* The whole address, but for the questions of neighbours, which the kernel answers */
static void add_own(struct fill *f, const char *chain, struct addr a)
{
	static const uint8_t nd[] = { ND_SOLICIT, ND_ADVERT };

	for (size_t i = 0; a.af == AF_V6 && i < ARRAY_SIZE(nd); i++) {
		begin_to(f, chain, a);
		match_proto(f, ICMP6);
		load(f, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
		compare(f, &nd[i], 1);
		end(f, NF_ACCEPT);
	}
	begin_to(f, chain, a);
	end(f, NF_DROP);
}

static void add_addrs(struct fill *f, const char *chain)
{
	for (uint32_t i = 0; i < f->c->n_addrs; i++) {
		if (f->c->addrs[i].is_shared)
			add_shared(f, chain, f->c->addrs[i].a);
		else
			add_own(f, chain, f->c->addrs[i].a);
	}
}

/* What comes from the jails and is for somewhere else than here */
static void add_away(struct fill *f, uint8_t af)
{
	begin(f, INSIDE);
	match_family(f, af);
	load_dst(f, af);
	lookup(f, af == AF_V4 ? SET_HOME4 : SET_HOME6, true);
	end(f, NF_DROP);
}

/* Callers of this host never cross an interface: lo is where they can be met */
static void add_local(struct fill *f)
{
	add_chain(f, LOCAL, "lo", f->c->local_to != 0 ? NFT_NETDEV_EGRESS : NF_NETDEV_INGRESS);
	for (uint32_t i = 0; i < f->c->n_addrs; i++)
		if (f->c->addrs[i].is_shared)
			add_shared(f, LOCAL, f->c->addrs[i].a);
}

/* All that it holds */
static void flush_set(struct fill *f, int which)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELSETELEM, 0);
	struct nftnl_set *s = set_new(which);

	if (msg != NULL)
		nftnl_set_elems_nlmsg_build_payload(msg, s);
	nftnl_set_free(s);
}

/*
 * Chains and sets stay.  A packet runs through an old chain and a new one after each
 * other, and each takes the rules of its own moment: a transaction between the two would
 * show it one chain whose rules are not yet there, and one whose rules are gone.  And a
 * new set of ranges shows what it holds a moment later than the rules that ask it.
 */
static void empty_table(struct fill *f)
{
	struct nlmsghdr *msg = add(f, NFT_MSG_DELRULE, 0);
	struct nftnl_rule *all = nftnl_rule_alloc();

	BUG_IF(all == NULL);
	nftnl_rule_set_str(all, NFTNL_RULE_TABLE, CLAIM_TABLE);
	if (msg != NULL)
		nftnl_rule_nlmsg_build_payload(msg, all);
	nftnl_rule_free(all);
	for (int i = 0; i < N_SETS; i++)
		flush_set(f, i);
}

int nft_claim(struct nl_session *nl, const struct claim *c, bool is_there)
{
	struct fill f = { .c = c };
	struct nl_batch_result result;

	nl_batch_init(&f.b);
	f.err = nl_batch_begin(&f.b, NFNL_SUBSYS_NFTABLES, 0);
	if (is_there)
		empty_table(&f);
	else
		add_table(&f);
	add_sets(&f);
	add_chain(&f, OUTSIDE, c->outside, NF_NETDEV_INGRESS);
	add_addrs(&f, OUTSIDE);
	if (c->inside != NULL) {
		add_chain(&f, INSIDE, c->inside, NF_NETDEV_INGRESS);
		add_addrs(&f, INSIDE);
		add_away(&f, AF_V4);
		add_away(&f, AF_V6);
	}
	if (c->local_to != 0 || c->drops_local)
		add_local(&f);
	if (f.err == 0)
		f.err = nl_batch_send(&f.b, nl, &result);
	nl_batch_fini(&f.b);
	return f.err;
}
