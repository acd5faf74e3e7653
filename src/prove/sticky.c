/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/sticky.h"

#include <linux/netfilter/nf_tables.h>
#include <string.h>

#define FIRST_NUMBER	0x8000u		/* above those of free states */
#define MOST_GIVEN	1024u		/* pairs of a translation and an address */

/* The number of a pair, the same on either side; MOST_GIVEN: there are so many */
static uint32_t number_of(struct proof *p, uint32_t xlate, struct addr to)
{
	for (uint32_t i = 0; i < p->given.n; i++)
		if (p->given.v[i].xlate == xlate && addr_equal(p->given.v[i].to, to))
			return i;
	if (p->given.n < MOST_GIVEN)
		vec_add(p->a, &p->given, ((struct proof_given){ xlate, to }));
	return p->given.n - 1;
}

bool sticky_has(struct proof *p, uint32_t xlate, struct addr to, dd *ret)
{
	const uint32_t n = number_of(p, xlate, to);
	const uint32_t var = space_opaque(&p->s, arena_printf(p->a, "given %u", n), 1);

	*ret = var == DD_NO_VAR ? DD_FALSE : dd_var(p->d, var);
	return var != DD_NO_VAR && n + 1 < MOST_GIVEN;
}

dd sticky_note(struct proof *p, dd f, uint32_t xlate, struct addr to)
{
	return proof_note(p, f, PROOF_RECORDS, true,
			  (uint16_t)(FIRST_NUMBER + number_of(p, xlate, to)));
}

/* ---- sets of the program ------------------------------------------------------------- */

static bool gives(const struct model *m, uint32_t xlate, struct addr to)
{
	const struct xlate *x = &m->xlates.v[xlate];

	for (uint32_t i = 0; x->is_sticky && i < x->to.n; i++)
		if (addr_equal(x->to.v[i], to))
			return true;
	return false;
}

/* Has a rule with this text that translation; NULL: any rule */
static bool is_of_text(const struct model *m, uint32_t xlate, const char *text)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct rule *r = &m->lists.v[l].rules.v[i];
			const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
			const char *own = r->origin.text != NULL ? r->origin.text : "";

			if (e != NULL && e->xlate == xlate &&
			    (text == NULL || strncmp(own, text, strlen(text)) == 0))
				return true;
		}
	return false;
}

/* "ADDRESS RULE" */
static bool read_comment(const struct prog_set *s, struct addr *ret_to, const char **ret_text)
{
	const size_t n = s->comment == NULL ? 0 : strcspn(s->comment, " ");

	if (n == 0 || s->comment[n] != ' ' || strncmp(s->name, "sticky_", 7) != 0 ||
	    addr_parse(s->comment, n, ret_to) < 0)
		return false;
	*ret_text = s->comment + n + 1;
	return true;
}

/* How many sets like this one stand before it: of its rule, or of any */
static uint32_t rank_of(const struct proof *p, const struct prog_set *s, const char *text)
{
	const char *own;
	struct addr to, its;
	uint32_t n = 0;

	if (!read_comment(s, &to, &own))
		return 0;
	for (uint32_t i = 0; i < p->p->sets.n && &p->p->sets.v[i] != s; i++)
		n += read_comment(&p->p->sets.v[i], &its, &own) && addr_equal(to, its) &&
		     (text == NULL || strcmp(own, text) == 0);
	return n;
}

static bool find(const struct proof *p, const struct prog_set *s, const char *text,
		 struct addr to, uint32_t *ret)
{
	uint32_t rank = rank_of(p, s, text);

	for (uint32_t x = 0; x < p->m->xlates.n; x++)
		if (gives(p->m, x, to) && is_of_text(p->m, x, text) && rank-- == 0) {
			*ret = x;
			return true;
		}
	return false;
}

bool sticky_of_set(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, uint32_t *ret_xlate, struct addr *ret_to)
{
	const char *text;

	if ((s->flags & NFT_SET_EVAL) == 0 || s->key_len != addr_bits(p->s.af) / 8 ||
	    !read_comment(s, ret_to, &text) || !regs_is_part(p, regs, word, P_SRC))
		return false;
	/* Of another declaration the text is another: then the place counts */
	return find(p, s, text, *ret_to, ret_xlate) || find(p, s, NULL, *ret_to, ret_xlate);
}
