/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A string is what stands together without a blank: bare words, quoted strings
 * and variables, as in a shell.  Bare, "#" and "//" start a comment even inside
 * a word, since jail(8) reads it so: "path = /a//b;" has no semicolon.
 *
 * A part with an escape is kept apart from those without, so that nearly every
 * byte of a value has an exact place.
 */
#include "lang/jail/lex.h"

#include <string.h>

#include "base/limits.h"

#define BARE	0x01u		/* stands in a word without quotes */
#define NAME_1	0x02u		/* starts a variable's name */
#define NAME	0x04u		/* stands in one */
#define PLAIN	0x08u		/* of bare bytes, those that mean only themselves */
#define BLANK	0x10u
#define MARK	0x20u		/* a token by itself */
#define JOINS	0x40u		/* may start a comment, or join the next line */

static const uint8_t classes[UINT8_MAX + 1] = {
	['A' ... 'Z'] = BARE | NAME_1 | NAME | PLAIN,
	['a' ... 'z'] = BARE | NAME_1 | NAME | PLAIN,
	['0' ... '9'] = BARE | NAME | PLAIN,
	['_'] = BARE | NAME_1 | NAME | PLAIN,
	['!'] = BARE | PLAIN, ['%'] = BARE | PLAIN, ['&'] = BARE | PLAIN, ['('] = BARE | PLAIN,
	[')'] = BARE | PLAIN, ['-'] = BARE | PLAIN, ['.'] = BARE | PLAIN, [':'] = BARE | PLAIN,
	['<'] = BARE | PLAIN, ['>'] = BARE | PLAIN, ['?'] = BARE | PLAIN, ['@'] = BARE | PLAIN,
	['['] = BARE | PLAIN, [']'] = BARE | PLAIN, ['^'] = BARE | PLAIN, ['`'] = BARE | PLAIN,
	['|'] = BARE | PLAIN, ['~'] = BARE | PLAIN,
	[' '] = BLANK, ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK,
	['='] = MARK, [','] = MARK, [';'] = MARK, ['{'] = MARK, ['}'] = MARK,
	['*'] = BARE | PLAIN, ['$'] = BARE, ['+'] = BARE, ['/'] = BARE | JOINS,
	['\\'] = BARE | JOINS, ['#'] = JOINS,
};

void jail_lex_init(struct jail_lex *l, struct lang_ctx *c, uint32_t src)
{
	const struct source *s = source_at(c->sources, src);

	*l = (struct jail_lex){
		.c = c, .src = src, .text = s->text, .len = s->len,
		.last_var = { .is_var = true, .s = "" },
	};
}

static struct span span_of(const struct jail_lex *l, uint32_t lo, uint32_t hi)
{
	return (struct span){ l->src, lo, MIN(hi, l->len) };
}

/* The byte @ahead of the next, or -1 after the end */
static int peek(const struct jail_lex *l, uint32_t ahead)
{
	return l->len - l->pos > ahead ? (unsigned char)l->text[l->pos + ahead] : -1;
}

static bool is_of(int ch, uint8_t class)
{
	return ch > 0 && (classes[ch] & class) != 0;
}

/* The first position from @pos on that is not of a class */
static uint32_t skip(const struct jail_lex *l, uint32_t pos, uint8_t class)
{
	const char *text = l->text;
	const uint32_t len = l->len;

	while (pos < len && (classes[(uint8_t)text[pos]] & class) != 0)
		pos++;
	return pos;
}

static bool is_in(int ch, const char *set)
{
	return ch > 0 && strchr(set, ch) != NULL;
}

static void skip_line(struct jail_lex *l)
{
	while (l->pos < l->len && l->text[l->pos] != '\n')
		l->pos++;
}

/* Is there a comment here */
static inline bool at_comment(const struct jail_lex *l)
{
	const int ch = peek(l, 0);

	return is_of(ch, JOINS) &&
	       (ch == '#' || (ch == '/' && (peek(l, 1) == '/' || peek(l, 1) == '*')));
}

/* False if the comment has no end */
static bool skip_comment(struct jail_lex *l)
{
	const char *end;

	if (peek(l, 1) != '*' || peek(l, 0) == '#') {
		skip_line(l);
		return true;
	}
	end = memmem(l->text + l->pos + 2, l->len - l->pos - 2, "*/", 2);
	if (end == NULL) {
		diag_add(l->c->diags, DIAG_E1401, span_of(l, l->pos, l->pos + 2),
			 "comment without '*/'");
		l->pos = l->len;
		return false;
	}
	l->pos = (uint32_t)(end - l->text) + 2;
	return true;
}

