/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/pool.h"

#include <string.h>

#include "lang/ifaddr.h"
#include "lang/pool.h"

#define HOLD_MAX_SECONDS	(366u * 86400u)

static bool bad(struct lang_ctx *c, const struct text *t, struct text_word w, const char *what)
{
	text_error(c, DIAG_E1906, t, w.lo, w.hi, "'%.*s' is not %s", (int)(w.hi - w.lo),
		   t->buf.v + w.lo, what);
	diag_help(c->diags, "as in \"lo1|10.0.0.0/24\"");
	return false;
}

/* "INTERFACE|NETWORK" */
static bool read_net(struct lang_ctx *c, const struct text *t, struct text_word w,
		     struct decl_pool *ret)
{
	const char *bar = memchr(t->buf.v + w.lo, '|', w.hi - w.lo);
	const uint32_t at = bar == NULL ? w.hi : (uint32_t)(bar - t->buf.v);

	if (bar == NULL || !ifname_is_good(t->buf.v + w.lo, at - w.lo) ||
	    prefix_parse(t->buf.v + at + 1, w.hi - at - 1, &ret->net) != 0)
		return bad(c, t, w, "an interface and a network");
	if ((ret->net.a.v & ~prefix_mask(ret->net.a.af, ret->net.len)) != 0)
		return bad(c, t, (struct text_word){ at + 1, w.hi },
			   "the first address of a network");
	ret->iface = intern_str(c->names, t->buf.v + w.lo, at - w.lo);
	return true;
}

static bool read_hold(struct lang_ctx *c, const struct text *t, uint32_t *pos,
		      struct decl_pool *ret)
{
	struct text_word w;

	if (!text_next_word(t, pos, t->buf.n, &w))
		return bad(c, t, (struct text_word){ 0, t->buf.n }, "a pool with a time to rest");
	for (uint32_t i = w.lo; i < w.hi; i++) {
		const char digit = t->buf.v[i];

		if (digit < '0' || digit > '9')
			return bad(c, t, w, "a number of seconds");
		ret->hold_seconds = ret->hold_seconds * 10 + (uint32_t)(digit - '0');
		if (ret->hold_seconds > HOLD_MAX_SECONDS)
			return bad(c, t, w, "a number of seconds of at most a year");
	}
	return true;
}

bool jail_pool_parse(struct lang_ctx *c, const struct text *t, struct decl_pool *ret)
{
	struct decl_pool p = { .at = t->at };
	struct text_word w;
	uint32_t pos = 0;

	if (!text_next_word(t, &pos, t->buf.n, &w)) {
		text_error(c, DIAG_E1906, t, 0, t->buf.n, "an empty pool");
		return false;
	}
	if (!read_net(c, t, w, &p))
		return false;
	if (text_next_word(t, &pos, t->buf.n, &w)) {
		if (!text_word_is(t, w, "hold"))
			return bad(c, t, w, "'hold'");
		if (!read_hold(c, t, &pos, &p))
			return false;
		if (text_next_word(t, &pos, t->buf.n, &w))
			return bad(c, t, w, "part of a pool");
	}
	*ret = p;
	return true;
}

bool pool_read(struct lang_ctx *c, uint32_t src, struct decl_pool *ret)
{
	const struct source *s = source_at(c->sources, src);
	const struct span at = { src, 0, s->len };
	struct text t = { .at = at };

	if (!lang_check_text(c, src))
		return false;
	text_add(c->a, &t, s->text, s->len, at, true);
	text_finish(c->a, &t);
	return jail_pool_parse(c, &t, ret);
}
