/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Scripts, and people, know ipfw's refusals by their first line and the exit
 * status; the line with the place and the help comes after it.  The table has
 * ipfw's wording for each kind of error; where it has none, ours is used.
 */
#include <stdarg.h>
#include <string.h>

#include "cli/ipfw.h"

#define EX_ERRNO	1	/* errx(EX_..) was not thought of: unknown interface name */

/* %s is the word that is wrong */
static const struct {
	enum diag_code code;
	int status;
	const char *text;
} wordings[] = {
	{ DIAG_E2001, EX_USAGE, "bad command `%s'" },
	{ DIAG_E2002, EX_USAGE, NULL },
	{ DIAG_E2003, EX_USAGE, "unrecognised option [-1] %s" },
	{ DIAG_E2004, EX_UNAVAILABLE, NULL },
	{ DIAG_E2006, EX_DATAERR, "invalid action %s" },
	{ DIAG_E2008, EX_NOHOST, "hostname ``%s'' unknown" },
	{ DIAG_E2018, EX_ERRNO, "unknown interface name %s" },
};

void ipfw_say(struct cli *c, struct span at, const char *fmt, ...)
{
	const struct place p = source_place(&c->sources, source_file_span(&c->sources, at));
	va_list ap;

	fflush(stdout);
	if (c->ipfw != NULL && c->ipfw->is_file && at.src == c->ipfw->src)
		fprintf(stderr, "Line %u: ", p.line);
	else
		fputs("ipfw: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
}

/* The first line of a refusal; with --json it stands among the errors */
static void tell(struct cli *c, struct span at, const char *text)
{
	if (!c->json)
		ipfw_say(c, at, "%s", text);
}

static struct diag *first_error(struct cli *c)
{
	for (uint32_t i = 0; i < c->diags.list.n; i++)
		if (diag_codes[c->diags.list.v[i].code].severity == DIAG_ERROR)
			return &c->diags.list.v[i];
	return NULL;
}

static const char *word_of(struct cli *c, struct span at)
{
	const struct source *s;

	if (at.src == 0)
		return "";
	s = source_at(&c->sources, at.src);
	return arena_strndup(&c->arena, s->text + at.lo, at.hi - at.lo);
}

/* "missing ``to'' after 'any'": ipfw says what is missing, and no more */
static const char *without_place(struct cli *c, const char *message)
{
	const char *end = strstr(message, " after '");

	if (end == NULL)
		end = strstr(message, " before '");
	return end != NULL ? arena_strndup(&c->arena, message, (size_t)(end - message)) : message;
}

/* "bad width '40'" with ipfw's quotes */
static const char *with_quotes(struct cli *c, const char *message)
{
	const char *open = strchr(message, '\''), *close = strrchr(message, '\'');

	if (open == NULL || open == close)
		return message;
	return arena_printf(&c->arena, "%.*s``%.*s''%s", (int)(open - message), message,
			    (int)(close - open - 1), open + 1, close + 1);
}

int ipfw_refused(struct cli *c, int status)
{
	struct diag *d = first_error(c);
	const char *word;

	if (d == NULL)
		return status;
	if (d->at.src == 0 && !c->json) {	/* one line says it all */
		ipfw_say(c, d->at, "%s [%s]", d->message, diag_codes[d->code].name);
		*d = c->diags.list.v[--c->diags.list.n];
		return status;
	}
	word = word_of(c, d->at);
	if (d->code == DIAG_E2013 && strncmp(d->message, "not an IPv4 address", 19) == 0) {
		tell(c, d->at, arena_printf(&c->arena, "bad ip address ``%s''", word));
		return EX_DATAERR;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wordings); i++) {
		const char *text = wordings[i].text, *percent;

		if (wordings[i].code != d->code)
			continue;
		if (text == NULL) {
			tell(c, d->at, without_place(c, d->message));
			return wordings[i].status;
		}
		percent = strstr(text, "%s");
		tell(c, d->at, arena_printf(&c->arena, "%.*s%s%s", (int)(percent - text), text,
					    word,
					    percent + 2));
		return wordings[i].status;
	}
	tell(c, d->at, d->code == DIAG_E2007 ? with_quotes(c, d->message) : d->message);
	return status;
}
