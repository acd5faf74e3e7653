/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A value that is a plain word is printed bare, since so numbers and words are
 * written by everybody; all else stands in double quotes, in which variables
 * are replaced.  A variable is "$name" where what follows cannot be taken for a
 * part of its name.  The one variable that double quotes cannot hold, "${a"b}",
 * stands between two quoted strings, which are one string to jail(8).
 */
#include "lang/jail/print.h"

#include <string.h>

#include "lang/jail_make.h"

#define LETTERS	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_1	LETTERS "_"
#define NAME	NAME_1 "0123456789"
#define PLAIN	NAME ".-"
#define PLAIN_NAME PLAIN "*%:@"

static bool is_in(char ch, const char *set)
{
	return ch != '\0' && strchr(set, ch) != NULL;
}

/* Is the string literal, not empty, and of bytes of @set only */
static bool is_plain(const struct jail_string *s, const char *set)
{
	uint32_t len = 0;

	for (uint32_t i = 0; i < s->parts.n; i++) {
		const struct jail_part *p = &s->parts.v[i];

		if (p->is_var)
			return false;
		for (uint32_t n = 0; n < p->len; n++)
			if (!is_in(p->s[n], set))
				return false;
		len += p->len;
	}
	return len > 0;
}

static bool is_simple_name(const char *name)
{
	return is_in(name[0], NAME_1) && name[strspn(name, NAME)] == '\0';
}

/* The byte that will follow part @i in its string; '\0': a quote or another variable */
static char next_byte(const struct jail_string *s, uint32_t i)
{
	for (i++; i < s->parts.n; i++) {
		if (s->parts.v[i].is_var)
			return '\0';
		if (s->parts.v[i].len > 0)
			return s->parts.v[i].s[0];
	}
	return '\0';
}

static void print_var(const struct jail_string *s, uint32_t i, bool in_quotes, FILE *out)
{
	const char *name = s->parts.v[i].s;

	if (is_simple_name(name) && !is_in(next_byte(s, i), NAME))
		fprintf(out, "$%s", name);
	else if (in_quotes && strchr(name, '"') != NULL)
		fprintf(out, "\"${%s}\"", name);
	else
		fprintf(out, "${%s}", name);
}

static void print_byte(char ch, FILE *out)
{
	if (ch == '"' || ch == '\\' || ch == '$')
		fprintf(out, "\\%c", ch);
	else if (ch == '\r')
		fputs("\\r", out);
	else if (ch == 0x7f || (ch > 0 && ch < ' ' && ch != '\n' && ch != '\t'))
		fprintf(out, "\\x%02x", (unsigned char)ch);
	else
		putc(ch, out);
}

static void print_quoted(const struct jail_string *s, FILE *out)
{
	putc('"', out);
	for (uint32_t i = 0; i < s->parts.n; i++) {
		const struct jail_part *p = &s->parts.v[i];

		if (p->is_var)
			print_var(s, i, true, out);
		for (uint32_t n = 0; n < p->len && !p->is_var; n++)
			print_byte(p->s[n], out);
	}
	putc('"', out);
}

static void print_bare(const struct jail_string *s, FILE *out)
{
	for (uint32_t i = 0; i < s->parts.n; i++)
		fwrite(s->parts.v[i].s, 1, s->parts.v[i].len, out);
}

static void print_in(const struct jail_string *s, const char *plain, FILE *out)
{
	if (s->parts.n == 1 && s->parts.v[0].is_var)
		print_var(s, 0, false, out);
	else if (is_plain(s, plain))
		print_bare(s, out);
	else
		print_quoted(s, out);
}

void jail_print_name(const struct jail_string *s, FILE *out)
{
	print_in(s, PLAIN_NAME, out);
}

void jail_print_string(const struct jail_string *s, FILE *out)
{
	print_in(s, PLAIN, out);
}

/* A name that is no string any more */
static void print_word(const char *name, FILE *out)
{
	struct jail_part part = { .s = name, .len = (uint32_t)strlen(name) };
	struct jail_string s = { .parts = { .v = &part, .n = 1, .cap = 1 } };

	jail_print_name(&s, out);
}

static void print_stmt(const struct jail_stmt *st, const char *indent, FILE *out)
{
	fputs(indent, out);
	if (st->is_var)
		fprintf(out, is_simple_name(st->name) ? "$%s" : "${%s}", st->name);
	else
		print_word(st->name, out);
	for (uint32_t i = 0; i < st->values.n; i++) {
		fputs(i > 0 ? ", " : st->op == JAIL_APPEND ? " += " : " = ", out);
		jail_print_string(&st->values.v[i], out);
	}
	fputs(";\n", out);
}

void jail_print(const struct jail_file *f, FILE *out)
{
	for (uint32_t i = 0; i < f->blocks.n; i++) {
		const struct jail_block *b = &f->blocks.v[i];
		const bool is_global = strcmp(b->name, "*") == 0;

		if (i > 0)
			putc('\n', out);
		if (!is_global) {
			print_word(b->name, out);
			fputs(" {\n", out);
		}
		for (uint32_t n = 0; n < b->stmts.n; n++)
			print_stmt(&b->stmts.v[n], is_global ? "" : "\t", out);
		if (!is_global)
			fputs("}\n", out);
	}
}
