/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * model_eval() backwards.  A list is a function from what comes behind it to what
 * becomes of a packet that enters it: its rules are taken from the last to the
 * first, and each puts, for the packets that it matches, the function of what it
 * does there.  The last preferred ruling is a number in variables that exist only
 * here; `prefer` assigns it, and at the end it is "none".  So the order of quick
 * and other rules, anchors and calls needs no case of its own.
 *
 * A state that is there is a bit of the connection's mark, read with the direction
 * of the packet in its connection; a state that is made sets it.  What the mark
 * says of a connection that has none is not compared.
 */
#include "prove/sem.h"

#include <string.h>

#define MAX_RULINGS	1000u
#define MAX_QUICK	20u

/* A list that was entered before, with what came behind it then */
struct entered {
	uint32_t list;
	dd behind;
	dd r;
};

/* A direction of the model being turned into functions */
struct sem {
	struct proof *p;
	struct dds *d;
	enum direction dir;
	enum sem_answers answers;
	VEC(struct ruling) rulings;	/* by number - 1 */
	dd settled;			/* the end of the filter */
	dd passed;			/* what becomes of what passes */
	uint32_t n_quick;		/* quick calls that the rule at hand is in */
	bool is_head;			/* ahead of translation */
	VEC(struct entered) entered;
	VEC(uint32_t) draws;		/* by number: the probability, 0: not asked for */
};

/* ---- tests ----------------------------------------------------------------------- */

static dd routes_in(struct sem *w, const struct set *in, bool src)
{
	struct space *s = &w->p->s;
	struct dds *d = w->d;
	const dd here = space_bit(s, P_RPF, 0);
	const dd routed = space_bit(s, src ? P_SROUTE : P_DROUTE, 0);
	const dd cast = space_is(s, src ? P_SCAST : P_DCAST, 0);
	const dd none = dd_and(d, dd_and(d, dd_not(d, routed), cast),
			       dd_not(d, space_local(s, src ? P_SRC : P_DST)));
	const dd is_in[] = {
		[ROUTE_HERE] = set_has(in, AF_NONE, ROUTE_HERE) ? DD_TRUE : DD_FALSE,
		[ROUTE_ELSEWHERE] = set_has(in, AF_NONE, ROUTE_ELSEWHERE) ? DD_TRUE : DD_FALSE,
		[ROUTE_NONE] = set_has(in, AF_NONE, ROUTE_NONE) ? DD_TRUE : DD_FALSE,
	};

	if (!src)
		return dd_ite(d, none, is_in[ROUTE_NONE], is_in[ROUTE_HERE]);
	return dd_ite(d, here, is_in[ROUTE_HERE],
		      dd_ite(d, none, is_in[ROUTE_NONE], is_in[ROUTE_ELSEWHERE]));
}

static dd tags_in(struct sem *w, const struct set *in)
{
	struct proof *p = w->p;
	dd r = set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE;

	for (uint32_t i = 0; i < MODEL_TAGS; i++)
		if (p->codes[i] != 0)
			r = dd_ite(w->d, proof_mark_is(p, P_MARK, p->marks.tags,
						       proof_spread(p->codes[i], p->marks.tags)),
				   set_has(in, AF_NONE, 1u << i) ? DD_TRUE : DD_FALSE, r);
	return r;
}

/* The members of a set of table bits, of which each says whether an address is in a table */
static dd grown_in(struct sem *w, const struct set *in, const char *which)
{
	const struct model *m = w->p->m;
	dd r = DD_FALSE;

	for (uint32_t v = 0; v < 1u << m->grown.n; v++) {
		dd all = set_has(in, AF_NONE, v) ? DD_TRUE : DD_FALSE;

		for (uint32_t i = 0; i < m->grown.n && all != DD_FALSE; i++) {
			const char *what = arena_printf(w->p->a, "%s in grown %s", which,
							m->grown.v[i]);
			const uint32_t var = space_opaque(&w->p->s, what, 1);
			const dd bit = var == DD_NO_VAR ? DD_FALSE : dd_var(w->d, var);

			all = dd_and(w->d, all, (v >> i & 1) != 0 ? bit : dd_not(w->d, bit));
		}
		r = dd_or(w->d, r, all);
	}
	return r;
}

