/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Programs of random rulesets with one mistake put in: a compiler that makes it
 * must be found out.  Each mistake is either told, with a packet, or it must be
 * known for another reason that it changes no packet's fate: then the program with
 * the mistake was run, by a machine that shares nothing with the prover, on packets
 * made for the very values that the mistake is about, and did what the other did.
 */
#include "unit.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nft_vm.h"
#include "prove/stages.h"
#include "prove_case.h"

#define MUTANTS_EACH	8u	/* of one ruleset */
#define LEAST_TOLD	2u	/* of these, on average */

enum mutation {
	M_DROP_RULE, M_SWAP_RULES, M_DROP_TEST, M_NEGATE, M_OFF_BY_ONE, M_FLIP_BIT, M_MASK_BIT,
	M_VERDICT, M_TARGET, M_DROP_ELEM, M_ELEM_KEY, M_ELEM_DATA, M_EMPTY_CHAIN, M_PRIORITY,
	M_HOOK, M_POLICY, M_MARK_BIT, M_DROP_WRITE, M_OTHER_FIELD, M_IMMEDIATE, M_NAT_SIDE,
	M_NAT_FLAGS, M_BYTE_ORDER, M_PREFIX, M_COLLAPSE, M_BOUND, M_LIMIT, M_ELEM_VERDICT,
	M_NAT_PORTS, M_NAT_ADDRS, M_NO_COUNTER, M_MORE_COUNTERS, M_NO_LOG, M_LOG_TEXT,
	M_LOG_GROUP,
	N_MUTATIONS
};

static const char *const names[N_MUTATIONS] = {
	"dropped rule", "swapped rules", "dropped test", "negated test", "off by one",
	"flipped bit", "other mask", "other verdict", "other chain", "removed element",
	"other key", "other data", "emptied chain", "other priority", "other hook",
	"other policy", "other mark", "lost mark", "other field", "other constant",
	"other side", "other nat flags", "other byte order", "other prefix", "collapsed range",
	"other bound", "other limit", "verdict in a map", "other nat ports",
	"nat to a range", "lost counter", "second counter", "lost log", "other log text",
	"other log group",
};

struct mutants {
	uint32_t n[N_MUTATIONS];
	uint32_t told[N_MUTATIONS];
	uint32_t same[N_MUTATIONS];
	uint32_t unproven[N_MUTATIONS];
};

static struct gen g;

static struct prog_rule *any_rule(struct prog *p, struct prog_chain **ret_chain)
{
	for (uint32_t tries = 0; tries < 200 && p->chains.n > 0; tries++) {
		struct prog_chain *c = &p->chains.v[gen_below(&g, p->chains.n)];

		if (c->rules.n == 0)
			continue;
		*ret_chain = c;
		return &c->rules.v[gen_below(&g, c->rules.n)];
	}
	return NULL;
}

/* An expression of one of some operations, in any rule */
static struct prog_expr *any_expr(struct prog *p, uint32_t ops, struct prog_rule **ret_rule)
{
	struct prog_chain *c;

	for (uint32_t tries = 0; tries < 200; tries++) {
		struct prog_rule *r = any_rule(p, &c);
		struct prog_expr *x;

		if (r == NULL)
			return NULL;
		x = &r->exprs.v[gen_below(&g, r->exprs.n)];
		*ret_rule = r;
		if ((ops >> x->op & 1) != 0)
			return x;
	}
	return NULL;
}

static struct prog_elem *any_elem(struct prog *p, bool data, struct prog_set **ret_set)
{
	for (uint32_t tries = 0; tries < 200 && p->sets.n > 0; tries++) {
		struct prog_set *s = &p->sets.v[gen_below(&g, p->sets.n)];
		struct prog_elem *e;

		if (s->elems.n == 0)
			continue;
		e = &s->elems.v[gen_below(&g, s->elems.n)];
		*ret_set = s;
		if (!data || e->data != NULL)
			return e;
	}
	return NULL;
}

static void take_out(struct prog_rule *r, const struct prog_expr *x)
{
	const uint32_t i = (uint32_t)(x - r->exprs.v);

	memmove(&r->exprs.v[i], &r->exprs.v[i + 1], (r->exprs.n - i - 1) * sizeof(*x));
	r->exprs.n--;
}

