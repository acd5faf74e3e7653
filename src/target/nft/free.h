/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * free - the frame of chains for models with free states (ipfw)
 *
 * What the files of the frame share.  The frame itself is explained in free.c,
 * the states in free_state.c, translation in free_nat.c.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_FREE_H
#define TARGET_NFT_FREE_H

#include "target/nft/directed.h"

/**
 * enum phase - Where in a pass a rule is judged
 * @BEFORE:	Before the translation, which can still be asked for
 * @AFTER:	After it
 */
enum phase { BEFORE, AFTER };

/**
 * struct place_key - A place in the lists, and in which pass it is reached
 * @list:	List
 * @first:	Its first rule that is judged
 * @dir:	Direction of the pass
 * @phase:	Its half
 * @probed:	A probe has looked: later ones for the same name do not look again
 * @name:	For which name; 0: for all
 * @on:		Interfaces that packets here cross, by the nat rule before; NULL: any
 * @are:	Sources that they can have behind it (inbound: destinations); NULL: any
 */
struct place_key {
	uint32_t list;
	uint32_t first;
	enum direction dir;
	enum phase phase;
	bool probed;
	uint32_t name;
	const struct set *on;
	const struct set *are;
};

/**
 * struct free_chain - The chain of a place
 * @at:		Place
 * @chain:	Its rules
 */
struct free_chain {
	struct place_key at;
	struct nft_chain *chain;
};

/**
 * struct free_state - What one recording rule remembers, of one kind of packets
 * @r:		The rule
 * @cont:	List where a packet of the state goes on
 * @name:	Its name
 * @af:		AF_V4 or AF_V6
 * @proto:	A protocol with ports; -1: those without
 * @set:	Flows, as the first packet goes
 * @limit:	Connections, by what its limit counts by; NULL: no limit
 * @e:		The effect that records
 */
struct free_state {
	const struct rule *r;
	uint32_t cont;
	uint32_t name;
	uint8_t af;
	int32_t proto;
	const struct nft_set *set;
	const struct nft_set *limit;
	const struct effect *e;
};

/**
 * struct free_label - Where a packet goes on after the translation
 * @value:	In the mark, 0 = no label
 * @dir:	Direction
 * @chain:	What follows, or NULL where the translation decides
 * @x:		The translation
 * @origin:	Whose
 * @on:		Interfaces that its packets cross, NULL: any
 * @t:		What else packets must be
 * @lo:		What its chain sees
 */
struct free_label {
	uint32_t value;
	enum direction dir;
	const char *chain;
	const struct xlate *x;
	const struct origin *origin;
	const struct set *on;
	struct nft_tests t;
	enum nft_lo lo;
};

/**
 * struct free_link - How the links of an instance with deny_in are known
 * @x:		The instance
 * @bit:	Bits of the ct mark: what comes in by the connection's own direction
 *		has a link; what comes in by the other has one
 */
struct free_link {
	const struct xlate *x;
	uint32_t bit[2];
};

/**
 * struct free_probe - A chain that looks for states
 * @dir:	Direction
 * @phase:	Half
 * @on:		As in struct place_key
 * @are:	As in struct place_key
 * @name:	Name of the states; 0: all
 * @chain:	The chain
 */
struct free_probe {
	enum direction dir;
	enum phase phase;
	const struct set *on;
	const struct set *are;
	uint32_t name;
	struct nft_chain *chain;
};

/**
 * struct free_frame - The lowering of one model
 * @p:		Program
 * @m:		Model
 * @d:		Diagnostics
 * @decided:	Bit of the packet mark: the pass has ended with a pass
 * @label_mask:	Bits of the packet mark that hold a label
 * @chains:	Of places, made when they are first gone to
 * @n_done:	Chains whose rules have been made
 * @states:	What is remembered
 * @probes:	Chains that look for states
 * @labels:	Labels
 * @links:	Instances that ask for links
 * @drawn:	Bit of the packet mark: the last draw was below its probability
 * @drew:	The chain that the last draw was put into
 * @draw:	Its number
 * @tag_mask:	Bits of the packet mark that hold tags
 * @shared:	For what both frames do alike: fences, logs, answers
 */
