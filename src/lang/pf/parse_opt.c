/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The options at the end of a rule, in any order: a table by their first word.
 * What only the text forms carry is kept with its place, so that lowering can
 * refuse it by name.
 */
#include "lang/pf/parse.h"

#define ORDER	"the order is: pass in log quick on igb0 inet proto tcp from any to any, " \
		"and then options"

#include <stdlib.h>
#include <string.h>

#include "net/names.h"

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
	if (r->has_flags)
		return pf_error(p, E1101, p->t.at, "flags cannot be redefined");
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
	if (r->icmps.n > 0)
		return pf_error(p, E1101, p->t.at, "icmp-type cannot be redefined");
	r->icmp_at = p->t.at;
	r->icmp_is_v6 = p->icmp_v6 = pf_is(p, PW_ICMP6_TYPE);
	pf_next(p);
	if (!pf_list(p, pf_icmp_item))
		return false;
	pf_take(p, &p->icmps, &r->icmps);
	return true;
}

/* ---- state ---------------------------------------------------------------- */

static bool limiter_use(struct pf_parser *p, struct pf_rule *r, const char *which,
			struct span at)
{
	const char *name, *how = "";

	pf_next(p);
	pf_later(p, arena_printf(p->c->a, "'%s limiter'", which), at);
	if (!pf_any_text(p, "the name of a limiter", &name))
		return false;
	if (p->t.kind == '(') {
		pf_next(p);
		if (!pf_any_text(p, "no-match or block", &how))
			return false;
		if (strcmp(how, "no-match") != 0 && strcmp(how, "block") != 0)
			return pf_error(p, E1108, p->t.at, "expected no-match or block");
		if (!pf_expect(p, ')', "')'"))
			return false;
		how = arena_printf(p->c->a, " (%s)", how);
	}
	pf_opts(p, r)->limiters = arena_printf(p->c->a, "%s %s limiter \"%s\"%s",
					       r->o->limiters != NULL ? r->o->limiters : "",
					       which, name, how);
	return true;
}

static bool opt_limiter(struct pf_parser *p, struct pf_rule *r)
{
	const char *which = pf_word_text(p->t.word);
	const struct span at = p->t.at;

	pf_next(p);
	if (!pf_is(p, PW_LIMITER))
		return pf_unexpected(p, "'limiter'", 0);
	return limiter_use(p, r, which, at);
}

static const struct {
	enum pf_word word;
	enum pf_state_kind kind;
} state_kinds[] = {
	{ PW_KEEP, PSK_KEEP }, { PW_MODULATE, PSK_MODULATE }, { PW_SYNPROXY, PSK_SYNPROXY },
};

static bool opt_state(struct pf_parser *p, struct pf_rule *r)
{
	const enum pf_word word = p->t.word;
	const struct span at = p->t.at;

	pf_next(p);
	if (!pf_is(p, PW_STATE))
		return pf_unexpected(p, "'state'", 0);
	if (r->keep != PK_DEFAULT)
		return pf_error(p, E1101, at, "the rule says twice what state it keeps");
	r->keep_at = span_join(at, p->t.at);
	pf_next(p);
	r->keep = word == PW_NO ? PK_NO : PK_KEEP;
	for (size_t i = 0; i < ARRAY_SIZE(state_kinds); i++)
		if (state_kinds[i].word == word && word != PW_KEEP)
			pf_opts(p, r)->state_kind = state_kinds[i].kind;
	if (word == PW_MODULATE)
		pf_diag(p->c, p->f, N1152, r->keep_at,
			"'modulate state' is taken as 'keep state': sequence numbers are not "
			"changed, and today's systems choose good ones");
	if (word == PW_SYNPROXY)
		pf_diag(p->c, p->f, N1152, r->keep_at,
			"'synproxy state' is taken as 'keep state': the jail answers the SYN "
			"itself");
	if (p->t.kind == '(' && word != PW_NO)
		return pf_state_options(p, r, true);
	return true;
}

/* ---- names and numbers ---------------------------------------------------- */

