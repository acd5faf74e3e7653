/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The part of sh's grammar that an assignment needs: words of bare, single and
 * double quoted parts, parameters, comments and joined lines.  Whatever else
 * stands where a command could is told once for its line, because to leave out
 * an "if" would make its branch unconditional.
 */
#include "lang/rc.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "lang/text.h"

/**
 * struct parser - Where reading stands
 * @c:		Context
 * @f:		What was read
 * @src:	Source
 * @text:	Its bytes
 * @len:	How many
 * @pos:	Next byte
 * @last:	Index + 1 in @f->vars of a name's last assignment, by its number
 * @n_last:	Numbers there is room for
 * @long_quote:	The last quote whose string goes over several lines
 */
struct parser {
	struct lang_ctx *c;
	struct rc_file *f;
	uint32_t src;
	const char *text;
	uint32_t len;
	uint32_t pos;
	uint32_t *last;
	uint32_t n_last;
	struct span long_quote;
};

static struct span span_of(const struct parser *p, uint32_t lo, uint32_t hi)
{
	return (struct span){ p->src, lo, MIN(hi, p->len) };
}

static int peek(const struct parser *p, uint32_t ahead)
{
	return p->len - p->pos > ahead ? (unsigned char)p->text[p->pos + ahead] : -1;
}

static bool is_name_byte(int ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (ch >= '0' && ch <= '9');
}

static bool is_name_start(int ch)
{
	return is_name_byte(ch) && !(ch >= '0' && ch <= '9');
}

/* Length of a joined line's backslash and line end, or 0 */
static uint32_t join_len(const struct parser *p)
{
	if (peek(p, 0) != '\\')
		return 0;
	return peek(p, 1) == '\n' ? 2 : peek(p, 1) == '\r' && peek(p, 2) == '\n' ? 3 : 0;
}

static bool at_line_end(const struct parser *p)
{
	return p->pos == p->len || peek(p, 0) == '\n' ||
	       (peek(p, 0) == '\r' && (peek(p, 1) == '\n' || peek(p, 1) < 0));
}

static void skip_line(struct parser *p)
{
	while (p->pos < p->len && p->text[p->pos] != '\n')
		p->pos += join_len(p) > 0 ? join_len(p) : 1;
}

/* The value that "$name" has now, or NULL */
static const struct text *var_value(struct parser *p, const char *name, uint32_t len)
{
	const uint32_t id = intern_id(p->c->names, name, len);

	return id < p->n_last && p->last[id] > 0 ? p->f->vars.v[p->last[id] - 1].value : NULL;
}

static void add_var_value(struct parser *p, struct text *out, uint32_t lo, uint32_t name_lo,
			  uint32_t name_hi)
{
	const char *name = p->text + name_lo;
	const uint32_t len = name_hi - name_lo;
	const struct text *value = var_value(p, name, len);

	if (value != NULL && out->buf.n + value->buf.n > LIMIT_VALUE_BYTES)
		diag_add(p->c->diags, DIAG_E1503, span_of(p, lo, p->pos),
			 "value is longer than %u bytes", LIMIT_VALUE_BYTES);
	else if (value != NULL)
		text_add_text(p->c->a, out, value, span_of(p, lo, p->pos));
	else
		diag_add(p->c->diags, DIAG_W1504, span_of(p, lo, p->pos),
			 "'%.*s' has no value yet", (int)MIN(len, LIMIT_WORD_BYTES), name);
}

/* Leave a value that a shell alone could tell, up to its line's end */
static bool needs_shell(struct parser *p, uint32_t lo, uint32_t hi)
{
	diag_add(p->c->diags, DIAG_E1503, span_of(p, lo, hi),
		 "'%.*s' needs a shell, and rc.conf is not run", (int)(MIN(hi, p->len) - lo),
		 p->text + lo);
	return false;
}

/* A "$" */
static bool read_dollar(struct parser *p, struct text *out)
{
	const uint32_t lo = p->pos++;
	uint32_t name_lo = p->pos;

	if (peek(p, 0) == '(')
		return needs_shell(p, lo, lo + 2);
	if (peek(p, 0) == '{') {
		name_lo = ++p->pos;
		while (is_name_byte(peek(p, 0)))
			p->pos++;
		if (peek(p, 0) != '}' || p->pos == name_lo)
			return needs_shell(p, lo, p->pos + 1);
		p->pos++;
		add_var_value(p, out, lo, name_lo, p->pos - 1);
		return true;
	}
	if (!is_name_start(peek(p, 0))) {
		if (peek(p, 0) > ' ' && strchr("0123456789@*#?-$!", peek(p, 0)) != NULL)
			return needs_shell(p, lo, lo + 2);
		text_add(p->c->a, out, "$", 1, span_of(p, lo, lo + 1), true);
		return true;
	}
	while (is_name_byte(peek(p, 0)))
		p->pos++;
	add_var_value(p, out, lo, name_lo, p->pos);
	return true;
}

