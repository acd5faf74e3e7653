/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Recursive descent with one token of lookahead, a function a construct.  The
 * statements stand in a table by their first word.  After an error the rest of
 * the statement is left out: to the end of the line, or behind the braces that
 * are open; a line that begins with a statement's word ends an open brace too,
 * because somebody forgot to close it and all that follows is not about that.
 */
#include "lang/pf/parse.h"

#include <ctype.h>
#include <string.h>

#include "base/limits.h"

/* "name = value ..." */
static bool parse_macro(struct pf_parser *p, struct pf_stmt *s, struct pf_token first)
{
	const char *name = intern_str(p->c->names, first.text, first.len);
	struct pf_macro m = { .name = name };
	VEC(char) text = { 0 };

	if (pf_word_is_reserved(first.word))
		return pf_error(p, E1106, first.at, "'%s' is a word of the language and no name "
				"for a macro", name);
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return pf_error(p, E1106, first.at, "'%c' cannot stand in the name of a "
					"macro", *c);
	pf_next(p);
	if (pf_is_end(p))
		return pf_unexpected(p, "a value", 0);
	for (uint32_t n = 0; !pf_is_end(p); n++) {
		if (p->t.kind != PT_WORD && p->t.kind != PT_STRING) {
			pf_unexpected(p, "a word or a quoted value", 0);
			if (p->t.kind == '{' || p->t.kind == '<' || p->t.kind == '!')
				diag_help(p->c->diags, "quote the value: %s = \"...\"", name);
			return false;
		}
		if (n > 0)
			vec_add(p->c->a, &text, ' ');
		for (uint32_t i = 0; i < p->t.len; i++)
			vec_add(p->c->a, &text, p->t.text[i]);
		m.def = (struct span){ p->lx.src, p->t.file_lo, p->t.file_hi };
		if (p->t.kind == PT_STRING)
			m.def = (struct span){ p->lx.src, m.def.lo + 1, m.def.hi - 1 };
		if (n > 0 || p->t.at.src != p->lx.src || m.def.hi - m.def.lo != p->t.len)
			m.def = SPAN_NONE;
		pf_next(p);
	}
	m.text = text.n > 0 ? text.v : "";
	m.len = text.n;
	pf_macro_set(p->c, p->f, &m);
	pf_echo(p, s, arena_printf(p->c->a, "%s = \"%.*s\"", name, (int)m.len, m.text));
	return true;
}

static bool table_braces(struct pf_parser *p, struct pf_table *t, struct pf_table_part *part)
{
	const uint32_t before = p->hosts.n;

	t->has_list = true;
	p->may_be_empty = true;
	if (!pf_list(p, pf_host_item))
		return false;
	part->n_hosts = p->hosts.n - before;
	return true;
}

static bool table_parts(struct pf_parser *p, struct pf_table *t)
{
	VEC(struct pf_table_part) parts = { 0 };

	for (;;) {
		struct pf_table_part part = { .at = p->t.at };

		if (pf_accept(p, PW_PERSIST)) {
			t->is_persist = true;
		} else if (pf_accept(p, PW_CONST)) {
			t->is_const = true;
		} else if (pf_accept(p, PW_COUNTERS)) {
			t->has_counters = true;
		} else if (pf_accept(p, PW_FILE)) {
			part.at = p->t.at;
			if (!pf_any_text(p, "the name of a file", &part.file))
				return false;
			vec_add(p->c->a, &parts, part);
		} else if (p->t.kind == '{') {
			if (!table_braces(p, t, &part))
				return false;
			vec_add(p->c->a, &parts, part);
		} else {
			pf_take(p, &parts, &t->parts);
			return true;
		}
	}
}

static bool parse_table(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	struct pf_table *t = arena_new(p->c->a, struct pf_table);

	if (!pf_expect(p, '<', "'<' and the name of a table"))
		return false;
	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of a table", 0);
	t->at = p->t.at;
	t->name = pf_token_str(p);
	if (strlen(t->name) > 31)
		return pf_error(p, E1109, p->t.at, "the name of a table is longer than 31 bytes");
	pf_next(p);
	if (!pf_expect(p, '>', "'>'") || !table_parts(p, t))
		return false;
	if (!pf_is_end(p))
		return pf_unexpected(p, "persist, const, counters, file or addresses in braces",
				     PWR_FREE);
	pf_take(p, &p->hosts, &t->hosts);
	s->kind = PS_TABLE;
	s->table = t;
	return true;
}

