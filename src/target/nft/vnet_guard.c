/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The source fence of the model judges IP packets; this is the same fence for
 * what the model has no word for.  A routed jail's ARP is seen by family arp and
 * its neighbour discovery by inet; what comes in by a port of a bridge is seen by
 * family bridge alone, so all of it is judged there, and what is neither IP nor
 * ARP dropped: a VLAN tag would hide an address from every rule.
 *
 * Matched by name, and not in netdev's ingress, which needs the link to be there:
 * the guard stands before the link comes, and has no moment without it.  One
 * verdict map leads to the chain of a jail, whatever their number.
 */
#include "target/nft/vnet_guard.h"

#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter_arp.h>
#include <string.h>

#define PROTO_ICMP6	58u
#define PRIO_GUARD	(-311)		/* before the fences */
#define ND_ADVERT	136u		/* neighbour advertisement */
#define ND_ROUTER	134u		/* router advertisement */
#define ND_REDIRECT	137u

static const struct origin origin = {
	.text = "fence source: a vnet jail speaks in no other's name",
	.policy = POLICY_SOURCE,
};

/* The chains of one family */
struct guard {
	struct nft_program *p;
	enum nft_family family;
	struct nft_set *map;
};

static void add_rule(struct guard *g, struct nft_chain *c, struct nft_stmts *s, enum nft_verdict v)
{
	if (v == NFT_V_DROP)
		stmt_counter(g->p, s);
	stmt_verdict(g->p, s, v, NULL);
	nft_add_rule(g->p, c, s, v == NFT_V_DROP ? &origin : NULL);
}

/* The chain of a jail's link, found by the link's name */
static struct nft_chain *add_chain(struct guard *g, const struct iface *i)
{
	static const enum nft_type keys[] = { NFT_T_IFNAME };
	const char *name = facts_linux_name(i->name);
	struct nft_chain *c = nft_add_list(g->p, g->family, "guard", name);
	struct nft_elem *e;

	if (g->map == NULL) {
		g->map = nft_add_map(g->p, g->family, "guards", keys, 1);
		g->map->name = "guards";
		g->map->is_vmap = true;
	}
	e = vec_push(g->p->a, &g->map->elems);
	e->origin = NFT_NO_ORIGIN;
	e->chain = c->name;
	memcpy(e->key, nft_value_name(name).b, NFT_VALUE_BYTES);
	memcpy(e->key + NFT_VALUE_BYTES, e->key, NFT_VALUE_BYTES);
	return c;
}

static void finish(struct guard *g, struct nft_chain *base, const struct nft_stmts *first)
{
	struct nft_stmts s = { 0 };

	stmts_append(g->p, &s, first);
	nft_set_seal(g->map);
	stmt_add(g->p, &s, &(struct nft_stmt){ .kind = NFT_S_VMAP, .lookup = {
		.keys = { NFT_K_IIFNAME }, .n_keys = 1, .set = g->map } });
	nft_add_rule(g->p, base, &s, NULL);
}

/* The jail's addresses of a family, with what it has before it has one */
static const struct set *own_addrs(struct guard *g, const struct iface *i, uint8_t af)
{
	struct ranges rs = { 0 };

	ranges_add(g->p->a, &rs, af, 0, 0);
	for (uint32_t n = 0; n < i->behind.n; n++)
		if (i->behind.v[n].a.af == af)
			ranges_add_prefix(g->p->a, &rs, i->behind.v[n]);
	if (af == AF_V6 && i->linklocal.af == AF_V6)
		ranges_add(g->p->a, &rs, af, i->linklocal.v, i->linklocal.v);
	return set_make(g->p->a, &rs);
}

static void match_proto(struct guard *g, struct nft_stmts *s, uint32_t ethertype)
{
	if (g->family == NFT_BRIDGE)
		stmt_match(g->p, s, NFT_K_PROTOCOL, false,
			   nft_value_num(NFT_T_ETHERTYPE, ethertype));
}

/* IPv4 or ARP in the jail's own name is done with */
static void add_own(struct guard *g, struct nft_chain *c, const struct iface *i, uint32_t ethertype,
		    enum nft_key key)
{
	struct nft_stmts s = { 0 };

	match_proto(g, &s, ethertype);
	stmt_in(g->p, &s, key, false,
		nft_set_of(g->p, g->family, NFT_T_IP4, own_addrs(g, i, AF_V4)));
	add_rule(g, c, &s, NFT_V_RETURN);
}

static void match_nd(struct guard *g, struct nft_stmts *s, uint32_t type)
{
	/* Over IPv4 the same bytes say nothing of a neighbour, and excuse no source */
	match_proto(g, s, ETH_P_IPV6);
	stmt_match(g->p, s, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_ICMP6));
	stmt_match(g->p, s, NFT_K_ICMP6_TYPE, false, nft_value_num(NFT_T_ICMP6_TYPE, type));
}

