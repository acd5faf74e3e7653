/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Each test becomes alternatives in its positive form; `not` is applied to
 * those.  recv is split by direction: on its way in a packet was received by
 * the interface that it crosses, which every target can test.
 */
#include <fnmatch.h>
#include <string.h>

#include "lang/ipfw/lower.h"
#include "net/names.h"

/* The interfaces that a pattern stands for */
static const struct set *pattern_set(struct lower *l, const struct ipfw_insn *n)
{
	struct ranges rs = { 0 };
	const char *names = "";

	for (uint32_t i = 0; i < l->facts->ifaces.n; i++) {
		const struct iface *f = &l->facts->ifaces.v[i];

		if (fnmatch(n->iface, f->name, 0) != 0)
			continue;
		ranges_add(l->a, &rs, AF_NONE, f->id, f->id);
		names = arena_printf(l->a, "%s%s%s", names, names[0] != '\0' ? ", " : "", f->name);
	}
	diag_add(l->c->diags, DIAG_N2042, n->at, "'%s' is now %s", n->iface,
		 names[0] != '\0' ? names : "no interface");
	return set_make(l->a, &rs);
}

/* The interface that has an address */
static const struct set *holder_set(struct lower *l, const struct ipfw_insn *n)
{
	const struct iface *f = facts_iface_of(l->facts, n->iface_addr);
	struct ranges none = { 0 };
	char buf[ADDR_TEXT_BYTES];

	if (f != NULL)
		return set_one(l->a, f->id);
	diag_add(l->c->diags, l->o->tolerate_missing ? DIAG_N2044 : DIAG_E2018, n->at,
		 "no interface is known that has the address %s", addr_print(n->iface_addr, buf));
	return set_make(l->a, &none);
}

static struct dnf iface_dnf(struct lower *l, const struct ipfw_insn *n, const uint32_t *value)
{
	const struct set *in = set_one(l->a, DIR_IN), *out = set_one(l->a, DIR_OUT), *ifaces;
	struct dnf d, e;

	if (n->table.name != NULL) {
		const struct dnf t = lower_table(l, n, value);
		struct ranges none = { 0 };

		ifaces = t.list.n > 0 ? t.list.v[0].f[F_IFACE] : set_make(l->a, &none);
	} else if (n->iface == NULL) {
		ifaces = holder_set(l, n);
	} else if (strpbrk(n->iface, "*?[") != NULL) {
		ifaces = pattern_set(l, n);
	} else {
		ifaces = set_one(l->a, intern_cid(l->c->names, n->iface));
	}
	if (n->kind == INSN_XMIT)
		return dnf_test2(l->a, F_DIR, out, F_IFACE, ifaces);
	if (n->kind == INSN_VIA)
		return dnf_test(l->a, F_IFACE, ifaces);
	d = dnf_test2(l->a, F_DIR, in, F_IFACE, ifaces);
	e = dnf_test2(l->a, F_DIR, out, F_RECV, ifaces);
	return dnf_or(l->a, &d, &e);
}

/* not recv: the opposite set on either way, which is shorter than dnf_not() */
static struct dnf not_recv(struct lower *l, const struct dnf *d)
{
	struct dnf res = { .is_over = false };

	if (d->list.n == 0)
		return dnf_always(l->a);
	for (uint32_t i = 0; i < d->list.n; i++) {
		struct conj c = d->list.v[i];
		const enum field f = c.f[F_IFACE] != NULL ? F_IFACE : F_RECV;

		c.f[f] = set_complement(l->a, c.f[f], SET_U32);
		dnf_add(l->a, &res, &c);
	}
	return res;
}

/* Types of ICMP as type << 8 | code, any code */
static const struct set *type_set(struct lower *l, const struct set *types)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < types->n; i++)
		ranges_add(l->a, &rs, AF_NONE, types->r[i].lo << 8, types->r[i].hi << 8 | 0xff);
	return set_make(l->a, &rs);
}

static const struct set *tag_masks(struct lower *l, const struct set *tags)
{
	struct ranges rs = { 0 };
	unsigned int bits = 0;

	for (uint32_t i = 0; i < l->m->tags.n; i++)
		if (set_has(tags, AF_NONE, l->m->tags.v[i]))
			bits |= 1u << i;
	for (unsigned int mask = 0; mask < 256; mask++)
		if ((mask & bits) != 0)
			ranges_add(l->a, &rs, AF_NONE, mask, mask);
	return set_make(l->a, &rs);
}

