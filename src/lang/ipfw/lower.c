/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The rules are one list, cut where something leads to: at the first rule from
 * the number of a skipto or call on, and behind a rule that does more than one
 * thing and then lets the packet go on.  Each piece is a list of the model that
 * goes to the next at its end.
 *
 * A state repeats the action of its rule, so that action stands in a list of its
 * own, where the rule goes when it matches and a later packet of the state when
 * it is found.  What comes after it is the piece behind the rule.
 *
 * `return` without a call goes on with the next rule; so where there are calls,
 * everything stands twice: as it is come to from the start, and by a call.
 */
#include "lang/ipfw/lower.h"

#include <string.h>

#define ICMP_UNREACH	(3 << 8)
#define ICMP6_UNREACH	(1 << 8)

uint32_t lower_target(const struct lower *l, uint32_t number, int64_t after)
{
	uint32_t i = (uint32_t)(after + 1);

	while (i < l->rules.n && l->rules.v[i].r->number < number)
		i++;
	return i;
}

uint8_t lower_tag_bit(const struct lower *l, uint32_t tag)
{
	for (uint32_t i = 0; i < l->m->tags.n; i++)
		if (l->m->tags.v[i] == tag)
			return (uint8_t)(1u << i);
	return 0;
}

/* -- before any rule is made ------------------------------------------------ */

static void take_tags(struct lower *l, const struct ipfw_rule *r)
{
	for (uint32_t i = 0; i < r->tags.n; i++) {
		const struct ipfw_tag_op *op = &r->tags.v[i];

		if (lower_tag_bit(l, op->tag) != 0)
			continue;
		if (l->m->tags.n == MODEL_TAGS) {
			diag_add(l->c->diags, DIAG_E2020, op->at, "more than %u different tags",
				 MODEL_TAGS);
			return;
		}
		vec_add(l->a, &l->m->tags, op->tag);
	}
}

static void take_rule(struct lower *l, const struct ipfw_rule *r)
{
	const char *def = intern_cstr(l->c->names, "default");

	vec_add(l->a, &l->rules, ((struct work_rule){ .r = r }));
	take_tags(l, r);
	l->has_calls |= r->action == IW_CALL;
	l->has_names |= r->state.word != IW_NONE && r->state.name != def;
	l->has_names |= r->action == IW_CHECK_STATE && r->state_name != NULL &&
			r->state_name != def;
}

static bool is_final_action(const struct lower *l, const struct ipfw_rule *r)
{
	switch (r->action) {
	case IW_COUNT:
	case IW_REASS:
	case IW_CHECK_STATE:
	case IW_CALL:
	case IW_RETURN:
		return false;
	case IW_NAT:
		return l->one_pass;
	default:
		return true;
	}
}

static bool keeps_state(const struct ipfw_rule *r)
{
	return r->state.word != IW_NONE;
}

static void cut_at(struct lower *l, uint32_t i)
{
	for (int ctx = CTX_MAIN; ctx <= (l->has_calls ? CTX_CALLED : CTX_MAIN); ctx++)
		if (l->list_at[ctx][i] == LIST_NONE)
			l->list_at[ctx][i] = 0;	/* numbered by make_lists() */
}

static void cut_for(struct lower *l, uint32_t i)
{
	const struct work_rule *w = &l->rules.v[i];

	if (w->has_rest)
		cut_at(l, i + 1);
	for (uint32_t v = 0; v < w->variants.n; v++) {
		if (w->r->action == IW_SKIPTO)
			cut_at(l, lower_target(l, w->variants.v[v].arg, i));
		else if (w->r->action == IW_CALL)
			cut_at(l, lower_target(l, w->variants.v[v].arg, -1));
	}
}

