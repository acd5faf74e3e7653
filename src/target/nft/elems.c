/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A table of forwards has 24 bytes a row, the elements made of it 80 and a comment
 * of 80 more: so they are made one by one when they are written, printed or
 * compared, and never all at once.
 */
#include "target/nft/program.h"

#include <string.h>

#include "base/fnv.h"
#include "base/limits.h"

uint32_t nft_field_put(uint8_t *to, uint32_t at, enum nft_type type, u128 v)
{
	const struct nft_value value = nft_value_num(type, v);

	memcpy(to + at, value.b, value.len);
	return at + (value.len + 3u) / 4 * 4;
}

static uint32_t put_addr(uint8_t *to, uint32_t at, struct addr a)
{
	return nft_field_put(to, at, a.af == AF_V6 ? NFT_T_IP6 : NFT_T_IP4, a.v);
}

/* The port of a place is put behind it */
static uint32_t put_place(uint8_t *key, uint8_t proto, struct addr outside)
{
	return put_addr(key, nft_field_put(key, 0, NFT_T_PROTO, proto), outside);
}

uint32_t nft_forward_key(uint8_t *key, uint8_t proto, struct addr outside, uint16_t port)
{
	return nft_field_put(key, put_place(key, proto, outside), NFT_T_PORT, port);
}

uint32_t nft_forward_data(uint8_t *data, struct addr inside, uint16_t port)
{
	return nft_field_put(data, put_addr(data, 0, inside), NFT_T_PORT, port);
}

static void put_port(uint8_t *to, uint16_t port)
{
	to[0] = (uint8_t)(port >> 8);
	to[1] = (uint8_t)port;
}

bool nft_row_is_in(const struct nft_set *s, const struct portmap_row *r)
{
	const struct addr *a = &s->forwards->outside[r->outside];

	return a->af == s->forwards_af &&
	       (s->forwards_dst == NULL || set_has_addr(s->forwards_dst, *a));
}

/* Make the element that of row @r, but for its ports */
static void take_row(struct nft_row_elem *x, const struct portmap_row *r)
{
	const struct portmap *map = x->s->forwards;
	const struct portmap_row *last = x->last;

	if (last == NULL || last->proto != r->proto || last->outside != r->outside)
		x->port_at = put_place(x->e.key, r->proto, map->outside[r->outside]);
	if (last == NULL || last->inside != r->inside)
		x->data_at = put_addr(x->e.data, 0, map->inside.v[r->inside]);
	if (last == NULL || last->origin != r->origin) {
		const struct origin *o = &map->origins.v[r->origin];

		x->e.origin = x->s->forwards_origin + r->origin;
		x->e.comment = nft_comment_write(x->s->sources, o, &x->comment) > 0 ?
			       x->comment.s : NULL;
	}
	x->last = r;
}

const struct nft_elem *nft_row_elem(struct nft_row_elem *x, const struct portmap_row *r,
				    uint16_t port)
{
	if (x->last != r)
		take_row(x, r);
	put_port(x->e.key + x->port_at, port);
	put_port(x->e.data + x->data_at, portmap_port(r, port));
	return &x->e;
}

void nft_each(const struct nft_set *s, nft_each_fn *fn, void *arg)
{
	struct nft_row_elem x = { .s = s };

	for (uint32_t i = 0; i < s->elems.n; i++)
		fn(&s->elems.v[i], arg);
	for (uint32_t i = 0; s->forwards != NULL && i < s->forwards->rows.n; i++) {
		const struct portmap_row *r = &s->forwards->rows.v[i];

		if (!nft_row_is_in(s, r))
			continue;
		for (uint32_t port = r->lo; port <= r->hi; port++)
			fn(nft_row_elem(&x, r, (uint16_t)port), arg);
	}
}

uint32_t nft_forwards_count(const struct nft_set *s)
{
	const struct portmap *map = s->forwards;
	uint32_t n = 0, last = NFT_NO_ORIGIN;

	for (uint32_t i = 0; i < map->rows.n; i++) {
		if (!nft_row_is_in(s, &map->rows.v[i]))
			continue;
		n += map->rows.v[i].origin != last;
		last = map->rows.v[i].origin;
	}
	return n;
}

uint32_t nft_set_count(const struct nft_set *s)
{
	uint32_t n = s->elems.n;
	for (uint32_t i = 0; s->forwards != NULL && i < s->forwards->rows.n; i++) {
		const struct portmap_row *r = &s->forwards->rows.v[i];

		if (nft_row_is_in(s, r))
			n += r->hi - r->lo + 1u;
	}
	return n;
}

static uint32_t hash_key(const uint8_t *key, uint32_t len)
{
	const uint32_t h = fnv32(FNV32_START, key, len);

	return h ^ h >> 15;
}

/* Where a key stands or would stand */
static uint32_t *find_slot(const struct nft_keys_seen *seen, const struct nft_set *s,
			   const uint8_t *key)
{
	uint32_t i = hash_key(key, s->key_len) & (seen->n_slots - 1);

	while (seen->slot[i] != 0 &&
	       memcmp(s->elems.v[seen->slot[i] - 1].key, key, s->key_len) != 0)
		i = (i + 1) & (seen->n_slots - 1);
	return &seen->slot[i];
}

static void grow_slots(struct arena *a, struct nft_keys_seen *seen, const struct nft_set *s)
{
	if (s->elems.n * 2 < seen->n_slots)
		return;
	seen->n_slots = seen->n_slots == 0 ? 64 : 4 * seen->n_slots;
	seen->slot = arena_array(a, uint32_t, seen->n_slots);
	for (uint32_t i = 0; i < s->elems.n; i++)
		*find_slot(seen, s, s->elems.v[i].key) = i + 1;
}

void nft_elem_once(struct arena *a, struct nft_keys_seen *seen, struct nft_set *s,
		   const struct nft_elem *e)
{
	uint32_t *slot;

	grow_slots(a, seen, s);
	slot = find_slot(seen, s, e->key);
	if (*slot != 0)
		return;
	vec_add(a, &s->elems, *e);
	*slot = s->elems.n;
}
