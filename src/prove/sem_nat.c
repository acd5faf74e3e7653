/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * What the first packet of a flow is translated to: the kernel asks once for each
 * flow, and no later packet.  A translation ends this part, whatever comes behind
 * it in the list, as nothing translates twice.
 *
 * Packets with options are translated like others here; that they are refused is
 * said by the filter, which sees the state.
 */
#include "prove/sem.h"

#include <string.h>

#include "prove/headers.h"
#include "prove/logs.h"
#include "prove/sem_table.h"
#include "prove/sticky.h"
#include "prove/tables.h"

/* The number that a pool draws, in variables until it is drawn for the whole */
struct nat_lot {
	uint32_t count;
	bool is_turn;
	uint32_t var;
	uint32_t n_bits;
};

/* A direction's translations being turned into functions */
struct nat {
	struct proof *p;
	struct dds *d;
	enum direction dir;
	dd end;				/* what comes behind all translations */
	bool touches;			/* only whether a rule would translate */
	bool tags;			/* only what tags are given */
	uint8_t *here;			/* what the rule at hand says of single bits */
	bool draws_once;		/* pools of as many addresses draw the same number */
	VEC(struct nat_lot) lots;	/* that are drawn so */
};

/* One rule that translates */
struct nat_rule {
	struct nat *w;
	const struct rule *r;
	uint32_t first;			/* effect behind the translation */
	const uint8_t *here;		/* what is known of its packets */
};

static bool list_has(const struct model *m, uint32_t list, enum effect_kind kind)
{
	for (uint32_t i = 0; i < m->lists.v[list].rules.n; i++) {
		const struct rule *r = &m->lists.v[list].rules.v[i];

		if (rule_has_effect(r, kind) != NULL ||
		    (r->exit == EX_CALL && list_has(m, r->list, kind)))
			return true;
	}
	return false;
}

static bool is_head(const struct model *m, const struct rule *r)
{
	if (r->prob != 0)
		return false;
	if (r->exit == EX_CALL && r->effects.n == 0)
		return list_has(m, r->list, EF_TRANSLATE) || list_has(m, r->list, EF_SCRUB) ||
		       !list_has(m, r->list, EF_PREFER);
	if (r->effects.n == 1 && r->effects.v[0].kind == EF_PROBE && r->exit == EX_NEXT)
		return true;
	return r->exit == EX_DECIDE && r->effects.n == 0 && !r->ruling.keep &&
	       r->ruling.verdict != V_RETURN;
}

uint32_t sem_head(const struct model *m, uint32_t list)
{
	const struct rule_list *l = &m->lists.v[list];
	uint32_t i = 0;

	while (i < l->rules.n && is_head(m, &l->rules.v[i]))
		i++;
	return i;
}

/* What comes behind all translations: where the head of an own list goes */
static bool is_filter(const struct model *m, uint32_t list)
{
	for (int dir = 0; dir < 2; dir++) {
		const struct rule_list *l = &m->lists.v[m->entry[dir]];
		const uint32_t head = sem_head(m, m->entry[dir]);

		if (list == m->entry[dir] ||
		    (head < l->rules.n && l->rules.v[head].exit == EX_GOTO &&
		     l->rules.v[head].list == list))
			return true;
	}
	return list_has(m, list, EF_PREFER);
}

static dd assign_tag(struct nat *w, dd f, const struct effect *e)
{
	struct proof *p = w->p;

	if (p->marks.tags == 0 || e->kind != EF_TAG)
		return f;
	return proof_assign(p, f, P_MARK, p->marks.tags,
			    proof_spread(p->codes[__builtin_ctz(e->tags)], p->marks.tags));
}

/* The flow has a state of each leg that has a bit in @bits, and that the rule's changes */
static dd with_state(const struct nat_rule *n, dd f, uint32_t bits)
{
	struct proof *p = n->w->p;
	struct scrub all = { .tos = -1 };

	for (uint32_t i = 0; i < n->r->effects.n; i++)
		if (n->r->effects.v[i].kind == EF_MEND)
			all = scrub_merge(all, p->m->scrubs.v[n->r->effects.v[i].scrub]);
	for (int dir = 0; dir < 2; dir++)
		if ((bits & p->marks.state[dir]) != 0)
			f = header_keeps(p, f, all, (enum direction)dir);
	return proof_assign(p, f, P_CTMARK, bits, bits);
}

