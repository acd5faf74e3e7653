/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/nft.h"

#include "target/nft/kernel.h"

/* Elements on their way to who is told of changes; one forward may be several */
struct tell {
	const struct nft_change *x;
	struct arena *a;
	nft_change_fn *fn;
	void *arg;
	uint32_t origin;	/* of the last */
};

static void tell_elem(const struct nft_elem_bytes *e, uint32_t origin, void *arg)
{
	struct tell *t = arg;
	const struct nft_set *s = t->x->table;
	const struct nft_line line = {
		.kind = NFT_O_ELEM, .family = nft_family_number(s->family), .name = s->name,
		.key = s->name, .comment = e->comment,
	};

	if (origin == t->origin)
		return;
	t->origin = origin;
	arena_clear(t->a);
	t->fn(&(struct nft_change){
		.op = t->x->op, .object = nft_line_shown(t->a, &line),
		.at = s->forwards->origins.v[origin - s->forwards_origin].at }, t->arg);
}

void nft_change_each(const struct nft_change *x, struct arena *a, nft_change_fn *fn, void *arg)
{
	struct tell t = { x, a, fn, arg, NFT_NO_ORIGIN };

	if (x->table != NULL)
		nft_each_elem(x->table, tell_elem, &t);
	else
		fn(x, arg);
}

uint32_t nft_change_count(const struct nft_change *x)
{
	return x->table != NULL ? nft_forwards_count(x->table) : 1;
}
