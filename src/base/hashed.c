/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The table grows with what is in it: a large one that is hardly used costs a page
 * of memory for nearly every entry, and twice where a look comes before the write,
 * which was a tenth of what 1,000 forwards took to build (bench_apply).
 */
#include "base/hashed.h"

#define HEADS_MIN	64u

static const struct hashed_entry *of_hash(const struct hashed *h, uint32_t at, uint32_t hash)
{
	while (at != 0 && h->list.v[at - 1].hash != hash)
		at = h->list.v[at - 1].next;
	return at != 0 ? &h->list.v[at - 1] : NULL;
}

const struct hashed_entry *hashed_first(const struct hashed *h, uint32_t hash)
{
	return h->n_heads > 0 ? of_hash(h, h->head[hash & (h->n_heads - 1)], hash) : NULL;
}

const struct hashed_entry *hashed_next(const struct hashed *h, const struct hashed_entry *e)
{
	return of_hash(h, e->next, e->hash);
}

static void link_entry(struct hashed *h, uint32_t i)
{
	uint32_t *head = &h->head[h->list.v[i].hash & (h->n_heads - 1)];

	h->list.v[i].next = *head;
	*head = i + 1;
}

static void grow(struct arena *a, struct hashed *h)
{
	h->n_heads = MAX(HEADS_MIN, 2 * h->n_heads);
	h->head = arena_array(a, uint32_t, h->n_heads);
	for (uint32_t i = 0; i < h->list.n; i++)
		link_entry(h, i);
}

void hashed_add(struct arena *a, struct hashed *h, uint32_t hash, uint32_t number)
{
	if (h->list.n == h->n_heads)
		grow(a, h);
	vec_add(a, &h->list, ((struct hashed_entry){ .hash = hash, .number = number }));
	link_entry(h, h->list.n - 1);
}