static void prepare(struct lower *l)
{
	for (uint32_t i = 0; i < l->rules.n && !diag_is_full(l->c->diags); i++) {
		struct work_rule *w = &l->rules.v[i];
		bool several;

		lower_variants(l, w);
		several = w->variants.n > 1 ||
			  (w->variants.n == 1 && w->variants.v[0].alts.list.n > 1);
		w->is_final = is_final_action(l, w->r);
		w->has_rest = (w->r->is_deferred && keeps_state(w->r)) ||
			      (!w->is_final && w->r->action != IW_CHECK_STATE &&
			       (several || keeps_state(w->r)));
	}
	for (int ctx = CTX_MAIN; ctx < N_CTX; ctx++) {
		l->list_at[ctx] = arena_array(l->a, uint32_t, l->rules.n + 1);
		for (uint32_t i = 0; i <= l->rules.n; i++)
			l->list_at[ctx][i] = LIST_NONE;
	}
	cut_at(l, 0);
	for (uint32_t i = 0; i < l->rules.n; i++)
		cut_for(l, i);
}

static void make_lists(struct lower *l)
{
	static const char *const names[] = { "from", "called from" };

	for (int ctx = CTX_MAIN; ctx < N_CTX; ctx++) {
		for (uint32_t i = 0; i <= l->rules.n; i++) {
			const uint32_t number = i < l->rules.n ? l->rules.v[i].r->number
							       : IPFW_DEFAULT_RULE;

			if (l->list_at[ctx][i] == LIST_NONE)
				continue;
			l->list_at[ctx][i] = model_add_list(l->m, ctx == CTX_MAIN && i == 0 ? "main"
				: arena_printf(l->a, "%s %u", names[ctx], number));
		}
	}
}

/* -- rules ------------------------------------------------------------------ */

/* Where rules are being added */
struct spot {
	uint32_t list;
	enum context ctx;
	uint32_t i;			/* index of the rule */
	const struct conj *match;	/* NULL: it has matched already */
	uint32_t draw;			/* of the rule, if it has a probability */
};

static struct origin origin_of(const struct ipfw_rule *r)
{
	return (struct origin){ .at = r->at, .text = r->text };
}

static struct rule *add_rule(struct lower *l, const struct spot *at, struct origin origin)
{
	struct rule *r = model_add_rule(l->m, at->list, origin);

	if (at->match == NULL)
		return r;
	conj_to_rule(l->m, r, at->match);
	r->prob = l->rules.v[at->i].r->prob;
	r->draw = at->draw;
	return r;
}

/* A rule with what every action may have: log, tags */
static struct rule *add_action(struct lower *l, const struct spot *at)
{
	const struct ipfw_rule *r = l->rules.v[at->i].r;
	struct rule *to = add_rule(l, at, origin_of(r));
	uint8_t tags = 0, untags = 0;

	if (r->log)
		rule_log(l->m, to);
	for (uint32_t i = 0; i < r->tags.n; i++) {
		const uint8_t bit = lower_tag_bit(l, r->tags.v[i].tag);

		tags = (uint8_t)(r->tags.v[i].is_un ? tags & ~bit : tags | bit);
		untags = (uint8_t)(r->tags.v[i].is_un ? untags | bit : untags & ~bit);
	}
	if (r->tags.n > 0)
		rule_tag(l->m, to, tags, untags);
	return to;
}

static void put_decide(struct lower *l, const struct spot *at, uint32_t arg)
{
	(void)arg;
	rule_decide(add_action(l, at), l->rules.v[at->i].r->action == IW_ALLOW ? ruling_pass()
									      : ruling_block());
}

/* The code of an ICMPv6 error for one of ICMP (ip_fw2.c, RFC 7915 4.2) */
static int32_t icmp6_of(uint32_t code)
{
	static const uint8_t no_route[] = { 0, 1, 5, 6, 7, 11, 12 };

	if (code == 3)
		return ICMP6_UNREACH | 4;
	for (size_t i = 0; i < ARRAY_SIZE(no_route); i++)
		if (no_route[i] == code)
			return ICMP6_UNREACH;
	return ICMP6_UNREACH | 1;
}

