/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Translations, and the hash that chooses among them.  A translation is sent
 * as the kernel gives it back (both ends of each range, all flags), so that
 * what is read can be compared with what was sent.
 *
 * A network onto a network is a computed address, not NF_NAT_RANGE_NETMAP:
 * nft takes no ports beside its own word for that.
 */
#include "target/nft/stmt.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

void stmt_hash_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const struct nft_hash *h = &s->hash;

	nft_emit_load(p, h->key, 0, NFT_REG_2);
	nft_put_expr(p, "hash");
	nft_put_u32(p, NFTA_HASH_SREG, NFT_REG_2);
	nft_put_u32(p, NFTA_HASH_DREG, NFT_REG_1);
	nft_put_u32(p, NFTA_HASH_LEN, nft_types[nft_keys[h->key].type].len);
	nft_put_u32(p, NFTA_HASH_MODULUS, h->mod);
	nft_put_u32(p, NFTA_HASH_SEED, h->seed);
	nft_put_u32(p, NFTA_HASH_OFFSET, 0);
	nft_put_u32(p, NFTA_HASH_TYPE, NFT_HASH_JENKINS);
	nft_emit_cmp(p, NFT_CMP_EQ, &h->is, sizeof(h->is));
}

void stmt_hash_print(const struct nft_stmt *s, FILE *out)
{
	fprintf(out, "jhash %s mod %u seed 0x%x %u", nft_keys[s->hash.key].text, s->hash.mod,
		s->hash.seed, s->hash.is);
}

static void emit_ports(const struct nft_nat *n, struct nft_put *p, uint32_t lo, uint32_t hi)
{
	const struct nft_value lo_port = nft_value_num(NFT_T_PORT, n->lo);
	const struct nft_value hi_port = nft_value_num(NFT_T_PORT, n->hi);

	nft_emit_immediate(p, lo, lo_port.b, lo_port.len);
	if (hi != lo)
		nft_emit_immediate(p, hi, hi_port.b, hi_port.len);
}

static enum nft_key own_key(const struct nft_nat *n)
{
	if (n->to.af == AF_V4)
		return n->is_dst ? NFT_K_IP_DADDR : NFT_K_IP_SADDR;
	return n->is_dst ? NFT_K_IP6_DADDR : NFT_K_IP6_SADDR;
}

static struct addr low_bits(const struct nft_nat *n)
{
	const uint8_t af = n->to.af;
	const u128 high = prefix_mask(af, addr_bits(af) - n->host_bits);

	return (struct addr){ af, prefix_mask(af, addr_bits(af)) & ~high };
}

/* The packet's own address with its high bits replaced */
static void emit_kept(const struct nft_nat *n, struct nft_put *p)
{
	uint8_t mask[16], to[16];
	const uint32_t len = (uint32_t)addr_to_bytes(low_bits(n), mask);

	addr_to_bytes(n->to, to);
	nft_emit_load(p, own_key(n), 0, NFT_REG_1);
	nft_emit_mask(p, mask, to, len);
}

/* The address that is replaced, as often as a map asks for it */
static struct nft_lookup own_lookup(const struct nft_nat *n)
{
	struct nft_lookup l = { .set = n->by };

	while (l.n_keys < n->by->n_keys)
		l.keys[l.n_keys++] = own_key(n);
	return l;
}

/* The new address into register 1 */
static void emit_addr(const struct nft_nat *n, struct nft_put *p)
{
	uint8_t bytes[16];

	if (n->by != NULL) {
		const struct nft_lookup l = own_lookup(n);

		nft_emit_map(&l, p);
	} else if (n->host_bits > 0) {
		emit_kept(n, p);
	} else {
		nft_emit_immediate(p, NFT_REG_1, bytes, (uint32_t)addr_to_bytes(n->to, bytes));
	}
}

void stmt_nat_emit(const struct nft_stmt *s, struct nft_put *p)
{
	const struct nft_nat *n = &s->nat;
	const bool has_addr = n->to.af != AF_NONE;
	const uint32_t lo = has_addr ? NFT_REG_2 : NFT_REG_1;
	const uint32_t hi = n->hi > n->lo ? lo + 1 : lo;
	uint32_t flags = has_addr ? NF_NAT_RANGE_MAP_IPS : 0;

	if (has_addr)
		emit_addr(n, p);
	if (n->hi != 0)
		emit_ports(n, p, lo, hi);
	nft_put_expr(p, "nat");
	nft_put_u32(p, NFTA_NAT_TYPE, n->is_dst ? NFT_NAT_DNAT : NFT_NAT_SNAT);
	nft_put_u32(p, NFTA_NAT_FAMILY,
		    !has_addr ? NFPROTO_INET
		    : n->to.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (has_addr) {
		nft_put_u32(p, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
		nft_put_u32(p, NFTA_NAT_REG_ADDR_MAX, NFT_REG_1);
	}
	if (n->hi != 0) {
		nft_put_u32(p, NFTA_NAT_REG_PROTO_MIN, lo);
		nft_put_u32(p, NFTA_NAT_REG_PROTO_MAX, hi);
		flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	}
	if (n->is_random)
		flags |= NF_NAT_RANGE_PROTO_RANDOM_FULLY;
	nft_put_u32(p, NFTA_NAT_FLAGS, flags);
}

static void print_addr(const struct nft_nat *n, FILE *out)
{
	const bool is_bracketed = n->to.af == AF_V6 && n->hi != 0 && n->host_bits == 0;
	char buf[ADDR_TEXT_BYTES];

	if (n->by != NULL) {
		const struct nft_lookup l = own_lookup(n);

		nft_print_keys(&l, out);
		fprintf(out, " map @%s", n->by->name);
		return;
	}
	if (n->host_bits > 0)
		fprintf(out, "%s & %s | ", nft_keys[own_key(n)].text,
			addr_print(low_bits(n), buf));
	/* nft takes no brackets there, and needs a blank to tell the port from the address */
	fprintf(out, "%s%s%s%s", is_bracketed ? "[" : "",
		n->to.af != AF_NONE ? addr_print(n->to, buf) : "", is_bracketed ? "]" : "",
		n->hi != 0 && n->host_bits > 0 ? " " : "");
}

void stmt_nat_print(const struct nft_stmt *s, FILE *out)
{
	const struct nft_nat *n = &s->nat;

	fprintf(out, "%s%s to ", n->is_dst ? "dnat" : "snat",
		n->to.af == AF_NONE ? "" : n->to.af == AF_V4 ? " ip" : " ip6");
	print_addr(n, out);
	if (n->hi != 0)
		fprintf(out, ":%u", n->lo);
	if (n->hi > n->lo)
		fprintf(out, "-%u", n->hi);
	if (n->is_random)
		fputs(" fully-random", out);
}
