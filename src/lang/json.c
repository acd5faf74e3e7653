/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/json.h"

#include <string.h>

#include "base/limits.h"

/**
 * struct reader - Where reading stands
 * @c:		Context
 * @src:	Source
 * @text:	Its bytes
 * @len:	How many
 * @pos:	Next byte
 * @depth:	Objects and arrays that are open
 */
struct reader {
	struct lang_ctx *c;
	uint32_t src;
	const char *text;
	uint32_t len;
	uint32_t pos;
	uint32_t depth;
};

static bool read_value(struct reader *r, struct json *ret);

static struct span span_of(const struct reader *r, uint32_t lo, uint32_t hi)
{
	return (struct span){ r->src, MIN(lo, r->len), MIN(hi, r->len) };
}

static int peek(const struct reader *r)
{
	return r->pos < r->len ? (unsigned char)r->text[r->pos] : -1;
}

static bool wrong(struct reader *r, const char *what)
{
	diag_add(r->c->diags, DIAG_E2601, span_of(r, r->pos, r->pos + 1), "%s", what);
	return false;
}

static void skip_blank(struct reader *r)
{
	while (peek(r) > 0 && strchr(" \t\r\n", peek(r)) != NULL)
		r->pos++;
}

static bool take(struct reader *r, char ch)
{
	skip_blank(r);
	if (peek(r) != ch)
		return false;
	r->pos++;
	return true;
}

/** struct bytes - A string while its escapes are read */
struct bytes {
	VEC(char) s;
};

static void put_utf8(struct reader *r, struct bytes *b, uint32_t v)
{
	static const struct { uint32_t end; uint8_t first, n_more; } forms[] = {
		{ 0x80, 0, 0 }, { 0x800, 0xc0, 1 }, { 0x10000, 0xe0, 2 }, { 0x110000, 0xf0, 3 },
	};
	size_t i = 0;

	while (v >= forms[i].end)
		i++;
	vec_add(r->c->a, &b->s, (char)(forms[i].first | v >> (6 * forms[i].n_more)));
	for (int n = forms[i].n_more - 1; n >= 0; n--)
		vec_add(r->c->a, &b->s, (char)(0x80 | (v >> (6 * n) & 0x3f)));
}

/* Four hexadecimal digits; -1: they are not there */
static int32_t read_hex(struct reader *r)
{
	static const char digits[] = "0123456789abcdef";
	int32_t v = 0;

	for (int i = 0; i < 4; i++, r->pos++) {
		const int ch = peek(r);
		const char *at = ch > 0 ? strchr(digits, ch >= 'A' && ch <= 'F' ? ch | 0x20 : ch)
					: NULL;

		if (at == NULL)
			return -1;
		v = v * 16 + (int32_t)(at - digits);
	}
	return v;
}

/* What follows "\u" */
static bool read_unicode(struct reader *r, struct bytes *b)
{
	int32_t v = read_hex(r), low;

	if (v < 0)
		return wrong(r, "'\\u' takes four hexadecimal digits");
	if (v == 0)
		return wrong(r, "a string cannot hold a NUL byte");
	if (v >= 0xd800 && v < 0xdc00) {
		if (r->len - r->pos < 2 || memcmp(r->text + r->pos, "\\u", 2) != 0)
			return wrong(r, "half of a surrogate pair");
		r->pos += 2;
		low = read_hex(r);
		if (low < 0xdc00 || low > 0xdfff)
			return wrong(r, "half of a surrogate pair");
		v = 0x10000 + (v - 0xd800) * 0x400 + (low - 0xdc00);
	} else if (v >= 0xdc00 && v <= 0xdfff) {
		return wrong(r, "half of a surrogate pair");
	}
	put_utf8(r, b, (uint32_t)v);
	return true;
}

static bool read_escape(struct reader *r, struct bytes *b)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	int ch;

	r->pos++;
	ch = peek(r);
	if (ch == 'u') {
		r->pos++;
		return read_unicode(r, b);
	}
	at = ch > 0 ? strchr(from, ch) : NULL;
	if (at == NULL)
		return wrong(r, "not an escape of JSON");
	r->pos++;
	vec_add(r->c->a, &b->s, to[at - from]);
	return true;
}

/* A string whose opening quote is next */
static bool read_string(struct reader *r, struct json *ret)
{
	const uint32_t lo = ++r->pos;
	struct bytes b = { .s = { 0 } };

	ret->kind = JSON_STRING;
	ret->is_verbatim = true;
	while (peek(r) != '"') {
		if (peek(r) < ' ')	/* the end too */
			return wrong(r, "a string without closing '\"'");
		if (b.s.n >= LIMIT_VALUE_BYTES)
			return wrong(r, "a string is too long");
		if (peek(r) == '\\') {
			ret->is_verbatim = false;
			if (!read_escape(r, &b))
				return false;
		} else {
			vec_add(r->c->a, &b.s, r->text[r->pos]);
			r->pos++;
		}
	}
	ret->at = span_of(r, lo, r->pos);
	ret->len = b.s.n;
	vec_add(r->c->a, &b.s, '\0');
	ret->s = b.s.v;
	r->pos++;
	return true;
}

