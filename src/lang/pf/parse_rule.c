/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * All rules are one sequence of parts, each of which may be absent, in one
 * order: direction, log and quick, interface, family, protocol, addresses;
 * then options in any order.  What may follow depends on the kind of rule, and
 * so does what is missing: FreeBSD's own checks are made in lowering, where
 * the whole rule is known.
 */
#include "lang/pf/parse.h"

#include <string.h>

#include "net/names.h"

static struct pf_rule *new_rule(struct pf_parser *p, enum pf_action action)
{
	struct pf_rule *r = arena_new(p->c->a, struct pf_rule);

	r->action = action;
	r->dir = -1;
	r->refusal = p->refusal;
	return r;
}

static void part_dir(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_IN))
		r->dir = DIR_IN;
	else if (pf_accept(p, PW_OUT))
		r->dir = DIR_OUT;
}

/* "(all, user, to pflog1)" behind log */
static bool log_options(struct pf_parser *p)
{
	const struct span open = p->t.at;

	if (p->t.kind != '(')
		return true;
	pf_next(p);
	while (p->t.kind != ')') {
		const struct span at = p->t.at;

		if (pf_accept(p, PW_TO)) {
			if (!pf_is_name(p))
				return pf_unexpected(p, "the name of a pflog interface", 0);
		} else if (!pf_is(p, PW_ALL) && !pf_is(p, PW_USER)) {
			return pf_unexpected(p, "all, user or to", 0);
		}
		pf_diag(p->c, p->f, N1151, span_join(at, p->t.at),
			"this log option has no effect here: the first packet of each connection "
			"is logged");
		pf_next(p);
		if (p->t.kind == ',')
			pf_next(p);
		if (pf_is_end(p))
			return pf_error(p, E1103, open, "this parenthesis is never closed");
	}
	pf_next(p);
	return true;
}

static bool part_log(struct pf_parser *p, struct pf_rule *r)
{
	if (!pf_accept(p, PW_LOG))
		return true;
	r->is_log = true;
	return log_options(p);
}

static bool part_log_quick(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_QUICK)) {
		r->is_quick = true;
		return part_log(p, r);
	}
	if (!part_log(p, r))
		return false;
	r->is_quick = pf_accept(p, PW_QUICK);
	return true;
}

static bool part_iface(struct pf_parser *p, struct pf_rule *r)
{
	if (!pf_accept(p, PW_ON))
		return true;
	if (!pf_list(p, pf_iface_item))
		return false;
	pf_take(p, &p->ifaces, &r->ifaces);
	return true;
}

static void part_af(struct pf_parser *p, struct pf_rule *r)
{
	r->af_at = p->t.at;
	if (pf_accept(p, PW_INET))
		r->af = AF_V4;
	else if (pf_accept(p, PW_INET6))
		r->af = AF_V6;
}

static bool part_proto(struct pf_parser *p, struct pf_rule *r)
{
	if (!pf_accept(p, PW_PROTO))
		return true;
	if (!pf_list(p, pf_proto_item))
		return false;
	pf_take(p, &p->protos, &r->protos);
	return true;
}

static bool part_side(struct pf_parser *p, struct pf_side *side)
{
	if (!pf_is(p, PW_PORT)) {
		if (!pf_list(p, pf_host_item))
			return false;
		pf_take(p, &p->hosts, &side->hosts);
	}
	side->ports_at = p->t.at;
	if (!pf_accept(p, PW_PORT))
		return true;
	if (!pf_list(p, pf_port_item))
		return false;
	pf_take(p, &p->ports, &side->ports);
	return true;
}

static bool part_from_to(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_accept(p, PW_ALL))
		return true;
	if (pf_accept(p, PW_FROM) && !part_side(p, &r->from))
		return false;
	if (pf_accept(p, PW_TO) && !part_side(p, &r->to))
		return false;
	return true;
}

static bool parts_common(struct pf_parser *p, struct pf_rule *r)
{
	if (!part_iface(p, r))
		return false;
	part_af(p, r);
	return part_proto(p, r) && part_from_to(p, r);
}

