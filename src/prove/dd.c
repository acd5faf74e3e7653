/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Nodes stand in one array, found by hash; there is no other copy of a function,
 * so equality is that of numbers.  What operations gave is remembered in a table
 * that forgets by overwriting.
 *
 * BuDDy was the alternative.  It knows only the values 0 and 1: an outcome would be
 * a vector of a dozen diagrams, each operation a dozen operations, and to find where
 * two differ a dozen searches.  It keeps one set of diagrams per process in global
 * variables, and ends the process when memory does.
 *
 * Nothing is freed before the end: a proof of 3,000 rules makes some million nodes
 * of 16 bytes (tests/bench/bench_prove).  Over the limit all results are 0 and
 * is_full says so; who asks for a proof then gets none.  No operation goes on then:
 * without room to remember what it gave, one could take for ever.
 */
#include "prove/dd.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_NODES	4096u
#define FIRST_MEMOS	(1u << 14)
#define MOST_MEMOS	(1u << 20)

/* @lo, @hi: where the variable is 0, 1; of a constant @lo is the value */
struct dd_node {
	uint32_t var;
	dd lo;
	dd hi;
	uint32_t next;
};

enum op { OP_NONE, OP_ITE, OP_WITH, OP_OWN };

struct dd_memo {
	uint32_t op;
	dd a;
	dd b;
	dd c;
	dd r;
};

int dd_init(struct dds *s, uint32_t max_nodes)
{
	*s = (struct dds){ .max = max_nodes, .serial = OP_OWN };
	s->cap = FIRST_NODES;
	s->n_heads = FIRST_NODES;
	s->n_memos = FIRST_MEMOS;
	s->node = malloc(s->cap * sizeof(*s->node));
	s->head = calloc(s->n_heads, sizeof(*s->head));
	s->memo = calloc(s->n_memos, sizeof(*s->memo));
	if (s->node == NULL || s->head == NULL || s->memo == NULL) {
		dd_fini(s);
		return -ENOMEM;
	}
	/* A node in front, so that the number 0 can end a chain of the hash */
	s->node[0] = (struct dd_node){ DD_NO_VAR, 0, 0, 0 };
	s->n = 1;
	BUG_IF(dd_leaf(s, 1) != DD_TRUE);
	return 0;
}

void dd_fini(struct dds *s)
{
	free(s->node);
	free(s->head);
	free(s->memo);
	*s = (struct dds){ 0 };
}

static uint32_t mix(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	uint64_t h = (uint64_t)a * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ b) * UINT64_C(0xd6e8feb86659fd93);
	h = (h ^ h >> 29 ^ c) * UINT64_C(0xa0761d6478bd642f);
	h = (h ^ h >> 32 ^ d) * UINT64_C(0xe7037ed1a0b428db);
	return (uint32_t)(h >> 32);
}

/*
 * Where a node stands in the hash: what is made one after the other, one above the
 * other, stands side by side.  Strewn about, each look waited for memory, and 3,000
 * rules took twice as long (tests/bench/bench_prove).
 */
static uint32_t place(uint32_t var, dd lo, dd hi)
{
	return hi + 2 * lo + 3 * var;
}

static void rehash(struct dds *s)
{
	memset(s->head, 0, s->n_heads * sizeof(*s->head));
	for (uint32_t i = 1; i < s->n; i++) {
		struct dd_node *n = &s->node[i];
		uint32_t *head = &s->head[place(n->var, n->lo, n->hi) & (s->n_heads - 1)];

		n->next = *head;
		*head = i;
	}
}

/* Room for one node more; the table of results grows with them */
static bool grow(struct dds *s)
{
	const uint32_t cap = MIN(s->cap, UINT32_MAX / 2) * 2;
	struct dd_node *node;
	struct dd_memo *memo;
	uint32_t *head;

	if (s->n >= s->max || cap <= s->cap)
		return false;
	node = realloc(s->node, cap * sizeof(*node));
	if (node == NULL)
		return false;
	s->node = node;
	s->cap = cap;
	head = realloc(s->head, cap * sizeof(*head));
	if (head == NULL)
		return false;
	s->head = head;
	s->n_heads = cap;
	rehash(s);
	if (s->n_memos >= MOST_MEMOS || s->n_memos >= cap)
		return true;
	memo = calloc(MIN(cap, MOST_MEMOS), sizeof(*memo));
	if (memo == NULL)
		return false;
	free(s->memo);
	s->memo = memo;
	s->n_memos = MIN(cap, MOST_MEMOS);
	return true;
}

