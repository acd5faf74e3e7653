/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfrun - what was loaded beside the pf.conf files, as it is remembered
 *
 * Anchors as texts and tables as entries, one file of the state directory.
 *
 * Does not:	 hold the lock, or open the state.
 */
#ifndef CLI_PFRUN_H
#define CLI_PFRUN_H

#include "cli/cli.h"
#include "host/state.h"
#include "lang/pf.h"

/**
 * struct pfrun_part - A text that was loaded into an anchor
 * @kinds:	Which of its rules count, PF_KIND_*
 * @name:	Of the file, or "stdin"
 * @text:	The text
 * @len:	Its length, bytes
 * @defines:	-D that it was loaded with
 * @files:	What it includes, as it was then
 */
struct pfrun_part {
	unsigned int kinds;
	const char *name;
	const char *text;
	uint32_t len;
	VEC(struct lang_define) defines;
	VEC(struct kept_text) files;
};

/** struct pfrun_anchor - An anchor; @path is "" for rules of the main ruleset */
struct pfrun_anchor {
	const char *path;
	VEC(struct pfrun_part) parts;
};

/**
 * struct pfrun_entry - An entry of a table
 * @e:		It
 * @since:	When it was added, seconds since 1970
 */
struct pfrun_entry {
	struct pf_entry e;
	int64_t since;
};

/** struct pfrun_table - A changed table, as struct pf_run_table */
struct pfrun_table {
	const char *anchor;
	const char *name;
	bool is_persist;
	bool is_gone;
	VEC(struct pfrun_entry) entries;
};

/** enum pfrun_switch - What -e and -d said last */
enum pfrun_switch { PFRUN_UNSAID, PFRUN_ENABLED, PFRUN_DISABLED };

/**
 * struct pfrun - All of it
 * @enabled:	Are the rules in force; unsaid: they are once something was applied
 * @since:	When @enabled was said, seconds since 1970
 * @flushed:	As struct pf_run
 * @anchors:	By path
 * @tables:	In any order
 */
struct pfrun {
	enum pfrun_switch enabled;
	int64_t since;
	unsigned int flushed;
	VEC(struct pfrun_anchor) anchors;
	VEC(struct pfrun_table) tables;
};

/** pfrun_load() - Read it; empty when there is none; 0 or a negative errno */
MUST_USE int pfrun_load(struct cli *c, const struct state *st, struct pfrun *r);

/** pfrun_save() - Replace it; 0 or a negative errno */
MUST_USE int pfrun_save(struct cli *c, struct state *st, const struct pfrun *r);

/** pfrun_anchor() - The anchor at a path, made if @make, else NULL when there is none */
struct pfrun_anchor *pfrun_anchor(struct cli *c, struct pfrun *r, const char *path, bool make);

/** pfrun_anchor_drop() - Take kinds of rules out of an anchor; true when there were some */
bool pfrun_anchor_drop(struct pfrun *r, const char *path, unsigned int kinds);

/** pfrun_anchor_forget() - As if nothing had ever been loaded into an anchor */
void pfrun_anchor_forget(struct pfrun *r, const char *path);

/** pfrun_table() - As pfrun_anchor() */
struct pfrun_table *pfrun_table(struct cli *c, struct pfrun *r, const char *anchor,
				const char *name, bool make);

/** pfrun_table_forget() - As if a table had not been changed */
void pfrun_table_forget(struct pfrun *r, const char *anchor, const char *name);

/** pfrun_source_name() - What places in a loaded text are called */
const char *pfrun_source_name(struct cli *c, const char *path, const struct pfrun_part *p);

/**
 * pfrun_parse() - Parse what was loaded
 * @c:		Run
 * @ctx:	Context
 * @d:		Jails
 * @r:		What was loaded
 * @ret:	Filled
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pfrun_parse(struct cli *c, const struct lang_ctx *ctx, const struct decl *d,
			  const struct pfrun *r, struct pf_run *ret);

/**
 * pfrun_reload() - What becomes of it when the main ruleset is loaded anew
 * @c:		Run
 * @ctx:	Context
 * @f:		The new main ruleset
 * @r:		Changed: tables with a list and anchors in braces are what @f says
 */
void pfrun_reload(struct cli *c, struct lang_ctx *ctx, const struct pf_file *f,
		  struct pfrun *r);

/**
 * pfrun_load_anchors() - Read the files that "load anchor" names
 * @c:		Run
 * @ctx:	Context
 * @f:		File with such statements
 * @anchor:	Path of the anchor that @f is loaded into
 * @again:	Also into anchors that hold something
 * @depth:	Files around it
 * @r:		Anchors are replaced
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pfrun_load_anchors(struct cli *c, struct lang_ctx *ctx, const struct pf_file *f,
				 const char *anchor, bool again, uint32_t depth, struct pfrun *r);

#endif /* CLI_PFRUN_H */
