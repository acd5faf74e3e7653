/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script - the words of a shell script, with the places they come from
 *
 * Reads one word after the other as sh does, replaces variables and splits
 * what they hold.  Every byte still knows where it was written.
 *
 * Owns:	 nothing; lives in the context's arena.
 * Does not:	 run anything: what needs a shell is told and ends the reading.
 * Threads:	 none.
 * Normative:	 POSIX.1-2017, Shell Command Language 2.2, 2.6.2, 2.6.5, 2.10.
 */
#ifndef LANG_IPFW_SCRIPT_H
#define LANG_IPFW_SCRIPT_H

#include "lang/ipfw.h"

/**
 * struct script_var - A variable
 * @value:	C string; NULL: unset
 * @is_fixed:	From -D: the script does not change it
 * @origin:	The value as it stands in the file, where it does byte for byte
 */
struct script_var {
	const char *value;
	bool is_fixed;
	struct span origin;
};

/**
 * struct script_byte - A byte of a command, expanded
 * @ch:		Byte; NUL: an opening quote, which makes an empty word one
 * @splits:	From a variable outside quotes: a blank ends the word
 * @use:	Index + 1 in script.uses of the variable it comes from; 0: the file
 * @lo:		First byte that wrote it, in the file or in the variable's value
 * @hi:		Byte after the last
 */
struct script_byte {
	char ch;
	bool splits;
	uint32_t use;
	uint32_t lo;
	uint32_t hi;
};

/**
 * struct script_use - A place where a variable is used
 * @name:	Its name
 * @value:	Its value then; NULL: unset
 * @origin:	As in struct script_var
 * @at:		Place
 * @src:	The value as a source, once something is said about it
 */
struct script_use {
	const char *name;
	const char *value;
	struct span origin;
	struct span at;
	uint32_t src;
};

/**
 * struct script_field - A word of the command, after splitting
 * @lo:		First of its bytes
 * @hi:		Byte after the last
 */
struct script_field {
	uint32_t lo;
	uint32_t hi;
};

/**
 * struct script - Where reading stands
 * @c:		Context
 * @src:	Source
 * @text:	Its bytes
 * @len:	How many
 * @pos:	Next byte
 * @vars:	Variables, by the number of their interned name
 * @bytes:	The command so far
 * @fields:	Its words
 * @uses:	Its variables
 * @depth:	"${" around @pos
 * @n_files:	Files around this one, that have sourced it
 * @long_quote:	The last quote whose string goes over several lines
 */
struct script {
	struct lang_ctx *c;
	uint32_t src;
	const char *text;
	uint32_t len;
	uint32_t pos;
	VEC(struct script_var) vars;
	VEC(struct script_byte) bytes;
	VEC(struct script_field) fields;
	VEC(struct script_use) uses;
	uint32_t depth;
	uint32_t n_files;
	struct span long_quote;
};

/** script_init() - At the start of source @src, with the variables of -D */
void script_init(struct script *s, struct lang_ctx *c, uint32_t src);

/** script_peek() - The byte @ahead of the next, or -1 */
int script_peek(const struct script *s, uint32_t ahead);

/** script_span() - A place in the script */
struct span script_span(const struct script *s, uint32_t lo, uint32_t hi);

/** script_join_len() - Length of a backslash and line end here, or 0 */
uint32_t script_join_len(const struct script *s);

/** script_is_name() - May @ch stand in a name; a digit only if not @first */
bool script_is_name(int ch, bool first);

/** script_set() - Give a variable a value (NULL: none), unless -D did; what it was before */
struct script_var script_set(struct script *s, const char *name, const char *value,
			     struct span origin);

/**
 * script_needs_shell() - Tell E2301
 * @s:		Script
 * @lo:		First byte of what needs one
 * @hi:		Byte after the last
 *
 * Return: false
 */
bool script_needs_shell(struct script *s, uint32_t lo, uint32_t hi);

/** script_command_start() - Forget the words of the last command */
void script_command_start(struct script *s);

/**
 * script_word() - Read the word that starts here, up to a blank or operator
 * @s:		Script
 * @splits:	Values of variables are split into words
 *
 * Its bytes are added to @s->bytes, its fields to @s->fields.
 *
 * Return: true; false when an error was told
 */
MUST_USE bool script_word(struct script *s, bool splits);

/** script_field_text() - A field as a C string */
const char *script_field_text(struct script *s, struct script_field f);

/**
 * script_field_span() - Where a field is written
 * @s:		Script
 * @f:		Field
 *
 * Return: within a variable's value if all of it comes from there (a new
 * source, as long as half of LIMIT_SOURCES is free), else in the file
 */
struct span script_field_span(struct script *s, struct script_field f);

/** ipfw_is_rc_path() - Is a path one of rc's, which only --exec stands for */
bool ipfw_is_rc_path(const char *path);

/**
 * ipfw_source_path() - Where the file of ". PATH" is
 * @c:		Context; told N2308 when it is taken from beside the script
 * @src:	The script
 * @path:	As written
 * @at:		Its place
 *
 * Return: @path beside the script or in the current directory; an absolute one
 * as it is, or, if it is not there, the file of that name beside the script
 */
const char *ipfw_source_path(struct lang_ctx *c, uint32_t src, const char *path, struct span at);

/** script_bytes_text() - Bytes @lo up to the last as a C string */
const char *script_bytes_text(struct script *s, uint32_t lo, uint32_t hi);

#endif /* LANG_IPFW_SCRIPT_H */
