/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Canonical text is made from the words of the file and not from its tree, so
 * that comments, includes and the order of things stay where the author put
 * them.  What is decided here is what lies between words, and how a string is
 * quoted.
 *
 * The end of a line is written only when the next word or comment comes, for a
 * comment behind a semicolon stays behind it.
 */
#include <string.h>

#include "lang/jail/lex.h"
#include "lang/jail/print.h"
#include "lang/jail_make.h"

/**
 * struct fmt - Where printing stands
 * @lex:	Words
 * @comments:	Those before the next word
 * @text:	The source
 * @out:	Stream
 * @depth:	Jails that are open
 * @n_words:	Strings of the statement so far
 * @has_op:	"=" or "+=" was there
 * @ends_line:	What comes next starts a line, unless it is a comment behind this one
 * @opened:	The last word was "{", or nothing was printed yet
 * @last:	Where the last word or comment ended
 */
struct fmt {
	struct jail_lex lex;
	struct jail_comments comments;
	const char *text;
	FILE *out;
	uint32_t depth;
	uint32_t n_words;
	bool has_op;
	bool ends_line;
	bool opened;
	uint32_t last;
};

static uint32_t count_lines(const struct fmt *f, uint32_t lo, uint32_t hi)
{
	uint32_t n = 0;

	for (uint32_t i = lo; i < hi; i++)
		n += f->text[i] == '\n';
	return n;
}

static void indent(struct fmt *f)
{
	const uint32_t depth = f->depth + (f->n_words > 0);

	for (uint32_t i = 0; i < depth; i++)
		putc('\t', f->out);
}

/* Start a line for what stands at @lo; one empty line of several stays */
static void start_line(struct fmt *f, uint32_t lo, bool may_be_apart)
{
	if (!f->opened || f->depth > 0)
		putc('\n', f->out);
	if (may_be_apart && !f->opened && count_lines(f, f->last, lo) > 1)
		putc('\n', f->out);
	indent(f);
	f->ends_line = false;
	f->opened = false;
}

static bool is_to_line_end(const struct fmt *f, struct span at)
{
	return f->text[at.lo] == '#' || f->text[at.lo + 1] == '/';
}

static void print_comment(struct fmt *f, struct span at)
{
	const bool is_behind = count_lines(f, f->last, at.lo) == 0 && f->last > 0;

	while (at.hi > at.lo && strchr(" \t\r", f->text[at.hi - 1]) != NULL)
		at.hi--;
	if (!is_behind && (f->ends_line || f->n_words > 0 || f->opened))
		start_line(f, at.lo, f->n_words == 0);
	else
		putc(' ', f->out);
	fwrite(f->text + at.lo, 1, at.hi - at.lo, f->out);
	f->last = at.hi;
	/* Within a statement too nothing may stand behind a comment that goes to the end */
	if (f->n_words == 0 || is_to_line_end(f, at))
		f->ends_line = true;
	f->opened = false;
}

/* Before a word: the comments, and the start of a line or a blank */
static void print_before(struct fmt *f, bool wants_blank, bool may_be_apart)
{
	for (uint32_t i = 0; i < f->comments.list.n; i++)
		print_comment(f, f->comments.list.v[i]);
	f->comments.list.n = 0;
	if (f->ends_line || (f->opened && f->n_words == 0))
		start_line(f, f->lex.at.lo, may_be_apart);
	else if (wants_blank)
		putc(' ', f->out);
}

static void end_statement(struct fmt *f)
{
	f->n_words = 0;
	f->has_op = false;
	f->ends_line = true;
}

static bool is_include(const struct fmt *f)
{
	const struct jail_string *s = &f->lex.string;

	return s->parts.n == 1 && !s->parts.v[0].is_var && s->parts.v[0].len == 8 &&
	       memcmp(s->parts.v[0].s, ".include", 8) == 0;
}

/* A string: the first is a name, and between name and value stands "=" */
static void put_string(struct fmt *f)
{
	const bool is_name = f->n_words == 0;

	print_before(f, !is_name, is_name);
	if (!is_name && !f->has_op)
		fputs("= ", f->out);
	if (is_name)
		jail_print_name(&f->lex.string, f->out);
	else
		jail_print_string(&f->lex.string, f->out);
	f->has_op |= !is_name || is_include(f);
	f->n_words++;
}

static void put_op(struct fmt *f, const char *op)
{
	print_before(f, op[0] != ',', false);
	fputs(op, f->out);
	f->has_op = true;
}

static void put_semicolon(struct fmt *f)
{
	if (f->n_words == 0)	/* an empty statement: nothing to end */
		return;
	print_before(f, false, false);
	putc(';', f->out);
	end_statement(f);
}

static void put_brace(struct fmt *f, bool is_open)
{
	if (is_open) {
		print_before(f, true, false);
		putc('{', f->out);
		end_statement(f);
		f->depth++;
		f->opened = true;
		f->ends_line = false;
		return;
	}
	/* Comments above the brace belong to what is inside */
	for (uint32_t i = 0; i < f->comments.list.n; i++)
		print_comment(f, f->comments.list.v[i]);
	f->comments.list.n = 0;
	f->depth -= f->depth > 0;
	if (f->opened)
		putc('\n', f->out);
	else
		start_line(f, f->lex.at.lo, false);
	f->opened = false;
	putc('}', f->out);
	end_statement(f);
}

static void put_token(struct fmt *f, enum jail_token tok)
{
	switch (tok) {
	case JAIL_TOK_STRING:
		put_string(f);
		break;
	case JAIL_TOK_EQUALS:
		put_op(f, "=");
		break;
	case JAIL_TOK_PLUS_EQUALS:
		put_op(f, "+=");
		break;
	case JAIL_TOK_COMMA:
		put_op(f, ",");
		break;
	case JAIL_TOK_SEMICOLON:
		put_semicolon(f);
		break;
	case JAIL_TOK_OPEN:
	case JAIL_TOK_CLOSE:
		put_brace(f, tok == JAIL_TOK_OPEN);
		break;
	case JAIL_TOK_END:
	case JAIL_TOK_BAD:
		break;
	}
}

void jail_fmt(struct lang_ctx *c, uint32_t src, FILE *out)
{
	struct fmt f = { .out = out, .opened = true, .text = source_at(c->sources, src)->text };
	enum jail_token tok;

	jail_lex_init(&f.lex, c, src);
	f.lex.comments = &f.comments;
	while ((tok = jail_lex_next(&f.lex)) != JAIL_TOK_END) {
		put_token(&f, tok);
		f.last = f.lex.at.hi;
	}
	for (uint32_t i = 0; i < f.comments.list.n; i++)
		print_comment(&f, f.comments.list.v[i]);
	if (f.last > 0)
		putc('\n', out);
}
