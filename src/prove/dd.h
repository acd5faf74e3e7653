/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dd - decision diagrams: functions of bits whose values are numbers
 *
 * A function of truth values (the bits of a packet and of what is remembered of
 * it) as a reduced, ordered diagram.  Its values are numbers: 0 and 1 for a
 * condition, else what the caller's numbers stand for.  Equal functions are the
 * same diagram, so to compare two of them is to compare two numbers.
 *
 * Owns:	 its nodes; dd_fini() frees all.
 * Does not:	 know what variables and values stand for.
 * Threads:	 none; each struct dds is a world of its own.
 */
#ifndef PROVE_DD_H
#define PROVE_DD_H

#include "base/base.h"

typedef uint32_t dd;		/* a function */

#define DD_FALSE	((dd)0)
#define DD_TRUE		((dd)1)
#define DD_NO_VAR	UINT32_MAX
#define DD_MOST_KEYS	512u		/* variables of a choice */

struct dd_node;
struct dd_memo;

/**
 * struct dds - All diagrams of one proof
 * @node:	Nodes
 * @n:		How many
 * @cap:	Room for
 * @max:	Most there may be
 * @head:	Hash of nodes, a power of two; 0: none (node 0 is never asked for)
 * @n_heads:	Its length
 * @memo:	What operations gave, a power of two, overwritten
 * @n_memos:	Its length
 * @serial:	Of the last operation that had a number of its own
 * @is_full:	@max was met: from here on all results mean nothing
 */
struct dds {
	struct dd_node *node;
	uint32_t n;
	uint32_t cap;
	uint32_t max;
	uint32_t *head;
	uint32_t n_heads;
	struct dd_memo *memo;
	uint32_t n_memos;
	uint32_t serial;
	bool is_full;
};

/**
 * dd_init() - No diagrams but the two conditions
 * @s:		Diagrams
 * @max_nodes:	Most nodes
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int dd_init(struct dds *s, uint32_t max_nodes);

/** dd_fini() - Free all; for CLEANUP() */
void dd_fini(struct dds *s);

/** dd_leaf() - The constant @value, below DD_NO_VAR */
dd dd_leaf(struct dds *s, uint32_t value);

/** dd_is_leaf() - Is it a constant */
bool dd_is_leaf(const struct dds *s, dd f);

/** dd_value() - The value of a constant */
uint32_t dd_value(const struct dds *s, dd f);

/** dd_var() - The condition that variable @var is 1; lower ones are asked first */
dd dd_var(struct dds *s, uint32_t var);

/** dd_is_var() - Is @f the condition that a variable is 1; which one is set on success */
bool dd_is_var(const struct dds *s, dd f, uint32_t *ret_var);

/** dd_ite() - Where @cond is true @then, else @other; O(product of their sizes) */
dd dd_ite(struct dds *s, dd cond, dd then, dd other);

/** dd_and() - Both conditions */
dd dd_and(struct dds *s, dd x, dd y);

/** dd_or() - Either condition */
dd dd_or(struct dds *s, dd x, dd y);

/** dd_not() - The condition does not hold */
dd dd_not(struct dds *s, dd x);

/** dd_with() - @f where variable @var is @value */
dd dd_with(struct dds *s, dd f, uint32_t var, bool value);

/** dd_compose() - @f where variable @var is what condition @g says */
dd dd_compose(struct dds *s, dd f, uint32_t var, dd g);

/** dd_exists() - The condition that @f holds for some values of the variables with @which */
dd dd_exists(struct dds *s, dd f, const bool *which);

/** enum dd_known - What is known of a variable */
enum dd_known { DD_ANY, DD_IS_0, DD_IS_1 };

/** dd_known() - @f, as far down as @known decides what it asks; by variable an enum dd_known */
dd dd_known(const struct dds *s, dd f, const uint8_t *known);

/**
 * struct dd_case - A function where some variables have given values
 * @key:	The values, the first variable's the highest bit of the first byte; bits
 *		behind the last are 0
 * @then:	The function there
 * @rank:	For dd_cases() alone
 */
struct dd_case {
	const uint8_t *key;
	dd then;
	uint32_t rank;
};

/**
 * dd_cases() - A choice by the values of several variables
 * @s:		Diagrams
 * @var:	The variables, the lowest first
 * @n_vars:	How many
 * @cases:	What to choose from; sorted by key here, and of equal keys the last counts
 * @n:		How many
 * @other:	Where no case is
 *
 * The same as a dd_ite() for each case, in one pass over the sorted keys: a node of
 * the result is made once.
 */
dd dd_cases(struct dds *s, const uint32_t *var, uint32_t n_vars, struct dd_case *cases, uint32_t n,
	    dd other);

typedef uint32_t dd_map_fn(void *arg, uint32_t value);
typedef uint32_t dd_join_fn(void *arg, uint32_t x, uint32_t y);

/** dd_map() - @f with each value replaced */
dd dd_map(struct dds *s, dd f, dd_map_fn *fn, void *arg);

/** dd_join() - The function whose value is @fn of those of @f and @g */
dd dd_join(struct dds *s, dd f, dd g, dd_join_fn *fn, void *arg);

/**
 * dd_differ() - Where two functions differ
 * @s:		Diagrams
 * @f:		Function
 * @g:		Another
 * @bit:	By variable: the value it should have, if that shows a difference; set
 *		to the one it has where it counts, else untouched
 * @ret_f:	Set to the value of @f there
 * @ret_g:	Set to the value of @g there
 *
 * Return: false when they are the same
 */
bool dd_differ(const struct dds *s, dd f, dd g, uint8_t *bit, uint32_t *ret_f, uint32_t *ret_g);

/** dd_at() - The value of @f at a point */
uint32_t dd_at(const struct dds *s, dd f, const uint8_t *bit);

#endif /* PROVE_DD_H */
