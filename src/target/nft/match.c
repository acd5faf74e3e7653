/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Fields are handled in one order, so that each statement finds what it
 * depends on: interface, family, addresses, protocol, flags or ICMP types,
 * ports.  It is the order in which nft puts what it adds by itself, so that a
 * saved listing that is loaded again is the same program.  Where a field needs
 * several alternatives the rest is repeated under each.
 */
#include "target/nft/match.h"

#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/limits.h"
#include "target/nft/match_head.h"
#include "target/nft/match_way.h"

struct nft_tests nft_tests_of(const struct rule *r)
{
	struct nft_tests t = { 0 };

	for (uint32_t i = 0; i < r->tests.n; i++)
		t.f[r->tests.v[i].f] = r->tests.v[i].in;
	return t;
}

struct nft_tests nft_tests_and(struct arena *a, const struct nft_tests *x,
			       const struct nft_tests *y)
{
	struct nft_tests t = *x;

	for (int f = 0; f < N_FIELDS; f++)
		if (t.f[f] == NULL)
			t.f[f] = y->f[f];
		else if (y->f[f] != NULL)
			t.f[f] = set_intersect(a, t.f[f], y->f[f]);
	return t;
}

const struct set *nft_full(struct arena *a, uint8_t af, u128 hi)
{
	static const struct set v4 = { 1, NULL, { { AF_V4, 0, UINT32_MAX } } };
	static const struct set v6 = { 1, NULL, { { AF_V6, 0, ~(u128)0 } } };

	if (af != AF_NONE)
		return af == AF_V4 ? &v4 : &v6;
	if (hi == UINT8_MAX || hi == UINT16_MAX)
		return set_all(a, hi == UINT8_MAX ? SET_U8 : SET_U16);
	return set_range(a, af, 0, hi);
}

bool nft_is_prefix(const struct range *r, struct prefix *ret)
{
	const uint8_t bits = r->af == AF_NONE ? 128 : (uint8_t)addr_bits(r->af);

	for (uint8_t len = 1; len <= bits; len++) {
		const struct prefix p = { { r->af, r->lo }, len };

		if (prefix_first(p).v == r->lo && prefix_last(p).v == r->hi) {
			*ret = p;
			return true;
		}
	}
	return false;
}

/* A test that needs no set: one value, one prefix, or what lies between two values */
static bool add_simple(struct nft_program *p, struct nft_stmts *s, enum nft_key key, bool is_not,
		       const struct set *in)
{
	const enum nft_type type = nft_keys[key].type;
	struct prefix prefix;

	if (in->n != 1)
		return false;
	if (in->r[0].lo == in->r[0].hi) {
		stmt_match(p, s, key, is_not, nft_value_num(type, in->r[0].lo));
		return true;
	}
	if (in->r[0].af != AF_NONE && nft_is_prefix(&in->r[0], &prefix)) {
		stmt_prefix(p, s, key, is_not, prefix);
		return true;
	}
	if (is_not || (type != NFT_T_PORT && type != NFT_T_IP4 && type != NFT_T_IP6))
		return false;
	stmt_range(p, s, key, &in->r[0]);
	return true;
}

/*
 * @key is in a table, or "!" not in it: the same rule whatever it holds, so that
 * what comes and goes in it changes elements and no rules
 */
static void add_table(struct nft_program *p, struct nft_stmts *s, enum nft_key key,
		      const struct set *in, const struct set *full)
{
	const bool is_not = in->name[0] == '!';

	if (is_not)
		in = set_named(p->tmp, set_minus(p->tmp, full, in, SET_ADDR), in->name + 1);
	stmt_in(p, s, key, is_not, nft_set_of(p, NFT_INET, nft_keys[key].type, in));
}

/* @key is in @in, of all values @full */
static void add_in(struct nft_program *p, struct nft_stmts *s, enum nft_key key,
		   const struct set *in, const struct set *full)
{
	const struct set *out;
	bool is_not;

	if (in->name != NULL) {
		add_table(p, s, key, in, full);
		return;
	}
	if (set_is_subset(full, in) || add_simple(p, s, key, false, in))
		return;
	out = set_minus(p->tmp, full, in, full->r[0].af == AF_NONE ? SET_U32 : SET_ADDR);
	if (add_simple(p, s, key, true, out))
		return;
	is_not = out->n < in->n;
	stmt_in(p, s, key, is_not,
		nft_set_of(p, NFT_INET, nft_keys[key].type, is_not ? out : in));
}

