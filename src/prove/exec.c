/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A chain is a function from what comes behind it to what becomes of a packet that
 * enters it, made from its last rule to its first.  Within a rule expressions are
 * taken in order, as each needs the registers of those before; what stops a rule
 * stands as a condition around all that follows it.  A write into a mark puts the
 * value into what follows, and forgets the registers, which held what was before.
 *
 * A map is one branch for each element, with its data in the registers.  Elements of
 * single values are put into the diagram together, and what follows each is made for
 * packets of its key alone.
 *
 * What an expression does that is not known is an outcome of its own, which no
 * declaration has.
 */
#include "prove/exec.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "prove/counts.h"
#include "prove/exec_base.h"
#include "prove/exec_nat.h"
#include "prove/exec_step.h"
#include "prove/exec_write.h"
#include "prove/logs.h"
#include "prove/quotas.h"
#include "prove/sets.h"
#include "prove/states.h"
#include "prove/sticky.h"
#include "prove/tables.h"

#define MAX_DEPTH	32u	/* chains in each other; the kernel takes 16 */

/* A chain that was entered before, with what came behind it then */
struct entered {
	const struct prog_chain *chain;
	dd behind;
	dd r;
};

/* A base chain being turned into a function */
struct run {
	struct proof *p;
	struct dds *d;
	const struct exec_at *at;
	uint8_t family;
	bool is_in;
	dd no_ct;		/* conntrack knows nothing of it here; or DD_NO_VAR */
	dd passed;
	uint32_t depth;
	VEC(struct entered) entered;
};

/* A rule under way */
struct rule_run {
	struct run *w;
	const struct prog_rule *rule;
	const char *chain;	/* that it stands in */
	const char *miscounts;	/* what is wrong with its counter, or NULL */
	dd when;		/* what has matched so far of headers */
	bool asks_marks;	/* the next comparison is of something that rules can write */
	const uint8_t *here;	/* what a map has made known of headers, by variable, or NULL */
	dd next;		/* the rule does not match */
	dd behind;		/* the chain returns */
};

static dd run_chain(struct run *w, const struct prog_chain *c, dd behind);
static dd run_from(struct rule_run *r, uint32_t i, struct regs *regs);

static dd unknown(struct run *w, const char *what, const char *of)
{
	return proof_unknown(w->p, arena_printf(w->p->a, "%s %s", what, of != NULL ? of : ""));
}

/* ---- verdicts ---------------------------------------------------------------------- */

static dd go(struct run *w, const char *name, dd behind)
{
	static const struct outcome nowhere = {
		.fate = FATE_HARM, .text = "the way leads to no chain, or in a circle",
	};
	const struct prog_chain *c = name == NULL ? NULL
						   : prog_chain_of(w->p->p, w->family, name);

	if (c == NULL || w->depth >= MAX_DEPTH)
		return proof_outcome(w->p, &nowhere);
	return run_chain(w, c, behind);
}

static dd verdict(const struct rule_run *r, int32_t code, const char *chain)
{
	struct run *w = r->w;

	switch (code) {
	case NF_ACCEPT:
		return w->passed;
	case NF_DROP:
		return proof_leaf(w->p, FATE_BLOCK);
	case NFT_RETURN:
		return r->behind;
	case NFT_CONTINUE:
		return r->next;
	case NFT_JUMP:
		return go(w, chain, r->next);
	case NFT_GOTO:
		return go(w, chain, r->behind);
	default:
		return unknown(w, "a verdict", NULL);
	}
}

static dd reject(struct run *w, const struct prog_expr *x)
{
	static const struct outcome mute = {
		.fate = FATE_HARM, .text = "an answer where the kernel gives none",
	};
	const struct outcome icmp = { .fate = FATE_ICMP, .code = (uint16_t)x->offset };

	if (w->at->hook == NF_INET_POST_ROUTING || w->at->family != NFPROTO_INET)
		return proof_outcome(w->p, &mute);

	/* To others than TCP it is refused in silence then */
	if (x->key == NFT_REJECT_TCP_RST)
		return dd_ite(w->d, space_is(&w->p->s, P_PROTO, PROTO_TCP),
			      proof_leaf(w->p, FATE_RST), proof_leaf(w->p, FATE_BLOCK));
	if (x->key != NFT_REJECT_ICMP_UNREACH)
		return unknown(w, "an answer", NULL);
	return proof_outcome(w->p, &icmp);
}

