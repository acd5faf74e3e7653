/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - texts that declarations come from, and places in them
 *
 * A source is a file, or the value of a macro or variable; the latter knows
 * where it was used, so that an error inside it can show both places.
 *
 * Owns:	 nothing; texts live in the arena and stay for the whole run.
 * Threads:	 none.
 */
#ifndef DIAG_SOURCE_H
#define DIAG_SOURCE_H

#include "base/arena.h"

/**
 * struct span - A place in a source: bytes [@lo, @hi)
 * @src:	Source number; 0 = no place
 * @lo:		First byte
 * @hi:		Byte after the last, >= @lo
 */
struct span {
	uint32_t src;
	uint32_t lo;
	uint32_t hi;
};

#define SOURCE_MARK_BYTES	64u

#define SPAN_NONE	((struct span){ 0, 0, 0 })

/** span_equal() - The same bytes of the same source */
static inline bool span_equal(struct span x, struct span y)
{
	return x.src == y.src && x.lo == y.lo && x.hi == y.hi;
}

/**
 * struct source - One text
 * @name:	File name as the user gave it, "stdin", or "macro 'x'"
 * @text:	Its bytes, NUL after the last; may hold NUL bytes
 * @len:	How many
 * @used_at:	For a macro's value: the place of use; SPAN_NONE for a file
 * @origin:	For a macro's value: the same text in its file, where it has
 *		one; SPAN_NONE otherwise
 * @mark:	The line, from 1, that every SOURCE_MARK_BYTES-th byte stands in; NULL
 *		before somebody asks
 * @is_numbered: See sources_number()
 * @is_file:	Read from a file other than standard input, whose path is @name
 * @dir:	Where the files that it names are, "" for here; NULL: beside @name
 */
struct source {
	const char *name;
	const char *text;
	uint32_t len;
	struct span used_at;
	struct span origin;
	uint32_t *mark;
	bool is_numbered;
	bool is_file;
	const char *dir;
};

/**
 * struct kept_text - A file as it was once
 * @path:	As it was read
 * @text:	What it said
 * @len:	How many bytes
 */
struct kept_text {
	const char *path;
	const char *text;
	uint32_t len;
};

/**
 * struct sources - All texts of one run
 * @a:		Where they live
 * @list:	Sources by number; number 0 is no source
 * @kept:	Files that sources_read() takes from here, not from the disk
 */
struct sources {
	struct arena *a;
	VEC(struct source) list;
	VEC(struct kept_text) kept;
};

/**
 * struct place - A place as people read it
 * @name:	Source's name
 * @line:	Line, from 1; 0 = the source as a whole, or a numbered one's other lines
 * @column:	Column in bytes, from 1
 * @text:	The line without its end; not NUL-terminated
 * @text_len:	Its length, bytes
 */
struct place {
	const char *name;
	uint32_t line;
	uint32_t column;
	const char *text;
	uint32_t text_len;
};

/** sources_init() - No sources yet */
void sources_init(struct sources *s, struct arena *a);

/**
 * sources_add() - A new source
 * @s:		Sources
 * @name:	Its name; copied
 * @text:	Its bytes; copied into the arena
 * @len:	How many
 * @used_at:	Place of use for a macro's value, else SPAN_NONE
 *
 * What the arena may take rises by LIMIT_ARENA_PER_BYTE for each byte that is no
 * macro's, up to LIMIT_ARENA_MOST.
 *
 * Return: its number, > 0
 */
uint32_t sources_add(struct sources *s, const char *name, const char *text,
		     uint32_t len, struct span used_at);

/**
 * sources_read() - Read a file whole into a new source
 * @s:		Sources
 * @path:	File, or "-" for standard input (named "stdin")
 * @ret_src:	Set to the source's number on success
 *
 * Regular files, FIFOs and standard input are read up to LIMIT_FILE_BYTES.  A
 * byte order mark of UTF-8 at the start becomes blanks.
 *
 * Return: 0; -EFBIG over the limit; -EISDIR; or another negative errno of
 * open or read
 */
MUST_USE int sources_read(struct sources *s, const char *path, uint32_t *ret_src);

/**
 * sources_number() - Let lines be known by the rule that they make
 * @s:		Sources
 * @src:	A text that we keep ourselves
 *
 * A line "add 100 ..." is line 100, and any other is line 0: so a rule's place
 * stays when others come or go.
 */
void sources_number(struct sources *s, uint32_t src);

/** source_at() - The source with number @src, > 0 */
const struct source *source_at(const struct sources *s, uint32_t src);

/**
 * source_place() - Line and column of a span's start
 * @s:		Sources
 * @at:		Span; SPAN_NONE gives a place without name
 *
 * Cost: O(length of the source) once, then O(length of the line).
 *
 * Return: the place
 */
struct place source_place(struct sources *s, struct span at);

/** source_line() - No more than the line of a span that has a source */
uint32_t source_line(struct sources *s, struct span at);

/**
 * source_file_span() - Where in a file something was written
 * @s:		Sources
 * @at:		Span, possibly within a macro's value
 *
 * Return: the span itself, or the outermost place of use
 */
struct span source_file_span(const struct sources *s, struct span at);

/** source_short_name() - A file's name without its directories */
const char *source_short_name(const char *name);

/** span_join() - From the start of @a to the end of @b; @a if the sources differ */
struct span span_join(struct span a, struct span b);

#endif /* DIAG_SOURCE_H */
