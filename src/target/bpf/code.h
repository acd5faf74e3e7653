/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code - instructions as a graph, before they have places
 *
 * Private to the target.
 *
 * Owns:	 nothing; lives in the arena.
 * Threads:	 none.
 */
#ifndef TARGET_BPF_CODE_H
#define TARGET_BPF_CODE_H

#include "target/bpf.h"
#include "target/bpf/tree.h"

/**
 * struct bpf_load - What the accumulator holds
 * @code:	Load instruction; 0: not known
 * @k:		Its operand
 * @mask:	Bits that are kept; 0: all
 */
struct bpf_load {
	uint16_t code;
	uint32_t k;
	uint32_t mask;
};

#define BPF_OP_PRE	10u

/**
 * struct bpf_op - Instructions that end with a jump or a return
 * @pre:	Instructions before all else
 * @n_pre:	How many
 * @load:	What is loaded then, unless it is there already
 * @has_load:	It is there already: @pre leaves it so
 * @code:	BPF_JMP | ... | BPF_K, or BPF_RET | BPF_K
 * @k:		Its operand
 * @jt:		Where it leads when true; NULL for a return
 * @jf:		Else
 * @seen:	Reached and in order
 * @n_from:	Ops that lead here
 * @is_known:	All of them leave @load in the accumulator
 * @start:	Instructions from its first one to the end of the program; 0: not yet
 *		known
 */
struct bpf_op {
	struct bpf_insn pre[BPF_OP_PRE];
	uint8_t n_pre;
	struct bpf_load load;
	bool has_load;
	uint16_t code;
	uint32_t k;
	struct bpf_op *jt;
	struct bpf_op *jf;
	bool seen;
	uint32_t n_from;
	bool is_known;
	uint32_t start;
};

/** bpf_op_pre() - Add an instruction before the jump */
void bpf_op_pre(struct bpf_op *op, uint16_t code, uint32_t k);

/**
 * bpf_op_set() - Ask whether a number of one or more words is in a set
 * @a:		Memory
 * @words:	Loads of its words, the highest first
 * @n_words:	How many, 1 or 4
 * @bits:	Bits of the first word
 * @in:		Set; its families are not looked at
 * @yes:	Then
 * @no:		Else
 *
 * Return: the first op
 */
struct bpf_op *bpf_op_set(struct arena *a, const struct bpf_load *words, unsigned int n_words,
			  unsigned int bits, const struct set *in, struct bpf_op *yes,
			  struct bpf_op *no);

/**
 * bpf_set_is_pattern() - Is a set of bytes all those in which some bits are so
 * @in:		Set
 * @ret_mask:	Set: those bits
 * @ret_value:	Set: what they are
 *
 * Return: whether; if not, what was set says nothing
 */
bool bpf_set_is_pattern(const struct set *in, uint32_t *ret_mask, uint32_t *ret_value);

/** bpf_layout() - Give all ops from @first on their places */
void bpf_layout(struct arena *a, struct bpf_op *first, struct bpf_code *ret);

#endif /* TARGET_BPF_CODE_H */
