/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prog - a program of nf_tables, read from netlink messages
 *
 * Chains, rules and sets as the kernel has them: expressions with registers, not
 * the statements of nft.  The messages are those of a transaction that is about
 * to be sent, or those of the kernel's answers, which are of the same form.
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 know what wrote the program, or what it means (see exec.h).
 * Threads:	 none.
 */
#ifndef PROVE_PROG_H
#define PROVE_PROG_H

#include "base/arena.h"

struct nlmsghdr;
struct nftnl_rule;

#define PROG_DATA	64u	/* bytes of a value, of all registers */
#define PROG_FIELDS	16u	/* values of a concatenation */

/**
 * enum prog_op - An expression
 * @X_UNKNOWN:	Nothing is known of it; @name says which
 * @X_NOTHING:	Has no part in the meaning
 * @X_COUNTER:	Counts
 * @X_LOG:	Tells @set to the group @key; without @has_dreg to the kernel's log at
 *		the level @key; @is_not: in a way that is not ours
 * @X_META:	@key into @dreg
 * @X_META_SET:	@sreg into @key
 * @X_CT:	@key into @dreg, of the direction @offset - 1; 0: of none
 * @X_CT_SET:	@sreg into @key
 * @X_PAYLOAD:	@len bytes from @offset of header @key into @dreg
 * @X_PAYLOAD_SET: @len bytes of @sreg to @offset of header @key; @modulus: where the
 *		header's own checksum is that is mended then, 0: none is
 * @X_CMP:	Goes on if @sreg compared (@key) with @data holds
 * @X_RANGE:	Goes on if @sreg is in @data..@mask (@key: is not)
 * @X_BITWISE:	(@sreg & @mask) ^ @data into @dreg, @len bytes
 * @X_SWAP:	@sreg of @len bytes in the other byte order into @dreg
 * @X_LOOKUP:	Goes on if @sreg is in @set (@is_not: is not); with @has_dreg its
 *		data go into @dreg
 * @X_IMMEDIATE: @data into @dreg
 * @X_VERDICT:	The verdict @key, of @set where that is a chain
 * @X_NAT:	Translate: see struct prog_expr
 * @X_REJECT:	Answer with type @key and code @offset
 * @X_NUMGEN:	A number below @modulus into @dreg; @key says how
 * @X_HASH:	A hash of @len bytes of @sreg, below @modulus, @seed, into @dreg
 * @X_FIB:	@key of what @offset says into @dreg
 * @X_EXTHDR:	Is option or header @key of @offset there, into @dreg
 * @X_EXTHDR_SET: @len bytes of @sreg to byte @modulus of option @key of @offset
 * @X_DYNSET:	Add or update @sreg in @set (@key); @has_inner: and it
 *		may end there; @is_count: it only counts; @is_over: goes on where
 *		there are more connections than @modulus
 * @X_LIMIT:	Goes on or not as counts say; @is_over: where there are more connections
 *		than @modulus, or with @unit_s more packets in that time, @burst at once
 */
enum prog_op {
	X_UNKNOWN, X_NOTHING, X_COUNTER, X_LOG, X_META, X_META_SET, X_CT, X_CT_SET, X_PAYLOAD,
	X_PAYLOAD_SET,
	X_CMP, X_RANGE, X_BITWISE, X_SWAP, X_LOOKUP, X_IMMEDIATE, X_VERDICT, X_NAT, X_REJECT,
	X_NUMGEN, X_HASH, X_FIB, X_EXTHDR, X_EXTHDR_SET, X_DYNSET, X_LIMIT,
	N_PROG_OPS
};

/**
 * struct prog_nat - Registers and flags of a translation
 * @is_src:	Of the source
 * @family:	NFPROTO_IPV4 and so on
 * @addr:	Registers of the lowest and the highest address, 0: none
 * @port:	The same of ports
 * @flags:	NF_NAT_RANGE_*
 */
struct prog_nat {
	bool is_src;
	uint32_t family;
	uint32_t addr[2];
	uint32_t port[2];
	uint32_t flags;
};