struct nft_way *nft_add_way(const struct nft_view *v, struct nft_ways *ws,
			    const struct nft_way *from)
{
	struct nft_way *w = vec_push(v->p->tmp, &ws->list);

	w->t = from->t;
	stmts_append(v->p, &w->stmts, &from->stmts);
	return w;
}

/* ---- protocols ------------------------------------------------------------- */

static const struct set *set_of_protos(struct arena *a, const uint8_t *protos, uint32_t n)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < n; i++)
		ranges_add(a, &rs, AF_NONE, protos[i], protos[i]);
	return set_make(a, &rs);
}

static void add_proto(const struct nft_view *v, struct nft_way *w, const struct set *protos)
{
	add_in(v->p, &w->stmts, NFT_K_L4PROTO, protos, nft_full(v->p->tmp, AF_NONE, UINT8_MAX));
}

/* Flags that are "these bits have these values"; else a set of flag bytes */
static void add_tcp_flags(const struct nft_view *v, struct nft_stmts *s, const struct set *in)
{
	uint8_t ones = 0xff, zeros = 0xff;
	uint32_t n = 0;

	for (uint32_t i = 0; i < in->n; i++)
		for (u128 f = in->r[i].lo; f <= in->r[i].hi; f++) {
			ones &= (uint8_t)f;
			zeros &= (uint8_t)~f;
			n++;
		}
	if (n == 1u << (8 - __builtin_popcount(ones | zeros)))
		stmt_masked(v->p, s, NFT_K_TCP_FLAGS, ones | zeros, ones, false);
	else
		stmt_in(v->p, s, NFT_K_TCP_FLAGS, false,
			nft_set_of(v->p, NFT_INET, NFT_T_TCPFLAG, in));
}

/* Types whose codes all match, then each other type with its codes */
static void expand_icmp_of(const struct nft_view *v, const struct nft_way *from, uint8_t proto,
			   struct nft_ways *out)
{
	const bool v6 = proto == PROTO_ICMP6;
	const struct set *bytes = nft_full(v->p->tmp, AF_NONE, UINT8_MAX);
	struct ranges whole = { 0 };
	struct nft_way *w;

	for (uint32_t type = 0; type <= UINT8_MAX; type++) {
		const struct set *codes = set_intersect(v->p->tmp, from->t.f[F_ICMP],
			set_range(v->p->tmp, AF_NONE, type << 8, type << 8 | UINT8_MAX));
		struct ranges low = { 0 };

		if (set_is_empty(codes))
			continue;
		if (codes->n == 1 && codes->r[0].hi - codes->r[0].lo == UINT8_MAX) {
			ranges_add(v->p->tmp, &whole, AF_NONE, type, type);
			continue;
		}
		for (uint32_t i = 0; i < codes->n; i++)
			ranges_add(v->p->tmp, &low, AF_NONE, codes->r[i].lo & UINT8_MAX,
				   codes->r[i].hi & UINT8_MAX);
		w = nft_add_way(v, out, from);
		add_proto(v, w, set_one(v->p->tmp, proto));
		stmt_match(v->p, &w->stmts, v6 ? NFT_K_ICMP6_TYPE : NFT_K_ICMP_TYPE, false,
			   nft_value_num(NFT_T_ICMP_TYPE, type));
		add_in(v->p, &w->stmts, v6 ? NFT_K_ICMP6_CODE : NFT_K_ICMP_CODE,
		       set_make(v->p->tmp, &low), bytes);
	}
	if (whole.list.n == 0)
		return;
	w = nft_add_way(v, out, from);
	add_proto(v, w, set_one(v->p->tmp, proto));
	add_in(v->p, &w->stmts, v6 ? NFT_K_ICMP6_TYPE : NFT_K_ICMP_TYPE,
	       set_make(v->p->tmp, &whole), bytes);
}

static void expand_flags(const struct nft_view *v, const struct nft_way *from,
			 const struct set *protos, struct nft_ways *out)
{
	const struct set *tcp = set_one(v->p->tmp, PROTO_TCP);
	const struct set *rest = set_minus(v->p->tmp, protos, tcp, SET_U8);
	struct nft_way *w;

	if (!set_is_empty(rest))
		add_proto(v, nft_add_way(v, out, from), rest);
	if (!set_overlaps(protos, tcp) || set_is_empty(from->t.f[F_TCPFLAGS]))
		return;
	w = nft_add_way(v, out, from);
	add_proto(v, w, tcp);
	add_tcp_flags(v, &w->stmts, from->t.f[F_TCPFLAGS]);
}