static void parse_text(struct pf_parser *p, uint32_t src);

static bool parse_include(struct pf_parser *p, struct pf_stmt *s UNUSED,
			  enum pf_word word UNUSED)
{
	struct pf_lexer back;
	struct pf_token end;
	struct span at;
	const char *path;
	uint32_t src;

	if (!pf_is_name(p))
		return pf_unexpected(p, "the name of a file", 0);
	at = pf_span(p->c, p->f, p->t.at);
	path = lang_path(p->c, p->lx.src, pf_token_str(p));
	pf_next(p);
	if (!pf_is_end(p))
		return pf_unexpected(p, "the end of the line", 0);
	if (!lang_read(p->c, path, at, p->includes, &src))
		return false;
	back = p->lx;
	end = p->t;
	p->includes++;
	parse_text(p, src);
	p->includes--;
	p->lx = back;
	p->t = end;
	return true;
}

static const struct statement {
	enum pf_word word;
	bool (*parse)(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);
	enum pf_order order;
} statements[] = {
	{ PW_ALTQ, pf_queueing, PORD_QUEUE },
	{ PW_ANCHOR, pf_rule_anchor, PORD_FILTER },
	{ PW_ANTISPOOF, pf_rule_antispoof, PORD_FILTER },
	{ PW_BINAT, pf_rule_nat, PORD_NAT },
	{ PW_BINAT_ANCHOR, pf_rule_anchor, PORD_NAT },
	{ PW_BLOCK, pf_rule_filter, PORD_FILTER },
	{ PW_INCLUDE, parse_include, PORD_NONE },
	{ PW_LOAD, pf_load_anchor, PORD_NONE },
	{ PW_MATCH, pf_rule_filter, PORD_FILTER },
	{ PW_NAT, pf_rule_nat, PORD_NAT },
	{ PW_NAT_ANCHOR, pf_rule_anchor, PORD_NAT },
	{ PW_NO, pf_rule_no, PORD_NONE },
	{ PW_PASS, pf_rule_filter, PORD_FILTER },
	{ PW_QUEUE, pf_queueing, PORD_QUEUE },
	{ PW_RDR, pf_rule_nat, PORD_NAT },
	{ PW_RDR_ANCHOR, pf_rule_anchor, PORD_NAT },
	{ PW_SCRUB, pf_rule_scrub, PORD_SCRUB },
	{ PW_SET, pf_set, PORD_NONE },
	{ PW_SOURCE, pf_limiter, PORD_NONE },
	{ PW_STATE, pf_limiter, PORD_NONE },
	{ PW_TABLE, parse_table, PORD_NONE },
};

static bool parse_statement(struct pf_parser *p, struct pf_stmt *s)
{
	const struct pf_token first = p->t;
	const struct statement *row = NULL;
	struct pf_token second;

	if (first.kind != PT_WORD)
		return pf_unexpected(p, "a statement", 0);
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (first.word == statements[i].word)
			row = &statements[i];
	pf_next(p);
	second = p->t;
	if (second.kind == '=')
		return parse_macro(p, s, first);
	if (p->stmts != NULL && (row == NULL || row->order != PORD_FILTER ||
				 row->word == PW_ANTISPOOF)) {
		p->t = first;
		pf_unexpected(p, "pass, block, match or anchor", 0);
		p->t = second;
		return false;
	}
	if (row != NULL) {
		if (row->order != PORD_NONE && !pf_order(p, row->order, first.at))
			return false;
		return row->parse(p, s, first.word);
	}
	p->t = first;
	pf_unexpected(p, "a statement", PWR_STATEMENT | PWR_LATER_STATEMENT);
	p->t = second;
	return false;
}

/* To the end of a statement that cannot be understood */
static void skip_statement(struct pf_parser *p, bool whole_braces)
{
	while (p->t.kind != PT_EOF) {
		if (p->t.kind == PT_NL) {
			if (p->depth == 0)
				return;
			pf_next(p);
			if (!whole_braces && pf_begins_statement(p))
				return;
			continue;
		}
		pf_next(p);
	}
}

