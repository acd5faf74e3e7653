/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lower - from statements of pf.conf to rules of a model
 *
 * A rule with lists stays one rule with sets wherever a conjunction of sets
 * says the same.
 */
#ifndef LANG_PF_LOWER_H
#define LANG_PF_LOWER_H

#include "lang/pf/ast.h"

/**
 * struct pf_table_set - What a table holds
 * @path:	Of its anchor, "" for the main ruleset
 * @name:	Interned
 * @at:		Where it is defined; SPAN_NONE for one that is not
 * @f:		The file that @at is of, or NULL
 * @def:	Its definition, or NULL
 * @is_active:	It is defined, or was made while the rules were in force
 * @is_persist:	It stays without a rule that names it
 * @entries:	What it holds
 * @in:		Addresses, longest prefix applied; NULL until somebody asks
 */
struct pf_table_set {
	const char *path;
	const char *name;
	struct span at;
	const struct pf_file *f;
	const struct pf_table *def;
	bool is_active;
	bool is_persist;
	struct pf_entries entries;
	const struct set *in;
};

/**
 * struct pf_block - Rules that a call of an anchor finds at its path
 * @path:	Path
 * @f:		File that they are of
 * @stmts:	Its statements
 * @n_stmts:	How many
 * @kinds:	Kinds that count, PF_KIND_*
 */
struct pf_block {
	const char *path;
	const struct pf_file *f;
	const struct pf_stmt *stmts;
	uint32_t n_stmts;
	unsigned int kinds;
};

/** struct pf_blocks - By path; those of one path in the order that counts */
struct pf_blocks {
	VEC(struct pf_block) list;
};

/**
 * struct pf_part - Some of the packets that "from" or "to" means
 * @iface:	Only those on this interface; 0 = any
 * @in:		Addresses; NULL = any
 * @grown:	Those besides that are in tables that rules have put them into:
 *		the values of F_SRC_GROWN or F_DST_GROWN, NULL = any
 * @route:	The values of F_SRC_ROUTE or F_DST_ROUTE, NULL = any
 * @is_open:	They may come to be more: being none now is no contradiction
 */
struct pf_part {
	uint32_t iface;
	const struct set *in;
	const struct set *grown;
	const struct set *route;
	bool is_open;
};

/** struct pf_parts - What "from" or "to" means: any of its parts */
struct pf_parts {
	VEC(struct pf_part) list;
};

/**
 * struct pf_match - What a rule matches, ready for the model
 * @dir:	enum direction, or -1
 * @af:		Family that the rule is for, or AF_NONE
 * @ifaces:	Interfaces, NULL = any
 * @protos:	Protocols, NULL = any
 * @flags:	TCP flag bytes, NULL = any
 * @icmp:	ICMP types, NULL = any
 * @sport:	Source ports, NULL = any
 * @dport:	Destination ports, NULL = any
 * @recv:	Interfaces that received it, NULL = any
 * @tos:	Types of service, NULL = any
 * @users:	Owners of the socket, NULL = any or none
 * @groups:	Their groups, likewise
 * @src:	Sources
 * @dst:	Destinations
 */
struct pf_match {
	int dir;
	uint8_t af;
	const struct set *ifaces;
	const struct set *protos;
	const struct set *flags;
	const struct set *icmp;
	const struct set *sport;
	const struct set *dport;
	const struct set *recv;
	const struct set *tos;
	const struct set *users;
	const struct set *groups;
	struct pf_parts src;
	struct pf_parts dst;
};

/**
 * struct pf_outer - An anchor around the rules being lowered
 * @up:		The one around it, or NULL
 * @f:		File that @s is of
 * @s:		Its statement
 * @mt:		What it matches, but for addresses
 * @src:	Sources
 * @dst:	Destinations
 */
struct pf_outer {
	const struct pf_outer *up;
	const struct pf_file *f;
	const struct pf_stmt *s;
	struct pf_match mt;
	struct pf_part src;
	struct pf_part dst;
};

/**
 * struct pf_turn - A filter rule that translates
 * @rule:	Its number in the list of the filter
 * @xlate:	The translation
 * @is_match:	Of match: translates at once; else only as the last match
 * @is_inner:	Of match, within an anchor that asks for addresses
 */
struct pf_turn {
	uint32_t rule;
	uint32_t xlate;
	bool is_match;
	bool is_inner;
};