static dd tos_in(struct sem *w, const struct set *in)
{
	dd r = DD_FALSE;

	for (uint32_t v = 0; v <= UINT8_MAX; v += 4)
		if (set_has(in, AF_NONE, v))
			r = dd_or(w->d, r, space_range(&w->p->s, P_TOS, v, v + 3));
	return r;
}

/* Each combination of options for itself; IPv6 has none of them */
static dd options_in(struct sem *w, const struct set *in)
{
	static const struct { uint32_t bit; enum part part; } options[] = {
		{ IP_OPTION_LSRR, P_LSRR }, { IP_OPTION_SSRR, P_SSRR }, { IP_OPTION_RR, P_RR },
	};
	dd r = DD_FALSE;

	if (w->p->s.af != AF_V4)
		return set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE;
	for (uint32_t v = 0; v <= IP_OPTIONS_ALL; v++) {
		dd all = set_has(in, AF_NONE, v) ? DD_TRUE : DD_FALSE;

		for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
			const dd is = space_bit(&w->p->s, options[i].part, 0);

			all = dd_and(w->d, all, (v & options[i].bit) != 0 ? is : dd_not(w->d, is));
		}
		r = dd_or(w->d, r, all);
	}
	return r;
}

static dd bool_in(struct sem *w, const struct set *in, dd is)
{
	return dd_ite(w->d, is, set_has(in, AF_NONE, 1) ? DD_TRUE : DD_FALSE,
		      set_has(in, AF_NONE, 0) ? DD_TRUE : DD_FALSE);
}

static dd icmp_in(struct sem *w, const struct set *in)
{
	struct space *s = &w->p->s;
	const dd icmp = dd_or(w->d, space_is(s, P_PROTO, PROTO_ICMP),
			      space_is(s, P_PROTO, PROTO_ICMP6));

	return dd_and(w->d, icmp, space_in(s, P_SPORT, in));
}

static dd flags_in(struct sem *w, const struct set *in)
{
	struct space *s = &w->p->s;

	return dd_or(w->d, dd_not(w->d, space_is(s, P_PROTO, PROTO_TCP)),
		     space_in(s, P_FLAGS, in));
}

static dd test_holds(struct sem *w, const struct test *t)
{
	struct space *s = &w->p->s;

	switch (t->f) {
	case F_DIR:
		return set_has(t->in, AF_NONE, w->dir) ? DD_TRUE : DD_FALSE;
	case F_IFACE:
		return space_iface_in(s, t->in);
	case F_RECV:
		return w->dir == DIR_IN ? space_iface_in(s, t->in)
					: space_link_in(s, P_RECV, t->in);
	case F_AF:
		return set_has(t->in, AF_NONE, s->af) ? DD_TRUE : DD_FALSE;
	case F_PROTO:
		return space_in(s, P_PROTO, t->in);
	case F_SRC:
		return space_addr_in(s, P_SRC, t->in);
	case F_DST:
		return space_addr_in(s, P_DST, t->in);
	case F_SPORT:
		return dd_and(w->d, space_ports(s), space_in(s, P_SPORT, t->in));
	case F_DPORT:
		return dd_and(w->d, space_ports(s), space_in(s, P_DPORT, t->in));
	case F_TCPFLAGS:
		return flags_in(w, t->in);
	case F_ICMP:
		return icmp_in(w, t->in);
	case F_DST_LOCAL:
		return bool_in(w, t->in, space_local(s, P_DST));
	case F_SRC_LOCAL:
		return bool_in(w, t->in, space_local(s, P_SRC));
	case F_TAGS:
		return tags_in(w, t->in);
	case F_SRC_GROWN:
		return grown_in(w, t->in, "source");
	case F_DST_GROWN:
		return grown_in(w, t->in, "destination");
	case F_SRC_ROUTE:
		return routes_in(w, t->in, true);
	case F_DST_ROUTE:
		return routes_in(w, t->in, false);
	case F_TOS:
		return tos_in(w, t->in);
	case F_IPOPTS:
		return options_in(w, t->in);
	default:	/* numbers of headers: told as not proven */
		return DD_FALSE;
	}
}

/* Tests of a family that a rule does not have cost nothing: they come first */
static bool is_of_family(const struct sem *w, const struct rule *r)
{
	const unsigned int own = w->p->s.af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6;
	const struct set *src = rule_tests(r, F_SRC), *dst = rule_tests(r, F_DST);

	return (src == NULL || (set_families(src) & own) != 0) &&
	       (dst == NULL || (set_families(dst) & own) != 0);
}

