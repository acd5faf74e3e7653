/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A program is the link's type, then for each family the way to the transport
 * header (its offset in X), then the tree of the family.  IPv6 extension headers
 * are walked by code that stands there once for each: a program has no loops.
 * M[0] holds the protocol of an IPv6 packet, M[1] whether a routing header was
 * seen.
 */
#include "target/bpf/code.h"

#define ETHER_BYTES	14u
#define TYPE_IPV4	0x0800u
#define TYPE_IPV6	0x86ddu
#define TYPE_VLAN	0x8100u
#define TYPE_QINQ	0x88a8u
#define IP6_BYTES	40u
#define WALK_MAX	6u	/* RFC 8200 4.1: no packet needs more */
#define EXT_HOP		0u
#define EXT_ROUTING	43u
#define EXT_FRAGMENT	44u
#define EXT_AH		51u
#define EXT_DEST	60u
#define M_PROTO		0u
#define M_ROUTING	1u

#define ADD_K		BPF_ALU	/* BPF_ADD and BPF_K are 0 */
#define LOAD_B		(BPF_LD | BPF_B | BPF_ABS)
#define LOAD_H		(BPF_LD | BPF_H | BPF_ABS)
#define LOAD_W		(BPF_LD | BPF_W | BPF_ABS)
#define LOAD_XB		(BPF_LD | BPF_B | BPF_IND)
#define LOAD_XH		(BPF_LD | BPF_H | BPF_IND)
#define LOAD_M		(BPF_LD | BPF_MEM)	/* BPF_IMM alone loads a constant: BPF_LD is 0 */

/* One family of one program under way */
struct gen {
	struct arena *a;
	enum bpf_part part;
	uint8_t af;
	uint32_t l3;			/* where its header begins */
	struct bpf_op **made;		/* by node number; NULL: not yet */
	struct bpf_op *accept;
	struct bpf_op *reject;
};

static struct bpf_op *new_ret(struct arena *a, uint32_t k)
{
	struct bpf_op *op = arena_new(a, struct bpf_op);

	op->code = BPF_RET | BPF_K;
	op->k = k;
	return op;
}

static struct bpf_op *new_jump(const struct gen *g, struct bpf_load load, uint16_t how, uint32_t k,
			       struct bpf_op *jt, struct bpf_op *jf)
{
	struct bpf_op *op = arena_new(g->a, struct bpf_op);

	op->load = load;
	op->code = BPF_JMP | how | BPF_K;
	op->k = k;
	op->jt = jt;
	op->jf = jf;
	return op;
}

/* ---- fields --------------------------------------------------------------- */

/* Where a field stands; how many words and the bits of the first */
static unsigned int field_loads(const struct gen *g, enum bpf_field f, struct bpf_load *out,
				unsigned int *bits)
{
	const bool v4 = g->af == AF_V4;
	const uint32_t l4 = v4 ? g->l3 : 0;
	const uint32_t addr = g->l3 + (v4 ? 12 : 8) + (f == BF_DST ? (v4 ? 4 : 16) : 0);

	*bits = 16;
	switch (f) {
	case BF_SRC:
	case BF_DST:
		*bits = 32;
		for (unsigned int i = 0; i < (v4 ? 1 : 4); i++)
			out[i] = (struct bpf_load){ LOAD_W, addr + 4 * i, 0 };
		return v4 ? 1 : 4;
	case BF_SPORT:
	case BF_DPORT:
		out[0] = (struct bpf_load){ LOAD_XH, l4 + (f == BF_DPORT ? 2 : 0), 0 };
		return 1;
	case BF_ICMP:
		out[0] = (struct bpf_load){ LOAD_XH, l4, 0 };
		return 1;
	case BF_FLAGS:
		*bits = 8;
		out[0] = (struct bpf_load){ LOAD_XB, l4 + 13, 0 };
		return 1;
	case BF_PROTO:
		*bits = 8;
		out[0] = v4 ? (struct bpf_load){ LOAD_B, g->l3 + 9, 0 }
			    : (struct bpf_load){ LOAD_M, M_PROTO, 0 };
		return 1;
	default:
		*bits = 16;
		out[0] = v4 ? (struct bpf_load){ LOAD_B, g->l3 + 1, 0xfc }
			    : (struct bpf_load){ LOAD_H, g->l3, 0x0fc0 };
		return 1;
	}
}