static bool opt_label(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);
	const char **labels;

	pf_next(p);
	p->words.n = 0;
	if (!pf_list(p, pf_word_item))
		return false;
	if (o->n_labels + p->words.n > 5)
		return pf_error(p, E1314, p->t.at, "more than 5 labels");
	labels = arena_array(p->c->a, const char *, o->n_labels + p->words.n);
	memcpy(labels, o->labels != NULL ? o->labels : labels, o->n_labels * sizeof(*labels));
	memcpy(labels + o->n_labels, p->words.v, p->words.n * sizeof(*labels));
	o->labels = labels;
	o->n_labels += p->words.n;
	return true;
}

static bool opt_ridentifier(struct pf_parser *p, struct pf_rule *r)
{
	pf_next(p);
	return pf_number(p, UINT32_MAX, "a number", &pf_opts(p, r)->ridentifier);
}

static bool opt_ids(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);
	const bool is_group = pf_is(p, PW_GROUP);

	pf_next(p);
	p->is_group = is_group;
	p->ids.n = 0;
	if (!pf_list(p, pf_id_item))
		return false;
	/* pfctl puts those of a second "user" before the first */
	if (is_group) {
		for (uint32_t i = 0; i < o->groups.n; i++)
			vec_add(p->c->a, &p->ids, o->groups.v[i]);
		pf_take(p, &p->ids, &o->groups);
	} else {
		for (uint32_t i = 0; i < o->users.n; i++)
			vec_add(p->c->a, &p->ids, o->users.v[i]);
		pf_take(p, &p->ids, &o->users);
	}
	return true;
}

static bool small_number(struct pf_parser *p, uint32_t max, const char *what, int8_t *ret)
{
	uint32_t n;

	if (!pf_number(p, max, what, &n))
		return false;
	*ret = (int8_t)n;
	return true;
}

static bool opt_prio(struct pf_parser *p, struct pf_rule *r)
{
	pf_later(p, "'prio'", p->t.at);
	pf_next(p);
	return small_number(p, 7, "a priority of 0..7", &pf_opts(p, r)->prio);
}

static bool opt_tos(struct pf_parser *p, struct pf_rule *r)
{
	pf_next(p);
	return pf_tos(p, &pf_opts(p, r)->tos);
}

static bool set_prio(struct pf_parser *p, struct pf_rule_opts *o)
{
	const bool pair = p->t.kind == '(';

	if (pair)
		pf_next(p);
	if (!small_number(p, 7, "a priority of 0..7", &o->set_prio[0]))
		return false;
	o->set_prio[1] = o->set_prio[0];
	if (!pair)
		return true;
	if (p->t.kind == ',')
		pf_next(p);
	return small_number(p, 7, "a priority of 0..7", &o->set_prio[1]) &&
	       pf_expect(p, ')', "')'");
}

static bool set_on_rule(struct pf_parser *p, struct pf_rule_opts *o)
{
	if (pf_accept(p, PW_PRIO))
		return set_prio(p, o);
	if (pf_accept(p, PW_TOS))
		return pf_tos(p, &o->scrub.set_tos);
	return pf_unexpected(p, "prio or tos", 0);
}

static bool opt_set(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);

	pf_later(p, "'set' on a rule", p->t.at);
	pf_next(p);
	if (p->t.kind != '(')
		return set_on_rule(p, o);
	pf_next(p);
	do {
		if (!set_on_rule(p, o))
			return false;
		if (p->t.kind == ',')
			pf_next(p);
	} while (p->t.kind != ')' && !pf_is_end(p));
	return pf_expect(p, ')', "')'");
}

static bool opt_word(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);
	const enum pf_word w = p->t.word;

	if (w == PW_ONCE)
		pf_later(p, "'once'", p->t.at);
	pf_next(p);
	if (w == PW_FRAGMENT)
		o->fragment = true;
	else if (w == PW_ALLOW_OPTS)
		o->allow_opts = true;
	else if (w == PW_ONCE)
		o->once = true;
	return true;
}