static void put_return(struct lower *l, const struct spot *at, uint32_t arg)
{
	const enum iw action = l->rules.v[at->i].r->action;
	struct ruling ruling = { .verdict = V_RETURN,
				 .answer = { .icmp4 = -1, .icmp6 = -1, .queries = true } };

	if (action == IW_REJECT)
		arg = 1;
	ruling.answer.rst = action == IW_RESET || action == IW_RESET6;
	if (action == IW_REJECT || action == IW_UNREACH) {
		ruling.answer.icmp4 = ICMP_UNREACH | (int32_t)arg;
		ruling.answer.icmp6 = icmp6_of(arg);
	} else if (action == IW_UNREACH6) {
		ruling.answer.icmp6 = ICMP6_UNREACH | (int32_t)arg;
	} else if (action == IW_RESET6) {
		struct rule *v4 = add_action(l, at);

		rule_test(l->m, v4, F_AF, set_one(l->a, AF_V4));
		rule_decide(v4, ruling_block());
	}
	rule_decide(add_action(l, at), ruling);
}

static void put_next(struct lower *l, const struct spot *at, uint32_t arg)
{
	(void)arg;
	add_action(l, at);
}

static void put_skipto(struct lower *l, const struct spot *at, uint32_t arg)
{
	rule_goto(add_action(l, at), l->list_at[at->ctx][lower_target(l, arg, at->i)]);
}

static void put_call(struct lower *l, const struct spot *at, uint32_t arg)
{
	rule_call(add_action(l, at), l->list_at[CTX_CALLED][lower_target(l, arg, -1)]);
}

static void put_return_action(struct lower *l, const struct spot *at, uint32_t arg)
{
	(void)arg;
	if (at->ctx == CTX_CALLED)
		add_action(l, at)->exit = EX_RETURN;
	else
		add_action(l, at);
}

/* IPv6 is denied at nat, whatever the instance */
static void put_nat(struct lower *l, const struct spot *at, uint32_t arg)
{
	const struct ipfw_rule *r = l->rules.v[at->i].r;
	const struct set *afs = at->match != NULL ? at->match->f[F_AF] : NULL;
	uint32_t xlate;
	struct rule *to;

	if (l->o->is_live && arg != 0 && !lower_nat_is_ready(l, arg)) {
		diag_add(l->c->diags, DIAG_W2401, r->arg_at,
			 "nat instance %u is not configured, or its interface has no address: "
			 "until then rule %u denies", arg,
			 r->number);
		rule_decide(add_action(l, at), ruling_block());
		return;
	}
	xlate = lower_xlate(l, r, arg);
	if (afs == NULL || set_has(afs, AF_NONE, AF_V6)) {
		to = add_action(l, at);
		rule_test(l->m, to, F_AF, set_one(l->a, AF_V6));
		rule_decide(to, ruling_block());
	}
	to = add_action(l, at);
	rule_test(l->m, to, F_AF, set_one(l->a, AF_V4));
	rule_translate(l->m, to, xlate, LIST_NONE);
	if (l->one_pass)
		rule_decide(to, ruling_pass());
}

static uint32_t name_id(const struct lower *l, const char *name)
{
	return l->has_names && name != NULL ? intern_cid(l->c->names, name) : 0;
}

static void put_check_state(struct lower *l, const struct spot *at, uint32_t arg)
{
	const struct ipfw_rule *r = l->rules.v[at->i].r;

	(void)arg;
	rule_probe_name(l->m, add_action(l, at), name_id(l, r->state_name));
}

static const struct {
	enum iw word;
	void (*put)(struct lower *l, const struct spot *at, uint32_t arg);
} actions[] = {
	{ IW_ALLOW, put_decide }, { IW_DENY, put_decide },
	{ IW_REJECT, put_return }, { IW_UNREACH, put_return }, { IW_UNREACH6, put_return },
	{ IW_RESET, put_return }, { IW_RESET6, put_return },
	{ IW_COUNT, put_next }, { IW_REASS, put_next },
	{ IW_SKIPTO, put_skipto }, { IW_CALL, put_call }, { IW_RETURN, put_return_action },
	{ IW_NAT, put_nat }, { IW_CHECK_STATE, put_check_state },
};

