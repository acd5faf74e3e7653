/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Whether rules exclude each other is asked of more and more of them, twice as many
 * each time, until two meet: what comes before the later of the two is a run and the
 * search goes on behind.  One question is a sweep: rules in the order of the field
 * with the most values, each compared with those that are not over yet.  Asking of
 * all rules from the start on, and again behind each pair that meets, took quadratic
 * time where pairs meet often.
 */
#include "target/nft/merge.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW		16u	/* rules that are asked about first */
#define RANGES_WINDOW	256u	/* at most with ranges: to fill their maps is no longer linear */
#define COMPARES	128u	/* for each rule of a window, then it is too large */

/* Do all rules of two shapes exclude each other by a value that neither varies */
static bool exclude(const struct shape *x, const struct shape *y)
{
	for (uint32_t i = 0; i < merge_n_tests(x->first); i++) {
		const struct nft_stmt *a = merge_stmt(x->first, i);

		if (!merge_has_values(a) || (x->varies >> i & 1) != 0)
			continue;
		for (uint32_t k = 0; k < merge_n_tests(y->first); k++) {
			const struct nft_stmt *b = merge_stmt(y->first, k);

			if (merge_has_values(b) && (y->varies >> k & 1) == 0 &&
			    merge_key(a) == merge_key(b) && !merge_values_meet(a, b))
				return true;
		}
	}
	return false;
}

static bool excludes_others(const struct merger *w, const struct shape *s)
{
	for (uint32_t i = 0; i < w->n_shapes; i++)
		if (w->shapes[i].first != s->first && !exclude(&w->shapes[i], s))
			return false;
	return true;
}

/* Is there room in a key for all that varies */
static bool has_room(const struct shape *s)
{
	uint32_t len = 0, n = 0;

	for (uint32_t k = 0; k < merge_n_tests(s->first); k++)
		if ((s->varies >> k & 1) != 0) {
			len += (merge_len(merge_key(merge_stmt(s->first, k))) + 3u) / 4 * 4;
			n++;
		}
	return n <= NFT_KEYS_MAX && len <= NFT_CONCAT_BYTES;
}

static uint32_t differences(const struct nft_rule *x, const struct nft_rule *y)
{
	uint32_t bits = 0;

	for (uint32_t k = 0; k < merge_n_tests(x); k++)
		if (merge_may_vary(merge_stmt(x, k)) &&
		    !merge_same_values(merge_stmt(x, k), merge_stmt(y, k)))
			bits |= 1u << k;
	return bits;
}

static bool take_into(struct merger *w, uint32_t shape, const struct nft_rule *r)
{
	struct shape with = w->shapes[shape];

	with.varies |= differences(with.first, r);
	if (with.varies != w->shapes[shape].varies &&
	    (!has_room(&with) || !excludes_others(w, &with)))
		return false;
	with.n_rules++;
	w->shapes[shape] = with;
	return true;
}

/* The rule at the end of the window joins it */
static bool take(struct merger *w)
{
	const struct nft_rule *r = &w->rules[w->end];
	const struct shape fresh = { .first = r, .n_rules = 1 };

	if (!merge_has_shape(r))
		return false;
	for (uint32_t i = 0; i < w->n_shapes; i++)
		if (merge_same_shape(w->shapes[i].first, r)) {
			w->of[w->end] = (uint8_t)i;
			return take_into(w, i, r);
		}
	if (w->n_shapes == MERGE_SHAPES || !excludes_others(w, &fresh))
		return false;
	w->of[w->end] = (uint8_t)w->n_shapes;
	w->shapes[w->n_shapes++] = fresh;
	return true;
}

/* As many rules as can be taken, up to @end */
static void gather(struct merger *w, uint32_t end)
{
	w->n_shapes = 0;
	for (w->end = w->start; w->end < end && take(w); w->end++)
		;
}

/* ---- do they exclude each other ------------------------------------------------- */

/* What qsort() cannot be told: by which statement of which rules */
struct sort_key {
	uint32_t rule;
	struct values v;
};

static int by_lo(const void *x, const void *y)
{
	const struct sort_key *a = x, *b = y;
	const int order = memcmp(a->v.lo, b->v.lo, sizeof(a->v.lo));

	return order != 0 ? order : a->rule < b->rule ? -1 : a->rule > b->rule;
}

/* From the lowest to the highest value of a test */
static struct values hull(const struct nft_stmt *s)
{
	struct values v = merge_value(s, 0);