/* What a rule asks of headers: all but tags, which rules change */
static dd match_headers(struct sem *w, const struct rule *r)
{
	dd all = DD_TRUE;

	if (!is_of_family(w, r))
		return DD_FALSE;
	for (uint32_t i = 0; i < r->tests.n && all != DD_FALSE; i++)
		if (r->tests.v[i].f != F_TAGS)
			all = dd_and(w->d, all, test_holds(w, &r->tests.v[i]));
	return r->map == NULL || all == DD_FALSE ? all
						 : dd_and(w->d, all, sem_in_map(w->p, r->map));
}

static dd match(struct sem *w, const struct rule *r, dd headers)
{
	const struct set *tags = rule_tests(r, F_TAGS);

	return tags == NULL ? headers : dd_and(w->d, headers, tags_in(w, tags));
}

dd sem_match(struct proof *p, enum direction dir, const struct rule *r)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	return match(&w, r, match_headers(&w, r));
}

/* Matches, its @headers as they are, and is drawn */
static dd holds_with(struct sem *w, const struct rule *r, dd headers)
{
	dd m = match(w, r, headers);

	if (r->prob == 0 || m == DD_FALSE)
		return m;
	if (r->draw >= SPACE_DRAWS)
		return m;
	while (w->draws.n <= r->draw)
		vec_add(w->p->a, &w->draws, 0);
	w->draws.v[r->draw] = r->prob;
	return dd_and(w->d, m, space_bit(&w->p->s, P_DRAW, r->draw));
}

static dd holds(struct sem *w, const struct rule *r)
{
	return holds_with(w, r, match_headers(w, r));
}

/* ---- states ---------------------------------------------------------------------- */

static dd state_bit(struct sem *w, const uint32_t bits[2], bool same_way)
{
	const uint32_t bit = bits[same_way ? (int)w->dir : 1 - (int)w->dir];

	return bit == 0 ? DD_FALSE : dd_var(w->d, proof_mark_bit(w->p, P_CTMARK, bit));
}

/* Of the two bits the one that counts for a packet, by its way in the connection */
static dd by_way(struct sem *w, const uint32_t bits[2])
{
	const dd known = dd_not(w->d, space_bit(&w->p->s, P_INVALID, 0));

	return dd_and(w->d, known, dd_ite(w->d, space_bit(&w->p->s, P_REPLY, 0),
					  state_bit(w, bits, false), state_bit(w, bits, true)));
}

static dd has_state(struct sem *w)
{
	return by_way(w, w->p->marks.state);
}

dd sem_has_state(struct proof *p, enum direction dir)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	return has_state(&w);
}

/* Does the packet go against one that was let in the other way */
static dd is_answer(struct sem *w)
{
	const dd reply = dd_and(w->d, space_bit(&w->p->s, P_REPLY, 0),
				dd_not(w->d, space_bit(&w->p->s, P_INVALID, 0)));

	return dd_and(w->d, reply, state_bit(w, w->p->marks.state, false));
}

/*
 * @f, when the number in @from has been put into @to, but where @keeps_none and it is
 * none.  Bits of @f are replaced one by one by those of the other mark.
 */
static dd copy_tag(struct sem *w, dd f, enum part from, uint32_t from_mask, enum part to,
		   uint32_t to_mask, bool keeps_none)
{
	const uint32_t all = from_mask;
	dd copied = f;

	for (; to_mask != 0; to_mask &= to_mask - 1, from_mask &= from_mask - 1)
		copied = dd_compose(w->d, copied, proof_mark_bit(w->p, to, to_mask),
				    dd_var(w->d, proof_mark_bit(w->p, from, from_mask)));
	return !keeps_none ? copied
			   : dd_ite(w->d, proof_mark_is(w->p, from, all, 0), f, copied);
}

/* A state was made just now and has the packet's own tag */
static dd found_state(struct sem *w)
{
	const struct nft_marks *m = &w->p->marks;
	const dd allows = by_way(w, m->opts);
	const dd refused = dd_and(w->d, w->p->m->drops_opts ? space_bit(&w->p->s, P_OPTS, 0)
							    : DD_FALSE, dd_not(w->d, allows));
	dd f = w->passed;

	if (m->tags != 0)
		f = dd_ite(w->d, space_bit(&w->p->s, P_KNOWN, 0),
			   copy_tag(w, w->passed, P_CTMARK, m->kept_tags, P_MARK, m->tags, true),
			   copy_tag(w, w->passed, P_MARK, m->tags, P_CTMARK, m->kept_tags,
				    false));
	return dd_ite(w->d, refused, proof_leaf(w->p, FATE_BLOCK), f);
}

