/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A set of the program holds one kind of flows of one rule: of one protocol with ports,
 * or of all without.  One pair of variables stands for all sets of a rule, as a packet
 * is of one kind; so a set that is asked for packets of another kind is nobody's.
 */
#include "prove/states.h"

#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

#define MOST_RECORDS	400u	/* each is two of P_OPAQUE */

static bool has_room(struct proof *p, struct proof_record *rec, uint32_t k)
{
	for (int way = 0; way < 2; way++) {
		rec->flow[way] = space_opaque(&p->s, arena_printf(p->a, "flow %u %d", k, way), 1);
		if (rec->flow[way] == DD_NO_VAR)
			return false;
	}
	return true;
}

bool states_init(struct proof *p)
{
	for (uint32_t l = 0; l < p->m->lists.n; l++)
		for (uint32_t i = 0; i < p->m->lists.v[l].rules.n; i++) {
			const struct rule *r = &p->m->lists.v[l].rules.v[i];
			struct proof_record rec = { r, rule_has_effect(r, EF_RECORD), { 0 } };

			if (rec.e == NULL)
				continue;
			if (p->records.n == MOST_RECORDS || !has_room(p, &rec, p->records.n))
				return false;
			vec_add(p->a, &p->records, rec);
		}
	return true;
}

dd states_has_way(struct proof *p, uint32_t k, bool reversed)
{
	return dd_var(p->d, p->records.v[k].flow[reversed]);
}

dd states_has(struct proof *p, uint32_t k)
{
	return dd_or(p->d, states_has_way(p, k, false), states_has_way(p, k, true));
}

/* ---- what can be ------------------------------------------------------------------- */

/* May a rule meet packets of the family at hand */
static bool is_of_family(const struct proof *p, const struct rule *r)
{
	const struct set *af = rule_tests(r, F_AF);
	const struct set *addrs[] = { rule_tests(r, F_SRC), rule_tests(r, F_DST) };
	const unsigned int own = p->s.af == AF_V4 ? SET_HAS_V4 : SET_HAS_V6;

	for (size_t i = 0; i < ARRAY_SIZE(addrs); i++)
		if (addrs[i] != NULL && (set_families(addrs[i]) & own) == 0)
			return false;
	return af == NULL || set_has(af, AF_NONE, p->s.af);
}

/* Flows that a rule may have met */
static dd may_be_of(struct proof *p, const struct rule *r)
{
	const struct set *protos = rule_tests(r, F_PROTO);
	dd may = protos == NULL ? DD_TRUE : space_in(&p->s, P_PROTO, protos);

	if (!is_of_family(p, r))
		return DD_FALSE;
	if (rule_tests(r, F_SPORT) != NULL || rule_tests(r, F_DPORT) != NULL)
		may = dd_and(p->d, may, space_ports(&p->s));
	return may;
}

static bool asks_any(const struct model *m)
{
	for (uint32_t l = 0; l < m->lists.n; l++)
		for (uint32_t i = 0; i < m->lists.v[l].rules.n; i++) {
			const struct effect *e = rule_has_effect(&m->lists.v[l].rules.v[i],
								 EF_PROBE);

			if (e != NULL && e->name == 0)
				return true;
		}
	return false;
}

/* Of the records of one name, or of all, one at the most has a flow */
static dd only_one_of(struct proof *p, uint32_t name, bool any)
{
	dd none = DD_TRUE, one = DD_FALSE;

	for (uint32_t k = p->records.n; k-- > 0;) {
		const dd has = states_has(p, k);

		if (!any && p->records.v[k].e->name != name)
			continue;
		one = dd_ite(p->d, has, none, one);
		none = dd_and(p->d, none, dd_not(p->d, has));
	}
	return dd_or(p->d, none, one);
}

