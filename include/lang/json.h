/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json - JSON whose values know where they stand
 *
 * A library would read it too, but none that Debian has tells where a value
 * stands, and a diagnostic without its place is of no use in a file of 150
 * lines.
 *
 * Owns:	 nothing; trees live in the context's arena.
 * Does not:	 read numbers as numbers: their text is kept.
 * Normative:	 RFC 8259; names of one object are unique, the text is UTF-8.
 */
#ifndef LANG_JSON_H
#define LANG_JSON_H

#include "lang/lang.h"

enum json_kind {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
};

struct json_member;

/**
 * struct json - A value
 * @kind:	What it is
 * @s:		A string's bytes, or a number's, true's, false's or null's text; C string
 * @len:	Length of @s
 * @is_verbatim: @at holds just the bytes of @s
 * @at:		Its place; a string's quotes excluded
 * @members:	Of an object, in order; of an array, without names
 */
struct json {
	enum json_kind kind;
	const char *s;
	uint32_t len;
	bool is_verbatim;
	struct span at;
	VEC(struct json_member) members;
};

/**
 * struct json_member - A named value of an object
 * @name:	C string; NULL in an array
 * @name_at:	Its place, quotes excluded
 * @value:	Value
 */
struct json_member {
	const char *name;
	struct span name_at;
	struct json value;
};

/**
 * json_parse() - Read a JSON text
 * @c:		Context
 * @src:	Its text
 * @ret:	Set on success
 *
 * Objects may be LIMIT_NESTING deep.
 *
 * Return: true; false with the first mistake told (E2601, E2602)
 */
MUST_USE bool json_parse(struct lang_ctx *c, uint32_t src, struct json *ret);

/** json_find() - The value named @name of an object, or NULL */
const struct json *json_find(const struct json *object, const char *name);

#endif /* LANG_JSON_H */
