/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Where sources may come from, as FreeBSD's routing table would have it: an
 * address of the host by a loopback only; a connected network by its
 * interface; the rest by the default route.  Of loopbacks only the addresses
 * count, not the prefixes: lo1's /24 is no connected network on FreeBSD.
 */
#include "lang/ipfw/lower.h"

/**
 * struct path - Sources and the interfaces that lead to them
 * @src:	Sources, disjoint from those of other paths
 * @ifaces:	Interfaces
 * @is_default:	Only by the default route
 */
struct path {
	const struct set *src;
	const struct set *ifaces;
	bool is_default;
};

struct paths {
	VEC(struct path) list;
};

static bool is_loopback(const struct iface *f)
{
	return f->kind == IFACE_LO || f->kind == IFACE_CLONED;
}

static const struct set *none(struct lower *l)
{
	struct ranges rs = { 0 };

	return set_make(l->a, &rs);
}

static const struct set *loopbacks(struct lower *l)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < l->facts->ifaces.n; i++)
		if (is_loopback(&l->facts->ifaces.v[i]))
			ranges_add(l->a, &rs, AF_NONE, l->facts->ifaces.v[i].id,
				   l->facts->ifaces.v[i].id);
	return set_make(l->a, &rs);
}

/* The network that an address makes directly connected */
static struct prefix network(const struct iface_addr *a)
{
	struct prefix p = a->p;

	if (a->peer.af != AF_NONE)
		return (struct prefix){ a->peer, (uint8_t)addr_bits(a->peer.af) };
	p.a = prefix_first(p);
	return p;
}

/* Connected networks of one length, without what is @taken; returns that and them */
static const struct set *add_networks(struct lower *l, unsigned int len, const struct set *taken,
				      struct paths *ret)
{
	const uint32_t first = ret->list.n;

	for (uint32_t i = 0; i < l->facts->ifaces.n; i++) {
		const struct iface *f = &l->facts->ifaces.v[i];
		const struct set *only = set_one(l->a, f->id);

		for (uint32_t k = 0; k < f->addrs.n && !is_loopback(f); k++) {
			const struct prefix net = network(&f->addrs.v[k]);
			const struct set *src;
			uint32_t same = first;

			if (net.len != len || addr_is_linklocal(net.a))
				continue;
			src = set_minus(l->a, set_prefix(l->a, net), taken, SET_ADDR);
			while (same < ret->list.n && !set_equal(ret->list.v[same].src, src))
				same++;
			if (same == ret->list.n)
				vec_add(l->a, &ret->list,
					((struct path){ .src = src, .ifaces = only }));
			else
				ret->list.v[same].ifaces = set_union(l->a, only,
								     ret->list.v[same].ifaces);
		}
	}
	for (uint32_t i = first; i < ret->list.n; i++)
		taken = set_union(l->a, taken, ret->list.v[i].src);
	return taken;
}

static const struct set *link_local(struct lower *l)
{
	return set_prefix(l->a, (struct prefix){ { AF_V6, (u128)0xfe80 << 112 }, 10 });
}

static void find_paths(struct lower *l, bool defaults, struct paths *ret)
{
	const struct set *taken = facts_local(l->facts);

	vec_add(l->a, &ret->list, ((struct path){ .src = set_minus(l->a, taken, link_local(l),
				SET_ADDR), .ifaces = loopbacks(l) }));
	for (unsigned int len = 129; len-- > 0;)
		taken = add_networks(l, len, taken, ret);
	if (!defaults)
		return;
	taken = set_union(l->a, taken, link_local(l));
	for (int v6 = 0; v6 < 2; v6++) {
		const char *name = l->facts->default_if[v6];
		const struct set *rest = set_of_family(l->a, set_complement(l->a, taken, SET_ADDR),
						       v6 ? AF_V6 : AF_V4);

		vec_add(l->a, &ret->list, ((struct path){ .src = rest, .is_default = true,
			.ifaces = name != NULL ? set_one(l->a, intern_cid(l->c->names, name))
					       : none(l) }));
	}
}

/* Inbound, and the source comes by an interface that does not lead to it */
static struct dnf wrong_way(struct lower *l, const struct paths *ps, enum insn_kind kind)
{
	struct dnf d = { .is_over = false };

	for (uint32_t i = 0; i < ps->list.n; i++) {
		const struct path *p = &ps->list.v[i];
		struct conj c = { .f = { NULL } };

		if (kind == INSN_VERSRCREACH && !p->is_default)
			continue;
		c.f[F_DIR] = set_one(l->a, DIR_IN);
		c.f[F_SRC] = p->src;
		if (kind != INSN_VERSRCREACH)
			c.f[F_IFACE] = set_complement(l->a, p->ifaces, SET_U32);
		dnf_add(l->a, &d, &c);
	}
	return d;
}

/* The opposite, shorter than dnf_not() would make it: sources are disjoint */
static struct dnf right_way(struct lower *l, const struct paths *ps, enum insn_kind kind)
{
	struct dnf d = dnf_test(l->a, F_DIR, set_one(l->a, DIR_OUT));
	struct ranges known = { 0 };
	struct conj c;

	for (uint32_t i = 0; i < ps->list.n; i++) {
		const struct path *p = &ps->list.v[i];

		if (kind == INSN_VERSRCREACH && !p->is_default)
			continue;
		ranges_add_set(l->a, &known, p->src);
		c = (struct conj){ .f = { [F_SRC] = p->src, [F_IFACE] = p->ifaces } };
		if (kind != INSN_VERSRCREACH)
			dnf_add(l->a, &d, &c);
	}
	c = (struct conj){ .f = { NULL } };
	c.f[F_SRC] = set_complement(l->a, set_make(l->a, &known), SET_ADDR);
	dnf_add(l->a, &d, &c);
	return d;
}

struct dnf lower_path(struct lower *l, const struct ipfw_insn *n)
{
	struct paths ps = { .list = { .n = 0 } };

	find_paths(l, n->kind != INSN_ANTISPOOF, &ps);
	if (n->kind != INSN_ANTISPOOF)
		diag_add(l->c->diags, DIAG_W2036, n->at,
			 "%s knows the connected networks and the default route only", n->text);
	return n->is_not ? wrong_way(l, &ps, n->kind) : right_way(l, &ps, n->kind);
}
