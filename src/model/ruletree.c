/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A tree of cuts for each list, direction and family: a node compares one field
 * with one number, a leaf has the few rules that nothing tells apart any more, in
 * their order.  A rule stands in every leaf that its sets reach, so what a packet
 * meets in its leaf are all rules that may hold for it.
 *
 * A node is cut where it leaves the smaller larger half: the median of the ends of
 * the rules' ranges, in the field where that is best.  A rule that says nothing of
 * a field stands on both sides of its cuts; how much that may cost in memory is
 * bounded (COPIES), and where it is spent leaves are long: slow, never wrong.
 *
 * Rejected: bit vectors by field, whose intersections still grow with the number
 * of rules, and hashing of tuples of prefix lengths, of which pf.conf's ranges make
 * too many.  With ten thousand rules, a random one for each flow, a flow costs twice
 * as much as with ten, all of it cache misses; one by one it was 700 times (bench_rules).
 */
#include "model/ruletree.h"

#include <stdlib.h>

#define LEAF_RULES	2u	/* are tried one by one */
#define COPIES		24u	/* entries of leaves for each rule, on average */
#define DEPTH_MAX	96u
#define ENDS_MAX	512u	/* ends of ranges that a median is taken of */
#define RANGES_MAX	8u	/* of one rule's set that count there */
#define N_TREES		4u	/* of a list: by direction and family */

/* The fields that are cut; all that a rule says of others is asked at the leaf */
static const enum field cut_fields[] = { F_IFACE, F_PROTO, F_SRC, F_DST, F_SPORT, F_DPORT };
#define N_CUTS		(sizeof(cut_fields) / sizeof(cut_fields[0]))

/**
 * struct node - A cut, or a leaf
 * @at:		Values below this go to @below, others to @above
 * @cut:	Number in cut_fields; N_CUTS: a leaf
 * @below:	Node; of a leaf: first of its rules in ruletree.rules
 * @above:	Node; of a leaf: how many
 */
struct node {
	u128 at;
	uint32_t cut;
	uint32_t below;
	uint32_t above;
};

struct ruletree {
	VEC(struct node) nodes;
	VEC(uint32_t) rules;
	const uint32_t *roots;		/* N_TREES of each list */
};

/* A tree that is being made */
struct maker {
	struct arena *a;
	struct ruletree *t;
	const struct rule_list *list;
	uint8_t af;
	uint32_t budget;		/* entries that leaves may still have beyond one a rule */
};

struct box {
	u128 lo[N_CUTS];
	u128 hi[N_CUTS];		/* inclusive */
};

static uint8_t family_of(const struct maker *mk, enum field f)
{
	return f == F_SRC || f == F_DST ? mk->af : AF_NONE;
}

/* The first range of a set that ends at or behind a value */
static uint32_t first_range(const struct set *s, uint8_t af, u128 v)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;
		const struct range *r = &s->r[mid];

		if (r->af < af || (r->af == af && r->hi < v))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool reaches(const struct maker *mk, uint32_t rule, uint32_t cut, u128 lo, u128 hi)
{
	const struct set *s = rule_tests(&mk->list->rules.v[rule], cut_fields[cut]);
	const uint8_t af = family_of(mk, cut_fields[cut]);
	uint32_t i;

	if (s == NULL)
		return true;
	i = first_range(s, af, lo);
	return i < s->n && s->r[i].af == af && s->r[i].lo <= hi;
}

/* ---- where to cut ------------------------------------------------------------- */

static int by_value(const void *x, const void *y)
{
	const u128 a = *(const u128 *)x, b = *(const u128 *)y;

	return a < b ? -1 : a > b;
}