static void add_target(struct guard *g, struct nft_chain *c, struct prefix own)
{
	struct nft_stmts s = { 0 };

	match_nd(g, &s, ND_ADVERT);
	stmt_add(g->p, &s, &(struct nft_stmt){ .kind = NFT_S_MATCH, .match = {
		.key = NFT_K_ND_TARGET, .has_mask = own.len < 128,
		.value = nft_value_num(NFT_T_BYTES16, prefix_first(own).v),
		.mask = nft_value_num(NFT_T_BYTES16, prefix_mask(AF_V6, own.len)) } });
	add_rule(g, c, &s, NFT_V_RETURN);
}

/* Neighbour discovery: no router, and no answer for what is not the jail's own */
static void add_nd(struct guard *g, struct nft_chain *c, const struct iface *i)
{
	static const uint32_t never[] = { ND_ROUTER, ND_REDIRECT, ND_ADVERT };
	struct prefix local = { { AF_V6, (u128)0xfe80 << 112 }, 10 };
	struct nft_stmts s = { 0 };

	/* Alone with the host it may choose its own link-local address, but for the host's */
	if (i->linklocal.af == AF_V6)
		local = (struct prefix){ i->linklocal, 128 };
	if (i->gateway[1].af == AF_V6) {
		match_nd(g, &s, ND_ADVERT);
		stmt_match(g->p, &s, NFT_K_ND_TARGET, false,
			   nft_value_num(NFT_T_BYTES16, i->gateway[1].v));
		add_rule(g, c, &s, NFT_V_DROP);
	}
	add_target(g, c, local);
	for (uint32_t n = 0; n < i->behind.n; n++)
		if (i->behind.v[n].a.af == AF_V6)
			add_target(g, c, i->behind.v[n]);
	for (size_t n = 0; n < ARRAY_SIZE(never); n++) {
		s.list.n = 0;
		match_nd(g, &s, never[n]);
		add_rule(g, c, &s, NFT_V_DROP);
	}
}

static void guard_routed(struct nft_program *p, const struct model *m)
{
	struct guard nd = { p, NFT_INET, NULL }, arp = { p, NFT_ARP, NULL };
	struct nft_stmts none = { 0 }, icmp6 = { 0 };

	for (uint32_t n = 0; n < m->facts->ifaces.n; n++) {
		const struct iface *i = &m->facts->ifaces.v[n];
		struct nft_stmts rest = { 0 };
		struct nft_chain *c;

		if (i->kind != IFACE_JAIL || i->is_port || i->behind.n == 0)
			continue;
		add_nd(&nd, add_chain(&nd, i), i);
		c = add_chain(&arp, i);
		add_own(&arp, c, i, ETH_P_ARP, NFT_K_ARP_SADDR);
		add_rule(&arp, c, &rest, NFT_V_DROP);
	}
	if (nd.map == NULL)
		return;
	stmt_match(p, &icmp6, NFT_K_L4PROTO, false, nft_value_num(NFT_T_PROTO, PROTO_ICMP6));
	finish(&nd, nft_add_base(p, NFT_INET, "in_guard", "filter", NF_INET_PRE_ROUTING,
				 PRIO_GUARD), &icmp6);
	finish(&arp, nft_add_base(p, NFT_ARP, "in_guard", "filter", NF_ARP_IN, PRIO_GUARD), &none);
}

/* The source first: an advertisement of the jail's own has one too */
static void add_port_ip6(struct guard *g, struct nft_chain *c, const struct iface *i)
{
	struct nft_stmts s = { 0 };

	match_proto(g, &s, ETH_P_IPV6);
	stmt_in(g->p, &s, NFT_K_IP6_SADDR, true,
		nft_set_of(g->p, g->family, NFT_T_IP6, own_addrs(g, i, AF_V6)));
	add_rule(g, c, &s, NFT_V_DROP);
	add_nd(g, c, i);
	s.list.n = 0;
	match_proto(g, &s, ETH_P_IPV6);
	add_rule(g, c, &s, NFT_V_RETURN);
}

static void guard_ports(struct nft_program *p, const struct model *m)
{
	struct guard g = { p, NFT_BRIDGE, NULL };
	struct nft_stmts none = { 0 };

	for (uint32_t n = 0; n < m->facts->ifaces.n; n++) {
		const struct iface *i = &m->facts->ifaces.v[n];
		struct nft_stmts rest = { 0 };
		struct nft_chain *c;

		if (i->kind != IFACE_JAIL || !i->is_port || i->behind.n == 0)
			continue;
		c = add_chain(&g, i);
		add_own(&g, c, i, ETH_P_ARP, NFT_K_ARP_SADDR);
		add_own(&g, c, i, ETH_P_IP, NFT_K_IP_SADDR);
		add_port_ip6(&g, c, i);
		add_rule(&g, c, &rest, NFT_V_DROP);
	}
	if (g.map != NULL)
		finish(&g, nft_add_base(p, NFT_BRIDGE, "in_guard", "filter", NF_INET_PRE_ROUTING,
					PRIO_GUARD), &none);
}

void nft_add_guards(struct nft_program *p, const struct model *m)
{
	guard_routed(p, m);
	guard_ports(p, m);
}
