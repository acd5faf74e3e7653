/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A list of rules is a chain of nodes, linear in its length; a diagram with an
 * order of fields would be smallest for each packet but may explode with the
 * rules.  What makes it small: a question whose answer the one before it knows
 * is left out, and two questions in a row for one field become one.
 *
 * Nodes are made from the leaves up, so a pass over their numbers in order sees
 * children first, and no tree is too deep for it.
 */
#include "target/bpf/tree.h"

#include <string.h>

#define FIRST_SLOTS	1024u

const struct bpf_node bpf_no = { .f = BF_LEAF, .id = 0 };
const struct bpf_node bpf_yes = { .f = BF_LEAF, .id = 1 };
const struct bpf_node bpf_open = { .f = BF_LEAF, .id = 2 };

void bpf_forest_init(struct bpf_forest *t, struct arena *a)
{
	*t = (struct bpf_forest){ .a = a, .n_slots = FIRST_SLOTS };
	t->slot = arena_array(a, uint32_t, t->n_slots);
	vec_add(a, &t->nodes, &bpf_no);
	vec_add(a, &t->nodes, &bpf_yes);
	vec_add(a, &t->nodes, &bpf_open);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static uint64_t hash_of(const struct bpf_node *n)
{
	uint64_t h = mix(mix(mix(1, n->f), n->yes->id), n->no->id);

	for (uint32_t i = 0; i < n->in->n; i++)
		h = mix(mix(h, (uint64_t)n->in->r[i].lo), (uint64_t)(n->in->r[i].hi));
	return h;
}

static void place(struct bpf_forest *t, uint32_t id)
{
	uint64_t i = hash_of(t->nodes.v[id]) & (t->n_slots - 1);

	while (t->slot[i] != 0)
		i = (i + 1) & (t->n_slots - 1);
	t->slot[i] = id;
}

static void grow(struct bpf_forest *t)
{
	t->n_slots *= 2;
	t->slot = arena_array(t->a, uint32_t, t->n_slots);
	for (uint32_t i = BPF_LEAVES; i < t->nodes.n; i++)
		place(t, i);
}

/* The one node that is like @like */
static const struct bpf_node *node_of(struct bpf_forest *t, const struct bpf_node *like)
{
	uint64_t i = hash_of(like) & (t->n_slots - 1);
	struct bpf_node *n;

	for (; t->slot[i] != 0; i = (i + 1) & (t->n_slots - 1)) {
		const struct bpf_node *x = t->nodes.v[t->slot[i]];

		if (x->f == like->f && x->yes == like->yes && x->no == like->no &&
		    set_equal(x->in, like->in))
			return x;
	}
	if (t->nodes.n >= BPF_MAX_NODES) {
		t->is_full = true;
		return &bpf_no;
	}
	n = arena_new(t->a, struct bpf_node);
	*n = *like;
	n->id = t->nodes.n;
	vec_add(t->a, &t->nodes, n);
	place(t, n->id);
	if (t->nodes.n > t->n_slots / 2)
		grow(t);
	return n;
}

/* Is every number that the field can have in @x or @y */
static bool covers(struct bpf_forest *t, const struct set *x, const struct set *y,
		   const struct set *all)
{
	return set_is_subset(all, set_union(t->a, x, y));
}

/* All numbers that a field can have; addresses: of the family that @in is of */
static const struct set *universe(struct bpf_forest *t, enum bpf_field f, const struct set *in)
{
	switch (f) {
	case BF_OPTS:
		return set_range(t->a, AF_NONE, 0, 1);
	case BF_SRC:
	case BF_DST:
		return set_of_family(t->a, set_all(t->a, SET_ADDR), in->r[0].af);
	case BF_SPORT:
	case BF_DPORT:
	case BF_ICMP:
		return set_all(t->a, SET_U16);
	default:
		return set_all(t->a, SET_U8);
	}
}

/* Leave out what the question before knows; two in a row for one field become one */
static void shorten(struct bpf_forest *t, const struct set *all, struct bpf_node *n)
{
	for (; n->yes->f == n->f;
	     n->yes = set_is_subset(n->in, n->yes->in) ? n->yes->yes : n->yes->no)
		if (!set_is_subset(n->in, n->yes->in) && set_overlaps(n->in, n->yes->in))
			break;
	for (; n->no->f == n->f; n->no = set_is_subset(n->no->in, n->in) ? n->no->no : n->no->yes)
		if (!set_is_subset(n->no->in, n->in) && !covers(t, n->in, n->no->in, all))
			break;
	if (n->no->f == n->f && n->no->yes == n->yes) {
		n->in = set_union(t->a, n->in, n->no->in);
		n->no = n->no->no;
	} else if (n->yes->f == n->f && n->yes->no == n->no) {
		n->in = set_intersect(t->a, n->in, n->yes->in);
		n->yes = n->yes->yes;
	}
}

const struct bpf_node *bpf_node_make(struct bpf_forest *t, enum bpf_field f,
				     const struct set *in, const struct bpf_node *yes,
				     const struct bpf_node *no)
{
	struct bpf_node n = { .f = f, .in = in, .yes = yes, .no = no };
	const struct set *all;

	if (set_is_empty(in))
		return no;
	all = universe(t, f, in);
	if (!t->is_plain)
		shorten(t, all, &n);
	if (n.yes == n.no || set_is_subset(all, n.in))
		return n.yes;
	return node_of(t, &n);
}

const struct bpf_node *bpf_replace(struct bpf_forest *t, const struct bpf_node *n,
				   const struct bpf_node *yes, const struct bpf_node *no,
				   const struct bpf_node *open)
{
	const uint32_t top = n->id;
	bool *wanted = arena_array(t->a, bool, top + 1);
	const struct bpf_node **made = arena_array(t->a, const struct bpf_node *, top + 1);

	wanted[top] = true;
	for (uint32_t i = top; i >= BPF_LEAVES; i--) {
		if (!wanted[i])
			continue;
		wanted[t->nodes.v[i]->yes->id] = true;
		wanted[t->nodes.v[i]->no->id] = true;
	}
	for (uint32_t i = 0; i <= top; i++) {
		const struct bpf_node *x = t->nodes.v[i];

		if (i < BPF_LEAVES)
			made[i] = i == 0 ? no : i == 1 ? yes : open;
		else if (wanted[i])
			made[i] = bpf_node_make(t, x->f, x->in, made[x->yes->id],
						made[x->no->id]);
	}
	return made[top];
}