static void expand_protos(const struct nft_view *v, const struct nft_way *from,
			  struct nft_ways *out)
{
	static const uint8_t with_ports[] = { PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_UDPLITE };
	static const uint8_t icmps[] = { PROTO_ICMP, PROTO_ICMP6 };
	struct arena *a = v->p->tmp;
	const struct set *protos = from->t.f[F_PROTO];

	if (protos == NULL)
		protos = set_all(a, SET_U8);
	if (from->t.f[F_SPORT] != NULL || from->t.f[F_DPORT] != NULL)
		protos = set_intersect(a, protos,
				       set_of_protos(a, with_ports, ARRAY_SIZE(with_ports)));
	if (from->t.f[F_ICMP] != NULL)
		protos = set_intersect(a, protos, set_of_protos(a, icmps, ARRAY_SIZE(icmps)));
	protos = head_protos(a, &from->t, protos);
	if (set_is_empty(protos))
		return;
	if (from->t.f[F_ICMP] != NULL) {
		for (uint32_t i = 0; i < ARRAY_SIZE(icmps); i++)
			if (set_has(protos, AF_NONE, icmps[i]))
				expand_icmp_of(v, from, icmps[i], out);
	} else if (from->t.f[F_TCPFLAGS] != NULL && set_has(protos, AF_NONE, PROTO_TCP)) {
		expand_flags(v, from, protos, out);
	} else {
		add_proto(v, nft_add_way(v, out, from), protos);
	}
}

/* ---- addresses and ports --------------------------------------------------- */

static bool has_family(const struct nft_way *w, uint8_t af)
{
	static const enum field addrs[] = { F_SRC, F_DST };

	if ((w->t.f[F_AF] != NULL && !set_has(w->t.f[F_AF], AF_NONE, af)) ||
	    !head_has_family(&w->t, af))
		return false;
	for (uint32_t i = 0; i < ARRAY_SIZE(addrs); i++) {
		const struct set *s = w->t.f[addrs[i]];

		if (s != NULL && s->name == NULL &&
		    (set_families(s) & (af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6)) == 0)
			return false;
	}
	return true;
}

static void add_addr(const struct nft_view *v, struct nft_stmts *s, const struct set *in,
		     uint8_t af, enum nft_key key)
{
	if (in != NULL)
		add_in(v->p, s, key, set_of_family(v->p->tmp, in, af), nft_full(v->p->tmp, af, 0));
}

static void add_ports(const struct nft_view *v, struct nft_way *w)
{
	const struct set *full = nft_full(v->p->tmp, AF_NONE, UINT16_MAX);

	if (w->t.f[F_SPORT] != NULL)
		add_in(v->p, &w->stmts, NFT_K_SPORT, w->t.f[F_SPORT], full);
	if (w->t.f[F_DPORT] != NULL)
		add_in(v->p, &w->stmts, NFT_K_DPORT, w->t.f[F_DPORT], full);
}

/* Every hook may ask for the type of an address, as long as it names no interface */
static void add_local(const struct nft_view *v, struct nft_way *w, enum field f, enum nft_key key)
{
	const struct set *in = w->t.f[f];

	if (in != NULL && set_has(in, AF_NONE, 0) != set_has(in, AF_NONE, 1))
		stmt_match(v->p, &w->stmts, key, set_has(in, AF_NONE, 0),
			   nft_value_num(NFT_T_FIB_TYPE, RTN_LOCAL));
}

uint32_t nft_spread(uint32_t value, uint32_t mask)
{
	uint32_t out = 0;

	for (; mask != 0; mask &= mask - 1, value >>= 1)
		if ((value & 1) != 0)
			out |= mask & -mask;
	return out;
}

/* The tags of which a set asks that there be one (or none), 0: it asks otherwise */
static uint32_t tags_asked(const struct set *in, uint32_t all, bool none)
{
	uint32_t bits = 0;

	for (uint32_t bit = 1; bit <= all; bit <<= 1)
		if (set_has(in, AF_NONE, bit) != none)
			bits |= bit;
	for (uint32_t tags = 0; tags <= all; tags++)
		if (set_has(in, AF_NONE, tags) != (((tags & bits) != 0) != none))
			return 0;
	return bits;
}

/* Is a packet with the tag of a number, 0: with none, in the set */
static bool code_is_in(const struct nft_view *v, const struct set *in, uint32_t code)
{
	for (uint32_t i = 0; code != 0 && i < MODEL_TAGS; i++)
		if (v->tag_codes[i] == code)
			return set_has(in, AF_NONE, 1u << i);
	return set_has(in, AF_NONE, 0);
}

