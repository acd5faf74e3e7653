/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The model's machine, run once for all packets: instead of one packet that
 * matches a rule or does not, both ways are followed, and a tree says which
 * packets go which.  The candidate ruling is a tree too, so a list of rules where
 * the last match counts needs no second way: a rule that prefers puts a node
 * before the candidate so far and evaluation goes on.  "open" in a candidate
 * stands for what was preferred before the quick anchor that it is in.
 *
 * Where several rules lead to one place, its tree is made once.
 *
 * BPF_TOUCH: a packet that something happens to is accepted there and then, so
 * what goes on is untouched, and no translation is ever looked through.
 */
#include "target/bpf/decide.h"

enum phase { PH_BEFORE, PH_ENTRY, PH_AFTER };

/* Where a call goes back to */
struct frame {
	uint32_t list;
	uint32_t rule;
	const struct bpf_node *cand;
	bool is_quick;
	const struct frame *up;
};

/* A place in the program, and all that decides how it goes on from there */
struct spot {
	uint32_t list;
	uint32_t rule;
	const struct bpf_node *cand;
	const struct frame *up;
	const struct bpf_view *view;
	enum phase phase;
};

struct bpf_memo {
	struct spot at;
	const struct bpf_node *tree;
};

#define FIRST_MEMOS	256u

static const struct bpf_view as_it_is;

static const struct bpf_node *run(struct bpf_decider *d, struct spot p);

/* ---- places seen ---------------------------------------------------------- */

static uint32_t memo_slot(const struct bpf_decider *d, const struct spot *p)
{
	uint64_t h = p->list * UINT64_C(0x9e3779b97f4a7c15) + p->rule;

	h = (h ^ (uintptr_t)p->cand) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ (uintptr_t)p->up ^ (uintptr_t)p->view << 7) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32) & (d->n_slots - 1);
}

static bool is_same(const struct spot *x, const struct spot *y)
{
	return x->list == y->list && x->rule == y->rule && x->cand == y->cand &&
	       x->up == y->up && x->view == y->view && x->phase == y->phase;
}

static struct bpf_memo *memo_find(struct bpf_decider *d, const struct spot *p)
{
	uint32_t i = memo_slot(d, p);

	while (d->memo[i].tree != NULL && !is_same(&d->memo[i].at, p))
		i = (i + 1) & (d->n_slots - 1);
	return &d->memo[i];
}

static void memo_add(struct bpf_decider *d, const struct spot *p, const struct bpf_node *tree)
{
	const struct bpf_memo *old = d->memo;
	const uint32_t n_old = d->n_slots;

	*memo_find(d, p) = (struct bpf_memo){ *p, tree };
	if (++d->n_memo <= n_old / 2)
		return;
	d->n_slots *= 2;
	d->memo = arena_array(d->t->a, struct bpf_memo, d->n_slots);
	for (uint32_t i = 0; i < n_old; i++)
		if (old[i].tree != NULL)
			*memo_find(d, &old[i].at) = old[i];
}

/* ---- answers -------------------------------------------------------------- */

static const struct bpf_node *leaf(const struct bpf_decider *d, bool passes)
{
	return passes != d->is_touch ? &bpf_yes : &bpf_no;
}

static const struct bpf_node *ruling_tree(struct bpf_decider *d, const struct ruling *r)
{
	const bool is_touched = r->verdict != V_PASS ||
				(r->keep && d->m->discipline == STATES_DIRECTED);
	const struct bpf_node *passes = leaf(d, true);

	if (d->is_touch ? is_touched : r->verdict != V_PASS)
		return leaf(d, false);
	if (!d->m->drops_opts || r->allow_opts)
		return passes;
	return bpf_node_make(d->t, BF_OPTS, set_one(d->t->a, 1), leaf(d, false), passes);
}

/* What passes is judged by the list behind too */
static const struct bpf_node *finish(struct bpf_decider *d, const struct spot *p,
				     const struct bpf_node *n)
{
	const uint32_t list = d->m->after[d->dir];
	const struct bpf_node *after;

	if (p->phase == PH_AFTER || list == LIST_NONE)
		return n;
	after = run(d, (struct spot){ .list = list, .cand = &bpf_open, .view = p->view,
				       .phase = PH_AFTER });
	return d->is_touch ? bpf_replace(d->t, n, &bpf_yes, after, &bpf_open)
			   : bpf_replace(d->t, n, after, &bpf_no, &bpf_open);
}