/* skip_comment(), and keep it for who wants it */
static bool read_comment(struct jail_lex *l)
{
	const uint32_t lo = l->pos;

	if (!skip_comment(l))
		return false;
	if (l->comments != NULL)
		vec_add(lang_tree(l->c), &l->comments->list, span_of(l, lo, l->pos));
	return true;
}

/* Blanks, comments and joined lines; false after an error */
static bool skip_blank(struct jail_lex *l)
{
	for (;;) {
		l->pos = skip(l, l->pos, BLANK);
		if (!is_of(peek(l, 0), JOINS))
			return true;
		if (peek(l, 0) == '\\' && peek(l, 1) == '\n')
			l->pos += 2;
		else if (peek(l, 0) == '\\' && peek(l, 1) == '\r' && peek(l, 2) == '\n')
			l->pos += 3;
		else if (!at_comment(l))
			return true;
		else if (!read_comment(l))
			return false;
	}
}

static void add_literal(struct jail_lex *l, const char *s, uint32_t len, uint32_t lo,
			bool is_verbatim)
{
	vec_add(lang_tree(l->c), &l->string.parts, ((struct jail_part){
		.is_verbatim = is_verbatim,
		.s = s,
		.len = len,
		.at = span_of(l, lo, l->pos),
	}));
}

/* Up to @max digits of a base; the value */
static unsigned int escape_number(struct jail_lex *l, const char *digits, unsigned int base,
				  unsigned int max)
{
	unsigned int v = 0;

	for (unsigned int i = 0; i < max && is_in(peek(l, 0), digits); i++, l->pos++) {
		const int ch = peek(l, 0);

		v = v * base + (unsigned int)(ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
	}
	return v;
}

/* A backslash and what belongs to it; false if it is a NUL byte */
static bool lex_escape(struct jail_lex *l)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const uint32_t lo = l->pos++;
	const int ch = peek(l, 0);
	char out = (char)ch;

	if (ch < 0)
		return true;
	if (ch == '\n' || (ch == '\r' && peek(l, 1) == '\n')) {
		l->pos += ch == '\n' ? 1 : 2;
		return true;
	}
	if (is_in(ch, "01234567")) {
		out = (char)escape_number(l, "01234567", 8, 3);
	} else if (ch == 'x') {
		l->pos++;
		out = (char)escape_number(l, "0123456789abcdefABCDEF", 16, 2);
	} else {
		l->pos++;
		if (is_in(ch, from))
			out = to[strchr(from, ch) - from];
	}
	if (out == '\0') {
		diag_add(l->c->diags, DIAG_E1404, span_of(l, lo, l->pos),
			 "a string cannot hold a NUL byte");
		return false;
	}
	add_literal(l, arena_strndup(lang_tree(l->c), &out, 1), 1, lo, false);
	return true;
}

static bool add_var(struct jail_lex *l, uint32_t lo, uint32_t name_lo, uint32_t name_hi)
{
	struct jail_part part = {
		.is_var = true,
		.len = name_hi - name_lo,
		.at = span_of(l, lo, l->pos),
	};

	if (part.len > LIMIT_WORD_BYTES) {
		diag_add(l->c->diags, DIAG_E1410, part.at,
			 "name of %u bytes is longer than %u", part.len, LIMIT_WORD_BYTES);
		return false;
	}
	/* Of many forwards each says "$forward": that is looked up once */
	if (part.len != l->last_var.len ||
	    memcmp(l->last_var.s, l->text + name_lo, part.len) != 0) {
		part.key = intern_id(l->c->names, l->text + name_lo, part.len);
		part.s = intern_name(l->c->names, part.key);
		l->last_var = part;
	}
	part.key = l->last_var.key;
	part.s = l->last_var.s;
	vec_add(lang_tree(l->c), &l->string.parts, part);
	return true;
}

/* A "$": a variable, or just that */
static bool lex_dollar(struct jail_lex *l, bool in_quotes)
{
	const uint32_t lo = l->pos++;
	uint32_t name_lo = l->pos;

	if (peek(l, 0) == '{') {
		name_lo = ++l->pos;
		while (l->pos < l->len && !is_in(peek(l, 0), in_quotes ? "\n{}\"" : "\n{}"))
			l->pos++;
		if (peek(l, 0) != '}') {
			diag_add(l->c->diags, DIAG_E1401, span_of(l, lo, l->pos),
				 "variable without '}'");
			return false;
		}
		l->pos++;
		return add_var(l, lo, name_lo, l->pos - 1);
	}
	if (!is_of(peek(l, 0), NAME_1)) {
		add_literal(l, "$", 1, lo, true);
		return true;
	}
	l->pos = skip(l, l->pos, NAME);
	return add_var(l, lo, name_lo, l->pos);
}