/* Tags as a number in the mark: one, all but one, or each for itself */
static void expand_codes(const struct nft_view *v, const struct nft_way *from, struct nft_ways *out)
{
	uint32_t n[2] = { 0 }, last[2] = { 0 };

	for (uint32_t code = 0; code <= v->n_codes; code++) {
		const bool is_in = code_is_in(v, from->t.f[F_TAGS], code);

		n[is_in]++;
		last[is_in] = code;
	}
	if (n[false] == 0) {
		nft_add_way(v, out, from);
	} else if (n[false] == 1) {
		stmt_masked(v->p, &nft_add_way(v, out, from)->stmts, NFT_K_MARK, v->tag_mask,
			    nft_spread(last[false], v->tag_mask), true);
	} else {
		for (uint32_t code = 0; code <= v->n_codes; code++)
			if (code_is_in(v, from->t.f[F_TAGS], code))
				stmt_masked(v->p, &nft_add_way(v, out, from)->stmts, NFT_K_MARK,
					    v->tag_mask, nft_spread(code, v->tag_mask), false);
	}
}

/* Tags as bits of the mark: one or none of some, else each combination for itself */
static void expand_tags(const struct nft_view *v, const struct nft_way *from, struct nft_ways *out)
{
	const struct set *in = from->t.f[F_TAGS];
	const uint32_t all = (1u << __builtin_popcount(v->tag_mask)) - 1;

	for (int none = 0; none < 2; none++) {
		const uint32_t bits = tags_asked(in, all, none);

		if (bits == 0)
			continue;
		stmt_masked(v->p, &nft_add_way(v, out, from)->stmts, NFT_K_MARK,
			    nft_spread(bits, v->tag_mask), 0, !none);
		return;
	}
	for (uint32_t tags = 0; tags <= all; tags++)
		if (set_has(in, AF_NONE, tags))
			stmt_masked(v->p, &nft_add_way(v, out, from)->stmts, NFT_K_MARK,
				    v->tag_mask, nft_spread(tags, v->tag_mask), false);
}

/* ---- tables that rules fill, routes, types of service ---------------------- */

/* The bits that are 1 (or 0) in all values of a set that asks for nothing else */
static bool bits_asked(const struct set *in, uint32_t *ones, uint32_t *zeros)
{
	uint32_t n = 0;

	*ones = *zeros = (1u << MODEL_GROWN) - 1;
	for (uint32_t x = 0; x < 1u << MODEL_GROWN; x++) {
		if (!set_has(in, AF_NONE, x))
			continue;
		*ones &= x;
		*zeros &= ~x;
		n++;
	}
	return n == 1u << (MODEL_GROWN - (unsigned int)__builtin_popcount(*ones | *zeros));
}

static void add_grown(const struct nft_view *v, struct nft_way *w, enum field f, uint8_t af)
{
	const enum nft_key keys[2][2] = { { NFT_K_IP_SADDR, NFT_K_IP_DADDR },
					  { NFT_K_IP6_SADDR, NFT_K_IP6_DADDR } };
	uint32_t ones, zeros;

	if (w->t.f[f] == NULL)
		return;
	/* Tests of single tables, all of which hold: no language has others */
	BUG_IF(!bits_asked(w->t.f[f], &ones, &zeros));
	for (uint32_t i = 0; i < MODEL_GROWN; i++)
		if (((ones | zeros) >> i & 1) != 0)
			stmt_in(v->p, &w->stmts, keys[af == AF_V6][f == F_DST_GROWN],
				(zeros >> i & 1) != 0, nft_grown_set(v->p, v->m, i, af));
}

static void match_fib(const struct nft_view *v, struct nft_stmts *s, enum nft_key key, bool exists)
{
	stmt_match(v->p, s, key, false, nft_value_num(NFT_T_PRESENT, exists));
}

static void match_type(const struct nft_view *v, struct nft_stmts *s, enum nft_key key,
		       uint32_t type, bool is_not)
{
	stmt_match(v->p, s, key, is_not, nft_value_num(NFT_T_FIB_TYPE, type));
}

/* Addresses of our own, broadcast and multicast have a route that fib does not tell of */
static void match_unrouted(const struct nft_view *v, struct nft_stmts *s, enum nft_key route,
			   enum nft_key type)
{
	match_fib(v, s, route, false);
	match_type(v, s, type, RTN_LOCAL, true);
	match_type(v, s, type, RTN_BROADCAST, true);
	match_type(v, s, type, RTN_MULTICAST, true);
}

