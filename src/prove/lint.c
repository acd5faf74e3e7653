/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Both families and directions are walked before anything is said: a rule is shadowed
 * only where none of its packets makes it do something.  A statement that was taken
 * apart into several rules is one: it is shadowed when all of them are.
 *
 * A finding is shown by a packet, and the packet is judged by model_eval(), which names
 * the rule that decides it.  Where that judges otherwise than the finding says, nothing
 * is said: what the walk does not know it takes for possible, and a lint that is wrong
 * is worse than none.
 */
#include "prove/lint_work.h"

#include <setjmp.h>
#include <stdlib.h>

#include "model/eval.h"

#define MOST_TRIES	4	/* packets of one rule that are looked at */
#define MOST_ASKS	8u	/* tests of one rule of which pairs are looked at */

bool lint_is_written(const struct origin *o)
{
	return o->policy == POLICY_NONE && o->text != NULL && o->at.src != 0;
}

/* ---- packets ------------------------------------------------------------------------- */

dd lint_packets(struct lint_side *s, enum direction dir)
{
	const dd other_icmp = space_is(&s->p.s, P_PROTO,
				       s->p.s.af == AF_V4 ? PROTO_ICMP6 : PROTO_ICMP);
	const dd ifaces = space_range(&s->p.s, P_IFACE, 1, s->p.s.names.n - 1);
	const dd r = dd_ite(&s->d, other_icmp, DD_FALSE, ifaces);

	/* Of what comes in no rule asks who received it: it is the interface crossed */
	return dir == DIR_IN ? r
	       : dd_and(&s->d, r, space_range(&s->p.s, P_RECV, 0, s->p.s.names.n - 1));
}

dd lint_unfenced(struct lint *l, struct lint_side *s, enum direction dir, bool after)
{
	const uint32_t list = after ? l->m->after[dir] : l->m->before[dir];
	dd r = DD_TRUE;

	for (uint32_t i = 0; list != LIST_NONE && i < l->m->lists.v[list].rules.n; i++) {
		const struct rule *rule = &l->m->lists.v[list].rules.v[i];

		if (rule->exit == EX_DECIDE && rule->ruling.verdict != V_PASS)
			r = dd_ite(&s->d, sem_match(&s->p, dir, rule), DD_FALSE, r);
	}
	return r;
}

/* Packets that `why` can be asked for, of which it is told all that counts */
static dd typed(struct lint_side *s)
{
	static const enum part unset[] = { P_OPTS, P_LSRR, P_SSRR, P_RR, P_SOCK };
	struct space *sp = &s->p.s;
	dd r = dd_not(&s->d, dd_and(&s->d, space_is(sp, P_PROTO, PROTO_TCP),
				    space_range(sp, P_FLAGS, 0, 0)));

	for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
		r = dd_and(&s->d, r, dd_not(&s->d, space_bit(sp, unset[i], 0)));
	/* FLAGS are of FSRPAU */
	r = dd_and(&s->d, r, space_range(sp, P_FLAGS, 0, 0x3f));
	return r;
}

/* Of what goes out `why` does not know who received it */
static dd received(struct lint_side *s, enum direction dir)
{
	return dir == DIR_IN ? DD_TRUE : space_is(&s->p.s, P_RECV, 0);
}

/* TCP, UDP or an echo, at an interface that leads to other hosts */
static dd usual(struct lint_side *s)
{
	const struct facts *f = s->p.m->facts;
	const bool v4 = s->p.s.af == AF_V4;
	const dd icmp = space_is(&s->p.s, P_PROTO, v4 ? PROTO_ICMP : PROTO_ICMP6);
	const dd echo = space_is(&s->p.s, P_SPORT, (v4 ? 8u : 128u) << 8);
	struct ranges real = { .list = { .n = 0 } };
	dd r = dd_and(&s->d, icmp, echo);

	for (uint32_t i = 0; i < f->ifaces.n; i++)
		if (f->ifaces.v[i].kind == IFACE_REAL)
			ranges_add(s->p.a, &real, AF_NONE, f->ifaces.v[i].id, f->ifaces.v[i].id);
	r = dd_or(&s->d, r, space_is(&s->p.s, P_PROTO, PROTO_TCP));
	r = dd_or(&s->d, r, space_is(&s->p.s, P_PROTO, PROTO_UDP));
	return dd_and(&s->d, r, space_iface_in(&s->p.s, set_make(s->p.a, &real)));
}