static dd make(struct dds *s, uint32_t var, dd lo, dd hi)
{
	const uint32_t h = place(var, lo, hi);

	for (uint32_t i = s->head[h & (s->n_heads - 1)]; i != 0; i = s->node[i].next)
		if (s->node[i].var == var && s->node[i].lo == lo && s->node[i].hi == hi)
			return i;
	if (s->is_full || (s->n == s->cap && !grow(s))) {
		s->is_full = true;
		return DD_FALSE;
	}
	s->node[s->n] = (struct dd_node){ var, lo, hi, s->head[h & (s->n_heads - 1)] };
	s->head[h & (s->n_heads - 1)] = s->n;
	return s->n++;
}

static dd branch(struct dds *s, uint32_t var, dd lo, dd hi)
{
	return lo == hi ? lo : make(s, var, lo, hi);
}

dd dd_leaf(struct dds *s, uint32_t value)
{
	return value == 0 ? DD_FALSE : make(s, DD_NO_VAR, value, value);
}

bool dd_is_leaf(const struct dds *s, dd f)
{
	return s->node[f].var == DD_NO_VAR;
}

uint32_t dd_value(const struct dds *s, dd f)
{
	BUG_IF(!dd_is_leaf(s, f));
	return s->node[f].lo;
}

dd dd_var(struct dds *s, uint32_t var)
{
	return make(s, var, DD_FALSE, DD_TRUE);
}

bool dd_is_var(const struct dds *s, dd f, uint32_t *ret_var)
{
	const struct dd_node *n = &s->node[f];

	if (n->var == DD_NO_VAR || n->lo != DD_FALSE || n->hi != DD_TRUE)
		return false;
	*ret_var = n->var;
	return true;
}

static struct dd_memo *memo_of(const struct dds *s, uint32_t op, dd a, dd b, dd c)
{
	return &s->memo[mix(op, a, b, c) & (s->n_memos - 1)];
}

static bool is_memo(const struct dd_memo *m, uint32_t op, dd a, dd b, dd c)
{
	return m->op == op && m->a == a && m->b == b && m->c == c;
}

static dd note(struct dds *s, uint32_t op, dd a, dd b, dd c, dd r)
{
	if (!s->is_full)
		*memo_of(s, op, a, b, c) = (struct dd_memo){ op, a, b, c, r };
	return r;
}

/* The half of a function where @var is @value, if that is what it asks first */
static dd half(const struct dds *s, dd f, uint32_t var, bool value)
{
	const struct dd_node *n = &s->node[f];

	return n->var != var ? f : value ? n->hi : n->lo;
}

static uint32_t top2(const struct dds *s, dd f, dd g)
{
	return MIN(s->node[f].var, s->node[g].var);
}

dd dd_ite(struct dds *s, dd cond, dd then, dd other)
{
	const struct dd_memo *m;
	uint32_t var;
	dd lo, hi;

	if (cond == DD_TRUE || then == other)
		return then;
	if (cond == DD_FALSE)
		return other;
	if (then == DD_TRUE && other == DD_FALSE)
		return cond;
	if (s->is_full)
		return DD_FALSE;
	/* A single variable on top of what does not know it: most diagrams are built so */
	if (s->node[cond].lo == DD_FALSE && s->node[cond].hi == DD_TRUE &&
	    s->node[cond].var < top2(s, then, other))
		return branch(s, s->node[cond].var, other, then);
	m = memo_of(s, OP_ITE, cond, then, other);
	if (is_memo(m, OP_ITE, cond, then, other))
		return m->r;
	var = MIN(s->node[cond].var, top2(s, then, other));
	/* Two values that are neither: the condition is none */
	BUG_IF(var == DD_NO_VAR);
	lo = dd_ite(s, half(s, cond, var, false), half(s, then, var, false),
		    half(s, other, var, false));
	hi = dd_ite(s, half(s, cond, var, true), half(s, then, var, true),
		    half(s, other, var, true));
	return note(s, OP_ITE, cond, then, other, branch(s, var, lo, hi));
}

dd dd_and(struct dds *s, dd x, dd y)
{
	return x < y ? dd_ite(s, x, y, DD_FALSE) : dd_ite(s, y, x, DD_FALSE);
}

dd dd_or(struct dds *s, dd x, dd y)
{
	return x < y ? dd_ite(s, x, DD_TRUE, y) : dd_ite(s, y, DD_TRUE, x);
}

