/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jail_make - jails that another language declares, as a jail.conf
 *
 * rc.conf's jail_NAME_*, ezjail's and iocage's files say what a jail.conf says
 * with other words.  Their parsers write the statements of one, each value with
 * the place where it stands in their own text: so one module knows what the
 * parameters mean, and one printer makes a jail.conf of any of them.
 *
 * Owns:	 nothing; everything lives in the context's arena.
 * Does not:	 know what a parameter means.
 */
#ifndef LANG_JAIL_MAKE_H
#define LANG_JAIL_MAKE_H

#include "lang/jail.h"

struct text;

/**
 * jail_make_block() - A jail
 * @c:		Context
 * @f:		File
 * @name:	Its name
 * @len:	Length of the name
 * @at:		Where the name stands
 *
 * Return: the jail, valid until the next is made; NULL with E1414 told where
 * no jail can have that name
 */
struct jail_block *jail_make_block(struct lang_ctx *c, struct jail_file *f, const char *name,
				   size_t len, struct span at);

/**
 * jail_make_stmt() - A parameter without values yet
 * @c:		Context
 * @b:		Jail
 * @name:	Parameter, or "$name" of a user variable; C string
 * @at:		Where it stands
 *
 * Return: the statement, valid until the next is made
 */
struct jail_stmt *jail_make_stmt(struct lang_ctx *c, struct jail_block *b, const char *name,
				 struct span at);

/**
 * jail_make_value() - One more value of a statement
 * @c:		Context
 * @st:		Statement
 * @s:		Bytes; copied
 * @len:	How many
 * @at:		Where they stand
 * @is_verbatim: @at holds just these bytes
 */
void jail_make_value(struct lang_ctx *c, struct jail_stmt *st, const char *s, size_t len,
		     struct span at, bool is_verbatim);

/** jail_make_text() - One more value: bytes [@lo, @hi) of a text, each with its place */
void jail_make_text(struct lang_ctx *c, struct jail_stmt *st, const struct text *t, uint32_t lo,
		    uint32_t hi);

/** jail_make_set() - A parameter with one value that no file spells so */
void jail_make_set(struct lang_ctx *c, struct jail_block *b, const char *name, const char *value,
		   struct span at);

/**
 * jail_print() - A file as the text of a jail.conf
 * @f:		File
 * @out:	Stream
 *
 * What jail_parse() makes of the text has the same jails and values.
 */
void jail_print(const struct jail_file *f, FILE *out);

/**
 * jail_fmt() - Canonical text of a jail.conf
 * @c:		Context
 * @src:	Its text, which jail_parse() takes without errors
 * @out:	Stream
 *
 * Comments, empty lines and includes stay; quotes, blanks and line ends become
 * the same everywhere.  Formatting its own output changes nothing.
 */
void jail_fmt(struct lang_ctx *c, uint32_t src, FILE *out);

#endif /* LANG_JAIL_MAKE_H */
