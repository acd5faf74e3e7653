/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A set of numbers cuts the values of a word into runs that all lead to the same
 * place; which run a value is in is found by halving, so a table of a thousand
 * addresses costs ten comparisons.  Of a longer number a run of the first word
 * may be a single value behind which the next word decides.
 */
#include "target/bpf/code.h"

#define FEW	4u	/* single values that are asked for one by one */

/* Values from @lo to before the next run's lead to @to */
struct run {
	uint32_t lo;
	struct bpf_op *to;
};

struct runs {
	VEC(struct run) list;
};

/* What is asked: words left, and where to */
struct ask {
	struct arena *a;
	const struct bpf_load *words;
	unsigned int n_words;
	unsigned int bits;
	struct bpf_op *yes;
	struct bpf_op *no;
};

struct piece {
	u128 lo;
	u128 hi;
};

struct pieces {
	VEC(struct piece) list;
};

static struct bpf_op *jump(const struct ask *q, uint16_t how, uint32_t k, struct bpf_op *jt,
			   struct bpf_op *jf)
{
	struct bpf_op *op = arena_new(q->a, struct bpf_op);

	op->load = q->words[0];
	op->code = BPF_JMP | how | BPF_K;
	op->k = k;
	op->jt = jt;
	op->jf = jf;
	return op;
}

static uint32_t max_of(const struct ask *q)
{
	return q->bits == 32 ? UINT32_MAX : (1u << q->bits) - 1;
}

/* The values from @lo on lead to @to */
static void add_run(const struct ask *q, struct runs *rs, uint32_t lo, struct bpf_op *to)
{
	struct run *last = rs->list.n > 0 ? &rs->list.v[rs->list.n - 1] : NULL;

	if (last != NULL && last->lo == lo)
		last->to = to;
	else if (last == NULL || last->to != to)
		vec_add(q->a, &rs->list, ((struct run){ lo, to }));
	if (rs->list.n > 1 && rs->list.v[rs->list.n - 1].to == rs->list.v[rs->list.n - 2].to)
		rs->list.n--;
}

/* The values @lo to @hi lead to @to, what is behind them nowhere yet */
static void add_values(const struct ask *q, struct runs *rs, uint32_t lo, uint32_t hi,
		       struct bpf_op *to)
{
	add_run(q, rs, lo, to);
	if (hi < max_of(q))
		add_run(q, rs, hi + 1, q->no);
}

/* Is each run that leads to @yes a single value, and are they few */
static bool are_few(const struct ask *q, const struct run *r, uint32_t n, struct bpf_op *other)
{
	uint32_t single = 0;

	for (uint32_t i = 0; i < n; i++) {
		const uint32_t end = i + 1 < n ? r[i + 1].lo - 1 : max_of(q);

		if (r[i].to == other)
			continue;
		if (end != r[i].lo)
			return false;
		single++;
	}
	return single <= FEW;
}

static struct bpf_op *one_by_one(const struct ask *q, const struct run *r, uint32_t n,
				 struct bpf_op *other)
{
	struct bpf_op *op = other;

	for (uint32_t i = n; i-- > 0;)
		if (r[i].to != other)
			op = jump(q, BPF_JEQ, r[i].lo, r[i].to, op);
	return op;
}

/* @n runs that cover all values which can come here */
static struct bpf_op *halve(const struct ask *q, const struct run *r, uint32_t n, bool is_all)
{
	const uint32_t mid = n / 2;

	if (n == 1)
		return r[0].to;
	if (is_all && are_few(q, r, n, q->no))
		return one_by_one(q, r, n, q->no);
	if (is_all && are_few(q, r, n, q->yes))
		return one_by_one(q, r, n, q->yes);
	if (n == 3 && r[0].to == r[2].to && r[1].lo == r[2].lo - 1)
		return jump(q, BPF_JEQ, r[1].lo, r[1].to, r[0].to);
	return jump(q, BPF_JGE, r[mid].lo, halve(q, r + mid, n - mid, false),
		    halve(q, r, mid, false));
}

static struct bpf_op *ask_words(const struct ask *q, const struct pieces *ps);

/* A value of the first word with which only some numbers are in the set */
static void end_partial(const struct ask *q, struct runs *rs, uint32_t word, struct pieces *ps)
{
	struct ask deeper = *q;

	if (ps->list.n == 0)
		return;
	deeper.words++;
	deeper.n_words--;
	deeper.bits = 32;
	add_values(q, rs, word, word, ask_words(&deeper, ps));
	ps->list.n = 0;
}

/* Numbers of one value of the first word: all of them, or a part */
static void add_word(const struct ask *q, struct runs *rs, uint32_t word, u128 lo, u128 hi,
		     uint32_t *partial, struct pieces *ps)
{
	const unsigned int shift = 32 * (q->n_words - 1);

	if (ps->list.n > 0 && *partial != word)
		end_partial(q, rs, *partial, ps);
	if (lo == 0 && hi == ((u128)1 << shift) - 1) {
		add_values(q, rs, word, word, q->yes);
		return;
	}
	*partial = word;
	vec_add(q->a, &ps->list, ((struct piece){ lo, hi }));
}

static struct bpf_op *ask_words(const struct ask *q, const struct pieces *ps)
{
	const unsigned int shift = 32 * (q->n_words - 1);
	const u128 rest = shift == 0 ? 0 : ((u128)1 << shift) - 1;
	struct pieces part = { .list = { 0 } };
	struct runs rs = { .list = { 0 } };
	uint32_t partial = 0;

	add_run(q, &rs, 0, q->no);
	for (uint32_t i = 0; i < ps->list.n; i++) {
		const struct piece *p = &ps->list.v[i];
		const uint32_t lo = (uint32_t)(p->lo >> shift), hi = (uint32_t)(p->hi >> shift);

		if (shift == 0) {
			add_values(q, &rs, lo, hi, q->yes);
			continue;
		}
		add_word(q, &rs, lo, p->lo & rest, lo == hi ? p->hi & rest : rest, &partial, &part);
		if (lo == hi)
			continue;
		end_partial(q, &rs, partial, &part);
		if (hi - lo > 1)
			add_values(q, &rs, lo + 1, hi - 1, q->yes);
		add_word(q, &rs, hi, 0, p->hi & rest, &partial, &part);
	}
	end_partial(q, &rs, partial, &part);
	return halve(q, rs.list.v, rs.list.n, true);
}

struct bpf_op *bpf_op_set(struct arena *a, const struct bpf_load *words, unsigned int n_words,
			  unsigned int bits, const struct set *in, struct bpf_op *yes,
			  struct bpf_op *no)
{
	const struct ask q = { a, words, n_words, bits, yes, no };
	struct pieces ps = { .list = { 0 } };

	for (uint32_t i = 0; i < in->n; i++)
		vec_add(a, &ps.list, ((struct piece){ in->r[i].lo, in->r[i].hi }));
	return ask_words(&q, &ps);
}

bool bpf_set_is_pattern(const struct set *in, uint32_t *ret_mask, uint32_t *ret_value)
{
	uint32_t ones = 0xff, any = 0, n = 0;

	for (uint32_t v = 0; v < 256; v++) {
		if (!set_has(in, AF_NONE, v))
			continue;
		ones &= v;
		any |= v;
		n++;
	}
	*ret_mask = 0xff & ~(any & ~ones);
	*ret_value = ones;
	return n == 1u << __builtin_popcount(any & ~ones);
}
