/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse - what the files of the parser share
 *
 * One command is parsed at a time, word by word.  A function that reads a part
 * returns false when it has told an error; the command is then given up and the
 * next one read, so that several errors are told in one run.
 */
#ifndef LANG_IPFW_PARSE_H
#define LANG_IPFW_PARSE_H

#include "lang/ipfw/ast.h"

/**
 * struct parser - A command under way
 * @c:		Context
 * @rs:		Ruleset
 * @cmd:	Command
 * @w:		Its words, options apart, lists joined
 * @i:		Next word
 * @use_set:	"set N COMMAND": N, else -1
 * @replies:	Commands are carried out one by one, and this is said; or NULL
 */
struct parser {
	struct lang_ctx *c;
	struct ipfw_ruleset *rs;
	const struct ipfw_cmd *cmd;
	VEC(struct ipfw_word) w;
	uint32_t i;
	int32_t use_set;
	struct ipfw_replies *replies;
};

/** p_peek() - The next word's text, or NULL at the end */
const char *p_peek(const struct parser *p);

/** p_peek2() - The text of the word after it, or NULL */
const char *p_peek2(const struct parser *p);

/** p_here() - Place of the next word, or the last when there is none */
struct span p_here(const struct parser *p);

/** p_take() - The next word; there is one */
const struct ipfw_word *p_take(struct parser *p);

/** p_accept() - Step over the next word if it is @word of @kind */
bool p_accept(struct parser *p, enum iw_kind kind, enum iw word);

/** p_missing() - Complain that @what is not there (E2002); false */
bool p_missing(struct parser *p, const char *what);

/** p_refuse() - Complain of a word that is read and refused (E2004); false */
bool p_refuse(struct parser *p, const struct iw_row *row, struct span at);

/** p_note() - Say of a word with a note that it has no effect, and why (N2043) */
void p_note(struct parser *p, const struct iw_row *row, struct span at);

/** p_unknown() - Complain of a word of a kind that there is not; false */
bool p_unknown(struct parser *p, enum diag_code code, enum iw_kind kind, const char *what);

/** p_number() - A word that is a number @lo..@hi, or E2005 */
bool p_number(struct parser *p, uint32_t lo, uint32_t hi, const char *what, uint32_t *ret);

/** p_line() - Keep a canonical command for ipfw_fmt() */
void p_line(struct parser *p, const char *line);

/**
 * p_reply() - Say something of a command that is carried out
 * @p:		Command; nothing happens where nobody asks for answers
 * @status:	As in struct ipfw_reply
 * @fmt:	Text
 *
 * Return: somebody asks
 */
bool p_reply(struct parser *p, int status, const char *fmt, ...) PRINTF(3, 4);

/** text_number() - All of @s as a number; false if it is none or above @max */
bool text_number(const char *s, size_t len, uint32_t max, uint32_t *ret);

/** text_ipv4() - As inet_aton(3): one to four parts; @n_parts may be NULL */
bool text_ipv4(const char *s, size_t len, struct addr *ret, unsigned int *n_parts);

enum part_result { PART_OK, PART_NOT, PART_ERROR };

/** part_addrs() - Addresses: any, me, table(), or a list; sets @insn */
bool part_addrs(struct parser *p, const struct ipfw_word *w, struct ipfw_insn *insn);

/** part_ports() - A list of ports; PART_NOT if the word is none, nothing told */
enum part_result part_ports(struct parser *p, const struct ipfw_word *w, struct ipfw_insn *insn);

/** part_numbers() - A list of numbers and ranges 0..@max, or E2010 */
bool part_numbers(struct parser *p, const struct ipfw_word *w, uint32_t max, const char *what,
		  const struct set **ret);

/** part_table() - "NAME" or "NAME,VALUE" with @len bytes at @s */
bool part_table(struct parser *p, const char *s, size_t len, struct span at,
		struct ipfw_table_ref *ret);

/** part_is_table() - Is a word table(...); its inside */
bool part_is_table(const char *s, const char **ret, size_t *ret_len);

/** part_table_text() - "NAME" or "NAME,VALUE" */
const char *part_table_text(struct parser *p, const struct ipfw_table_ref *t);

/** part_proto() - A protocol, ip4, ip6, ip, all; sets @insn; PART_NOT if it is none */
enum part_result part_proto(struct parser *p, const char *s, struct ipfw_insn *insn);

/** parse_option() - One option of a rule */
bool parse_option(struct parser *p, struct ipfw_rule *r, struct ipfw_insn *insn);

/** parse_action() - Action and modifiers of a rule */
bool parse_action(struct parser *p, struct ipfw_rule *r);

/** parse_add() - add ... */
bool parse_add(struct parser *p, uint32_t use_set);

/** parse_nat() - nat N config ... */
bool parse_nat(struct parser *p);

/** parse_table() - table T ... */
bool parse_table(struct parser *p);

/** ipfw_unreach_text() - Name or number of an unreach code */
const char *ipfw_unreach_text(struct arena *a, bool v6, uint32_t code);

/** ipfw_table_refs() - Rules that use a table */
uint32_t ipfw_table_refs(const struct ipfw_ruleset *rs, const char *name);

/** ipfw_entry_key() - The key of an entry as `ipfw table T list` prints it */
const char *ipfw_entry_key(struct arena *a, const struct ipfw_table *t,
			   const struct ipfw_entry *e);

/** ipfw_entry_value() - The same of its value */
const char *ipfw_entry_value(struct arena *a, const struct ipfw_table *t,
			     const struct ipfw_entry *e);

/** ipfw_rule_body() - A rule without number and set, as `ipfw list` prints it */
const char *ipfw_rule_body(struct arena *a, const struct ipfw_rule *r);

/** ipfw_nat_line() - "nat N config ..."; @reversed: redirects as `ipfw nat show` has them */
const char *ipfw_nat_line(struct arena *a, const struct ipfw_nat *n, bool reversed);

#endif /* LANG_IPFW_PARSE_H */