static bool opt_queue(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);

	pf_diag(p->c, p->f, W1117, p->t.at, "'queue' shapes nothing here");
	pf_next(p);
	if (p->t.kind != '(')
		return pf_any_text(p, "the name of a queue", &o->queue);
	pf_next(p);
	if (!pf_any_text(p, "the name of a queue", &o->queue))
		return false;
	if (p->t.kind == ',')
		pf_next(p);
	return (p->t.kind == ')' || pf_any_text(p, "the name of a queue", &o->pqueue)) &&
	       pf_expect(p, ')', "')'");
}

static bool opt_dummynet(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);

	o->dn = p->t.word;
	pf_later(p, arena_printf(p->c->a, "'%s'", pf_word_text(o->dn)), p->t.at);
	pf_next(p);
	if (p->t.kind != '(')
		return pf_number(p, 65535, "a number", &o->dn_no[0]);
	pf_next(p);
	if (!pf_number(p, 65535, "a number", &o->dn_no[0]))
		return false;
	if (p->t.kind == ',')
		pf_next(p);
	return (p->t.kind == ')' || pf_number(p, 65535, "a number", &o->dn_no[1])) &&
	       pf_expect(p, ')', "')'");
}

static bool opt_tag(struct pf_parser *p, struct pf_rule *r)
{
	pf_next(p);
	return pf_any_text(p, "a tag", &pf_opts(p, r)->tag);
}

static bool opt_tagged(struct pf_parser *p, struct pf_rule *r)
{
	pf_next(p);
	return pf_any_text(p, "a tag", &pf_opts(p, r)->tagged);
}

static bool opt_received(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);

	pf_next(p);
	o->received_at = p->t.at;
	return pf_any_text(p, "the name of an interface", &o->received_on);
}

static bool opt_probability(struct pf_parser *p, struct pf_rule *r)
{
	const struct span at = p->t.at;
	const char *s;
	char *end;
	double v;

	pf_next(p);
	if (!pf_any_text(p, "a probability, as 20%", &s))
		return false;
	v = strtod(s, &end);
	if (strspn(s, "0123456789.%") != strlen(s) || (*end != '\0' && strcmp(end, "%") != 0))
		return pf_error(p, E1111, at, "'%s' is no probability, as 20%%", s);
	if (*end == '\0' && p->t.kind == '%')
		pf_next(p);
	else if (*end == '\0')
		v *= 100;
	if (v < 0 || v > 100)
		return pf_error(p, E1111, at, "a probability is 0..100%%");
	pf_opts(p, r)->probability = v;
	return true;
}

static bool opt_rtable(struct pf_parser *p, struct pf_rule *r)
{
	uint32_t n;

	pf_later(p, "'rtable'", p->t.at);
	pf_next(p);
	if (!pf_number(p, 65535, "the number of a routing table", &n))
		return false;
	pf_opts(p, r)->rtable = (int32_t)n;
	return true;
}

static bool opt_divert(struct pf_parser *p, struct pf_rule *r)
{
	bool is_open, is_range;
	uint16_t hi;

	if (pf_is(p, PW_DIVERT_REPLY))
		return pf_error(p, E1101, p->t.at, "divert-reply has no meaning in FreeBSD's pf");
	pf_later(p, "'divert-to'", p->t.at);
	pf_next(p);
	if (p->t.kind == PT_WORD && service_parse(p->t.text, p->t.len) < 0) {
		if (!pf_list(p, pf_host_item))
			return false;
		p->hosts.n = 0;
		if (!pf_accept(p, PW_PORT))
			return pf_unexpected(p, "'port'", 0);
	}
	return pf_port_range(p, false, &pf_opts(p, r)->divert_port, &hi, &is_open, &is_range);
}

static bool opt_scrub(struct pf_parser *p, struct pf_rule *r)
{
	pf_next(p);
	if (!pf_expect(p, '(', "'('"))
		return false;
	pf_opts(p, r)->has_scrub = true;
	return pf_scrub_options(p, r, ')') && pf_expect(p, ')', "')'");
}

