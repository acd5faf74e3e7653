/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text - a value whose parts come from several places
 *
 * What a variable's replacement makes of a value is one string, of which each
 * byte still knows where it was written: an error inside it is shown there and
 * at the place of use.
 *
 * Owns:	 nothing; lives in the arena.
 */
#ifndef LANG_TEXT_H
#define LANG_TEXT_H

#include "lang/lang.h"

/**
 * struct text_piece - Bytes of a value that were written together
 * @off:	Of its first byte in the value
 * @at:		Where it was written
 * @used_at:	Place of the variable that it replaced, or SPAN_NONE
 * @is_verbatim: Byte for byte as written: no escapes
 */
struct text_piece {
	uint32_t off;
	struct span at;
	struct span used_at;
	bool is_verbatim;
};

/**
 * struct text - A value, whole or being built
 * @buf:	Its bytes; a NUL after the last once text_finish() was called
 * @pieces:	Where they come from, in order
 * @at:		Where the value stands
 */
struct text {
	VEC(char) buf;
	VEC(struct text_piece) pieces;
	struct span at;
};

/** text_add() - Append bytes that were written at @at */
void text_add(struct arena *a, struct text *t, const char *s, size_t len, struct span at,
	      bool is_verbatim);

/** text_add_text() - Append the value of a variable that is used at @used_at */
void text_add_text(struct arena *a, struct text *t, const struct text *value,
		   struct span used_at);

/** text_finish() - End the value with a NUL, which is not counted */
void text_finish(struct arena *a, struct text *t);

/**
 * text_define() - The value of -D, in a source of its own
 * @c:		Context
 * @d:		One of its defines
 * @ret_name_at: Set to the place of its name
 *
 * Return: the value, finished
 */
struct text text_define(struct lang_ctx *c, const struct lang_define *d,
			struct span *ret_name_at);

/**
 * text_error() - A diagnostic about bytes of a value
 * @c:		Context
 * @code:	Kind
 * @t:		Value
 * @lo:		First byte
 * @hi:		Byte after the last
 * @fmt:	Message
 *
 * Shown where the bytes were written, with a note where the variable that
 * brought them is used.
 */
void text_error(struct lang_ctx *c, enum diag_code code, const struct text *t, uint32_t lo,
		uint32_t hi, const char *fmt, ...) PRINTF(6, 7);

/** text_span() - Where bytes of a value were written; the place of use in @ret_used */
struct span text_span(const struct text *t, uint32_t lo, uint32_t hi, struct span *ret_used);

/**
 * struct text_word - A word of a value
 * @lo:		First byte
 * @hi:		Byte after the last
 */
struct text_word {
	uint32_t lo;
	uint32_t hi;
};

/**
 * text_next_word() - The next word between blanks
 * @t:		Finished value
 * @pos:	Where to go on; updated
 * @end:	Where to stop
 * @w:		Set to the word
 *
 * Return: whether there was one
 */
bool text_next_word(const struct text *t, uint32_t *pos, uint32_t end, struct text_word *w);

/** text_word_is() - Does a word read @s */
static inline bool text_word_is(const struct text *t, struct text_word w, const char *s)
{
	const char *word = t->buf.v + w.lo;
	const size_t len = w.hi - w.lo;
	size_t i = 0;

	/* Most differ in the first byte, and all are short */
	while (i < len && word[i] == s[i])
		i++;
	return len > 0 && i == len && s[i] == '\0';
}

/** text_word_str() - A word as a C string */
const char *text_word_str(struct arena *a, const struct text *t, struct text_word w);

#endif /* LANG_TEXT_H */
