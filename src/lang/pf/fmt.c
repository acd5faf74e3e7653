/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Canonical source is made from the words of the file and not from the AST:
 * macros, comments, includes and the author's choice of words and lines stay,
 * and what changes is the space between them.  So the text says the same
 * because it has the same words, and a second time nothing is left to change.
 *
 * Where blanks have a meaning (a macro that goes on, "$if:network") they are
 * as they were.
 */
#include <ctype.h>
#include <string.h>

#include "lang/pf.h"
#include "lang/pf/words.h"

enum piece_kind { FP_END, FP_NEWLINE, FP_JOIN, FP_COMMENT, FP_WORD, FP_STRING, FP_MARK };

/**
 * struct piece - A word of the file, or what stands between words
 * @kind:	What it is; FP_JOIN is a line continuation
 * @s:		Its bytes
 * @len:	How many
 * @glued:	Nothing stood before it in its line
 */
struct piece {
	enum piece_kind kind;
	const char *s;
	uint32_t len;
	bool glued;
};

struct fmt {
	const char *text;
	uint32_t len;
	uint32_t pos;
	FILE *out;
};

static char at(const struct fmt *f, uint32_t pos)
{
	return pos < f->len ? f->text[pos] : '\0';
}

static uint32_t join_len(const struct fmt *f, uint32_t pos)
{
	if (at(f, pos) != '\\')
		return 0;
	if (at(f, pos + 1) == '\n')
		return 2;
	return at(f, pos + 1) == '\r' && at(f, pos + 2) == '\n' ? 3 : 0;
}

static bool in_word(char c)
{
	return c > 0x20 && c < 0x7f && strchr("(){}<>!=/#,\"'\\", c) == NULL;
}

/* To its end, a continued line included, as the lexer reads it */
static uint32_t comment_end(const struct fmt *f, uint32_t pos)
{
	while (pos < f->len && f->text[pos] != '\n') {
		const uint32_t join = join_len(f, pos);

		pos += join > 0 ? join : 1;
	}
	return pos;
}

static uint32_t string_end(const struct fmt *f, uint32_t pos)
{
	const char quote = f->text[pos++];

	while (pos < f->len && f->text[pos] != quote)
		pos += f->text[pos] == '\\' && at(f, pos + 1) == quote ? 2 : 1;
	return pos < f->len ? pos + 1 : f->len;
}

/* A continuation in the middle of a word belongs to it */
static uint32_t word_end(const struct fmt *f, uint32_t pos)
{
	for (;;) {
		const uint32_t join = join_len(f, pos);

		if (join > 0 && in_word(at(f, pos + join)))
			pos += join;
		else if (in_word(at(f, pos)))
			pos++;
		else
			return pos;
	}
}

static uint32_t macro_end(const struct fmt *f, uint32_t pos)
{
	pos++;
	while (isalnum((unsigned char)at(f, pos)) || at(f, pos) == '_')
		pos++;
	return pos;
}

static uint32_t mark_end(const struct fmt *f, uint32_t pos)
{
	static const char *const pairs[] = { "->", "!=", "<=", ">=", "><", "<>" };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		if (at(f, pos) == pairs[i][0] && at(f, pos + 1) == pairs[i][1])
			return pos + 2;
	return pos + 1;
}

static struct piece next_piece(struct fmt *f)
{
	struct piece p = { .glued = true };
	uint32_t end;
	char c;

	while (at(f, f->pos) == ' ' || at(f, f->pos) == '\t' ||
	       (at(f, f->pos) == '\r' && f->pos < f->len)) {
		p.glued = false;
		f->pos++;
	}
	p.s = f->text + f->pos;
	if (f->pos >= f->len)
		return p;
	c = f->text[f->pos];
	end = f->pos + 1;
	if (c == '\n') {
		p.kind = FP_NEWLINE;
	} else if (join_len(f, f->pos) > 0) {
		p.kind = FP_JOIN;
		end = f->pos + join_len(f, f->pos);
	} else if (c == '#') {
		p.kind = FP_COMMENT;
		end = comment_end(f, f->pos);
	} else if (c == '"' || c == '\'') {
		p.kind = FP_STRING;
		end = string_end(f, f->pos);
	} else if (c == '$') {
		p.kind = FP_WORD;
		end = macro_end(f, f->pos);
	} else if (isalnum((unsigned char)c) || c == ':' || c == '_') {
		p.kind = FP_WORD;
		end = word_end(f, f->pos);
	} else {
		p.kind = FP_MARK;
		end = mark_end(f, f->pos);
	}
	p.len = end - f->pos;
	f->pos = end;
	return p;
}

static bool is_mark(const struct piece *p, const char *s)
{
	return p->kind == FP_MARK && p->len == strlen(s) && memcmp(p->s, s, p->len) == 0;
}

static bool is_word(const struct piece *p, enum pf_word w)
{
	return p->kind == FP_WORD && pf_word_find(p->s, p->len) == w;
}

