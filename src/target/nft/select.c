/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Lowering makes many small sets and lists that live as long as one rule.  In
 * the arena of the compile they would be most of what is there (27 of 29 KiB a
 * rule), so they have one of their own, emptied between rules.  When an arena
 * is full control comes back here, where that one is freed.
 */
#include <stdlib.h>

#include "target/nft/directed.h"
#include "target/nft/free.h"

static bool lower(const struct model *m, struct nft_program *p, struct diags *d)
{
	struct frame directed = { .p = p, .m = m, .d = d };
	struct free_frame free_states = { .p = p, .m = m, .d = d };

	return m->discipline == STATES_FREE ? free_lower(&free_states)
					    : directed_lower(&directed);
}

static int by_address(const void *x, const void *y)
{
	const uintptr_t a = (uintptr_t)*(const struct nft_set *const *)x;
	const uintptr_t b = (uintptr_t)*(const struct nft_set *const *)y;

	return a < b ? -1 : a > b;
}

const struct nft_set *nft_set_in(const struct nft_stmt *s)
{
	switch (s->kind) {
	case NFT_S_LOOKUP:
	case NFT_S_VMAP:
	case NFT_S_NAT_MAP:
	case NFT_S_UPDATE:
		return s->lookup.set;
	case NFT_S_NAT:
		return s->nat.by;
	default:
		return NULL;
	}
}

/*
 * Merged rules leave their own sets behind.  Ten thousand of these took the kernel
 * seven seconds to make: it looks through the names of all that are there.
 */
static void drop_unused_sets(struct nft_program *p)
{
	VEC(const struct nft_set *) used = { 0 };
	uint32_t n = 0;

	for (uint32_t c = 0; c < p->chains.n; c++)
		for (uint32_t i = 0; i < p->chains.v[c]->rules.n; i++) {
			const struct nft_stmts *s = &p->chains.v[c]->rules.v[i].stmts;

			for (uint32_t k = 0; k < s->list.n; k++)
				if (nft_set_in(&s->list.v[k]) != NULL)
					vec_add(p->tmp, &used, nft_set_in(&s->list.v[k]));
		}
	if (used.n > 0)
		qsort(used.v, used.n, sizeof(*used.v), by_address);
	for (uint32_t i = 0; i < p->sets.n; i++) {
		struct nft_set *s = p->sets.v[i];
		bool stays = s->table != NULL || s->is_dynamic;

		if (used.n > 0 && !stays)
			stays = bsearch(&s, used.v, used.n, sizeof(*used.v), by_address) != NULL;
		if (stays)
			p->sets.v[n++] = s;
	}
	p->sets.n = n;
}

struct nft_marks nft_program_marks(const struct nft_program *p)
{
	struct nft_marks marks = p->marks;

	marks.logs = (struct nft_logs){ p->of, p->sources, p->options.log_group };
	return marks;
}

static struct nft_program *too_large(struct diags *d)
{
	const size_t cap = d->a->cap_bytes;

	d->a->cap_bytes = SIZE_MAX;	/* for what is told and printed now */
	diag_add(d, DIAG_E1004, SPAN_NONE, "the declarations need more than %zu MiB of memory",
		 cap >> 20);
	return NULL;
}

struct nft_program *nft_program_from_model(const struct model *m, const struct nft_options *o,
					   struct diags *d)
{
	struct nft_program *p = arena_new(d->a, struct nft_program);
	jmp_buf *const outer = d->a->full;
	struct arena tmp;
	jmp_buf full;
	bool ok;

	nft_program_init(p, d->a, d->sources, o);
	arena_init(&tmp, d->a->cap_bytes);
	if (setjmp(full) != 0) {
		arena_fini(&tmp);
		d->a->full = outer;
		return too_large(d);
	}
	tmp.full = d->a->full = &full;
	p->tmp = &tmp;
	p->of = m;
	ok = lower(m, p, d);
	if (ok)
		drop_unused_sets(p);
	d->a->full = outer;
	p->tmp = p->a;
	arena_fini(&tmp);
	return ok ? p : NULL;
}
