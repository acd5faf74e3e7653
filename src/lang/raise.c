/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/raise.h"

#include <stdio.h>

bool raise_refuse(struct raiser *w, struct origin at, const char *what)
{
	if (w->refused == NULL) {
		w->refused = what;
		w->refused_at = at;
	}
	return false;
}

/* ---- addresses -------------------------------------------------------------------------- */

struct taking {
	struct arena *a;
	struct raise_prefixes *to;
};

static void take_prefix(struct prefix p, void *arg)
{
	struct taking *t = arg;

	vec_add(t->a, &t->to->list, p);
}

struct raise_prefixes raise_prefixes(struct arena *a, const struct set *s)
{
	struct raise_prefixes r = { .list = { .n = 0 } };
	struct taking t = { a, &r };

	for (uint32_t i = 0; i < s->n; i++)
		set_to_prefixes(s->r[i], take_prefix, &t);
	return r;
}

const char *raise_prefix(struct arena *a, struct prefix p)
{
	char *buf = arena_alloc(a, ADDR_TEXT_BYTES);

	if (p.len == (p.a.af == AF_V4 ? 32 : 128))
		return addr_print(p.a, buf);
	return prefix_print(p, buf);
}

const char *raise_table(struct raiser *w, const struct set *s, bool *is_new)
{
	struct raise_table t = { .set = s };

	*is_new = false;
	for (uint32_t i = 0; i < w->tables.n; i++)
		if (set_equal(w->tables.v[i].set, s))
			return w->tables.v[i].name;
	*is_new = true;
	t.name = arena_printf(w->a, "t%u", w->tables.n + 1);
	vec_add(w->a, &w->tables, t);
	return t.name;
}

uint8_t raise_family(const struct flat_rule *r)
{
	const unsigned int some = flat_families(r);

	return some == SET_HAS_V4 ? AF_V4 : some == SET_HAS_V6 ? AF_V6 : AF_NONE;
}

/* What of a rule's set of addresses is of its family; NULL: all */
static const struct set *of_family(struct raiser *w, const struct flat_rule *r, enum field f)
{
	const uint8_t af = raise_family(r);
	const struct set *s = r->in[f];

	if (s == NULL)
		return NULL;
	if (af != AF_NONE)
		s = set_of_family(w->a, s, af);
	return set_equal(s, af == AF_NONE ? set_all(w->a, SET_ADDR)
					  : set_of_family(w->a, set_all(w->a, SET_ADDR), af))
		? NULL : s;
}

bool raise_hosts(struct raiser *w, const struct flat_rule *r, enum field f, struct raise_hosts *ret)
{
	const uint8_t af = raise_family(r);

	ret->set = of_family(w, r, f);
	if (ret->set == NULL)
		return false;
	ret->rest = set_complement(w->a, ret->set, SET_ADDR);
	if (af != AF_NONE)
		ret->rest = set_of_family(w->a, ret->rest, af);
	ret->is = raise_prefixes(w->a, ret->set);
	ret->is_not = raise_prefixes(w->a, ret->rest);
	return true;
}

/* ---- interfaces ------------------------------------------------------------------------- */

struct raise_names raise_names(struct raiser *w, const struct set *s)
{
	struct raise_names r = { .is_not = set_has(s, AF_NONE, UINT32_MAX) };

	if (r.is_not)
		s = set_complement(w->a, s, SET_U32);
	for (uint32_t i = 0; i < s->n; i++)
		for (u128 id = s->r[i].lo; id <= s->r[i].hi; id++)
			vec_add(w->a, &r.list, intern_name(w->m->names, (uint32_t)id));
	return r;
}

/* What comes in was received by the interface that it crosses; false: nothing is left */
static bool set_received(struct raiser *w, struct flat_rule *r)
{
	if (r->in[F_RECV] == NULL || r->in[F_DIR] == NULL || !raise_is_one(r->in[F_DIR], DIR_IN))
		return true;
	if (!flat_meet(w->a, r, F_IFACE, r->in[F_RECV]))
		return false;
	r->in[F_RECV] = NULL;
	return true;
}

/* The host's own addresses */
static const struct set *own_addrs(struct raiser *w)
{
	struct ranges rs = { .list = { .n = 0 } };

	ranges_add_set(w->a, &rs, facts_local(w->m->facts));
	ranges_add_prefix(w->a, &rs, (struct prefix){ addr_v4(127, 0, 0, 0), 8 });
	ranges_add(w->a, &rs, AF_V6, 1, 1);
	return set_make(w->a, &rs);
}