static dd made_state(struct sem *w, dd f, bool allow_opts, bool reply)
{
	const struct nft_marks *m = &w->p->marks;
	const int leg = reply ? 1 - (int)w->dir : (int)w->dir;
	const uint32_t bits = m->state[leg] | (allow_opts ? m->opts[leg] : 0);

	if (m->tags != 0)
		f = copy_tag(w, proof_assign(w->p, f, P_CTMARK, bits, bits), P_MARK, m->tags,
			     P_CTMARK, m->kept_tags, false);
	return proof_assign(w->p, f, P_CTMARK, bits, bits);
}

/* A pass that makes a state, where there is a connection to remember it in */
static dd with_state(struct sem *w, bool allow_opts)
{
	const dd f = w->passed;
	const dd made = dd_ite(w->d, space_bit(&w->p->s, P_REPLY, 0),
			       made_state(w, f, allow_opts, true),
			       made_state(w, f, allow_opts, false));

	return dd_ite(w->d, space_bit(&w->p->s, P_INVALID, 0), f, made);
}

/* Was the packet translated at this crossing; on lo Linux does it on the way out */
static dd is_translated(struct sem *w)
{
	struct space *s = &w->p->s;
	const dd first_way = dd_not(w->d, dd_or(w->d, space_bit(s, P_REPLY, 0),
						space_bit(s, P_INVALID, 0)));
	const dd dst = space_bit(s, P_DNAT, 0);
	dd is = dst;

	if (w->dir == DIR_OUT)
		is = dd_or(w->d, space_bit(s, P_SNAT, 0),
			   dd_and(w->d, dst, space_is(s, P_IFACE, s->lo)));
	return dd_and(w->d, first_way, is);
}

/* ---- rulings --------------------------------------------------------------------- */

static dd icmp_answer(struct sem *w, int32_t icmp)
{
	const struct outcome x = { .fate = FATE_ICMP, .code = (uint16_t)(icmp & 0xff) };
	const int32_t unreachable = w->p->s.af == AF_V4 ? 3 : 1;

	if (icmp < 0)
		return proof_leaf(w->p, FATE_BLOCK);
	if (icmp >> 8 != unreachable)
		return proof_unknown(w->p, "an ICMP answer that is not `unreachable`");
	return dd_leaf(w->d, outcome_of(w->p->o, &x));
}

static dd answered(struct sem *w, const struct answer *a)
{
	struct space *s = &w->p->s;
	const bool v4 = s->af == AF_V4;
	const dd block = proof_leaf(w->p, FATE_BLOCK);
	const dd icmp = icmp_answer(w, v4 ? a->icmp4 : a->icmp6);
	const dd query = a->queries ? space_icmp_query(s) : DD_FALSE;
	const dd quiet = dd_and(w->d, space_is(s, P_PROTO, v4 ? PROTO_ICMP : PROTO_ICMP6),
				dd_not(w->d, query));
	dd r = icmp;

	if (w->answers == SEM_SILENT)
		return block;
	if (a->rst)
		r = dd_ite(w->d, space_is(s, P_PROTO, PROTO_TCP),
			   dd_ite(w->d, space_bit(s, P_FLAGS, 5), block,
				  proof_leaf(w->p, FATE_RST)), r);
	return dd_ite(w->d, quiet, block, r);
}

static dd decided(struct sem *w, const struct ruling *r)
{
	const dd opts = w->p->m->drops_opts && !r->allow_opts ? space_bit(&w->p->s, P_OPTS, 0)
							     : DD_FALSE;
	dd pass;

	if (r->verdict == V_BLOCK)
		return proof_leaf(w->p, FATE_BLOCK);
	if (r->verdict == V_RETURN)
		return answered(w, &r->answer);
	if (r->limit != 0)
		return proof_unknown(w->p, "a limit of states");
	pass = with_state(w, r->allow_opts);
	if (!r->keep)
		pass = w->is_head ? w->passed : dd_ite(w->d, is_translated(w), pass, w->passed);
	return dd_ite(w->d, opts, proof_leaf(w->p, FATE_BLOCK), pass);
}