static void put_action(struct lower *l, const struct spot *at, uint32_t arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (actions[i].word == l->rules.v[at->i].r->action) {
			actions[i].put(l, at, arg);
			return;
		}
	}
	BUG_IF(true);
}

/* A list with the action alone, which ends behind the rule if it goes on */
static uint32_t own_list(struct lower *l, const struct spot *at, uint32_t arg)
{
	const struct work_rule *w = &l->rules.v[at->i];
	struct spot own = *at;

	own.list = model_add_list(l->m, arena_printf(l->a, "action %u", w->r->number));
	own.match = NULL;
	put_action(l, &own, arg);
	if (!w->is_final)
		rule_goto(model_add_rule(l->m, own.list, (struct origin){ 0 }),
			  l->list_at[at->ctx][at->i + 1]);
	return own.list;
}

static void put_variant(struct lower *l, struct spot *at, const struct variant *v)
{
	const struct work_rule *w = &l->rules.v[at->i];
	const struct ipfw_state *st = &w->r->state;
	const bool own = keeps_state(w->r) || w->has_rest;
	const bool never = w->r->is_deferred && !keeps_state(w->r);
	const uint32_t list = own ? own_list(l, at, v->arg) : LIST_NONE;

	for (uint32_t k = 0; k < v->alts.list.n; k++) {
		struct rule *r;

		at->match = &v->alts.list.v[k];
		if (!own) {
			if (!never)
				put_action(l, at, v->arg);
			continue;
		}
		r = add_rule(l, at, keeps_state(w->r) ? origin_of(w->r) : (struct origin){ 0 });
		if (keeps_state(w->r))
			rule_record_limit(l->m, r, list, name_id(l, st->name), st->limit, st->by);
		rule_goto(r, w->r->is_deferred ? l->list_at[at->ctx][at->i + 1] : list);
	}
}

static bool probes(const struct ipfw_rule *r)
{
	return r->state.word == IW_KEEP_STATE || r->state.word == IW_LIMIT;
}

/* Does a rule take every packet, for good */
static bool is_end(const struct lower *l, const struct work_rule *w)
{
	const bool all = w->variants.n == 1 && w->variants.v[0].alts.list.n == 1 &&
			 conj_covers(&w->variants.v[0].alts.list.v[0],
				     &(struct conj){ .f = { NULL } }) && w->r->prob == 0;

	return all && !w->r->is_deferred && (w->is_final || w->r->action == IW_RETURN) &&
	       !(w->r->action == IW_NAT && !l->one_pass);
}

static void put_rule(struct lower *l, struct spot *at)
{
	const struct work_rule *w = &l->rules.v[at->i];

	at->match = NULL;
	if (probes(w->r)) {
		struct rule *probe = model_add_rule(l->m, at->list, (struct origin){ 0 });

		rule_probe_name(l->m, probe, name_id(l, w->r->state.name));
		probe->prob = w->r->prob;
		probe->draw = at->draw;
	}
	for (uint32_t v = 0; v < w->variants.n; v++)
		put_variant(l, at, &w->variants.v[v]);
}

static void put_all(struct lower *l, enum context ctx)
{
	struct spot at = { .ctx = ctx };
	uint32_t draw = 0;
	bool ended = true;

	for (uint32_t i = 0; i <= l->rules.n; i++) {
		const uint32_t list = l->list_at[ctx][i];

		if (list != LIST_NONE) {
			if (!ended)
				rule_goto(model_add_rule(l->m, at.list, (struct origin){ 0 }),
					  list);
			at.list = list;
		}
		if (i == l->rules.n)
			break;
		at.i = i;
		at.draw = l->rules.v[i].r->prob > 0 ? draw++ : 0;
		put_rule(l, &at);
		ended = is_end(l, &l->rules.v[i]) &&
			!(ctx == CTX_MAIN && l->rules.v[i].r->action == IW_RETURN);
	}
	l->m->n_draws = draw;
	if (ctx == CTX_CALLED)	/* the end of the rules is no return */
		model_add_rule(l->m, at.list, (struct origin){ 0 })->exit = EX_SETTLE;
}

