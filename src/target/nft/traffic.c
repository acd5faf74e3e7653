/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <stdlib.h>
#include <string.h>

#include "base/search.h"
#include "nl/nft.h"
#include "target/nft/flows.h"
#include "target/nft/kernel.h"

/* A set that is being read */
struct reading {
	struct arena *a;
	struct nft_traffics *ret;
	uint8_t af;
};

static int take_elem(struct nftnl_set_elem *e, void *arg)
{
	struct reading *r = arg;
	const size_t addr_len = addr_bits(r->af) / 8;
	const struct nftnl_expr *counter = nftnl_set_elem_get(e, NFTNL_SET_ELEM_EXPR, NULL);
	struct nft_traffic t = { .packets = 0 };
	uint64_t left_ms = TRAFFIC_MS;
	uint32_t len;
	const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &len);

	if (key == NULL || len != 4 + addr_len + 4)
		return 0;
	t.proto = key[0];
	t.dst = addr_from_bytes(r->af, key + 4);
	t.dport = (uint16_t)(key[4 + addr_len] << 8 | key[5 + addr_len]);
	if (counter != NULL) {
		t.packets = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_PACKETS);
		t.bytes = nftnl_expr_get_u64(counter, NFTNL_EXPR_CTR_BYTES);
	}
	if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
		left_ms = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
	t.idle_ms = TRAFFIC_MS - MIN(left_ms, TRAFFIC_MS);
	vec_add(r->a, &r->ret->list, t);
	return 0;
}

static int traffic_cmp(const void *x, const void *y)
{
	const struct nft_traffic *a = x, *b = y;

	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	if (a->dst.af != b->dst.af)
		return a->dst.af < b->dst.af ? -1 : 1;
	if (a->dst.v != b->dst.v)
		return a->dst.v < b->dst.v ? -1 : 1;
	return a->dport == b->dport ? 0 : a->dport < b->dport ? -1 : 1;
}

int nft_traffic_read(struct nl_session *nl, const struct nft_program *p, struct arena *a,
		     struct nft_traffics *ret, bool *ret_is_counted)
{
	struct nft_traffics all = { .list = { 0 } };
	int err = 0;

	*ret_is_counted = false;
	for (uint32_t i = 0; i < p->sets.n && err == 0; i++) {
		const struct nft_set *s = p->sets.v[i];
		const struct nl_nft_query q = { .kind = NL_NFT_ELEMS, .table = NFT_TABLE,
						.family = nft_family_number(s->family),
						.set = s->name };
		struct reading r = { .a = a, .ret = &all,
				     .af = s->keys[1] == NFT_T_IP4 ? AF_V4 : AF_V6 };

		if (!s->is_dynamic || strncmp(s->name, TRAFFIC_SET, strlen(TRAFFIC_SET)) != 0)
			continue;
		*ret_is_counted = true;
		err = nft_elems_read(nl, &q, &all.list.n, take_elem, &r);
		if (err == -ENOENT)	/* not loaded */
			err = 0;
	}
	if (err < 0)
		return err;
	if (all.list.n > 1)
		qsort(all.list.v, all.list.n, sizeof(*all.list.v), traffic_cmp);
	*ret = all;
	return 0;
}

void nft_traffic_sort(struct nft_traffics *t)
{
	if (t->list.n > 0)
		qsort(t->list.v, t->list.n, sizeof(*t->list.v), traffic_cmp);
}

uint32_t nft_traffic_from(const struct nft_traffics *t, uint8_t proto, struct addr dst,
			  uint16_t dport)
{
	const struct nft_traffic want = { .proto = proto, .dst = dst, .dport = dport };

	return base_lower_bound(t->list.v, t->list.n, sizeof(*t->list.v), &want, traffic_cmp);
}
