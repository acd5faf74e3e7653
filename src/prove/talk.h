/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * talk - conversations, all at once
 *
 * What becomes of the packets of one conversation, one after the other, as functions of
 * its first packet: addresses and ports are terms, "the source that the first packet
 * had" or "192.168.100.2", and what is remembered is flows of terms.  So one step is the
 * same for whole sets of conversations, whatever the language remembers and how.
 *
 * The world of a conversation has nothing in it but what its own packets have left.
 *
 * Owns:	 nothing; lives in an arena.
 * Does not:	 choose from pools of several addresses, draw lots, ask for owners of
 *		 sockets, or change headers: there it says that it cannot.
 * Threads:	 none.
 */
#ifndef PROVE_TALK_H
#define PROVE_TALK_H

#include "prove/proof.h"
#include "prove/prove.h"

#define TALK_STATES	8u	/* that one conversation can have */
#define TALK_LINKS	6u
#define TALK_CALLS	16u	/* in each other */
#define TALK_DRAWS	2u	/* ranges that ports are drawn from */

/** enum talk_kind - Which packets a conversation is of; each has flows of its own form */
enum talk_kind { TALK_PORTS, TALK_QUERY, TALK_OTHER, N_TALK_KINDS };

/**
 * struct talk_term - A number of a packet, as a function of the first
 * @is_const:	It is @value
 * @part:	Else that of the first packet, of which the low bits count,
 * @delta:	and this added, modulo 65536
 * @value:	See @is_const
 *
 * A port that is drawn is a part that no packet has.
 */
struct talk_term {
	bool is_const;
	enum part part;
	uint32_t delta;
	u128 value;
};

/**
 * struct talk_terms - Terms, those of both sides by the same numbers
 * @list:	By number
 * @n_drawn:	Ranges that ports are drawn from: both sides draw the same of the same
 * @lo:		Their least ports
 * @hi:		Their highest
 */
struct talk_terms {
	VEC(struct talk_term) list;
	uint32_t n_drawn;
	uint16_t lo[TALK_DRAWS];
	uint16_t hi[TALK_DRAWS];
};

/** struct talk_flow - Who talks to whom: numbers of terms */
struct talk_flow {
	uint32_t src;
	uint32_t dst;
	uint32_t sport;
	uint32_t dport;
};

/**
 * struct talk_state - As struct state
 *
 * All of it are numbers of 32 bits, as in all that follow up to struct talk_run: they
 * are compared as bytes.
 */
struct talk_state {
	uint32_t dir;
	uint32_t cont;
	uint32_t name;
	uint32_t tags;
	struct talk_flow before;
	struct talk_flow after;
};

/** struct talk_link - As struct nat_link */
struct talk_link {
	uint32_t instance;
	struct talk_flow inside;
	struct talk_flow outside;
};

/**
 * struct talk_world - What a side remembers
 * @n_states:	States
 * @n_links:	Links of nat instances
 * @tags:	That the packet under way has
 * @state:	The oldest first
 * @link:	Likewise
 */
struct talk_world {
	uint32_t n_states;
	uint32_t n_links;
	uint32_t tags;
	struct talk_state state[TALK_STATES];
	struct talk_link link[TALK_LINKS];
};

/**
 * struct talk_view - A packet at a crossing
 * @dir:	Direction
 * @iface:	Interface crossed
 * @recv:	Interface that received it, or 0
 * @flags:	Term; of an answer and of a later packet a part that no packet has
 * @icmp:	Term: type << 8 | code
 * @flow:	Its flow
 */
struct talk_view {
	uint32_t dir;
	uint32_t iface;
	uint32_t recv;
	uint32_t flags;
	uint32_t icmp;
	struct talk_flow flow;
};

/** enum talk_fate - What becomes of a packet; TALK_ICMP + code */
enum talk_fate { TALK_PASS, TALK_BLOCK, TALK_RST, TALK_UNKNOWN, TALK_ICMP };

/**
 * struct talk_end - What a side says of a packet
 * @fate:	enum talk_fate
 * @view:	TALK_PASS: the packet as it goes on
 * @world:	What is remembered then
 * @why:	TALK_UNKNOWN: what cannot be said
 */
struct talk_end {
	uint32_t fate;
	struct talk_view view;
	struct talk_world world;
	const char *why;
};

struct talk_frame {
	uint32_t list;
	uint32_t rule;
	uint32_t is_quick;
	uint32_t has_preferred;		/* since the call */
};

/**
 * struct talk_run - An evaluation on its way, as struct run of eval.c
 * @v:		The packet as rules see it now
 * @first:	Its flow as it arrived
 * @w:		What is remembered now
 * @phase:	0: list before, 1: the language's own, 2: after
 * @candidate:	Number of the last preferred ruling, 0: none
 * @n_states:	That were there at the start
 * @is_translated: It was
 * @is_dst_changed: On the way out its destination was
 * @is_probed:	See eval.c
 * @probed_name: Likewise
 * @n_hits:	Free states found
 * @depth:	Calls that it is in
 * @frame:	Where they go back to
 */
struct talk_run {
	struct talk_view v;
	struct talk_flow first;
	struct talk_world w;
	uint32_t phase;
	uint32_t candidate;
	uint32_t n_states;
	uint32_t is_translated;
	uint32_t is_dst_changed;
	uint32_t is_probed;
	uint32_t probed_name;
	uint32_t n_hits;
	uint32_t depth;
	struct talk_frame frame[TALK_CALLS];
};