/* The packet was translated: what its rule does then */
static dd translated(void *arg, uint32_t xlate)
{
	const struct nat_rule *n = arg;
	struct nat *w = n->w;
	const uint32_t *state = w->p->marks.state;
	dd f = proof_pass(w->p, xlate);
	uint32_t bits = state[w->dir];

	/* A local caller's destination is translated for both crossings of lo */
	if (w->dir == DIR_OUT && !w->p->o->xlates.v[xlate - 1].is_src)
		bits |= state[DIR_IN];
	if (n->r->exit == EX_DECIDE && n->r->ruling.verdict == V_PASS)
		f = with_state(n, f, bits);
	else if (n->r->exit == EX_DECIDE || n->r->exit == EX_SETTLE)
		return proof_unknown(w->p, "a translation with a verdict");
	for (uint32_t i = n->r->effects.n; i-- > n->first;)
		f = assign_tag(w, f, &n->r->effects.v[i]);
	return f;
}

/* A shift of ports leads to as many places as there are ports */
static dd shifted(struct nat_rule *n, const struct xlate *x, struct proof_to *to)
{
	struct proof *p = n->w->p;
	const enum part part = to->x.is_src ? P_SPORT : P_DPORT;
	const struct set *ports = rule_tests(n->r, to->x.is_src ? F_SPORT : F_DPORT);
	dd r;

	to->has_port = false;
	r = proof_translate(p, to);
	to->has_port = true;
	for (uint32_t i = 0; i < (ports == NULL ? 1 : ports->n); i++) {
		const uint32_t lo = ports == NULL ? 0 : (uint32_t)ports->r[i].lo;
		const uint32_t hi = ports == NULL ? UINT16_MAX : (uint32_t)ports->r[i].hi;

		for (uint32_t port = lo; port <= hi; port++) {
			const dd here = dd_and(p->d, space_ports(&p->s),
					       space_is(&p->s, part, port));

			to->x.lo = to->x.hi = xlate_shift(x, (uint16_t)port);
			r = dd_ite(p->d, here, proof_translate(p, to), r);
		}
	}
	return r;
}

static dd to_one(struct nat_rule *n, const struct xlate *x, struct addr to, dd unchanged)
{
	const u128 low = x->pool == POOL_BITMASK && x->host_bits > 0
				 ? ~prefix_mask(to.af, addr_bits(to.af) - x->host_bits) &
					   prefix_mask(to.af, addr_bits(to.af))
				 : 0;
	struct proof_to go = {
		.x = { .is_src = x->kind == XL_SRC, .af = to.af, .to = to.v & ~low, .own = low },
		.has_port = x->port != XP_KEEP, .then = translated, .arg = n,
		.unchanged = unchanged, .here = n->here,
	};

	if (x->port == XP_SHIFT)
		return shifted(n, x, &go);
	go.x.lo = x->lo;
	go.x.hi = x->port == XP_TO ? x->lo : x->hi;
	go.x.is_random = x->port == XP_RANDOM && x->hi > x->lo;
	if (x->port == XP_RANDOM && x->kind == XL_SRC) {
		go.id_lo = 1;
		go.id_hi = UINT16_MAX;
	}
	return proof_translate(n->w->p, &go);
}

static dd to_member(struct nat_rule *n, const struct xlate *x, struct addr to, dd unchanged)
{
	const dd r = to_one(n, x, to, unchanged);
	const uint32_t number = (uint32_t)(x - n->w->p->m->xlates.v);

	return x->is_sticky ? sticky_note(n->w->p, r, number, to) : r;
}

static uint32_t bits_for(uint32_t count)
{
	uint32_t bits = 0;

	while ((count - 1) >> bits != 0)
		bits++;
	return bits;
}

/* The member whose number the variables from @var on hold; what is too high is the last */
static dd to_numbered(struct nat_rule *n, const struct xlate *x, const struct addr *to,
		      uint32_t n_to, uint32_t var, dd unchanged)
{
	struct proof *p = n->w->p;
	const uint32_t bits = bits_for(n_to);
	dd r = to_member(n, x, to[n_to - 1], unchanged);

	for (uint32_t i = n_to - 1; i-- > 0;) {
		dd is = DD_TRUE;

		for (uint32_t b = bits; b-- > 0;) {
			const dd bit = dd_var(p->d, var + b);

			is = (i >> (bits - 1 - b) & 1) != 0 ? dd_ite(p->d, bit, is, DD_FALSE)
							    : dd_ite(p->d, bit, DD_FALSE, is);
		}
		r = dd_ite(p->d, is, to_member(n, x, to[i], unchanged), r);
	}
	return r;
}

