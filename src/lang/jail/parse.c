/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Recursive descent over one token of lookahead.  After an error reading goes
 * on where a person would: a missing semicolon is taken as there, a jail that
 * opens inside another closes that one, anything else is left to the next
 * semicolon or brace.  So one mistake is one message.
 *
 * jail(8) takes parameters outside of jails for a jail named "*": so do we, a
 * new one after each jail, because the order of blocks is what overrides.
 */
#include "lang/jail.h"

#include <string.h>

#include "base/limits.h"
#include "lang/jail/lex.h"

/**
 * struct parser - Where reading stands
 * @c:		Context
 * @f:		What was read
 * @lex:	Words of the source
 * @tok:	The next token
 * @end_at:	End of the token before it
 * @depth:	Includes around this source
 * @n_unclosed:	Jails closed for the user, whose brace may come yet
 */
struct parser {
	struct lang_ctx *c;
	struct jail_file *f;
	struct jail_lex lex;
	enum jail_token tok;
	struct span end_at;
	uint32_t depth;
	uint32_t n_unclosed;
	VEC(struct jail_stmt) stmts;	/* of the block that is open */
};

static const char *const token_names[] = {
	[JAIL_TOK_END] = "the end of the file",
	[JAIL_TOK_STRING] = "a word",
	[JAIL_TOK_EQUALS] = "'='",
	[JAIL_TOK_PLUS_EQUALS] = "'+='",
	[JAIL_TOK_COMMA] = "','",
	[JAIL_TOK_SEMICOLON] = "';'",
	[JAIL_TOK_OPEN] = "'{'",
	[JAIL_TOK_CLOSE] = "'}'",
	[JAIL_TOK_BAD] = "this",
};

static void parse_source(struct lang_ctx *c, struct jail_file *f, uint32_t src, uint32_t depth);

static void advance(struct parser *p)
{
	p->end_at = (struct span){ p->lex.src, p->lex.at.hi, p->lex.at.hi };
	p->tok = jail_lex_next(&p->lex);
}

static void unexpected(struct parser *p, const char *where)
{
	diag_add(p->c->diags, DIAG_E1402, p->lex.at, "unexpected %s %s", token_names[p->tok],
		 where);
}

/* Leave a statement that makes no sense */
static void skip_statement(struct parser *p)
{
	while (p->tok != JAIL_TOK_SEMICOLON && p->tok != JAIL_TOK_OPEN &&
	       p->tok != JAIL_TOK_CLOSE && p->tok != JAIL_TOK_END && p->tok != JAIL_TOK_BAD)
		advance(p);
	if (p->tok == JAIL_TOK_SEMICOLON || p->tok == JAIL_TOK_BAD)
		advance(p);
}

/* A string without variables as one; NULL if it has some */
static const char *literal(struct parser *p, const struct jail_string *s, uint32_t *ret_len)
{
	uint32_t len = 0;
	char *out;

	for (uint32_t i = 0; i < s->parts.n; i++) {
		if (s->parts.v[i].is_var)
			return NULL;
		len += s->parts.v[i].len;
	}
	out = arena_alloc(lang_tree(p->c), len + 1);
	len = 0;
	for (uint32_t i = 0; i < s->parts.n; i++) {
		memcpy(out + len, s->parts.v[i].s, s->parts.v[i].len);
		len += s->parts.v[i].len;
	}
	*ret_len = len;
	return out;
}

/* Number of what a parameter's name sets: "allow.nomount" sets allow.mount */
static uint32_t param_key(struct parser *p, const char *name, size_t len)
{
	const char *dot = memrchr(name, '.', len);
	const size_t head = dot != NULL ? (size_t)(dot - name) + 1 : 0;
	const char *yes;

	if (len - head <= 2 || memcmp(name + head, "no", 2) != 0)
		return intern_id(p->c->names, name, len);
	yes = arena_printf(lang_tree(p->c), "%.*s%.*s", (int)head, name, (int)(len - head - 2),
			   name + head + 2);
	return intern_cid(p->c->names, yes);
}