/**
 * struct prog_expr - An expression; members as enum prog_op says
 * @op:		Which
 * @name:	As the kernel calls it
 */
struct prog_expr {
	enum prog_op op;
	const char *name;
	uint32_t key;
	uint32_t sreg;
	uint32_t dreg;
	uint32_t offset;
	uint32_t len;
	uint32_t modulus;
	uint32_t seed;
	bool is_not;
	bool has_dreg;
	bool has_inner;
	bool is_count;
	bool is_over;
	uint32_t burst;
	uint32_t unit_s;
	const char *set;
	struct prog_nat nat;
	uint8_t data[PROG_DATA];
	uint8_t mask[PROG_DATA];
};

/**
 * struct prog_rule - A rule
 * @exprs:	Expressions in order
 * @comment:	As the kernel keeps it, or ""
 */
struct prog_rule {
	VEC(struct prog_expr) exprs;
	const char *comment;
};

/**
 * struct prog_chain - A chain
 * @family:	Of its table
 * @name:	Its name
 * @type:	Of a base chain, else NULL
 * @hook:	Of a base chain
 * @prio:	Of a base chain
 * @policy:	NF_ACCEPT or NF_DROP
 * @rules:	Rules in order
 */
struct prog_chain {
	uint8_t family;
	const char *name;
	const char *type;
	uint32_t hook;
	int32_t prio;
	uint32_t policy;
	VEC(struct prog_rule) rules;
};

/**
 * struct prog_elem - An element
 * @key:	Key
 * @key_end:	Of a range of a concatenation: the highest of each value, else NULL
 * @data:	Its data, in a map
 * @chain:	Where a verdict goes, or NULL
 * @verdict:	The verdict
 * @is_end:	The first value behind a range
 */
struct prog_elem {
	const uint8_t *key;
	const uint8_t *key_end;
	const uint8_t *data;
	const char *chain;
	int32_t verdict;
	bool is_end;
};

/**
 * struct prog_set - A set or map
 * @family:	Of its table
 * @name:	Its name
 * @flags:	NFT_SET_*
 * @size:	Elements that it has room for, 0: any number
 * @key_len:	Bytes of a key
 * @data_len:	Bytes of data
 * @field_len:	Bytes of each value of a concatenation of ranges
 * @n_fields:	How many; 0: it is none
 * @comment:	Its comment, or NULL
 * @elems:	Elements
 */
struct prog_set {
	uint8_t family;
	const char *name;
	uint32_t flags;
	uint32_t size;
	uint32_t key_len;
	uint32_t data_len;
	uint8_t field_len[PROG_FIELDS];
	uint32_t n_fields;
	const char *comment;
	VEC(struct prog_elem) elems;
};

/**
 * struct prog - All tables
 * @a:		Memory
 * @chains:	Chains
 * @sets:	Sets
 * @is_dormant:	A table sleeps: none of its rules counts
 * @n_broken:	Messages that could not be read
 */
struct prog {
	struct arena *a;
	VEC(struct prog_chain) chains;
	VEC(struct prog_set) sets;
	bool is_dormant;
	uint32_t n_broken;
};

/**
 * prog_take() - Add what a message tells
 * @p:		Program
 * @msg:	NEWTABLE, NEWCHAIN, NEWSET, NEWSETELEM or NEWRULE; others are passed
 *		over.  Chains come before their rules, sets before their elements
 */
void prog_take(struct prog *p, const struct nlmsghdr *msg);

/** prog_take_all() - prog_take() of each of the messages in a buffer */
void prog_take_all(struct prog *p, const void *buf, size_t len);

/** prog_chain_of() - The chain of a name, or NULL */
struct prog_chain *prog_chain_of(const struct prog *p, uint8_t family, const char *name);

/** prog_set_of() - The set of a name, or NULL */
struct prog_set *prog_set_of(const struct prog *p, uint8_t family, const char *name);

/** prog_read_exprs() - The expressions of a rule, added to @ret */
void prog_read_exprs(struct prog *p, struct nftnl_rule *rule, struct prog_rule *ret);

#endif /* PROVE_PROG_H */
