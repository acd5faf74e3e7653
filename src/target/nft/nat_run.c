/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Forwards of single addresses and ports become elements of one map per
 * family, l4proto . daddr . dport -> address . port, so that the cost of a
 * packet does not grow with their number.  Rules join while all but these
 * three fields is the same.  Of two rules with one key the first counts, so a
 * later key is left out.
 *
 * A rule that logs stays a rule: log would have to stand between the look-up
 * and the translation.  So does one that might change nothing, if it passes
 * (see nat_rule_pinned()), and one that ends at some time: a rule that asks the
 * clock ends on time with nobody there to take it away, and never too late by a
 * clock that was set.
 */
#include "target/nft/directed.h"

#include <string.h>

#define ADDRS_MAX	1024u		/* of one rule in the map */
#define PORTS_MAX	1024u		/* unless they are shifted, which only a map can */
#define ELEMS_MAX	65536u		/* of one rule */

struct run {
	struct frame *f;
	struct nat_run *ret;
	struct nft_keys_seen seen[2];
};

static uint32_t count(const struct set *s)
{
	u128 n = 0;

	for (uint32_t i = 0; i < s->n; i++) {
		const u128 more = s->r[i].hi - s->r[i].lo;

		if (more >= UINT32_MAX / 2 || n + more + 1 >= UINT32_MAX / 2)
			return UINT32_MAX;
		n += more + 1;
	}
	return (uint32_t)n;
}

static bool same_or_both_null(const struct set *x, const struct set *y)
{
	return x == NULL || y == NULL ? x == y : set_equal(x, y);
}

static bool only_fields(const struct rule *r)
{
	static const unsigned int fields = 1u << F_AF | 1u << F_IFACE | 1u << F_PROTO |
					   1u << F_DST | 1u << F_DPORT | 1u << F_DST_LOCAL;

	for (uint32_t i = 0; i < r->tests.n; i++)
		if ((fields >> r->tests.v[i].f & 1) == 0)
			return false;
	return r->effects.n == 1 && r->effects.v[0].kind == EF_TRANSLATE && r->prob == 0 &&
	       r->until_s == 0;
}

static bool ports_only(const struct set *protos)
{
	for (uint32_t i = 0; i < protos->n; i++)
		for (u128 v = protos->r[i].lo; v <= protos->r[i].hi; v++)
			if (!proto_has_ports((uint8_t)v))
				return false;
	return true;
}

/* The tests of a rule if all its packets can be elements */
static bool fits(struct frame *f, const struct rule *r, struct nft_tests *t)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const struct xlate *x;
	struct nft_tests pinned;
	uint64_t n;

	if (e == NULL || !only_fields(r) ||
	    (r->exit != EX_DECIDE && r->exit != EX_GOTO && r->exit != EX_RETURN) ||
	    (r->exit == EX_DECIDE && !nat_rule_passes(r)))
		return false;
	x = &f->m->xlates.v[e->xlate];
	*t = nft_tests_of(r);
	if (x->kind != XL_DST || x->to.n != 1 || x->pool == POOL_BITMASK || x->port == XP_RANDOM)
		return false;
	if (t->f[F_DST] == NULL || t->f[F_DPORT] == NULL || t->f[F_PROTO] == NULL ||
	    !ports_only(t->f[F_PROTO]))
		return false;
	/* What has another family is not translated, and ends the list all the same */
	if (set_families(t->f[F_DST]) != (x->to.v[0].af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6) ||
	    (t->f[F_AF] != NULL && !set_has(t->f[F_AF], AF_NONE, x->to.v[0].af)))
		return false;
	n = (uint64_t)count(t->f[F_DST]) * count(t->f[F_DPORT]) * count(t->f[F_PROTO]);
	return count(t->f[F_DST]) <= ADDRS_MAX && n > 0 && n <= ELEMS_MAX &&
	       (x->port == XP_SHIFT || count(t->f[F_DPORT]) <= PORTS_MAX) &&
	       !(nat_rule_passes(r) && nat_rule_pinned(f, t, x, x->to.v[0], &pinned));
}

static bool joins(const struct nat_run *run, const struct rule *r, const struct nft_tests *t)
{
	return run->n_rules == 0 ||
	       (run->is_pass == nat_rule_passes(r) &&
		same_or_both_null(run->t.f[F_IFACE], t->f[F_IFACE]) &&
		same_or_both_null(run->t.f[F_DST_LOCAL], t->f[F_DST_LOCAL]));
}