dd dd_not(struct dds *s, dd x)
{
	return dd_ite(s, x, DD_FALSE, DD_TRUE);
}

dd dd_with(struct dds *s, dd f, uint32_t var, bool value)
{
	const uint32_t own = s->node[f].var;
	const struct dd_memo *m;
	dd lo, hi;

	if (own > var)
		return f;
	if (s->is_full)
		return DD_FALSE;
	if (own == var)
		return value ? s->node[f].hi : s->node[f].lo;
	m = memo_of(s, OP_WITH, f, var, value);
	if (is_memo(m, OP_WITH, f, var, value))
		return m->r;
	lo = dd_with(s, s->node[f].lo, var, value);
	hi = dd_with(s, s->node[f].hi, var, value);
	return note(s, OP_WITH, f, var, value, branch(s, own, lo, hi));
}

dd dd_compose(struct dds *s, dd f, uint32_t var, dd g)
{
	return dd_ite(s, g, dd_with(s, f, var, true), dd_with(s, f, var, false));
}

static dd exists_in(struct dds *s, uint32_t op, dd f, const bool *which)
{
	const uint32_t var = s->node[f].var;
	const struct dd_memo *m;
	dd lo, hi;

	if (dd_is_leaf(s, f))
		return f;
	if (s->is_full)
		return DD_FALSE;
	m = memo_of(s, op, f, 0, 0);
	if (is_memo(m, op, f, 0, 0))
		return m->r;
	lo = exists_in(s, op, s->node[f].lo, which);
	hi = exists_in(s, op, s->node[f].hi, which);
	return note(s, op, f, 0, 0, which[var] ? dd_or(s, lo, hi) : branch(s, var, lo, hi));
}

dd dd_exists(struct dds *s, dd f, const bool *which)
{
	return exists_in(s, ++s->serial, f, which);
}

dd dd_known(const struct dds *s, dd f, const uint8_t *known)
{
	while (!dd_is_leaf(s, f) && known[s->node[f].var] != DD_ANY)
		f = known[s->node[f].var] == DD_IS_1 ? s->node[f].hi : s->node[f].lo;
	return f;
}

/* ---- choices --------------------------------------------------------------------- */

/* A choice under way */
struct choice {
	struct dds *s;
	const uint32_t *var;
	const dd *bit;		/* the variables as conditions */
	uint32_t n_vars;
	const struct dd_case *cases;
	uint32_t op;
};

static bool key_bit(const struct dd_case *c, uint32_t k)
{
	return (c->key[k / 8] >> (7 - k % 8) & 1) != 0;
}

/* The function of a case where its key is */
static dd at_key(const struct choice *o, const struct dd_case *c)
{
	struct dds *s = o->s;
	dd f = c->then;

	for (uint32_t k = 0; k < o->n_vars && !dd_is_leaf(s, f); k++)
		f = dd_with(s, f, o->var[k], key_bit(c, k));
	return f;
}