static bool same_ruling(const struct ruling *x, const struct ruling *y)
{
	return x->verdict == y->verdict && x->keep == y->keep &&
	       x->allow_opts == y->allow_opts && x->limit == y->limit &&
	       x->answer.rst == y->answer.rst && x->answer.icmp4 == y->answer.icmp4 &&
	       x->answer.icmp6 == y->answer.icmp6 && x->answer.queries == y->answer.queries;
}

static uint32_t ruling_number(struct sem *w, const struct ruling *r)
{
	for (uint32_t i = 0; i < w->rulings.n; i++)
		if (same_ruling(&w->rulings.v[i], r))
			return i + 1;
	if (w->rulings.n < MAX_RULINGS)
		vec_add(w->p->a, &w->rulings, *r);
	return w->rulings.n;
}

/* ---- rules ----------------------------------------------------------------------- */

static dd list_from(struct sem *w, uint32_t list, uint32_t first, dd behind);

static dd enter(struct sem *w, uint32_t list, dd behind)
{
	struct entered e = { .list = list, .behind = behind };

	for (uint32_t i = 0; i < w->entered.n; i++)
		if (w->entered.v[i].list == list && w->entered.v[i].behind == behind)
			return w->entered.v[i].r;
	e.r = list_from(w, list, 0, behind);
	if (w->n_quick == 0)
		vec_add(w->p->a, &w->entered, e);
	return e.r;
}

static dd prefer(struct sem *w, dd f, const struct ruling *r)
{
	struct space *s = &w->p->s;
	const uint32_t number = ruling_number(w, r), bits = space_width(s, P_CAND);

	for (uint32_t i = 0; i < bits; i++)
		f = dd_with(w->d, f, space_var(s, P_CAND, i), (number >> (bits - 1 - i) & 1) != 0);
	for (uint32_t i = 0; i < w->n_quick; i++)
		f = dd_with(w->d, f, space_var(s, P_QUICK, i), true);
	return f;
}

/* A quick call settles behind it if something was preferred in it */
static dd call_quick(struct sem *w, uint32_t list, dd behind)
{
	const uint32_t depth = w->n_quick;
	dd r;

	if (depth == MAX_QUICK)
		return proof_unknown(w->p, "quick anchors in each other");
	w->n_quick++;
	r = enter(w, list, dd_ite(w->d, space_bit(&w->p->s, P_QUICK, depth), w->settled, behind));
	w->n_quick--;
	return dd_with(w->d, r, space_var(&w->p->s, P_QUICK, depth), false);
}

static dd leave(struct sem *w, const struct rule *r, dd next, dd behind)
{
	switch (r->exit) {
	case EX_NEXT:
		return next;
	case EX_GOTO:
		return enter(w, r->list, behind);
	case EX_CALL:
		return r->is_quick ? call_quick(w, r->list, next) : enter(w, r->list, next);
	case EX_RETURN:
		return behind;
	case EX_DECIDE:
		return decided(w, &r->ruling);
	case EX_SETTLE:
		return w->settled;
	}
	BUG_IF(true);
}

static dd assign_tag(struct sem *w, dd f, const struct effect *e)
{
	struct proof *p = w->p;
	uint32_t bit;

	if (p->marks.tags == 0)
		return f;
	if (__builtin_popcount(e->tags) != 1 || (e->tags | e->untags) != UINT8_MAX)
		return proof_unknown(p, "more than one tag on a packet");
	bit = (uint32_t)__builtin_ctz(e->tags);
	return proof_assign(p, f, P_MARK, p->marks.tags,
			    proof_spread(p->codes[bit], p->marks.tags));
}

static dd do_effect(struct sem *w, dd f, const struct effect *e)
{
	switch (e->kind) {
	case EF_LOG:
	case EF_MEND:
		return f;
	case EF_PREFER:
		return prefer(w, f, &e->ruling);
	case EF_PROBE:
		return dd_ite(w->d, has_state(w), found_state(w), f);
	case EF_TAG:
		return assign_tag(w, f, e);
	case EF_SCRUB:
		return proof_unknown(w->p, "a change of headers");
	case EF_TRANSLATE:
	case EF_RECORD:
		return proof_unknown(w->p, "a translation or a state in the middle of a filter");
	}
	BUG_IF(true);
}