struct free_frame {
	struct nft_program *p;
	const struct model *m;
	struct diags *d;
	uint32_t decided;
	uint32_t label_mask;
	VEC(struct free_chain) chains;
	uint32_t n_done;
	VEC(struct free_state) states;
	VEC(struct free_probe) probes;
	VEC(struct free_label) labels;
	VEC(struct free_link) links;
	uint32_t drawn;
	const struct nft_chain *drew;
	uint32_t draw;
	uint32_t tag_mask;
	struct frame shared;
};

/** free_lower() - Fill a program; false when an error was added */
bool free_lower(struct free_frame *f);

/** free_chain_of() - The chain of a place, made when it is new */
struct nft_chain *free_chain_of(struct free_frame *f, struct place_key at);

/** free_view() - How a chain of a direction sees packets */
struct nft_view free_view(struct free_frame *f, enum direction dir);

/**
 * free_declare_states() - Sets for all that the rules of the model remember
 * @f:		Frame
 *
 * Return: false when an error was added
 */
bool free_declare_states(struct free_frame *f);

/**
 * free_record() - Rules that remember what @r matches, then go on
 * @f:		Frame
 * @c:		Chain
 * @v:		View
 * @r:		Rule
 * @pre:	What goes before: tests of marks
 * @end:	What follows: a verdict
 *
 * Return: false when an error was added
 */
bool free_record(struct free_frame *f, struct nft_chain *c, const struct nft_view *v,
		 const struct rule *r, const struct nft_stmts *pre, const struct nft_stmts *end);

/** free_probe_chain() - The chain, for @at, that goes on where a state of @name says */
struct nft_chain *free_probe_chain(struct free_frame *f, const struct place_key *at,
				   uint32_t name);

/** free_check_xlate() - Can a translation be expressed at this place; told if not */
bool free_check_xlate(struct free_frame *f, const struct rule *r, const struct effect *e,
		      const struct place_key *at);

/** free_check_instances() - Do answers meet the instance that translated; told if not */
bool free_check_instances(struct free_frame *f);

/**
 * free_translated() - The addresses that a nat rule can leave packets with
 * @f:		Frame
 * @r:		Rule
 * @list:	That it stands in
 * @x:		Its instance
 * @dir:	DIR_OUT: sources; DIR_IN: destinations
 *
 * Return: the set, or NULL for any
 */
const struct set *free_translated(struct free_frame *f, const struct rule *r, uint32_t list,
				  const struct xlate *x, enum direction dir);

/** free_declare_links() - Bits for instances with deny_in; false when there are too few */
bool free_declare_links(struct free_frame *f);

/** free_note_links() - What goes out gives its answers a link, where that is asked */
void free_note_links(struct free_frame *f, struct nft_chain *c);

/** free_deny_in() - Refuse what met an instance with deny_in and has no link */
void free_deny_in(struct free_frame *f, struct nft_chain *c);

/** free_nat() - What the labels of a direction translate; false when an error was added */
bool free_nat(struct free_frame *f, struct nft_chain *c, enum direction dir);

/**
 * free_local() - Forwards for local callers
 * @f:		Frame
 * @c:		Chain of translations
 * @calls:	Lists of them
 * @dir:	Direction in which @c sees packets
 * @lo:		Which it sees
 *
 * Return: false when an error was added
 */
bool free_local(struct free_frame *f, struct nft_chain *c, const struct nat_calls *calls,
		enum direction dir, enum nft_lo lo);

/**
 * free_cut() - Cut ways through chains that are longer than the kernel takes
 * @f:		Frame
 * @bases:	Base chains that lead to the same places; their last rules lead there
 * @n_bases:	How many
 *
 * Return: false when an error was added
 */
bool free_cut(struct free_frame *f, struct nft_chain *const *bases, uint32_t n_bases);

#endif /* TARGET_NFT_FREE_H */
