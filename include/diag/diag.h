/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diag - what is wrong with the user's words, said where they stand
 *
 * Collects diagnostics and prints them, with the line and a caret, or as JSON.
 * Codes are append-only: a code never changes its meaning or is used again.
 *
 * Owns:	 nothing; messages live in the arena.
 * Does not:	 speak of system errors (negative errno) or bugs (BUG_IF).
 * Threads:	 none.
 */
#ifndef DIAG_DIAG_H
#define DIAG_DIAG_H

#include "diag/source.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

/*
 * One row a code: X(code, severity, "what it is in a few words",
 *		     "the long text of `explain`"), by layer in diag/codes/.
 */
enum diag_code {
#define X(code, severity, title, text) DIAG_##code,
#include "diag/codes/all.def"
#undef X
	DIAG_N_CODES
};

/**
 * struct diag_code_info - What is known of a code
 * @name:	"E1203"
 * @severity:	Of every diagnostic with this code
 * @title:	A few words
 * @text:	Some sentences, with an example where it helps
 */
struct diag_code_info {
	const char *name;
	enum diag_severity severity;
	const char *title;
	const char *text;
};

extern const struct diag_code_info diag_codes[DIAG_N_CODES];

/**
 * struct diag_more - A line below a diagnostic
 * @at:		Its place, or SPAN_NONE
 * @text:	What it says
 * @is_help:	"help:" and not "note:"
 */
struct diag_more {
	struct span at;
	const char *text;
	bool is_help;
};

/**
 * struct diag - One diagnostic
 * @code:	What kind
 * @at:		Where; SPAN_NONE when it has no place
 * @message:	Lowercase, no final stop
 * @more:	Notes and help, in order
 */
struct diag {
	enum diag_code code;
	struct span at;
	const char *message;
	VEC(struct diag_more) more;
};

/**
 * struct diags - The diagnostics of one run
 * @a:		Where messages live
 * @sources:	Texts that spans point into
 * @list:	In the order they were found, without doubles, at most
 *		LIMIT_ERRORS errors and LIMIT_WARNINGS others
 * @n_errors:	Errors found
 * @n_others:	Warnings and notes found
 * @last:	Index in @list + 1 of what was said last; 0 when it is not there
 */
struct diags {
	struct arena *a;
	struct sources *sources;
	VEC(struct diag) list;
	uint32_t n_errors;
	uint32_t n_others;
	uint32_t last;
};

/** diags_init() - None yet */
void diags_init(struct diags *d, struct arena *a, struct sources *sources);

/**
 * diag_add() - Say something
 * @d:		Diagnostics
 * @code:	Kind; its table row has the severity
 * @at:		Place
 * @fmt:	Message, as printf: name the thing, the value and the limit
 *
 * The same code, place and message a second time is dropped, and what is over
 * the limits is only counted; diag_note() and diag_help() then do nothing.
 *
 * Cost: O(diagnostics so far), which the limits bound.
 */
void diag_add(struct diags *d, enum diag_code code, struct span at, const char *fmt, ...)
	PRINTF(4, 5);

/** diag_note() - A "note:" below the last diagnostic, at a place of its own */
void diag_note(struct diags *d, struct span at, const char *fmt, ...) PRINTF(3, 4);

/** diag_help() - The "help:" line of the last diagnostic */
void diag_help(struct diags *d, const char *fmt, ...) PRINTF(2, 3);

/** diag_is_full() - As many errors as we tell have been found: stop */
bool diag_is_full(const struct diags *d);

/**
 * diag_nearest() - "did you mean": the closest of some words
 * @word:	What was written
 * @words:	Candidates, NULL after the last
 *
 * Return: the candidate at most 2 edits (and fewer than half its letters)
 * away, a swap of two letters being one; of equals one that @word begins, else
 * the first; or NULL
 */
const char *diag_nearest(const char *word, const char *const *words);

/**
 * diag_print() - All diagnostics as text
 * @d:		Diagnostics
 * @out:	Stream
 * @colour:	With terminal colours
 * @min:	Least severity to print: DIAG_NOTE prints all
 *
 * Form of gcc, then the line and a caret under the span, then notes:
 * ``FILE:LINE:COLUMN: error: MESSAGE [E1203]``.  Control characters of the source
 * (those of Latin-1 and of text direction too) and what is not UTF-8 are printed
 * as ``?``, so no text of the user drives the terminal.
 */
void diag_print(const struct diags *d, FILE *out, bool colour, enum diag_severity min);

/**
 * diag_json() - Diagnostics of some severities as a JSON array
 * @d:		Diagnostics
 * @out:	Stream
 * @errors:	true: the errors; false: warnings and notes
 *
 * What has lines below it has them in "more": {"file", "line", "column", "kind" ("note",
 * "help"), "message"}, the file null where the line has no place.
 */
void diag_json(const struct diags *d, FILE *out, bool errors);

/** diag_code_find() - The code named @name ("E1203"), or DIAG_N_CODES */
enum diag_code diag_code_find(const char *name);

/** diag_severity_name() - "error", "warning" or "note" */
const char *diag_severity_name(enum diag_severity s);

/**
 * json_string() - A string as JSON, quotes included
 * @out:	Stream
 * @s:		Bytes; what is not UTF-8 becomes U+FFFD
 * @len:	How many
 */
void json_string(FILE *out, const char *s, size_t len);

/** json_cstring() - A C string as JSON; NULL is null */
void json_cstring(FILE *out, const char *s);

#endif /* DIAG_DIAG_H */
