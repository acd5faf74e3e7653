/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A register is bits, and each is a condition on the packet: so it does not matter
 * in which pieces a program looks at a header.  Names of interfaces and lots are
 * words of their own kind, of which only comparisons with constants are known.
 *
 * What a shorter value leaves of its last word is 0, as in the kernel.
 */
#include "prove/regs.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

uint32_t regs_word(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (reg - NFT_REG_1) * 4;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return reg - NFT_REG32_00;
	return REGS_WORDS;
}

dd regs_bit(const struct regs *r, uint32_t word, uint32_t i)
{
	const uint32_t at = word + i / 32;

	if (word >= REGS_WORDS || at >= REGS_WORDS || r->w[at].kind != R_BITS)
		return DD_NO_VAR;
	return r->w[at].bit[i % 32];
}

bool regs_is_part(struct proof *p, const struct regs *r, uint32_t word, enum part part)
{
	const uint32_t n = space_width(&p->s, part);

	for (uint32_t i = 0; i < n; i++)
		if (regs_bit(r, word, i) != space_bit(&p->s, part, i))
			return false;
	return true;
}

bool regs_clear(struct regs *r, uint32_t word, uint32_t len)
{
	const uint32_t n = (len + 3) / 4;

	if (word >= REGS_WORDS || word + n > REGS_WORDS)
		return false;
	for (uint32_t i = word; i < word + n; i++)
		r->w[i] = (struct reg){ .kind = R_BITS };
	return true;
}

void regs_put(struct regs *r, uint32_t word, uint32_t i, dd bit)
{
	r->w[word + i / 32].bit[i % 32] = bit;
}

bool regs_put_bytes(struct regs *r, uint32_t word, const uint8_t *b, uint32_t len)
{
	if (!regs_clear(r, word, len))
		return false;
	for (uint32_t i = 0; i < 8 * len; i++)
		regs_put(r, word, i, (b[i / 8] >> (7 - i % 8) & 1) != 0 ? DD_TRUE : DD_FALSE);
	return true;
}

static bool bit_of(const uint8_t *b, uint32_t i)
{
	return (b[i / 8] >> (7 - i % 8) & 1) != 0;
}

/* A comparison of words of another kind: with a name, or with the number 0 */
static bool other_equal(struct proof *p, const struct reg *w, const uint8_t *b, uint32_t len,
			dd *ret)
{
	static const uint8_t zero[4];

	if (w->kind == R_NAME) {
		*ret = space_named(&p->s, w->part, b, len);
		return len <= 16;
	}
	if (w->kind != R_INDEX || len != 4 || memcmp(b, zero, len) != 0)
		return false;
	*ret = space_is(&p->s, w->part, 0);
	return true;
}

bool regs_equal(struct proof *p, const struct regs *r, uint32_t word, const uint8_t *b,
		uint32_t len, dd *ret)
{
	dd all = DD_TRUE;

	if (word >= REGS_WORDS || len == 0)
		return false;
	if (r->w[word].kind != R_BITS)
		return other_equal(p, &r->w[word], b, len, ret);
	for (uint32_t i = 8 * len; i-- > 0;) {
		const dd bit = regs_bit(r, word, i);

		if (bit == DD_NO_VAR)
			return false;
		all = bit_of(b, i) ? dd_ite(p->d, bit, all, DD_FALSE)
				   : dd_ite(p->d, bit, DD_FALSE, all);
	}
	*ret = all;
	return true;
}

bool regs_below(struct proof *p, const struct regs *r, uint32_t word, const uint8_t *b,
		uint32_t len, bool or_equal, dd *ret)
{
	dd below = or_equal ? DD_TRUE : DD_FALSE;

	for (uint32_t i = 8 * len; i-- > 0;) {
		const dd bit = regs_bit(r, word, i);

		if (bit == DD_NO_VAR)
			return false;
		below = bit_of(b, i) ? dd_ite(p->d, bit, below, DD_TRUE)
				     : dd_ite(p->d, bit, DD_FALSE, below);
	}
	*ret = below;
	return true;
}

