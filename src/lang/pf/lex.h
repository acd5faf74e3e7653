/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lex - the words of pf.conf
 *
 * Does not:	 know statements.  Macros are expanded where a word begins and
 *		 nowhere else, never within quotes or within another macro's
 *		 value, and what follows a use may continue its last word
 *		 ("$ext_if:network"): all as in pfctl.
 */
#ifndef LANG_PF_LEX_H
#define LANG_PF_LEX_H

#include "lang/pf/ast.h"

/** enum pf_token_kind - Kinds of token; other punctuation is its character */
enum pf_token_kind {
	PT_EOF = 256, PT_NL, PT_WORD, PT_STRING,
	PT_ARROW,	/* -> */
	PT_NE,		/* != */
	PT_LE,		/* <= */
	PT_GE,		/* >= */
	PT_INSIDE,	/* >< */
	PT_OUTSIDE,	/* <> */
	PT_BAD,		/* already told */
};

/**
 * struct pf_token - A token
 * @kind:	enum pf_token_kind or a character
 * @word:	Of PT_WORD: which keyword
 * @text:	Of PT_WORD and PT_STRING: its bytes, not NUL-terminated
 * @len:	How many
 * @at:		Where, perhaps in a macro's value
 * @file_lo:	Where in the file; a macro's use for what comes from it
 * @file_hi:	Its end there
 */
struct pf_token {
	int kind;
	enum pf_word word;
	const char *text;
	uint32_t len;
	struct span at;
	uint32_t file_lo;
	uint32_t file_hi;
};

/**
 * struct pf_lexer - Where reading stands
 * @c:		Context
 * @f:		Whose macros are used
 * @src:	Source
 * @text:	Its bytes
 * @len:	How many
 * @pos:	Next byte
 * @macro:	The value being read, or NULL
 * @macro_len:	Its bytes
 * @macro_pos:	Next byte of it
 * @macro_src:	Virtual source of this use
 * @use:	Where it is used in the file
 */
struct pf_lexer {
	struct lang_ctx *c;
	struct pf_file *f;
	uint32_t src;
	const char *text;
	uint32_t len;
	uint32_t pos;
	const char *macro;
	uint32_t macro_len;
	uint32_t macro_pos;
	uint32_t macro_src;
	struct span use;
};

/** pf_lex_init() - Read source @src from its start */
void pf_lex_init(struct pf_lexer *lx, struct lang_ctx *c, struct pf_file *f, uint32_t src);

/**
 * pf_lex() - The next token
 * @lx:		Lexer
 *
 * Comments and blanks are left out.  PT_BAD after something was told: an
 * undefined macro, an open quote, a word that is too long.
 *
 * Return: the token; PT_EOF again and again at the end
 */
struct pf_token pf_lex(struct pf_lexer *lx);

/** pf_macro_find() - The macro of that name, or NULL */
struct pf_macro *pf_macro_find(const struct pf_file *f, const char *name);

/** pf_macro_set() - Define a macro; not if -D defines it */
void pf_macro_set(struct lang_ctx *c, struct pf_file *f, const struct pf_macro *m);

#endif /* LANG_PF_LEX_H */
