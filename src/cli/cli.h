/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli - the command line: options, verbs, and what all verbs share
 *
 * A verb is a row of a table and a file.  It writes its data to a buffer and
 * its complaints to the diagnostics; main prints both at the end, as text or
 * as one JSON object, so that the output is whole whatever happens.
 *
 * Owns:	 everything of the run.
 * Threads:	 none.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <sysexits.h>

#include "cli/nat.h"
#include "diag/diag.h"
#include "lang/lang.h"
#include "model/decl.h"
#include "model/model.h"
#include "model/policy.h"

#define EX_DIFFERS	1	/* something differs, or a problem was found */
#define EX_BUSY		75	/* try again */

#define CLI_OTHER	UINT32_MAX
#define CLI_MANY	(UINT32_MAX - 1)	/* as many words as there are */

enum cli_lang {
	LANG_BY_NAME, LANG_PF, LANG_IPFW, LANG_JAIL, LANG_RC, LANG_SYSCTL, LANG_EZJAIL,
	LANG_IOCAGE
};

/**
 * struct cli_file - A declaration file of the command line
 * @path:	As given; "-" is standard input
 * @lang:	What --lang said before it, or LANG_BY_NAME
 * @src:	Its text, once read
 * @kept:	@src is a text of the state: what the last apply read from
 *		standard input, or of this run's own making
 * @live:	And is the ruleset that the ipfw command keeps
 * @jails:	LANG_JAIL: parsed already, and there is no text (@kept); or NULL
 */
struct cli_file {
	const char *path;
	enum cli_lang lang;
	uint32_t src;
	bool kept;
	bool live;
	const struct jail_file *jails;
};

struct cli;
struct cli_verb;
struct jail_file;
struct ipfw_call;
struct kept;
struct kept_edit;
struct pf_file;
struct pf_run;
struct pfrun;
struct state;

/**
 * struct cli_locked - What a run does once it holds the lock, before it reads anything
 * @fn:		Does it: 0, or the status with which the run ends; NULL: nothing
 * @arg:	For @fn
 */
struct cli_locked {
	int (*fn)(struct cli *c, struct state *st, void *arg);
	void *arg;
};

/**
 * struct cli_alias_change - What `alias add` and `alias del` ask for
 * @op:		'+', '-', or 0: nothing
 * @iface:	FreeBSD name of the interface
 * @p:		Address
 */
struct cli_alias_change {
	char op;
	const char *iface;
	struct prefix p;
};

/**
 * struct cli_more - What a run knows of the host beside files and the kernel
 * @iface:	FreeBSD name of an interface that has @addrs unless something else says
 *		which it has; or NULL
 * @addrs:	Addresses
 * @n:		How many
 * @inside_if:	Interface that leads to @inside
 * @inside:	Networks of jails
 * @n_inside:	How many
 */
struct cli_more {
	const char *iface;
	const struct addr *addrs;
	uint32_t n;
	const char *inside_if;
	const struct prefix *inside;
	uint32_t n_inside;
};

/**
 * struct cli_next - What `alias next` asks for, and what it gets
 * @is_asked:	There is such a wish
 * @owner:	For whom; "": for nobody in particular
 * @iface:	Set: interface of the pool
 * @a:		Set: address
 */
struct cli_next {
	bool is_asked;
	const char *owner;
	const char *iface;
	struct addr a;
};

/** enum nat_path - Who translates: the kernel where nothing else is said */
enum nat_path { NAT_PATH_UNSAID, NAT_PATH_KERNEL, NAT_PATH_USERSPACE };

