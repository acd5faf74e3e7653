/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Lowering makes many small sets and lists that live as long as one rule.  In
 * the arena of the compile they would be most of what is there (27 of 29 KiB a
 * rule), so they have one of their own, emptied between rules.  When an arena
 * is full control comes back here, where that one is freed.
 */
#include "target/nft/directed.h"
#include "target/nft/free.h"

static bool lower(const struct model *m, struct nft_program *p, struct diags *d)
{
	struct frame directed = { .p = p, .m = m, .d = d };
	struct free_frame free_states = { .p = p, .m = m, .d = d };

	return m->discipline == STATES_FREE ? free_lower(&free_states)
					    : directed_lower(&directed);
}

struct nft_marks nft_program_marks(const struct nft_program *p)
{
	return p->marks;
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
	ok = lower(m, p, d);
	d->a->full = outer;
	p->tmp = p->a;
	arena_fini(&tmp);
	return ok ? p : NULL;
}