/* Bytes as they are up to one of @stops */
static void read_run(struct parser *p, struct text *out, const char *stops)
{
	const uint32_t lo = p->pos;

	while (p->pos < p->len && strchr(stops, p->text[p->pos]) == NULL)
		p->pos++;
	text_add(p->c->a, out, p->text + lo, p->pos - lo, span_of(p, lo, p->pos), true);
}

static bool unclosed(struct parser *p, uint32_t lo)
{
	p->pos = lo;
	skip_line(p);
	diag_add(p->c->diags, DIAG_E1502, span_of(p, lo, p->pos), "no closing %c", p->text[lo]);
	if (p->long_quote.src != 0)
		diag_note(p->c->diags, p->long_quote,
			  "this value has several lines: is its closing quote missing?");
	return false;
}

/* A backslash within double quotes, where it is one only before some */
static void read_quoted_escape(struct parser *p, struct text *out)
{
	const uint32_t lo = p->pos;

	if (join_len(p) > 0) {
		p->pos += join_len(p);
		return;
	}
	p->pos += peek(p, 1) > 0 && strchr("$`\"\\", peek(p, 1)) != NULL ? 2 : 1;
	text_add(p->c->a, out, p->text + p->pos - 1, 1, span_of(p, lo, p->pos), false);
}

static bool read_quoted(struct parser *p, struct text *out)
{
	const uint32_t lo = p->pos++;
	const char quote = p->text[lo];
	bool good = true;

	while (good && p->pos < p->len && p->text[p->pos] != quote) {
		const char ch = p->text[p->pos];

		if (quote == '\'')
			read_run(p, out, "'");
		else if (ch == '\\')
			read_quoted_escape(p, out);
		else if (ch == '`')
			good = needs_shell(p, p->pos, p->pos + 1);
		else if (ch == '$')
			good = read_dollar(p, out);
		else
			read_run(p, out, "\"\\`$");
	}
	if (!good)
		return false;
	if (p->pos == p->len)
		return unclosed(p, lo);
	if (memchr(p->text + lo, '\n', p->pos - lo) != NULL)
		p->long_quote = span_of(p, lo, lo + 1);
	p->pos++;
	return true;
}

/* The value after "name=", up to a blank; false after an error */
static bool read_value(struct parser *p, struct text *out)
{
	const uint32_t lo = p->pos;
	bool good = true;

	while (good && !at_line_end(p) && strchr(" \t;", p->text[p->pos]) == NULL) {
		const char ch = p->text[p->pos];

		if (ch == '"' || ch == '\'') {
			good = read_quoted(p, out);
		} else if (join_len(p) > 0) {
			p->pos += join_len(p);
		} else if (ch == '\\' && p->pos + 1 < p->len) {
			p->pos += 2;
			text_add(p->c->a, out, p->text + p->pos - 1, 1,
				 span_of(p, p->pos - 2, p->pos), false);
		} else if (ch == '$') {
			good = read_dollar(p, out);
		} else if (strchr("`&|<>()", ch) != NULL) {
			good = needs_shell(p, p->pos, p->pos + 1);
		} else if (ch == '\\' || ch == '\r') {
			p->pos++;
		} else {
			read_run(p, out, " \t\r\n;\"'\\$`&|<>()");
		}
	}
	out->at = span_of(p, lo, p->pos);
	text_finish(p->c->a, out);
	return good;
}

/* Room for the name with number @id */
static void reserve_last(struct parser *p, uint32_t id)
{
	uint32_t *grown;
	const uint32_t n = MAX(256u, id * 2 + 1);

	if (id < p->n_last)
		return;
	grown = arena_array(p->c->a, uint32_t, n);
	if (p->n_last > 0)
		memcpy(grown, p->last, p->n_last * sizeof(*grown));
	p->last = grown;
	p->n_last = n;
}

static void add_assignment(struct parser *p, uint32_t id, struct span name_at,
			   const struct text *value)
{
	struct text *kept = arena_new(p->c->a, struct text);

	*kept = *value;
	reserve_last(p, id);
	if (p->last[id] > 0)
		p->f->vars.v[p->last[id] - 1].is_last = false;
	vec_add(p->c->a, &p->f->vars, ((struct rc_var){
		.name = intern_name(p->c->names, id),
		.value = kept,
		.name_at = name_at,
		.is_last = true,
	}));
	p->last[id] = p->f->vars.n;
}