static dd to_hashed(struct nat_rule *n, const struct xlate *x, const struct addr *to, uint32_t n_to,
		    dd unchanged)
{
	struct proof *p = n->w->p;
	uint32_t var;

	if (n_to == 1)
		return to_member(n, x, to[0], unchanged);
	var = space_opaque(&p->s, arena_printf(p->a, "hash of source, %u of %u", x->seed, n_to),
			   bits_for(n_to));
	if (var == DD_NO_VAR)
		return proof_unknown(p, "so many hashes of sources");
	return to_numbered(n, x, to, n_to, var, unchanged);
}

static bool lot_of(struct nat *w, uint32_t count, bool is_turn, uint32_t *ret_var)
{
	struct nat_lot lot = { .count = count, .is_turn = is_turn, .n_bits = bits_for(count) };

	for (uint32_t i = 0; i < w->lots.n; i++)
		if (w->lots.v[i].count == count && w->lots.v[i].is_turn == is_turn) {
			*ret_var = w->lots.v[i].var;
			return true;
		}
	lot.var = space_opaque(&w->p->s, arena_printf(w->p->a, "lot of %u%s", count,
						      is_turn ? ", in turn" : ""), lot.n_bits);
	if (lot.var == DD_NO_VAR)
		return false;
	vec_add(w->p->a, &w->lots, lot);
	*ret_var = lot.var;
	return true;
}

/* @f, when the variables of a lot hold a number */
static dd with_lot(struct nat *w, dd f, const struct nat_lot *lot, uint32_t number)
{
	for (uint32_t b = 0; b < lot->n_bits; b++)
		f = dd_with(w->d, f, lot->var + b, (number >> (lot->n_bits - 1 - b) & 1) != 0);
	return f;
}

static dd draw_lots(struct nat *w, dd f)
{
	for (uint32_t i = 0; i < w->lots.n; i++) {
		const struct nat_lot *lot = &w->lots.v[i];
		dd r = with_lot(w, f, lot, lot->count - 1);

		for (uint32_t k = lot->count - 1; k-- > 0;)
			r = proof_draw(w->p, with_lot(w, f, lot, k), r, 1, lot->count - k,
				       lot->is_turn);
		f = r;
	}
	return f;
}

static dd to_drawn(struct nat_rule *n, const struct xlate *x, const struct addr *to, uint32_t n_to,
		   dd unchanged)
{
	uint32_t var;
	dd r;

	if (n_to > 1 && n->w->draws_once && lot_of(n->w, n_to, x->pool != POOL_RANDOM, &var))
		return to_numbered(n, x, to, n_to, var, unchanged);
	r = to_member(n, x, to[n_to - 1], unchanged);
	for (uint32_t i = n_to - 1; i-- > 0;)
		r = proof_draw(n->w->p, to_member(n, x, to[i], unchanged), r, 1, n_to - i,
			       x->pool != POOL_RANDOM);
	return r;
}

/* A source that has an address keeps it */
static dd to_sticky(struct nat_rule *n, const struct xlate *x, const struct addr *to, uint32_t n_to,
		    dd unchanged)
{
	struct proof *p = n->w->p;
	const uint32_t number = (uint32_t)(x - p->m->xlates.v);
	dd r = x->pool == POOL_SOURCE_HASH ? to_hashed(n, x, to, n_to, unchanged)
					   : to_drawn(n, x, to, n_to, unchanged);

	for (uint32_t i = n_to; i-- > 0;) {
		dd has;

		if (!sticky_has(p, number, to[i], &has))
			return proof_unknown(p, "so many addresses of sticky pools");
		r = dd_ite(p->d, has, to_member(n, x, to[i], unchanged), r);
	}
	return r;
}