static bool add_routes(const struct nft_view *v, struct nft_way *w, struct span at)
{
	const struct set *src = w->t.f[F_SRC_ROUTE], *dst = w->t.f[F_DST_ROUTE];

	if (src == NULL && dst == NULL)
		return true;
	if (v->dir == DIR_OUT) {
		diag_add(v->d, DIAG_E1701, at, "nftables looks for the route to an address in "
			 "packets that come in only");
		diag_help(v->d, "write 'in' into the rule");
		return false;
	}
	if ((dst != NULL && set_has(dst, AF_NONE, ROUTE_HERE)) ||
	    (src != NULL && set_has(src, AF_NONE, ROUTE_HERE) &&
	     set_has(src, AF_NONE, ROUTE_ELSEWHERE))) {
		diag_add(v->d, DIAG_E1701, at, "nftables can tell that there is no route, but not "
			 "that there is one");
		return false;
	}
	if (dst != NULL)
		match_unrouted(v, &w->stmts, NFT_K_FIB_DROUTE, NFT_K_FIB_DADDR);
	if (src == NULL)
		return true;
	if (set_has(src, AF_NONE, ROUTE_ELSEWHERE) || set_has(src, AF_NONE, ROUTE_HERE))
		match_fib(v, &w->stmts, NFT_K_FIB_RPF, set_has(src, AF_NONE, ROUTE_HERE));
	else
		match_unrouted(v, &w->stmts, NFT_K_FIB_SROUTE, NFT_K_FIB_SADDR);
	return true;
}

static void add_tos(const struct nft_view *v, struct nft_way *w, uint8_t af)
{
	const unsigned int shift = af == AF_V4 ? 0 : 4;	/* in the header's first two bytes */
	struct ranges in = { 0 }, all = { 0 };

	if (w->t.f[F_TOS] == NULL)
		return;
	for (unsigned int tos = 0; tos < 256; tos += TOS_ECN + 1) {
		ranges_add(v->p->tmp, &all, AF_NONE, tos << shift, tos << shift);
		if (set_has(w->t.f[F_TOS], AF_NONE, tos))
			ranges_add(v->p->tmp, &in, AF_NONE, tos << shift, tos << shift);
	}
	add_in(v->p, &w->stmts, af == AF_V4 ? NFT_K_IP_DSCP : NFT_K_IP6_DSCP,
	       set_make(v->p->tmp, &in), set_make(v->p->tmp, &all));
}

/* Does it make no difference to a set whether an option is there */
static bool is_indifferent(const struct set *in, uint32_t bit)
{
	for (uint32_t x = 0; x <= IP_OPTIONS_ALL; x++)
		if (set_has(in, AF_NONE, x) != set_has(in, AF_NONE, x ^ bit))
			return false;
	return true;
}

/* Options of IPv4: each combination of those that matter for itself */
static void expand_options(const struct nft_view *v, struct nft_way *from, struct nft_ways *out)
{
	static const struct { uint32_t bit; enum nft_key key; } options[] = {
		{ IP_OPTION_LSRR, NFT_K_IP_LSRR }, { IP_OPTION_SSRR, NFT_K_IP_SSRR },
		{ IP_OPTION_RR, NFT_K_IP_RR },
	};
	const struct set *in = from->t.f[F_IPOPTS];
	uint32_t matter = 0;

	for (size_t i = 0; i < ARRAY_SIZE(options) && in != NULL; i++)
		if (!is_indifferent(in, options[i].bit))
			matter |= options[i].bit;
	for (uint32_t x = 0; x <= matter; x++) {
		struct nft_way *w;

		if ((x & ~matter) != 0 || (in != NULL && !set_has(in, AF_NONE, x)))
			continue;
		w = nft_add_way(v, out, from);
		for (size_t i = 0; i < ARRAY_SIZE(options); i++)
			if ((matter & options[i].bit) != 0)
				stmt_match(v->p, &w->stmts, options[i].key, false,
					   nft_value_num(NFT_T_BOOL, (x & options[i].bit) != 0));
	}
}