static bool stmt_name(struct parser *p, const struct jail_string *s, struct jail_stmt *st)
{
	uint32_t len = 0;
	const char *name;

	*st = (struct jail_stmt){ .name_at = s->at, .at = s->at };
	if (s->parts.n == 1 && s->parts.v[0].is_var) {
		st->is_var = true;
		st->name = s->parts.v[0].s;
		st->key = s->parts.v[0].key;
		return true;
	}
	name = literal(p, s, &len);
	if (name == NULL || len == 0) {
		diag_add(p->c->diags, DIAG_E1402, s->at,
			 name == NULL ? "a parameter's name cannot hold a variable"
				      : "a parameter has an empty name");
		return false;
	}
	if (len > LIMIT_WORD_BYTES) {
		diag_add(p->c->diags, DIAG_E1410, s->at, "name of %u bytes is longer than %u", len,
			 LIMIT_WORD_BYTES);
		return false;
	}
	st->name = intern_str(p->c->names, name, len);
	st->key = param_key(p, name, len);
	return true;
}

/* A string with its parts behind it: nearly all statements have one of one part */
struct kept_string {
	struct jail_string s;
	struct jail_part parts[];
};

/* The string just read; the lexer needs its own parts for the next */
static void keep_value(struct parser *p, struct jail_stmt *st)
{
	const struct jail_string *read = &p->lex.string;
	const uint32_t n = read->parts.n;
	struct kept_string *kept = arena_alloc(lang_tree(p->c), sizeof(*kept) +
					       n * sizeof(*kept->parts));

	kept->s.at = read->at;
	kept->s.parts.v = kept->parts;
	kept->s.parts.n = kept->s.parts.cap = n;
	if (n > 0)
		memcpy(kept->parts, read->parts.v, n * sizeof(*kept->parts));
	if (st->values.n > 0) {
		vec_add(lang_tree(p->c), &st->values, kept->s);
		return;
	}
	st->values.v = &kept->s;
	st->values.n = st->values.cap = 1;
}

/* "value, value" up to what is none; false after an error */
static bool parse_values(struct parser *p, struct jail_stmt *st)
{
	for (;;) {
		if (p->tok != JAIL_TOK_STRING) {
			if (p->tok != JAIL_TOK_BAD)
				unexpected(p, "where a value should be");
			return false;
		}
		keep_value(p, st);
		st->at = span_join(st->at, p->lex.string.at);
		advance(p);
		if (p->tok != JAIL_TOK_COMMA)
			return true;
		advance(p);
	}
}

static void end_statement(struct parser *p)
{
	if (p->tok == JAIL_TOK_SEMICOLON) {
		advance(p);
	} else if (p->tok == JAIL_TOK_STRING || p->tok == JAIL_TOK_CLOSE ||
		   p->tok == JAIL_TOK_END) {
		diag_add(p->c->diags, DIAG_E1402, p->end_at, "';' is missing");
	} else {
		if (p->tok != JAIL_TOK_BAD)
			unexpected(p, "after a value");
		skip_statement(p);
		if (p->tok == JAIL_TOK_OPEN) {
			p->n_unclosed++;
			advance(p);
		}
	}
}

/* The rest of a statement whose name was read; false if it is not to be kept */
static bool parse_statement(struct parser *p, const struct jail_string *name,
			    struct jail_stmt *st)
{
	bool good = stmt_name(p, name, st);

	if (p->tok == JAIL_TOK_EQUALS || p->tok == JAIL_TOK_PLUS_EQUALS) {
		st->op = p->tok == JAIL_TOK_EQUALS ? JAIL_SET : JAIL_APPEND;
		advance(p);
		good &= parse_values(p, st);
	} else if (p->tok == JAIL_TOK_STRING) {
		st->op = JAIL_SET;
		good &= parse_values(p, st);
	}
	if (good || p->tok == JAIL_TOK_SEMICOLON)
		end_statement(p);
	else
		skip_statement(p);
	return good;
}