static bool opt_pkt(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);
	const bool is_rate = pf_is(p, PW_MAX_PKT_RATE);

	pf_later(p, is_rate ? "'max-pkt-rate'" : "'max-pkt-size'", p->t.at);
	pf_next(p);
	if (!is_rate)
		return pf_number(p, 65535, "a size in bytes", &o->max_pkt_size);
	return pf_number(p, UINT32_MAX, "a number of packets", &o->pkt_rate[0]) &&
	       pf_expect(p, '/', "'/' and seconds") &&
	       pf_number(p, UINT32_MAX, "seconds", &o->pkt_rate[1]);
}

/* ---- translation by filter rules ------------------------------------------ */

static bool opt_af_to(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);

	pf_next(p);
	if (pf_accept(p, PW_INET))
		o->af_to = AF_V4;
	else if (pf_accept(p, PW_INET6))
		o->af_to = AF_V6;
	else
		return pf_unexpected(p, "inet or inet6", 0);
	if (!pf_accept(p, PW_FROM))
		return pf_unexpected(p, "'from' and an address", 0);
	if (!pf_target(p, r, true, &o->af_from))
		return false;
	return !pf_accept(p, PW_TO) || pf_target(p, r, false, &o->af_dst);
}

static bool opt_xlate_to(struct pf_parser *p, struct pf_rule *r)
{
	struct pf_rule_opts *o = pf_opts(p, r);
	const enum pf_word w = p->t.word;
	struct pf_target **to = w == PW_NAT_TO ? &o->nat_to :
				w == PW_RDR_TO ? &o->rdr_to : &o->binat_to;

	if (*to != NULL)
		return pf_error(p, E1101, p->t.at, "the rule has two '%s'", pf_word_text(w));
	pf_next(p);
	return pf_target(p, r, w == PW_NAT_TO, to);
}

static bool opt_route(struct pf_parser *p, struct pf_rule *r)
{
	return pf_route(p, r);
}

#define ON_ANTISPOOF	0x1u
#define ON_ANCHOR	0x2u

static const struct rule_option {
	enum pf_word word;
	bool (*parse)(struct pf_parser *p, struct pf_rule *r);
	unsigned int also;	/* ON_*, beside pass, block and match */
} rule_options[] = {
	{ PW_AF_TO, opt_af_to, 0 },
	{ PW_ALLOW_OPTS, opt_word, 0 },
	{ PW_BINAT_TO, opt_xlate_to, 0 },
	{ PW_DIVERT_REPLY, opt_divert, 0 },
	{ PW_DIVERT_TO, opt_divert, 0 },
	{ PW_DNPIPE, opt_dummynet, 0 },
	{ PW_DNQUEUE, opt_dummynet, 0 },
	{ PW_DUP_TO, opt_route, 0 },
	{ PW_FLAGS, opt_flags, ON_ANCHOR },
	{ PW_FRAGMENT, opt_word, 0 },
	{ PW_GROUP, opt_ids, ON_ANCHOR },
	{ PW_ICMP_TYPE, opt_icmp, ON_ANCHOR },
	{ PW_ICMP6_TYPE, opt_icmp, ON_ANCHOR },
	{ PW_KEEP, opt_state, ON_ANCHOR },
	{ PW_LABEL, opt_label, ON_ANTISPOOF | ON_ANCHOR },
	{ PW_MAX_PKT_RATE, opt_pkt, 0 },
	{ PW_MAX_PKT_SIZE, opt_pkt, ON_ANCHOR },
	{ PW_MODULATE, opt_state, ON_ANCHOR },
	{ PW_NAT_TO, opt_xlate_to, 0 },
	{ PW_NO, opt_state, ON_ANCHOR },
	{ PW_ONCE, opt_word, 0 },
	{ PW_PRIO, opt_prio, ON_ANCHOR },
	{ PW_PROBABILITY, opt_probability, ON_ANCHOR },
	{ PW_QUEUE, opt_queue, 0 },
	{ PW_RDR_TO, opt_xlate_to, 0 },
	{ PW_RECEIVED_ON, opt_received, ON_ANCHOR },
	{ PW_REPLY_TO, opt_route, 0 },
	{ PW_RIDENTIFIER, opt_ridentifier, ON_ANTISPOOF | ON_ANCHOR },
	{ PW_ROUTE_TO, opt_route, 0 },
	{ PW_RTABLE, opt_rtable, ON_ANTISPOOF | ON_ANCHOR },
	{ PW_SCRUB, opt_scrub, 0 },
	{ PW_SET, opt_set, 0 },
	{ PW_SOURCE, opt_limiter, 0 },
	{ PW_STATE, opt_limiter, 0 },
	{ PW_SYNPROXY, opt_state, ON_ANCHOR },
	{ PW_TAG, opt_tag, ON_ANCHOR },
	{ PW_TAGGED, opt_tagged, ON_ANCHOR },
	{ PW_TOS, opt_tos, ON_ANCHOR },
	{ PW_USER, opt_ids, ON_ANCHOR },
};

