/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/exec_nat.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>

/* The address in a register: bits that are known, and bits that are the packet's own */
static bool read_addr(struct proof *p, const struct regs *regs, uint32_t reg,
		      struct translation *x)
{
	const uint32_t n = addr_bits(x->af), word = regs_word(reg);

	for (uint32_t i = 0; i < n; i++) {
		const dd bit = regs_bit(regs, word, i);
		const dd own = space_bit(&p->s, x->is_src ? P_SRC : P_DST, i);
		const u128 one = (u128)1 << (n - 1 - i);

		if (bit == DD_TRUE)
			x->to |= one;
		else if (bit == own)
			x->own |= one;
		else if (bit != DD_FALSE)
			return false;
	}
	return true;
}

static bool read_port(const struct regs *regs, uint32_t reg, uint16_t *ret)
{
	uint8_t b[2];

	if (!regs_constant(regs, regs_word(reg), sizeof(b), b))
		return false;
	*ret = (uint16_t)(b[0] << 8 | b[1]);
	return true;
}

/* There is one address only, which is always the same */
#define NAT_KNOWN	(NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED | \
			 NF_NAT_RANGE_PROTO_RANDOM_FULLY | NF_NAT_RANGE_PERSISTENT)

bool exec_nat_draws(const struct prog_nat *n)
{
	return n->addr[0] != n->addr[1] || (n->flags & NF_NAT_RANGE_PROTO_RANDOM) != 0 ||
	       ((n->flags & NF_NAT_RANGE_PROTO_RANDOM_FULLY) != 0 && n->port[0] == 0);
}

bool exec_nat(struct proof *p, const struct prog_nat *n, const struct regs *regs,
	      struct proof_to *to)
{
	struct translation *x = &to->x;
	const bool has_addr = n->addr[0] != 0;
	const uint32_t family = p->s.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

	x->is_src = n->is_src;
	x->af = p->s.af;
	x->is_random = (n->flags & NF_NAT_RANGE_PROTO_RANDOM_FULLY) != 0;
	if ((n->flags & ~NAT_KNOWN) != 0 || (n->family != family && n->family != NFPROTO_INET) ||
	    n->addr[1] != n->addr[0] || (n->family == NFPROTO_INET && has_addr) ||
	    has_addr != ((n->flags & NF_NAT_RANGE_MAP_IPS) != 0))
		return false;
	if (!has_addr)
		x->own = prefix_mask(x->af, addr_bits(x->af));
	else if (!read_addr(p, regs, n->addr[0], x))
		return false;
	to->has_port = n->port[0] != 0;
	if (to->has_port != ((n->flags & NF_NAT_RANGE_PROTO_SPECIFIED) != 0))
		return false;
	if (!to->has_port)
		return !x->is_random;
	if (!read_port(regs, n->port[0], &x->lo) || !read_port(regs, n->port[1], &x->hi))
		return false;
	to->id_lo = x->lo;
	to->id_hi = x->hi;
	x->is_random &= x->hi > x->lo;
	return x->lo != 0 && x->hi >= x->lo;
}

bool exec_nat_by_table(struct proof *p, const struct prog_nat *n, const struct regs *regs,
		       uint32_t *ret)
{
	const uint32_t word = regs_word(n->addr[0]);

	if (n->addr[0] == 0 || word >= REGS_WORDS || regs->w[word].kind != R_TABLE)
		return false;
	*ret = regs->w[word].modulus;
	return !n->is_src && n->flags == (NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED) &&
	       n->family == (p->s.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6) &&
	       n->addr[1] == n->addr[0] && n->port[1] == n->port[0] &&
	       regs_word(n->port[0]) == word + addr_bits(p->s.af) / 32;
}