dd states_real(struct proof *p)
{
	const bool any = asks_any(p->m);
	dd r = space_is(&p->s, P_PROBED, 0);

	for (uint32_t k = 0; k < p->records.n; k++) {
		const struct proof_record *rec = &p->records.v[k];

		r = dd_and(p->d, r, dd_or(p->d, dd_not(p->d, states_has(p, k)),
					  may_be_of(p, rec->r)));
		for (uint32_t i = 0; i <= k; i++)
			if (i == k || p->records.v[i].e->name == rec->e->name) {
				if (i == k && (!any || k == 0))
					r = dd_and(p->d, r, only_one_of(p, rec->e->name, any));
				break;
			}
	}
	return r;
}

/* ---- what is written ------------------------------------------------------------------ */

/* The first record whose flows go on in the same list: nothing tells the two apart */
static uint32_t first_alike(const struct proof *p, uint32_t k)
{
	uint32_t first = 0;

	while (p->records.v[first].e->list != p->records.v[k].e->list)
		first++;
	return first;
}

dd states_is_there(struct proof *p, uint32_t k, bool reversed)
{
	dd is = DD_FALSE;

	for (uint32_t i = p->records.n; i-- > 0;)
		if (p->records.v[i].e->list == p->records.v[k].e->list)
			is = dd_or(p->d, is, states_has_way(p, i, reversed));
	return is;
}

/* What a packet adds to what is remembered is told with what becomes of it */
dd states_write(struct proof *p, dd f, uint32_t k, bool reversed)
{
	const uint16_t number = (uint16_t)(2 * first_alike(p, k) + reversed + 1);
	const dd to = dd_with(p->d, f, p->records.v[k].flow[reversed], true);

	return dd_ite(p->d, states_is_there(p, k, reversed), f,
		      proof_note(p, to, PROOF_RECORDS, false, number));
}

/* ---- limits --------------------------------------------------------------------------- */

/* The same count has the same name on either side */
static bool count_var(struct proof *p, uint32_t list, uint32_t most, uint8_t by, bool has_ports,
		      dd *ret)
{
	const char *name = arena_printf(p->a, "more than %u of list %u by %u, %s", most, list, by,
					has_ports ? "with ports" : "without");
	const uint32_t var = space_opaque(&p->s, name, 1);

	*ret = var == DD_NO_VAR ? DD_FALSE : dd_var(p->d, var);
	return var != DD_NO_VAR;
}

bool states_is_met(struct proof *p, uint32_t k, dd *ret)
{
	const struct effect *e = p->records.v[k].e;
	dd with, without;

	*ret = DD_FALSE;
	if (e->limit == 0)
		return true;
	if (!count_var(p, e->list, e->limit, e->limit_by, true, &with) ||
	    !count_var(p, e->list, e->limit,
		       e->limit_by & (LIMIT_SRC_ADDR | LIMIT_DST_ADDR), false, &without))
		return false;
	*ret = dd_ite(p->d, space_ports(&p->s), with, without);
	return true;
}

/* ---- sets of the program ---------------------------------------------------------------- */

/* Some bits of a key are those of a part, and what is left of its last word is 0 */
static bool is_part(struct proof *p, const struct regs *regs, uint32_t *word, enum part part)
{
	const uint32_t n = space_width(&p->s, part), words = (n + 31) / 32;

	for (uint32_t i = 0; i < 32 * words; i++)
		if (regs_bit(regs, *word, i) != (i < n ? space_bit(&p->s, part, i) : DD_FALSE))
			return false;
	*word += words;
	return true;
}

static bool is_key(struct proof *p, const struct regs *regs, uint32_t word, bool has_ports,
		   bool reversed)
{
	const enum part parts[2][4] = { { P_SRC, P_DST, P_SPORT, P_DPORT },
					{ P_DST, P_SRC, P_DPORT, P_SPORT } };

	if (!has_ports && !is_part(p, regs, &word, P_PROTO))
		return false;
	for (uint32_t i = 0; i < (has_ports ? 4u : 2u); i++)
		if (!is_part(p, regs, &word, parts[reversed][i]))
			return false;
	return true;
}