/* ---- translations -------------------------------------------------------------------- */

static dd translated(void *arg, uint32_t xlate)
{
	return proof_pass(arg, xlate);
}

static dd translate(struct rule_run *r, const struct prog_expr *x, const struct regs *regs)
{
	struct run *w = r->w;
	struct proof_to to = { .then = translated, .arg = w->p, .unchanged = w->passed,
			       .here = r->here };
	static const struct outcome drawn = {
		.fate = FATE_HARM, .text = "a port or address by another lot than is declared",
	};
	uint32_t table;

	if (!w->at->is_nat)
		return unknown(w, "a translation in a chain that filters", NULL);
	/* A family that is not the packet's: the kernel goes on with the next rule */
	if (x->nat.family != NFPROTO_INET &&
	    x->nat.family != (w->p->s.af == AF_V4 ? NFPROTO_IPV4 : NFPROTO_IPV6))
		return r->next;
	if (exec_nat_draws(&x->nat))
		return proof_outcome(w->p, &drawn);
	if (exec_nat_by_table(w->p, &x->nat, regs, &table))
		return proof_pass(w->p, tables_xlate(w->p, table));
	if (!exec_nat(w->p, &x->nat, regs, &to))
		return unknown(w, "a translation to what is not known", NULL);
	return proof_translate(w->p, &to);
}

/* ---- what stops a rule --------------------------------------------------------------- */

/* What matters of a function in the middle of a rule */
static dd so_far(const struct rule_run *r, dd f)
{
	return dd_ite(r->w->d, r->when, f, DD_FALSE);
}

/* What follows where @cond holds */
static dd where(struct rule_run *r, dd cond, uint32_t i, struct regs *regs)
{
	const dd before = r->when;
	dd f;

	if (!r->asks_marks)
		r->when = dd_and(r->w->d, before, cond);
	r->asks_marks = false;
	f = cond == DD_FALSE || r->when == DD_FALSE ? r->next
				: dd_ite(r->w->d, cond, run_from(r, i, regs), r->next);
	r->when = before;
	return f;
}

/* A lot is drawn where what it is compared with tells its chances */
static dd draw(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	const struct reg lot = regs->w[regs_word(x->sreg)];
	uint32_t value = 0;
	uint64_t chances;

	if (x->len != 4)
		return unknown(r->w, "a lot", NULL);
	for (int b = 0; b < 4; b++)
		value = value << 8 | x->data[b];
	/* 0 is the same in either byte order */
	if (x->key == NFT_CMP_EQ && value == 0)
		chances = 1;
	else if (x->key == NFT_CMP_LT && lot.part == P_DRAW)
		chances = MIN(value, lot.modulus);
	else
		return unknown(r->w, "a lot", NULL);
	return proof_draw(r->w->p, so_far(r, run_from(r, i + 1, regs)), so_far(r, r->next),
			  chances, lot.modulus, lot.is_turn);
}

static dd compare(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	struct run *w = r->w;
	const uint32_t word = regs_word(x->sreg);
	bool ok;
	dd c;

	if (word < REGS_WORDS && regs->w[word].kind == R_DRAW)
		return draw(r, x, i, regs);
	switch (x->key) {
	case NFT_CMP_EQ:
	case NFT_CMP_NEQ:
		ok = regs_equal(w->p, regs, word, x->data, x->len, &c);
		break;
	default:
		ok = regs_below(w->p, regs, word, x->data, x->len,
				x->key == NFT_CMP_LTE || x->key == NFT_CMP_GT, &c);
	}
	if (!ok)
		return unknown(w, "a comparison", NULL);
	if (x->key == NFT_CMP_NEQ || x->key == NFT_CMP_GT || x->key == NFT_CMP_GTE)
		c = dd_not(w->d, c);
	return where(r, c, i + 1, regs);
}

static dd in_range(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	const uint32_t word = regs_word(x->sreg);
	dd below, upto, c;

	if (!regs_below(r->w->p, regs, word, x->data, x->len, false, &below) ||
	    !regs_below(r->w->p, regs, word, x->mask, x->len, true, &upto))
		return unknown(r->w, "a range", NULL);
	c = dd_and(r->w->d, dd_not(r->w->d, below), upto);
	return where(r, x->key == NFT_RANGE_NEQ ? dd_not(r->w->d, c) : c, i + 1, regs);
}

/* ---- sets ---------------------------------------------------------------------------- */

