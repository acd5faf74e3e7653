/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail_make.h"

#include <string.h>

#include "base/limits.h"
#include "lang/jail/lex.h"
#include "lang/text.h"

struct jail_block *jail_make_block(struct lang_ctx *c, struct jail_file *f, const char *name,
				   size_t len, struct span at)
{
	const int bad = jail_name_bad_byte(name, len);
	struct jail_block *b;

	/* A "*" would be a wildcard, and ".include" another statement */
	if (len == 0 || len > LIMIT_WORD_BYTES || bad >= 0 || name[0] == '.' ||
	    memchr(name, '*', len) != NULL) {
		diag_add(c->diags, DIAG_E1414, at, "'%.*s' cannot be a jail's name",
			 (int)MIN(len, 64u), name);
		return NULL;
	}
	b = vec_push(c->a, &f->blocks);
	b->name = intern_str(c->names, name, len);
	b->name_at = at;
	return b;
}

struct jail_stmt *jail_make_stmt(struct lang_ctx *c, struct jail_block *b, const char *name,
				 struct span at)
{
	struct jail_stmt *st = vec_push(c->a, &b->stmts);

	st->is_var = name[0] == '$';
	st->name = intern_cstr(c->names, name + st->is_var);
	st->key = intern_cid(c->names, st->name);
	st->name_at = at;
	st->at = at;
	return st;
}

static struct jail_string *new_value(struct lang_ctx *c, struct jail_stmt *st, struct span at)
{
	struct jail_string *s = vec_push(c->a, &st->values);

	st->op = JAIL_SET;
	s->at = at;
	return s;
}

void jail_make_value(struct lang_ctx *c, struct jail_stmt *st, const char *s, size_t len,
		     struct span at, bool is_verbatim)
{
	struct jail_string *value = new_value(c, st, at);

	vec_add(c->a, &value->parts, ((struct jail_part){
		.is_verbatim = is_verbatim,
		.s = arena_strndup(c->a, s, len),
		.len = (uint32_t)len,
		.at = at,
	}));
}

void jail_make_text(struct lang_ctx *c, struct jail_stmt *st, const struct text *t, uint32_t lo,
		    uint32_t hi)
{
	struct jail_string *value = new_value(c, st, t->at);
	struct span used;

	value->at = text_span(t, lo, hi, &used);
	for (uint32_t i = 0; i < t->pieces.n; i++) {
		const struct text_piece *p = &t->pieces.v[i];
		const uint32_t end = i + 1 < t->pieces.n ? p[1].off : t->buf.n;
		const uint32_t from = MAX(p->off, lo), to = MIN(end, hi);

		if (from >= to)
			continue;
		vec_add(c->a, &value->parts, ((struct jail_part){
			.is_verbatim = p->is_verbatim,
			.s = arena_strndup(c->a, t->buf.v + from, to - from),
			.len = to - from,
			.at = text_span(t, from, to, &used),
		}));
	}
}

void jail_make_set(struct lang_ctx *c, struct jail_block *b, const char *name, const char *value,
		   struct span at)
{
	jail_make_value(c, jail_make_stmt(c, b, name, at), value, strlen(value), at, false);
}
