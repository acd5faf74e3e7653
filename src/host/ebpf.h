/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ebpf - write a program for the kernel's virtual machine, instruction by instruction
 *
 * One function for each instruction that is needed, and labels to jump to.
 *
 * Owns:	 nothing; instructions live in the arena.
 * Does not:	 verify: the kernel does.
 * Byte order:	 words are as they lie in memory; what is compared with an
 *		 address is that address as bytes, read as a word.
 * Normative:	 RFC 9669 (BPF instruction set), bpf-helpers(7).
 */
#ifndef HOST_EBPF_H
#define HOST_EBPF_H

#include <linux/bpf.h>

#include "base/arena.h"

#define EBPF_OPEN	UINT32_MAX	/* a label that has no place yet */

/**
 * struct ebpf_label - A place to jump to
 * @at:		Index of the instruction there, EBPF_OPEN before ebpf_here()
 * @is_used:	Something jumps there
 */
struct ebpf_label {
	uint32_t at;
	bool is_used;
};

/**
 * struct ebpf_jump - A jump whose distance is not known yet
 * @at:		Index of the jump
 * @label:	Where it leads
 */
struct ebpf_jump {
	uint32_t at;
	uint32_t label;
};

/**
 * struct ebpf - A program that is being written
 * @a:		Memory
 * @insns:	Instructions
 * @labels:	Labels, by number
 * @jumps:	Jumps
 */
struct ebpf {
	struct arena *a;
	VEC(struct bpf_insn) insns;
	VEC(struct ebpf_label) labels;
	VEC(struct ebpf_jump) jumps;
};

/** ebpf_label() - A new label without a place; its number */
uint32_t ebpf_label(struct ebpf *e);

/** ebpf_here() - The next instruction is what @label names */
void ebpf_here(struct ebpf *e, uint32_t label);

/** ebpf_is_used() - Does anything jump to @label: the kernel refuses what nothing reaches */
bool ebpf_is_used(const struct ebpf *e, uint32_t label);

/** ebpf_goto() - Go to @label */
void ebpf_goto(struct ebpf *e, uint32_t label);

/** ebpf_if_eq() - Go to @label if the word in @reg is @imm */
void ebpf_if_eq(struct ebpf *e, int reg, uint32_t imm, uint32_t label);

/** ebpf_if_ne() - Go to @label if the word in @reg is not @imm */
void ebpf_if_ne(struct ebpf *e, int reg, uint32_t imm, uint32_t label);

/** ebpf_if_same() - Go to @label if the words in @a and @b are the same */
void ebpf_if_same(struct ebpf *e, int a, int b, uint32_t label);

/** ebpf_if_differ() - Go to @label if the words in @a and @b are not the same */
void ebpf_if_differ(struct ebpf *e, int a, int b, uint32_t label);

/** ebpf_if_below() - Go to @label if @a < @b, 64 bits without sign: pointers too */
void ebpf_if_below(struct ebpf *e, int a, int b, uint32_t label);

/** ebpf_if_null() - Go to @label if the pointer in @reg is null */
void ebpf_if_null(struct ebpf *e, int reg, uint32_t label);

/** ebpf_move() - @dst = @src, 64 bits: pointers too */
void ebpf_move(struct ebpf *e, int dst, int src);

/** ebpf_set() - @dst = @imm, upper half zero */
void ebpf_set(struct ebpf *e, int dst, uint32_t imm);

/** ebpf_and() - @dst &= @imm, upper half zero */
void ebpf_and(struct ebpf *e, int dst, uint32_t imm);

/** ebpf_or() - @dst |= @src, upper half zero */
void ebpf_or(struct ebpf *e, int dst, int src);

/** ebpf_xor() - @dst ^= @imm, upper half zero */
void ebpf_xor(struct ebpf *e, int dst, uint32_t imm);

/** ebpf_xor_reg() - @dst ^= @src, upper half zero */
void ebpf_xor_reg(struct ebpf *e, int dst, int src);

/** ebpf_multiply() - @dst *= @imm, upper half zero */
void ebpf_multiply(struct ebpf *e, int dst, uint32_t imm);

/** ebpf_add() - @dst += @imm, 64 bits: pointers too */
void ebpf_add(struct ebpf *e, int dst, int32_t imm);

/** ebpf_add_reg() - @dst += @src, 64 bits: pointers too */
void ebpf_add_reg(struct ebpf *e, int dst, int src);

/** ebpf_shift_right() - @dst >>= @bits, 64 bits without sign */
void ebpf_shift_right(struct ebpf *e, int dst, int bits);

/** ebpf_shift_right_reg() - @dst >>= @src, upper half zero */
void ebpf_shift_right_reg(struct ebpf *e, int dst, int src);

/** ebpf_to_host_half() - The 16 bits in @dst change between the network's order and ours */
void ebpf_to_host_half(struct ebpf *e, int dst);

/** ebpf_to_host_word() - The same with the 32 bits in @dst */
void ebpf_to_host_word(struct ebpf *e, int dst);

/** ebpf_modulo() - @dst %= @imm, upper half zero */
void ebpf_modulo(struct ebpf *e, int dst, uint32_t imm);

/** ebpf_load() - @dst = the word at @base + @off */
void ebpf_load(struct ebpf *e, int dst, int base, int off);

/** ebpf_load_byte() - @dst = the byte at @base + @off */
void ebpf_load_byte(struct ebpf *e, int dst, int base, int off);

/** ebpf_load_half() - @dst = the 16 bits at @base + @off */
void ebpf_load_half(struct ebpf *e, int dst, int base, int off);

/** ebpf_load_pointer() - @dst = the 64 bits at @base + @off */
void ebpf_load_pointer(struct ebpf *e, int dst, int base, int off);

/** ebpf_store() - The word at @base + @off = @src */
void ebpf_store(struct ebpf *e, int base, int off, int src);

/** ebpf_store_half() - The 16 bits at @base + @off = @src */
void ebpf_store_half(struct ebpf *e, int base, int off, int src);

/** ebpf_store_byte() - The byte at @base + @off = @src */
void ebpf_store_byte(struct ebpf *e, int base, int off, int src);

/** ebpf_count() - The 64 bits at @base + @off += @src, whoever else does so meanwhile */
void ebpf_count(struct ebpf *e, int base, int off, int src);

/** ebpf_fetch_add() - The same with a word; @src = what was there before */
void ebpf_fetch_add(struct ebpf *e, int base, int off, int src);

/** ebpf_store_imm() - The word at @base + @off = @imm; not for a context */
void ebpf_store_imm(struct ebpf *e, int base, int off, uint32_t imm);

/** ebpf_map() - @dst = the map open as @fd */
void ebpf_map(struct ebpf *e, int dst, int fd);

/** ebpf_map_value() - @dst = pointer to the only value of the array open as @fd */
void ebpf_map_value(struct ebpf *e, int dst, int fd);

/** ebpf_call() - Call a helper: r0 = it(r1..r5), which are gone then */
void ebpf_call(struct ebpf *e, int helper);

/** ebpf_return() - End with @value */
void ebpf_return(struct ebpf *e, uint32_t value);

/** ebpf_exit() - End with what is in r0 */
void ebpf_exit(struct ebpf *e);

/** ebpf_finish() - Fill in the distances; every label used has a place */
void ebpf_finish(struct ebpf *e);

#endif /* HOST_EBPF_H */