/* Is a rule for a packet: what would pass if it were the only one, and passed it */
static bool is_for(struct lint *l, const struct rule *r, const struct packet *k)
{
	struct model only = *l->m;
	struct rule_list list = { .name = "" };
	struct rule copy = *r;
	struct world w;

	copy.effects.n = 0;
	rule_decide(&copy, ruling_pass());
	vec_add(l->a, &list.rules, copy);
	only.lists.v = &list;
	only.lists.n = 1;
	only.otherwise = ruling_block();
	for (int dir = 0; dir < 2; dir++) {
		only.before[dir] = only.after[dir] = LIST_NONE;
		only.entry[dir] = 0;
	}
	world_init(&w, l->a);
	return model_eval(&only, &w, k, l->a).verdict == V_PASS;
}

bool lint_judge(struct lint *l, struct lint_side *s, enum direction dir, dd in,
		const struct rule *of, const char **ret_line, struct result *ret)
{
	struct packet k;
	struct world w;
	const char *line;

	in = dd_and(&s->d, in, dd_and(&s->d, typed(s), received(s, dir)));
	in = dd_and(&s->d, in, lint_packets(s, dir));
	if (!prove_packet_in(&s->p, dir, dd_and(&s->d, in, usual(s)), &k, &line) &&
	    !prove_packet_in(&s->p, dir, in, &k, &line))
		return false;
	if (of != NULL && !is_for(l, of, &k))
		return false;
	world_init(&w, l->a);
	*ret = model_eval(l->m, &w, &k, l->a);
	*ret_line = line;
	return true;
}

/* ---- rules --------------------------------------------------------------------------- */

/* An empty table, an interface without an address: there may come some */
static bool is_empty(const struct rule *r)
{
	static const enum field of_host[] = { F_SRC, F_DST, F_IFACE, F_RECV };

	for (size_t i = 0; i < ARRAY_SIZE(of_host); i++) {
		const struct set *in = rule_tests(r, of_host[i]);

		if (in != NULL && set_is_empty(in))
			return true;
	}
	return false;
}

/** struct statement - The rules of one statement, by number; see statements() */
struct statement {
	struct span at;
	uint32_t number;
};

