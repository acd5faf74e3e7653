/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ipfw - rulesets of ipfw: read them, and say what they mean as a model
 *
 * A ruleset comes as a file of rules (as `ipfw FILE` reads it) or as a shell
 * script that calls ipfw.  Both become the same thing: ipfw commands, in
 * order.  The commands build a ruleset, and the ruleset is lowered to a model
 * or printed as ipfw prints it.
 *
 * The language is FreeBSD 14's.  What of it cannot be kept is an error that
 * names the construct; nothing is skipped in silence.
 *
 * Owns:	 nothing; everything lives in the context's arena.
 * Does not:	 read the host, resolve host names, run a shell, or know a
 *		 target.
 * Threads:	 none.
 * Normative:	 ipfw(8) of FreeBSD 14.
 */
#ifndef LANG_IPFW_H
#define LANG_IPFW_H

#include "lang/lang.h"
#include "model/decl.h"
#include "model/model.h"

/**
 * struct ipfw_word - An argument of an ipfw command, after expansion
 * @text:	C string
 * @at:		Where it is written; text of a variable is a source with its
 *		place of use
 */
struct ipfw_word {
	const char *text;
	struct span at;
};

/**
 * struct ipfw_cmd - One call of ipfw
 * @words:	Its arguments, options like -q included, the word "ipfw" not
 * @at:		The call; in its file
 * @line_text:	The command as text, one line
 */
struct ipfw_cmd {
	VEC(struct ipfw_word) words;
	struct span at;
	const char *line_text;
};

/**
 * struct ipfw_sysctl - A sysctl that the script sets
 * @name:	"net.inet.ip.fw.one_pass"
 * @value:	As written
 * @at:		Where
 */
struct ipfw_sysctl {
	const char *name;
	const char *value;
	struct span at;
};

/**
 * struct ipfw_cmds - What a file or script asks of ipfw
 * @list:	Calls, in order
 * @sysctls:	Settings, in order
 */
struct ipfw_cmds {
	VEC(struct ipfw_cmd) list;
	VEC(struct ipfw_sysctl) sysctls;
};

/** ipfw_is_script() - Is a source a shell script, and not a file of rules */
bool ipfw_is_script(const struct source *s);

/**
 * ipfw_script_read() - Read a script of literal commands, without running it
 * @c:		Context; told of what is wrong, and of what would need a shell
 * @src:	Source
 * @ret:	Commands are added
 *
 * Return: true; false when an error was told
 */
MUST_USE bool ipfw_script_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret);

/**
 * ipfw_script_sources() - Does a script read a file of this name (". PATH/NAME")
 * @s:		Script
 * @base:	Name without directories
 *
 * Return: true; by the text alone, so a line that is never run counts too
 */
bool ipfw_script_sources(const struct source *s, const char *base);

/** ipfw_script_names() - Does a path of this name stand in a script, comments apart */
bool ipfw_script_names(const struct source *s, const char *base);

/**
 * ipfw_rules_read() - Read a file of rules, as `ipfw FILE` does
 * @c:		Context; told of what is wrong
 * @src:	Source
 * @ret:	Commands are added, one a line
 *
 * "#" starts a comment anywhere; blanks around commas go.
 *
 * Return: true; false when an error was told
 */
MUST_USE bool ipfw_rules_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret);

/**
 * ipfw_jail_variables() - "jail_NAME" for each jail: its address, or a list of them
 * @c:		Context; its presets become these
 * @d:		Jails
 */
void ipfw_jail_variables(struct lang_ctx *c, const struct decl *d);

struct ipfw_ruleset;

/**
 * ipfw_parse() - The ruleset that some commands leave behind
 * @c:		Context; told of what is wrong, up to LIMIT_ERRORS
 * @cmds:	Commands, carried out in order on an empty ruleset
 *
 * Return: what was understood, never NULL; complete only if no error was told
 */
struct ipfw_ruleset *ipfw_parse(struct lang_ctx *c, const struct ipfw_cmds *cmds);

/**
 * struct ipfw_reply - What ipfw says to a command that is carried out
 * @status:	0: @text is for standard output, unless -q; else the exit status,
 *		and @text is for standard error
 * @text:	One line, without "ipfw: "
 * @is_minor:	With -q it is no error: what was to be is so already
 */
struct ipfw_reply {
	int status;
	const char *text;
	bool is_minor;
};

/**
 * struct ipfw_replies - What is said
 * @list:	In the order of the commands
 * @is_test:	Nothing is numbered (-n): a rule without number is shown as 00000
 */
struct ipfw_replies {
	VEC(struct ipfw_reply) list;
	bool is_test;
};