/* Bytes up to one of @stops, as they are; a NUL is none, but for that behind the text */
static void lex_run(struct jail_lex *l, const char *stops)
{
	const char *text = l->text;
	const uint32_t lo = l->pos;
	size_t at = lo;

	while ((at += strcspn(text + at, stops)) < l->len && text[at] == '\0')
		at++;
	l->pos = (uint32_t)at;
	add_literal(l, text + lo, l->pos - lo, lo, true);
}

static bool lex_quoted(struct jail_lex *l)
{
	const uint32_t lo = l->pos++;
	const char quote = l->text[lo];
	const char *stops = quote == '"' ? "\"\\$" : "'\\";

	while (l->pos < l->len && l->text[l->pos] != quote) {
		bool good = true;

		if (l->text[l->pos] == '\\')
			good = lex_escape(l);
		else if (l->text[l->pos] == '$' && quote == '"')
			good = lex_dollar(l, true);
		else
			lex_run(l, stops);
		if (!good)
			return false;
	}
	if (l->pos == l->len) {
		l->pos = lo;
		skip_line(l);
		diag_add(l->c->diags, DIAG_E1401, span_of(l, lo, l->pos),
			 "string without closing %c", quote);
		if (l->long_string.src != 0)
			diag_note(l->c->diags, l->long_string,
				  "this string has several lines: is its closing quote missing?");
		return false;
	}
	if (memchr(l->text + lo, '\n', l->pos - lo) != NULL)
		l->long_string = span_of(l, lo, lo + 1);
	l->pos++;
	return true;
}

/* Unquoted bytes up to what means something else */
static void lex_bare(struct jail_lex *l)
{
	const uint32_t lo = l->pos;

	while (is_of(peek(l, 0), BARE) && peek(l, 0) != '\\' && peek(l, 0) != '$' &&
	       !at_comment(l) &&
	       !(peek(l, 0) == '+' && peek(l, 1) == '=')) {
		l->pos = skip(l, l->pos + 1, PLAIN);
	}
	add_literal(l, l->text + lo, l->pos - lo, lo, true);
}

/* A string, of which there is at least one part here */
static enum jail_token lex_string(struct jail_lex *l)
{
	const uint32_t lo = l->pos;
	bool good = true;

	l->string = l->parts[l->turn];
	l->string.parts.n = 0;
	while (good && l->pos < l->len && !at_comment(l)) {
		const int ch = peek(l, 0);

		if (ch == '"' || ch == '\'')
			good = lex_quoted(l);
		else if (ch == '\\')
			good = lex_escape(l);
		else if (ch == '$')
			good = lex_dollar(l, false);
		else if (!is_of(ch, BARE) || (ch == '+' && peek(l, 1) == '='))
			break;
		else
			lex_bare(l);
	}
	l->parts[l->turn] = l->string;
	l->turn ^= 1;
	l->at = l->string.at = span_of(l, lo, l->pos);
	if (good)
		return JAIL_TOK_STRING;
	skip_line(l);
	return JAIL_TOK_BAD;
}

enum jail_token jail_lex_next(struct jail_lex *l)
{
	static const uint8_t tokens[] = {
		['='] = JAIL_TOK_EQUALS, [','] = JAIL_TOK_COMMA, [';'] = JAIL_TOK_SEMICOLON,
		['{'] = JAIL_TOK_OPEN, ['}'] = JAIL_TOK_CLOSE,
	};
	int ch;

	if (!skip_blank(l))
		return JAIL_TOK_BAD;
	ch = peek(l, 0);
	l->at = span_of(l, l->pos, l->pos + 1);
	if (ch < 0)
		return JAIL_TOK_END;
	if (is_of(ch, MARK)) {
		l->pos++;
		return (enum jail_token)tokens[ch];
	}
	if (ch == '+' && peek(l, 1) == '=') {
		l->pos += 2;
		l->at.hi++;
		return JAIL_TOK_PLUS_EQUALS;
	}
	if (ch == '"' || ch == '\'' || is_of(ch, BARE))
		return lex_string(l);
	diag_add(l->c->diags, DIAG_E1404, l->at,
		 ch > ' ' && ch < 0x7f ? "'%c' needs quotes" : "byte 0x%02x needs quotes", ch);
	skip_line(l);
	return JAIL_TOK_BAD;
}

int jail_name_bad_byte(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == '/')
			return (unsigned char)name[i];
	return -1;
}