/* "PROTOCOL FAMILY RULE", of the family at hand; the rule's text in @ret */
static bool read_comment(const struct proof *p, const struct prog_set *s, int *ret_proto,
			 const char **ret)
{
	int family = 0, n = 0;

	if (s->comment == NULL || sscanf(s->comment, "%d %d %n", ret_proto, &family, &n) < 2 ||
	    n == 0)
		return false;
	*ret = s->comment + n;
	return family == (p->s.af == AF_V4 ? 4 : 6);
}

static bool is_text(const char *text, const struct rule *r)
{
	const char *own = r->origin.text != NULL ? r->origin.text : "";

	return strncmp(own, text, strlen(text)) == 0;
}

/* May a rule remember packets of a kind: a protocol with ports, or < 0: those without */
static bool remembers(const struct rule *r, int proto)
{
	const struct set *protos = rule_tests(r, F_PROTO);

	if (proto >= 0)
		return protos == NULL || set_has(protos, AF_NONE, (u128)proto);
	for (uint32_t v = 0; v <= UINT8_MAX; v++)
		if (!proto_has_ports((uint8_t)v) && (protos == NULL || set_has(protos, AF_NONE, v)))
			return true;
	return false;
}

/* How many sets of the same kind and comment stand before this one */
static uint32_t rank_of(const struct proof *p, const struct prog_set *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->p->sets.n && &p->p->sets.v[i] != s; i++) {
		const struct prog_set *o = &p->p->sets.v[i];

		n += o->comment != NULL && strcmp(o->comment, s->comment) == 0 &&
		     strncmp(o->name, s->name, strcspn(s->name, "_")) == 0;
	}
	return n;
}

/* How many other rules the sets that stand before one of a rule are of */
static uint32_t rules_before(const struct proof *p, const char *text)
{
	const char *last = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->p->sets.n; i++) {
		const struct prog_set *s = &p->p->sets.v[i];
		const char *own;
		int proto;

		if (strncmp(s->name, "states_", 7) != 0 || !read_comment(p, s, &proto, &own))
			continue;
		if (strcmp(own, text) == 0)
			return n;
		n += last == NULL || strcmp(own, last) != 0;
		last = own;
	}
	return n;
}

/* The list where flows of the @n-th rule that remembers any go on */
static uint32_t list_of(const struct proof *p, uint32_t n)
{
	for (uint32_t k = 0; k < p->records.n; k++)
		if (first_alike(p, k) == k && n-- == 0)
			return p->records.v[k].e->list;
	return LIST_NONE;
}

/* The record that a set is of, by its comment; of another declaration's by its place */
static bool record_of(const struct proof *p, const struct prog_set *s, int *ret_proto,
		      uint32_t *ret)
{
	uint32_t rank, list = LIST_NONE;
	bool is_named = false;
	const char *text;

	if (!read_comment(p, s, ret_proto, &text))
		return false;
	rank = rank_of(p, s);
	for (uint32_t k = 0; k < p->records.n; k++)
		is_named |= is_text(text, p->records.v[k].r);
	if (!is_named)
		list = list_of(p, rules_before(p, text));
	for (uint32_t k = 0; k < p->records.n; k++) {
		const struct proof_record *rec = &p->records.v[k];

		if ((is_named ? is_text(text, rec->r) : rec->e->list == list) &&
		    is_of_family(p, rec->r) && remembers(rec->r, *ret_proto) && rank-- == 0) {
			*ret = k;
			return true;
		}
	}
	return false;
}

static dd kind_of(struct proof *p, int proto)
{
	return proto >= 0 ? space_is(&p->s, P_PROTO, (u128)proto)
			  : dd_not(p->d, space_ports(&p->s));
}

static bool are_all(struct proof *p, dd when, dd kind)
{
	return dd_and(p->d, when, dd_not(p->d, kind)) == DD_FALSE;
}

