/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/quota.h"

#include <stdio.h>
#include <string.h>

#define QUOTA_MAX	1000000u	/* connections, or new ones in the time */
#define PORTS_MAX	64512u		/* of one block: those from 1024 on */
#define TEXT_BYTES	64u

static const struct { const char *name; uint32_t seconds; } units[] = {
	{ "s", 1 }, { "second", 1 }, { "m", 60 }, { "minute", 60 },
	{ "h", 3600 }, { "hour", 3600 }, { "d", 86400 }, { "day", 86400 },
};

/* Bytes [@lo, @hi) as a number of 1 and more; 0: it is none */
static uint32_t number(const struct text *t, uint32_t lo, uint32_t hi)
{
	uint32_t n = 0;

	for (uint32_t i = lo; i < hi; i++) {
		if (t->buf.v[i] < '0' || t->buf.v[i] > '9')
			return 0;
		n = n * 10 + (uint32_t)(t->buf.v[i] - '0');
		if (n > QUOTA_MAX)
			return 0;
	}
	return n;
}

static bool bad(struct lang_ctx *c, const struct text *t, struct text_word w, const char *what)
{
	text_error(c, DIAG_E1437, t, w.lo, w.hi, "'%.*s' is not %s", (int)(w.hi - w.lo),
		   t->buf.v + w.lo, what);
	diag_help(c->diags, "as in \"max 200 rate 50/s\"");
	return false;
}

bool jail_quota_rate(struct lang_ctx *c, const struct text *t, struct text_word w,
		     struct decl_quota *q)
{
	const char *slash = memchr(t->buf.v + w.lo, '/', w.hi - w.lo);
	const uint32_t at = slash == NULL ? w.hi : (uint32_t)(slash - t->buf.v);
	const struct text_word unit = { at + 1, w.hi };
	const uint32_t n = number(t, w.lo, at);

	for (size_t i = 0; i < ARRAY_SIZE(units) && at < w.hi && n > 0; i++) {
		if (!text_word_is(t, unit, units[i].name))
			continue;
		q->rate = n;
		q->per_s = units[i].seconds;
		q->at = t->at;
		return true;
	}
	return bad(c, t, w, "a rate of 1/d to 1000000/s");
}

bool jail_quota_max(struct lang_ctx *c, const struct text *t, struct text_word w,
		    struct decl_quota *q)
{
	const uint32_t n = number(t, w.lo, w.hi);

	if (n == 0)
		return bad(c, t, w, "a number of connections, 1 to 1000000");
	q->max = n;
	q->at = t->at;
	return true;
}

void jail_quota_parse(struct lang_ctx *c, const struct text *t, struct decl_quota *q)
{
	struct text_word w, value;
	uint32_t pos = 0;

	while (text_next_word(t, &pos, t->buf.n, &w)) {
		const bool is_rate = text_word_is(t, w, "rate");

		if ((!is_rate && !text_word_is(t, w, "max")) ||
		    !text_next_word(t, &pos, t->buf.n, &value)) {
			bad(c, t, w, "'max N' or 'rate N/s'");
			return;
		}
		if (is_rate ? !jail_quota_rate(c, t, value, q) : !jail_quota_max(c, t, value, q))
			return;
	}
}

static bool next_is(const struct text *t, uint32_t *pos, const char *word)
{
	struct text_word w;

	return text_next_word(t, pos, t->buf.n, &w) && text_word_is(t, w, word);
}

void jail_blocks_parse(struct lang_ctx *c, const struct text *t, struct decl_blocks *ret)
{
	struct decl_blocks b = { .at = t->at };
	struct text_word w = { 0, 0 }, more;
	uint32_t pos = 0, end;
	bool ok = text_next_word(t, &pos, t->buf.n, &w);

	b.size = number(t, w.lo, w.hi);
	end = pos;
	if (ok && text_next_word(t, &end, t->buf.n, &more)) {
		b.n = b.size;
		ok = next_is(t, &pos, "blocks") && next_is(t, &pos, "of") &&
		     text_next_word(t, &pos, t->buf.n, &w);
		b.size = number(t, w.lo, w.hi);
		ok = ok && b.n > 0 && !text_next_word(t, &pos, t->buf.n, &more);
	}
	if (ok && b.size > 0 && b.size <= PORTS_MAX) {
		*ret = b;
		return;
	}
	text_error(c, DIAG_E1438, t, 0, t->buf.n, "'%s' is not a block of ports", t->buf.v);
	diag_help(c->diags, "as in \"512\", or \"100 blocks of 512\"");
}

const char *jail_quota_print(const struct decl_quota *q, char *buf)
{
	int n = 0;

	buf[0] = '\0';
	if (q->max != 0)
		n = snprintf(buf, TEXT_BYTES, " max %u", q->max);
	for (size_t i = 0; i < ARRAY_SIZE(units) && q->rate != 0; i += 2)
		if (units[i].seconds == q->per_s)
			snprintf(buf + n, TEXT_BYTES - (size_t)n, " rate %u/%s", q->rate,
				 units[i].name);
	return buf;
}