bool regs_constant(const struct regs *r, uint32_t word, uint32_t len, uint8_t *ret)
{
	memset(ret, 0, len);
	for (uint32_t i = 0; i < 8 * len; i++) {
		const dd bit = regs_bit(r, word, i);

		if (bit != DD_TRUE && bit != DD_FALSE)
			return false;
		if (bit == DD_TRUE)
			ret[i / 8] |= (uint8_t)(0x80u >> i % 8);
	}
	return true;
}

/* ---- loads ----------------------------------------------------------------------- */

bool regs_is_little(void)
{
	const uint16_t one = 1;

	return *(const uint8_t *)&one == 1;
}

/* The bits of a number in host order, of which bit @n (the lowest is 0) is a condition */
static void put_host_bit(struct regs *r, uint32_t word, uint32_t len, uint32_t n, dd bit)
{
	/* Byte 0 is the lowest of a little endian number, and the only one of a byte */
	const uint32_t byte = regs_is_little() ? n / 8 : len - 1 - n / 8;

	regs_put(r, word, 8 * byte + 7 - n % 8, bit);
}

static void put_host(struct regs *r, uint32_t word, uint32_t len, uint32_t value)
{
	for (uint32_t n = 0; n < 8 * len; n++)
		if ((value >> n & 1) != 0)
			put_host_bit(r, word, len, n, DD_TRUE);
}

static bool load_part(struct proof *p, struct regs *r, uint32_t word, uint32_t at, enum part part,
		      uint32_t from, uint32_t n_bits)
{
	for (uint32_t i = 0; i < n_bits; i++)
		regs_put(r, word, at + i, space_bit(&p->s, part, from + i));
	return true;
}

static bool load_name(struct regs *r, uint32_t word, enum part part, enum reg_kind kind)
{
	const uint32_t n = kind == R_NAME ? 4 : 1;

	if (word + n > REGS_WORDS)
		return false;
	for (uint32_t i = 0; i < n; i++)
		r->w[word + i] = (struct reg){ .kind = i == 0 ? kind : R_NONE, .part = part };
	return true;
}

/* Of no known kind: some number, and the proof says which it is not */
static bool load_ethertype(struct proof *p, struct regs *r, uint32_t word)
{
	const uint16_t type = p->ethertype;
	const uint32_t var = type != 0 ? 0 : space_ethertype(&p->s);

	for (uint32_t i = 0; i < 16 && var != DD_NO_VAR; i++)
		regs_put(r, word, i, type == 0 ? dd_var(p->d, var + i)
				     : (type >> (15 - i) & 1) != 0 ? DD_TRUE : DD_FALSE);
	return var != DD_NO_VAR;
}

/* A number in host order */
static bool load_clock(struct proof *p, struct regs *r, uint32_t word)
{
	const uint32_t n_bits = space_width(&p->s, P_CLOCK);

	if (!regs_clear(r, word, n_bits / 8))
		return false;
	for (uint32_t n = 0; n < n_bits; n++)
		put_host_bit(r, word, n_bits / 8, n,
			     space_bit(&p->s, P_CLOCK, n_bits - 1 - n));
	return true;
}

