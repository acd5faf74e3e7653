/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Jumps lead forward and reach 255 instructions; a jump always (ja) reaches any
 * distance.  The program is written from its end, so that where a jump leads is
 * known when it is written: what is too far gets a ja right behind the jump, or the
 * return itself.
 *
 * A word is loaded once for all questions about it: where every op that leads to
 * one leaves its load in the accumulator, the op does without.
 */
#include "target/bpf/code.h"

#define NEAR	255u	/* farthest that a conditional jump reaches */

struct ops {
	VEC(struct bpf_op *) list;
};

void bpf_op_pre(struct bpf_op *op, uint16_t code, uint32_t k)
{
	BUG_IF(op->n_pre >= BPF_OP_PRE);
	op->pre[op->n_pre++] = (struct bpf_insn){ .code = code, .k = k };
}

/* Ops so that each stands before those that it leads to */
static void order(struct arena *a, struct bpf_op *first, struct ops *ret)
{
	struct ops stack = { .list = { 0 } };

	/* An op leaves the stack when all that it leads to is in the list */
	vec_add(a, &stack.list, first);
	while (stack.list.n > 0) {
		struct bpf_op *op = stack.list.v[stack.list.n - 1];

		if (op->start == 1) {
			stack.list.n--;
			continue;
		}
		if (op->seen) {
			op->start = 1;
			vec_add(a, &ret->list, op);
			stack.list.n--;
			continue;
		}
		op->seen = true;
		if (op->jt != NULL && !op->jt->seen)
			vec_add(a, &stack.list, op->jt);
		if (op->jf != NULL && !op->jf->seen)
			vec_add(a, &stack.list, op->jf);
	}
}

static bool is_same_load(const struct bpf_load *x, const struct bpf_load *y)
{
	return x->code == y->code && x->k == y->k && x->mask == y->mask;
}

static void come_from(struct bpf_op *op, const struct bpf_op *from)
{
	const bool is_same = op->n_pre == 0 && op->load.code != 0 &&
			     is_same_load(&op->load, &from->load);

	op->is_known = op->n_from++ == 0 ? is_same : op->is_known && is_same;
}

static void emit(struct arena *a, struct bpf_code *c, struct bpf_insn i)
{
	vec_add(a, &c->list, i);
}

/* Instructions between the next one written and an op; through a ja where too far */
static uint32_t distance(struct arena *a, struct bpf_code *c, const struct bpf_op *to,
			 uint32_t room)
{
	const uint32_t far = c->list.n - to->start;

	if (far + room <= NEAR)
		return far;
	if (to->jt == NULL)
		emit(a, c, (struct bpf_insn){ .code = to->code, .k = to->k });
	else
		emit(a, c, (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .k = far });
	return 0;
}

static void emit_jump(struct arena *a, struct bpf_code *c, const struct bpf_op *op)
{
	uint32_t jf = distance(a, c, op->jf, 1);
	const uint32_t before = c->list.n;
	const uint32_t jt = distance(a, c, op->jt, 0);

	jf += c->list.n - before;
	BUG_IF(jt > NEAR || jf > NEAR);
	emit(a, c, (struct bpf_insn){ .code = op->code, .k = op->k, .jt = (u_char)jt,
				      .jf = (u_char)jf });
}

/* Written backwards: the last instruction first */
static void emit_op(struct arena *a, struct bpf_code *c, struct bpf_op *op)
{
	if (op->jt == NULL)
		emit(a, c, (struct bpf_insn){ .code = op->code, .k = op->k });
	else
		emit_jump(a, c, op);
	if (!op->is_known && !op->has_load && op->load.code != 0) {
		if (op->load.mask != 0)
			emit(a, c, (struct bpf_insn){ .code = BPF_ALU | BPF_AND | BPF_K,
						      .k = op->load.mask });
		emit(a, c, (struct bpf_insn){ .code = op->load.code, .k = op->load.k });
	}
	for (uint32_t i = op->n_pre; i-- > 0;)
		emit(a, c, op->pre[i]);
	op->start = c->list.n;
}

void bpf_layout(struct arena *a, struct bpf_op *first, struct bpf_code *ret)
{
	struct ops ops = { .list = { 0 } };

	*ret = (struct bpf_code){ .list = { 0 } };
	order(a, first, &ops);
	first->n_from = 1;
	for (uint32_t i = 0; i < ops.list.n; i++) {
		struct bpf_op *op = ops.list.v[i];

		if (op->jt == NULL)
			continue;
		come_from(op->jt, op);
		come_from(op->jf, op);
	}
	for (uint32_t i = 0; i < ops.list.n; i++)
		emit_op(a, ret, ops.list.v[i]);
	for (uint32_t i = 0; i < ret->list.n / 2; i++) {
		const struct bpf_insn x = ret->list.v[i];

		ret->list.v[i] = ret->list.v[ret->list.n - 1 - i];
		ret->list.v[ret->list.n - 1 - i] = x;
	}
}
