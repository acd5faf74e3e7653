/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree - decisions over the fields of one packet
 *
 * A node asks whether a field is in a set and leads on; equal nodes are one, so
 * that trees share what they have in common.
 *
 * Owns:	 nothing; nodes live in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_BPF_TREE_H
#define TARGET_BPF_TREE_H

#include "base/arena.h"
#include "net/set.h"

/**
 * enum bpf_field - What a program can see of a packet
 * @BF_LEAF:	Nothing: the answer
 * @BF_OPTS:	1: IPv4 options or an IPv6 routing header
 * @BF_TOS:	Type of service or traffic class, without the bits of ECN
 * @BF_PROTO:	Protocol
 * @BF_SRC:	Source address, a number of its family
 * @BF_DST:	Destination address
 * @BF_SPORT:	Source port; asked only of protocols with ports, as @BF_DPORT
 * @BF_DPORT:	Destination port
 * @BF_FLAGS:	TCP flags; asked only of TCP
 * @BF_ICMP:	type << 8 | code; asked only of ICMP and ICMPv6
 */
enum bpf_field {
	BF_LEAF, BF_OPTS, BF_TOS, BF_PROTO, BF_SRC, BF_DST, BF_SPORT, BF_DPORT, BF_FLAGS,
	BF_ICMP,
	N_BPF_FIELDS
};

/**
 * struct bpf_node - A question, or an answer
 * @f:		Field; BF_LEAF for the three answers
 * @in:		Set
 * @yes:	Next when the field is in @in
 * @no:		Else
 * @id:		Number, higher than those of @yes and @no
 */
struct bpf_node {
	enum bpf_field f;
	const struct set *in;
	const struct bpf_node *yes;
	const struct bpf_node *no;
	uint32_t id;
};

extern const struct bpf_node bpf_no;	/* not accepted */
extern const struct bpf_node bpf_yes;	/* accepted */
extern const struct bpf_node bpf_open;	/* not decided yet */

#define BPF_LEAVES	3u
#define BPF_MAX_NODES	200000u		/* of one answer */

/**
 * struct bpf_forest - Where nodes come from
 * @a:		Memory
 * @nodes:	Nodes by number; the first three are the leaves
 * @slot:	Hash of numbers, 0 = free
 * @n_slots:	Slots, a power of two
 * @is_plain:	Nodes are made as they are asked for
 * @is_full:	More nodes were asked for than there may be: no tree is right
 */
struct bpf_forest {
	struct arena *a;
	VEC(const struct bpf_node *) nodes;
	uint32_t *slot;
	uint32_t n_slots;
	bool is_plain;
	bool is_full;
};

/** bpf_forest_init() - Only the leaves */
void bpf_forest_init(struct bpf_forest *t, struct arena *a);

/** bpf_node_make() - The node that asks @f in @in; simpler where that is the same and not plain */
const struct bpf_node *bpf_node_make(struct bpf_forest *t, enum bpf_field f,
				     const struct set *in, const struct bpf_node *yes,
				     const struct bpf_node *no);

/** bpf_replace() - @n with other trees for its leaves; O(nodes below) */
const struct bpf_node *bpf_replace(struct bpf_forest *t, const struct bpf_node *n,
				   const struct bpf_node *yes, const struct bpf_node *no,
				   const struct bpf_node *open);

#endif /* TARGET_BPF_TREE_H */
