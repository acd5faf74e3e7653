/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/decl_site.h"

#include <stdlib.h>
#include <string.h>

/* A name and who answers to it; in the order of the declarations where names are the same */
struct answer_to {
	const struct decl_site *site;
	const struct decl_jail *jail;
	uint32_t order;
};

static int answer_cmp(const void *pa, const void *pb)
{
	const struct answer_to *a = pa, *b = pb;
	const int by_name = strcmp(a->site->name, b->site->name);

	return by_name != 0 ? by_name : (a->order > b->order) - (a->order < b->order);
}

static void tell_two(const struct answer_to *first, const struct answer_to *again,
		     struct diags *diags)
{
	const bool same = first->jail == again->jail;

	diag_add(diags, DIAG_E1457, again->site->at, same ? "jail '%s' has the name '%s' twice" :
		 "jail '%s' answers to '%s', which is another jail's name", again->jail->name,
		 again->site->name);
	diag_note(diags, first->site->at, "the first is here, jail '%s'", first->jail->name);
	if (!same)
		diag_help(diags, "where both are to get a share of it: \"%s balance\" in both",
			  again->site->name);
}

void decl_check_sites(const struct decl *d, struct diags *diags)
{
	VEC(struct answer_to) all = { 0 };

	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];

		for (uint32_t n = 0; n < j->sites.n && j->is_enabled; n++)
			vec_add(d->a, &all, ((struct answer_to){ &j->sites.v[n], j, all.n }));
	}
	if (all.n < 2)
		return;
	qsort(all.v, all.n, sizeof(all.v[0]), answer_cmp);
	for (uint32_t i = 1; i < all.n; i++) {
		const struct answer_to *a = &all.v[i - 1], *b = &all.v[i];

		if (strcmp(a->site->name, b->site->name) == 0 &&
		    (a->jail == b->jail || !a->site->is_balanced || !b->site->is_balanced))
			tell_two(a, b, diags);
	}
}