/* Ends of a rule's ranges, of those within the box; how many there are now */
static uint32_t add_ends(const struct maker *mk, uint32_t rule, uint32_t cut, const struct box *b,
			 u128 ends[ENDS_MAX], uint32_t n)
{
	const struct set *s = rule_tests(&mk->list->rules.v[rule], cut_fields[cut]);
	const uint8_t af = family_of(mk, cut_fields[cut]);
	uint32_t i;

	if (s == NULL)
		return n;
	i = first_range(s, af, b->lo[cut]);
	for (uint32_t k = 0; k < RANGES_MAX && i < s->n && s->r[i].af == af; k++, i++) {
		if (s->r[i].lo > b->hi[cut])
			break;
		if (n < ENDS_MAX && s->r[i].lo > b->lo[cut])
			ends[n++] = s->r[i].lo;
		if (n < ENDS_MAX && s->r[i].hi < b->hi[cut])
			ends[n++] = s->r[i].hi + 1;
	}
	return n;
}

/* The median of the ends in a field; false: there are none within the box */
static bool median(const struct maker *mk, const uint32_t *rules, uint32_t n, uint32_t cut,
		   const struct box *b, u128 *ret)
{
	const uint32_t step = n / (ENDS_MAX / 4) + 1;
	u128 ends[ENDS_MAX];
	uint32_t n_ends = 0;

	for (uint32_t i = 0; i < n; i += step)
		n_ends = add_ends(mk, rules[i], cut, b, ends, n_ends);
	if (n_ends == 0)
		return false;
	qsort(ends, n_ends, sizeof(ends[0]), by_value);
	*ret = ends[n_ends / 2];
	return true;
}

static uint32_t count(const struct maker *mk, const uint32_t *rules, uint32_t n, uint32_t cut,
		      u128 lo, u128 hi)
{
	uint32_t n_in = 0;

	for (uint32_t i = 0; i < n; i++)
		n_in += reaches(mk, rules[i], cut, lo, hi);
	return n_in;
}

/* The best cut; N_CUTS: none makes both sides smaller, or memory is spent */
static uint32_t choose(struct maker *mk, const uint32_t *rules, uint32_t n, const struct box *b,
		       u128 *ret_at)
{
	uint32_t best = N_CUTS, best_cost = UINT32_MAX, best_more = 0;

	for (uint32_t cut = 0; cut < N_CUTS; cut++) {
		uint32_t below, above;
		u128 at;

		if (!median(mk, rules, n, cut, b, &at))
			continue;
		below = count(mk, rules, n, cut, b->lo[cut], at - 1);
		above = count(mk, rules, n, cut, at, b->hi[cut]);
		/* The longer side counts most, then what stands twice */
		if (MAX(below, above) == n || below + above - n > mk->budget ||
		    4 * MAX(below, above) + below + above >= best_cost)
			continue;
		best = cut;
		best_cost = 4 * MAX(below, above) + below + above;
		best_more = below + above - n;
		*ret_at = at;
	}
	mk->budget -= best_more;
	return best;
}

/* ---- making --------------------------------------------------------------------- */

static uint32_t leaf(struct maker *mk, const uint32_t *rules, uint32_t n)
{
	const struct node node = { .cut = N_CUTS, .below = mk->t->rules.n, .above = n };

	for (uint32_t i = 0; i < n; i++)
		vec_add(mk->a, &mk->t->rules, rules[i]);
	vec_add(mk->a, &mk->t->nodes, node);
	return mk->t->nodes.n - 1;
}

static uint32_t make(struct maker *mk, const uint32_t *rules, uint32_t n, struct box *b,
		     uint32_t depth);

/* The half of a cut from @lo to @hi */
static uint32_t make_half(struct maker *mk, const uint32_t *rules, uint32_t n, struct box *b,
			  uint32_t cut, u128 lo, u128 hi, uint32_t depth)
{
	const u128 old_lo = b->lo[cut], old_hi = b->hi[cut];
	uint32_t *some = arena_array(mk->a, uint32_t, n);
	uint32_t n_some = 0, node;

	for (uint32_t i = 0; i < n; i++)
		if (reaches(mk, rules[i], cut, lo, hi))
			some[n_some++] = rules[i];
	arena_trim(mk->a, some, n * sizeof(*some), n_some * sizeof(*some));
	b->lo[cut] = lo;
	b->hi[cut] = hi;
	node = make(mk, some, n_some, b, depth + 1);
	b->lo[cut] = old_lo;
	b->hi[cut] = old_hi;
	return node;
}