static bool load_meta(struct proof *p, const struct prog_expr *x, bool is_in, struct regs *r)
{
	const uint32_t word = regs_word(x->dreg);
	const enum part in = is_in ? P_IFACE : P_RECV;

	if (x->key == NFT_META_TIME_NS)
		return load_clock(p, r, word);
	if (!regs_clear(r, word, 4))
		return false;
	switch (x->key) {
	case NFT_META_NFPROTO:
		put_host(r, word, 1, p->s.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
		return true;
	case NFT_META_PROTOCOL:
		return load_ethertype(p, r, word);
	case NFT_META_L4PROTO:
		return load_part(p, r, word, 0, P_PROTO, 0, 8);
	case NFT_META_IIFNAME:
		return load_name(r, word, in, R_NAME);
	case NFT_META_OIFNAME:
		/* It has none yet, which is a name of no letters */
		return is_in ? regs_clear(r, word, 16) : load_name(r, word, P_IFACE, R_NAME);
	case NFT_META_IIF:
		return load_name(r, word, in, R_INDEX);
	case NFT_META_MARK:
		for (uint32_t n = 0; n < 32; n++)
			put_host_bit(r, word, 4, n, dd_var(p->d, space_mark(&p->s, P_MARK, n)));
		return true;
	case NFT_META_SKUID:
	case NFT_META_SKGID:
		for (uint32_t n = 0; n < 32; n++)
			put_host_bit(r, word, 4, n,
				     space_bit(&p->s, x->key == NFT_META_SKUID ? P_UID : P_GID,
					       31 - n));
		return true;
	default:
		return false;
	}
}

#define CT_INVALID	0u	/* bits of a connection's state and status */
#define CT_ESTABLISHED	1u
#define CT_RELATED	2u
#define CT_NEW		3u
#define CT_CONFIRMED	3u
#define CT_SNAT		4u
#define CT_DNAT		5u

static void load_state(struct proof *p, struct regs *r, uint32_t word)
{
	struct space *s = &p->s;
	const dd invalid = space_bit(s, P_INVALID, 0), known = dd_not(p->d, invalid);
	const dd related = dd_and(p->d, known, space_bit(s, P_RELATED, 0));
	const dd is_new = dd_and(p->d, dd_and(p->d, known, space_bit(s, P_NEW, 0)),
				 dd_not(p->d, related));

	put_host_bit(r, word, 4, CT_INVALID, invalid);
	put_host_bit(r, word, 4, CT_RELATED, related);
	put_host_bit(r, word, 4, CT_NEW, is_new);
	put_host_bit(r, word, 4, CT_ESTABLISHED,
		     dd_not(p->d, dd_or(p->d, invalid, dd_or(p->d, related, is_new))));
}

void regs_state_unless(struct proof *p, struct regs *r, uint32_t word, dd none)
{
	struct regs nothing = { 0 };

	if (none == space_bit(&p->s, P_INVALID, 0) || !regs_clear(&nothing, word, 4))
		return;
	put_host_bit(&nothing, word, 4, CT_INVALID, DD_TRUE);
	for (uint32_t i = 0; i < 32; i++)
		regs_put(r, word, i, dd_ite(p->d, none, regs_bit(&nothing, word, i),
					    regs_bit(r, word, i)));
}

/* Where a connection's first packet went */
static bool load_first(struct proof *p, const struct prog_expr *x, struct regs *r)
{
	const bool v4 = p->s.af == AF_V4;
	const enum part part = x->key == NFT_CT_PROTO_DST ? P_FIRST_DPORT : P_FIRST_DST;
	const uint32_t word = regs_word(x->dreg), n = space_width(&p->s, part);

	if (x->offset != IP_CT_DIR_ORIGINAL + 1 ||
	    (x->key != NFT_CT_PROTO_DST && x->key != (v4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6)))
		return false;
	return regs_clear(r, word, n / 8) && load_part(p, r, word, 0, part, 0, n);
}

/* What else a connection was as it began: not known, so it can only be a key of counts */
static bool load_tuple(const struct prog_expr *x, struct regs *r)
{
	static const struct { uint32_t key, len; } keys[] = {
		{ NFT_CT_SRC_IP, 4 }, { NFT_CT_DST_IP, 4 }, { NFT_CT_SRC_IP6, 16 },
		{ NFT_CT_DST_IP6, 16 }, { NFT_CT_PROTO_SRC, 2 }, { NFT_CT_PROTO_DST, 2 },
	};
	const uint32_t word = regs_word(x->dreg);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].key != x->key || !regs_clear(r, word, keys[i].len))
			continue;
		for (uint32_t n = 0; n < (keys[i].len + 3) / 4; n++)
			r->w[word + n].kind = R_NONE;
		return true;
	}
	return false;
}

static bool load_ct(struct proof *p, const struct prog_expr *x, struct regs *r)
{
	const uint32_t word = regs_word(x->dreg);

	if (load_first(p, x, r) || load_tuple(x, r))
		return true;
	if (!regs_clear(r, word, 4))
		return false;
	switch (x->key) {
	case NFT_CT_DIRECTION:
		put_host_bit(r, word, 1, 0, space_bit(&p->s, P_REPLY, 0));
		return true;
	case NFT_CT_STATE:
		load_state(p, r, word);
		return true;
	case NFT_CT_STATUS:
		put_host_bit(r, word, 4, CT_CONFIRMED, space_bit(&p->s, P_KNOWN, 0));
		put_host_bit(r, word, 4, CT_SNAT, space_bit(&p->s, P_SNAT, 0));
		put_host_bit(r, word, 4, CT_DNAT, space_bit(&p->s, P_DNAT, 0));
		return true;
	case NFT_CT_MARK:
		for (uint32_t n = 0; n < 32; n++)
			put_host_bit(r, word, 4, n, dd_var(p->d, space_mark(&p->s, P_CTMARK, n)));
		return true;
	default:
		return false;
	}
}

