/* SPDX-License-Identifier: BSD-2-Clause */
#include "diag/diag.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#define LINE_MAX_BYTES	160u	/* of a source line; the rest is not shown */

static const char *const colour_of[] = {
	[DIAG_ERROR] = "\033[1;31m",
	[DIAG_WARNING] = "\033[1;35m",
	[DIAG_NOTE] = "\033[1;36m",
};

/* Length of the UTF-8 sequence at @s, or 0 if there is none */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	const size_t n = s[0] < 0x80 ? 1 : (s[0] >> 5) == 6 ? 2 : (s[0] >> 4) == 14 ? 3 :
			 (s[0] >> 3) == 30 ? 4 : 0;
	uint32_t cp;

	if (n == 0 || n > left)
		return 0;
	if (n == 1)
		return 1;
	cp = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u) || cp > 0x10ffff ||
	    (cp >= 0xd800 && cp < 0xe000))
		return 0;
	return n;
}

/* Does the character at @s, @n bytes of UTF-8, move the cursor or the text around it */
static bool is_control(const unsigned char *s, size_t n)
{
	uint32_t cp;

	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (n != 3)
		return false;
	cp = (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
	return (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

/* Bytes that print_safe() shows as one character, > 0 */
static size_t char_len(const char *s, size_t left)
{
	return MAX(utf8_len((const unsigned char *)s, left), 1);
}

/* User text with what could drive a terminal taken out */
static void print_safe(FILE *out, const char *s, size_t len)
{
	while (len > 0) {
		const size_t n = utf8_len((const unsigned char *)s, len);

		if (n == 0 || (*s != '\t' && is_control((const unsigned char *)s, n)))
			putc('?', out);
		else
			fwrite(s, 1, n, out);
		s += MAX(n, 1);
		len -= MAX(n, 1);
	}
}

/* The source line and a caret under [@lo, @hi) of it */
static void print_line(FILE *out, const struct place *p, uint32_t span_len)
{
	const uint32_t col = MIN(p->column - 1, p->text_len);
	const uint32_t span_end = span_len < p->text_len - col ? col + span_len : p->text_len;
	uint32_t from = 0, end, i;

	if (col >= LINE_MAX_BYTES / 2 && p->text_len > LINE_MAX_BYTES)
		from = col - LINE_MAX_BYTES / 2;
	end = MIN(p->text_len, from + LINE_MAX_BYTES);
	fprintf(out, "%5u | ", p->line);
	print_safe(out, p->text + from, end - from);
	fprintf(out, "\n      | ");
	for (i = from; i < col; i += (uint32_t)char_len(p->text + i, end - i))
		putc(p->text[i] == '\t' ? '\t' : ' ', out);
	putc('^', out);
	if (i < end)
		i += (uint32_t)char_len(p->text + i, end - i);
	for (; i < MIN(span_end, end); i += (uint32_t)char_len(p->text + i, end - i))
		putc('~', out);
	putc('\n', out);
}

static void print_at(const struct diags *d, FILE *out, struct span at, const char *label,
		     const char *colour, const char *text, const char *code)
{
	const struct place p = source_place(d->sources, at);

	if (p.name != NULL) {
		print_safe(out, p.name, strlen(p.name));
		fprintf(out, ":%u:%u: ", p.line, p.column);
	} else {
		fputs("sallyport: ", out);
	}
	fprintf(out, "%s%s:%s ", colour, label, colour[0] != '\0' ? "\033[0m" : "");
	print_safe(out, text, strlen(text));
	if (code != NULL)
		fprintf(out, " [%s]", code);
	putc('\n', out);
	if (p.name != NULL)
		print_line(out, &p, at.hi - at.lo);
}

static void print_one(const struct diags *d, FILE *out, const struct diag *g, bool colour)
{
	const struct diag_code_info *info = &diag_codes[g->code];
	struct span at = g->at;

	print_at(d, out, at, diag_severity_name(info->severity),
		 colour ? colour_of[info->severity] : "", g->message, info->name);
	while (at.src != 0 && source_at(d->sources, at.src)->used_at.src != 0) {
		at = source_at(d->sources, at.src)->used_at;
		print_at(d, out, at, "note", colour ? colour_of[DIAG_NOTE] : "",
			 "expanded from here", NULL);
	}
	for (uint32_t i = 0; i < g->more.n; i++) {
		const struct diag_more *m = &g->more.v[i];

		if (m->is_help || m->at.src == 0) {
			fputs(m->is_help ? "help: " : "note: ", out);
			print_safe(out, m->text, strlen(m->text));
			putc('\n', out);
		} else {
			print_at(d, out, m->at, "note", colour ? colour_of[DIAG_NOTE] : "",
				 m->text, NULL);
		}
	}
}

/* In one write where @out does not gather: others may write to the same place meanwhile */
static void print_whole(const struct diags *d, FILE *out, const struct diag *g, bool colour)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	ssize_t n;
	FILE *whole = open_memstream(&text, &len);

	if (whole == NULL) {
		print_one(d, out, g, colour);
		return;
	}
	print_one(d, whole, g, colour);
	fclose(whole);
	/* stdio takes a stream that is buffered by lines apart into those */
	fflush(out);
	n = fileno(out) < 0 ? 0 : write(fileno(out), text, len);
	n = MAX(n, 0);
	fwrite(text + n, 1, len - (size_t)n, out);
}

void diag_print(const struct diags *d, FILE *out, bool colour, enum diag_severity min)
{
	for (uint32_t i = 0; i < d->list.n; i++)
		if (diag_codes[d->list.v[i].code].severity <= min)
			print_whole(d, out, &d->list.v[i], colour);
	if (diag_is_full(d))
		fprintf(out, "sallyport: stopped after %u errors\n", LIMIT_ERRORS);
	if (d->n_others > LIMIT_WARNINGS && min != DIAG_ERROR)
		fprintf(out, "sallyport: %u more warnings and notes are not shown\n",
			d->n_others - LIMIT_WARNINGS);
}

void json_string(FILE *out, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;

	putc('"', out);
	while (len > 0) {
		const size_t n = utf8_len(p, len);

		if (n == 0)
			fputs("\\ufffd", out);
		else if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '\t')
			fputs("\\t", out);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(out, "\\u%04x", *p);
		else
			fwrite(p, 1, n, out);
		p += n == 0 ? 1 : n;
		len -= n == 0 ? 1 : n;
	}
	putc('"', out);
}

void json_cstring(FILE *out, const char *s)
{
	if (s == NULL)
		fputs("null", out);
	else
		json_string(out, s, strlen(s));
}

/* Where something stands, without the brace that ends it */
static void json_place(const struct diags *d, struct span at, FILE *out)
{
	const struct place p = source_place(d->sources, source_file_span(d->sources, at));

	fputs("{\"file\": ", out);
	json_cstring(out, p.name);
	fprintf(out, ", \"line\": %u, \"column\": %u, ", p.line, p.column);
}

static void json_more(const struct diags *d, const struct diag *g, FILE *out)
{
	if (g->more.n == 0)
		return;
	fputs(", \"more\": [", out);
	for (uint32_t i = 0; i < g->more.n; i++) {
		const struct diag_more *m = &g->more.v[i];

		fputs(i > 0 ? ", " : "", out);
		json_place(d, m->at, out);
		fprintf(out, "\"kind\": \"%s\", \"message\": ", m->is_help ? "help" : "note");
		json_cstring(out, m->text);
		putc('}', out);
	}
	putc(']', out);
}

void diag_json(const struct diags *d, FILE *out, bool errors)
{
	const char *comma = "";

	putc('[', out);
	for (uint32_t i = 0; i < d->list.n; i++) {
		const struct diag *g = &d->list.v[i];
		const struct diag_code_info *info = &diag_codes[g->code];

		if ((info->severity == DIAG_ERROR) != errors)
			continue;
		fputs(comma, out);
		json_place(d, g->at, out);
		fprintf(out, "\"code\": \"%s\", \"severity\": \"%s\", \"message\": ", info->name,
			diag_severity_name(info->severity));
		json_cstring(out, g->message);
		json_more(d, g, out);
		putc('}', out);
		comma = ", ";
	}
	putc(']', out);
}