/* What becomes of a packet that met an element of a map */
static dd of_elem(struct rule_run *r, const struct prog_expr *x, const struct prog_set *s,
		  const struct prog_elem *e, uint32_t i, struct regs *regs)
{
	if (x->dreg == NFT_REG_VERDICT)
		return verdict(r, e->verdict, e->chain);
	if (e->data == NULL || !regs_put_bytes(regs, regs_word(x->dreg), e->data, s->data_len))
		return unknown(r->w, "data of map", s->name);
	return run_from(r, i + 1, regs);
}

/* A map of ranges of one value: the nearest element at or below it counts */
static dd in_ranges(struct rule_run *r, const struct prog_expr *x, const struct prog_set *s,
		    uint32_t i, struct regs *regs)
{
	const uint32_t word = regs_word(x->sreg);
	const struct regs before = *regs;
	const uint32_t *order = sets_order(r->w->p, s);
	dd f = r->next;

	for (uint32_t k = 0; k < s->elems.n; k++) {
		const struct prog_elem *e = &s->elems.v[order[k]];
		dd below;

		if (!regs_below(r->w->p, &before, word, e->key, s->key_len, false, &below))
			return unknown(r->w, "a key of map", s->name);
		*regs = before;
		f = dd_ite(r->w->d, below, f,
			   e->is_end ? r->next : of_elem(r, x, s, e, i, regs));
	}
	return f;
}

/* Elements of single values, all at once */
static dd in_cases(struct rule_run *r, const struct prog_expr *x, const struct prog_set *s,
		   struct sets_cases *c, uint32_t i, struct regs *regs)
{
	const uint8_t *outer = r->here;
	uint8_t *here = arena_array(r->w->p->a, uint8_t, r->w->p->s.n_vars);
	const struct regs before = *regs;

	if (outer != NULL)
		memcpy(here, outer, r->w->p->s.n_vars);
	r->here = here;
	for (uint32_t n = 0; n < c->n; n++) {
		for (uint32_t k = 0; k < c->n_vars; k++)
			here[c->var[k]] = (c->cases[n].key[k / 8] >> (7 - k % 8) & 1) != 0
						  ? DD_IS_1 : DD_IS_0;
		*regs = before;
		c->cases[n].then = of_elem(r, x, s, c->elem[n], i, regs);
	}
	r->here = outer;
	return dd_cases(r->w->d, c->var, c->n_vars, c->cases, c->n, r->next);
}

/* A whole table at once; what follows may only translate by it */
static dd in_table(struct rule_run *r, const struct prog_expr *x, uint32_t table, uint32_t i,
		   struct regs *regs)
{
	const uint32_t word = regs_word(x->dreg);
	dd hit;

	if (!tables_hit(r->w->p, table, &hit) ||
	    !regs_clear(regs, word, addr_bits(r->w->p->s.af) / 8 + 4))
		return unknown(r->w, "so many tables", NULL);
	for (uint32_t n = 0; n <= addr_bits(r->w->p->s.af) / 32; n++)
		regs->w[word + n] = (struct reg){ .kind = n == 0 ? R_TABLE : R_NONE,
						  .modulus = table };
	return dd_ite(r->w->d, hit, run_from(r, i + 1, regs), r->next);
}

/* One branch for each element; what is not in the map goes on with the next rule */
static dd in_map(struct rule_run *r, const struct prog_expr *x, const struct prog_set *s,
		 uint32_t i, struct regs *regs)
{
	const uint32_t word = regs_word(x->sreg);
	const struct regs before = *regs;
	dd f = r->next, met = DD_FALSE;
	struct sets_cases c;
	uint32_t table;

	if (r->w->p->by_tables && sets_as_table(r->w->p, s, regs, word, &table))
		return in_table(r, x, table, i, regs);
	if ((s->flags & NFT_SET_EVAL) != 0)
		return unknown(r->w, "a map that packets fill", s->name);
	if ((s->flags & NFT_SET_INTERVAL) != 0 && s->n_fields < 2)
		return in_ranges(r, x, s, i, regs);
	if (sets_as_cases(r->w->p, s, regs, word, &c))
		return in_cases(r, x, s, &c, i, regs);
	for (uint32_t k = 0; k < s->elems.n; k++) {
		const struct prog_elem *e = &s->elems.v[k];
		dd here, then;

		if (!sets_elem(r->w->p, s, e, &before, word, &here))
			return unknown(r->w, "a key of map", s->name);
		/* Which of two ranges is met where both are is the kernel's secret */
		if (e->key_end != NULL && dd_and(r->w->d, here, met) != DD_FALSE)
			return unknown(r->w, "two elements of map", s->name);
		if (e->key_end != NULL)
			met = dd_or(r->w->d, met, here);
		if (here == DD_FALSE)
			continue;
		*regs = before;
		then = of_elem(r, x, s, e, i, regs);
		f = dd_ite(r->w->d, here, then, f);
	}
	return f;
}

