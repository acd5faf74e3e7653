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
 * struct list_plan - What rules of a list leave in the packet mark for the second round
 * @ids:	By rule: its number if it does so as a candidate, else 0; or NULL
 * @memos:	By rule: number + 1 of the bit that says that a call was made, else 0; or NULL
 * @is_quiet:	Known to have no rules that have to do with tags or draws
 */
struct list_plan {
	uint8_t *ids;
	uint8_t *memos;
	bool is_quiet;
};

/**
 * struct filter_plan - How the filter of one direction is laid out (directed_plan.c)
 * @lists:	By number of the list
 * @n_ids:	Candidates that have a number
 * @n_memos:	Calls that have a bit
 * @answer:	The first rule that refuses with an answer, or NULL
 * @has_effects: Some rule draws, or gives tags that are asked for: to judge a
 *		packet twice is not the same as once
 */
struct filter_plan {
	struct list_plan *lists;
	uint32_t n_ids;
	uint32_t n_memos;
	const struct rule *answer;
	bool has_effects;
};

/**
 * enum judging - What a filter is run for
 * @JUDGE:	To decide
 * @JUDGE_ANSWERS: Only to answer what it refuses; decided later
 * @JUDGE_AHEAD: To decide, where there is still an answer; later only obeyed
 */
enum judging { JUDGE, JUDGE_ANSWERS, JUDGE_AHEAD };

/** enum round - First quick rules in order, then the others, then neither decided */
enum round { ROUND_FIRST, ROUND_LAST, ROUND_BOTH };

/**
 * struct part - A chain that holds one round of a called list
 */
struct part {
	uint32_t list;
	enum direction dir;
	enum judging how;
	enum round round;
	struct nft_chain *chain;
};

/**
 * struct side - One direction of a model, taken apart
 * @fences:	Judged first, each a block
 * @policy:	Translations called before the language's own lists
 * @skips:	Decided before translation and state
 * @nats:	Translations of the language
 * @after:	Judged on what passes, each a block
 * @late:	Translations called on what passes
 * @filter_list: List whose rules decide the rest
 * @filter_first: The first of them
 * @plan:	How they do
 * @scrub:	What changes headers, LIST_NONE: nothing
 */
