/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/ebpf.h"

static void emit(struct ebpf *e, uint8_t code, int dst, int src, int off, int32_t imm)
{
	vec_add(e->a, &e->insns, ((struct bpf_insn){
		.code = code, .dst_reg = (uint8_t)(dst & 0xf), .src_reg = (uint8_t)(src & 0xf),
		.off = (int16_t)off, .imm = imm }));
}

uint32_t ebpf_label(struct ebpf *e)
{
	vec_add(e->a, &e->labels, ((struct ebpf_label){ .at = EBPF_OPEN }));
	return e->labels.n - 1;
}

void ebpf_here(struct ebpf *e, uint32_t label)
{
	BUG_IF(e->labels.v[label].at != EBPF_OPEN);
	e->labels.v[label].at = e->insns.n;
}

bool ebpf_is_used(const struct ebpf *e, uint32_t label)
{
	return e->labels.v[label].is_used;
}

static void note_jump(struct ebpf *e, uint32_t label)
{
	e->labels.v[label].is_used = true;
	vec_add(e->a, &e->jumps, ((struct ebpf_jump){ .at = e->insns.n, .label = label }));
}

static void jump(struct ebpf *e, uint8_t code, int reg, uint32_t imm, uint32_t label)
{
	note_jump(e, label);
	emit(e, code, reg, 0, 0, (int32_t)imm);
}

void ebpf_if_same(struct ebpf *e, int a, int b, uint32_t label)
{
	note_jump(e, label);
	emit(e, BPF_JMP32 | BPF_JEQ | BPF_X, a, b, 0, 0);
}

void ebpf_if_differ(struct ebpf *e, int a, int b, uint32_t label)
{
	note_jump(e, label);
	emit(e, BPF_JMP32 | BPF_JNE | BPF_X, a, b, 0, 0);
}

void ebpf_if_below(struct ebpf *e, int a, int b, uint32_t label)
{
	note_jump(e, label);
	emit(e, BPF_JMP | BPF_JLT | BPF_X, a, b, 0, 0);
}

void ebpf_goto(struct ebpf *e, uint32_t label)
{
	jump(e, BPF_JMP | BPF_JA, 0, 0, label);
}

void ebpf_if_eq(struct ebpf *e, int reg, uint32_t imm, uint32_t label)
{
	jump(e, BPF_JMP32 | BPF_JEQ | BPF_K, reg, imm, label);
}

void ebpf_if_ne(struct ebpf *e, int reg, uint32_t imm, uint32_t label)
{
	jump(e, BPF_JMP32 | BPF_JNE | BPF_K, reg, imm, label);
}

void ebpf_if_null(struct ebpf *e, int reg, uint32_t label)
{
	jump(e, BPF_JMP | BPF_JEQ | BPF_K, reg, 0, label);
}

void ebpf_move(struct ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

void ebpf_set(struct ebpf *e, int dst, uint32_t imm)
{
	emit(e, BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, (int32_t)imm);
}

void ebpf_and(struct ebpf *e, int dst, uint32_t imm)
{
	emit(e, BPF_ALU | BPF_AND | BPF_K, dst, 0, 0, (int32_t)imm);
}

void ebpf_or(struct ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU | BPF_OR | BPF_X, dst, src, 0, 0);
}

void ebpf_xor(struct ebpf *e, int dst, uint32_t imm)
{
	emit(e, BPF_ALU | BPF_XOR | BPF_K, dst, 0, 0, (int32_t)imm);
}

void ebpf_xor_reg(struct ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU | BPF_XOR | BPF_X, dst, src, 0, 0);
}

void ebpf_multiply(struct ebpf *e, int dst, uint32_t imm)
{
	emit(e, BPF_ALU | BPF_MUL | BPF_K, dst, 0, 0, (int32_t)imm);
}

void ebpf_add(struct ebpf *e, int dst, int32_t imm)
{
	emit(e, BPF_ALU64 | BPF_ADD, dst, 0, 0, imm);	/* BPF_K, an operand at hand, is 0 */
}

