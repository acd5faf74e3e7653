/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jail - jail.conf(5): who the jails are
 *
 * The grammar is read whole; what does not concern the network is kept as a
 * parameter and ignored.
 *
 * Owns:	 nothing; trees live in the context's arena.
 * Does not:	 start jails, or know whether one runs.
 * Normative:	 jail.conf(5), jail(8) of FreeBSD 14; user variables that carry
 *		 what jail.conf has no parameter for are refused for now.
 */
#ifndef LANG_JAIL_H
#define LANG_JAIL_H

#include "lang/lang.h"
#include "model/decl.h"

/**
 * struct jail_part - A piece of a string: literal bytes, or a variable
 * @is_var:	$NAME or ${NAME}, and @s is the name
 * @is_verbatim: Literal without escapes: byte for byte as written
 * @s:		Bytes; interned for a variable
 * @len:	How many
 * @key:	For a variable: number of its name in the intern table
 * @at:		Where it is written, quotes excluded
 */
struct jail_part {
	const char *s;
	uint32_t len;
	uint32_t key;
	struct span at;
	bool is_var;
	bool is_verbatim;
};

/**
 * struct jail_string - A string as written
 * @parts:	Its pieces in order; none: the empty string
 * @at:		Where it is written, quotes included
 */
struct jail_string {
	VEC(struct jail_part) parts;
	struct span at;
};

/**
 * enum jail_op - What a statement does to its parameter
 * @JAIL_FLAG:	"name;"
 * @JAIL_SET:	"name = value, value;", or the same without "="
 * @JAIL_APPEND: "name += value;"
 */
enum jail_op { JAIL_FLAG, JAIL_SET, JAIL_APPEND };

/**
 * struct jail_stmt - A parameter or variable
 * @name:	Interned, without "$"
 * @key:	Number in the intern table of what it sets: the name, for
 *		"allow.nomount" that of "allow.mount"
 * @is_var:	"$name" and not "name"
 * @op:		What it does
 * @values:	Values as written
 * @name_at:	The name
 * @at:		The whole statement
 */
struct jail_stmt {
	const char *name;
	uint32_t key;
	bool is_var;
	enum jail_op op;
	VEC(struct jail_string) values;
	struct span name_at;
	struct span at;
};

/**
 * struct jail_block - "name { ... }", or the parameters between such
 * @name:	Interned; "*" for parameters outside of jails
 * @is_wild:	Has a component "*"
 * @name_at:	The name, or the first parameter
 * @stmts:	In order
 */
struct jail_block {
	const char *name;
	bool is_wild;
	struct span name_at;
	VEC(struct jail_stmt) stmts;
};

/**
 * struct jail_file - A jail.conf, its includes in their places
 * @blocks:	In order, which says what overrides what
 * @is_rc:	Made of rc.conf's jail_* variables
 */
struct jail_file {
	bool is_rc;
	VEC(struct jail_block) blocks;
};

/**
 * jail_parse() - Read a jail.conf
 * @c:		Context; errors are told, up to LIMIT_ERRORS
 * @src:	Its text
 *
 * Return: what could be understood, never NULL
 */
struct jail_file *jail_parse(struct lang_ctx *c, uint32_t src);

/**
 * jail_lower() - Add the jails of a file to the declarations
 * @c:		Context; errors are told
 * @f:		File
 * @d:		Declarations; other files may have added to them
 *
 * Of several declarations of one jail FreeBSD's rc.d/jail takes one: that of
 * rc.conf if it has a root directory and a host name, else of jail.NAME.conf,
 * of jail.conf.d/NAME.conf, of any other file, of rc.conf; the others are told
 * (N1436).  Two of one kind are an error.
 *
 * Each jail takes the parameters outside of jails, of the wildcards that match
 * it and its own in the order of the file, so that later ones override; then
 * its variables are replaced.  Cost: O(jails * parameters).
 */
void jail_lower(struct lang_ctx *c, const struct jail_file *f, struct decl *d);

#endif /* LANG_JAIL_H */