/** struct talk_memo - What a run came to at a place */
struct talk_memo {
	uint32_t run;
	uint32_t list;
	uint32_t rule;
	dd care;
	dd r;
	bool is_used;
};

/**
 * struct talk - One side
 * @p:		Proof: packets of one family
 * @a:		Memory of this conversation
 * @m:		Rules
 * @terms:	Terms of both sides by number
 * @kind:	Of the conversation
 * @is_within:	Of the host with itself
 * @care:	First packets of the conversations that are followed now
 * @lost:	What could not be compared, so that nothing counts; or NULL
 * @rst_flags:	Flags of a RST
 * @rulings:	By number - 1
 * @runs:	By number
 * @ends:	By value of a diagram - 2
 * @memo:	Hash
 * @n_memos:	In use
 * @cap_memos:	Its length, a power of two
 * @run_slot:	Hash of @runs, numbers + 1
 * @cap_runs:	Its length
 */
struct talk {
	struct proof *p;
	struct arena *a;
	const struct model *m;
	struct talk_terms *terms;
	enum talk_kind kind;
	bool is_within;
	dd care;
	const char *lost;
	const struct set *rst_flags;
	VEC(struct ruling) rulings;
	VEC(struct talk_run *) runs;
	VEC(struct talk_end *) ends;
	struct talk_memo *memo;
	uint32_t n_memos;
	uint32_t cap_memos;
	uint32_t *run_slot;
	uint32_t cap_runs;
};

/* ---- terms ------------------------------------------------------------------------- */

/** talk_const() - The term of a number */
uint32_t talk_const(struct talk *t, u128 value);

/** talk_part() - The term of what the first packet had, and @delta */
uint32_t talk_part(struct talk *t, enum part part, uint32_t delta);

/** talk_plus() - The term of a port @delta further */
uint32_t talk_plus(struct talk *t, uint32_t term, uint32_t delta);

/** talk_drawn() - The term of a port drawn from @lo..@hi; false: so many kinds of draws */
bool talk_drawn(struct talk *t, uint16_t lo, uint16_t hi, uint32_t *ret);

/** talk_real_draws() - The condition that all that is drawn is of its range */
dd talk_real_draws(struct talk *t);

/** talk_is() - The condition that a term is @value */
dd talk_is(struct talk *t, uint32_t term, u128 value);

/** talk_addr_in() - The condition that an address is in a set */
dd talk_addr_in(struct talk *t, uint32_t term, const struct set *in);

/** talk_number_in() - The condition that a port or the like is in a set */
dd talk_number_in(struct talk *t, uint32_t term, const struct set *in);

/** talk_range() - The condition that a port is one of @lo..@hi */
dd talk_range(struct talk *t, uint32_t term, uint16_t lo, uint16_t hi);

/** talk_local() - The condition that an address is the host's own */
dd talk_local(struct talk *t, uint32_t term);

/** talk_crossed() - The interface that FreeBSD would have used, of an address that is told */
uint32_t talk_crossed(struct talk *t, uint32_t iface, uint32_t dst);

/** talk_reverse() - The flow of the answers */
struct talk_flow talk_reverse(struct talk_flow f);

/** talk_equal() - The condition that two flows are the same, as far as @care goes */
dd talk_equal(struct talk *t, struct talk_flow x, struct talk_flow y);

/* ---- rules ------------------------------------------------------------------------- */

/** talk_match() - The condition of a rule; *@ret_why is set where it cannot be said */
dd talk_match(struct talk *t, const struct talk_run *r, const struct rule *rule,
	      const char **ret_why);

/** talk_map_has() - The condition that a table of forwards has a packet's destination */
dd talk_map_has(struct talk *t, const struct talk_run *r, const struct portmap *map);

/** talk_at() - What becomes of a packet from rule @rule of list @list on */
dd talk_at(struct talk *t, const struct talk_run *r, uint32_t list, uint32_t rule);

/** talk_unknown() - What cannot be said, in few words */
dd talk_unknown(struct talk *t, const char *why);

/** talk_refused() - A packet that ends here in silence */
dd talk_refused(struct talk *t, const struct talk_run *r);

/**
 * talk_translate() - What becomes of a packet that a rule translates
 * @t:		Side
 * @r:		Run
 * @x:		Translation
 * @rule:	Whose it is
 * @then:	What comes then: of a packet that was changed, or not
 * @arg:	For @then
 *
 * Return: the function
 */
dd talk_translate(struct talk *t, const struct talk_run *r, const struct xlate *x,
		  const struct rule *rule,
		  dd (*then)(struct talk *t, const struct talk_run *r, bool changed, void *arg),
		  void *arg);

/**
 * talk_cross() - What a side says of a packet
 * @t:		Side
 * @v:		Packet
 * @w:		What is remembered
 *
 * Return: the function, to numbers of @t->ends plus 2
 */
dd talk_cross(struct talk *t, const struct talk_view *v, const struct talk_world *w);

/* ---- all of them ------------------------------------------------------------------- */

/**
 * talk_compare() - Compare what two declarations say of all conversations of a family
 * @p:		Proof, its space sealed
 * @m:		Declarations
 * @ret:	Gains a difference, and what could not be proven
 */
void talk_compare(struct proof *p, const struct model *const m[2], struct prove_result *ret);

#endif /* PROVE_TALK_H */