static bool drop_rule(struct prog *p)
{
	struct prog_chain *c;
	struct prog_rule *r = any_rule(p, &c);
	uint32_t i;

	if (r == NULL)
		return false;
	i = (uint32_t)(r - c->rules.v);
	memmove(r, r + 1, (c->rules.n - i - 1) * sizeof(*r));
	c->rules.n--;
	return true;
}

static bool swap_rules(struct prog *p)
{
	struct prog_chain *c;
	struct prog_rule *r = any_rule(p, &c), one;

	if (r == NULL || r + 1 == c->rules.v + c->rules.n)
		return false;
	one = r[0];
	r[0] = r[1];
	r[1] = one;
	return true;
}

#define TESTS	(1u << X_CMP | 1u << X_LOOKUP)

static bool drop_test(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, TESTS, &r);

	if (x == NULL || x->has_dreg)
		return false;
	take_out(r, x);
	return true;
}

static bool negate(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, TESTS, &r);

	if (x == NULL || x->has_dreg || (x->op == X_CMP && x->key > NFT_CMP_NEQ))
		return false;
	if (x->op == X_CMP)
		x->key = x->key == NFT_CMP_EQ ? NFT_CMP_NEQ : NFT_CMP_EQ;
	else
		x->is_not = !x->is_not;
	return true;
}

/* Names of interfaces are not numbers, and an index is compared with 0 only */
static bool is_number(const struct prog_rule *r, const struct prog_expr *x)
{
	const struct prog_expr *load = x == r->exprs.v ? NULL : x - 1;

	return x->len <= 16 && load != NULL && load->op != X_NUMGEN && load->op != X_SWAP &&
	       load->op != X_HASH && load->op != X_FIB && load->op != X_EXTHDR &&
	       !(load->op == X_META && (load->key == NFT_META_IIF ||
					load->key == NFT_META_IIFNAME ||
					load->key == NFT_META_OIFNAME));
}

static bool off_by_one(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_CMP, &r);

	if (x == NULL || !is_number(r, x))
		return false;
	x->data[x->len - 1] = (uint8_t)(x->data[x->len - 1] + (gen_often(&g, 50) ? 1 : -1));
	return true;
}

static bool flip_bit(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_CMP, &r);

	if (x == NULL || !is_number(r, x))
		return false;
	x->data[gen_below(&g, x->len)] ^= (uint8_t)(1u << gen_below(&g, 8));
	return true;
}

static bool mask_bit(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_BITWISE, &r);

	if (x == NULL)
		return false;
	x->mask[gen_below(&g, x->len)] ^= (uint8_t)(1u << gen_below(&g, 8));
	return true;
}

static bool other_verdict(struct prog *p)
{
	static const uint32_t codes[] = {
		NF_ACCEPT, NF_DROP, (uint32_t)NFT_RETURN, (uint32_t)NFT_CONTINUE,
	};
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_VERDICT, &r);
	const uint32_t code = codes[gen_below(&g, ARRAY_SIZE(codes))];

	if (x == NULL || x->key == code)
		return false;
	x->key = code;
	return true;
}

static bool other_target(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_VERDICT, &r);
	const struct prog_chain *c = &p->chains.v[gen_below(&g, p->chains.n)];

	if (x == NULL || x->set == NULL || c->type != NULL || strcmp(c->name, x->set) == 0 ||
	    c->family != NFPROTO_INET)
		return false;
	x->set = c->name;
	return true;
}

static bool drop_elem(struct prog *p)
{
	struct prog_set *s;
	struct prog_elem *e = any_elem(p, false, &s);
	uint32_t i;

	if (e == NULL)
		return false;
	i = (uint32_t)(e - s->elems.v);
	memmove(e, e + 1, (s->elems.n - i - 1) * sizeof(*e));
	s->elems.n--;
	return true;
}

static bool is_name(const uint8_t *b, uint32_t len)
{
	return len == 16 && b[15] == 0 && b[0] >= 'a' && b[0] <= 'z';
}

static bool elem_key(struct prog *p)
{
	struct prog_set *s;
	struct prog_elem *e = any_elem(p, false, &s);
	uint8_t *copy;

	if (e == NULL || is_name(e->key, s->key_len))
		return false;
	copy = arena_alloc(p->a, s->key_len);
	memcpy(copy, e->key, s->key_len);
	copy[gen_below(&g, s->key_len)] ^= (uint8_t)(1u << gen_below(&g, 8));
	e->key = copy;
	return true;
}

