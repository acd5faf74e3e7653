/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate - a model as text of a language that it was not written in
 *
 * Owns:	 nothing.
 * Does not:	 prove that the text means the same: who prints it reads it again.
 * Threads:	 none.
 */
#ifndef LANG_TRANSLATE_H
#define LANG_TRANSLATE_H

#include <stdio.h>

#include "lang/lang.h"
#include "model/flat.h"

/**
 * struct raise_refusal - What a language cannot say
 * @what:	In words, or NULL
 * @at:		Whose it is
 */
struct raise_refusal {
	const char *what;
	struct origin at;
};

/**
 * struct translate_lang - A language that models are translated to
 * @name:	As messages name it
 * @print:	Prints a model and the same, flat; the stream is untouched where something
 *		is refused, and its last argument then says what; true: nothing was
 * @longer:	The same language, with more rules that say more exactly what is remembered;
 *		or NULL
 * @read:	Makes an empty model the meaning of a source of that language; an unknown
 *		interface is a note.  False: an error was told
 */
struct translate_lang {
	const char *name;
	bool (*print)(const struct model *m, const struct flat *f, FILE *out,
		      struct raise_refusal *ret);
	const struct translate_lang *longer;
	bool (*read)(struct lang_ctx *c, uint32_t src, const struct facts *facts,
		     struct model *m);
};

extern const struct translate_lang translate_pf;	/* pf.conf */
extern const struct translate_lang translate_ipfw;	/* a file of ipfw rules */

#endif /* LANG_TRANSLATE_H */
