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

/* Kinds of rules, which can be loaded into an anchor and flushed apart */
#define PF_KIND_FILTER	0x1u	/* scrub, pass, block, match, antispoof, anchor */
#define PF_KIND_NAT	0x2u	/* nat, rdr, binat and their anchors */
#define PF_KIND_ALL	(PF_KIND_FILTER | PF_KIND_NAT)

/**
 * struct pf_entry - An address or network in a table
 * @p:		It
 * @is_not:	A hole in a wider one
 * @is_gone:	Of struct pf_run_table only: not in the table, though declared
 */
struct pf_entry {
	struct prefix p;
	bool is_not;
	bool is_gone;
};

/** struct pf_entries - What a table holds, in any order */
struct pf_entries {
	VEC(struct pf_entry) list;
};

/**
 * struct pf_run_part - Rules that somebody loaded into an anchor
 * @file:	From a pf_parse() of their own
 * @kinds:	Which of them count: PF_KIND_*
 */
struct pf_run_part {
	const struct pf_file *file;
	unsigned int kinds;
};

/**
 * struct pf_run_anchor - An anchor that was loaded
 * @path:	From the main ruleset, without a slash before it
 * @parts:	What it holds; none: it is there, and empty
 */
struct pf_run_anchor {
	const char *path;
	VEC(struct pf_run_part) parts;
};

/**
 * struct pf_run_table - A table that was changed while the rules were in force
 * @anchor:	Path of its anchor, "" for the main ruleset
 * @name:	Its name
 * @is_persist:	It is there without a rule that names it
 * @is_gone:	It was deleted: its definition does not count any more
 * @entries:	All that it holds; of <jails> without a list: what is more or
 *		less (@is_gone) than the declared jails
 */
struct pf_run_table {
	const char *anchor;
	const char *name;
	bool is_persist;
	bool is_gone;
	struct pf_entries entries;
};

/**
 * struct pf_run - What was loaded beside the main ruleset
 * @flushed:	PF_KIND_* of the main ruleset's own files that do not count any
 *		more
 * @anchors:	By path, no path twice; "" are rules in place of those @flushed
 * @tables:	In any order
 */
struct pf_run {
	unsigned int flushed;
	VEC(struct pf_run_anchor) anchors;
	VEC(struct pf_run_table) tables;
};

/**
 * struct pf_options - What the caller wants of lowering
 * @tolerate_missing: An address of an interface that is not known is a note
 *		(N1310) and the rule matches nothing; else it is an error (E1308)
 * @run:	Loaded anchors and changed tables, or NULL
 */
