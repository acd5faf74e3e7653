/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The lexer reads one stream of characters that comes from the file and, while
 * a macro is in use, from its value.  peek() joins the two and takes line
 * continuations out, so that the functions above it see neither.
 *
 * A word keeps a pointer into its source; only a word that is put together
 * from two places (a macro and what follows it, two lines) is copied.
 */
#include "lang/pf/lex.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"

#define END	(-1)

void pf_lex_init(struct pf_lexer *lx, struct lang_ctx *c, struct pf_file *f, uint32_t src)
{
	const struct source *s = source_at(c->sources, src);

	*lx = (struct pf_lexer){ .c = c, .f = f, .src = src, .text = s->text, .len = s->len };
}

struct pf_macro *pf_macro_find(const struct pf_file *f, const char *name)
{
	for (uint32_t i = 0; i < f->macros.n; i++)
		if (f->macros.v[i]->name == name)
			return f->macros.v[i];
	return NULL;
}

void pf_macro_set(struct lang_ctx *c, struct pf_file *f, const struct pf_macro *m)
{
	for (uint32_t i = 0; i < f->macros.n; i++) {
		if (f->macros.v[i]->name != m->name)
			continue;
		if (f->macros.v[i]->is_fixed)
			return;
		/* A new object: uses so far keep the old value */
		f->macros.v[i] = arena_new(c->a, struct pf_macro);
		*f->macros.v[i] = *m;
		return;
	}
	vec_add(c->a, &f->macros, arena_new(c->a, struct pf_macro));
	*f->macros.v[f->macros.n - 1] = *m;
}

struct span pf_span(struct lang_ctx *c, const struct pf_file *f, struct span at)
{
	struct pf_use *u;

	if ((at.src & PF_VIRTUAL) == 0)
		return at;
	u = &f->uses->list.v[at.src & ~PF_VIRTUAL];
	if (u->src == 0) {
		u->src = sources_add(c->sources, arena_printf(c->a, "macro '%s'", u->macro->name),
				     u->macro->text, u->macro->len, u->at);
		c->sources->list.v[u->src].origin = u->macro->def;
	}
	return (struct span){ u->src, at.lo, at.hi };
}

static bool in_macro(const struct pf_lexer *lx)
{
	return lx->macro != NULL && lx->macro_pos < lx->macro_len;
}

/* Bytes of a line continuation at @pos of the file, or 0 */
static uint32_t continuation(const struct pf_lexer *lx, uint32_t pos)
{
	if (pos + 1 < lx->len && lx->text[pos] == '\\' && lx->text[pos + 1] == '\n')
		return 2;
	if (pos + 2 < lx->len && lx->text[pos] == '\\' && lx->text[pos + 1] == '\r' &&
	    lx->text[pos + 2] == '\n')
		return 3;
	return 0;
}

/* The next character, which stays there */
static int peek(struct pf_lexer *lx)
{
	uint32_t skip;

	if (in_macro(lx)) {
		const unsigned char c = (unsigned char)lx->macro[lx->macro_pos];

		return c == '\n' ? ' ' : c;	/* a value of -D may hold a newline */
	}
	while ((skip = continuation(lx, lx->pos)) > 0)
		lx->pos += skip;
	return lx->pos < lx->len ? (unsigned char)lx->text[lx->pos] : END;
}

static void advance(struct pf_lexer *lx)
{
	if (in_macro(lx))
		lx->macro_pos++;
	else if (lx->pos < lx->len)
		lx->pos++;
}

/* Where the next character is */
static struct span here(const struct pf_lexer *lx)
{
	if (in_macro(lx))
		return (struct span){ lx->macro_src, lx->macro_pos, lx->macro_pos + 1 };
	return (struct span){ lx->src, lx->pos, MIN(lx->pos + 1, lx->len) };
}

static uint32_t file_lo(const struct pf_lexer *lx, struct span at)
{
	return at.src == lx->src ? at.lo : lx->use.lo;
}

/* From the character at @start to the one before the next */
static struct span span_since(const struct pf_lexer *lx, struct span start)
{
	if (start.src == lx->src)
		return (struct span){ lx->src, start.lo, MAX(start.lo, lx->pos) };
	if (lx->macro != NULL && lx->pos == lx->use.hi)
		return (struct span){ start.src, start.lo, lx->macro_pos };
	return (struct span){ lx->src, lx->use.lo, lx->pos };
}

static struct pf_token token_since(const struct pf_lexer *lx, int kind, struct span start)
{
	return (struct pf_token){
		.kind = kind,
		.at = span_since(lx, start),
		.file_lo = file_lo(lx, start),
		.file_hi = lx->pos,
	};
}

/* Leave out a comment; its end stays */
static void skip_comment(struct pf_lexer *lx)
{
	const uint32_t start = in_macro(lx) ? lx->use.lo : lx->pos;
	bool told = false;

	lx->macro = NULL;
	while (lx->pos < lx->len && lx->text[lx->pos] != '\n') {
		const uint32_t skip = continuation(lx, lx->pos);

		if (skip > 0 && !told) {
			told = true;
			pf_diag(lx->c, lx->f, W1110,
				((struct span){ lx->src, lx->pos, lx->pos + 1 }),
				"the comment goes on in the next line");
			diag_note(lx->c->diags, (struct span){ lx->src, start, start + 1 },
				  "it starts here");
		}
		lx->pos += skip > 0 ? skip : 1;
	}
}

static bool is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool starts_word(int c)
{
	return c != END && (isalnum(c) || c == ':' || c == '_') && c < 0x80;
}