/* Put addresses in place of "is the host's own"; false: nothing is left */
static bool set_local(struct raiser *w, struct flat_rule *r)
{
	static const struct { enum field is; enum field of; } both[] = {
		{ F_SRC_LOCAL, F_SRC }, { F_DST_LOCAL, F_DST },
	};

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		const struct set *is = r->in[both[i].is], *own;

		if (is == NULL)
			continue;
		own = own_addrs(w);
		r->in[both[i].is] = NULL;
		if (!flat_meet(w->a, r, both[i].of, set_has(is, AF_NONE, 1) ? own
			       : set_complement(w->a, own, SET_ADDR)))
			return false;
	}
	return true;
}

/* ---- other fields ----------------------------------------------------------------------- */

bool raise_is_one(const struct set *s, u128 v)
{
	return s->n == 1 && s->r[0].lo == v && s->r[0].hi == v;
}

bool raise_may_be(const struct flat_rule *r, uint8_t proto)
{
	return r->in[F_PROTO] == NULL || set_has(r->in[F_PROTO], AF_NONE, proto);
}

const struct set *raise_ported(struct arena *a)
{
	struct ranges rs = { .list = { .n = 0 } };

	for (unsigned int i = 0; i <= UINT8_MAX; i++)
		if (proto_has_ports((uint8_t)i))
			ranges_add(a, &rs, AF_NONE, i, i);
	return set_make(a, &rs);
}

bool raise_known(struct raiser *w, const struct flat_rule *r, uint32_t mask)
{
	for (enum field f = 0; f < N_FIELDS; f++)
		if (r->in[f] != NULL && (mask >> f & 1) == 0)
			return raise_refuse(w, r->origin, arena_printf(w->a, "a test of '%s'",
								       model_fields[f].name));
	return true;
}

enum raise_ready raise_ready(struct raiser *w, struct flat_rule *r, uint32_t mask)
{
	if (!set_local(w, r) || !set_received(w, r))
		return RAISE_NOTHING;
	if (!raise_known(w, r, mask))
		return RAISE_REFUSED;
	if ((r->in[F_SPORT] != NULL || r->in[F_DPORT] != NULL) &&
	    !flat_meet(w->a, r, F_PROTO, raise_ported(w->a)))
		return RAISE_NOTHING;
	return RAISE_RULE;
}

/* How many flag bytes a mask covers that are in @left, 0 if it covers some outside of @is */
static uint32_t covers(const bool *is, const bool *left, struct raise_mask m)
{
	const unsigned int other = ~(unsigned int)m.mask & UINT8_MAX;
	uint32_t n = 0;

	for (unsigned int sub = other;; sub = (sub - 1) & other) {
		if (!is[m.value | sub])
			return 0;
		n += left[m.value | sub];
		if (sub == 0)
			return n;
	}
}

uint32_t raise_masks(const struct set *s, struct raise_mask *ret)
{
	bool is[UINT8_MAX + 1], left[UINT8_MAX + 1];
	uint32_t n = 0;

	for (unsigned int i = 0; i <= UINT8_MAX; i++)
		is[i] = left[i] = set_has(s, AF_NONE, i);
	while (n < RAISE_FLAGS) {
		struct raise_mask best = { 0, 0 };
		uint32_t most = 0;

		/* The widest masks first: 6,561 in all */
		for (unsigned int mask = 0; mask <= UINT8_MAX; mask++)
			for (unsigned int v = mask;; v = (v - 1) & mask) {
				const struct raise_mask m = { (uint8_t)mask, (uint8_t)v };
				const uint32_t c = covers(is, left, m);

				if (c > most) {
					most = c;
					best = m;
				}
				if (v == 0)
					break;
			}
		if (most == 0)
			return n;
		ret[n++] = best;
		for (unsigned int i = 0; i <= UINT8_MAX; i++)
			if ((i & best.mask) == best.value)
				left[i] = false;
	}
	for (unsigned int i = 0; i <= UINT8_MAX; i++)
		if (left[i])
			return 0;
	return n;
}

/* ---- text ------------------------------------------------------------------------------- */

bool raise_text(const struct model *m, const struct flat *f,
		bool (*all)(struct raiser *w, const struct flat *f), FILE *out,
		struct raise_refusal *ret)
{
	CLEANUP(base_free) char *rules = NULL, *head = NULL;
	size_t rules_len = 0, head_len = 0;
	struct raiser w = { .a = m->a, .m = m };
	bool good = false;

	w.out = open_memstream(&rules, &rules_len);
	w.head = open_memstream(&head, &head_len);
	if (w.out != NULL && w.head != NULL)
		good = all(&w, f);
	if (w.out != NULL)
		fclose(w.out);
	if (w.head != NULL)
		fclose(w.head);
	if (good) {
		fwrite(head, 1, head_len, out);
		fwrite(rules, 1, rules_len, out);
	}
	*ret = (struct raise_refusal){ w.refused, w.refused_at };
	return good;
}
