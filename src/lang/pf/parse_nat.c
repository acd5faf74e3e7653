/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Translation rules, and the pools that they, route-to and nat-to lead to.
 */
#include "lang/pf/parse.h"

#include <string.h>

#include "base/limits.h"

/* ---- pools ---------------------------------------------------------------- */

static bool target_port(struct pf_parser *p, struct pf_target *t)
{
	bool is_range;

	if (!pf_accept(p, PW_PORT))
		return true;
	t->has_port = true;
	return pf_port_range(p, true, &t->port_lo, &t->port_hi, &t->is_open, &is_range);
}

/* "6/8/0x34" */
static bool map_e(struct pf_parser *p, struct pf_target *t)
{
	const struct span at = p->t.at;

	pf_later(p, "'map-e-portset'", at);
	pf_next(p);
	if (t->has_port)
		return pf_error(p, E1312, at, "the 'map-e-portset' option can't be used when "
				"specifying a port range");
	t->has_map_e = true;
	for (int i = 0; i < 3; i++) {
		bool is_open, is_range;
		uint16_t n, hi;

		if (i > 0 && !pf_expect(p, '/', "'/' and the next number"))
			return false;
		if (!pf_port_range(p, false, &n, &hi, &is_open, &is_range))
			return false;
		if (n > 255)
			return pf_error(p, E1111, at, "%u is not in 0..255", n);
		t->map_e[i] = (uint8_t)n;
	}
	return true;
}

static bool static_port(struct pf_parser *p, struct pf_target *t, bool is_nat)
{
	if (!is_nat)
		return pf_error(p, E1312, p->t.at, "the 'static-port' option is only valid with "
				"nat rules");
	/* Of a range with one of pf's own ends it wins in silence, as in pf */
	if (t->has_port && t->port_lo != 50001 && t->port_hi != 65535)
		return pf_error(p, E1312, p->t.at, "the 'static-port' option can't be used when "
				"specifying a port range");
	t->is_static = true;
	pf_next(p);
	return true;
}

static const struct {
	enum pf_word word;
	enum pf_pool pool;
} pools[] = {
	{ PW_ROUND_ROBIN, PO_ROUND_ROBIN }, { PW_RANDOM, PO_RANDOM }, { PW_BITMASK, PO_BITMASK },
	{ PW_SOURCE_HASH, PO_SOURCE_HASH },
};

static bool pool_kind(struct pf_parser *p, struct pf_target *t, bool *ret_found)
{
	*ret_found = false;
	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		if (!pf_is(p, pools[i].word))
			continue;
		*ret_found = true;
		if (t->pool != PO_DEFAULT)
			return pf_error(p, E1312, p->t.at, "a pool is of one kind only");
		t->pool = pools[i].pool;
		pf_next(p);
		if (t->pool == PO_SOURCE_HASH && (p->t.kind == PT_STRING || pf_is_name(p)))
			return pf_any_text(p, "a key", &t->hash_key);
		return true;
	}
	return true;
}

static bool target_options(struct pf_parser *p, struct pf_target *t, bool is_nat)
{
	for (;;) {
		bool found;

		if (!pool_kind(p, t, &found))
			return false;
		if (found)
			continue;
		if (pf_is(p, PW_STICKY_ADDRESS)) {
			t->is_sticky = true;
			pf_next(p);
		} else if (pf_is(p, PW_ENDPOINT_INDEPENDENT)) {
			pf_later(p, "'endpoint-independent'", p->t.at);
			t->is_independent = true;
			pf_next(p);
		} else if (pf_is(p, PW_STATIC_PORT)) {
			if (!static_port(p, t, is_nat))
				return false;
		} else if (pf_is(p, PW_MAP_E_PORTSET)) {
			if (!map_e(p, t))
				return false;
		} else {
			return true;
		}
	}
}

static bool is_multi(const struct pf_host *h)
{
	const size_t len = h->name != NULL ? strlen(h->name) : 0;

	if (h->kind != PH_DYNAMIC)
		return h->kind == PH_TABLE;
	return (h->mods & PHM_FIRST) == 0 || len == 0 || h->name[len - 1] < '0' ||
	       h->name[len - 1] > '9';
}

