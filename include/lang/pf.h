/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pf - pf.conf: read it, and say what it means as a model
 *
 * The language is FreeBSD 15's.  What of it is not in this version is an
 * error that names the construct; nothing is skipped in silence.
 *
 * Owns:	 nothing; everything lives in the context's arena.
 * Does not:	 read the host, resolve host names, or know a target.
 * Threads:	 none.
 * Normative:	 pf.conf(5) of FreeBSD 15.
 */
#ifndef LANG_PF_H
#define LANG_PF_H

#include "lang/lang.h"
#include "model/decl.h"
#include "model/model.h"

struct pf_file;

/**
 * struct pf_options - What the caller wants of lowering
 * @tolerate_missing: An address of an interface that is not known is a note
 *		(N1310) and the rule matches nothing; else it is an error (E1308)
 */
struct pf_options {
	bool tolerate_missing;
};

/**
 * pf_parse() - Read pf.conf files that form one ruleset
 * @c:		Context; told of what is wrong, up to LIMIT_ERRORS
 * @d:		Jails, for the macros jail_NAME; may be NULL
 * @srcs:	Sources of the files, in order
 * @n_srcs:	How many
 *
 * Included files become sources of @c->sources.
 *
 * Return: what was understood, never NULL; complete only if no error was told
 */
struct pf_file *pf_parse(struct lang_ctx *c, const struct decl *d, const uint32_t *srcs,
			 uint32_t n_srcs);

/**
 * pf_lower() - Say what a ruleset means
 * @c:		Context that it was parsed in
 * @f:		Ruleset
 * @facts:	The host
 * @d:		Jails, for the table <jails>; may be NULL
 * @o:		Options
 * @m:		An empty model (model_init()); gains lists and rules
 *
 * The model has the lists "in", "out", "rdr", "nat" and "filter" even where
 * they are empty.  Origins point into files, never into macros.
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pf_lower(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
		       const struct decl *d, const struct pf_options *o, struct model *m);

/**
 * pf_norm_form() - Print a ruleset as "pfctl -o none -nv" does
 * @c:		Context that it was parsed in
 * @f:		Ruleset
 * @facts:	The host, for names of interfaces that stand for addresses
 * @o:		Options
 * @out:	Where to
 *
 * One single rule a line, defaults written out, addresses of names resolved;
 * what it prints is pf.conf again, and prints the same.  Names of anchors are
 * printed whole.
 *
 * Return: true; false when an error was told, and then less is printed
 */
MUST_USE bool pf_norm_form(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
			   const struct pf_options *o, FILE *out);

/**
 * pf_fmt() - Print a pf.conf as canonical source
 * @text:	A file without errors
 * @len:	Its length, bytes
 * @out:	Where to
 *
 * The same words in the same order: macros, comments, includes and line ends
 * stay, blanks and indentation are made uniform.  What it prints it prints
 * unchanged.
 */
void pf_fmt(const char *text, uint32_t len, FILE *out);

/**
 * pf_words() - Every word of the language, for fuzzers and completion
 *
 * Return: words in ASCII order, NULL after the last
 */
const char *const *pf_words(void);

#endif /* LANG_PF_H */
