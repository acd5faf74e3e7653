/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What a person goes on editing must still be what he wrote: comments stay where
 * they are, no parameter is replaced by its value, and an assignment that a later
 * one overrides is kept.  Only the form is one: a line for each assignment, its value
 * in double quotes, parameters in braces, and never two empty lines.
 *
 * The text was parsed without an error before, and parse.c says what a word is; so
 * nothing is looked for here that it refuses.
 */
#include <string.h>

#include "lang/rc.h"

#define SPECIAL	"$`\"\\"	/* within double quotes a backslash stands before these */

/**
 * struct fmt - Text on its way
 * @text:	As it was
 * @len:	Its length
 * @pos:	Next byte
 * @n_lines:	Line ends since what was written last
 * @has_any:	Something was
 * @out:	Stream
 */
struct fmt {
	const char *text;
	size_t len;
	size_t pos;
	uint32_t n_lines;
	bool has_any;
	FILE *out;
};

static int peek(const struct fmt *f, size_t ahead)
{
	return f->len - f->pos > ahead ? (unsigned char)f->text[f->pos + ahead] : -1;
}

static bool is_one_of(int ch, const char *set)
{
	return ch > 0 && strchr(set, ch) != NULL;
}

static bool is_name_byte(int ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (ch >= '0' && ch <= '9');
}

/* Before a line's first word, or (@is_beside) a comment that may stand behind one */
static void begin(struct fmt *f, bool is_beside)
{
	if (f->has_any && is_beside && f->n_lines == 0)
		putc(' ', f->out);
	else if (f->has_any)
		fputs(f->n_lines > 1 ? "\n\n" : "\n", f->out);
	f->has_any = true;
	f->n_lines = 0;
}

static void put_comment(struct fmt *f)
{
	const char *from = f->text + f->pos, *end = memchr(from, '\n', f->len - f->pos);
	size_t n = end != NULL ? (size_t)(end - from) : f->len - f->pos;

	f->pos += n;
	while (n > 0 && is_one_of(from[n - 1], " \t\r"))
		n--;
	begin(f, true);
	fwrite(from, 1, n, f->out);
}

static void end(struct fmt *f)
{
	if (f->has_any)
		putc('\n', f->out);
}

/* ---- rc.conf ----------------------------------------------------------------------- */

/* Length of a joined line's backslash and line end, or 0 */
static size_t join_len(const struct fmt *f)
{
	if (peek(f, 0) != '\\')
		return 0;
	return peek(f, 1) == '\n' ? 2 : peek(f, 1) == '\r' && peek(f, 2) == '\n' ? 3 : 0;
}

/* A byte that means itself */
static void put_literal(struct fmt *f, int ch)
{
	if (is_one_of(ch, SPECIAL))
		putc('\\', f->out);
	putc(ch, f->out);
}

/* A "$" */
static void put_parameter(struct fmt *f)
{
	const bool is_braced = peek(f, 1) == '{';
	const char *name;

	f->pos += is_braced ? 2 : 1;
	name = f->text + f->pos;
	while (is_name_byte(peek(f, 0)))
		f->pos++;
	if (f->text + f->pos > name)
		fprintf(f->out, "${%.*s}", (int)(f->text + f->pos - name), name);
	else
		fputs("\\$", f->out);
	f->pos += is_braced;
}

static void put_single_quoted(struct fmt *f)
{
	for (f->pos++; f->pos < f->len && peek(f, 0) != '\''; f->pos++)
		put_literal(f, peek(f, 0));
	f->pos++;
}

static void put_double_quoted(struct fmt *f)
{
	for (f->pos++; f->pos < f->len && peek(f, 0) != '"';) {
		if (peek(f, 0) == '$') {
			put_parameter(f);
		} else if (join_len(f) > 0) {
			/* Long lists are joined lines so that they can be read */
			f->pos += join_len(f);
			fputs("\\\n", f->out);
		} else {
			if (peek(f, 0) == '\\' && is_one_of(peek(f, 1), SPECIAL))
				f->pos++;
			put_literal(f, peek(f, 0));
			f->pos++;
		}
	}
	f->pos++;
}

static void put_value(struct fmt *f)
{
	while (f->pos < f->len && !is_one_of(peek(f, 0), " \t;\n")) {
		const int ch = peek(f, 0);

		if (ch == '"') {
			put_double_quoted(f);
		} else if (ch == '\'') {
			put_single_quoted(f);
		} else if (ch == '$') {
			put_parameter(f);
		} else if (join_len(f) > 0) {
			f->pos += join_len(f);
		} else if (ch == '\r' || (ch == '\\' && f->pos + 1 == f->len)) {
			f->pos++;
		} else {
			f->pos += ch == '\\';
			put_literal(f, peek(f, 0));
			f->pos++;
		}
	}
}

/* "name=value", perhaps behind "export" */
static void put_assignment(struct fmt *f)
{
	begin(f, false);
	while (f->pos < f->len && peek(f, 0) != '=') {
		if (is_name_byte(peek(f, 0)))
			putc(peek(f, 0), f->out);
		else if (is_name_byte(peek(f, 1)))
			putc(' ', f->out);
		f->pos++;
	}
	f->pos++;
	fputs("=\"", f->out);
	put_value(f);
	putc('"', f->out);
}

void rc_fmt(const char *text, size_t len, FILE *out)
{
	struct fmt f = { .text = text, .len = len, .out = out };

	while (f.pos < f.len) {
		if (is_one_of(peek(&f, 0), " \t\r\n;")) {
			f.n_lines += peek(&f, 0) == '\n';
			f.pos++;
		} else if (join_len(&f) > 0) {
			f.pos += join_len(&f);
		} else if (peek(&f, 0) == '#') {
			put_comment(&f);
		} else {
			put_assignment(&f);
		}
	}
	end(&f);
}

/* ---- sysctl.conf ------------------------------------------------------------------- */

/* Bytes up to one of @stops or the line's end, without blanks at either end */
static void put_trimmed(struct fmt *f, const char *stops)
{
	const char *from;
	size_t n;

	while (is_one_of(peek(f, 0), " \t\r"))
		f->pos++;
	from = f->text + f->pos;
	while (f->pos < f->len && !is_one_of(peek(f, 0), stops))
		f->pos++;
	n = (size_t)(f->text + f->pos - from);
	while (n > 0 && is_one_of(from[n - 1], " \t\r"))
		n--;
	fwrite(from, 1, n, f->out);
}

void sysctlconf_fmt(const char *text, size_t len, FILE *out)
{
	struct fmt f = { .text = text, .len = len, .out = out };

	while (f.pos < f.len) {
		if (is_one_of(peek(&f, 0), " \t\r\n")) {
			f.n_lines += peek(&f, 0) == '\n';
			f.pos++;
		} else if (peek(&f, 0) == '#') {
			put_comment(&f);
		} else {
			begin(&f, false);
			put_trimmed(&f, "=");
			putc('=', out);
			f.pos++;
			put_trimmed(&f, "#\n");
		}
	}
	end(&f);
}
