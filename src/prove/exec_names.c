/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * An interface that a program names has to be one that packets can cross, whoever
 * wrote the name; so names are looked for wherever one may stand.  What only looks
 * like one does no harm.
 */
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "prove/exec.h"

static void add_name(struct proof *p, const uint8_t *b, uint32_t len)
{
	const size_t n = strnlen((const char *)b, len);

	if (len > 16 || n == 0 || memchr(b, '/', len) != NULL)
		return;
	/* A part of a name stands for an interface that begins so */
	space_add_name(&p->s, arena_printf(p->a, "%.*s%s", (int)n, (const char *)b,
					   n == len && len < 15 ? "~" : ""));
}

/* Keys of many values may have a name among them */
static void add_names_in(struct proof *p, const struct prog_set *s)
{
	static const uint8_t zero[16];

	for (uint32_t e = 0; e < s->elems.n; e++)
		for (uint32_t at = 0; at + 16 <= s->key_len; at += 4) {
			const uint8_t *b = s->elems.v[e].key + at;
			uint32_t n = 0;

			while (n < 16 && b[n] > ' ' && b[n] <= '~')
				n++;
			if (n > 0 && n < 16 && memcmp(b + n, zero, 16 - n) == 0)
				add_name(p, b, 16);
		}
}

static void add_names_of(struct proof *p, const struct prog_rule *r)
{
	bool is_name = false;

	for (uint32_t k = 0; k < r->exprs.n; k++) {
		const struct prog_expr *x = &r->exprs.v[k];

		if (x->op == X_CMP && is_name)
			add_name(p, x->data, x->len);
		is_name = x->op == X_META && (x->key == NFT_META_IIFNAME ||
					      x->key == NFT_META_OIFNAME);
	}
}

void exec_names(struct proof *p)
{
	for (uint32_t c = 0; c < p->p->chains.n; c++)
		for (uint32_t i = 0; i < p->p->chains.v[c].rules.n; i++)
			add_names_of(p, &p->p->chains.v[c].rules.v[i]);
	for (uint32_t i = 0; i < p->p->sets.n; i++)
		add_names_in(p, &p->p->sets.v[i]);
}