/* What pf takes for a pool without a word about it, and what it refuses */
static bool check_pool(struct pf_parser *p, struct pf_target *t)
{
	bool multi = t->hosts.n > 1;

	for (uint32_t i = 0; i < t->hosts.n; i++)
		multi |= is_multi(&t->hosts.v[i]);
	if (!multi || t->pool == PO_DEFAULT || t->pool == PO_ROUND_ROBIN)
		return true;
	for (uint32_t i = 0; i < t->hosts.n; i++) {
		const struct pf_host *h = &t->hosts.v[i];

		if (t->pool == PO_BITMASK && is_multi(h))
			return pf_error(p, E1312, h->at, "%s %s is not supported by pool type "
					"bitmask", h->kind == PH_TABLE ? "table" : "interface",
					arena_printf(p->c->a, "(%s)", h->name));
	}
	return t->hosts.n == 1 ||
	       pf_error(p, E1312, t->at, "only round-robin is valid for multiple redirection "
			"addresses");
}

bool pf_target(struct pf_parser *p, struct pf_rule *r UNUSED, bool is_nat, struct pf_target **ret)
{
	struct pf_target *t = arena_new(p->c->a, struct pf_target);

	*ret = t;
	t->at = p->t.at;
	p->hosts.n = 0;
	if (!pf_list(p, pf_host_item))
		return false;
	pf_take(p, &p->hosts, &t->hosts);
	return target_port(p, t) && target_options(p, t, is_nat) && check_pool(p, t);
}

/* ---- route-to ------------------------------------------------------------- */

/* "(em0 192.0.2.1)", "em0", "(em0)" */
static bool route_item(struct pf_parser *p)
{
	const bool closed = p->t.kind == '(';
	const char *name;

	if (closed)
		pf_next(p);
	if (!pf_is_name(p))
		return pf_unexpected(p, "an interface and an address", 0);
	name = pf_token_str(p);
	vec_add(p->c->a, &p->words, name);
	if (!closed) {
		vec_add(p->c->a, &p->hosts,
			((struct pf_host){ .kind = PH_ANY, .len = -1, .at = p->t.at }));
		pf_next(p);
		return true;
	}
	pf_next(p);
	if (p->t.kind == ')')
		vec_add(p->c->a, &p->hosts,
			((struct pf_host){ .kind = PH_ANY, .len = -1, .at = p->t.at }));
	else if (!pf_host_item(p))
		return false;
	return pf_expect(p, ')', "')'");
}

bool pf_route(struct pf_parser *p, struct pf_rule *r)
{
	const enum pf_word w = p->t.kind == PT_WORD ? p->t.word : PW_NONE;
	struct pf_rule_opts *o;
	struct pf_target *t;

	if (w != PW_ROUTE_TO && w != PW_REPLY_TO && w != PW_DUP_TO)
		return true;
	if (r->action != PA_PASS && r->action != PA_MATCH)
		return pf_error(p, E1101, p->t.at, "'%s' stands on pass rules only",
				pf_word_text(w));
	o = pf_opts(p, r);
	t = arena_new(p->c->a, struct pf_target);
	pf_later(p, arena_printf(p->c->a, "'%s'", pf_word_text(w)), p->t.at);
	o->route = w;
	o->route_to = t;
	t->at = p->t.at;
	pf_next(p);
	p->words.n = p->hosts.n = 0;
	if (!pf_list(p, route_item))
		return false;
	t->ifaces = arena_array(p->c->a, const char *, p->words.n);
	memcpy(t->ifaces, p->words.v, p->words.n * sizeof(*t->ifaces));
	pf_take(p, &p->hosts, &t->hosts);
	if (!target_options(p, t, false))
		return false;
	o->prefer_ipv6_nexthop = pf_accept(p, PW_PREFER_IPV6_NEXTHOP);
	return true;
}

/* ---- rules ---------------------------------------------------------------- */

