/* SPDX-License-Identifier: BSD-2-Clause */
#include "target/nft/directed.h"

struct nft_program *nft_program_from_model(const struct model *m, const struct nft_options *o,
					   struct diags *d)
{
	struct nft_program *p = arena_new(d->a, struct nft_program);
	struct frame f = { .p = p, .m = m, .d = d };

	nft_program_init(p, d->a, d->sources, o);
	if (m->discipline != STATES_DIRECTED) {
		diag_add(d, DIAG_E1701, SPAN_NONE,
			 "states that match in both directions cannot be expressed in nftables");
		return NULL;
	}
	return directed_lower(&f) ? p : NULL;
}