	for (uint32_t i = 1; i < merge_n_values(s); i++) {
		const struct values more = merge_value(s, i);

		if (memcmp(more.lo, v.lo, sizeof(v.lo)) < 0)
			memcpy(v.lo, more.lo, sizeof(v.lo));
		if (memcmp(more.hi, v.hi, sizeof(v.hi)) > 0)
			memcpy(v.hi, more.hi, sizeof(v.hi));
	}
	return v;
}

/* The rules of a shape, sorted by a statement; how many begin where the one before does not */
static uint32_t sort_by(const struct merger *w, uint32_t shape, uint32_t k, struct sort_key *ret)
{
	uint32_t n = 0, n_other = 1;

	for (uint32_t i = w->start; i < w->end; i++)
		if (w->of[i] == shape)
			ret[n++] = (struct sort_key){ i, hull(merge_stmt(&w->rules[i], k)) };
	qsort(ret, n, sizeof(*ret), by_lo);
	for (uint32_t i = 1; i < n; i++)
		n_other += memcmp(ret[i].v.lo, ret[i - 1].v.lo, sizeof(ret->v.lo)) != 0;
	return n_other;
}

static bool rules_meet(const struct merger *w, const struct shape *s, uint32_t i, uint32_t j)
{
	for (uint32_t k = 0; k < merge_n_tests(s->first); k++)
		if ((s->varies >> k & 1) != 0 &&
		    !merge_values_meet(merge_stmt(&w->rules[i], k), merge_stmt(&w->rules[j], k)))
			return false;
	return true;
}

/* The first rule of a shape that meets one before it, or the end of the window */
static uint32_t sweep(struct merger *w, const struct shape *s, const struct sort_key *sorted)
{
	uint32_t first = w->end, n_open = 0;

	for (uint32_t i = 0; i < s->n_rules; i++) {
		uint32_t n = 0;

		for (uint32_t o = 0; o < n_open; o++) {
			const struct sort_key *x = &sorted[w->open[o]];
			const uint32_t later = MAX(x->rule, sorted[i].rule);

			if (memcmp(x->v.hi, sorted[i].v.lo, sizeof(x->v.hi)) < 0)
				continue;
			w->open[n++] = w->open[o];
			if (w->compares == 0)
				return w->start;
			w->compares--;
			if (later < first && rules_meet(w, s, x->rule, sorted[i].rule))
				first = later;
		}
		n_open = n;
		w->open[n_open++] = i;
	}
	return first;
}

static uint32_t first_conflict_of(struct merger *w, uint32_t shape, struct sort_key *sorted)
{
	const struct shape *s = &w->shapes[shape];
	uint32_t best = 0, most = 0;

	for (uint32_t k = 0; k < merge_n_tests(s->first); k++) {
		const uint32_t n = (s->varies >> k & 1) != 0 ? sort_by(w, shape, k, sorted) : 0;

		if (n > most) {
			most = n;
			best = k;
		}
	}
	/* Without a difference the second is the first one again */
	(void)sort_by(w, shape, best, sorted);
	return sweep(w, s, sorted);
}

/* As first_conflict_of(), of all shapes; the start of the window: too much to compare */
static uint32_t first_conflict(struct merger *w)
{
	struct sort_key *sorted = arena_array(w->p->tmp, struct sort_key, w->end - w->start + 1);
	uint32_t first = w->end;

	w->compares = (uint64_t)(w->end - w->start) * COMPARES;
	for (uint32_t i = 0; i < w->n_shapes; i++)
		if (w->shapes[i].n_rules > 1)
			first = MIN(first, first_conflict_of(w, i, sorted));
	return first;
}

/* May there be more rules in the window */
static bool may_grow(const struct merger *w)
{
	if (w->end == w->n)
		return false;
	for (uint32_t i = w->start; w->end - w->start >= RANGES_WINDOW && i < w->end; i++)
		for (uint32_t k = 0; k < merge_n_tests(&w->rules[i]); k++)
			if ((w->shapes[w->of[i]].varies >> k & 1) != 0 &&
			    merge_has_ranges(merge_stmt(&w->rules[i], k)))
				return false;
	return true;
}

/* Set the window to rules that all exclude each other, or, if there are none, one rule */
void merge_find_run(struct merger *w)
{
	uint32_t size = WINDOW, good = w->start;

	for (;;) {
		const uint32_t want = MIN(w->n, w->start + size);
		uint32_t conflict;

		gather(w, want);
		conflict = first_conflict(w);
		if (conflict == w->end && w->end == want && may_grow(w)) {
			good = w->end;
			size *= 2;
			continue;
		}
		if (conflict != w->end)
			gather(w, MAX(conflict, good));
		return;
	}
}
