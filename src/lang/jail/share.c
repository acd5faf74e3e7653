/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/share.h"

#include <string.h>

/* Bytes [@lo, @hi) of a value, without the blanks around them */
static struct text_word trim(const struct text *t, uint32_t lo, uint32_t hi)
{
	while (lo < hi && strchr(" \t\n", t->buf.v[lo]) != NULL)
		lo++;
	while (lo < hi && strchr(" \t\n", t->buf.v[hi - 1]) != NULL)
		hi--;
	return (struct text_word){ .lo = lo, .hi = hi };
}

static void share_word(struct lang_ctx *c, const struct text *t, struct text_word w,
		       struct decl_jail *j)
{
	const bool all = text_word_is(t, w, "all") || text_word_is(t, w, "YES");
	struct addr a = { AF_NONE, 0 };

	if (!all && addr_parse(t->buf.v + w.lo, w.hi - w.lo, &a) != 0) {
		text_error(c, DIAG_E1903, t, w.lo, w.hi, "'%.*s' is not an address, and not 'all'",
			   (int)(w.hi - w.lo), t->buf.v + w.lo);
		return;
	}
	for (uint32_t i = 0; i < j->addrs.n; i++)
		j->addrs.v[i].is_shared |= all || addr_equal(j->addrs.v[i].p.a, a);
}

void jail_share_parse(struct lang_ctx *c, const struct text *t, struct decl_jail *j)
{
	uint32_t lo = 0;

	while (lo <= t->buf.n) {
		const char *comma = memchr(t->buf.v + lo, ',', t->buf.n - lo);
		const uint32_t hi = comma == NULL ? t->buf.n : (uint32_t)(comma - t->buf.v);

		share_word(c, t, trim(t, lo, hi), j);
		lo = hi + 1;
	}
}