/* Parameters outside of jails go to the last block if that is "*" */
static uint32_t global_block(struct parser *p, struct span at)
{
	struct jail_file *f = p->f;
	struct jail_block *b;

	if (f->blocks.n > 0 && strcmp(f->blocks.v[f->blocks.n - 1].name, "*") == 0)
		return f->blocks.n - 1;
	b = vec_push(lang_tree(p->c), &f->blocks);
	b->name = intern_cstr(p->c->names, "*");
	b->is_wild = true;
	b->name_at = at;
	return f->blocks.n - 1;
}

static bool is_wild_name(const char *s)
{
	for (const char *star = strchr(s, '*'); star != NULL; star = strchr(star + 1, '*'))
		if ((star == s || star[-1] == '.') && (star[1] == '\0' || star[1] == '.'))
			return true;
	return false;
}

/* The name of a jail or wildcard, or NULL */
static const char *block_name(struct parser *p, const struct jail_string *s)
{
	uint32_t len = 0;
	const char *name = literal(p, s, &len);

	if (name == NULL) {
		diag_add(p->c->diags, DIAG_E1414, s->at, "a jail's name cannot hold a variable");
		return NULL;
	}
	if (len > LIMIT_WORD_BYTES) {
		diag_add(p->c->diags, DIAG_E1410, s->at, "name of %u bytes is longer than %u", len,
			 LIMIT_WORD_BYTES);
		return NULL;
	}
	if (len == 0) {
		diag_add(p->c->diags, DIAG_E1414, s->at, "a jail has an empty name");
		return NULL;
	}
	if (jail_name_bad_byte(name, len) >= 0) {
		diag_add(p->c->diags, DIAG_E1414, s->at,
			 "a jail's name cannot have the byte 0x%02x",
			 (unsigned int)jail_name_bad_byte(name, len));
		return NULL;
	}
	return intern_str(p->c->names, name, len);
}

static void open_block(struct parser *p, const struct jail_string *s)
{
	const char *name = block_name(p, s);
	struct jail_block *b = vec_push(lang_tree(p->c), &p->f->blocks);

	/* A jail without usable name is read for its errors, as a wildcard of nobody */
	b->name = name != NULL ? name : intern_cstr(p->c->names, "");
	b->is_wild = name == NULL || is_wild_name(name);
	b->name_at = s->at;
	if (!b->is_wild && strchr(b->name, '*') != NULL) {
		diag_add(p->c->diags, DIAG_W1459, s->at, "'%s' is a jail of that name, no pattern",
			 b->name);
		diag_help(p->c->diags, "only a '*' alone, or between dots, stands for other jails");
	}
	advance(p);
}

/* A jail's name where the one before is still open */
static void tell_nested(struct parser *p, const struct jail_block *outer,
			const struct jail_string *s)
{
	diag_add(p->c->diags, DIAG_E1405, s->at, "a jail opens inside jail '%s'", outer->name);
	diag_note(p->c->diags, outer->name_at, "'%s' is not closed", outer->name);
	diag_help(p->c->diags, "close it with '}' first");
	p->n_unclosed++;
}

static bool is_include(const struct jail_string *s)
{
	return s->parts.n == 1 && !s->parts.v[0].is_var && s->parts.v[0].len == 8 &&
	       memcmp(s->parts.v[0].s, ".include", 8) == 0;
}

/* The statements of the block that ends here, which has as much room as they need */
static void keep_statements(struct parser *p)
{
	struct jail_block *b = &p->f->blocks.v[p->f->blocks.n - 1];

	if (p->stmts.n == 0)
		return;
	vec_reserve(lang_tree(p->c), &b->stmts, p->stmts.n);
	memcpy(b->stmts.v, p->stmts.v, p->stmts.n * sizeof(*b->stmts.v));
	b->stmts.n = p->stmts.n;
	p->stmts.n = 0;
}