static struct nft_set *add_map(struct frame *f, bool v6)
{
	const enum nft_type addr = v6 ? NFT_T_IP6 : NFT_T_IP4;
	struct nft_set *map = nft_add_map(f->p, NFT_INET, "forwards",
			  (enum nft_type[]){ NFT_T_PROTO, addr, NFT_T_PORT }, 3);

	map->datas[0] = addr;
	map->datas[1] = NFT_T_PORT;
	map->n_datas = 2;
	map->is_counted = true;
	nft_set_seal(map);
	return map;
}

static struct nft_set *map_of(struct run *w, bool v6)
{
	if (w->ret->maps[v6] == NULL)
		w->ret->maps[v6] = add_map(w->f, v6);
	return w->ret->maps[v6];
}

static void add_elem(struct run *w, const struct xlate *x, uint8_t proto, struct addr dst,
		     uint16_t port, const char *comment, uint32_t origin)
{
	const bool v6 = dst.af == AF_V6;
	const uint16_t to = x->port == XP_KEEP ? port
			    : x->port == XP_TO ? x->lo
					       : xlate_shift(x, port);
	struct nft_set *map = map_of(w, v6);
	struct nft_elem e = { .comment = comment, .origin = origin };

	nft_forward_key(e.key, proto, dst, port);
	nft_forward_data(e.data, x->to.v[0], to);
	nft_elem_once(w->f->p->a, &w->seen[v6], map, &e);
}

/* The @i-th member of a set */
static u128 member(const struct set *s, uint32_t i)
{
	for (uint32_t r = 0; r < s->n; r++) {
		const u128 n = s->r[r].hi - s->r[r].lo + 1;

		if (i < n)
			return s->r[r].lo + i;
		i -= (uint32_t)n;
	}
	BUG_IF(true);
}

static void add_rule(struct run *w, const struct rule *r, const struct nft_tests *t)
{
	const struct xlate *x = &w->f->m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate];
	const char *comment = nft_comment(w->f->p, &r->origin);
	const uint32_t origin = comment == NULL ? NFT_NO_ORIGIN : nft_origin(w->f->p, &r->origin);
	const uint32_t n_protos = count(t->f[F_PROTO]);
	const uint32_t n_dsts = count(t->f[F_DST]);
	const uint32_t n_ports = count(t->f[F_DPORT]);

	for (uint32_t p = 0; p < n_protos; p++)
		for (uint32_t d = 0; d < n_dsts; d++)
			for (uint32_t i = 0; i < n_ports; i++)
				add_elem(w, x, (uint8_t)member(t->f[F_PROTO], p),
					 (struct addr){ x->to.v[0].af, member(t->f[F_DST], d) },
					 (uint16_t)member(t->f[F_DPORT], i), comment, origin);
}

/* Is it worth a map: two elements, or what only a map can do */
static bool is_worth_it(struct frame *f, uint32_t list, uint32_t first)
{
	const struct rule_list *l = &f->m->lists.v[list];
	struct nat_run run = { 0 };
	uint64_t n = 0;

	for (uint32_t i = first; i < l->rules.n && n < 2; i++) {
		const struct rule *r = &l->rules.v[i];
		struct nft_tests t;

		if (!fits(f, r, &t) || !joins(&run, r, &t))
			break;
		if (f->m->xlates.v[rule_has_effect(r, EF_TRANSLATE)->xlate].port == XP_SHIFT)
			return true;
		run = (struct nat_run){ .n_rules = 1, .t = t, .is_pass = nat_rule_passes(r) };
		n += (uint64_t)count(t.f[F_DST]) * count(t.f[F_DPORT]) * count(t.f[F_PROTO]);
	}
	return n >= 2;
}

static void fill_run(struct run *w, uint32_t list, uint32_t first)
{
	const struct rule_list *l = &w->f->m->lists.v[list];
	struct nat_run *ret = w->ret;

	for (uint32_t i = first; i < l->rules.n; i++) {
		const struct rule *r = &l->rules.v[i];
		struct nft_tests t;

		if (!fits(w->f, r, &t) || !joins(ret, r, &t))
			break;
		if (ret->n_rules++ == 0) {
			ret->t.f[F_IFACE] = t.f[F_IFACE];
			ret->t.f[F_DST_LOCAL] = t.f[F_DST_LOCAL];
			ret->is_pass = nat_rule_passes(r);
		}
		add_rule(w, r, &t);
	}
	for (int i = 0; i < 2; i++)
		if (ret->maps[i] != NULL)
			nft_set_seal(ret->maps[i]);
}

