/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Pools draw by rules: the first member takes every n-th flow, the next every
 * (n-1)-th of the rest, and the last what is left.  A hash of the source is
 * compared with each member's number.
 *
 * What makes a pool sticky is a set of sources for each of its addresses, which
 * is asked before anything is drawn.  pf forgets a source with its last state;
 * here it is forgotten a day, the longest that pf keeps an idle state, after its
 * last new flow.
 */
#include "target/nft/directed.h"

#include <linux/netfilter.h>
#include <string.h>

#define STICKY_MS	UINT64_C(86400000)
#define STICKY_SOURCES	65536u

void directed_pool(struct frame *f, const struct xlate *x, const struct addr *to, uint32_t n_to,
		   uint32_t i, struct nft_stmts *ret)
{
	const bool v4 = to[i].af == AF_V4;

	if (i + 1 == n_to)
		return;
	if (x->pool != POOL_SOURCE_HASH) {
		stmt_add(f->p, ret, &(struct nft_stmt){ .kind = NFT_S_DRAW, .draw = {
			.is_random = x->pool == POOL_RANDOM, .mod = n_to - i } });
		return;
	}
	stmt_match(f->p, ret, NFT_K_NFPROTO, false,
		   nft_value_num(NFT_T_NFPROTO, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6));
	stmt_add(f->p, ret, &(struct nft_stmt){ .kind = NFT_S_HASH, .hash = {
		.key = v4 ? NFT_K_IP_SADDR : NFT_K_IP6_SADDR,
		.seed = x->seed, .mod = n_to, .is = i } });
}

struct nft_set *directed_sticky(struct frame *f, const struct rule *r, const struct xlate *x,
				struct addr to)
{
	char buf[ADDR_TEXT_BYTES];
	const enum nft_type type = to.af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	struct nft_set *set;

	for (uint32_t i = 0; i < f->stickies.n; i++)
		if (f->stickies.v[i].xlate == x && addr_equal(f->stickies.v[i].to, to))
			return f->stickies.v[i].set;
	set = nft_add_map(f->p, NFT_INET, "sticky", &type, 1);
	/* A reload that makes it again makes it by the same name, and it stays */
	nft_set_remembers(f->p, set, "sticky",
			  arena_printf(f->p->a, "%s %s", addr_print(to, buf),
				       r->origin.text != NULL ? r->origin.text : ""));
	set->is_dynamic = true;
	set->timeout_ms = STICKY_MS;
	set->size = STICKY_SOURCES;
	nft_set_seal(set);
	vec_add(f->p->a, &f->stickies, ((struct sticky){ x, to, set }));
	return set;
}

static void put_port(uint8_t *to, uint32_t port)
{
	const struct nft_value v = nft_value_num(NFT_T_PORT, port);

	memcpy(to, v.b, v.len);
}

static struct nft_set *shift_map(struct nft_program *p, const struct xlate *x, struct addr to,
				 const struct set *protos, const struct set *ports)
{
	static const enum nft_type keys[] = { NFT_T_PROTO, NFT_T_PORT };
	const enum nft_type addr = to.af == AF_V4 ? NFT_T_IP4 : NFT_T_IP6;
	struct nft_set *map = nft_add_map(p, NFT_INET, "ports", keys, ARRAY_SIZE(keys));
	const struct nft_value v = nft_value_num(addr, to.v);

	map->datas[0] = addr;
	map->datas[1] = NFT_T_PORT;
	map->n_datas = 2;
	for (uint32_t proto = 0; proto <= UINT8_MAX; proto++)
		for (uint32_t port = 0; port <= UINT16_MAX; port++) {
			struct nft_elem *e;

			if (!set_has(protos, AF_NONE, proto))
				break;
			if (ports != NULL && !set_has(ports, AF_NONE, port))
				continue;
			e = vec_push(p->a, &map->elems);
			e->origin = NFT_NO_ORIGIN;
			e->key[0] = (uint8_t)proto;
			put_port(e->key + 4, port);
			memcpy(e->data, v.b, v.len);
			put_port(e->data + v.len, xlate_shift(x, (uint16_t)port));
		}
	nft_set_seal(map);
	return map;
}

static bool same_set(const struct set *x, const struct set *y)
{
	return x == NULL || y == NULL ? x == y : set_equal(x, y);
}

struct nft_set *directed_shift(struct frame *f, const struct xlate *x, struct addr to,
			       const struct set *protos, const struct set *ports)
{
	struct shift s = { .xlate = x, .to = to };

	for (uint32_t i = 0; i < f->shifts.n; i++) {
		const struct shift *have = &f->shifts.v[i];

		if (have->xlate == x && addr_equal(have->to, to) &&
		    same_set(have->protos, protos) && same_set(have->ports, ports))
			return have->map;
	}
	/* What is asked with is forgotten after the rule */
	s.protos = set_union(f->p->a, protos, protos);
	s.ports = ports == NULL ? NULL : set_union(f->p->a, ports, ports);
	s.map = shift_map(f->p, x, to, protos, ports);
	vec_add(f->p->a, &f->shifts, s);
	return s.map;
}
