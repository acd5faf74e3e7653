/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Tags, probability and binat.
 */
#include <string.h>

#include "base/limits.h"
#include "lang/pf/lower.h"

/* ---- tags and probability ------------------------------------------------- */

/* The bit of a tag, or 0 when there are too many, which is told */
static uint8_t tag_bit(struct pf_lower *l, const char *name, struct span at)
{
	const uint32_t id = intern_cid(l->m->names, name);

	for (uint32_t i = 0; i < l->m->tags.n; i++)
		if (l->m->tags.v[i] == id)
			return (uint8_t)(1u << i);
	if (l->m->tags.n >= MODEL_TAGS) {
		(void)pl_error(l, E1314, at, "more than %u tags", MODEL_TAGS);
		return 0;
	}
	vec_add(l->c->a, &l->m->tags, id);
	return (uint8_t)(1u << (l->m->tags.n - 1));
}

static bool tagged_test(struct pf_lower *l, struct rule *r, const struct pf_rule_opts *o,
			struct span at)
{
	const uint8_t bit = tag_bit(l, o->tagged, at);
	struct ranges *rs;

	if (bit == 0)
		return false;
	rs = pf_ranges(l);
	for (unsigned int v = 0; v < 256; v++)
		if (((v & bit) == 0) == o->not_tagged)
			ranges_add(l->c->a, rs, AF_NONE, v, v);
	rule_test(l->m, r, F_TAGS, pf_ranges_set(l, rs));
	return true;
}

/* A translation rule tags what it matches, even if it changes nothing */
static void tag_first(struct rule *r)
{
	struct effect *last = &r->effects.v[r->effects.n - 1];
	const struct effect tag = *last;

	if (r->effects.n < 2 || last[-1].kind != EF_TRANSLATE)
		return;
	*last = last[-1];
	last[-1] = tag;
}

bool pf_emit_options(struct pf_lower *l, struct rule *r, const struct pf_rule_opts *o,
		     struct span at)
{
	uint8_t bit;

	if (o->tagged != NULL && !tagged_test(l, r, o, at))
		return false;
	if (o->tag != NULL) {
		bit = tag_bit(l, o->tag, at);
		if (bit == 0)
			return false;
		/* A packet has one tag: the new one takes the place of the old */
		rule_tag(l->m, r, bit, (uint8_t)~bit);
		tag_first(r);
	}
	if (o->probability >= 0 && o->probability < 100) {
		r->prob = (uint32_t)(o->probability / 100 * PROB_ONE);
		r->prob = MAX(r->prob, 1u);	/* 0 means always, and 0% is next to never */
		r->draw = l->m->n_draws++;
	}
	return true;
}

/* ---- binat ---------------------------------------------------------------- */

/* The one address or network of a side of binat */
static bool binat_prefix(struct pf_lower *l, const struct pf_host *h, uint8_t *af,
			 struct prefix *ret)
{
	struct pf_locals locals = { .list = { 0 } };

	if (h->kind == PH_ADDR) {
		*ret = h->p;
	} else if (h->kind == PH_NAME || h->kind == PH_DYNAMIC) {
		if (!pf_locals_of(l, h, &locals))
			return false;
		ret->a.af = AF_NONE;
		for (uint32_t i = 0; i < locals.list.n && ret->a.af == AF_NONE; i++)
			if (locals.list.v[i].scope == 0 &&
			    (*af == AF_NONE || locals.list.v[i].p.a.af == *af))
				*ret = locals.list.v[i].p;
	} else {
		return pl_error(l, E1312, h->at, "binat translates one address or network");
	}
	if (ret->a.af == AF_NONE || (*af != AF_NONE && ret->a.af != *af))
		return pl_error(l, E1311, h->at,
				"no translation address with matching address family found");
	*af = ret->a.af;
	return true;
}

struct binat {
	const struct pf_rule *rule;
	uint32_t xlate;
};

static void finish_binat(struct pf_lower *l, struct rule *r, const void *arg)
{
	const struct binat *b = arg;

	if (b->rule->is_log)
		rule_log(l->m, r);
	if (b->rule->is_no) {
		r->exit = EX_RETURN;
		return;
	}
	rule_translate(l->m, r, b->xlate, l->list_filter);
	if (b->rule->is_pass)
		rule_decide(r, ruling_keep());
	else
		rule_goto(r, l->list_filter);
}

static void only_prefix(struct pf_lower *l, struct pf_parts *ps, struct prefix p)
{
	*ps = (struct pf_parts){ .list = { 0 } };
	vec_add(l->c->a, &ps->list, ((struct pf_part){ .in = set_prefix(l->c->a, p) }));
}

void pf_xlate_onto(struct pf_lower *l, struct xlate *x, struct prefix to)
{
	vec_add(l->c->a, &x->to, prefix_first(to));
	x->host_bits = (uint8_t)(addr_bits(to.a.af) - to.len);
	if (x->host_bits > 0)
		x->pool = POOL_BITMASK;
}

/* @in leaves as @out, and what comes for @out goes to @in, peers being those of the match */
static bool binat_pair(struct pf_lower *l, const struct pf_stmt *s, struct prefix in,
		       struct prefix out)
{
	struct pf_match *mt = &l->match;
	const struct pf_parts peers = mt->dst;
	struct xlate x = { .kind = XL_SRC, .port = XP_KEEP };
	struct xlate y = { .kind = XL_DST, .port = XP_KEEP };
	struct binat b = { .rule = s->rule };

	pf_xlate_onto(l, &x, out);
	pf_xlate_onto(l, &y, in);
	only_prefix(l, &mt->src, in);
	b.xlate = model_add_xlate(l->m, x);
	if (!pf_emit(l, l->list_binat[DIR_OUT], s, mt, finish_binat, &b))
		return false;
	only_prefix(l, &mt->dst, out);
	mt->src = peers;
	b.xlate = model_add_xlate(l->m, y);
	return pf_emit(l, l->list_binat[DIR_IN], s, mt, finish_binat, &b);
}

bool pf_binat_sides(struct pf_lower *l, const struct pf_rule *r, const struct pf_target *t,
		    struct prefix *ret_in, struct prefix *ret_out)
{
	uint8_t af = r->af;

	if (t->hosts.n != 1 || t->has_port || t->pool != PO_DEFAULT)
		return pl_error(l, E1312, t->at, "binat leads to one address or network, "
				"without ports and kinds of pool");
	if (r->from.hosts.n != 1)
		return pl_error(l, E1312, t->at, "binat translates one address or network");
	if (!binat_prefix(l, &r->from.hosts.v[0], &af, ret_in) ||
	    !binat_prefix(l, &t->hosts.v[0], &af, ret_out))
		return false;
	return ret_in->len == ret_out->len ||
	       pl_error(l, E1312, t->at, "binat source mask and redirect mask must be the same");
}

bool pf_lower_binat(struct pf_lower *l, const struct pf_stmt *s)
{
	const struct pf_rule *r = s->rule;
	const struct binat no = { .rule = r };
	struct prefix in, out;

	if (!pf_match_of(l, r))
		return false;
	/* As in pf, "no binat" has no other address to turn round: both ways the same */
	if (r->is_no)
		return pf_emit(l, l->list_binat[DIR_OUT], s, &l->match, finish_binat, &no) &&
		       pf_emit(l, l->list_binat[DIR_IN], s, &l->match, finish_binat, &no);
	if (!pf_binat_sides(l, r, r->target, &in, &out))
		return false;
	l->match.af = in.a.af;
	return binat_pair(l, s, in, out);
}