static bool is_digit(const struct reader *r)
{
	return peek(r) >= '0' && peek(r) <= '9';
}

/* Digits, at least one */
static bool skip_digits(struct reader *r)
{
	const bool has_one = is_digit(r);

	while (is_digit(r))
		r->pos++;
	return has_one;
}

static bool skip_number(struct reader *r)
{
	r->pos += peek(r) == '-';
	if (peek(r) == '0')
		r->pos++;
	else if (!skip_digits(r))
		return false;
	if (peek(r) == '.') {
		r->pos++;
		if (!skip_digits(r))
			return false;
	}
	if (peek(r) == 'e' || peek(r) == 'E') {
		r->pos++;
		r->pos += peek(r) == '+' || peek(r) == '-';
		return skip_digits(r);
	}
	return true;
}

static bool read_word(struct reader *r, struct json *ret)
{
	static const struct { const char *word; enum json_kind kind; } words[] = {
		{ "null", JSON_NULL }, { "false", JSON_FALSE }, { "true", JSON_TRUE },
	};
	const uint32_t lo = r->pos;
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(words) && !found; i++) {
		const uint32_t len = (uint32_t)strlen(words[i].word);

		found = r->len - lo >= len && memcmp(r->text + lo, words[i].word, len) == 0;
		if (found) {
			ret->kind = words[i].kind;
			r->pos += len;
		}
	}
	if (!found) {
		ret->kind = JSON_NUMBER;
		if (!skip_number(r))
			return wrong(r, "a value was expected here");
	}
	ret->s = arena_strndup(r->c->a, r->text + lo, r->pos - lo);
	ret->len = r->pos - lo;
	ret->is_verbatim = true;
	ret->at = span_of(r, lo, r->pos);
	return true;
}

/* "name": of a member */
static bool read_name(struct reader *r, struct json *object, struct json_member *m)
{
	struct json name = { .kind = JSON_STRING };

	skip_blank(r);
	if (peek(r) != '"')
		return wrong(r, "the name of a member was expected here, in '\"'");
	if (!read_string(r, &name))
		return false;
	m->name = name.s;
	m->name_at = name.at;
	if (json_find(object, m->name) != NULL) {
		diag_add(r->c->diags, DIAG_E2601, name.at, "'%s' stands twice", name.s);
		return false;
	}
	return take(r, ':') || wrong(r, "':' was expected here");
}

/* An object or array whose opening mark is next */
static bool read_members(struct reader *r, struct json *ret, char close)
{
	const uint32_t lo = r->pos++;

	if (r->depth >= LIMIT_NESTING) {
		diag_add(r->c->diags, DIAG_E2602, span_of(r, lo, lo + 1),
			 "objects are nested more than %u deep", LIMIT_NESTING);
		return false;
	}
	r->depth++;
	ret->kind = close == '}' ? JSON_OBJECT : JSON_ARRAY;
	for (bool is_first = true; !take(r, close); is_first = false) {
		struct json_member m = { .name = NULL };

		if (!is_first && !take(r, ','))
			return wrong(r, close == '}' ? "',' or '}' was expected here"
						     : "',' or ']' was expected here");
		if (ret->members.n >= LIMIT_JSON_MEMBERS)
			return wrong(r, "an object has too many members");
		if ((close == '}' && !read_name(r, ret, &m)) || !read_value(r, &m.value))
			return false;
		vec_add(r->c->a, &ret->members, m);
	}
	r->depth--;
	ret->at = span_of(r, lo, r->pos);
	return true;
}

static bool read_value(struct reader *r, struct json *ret)
{
	*ret = (struct json){ .kind = JSON_NULL };
	skip_blank(r);
	switch (peek(r)) {
	case '{':
		return read_members(r, ret, '}');
	case '[':
		return read_members(r, ret, ']');
	case '"':
		return read_string(r, ret);
	default:
		return read_word(r, ret);
	}
}

bool json_parse(struct lang_ctx *c, uint32_t src, struct json *ret)
{
	const struct source *s = source_at(c->sources, src);
	struct reader r = { .c = c, .src = src, .text = s->text, .len = s->len };
	struct json v;

	if (!lang_check_text(c, src) || !read_value(&r, &v))
		return false;
	skip_blank(&r);
	if (r.pos < r.len)
		return wrong(&r, "nothing may follow the value");
	*ret = v;
	return true;
}

const struct json *json_find(const struct json *object, const char *name)
{
	for (uint32_t i = 0; i < object->members.n; i++)
		if (object->members.v[i].name != NULL &&
		    strcmp(object->members.v[i].name, name) == 0)
			return &object->members.v[i].value;
	return NULL;
}