static const struct bpf_node *settle(struct bpf_decider *d, const struct spot *p)
{
	const struct bpf_node *n = p->cand;

	for (const struct frame *f = p->up; f != NULL; f = f->up)
		if (f->is_quick)
			n = bpf_replace(d->t, n, &bpf_yes, &bpf_no, f->cand);
	n = bpf_replace(d->t, n, &bpf_yes, &bpf_no, ruling_tree(d, &d->m->otherwise));
	return finish(d, p, n);
}

/* Behind the last rule of a list */
static const struct bpf_node *end_of_list(struct bpf_decider *d, const struct spot *p)
{
	const struct frame *f = p->up;
	struct spot back = *p;
	const struct bpf_node *rest;

	if (f == NULL && p->phase == PH_AFTER)
		return leaf(d, true);
	if (f == NULL && p->phase == PH_ENTRY)
		return settle(d, p);
	if (f == NULL) {
		back.list = d->m->entry[d->dir];
		back.rule = 0;
		back.phase = PH_ENTRY;
		return run(d, back);
	}
	back.list = f->list;
	back.rule = f->rule;
	back.up = f->up;
	if (!f->is_quick)
		return run(d, back);
	back.cand = f->cand;
	rest = run(d, back);
	return bpf_replace(d->t, p->cand, finish(d, p, &bpf_yes), finish(d, p, &bpf_no), rest);
}

/* ---- what a rule does ----------------------------------------------------- */

/* Does it translate packets of the family at all */
static bool has_family(const struct bpf_decider *d, const struct xlate *x)
{
	if (x->kind == XL_MAP)
		return true;	/* its rule matches what a row names */
	for (uint32_t i = 0; i < x->to.n; i++)
		if (x->to.v[i].af == d->af)
			return true;
	return false;
}

static const struct set *targets(struct bpf_decider *d, const struct xlate *x)
{
	struct ranges rs = { 0 };

	for (uint32_t i = 0; i < x->to.n; i++) {
		const struct range r = xlate_range(x, i);

		if (r.af == d->af)
			ranges_add(d->t->a, &rs, r.af, r.lo, r.hi);
	}
	return set_make(d->t->a, &rs);
}

/* The packet behind a translation by a row of a table, @to and @x of its own */
static void translate_row(struct bpf_decider *d, struct bpf_view *v, const struct rule *r)
{
	const struct portmap_row *row = d->row;
	struct xlate *x = arena_new(d->t->a, struct xlate);

	if (addr_equal(r->map->outside[row->outside], r->map->inside.v[row->inside]))
		bpf_cannot(d, r, "whether this translation changes anything");
	x->port = row->is_one ? XP_TO : XP_SHIFT;
	x->from = row->lo;
	x->lo = row->to;
	x->hi = row->is_one ? row->to : (uint16_t)(row->to + (row->hi - row->lo));
	v->dst = set_addr(d->t->a, r->map->inside.v[row->inside]);
	v->dport = x;
}

/* The packet behind a translation; where that may change nothing it is refused */
static void translate(struct bpf_decider *d, struct spot *p, const struct rule *r,
		      const struct effect *e)
{
	const struct xlate *x = &d->m->xlates.v[e->xlate];
	struct bpf_view *v = arena_new(d->t->a, struct bpf_view);
	const struct set *to, *from = rule_tests(r, x->kind == XL_DST ? F_DST : F_SRC);

	if (x->kind == XL_INSTANCE) {
		bpf_cannot(d, r, "what a nat instance remembers");
		return;
	}
	*v = *p->view;
	p->view = v;
	if (x->kind == XL_MAP) {
		translate_row(d, v, r);
		return;
	}
	to = targets(d, x);
	if ((from == NULL || set_overlaps(from, to)) && e->list != LIST_NONE &&
	    (r->exit != EX_GOTO || r->list != e->list))
		bpf_cannot(d, r, "whether this translation changes anything");
	if (x->kind == XL_DST) {
		v->dst = to;
		v->dport = x->port == XP_KEEP ? v->dport : x;
	} else {
		v->src = to;
		v->sport = x->port == XP_KEEP ? v->sport : x;
	}
}

