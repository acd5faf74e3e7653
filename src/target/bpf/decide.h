/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decide - what a model says of packets that only their bytes are known of
 *
 * Private to the target.  One decider is of one question, one family, whole packets
 * or fragments, and one crossing.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_BPF_DECIDE_H
#define TARGET_BPF_DECIDE_H

#include "model/portmap.h"
#include "target/bpf.h"
#include "target/bpf/tree.h"

#define BPF_MAX_STEPS	4000000u	/* rules looked at for one tree */
#define BPF_MAX_DEPTH	2000u		/* lists that lead to each other */

/**
 * struct bpf_view - The packet as rules see it after translations (BPF_FILTER)
 * @src:	Addresses that its source may have; NULL: its own
 * @dst:	Addresses that its destination may have; NULL: its own
 * @sport:	What its source port became; NULL: it stays
 * @dport:	What its destination port became; NULL: it stays
 */
struct bpf_view {
	const struct set *src;
	const struct set *dst;
	const struct xlate *sport;
	const struct xlate *dport;
};

/**
 * struct bpf_cond - What a rule asks, as far as bytes tell
 * @never:	It cannot match
 * @maybe:	It may match or not where all of @in hold
 * @in:		Sets by field, NULL: anything
 */
struct bpf_cond {
	bool never;
	bool maybe;
	const struct set *in[N_BPF_FIELDS];
};

struct bpf_memo;

/**
 * struct bpf_decider - One question under way
 * @m:		Model
 * @t:		Where nodes come from
 * @diags:	Told what cannot be answered; NULL: only @failed
 * @is_touch:	BPF_TOUCH
 * @is_part:	Of fragments
 * @af:		Family
 * @dir:	Crossing
 * @iface:	Interface crossed
 * @failed:	It cannot be answered
 * @local:	Addresses of the host
 * @row:	Of the table of the rule that is looked at
 * @steps:	Rules looked at
 * @depth:	Lists that lead to each other now
 * @memo:	Trees of places seen, a hash
 * @n_memo:	How many
 * @n_slots:	Slots of @memo
 */
struct bpf_decider {
	const struct model *m;
	struct bpf_forest *t;
	struct diags *diags;
	bool is_touch;
	bool is_part;
	uint8_t af;
	enum direction dir;
	uint32_t iface;
	bool failed;
	const struct set *local;
	const struct portmap_row *row;
	uint32_t steps;
	uint32_t depth;
	struct bpf_memo *memo;
	uint32_t n_memo;
	uint32_t n_slots;
};

/** bpf_cond_of() - What rule @r asks of a packet that is seen as @v */
struct bpf_cond bpf_cond_of(struct bpf_decider *d, const struct bpf_view *v,
			    const struct rule *r);

/** bpf_cond_add() - Ask for one field more */
void bpf_cond_add(struct bpf_decider *d, struct bpf_cond *c, enum bpf_field f,
		  const struct set *in);

/** bpf_cond_tree() - @yes where @c holds, else @no; both where it may hold or not */
const struct bpf_node *bpf_cond_tree(struct bpf_decider *d, const struct bpf_cond *c,
				     const struct bpf_node *yes, const struct bpf_node *no);

/** bpf_cannot() - Refuse: @what of rule @r cannot be seen or said */
void bpf_cannot(struct bpf_decider *d, const struct rule *r, const char *what);

/** bpf_ported() - Protocols that have ports */
const struct set *bpf_ported(struct arena *a);

/** bpf_decide() - The tree of the decider's crossing */
const struct bpf_node *bpf_decide(struct bpf_decider *d);

/** bpf_replies() - @n, or the packet is of a flow that rules remember (BPF_TOUCH) */
const struct bpf_node *bpf_replies(struct bpf_decider *d, const struct bpf_node *n);

#endif /* TARGET_BPF_DECIDE_H */