static dd to_any(struct nat_rule *n, const struct xlate *x, dd unchanged)
{
	struct proof *p = n->w->p;
	struct addr *to = arena_array(p->a, struct addr, x->to.n + 1);
	uint32_t n_to = 0;

	for (uint32_t i = 0; i < x->to.n; i++)
		if (x->to.v[i].af == p->s.af)
			to[n_to++] = x->to.v[i];
	if (x->kind == XL_INSTANCE)
		return sem_instance(p, n->w->dir, x, translated, n, unchanged);
	if (n_to == 0)
		return unchanged;
	if (x->kind == XL_MAP) {
		struct proof_to go = {
			.x = { .is_src = false, .af = p->s.af }, .has_port = true,
			.then = translated, .arg = n, .unchanged = unchanged,
		};

		return sem_by_map(p, n->r->map, &go);
	}
	if (x->is_sticky && n_to > 1)
		return to_sticky(n, x, to, n_to, unchanged);
	if (x->pool == POOL_SOURCE_HASH)
		return to_hashed(n, x, to, n_to, unchanged);
	return to_drawn(n, x, to, n_to, unchanged);
}

static dd nat_list(struct nat *w, uint32_t list, dd behind);

static dd leave(struct nat *w, const struct rule *r, dd next, dd behind)
{
	switch (r->exit) {
	case EX_NEXT:
		return next;
	case EX_RETURN:
		return behind;
	case EX_CALL:
		return nat_list(w, r->list, next);
	case EX_GOTO:
	case EX_DECIDE:
	case EX_SETTLE:
		return w->end;
	}
	BUG_IF(true);
}

static void know(struct nat *w, enum part part, const struct set *in)
{
	const uint32_t n = space_width(&w->p->s, part);

	for (uint32_t i = 0; in != NULL && in->n == 1 && in->r[0].lo == in->r[0].hi && i < n; i++)
		w->here[space_var(&w->p->s, part, i)] = (in->r[0].lo >> (n - 1 - i) & 1) != 0
								? DD_IS_1 : DD_IS_0;
}

/* What all packets of a rule have in common, if they are of this family */
static const uint8_t *known_of(struct nat *w, const struct rule *r)
{
	memset(w->here, DD_ANY, w->p->s.n_vars);
	know(w, P_PROTO, rule_tests(r, F_PROTO));
	know(w, P_SRC, rule_tests(r, F_SRC));
	know(w, P_DST, rule_tests(r, F_DST));
	know(w, P_SPORT, rule_tests(r, F_SPORT));
	know(w, P_DPORT, rule_tests(r, F_DPORT));
	return w->here;
}

static dd logged(struct nat *w, dd f, const struct rule *r)
{
	const struct effect *e = rule_has_effect(r, EF_TRANSLATE);
	const bool is_rdr = e != NULL && w->p->m->xlates.v[e->xlate].kind == XL_DST;

	if (e == NULL || rule_has_effect(r, EF_LOG) == NULL)
		return f;
	return logs_add(w->p, f, logs_declared(w->p, is_rdr ? "rdr" : "nat", &r->origin));
}

/* A rule's effects from @first on, then its exit */
static dd do_rule(struct nat *w, const struct rule *r, dd next, dd behind)
{
	dd f = leave(w, r, next, behind);

	for (uint32_t i = r->effects.n; i-- > 0;) {
		const struct effect *e = &r->effects.v[i];
		struct nat_rule n = { .w = w, .r = r, .first = i + 1 };

		if (e->kind == EF_TRANSLATE && (w->touches || w->tags)) {
			f = w->touches ? DD_TRUE : w->end;
		} else if (e->kind == EF_TRANSLATE) {
			const dd same = e->list == LIST_NONE ? f : nat_list(w, e->list, behind);

			n.here = known_of(w, r);
			f = to_any(&n, &w->p->m->xlates.v[e->xlate], same);
		} else if (!w->touches) {
			f = assign_tag(w, f, e);
		}
	}
	return w->touches || w->tags ? f : logged(w, f, r);
}

/* The packets of a whole run of exact forwards; all of its rules do the same with them */
static dd do_run(struct nat *w, const struct rule *r, const struct sem_run *run)
{
	const struct nat_rule n = { .w = w, .r = r, .first = r->effects.n };

	return logged(w, translated((void *)(uintptr_t)&n, tables_xlate(w->p, run->table)), r);
}