/* BPF_TOUCH: does the effect do something that is seen or remembered */
static bool effect_touches(const struct bpf_decider *d, const struct rule *r,
			   const struct effect *e)
{
	const struct scrub *s;

	switch (e->kind) {
	case EF_LOG:
	case EF_RECORD:
		return true;
	case EF_TRANSLATE:
		return d->m->xlates.v[e->xlate].kind == XL_INSTANCE ? d->af == AF_V4 :
		       has_family(d, &d->m->xlates.v[e->xlate]);
	case EF_SCRUB:
	case EF_MEND:
		s = &d->m->scrubs.v[e->scrub];
		return s->max_mss > 0 || s->min_ttl > 0 || s->no_df || s->tos >= 0;
	case EF_PREFER:
		return rule_has_effect(r, EF_LOG) != NULL || e->ruling.mend != 0;
	default:
		return false;
	}
}

/* A logging rule whose ruling is only preferred logs only if that stands */
static bool is_late_log(const struct rule *r, const struct effect *e)
{
	return e->kind == EF_LOG && rule_has_effect(r, EF_PREFER) != NULL;
}

/*
 * The effects of a rule that matched, at *@p: the candidate and the packet as they
 * are then; a tree where evaluation goes elsewhere for good, else NULL.
 */
static const struct bpf_node *do_effects(struct bpf_decider *d, struct spot *p,
					 const struct rule *r)
{
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const struct effect *e = &r->effects.v[i];
		const bool touches = d->is_touch && effect_touches(d, r, e);

		if (e->kind == EF_PREFER) {
			p->cand = touches ? &bpf_yes : ruling_tree(d, &e->ruling);
			continue;
		}
		if (is_late_log(r, e))
			continue;
		if (touches)
			return &bpf_yes;
		if (e->kind == EF_SCRUB && d->m->scrubs.v[e->scrub].tos >= 0)
			bpf_cannot(d, r, "a type of service that rules set");
		if (e->kind != EF_TRANSLATE)
			continue;
		if (d->m->xlates.v[e->xlate].kind != XL_INSTANCE &&
		    !has_family(d, &d->m->xlates.v[e->xlate])) {
			if (e->list == LIST_NONE)
				continue;
			p->list = e->list;
			p->rule = 0;
			return run(d, *p);
		}
		if (!d->is_touch)
			translate(d, p, r, e);
	}
	return NULL;
}

static const struct bpf_node *do_call(struct bpf_decider *d, struct spot p,
				      const struct rule *r)
{
	struct frame *f = arena_new(d->t->a, struct frame);

	*f = (struct frame){ p.list, p.rule + 1, p.cand, r->is_quick, p.up };
	p.up = f;
	p.list = r->list;
	p.rule = 0;
	if (r->is_quick)
		p.cand = &bpf_open;
	return run(d, p);
}

/* Where the exit of a matching rule leads; NULL: to the next */
static const struct bpf_node *do_exit(struct bpf_decider *d, struct spot p,
				      const struct rule *r)
{
	switch (r->exit) {
	case EX_NEXT:
		return NULL;
	case EX_CALL:
		return do_call(d, p, r);
	case EX_GOTO:
		p.list = r->list;
		p.rule = 0;
		return run(d, p);
	case EX_RETURN:
		return end_of_list(d, &p);
	case EX_DECIDE:
		return finish(d, &p, ruling_tree(d, &r->ruling));
	case EX_SETTLE:
		return settle(d, &p);
	}
	BUG_IF(true);
}

/* Ways that some packets take out of a list */
struct way {
	struct bpf_cond c;
	const struct bpf_node *to;
};

struct ways {
	VEC(struct way) list;
};

/* The rule at @p matched: the tree, or NULL when only the candidate changed */
static const struct bpf_node *matched(struct bpf_decider *d, const struct spot *p,
				      const struct rule *r, const struct bpf_node **cand)
{
	struct spot then = *p;
	const struct bpf_node *n = do_effects(d, &then, r);

	if (n == NULL)
		n = do_exit(d, then, r);
	if (n == NULL && then.view != p->view) {
		then.rule++;
		n = run(d, then);
	}
	*cand = then.cand;
	return n;
}