bool pf_rule_parts(struct pf_parser *p)
{
	struct pf_rule *r = new_rule(p, PA_SCRUB);

	part_dir(p, r);
	return part_log_quick(p, r) && parts_common(p, r);
}

/* ---- options of filter rules ---------------------------------------------- */

static bool flag_letters(struct pf_parser *p, uint8_t *ret)
{
	int n;

	if (p->t.kind != PT_WORD)
		return pf_unexpected(p, "TCP flags, as in S/SA", 0);
	n = tcp_flags_parse(p->t.text, p->t.len);
	if (n < 0) {
		pf_diag(p->c, p->f, E1210, p->t.at, "'%s' has other letters than FSRPAUEW",
			pf_token_str(p));
		return false;
	}
	*ret = (uint8_t)n;
	pf_next(p);
	return true;
}

static bool opt_flags(struct pf_parser *p, struct pf_rule *r)
{
	r->has_flags = true;
	r->flags_at = p->t.at;
	pf_next(p);
	if (pf_accept(p, PW_ANY))
		return true;
	if (p->t.kind != '/' && !flag_letters(p, &r->flags))
		return false;
	if (!pf_expect(p, '/', "'/' and the flags to look at") || !flag_letters(p, &r->flag_mask))
		return false;
	if ((r->flags & r->flag_mask) != r->flags)
		return pf_error(p, E1303, r->flags_at, "these flags can never be set: they are not "
				"among those that are looked at");
	return true;
}

static bool opt_icmp(struct pf_parser *p, struct pf_rule *r)
{
	r->icmp_at = p->t.at;
	r->icmp_is_v6 = p->icmp_v6 = pf_is(p, PW_ICMP6_TYPE);
	pf_next(p);
	if (!pf_list(p, pf_icmp_item))
		return false;
	pf_take(p, &p->icmps, &r->icmps);
	return true;
}

static bool opt_state(struct pf_parser *p, struct pf_rule *r)
{
	const enum pf_word word = p->t.word;

	r->keep_at = p->t.at;
	pf_next(p);
	if (!pf_is(p, PW_STATE))
		return pf_unexpected(p, "'state'", 0);
	r->keep_at = span_join(r->keep_at, p->t.at);
	pf_next(p);
	r->keep = word == PW_NO ? PK_NO : PK_KEEP;
	if (word == PW_MODULATE)
		pf_diag(p->c, p->f, N1152, r->keep_at,
			"'modulate state' is taken as 'keep state': sequence numbers are not "
			"changed, and today's systems choose good ones");
	if (word == PW_SYNPROXY)
		pf_diag(p->c, p->f, N1152, r->keep_at,
			"'synproxy state' is taken as 'keep state': the jail answers the SYN "
			"itself");
	if (p->t.kind != '(')
		return true;
	pf_next(p);
	return pf_error(p, E1102, p->t.at, "state option '%s' is not in this version of sallyport",
			p->t.kind == PT_WORD ? pf_token_str(p) : "");
}

static bool opt_label(struct pf_parser *p, struct pf_rule *r UNUSED)
{
	pf_next(p);
	if (p->t.kind != PT_WORD && p->t.kind != PT_STRING)
		return pf_unexpected(p, "a label", 0);
	pf_next(p);
	return true;
}

static bool opt_ridentifier(struct pf_parser *p, struct pf_rule *r UNUSED)
{
	uint32_t n;

	pf_next(p);
	return pf_number(p, UINT32_MAX, "a number", &n);
}

static const struct rule_option {
	enum pf_word word;
	bool (*parse)(struct pf_parser *p, struct pf_rule *r);
	bool on_antispoof;
} rule_options[] = {
	{ PW_FLAGS, opt_flags, false },
	{ PW_ICMP_TYPE, opt_icmp, false },
	{ PW_ICMP6_TYPE, opt_icmp, false },
	{ PW_KEEP, opt_state, false },
	{ PW_MODULATE, opt_state, false },
	{ PW_SYNPROXY, opt_state, false },
	{ PW_NO, opt_state, false },
	{ PW_LABEL, opt_label, true },
	{ PW_RIDENTIFIER, opt_ridentifier, true },
};

