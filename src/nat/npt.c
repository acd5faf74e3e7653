/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * RFC 6296: the prefix is replaced, and one 16-bit word behind it is changed so
 * that the address's one's complement sum stays: no checksum of any protocol
 * changes, nothing is remembered, and fragments and unknown protocols need no
 * thought.  The word is the subnet (bits 48 to 63) where the prefixes leave it
 * free, else the first of the interface identifier that is not 0xffff.
 *
 * Lines: 6296-ex 6296-3.2 6296-3.3 6296-neutral 6296-48 6296-49 6296-len
 * 6296-nomap 6296-iid0 6296-cfg 6296-hairpin 6296-noport
 */
#include "nat/core.h"

static struct prefix extended(const struct nat_npt *n, struct prefix p)
{
	return (struct prefix){ prefix_first(p), MAX(n->inside.len, n->outside.len) };
}

static uint16_t word_of(u128 v, unsigned int i)
{
	return (uint16_t)(v >> (112 - 16 * i));
}

static uint16_t sum_of(u128 v)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < 8; i++)
		sum += word_of(v, i);
	return csum_fold(sum);
}

/* The word that takes the difference; 8: there is none */
static unsigned int adjusted_word(uint8_t len, u128 v)
{
	unsigned int i;

	if (len <= 48)
		return word_of(v, 3) == 0xffff ? 8 : 3;
	for (i = MAX(4u, (len + 15u) / 16u); i < 8 && word_of(v, i) == 0xffff; i++)
		;
	return i;
}

/* @a with prefix @from replaced by @to; NAT_R_NONE or why it cannot be */
static enum nat_reason map(struct prefix from, struct prefix to, struct addr *a)
{
	const u128 mask = prefix_mask(AF_V6, from.len);
	const u128 v = (a->v & ~mask) | to.a.v;
	const unsigned int i = adjusted_word(from.len, a->v);
	uint32_t word;

	if (from.len > 48 && (uint64_t)a->v == 0)
		return NAT_R_NPT_IID;
	if (i == 8)
		return NAT_R_NPT_UNMAPPED;
	/* ~new + old: what the sum has lost goes into the word */
	word = csum_fold((uint64_t)word_of(v, i) + sum_of(from.a.v) + (uint16_t)~sum_of(to.a.v));
	if (word == 0xffff)
		word = 0;
	a->v = (v & ~((u128)0xffff << (112 - 16 * i))) | (u128)word << (112 - 16 * i);
	return NAT_R_NONE;
}

/* Translate the address at @at if it is of a prefix; false: it is of none */
static bool translate(const struct nat *nat, uint8_t *at, bool out, enum nat_reason *ret)
{
	struct addr a = addr_from_bytes(AF_V6, at);

	for (uint32_t i = 0; i < nat->cfg.n_npt; i++) {
		const struct nat_npt *n = &nat->cfg.npt[i];
		const struct prefix in = extended(n, n->inside), ex = extended(n, n->outside);

		if (!prefix_has(out ? in : ex, a))
			continue;
		*ret = out ? map(in, ex, &a) : map(ex, in, &a);
		if (*ret == NAT_R_NONE)
			addr_to_bytes(a, at);
		return true;
	}
	return false;
}

static bool is_of(const struct nat *nat, struct addr a, bool inside)
{
	for (uint32_t i = 0; i < nat->cfg.n_npt; i++) {
		const struct nat_npt *n = &nat->cfg.npt[i];

		if (prefix_has(extended(n, inside ? n->inside : n->outside), a))
			return true;
	}
	return false;
}

/* What an error quotes was translated the other way round */
static void translate_quote(const struct nat *nat, const struct view *v, bool out)
{
	uint8_t *q = v->ip + v->l4 + 8;
	enum nat_reason why;

	if (v->kind != K_ERROR || v->len < v->l4 + 48u)
		return;
	translate(nat, q + (out ? 24 : 8), out, &why);
}

static void refuse(struct nat *nat, struct nat_packet *p, const struct view *v,
		   enum nat_reason why, bool is_dst)
{
	const struct answer_icmp unreachable = { .to = (enum nat_side)v->from, .type = 1 };
	const struct answer_icmp problem = {
		.to = (enum nat_side)v->from, .type = 4, .rest = is_dst ? 24 : 8,
	};
	const struct answer_icmp late = { .to = (enum nat_side)v->from, .type = 3 };
	const struct answer_icmp big = {
		.to = (enum nat_side)v->from, .type = 2,
		.rest = nat->cfg.mtu[v->from == NAT_INSIDE ? NAT_OUTSIDE : NAT_INSIDE],
	};

	answer_icmp(nat, v, why == NAT_R_NPT_IID ? problem : why == NAT_R_TTL ? late :
		    why == NAT_R_TOO_BIG ? big : unreachable);
	drop(nat, p, why);
}

bool npt_packet(struct nat *nat, struct nat_packet *p, struct view *v)
{
	const bool out = v->from == NAT_INSIDE, back = out && is_of(nat, view_dst(v), false);
	const enum nat_side to = out && !back ? NAT_OUTSIDE : NAT_INSIDE;
	uint8_t old[32];
	enum nat_reason why;

	if (!is_of(nat, out ? view_src(v) : view_dst(v), out))
		return false;
	why = check_martians(v);
	if (why == NAT_R_NONE && !out && is_of(nat, view_src(v), true))
		why = NAT_R_SPOOFED;
	if (why != NAT_R_NONE) {
		drop(nat, p, why);
		return true;
	}
	memcpy(old, v->ip + 8, 32);
	if (v->ip[7] <= 1)
		why = NAT_R_TTL;
	else if (p->len > nat->cfg.mtu[to] && (p->flags & NAT_P_GSO) == 0)
		why = NAT_R_TOO_BIG;
	if (why == NAT_R_NONE)
		translate(nat, v->ip + (out ? 8 : 24), out, &why);
	if (why == NAT_R_NONE && back)
		translate(nat, v->ip + 24, false, &why);
	if (why != NAT_R_NONE) {
		memcpy(v->ip + 8, old, 32);	/* an error quotes what was sent */
		refuse(nat, p, v, why, !out);
		return true;
	}
	translate_quote(nat, v, out);
	if (back)
		translate_quote(nat, v, false);
	rewrite_ttl(v);
	nat->n.translated++;
	forward(nat, p, to);
	return true;
}
