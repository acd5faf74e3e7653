/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * construct - what becomes of each construct of a language
 *
 * The tables that drive the parsers say of each word whether its meaning is
 * kept.  This is their common form, for `explain` and for the documentation
 * that is generated from it.
 *
 * Owns:	 nothing; constant.
 * Does not:	 parse: a parser's own table is the source.
 */
#ifndef LANG_CONSTRUCT_H
#define LANG_CONSTRUCT_H

#include "base/base.h"

/**
 * enum construct_how - How well a meaning is kept
 * @HOW_EXACT:	As on FreeBSD, and nothing is said
 * @HOW_NOTED:	Taken; a note or a warning says what differs
 * @HOW_REFUSED: An error names it and says why
 */
enum construct_how { HOW_EXACT, HOW_NOTED, HOW_REFUSED, N_HOWS };

extern const char *const construct_hows[N_HOWS];	/* "exact", ... */

/**
 * struct construct - A construct
 * @place:	Where it stands: "rule option"
 * @text:	As it is written; a word, or words
 * @word:	The keyword that is in it, or NULL
 * @how:	How well its meaning is kept
 * @help:	A few words: what it does, or why it is not exact and what is nearest
 */
struct construct {
	const char *place;
	const char *text;
	const char *word;
	enum construct_how how;
	const char *help;
};

/** pf_constructs() - Those of pf.conf, by place; the last has no text */
const struct construct *pf_constructs(void);

/** ipfw_constructs() - Those of ipfw, by place; the last has no text */
const struct construct *ipfw_constructs(void);

#endif /* LANG_CONSTRUCT_H */