/**
 * ipfw_run() - Carry commands out on a ruleset, and answer as ipfw(8) does
 * @c:		Context; told of what is wrong
 * @rs:		Ruleset from ipfw_parse()
 * @cmds:	Commands
 * @ret:	Answers are added; what is not there to be taken away is an answer
 *		with a status, and the rest is carried out
 *
 * With an error told @rs is of no use any more.
 */
void ipfw_run(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmds *cmds,
	      struct ipfw_replies *ret);

/**
 * ipfw_save() - A ruleset as text that gives it back
 * @rs:		Ruleset
 * @out:	Stream; for ipfw_saved_read()
 */
void ipfw_save(const struct ipfw_ruleset *rs, FILE *out);

/** struct ipfw_spans - Places */
struct ipfw_spans {
	VEC(struct span) list;
};

/**
 * ipfw_settle() - Say that a ruleset's rules stand in what was saved
 * @c:		Context
 * @rs:		Ruleset
 * @saved:	What ipfw_save() wrote of it, as a source
 * @from:	Source of the commands that were run last
 * @ret:	Spans in @saved of the rules that came from @from are added
 */
void ipfw_settle(struct lang_ctx *c, struct ipfw_ruleset *rs, uint32_t saved, uint32_t from,
		 struct ipfw_spans *ret);

/** ipfw_saved_read() - As ipfw_rules_read(), of what ipfw_save() wrote: "#" is no comment */
MUST_USE bool ipfw_saved_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret);

/** ipfw_check_nats() - Tell E2018 of instances that commands at @from give an unknown interface */
void ipfw_check_nats(struct lang_ctx *c, const struct ipfw_ruleset *rs,
		     const struct facts *facts, uint32_t from);

/**
 * ipfw_take_sysctls() - Obey settings of net.inet.ip.fw
 * @c:		Context; told of what has no effect (N2043) or no such value (E2010)
 * @rs:		Ruleset
 * @cmds:	Their sysctls; the list is not looked at
 */
void ipfw_take_sysctls(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmds *cmds);

/** ipfw_save_sysctls() - Those that a ruleset has, for ipfw_save() */
void ipfw_save_sysctls(const struct ipfw_ruleset *rs, FILE *out);

/** ipfw_read_sysctl() - Is a line of a saved ruleset a setting; it is added to @ret */
bool ipfw_read_sysctl(struct lang_ctx *c, const struct ipfw_cmd *cmd, struct ipfw_cmds *ret);

/** ipfw_set_one_pass() - Let a ruleset that does not say have this one_pass, 0 or 1 */
void ipfw_set_one_pass(struct ipfw_ruleset *rs, int one_pass);

/**
 * struct ipfw_options - What the caller wants of lowering
 * @one_pass:	net.inet.ip.fw.one_pass where the ruleset does not say: 0, 1,
 *		or -1 for FreeBSD's default (1, with a warning)
 * @default_to_accept: The last rule accepts (net.inet.ip.fw.default_to_accept)
 * @tolerate_missing: An unknown interface is a note, not an error
 * @is_live:	Commands come one by one: a nat instance may be configured after
 *		the rule that names it, which denies until then; and the last
 *		rule is counted
 * @d:		Jails, for the table "jails"; may be NULL
 */
struct ipfw_options {
	int one_pass;
	bool default_to_accept;
	bool tolerate_missing;
	bool is_live;
	const struct decl *d;
};

/**
 * ipfw_lower() - Say what a ruleset means
 * @c:		Context that it was parsed in
 * @rs:		Ruleset
 * @facts:	The host
 * @o:		Options
 * @m:		An empty model (model_init()); gains lists and rules
 *
 * Return: true; false when an error was told
 */
MUST_USE bool ipfw_lower(struct lang_ctx *c, const struct ipfw_ruleset *rs,
			 const struct facts *facts, const struct ipfw_options *o,
			 struct model *m);

/**
 * ipfw_print_list() - The rules as `ipfw -S list` shows them
 * @rs:		Ruleset
 * @accept:	The last rule accepts (default_to_accept)
 * @out:	Stream
 */
void ipfw_print_list(const struct ipfw_ruleset *rs, bool accept, FILE *out);

/** ipfw_print_nat() - Nat instances as `ipfw nat show config` shows them */
void ipfw_print_nat(const struct ipfw_ruleset *rs, FILE *out);

/**
 * ipfw_fmt() - Commands in canonical form, in the order of the source
 * @rs:		Ruleset that was parsed without error
 * @out:	Stream; a file of rules that means the same
 *
 * Reading the output and printing it again changes nothing.
 */
void ipfw_fmt(const struct ipfw_ruleset *rs, FILE *out);

/**
 * ipfw_words() - Every word of the language, for fuzzers and completion
 *
 * Return: words in ASCII order, NULL after the last
 */
const char *const *ipfw_words(void);

#endif /* LANG_IPFW_H */