/* A flow that is remembered, or is not; what comes later may write that */
static dd in_states(struct rule_run *r, const struct states_set *of, bool is_not, uint32_t i,
		    struct regs *regs)
{
	const dd before = r->when;
	dd f, is;

	if (!states_asked(r->w->p, of, &is))
		return unknown(r->w, "so many keys of states", NULL);
	if (!is_not && (of->is_safe || of->tells))
		r->when = dd_and(r->w->d, before, of->kind);
	r->asks_marks = true;
	f = where(r, is_not ? dd_not(r->w->d, is) : is, i, regs);
	r->when = before;
	return f;
}

static dd look_up(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	struct run *w = r->w;
	const struct prog_set *s = prog_set_of(w->p->p, w->family, x->set);
	struct states_set of;
	uint32_t xlate;
	struct addr to;
	dd c;

	if (s == NULL)
		return unknown(w, "set", x->set);
	if (x->has_dreg)
		return x->is_not ? unknown(w, "a map that is not met", s->name)
				 : in_map(r, x, s, i, regs);
	if (states_of_set(w->p, s, regs, regs_word(x->sreg), r->when, &of))
		return in_states(r, &of, x->is_not, i + 1, regs);
	if (sticky_of_set(w->p, s, regs, regs_word(x->sreg), &xlate, &to)) {
		if (!sticky_has(w->p, xlate, to, &c))
			return unknown(w, "so many addresses of pools in set", s->name);
	} else if (!sets_has(w->p, s, regs, regs_word(x->sreg), &c)) {
		return unknown(w, "a key of set", s->name);
	}
	return where(r, x->is_not ? dd_not(w->d, c) : c, i + 1, regs);
}

/* ---- what changes something ------------------------------------------------------------ */

/* Bit @n (the lowest is 0) of a mark in a register */
static dd mark_bit(const struct regs *regs, uint32_t word, uint32_t n)
{
	const uint32_t byte = regs_is_little() ? n / 8 : 3 - n / 8;

	return regs_bit(regs, word, 8 * byte + 7 - n % 8);
}

static dd set_mark(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	struct run *w = r->w;
	static const struct outcome foreign = {
		.fate = FATE_HARM, .text = "a bit of a mark that is not ours is written",
	};
	const enum part mark = x->op == X_CT_SET ? P_CTMARK : P_MARK;
	const uint32_t word = regs_word(x->sreg);
	dd bits[32], own, f;

	if (x->key != (x->op == X_CT_SET ? (uint32_t)NFT_CT_MARK : (uint32_t)NFT_META_MARK))
		return unknown(w, "what is written by", x->name);
	for (uint32_t n = 0; n < 32; n++) {
		bits[n] = mark_bit(regs, word, n);
		if (bits[n] == DD_NO_VAR)
			return unknown(w, "the value of a mark", NULL);
		/* Not ours: it must stay */
		if ((w->p->marks.own >> n & 1) == 0 &&
		    bits[n] != dd_var(w->d, space_mark(&w->p->s, mark, n)))
			return proof_outcome(w->p, &foreign);
		/* What is no constant may only be the bit itself, turned round or not */
		own = dd_var(w->d, space_mark(&w->p->s, mark, n));
		if (bits[n] != DD_TRUE && bits[n] != DD_FALSE && bits[n] != own &&
		    bits[n] != dd_not(w->d, own))
			return unknown(w, "a mark made of others", NULL);
	}
	*regs = (struct regs){ 0 };
	f = so_far(r, run_from(r, i + 1, regs));
	for (uint32_t n = 0; n < 32; n++)
		if (bits[n] != dd_var(w->d, space_mark(&w->p->s, mark, n)))
			f = dd_compose(w->d, f, space_mark(&w->p->s, mark, n), bits[n]);
	return f;
}

