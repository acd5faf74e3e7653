/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words - the keyword table of pf.conf
 *
 * Owns:	 nothing; constant.
 */
#ifndef LANG_PF_WORDS_H
#define LANG_PF_WORDS_H

#include "base/base.h"

/*
 * Roles: where a word may stand, so that "did you mean" offers what fits, and
 * what a construct of the language that is not here yet is recognised by.
 */
#define PWR_STATEMENT		0x01u	/* begins a statement */
#define PWR_LATER_STATEMENT	0x02u	/* begins a statement that is not in this version */
#define PWR_LATER		0x04u	/* within a statement, not in this version */
#define PWR_OPTION		0x08u	/* after "set" */
#define PWR_RULE		0x10u	/* within a rule */
#define PWR_PLAIN		0x20u	/* elsewhere */
#define PWR_FREE		0x40u	/* no reserved word: a macro may have it */

enum pf_word {
	PW_NONE,		/* no keyword, or quoted */
#define X(name, text, roles) PW_##name,
#include "lang/pf/words.def"
#undef X
	PW_N_WORDS
};

/**
 * pf_word_find() - The keyword that is spelled so
 * @s:		Text
 * @len:	Its length
 *
 * Cost: O(log n).
 *
 * Return: the keyword, or PW_NONE
 */
enum pf_word pf_word_find(const char *s, size_t len);

/** pf_word_text() - How a keyword is spelled */
const char *pf_word_text(enum pf_word w);

/** pf_word_roles() - Where a keyword may stand; 0 for PW_NONE */
unsigned int pf_word_roles(enum pf_word w);

/** pf_word_is_reserved() - No name may be spelled so without quotes */
bool pf_word_is_reserved(enum pf_word w);

/** pf_word_nearest() - "did you mean": the closest keyword with one of @roles, or NULL */
const char *pf_word_nearest(const char *word, unsigned int roles);

#endif /* LANG_PF_WORDS_H */
