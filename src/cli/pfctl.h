/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfctl - the command line of pfctl(8)
 *
 * Its words, its output and its exit statuses are FreeBSD's, so that programs
 * written for it need not know that there is no pf here.
 *
 * Owns:	 sockets and the state of the run; pfctl_close().
 * Normative:	 pfctl(8) of FreeBSD.
 */
#ifndef CLI_PFCTL_H
#define CLI_PFCTL_H

#include "cli/host.h"
#include "cli/pfrun.h"

#define PFCTL_FAILED	1	/* exit status */
#define PFCTL_TABLE	255	/* of a table command that failed */
#define PFCTL_NO_MATCH	2	/* of -T test */

/* What of a file is loaded: -N, -R, -O, -A, -T load */
#define LOAD_NAT	0x1u
#define LOAD_FILTER	0x2u
#define LOAD_OPTION	0x4u
#define LOAD_ALTQ	0x8u
#define LOAD_TABLE	0x10u
#define LOAD_ALL	0x1fu

/** struct pfctl_owners - Rules that states belong to, or that have a label */
struct pfctl_owners {
	VEC(struct origin) list;
};

/**
 * struct pfctl - One run of pfctl
 * @c:		The run around it
 * @anchor:	-a, "" for the main ruleset
 * @has_anchor:	-a was given
 * @recurse:	It ended in a star
 * @disable:	-d
 * @enable:	-e
 * @token:	-E, or -X
 * @made_enabled: -f did what -e in the same call is to do
 * @quiet:	-q
 * @dry:	-n
 * @numeric:	-P
 * @clear_counts: -z
 * @verbose:	-v, twice 2
 * @clear:	-F, the whole word
 * @show:	-s, the whole word
 * @rules:	-f
 * @iface:	-i
 * @table:	-t
 * @table_cmd:	-T, the whole word
 * @debug_level: -x, the whole word
 * @load:	LOAD_*
 * @kill:	-k
 * @n_kill:	How many
 * @kill_src:	-K
 * @n_kill_src:	How many
 * @words:	What follows the options
 * @n_words:	How many
 * @defines:	-D
 * @d:		What is declared
 * @run:	What is loaded
 * @st:		State
 * @nft:	Session, where @is_open
 * @is_open:	Files and state were read
 * @is_locked:	For changing
 * @is_counted:	pfctl_read_counts() was called
 * @counts:	What rules have counted; NULL: not read, or cannot be
 * @owners:	Of all states, NULL: not asked yet
 * @was_applied: Something was applied since boot
 * @status:	Exit status
 * @own_src:	Source of the text that is being loaded; those behind it are what it
 *		includes
 * @own_name:	What a text that is being loaded is called in places
 * @shown_name:	What the user called it
 */
struct pfctl {
	struct cli *c;
	const char *anchor;
	bool has_anchor;
	bool recurse;
	bool disable;
	bool enable;
	char token;
	bool made_enabled;
	bool quiet;
	bool dry;
	bool numeric;
	bool clear_counts;
	int verbose;
	const char *clear;
	const char *show;
	const char *rules;
	const char *iface;
	const char *table;
	const char *table_cmd;
	const char *debug_level;
	unsigned int load;
	const char *kill[2];
	int n_kill;
	const char *kill_src[2];
	int n_kill_src;
	const char *const *words;
	uint32_t n_words;
	VEC(struct lang_define) defines;
	struct declared d;
	struct pfrun *run;
	struct state st;
	struct nl_session nft;
	bool is_open;
	bool is_locked;
	bool is_counted;
	const struct nft_counts *counts;
	struct pfctl_owners *owners;
	bool was_applied;
	int status;
	uint32_t own_src;
	const char *own_name;
	const char *shown_name;
};

/** pfctl_parse() - Read the words; false when something was told and @p->status is set */
bool pfctl_parse(struct pfctl *p);

/** pfctl_usage() - Say how it is called; false */
bool pfctl_usage(struct pfctl *p);