/**
 * struct pf_lower - State of lowering
 * @c:		Context
 * @f:		File of the rules being lowered
 * @path:	Anchor that they are in, "" for the main ruleset
 * @depth:	Anchors called, one out of the other
 * @n_calls:	Calls of anchors so far
 * @blocks:	What anchors hold
 * @facts:	Host
 * @d:		Jails, or NULL
 * @o:		Options
 * @m:		What is made
 * @list_in:	Lists of the model, by number
 * @list_out:	As @list_in
 * @list_rdr:	As @list_in
 * @list_nat:	As @list_in
 * @list_filter: As @list_in
 * @list_scrub:	Called first; LIST_NONE: nothing is changed
 * @list_binat:	As @list_in, by direction; there only where binat rules are
 * @outer:	The innermost anchor around, or NULL
 * @stmts:	The ruleset that is being lowered
 * @n_stmts:	How many statements
 * @part:	Number of the single rule that a statement was taken apart into, or 0
 * @tables:	All tables
 * @told:	Interned names of interfaces already said to be unknown
 * @syn:	Flag bytes of S/SA
 * @scratch:	Ranges in the making, used as a stack and again and again: a
 *		fresh one for each set would be most of the memory of a compile
 * @n_scratch:	How many are in use
 * @match:	The rule in the making, for the same reason
 * @turns:	Filter rules that translate, in order
 * @n_rules:	Rules so far
 * @plain:	No rule tags, draws, or translates in the filter: 0 not known yet, 1, -1
 * @is_single:	The rule is one of several that a statement stands for: it may
 *		match nothing
 * @is_full:	LIMIT_RULES is met, and told
 */
struct pf_lower {
	struct lang_ctx *c;
	const struct pf_file *f;
	const char *path;
	uint32_t depth;
	uint32_t n_calls;
	struct pf_blocks blocks;
	const struct facts *facts;
	const struct decl *d;
	const struct pf_options *o;
	struct model *m;
	uint32_t list_in;
	uint32_t list_out;
	uint32_t list_rdr;
	uint32_t list_nat;
	uint32_t list_filter;
	uint32_t list_scrub;
	uint32_t list_binat[2];
	const struct pf_outer *outer;
	const struct pf_stmt *stmts;
	uint32_t n_stmts;
	uint32_t part;
	VEC(struct pf_table_set) tables;
	VEC(const char *) told;
	const struct set *syn;
	struct ranges scratch[4];
	uint32_t n_scratch;
	struct pf_match match;
	VEC(struct pf_turn) turns;
	uint32_t n_rules;
	int plain;
	bool is_single;
	bool is_full;
};

/** pf_ranges() - Empty ranges; given back by pf_ranges_set(), the last first */
struct ranges *pf_ranges(struct pf_lower *l);

/** pf_ranges_set() - The set of ranges of pf_ranges(), which are given back */
const struct set *pf_ranges_set(struct pf_lower *l, struct ranges *rs);

/** pl_error() - Say what is wrong with the ruleset; false, to be returned */
#define pl_error(l, code, at, ...) \
	(pf_diag((l)->c, (l)->f, code, (at), __VA_ARGS__), false)

/**
 * struct pf_local - An address of an interface
 * @p:		Address or network
 * @scope:	Number of the only interface where it means this one, or 0
 */
struct pf_local {
	struct prefix p;
	uint32_t scope;
};

/** struct pf_locals - Addresses of interfaces */
struct pf_locals {
	VEC(struct pf_local) list;
};

/**
 * pf_locals_of() - Addresses that the name of an interface stands for
 * @l:		Lowering
 * @h:		PH_NAME or PH_DYNAMIC
 * @out:	Addresses are added
 *
 * Return: true; false when that is told: there is none, and the name is not in
 * parentheses.  Then too, the rest of the rule may go on when
 * @l->o->tolerate_missing
 */
bool pf_locals_of(struct pf_lower *l, const struct pf_host *h, struct pf_locals *out);

/** pf_parts_of() - What addresses mean; false when something was told */
bool pf_parts_of(struct pf_lower *l, const struct pf_hosts *hosts, struct pf_parts *out);

/** pf_iface_set() - Interfaces of a list; NULL = any */
const struct set *pf_iface_set(struct pf_lower *l, const struct pf_iface *v, uint32_t n);

/** pf_iface_ids() - Numbers of the interface or group @name; of the name itself if unknown */
const struct set *pf_iface_ids(struct pf_lower *l, const char *name, struct span at);

/** pf_port_set() - Ports that a list of tests lets through */
const struct set *pf_port_set(struct pf_lower *l, const struct pf_port *v, uint32_t n);