static int by_place(const void *x, const void *y)
{
	const struct statement *a = x, *b = y;

	if (a->at.src != b->at.src)
		return a->at.src < b->at.src ? -1 : 1;
	if (a->at.lo != b->at.lo)
		return a->at.lo < b->at.lo ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

static bool same_place(struct span a, struct span b)
{
	return a.src == b.src && a.lo == b.lo && a.hi == b.hi;
}

static bool is_same(const struct origin *a, const struct origin *b)
{
	return same_place(a->at, b->at);
}

/* Do two tests exclude each other, whatever else a packet has */
static bool exclude(struct lint *l, const struct rule *r, uint32_t i, uint32_t k)
{
	const struct set *dirs = rule_tests(r, F_DIR);
	struct test both[] = { r->tests.v[i], r->tests.v[k], { F_DIR, dirs } };
	const struct rule two = { .tests = { .v = both, .n = dirs != NULL ? 3 : 2 } };

	for (size_t f = 0; f < ARRAY_SIZE(l->side); f++)
		for (int dir = 0; dir < 2; dir++) {
			struct lint_side *s = &l->side[f];
			const enum direction d = (enum direction)dir;

			if (dd_and(&s->d, sem_headers(&s->p, d, &two), lint_packets(s, d)) !=
			    DD_FALSE)
				return false;
		}
	return true;
}

static const char *test_text(struct lint *l, const struct test *t)
{
	char *text = NULL;
	const char *kept;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return model_fields[t->f].name;
	set_print(l->m, t->f, t->in, out);
	fclose(out);
	kept = arena_printf(l->a, "%s %s", model_fields[t->f].name, text);
	free(text);
	return kept;
}

static void add_never(struct lint *l, uint32_t number)
{
	const struct rule *r = lint_rule(l, number);
	struct lint_finding f = { .kind = LINT_NEVER, .rule = r->origin };
	const uint32_t n = MIN(r->tests.n, MOST_ASKS);

	for (uint32_t i = 0; i < n && f.asks[0] == NULL; i++)
		if (set_is_empty(r->tests.v[i].in))
			f.asks[0] = model_fields[r->tests.v[i].f].name;
	for (uint32_t i = 0; i < n && f.asks[0] == NULL; i++)
		for (uint32_t k = i + 1; k < n && f.asks[0] == NULL; k++)
			if (exclude(l, r, i, k)) {
				f.asks[0] = test_text(l, &r->tests.v[i]);
				f.asks[1] = test_text(l, &r->tests.v[k]);
			}
	vec_add(l->a, &l->ret->list, f);
}

/* Who decides a packet: what translates it, where rules see it only then, or the last word */
static struct origin decider(const struct result *r)
{
	const struct step *by = NULL;

	for (uint32_t i = 0; i < r->steps.n; i++) {
		const struct step *s = &r->steps.v[i];
		const struct effect *e = s->rule != NULL && s->origin.policy == POLICY_NONE
						 ? rule_has_effect(s->rule, EF_TRANSLATE) : NULL;

		if (e != NULL && (r->src_changed || r->dst_changed))
			return s->origin;
		if (s->is_final)
			by = s;
	}
	return by != NULL ? by->origin : (struct origin){ .text = NULL };
}

static bool has_step_of(const struct result *r, const struct origin *o)
{
	for (uint32_t i = 0; i < r->steps.n; i++)
		if (r->steps.v[i].is_final && is_same(&r->steps.v[i].origin, o))
			return true;
	return false;
}

/* Packets that some rule of a direction translates */
static dd translated(struct lint *l, struct lint_side *s, enum direction dir)
{
	dd r = DD_FALSE;

	for (uint32_t i = 0; i < l->n_rules; i++)
		if (rule_has_effect(lint_rule(l, i), EF_TRANSLATE) != NULL)
			r = dd_or(&s->d, r, lint_match(l, s, dir, i));
	return r;
}

/* A packet of a rule that no fence stops, and who decides it in the rule's place */
static bool show_shadow(struct lint *l, uint32_t number, bool plain, struct lint_finding *f)
{
	const struct rule *r = lint_rule(l, number);

	for (size_t k = 0; k < ARRAY_SIZE(l->side); k++)
		for (int dir = 0; dir < 2; dir++) {
			struct lint_side *s = &l->side[k];
			const enum direction d = (enum direction)dir;
			struct result res;
			dd in = sem_match(&s->p, d, r);

			if (!l->comes[dir][l->at[number].list])
				continue;
			in = dd_and(&s->d, in, lint_unfenced(l, s, d, false));
			if (plain)
				in = dd_and(&s->d, in, dd_not(&s->d, translated(l, s, d)));
			if (!lint_judge(l, s, d, in, r, &f->packet, &res))
				continue;
			f->by = decider(&res);
			if (!has_step_of(&res, &f->rule) && !is_same(&f->by, &f->rule))
				return true;
		}
	f->packet = NULL;
	f->by = (struct origin){ .text = NULL };
	return false;
}

/* Rules number @v[0..n - 1].number are those of a statement that does nothing */
static void add_shadowed(struct lint *l, const struct statement *v, uint32_t n)
{
	struct lint_finding f = { .kind = LINT_SHADOWED,
				  .rule = lint_rule(l, v[0].number)->origin };
	bool shown = false;

	for (uint32_t i = 0; i < 2 * MIN(n, MOST_TRIES) && !shown; i++)
		shown = show_shadow(l, v[i / 2].number, i % 2 == 0, &f);
	/* That nothing shows it is told of a rule of tables alone, and these change */
	if (shown)
		vec_add(l->a, &l->ret->list, f);
}

static void look_at_statement(struct lint *l, const struct statement *v, uint32_t n)
{
	bool lives = false, fits = false, empty = false;

	for (uint32_t i = 0; i < n; i++) {
		lives |= l->lives[v[i].number];
		fits |= l->fits[v[i].number];
		empty |= is_empty(lint_rule(l, v[i].number));
	}
	if (lives || empty)
		return;
	if (fits)
		add_shadowed(l, v, n);
	else
		add_never(l, v[0].number);
}

static void note_fit(struct lint *l, struct lint_side *s, enum direction dir, uint32_t number)
{
	if (!l->comes[dir][l->at[number].list])
		return;
	l->fits[number] |= dd_and(&s->d, lint_match(l, s, dir, number),
				  lint_packets(s, dir)) != DD_FALSE;
}

void lint_rules(struct lint *l)
{
	struct statement *v = arena_array(l->a, struct statement, l->n_rules + 1);
	uint32_t n = 0, end;

	for (uint32_t o = 0; o < l->order.n; o++)
		for (uint32_t i = 0; i < l->m->lists.v[l->order.v[o]].rules.n; i++) {
			const uint32_t number = l->base[l->order.v[o]] + i;

			if (lint_is_written(&lint_rule(l, number)->origin))
				v[n++] = (struct statement){ lint_rule(l, number)->origin.at,
							     number };
		}
	qsort(v, n, sizeof(*v), by_place);
	for (uint32_t i = 0; i < n; i = end) {
		bool lives = false;

		for (end = i; end < n && same_place(v[i].at, v[end].at); end++)
			lives |= l->lives[v[end].number];
		for (uint32_t k = i; k < end && !lives; k++)
			for (int f = 0; f < 4; f++)
				note_fit(l, &l->side[f / 2], (enum direction)(f % 2), v[k].number);
		look_at_statement(l, &v[i], end - i);
	}
}

/* ---- the whole ------------------------------------------------------------------------- */

static void order_list(struct lint *l, bool *seen, uint32_t list);

static void order_effects(struct lint *l, bool *seen, const struct rule *r)
{
	for (uint32_t i = 0; i < r->effects.n; i++) {
		const struct effect *e = &r->effects.v[i];

		if (e->kind == EF_RECORD)
			vec_add(l->a, &l->records, e);
		if ((e->kind == EF_RECORD || e->kind == EF_TRANSLATE) && e->list != LIST_NONE)
			order_list(l, seen, e->list);
	}
}

/* Lists behind those that they lead to; turned round in the end */
static void order_list(struct lint *l, bool *seen, uint32_t list)
{
	if (seen[list])
		return;
	seen[list] = true;
	for (uint32_t i = 0; i < l->m->lists.v[list].rules.n; i++) {
		const struct rule *r = &l->m->lists.v[list].rules.v[i];

		order_effects(l, seen, r);
		if (r->exit == EX_GOTO || r->exit == EX_CALL)
			order_list(l, seen, r->list);
	}
	vec_add(l->a, &l->order, list);
}

static void order_all(struct lint *l)
{
	bool *seen = arena_array(l->a, bool, l->m->lists.n);

	for (int dir = 0; dir < 2; dir++) {
		l->comes[dir] = arena_array(l->a, bool, l->m->lists.n);
		order_list(l, l->comes[dir], l->m->entry[dir]);
	}
	l->order.n = l->records.n = 0;
	for (int dir = 0; dir < 2; dir++)
		order_list(l, seen, l->m->entry[dir]);
	for (uint32_t i = 0; i < l->order.n / 2; i++) {
		const uint32_t other = l->order.v[l->order.n - 1 - i];

		l->order.v[l->order.n - 1 - i] = l->order.v[i];
		l->order.v[i] = other;
	}
}

/* Rules that packets may come to; what the policy copies is not among them */
static uint32_t n_asked(const struct lint *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->order.n; i++)
		n += l->m->lists.v[l->order.v[i]].rules.n;
	return n;
}