/* The first of the cases @from..@to - 1, which share the bits before @k, that has bit @k */
static uint32_t first_with(const struct choice *o, uint32_t k, uint32_t from, uint32_t to)
{
	while (from < to) {
		const uint32_t middle = from + (to - from) / 2;

		if (key_bit(&o->cases[middle], k))
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

static dd choose(const struct choice *o, uint32_t k, uint32_t from, uint32_t to, dd other);

/* Something else is asked before variable @k: the choice stands on either side of it */
static dd choose_below(const struct choice *o, uint32_t k, uint32_t from, uint32_t to, dd other)
{
	struct dds *s = o->s;
	const struct dd_memo *m = memo_of(s, o->op + k, other, from, to);
	const uint32_t var = s->node[other].var;
	dd lo, hi;

	if (is_memo(m, o->op + k, other, from, to))
		return m->r;
	lo = choose(o, k, from, to, s->node[other].lo);
	hi = choose(o, k, from, to, s->node[other].hi);
	return note(s, o->op + k, other, from, to, dd_ite(s, dd_var(s, var), hi, lo));
}

static dd choose(const struct choice *o, uint32_t k, uint32_t from, uint32_t to, dd other)
{
	struct dds *s = o->s;
	uint32_t middle;
	dd lo, hi;

	if (from == to)
		return other;
	if (k == o->n_vars)
		return at_key(o, &o->cases[to - 1]);
	if (s->node[other].var < o->var[k])
		return choose_below(o, k, from, to, other);
	middle = first_with(o, k, from, to);
	lo = choose(o, k + 1, from, middle, half(s, other, o->var[k], false));
	hi = choose(o, k + 1, middle, to, half(s, other, o->var[k], true));
	/* What is chosen may ask for variables above this one */
	return dd_ite(s, o->bit[k], hi, lo);
}

static int by_key(const void *x, const void *y, void *len)
{
	const struct dd_case *a = x, *b = y;
	const int order = memcmp(a->key, b->key, *(const size_t *)len);

	return order != 0 ? order : a->rank < b->rank ? -1 : 1;
}

dd dd_cases(struct dds *s, const uint32_t *var, uint32_t n_vars, struct dd_case *cases, uint32_t n,
	    dd other)
{
	struct choice o = { .s = s, .var = var, .n_vars = n_vars, .cases = cases };
	size_t len = (n_vars + 7) / 8;
	dd bit[DD_MOST_KEYS];

	BUG_IF(n_vars > DD_MOST_KEYS);
	for (uint32_t k = 0; k < n_vars; k++) {
		BUG_IF(k > 0 && var[k] <= var[k - 1]);
		bit[k] = dd_var(s, var[k]);
	}
	o.bit = bit;
	o.op = s->serial + 1;
	s->serial += n_vars + 1;
	for (uint32_t i = 0; i < n; i++)
		cases[i].rank = i;
	qsort_r(cases, n, sizeof(*cases), by_key, &len);
	return choose(&o, 0, 0, n, other);
}

/* An operation whose results only it may use */
struct own_op {
	struct dds *s;
	uint32_t op;
	dd_map_fn *map;
	dd_join_fn *join;
	void *arg;
};

static dd map_in(const struct own_op *o, dd f)
{
	struct dds *s = o->s;
	const struct dd_memo *m;
	uint32_t var;
	dd lo, hi;

	if (dd_is_leaf(s, f))
		return dd_leaf(s, o->map(o->arg, dd_value(s, f)));
	if (s->is_full)
		return DD_FALSE;
	m = memo_of(s, o->op, f, 0, 0);
	if (is_memo(m, o->op, f, 0, 0))
		return m->r;
	var = s->node[f].var;
	lo = map_in(o, s->node[f].lo);
	hi = map_in(o, s->node[f].hi);
	return note(s, o->op, f, 0, 0, branch(s, var, lo, hi));
}

dd dd_map(struct dds *s, dd f, dd_map_fn *fn, void *arg)
{
	const struct own_op o = { .s = s, .op = ++s->serial, .map = fn, .arg = arg };

	return map_in(&o, f);
}

static dd join_in(const struct own_op *o, dd f, dd g)
{
	struct dds *s = o->s;
	const uint32_t var = top2(s, f, g);
	const struct dd_memo *m;
	dd lo, hi;

	if (var == DD_NO_VAR)
		return dd_leaf(s, o->join(o->arg, dd_value(s, f), dd_value(s, g)));
	if (s->is_full)
		return DD_FALSE;
	m = memo_of(s, o->op, f, g, 0);
	if (is_memo(m, o->op, f, g, 0))
		return m->r;
	lo = join_in(o, half(s, f, var, false), half(s, g, var, false));
	hi = join_in(o, half(s, f, var, true), half(s, g, var, true));
	return note(s, o->op, f, g, 0, branch(s, var, lo, hi));
}

dd dd_join(struct dds *s, dd f, dd g, dd_join_fn *fn, void *arg)
{
	const struct own_op o = { .s = s, .op = ++s->serial, .join = fn, .arg = arg };

	return join_in(&o, f, g);
}

bool dd_differ(const struct dds *s, dd f, dd g, uint8_t *bit, uint32_t *ret_f, uint32_t *ret_g)
{
	if (f == g)
		return false;
	while (!dd_is_leaf(s, f) || !dd_is_leaf(s, g)) {
		const uint32_t var = top2(s, f, g);
		const bool wish = bit[var] != 0;
		const bool value = half(s, f, var, wish) == half(s, g, var, wish) ? !wish : wish;

		bit[var] = value;
		f = half(s, f, var, value);
		g = half(s, g, var, value);
	}
	*ret_f = dd_value(s, f);
	*ret_g = dd_value(s, g);
	return true;
}

uint32_t dd_at(const struct dds *s, dd f, const uint8_t *bit)
{
	while (!dd_is_leaf(s, f))
		f = bit[s->node[f].var] != 0 ? s->node[f].hi : s->node[f].lo;
	return dd_value(s, f);
}
