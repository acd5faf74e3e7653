/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse - what the parts of the parser share
 *
 * A parsing function stands before its construct and leaves the parser behind
 * it.  It returns false once it has told what is wrong; the caller gives up
 * the statement, and pf_parse() goes on with the next.
 */
#ifndef LANG_PF_PARSE_H
#define LANG_PF_PARSE_H

#include "lang/pf/ast.h"
#include "lang/pf/lex.h"

/** enum pf_order - Kinds of statement in the order that pf wants */
enum pf_order { PORD_NONE, PORD_OPTION, PORD_SCRUB, PORD_QUEUE, PORD_NAT, PORD_FILTER };

/** struct pf_stmts - Statements of a block */
struct pf_stmts {
	VEC(struct pf_stmt) list;
};

/**
 * struct pf_parser - State of parsing
 * @c:		Context
 * @f:		What is made
 * @lx:		Lexer of the file being read
 * @t:		The token before which it stands
 * @first:	First token of this statement
 * @prev_hi:	End, in the file, of the token before
 * @depth:	Braces open in this statement
 * @open:	The first of them
 * @nesting:	Lists within lists
 * @may_be_empty: "{ }" is no mistake in this statement
 * @includes:	Files around this one
 * @order:	Furthest kind of statement so far
 * @any_order:	set require-order no
 * @refusal:	set block-policy
 * @ifaces:	Items being collected; emptied by pf_take()
 * @hosts:	As @ifaces
 * @ports:	As @ifaces
 * @protos:	As @ifaces
 * @icmps:	As @ifaces
 * @oses:	As @ifaces
 * @ids:	As @ifaces
 * @words:	As @ifaces
 * @later:	As @ifaces
 * @icmp_v6:	Types being read are of ICMPv6
 * @is_group:	Numbers being read are of groups
 * @opts:	Of the rule being read, once it has some
 * @stmts:	Where statements go; NULL: to the file
 * @blocks:	Blocks around this statement
 * @state_defaults: set state-defaults, or NULL
 * @if_bound:	set state-policy if-bound
 */
struct pf_parser {
	struct lang_ctx *c;
	struct pf_file *f;
	struct pf_lexer lx;
	struct pf_token t;
	struct pf_token first;
	uint32_t prev_hi;
	uint32_t depth;
	struct span open;
	uint32_t nesting;
	bool may_be_empty;
	uint32_t includes;
	enum pf_order order;
	bool any_order;
	enum pf_refusal refusal;
	VEC(struct pf_iface) ifaces;
	VEC(struct pf_host) hosts;
	VEC(struct pf_port) ports;
	VEC(struct pf_proto) protos;
	VEC(struct pf_icmp) icmps;
	VEC(struct pf_os) oses;
	VEC(struct pf_id) ids;
	VEC(const char *) words;
	VEC(struct pf_later) later;
	bool icmp_v6;
	bool is_group;
	struct pf_rule_opts *opts;
	struct pf_stmts *stmts;
	uint32_t blocks;
	struct pf_rule *state_defaults;
	bool if_bound;
};

/** pf_error() - Say what is wrong at a place; false, to be returned */
#define pf_error(p, code, at, ...) \
	(pf_diag((p)->c, (p)->f, code, (at), __VA_ARGS__), false)

/** pf_next() - To the next token */
void pf_next(struct pf_parser *p);

/** pf_is() - Does it stand before keyword @w */
bool pf_is(const struct pf_parser *p, enum pf_word w);

/** pf_accept() - Pass keyword @w if it is there */
bool pf_accept(struct pf_parser *p, enum pf_word w);

/** pf_is_name() - Does it stand before a word or quoted text that is no keyword */
bool pf_is_name(const struct pf_parser *p);

/** pf_is_end() - Does it stand at the end of the statement */
bool pf_is_end(const struct pf_parser *p);

/**
 * pf_unexpected() - Say that something else should stand here
 * @p:		Parser
 * @what:	"an address"
 * @roles:	PWR_* of words to offer for a misspelled one
 *
 * A word that the language has and this version has not is told as that.
 *
 * Return: false
 */
bool pf_unexpected(struct pf_parser *p, const char *what, unsigned int roles);

/** pf_expect() - Pass the character @ch, or say that it should be there */
bool pf_expect(struct pf_parser *p, int ch, const char *what);

/** pf_take() - Move collected items to a PF_LIST of just their size */
#define pf_take(p, from, to) \
	do { \
		(to)->n = (from)->n; \
		(to)->v = arena_alloc((p)->c->a, (from)->n * sizeof(*(from)->v)); \
		if ((from)->n > 0) \
			memcpy((to)->v, (from)->v, (from)->n * sizeof(*(from)->v)); \
		(from)->n = 0; \
	} while (0)

/**
 * pf_list() - One item, or items in braces, in braces as deep as one likes
 * @p:		Parser
 * @item:	Reads one
 */
bool pf_list(struct pf_parser *p, bool (*item)(struct pf_parser *p));

/** pf_token_str() - A token's text as an interned C string */
const char *pf_token_str(struct pf_parser *p);

/** pf_skip_lines() - Pass ends of lines */
void pf_skip_lines(struct pf_parser *p);

/** pf_begins_statement() - Does it stand before a word that statements begin with */
bool pf_begins_statement(const struct pf_parser *p);

/** pf_unclosed() - Say that the brace at @open is never closed; false */
bool pf_unclosed(struct pf_parser *p, struct span open);