static void number_all(struct lint *l)
{
	l->base = arena_array(l->a, uint32_t, l->m->lists.n);
	for (uint32_t i = 0; i < l->m->lists.n; i++) {
		l->base[i] = l->n_rules;
		l->n_rules += l->m->lists.v[i].rules.n;
	}
	l->at = arena_array(l->a, struct lint_at, l->n_rules + 1);
	for (uint32_t i = 0; i < l->m->lists.n; i++)
		for (uint32_t k = 0; k < l->m->lists.v[i].rules.n; k++)
			l->at[l->base[i] + k] = (struct lint_at){ i, k };
	l->lives = arena_array(l->a, bool, l->n_rules + 1);
	l->fits = arena_array(l->a, bool, l->n_rules + 1);
}

static void walk_side(struct lint *l, struct lint_side *s)
{
	for (int dir = 0; dir < 2 && !s->d.is_full; dir++) {
		const struct lint_at entry = { l->m->entry[dir], 0 };

		s->match[dir] = arena_array(l->a, dd, l->n_rules + 1);
		for (uint32_t i = 0; i < l->n_rules; i++)
			s->match[dir][i] = DD_NO_VAR;
		(void)lint_walk(l, s, (enum direction)dir, WALK_LIVES, entry,
				lint_packets(s, (enum direction)dir));
	}
	l->ret->is_left_out |= s->d.is_full;
}