static dd nat_list(struct nat *w, uint32_t list, dd behind)
{
	const struct rule_list *l = &w->p->m->lists.v[list];
	struct sem_run run;
	dd f = behind;

	if (is_filter(w->p->m, list))
		return w->end;
	for (uint32_t i = l->rules.n; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];
		dd cond;

		if (w->p->by_tables && sem_run_ending(w->p, w->dir, l, i, &run)) {
			f = dd_ite(w->d, run.where, do_run(w, r, &run), f);
			i = run.first;
			continue;
		}
		cond = sem_match(w->p, w->dir, r);
		if (cond != DD_FALSE)
			f = dd_ite(w->d, cond, do_rule(w, r, f, behind), f);
	}
	return f;
}

static dd has_state(struct nat *w)
{
	const uint32_t var = proof_mark_bit(w->p, P_CTMARK, w->p->marks.state[w->dir]);

	return var == DD_NO_VAR ? DD_FALSE : dd_var(w->d, var);
}

/* The head of a language's own list */
static dd own_list(struct nat *w)
{
	const struct rule_list *l = &w->p->m->lists.v[w->p->m->entry[w->dir]];
	const dd end = w->end;
	dd f = end;

	for (uint32_t i = sem_head(w->p->m, w->p->m->entry[w->dir]); i-- > 0;) {
		const struct rule *r = &l->rules.v[i];
		const dd cond = sem_match(w->p, w->dir, r);

		if (r->exit == EX_CALL && list_has(w->p->m, r->list, EF_SCRUB))
			continue;
		if (r->effects.n == 1 && w->touches)
			continue;
		if (r->effects.n == 1 && w->tags) {
			f = dd_ite(w->d, sem_has_state(w->p, w->dir), end, f);
			continue;
		}
		if (r->effects.n == 1)
			f = dd_ite(w->d, dd_and(w->d, cond, has_state(w)), end, f);
		else if (r->exit == EX_CALL)
			f = dd_ite(w->d, cond, nat_list(w, r->list, f), f);
		else
			f = dd_ite(w->d, cond, end, f);
	}
	return f;
}

/* The policy's: fences are not looked at here */
static dd policy_list(struct nat *w, uint32_t list, dd behind)
{
	dd f = behind;

	for (uint32_t i = list == LIST_NONE ? 0 : w->p->m->lists.v[list].rules.n; i-- > 0;) {
		const struct rule *r = &w->p->m->lists.v[list].rules.v[i];

		if (r->exit == EX_CALL)
			f = dd_ite(w->d, sem_match(w->p, w->dir, r), nat_list(w, r->list, f), f);
	}
	return f;
}

dd sem_translations(struct proof *p, enum direction dir, bool local, bool own)
{
	struct nat w = { .p = p, .d = p->d, .dir = dir, .end = proof_pass(p, 0),
			 .here = arena_array(p->a, uint8_t, p->s.n_vars) };
	dd f = w.end;

	/* What leaves a local caller's packet as it is meets its own copy among the rules */
	w.draws_once = local && own;
	if (own)
		f = own_list(&w);
	return draw_lots(&w, local ? policy_list(&w, p->m->before[dir], f) : f);
}

dd sem_late_redirects(struct proof *p, dd unchanged)
{
	struct nat w = { .p = p, .d = p->d, .dir = DIR_IN, .end = unchanged,
			 .here = arena_array(p->a, uint8_t, p->s.n_vars) };

	return policy_list(&w, p->m->after[DIR_IN], unchanged);
}

dd sem_touches(struct proof *p, enum direction dir)
{
	struct nat w = { .p = p, .d = p->d, .dir = dir, .end = DD_FALSE, .touches = true };

	return own_list(&w);
}

dd sem_tagged(struct proof *p, enum direction dir, dd then)
{
	struct nat w = { .p = p, .d = p->d, .dir = dir, .end = then, .tags = true };

	return own_list(&w);
}

bool sem_tags(const struct model *m, enum direction dir)
{
	const uint32_t list = m->entry[dir], head = sem_head(m, list);

	for (uint32_t i = 0; i < head; i++) {
		const struct rule *r = &m->lists.v[list].rules.v[i];

		if (r->exit == EX_CALL && list_has(m, r->list, EF_TAG))
			return true;
	}
	return false;
}
