/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A range is compared and looked up in no set: nft 1.0.6 has no word for a set of
 * plain numbers that it would read back.  So a list is as many rules; rules have few of
 * them, and short ones.
 */
#include "target/nft/match_head.h"

#define IP6_HEADER	40u	/* bytes that the length of IPv6 leaves out */

/* Which number where: keys of both families, or one of any */
static const struct {
	bool has[2];			/* in IPv4, in IPv6 */
	bool is_tcp;
	enum nft_key keys[2];
	uint32_t max;
} heads[N_HEADS] = {
	[HEAD_TTL] = { { true, true }, false, { NFT_K_IP_TTL, NFT_K_IP6_HOPLIMIT }, UINT8_MAX },
	[HEAD_LEN] = { { true, true }, false, { NFT_K_IP_LENGTH, NFT_K_IP6_LENGTH }, UINT16_MAX },
	[HEAD_ID] = { { true, false }, false, { NFT_K_IP_ID, NFT_K_IP_ID }, UINT16_MAX },
	[HEAD_FLOWID] = { { false, true }, false, { NFT_K_IP6_FLOW, NFT_K_IP6_FLOW },
			  FLOW_LABEL_MAX },
	[HEAD_WIN] = { { true, true }, true, { NFT_K_TCP_WINDOW, NFT_K_TCP_WINDOW }, UINT16_MAX },
	[HEAD_SEQ] = { { true, true }, true, { NFT_K_TCP_SEQ, NFT_K_TCP_SEQ }, UINT32_MAX },
	[HEAD_ACK] = { { true, true }, true, { NFT_K_TCP_ACK, NFT_K_TCP_ACK }, UINT32_MAX },
	[HEAD_UID] = { { true, true }, false, { NFT_K_SKUID, NFT_K_SKUID }, UINT32_MAX },
	[HEAD_GID] = { { true, true }, false, { NFT_K_SKGID, NFT_K_SKGID }, UINT32_MAX },
};

static const struct set *asked(const struct nft_tests *t, enum head h)
{
	return t->f[F_TTL + h];
}

bool head_of_ip(const struct nft_tests *t)
{
	return asked(t, HEAD_TTL) != NULL || asked(t, HEAD_LEN) != NULL ||
	       asked(t, HEAD_ID) != NULL || asked(t, HEAD_FLOWID) != NULL;
}

bool head_has_family(const struct nft_tests *t, uint8_t af)
{
	for (unsigned int h = 0; h < N_HEADS; h++)
		if (asked(t, (enum head)h) != NULL && !heads[h].has[af == AF_V6])
			return false;
	return true;
}

const struct set *head_protos(struct arena *a, const struct nft_tests *t,
			      const struct set *protos)
{
	struct ranges rs = { 0 };

	ranges_add(a, &rs, AF_NONE, PROTO_TCP, PROTO_TCP);
	for (unsigned int h = 0; h < N_HEADS; h++)
		if (heads[h].is_tcp && asked(t, (enum head)h) != NULL)
			return set_intersect(a, protos, set_make(a, &rs));
	if (asked(t, HEAD_UID) == NULL && asked(t, HEAD_GID) == NULL)
		return protos;
	ranges_add(a, &rs, AF_NONE, PROTO_UDP, PROTO_UDP);
	ranges_add(a, &rs, AF_NONE, PROTO_UDPLITE, PROTO_UDPLITE);
	return set_intersect(a, protos, set_make(a, &rs));
}

static void add_range(struct nft_program *p, struct nft_stmts *s, enum nft_key key, uint32_t lo,
		      uint32_t hi, uint32_t max)
{
	if (lo == hi)
		stmt_match(p, s, key, false, nft_value_num(nft_keys[key].type, lo));
	else if (lo > 0 || hi < max)
		stmt_range(p, s, key, &(struct range){ AF_NONE, lo, hi });
}

/* Owners are numbers of the host's order, which compare by bits only: blocks of a range */
static void add_owners(const struct nft_view *v, const struct nft_stmts *from, enum nft_key key,
		       uint32_t lo, uint32_t hi, struct nft_alts *out)
{
	for (uint64_t at = lo; at <= hi;) {
		uint64_t size = at == 0 ? 1ull << 32 : at & -at;
		struct nft_stmts *s = vec_push(v->p->tmp, &out->list);

		while (size > hi - at + 1)
			size /= 2;
		stmts_append(v->p, s, from);
		if (size == 1)
			stmt_match(v->p, s, key, false,
				   nft_value_num(nft_keys[key].type, at));
		else
			stmt_masked(v->p, s, key, (uint32_t)-size, (uint32_t)at, false);
		at += size;
	}
}

/* Each of @in with each range of a number */
static struct nft_alts with_head(const struct nft_view *v, const struct nft_alts *in, enum head h,
				 const struct set *set, bool v6)
{
	const uint32_t less = h == HEAD_LEN && v6 ? IP6_HEADER : 0;
	struct nft_alts out = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < in->list.n; i++) {
		for (uint32_t k = 0; k < set->n; k++) {
			const uint32_t lo = (uint32_t)set->r[k].lo, hi = (uint32_t)set->r[k].hi;
			struct nft_stmts *s;

			if (hi < less)
				continue;
			if (h == HEAD_UID || h == HEAD_GID) {
				add_owners(v, &in->list.v[i], heads[h].keys[v6], lo, hi, &out);
				continue;
			}
			s = vec_push(v->p->tmp, &out.list);
			stmts_append(v->p, s, &in->list.v[i]);
			add_range(v->p, s, heads[h].keys[v6], lo > less ? lo - less : 0, hi - less,
				  heads[h].max - less);
		}
	}
	return out;
}

void head_add(const struct nft_view *v, const struct nft_tests *t, const struct nft_stmts *from,
	      struct nft_alts *ret)
{
	const bool v6 = t->f[F_AF] != NULL && !set_has(t->f[F_AF], AF_NONE, AF_V4);
	struct nft_alts alts = { .list = { .n = 0 } };

	vec_add(v->p->tmp, &alts.list, *from);
	for (unsigned int h = 0; h < N_HEADS; h++)
		if (asked(t, (enum head)h) != NULL)
			alts = with_head(v, &alts, (enum head)h, asked(t, (enum head)h), v6);
	for (uint32_t i = 0; i < alts.list.n; i++)
		vec_add(v->p->tmp, &ret->list, alts.list.v[i]);
}