static bool elem_data(struct prog *p)
{
	struct prog_set *s;
	struct prog_elem *e = any_elem(p, true, &s);
	uint8_t *copy;

	if (e == NULL)
		return false;
	copy = arena_alloc(p->a, s->data_len);
	memcpy(copy, e->data, s->data_len);
	copy[gen_below(&g, s->data_len)] ^= (uint8_t)(1u << gen_below(&g, 8));
	e->data = copy;
	return true;
}

static struct prog_chain *any_base(struct prog *p)
{
	for (uint32_t tries = 0; tries < 100; tries++) {
		struct prog_chain *c = &p->chains.v[gen_below(&g, p->chains.n)];

		if (c->type != NULL && c->rules.n > 0)
			return c;
	}
	return NULL;
}

static bool empty_chain(struct prog *p)
{
	struct prog_chain *c;

	if (any_rule(p, &c) == NULL)
		return false;
	c->rules.n = 0;
	return true;
}

static bool other_priority(struct prog *p)
{
	static const int32_t prios[] = { -310, -150, -90, 0, 90, 150, 160 };
	struct prog_chain *c = any_base(p);
	const int32_t prio = prios[gen_below(&g, ARRAY_SIZE(prios))];

	if (c == NULL || c->prio == prio)
		return false;
	c->prio = prio;
	return true;
}

static bool other_hook(struct prog *p)
{
	struct prog_chain *c = any_base(p);
	const uint32_t hook = c == NULL || c->family == NFPROTO_ARP ? gen_below(&g, 2)
								     : gen_below(&g, 5);

	if (c == NULL || c->hook == hook)
		return false;
	c->hook = hook;
	return true;
}

static bool other_policy(struct prog *p)
{
	struct prog_chain *c = any_base(p);

	if (c == NULL)
		return false;
	c->policy = c->policy == NF_DROP ? NF_ACCEPT : NF_DROP;
	return true;
}

/* Marks are made by bitwise: another value */
static bool mark_bit(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_META_SET | 1u << X_CT_SET, &r);

	if (x == NULL || x == r->exprs.v || x[-1].op != X_BITWISE)
		return false;
	x[-1].data[3] ^= (uint8_t)(1u << gen_below(&g, 7));
	return true;
}

static bool drop_write(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_META_SET | 1u << X_CT_SET, &r);

	if (x == NULL)
		return false;
	take_out(r, x);
	return true;
}

/* Source for destination, one port for the other, in for out */
static bool other_field(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_PAYLOAD | 1u << X_CT, &r);

	if (x == NULL)
		return false;
	if (x->op == X_CT)
		x->key = x->key == NFT_CT_MARK ? NFT_CT_STATUS : NFT_CT_MARK;
	else
		x->offset += x->key == NFT_PAYLOAD_TRANSPORT_HEADER ? 2 : x->len == 16 ? 16 : 4;
	return true;
}

static bool immediate(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_IMMEDIATE, &r);

	if (x == NULL)
		return false;
	x->data[gen_below(&g, x->len)] ^= (uint8_t)(1u << gen_below(&g, 8));
	return true;
}

static bool nat_side(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_NAT, &r);

	if (x == NULL)
		return false;
	x->nat.is_src = !x->nat.is_src;
	return true;
}

static bool nat_flags(struct prog *p)
{
	static const uint32_t flags[] = { NF_NAT_RANGE_PROTO_RANDOM_FULLY,
					  NF_NAT_RANGE_PROTO_RANDOM, NF_NAT_RANGE_PERSISTENT };
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_NAT, &r);

	if (x == NULL)
		return false;
	x->nat.flags ^= flags[gen_below(&g, ARRAY_SIZE(flags))];
	return true;
}

static bool byte_order(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_CMP, &r);
	const uint32_t last = x == NULL ? 0 : x->len - 1;

	if (x == NULL || !is_number(r, x) || x->data[0] == x->data[last])
		return false;
	for (uint32_t i = 0; i < x->len / 2; i++) {
		const uint8_t b = x->data[i];

		x->data[i] = x->data[last - i];
		x->data[last - i] = b;
	}
	return true;
}