static uint32_t make(struct maker *mk, const uint32_t *rules, uint32_t n, struct box *b,
		     uint32_t depth)
{
	struct node node = { .cut = N_CUTS };
	const uint32_t at = mk->t->nodes.n;
	uint32_t child;

	if (n > LEAF_RULES && depth < DEPTH_MAX)
		node.cut = choose(mk, rules, n, b, &node.at);
	if (node.cut == N_CUTS)
		return leaf(mk, rules, n);
	vec_add(mk->a, &mk->t->nodes, node);
	child = make_half(mk, rules, n, b, node.cut, b->lo[node.cut], node.at - 1, depth);
	mk->t->nodes.v[at].below = child;
	child = make_half(mk, rules, n, b, node.cut, node.at, b->hi[node.cut], depth);
	mk->t->nodes.v[at].above = child;
	return at;
}

/* Can the rule hold for any packet of a direction and family */
static bool is_of(const struct rule *r, enum direction dir, uint8_t af)
{
	const struct set *dirs = rule_tests(r, F_DIR), *afs = rule_tests(r, F_AF);

	return (dirs == NULL || set_has(dirs, AF_NONE, dir)) &&
	       (afs == NULL || set_has(afs, AF_NONE, af));
}

static uint32_t make_tree(struct maker *mk, enum direction dir)
{
	struct box all = { .lo = { 0 } };
	uint32_t *rules = arena_array(mk->a, uint32_t, mk->list->rules.n);
	uint32_t n = 0;

	for (uint32_t i = 0; i < mk->list->rules.n; i++)
		if (is_of(&mk->list->rules.v[i], dir, mk->af))
			rules[n++] = i;
	for (uint32_t cut = 0; cut < N_CUTS; cut++)
		all.hi[cut] = ~(u128)0;
	mk->budget = COPIES * n;
	return make(mk, rules, n, &all, 0);
}

static uint32_t tree_of(enum direction dir, uint8_t af)
{
	return (dir == DIR_OUT ? 2u : 0u) + (af == AF_V6);
}

const struct ruletree *ruletree_make(struct arena *a, const struct model *m)
{
	struct ruletree *t = arena_new(a, struct ruletree);
	uint32_t *roots = arena_array(a, uint32_t, (size_t)m->lists.n * N_TREES);

	for (uint32_t l = 0; l < m->lists.n; l++) {
		for (uint32_t i = 0; i < N_TREES; i++) {
			const enum direction dir = i / 2 == 0 ? DIR_IN : DIR_OUT;
			struct maker mk = {
				.a = a, .t = t, .list = &m->lists.v[l],
				.af = i % 2 != 0 ? AF_V6 : AF_V4,
			};

			roots[l * N_TREES + tree_of(dir, mk.af)] = make_tree(&mk, dir);
		}
	}
	t->roots = roots;
	return t;
}

/* ---- asking ----------------------------------------------------------------------- */

static u128 value_of(const struct packet *p, enum field f)
{
	switch (f) {
	case F_IFACE:
		return p->iface;
	case F_PROTO:
		return p->proto;
	case F_SRC:
		return p->src.v;
	case F_DST:
		return p->dst.v;
	case F_SPORT:
		return p->sport;
	case F_DPORT:
		return p->dport;
	default:
		BUG_IF(true);
	}
}

uint32_t ruletree_next(const struct ruletree *t, uint32_t list, const struct packet *p,
		       uint32_t from)
{
	uint32_t at = t->roots[list * N_TREES + tree_of(p->dir, p->src.af)], lo, hi;
	const struct node *n = &t->nodes.v[at];

	/* A rule that tests ports of a protocol without any holds nowhere: either side is right */
	while (n->cut < N_CUTS)
		n = &t->nodes.v[value_of(p, cut_fields[n->cut]) < n->at ? n->below : n->above];
	lo = n->below;
	hi = n->below + n->above;
	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if (t->rules.v[mid] < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n->below + n->above ? t->rules.v[lo] : UINT32_MAX;
}