/** pf_table_find() - What table a host names holds; an undefined one is told once */
const struct set *pf_table_find(struct pf_lower *l, const struct pf_host *h);

/** pf_lower_stmt() - Lower a statement of any kind; false when something was told */
bool pf_lower_stmt(struct pf_lower *l, const struct pf_stmt *s);

/** pf_lower_anchor() - An anchor with the rules in its braces */
bool pf_lower_anchor(struct pf_lower *l, const struct pf_stmt *s);

/** pf_lower_binat() - "binat" and "no binat" */
bool pf_lower_binat(struct pf_lower *l, const struct pf_stmt *s);

/** pf_emit_options() - Give a rule the tests and effects of options that any rule may have */
bool pf_emit_options(struct pf_lower *l, struct rule *r, const struct pf_rule_opts *o,
		     struct span at);

/** pf_lower_scrub() - "scrub" and "no scrub" */
bool pf_lower_scrub(struct pf_lower *l, const struct pf_stmt *s);

/** pf_mend_of() - What "scrub (...)" on a rule changes: number + 1 in model.scrubs, or 0 */
uint32_t pf_mend_of(struct pf_lower *l, const struct pf_rule *r);

/** pf_has_scrub() - Does any scrub statement change headers */
bool pf_has_scrub(const struct pf_file *f);

/** pf_has_limits() - Are the states of a rule limited */
bool pf_has_limits(const struct pf_rule *r);

/** pf_note_states() - Say what differs of a rule's state options */
void pf_note_states(struct pf_lower *l, const struct pf_stmt *s);

/** pf_id_set() - The numbers of users or groups that are asked for, NULL = any or none */
const struct set *pf_id_set(struct pf_lower *l, const struct pf_id *ids, uint32_t n);

/** pf_limit_of() - A new limit of a rule's states, number + 1; 0 = it has none */
uint32_t pf_limit_of(struct pf_lower *l, const struct pf_rule *r);

/** pf_grown_tables() - Give the model the tables that rules fill; false: too many, told */
bool pf_grown_tables(struct pf_lower *l, const struct pf_stmt *v, uint32_t n);

/** pf_grown_bit() - The bit of a table that rules fill, 0 for any other */
uint8_t pf_grown_bit(const struct pf_lower *l, const char *name);

/** pf_has_variables() - Is a label or tag of a rule another one for each single rule */
bool pf_has_variables(const struct pf_rule *r);

/**
 * pf_lower_split() - Lower a statement as the single rules that it stands for
 * @l:		Lowering
 * @s:		Statement
 * @lower:	Lowers one of them
 *
 * Return: true; false when something was told
 */
bool pf_lower_split(struct pf_lower *l, const struct pf_stmt *s,
		    bool (*lower)(struct pf_lower *l, const struct pf_stmt *s));

/**
 * pf_tell_later() - Say what becomes of a construct that has no exact form
 * @l:		Lowering
 * @what:	Its name, as pf_later() has it
 * @at:		Place
 *
 * Return: true if the rule may go on without it
 */
bool pf_tell_later(struct pf_lower *l, const char *what, struct span at);

/** pf_lower_known() - Can all of a rule be said; what cannot, or differs, is told */
bool pf_lower_known(struct pf_lower *l, const struct pf_rule *r);

/** pf_check_rule() - What FreeBSD checks of a whole rule */
bool pf_check_rule(struct pf_lower *l, const struct pf_rule *r);

/** pf_check_icmp() - What FreeBSD checks of ICMP types, once the family is known */
bool pf_check_icmp(struct pf_lower *l, const struct pf_rule *r, uint8_t af);

/** pf_tables() - Fill @l->tables from the statements, @l->f first, and what is loaded */
bool pf_tables(struct pf_lower *l);

/** pf_path_join() - The whole path of an anchor that the ruleset at @path names @name */
const char *pf_path_join(struct arena *a, const char *path, const char *name);

/** pf_anchor_kind_of() - Which kind of anchor calls a rule */
enum pf_anchor_kind pf_anchor_kind_of(const struct pf_rule *r);

/** pf_kind_bit() - PF_KIND_* that rules called by a kind of anchor are of */
unsigned int pf_kind_bit(enum pf_anchor_kind kind);

/** pf_blocks_make() - Fill @l->blocks from @l->f and what is loaded */
void pf_blocks_make(struct pf_lower *l);

/** pf_blocks_have() - Is a rule of this action in any block */
bool pf_blocks_have(const struct pf_lower *l, enum pf_action action);

