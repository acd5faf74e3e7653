/* SPDX-License-Identifier: BSD-2-Clause */
/* What every construct is read with: words, numbers, lists, and what is wrong with them */
#include "lang/pf/parse.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"

void pf_next(struct pf_parser *p)
{
	if (p->t.kind == '{' && p->depth++ == 0)
		p->open = p->t.at;
	if (p->t.kind == '}' && p->depth > 0)
		p->depth--;
	p->prev_hi = p->t.file_hi;
	p->t = pf_lex(&p->lx);
}

bool pf_is(const struct pf_parser *p, enum pf_word w)
{
	return p->t.kind == PT_WORD && p->t.word == w;
}

bool pf_accept(struct pf_parser *p, enum pf_word w)
{
	if (!pf_is(p, w))
		return false;
	pf_next(p);
	return true;
}

bool pf_is_name(const struct pf_parser *p)
{
	if (p->t.kind == PT_STRING)
		return true;
	return p->t.kind == PT_WORD && !pf_word_is_reserved(p->t.word);
}

bool pf_is_end(const struct pf_parser *p)
{
	return p->t.kind == PT_NL || p->t.kind == PT_EOF;
}

const char *pf_token_str(struct pf_parser *p)
{
	const char *nul = memchr(p->t.text, '\0', p->t.len);

	return intern_str(p->c->names, p->t.text,
			  nul != NULL ? (size_t)(nul - p->t.text) : p->t.len);
}

/* The token as a message names it */
static const char *token_name(struct pf_parser *p)
{
	const struct source *s;
	struct span at = p->t.at;

	if (p->t.kind == PT_EOF)
		return "the end of the file";
	if (p->t.kind == PT_NL)
		return "the end of the line";
	if (p->t.kind == PT_WORD || p->t.kind == PT_STRING)
		return arena_printf(p->c->a, "'%s'", pf_token_str(p));
	at = pf_span(p->c, p->f, at);
	s = source_at(p->c->sources, at.src);
	if (at.hi - at.lo == 1 && !isprint((unsigned char)s->text[at.lo]))
		return arena_printf(p->c->a, "byte 0x%02x", (unsigned char)s->text[at.lo]);
	return arena_printf(p->c->a, "'%.*s'", (int)(at.hi - at.lo), s->text + at.lo);
}

bool pf_unexpected(struct pf_parser *p, const char *what, unsigned int roles)
{
	const unsigned int have = p->t.kind == PT_WORD ? pf_word_roles(p->t.word) : 0;
	const char *nearest = NULL;

	if (p->t.kind == PT_BAD)
		return false;
	if ((have & (PWR_LATER | PWR_LATER_STATEMENT)) != 0)
		return pf_error(p, E1102, p->t.at, "'%s' is not in this version of sallyport",
				pf_word_text(p->t.word));
	if (p->t.kind == PT_WORD && have == 0)
		nearest = pf_word_nearest(pf_token_str(p), roles);
	pf_diag(p->c, p->f, E1101, p->t.at, "expected %s, found %s", what, token_name(p));
	if (nearest != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", nearest);
	if (p->t.kind == '$')
		diag_help(p->c->diags, "macros are not expanded within quotes or in the middle of "
			  "a word");
	return false;
}

bool pf_expect(struct pf_parser *p, int ch, const char *what)
{
	if (p->t.kind != ch)
		return pf_unexpected(p, what, 0);
	pf_next(p);
	return true;
}

bool pf_number(struct pf_parser *p, uint32_t max, const char *what, uint32_t *ret)
{
	uint64_t v = 0;

	if (p->t.kind != PT_WORD || p->t.len == 0)
		return pf_unexpected(p, what, 0);
	for (uint32_t i = 0; i < p->t.len; i++) {
		if (!isdigit((unsigned char)p->t.text[i]))
			return pf_unexpected(p, what, 0);
		v = MIN(v * 10 + (uint64_t)(p->t.text[i] - '0'), UINT32_MAX + UINT64_C(1));
	}
	if (v > max)
		return pf_error(p, E1111, p->t.at, "%s is not in 0..%u", pf_token_str(p), max);
	*ret = (uint32_t)v;
	pf_next(p);
	return true;
}

void pf_skip_lines(struct pf_parser *p)
{
	while (p->t.kind == PT_NL)
		pf_next(p);
}

bool pf_begins_statement(const struct pf_parser *p)
{
	return p->t.kind == PT_WORD &&
	       (pf_word_roles(p->t.word) & (PWR_STATEMENT | PWR_LATER_STATEMENT)) != 0;
}

bool pf_unclosed(struct pf_parser *p, struct span open)
{
	pf_diag(p->c, p->f, E1103, open, "the list that starts here is never closed");
	diag_note(p->c->diags, pf_span(p->c, p->f, p->t.at), "found %s instead of '}'",
		  token_name(p));
	return false;
}

static bool list_items(struct pf_parser *p, bool (*item)(struct pf_parser *p), struct span open)
{
	uint32_t n = 0;

	for (;;) {
		pf_skip_lines(p);
		if (p->t.kind == '}')
			break;
		if (p->t.kind == PT_EOF || pf_begins_statement(p))
			return pf_unclosed(p, open);
		if (!pf_list(p, item))
			return false;
		n++;
		pf_skip_lines(p);
		if (p->t.kind == ',')
			pf_next(p);
	}
	if (n == 0 && !p->may_be_empty)
		return pf_error(p, E1112, span_join(open, p->t.at), "the list is empty");
	pf_next(p);
	return true;
}

bool pf_list(struct pf_parser *p, bool (*item)(struct pf_parser *p))
{
	const struct span open = p->t.at;
	bool ok;

	if (p->t.kind != '{')
		return item(p);
	if (p->nesting >= LIMIT_NESTING)
		return pf_error(p, E1113, open, "lists are nested deeper than %u", LIMIT_NESTING);
	p->nesting++;
	pf_next(p);
	ok = list_items(p, item, open);
	p->nesting--;
	return ok;
}

bool pf_order(struct pf_parser *p, enum pf_order kind, struct span at)
{
	static const char *const names[] = {
		"", "an option", "a scrub rule", "a queue", "a translation rule", "a filter rule",
	};

	if (p->any_order || kind >= p->order) {
		p->order = MAX(p->order, kind);
		return true;
	}
	pf_diag(p->c, p->f, E1107, at, "%s after %s", names[kind], names[p->order]);
	diag_help(p->c->diags, "the order is: options, scrub, queueing, translation, filtering; "
		  "'set require-order no' at the top allows any");
	return false;
}

const char *pf_stmt_text(struct lang_ctx *c, struct span at)
{
	const struct source *s = source_at(c->sources, at.src);
	char *text = arena_alloc(c->a, (size_t)(at.hi - at.lo) + 1);
	char quote = '\0';
	uint32_t n = 0;

	for (uint32_t i = at.lo; i < at.hi; i++) {
		const char ch = s->text[i];
		const bool joins = ch == '\\' && i + 1 < at.hi &&
				   (s->text[i + 1] == '\n' || s->text[i + 1] == '\r');

		if (quote == '\0' && ch == '#') {
			while (i + 1 < at.hi && s->text[i + 1] != '\n')
				i++;
			continue;
		}
		if (ch == '"' || ch == '\'')
			quote = quote == '\0' ? ch : quote == ch ? '\0' : quote;
		if (joins || (unsigned char)ch <= ' ') {
			if (n > 0 && text[n - 1] != ' ')
				text[n++] = ' ';
		} else {
			text[n++] = ch;
		}
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}
