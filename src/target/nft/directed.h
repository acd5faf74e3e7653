/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * directed - the frame of chains for models with directed states (pf)
 *
 * What the files of the frame share.  The frame itself, and how a model's
 * lists map to its chains, is explained in directed.c.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_DIRECTED_H
#define TARGET_NFT_DIRECTED_H

#include "target/nft/match.h"

/**
 * struct flat_rule - A rule that decides, with the tests of the calls to it
 * @t:		Tests
 * @ruling:	What it decides
 * @is_logged:	It logs
 * @origin:	Whose
 */
struct flat_rule {
	struct nft_tests t;
	struct ruling ruling;
	bool is_logged;
	const struct origin *origin;
};

/** struct flat_rules - Rules, the first that matches decides */
struct flat_rules {
	VEC(struct flat_rule) list;
};

/**
 * struct nat_call - A list of translations and when it is called
 * @t:		Tests of the call
 * @list:	The list
 * @at:		Place of the call
 */
struct nat_call {
	struct nft_tests t;
	uint32_t list;
	struct span at;
};

/** struct nat_calls - Calls in order */
struct nat_calls {
	VEC(struct nat_call) list;
};

/**
 * struct side - One direction of a model, taken apart
 * @fences:	Judged first, each a block
 * @policy:	Translations called before the language's own lists
 * @skips:	Decided before translation and state
 * @nats:	Translations of the language
 * @filter:	What decides the rest
 * @after:	Judged on what passes, each a block
 * @filter_list: List of the filter, LIST_NONE: there is none
 */
struct side {
	struct flat_rules fences;
	struct nat_calls policy;
	struct flat_rules skips;
	struct nat_calls nats;
	struct flat_rules filter;
	struct flat_rules after;
	uint32_t filter_list;
};

/**
 * struct nat_run - Consecutive forwards that one map can hold
 * @list:	List that they stand in
 * @first:	Number of the first
 * @n_rules:	Rules of the list that it takes
 * @maps:	By family, [0] IPv4; NULL: no element
 * @t:		Tests that all have in common
 * @is_pass:	They pass the filter
 */
struct nat_run {
	uint32_t list;
	uint32_t first;
	uint32_t n_rules;
	struct nft_set *maps[2];
	struct nft_tests t;
	bool is_pass;
};

/**
 * struct sticky - Sources that a translation has given an address
 * @xlate:	The translation
 * @to:		The address
 * @set:	The sources
 */
struct sticky {
	const struct xlate *xlate;
	struct addr to;
	struct nft_set *set;
};

/**
 * struct frame - The lowering of one model
 * @p:		Program
 * @m:		Model
 * @d:		Diagnostics
 * @sides:	The model, by direction
 * @leg:	Bit of the ct mark: the flow has a state of this direction
 * @answer:	Bit of the ct mark: we refused it and say so
 * @keep:	Chains that set the bit and accept, or NULL, by direction
 * @pass:	Chains that do so only for translated packets
 * @runs:	Maps made so far: a list can be called from several chains
 * @stickies:	Sets of sources made so far
 * @answers:	Chains that answer, by what they answer
 */
struct frame {
	struct nft_program *p;
	const struct model *m;
	struct diags *d;
	struct side sides[2];
	uint32_t leg[2];
	uint32_t answer;
	struct nft_chain *keep[2];
	struct nft_chain *pass[2];
	VEC(struct nat_run) runs;
	VEC(struct sticky) stickies;
	VEC(struct answer_chain { struct answer what; struct nft_chain *chain; }) answers;
};

/** directed_lower() - Fill a program; false when an error was added */
bool directed_lower(struct frame *f);

/** directed_split() - Take one direction of the model apart */
bool directed_split(struct frame *f, enum direction dir);

/** directed_split_policy() - Only the lists before and after the language's own */
bool directed_split_policy(struct frame *f, enum direction dir);

/**
 * directed_nat() - Translations into a chain
 * @f:		Frame
 * @c:		Chain of type nat; or, with @guard, of type filter
 * @v:		How the chain sees packets
 * @call:	List and tests
 * @bits:	Bits of the ct mark that a translation with `pass` sets
 * @guard:	Do not translate, but accept what would be translated
 *
 * Return: false when an error was added
 */
bool directed_nat(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		  const struct nat_call *call, uint32_t bits, bool guard);

/**
 * directed_nat_run() - The longest run of forwards from a rule on
 * @f:		Frame
 * @list:	List of translations
 * @first:	Number of its first rule
 * @ret:	Set when there is a run
 *
 * Return: whether there is one of at least two elements
 */
bool directed_nat_run(struct frame *f, uint32_t list, uint32_t first, struct nat_run *ret);

/**
 * directed_pool() - Which address of a pool a packet gets
 * @f:		Frame
 * @x:		Translation
 * @to:		Addresses, of one family
 * @n_to:	How many
 * @i:		Which of them; they are asked for in order
 * @ret:	Statements are added that hold for packets that get it
 */
void directed_pool(struct frame *f, const struct xlate *x, const struct addr *to, uint32_t n_to,
		   uint32_t i, struct nft_stmts *ret);

/** directed_sticky() - The sources that a translation gave an address; made once */
struct nft_set *directed_sticky(struct frame *f, const struct xlate *x, struct addr to);

/** nat_rule_passes() - Does a translation skip the filter */
bool nat_rule_passes(const struct rule *r);

/**
 * nat_rule_pinned() - Packets that a translation to @to leaves as they are
 * @f:		Frame
 * @t:		Tests of the rule
 * @x:		Translation
 * @to:		Target
 * @ret:	Set to their tests when there may be some
 */
bool nat_rule_pinned(struct frame *f, const struct nft_tests *t, const struct xlate *x,
		     struct addr to, struct nft_tests *ret);

/** directed_answers() - Accept answers to what was let in the other way */
void directed_answers(struct frame *f, struct nft_chain *c, enum direction dir);

/**
 * directed_filter() - The filter of one direction into its chain
 * @f:		Frame
 * @c:		Base chain
 * @v:		How it sees packets
 * @is_copy:	Only to answer: what is not answered is accepted, uncounted
 *
 * Return: false when an error was added
 */
bool directed_filter(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		     bool is_copy);

/** directed_answer() - The chain that refuses a packet and says so; for both frames */
const char *directed_answer(struct frame *f, struct answer a);

/** directed_rules() - Rules that block or accept at once, counted; false on error */
bool directed_rules(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		    const struct flat_rules *rules);

/** directed_arp() - The fence's ARP rules, in a table of their own */
void directed_arp(struct frame *f);

/** directed_log() - The log statement of a rule */
void directed_log(struct frame *f, struct nft_stmts *s, const struct origin *o, const char *what);

#endif /* TARGET_NFT_DIRECTED_H */