static void one_statement(struct pf_parser *p)
{
	struct pf_stmt s = { .kind = PS_RULE };
	const struct pf_token first = p->t;
	const bool block = pf_is(p, PW_ANCHOR);
	const uint32_t src = p->lx.src;

	p->first = first;
	p->depth = 0;
	p->nesting = 0;
	p->may_be_empty = false;
	p->ifaces.n = p->hosts.n = p->ports.n = p->protos.n = p->icmps.n = 0;
	p->oses.n = p->ids.n = p->words.n = p->later.n = 0;
	if (!parse_statement(p, &s)) {
		skip_statement(p, block);
		return;
	}
	if (!pf_is_end(p)) {
		pf_unexpected(p, "the end of the statement", PWR_RULE);
		skip_statement(p, block);
		return;
	}
	if (s.rule == NULL)
		return;
	s.at = (struct span){ src, first.file_lo, MAX(p->prev_hi, first.file_lo) };
	if (p->stmts != NULL)
		vec_add(p->c->a, &p->stmts->list, s);
	else
		vec_add(p->c->a, &p->f->stmts, s);
}

/* The statements of a file, or of a block up to '}' */
static void statements_until(struct pf_parser *p, int end)
{
	while (!diag_is_full(p->c->diags)) {
		pf_skip_lines(p);
		if (p->t.kind == PT_EOF || p->t.kind == end)
			break;
		if (p->t.kind == PT_BAD) {
			skip_statement(p, false);
			continue;
		}
		one_statement(p);
	}
}

bool pf_block(struct pf_parser *p, struct pf_stmts *out)
{
	struct pf_stmts *outer = p->stmts;
	const struct span open = p->t.at;
	const uint32_t depth = p->blocks;
	bool ok;

	if (depth >= LIMIT_NESTING)
		return pf_error(p, E1113, open, "anchors are nested deeper than %u", LIMIT_NESTING);
	pf_next(p);
	if (!pf_is_end(p))
		return pf_unexpected(p, "the end of the line behind '{'", 0);
	p->blocks++;
	p->stmts = out;
	statements_until(p, '}');
	p->blocks--;
	p->stmts = outer;
	ok = p->t.kind == '}';
	if (!ok)
		return pf_unclosed(p, open);
	p->depth = 1;
	pf_next(p);
	return true;
}

static void parse_text(struct pf_parser *p, uint32_t src)
{
	if (!lang_check_text(p->c, src))
		return;
	pf_lex_init(&p->lx, p->c, p->f, src);
	p->t = pf_lex(&p->lx);
	statements_until(p, PT_EOF);
}

/* "jail_NAME" for each jail: its address, or a list of them */
static void jail_macros(struct pf_parser *p, const struct decl *d)
{
	for (uint32_t i = 0; i < d->jails.n; i++) {
		const struct decl_jail *j = &d->jails.v[i];
		char *name = arena_printf(p->c->a, "jail_%s", j->name);
		char *text = arena_printf(p->c->a, "%s", j->addrs.n > 1 ? "{" : "");
		char buf[ADDR_TEXT_BYTES];
		struct pf_macro m;

		for (char *s = name; *s != '\0'; s++)
			if (!isalnum((unsigned char)*s))
				*s = '_';
		for (uint32_t k = 0; k < j->addrs.n; k++)
			text = arena_printf(p->c->a, "%s%s%s", text, j->addrs.n > 1 ? " " : "",
					    addr_print(j->addrs.v[k].p.a, buf));
		if (j->addrs.n == 0)
			continue;
		if (j->addrs.n > 1)
			text = arena_printf(p->c->a, "%s }", text);
		m = (struct pf_macro){
			.name = intern_cstr(p->c->names, name),
			.text = text,
			.len = (uint32_t)strlen(text),
		};
		if (pf_macro_find(p->f, m.name) == NULL)
			pf_macro_set(p->c, p->f, &m);
	}
}

struct pf_file *pf_parse(struct lang_ctx *c, const struct decl *d, const uint32_t *srcs,
			 uint32_t n_srcs)
{
	struct pf_parser p = { .c = c, .f = arena_new(c->a, struct pf_file) };

	p.f->uses = arena_new(c->a, struct pf_uses);
	for (uint32_t i = 0; i < c->n_defines; i++) {
		const struct pf_macro m = {
			.name = intern_cstr(c->names, c->defines[i].name),
			.text = c->defines[i].value,
			.len = (uint32_t)strlen(c->defines[i].value),
			.is_fixed = true,
		};

		pf_macro_set(c, p.f, &m);
	}
	if (d != NULL && n_srcs > 0)
		jail_macros(&p, d);
	for (uint32_t i = 0; i < n_srcs; i++)
		parse_text(&p, srcs[i]);
	return p.f;
}