/**
 * struct cli - One run
 * @arena:	Memory
 * @trees:	Memory of what declares the host, until it is lowered
 * @names:	Interned names
 * @sources:	Texts
 * @diags:	Complaints
 * @out:	Where the verb writes its data; with --json: the elements of its
 *		array
 * @n_out:	Elements written so far, for the comma
 * @verb:	Verb
 * @args:	Its words
 * @n_args:	How many
 * @files:	-f
 * @lang:	--lang for the files that follow
 * @defines:	-D
 * @runs:	Jails that this run takes up or down
 * @force:	--force: go on where a service of the host would answer for a jail
 * @aliases:	What `alias add` added since boot
 * @change:	What this run adds to them or takes away
 * @pool:	--pool of `alias next`, or NULL
 * @next:	The address that this run asks of a pool
 * @locked:	What it does under the lock
 * @confirm_seconds: --confirm of apply, 0: not given
 * @is_writing:	The run holds the lock, and will change the host
 * @held:	State that the run has open while it reads what is declared, or NULL
 * @seen:	What the facts were learned from, until it is compared with what is
 *		wanted; NULL: the host was not asked
 * @edit:	What this run changes of the forwards, or NULL
 * @interfaces:	--interfaces, or NULL
 * @netns:	--netns, or NULL
 * @state_dir:	--state-dir, or NULL
 * @jail_netns:	up: the namespace of a vnet jail, name or path, or NULL
 * @create:	up: make that namespace
 * @policy:	--no-fence
 * @nat_path:	--nat-path, or that of the last apply
 * @one_pass:	--one-pass, or -1
 * @exec:	--exec
 * @json:	--json
 * @dry_run:	-n
 * @quiet:	-q
 * @verbose:	-v
 * @is_found:	@files are what the last apply was given, or of /etc/sallyport
 * @use_kept:	The texts of the last apply, not the files as they are now
 * @kept_sum:	Over those texts, as it was recorded; NULL: it was not
 * @is_torn:	They are of two runs, the later of which was killed, or damaged
 * @loader:	How included files are found and read; @read NULL: from the disk
 * @pf_loader:	The same for pf.conf alone; NULL: @loader
 * @may_be_empty: No files are no error
 * @run:	What was loaded; NULL: read it from the state when it is needed
 * @bare:	Data is printed as it is, also with --json
 * @to:		--to of compile
 * @output:	-o of compile
 * @part:	--part of compile, or NULL
 * @link:	--link of compile, or NULL
 * @dir:	--dir of compile, or NULL
 * @batch:	--batch of why
 * @sequence:	--sequence of why
 * @write:	-w of log, or NULL
 * @count:	-c of log, 0: no end
 * @is_streamed: The start of the output is written already, and elements of it
 * @is_host:	The verb looks at the host, so rules that a command keeps there
 *		belong to the declarations
 * @ipfw:	The ipfw command that is carried out, or NULL
 * @cgroup:	--cgroup of up
 * @pid:	--pid of up
 * @from:	--from of forward add, as all that follow
 * @on:		--on, also of compile
 * @until:	--until
 * @rate:	--rate
 * @max:	--max
 * @log:	--log
 * @filtered:	--filtered
 * @share:	--share
 * @no_header:	-H of forward list
 * @listing:	-l of status
 * @forget:	--forget of destroy
 * @nat:	Options of nat
 * @compiled:	--compiled of verify
 * @no_verify:	--no-verify
 * @more:	Facts of its own
 */
struct cli {
	struct arena arena;
	struct arena trees;
	struct intern names;
	struct sources sources;
	struct diags diags;
	FILE *out;
	uint32_t n_out;
	const struct cli_verb *verb;
	VEC(const char *) args;
	VEC(struct cli_file) files;
	enum cli_lang lang;
	VEC(struct lang_define) defines;
	struct decl_runs runs;
	bool force;
	VEC(struct decl_addr) aliases;
	struct cli_alias_change change;
	const char *pool;
	struct cli_next next;
	struct cli_locked locked;
	uint32_t confirm_seconds;
	bool is_writing;
	const struct state *held;
	const struct host_live *seen;
	const struct kept_edit *edit;
	const char *interfaces;
	const char *netns;
	const char *state_dir;
	const char *jail_netns;
	bool create;
	struct policy_options policy;
	enum nat_path nat_path;
	int one_pass;
	bool exec;
	bool json;
	bool dry_run;
	bool quiet;
	bool verbose;
	bool is_found;
	bool use_kept;
	const char *kept_sum;
	bool is_torn;
	struct lang_loader loader;
	const struct lang_loader *pf_loader;
	bool may_be_empty;
	struct pfrun *run;
	bool bare;
	const char *to;
	const char *output;
	const char *part;
	const char *link;
	const char *dir;
	const char *batch;
	bool sequence;
	const char *write;
	uint32_t count;
	bool is_streamed;
	bool is_host;
	struct ipfw_call *ipfw;
	const char *cgroup;
	const char *pid;
	const char *from;
	const char *on;
	const char *until;
	const char *rate;
	const char *max;
	bool log;
	bool filtered;
	bool share;
	bool no_header;
	bool listing;
	bool forget;
	struct nat_args nat;
	bool compiled;
	bool no_verify;
	struct cli_more more;
};

