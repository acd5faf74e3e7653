/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * merge - runs of rules that exclude each other become verdict maps
 *
 * A pass over a program: the cost of a packet no longer grows with the number
 * of such rules, nor does what the kernel needs to load them.  What a shape of
 * rules is, and what becomes of a run, is explained in merge.c.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 know the model, change what a chain does to any packet, or what
 *		 is counted for whom.
 * Byte order:	 values are bytes as the kernel compares them.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_MERGE_H
#define TARGET_NFT_MERGE_H

#include "target/nft/program.h"

#define MERGE_SHAPES	8u	/* shapes of one run */

/**
 * nft_merge_rules() - Merge what can be merged in the filter chains of family inet
 * @p:		Program; its rules and sets are changed, chains may be added
 *
 * Cost: O(n log n) in the rules of a chain.
 */
void nft_merge_rules(struct nft_program *p);

/**
 * nft_share_tests() - Test once what many rules in a row test, in the base chains that filter
 * @p:		Program; rules are changed, chains may be added
 *
 * Cost: O(n) in the rules of a chain.
 */
void nft_share_tests(struct nft_program *p);

/**
 * struct shape - Rules that differ only in values
 * @first:	The first of them
 * @n_rules:	How many
 * @varies:	Bit k: they differ in their statement k
 */
struct shape {
	const struct nft_rule *first;
	uint32_t n_rules;
	uint32_t varies;
};

/**
 * struct merger - The work on one chain
 * @p:		Program
 * @rules:	Its rules
 * @n:		How many
 * @start:	First rule of the run
 * @end:	Behind its last rule
 * @of:		By rule: number of its shape
 * @shapes:	Of the run
 * @n_shapes:	How many
 * @compares:	Comparisons that a sweep may still make
 * @open:	Of a sweep: rules that are not over
 */
struct merger {
	struct nft_program *p;
	const struct nft_rule *rules;
	uint32_t n;
	uint32_t start;
	uint32_t end;
	uint8_t *of;
	struct shape shapes[MERGE_SHAPES];
	uint32_t n_shapes;
	uint64_t compares;
	uint32_t *open;
};

/**
 * merge_find_run() - The longest run from @w->start on
 * @w:		Sets the end and the shapes; empty: the first rule has no shape
 */
void merge_find_run(struct merger *w);

/** struct values - A value, or a range of values, as bytes in the order of the wire */
struct values {
	uint8_t lo[NFT_VALUE_BYTES];
	uint8_t hi[NFT_VALUE_BYTES];
};

/** merge_stmt() - Statement @k of a rule */
static inline const struct nft_stmt *merge_stmt(const struct nft_rule *r, uint32_t k)
{
	return &r->stmts.list.v[k];
}

/** merge_n_tests() - How many statements of a rule are tests: they stand first */
uint32_t merge_n_tests(const struct nft_rule *r);

/** merge_is_counted() - Does a rule count what it decides */
bool merge_is_counted(const struct nft_rule *r);

/** merge_verdict() - How a rule with a shape ends */
const struct nft_decision *merge_verdict(const struct nft_rule *r);

/** merge_has_shape() - Tests, perhaps a counter, and a verdict from which nothing comes back */
bool merge_has_shape(const struct nft_rule *r);

/** merge_same_shape() - Do two rules with a shape differ only in values */
bool merge_same_shape(const struct nft_rule *x, const struct nft_rule *y);

/** merge_key() - What a test looks at */
enum nft_key merge_key(const struct nft_stmt *s);

/** merge_len() - Bytes of a key's values */
uint8_t merge_len(enum nft_key key);

/** merge_same_test() - Are two tests true of the same packets, by their form */
bool merge_same_test(const struct nft_stmt *x, const struct nft_stmt *y);

/** merge_has_values() - Is a test "the key has one of these values", which are few */
bool merge_has_values(const struct nft_stmt *s);

/** merge_may_vary() - Is it one whose values may be the key of a map */
bool merge_may_vary(const struct nft_stmt *s);

/** merge_n_values() - How many values a test has */
uint32_t merge_n_values(const struct nft_stmt *s);

/** merge_value() - The @i-th of them */
struct values merge_value(const struct nft_stmt *s, uint32_t i);

/** merge_has_ranges() - Is any of them a range */
bool merge_has_ranges(const struct nft_stmt *s);

/** merge_same_values() - Have two tests of a key the same values */
bool merge_same_values(const struct nft_stmt *x, const struct nft_stmt *y);

/** merge_values_meet() - Is there a value that both have */
bool merge_values_meet(const struct nft_stmt *x, const struct nft_stmt *y);

#endif /* TARGET_NFT_MERGE_H */