/* Without a connection there is no mark to write: the kernel goes on */
static dd set_ct_mark(struct rule_run *r, const struct prog_expr *x, uint32_t i,
		      struct regs *regs)
{
	struct run *w = r->w;
	struct regs same = *regs;
	const dd with = set_mark(r, x, i, regs);

	return dd_ite(w->d, w->no_ct, run_from(r, i + 1, &same), with);
}

/* What matched so far asked for headers as they were */
static dd write(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	const struct regs before = *regs;
	const uint8_t *here = r->here;
	const dd when = r->when;
	bool is_known;
	dd f;

	*regs = (struct regs){ 0 };
	r->when = DD_TRUE;
	r->here = NULL;
	f = run_from(r, i + 1, regs);
	r->when = when;
	r->here = here;
	is_known = exec_write(r->w->p, x, &before, f, r->next, &f);
	return is_known ? f : unknown(r->w, "what is written by", x->name);
}

/* Too many connections, or too many packets in a time */
static dd too_many(struct rule_run *r, const struct proof_count *c, uint32_t i, struct regs *regs)
{
	const bool finds_room = c->kind == COUNT_NODES;
	const dd then = so_far(r, run_from(r, i + 1, regs)), next = so_far(r, r->next);

	return counts_ask(r->w->p, *c, finds_room ? next : then, finds_room ? then : next);
}

/* A table that grows has its name in the comment of its sets */
static dd grow(struct rule_run *r, const struct prog_set *s, uint32_t word, uint32_t i,
	       struct regs *regs)
{
	struct proof *p = r->w->p;

	for (uint32_t t = 0; t < p->m->grown.n && s->comment != NULL; t++) {
		if (strcmp(s->comment, p->m->grown.v[t]) != 0)
			continue;
		if (!regs_is_part(p, regs, word, P_SRC) || s->key_len != addr_bits(p->s.af) / 8)
			return unknown(r->w, "what is put into", s->name);
		return counts_grown(p, so_far(r, run_from(r, i + 1, regs)), t);
	}
	return run_from(r, i + 1, regs);
}

/* An element is added, or refreshed; sets are never full here */
static dd update(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	struct run *w = r->w;
	const struct prog_set *s = prog_set_of(w->p->p, w->family, x->set);
	const uint32_t word = regs_word(x->sreg);
	static const struct outcome other = {
		.fate = FATE_HARM, .text = "counted by what is not its source",
	};
	struct proof_count count;
	struct states_set of;
	uint32_t xlate;
	struct addr to;
	dd c;

	if (s == NULL)
		return unknown(w, "set", x->set);
	if (!x->has_inner && sticky_of_set(w->p, s, regs, word, &xlate, &to))
		return sticky_note(w->p, so_far(r, run_from(r, i + 1, regs)), xlate, to);
	if (!x->has_inner && !states_of_set(w->p, s, regs, word, r->when, &of))
		return w->p->m->discipline == STATES_DIRECTED || strncmp(s->name, "states_", 7) != 0
			       ? grow(r, s, word, i, regs) : unknown(w, "a key of", x->set);
	if (!x->has_inner)
		return states_put(w->p, so_far(r, run_from(r, i + 1, regs)), &of);
	if (counts_of_rule(w->p, r->chain, x, s, &count))
		return regs_is_part(w->p, regs, word, P_SRC) &&
				       s->key_len == addr_bits(w->p->s.af) / 8
			       ? too_many(r, &count, i, regs) : proof_outcome(w->p, &other);
	if (states_count(w->p, s, x, regs, r->when, &c))
		return where(r, c, i + 1, regs);
	/* Counting may fail where the set is full, and that ends the rule */
	if (x->is_count && i + 1 == r->rule->exprs.n)
		return r->next;
	return unknown(w, "what is counted in", x->set);
}

/* ---- rules and chains ------------------------------------------------------------------- */

static bool is_ct_load(const struct prog_expr *x)
{
	return x->op == X_CT && x->key != NFT_CT_STATE;
}

static bool is_owner_load(const struct prog_expr *x)
{
	return x->op == X_META && (x->key == NFT_META_SKUID || x->key == NFT_META_SKGID);
}

static dd run_ct(struct rule_run *r, uint32_t i, struct regs *regs)
{
	r->asks_marks |= r->rule->exprs.v[i].key == NFT_CT_MARK;
	return run_from(r, i + 1, regs);
}