/* ---- tables ----------------------------------------------------------------------- */

#define RULE_ORIGINS 256u

/* The origins of a table in the program, once; the number of the first */
static uint32_t add_origins(struct frame *f, const struct portmap *map)
{
	const uint32_t first = f->p->origins.n;

	for (uint32_t i = 0; i < f->forwards.n; i++)
		if (f->forwards.v[i].map == map)
			return f->forwards.v[i].set->forwards_origin;
	/* And some of rules, so that these are not the ones that double it */
	vec_reserve(f->p->a, &f->p->origins, first + map->origins.n + RULE_ORIGINS);
	if (map->origins.n > 0)
		memcpy(f->p->origins.v + first, map->origins.v,
		       map->origins.n * sizeof(*map->origins.v));
	f->p->origins.n += map->origins.n;
	return first;
}

static const struct set *outside_set(struct arena *a, const struct portmap *map)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (const struct portmap_row *r = map->rows.v; r < map->rows.v + map->rows.n; r++) {
		const struct addr *to = &map->outside[r->outside];

		if (r == map->rows.v || r->outside != r[-1].outside)
			ranges_add(a, &rs, to->af, to->v, to->v);
	}
	return set_make(a, &rs);
}

static bool has_family(const struct set *addrs, uint8_t af)
{
	for (uint32_t i = 0; i < addrs->n; i++)
		if (addrs->r[i].af == af)
			return true;
	return false;
}

/* The map of a table's rows of one family to addresses in @dst, NULL: of all */
static struct nft_set *forward_set(struct frame *f, const struct portmap *map,
				   const struct set *dst, bool v6)
{
	struct nft_set set = { .forwards = map, .forwards_dst = dst,
			       .forwards_af = v6 ? AF_V6 : AF_V4 };
	struct forward_set *made;

	for (uint32_t i = 0; i < f->forwards.n; i++)
		if (f->forwards.v[i].map == map && same_or_both_null(f->forwards.v[i].dst, dst) &&
		    f->forwards.v[i].set->forwards_af == set.forwards_af)
			return f->forwards.v[i].set;
	set.forwards_origin = add_origins(f, map);
	made = vec_push(f->p->a, &f->forwards);
	*made = (struct forward_set){ map, dst, add_map(f, v6) };
	made->set->forwards = map;
	made->set->forwards_af = set.forwards_af;
	made->set->forwards_dst = dst;
	made->set->forwards_origin = set.forwards_origin;
	made->set->sources = f->p->sources;
	nft_set_seal(made->set);
	return made->set;
}

void directed_map_run(struct frame *f, const struct rule *r, struct nat_run *ret)
{
	const struct nft_tests t = nft_tests_of(r);
	const struct set *dst = t.f[F_DST], *outside = outside_set(f->p->tmp, r->map);

	BUG_IF(r->map == NULL || dst == NULL);
	/* What the rule adds to its table is nothing, as a rule */
	if (set_is_subset(outside, dst))
		dst = NULL;
	else
		outside = set_intersect(f->p->tmp, outside, dst);
	*ret = (struct nat_run){ .n_rules = 1, .is_pass = nat_rule_passes(r) };
	ret->t.f[F_IFACE] = t.f[F_IFACE];
	ret->t.f[F_DST_LOCAL] = t.f[F_DST_LOCAL];
	for (int v6 = 0; v6 < 2; v6++)
		if (has_family(outside, v6 ? AF_V6 : AF_V4))
			ret->maps[v6] = forward_set(f, r->map, dst, v6);
}

bool directed_nat_run(struct frame *f, uint32_t list, uint32_t first, struct nat_run *ret)
{
	struct run w = { .f = f, .ret = ret };

	for (uint32_t i = 0; i < f->runs.n; i++)
		if (f->runs.v[i].list == list && f->runs.v[i].first == first) {
			*ret = f->runs.v[i];
			return true;
		}
	if (!is_worth_it(f, list, first))
		return false;
	*ret = (struct nat_run){ .list = list, .first = first };
	fill_run(&w, list, first);
	vec_add(f->p->a, &f->runs, *ret);
	return true;
}
