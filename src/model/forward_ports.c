/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Blocks are a function of the declarations alone (RFC 7422): each public address
 * gives its ports from 1024 on, to jails in their order, up or not.  A new jail at
 * the end of a file moves nobody.
 */
#include "model/forward_work.h"

#define FIRST_PORT	1024u
#define LAST_PORT	65535u

static struct port_blocks *blocks_of(struct lower *l, struct addr as)
{
	struct port_blocks *b;

	for (uint32_t i = 0; i < l->blocks.n; i++)
		if (addr_equal(l->blocks.v[i].as, as))
			return &l->blocks.v[i];
	b = vec_push(l->m->a, &l->blocks);
	b->as = as;
	b->next = FIRST_PORT;
	return b;
}

bool ports_take(struct lower *l, const struct decl_jail *j, struct addr as, struct xlate *ret)
{
	struct port_blocks *b;
	char text[ADDR_TEXT_BYTES];

	if (j->blocks.size == 0)
		return true;
	b = blocks_of(l, as);
	if (b->last != j) {
		b->last = j;
		b->lo = b->next;
		b->n++;
		b->next += j->blocks.size;
	}
	if (!j->is_enabled || j->is_down)
		return true;
	if (b->next > LAST_PORT + 1 || (j->blocks.n != 0 && b->n > j->blocks.n)) {
		diag_add(l->diags, DIAG_E1610, j->blocks.at,
			 "%s has no block of %u ports left for jail '%s'", addr_print(as, text),
			 j->blocks.size, j->name);
		diag_help(l->diags, "smaller blocks, or another address: "
			  "$nat = \"INTERFACE|ADDRESS\"");
		return false;
	}
	ret->port = XP_RANDOM;
	ret->lo = (uint16_t)b->lo;
	ret->hi = (uint16_t)(b->next - 1);
	return true;
}