/* Bytes of a header that are bits of a part: from @offset on, the highest bit first */
struct layout {
	uint32_t base;
	uint8_t af;		/* AF_NONE: either */
	uint32_t bit;
	enum part part;
	uint32_t n_bits;
};

#define AF_ARP	1u	/* beside AF_NONE, AF_V4, AF_V6 */

static const struct layout layouts[] = {
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 8, P_TOS, 8 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 16, P_LEN, 16 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 32, P_ID, 16 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 49, P_DF, 1 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 64, P_TTL, 8 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 72, P_PROTO, 8 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 96, P_SRC, 32 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V4, 128, P_DST, 32 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 4, P_TOS, 8 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 12, P_FLOW, 20 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 32, P_LEN, 16 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 56, P_TTL, 8 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 64, P_SRC, 128 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_V6, 192, P_DST, 128 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_ARP, 48, P_SPORT, 16 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_ARP, 112, P_SRC, 32 },
	{ NFT_PAYLOAD_NETWORK_HEADER, AF_ARP, 192, P_DST, 32 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, AF_NONE, 0, P_SPORT, 16 },
	{ NFT_PAYLOAD_TRANSPORT_HEADER, AF_NONE, 16, P_DPORT, 16 },
};

/* The version is known, the length of the header is 5 words unless there are options */
static bool first_byte(struct proof *p, uint32_t bit, dd *ret)
{
	const uint32_t with = p->s.af == AF_V4 ? 0x46 : 0x60;
	const uint32_t without = p->s.af == AF_V4 ? 0x45 : 0x60;
	const dd hi = (with >> (7 - bit) & 1) != 0 ? DD_TRUE : DD_FALSE;
	const dd lo = (without >> (7 - bit) & 1) != 0 ? DD_TRUE : DD_FALSE;

	*ret = dd_ite(p->d, space_bit(&p->s, P_OPTS, 0), hi, lo);
	return p->s.af == AF_V4 || bit < 4;
}

bool regs_header_part(const struct proof *p, uint32_t base, uint32_t bit, enum part *ret_part,
		      uint32_t *ret_bit)
{
	const uint8_t af = p->is_arp ? AF_ARP : p->s.af;

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++) {
		const struct layout *l = &layouts[i];

		if (l->base != base || (l->af != AF_NONE && l->af != af) || bit < l->bit ||
		    bit >= l->bit + l->n_bits)
			continue;
		*ret_part = l->part;
		*ret_bit = bit - l->bit;
		return true;
	}
	return false;
}

bool regs_header_bit(struct proof *p, uint32_t base, uint32_t bit, dd *ret)
{
	uint32_t in_part, var;
	enum part part;
	char what[64];

	if (regs_header_part(p, base, bit, &part, &in_part)) {
		*ret = space_bit(&p->s, part, in_part);
		return true;
	}
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && bit >= 32 && bit < 192) {
		*ret = space_transport(&p->s, bit);
		return true;
	}
	if (!p->is_arp && base == NFT_PAYLOAD_NETWORK_HEADER && bit < 8 && first_byte(p, bit, ret))
		return true;
	snprintf(what, sizeof(what), "bit %u of header %u", bit, base);
	var = space_opaque(&p->s, arena_strndup(p->a, what, strlen(what)), 1);
	if (var == DD_NO_VAR)
		return false;
	*ret = dd_var(p->d, var);
	return true;
}

static bool load_payload(struct proof *p, const struct prog_expr *x, struct regs *r)
{
	const uint32_t word = regs_word(x->dreg);

	if (x->len == 0 || x->len > 16 || !regs_clear(r, word, x->len))
		return false;
	for (uint32_t i = 0; i < 8 * x->len; i++) {
		dd bit;

		if (!regs_header_bit(p, x->key, 8 * x->offset + i, &bit))
			return false;
		regs_put(r, word, i, bit);
	}
	return true;
}