static struct dnf me_dnf(struct lower *l, const struct ipfw_insn *n)
{
	const enum field f = n->is_dst ? F_DST_LOCAL : F_SRC_LOCAL;
	const struct set *one = set_one(l->a, 1);

	return n->set == NULL ? dnf_test(l->a, f, one) : dnf_test2(l->a, f, one, F_AF, n->set);
}

static struct dnf positive(struct lower *l, const struct ipfw_insn *n, const uint32_t *value)
{
	struct arena *a = l->a;

	switch (n->kind) {
	case INSN_ANY:
		return dnf_always(a);
	case INSN_AF:
		return dnf_test(a, F_AF, n->set);
	case INSN_PROTO:
		return dnf_test(a, F_PROTO, n->set);
	case INSN_ADDR:
		return dnf_test(a, n->is_dst ? F_DST : F_SRC, n->set);
	case INSN_ME:
		return me_dnf(l, n);
	case INSN_PORT:
		return dnf_test(a, n->is_dst ? F_DPORT : F_SPORT, n->set);
	case INSN_TABLE:
		return lower_table(l, n, value);
	case INSN_FLOW:
		return lower_flow(l, n, value);
	case INSN_DIR:
		return dnf_test(a, F_DIR, n->set);
	case INSN_VIA:
	case INSN_RECV:
	case INSN_XMIT:
		return iface_dnf(l, n, value);
	case INSN_TCPFLAGS:
		return dnf_test2(a, F_PROTO, set_one(a, PROTO_TCP), F_TCPFLAGS, n->set);
	case INSN_ICMP:
		return dnf_test2(a, F_PROTO, set_one(a, PROTO_ICMP), F_ICMP, type_set(l, n->set));
	case INSN_ICMP6:
		return dnf_test2(a, F_PROTO, set_one(a, PROTO_ICMP6), F_ICMP, type_set(l, n->set));
	case INSN_TAGGED:
		return dnf_test(a, F_TAGS, tag_masks(l, n->set));
	case INSN_ANTISPOOF:
	case INSN_VERREVPATH:
	case INSN_VERSRCREACH:
		return lower_path(l, n);
	case INSN_IPOPTIONS:
		return dnf_test2(a, F_AF, set_one(a, AF_V4), F_IPOPTS, n->set);
	case INSN_TOS:
		return dnf_test2(a, F_AF, set_one(a, AF_V4), F_TOS, n->set);
	case INSN_DSCP:
		return dnf_test(a, F_TOS, n->set);
	case INSN_HEAD:
		return lower_head(l, n);
	case INSN_FRAG:
		diag_add(l->c->diags, DIAG_N2040, n->at,
			 "frag never matches: Linux has reassembled the packet before");
		return (struct dnf){ .is_over = false };
	}
	BUG_IF(true);
}

struct dnf lower_insn(struct lower *l, const struct ipfw_insn *n, const uint32_t *value)
{
	const struct dnf d = positive(l, n, value);
	const bool is_path = n->kind >= INSN_ANTISPOOF && n->kind <= INSN_VERSRCREACH;

	if (!n->is_not || is_path)
		return d;
	return n->kind == INSN_RECV ? not_recv(l, &d) : dnf_not(l->a, &d);
}

struct dnf lower_body(struct lower *l, const struct ipfw_rule *r, const uint32_t *value)
{
	const struct ipfw_insn *arg = value != NULL ? lower_tablearg(l, r) : NULL;
	struct dnf all = dnf_always(l->a), block = { .is_over = false };

	BUG_IF(r->insns.n > 0 && r->insns.v == NULL);
	for (uint32_t i = 0; i < r->insns.n; i++) {
		const struct ipfw_insn *n = &r->insns.v[i];
		const struct dnf d = lower_insn(l, n, n == arg ? value : NULL);

		block = dnf_or(l->a, &block, &d);
		if (n->or_next)
			continue;
		all = dnf_and(l->a, &all, &block);
		block = (struct dnf){ .is_over = false };
	}
	lower_heads(l, r, &all);
	if (all.is_over)
		diag_add(l->c->diags, DIAG_E2017, r->at,
			 "the rule has more than %u alternatives", DNF_MAX);
	return all;
}