/** pf_is_flushed() - Does a statement of the main ruleset's files not count any more */
bool pf_is_flushed(const struct pf_lower *l, const struct pf_stmt *s);

/** pf_lower_path() - Lower the rules of one kind that were loaded at a path */
bool pf_lower_path(struct pf_lower *l, const char *path, enum pf_anchor_kind kind);

/** pf_is_overridden() - Was something loaded into the anchor at @path */
bool pf_is_overridden(const struct pf_lower *l, const char *path);

/**
 * pf_called_paths() - The anchors that a call means, in the order of evaluation
 * @l:		Lowering
 * @name:	As written, "x" or "x/" and a star
 * @out:	Paths are added
 */
void pf_called_paths(const struct pf_lower *l, const char *name, struct pf_names *out);

/**
 * pf_each_called() - Go through the statements of a called anchor
 * @l:		Lowering; @l->f and @l->path are those of the statements meanwhile
 * @path:	Whole path
 * @kind:	Only rules of this kind
 * @fn:		Does something with one, false when something was told
 * @arg:	For @fn
 * @ret_any:	Set when there was one
 *
 * Return: false when @fn said so
 */
bool pf_each_called(struct pf_lower *l, const char *path, enum pf_anchor_kind kind,
		    bool (*fn)(struct pf_lower *l, const struct pf_stmt *s, void *arg), void *arg,
		    bool *ret_any);

/** pf_match_new() - An empty match, in @l->match */
struct pf_match *pf_match_new(struct pf_lower *l, int dir, uint8_t af);

/** pf_match_of() - Check a rule and say what it matches, in @l->match */
bool pf_match_of(struct pf_lower *l, const struct pf_rule *r);

/**
 * pf_emit() - Make the rules of a match
 * @l:		Lowering
 * @list:	List that they go to
 * @s:		Statement that they are of
 * @mt:		Match
 * @finish:	Gives each its effects and exit
 * @arg:	For @finish
 *
 * Return: true; false with E1301 told when no packet could match
 */
bool pf_emit(struct pf_lower *l, uint32_t list, const struct pf_stmt *s,
	     const struct pf_match *mt,
	     void (*finish)(struct pf_lower *l, struct rule *r, const void *arg),
	     const void *arg);

/** pf_lower_filter() - pass, block */
bool pf_lower_filter(struct pf_lower *l, const struct pf_stmt *s);

/** pf_lower_antispoof() - antispoof */
bool pf_lower_antispoof(struct pf_lower *l, const struct pf_stmt *s);

/**
 * struct pf_xlating - A translation in the making
 * @s:		Statement; what it matches stands in the state's match
 * @target:	Where it leads
 * @kind:	XL_SRC or XL_DST
 * @emit:	Makes the rules of the match with a translation; called more than
 *		once where the ports of a list count each for itself
 * @arg:	For @emit
 */
struct pf_xlating {
	const struct pf_stmt *s;
	const struct pf_target *target;
	enum xlate_kind kind;
	bool (*emit)(struct pf_lower *l, const struct pf_xlating *w, const struct xlate *x);
	const void *arg;
};

/** pf_xlate() - Resolve the target of a translation and emit it */
bool pf_xlate(struct pf_lower *l, const struct pf_xlating *w);

/** pf_xlate_onto() - Make a translation lead to a network (of one address), bit by bit */
void pf_xlate_onto(struct pf_lower *l, struct xlate *x, struct prefix to);

/** pf_binat_sides() - The inside and outside of binat; false when something was told */
bool pf_binat_sides(struct pf_lower *l, const struct pf_rule *r, const struct pf_target *t,
		    struct prefix *ret_in, struct prefix *ret_out);

/** pf_has_to() - nat-to, rdr-to, binat-to or af-to is there */
bool pf_has_to(const struct pf_rule *r);

/** pf_finish_filter() - Effects and exit of pass and block, for pf_emit(); @arg is the rule */
void pf_finish_filter(struct pf_lower *l, struct rule *r, const void *arg);

/** pf_lower_to() - pass and match rules with nat-to, rdr-to or binat-to */
bool pf_lower_to(struct pf_lower *l, const struct pf_stmt *s);

/** pf_lower_match() - match */
bool pf_lower_match(struct pf_lower *l, const struct pf_stmt *s);

/** pf_hoist() - Give what filter rules translate its place before the filter */
bool pf_hoist(struct pf_lower *l);

/** pf_lower_nat() - nat, rdr, and their "no" */
bool pf_lower_nat(struct pf_lower *l, const struct pf_stmt *s);

#endif /* LANG_PF_LOWER_H */
