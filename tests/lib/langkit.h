/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * langkit - what the unit tests of the languages share
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef TESTS_LANGKIT_H
#define TESTS_LANGKIT_H

#include "diag/diag.h"
#include "unit.h"

/* All diagnostics as people read them, to be freed */
static inline char *langkit_told(const struct diags *d)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	diag_print(d, f, false, DIAG_NOTE);
	fclose(f);
	return text;
}

/* How often a code was told */
static inline int langkit_count(const struct diags *d, enum diag_code code)
{
	int n = 0;

	for (uint32_t i = 0; i < d->list.n; i++)
		n += d->list.v[i].code == code;
	return n;
}

/* Does a span lie in its source? */
static inline bool langkit_span_ok(const struct sources *s, struct span at)
{
	return at.src == 0 || (at.src < s->list.n && at.lo <= at.hi &&
			       at.hi <= source_at(s, at.src)->len);
}

/* Every span that was told lies in its source */
static inline void langkit_spans_check(const struct diags *d)
{
	for (uint32_t i = 0; i < d->list.n; i++) {
		const struct diag *g = &d->list.v[i];

		CHECK(langkit_span_ok(d->sources, g->at));
		for (uint32_t n = 0; n < g->more.n; n++)
			CHECK(langkit_span_ok(d->sources, g->more.v[n].at));
	}
}

/* A file, to be freed; "" where there is none */
static inline char *langkit_file(const char *name)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len), *f = fopen(name, "r");

	for (int ch; f != NULL && (ch = getc(f)) != EOF; )
		putc(ch, out);
	if (f != NULL)
		fclose(f);
	fclose(out);
	return text;
}

/* Bytes of a text become others, and its end may be missing */
static inline void langkit_damage(char *text, const char *bytes)
{
	const size_t len = strlen(text), n_bytes = strlen(bytes);

	for (uint64_t n = 1 + unit_below(4); n > 0; n--)
		text[unit_below(len)] = bytes[unit_below(n_bytes)];
	text[len - unit_below(unit_below(2) * 200 + 1)] = '\0';
}

/* Pieces and words (up to a NULL), @n of them, most with a space behind */
static inline const char *langkit_words(struct arena *a, uint64_t n, const char *const *pieces,
					size_t n_pieces, const char *const *words)
{
	uint32_t n_words = 0;
	const char *s = "";

	while (words[n_words] != NULL)
		n_words++;
	for (; n > 0; n--)
		s = arena_printf(a, "%s%s%s", s, unit_below(2) == 0 ?
				 pieces[unit_below(n_pieces)] : words[unit_below(n_words)],
				 unit_below(20) != 0 ? " " : "");
	return s;
}

#endif /* TESTS_LANGKIT_H */