/* -- calls ------------------------------------------------------------------ */

static void check_calls(struct lower *l)
{
	for (uint32_t i = 0; i < l->rules.n; i++) {
		const struct ipfw_rule *r = l->rules.v[i].r;

		if (r->action == IW_CALL && i + 1 < l->rules.n &&
		    l->rules.v[i + 1].r->number == r->number)
			diag_add(l->c->diags, DIAG_E2019, r->at,
				 "return comes back behind all rules with number %u", r->number);
		if (keeps_state(r) && r->action != IW_ALLOW && r->action != IW_DENY)
			diag_add(l->c->diags, DIAG_E2019, r->state.at,
				 "a state that repeats '%s' beside a call", iw_text(r->action));
	}
}

static void check_loops(struct lower *l)
{
	const char *wrong = model_check(l->m);

	if (wrong == NULL)
		return;
	for (uint32_t i = 0; i < l->rules.n; i++) {
		if (l->rules.v[i].r->action != IW_CALL)
			continue;
		diag_add(l->c->diags, DIAG_E2019, l->rules.v[i].r->at,
			 "the rules called lead back here, or calls nest too deep");
		return;
	}
	BUG_IF(true);
}

/* -- the whole -------------------------------------------------------------- */

static void choose_one_pass(struct lower *l)
{
	l->one_pass = l->rs->one_pass >= 0 ? l->rs->one_pass == 1
		    : l->o->one_pass >= 0 ? l->o->one_pass == 1 : true;
	if (l->rs->one_pass >= 0 && l->o->one_pass >= 0 && l->rs->one_pass != l->o->one_pass)
		diag_add(l->c->diags, DIAG_N2041, l->rs->one_pass_at,
			 "the ruleset sets one_pass to %d, so --one-pass %d does not count",
			 l->rs->one_pass, l->o->one_pass);
}

bool ipfw_lower(struct lang_ctx *c, const struct ipfw_ruleset *rs, const struct facts *facts,
		const struct ipfw_options *o, struct model *m)
{
	struct lower l = { .c = c, .a = c->a, .rs = rs, .facts = facts, .o = o, .m = m,
			   .errors = c->diags->n_errors };

	m->discipline = STATES_FREE;
	m->otherwise = o->default_to_accept || rs->is_off ? ruling_pass() : ruling_block();
	if (o->is_live)
		m->otherwise_text = m->otherwise.verdict == V_PASS ?
				    "65535 allow ip from any to any" :
				    "65535 deny ip from any to any";
	memcpy(m->lives_s, rs->lives_s, sizeof(m->lives_s));
	choose_one_pass(&l);
	l.xlates = arena_array(c->a, uint32_t, UINT16_MAX + 2u);
	for (uint32_t i = 0; i < rs->rules.n && !rs->is_off; i++)
		if ((rs->disabled & 1u << rs->rules.v[i].set) == 0)
			take_rule(&l, &rs->rules.v[i]);
	prepare(&l);
	if (c->diags->n_errors > l.errors)
		return false;
	if (l.has_calls)
		check_calls(&l);
	make_lists(&l);
	m->entry[DIR_IN] = m->entry[DIR_OUT] = l.list_at[CTX_MAIN][0];
	put_all(&l, CTX_MAIN);
	if (l.has_calls)
		put_all(&l, CTX_CALLED);
	check_loops(&l);
	if (c->diags->n_errors > l.errors)
		return false;
	lower_warn(&l);
	return true;
}