/* Where the packets of @c go from a rule; a tree when that is all of them */
static const struct bpf_node *follow(struct bpf_decider *d, struct spot *p, const struct rule *r,
				     struct bpf_cond c, struct ways *ways)
{
	const struct bpf_node *to, *cand;

	d->steps++;
	if (c.never)
		return NULL;
	to = matched(d, p, r, &cand);
	if (to == NULL && cand != p->cand)
		p->cand = bpf_cond_tree(d, &c, cand, p->cand);
	if (to == NULL)
		return NULL;
	vec_add(d->t->a, &ways->list, ((struct way){ c, to }));
	if (c.maybe || bpf_cond_tree(d, &c, &bpf_yes, &bpf_no) != &bpf_yes)
		return NULL;
	return to;
}

/* Each row of a rule's table is a rule; BPF_TOUCH: all of one address and protocol are */
static void follow_rows(struct bpf_decider *d, struct spot *p, const struct rule *r,
			struct ways *ways)
{
	struct arena *a = d->t->a;

	for (uint32_t i = 0; i < r->map->rows.n && !d->failed; i++) {
		const struct portmap_row *row = &r->map->rows.v[i], *first = row;
		struct bpf_cond c = bpf_cond_of(d, p->view, r);
		struct ranges ports = { 0 };

		ranges_add(a, &ports, AF_NONE, row->lo, row->hi);
		while (d->is_touch && i + 1 < r->map->rows.n && row[1].proto == first->proto &&
		       row[1].outside == first->outside) {
			row = &r->map->rows.v[++i];
			ranges_add(a, &ports, AF_NONE, row->lo, row->hi);
		}
		bpf_cond_add(d, &c, BF_PROTO, set_one(a, first->proto));
		bpf_cond_add(d, &c, BF_DST, set_addr(a, r->map->outside[first->outside]));
		bpf_cond_add(d, &c, BF_DPORT, set_make(a, &ports));
		d->row = first;
		follow(d, p, r, c, ways);
	}
}

static const struct bpf_node *run_list(struct bpf_decider *d, struct spot p)
{
	const struct rule_list *l = &d->m->lists.v[p.list];
	struct ways ways = { .list = { 0 } };
	const struct bpf_node *n = NULL;

	for (; p.rule < l->rules.n && n == NULL && !d->failed; p.rule++) {
		const struct rule *r = &l->rules.v[p.rule];

		if (r->map != NULL)
			follow_rows(d, &p, r, &ways);
		else
			n = follow(d, &p, r, bpf_cond_of(d, p.view, r), &ways);
	}
	if (n == NULL)
		n = d->failed ? &bpf_no : end_of_list(d, &p);
	for (uint32_t i = ways.list.n; i-- > 0;)
		n = bpf_cond_tree(d, &ways.list.v[i].c, ways.list.v[i].to, n);
	return n;
}

static const struct bpf_node *run(struct bpf_decider *d, struct spot p)
{
	const struct bpf_memo *seen = memo_find(d, &p);
	const struct bpf_node *n;

	if (seen->tree != NULL)
		return seen->tree;
	if (d->steps > BPF_MAX_STEPS || d->depth > BPF_MAX_DEPTH)
		d->t->is_full = d->failed = true;
	if (d->failed || d->t->is_full)
		return &bpf_no;
	d->depth++;
	n = run_list(d, p);
	d->depth--;
	memo_add(d, &p, n);
	return n;
}

const struct bpf_node *bpf_decide(struct bpf_decider *d)
{
	const uint32_t before = d->m->before[d->dir];
	struct spot start = {
		.list = before != LIST_NONE ? before : d->m->entry[d->dir],
		.cand = &bpf_open, .view = &as_it_is,
		.phase = before != LIST_NONE ? PH_BEFORE : PH_ENTRY,
	};

	d->n_slots = FIRST_MEMOS;
	d->n_memo = 0;
	d->memo = arena_array(d->t->a, struct bpf_memo, d->n_slots);
	return run(d, start);
}