/* A mask one bit longer or shorter, where it ends */
static bool prefix(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_BITWISE, &r);
	uint32_t bit = 0;

	if (x == NULL || x == r->exprs.v || x[-1].op != X_PAYLOAD)
		return false;
	while (bit < 8 * x->len && (x->mask[bit / 8] >> (7 - bit % 8) & 1) != 0)
		bit++;
	if (bit == 0 || bit == 8 * x->len)
		return false;
	bit -= gen_often(&g, 50);
	x->mask[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
	return true;
}

/* Of a range only its first value, or of a table its first address */
static bool collapse(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_RANGE, &r);
	struct prog_set *s;
	struct prog_elem *e;

	if (x != NULL && gen_often(&g, 50)) {
		memcpy(x->mask, x->data, x->len);
		return true;
	}
	e = any_elem(p, false, &s);
	if (e == NULL || (e->key_end == NULL && !e->is_end) || is_name(e->key, s->key_len))
		return false;
	if (e->is_end && e > s->elems.v)
		e->key = e[-1].key;
	else
		e->key_end = e->key;
	return true;
}

/* Below for at most, above for at least */
static bool bound(struct prog *p)
{
	static const uint32_t other[] = { [NFT_CMP_LT] = NFT_CMP_LTE, [NFT_CMP_LTE] = NFT_CMP_LT,
					  [NFT_CMP_GT] = NFT_CMP_GTE, [NFT_CMP_GTE] = NFT_CMP_GT };
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_CMP, &r);

	if (x == NULL || x->key < NFT_CMP_LT || !is_number(r, x))
		return false;
	x->key = other[x->key];
	return true;
}

static bool limit(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_LIMIT | 1u << X_DYNSET, &r);

	if (x == NULL || !x->is_over)
		return false;
	x->modulus++;
	return true;
}

static bool elem_verdict(struct prog *p)
{
	struct prog_set *s;
	struct prog_elem *e = any_elem(p, false, &s);

	if (e == NULL || s->data_len != 0 || (s->flags & NFT_SET_MAP) == 0)
		return false;
	e->verdict = e->verdict == NF_DROP ? NF_ACCEPT : NF_DROP;
	return true;
}

/* One end of a range for the other, or the ports of a table for all */
static bool nat_ports(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_NAT, &r);
	const uint32_t end = gen_below(&g, 2);

	if (x == NULL || x->nat.port[0] == 0)
		return false;
	if (x->nat.port[0] == x->nat.port[1]) {
		x->nat.port[0] = x->nat.port[1] = 0;
		x->nat.flags &= ~(uint32_t)NF_NAT_RANGE_PROTO_SPECIFIED;
	} else {
		x->nat.port[end] = x->nat.port[1 - end];
	}
	return true;
}

/* An expression twice; the first of the two */
static struct prog_expr *put_again(struct prog *p, struct prog_rule *r, const struct prog_expr *x)
{
	const uint32_t at = (uint32_t)(x - r->exprs.v);

	vec_push(p->a, &r->exprs);
	memmove(&r->exprs.v[at + 1], &r->exprs.v[at],
		(r->exprs.n - 1 - at) * sizeof(*r->exprs.v));
	return &r->exprs.v[at];
}

/* From its address to the one behind it, or to another that the rule knows */
static bool nat_addrs(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_NAT, &r), *load;

	if (x == NULL || x->nat.addr[0] == 0)
		return false;
	load = x;
	while (load > r->exprs.v && (load->op != X_IMMEDIATE || load->dreg != x->nat.addr[0]))
		load--;
	if (load->op != X_IMMEDIATE)
		return false;
	x->nat.addr[1] = NFT_REG_4;
	load = put_again(p, r, load);
	load->data[load->len - 1]++;
	load->dreg = NFT_REG_4;
	return true;
}

/* Counters of rules that somebody wrote */
static struct prog_expr *any_counter(struct prog *p, struct prog_rule **ret_rule)
{
	struct prog_expr *x = any_expr(p, 1u << X_COUNTER, ret_rule);

	return x == NULL || (*ret_rule)->comment[0] == '\0' ? NULL : x;
}

static bool no_counter(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_counter(p, &r);

	if (x == NULL)
		return false;
	take_out(r, x);
	return true;
}