/** pfctl_warn() - "pfctl: ..." on stderr; the status becomes PFCTL_FAILED; false */
bool pfctl_warn(struct pfctl *p, const char *fmt, ...) PRINTF(2, 3);

/** pfctl_say() - A line on stderr, unless -q */
void pfctl_say(struct pfctl *p, const char *fmt, ...) PRINTF(2, 3);

/**
 * pfctl_open() - Read what is applied and loaded
 * @p:		Run
 * @change:	For changing it: takes the lock
 *
 * Return: true; false when something was told
 */
bool pfctl_open(struct pfctl *p, bool change);

/**
 * pfctl_commit() - Make what @p->run says be in force, and remember it
 * @p:		Run, open for changing
 * @main:	The files of the main ruleset changed too
 *
 * Return: true; false when something was told, and all is as it was
 */
bool pfctl_commit(struct pfctl *p, bool main);

/** pfctl_close() - For CLEANUP() */
void pfctl_close(struct pfctl *p);

/** pfctl_is_enabled() - Are the rules in force */
bool pfctl_is_enabled(const struct pfctl *p);

/** pfctl_tell() - Print the errors told so far as pfctl does, and forget all */
void pfctl_tell(struct pfctl *p);

/** pfctl_context() - For parsing and printing */
struct lang_ctx pfctl_context(struct pfctl *p);

/** pfctl_has_anchor() - Is there an anchor at this path */
bool pfctl_has_anchor(struct pfctl *p, const char *path);

/** pfctl_load_rules() - -f */
bool pfctl_load_rules(struct pfctl *p);

/** pfctl_flush() - -F */
bool pfctl_flush(struct pfctl *p);

/** pfctl_do_show() - -s */
bool pfctl_do_show(struct pfctl *p);

/** pfctl_do_table() - -t with -T */
bool pfctl_do_table(struct pfctl *p);

/** pfctl_show_tables() - -s Tables */
bool pfctl_show_tables(struct pfctl *p, bool title);

/** pfctl_clear_tables() - -F Tables; how many there were */
uint32_t pfctl_clear_tables(struct pfctl *p, const char *anchor);

/** pfctl_title() - A title of -s all */
void pfctl_title(struct pfctl *p, const char *title);

/** pfctl_show_states() - -s states; @title as pfctl_show_tables() */
bool pfctl_show_states(struct pfctl *p, bool title);

/** pfctl_kill_states() - -k, and -F states: how many, or -1 when something was told */
int32_t pfctl_kill_states(struct pfctl *p, bool all);

/** pfctl_owners() - The rule of each state, none where none would make it now */
const struct pfctl_owners *pfctl_owners(struct pfctl *p);

/** pfctl_show_info() - -s info */
bool pfctl_show_info(struct pfctl *p);

/** pfctl_show_timeouts() - -s timeouts */
bool pfctl_show_timeouts(struct pfctl *p);

/** pfctl_show_memory() - -s memory */
bool pfctl_show_memory(struct pfctl *p);

/** pfctl_show_interfaces() - -s Interfaces */
bool pfctl_show_interfaces(struct pfctl *p);

/** pfctl_show_running() - -s Running */
bool pfctl_show_running(struct pfctl *p);

/** pfctl_show_labels() - -s labels; @title as pfctl_show_tables() */
bool pfctl_show_labels(struct pfctl *p, bool title);

/** pfctl_read_counts() - Read what is in force and what it has counted, once */
void pfctl_read_counts(struct pfctl *p);

/** pfctl_print_counts() - For struct pf_show: the counts of a rule; @arg is the run */
void pfctl_print_counts(struct span at, uint32_t part, FILE *out, void *arg);

/** pfctl_labelled() - Add all rules that have a label; false when something was told */
bool pfctl_labelled(struct pfctl *p, const char *label, struct pfctl_owners *ret);

/** pfctl_owns() - Is a rule of a state among these */
bool pfctl_owns(const struct pfctl_owners *labelled, const struct origin *o);

/** pfctl_count_states() - How many states there are, or -1 when nobody may know */
int64_t pfctl_count_states(struct pfctl *p);

#endif /* CLI_PFCTL_H */
