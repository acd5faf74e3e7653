/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/text.h"

#include <stdarg.h>
#include <string.h>

static void add_bytes(struct arena *a, struct text *t, const char *s, uint32_t len)
{
	if (t->buf.n + len > t->buf.cap)
		vec_reserve(a, &t->buf, MAX(t->buf.n + len + 1, 2 * t->buf.n));
	if (len > 0)
		memcpy(t->buf.v + t->buf.n, s, len);
	t->buf.n += len;
}

void text_add(struct arena *a, struct text *t, const char *s, size_t len, struct span at,
	      bool is_verbatim)
{
	const struct text_piece piece = {
		.off = t->buf.n,
		.at = at,
		.is_verbatim = is_verbatim,
	};

	vec_add(a, &t->pieces, piece);
	add_bytes(a, t, s, (uint32_t)len);
}

void text_add_text(struct arena *a, struct text *t, const struct text *value,
		   struct span used_at)
{
	for (uint32_t i = 0; i < value->pieces.n; i++) {
		struct text_piece piece = value->pieces.v[i];

		piece.off += t->buf.n;
		piece.used_at = used_at;
		vec_add(a, &t->pieces, piece);
	}
	add_bytes(a, t, value->buf.v, value->buf.n);
}

void text_finish(struct arena *a, struct text *t)
{
	vec_add(a, &t->buf, '\0');
	t->buf.n--;
}

struct text text_define(struct lang_ctx *c, const struct lang_define *d,
			struct span *ret_name_at)
{
	const char *whole = arena_printf(c->a, "%s=%s", d->name, d->value);
	const uint32_t len = (uint32_t)strlen(whole), name_len = (uint32_t)strlen(d->name);
	const uint32_t src = sources_add(c->sources, "-D", whole, len, SPAN_NONE);
	struct text t = { .at = { src, name_len + 1, len } };

	*ret_name_at = (struct span){ src, 0, name_len };
	text_add(c->a, &t, d->value, strlen(d->value), t.at, true);
	text_finish(c->a, &t);
	return t;
}

/* The piece that has byte @off, the last one that starts there */
static const struct text_piece *piece_of(const struct text *t, uint32_t off)
{
	const struct text_piece *found = NULL;

	for (uint32_t i = 0; i < t->pieces.n && t->pieces.v[i].off <= off; i++)
		found = &t->pieces.v[i];
	return found;
}

struct span text_span(const struct text *t, uint32_t lo, uint32_t hi, struct span *ret_used)
{
	const struct text_piece *p = piece_of(t, lo);

	*ret_used = SPAN_NONE;
	if (p == NULL || p != piece_of(t, hi > lo ? hi - 1 : lo))
		return t->at;
	*ret_used = p->used_at;
	if (!p->is_verbatim)
		return p->at;
	return (struct span){ p->at.src, p->at.lo + lo - p->off, p->at.lo + hi - p->off };
}

void text_error(struct lang_ctx *c, enum diag_code code, const struct text *t, uint32_t lo,
		uint32_t hi, const char *fmt, ...)
{
	char *message;
	struct span at, used;
	va_list ap, again;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	BUG_IF(len < 0);
	message = arena_alloc(c->a, (size_t)len + 1);
	vsnprintf(message, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	at = text_span(t, lo, hi, &used);
	diag_add(c->diags, code, at, "%s", message);
	if (used.src != 0)
		diag_note(c->diags, used, "expanded from here");
}

static bool is_blank(char c)
{
	/* Most are above all blanks */
	return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

bool text_next_word(const struct text *t, uint32_t *pos, uint32_t end, struct text_word *w)
{
	const char *s = t->buf.v, *at = s + *pos, *stop = s + end;

	while (at < stop && is_blank(*at))
		at++;
	w->lo = (uint32_t)(at - s);
	while (at < stop && !is_blank(*at))
		at++;
	w->hi = *pos = (uint32_t)(at - s);
	return w->hi > w->lo;
}

const char *text_word_str(struct arena *a, const struct text *t, struct text_word w)
{
	return arena_strndup(a, t->buf.v + w.lo, w.hi - w.lo);
}