/**
 * struct cli_verb - A verb
 * @name:	As typed; "alias list" has a space
 * @entity:	Name of its array in JSON
 * @run:	Does it; an exit status
 * @args:	Its words, for --help
 * @help:	One line
 * @min_args:	Fewest words after it
 * @max_args:	Most; CLI_OTHER: all words after the verb are another program's
 *		command line, and the program called by that name is this verb
 */
struct cli_verb {
	const char *name;
	const char *entity;
	int (*run)(struct cli *c);
	const char *args;
	const char *help;
	uint32_t min_args;
	uint32_t max_args;
};

extern const struct cli_verb cli_verbs[];	/* @name NULL after the last */

/**
 * cli_parse() - Read the command line
 * @c:		Run, set up
 * @argc:	Words
 * @argv:	Words, the program's name first
 *
 * Return: 0; EX_USAGE with a diagnostic; -1: help or version was printed
 */
int cli_parse(struct cli *c, int argc, char **argv);

/** cli_number() - A number of an option, digits alone; false: it is none, or over UINT32_MAX */
bool cli_number(const char *text, uint32_t *ret);

/** cli_usage() - Complain of the command line; EX_USAGE */
int cli_usage(struct cli *c, const char *fmt, ...) PRINTF(2, 3);

/**
 * cli_system() - Complain of a system error
 * @c:		Run
 * @err:	Negative errno
 * @what:	What was tried, as in "cannot WHAT: REASON"
 *
 * Return: the exit status that belongs to it: EX_NOPERM, EX_BUSY,
 * EX_UNAVAILABLE (this kernel cannot) or EX_OSERR
 */
int cli_system(struct cli *c, int err, const char *what);

/**
 * cli_refused() - The exit status of declarations with errors
 *
 * Return: EX_UNAVAILABLE where every error is something that this kernel or
 * target cannot do, else EX_DATAERR
 */
int cli_refused(const struct cli *c);

/** cli_tell() - Print the diagnostics so far, unless they stand in the JSON at the end */
void cli_tell(struct cli *c);

/** cli_stream() - From here on @c->out is stdout: elements are written as they come */
void cli_stream(struct cli *c);

/** cli_comma() - Before each element of the verb's JSON array */
void cli_comma(struct cli *c);

/** cli_object() - cli_comma(), and the start of an object; closed by the caller */
void cli_object(struct cli *c);

/** cli_json_place() - ``"file": ..., "line": ...`` of a span */
void cli_json_place(struct cli *c, struct span at);

/** cli_place() - "FILE:LINE" of a span in its file, or "" */
const char *cli_place(struct cli *c, struct span at);

/** cli_place_in() - The same in an arena of the caller's */
const char *cli_place_in(struct cli *c, struct arena *a, struct span at);

struct ipfw_ruleset;

/**
 * struct declared - What the files of the command line declare
 * @decl:	Host and jails
 * @facts:	The host as rules are resolved for it
 * @model:	Packet rules with the policy around them
 * @has_rules:	A pf.conf was among the files
 * @is_rc_firewall: The rules are those that rc.conf's firewall_type makes
 * @pf:		The pf.conf files, or NULL
 * @pf_run:	What was loaded beside them, parsed, or NULL
 * @run:	The same as it is remembered, or NULL
 * @kept:	Forwards added at run time, or NULL: this run looks at no host
 * @ipfw:	What the ipfw files left behind, or NULL
 * @ipfw_accepts: Its last rule accepts
 */
struct declared {
	struct decl decl;
	struct facts facts;
	struct model model;
	bool has_rules;
	bool is_rc_firewall;
	struct pf_file *pf;
	struct pf_run *pf_run;
	struct pfrun *run;
	struct kept *kept;
	struct ipfw_ruleset *ipfw;
	bool ipfw_accepts;
};