/* The kind of an address: ours, broadcast, multicast, or another's */
static void load_kind(struct proof *p, struct regs *r, uint32_t word, enum part addr,
		      enum part cast)
{
	const dd own = space_local(&p->s, addr);
	const dd broad = space_is(&p->s, cast, 1), multi = space_is(&p->s, cast, 2);

	for (uint32_t n = 0; n < 3; n++) {
		const dd kinds[] = {
			(RTN_LOCAL >> n & 1) != 0 ? DD_TRUE : DD_FALSE,
			(RTN_BROADCAST >> n & 1) != 0 ? DD_TRUE : DD_FALSE,
			(RTN_MULTICAST >> n & 1) != 0 ? DD_TRUE : DD_FALSE,
			(RTN_UNICAST >> n & 1) != 0 ? DD_TRUE : DD_FALSE,
		};

		put_host_bit(r, word, 4, n,
			     dd_ite(p->d, own, kinds[0],
				    dd_ite(p->d, broad, kinds[1],
					   dd_ite(p->d, multi, kinds[2], kinds[3]))));
	}
}

static bool load_fib(struct proof *p, const struct prog_expr *x, struct regs *r)
{
	static const struct {
		uint32_t flags;
		enum part part;
	} routes[] = {
		{ NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT, P_RPF },
		{ NFTA_FIB_F_SADDR | NFTA_FIB_F_PRESENT, P_SROUTE },
		{ NFTA_FIB_F_DADDR | NFTA_FIB_F_PRESENT, P_DROUTE },
	};
	const uint32_t word = regs_word(x->dreg);

	if (!regs_clear(r, word, 4))
		return false;
	if (x->key == NFT_FIB_RESULT_ADDRTYPE &&
	    (x->offset == NFTA_FIB_F_SADDR || x->offset == NFTA_FIB_F_DADDR)) {
		const bool src = x->offset == NFTA_FIB_F_SADDR;

		load_kind(p, r, word, src ? P_SRC : P_DST, src ? P_SCAST : P_DCAST);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes) && x->key == NFT_FIB_RESULT_OIF; i++)
		if (routes[i].flags == x->offset) {
			put_host_bit(r, word, 4, 0, space_bit(&p->s, routes[i].part, 0));
			return true;
		}
	return false;
}

static bool load_exthdr(struct proof *p, const struct prog_expr *x, struct regs *r)
{
	const uint32_t word = regs_word(x->dreg);
	dd is;

	if (!regs_clear(r, word, 1))
		return false;
	if (x->offset == NFT_EXTHDR_OP_IPV4 && x->key == IPOPT_LSRR)
		is = p->s.af == AF_V4 ? space_bit(&p->s, P_LSRR, 0) : DD_FALSE;
	else if (x->offset == NFT_EXTHDR_OP_IPV4 && x->key == IPOPT_SSRR)
		is = p->s.af == AF_V4 ? space_bit(&p->s, P_SSRR, 0) : DD_FALSE;
	else if (x->offset == NFT_EXTHDR_OP_IPV4 && x->key == IPOPT_RR)
		is = p->s.af == AF_V4 ? space_bit(&p->s, P_RR, 0) : DD_FALSE;
	else if (x->offset == NFT_EXTHDR_OP_IPV6 && x->key == IPPROTO_ROUTING)
		is = p->s.af == AF_V6 ? space_bit(&p->s, P_OPTS, 0) : DD_FALSE;
	else
		return false;
	put_host_bit(r, word, 1, 0, is);
	return true;
}

bool regs_load(struct proof *p, const struct prog_expr *x, bool is_in, struct regs *r)
{
	switch (x->op) {
	case X_META:
		return load_meta(p, x, is_in, r);
	case X_CT:
		return load_ct(p, x, r);
	case X_PAYLOAD:
		return load_payload(p, x, r);
	case X_FIB:
		return load_fib(p, x, r);
	case X_EXTHDR:
		return load_exthdr(p, x, r);
	default:
		return false;
	}
}