/* The traffic class stands four bits higher in an IPv6 header */
static const struct set *tos_set(const struct gen *g, const struct set *in)
{
	struct ranges rs = { 0 };

	if (g->af == AF_V4)
		return in;
	for (unsigned int v = 0; v < 256; v += 4)
		if (set_has(in, AF_NONE, v))
			ranges_add(g->a, &rs, AF_NONE, v << 4, v << 4);
	return set_make(g->a, &rs);
}

static struct bpf_op *flags_op(const struct gen *g, const struct set *in, struct bpf_op *yes,
			       struct bpf_op *no)
{
	struct bpf_load load;
	uint32_t mask, value;
	unsigned int bits;

	field_loads(g, BF_FLAGS, &load, &bits);
	if (!bpf_set_is_pattern(in, &mask, &value))
		return bpf_op_set(g->a, &load, 1, bits, in, yes, no);
	load.mask = mask == 0xff ? 0 : mask;
	return new_jump(g, load, BPF_JEQ, value, yes, no);
}

static struct bpf_op *opts_op(const struct gen *g, const struct set *in, struct bpf_op *yes,
			      struct bpf_op *no)
{
	const bool when = set_has(in, AF_NONE, 1);
	struct bpf_op *jt = when ? yes : no, *jf = when ? no : yes;

	if (g->af == AF_V4)
		return new_jump(g, (struct bpf_load){ LOAD_B, g->l3, 0x0f }, BPF_JGT, 5, jt, jf);
	return new_jump(g, (struct bpf_load){ LOAD_M, M_ROUTING, 0 }, BPF_JEQ, 1, jt, jf);
}

static struct bpf_op *node_op(const struct gen *g, const struct bpf_node *n)
{
	struct bpf_op *yes = g->made[n->yes->id], *no = g->made[n->no->id];
	struct bpf_load loads[4];
	unsigned int bits, words;

	if (n->f == BF_OPTS)
		return opts_op(g, n->in, yes, no);
	if (n->f == BF_FLAGS)
		return flags_op(g, n->in, yes, no);
	words = field_loads(g, n->f, loads, &bits);
	return bpf_op_set(g->a, loads, words, bits, n->f == BF_TOS ? tos_set(g, n->in) : n->in,
			  yes, no);
}

/* ---- trees ---------------------------------------------------------------- */

/* Nodes below @top in the order of their numbers; fields they ask as bits in *@fields */
static const struct bpf_node **below(struct arena *a, const struct bpf_node *top,
				     uint32_t *fields)
{
	const struct bpf_node **by_id = arena_array(a, const struct bpf_node *, top->id + 1);

	by_id[top->id] = top;
	for (uint32_t i = top->id; i >= BPF_LEAVES; i--) {
		if (by_id[i] == NULL)
			continue;
		*fields |= 1u << by_id[i]->f;
		by_id[by_id[i]->yes->id] = by_id[i]->yes;
		by_id[by_id[i]->no->id] = by_id[i]->no;
	}
	return by_id;
}

static struct bpf_op *tree_op(struct gen *g, const struct bpf_node *top, uint32_t *fields)
{
	const struct bpf_node **by_id = below(g->a, top, fields);

	g->made = arena_array(g->a, struct bpf_op *, top->id + BPF_LEAVES);
	g->made[bpf_no.id] = g->reject;
	g->made[bpf_yes.id] = g->accept;
	for (uint32_t i = BPF_LEAVES; i <= top->id; i++)
		if (by_id[i] != NULL)
			g->made[i] = node_op(g, by_id[i]);
	return g->made[top->id];
}

#define DEEP_FIELDS	(1u << BF_SPORT | 1u << BF_DPORT | 1u << BF_FLAGS | 1u << BF_ICMP)