/* As pfctl: anything printable but what has a meaning of its own */
static bool continues_word(int c)
{
	return c > 0x20 && c < 0x7f && strchr("(){}<>!=/#,\"'\\", c) == NULL;
}

/* "$name": read its value from now on */
static bool enter_macro(struct pf_lexer *lx)
{
	const uint32_t lo = lx->pos;
	uint32_t hi = lo + 1;
	const struct pf_macro *m;
	const char *name;
	struct span at;

	while (hi < lx->len && (isalnum((unsigned char)lx->text[hi]) || lx->text[hi] == '_'))
		hi++;
	at = (struct span){ lx->src, lo, hi };
	lx->pos = hi;
	if (hi - lo == 1 || hi - lo > LIMIT_WORD_BYTES) {
		pf_diag(lx->c, lx->f, E1105, at, "expected the name of a macro after '$'");
		return false;
	}
	name = intern_str(lx->c->names, lx->text + lo + 1, hi - lo - 1);
	m = pf_macro_find(lx->f, name);
	if (m == NULL) {
		const char **names = arena_array(lx->c->a, const char *, lx->f->macros.n + 1);
		const char *nearest;

		for (uint32_t i = 0; i < lx->f->macros.n; i++)
			names[i] = lx->f->macros.v[i]->name;
		nearest = diag_nearest(name, names);
		pf_diag(lx->c, lx->f, E1105, at, "macro '%s' is not defined", name);
		if (nearest != NULL)
			diag_help(lx->c->diags, "did you mean '$%s'?", nearest);
		return false;
	}
	lx->macro = m->text;
	lx->macro_len = m->len;
	lx->macro_pos = 0;
	lx->macro_src = PF_VIRTUAL | lx->f->uses->list.n;
	lx->use = at;
	vec_add(lx->c->a, &lx->f->uses->list, ((struct pf_use){ .macro = m, .at = at }));
	return true;
}

static struct pf_token lex_word(struct pf_lexer *lx)
{
	const struct span start = here(lx);
	char buf[LIMIT_WORD_BYTES];
	const char *base = start.src == lx->src ? lx->text : lx->macro;
	struct pf_token t;
	uint32_t n = 0;
	int c;

	for (c = peek(lx); continues_word(c); c = peek(lx)) {
		if (n < sizeof(buf))
			buf[n] = (char)c;
		n++;
		advance(lx);
	}
	t = token_since(lx, PT_WORD, start);
	if (n > sizeof(buf)) {
		pf_diag(lx->c, lx->f, E1109, t.at, "a word of %u bytes is longer than %u", n,
			LIMIT_WORD_BYTES);
		t.kind = PT_BAD;
		return t;
	}
	t.word = pf_word_find(buf, n);
	t.len = n;
	if (t.at.src == start.src && t.at.hi - t.at.lo == n)
		t.text = base + start.lo;
	else
		t.text = intern_str(lx->c->names, buf, n);
	return t;
}

/*
 * A quoted text: over line ends, which vanish; \ before the quote or a blank
 * vanishes too.
 */
static struct pf_token lex_string(struct pf_lexer *lx)
{
	const struct span start = here(lx);
	const int quote = peek(lx);
	struct pf_token t;
	VEC(char) text = { 0 };

	advance(lx);
	for (int c = peek(lx); c != quote; c = peek(lx)) {
		if (c == END) {
			t = token_since(lx, PT_BAD, start);
			t.at.hi = t.at.lo + 1;
			pf_diag(lx->c, lx->f, E1104, t.at, "the quote is never closed");
			return t;
		}
		advance(lx);
		if (c == '\\' && (peek(lx) == quote || is_blank(peek(lx)))) {
			c = peek(lx);
			advance(lx);
		}
		if (c != '\n')
			vec_add(lx->c->a, &text, (char)c);
	}
	advance(lx);
	t = token_since(lx, PT_STRING, start);
	t.text = text.n > 0 ? text.v : "";
	t.len = text.n;
	return t;
}

static const struct {
	char a;
	char b;
	int kind;
} pairs[] = {
	{ '-', '>', PT_ARROW },  { '!', '=', PT_NE },	   { '<', '=', PT_LE },
	{ '>', '=', PT_GE },	 { '>', '<', PT_INSIDE },  { '<', '>', PT_OUTSIDE },
};

static struct pf_token lex_punctuation(struct pf_lexer *lx)
{
	const struct span start = here(lx);
	const int c = peek(lx);
	int kind = c;

	advance(lx);
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		if (c == pairs[i].a && peek(lx) == pairs[i].b) {
			advance(lx);
			kind = pairs[i].kind;
			break;
		}
	}
	return token_since(lx, kind, start);
}

struct pf_token pf_lex(struct pf_lexer *lx)
{
	int c;

	for (;;) {
		c = peek(lx);
		if (is_blank(c)) {
			advance(lx);
		} else if (c == '#') {
			skip_comment(lx);
		} else if (c == '$' && !in_macro(lx)) {
			const struct span start = here(lx);

			if (!enter_macro(lx))
				return token_since(lx, PT_BAD, start);
		} else {
			break;
		}
	}
	if (c == END)
		return token_since(lx, PT_EOF, here(lx));
	if (c == '\n') {
		const struct span start = here(lx);

		lx->macro = NULL;
		advance(lx);
		return token_since(lx, PT_NL, start);
	}
	if (starts_word(c))
		return lex_word(lx);
	if (c == '"' || c == '\'')
		return lex_string(lx);
	return lex_punctuation(lx);
}