/* "! tagged", "! received-on", standing behind '!' */
static bool negated_option(struct pf_parser *p, struct pf_rule *r)
{
	if (pf_is(p, PW_TAGGED)) {
		pf_opts(p, r)->not_tagged = true;
		return opt_tagged(p, r);
	}
	if (pf_is(p, PW_RECEIVED_ON)) {
		pf_opts(p, r)->not_received = true;
		return opt_received(p, r);
	}
	return pf_unexpected(p, "an option that takes '!': tagged or received-on", PWR_RULE);
}

static bool may_have(const struct pf_rule *r, const struct rule_option *row)
{
	if (r->action == PA_ANTISPOOF)
		return (row->also & ON_ANTISPOOF) != 0;
	return r->action != PA_ANCHOR || (row->also & ON_ANCHOR) != 0;
}

/* What "set state-policy" and "set state-defaults" before the rule say of it */
static void default_state(struct pf_parser *p, struct pf_rule *r)
{
	if (r->action != PA_PASS || r->keep == PK_NO)
		return;
	if (p->if_bound)
		pf_opts(p, r)->if_bound = true;
	if (p->state_defaults != NULL && r->keep == PK_DEFAULT)
		pf_opts(p, r)->state = p->state_defaults->o->state;
}

/* The usual reasons why a rule does not go on as it should */
static bool not_an_option(struct pf_parser *p)
{
	static const struct {
		const char *word;
		const char *help;
	} slips[] = {
		{ "port", "a port belongs to an address: 'to any port 22'" },
		{ "keep-state", "write 'keep state'" },
		{ "in", ORDER }, { "out", ORDER }, { "log", ORDER }, { "quick", ORDER },
		{ "on", ORDER }, { "inet", ORDER }, { "inet6", ORDER }, { "proto", ORDER },
		{ "from", ORDER }, { "to", ORDER },
	};
	const char *word = p->t.kind == PT_WORD ? pf_token_str(p) : "";
	const bool is_comma = p->t.kind == ',';

	pf_unexpected(p, "an option of the rule or its end", PWR_RULE);
	for (size_t i = 0; i < ARRAY_SIZE(slips); i++)
		if (strcmp(word, slips[i].word) == 0)
			diag_help(p->c->diags, "%s", slips[i].help);
	if (is_comma)
		diag_help(p->c->diags, "several values stand in braces: '{ ssh, http }'");
	return false;
}

bool pf_rule_options(struct pf_parser *p, struct pf_rule *r)
{
	while (!pf_is_end(p)) {
		const struct rule_option *row = NULL;

		if (r->action == PA_ANCHOR && p->t.kind == '{')
			return true;
		if (p->t.kind == '!') {
			pf_next(p);
			if (!negated_option(p, r))
				return false;
			continue;
		}
		for (size_t i = 0; p->t.kind == PT_WORD && i < ARRAY_SIZE(rule_options); i++)
			if (rule_options[i].word == p->t.word)
				row = &rule_options[i];
		if (row == NULL || !may_have(r, row))
			return not_an_option(p);
		if (!row->parse(p, r))
			return false;
		if (p->t.kind == ',')
			pf_next(p);
	}
	default_state(p, r);
	return true;
}
