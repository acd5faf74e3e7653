/* SPDX-License-Identifier: BSD-2-Clause */
#include "diag/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/limits.h"

const struct diag_code_info diag_codes[DIAG_N_CODES] = {
#define X(code, severity, title, text) { #code, severity, title, text },
#include "diag/codes/all.def"
#undef X
};

static const char *const severity_names[] = {
	[DIAG_ERROR] = "error",
	[DIAG_WARNING] = "warning",
	[DIAG_NOTE] = "note",
};

const char *diag_severity_name(enum diag_severity s)
{
	return severity_names[s];
}

void diags_init(struct diags *d, struct arena *a, struct sources *sources)
{
	*d = (struct diags){ .a = a, .sources = sources };
}

static bool same_span(struct span a, struct span b)
{
	return a.src == b.src && a.lo == b.lo && a.hi == b.hi;
}

void diag_add(struct diags *d, enum diag_code code, struct span at, const char *fmt, ...)
{
	const char *message;
	const bool is_error = diag_codes[code].severity == DIAG_ERROR;
	struct diag *g;
	va_list ap;

	d->last = 0;
	if (is_error ? d->n_errors >= LIMIT_ERRORS : d->n_others >= LIMIT_WARNINGS) {
		*(is_error ? &d->n_errors : &d->n_others) += 1;
		return;
	}
	va_start(ap, fmt);
	message = arena_vprintf(d->a, fmt, ap);
	va_end(ap);
	for (uint32_t i = 0; i < d->list.n; i++) {
		g = &d->list.v[i];
		/* Said before, with its notes */
		if (g->code == code && same_span(g->at, at) && strcmp(g->message, message) == 0)
			return;
	}
	d->last = d->list.n;
	g = vec_push(d->a, &d->list);
	g->code = code;
	g->at = at;
	g->message = message;
	*(is_error ? &d->n_errors : &d->n_others) += 1;
	d->last = d->list.n;
}

static void add_more(struct diags *d, struct span at, bool is_help, const char *text)
{
	struct diag *g;

	BUG_IF(d->n_errors + d->n_others == 0);
	if (d->last == 0)
		return;
	g = &d->list.v[d->last - 1];
	vec_add(d->a, &g->more, ((struct diag_more){ at, text, is_help }));
}

void diag_note(struct diags *d, struct span at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_more(d, at, false, arena_vprintf(d->a, fmt, ap));
	va_end(ap);
}

void diag_help(struct diags *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_more(d, SPAN_NONE, true, arena_vprintf(d->a, fmt, ap));
	va_end(ap);
}

bool diag_is_full(const struct diags *d)
{
	return d->n_errors >= LIMIT_ERRORS;
}

#define MAX_EDITS	2u	/* more make it another word */

/* Letters to add, drop, change or swap with their neighbour; @limit + 1 when it is more */
static size_t distance(const char *a, const char *b, size_t limit)
{
	size_t row[65], above[65], next[65];
	const size_t na = strlen(a), nb = strlen(b);

	if (na > 64 || nb > 64 || (na > nb ? na - nb : nb - na) > limit)
		return limit + 1;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		next[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			next[j] = MIN(row[j - 1] + (a[i - 1] != b[j - 1]),
				      MIN(row[j], next[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				next[j] = MIN(next[j], above[j - 2] + 1);
		}
		memcpy(above, row, sizeof(row));
		memcpy(row, next, sizeof(row));
	}
	return row[nb];
}

const char *diag_nearest(const char *word, const char *const *words)
{
	const char *best = NULL;
	size_t best_distance = MAX_EDITS + 1;

	for (; *words != NULL; words++) {
		const size_t n = distance(word, *words, MAX_EDITS);
		/* "prot" is rather the beginning of "proto" than a twisted "port" */
		const bool is_begun = strncmp(word, *words, strlen(word)) == 0;

		if (n <= MAX_EDITS && n * 2 < strlen(*words) && n < best_distance + is_begun) {
			best = *words;
			best_distance = n;
		}
	}
	return best;
}

enum diag_code diag_code_find(const char *name)
{
	for (int c = 0; c < DIAG_N_CODES; c++)
		if (strcmp(diag_codes[c].name, name) == 0)
			return (enum diag_code)c;
	return DIAG_N_CODES;
}
