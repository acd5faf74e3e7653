/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex - the words of jail.conf(5)
 *
 * Owns:	 nothing.
 */
#ifndef LANG_JAIL_LEX_H
#define LANG_JAIL_LEX_H

#include "lang/jail.h"

enum jail_token {
	JAIL_TOK_END,
	JAIL_TOK_STRING,
	JAIL_TOK_EQUALS,
	JAIL_TOK_PLUS_EQUALS,
	JAIL_TOK_COMMA,
	JAIL_TOK_SEMICOLON,
	JAIL_TOK_OPEN,
	JAIL_TOK_CLOSE,
	JAIL_TOK_BAD,		/* told; the rest of the line is gone */
};

/** struct jail_comments - Comments between two words */
struct jail_comments {
	VEC(struct span) list;
};

/**
 * struct jail_lex - Where reading stands
 * @c:		Context
 * @src:	Source
 * @text:	Its bytes
 * @len:	How many
 * @pos:	Next byte
 * @string:	The string, after JAIL_TOK_STRING; its parts are there until the string
 *		after the next
 * @parts:	Of the string and of the one before it
 * @turn:	Whose parts those of the next are to be
 * @last_var:	The last variable, or one whose name is ""
 * @at:		Place of the last token
 * @long_string: The last quoted string that goes over several lines, for the
 *		note when a quote is missing
 * @comments:	Where comments are kept, or NULL
 */
struct jail_lex {
	struct lang_ctx *c;
	uint32_t src;
	const char *text;
	uint32_t len;
	uint32_t pos;
	struct jail_string string;
	struct jail_string parts[2];
	uint8_t turn;
	struct jail_part last_var;
	struct span at;
	struct span long_string;
	struct jail_comments *comments;
};

/** jail_lex_init() - Start at the beginning of a source */
void jail_lex_init(struct jail_lex *l, struct lang_ctx *c, uint32_t src);

/** jail_lex_next() - The next token */
enum jail_token jail_lex_next(struct jail_lex *l);

/** jail_name_bad_byte() - The first byte that no jail's name may have, or -1 */
int jail_name_bad_byte(const char *name, size_t len);

#endif /* LANG_JAIL_LEX_H */