/* "name { ... }" with its brace as the next token */
static void parse_block(struct parser *p, const struct jail_string *first)
{
	struct jail_block *b;

	open_block(p, first);
	while (!diag_is_full(p->c->diags)) {
		struct jail_string s;
		struct jail_stmt st;

		b = &p->f->blocks.v[p->f->blocks.n - 1];
		if (p->tok == JAIL_TOK_CLOSE || p->tok == JAIL_TOK_END) {
			if (p->tok == JAIL_TOK_END)
				diag_add(p->c->diags, DIAG_E1403, b->name_at,
					 "'%s' is never closed with '}'", b->name);
			else
				advance(p);
			break;
		}
		if (p->tok != JAIL_TOK_STRING) {
			if (p->tok != JAIL_TOK_SEMICOLON && p->tok != JAIL_TOK_BAD)
				unexpected(p, "where a parameter should be");
			advance(p);
			continue;
		}
		s = p->lex.string;
		advance(p);
		if (p->tok == JAIL_TOK_OPEN) {
			tell_nested(p, b, &s);
			keep_statements(p);
			open_block(p, &s);
		} else if (is_include(&s)) {
			diag_add(p->c->diags, DIAG_E1406, s.at, "'.include' inside a jail");
			skip_statement(p);
		} else if (parse_statement(p, &s, &st)) {
			vec_add(lang_tree(p->c), &p->stmts, st);
		}
	}
	keep_statements(p);
}

static void include_files(struct parser *p, const char *pattern, struct span at)
{
	struct lang_paths paths = { 0 };
	uint32_t src;

	if (pattern == NULL || pattern[0] == '\0') {
		diag_add(p->c->diags, DIAG_E1406, at, pattern == NULL
			 ? "the name of an included file cannot hold a variable"
			 : "the name of an included file is empty");
		return;
	}
	pattern = lang_path(p->c, p->lex.src, pattern);
	if (strpbrk(pattern, "*?[") == NULL)
		vec_add(p->c->a, &paths.list, pattern);
	else if (!lang_glob(p->c, pattern, at, &paths))
		return;
	for (uint32_t i = 0; i < paths.list.n && !diag_is_full(p->c->diags); i++)
		if (lang_read(p->c, paths.list.v[i], at, p->depth, &src))
			parse_source(p->c, p->f, src, p->depth + 1);
}

static void parse_include(struct parser *p, struct span at)
{
	const char *pattern;
	struct span name_at;
	uint32_t len;

	if (p->tok != JAIL_TOK_STRING) {
		diag_add(p->c->diags, DIAG_E1406, at, "nothing is named after '.include'");
		skip_statement(p);
		return;
	}
	pattern = literal(p, &p->lex.string, &len);
	name_at = p->lex.string.at;
	advance(p);
	end_statement(p);
	include_files(p, pattern, name_at);
}

static void parse_top(struct parser *p)
{
	struct jail_string s;
	struct jail_stmt st;

	if (p->tok == JAIL_TOK_CLOSE && p->n_unclosed > 0) {
		p->n_unclosed--;
		advance(p);
		return;
	}
	if (p->tok != JAIL_TOK_STRING) {
		if (p->tok != JAIL_TOK_SEMICOLON && p->tok != JAIL_TOK_BAD)
			unexpected(p, "where a jail or a parameter should be");
		advance(p);
		return;
	}
	s = p->lex.string;
	advance(p);
	if (is_include(&s)) {
		parse_include(p, s.at);
	} else if (p->tok == JAIL_TOK_OPEN) {
		parse_block(p, &s);
	} else if (parse_statement(p, &s, &st)) {
		const uint32_t b = global_block(p, st.name_at);

		vec_add(lang_tree(p->c), &p->f->blocks.v[b].stmts, st);
	}
}

static void parse_source(struct lang_ctx *c, struct jail_file *f, uint32_t src, uint32_t depth)
{
	struct parser p = { .c = c, .f = f, .depth = depth };

	jail_lex_init(&p.lex, c, src);
	p.tok = jail_lex_next(&p.lex);
	while (p.tok != JAIL_TOK_END && !diag_is_full(c->diags))
		parse_top(&p);
}

struct jail_file *jail_parse(struct lang_ctx *c, uint32_t src)
{
	struct jail_file *f = arena_new(lang_tree(c), struct jail_file);

	if (lang_check_text(c, src))
		parse_source(c, f, src, 0);
	return f;
}