/* False: the arena is full */
static bool look_within(struct lint *l)
{
	static const uint8_t afs[] = { AF_V4, AF_V6 };
	jmp_buf *outer = l->a->full, full;

	if (setjmp(full) != 0) {
		l->a->full = outer;
		return false;
	}
	l->a->full = &full;
	number_all(l);
	order_all(l);
	l->ret->is_left_out = n_asked(l) > LINT_MAX_RULES;
	for (size_t i = 0; i < ARRAY_SIZE(afs) && !l->ret->is_left_out; i++) {
		space_init(&l->side[i].p.s, l->a, &l->side[i].d, l->m, afs[i]);
		space_seal(&l->side[i].p.s);
		walk_side(l, &l->side[i]);
	}
	if (!l->ret->is_left_out) {
		lint_rules(l);
		lint_redirects(l);
		lint_private(l);
	}
	l->a->full = outer;
	return true;
}

int prove_lint(const struct model *m, const struct decl *d, uint32_t max_nodes, struct arena *a,
	       struct lint_result *ret)
{
	const struct prog nothing = { .a = a };
	struct lint l = { .m = m, .decl = d, .a = a, .ret = ret };
	struct outcomes o;
	int err = 0;

	*ret = (struct lint_result){ .is_left_out = false };
	outcomes_init(&o, a);
	for (size_t i = 0; i < ARRAY_SIZE(l.side) && err == 0; i++) {
		l.side[i].p = (struct proof){ .a = a, .d = &l.side[i].d, .o = &o, .m = m,
					      .p = &nothing };
		err = dd_init(&l.side[i].d, max_nodes);
	}
	if (err == 0 && !look_within(&l))
		ret->is_left_out = true;
	for (size_t i = 0; i < ARRAY_SIZE(l.side); i++) {
		ret->is_left_out |= l.side[i].d.is_full;
		dd_fini(&l.side[i].d);
	}
	if (ret->is_left_out)
		ret->list.n = 0;
	return err;
}
