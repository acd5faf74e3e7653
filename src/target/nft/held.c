/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A line of either side says in 300 bytes what a row of a table of forwards and 24
 * bytes here do: 100,000 forwards that are as wanted were 70 MiB to compare.  The
 * table is sorted, so an element's row is found by its key; what it should be is made
 * of the row then, and nothing is kept but that they were equal.
 */
#include "target/nft/held.h"

#include <string.h>

#include "model/portmap.h"

struct nft_held *nft_held_new(struct arena *a, const struct nft_set *s)
{
	struct nft_held *h = arena_new(a, struct nft_held);

	BUG_IF(s->elems.n > 0 || s->is_interval || s->is_vmap);
	h->s = s;
	h->made.s = s;
	return h;
}

void nft_held_start(struct arena *a, struct nft_held *h)
{
	const struct nft_set *s = h->s;
	const struct portmap *map = s->forwards;

	if (h->first != NULL) {
		memset(h->v, 0, h->n * sizeof(*h->v));
		return;
	}
	h->first = arena_array(a, uint32_t, map->rows.n + 1);
	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		h->first[i] = h->n;
		h->n += nft_row_is_in(s, r) ? r->hi - r->lo + 1u : 0;
	}
	h->v = arena_array(a, struct nft_held_elem, h->n);
}

/* The row and the port that a key says, or NULL; other bytes may say the same */
static const struct portmap_row *row_of(const struct nft_held *h, const struct nft_elem_bytes *e,
					uint16_t *ret_port)
{
	const struct nft_set *s = h->s;
	const size_t addr_len = addr_bits(s->forwards_af) / 8;
	const uint8_t *key = e->key, *port = key + 4 + addr_len;
	const struct portmap_row *r;

	if (e->key_len != s->key_len || e->key_end != NULL || e->is_end || e->chain != NULL)
		return NULL;
	*ret_port = (uint16_t)(port[0] << 8 | port[1]);
	r = portmap_find(s->forwards, key[0], addr_from_bytes(s->forwards_af, key + 4), *ret_port);
	return r != NULL && nft_row_is_in(s, r) ? r : NULL;
}

static bool is_same(const struct nft_set *s, const struct nft_elem *want,
		    const struct nft_elem_bytes *e)
{
	const char *x = want->comment != NULL ? want->comment : "";
	const char *y = e->comment != NULL ? e->comment : "";

	return memcmp(want->key, e->key, s->key_len) == 0 && e->data != NULL &&
	       e->data_len == s->data_len && memcmp(want->data, e->data, s->data_len) == 0 &&
	       strcmp(x, y) == 0;
}

/* What is known of the element of a row's port */
static struct nft_held_elem *known(const struct nft_held *h, const struct portmap_row *r,
				   uint32_t port)
{
	return &h->v[h->first[r - h->s->forwards->rows.v] + (port - r->lo)];
}

bool nft_held_take(struct nft_held *h, const struct nft_elem_bytes *e,
		   const struct nft_counted *n)
{
	uint16_t port;
	const struct portmap_row *r = row_of(h, e, &port);

	if (r == NULL || !is_same(h->s, nft_row_elem(&h->made, r, port), e))
		return false;
	*known(h, r, port) = (struct nft_held_elem){ .n = *n, .is_met = true };
	return true;
}

static void tell(struct nft_held *h, const struct portmap_row *r, uint16_t port,
		 const struct nft_held_elem *what, nft_held_fn *fn, void *arg)
{
	const struct nft_set *s = h->s;
	const struct nft_elem *e = nft_row_elem(&h->made, r, port);

	fn(&(struct nft_elem_bytes){
		.set = s->name, .key = e->key, .key_len = s->key_len, .data = e->data,
		.data_len = s->data_len, .comment = e->comment,
	}, e->origin, what, arg);
}

void nft_held_each(struct nft_held *h, nft_held_fn *fn, void *arg)
{
	static const struct nft_held_elem not_met;
	const struct portmap *map = h->s->forwards;

	for (uint32_t i = 0; i < map->rows.n; i++) {
		const struct portmap_row *r = &map->rows.v[i];

		for (uint32_t port = r->lo; port <= r->hi && nft_row_is_in(h->s, r); port++) {
			const struct nft_held_elem *what =
				h->first != NULL ? known(h, r, port) : &not_met;

			if (!what->is_met || what->n.packets > 0)
				tell(h, r, (uint16_t)port, what, fn, arg);
		}
	}
}