void ebpf_add_reg(struct ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU64 | BPF_ADD | BPF_X, dst, src, 0, 0);
}

void ebpf_shift_right(struct ebpf *e, int dst, int bits)
{
	emit(e, BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, bits);
}

void ebpf_shift_right_reg(struct ebpf *e, int dst, int src)
{
	emit(e, BPF_ALU | BPF_RSH | BPF_X, dst, src, 0, 0);
}

void ebpf_to_host_half(struct ebpf *e, int dst)
{
	emit(e, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, 16);
}

void ebpf_to_host_word(struct ebpf *e, int dst)
{
	emit(e, BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, 32);
}

void ebpf_modulo(struct ebpf *e, int dst, uint32_t imm)
{
	emit(e, BPF_ALU | BPF_MOD | BPF_K, dst, 0, 0, (int32_t)imm);
}

void ebpf_load(struct ebpf *e, int dst, int base, int off)
{
	emit(e, BPF_LDX | BPF_MEM | BPF_W, dst, base, off, 0);
}

void ebpf_load_byte(struct ebpf *e, int dst, int base, int off)
{
	emit(e, BPF_LDX | BPF_MEM | BPF_B, dst, base, off, 0);
}

void ebpf_load_half(struct ebpf *e, int dst, int base, int off)
{
	emit(e, BPF_LDX | BPF_MEM | BPF_H, dst, base, off, 0);
}

void ebpf_load_pointer(struct ebpf *e, int dst, int base, int off)
{
	emit(e, BPF_LDX | BPF_MEM | BPF_DW, dst, base, off, 0);
}

void ebpf_store(struct ebpf *e, int base, int off, int src)
{
	emit(e, BPF_STX | BPF_MEM | BPF_W, base, src, off, 0);
}

void ebpf_store_half(struct ebpf *e, int base, int off, int src)
{
	emit(e, BPF_STX | BPF_MEM | BPF_H, base, src, off, 0);
}

void ebpf_store_byte(struct ebpf *e, int base, int off, int src)
{
	emit(e, BPF_STX | BPF_MEM | BPF_B, base, src, off, 0);
}

void ebpf_count(struct ebpf *e, int base, int off, int src)
{
	emit(e, BPF_STX | BPF_ATOMIC | BPF_DW, base, src, off, BPF_ADD);
}

void ebpf_fetch_add(struct ebpf *e, int base, int off, int src)
{
	emit(e, BPF_STX | BPF_ATOMIC | BPF_W, base, src, off, BPF_ADD | BPF_FETCH);
}

void ebpf_store_imm(struct ebpf *e, int base, int off, uint32_t imm)
{
	emit(e, BPF_ST | BPF_MEM | BPF_W, base, 0, off, (int32_t)imm);
}

void ebpf_map(struct ebpf *e, int dst, int fd)
{
	emit(e, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	emit(e, 0, 0, 0, 0, 0);
}

void ebpf_map_value(struct ebpf *e, int dst, int fd)
{
	emit(e, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_VALUE, 0, fd);
	emit(e, 0, 0, 0, 0, 0);
}

void ebpf_call(struct ebpf *e, int helper)
{
	emit(e, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

void ebpf_exit(struct ebpf *e)
{
	emit(e, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

void ebpf_return(struct ebpf *e, uint32_t value)
{
	ebpf_set(e, BPF_REG_0, value);
	ebpf_exit(e);
}

void ebpf_finish(struct ebpf *e)
{
	for (uint32_t i = 0; i < e->jumps.n; i++) {
		const struct ebpf_jump *j = &e->jumps.v[i];
		const uint32_t to = e->labels.v[j->label].at;
		const int64_t distance = (int64_t)to - j->at - 1;

		BUG_IF(to == EBPF_OPEN || distance < INT16_MIN || distance > INT16_MAX);
		e->insns.v[j->at].off = (int16_t)distance;
	}
}