struct side {
	struct flat_rules fences;
	struct nat_calls policy;
	struct flat_rules skips;
	struct nat_calls nats;
	struct flat_rules after;
	struct nat_calls late;
	uint32_t filter_list;
	uint32_t filter_first;
	struct filter_plan plan;
	uint32_t scrub;
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
 * struct source_run - Consecutive source translations that one map can hold
 * @n_rules:	Rules of the list that it takes
 * @map:	Source -> address; all other tests are those of the first rule
 */
struct source_run {
	uint32_t n_rules;
	const struct nft_set *map;
};

/**
 * struct forward_set - The map of a table of forwards
 * @map:	The table
 * @dst:	With outside addresses in this set; NULL: all
 * @set:	The map, of one family
 */
struct forward_set {
	const struct portmap *map;
	const struct set *dst;
	struct nft_set *set;
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
 * struct shift - The map of a shift of ports
 * @xlate:	The translation
 * @to:		Where it leads
 * @protos:	Of these protocols
 * @ports:	Of these ports, NULL: all
 * @map:	The map
 */
struct shift {
	const struct xlate *xlate;
	struct addr to;
	const struct set *protos;
	const struct set *ports;
	struct nft_set *map;
};

/**
 * struct source_set - What limits count together
 * @what:	What it counts
 * @limit:	To which number
 * @af:		Family
 * @set:	The set
 */
struct source_set {
	int what;
	uint32_t limit;
	uint8_t af;
	const struct nft_set *set;
};

/**
 * struct limit_chain - The chain of a limit
 * @limit:	Number + 1 in the model
 * @dir:	Direction of its states
 * @chain:	The chain
 */
struct limit_chain {
	uint32_t limit;
	enum direction dir;
	struct nft_chain *chain;
};

/**
 * struct mend - A change of headers that rules of the filter make, or a part of one
 * @what:	The change
 * @bit:	Bit of the packet mark: this packet gets it
 * @ct:		Bits of the ct mark: so do those of a state of this leg
 * @chain:	Makes the change, or NULL
 */
struct mend {
	struct scrub what;
	uint32_t bit;
	uint32_t ct[2];
	const char *chain;
};

/**
 * struct frame - The lowering of one model
 * @p:		Program
 * @m:		Model
 * @d:		Diagnostics
 * @sides:	The model, by direction
 * @leg:	Bit of the ct mark: the flow has a state of this direction
 * @answer:	Bit of the ct mark: we refused it and say so
 * @tag_mask:	Bits of the packet mark that hold the number of the tag
 * @ct_tags:	The same in the ct mark
 * @tag_codes:	By bit of F_TAGS: the number; 0: nobody asks for that tag
 * @n_codes:	How many have one
 * @ids:	Bits of the packet mark that hold the number of the last candidate
 * @memos:	Bits of the packet mark that say which calls were made
 * @decided:	Bit of the packet mark: passed by JUDGE_AHEAD
 * @opts:	Bit of the ct mark: so has it, for packets with options too; 0: no
 *		state is
 * @opts_states: Chains for packets with options that have a state, or NULL
 * @mends:	Changes of headers by the filter
 * @mended:	Chain that makes those of a packet and accepts, or NULL
 * @mended_states: Chains that make those of a state of a leg, or NULL
 * @limits:	Chains of limits
 * @sources:	Sets that limits share
 * @keep:	Chains that set the bit and accept, or NULL, by direction, [1] for
 *		packets with options too
 * @pass:	As @keep, but they do so only for translated packets
 * @runs:	Maps made so far: a list can be called from several chains
 * @forwards:	Maps of tables of forwards: those for local callers are the same
 * @shifts:	Maps of shifts made so far
 * @stickies:	Sets of sources made so far
 * @answers:	Chains that answer, by what they answer
 * @parts:	Chains of called lists of the filter
 * @n_parts:	How many of them have their rules
 * @saves:	Chain that puts the tag into the ct mark, or NULL
 * @restores:	Chain that gives a packet the tag of its state and accepts, or NULL
 */
struct frame {
	struct nft_program *p;
	const struct model *m;
	struct diags *d;
	struct side sides[2];
	uint32_t leg[2];
	uint32_t answer;
	uint32_t tag_mask;
	uint32_t ct_tags;
	uint8_t tag_codes[MODEL_TAGS];
	uint32_t n_codes;
	uint32_t ids;
	uint32_t memos;
	uint32_t decided;
	uint32_t opts[2];
	struct nft_chain *opts_states[2];
	VEC(struct mend) mends;
	struct nft_chain *mended;
	struct nft_chain *mended_states[2];
	VEC(struct limit_chain) limits;
	VEC(struct source_set) sources;
	struct nft_chain *keep[2][2];
	struct nft_chain *pass[2][2];
	VEC(struct nat_run) runs;
	VEC(struct forward_set) forwards;
	VEC(struct shift) shifts;
	VEC(struct sticky) stickies;
	VEC(struct answer_chain { struct answer what; struct nft_chain *chain; }) answers;
	VEC(struct part) parts;
	uint32_t n_parts;
	struct nft_chain *saves;
	struct nft_chain *restores;
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

/** directed_source_run() - As directed_nat_run(), of source translations; makes a map each time */
bool directed_source_run(struct frame *f, uint32_t list, uint32_t first, struct source_run *ret);

/** directed_map_run() - A rule with a table of forwards as a run; its maps are made once */
void directed_map_run(struct frame *f, const struct rule *r, struct nat_run *ret);

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

/** directed_shift() - l4proto . port -> address . port of a shift; made once */
struct nft_set *directed_shift(struct frame *f, const struct xlate *x, struct addr to,
			       const struct set *protos, const struct set *ports);

/** directed_sticky() - The sources that a rule's translation gave an address; made once */
struct nft_set *directed_sticky(struct frame *f, const struct rule *r, const struct xlate *x,
				struct addr to);

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

/** directed_states() - Accept what has a state */
void directed_states(struct frame *f, struct nft_chain *c, enum direction dir, enum judging how);

/** directed_answers() - Accept answers to what was let in the other way */
void directed_answers(struct frame *f, struct nft_chain *c, enum direction dir);

/** directed_plan() - Lay out the filters and share out the bits; false on error */
bool directed_plan(struct frame *f);

/**
 * directed_filter() - The filter of one direction into its chain
 * @f:		Frame
 * @c:		Base chain
 * @v:		How it sees packets
 * @how:	What for
 *
 * Return: false when an error was added
 */
bool directed_filter(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		     enum judging how);

/** directed_list() - The rules of a filter, both rounds, into its chain; false on error */
bool directed_list(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		   enum judging how);

/** directed_ruling() - A ruling as the end of a rule, counted and logged where it should be */
bool directed_ruling(struct frame *f, struct nft_stmts *s, const struct ruling *r,
		     const struct rule *whose, enum direction dir, enum judging how);

/** directed_tag() - The tag that a rule gives, if it does and somebody asks for it */
void directed_tag(struct frame *f, struct nft_stmts *s, const struct rule *r);

/** directed_tags() - Number the tags that rules ask for; false on error */
bool directed_tags(struct frame *f);

/** directed_save_tags() - The chain that puts a packet's tag into the ct mark, and returns */
const char *directed_save_tags(struct frame *f);

/** directed_restore_tags() - The chain that gives a packet its state's tag, and accepts */
const char *directed_restore_tags(struct frame *f);

/** directed_draw() - The probability of a rule */
void directed_draw(struct frame *f, struct nft_stmts *s, const struct rule *r);

/** directed_writes() - Does a rule give a tag that somebody asks for */
bool directed_writes(const struct frame *f, const struct rule *r);

/** directed_faces() - Can a rule match in a direction */
bool directed_faces(const struct rule *r, enum direction dir);

/** directed_ends() - Does a rule end its list, or send all packets on to another */
bool directed_ends(const struct rule *r);

/** directed_answer() - The chain that refuses a packet and says so; for both frames */
const char *directed_answer(struct frame *f, struct answer a);

/** directed_rules() - Rules that block or accept at once, counted; false on error */
bool directed_rules(struct frame *f, struct nft_chain *c, const struct nft_view *v,
		    const struct flat_rules *rules);

/** directed_source_routes() - No source route leads over the interior fence; for both frames */
void directed_source_routes(struct frame *f, struct nft_chain *c);

/** directed_arp() - The fence's ARP rules, in a table of their own */
void directed_arp(struct frame *f);

/** directed_if_opts() - A verdict for packets with IP options */
void directed_if_opts(struct frame *f, struct nft_chain *c, enum nft_verdict v,
		      const char *chain);

/** directed_opts() - Ahead of the states: what becomes of their packets with options */
void directed_opts(struct frame *f, struct nft_chain *c, enum direction dir);

/** directed_allows_opts() - Does any rule of a model keep a state for them */
bool directed_allows_opts(const struct model *m);

/**
 * directed_limit() - The chain of a ruling's limit
 * @f:		Frame
 * @dir:	Direction
 * @r:		Ruling with a limit
 * @keep:	Chain that goes on
 *
 * Return: its name
 */
const char *directed_limit(struct frame *f, enum direction dir, const struct ruling *r,
			   const char *keep);

/** directed_has_scrub() - Is there such a change in a direction */
bool directed_has_scrub(const struct frame *f, enum direction dir);

/** directed_scrub() - Changes of headers at the end of a base chain; false on error */
bool directed_scrub(struct frame *f, struct nft_chain *c, const struct nft_view *v);

/** directed_scrub_chain() - A new chain that makes a change of headers, and comes back */
const char *directed_scrub_chain(struct frame *f, const struct scrub *x);

/** directed_mends() - Find the changes of headers that the filter makes */
void directed_mends(struct frame *f);

/** directed_mend() - The packet gets a change of headers, if it passes */
void directed_mend(struct frame *f, struct nft_stmts *s, uint32_t scrub);

/** directed_mend_bits() - Bits of the ct mark for what a translation changes, by its legs */
uint32_t directed_mend_bits(struct frame *f, const struct rule *r, uint32_t legs);

/**
 * directed_mend_is_of_leg() - Has a change a bit for each leg of a forwarded flow
 *
 * A change that is made twice is made.  But the TTL is lowered between the legs, and
 * where there are several types of service the order in which they are written counts.
 */
bool directed_mend_is_of_leg(const struct frame *f, uint32_t i);

/** directed_keep_mends() - A new state of a leg gets the changes of the packet */
void directed_keep_mends(struct frame *f, struct nft_chain *c, bool is_reply, enum direction leg);

/** directed_pass() - Accept a packet, its headers changed */
void directed_pass(struct frame *f, struct nft_stmts *s);

/** directed_pass_state() - Accept a packet that has a state of a leg, as that state says */
void directed_pass_state(struct frame *f, struct nft_stmts *s, enum direction leg);

/** directed_log() - The log statement of a rule */
void directed_log(struct frame *f, struct nft_stmts *s, const struct origin *o, const char *what);

#endif /* TARGET_NFT_DIRECTED_H */
