/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/http.h"

#include <ctype.h>
#include <string.h>


/* RFC 1035, 2.3.4 */
#define NAME_MAX_BYTES	253u
#define LABEL_MAX_BYTES	63u

static bool bad(struct lang_ctx *c, const struct text *t, struct text_word w, const char *what)
{
	text_error(c, DIAG_E1456, t, w.lo, MAX(w.hi, w.lo + 1), "'%.*s' is not %s",
		   (int)(w.hi - w.lo), t->buf.v + w.lo, what);
	diag_help(c->diags, "as in \"www.example.org\", \"www.example.org:8080\" or "
			    "\"*.example.org:8080:8443 proxy\"");
	return false;
}

static bool is_name_byte(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Labels with dots between them; the first may be "*" */
static bool is_name(const char *s, uint32_t n)
{
	uint32_t label = 0;

	if (n > 2 && s[0] == '*' && s[1] == '.') {
		s += 2;
		n -= 2;
	}
	if (n == 0 || n > NAME_MAX_BYTES)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (s[i] == '.' ? label == 0 : !is_name_byte(s[i]))
			return false;
		/* RFC 952; and haproxy would take it for an option */
		if (s[i] == '-' && label == 0)
			return false;
		label = s[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MAX_BYTES)
			return false;
	}
	return label > 0;
}

static const char *lower_case(struct arena *a, const char *s, uint32_t n)
{
	char *name = arena_strndup(a, s, n);

	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return name;
}

/* ":PORT" at @pos, which moves behind it; without one the port stays */
static bool read_port(struct lang_ctx *c, const struct text *t, struct text_word w, uint32_t *pos,
		      uint16_t *port)
{
	uint32_t v = 0, at;

	if (*pos == w.hi)
		return true;
	for (at = *pos + 1; at < w.hi && t->buf.v[at] != ':' && v <= UINT16_MAX; at++) {
		if (!isdigit((unsigned char)t->buf.v[at]))
			return bad(c, t, (struct text_word){ *pos + 1, w.hi }, "a port");
		v = v * 10 + (uint32_t)(t->buf.v[at] - '0');
	}
	if (v < 1 || v > UINT16_MAX)
		return bad(c, t, (struct text_word){ *pos + 1, at }, "a port in 1..65535");
	*pos = at;
	*port = (uint16_t)v;
	return true;
}

/* NAME[:PORT[:TLS-PORT]] */
static bool read_name(struct lang_ctx *c, const struct text *t, struct text_word w,
		      struct decl_site *ret)
{
	const char *colon = memchr(t->buf.v + w.lo, ':', w.hi - w.lo);
	const uint32_t end = colon == NULL ? w.hi : (uint32_t)(colon - t->buf.v);
	const uint32_t dot = end > w.lo + 1 && t->buf.v[end - 1] == '.' ? end - 1 : end;
	uint32_t pos = end;

	if (!is_name(t->buf.v + w.lo, dot - w.lo))
		return bad(c, t, (struct text_word){ w.lo, end }, "a host name");
	ret->name = lower_case(c->a, t->buf.v + w.lo, dot - w.lo);
	if (!read_port(c, t, w, &pos, &ret->http_port) || !read_port(c, t, w, &pos, &ret->tls_port))
		return false;
	return pos == w.hi || bad(c, t, (struct text_word){ pos, w.hi }, "the end of the ports");
}

static bool read_site(struct lang_ctx *c, const struct text *t, struct text_word item,
		      struct decl_site *ret)
{
	uint32_t pos = item.lo;
	struct text_word w;

	if (!text_next_word(t, &pos, item.hi, &w))
		return bad(c, t, item, "a host name");
	ret->at = text_span(t, w.lo, w.hi, &(struct span){ 0 });
	if (!read_name(c, t, w, ret))
		return false;
	while (text_next_word(t, &pos, item.hi, &w)) {
		if (text_word_is(t, w, "proxy"))
			ret->is_proxy = true;
		else if (text_word_is(t, w, "balance"))
			ret->is_balanced = true;
		else
			return bad(c, t, w, "'proxy' or 'balance'");
	}
	return true;
}

void jail_http_parse(struct lang_ctx *c, const struct text *t, struct decl_jail *j)
{
	uint32_t lo = 0;

	while (lo <= t->buf.n) {
		const char *comma = memchr(t->buf.v + lo, ',', t->buf.n - lo);
		const uint32_t hi = comma == NULL ? t->buf.n : (uint32_t)(comma - t->buf.v);
		struct decl_site site = { .http_port = 80, .tls_port = 443 };

		if (!read_site(c, t, (struct text_word){ lo, hi }, &site))
			return;
		vec_add(c->a, &j->sites, site);
		lo = hi + 1;
	}
}