static bool parse_options(struct pf_parser *p, struct pf_rule *r)
{
	while (!pf_is_end(p)) {
		const struct rule_option *row = NULL;

		if (p->t.kind == '!') {		/* ! tagged, ! received-on */
			pf_next(p);
			return pf_unexpected(p, "an option that takes '!'", PWR_RULE);
		}
		for (size_t i = 0; i < ARRAY_SIZE(rule_options); i++)
			if (pf_is(p, rule_options[i].word))
				row = &rule_options[i];
		if (pf_is(p, PW_SCRUB) || pf_is(p, PW_SET))
			return pf_error(p, E1102, p->t.at, "'%s' on a rule is not in this version "
					"of sallyport", pf_word_text(p->t.word));
		if (row == NULL || (r->action == PA_ANTISPOOF && !row->on_antispoof))
			return pf_unexpected(p, "an option of the rule or its end", PWR_RULE);
		if (!row->parse(p, r))
			return false;
	}
	return true;
}

/* ---- block ---------------------------------------------------------------- */

#define UNREACH4	(3 << 8)
#define UNREACH6	(1 << 8)
#define UNREACH4_PORT	(UNREACH4 | 3)
#define UNREACH6_PORT	(UNREACH6 | 4)

static bool icmp_answer(struct pf_parser *p, bool v6, int32_t *ret)
{
	int n;

	if (p->t.kind != PT_WORD)
		return pf_unexpected(p, "an ICMP code", 0);
	n = icmp_code_parse(v6, v6 ? 1 : 3, p->t.text, p->t.len);
	if (n < 0)
		return pf_error(p, E1208, p->t.at, "unknown code '%s' of %s unreachable",
				pf_token_str(p), v6 ? "ICMPv6" : "ICMP");
	*ret = (v6 ? UNREACH6 : UNREACH4) | n;
	pf_next(p);
	return true;
}

static bool block_icmp(struct pf_parser *p, struct pf_rule *r)
{
	const bool v6 = pf_is(p, PW_RETURN_ICMP6);

	pf_next(p);
	r->refusal = PR_ICMP;
	if (p->t.kind != '(')
		return true;
	pf_next(p);
	if (!icmp_answer(p, v6, v6 ? &r->icmp6 : &r->icmp4))
		return false;
	if (!v6 && p->t.kind == ',') {
		pf_next(p);
		if (!icmp_answer(p, true, &r->icmp6))
			return false;
	}
	return pf_expect(p, ')', "')'");
}

static bool block_kind(struct pf_parser *p, struct pf_rule *r)
{
	r->icmp4 = UNREACH4_PORT;
	r->icmp6 = UNREACH6_PORT;
	r->refusal_at = p->t.at;
	if (pf_accept(p, PW_DROP)) {
		r->refusal = PR_DROP;
	} else if (pf_accept(p, PW_RETURN)) {
		r->refusal = PR_RETURN;
	} else if (pf_accept(p, PW_RETURN_RST)) {
		r->refusal = PR_RST;
		if (p->t.kind == '(')
			return pf_error(p, E1102, p->t.at, "a TTL of return-rst is not in this "
					"version of sallyport");
	} else if (pf_is(p, PW_RETURN_ICMP) || pf_is(p, PW_RETURN_ICMP6)) {
		return block_icmp(p, r);
	}
	return true;
}

bool pf_rule_filter(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	struct pf_rule *r = new_rule(p, word == PW_PASS ? PA_PASS : PA_BLOCK);

	s->rule = r;
	if (word == PW_BLOCK && !block_kind(p, r))
		return false;
	part_dir(p, r);
	return part_log_quick(p, r) && parts_common(p, r) && parse_options(p, r);
}

/* ---- translation ---------------------------------------------------------- */

static bool target_port(struct pf_parser *p, struct pf_target *t)
{
	bool is_range;

	if (!pf_accept(p, PW_PORT))
		return true;
	t->has_port = true;
	return pf_port_range(p, true, &t->port_lo, &t->port_hi, &t->is_open, &is_range);
}