static bool parse_target(struct pf_parser *p, struct pf_rule *r)
{
	const struct span start = p->t.at;

	if (r->is_no) {
		if (p->t.kind == PT_ARROW)
			return pf_error(p, E1312, p->t.at, "a 'no' rule leads nowhere: it takes no "
					"'->'");
		return true;
	}
	if (pf_is_end(p))
		return pf_error(p, E1312, p->t.at, "%s needs '-> address'",
				r->action == PA_BINAT ? "binat" : "a translation rule");
	if (!pf_expect(p, PT_ARROW, "'->' and an address"))
		return false;
	if (!pf_target(p, r, r->action == PA_NAT, &r->target))
		return false;
	r->target->at = start;
	if (!pf_is_end(p))
		return pf_unexpected(p, "a kind of pool, static-port or the end", PWR_PLAIN);
	return true;
}

/* "tag", "tagged" and "rtable" stand before "->" */
static bool nat_options(struct pf_parser *p, struct pf_rule *r)
{
	while (!pf_is_end(p) && p->t.kind != PT_ARROW) {
		struct pf_rule_opts *o = pf_opts(p, r);
		const struct span at = p->t.at;
		const bool is_not = p->t.kind == '!';
		uint32_t n;

		if (is_not)
			pf_next(p);
		if (!is_not && pf_accept(p, PW_TAG)) {
			if (!pf_any_text(p, "a tag", &o->tag))
				return false;
		} else if (pf_accept(p, PW_TAGGED)) {
			o->not_tagged = is_not;
			if (!pf_any_text(p, "a tag", &o->tagged))
				return false;
		} else if (!is_not && pf_accept(p, PW_RTABLE)) {
			pf_later(p, "'rtable'", at);
			if (!pf_number(p, 65535, "the number of a routing table", &n))
				return false;
			o->rtable = (int32_t)n;
		} else {
			return pf_unexpected(p, "'->' and an address", PWR_RULE);
		}
	}
	return true;
}

static bool binat_shape(struct pf_parser *p, const struct pf_rule *r)
{
	const struct pf_hosts *from = &r->from.hosts;

	if (r->action != PA_BINAT)
		return true;
	if (from->n > 1 || r->to.hosts.n > 1 || r->ifaces.n > 1 || r->protos.n > 1)
		return pf_error(p, E1312, p->first.at, "binat takes no lists");
	if (from->n == 0 || from->v[0].kind == PH_ANY)
		return pf_error(p, E1312, p->first.at, "binat needs an address behind 'from'");
	if (from->v[0].is_not || from->v[0].kind == PH_TABLE || from->v[0].kind == PH_RANGE)
		return pf_error(p, E1312, from->v[0].at, "binat translates one address or network");
	if (r->from.ports.n > 0 || r->to.ports.n > 0)
		return pf_error(p, E1312, p->first.at, "binat takes no ports");
	return true;
}

static bool rest_of_nat(struct pf_parser *p, struct pf_rule *r)
{
	r->is_pass = pf_accept(p, PW_PASS);
	if (!pf_part_log(p, r) || !pf_parts_common(p, r) || !nat_options(p, r) ||
	    !binat_shape(p, r) || !parse_target(p, r))
		return false;
	pf_take_later(p, r);
	return pf_check_words(p, r);
}

static enum pf_action action_of(enum pf_word word)
{
	return word == PW_NAT ? PA_NAT : word == PW_RDR ? PA_RDR : PA_BINAT;
}

bool pf_rule_nat(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	s->rule = pf_new_rule(p, action_of(word));
	return rest_of_nat(p, s->rule);
}

bool pf_rule_no(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	const struct span at = p->t.at;
	const enum pf_word what = p->t.kind == PT_WORD ? p->t.word : PW_NONE;

	if (what != PW_NAT && what != PW_RDR && what != PW_BINAT && what != PW_SCRUB)
		return pf_unexpected(p, "nat, rdr, binat or scrub", PWR_STATEMENT);
	if (!pf_order(p, what == PW_SCRUB ? PORD_SCRUB : PORD_NAT, at))
		return false;
	pf_next(p);
	if (what == PW_SCRUB)
		return pf_rule_scrub(p, s, PW_NO);
	s->rule = pf_new_rule(p, action_of(what));
	s->rule->is_no = true;
	return rest_of_nat(p, s->rule);
}