/* Variables from outside stand first, in sources of their own */
static void add_defines(struct parser *p)
{
	struct lang_ctx *c = p->c;

	for (uint32_t i = 0; i < c->n_defines; i++) {
		struct span name_at;
		const struct text value = text_define(c, &c->defines[i], &name_at);

		add_assignment(p, intern_cid(c->names, c->defines[i].name), name_at, &value);
	}
}

static void tell_command(struct parser *p, uint32_t lo)
{
	uint32_t hi = lo;

	while (hi < p->len && strchr(" \t\r\n;", p->text[hi]) == NULL)
		hi++;
	diag_add(p->c->diags, DIAG_E1501, span_of(p, lo, MAX(hi, lo + 1)),
		 "'%.*s' is not an assignment", (int)MIN(hi - lo, 40u), p->text + lo);
	if (hi - lo > 2 && memmem(p->text + lo, hi - lo, "+=", 2) != NULL)
		diag_help(p->c->diags, "sh has no '+=': write name=\"$name more\"");
	else if (p->text[hi] == ' ' && p->text[hi + strspn(p->text + hi, " ")] == '=')
		diag_help(p->c->diags, "an assignment is 'name=\"value\"', without blanks at '='");
	p->pos = lo;
	skip_line(p);
}

/* "export name=value" assigns as well: ezjail writes it so */
static void skip_export(struct parser *p)
{
	static const char word[] = "export";
	const uint32_t len = sizeof(word) - 1;

	if (p->len - p->pos <= len || memcmp(p->text + p->pos, word, len) != 0 ||
	    (p->text[p->pos + len] != ' ' && p->text[p->pos + len] != '\t'))
		return;
	p->pos += len;
	while (peek(p, 0) == ' ' || peek(p, 0) == '\t')
		p->pos++;
}

/* One word where a command could stand */
static void read_statement(struct parser *p)
{
	struct text value = { .at = SPAN_NONE };
	uint32_t lo, hi;

	skip_export(p);
	lo = p->pos;
	while (is_name_byte(peek(p, 0)))
		p->pos++;
	hi = p->pos;
	if (hi == lo || !is_name_start(p->text[lo]) || peek(p, 0) != '=' ||
	    hi - lo > LIMIT_WORD_BYTES) {
		tell_command(p, lo);
		return;
	}
	p->pos++;
	if (!read_value(p, &value))
		skip_line(p);
	else if (lang_define_find(p->c, p->text + lo, hi - lo) == NULL)
		add_assignment(p, intern_id(p->c->names, p->text + lo, hi - lo),
			       span_of(p, lo, hi), &value);
}

/* One file, after those that @p has read already */
static void parse_source(struct parser *p, uint32_t src)
{
	const struct source *s = source_at(p->c->sources, src);

	/* The text stays where it is when sources are added; the source may not */
	p->src = src;
	p->text = s->text;
	p->len = s->len;
	p->pos = 0;
	p->long_quote = SPAN_NONE;
	while (p->pos < p->len && !diag_is_full(p->c->diags)) {
		if (strchr(" \t\r\n;", p->text[p->pos]) != NULL)
			p->pos++;
		else if (join_len(p) > 0)
			p->pos += join_len(p);
		else if (p->text[p->pos] == '#')
			while (p->pos < p->len && p->text[p->pos] != '\n')
				p->pos++;
		else
			read_statement(p);
	}
}

struct rc_file *rc_parse_all(struct lang_ctx *c, const uint32_t *srcs, uint32_t n)
{
	struct rc_file *f = arena_new(c->a, struct rc_file);
	struct parser p = { .c = c, .f = f };

	add_defines(&p);
	for (uint32_t i = 0; i < n; i++)
		if (lang_check_text(c, srcs[i]))
			parse_source(&p, srcs[i]);
	return f;
}

struct rc_file *rc_parse(struct lang_ctx *c, uint32_t src)
{
	return rc_parse_all(c, &src, 1);
}

int rc_yes_or_no(struct lang_ctx *c, const struct rc_var *v)
{
	static const char *const words[] = { "NO", "YES", "FALSE", "TRUE", "OFF", "ON", "0", "1" };
	const char *s = v->value->buf.v;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(s, words[i]) == 0)
			return i % 2 == 1;
	text_error(c, DIAG_E1509, v->value, 0, v->value->buf.n, "'%s' of %s is neither YES nor NO",
		   s, v->name);
	return -1;
}
