/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/nft/directed.h"
#include "target/nft/free.h"

struct nft_program *nft_program_from_model(const struct model *m, const struct nft_options *o,
					   struct diags *d)
{
	struct nft_program *p = arena_new(d->a, struct nft_program);
	struct frame directed = { .p = p, .m = m, .d = d };
	struct free_frame free_states = { .p = p, .m = m, .d = d };

	nft_program_init(p, d->a, d->sources, o);
	if (m->discipline == STATES_FREE)
		return free_lower(&free_states) ? p : NULL;
	return directed_lower(&directed) ? p : NULL;
}