/**
 * struct line - Where printing stands
 * @prev:	What was printed last in this statement
 * @before:	What was printed before that
 * @is_start:	Nothing of this line is printed yet
 * @is_statement: Nothing of this statement is printed yet
 * @is_anchor:	The statement begins with "anchor"
 * @in_table:	Between '<' and '>' of a table's name
 * @depth:	Blocks around the statement
 * @lists:	Lists open in it
 * @blank:	A blank line is due
 */
struct line {
	struct piece prev;
	struct piece before;
	bool is_start;
	bool is_statement;
	bool is_anchor;
	bool in_table;
	uint32_t depth;
	uint32_t lists;
	bool blank;
};

/* Does '<' here begin the name of a table: a word and '>' follow */
static bool begins_table(const struct fmt *f, const struct line *l)
{
	struct fmt ahead = *f;
	struct piece name, close;

	if (l->prev.kind == FP_WORD && is_word(&l->prev, PW_PORT))
		return false;
	name = next_piece(&ahead);
	close = next_piece(&ahead);
	return (name.kind == FP_WORD || name.kind == FP_STRING) && is_mark(&close, ">");
}

/* A blank between what was printed last and @p */
static bool wants_blank(const struct line *l, const struct piece *p)
{
	const struct piece *a = &l->prev;

	if (l->in_table || is_mark(a, "(") || is_mark(p, ")") || is_mark(p, ","))
		return false;
	if (is_mark(p, "/"))
		return !p->glued;
	if (is_mark(a, "/"))
		return !p->glued;
	/* What follows a macro goes on its word; ":0" may follow "(em0)" */
	if (p->kind == FP_WORD && (a->kind == FP_WORD || p->s[0] == ':') && p->glued)
		return false;
	if ((p->kind == FP_STRING || p->kind == FP_WORD) &&
	    (a->kind == FP_STRING || a->kind == FP_WORD) && p->glued)
		return false;
	if (is_mark(p, "(") && a->kind == FP_WORD)
		return !p->glued;
	return true;
}

static void indent(struct fmt *f, const struct line *l, const struct piece *p)
{
	uint32_t n = l->depth;

	if (!l->is_statement && !(is_mark(p, "}") && l->lists == 1))
		n++;
	if (l->is_statement && is_mark(p, "}") && n > 0)
		n--;
	while (n-- > 0)
		putc('\t', f->out);
}

static void put(struct fmt *f, struct line *l, const struct piece *p)
{
	uint32_t len = p->len;

	if (p->kind == FP_COMMENT)
		while (len > 0 && (p->s[len - 1] == ' ' || p->s[len - 1] == '\t' ||
				   p->s[len - 1] == '\r'))
			len--;
	if (l->blank) {
		putc('\n', f->out);
		l->blank = false;
	}
	if (l->is_start)
		indent(f, l, p);
	else if (p->kind == FP_COMMENT || wants_blank(l, p))
		putc(' ', f->out);
	fwrite(p->s, 1, len, f->out);
	l->is_start = false;
}

static void track(struct fmt *f, struct line *l, const struct piece *p)
{
	if (l->is_statement)
		l->is_anchor = is_word(p, PW_ANCHOR);
	if (is_mark(p, "{"))
		l->lists++;
	if (is_mark(p, "}") && l->lists > 0)
		l->lists--;
	else if (is_mark(p, "}") && l->depth > 0)
		l->depth--;
	if (is_mark(p, "<"))
		l->in_table = begins_table(f, l);
	else if (is_mark(p, ">"))
		l->in_table = false;
	l->before = l->prev;
	l->prev = *p;
	l->is_statement = false;
}

/* The end of a line: of a statement, of a block's head, or within a list */
static void end_line(struct fmt *f, struct line *l, bool *was_blank)
{
	if (l->is_start) {
		*was_blank = true;
		return;
	}
	putc('\n', f->out);
	l->is_start = true;
	if (l->is_anchor && l->lists == 1 && is_mark(&l->prev, "{")) {
		l->lists = 0;
		l->depth++;
		l->is_statement = true;
	} else if (l->lists == 0) {
		l->is_statement = true;
	}
	if (l->is_statement)
		l->prev = (struct piece){ .kind = FP_END };
}

void pf_fmt(const char *text, uint32_t len, FILE *out)
{
	struct fmt f = { .text = text, .len = len, .out = out };
	struct line l = { .is_start = true, .is_statement = true };
	bool was_blank = false, any = false;

	for (struct piece p = next_piece(&f); p.kind != FP_END; p = next_piece(&f)) {
		if (p.kind == FP_NEWLINE) {
			end_line(&f, &l, &was_blank);
			continue;
		}
		if (p.kind == FP_JOIN) {
			/* At the start of a line it joins nothing */
			if (l.is_start && l.is_statement)
				continue;
			fputs(l.is_start ? "\\\n" : " \\\n", out);
			l.is_start = true;
			continue;
		}
		l.blank = was_blank && any;
		was_blank = false;
		put(&f, &l, &p);
		any = true;
		if (p.kind != FP_COMMENT)
			track(&f, &l, &p);
	}
	if (!l.is_start)
		putc('\n', out);
}