struct pf_options {
	bool tolerate_missing;
	const struct pf_run *run;
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
 * pf_timeout() - What `set timeout` says, one after the other
 * @f:		Ruleset
 * @i:		Number of the timeout, from 0 on
 * @ret_name:	Set: its name, "udp.multiple"
 * @ret_seconds: Set; 0: nothing is said of it
 *
 * Return: whether there is one of that number
 */
bool pf_timeout(const struct pf_file *f, uint32_t i, const char **ret_name,
		uint32_t *ret_seconds);

/** pf_limit() - What `set limit` says of @name, as "states"; 0: nothing */
uint32_t pf_limit(const struct pf_file *f, const char *name);

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
 * pf_raise_jails() - $nat and $forward of all enabled jails as a pf.conf
 * @c:		Context
 * @d:		Declarations, finished
 * @facts:	The host
 * @out:	Where to
 *
 * Return: true; false when an error was told: something has no form there
 * (E1744), or leads nowhere (E1605)
 */
MUST_USE bool pf_raise_jails(struct lang_ctx *c, const struct decl *d, const struct facts *facts,
			     FILE *out);

/**
 * struct pf_show - Which rules pf_show() prints, and how
 * @anchor:	Path of the anchor, "" for the main ruleset
 * @kinds:	PF_KIND_*, one of them
 * @is_numeric:	Ports without names
 * @is_numbered: Each rule behind "@" and its number
 * @recurse:	The rules of anchors in braces behind their calls
 * @after:	Told after each rule, before those of a block in braces, of which
 *		statement it is and the how many-th of it, from 1 on; or NULL
 * @arg:	For @after
 */
struct pf_show {
	const char *anchor;
	unsigned int kinds;
	bool is_numeric;
	bool is_numbered;
	bool recurse;
	void (*after)(struct span at, uint32_t part, FILE *out, void *arg);
	void *arg;
};

/**
 * pf_show() - Print rules as "pfctl -s" does
 * @c:		Context
 * @f:		Main ruleset, or NULL for an empty one
 * @facts:	The host
 * @o:		Options
 * @w:		Which
 * @out:	Where to
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pf_show(struct lang_ctx *c, const struct pf_file *f, const struct facts *facts,
		      const struct pf_options *o, const struct pf_show *w, FILE *out);

/** struct pf_names - Strings, sorted, none twice */
struct pf_names {
	VEC(const char *) list;
};

/**
 * pf_anchors() - Every anchor that is called, loaded or stands inline
 * @c:		Context
 * @f:		Main ruleset, or NULL
 * @run:	Loaded anchors, or NULL
 * @out:	Whole paths are added; those around them too
 */
void pf_anchors(struct lang_ctx *c, const struct pf_file *f, const struct pf_run *run,
		struct pf_names *out);

/**
 * struct pf_table_info - A table as "pfctl -s Tables" sees it
 * @anchor:	Path of its anchor
 * @name:	Its name
 * @at:		Where it is defined, or SPAN_NONE
 * @is_defined:	It is active: defined, or made while the rules were in force
 * @is_const:	Words of its definition
 * @is_persist:	As @is_const
 * @has_counters: As @is_const
 * @has_list:	Its definition says what it holds
 * @n_rules:	Rules of its ruleset that name it
 * @entries:	What it holds, by address
 */
struct pf_table_info {
	const char *anchor;
	const char *name;
	struct span at;
	bool is_defined;
	bool is_const;
	bool is_persist;
	bool has_counters;
	bool has_list;
	uint32_t n_rules;
	struct pf_entries entries;
};

/** struct pf_table_infos - Tables, by name and anchor */
struct pf_table_infos {
	VEC(struct pf_table_info) list;
};

/**
 * pf_table_list() - All tables of a ruleset and of what is loaded beside it
 * @c:		Context
 * @f:		Main ruleset, or NULL
 * @facts:	The host
 * @d:		Jails, for <jails>; may be NULL
 * @o:		Options
 * @out:	Tables are added
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pf_table_list(struct lang_ctx *c, const struct pf_file *f,
			    const struct facts *facts, const struct decl *d,
			    const struct pf_options *o, struct pf_table_infos *out);

/**
 * pf_entry_parse() - What one word stands for in a table
 * @c:		Context
 * @facts:	The host, for names of interfaces and "self"
 * @word:	An address, a network or a name, perhaps after "!"
 * @out:	Entries are added; host bits are cleared
 *
 * Return: true; false when it is none of these, nothing is told
 */
MUST_USE bool pf_entry_parse(struct lang_ctx *c, const struct facts *facts, const char *word,
			     struct pf_entries *out);

/**
 * struct pf_load_info - "load anchor PATH from FILE"
 * @anchor:	Whole path
 * @path:	Of the file, as it is found from here
 * @at:		The word that names the file
 */
struct pf_load_info {
	const char *anchor;
	const char *path;
	struct span at;
};

/** struct pf_loads - What a file wants loaded, in order */
struct pf_loads {
	VEC(struct pf_load_info) list;
};

/**
 * pf_loads_of() - What a file wants loaded into anchors
 * @c:		Context that it was parsed in
 * @f:		File
 * @anchor:	Path of the anchor that it is loaded into, "" for the main ruleset
 * @out:	Loads are added
 */
void pf_loads_of(struct lang_ctx *c, const struct pf_file *f, const char *anchor,
		 struct pf_loads *out);

/**
 * pf_inlines() - Anchors that a file has in braces, by their whole paths
 * @c:		Context
 * @f:		File
 * @anchor:	As pf_loads_of()
 * @out:	Paths are added
 */
void pf_inlines(struct lang_ctx *c, const struct pf_file *f, const char *anchor,
		struct pf_names *out);

/** pf_kinds_of() - Kinds of rules that a file has, PF_KIND_* */
unsigned int pf_kinds_of(const struct pf_file *f);

/** pf_listed_tables() - Add the names of the tables whose definition says what they hold */
void pf_listed_tables(struct lang_ctx *c, const struct pf_file *f, struct pf_names *out);

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
 * pf_freebsd_message() - What FreeBSD's pfctl says of a mistake
 * @a:		Memory
 * @g:		An error of pf_parse(), pf_lower() or pf_norm_form()
 *
 * Return: what stands behind "FILE:LINE: "; our own words where FreeBSD has none
 */
const char *pf_freebsd_message(struct arena *a, const struct diag *g);

/**
 * pf_freebsd_print() - Errors as pfctl prints them, a line each
 * @d:		Diagnostics; warnings and notes are left out
 * @file:	The name to give where a diagnostic has no place
 * @out:	Where to
 *
 * "FILE:LINE: message", and the lines that pfctl adds: "no IP address found for
 * em9" before, "skipping rule due to errors" and "rule expands to no valid
 * combination" behind.
 */
void pf_freebsd_print(struct diags *d, const char *file, FILE *out);

/**
 * pf_words() - Every word of the language, for fuzzers and completion
 *
 * Return: words in ASCII order, NULL after the last
 */
const char *const *pf_words(void);

#endif /* LANG_PF_H */