/* Put instructions before @op that only this way takes */
static struct bpf_op *before(const struct gen *g, struct bpf_op *op, const struct bpf_insn *pre,
			     unsigned int n)
{
	struct bpf_op *copy;

	if (op->jt == NULL)
		return op;
	copy = arena_new(g->a, struct bpf_op);
	*copy = *op;
	for (unsigned int i = 0; i < n; i++)
		bpf_op_pre(copy, pre[i].code, pre[i].k);
	return copy;
}

static struct bpf_op *ipv4_op(struct gen *g, const struct bpf_trees *t)
{
	const struct bpf_insn to_x = { BPF_LDX | BPF_MSH | BPF_B, 0, 0, g->l3 };
	uint32_t fields = 0, none = 0;
	struct bpf_op *whole = tree_op(g, t->whole[0], &fields);
	struct bpf_op *part;

	if ((fields & DEEP_FIELDS) != 0)
		whole = before(g, whole, &to_x, 1);
	if (t->part_of[0] == t->whole[0])
		return whole;
	part = tree_op(g, t->part_of[0], &none);
	return new_jump(g, (struct bpf_load){ LOAD_H, g->l3 + 6, 0 }, BPF_JSET,
			t->part == BPF_TOUCH ? 0x3fff : 0x1fff, part, whole);
}

/* ---- IPv6 ----------------------------------------------------------------- */

/* Where the walk over extension headers leads */
struct walk {
	struct bpf_op *whole;
	struct bpf_op *part;
	bool has_opts;			/* a routing header is to be remembered */
};

static const struct bpf_load proto_load = { LOAD_M, M_PROTO, 0 };

/* Is the next header @k: by what M_PROTO holds, which is in the accumulator */
static struct bpf_op *is_next(const struct gen *g, uint32_t k, struct bpf_op *jt,
			      struct bpf_op *jf)
{
	return new_jump(g, proto_load, BPF_JEQ, k, jt, jf);
}

/* Step over a header of ([x + 1] + @more) << @shift bytes, then go on at @next */
static struct bpf_op *step(const struct gen *g, bool is_routing, uint32_t more, uint32_t shift,
			   const struct bpf_op *next)
{
	struct bpf_op *op = arena_new(g->a, struct bpf_op);

	*op = *next;
	op->n_pre = 0;
	if (is_routing) {
		bpf_op_pre(op, BPF_IMM, 1);
		bpf_op_pre(op, BPF_ST, M_ROUTING);
	}
	bpf_op_pre(op, LOAD_XB, 0);
	bpf_op_pre(op, BPF_ST, M_PROTO);
	bpf_op_pre(op, LOAD_XB, 1);
	bpf_op_pre(op, ADD_K, more);
	bpf_op_pre(op, BPF_ALU | BPF_LSH | BPF_K, shift);
	bpf_op_pre(op, BPF_ALU | BPF_ADD | BPF_X, 0);
	bpf_op_pre(op, BPF_MISC | BPF_TAX, 0);
	bpf_op_pre(op, LOAD_M, M_PROTO);
	op->has_load = true;
	return op;
}

/* A fragment header: what is behind it is whole if it is the only one */
static struct bpf_op *fragment(const struct gen *g, const struct walk *w,
			       const struct bpf_op *next)
{
	const struct bpf_load offset = { LOAD_XH, 2, 0 };
	struct bpf_op *over = arena_new(g->a, struct bpf_op);

	*over = *next;
	over->n_pre = 0;
	bpf_op_pre(over, LOAD_XB, 0);
	bpf_op_pre(over, BPF_ST, M_PROTO);
	bpf_op_pre(over, BPF_MISC | BPF_TXA, 0);
	bpf_op_pre(over, ADD_K, 8);
	bpf_op_pre(over, BPF_MISC | BPF_TAX, 0);
	bpf_op_pre(over, LOAD_M, M_PROTO);
	over->has_load = true;
	return new_jump(g, offset, BPF_JSET, g->part == BPF_TOUCH ? 0xfff9 : 0xfff8, w->part,
			over);
}

