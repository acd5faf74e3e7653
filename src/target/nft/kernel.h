/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel - tables as canonical lines, of a program and of the kernel
 *
 * Each object (table, chain, set, element, rule) is a key that says which it
 * is and a text that says what it is.  Both sides are written by the same
 * functions, so that equal lines mean equal objects.
 *
 * Owns:	 nothing; lines live in an arena.
 * Does not:	 change the kernel.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_KERNEL_H
#define TARGET_NFT_KERNEL_H

#include "nl/session.h"
#include "target/nft/program.h"

#include <libnftnl/rule.h>

struct nft_elem_bytes;

enum nft_object { NFT_O_TABLE, NFT_O_SET, NFT_O_CHAIN, NFT_O_ELEM, NFT_O_RULE };

/**
 * struct nft_line - An object
 * @kind:	What it is
 * @family:	nfgen_family of its table
 * @key:	Which: names; of a rule its chain and expressions
 * @text:	What it is
 * @comment:	Its comment, or NULL
 * @origin:	Whose, or NFT_NO_ORIGIN
 * @position:	Of a rule in its chain
 * @handle:	Of a rule, the kernel's side
 * @name:	Its own name (chains, sets)
 * @packets:	Counted (kernel's side)
 * @bytes:	Counted
 * @rule:	Of a rule: it; the program's side, else NULL
 * @is_base:	A base chain
 * @is_end:	Of an element: the first value behind a range
 * @is_kept:	Of a rule: a transaction leaves it alone (see delta.h)
 * @elem:	Of an element of a map: it; the program's side, else NULL
 * @forward:	Of an element of a map of forwards: its key (protocol, address,
 *		port), else NULL; the program's side
 * @forward_af:	Family of that address
 * @table:	Stands for all elements of this map of forwards, else NULL
 *
 * In an order without gaps: there may be 100,000.
 */
struct nft_line {
	enum nft_object kind;
	uint8_t family;
	uint8_t forward_af;
	bool is_base;
	bool is_end;
	bool is_kept;
	const char *key;
	const char *text;
	const char *comment;
	const char *name;
	uint32_t position;
	uint32_t origin;
	uint64_t handle;
	uint64_t packets;
	uint64_t bytes;
	const struct nft_rule *rule;
	const struct nft_elem_bytes *elem;
	const uint8_t *forward;
	const struct nft_set *table;
};

struct nft_held;

/**
 * struct nft_lines - Objects; sorted by kind, family and key after nft_lines_sort()
 * @a:		Memory
 * @list:	Objects
 * @held:	Maps whose elements are lines only where the kernel's are others; the program's
 *		side
 */
struct nft_lines {
	struct arena *a;
	VEC(struct nft_line) list;
	VEC(struct nft_held *) held;
};

/**
 * struct nft_counted - What a rule's counter said
 * @packets:	Packets
 * @bytes:	Bytes
 */
struct nft_counted {
	uint64_t packets;
	uint64_t bytes;
};

/** nft_exprs_text() - A rule's expressions, counters' values left out and added to @ret */
const char *nft_exprs_text(struct arena *a, const struct nftnl_rule *r, struct nft_counted *ret);

/**
 * struct nft_set_text - What makes two sets the same, apart from their elements
 */
struct nft_set_text {
	uint32_t flags;
	uint32_t key_type;
	uint32_t key_len;
	uint32_t data_type;
	uint32_t data_len;
	uint32_t size;
	uint64_t timeout_ms;
};

/** nft_set_props() - Of a program's set */
struct nft_set_text nft_set_props(const struct nft_set *s);

/** nft_add_set_line() - The line of a set */
void nft_add_set_line(struct nft_lines *l, uint8_t family, const char *name,
		      const struct nft_set_text *t);

/** nft_add_chain_line() - The line of a chain; @type NULL: a regular one */
void nft_add_chain_line(struct nft_lines *l, uint8_t family, const char *name, const char *type,
			uint32_t hook, int32_t prio, uint32_t policy);

/** nft_add_table_line() - The line of a table; its flags as the kernel has them */
void nft_add_table_line(struct nft_lines *l, uint8_t family, uint32_t flags);

