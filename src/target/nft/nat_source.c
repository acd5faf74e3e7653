/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Source translations that differ only in whose packets they are for and in the
 * address that these get are one map, source -> address, behind the tests that all
 * have: the cost of a packet does not grow with their number, and the kernel makes
 * six rules for all instead of six for each (`make bench`, pf-nat-10k-check).
 *
 * Single sources are a hash; of two rules with one source the first counts.
 * Networks are an interval map, asked for the source twice for the reason that
 * merge.c gives, and a rule that meets one before it begins a run of its own.
 *
 * A table's rule stays a rule, as its set is filled while the rules stay, and so does
 * one that logs, tags, passes or ends at some time, as in nat_run.c.
 */
#include "target/nft/directed.h"

#include <string.h>

#define RULES_MIN	8u	/* fewer cost no more than the look-up */
#define ELEMS_MAX	64u	/* of one rule */
#define RANGES_MAX	1024u	/* in one map: to fill it is no longer linear */

/* A run being gathered */
struct gathered {
	struct frame *f;
	const struct rule *first;
	struct nft_tests t;
	bool has_ranges;
	VEC(struct range) ranges;
};

static bool has_ranges(const struct set *s)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (s->r[i].lo != s->r[i].hi)
			return true;
	return false;
}

static const struct effect *translation_of(const struct rule *r)
{
	return r->effects.n == 1 && r->effects.v[0].kind == EF_TRANSLATE ? r->effects.v : NULL;
}

static bool fits(const struct frame *f, const struct rule *r)
{
	const struct effect *e = translation_of(r);
	const struct set *src = rule_tests(r, F_SRC);
	const struct xlate *x;

	if (e == NULL || src == NULL || r->prob != 0 || r->until_s != 0 ||
	    (r->exit != EX_GOTO && r->exit != EX_RETURN))
		return false;
	x = &f->m->xlates.v[e->xlate];
	return x->kind == XL_SRC && x->to.n == 1 && x->pool != POOL_BITMASK &&
	       src->name == NULL && src->n > 0 && src->n <= ELEMS_MAX &&
	       set_families(src) == (x->to.v[0].af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6);
}

static bool same_tests(const struct nft_tests *x, const struct nft_tests *y)
{
	for (int f = 0; f < N_FIELDS; f++) {
		const struct set *a = x->f[f], *b = y->f[f];

		if (f == F_SRC || a == b)
			continue;
		/* Equal sets of different tables are not the same */
		if (a == NULL || b == NULL || a->name != b->name || !set_equal(a, b))
			return false;
	}
	return true;
}

static bool same_translation(const struct frame *f, const struct rule *x, const struct rule *y)
{
	const struct xlate *a = &f->m->xlates.v[translation_of(x)->xlate];
	const struct xlate *b = &f->m->xlates.v[translation_of(y)->xlate];

	return x->exit == y->exit && x->list == y->list &&
	       translation_of(x)->list == translation_of(y)->list &&
	       a->to.v[0].af == b->to.v[0].af && a->port == b->port && a->lo == b->lo &&
	       a->hi == b->hi;
}

static bool meets_run(const struct gathered *w, const struct set *src)
{
	for (uint32_t i = 0; i < w->ranges.n; i++)
		for (uint32_t k = 0; k < src->n; k++)
			if (w->ranges.v[i].lo <= src->r[k].hi && src->r[k].lo <= w->ranges.v[i].hi)
				return true;
	return false;
}

/* Does a rule join the run; the first one says what it is a run of */
static bool joins(struct gathered *w, const struct rule *r)
{
	struct frame *f = w->f;
	const struct set *src;
	struct nft_tests t;

	if (!fits(f, r))
		return false;
	t = nft_tests_of(r);
	src = t.f[F_SRC];
	if (w->first == NULL) {
		w->first = r;
		w->t = t;
		w->has_ranges = has_ranges(src);
	}
	if (!same_translation(f, w->first, r) || !same_tests(&w->t, &t))
		return false;
	if (!w->has_ranges)
		return !has_ranges(src);
	if (w->ranges.n + src->n > RANGES_MAX || meets_run(w, src))
		return false;
	for (uint32_t i = 0; i < src->n; i++)
		vec_add(f->p->tmp, &w->ranges, src->r[i]);
	return true;
}

static struct nft_set *make_map(const struct gathered *w, bool v6)
{
	const enum nft_type addr = v6 ? NFT_T_IP6 : NFT_T_IP4;
	const enum nft_type keys[] = { addr, addr };
	struct nft_set *map = (w->has_ranges ? nft_add_ranges : nft_add_map)(
		w->f->p, NFT_INET, "sources", keys, w->has_ranges ? 2 : 1);

	map->datas[0] = addr;
	map->n_datas = 1;
	map->is_counted = true;
	nft_set_seal(map);
	return map;
}

/* The sources of a rule as elements */
static void add_elems(const struct gathered *w, const struct rule *r, struct nft_set *map,
		      struct nft_keys_seen *seen)
{
	struct nft_program *p = w->f->p;
	const struct addr to = w->f->m->xlates.v[translation_of(r)->xlate].to.v[0];
	const struct set *src = rule_tests(r, F_SRC);
	const enum nft_type type = map->datas[0];
	struct nft_elem e = { .comment = nft_comment(p, &r->origin), .origin = NFT_NO_ORIGIN };

	if (e.comment != NULL)
		e.origin = nft_origin(p, &r->origin);
	memcpy(e.data, nft_value_num(type, to.v).b, map->data_len);
	for (uint32_t i = 0; i < src->n; i++) {
		const struct nft_value lo = nft_value_num(type, src->r[i].lo);
		const struct nft_value hi = nft_value_num(type, src->r[i].hi);
		uint8_t *end = e.key + NFT_VALUE_BYTES;

		if (w->has_ranges)
			e.key_end = end = arena_alloc(p->a, NFT_CONCAT_BYTES);
		for (uint32_t k = 0; k < map->n_keys; k++) {
			memcpy(e.key + (size_t)k * lo.len, lo.b, lo.len);
			memcpy(end + (size_t)k * hi.len, hi.b, hi.len);
		}
		nft_elem_once(p->a, seen, map, &e);
	}
}

bool directed_source_run(struct frame *f, uint32_t list, uint32_t first, struct source_run *ret)
{
	const struct rule_list *l = &f->m->lists.v[list];
	struct gathered w = { .f = f };
	struct nft_keys_seen seen = { 0 };
	uint32_t end = first;
	struct nft_set *map;

	while (end < l->rules.n && joins(&w, &l->rules.v[end]))
		end++;
	if (end - first < RULES_MIN)
		return false;
	map = make_map(&w, f->m->xlates.v[translation_of(w.first)->xlate].to.v[0].af == AF_V6);
	for (uint32_t i = first; i < end; i++)
		add_elems(&w, &l->rules.v[i], map, &seen);
	if (!map->is_interval)
		nft_set_say_size(map);
	else
		map->size = 0;
	*ret = (struct source_run){ .n_rules = end - first, .map = map };
	return true;
}