/* The walk from a header on: M_PROTO in the accumulator says which, X where */
static struct bpf_op *walk_op(const struct gen *g, const struct walk *w)
{
	struct bpf_op *next = NULL, *at = NULL;

	for (unsigned int left = 0; left <= WALK_MAX; left++) {
		struct bpf_op *ext = w->part, *ah = w->part, *routing = w->part, *frag = w->part;

		if (left > 0) {
			ext = step(g, false, 1, 3, next);
			ah = step(g, false, 2, 2, next);
			routing = w->has_opts ? step(g, true, 1, 3, next) : ext;
			frag = fragment(g, w, next);
		}
		at = is_next(g, EXT_AH, ah, w->whole);
		at = is_next(g, EXT_FRAGMENT, frag, at);
		at = is_next(g, EXT_ROUTING, routing, at);
		at = is_next(g, EXT_DEST, ext, at);
		next = at = is_next(g, EXT_HOP, ext, at);
	}
	return at;
}

static struct bpf_op *ipv6_op(struct gen *g, const struct bpf_trees *t)
{
	uint32_t fields = 0, none = 0;
	struct walk w = { .whole = tree_op(g, t->whole[1], &fields) };
	struct bpf_op *op;

	w.part = tree_op(g, t->part_of[1], &none);
	w.has_opts = ((fields | none) & 1u << BF_OPTS) != 0;
	if (w.part == w.whole || (t->part_of[1] == t->whole[1] &&
	    (fields & (DEEP_FIELDS | 1u << BF_PROTO | 1u << BF_OPTS)) == 0))
		return w.whole;
	op = arena_new(g->a, struct bpf_op);
	*op = *walk_op(g, &w);
	if (w.has_opts) {
		bpf_op_pre(op, BPF_IMM, 0);
		bpf_op_pre(op, BPF_ST, M_ROUTING);
	}
	bpf_op_pre(op, BPF_LDX | BPF_IMM, g->l3 + IP6_BYTES);
	bpf_op_pre(op, LOAD_B, g->l3 + 6);
	bpf_op_pre(op, BPF_ST, M_PROTO);
	op->has_load = true;
	return op;
}

/* ---- the whole ------------------------------------------------------------ */

void bpf_code_make(const struct bpf_trees *t, enum bpf_link link, struct bpf_code *ret)
{
	const bool is_ether = link == BPF_ETHERNET;
	const struct bpf_load type = is_ether ? (struct bpf_load){ LOAD_H, 12, 0 }
					      : (struct bpf_load){ LOAD_B, 0, 0xf0 };
	struct gen g = { .a = t->a, .part = t->part, .l3 = is_ether ? ETHER_BYTES : 0 };
	struct bpf_op *v4, *v6, *op;

	g.accept = new_ret(t->a, BPF_ACCEPT_BYTES);
	g.reject = new_ret(t->a, 0);
	g.af = AF_V4;
	v4 = ipv4_op(&g, t);
	g.af = AF_V6;
	v6 = ipv6_op(&g, t);
	op = g.reject;
	if (is_ether && t->part == BPF_TOUCH &&
	    (t->whole[0] != &bpf_no || t->whole[1] != &bpf_no))
		op = new_jump(&g, type, BPF_JEQ, TYPE_VLAN, g.accept,
			      new_jump(&g, type, BPF_JEQ, TYPE_QINQ, g.accept, op));
	op = new_jump(&g, type, BPF_JEQ, is_ether ? TYPE_IPV6 : 0x60, v6, op);
	op = new_jump(&g, type, BPF_JEQ, is_ether ? TYPE_IPV4 : 0x40, v4, op);
	bpf_layout(t->a, op, ret);
}

void bpf_code_print(const struct bpf_code *c, bool decimal, FILE *out)
{
	if (decimal)
		fprintf(out, "%u\n", c->list.n);
	for (uint32_t i = 0; i < c->list.n; i++) {
		const struct bpf_insn *x = &c->list.v[i];

		if (decimal)
			fprintf(out, "%u %u %u %u\n", x->code, x->jt, x->jf, x->k);
		else
			fprintf(out, "%s\n", bpf_image(x, (int)i));
	}
}
