/* SPDX-License-Identifier: BSD-2-Clause */
#include "prove/exec_step.h"

#include <linux/netfilter/nf_tables.h>

static bool bitwise(struct proof *p, const struct prog_expr *x, struct regs *regs)
{
	const uint32_t from = regs_word(x->sreg), to = regs_word(x->dreg);
	const struct regs before = *regs;

	if (x->len > 16 || !regs_clear(regs, to, x->len))
		return false;
	for (uint32_t i = 0; i < 8 * x->len; i++) {
		const uint32_t shift = 7 - i % 8;
		dd bit = regs_bit(&before, from, i);

		if (bit == DD_NO_VAR)
			return false;
		if ((x->mask[i / 8] >> shift & 1) == 0)
			bit = DD_FALSE;
		if ((x->data[i / 8] >> shift & 1) != 0)
			bit = dd_not(p->d, bit);
		regs_put(regs, to, i, bit);
	}
	return true;
}

/* Bytes the other way round, where the host's order is not that of the network */
static bool swap_bytes(const struct prog_expr *x, struct regs *regs)
{
	const uint32_t from = regs_word(x->sreg), to = regs_word(x->dreg);
	const bool is_little = regs_is_little();
	const struct regs before = *regs;

	if (!regs_clear(regs, to, x->len))
		return false;
	for (uint32_t i = 0; i < 8 * x->len; i++) {
		const uint32_t byte = is_little ? x->len - 1 - i / 8 : i / 8;
		const dd bit = regs_bit(&before, from, 8 * byte + i % 8);

		if (bit == DD_NO_VAR)
			return false;
		regs_put(regs, to, i, bit);
	}
	return true;
}

/* A lot is put into the byte order in which it can be compared */
static bool swap(const struct prog_expr *x, struct regs *regs)
{
	const uint32_t from = regs_word(x->sreg), to = regs_word(x->dreg);

	if (from >= REGS_WORDS || to >= REGS_WORDS)
		return false;
	if (regs->w[from].kind != R_DRAW)
		return swap_bytes(x, regs);
	if (x->len != 4)
		return false;
	regs->w[to] = regs->w[from];
	regs->w[to].part = P_DRAW;
	return true;
}

static bool numgen(const struct prog_expr *x, struct regs *regs)
{
	const uint32_t to = regs_word(x->dreg);

	if (to >= REGS_WORDS)
		return false;
	regs->w[to] = (struct reg){ .kind = R_DRAW, .modulus = x->modulus, .part = N_PARTS,
				    .is_turn = x->key == NFT_NG_INCREMENTAL };
	return x->key == NFT_NG_INCREMENTAL || x->key == NFT_NG_RANDOM;
}

/* Only hashes of whole source addresses have a name that declarations know */
static bool hash(struct proof *p, const struct prog_expr *x, struct regs *regs)
{
	const uint32_t from = regs_word(x->sreg), to = regs_word(x->dreg);
	const uint32_t n = addr_bits(p->s.af);
	uint32_t bits = 0, var;
	uint8_t zero[4] = { 0 };

	for (uint32_t i = 0; i < n; i++)
		if (regs_bit(regs, from, i) != space_bit(&p->s, P_SRC, i))
			return false;
	while ((x->modulus - 1) >> bits != 0)
		bits++;
	var = space_opaque(&p->s, arena_printf(p->a, "hash of source, %u of %u", x->seed,
						  x->modulus), bits);
	if (x->len != n / 8 || var == DD_NO_VAR || !regs_put_bytes(regs, to, zero, 4))
		return false;
	for (uint32_t i = 0; i < bits; i++)
		regs_put(regs, to, 8 * (i / 8) + 7 - i % 8, dd_var(p->d, var + bits - 1 - i));
	return true;
}

bool exec_step(struct proof *p, const struct prog_expr *x, bool is_in, struct regs *regs)
{
	switch (x->op) {
	case X_NOTHING:
	case X_COUNTER:
		return true;
	case X_UNKNOWN:
		return false;
	case X_IMMEDIATE:
		return regs_put_bytes(regs, regs_word(x->dreg), x->data, x->len);
	case X_BITWISE:
		return bitwise(p, x, regs);
	case X_SWAP:
		return swap(x, regs);
	case X_NUMGEN:
		return numgen(x, regs);
	case X_HASH:
		return hash(p, x, regs);
	default:
		return regs_load(p, x, is_in, regs);
	}
}