static void finish_one(const struct nft_view *v, struct nft_way *w, struct nft_alts *ret)
{
	struct nft_ways ways = { 0 };

	add_ports(v, w);
	add_local(v, w, F_SRC_LOCAL, NFT_K_FIB_SADDR);
	add_local(v, w, F_DST_LOCAL, NFT_K_FIB_DADDR);
	if (w->t.f[F_TAGS] == NULL)
		nft_add_way(v, &ways, w);
	else if (v->tag_codes != NULL)
		expand_codes(v, w, &ways);
	else
		expand_tags(v, w, &ways);
	for (uint32_t i = 0; i < ways.list.n; i++)
		head_add(v, &w->t, &ways.list.v[i].stmts, ret);
}

static void finish(const struct nft_view *v, struct nft_way *w, struct nft_alts *ret)
{
	struct nft_ways ways = { 0 };

	expand_options(v, w, &ways);
	for (uint32_t i = 0; i < ways.list.n; i++)
		finish_one(v, &ways.list.v[i], ret);
}

static void expand_families(const struct nft_view *v, const struct nft_way *from,
			    struct nft_ways *out)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };
	const bool any_family = from->t.f[F_SRC] == NULL && from->t.f[F_DST] == NULL &&
				from->t.f[F_SRC_GROWN] == NULL &&
				from->t.f[F_DST_GROWN] == NULL && from->t.f[F_TOS] == NULL &&
				!head_of_ip(&from->t) &&
				has_family(from, AF_V4) && has_family(from, AF_V6);

	for (uint32_t i = 0; i < ARRAY_SIZE(afs); i++) {
		const bool v4 = afs[i] == AF_V4;
		struct nft_way *w;

		if (!has_family(from, afs[i]))
			continue;
		w = nft_add_way(v, out, from);
		if (head_of_ip(&from->t))
			w->t.f[F_AF] = set_one(v->p->tmp, afs[i]);
		if (!any_family)
			stmt_match(v->p, &w->stmts, NFT_K_NFPROTO, false,
				   nft_value_num(NFT_T_NFPROTO,
						 v4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
		add_addr(v, &w->stmts, w->t.f[F_SRC], afs[i],
			 v4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR);
		add_addr(v, &w->stmts, w->t.f[F_DST], afs[i],
			 v4 ? NFT_K_IP_DADDR : NFT_K_IP6_DADDR);
		add_grown(v, w, F_SRC_GROWN, afs[i]);
		add_grown(v, w, F_DST_GROWN, afs[i]);
		add_tos(v, w, afs[i]);
		if (any_family)
			return;
	}
}

static bool is_never(const struct nft_view *v, const struct nft_tests *t)
{
	for (int f = 0; f < N_FIELDS; f++)
		if (t->f[f] != NULL && t->f[f]->name == NULL && f != F_TCPFLAGS &&
		    set_is_empty(t->f[f]))
			return true;
	return t->f[F_DIR] != NULL && !set_has(t->f[F_DIR], AF_NONE, v->dir);
}

bool nft_match(const struct nft_view *v, const struct nft_tests *t, struct span at,
	       struct nft_alts *ret)
{
	struct nft_tests only_recv = { 0 };
	struct nft_way all = { .t = *t };
	struct nft_ways ifaces = { 0 }, families = { 0 }, protos = { 0 };

	if (is_never(v, t))
		return true;
	/* What comes in was received by the interface that it crosses */
	if (t->f[F_RECV] != NULL && v->dir == DIR_IN) {
		only_recv.f[F_IFACE] = t->f[F_RECV];
		all.t = nft_tests_and(v->p->tmp, t, &only_recv);
		all.t.f[F_RECV] = NULL;
	}
	if (t->f[F_TAGS] != NULL && v->tag_mask == 0) {
		diag_add(v->d, DIAG_E1701, at,
			 "a test of tags cannot be expressed in nftables here");
		return false;
	}
	if (!nft_expand_ifaces(v, &all, at, &ifaces))
		return false;
	for (uint32_t i = 0; i < ifaces.list.n; i++)
		expand_families(v, &ifaces.list.v[i], &families);
	for (uint32_t i = 0; i < families.list.n; i++)
		expand_protos(v, &families.list.v[i], &protos);
	for (uint32_t i = 0; i < protos.list.n; i++) {
		if (!nft_add_received(v, &protos.list.v[i], at) ||
		    !add_routes(v, &protos.list.v[i], at))
			return false;
		finish(v, &protos.list.v[i], ret);
	}
	return true;
}

bool nft_match_ifaces(const struct nft_view *v, const struct set *ifaces, struct span at,
		      struct nft_alts *ret)
{
	struct nft_tests t = { 0 };

	t.f[F_IFACE] = ifaces;
	return nft_match(v, &t, at, ret);
}