/* What becomes of a packet that enters a list at @first, @behind it what comes then */
static dd list_from(struct sem *w, uint32_t list, uint32_t first, dd behind)
{
	const struct rule_list *l = &w->p->m->lists.v[list];
	dd f = behind;

	for (uint32_t i = l->rules.n; i-- > first;) {
		const struct rule *r = &l->rules.v[i];
		const dd headers = match_headers(w, r), cond = holds_with(w, r, headers);
		dd then;

		if (cond == DD_FALSE)
			continue;
		/* Effects change what follows, of which only these packets' part counts */
		then = dd_ite(w->d, headers, leave(w, r, f, behind), DD_FALSE);
		for (uint32_t k = r->effects.n; k-- > 0;)
			then = do_effect(w, then, &r->effects.v[k]);
		f = dd_ite(w->d, cond, then, f);
	}
	return f;
}

/* ---- parts of a crossing ----------------------------------------------------------- */

/* Draws are the same in the whole of an evaluation, so they can be made at its start */
static dd draw_all(struct sem *w, dd f)
{
	for (uint32_t i = 0; i < w->draws.n; i++) {
		const uint32_t var = space_var(&w->p->s, P_DRAW, i);

		if (w->draws.v[i] != 0)
			f = proof_draw(w->p, dd_with(w->d, f, var, true),
				       dd_with(w->d, f, var, false), w->draws.v[i], PROB_ONE,
				       false);
	}
	return f;
}

/* Fences and the like: calls are of translations, and not looked at here */
static dd policy_list(struct sem *w, uint32_t list, dd behind)
{
	const struct rule_list *l;
	dd f = behind;

	if (list == LIST_NONE)
		return behind;
	l = &w->p->m->lists.v[list];
	for (uint32_t i = l->rules.n; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];

		if (r->exit != EX_CALL)
			f = dd_ite(w->d, holds(w, r), leave(w, r, f, behind), f);
	}
	return f;
}

dd sem_fences(struct proof *p, enum direction dir)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir };

	w.passed = proof_pass(p, 0);
	return policy_list(&w, p->m->before[dir], w.passed);
}

/* The end of a filter: what was preferred last, or the model's own ruling */
static dd settle_all(struct sem *w)
{
	struct space *s = &w->p->s;
	dd f = decided(w, &w->p->m->otherwise);

	for (uint32_t i = 0; i < w->rulings.n; i++)
		f = dd_ite(w->d, space_is(s, P_CAND, i + 1), decided(w, &w->rulings.v[i]), f);
	return f;
}

static void number_rulings(struct sem *w)
{
	for (uint32_t l = 0; l < w->p->m->lists.n; l++)
		for (uint32_t i = 0; i < w->p->m->lists.v[l].rules.n; i++) {
			const struct effect *e = rule_has_effect(
				&w->p->m->lists.v[l].rules.v[i], EF_PREFER);

			if (e != NULL)
				ruling_number(w, &e->ruling);
		}
}

/* As list_from(), of a language's own list: without what it calls ahead of its filter */
static dd own_list(struct sem *w, uint32_t list)
{
	const struct rule_list *l = &w->p->m->lists.v[list];
	const uint32_t head = sem_head(w->p->m, list);
	dd f = list_from(w, list, head, w->settled);

	w->is_head = true;
	for (uint32_t i = head; i-- > 0;) {
		const struct rule *r = &l->rules.v[i];
		dd then;

		if (r->exit == EX_CALL)
			continue;
		then = leave(w, r, f, w->settled);
		for (uint32_t k = r->effects.n; k-- > 0;)
			then = do_effect(w, then, &r->effects.v[k]);
		f = dd_ite(w->d, holds(w, r), then, f);
	}
	w->is_head = false;
	return f;
}

dd sem_filter(struct proof *p, enum direction dir, enum sem_answers answers)
{
	struct sem w = { .p = p, .d = p->d, .dir = dir, .answers = answers };
	const dd end = proof_pass(p, 0);
	dd f, fenced;

	w.passed = end;
	fenced = policy_list(&w, p->m->after[dir], end);
	w.passed = dd_ite(p->d, is_answer(&w), end, fenced);
	number_rulings(&w);
	if (w.rulings.n >= MAX_RULINGS)
		return proof_unknown(p, "so many kinds of rulings");
	w.settled = settle_all(&w);
	f = own_list(&w, p->m->entry[dir]);
	for (uint32_t i = 0; i < space_width(&p->s, P_CAND); i++)
		f = dd_with(p->d, f, space_var(&p->s, P_CAND, i), false);
	return draw_all(&w, f);
}