/* A word for a key, the same for the same key; NULL: not all of it is known */
static const char *word_for(struct proof *p, const struct prog_set *s, const struct regs *regs,
			    uint32_t word)
{
	const char *text = s->name;

	for (uint32_t i = 0; i < 8 * s->key_len; i++) {
		const dd bit = regs_bit(regs, word, i);

		if (bit == DD_NO_VAR)
			return NULL;
		if (i == 0 || bit != regs_bit(regs, word, i - 1) + 1)
			text = arena_printf(p->a, "%s %u:%u", text, i, bit);
	}
	return text;
}

/* Is a set for flows of the other family */
static bool is_of_other_family(const struct proof *p, const struct prog_set *s)
{
	int proto, family;

	return s->comment != NULL && sscanf(s->comment, "%d %d ", &proto, &family) == 2 &&
	       family == (p->s.af == AF_V4 ? 6 : 4);
}

bool states_of_set(struct proof *p, const struct prog_set *s, const struct regs *regs,
		   uint32_t word, dd when, struct states_set *ret)
{
	int proto = -1;
	bool is_known;

	*ret = (struct states_set){ .kind = DD_FALSE };
	if ((s->flags & NFT_SET_EVAL) == 0 || strncmp(s->name, "states_", 7) != 0)
		return false;
	is_known = record_of(p, s, &proto, &ret->k);
	if (!is_known && !is_of_other_family(p, s))
		return false;
	ret->reversed = is_key(p, regs, word, proto >= 0, true);
	if (!is_known || (!ret->reversed && !is_key(p, regs, word, proto >= 0, false))) {
		ret->other = word_for(p, s, regs, word);
		return ret->other != NULL;
	}
	ret->kind = kind_of(p, proto);
	ret->is_safe = are_all(p, when, ret->kind);
	ret->tells = proto < 0;
	return true;
}

bool states_asked(struct proof *p, const struct states_set *of, dd *ret)
{
	const dd way = of->other != NULL ? DD_FALSE : states_has_way(p, of->k, of->reversed);
	const char *name = of->other;
	uint32_t var;

	*ret = dd_and(p->d, of->kind, way);
	if (name == NULL && (of->is_safe || of->tells))
		return true;
	if (name == NULL)
		name = arena_printf(p->a, "flow %u %d of another protocol", of->k, of->reversed);
	var = space_opaque(&p->s, name, 1);
	if (var == DD_NO_VAR)
		return false;
	*ret = dd_ite(p->d, of->kind, way, dd_var(p->d, var));
	return true;
}

dd states_put(struct proof *p, dd f, const struct states_set *of)
{
	static const struct outcome other = {
		.fate = FATE_HARM, .text = "it is remembered as another flow",
	};
	const dd harm = proof_outcome(p, &other);

	return of->other != NULL ? harm
				 : dd_ite(p->d, of->kind,
					  states_write(p, f, of->k, of->reversed), harm);
}

bool states_count(struct proof *p, const struct prog_set *s, const struct prog_expr *x,
		  const struct regs *regs, dd when, dd *ret)
{
	static const struct { enum part part; uint8_t by; } parts[] = {
		{ P_SRC, LIMIT_SRC_ADDR }, { P_SPORT, LIMIT_SRC_PORT }, { P_DST, LIMIT_DST_ADDR },
		{ P_DPORT, LIMIT_DST_PORT },
	};
	uint32_t word = regs_word(x->sreg), first = word, k;
	uint8_t by = 0;
	int proto;

	if (!x->is_over || !record_of(p, s, &proto, &k) || !are_all(p, when, kind_of(p, proto)) ||
	    (proto < 0 && !is_part(p, regs, &word, P_PROTO)))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (4 * (word - first) < s->key_len && is_part(p, regs, &word, parts[i].part))
			by |= parts[i].by;
	return 4 * (word - first) == s->key_len &&
	       count_var(p, p->records.v[k].e->list, x->modulus, by, proto >= 0, ret);
}