static bool target_options(struct pf_parser *p, struct pf_target *t, bool is_nat)
{
	for (; !pf_is_end(p); pf_next(p)) {
		if (pf_is(p, PW_ROUND_ROBIN)) {
			t->pool = PO_ROUND_ROBIN;
		} else if (pf_is(p, PW_RANDOM)) {
			t->pool = PO_RANDOM;
		} else if (pf_is(p, PW_STATIC_PORT)) {
			if (!is_nat)
				return pf_error(p, E1312, p->t.at, "the 'static-port' option is "
						"only valid with nat rules");
			if (t->has_port)
				return pf_error(p, E1312, p->t.at, "'static-port' and a port "
						"exclude each other");
			t->is_static = true;
		} else {
			return pf_unexpected(p, "round-robin, random, static-port or the end",
					     PWR_PLAIN | PWR_LATER);
		}
	}
	return true;
}

static bool parse_target(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_target *t;
	struct span start = p->t.at;

	if (r->is_no) {
		if (p->t.kind == PT_ARROW)
			return pf_error(p, E1312, p->t.at, "a 'no' rule leads nowhere: it takes no "
					"'->'");
		return true;
	}
	if (pf_is_end(p))
		return pf_error(p, E1312, p->t.at, "a translation rule needs '-> address'");
	if (!pf_expect(p, PT_ARROW, "'->' and an address"))
		return false;
	t = arena_new(p->c->a, struct pf_target);
	r->target = t;
	if (!pf_list(p, pf_host_item))
		return false;
	t->at = start;
	pf_take(p, &p->hosts, &t->hosts);
	return target_port(p, t) && target_options(p, t, r->action == PA_NAT);
}

static bool rest_of_nat(struct pf_parser *p, struct pf_rule *r)
{
	r->is_pass = pf_accept(p, PW_PASS);
	return part_log(p, r) && parts_common(p, r) && parse_target(p, r);
}

bool pf_rule_nat(struct pf_parser *p, struct pf_stmt *s, enum pf_word word)
{
	s->rule = new_rule(p, word == PW_NAT ? PA_NAT : PA_RDR);
	return rest_of_nat(p, s->rule);
}

bool pf_rule_no(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	const struct span at = p->t.at;
	const bool is_nat = pf_is(p, PW_NAT), is_scrub = pf_is(p, PW_SCRUB);

	if (!is_nat && !is_scrub && !pf_is(p, PW_RDR))
		return pf_unexpected(p, "nat, rdr or scrub", PWR_STATEMENT);
	if (!pf_order(p, is_scrub ? PORD_SCRUB : PORD_NAT, at))
		return false;
	pf_next(p);
	if (is_scrub)
		return pf_rule_scrub(p, s, PW_NO);
	s->rule = new_rule(p, is_nat ? PA_NAT : PA_RDR);
	s->rule->is_no = true;
	return rest_of_nat(p, s->rule);
}

/* ---- antispoof ------------------------------------------------------------ */

static bool antispoof_item(struct pf_parser *p)
{
	if (p->t.kind != '(' && !pf_is_name(p))
		return pf_unexpected(p, "the name of an interface", 0);
	if (!pf_host_item(p))
		return false;
	if (p->hosts.v[p->hosts.n - 1].kind == PH_ADDR || p->hosts.v[p->hosts.n - 1].mods != 0)
		return pf_error(p, E1206, p->hosts.v[p->hosts.n - 1].at,
				"antispoof takes the name of an interface");
	return true;
}

bool pf_rule_antispoof(struct pf_parser *p, struct pf_stmt *s, enum pf_word word UNUSED)
{
	struct pf_rule *r = new_rule(p, PA_ANTISPOOF);

	s->rule = r;
	if (!part_log_quick(p, r))
		return false;
	if (!pf_accept(p, PW_FOR))
		return pf_unexpected(p, "'for' and an interface", 0);
	if (!pf_list(p, antispoof_item))
		return false;
	pf_take(p, &p->hosts, &r->antispoof);
	part_af(p, r);
	return parse_options(p, r);
}