/** pf_number() - A number of 0..@max */
bool pf_number(struct pf_parser *p, uint32_t max, const char *what, uint32_t *ret);

/** pf_iface_item() - An interface; added to @p->ifaces */
bool pf_iface_item(struct pf_parser *p);

/** pf_host_item() - An address; added to @p->hosts */
bool pf_host_item(struct pf_parser *p);

/** pf_port_item() - A test of a port; added to @p->ports */
bool pf_port_item(struct pf_parser *p);

/** pf_proto_item() - A protocol; added to @p->protos */
bool pf_proto_item(struct pf_parser *p);

/** pf_icmp_item() - An ICMP type, perhaps with a code; added to @p->icmps */
bool pf_icmp_item(struct pf_parser *p);

/**
 * pf_port_range() - "80", "http", "a:b", "a:*"
 * @p:		Parser
 * @open_ok:	"a:*" is allowed
 * @ret_lo:	First port
 * @ret_hi:	Last port; 65535 for "*"
 * @ret_open:	Set to whether it was "*"
 * @ret_range:	Set to whether it was a range
 */
bool pf_port_range(struct pf_parser *p, bool open_ok, uint16_t *ret_lo, uint16_t *ret_hi,
		   bool *ret_open, bool *ret_range);

/** pf_new_rule() - An empty rule */
struct pf_rule *pf_new_rule(struct pf_parser *p, enum pf_action action);

/** pf_opts() - The rule's own options, to be written */
struct pf_rule_opts *pf_opts(struct pf_parser *p, struct pf_rule *r);

/** pf_later() - Keep that lowering does not know @what; a literal, or in the arena */
void pf_later(struct pf_parser *p, const char *what, struct span at);

/** pf_take_later() - The end of every rule: it keeps what lowering does not know */
void pf_take_later(struct pf_parser *p, struct pf_rule *r);

/** pf_any_text() - A word or quoted text, interned */
bool pf_any_text(struct pf_parser *p, const char *what, const char **ret);

/** pf_choice() - A value that is one of some words, NULL after the last; its number */
bool pf_choice(struct pf_parser *p, const char *const *words, const char *what, size_t *ret);

/** pf_word_item() - Any word; added to @p->words */
bool pf_word_item(struct pf_parser *p);

/** pf_id_item() - A user or group; added to @p->ids */
bool pf_id_item(struct pf_parser *p);

/** pf_tos() - A type of service: a name or a number */
bool pf_tos(struct pf_parser *p, int16_t *ret);

/** pf_part_dir() - "in", "out" */
void pf_part_dir(struct pf_parser *p, struct pf_rule *r);

/** pf_part_log() - "log (...)" */
bool pf_part_log(struct pf_parser *p, struct pf_rule *r);

/** pf_part_quick() - "quick", with log before or behind it */
bool pf_part_quick(struct pf_parser *p, struct pf_rule *r);

/** pf_part_af() - "inet", "inet6" */
void pf_part_af(struct pf_parser *p, struct pf_rule *r);

/** pf_parts_common() - From the interface to the addresses */
bool pf_parts_common(struct pf_parser *p, struct pf_rule *r);

/** pf_route() - "route-to", "reply-to", "dup-to" and where to */
bool pf_route(struct pf_parser *p, struct pf_rule *r);

/** pf_target() - Addresses, port and kind of a pool; stands behind "->" or its like */
bool pf_target(struct pf_parser *p, struct pf_rule *r, bool is_nat, struct pf_target **ret);

/** pf_rule_options() - All options at the end of a rule */
bool pf_rule_options(struct pf_parser *p, struct pf_rule *r);

/** pf_state_options() - "(max 100, ...)", standing before "(" */
bool pf_state_options(struct pf_parser *p, struct pf_rule *r, bool in_parentheses);

/** pf_scrub_options() - Options of scrub, up to @end; their effect is told as a note */
bool pf_scrub_options(struct pf_parser *p, struct pf_rule *r, int end);

/** pf_check_words() - A whole rule: do its parts go together; false when told that not */
bool pf_check_words(struct pf_parser *p, const struct pf_rule *r);

/** pf_block() - Statements up to '}', for anchors; stands behind '{' */
bool pf_block(struct pf_parser *p, struct pf_stmts *out);

/*
 * Statements: the parser stands behind the first word, @word.
 */
/** pf_rule_filter() - "pass", "block" and "match" */
bool pf_rule_filter(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_rule_nat() - "nat", "rdr" and "binat" */
bool pf_rule_nat(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_rule_no() - "no nat", "no rdr", "no binat", "no scrub" */
bool pf_rule_no(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_rule_scrub() - "scrub" */
bool pf_rule_scrub(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_rule_antispoof() - "antispoof" */
bool pf_rule_antispoof(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_rule_anchor() - "anchor", "nat-anchor", "rdr-anchor", "binat-anchor" */
bool pf_rule_anchor(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_load_anchor() - "load anchor ... from ..." */
bool pf_load_anchor(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_queueing() - "altq" and "queue" */
bool pf_queueing(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_limiter() - "state limiter" and "source limiter" */
bool pf_limiter(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_set() - "set ..." */
bool pf_set(struct pf_parser *p, struct pf_stmt *s, enum pf_word word);

/** pf_echo() - A statement that only the normal form says */
void pf_echo(struct pf_parser *p, struct pf_stmt *s, const char *text);

/** pf_order() - A statement of this kind stands here; false if it is too late for it */
bool pf_order(struct pf_parser *p, enum pf_order kind, struct span at);

#endif /* LANG_PF_PARSE_H */