/**
 * struct nft_elem_bytes - An element as the kernel has it
 * @set:	Its set
 * @key:	Key
 * @key_len:	Its length
 * @key_end:	Of a concatenation of ranges the highest values, of the same
 *		length; else NULL
 * @is_end:	First value behind a range
 * @data:	Data, or NULL
 * @data_len:	Its length
 * @chain:	Where a verdict goes, or NULL
 * @comment:	Comment, or NULL
 */
struct nft_elem_bytes {
	const char *set;
	const void *key;
	const void *key_end;
	const void *data;
	uint32_t key_len;
	uint32_t data_len;
	const char *chain;
	const char *comment;
	bool is_end;
};

/** nft_add_elem_line() - The line of an element, which keeps its texts but @e.set as copies */
struct nft_line *nft_add_elem_line(struct nft_lines *l, uint8_t family,
				   const struct nft_elem_bytes *e);

/** nft_line_shown() - As `plan` names an object */
const char *nft_line_shown(struct arena *a, const struct nft_line *l);

/** nft_add_rule_line() - The line of a rule */
struct nft_line *nft_add_rule_line(struct nft_lines *l, uint8_t family, const char *chain,
				   uint32_t position, const struct nftnl_rule *r);

typedef void nft_elem_fn(const struct nft_elem_bytes *e, uint32_t origin, void *arg);

/**
 * nft_each_elem() - Elements of a set as the kernel holds them, ends of ranges too
 * @s:		Set
 * @fn:		Told of each; what it points to is gone when the next comes
 * @arg:	For @fn
 */
void nft_each_elem(const struct nft_set *s, nft_elem_fn *fn, void *arg);

/** nft_family_text() - "inet", "arp" and so on of nfgen_family */
const char *nft_family_text(uint8_t family);

/** nft_lines_sort() - Put lines in the order in which they can be compared */
void nft_lines_sort(struct nft_lines *l);

/** nft_lines_cmp() - Order of two lines by what they name */
int nft_lines_cmp(const struct nft_line *x, const struct nft_line *y);

/** nft_objects_of() - The lines of a program's tables, sets, elements and chains, not sorted */
void nft_objects_of(const struct nft_program *p, struct nft_lines *ret);

/** nft_lines_of() - The lines of a program, sorted; of maps in @ret->held those not met */
void nft_lines_of(const struct nft_program *p, struct nft_lines *ret);

/** nft_lines_in_short() - The same, with one line for all forwards of a map */
void nft_lines_in_short(const struct nft_program *p, struct nft_lines *ret);

/**
 * nft_lines_read() - The lines of what the kernel holds in our tables, sorted
 * @nl:		Session of NETLINK_NETFILTER
 * @ret:	Set on success; its arena must be set
 * @ret_genid:	Set on success: generation that they were read in
 *
 * Return: 0, or a negative errno of the session
 */
MUST_USE int nft_lines_read(struct nl_session *nl, struct nft_lines *ret, uint32_t *ret_genid);

/**
 * nft_lines_compare() - What the kernel holds in our tables, beside a program
 * @nl:		Session of NETLINK_NETFILTER
 * @p:		Program, or NULL for nothing of ours
 * @have:	As nft_lines_read(), without the forwards that are as @p has them
 * @want:	Set on success: the lines of @p, without those forwards; none where the kernel
 *		holds nothing; its arena must be set
 * @ret_genid:	As nft_lines_read()
 *
 * Return: as nft_lines_read()
 */
MUST_USE int nft_lines_compare(struct nl_session *nl, const struct nft_program *p,
			       struct nft_lines *have, struct nft_lines *want,
			       uint32_t *ret_genid);

struct nftnl_set_elem;
struct nl_nft_query;

/** nft_elem_take_fn - Takes an element; < 0 ends it */
typedef int nft_elem_take_fn(struct nftnl_set_elem *e, void *arg);

/**
 * nft_elems_read() - Take the elements that the kernel holds of a set
 * @nl:		Session of NETLINK_NETFILTER
 * @q:		The set
 * @n:		Length of the list that @fn adds to: where the kernel's list starts
 *		again, it goes back to what it was
 * @fn:		Takes each
 * @arg:	For @fn
 *
 * Return: 0; -ENOENT: no such set; -ENOMEM, -EBADMSG or another negative errno
 */
MUST_USE int nft_elems_read(struct nl_session *nl, const struct nl_nft_query *q, uint32_t *n,
			    nft_elem_take_fn *fn, void *arg);

#endif /* TARGET_NFT_KERNEL_H */