static bool more_counters(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_counter(p, &r);

	if (x != NULL)
		put_again(p, r, x);
	return x != NULL;
}

static bool no_log(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_LOG, &r);

	if (x == NULL)
		return false;
	take_out(r, x);
	return true;
}

/* Another line, or another word for what was done */
static bool log_text(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_LOG, &r);

	if (x == NULL)
		return false;
	x->set = gen_often(&g, 50) ? arena_printf(p->a, "%s0", x->set)
				   : arena_printf(p->a, "%s%s", x->set[0] == 'p' ? "block" : "pass",
						  strchr(x->set, ' '));
	return true;
}

static bool log_group(struct prog *p)
{
	struct prog_rule *r;
	struct prog_expr *x = any_expr(p, 1u << X_LOG, &r);

	if (x == NULL)
		return false;
	x->key++;
	return true;
}

static bool (*const mutate[N_MUTATIONS])(struct prog *p) = {
	drop_rule, swap_rules, drop_test, negate, off_by_one, flip_bit, mask_bit, other_verdict,
	other_target, drop_elem, elem_key, elem_data, empty_chain, other_priority, other_hook,
	other_policy, mark_bit, drop_write, other_field, immediate, nat_side,
	nat_flags, byte_order, prefix, collapse, bound, limit, elem_verdict, nat_ports, nat_addrs,
	no_counter, more_counters, no_log, log_text, log_group,
};

static void one_mutant(struct prove_case *c, uint64_t seed, struct mutants *m)
{
	const enum mutation kind = (enum mutation)gen_below(&g, N_MUTATIONS);
	struct prog good, bad;
	const struct vm_options how = {
		.answer = nft_program_marks(c->program).answer,
		.counts = kind == M_NO_COUNTER || kind == M_MORE_COUNTERS,
	};
	struct prove_result r;
	const char *why = NULL;

	prove_case_read(c, &good);
	prove_case_read(c, &bad);
	if (!mutate[kind](&bad))
		return;
	m->n[kind]++;
	CHECK_INT(prove_prog(&c->m, &bad, nft_program_marks(c->program), PROVE_MAX_NODES, &c->a,
			     &r), 0);
	if (r.differences.n > 0) {
		m->told[kind]++;
		return;
	}
	if (r.unproven.n > 0) {
		m->unproven[kind]++;
		printf("# ruleset %" PRIu64 ", %s: not proven: %s\n", seed, names[kind],
		       r.unproven.v[0]);
		return;
	}
	m->same[kind]++;
	if (!CHECK(vm_same(&c->m, &good, &bad, &how, seed, &c->a, &why))) {
		printf("# ruleset %" PRIu64 ", %s: not told, but %s\n", seed, names[kind], why);
		prove_case_show(c, &r);
	}
}

static void show(const struct mutants *m, uint32_t n_rulesets)
{
	uint32_t n = 0, told = 0, same = 0, unproven = 0;

	for (int k = 0; k < N_MUTATIONS; k++) {
		printf("# %-16s %4u: %4u told, %3u not proven, %3u change nothing\n", names[k],
		       m->n[k], m->told[k], m->unproven[k], m->same[k]);
		n += m->n[k];
		told += m->told[k];
		same += m->same[k];
		unproven += m->unproven[k];
	}
	printf("# %u mutants of %u rulesets: %u mean something else, %u of these told with a "
	       "packet, %u refused as not proven; %u change nothing\n", n, n_rulesets, n - same,
	       told, unproven, same);
	CHECK_INT(unproven, 0);
	CHECK(told >= LEAST_TOLD * n_rulesets);
}

/* SALLYPORT_LONG=1: so many that more than 1,000 mean something else */
TEST(mutants)
{
	const uint32_t n = getenv("SALLYPORT_LONG") != NULL ? 500 : 12;
	struct mutants m = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		const uint64_t seed = 500 + i;
		struct prove_result r;
		struct prove_case c;

		prove_case_init(&c, (int)(i % 4), seed);
		g = gen_seed(seed, 99);
		if (c.program != NULL &&
		    CHECK_INT(prove_case_prove(&c, &r), 0) &&
		    r.unproven.n == 0)
			for (uint32_t k = 0; k < MUTANTS_EACH; k++)
				one_mutant(&c, seed * 1000 + k, &m);
		prove_case_fini(&c);
	}
	show(&m, n);
}