/* More connections than a limit of states allows, or a quota */
static dd limit(struct rule_run *r, const struct prog_expr *x, uint32_t i, struct regs *regs)
{
	struct proof_count count;

	if (r->w->at->of_quotas)
		return quotas_of_rule(r->w->p, r->chain, x, run_from(r, i + 1, regs),
				      so_far(r, r->next));
	if (counts_of_rule(r->w->p, r->chain, x, NULL, &count))
		return too_many(r, &count, i, regs);
	return unknown(r->w, "expression", x->name);
}

static dd miscounted(const struct rule_run *r)
{
	const struct outcome x = { .fate = FATE_HARM, .text = r->miscounts };

	return proof_outcome(r->w->p, &x);
}

static dd run_from(struct rule_run *r, uint32_t i, struct regs *regs)
{
	const struct prog_expr *x = &r->rule->exprs.v[i];

	if (i == r->rule->exprs.n)
		return r->next;
	if (r->miscounts != NULL && i + 1 == r->rule->exprs.n)
		return miscounted(r);
	switch (x->op) {
	case X_CMP:
		return compare(r, x, i, regs);
	case X_RANGE:
		return in_range(r, x, i, regs);
	case X_LOOKUP:
		return look_up(r, x, i, regs);
	case X_VERDICT:
		return verdict(r, (int32_t)x->key, x->set);
	case X_NAT:
		return translate(r, x, regs);
	case X_REJECT:
		return reject(r->w, x);
	case X_META_SET:
		return set_mark(r, x, i, regs);
	case X_CT_SET:
		return set_ct_mark(r, x, i, regs);
	case X_PAYLOAD_SET:
	case X_EXTHDR_SET:
		return write(r, x, i, regs);
	case X_DYNSET:
		return update(r, x, i, regs);
	case X_LOG:
		return logs_add(r->w->p, so_far(r, run_from(r, i + 1, regs)),
				logs_of_rule(r->w->p, x));
	case X_LIMIT:
		return limit(r, x, i, regs);
	default:
		if ((x->op == X_CT && r->w->no_ct == DD_NO_VAR) ||
		    !exec_step(r->w->p, x, r->w->is_in, regs))
			return unknown(r->w, "expression", x->name);
	}
	if (x->op == X_CT && x->key == NFT_CT_STATE)
		regs_state_unless(r->w->p, regs, regs_word(x->dreg), r->w->no_ct);
	/* What comes in has no socket yet, and then there is no owner to load */
	if (is_owner_load(x))
		return r->w->is_in ? r->next
			: dd_ite(r->w->d, space_bit(&r->w->p->s, P_SOCK, 0),
				 run_from(r, i + 1, regs), r->next);
	if (!is_ct_load(x)) {
		r->asks_marks |= x->op == X_META && x->key == NFT_META_MARK;
		return run_from(r, i + 1, regs);
	}
	/* What conntrack does not know has nothing to load */
	return dd_ite(r->w->d, r->w->no_ct, r->next, run_ct(r, i, regs));
}

static dd run_chain(struct run *w, const struct prog_chain *c, dd behind)
{
	struct entered e = { c, behind, behind };

	for (uint32_t i = w->entered.n; i-- > 0;)
		if (w->entered.v[i].chain == c && w->entered.v[i].behind == behind)
			return w->entered.v[i].r;
	w->depth++;
	for (uint32_t i = c->rules.n; i-- > 0;) {
		struct rule_run r = { .w = w, .rule = &c->rules.v[i], .chain = c->name,
				      .miscounts = logs_miscounts(w->p, c, &c->rules.v[i]),
				      .when = DD_TRUE,
				      .next = e.r, .behind = behind };
		struct regs regs = { 0 };

		e.r = run_from(&r, 0, &regs);
	}
	w->depth--;
	vec_add(w->p->a, &w->entered, e);
	return e.r;
}

dd exec_chains(struct proof *p, const struct exec_at *at, dd passed)
{
	const struct prog_chain *c = NULL;

	if (p->p->is_dormant)
		return passed;
	while ((c = exec_base_before(p->p, at, c)) != NULL) {
		struct run w = {
			.p = p, .d = p->d, .at = at, .family = at->family, .passed = passed,
			.is_in = at->hook == NF_INET_PRE_ROUTING,
			.no_ct = exec_base_no_ct(p, at, c),
		};
		const dd end = c->policy == NF_DROP ? proof_leaf(p, FATE_BLOCK) : passed;

		passed = run_chain(&w, c, end);
	}
	return passed;
}