/**
 * enum cli_strict - What a missing interface is
 * @CLI_TOLERANT: A note: `check` and `why` on another machine
 * @CLI_STRICT:	An error where it is needed
 * @CLI_PARSED:	Nothing yet: the files are read and parsed, and no model is made
 */
enum cli_strict { CLI_TOLERANT, CLI_STRICT, CLI_PARSED };

/** cli_rules_pf() - Make the model of the pf.conf files; 0 or an exit status */
int cli_rules_pf(struct cli *c, struct lang_ctx *ctx, struct declared *d,
		 enum cli_strict strict);

/** cli_find_files() - Without -f: find what the last apply was given; 0 or an exit status */
int cli_find_files(struct cli *c);

/** cli_rules_ipfw() - Make the model of the ipfw files; 0 or an exit status */
int cli_rules_ipfw(struct cli *c, struct lang_ctx *ctx, struct declared *d,
		   enum cli_strict strict);

/**
 * cli_declare() - Read the files and make the model
 * @c:		Run; files from the state or /etc/sallyport are added if none
 *		were given
 * @d:		Set on success
 * @strict:	What a missing interface is
 *
 * Return: 0, or an exit status with diagnostics
 */
int cli_declare(struct cli *c, struct declared *d, enum cli_strict strict);

/** cli_lang_of() - The language of a file, by --lang or its name, or LANG_BY_NAME */
enum cli_lang cli_lang_of(const struct cli_file *f);

/**
 * cli_facts() - Learn what the host has
 * @c:		Run
 * @d:		Declarations, finished; links of vnet jails get the names that they
 *		have here
 * @f:		Set on success
 *
 * Return: 0, or an exit status with a diagnostic
 */
int cli_facts(struct cli *c, struct decl *d, struct facts *f);

/**
 * cli_begin() - Give a run its names, sources and diagnostics
 * @c:		Run, whose arena is initialised
 * @full:	Where to go when memory runs out
 */
void cli_begin(struct cli *c, jmp_buf *full);

/**
 * cli_round() - A run within this one, with memory of its own
 * @c:		This run, whose options it takes
 * @run:	Does it: an exit status.  What it writes to its output is thrown away,
 *		and its complaints are its own to print
 * @arg:	For @run
 *
 * Return: what @run returned, or EX_OSERR when memory ran out
 */
int cli_round(const struct cli *c, int (*run)(struct cli *c, void *arg), void *arg);

/** cli_netns() - Enter --netns if it was given; 0 or an exit status */
int cli_netns(struct cli *c);

int verb_alias_add(struct cli *c);
int verb_alias_del(struct cli *c);
int verb_alias_list(struct cli *c);
int verb_alias_next(struct cli *c);
int verb_apply(struct cli *c);
int verb_check(struct cli *c);
int verb_compile(struct cli *c);
int verb_confirm(struct cli *c);
int verb_destroy(struct cli *c);
int verb_doctor(struct cli *c);
int verb_down(struct cli *c);
int verb_equal(struct cli *c);
int verb_explain(struct cli *c);
int verb_fmt(struct cli *c);
int verb_import(struct cli *c);
int verb_forward_add(struct cli *c);
int verb_forward_del(struct cli *c);
int verb_forward_list(struct cli *c);
int verb_forward_off(struct cli *c);
int verb_forward_on(struct cli *c);
int verb_ipfw(struct cli *c);
int verb_pfctl(struct cli *c);
int verb_log(struct cli *c);
int verb_nat(struct cli *c);
int verb_nat_status(struct cli *c);
int verb_nat_reload(struct cli *c);
int verb_metrics(struct cli *c);
int verb_plan(struct cli *c);
int verb_status(struct cli *c);
int verb_up(struct cli *c);
int verb_verify(struct cli *c);
int verb_watch(struct cli *c);
int verb_why(struct cli *c);

/**
 * cli_resolve() - The addresses of a host, in order
 * @name:	Its name
 * @ret:	Filled
 * @max:	Most of them
 *
 * Cost: that of asking a name server.
 *
 * Return: how many; 0 for a host that is not known
 */
uint32_t cli_resolve(const char *name, struct addr *ret, uint32_t max);

#endif /* CLI_CLI_H */
