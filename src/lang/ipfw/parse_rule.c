/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * add [N] [set N] [prob P] ACTION [log] [tag] PROTO from ADDR [PORTS] to ADDR
 * [PORTS] [OPTIONS].  A first word that is no protocol begins the options, as
 * in ipfw: so it is "unrecognised option" and not "unknown protocol" that is
 * told of a slip there.
 */
#include <stdlib.h>
#include <string.h>

#include "lang/ipfw/parse.h"

static bool is_open(const char *s)
{
	return s != NULL && (s[0] == '{' || s[0] == '(');
}

static bool is_close(const char *s)
{
	return s != NULL && (strcmp(s, "}") == 0 || strcmp(s, ")") == 0);
}

static bool bad_or(struct parser *p, const char *what)
{
	diag_add(p->c->diags, DIAG_E2011, p_here(p), "%s", what);
	return false;
}

/* Step over a brace that opens; it may stand before its first word without a blank */
static void open_brace(struct parser *p)
{
	struct ipfw_word *w = &p->w.v[p->i];

	if (w->text[1] == '\0') {
		p->i++;
		return;
	}
	w->text++;
	if (w->at.hi - w->at.lo > 1)
		w->at.lo++;
}

/* One element of a block: an address or a protocol */
static bool parse_element(struct parser *p, enum insn_part part, struct ipfw_insn *insn)
{
	const struct ipfw_word *w;

	insn->part = part;
	insn->is_dst = part == PART_DST;
	insn->is_not = p_accept(p, IWK_GRAMMAR, IW_NOT);
	if (p_peek(p) == NULL)
		return p_missing(p, part == PART_PROTO ? "a protocol" : "an address");
	w = p_take(p);
	insn->at = w->at;
	if (part != PART_PROTO)
		return part_addrs(p, w, insn);
	if (part_proto(p, w->text, insn) == PART_OK)
		return true;
	diag_add(p->c->diags, DIAG_E2010, w->at, "unknown protocol '%s'", w->text);
	return false;
}

/* An element, or { element or element } */
static bool parse_block(struct parser *p, struct ipfw_rule *r, enum insn_part part)
{
	const bool open = is_open(p_peek(p));

	if (open)
		open_brace(p);
	for (;;) {
		struct ipfw_insn insn = { .text = NULL };

		if (!parse_element(p, part, &insn))
			return false;
		if (insn.is_not && insn.kind == INSN_ANY)
			return bad_or(p, "'not' of anything matches nothing");
		insn.or_next = p_peek(p) != NULL && iw_is(IWK_GRAMMAR, p_peek(p), IW_OR);
		vec_add(p->c->a, &r->insns, insn);
		if (!insn.or_next)
			break;
		if (!open)
			return bad_or(p, "'or' stands between braces only");
		p_take(p);
	}
	if (open && !is_close(p_peek(p)))
		return bad_or(p, "the brace is never closed");
	if (open)
		p_take(p);
	return true;
}

/* Ports, if the next word is a list of ports */
static bool parse_ports(struct parser *p, struct ipfw_rule *r, enum insn_part part)
{
	const bool is_not = iw_is(IWK_GRAMMAR, p_peek(p), IW_NOT);
	const uint32_t i = p->i + is_not;
	struct ipfw_insn insn = { .part = part, .is_dst = part == PART_DPORT, .is_not = is_not };

	if (i >= p->w.n || iw_find(IWK_OPTION, p->w.v[i].text) != NULL)
		return true;
	switch (part_ports(p, &p->w.v[i], &insn)) {
	case PART_ERROR:
		return false;
	case PART_NOT:
		return true;
	case PART_OK:
		break;
	}
	p->i = i + 1;
	if (insn.kind != INSN_ANY)
		vec_add(p->c->a, &r->insns, insn);
	return true;
}

static bool parse_endpoint(struct parser *p, struct ipfw_rule *r, enum iw word)
{
	const bool src = word == IW_FROM;

	if (!p_accept(p, IWK_GRAMMAR, word))
		return p_missing(p, src ? "``from''" : "``to''");
	return parse_block(p, r, src ? PART_SRC : PART_DST) &&
	       parse_ports(p, r, src ? PART_SPORT : PART_DPORT);
}

static void parse_comment(struct parser *p, struct ipfw_rule *r)
{
	r->comment = "";
	while (p_peek(p) != NULL)
		r->comment = arena_printf(p->c->a, "%s%s%s", r->comment,
					  r->comment[0] != '\0' ? " " : "", p_take(p)->text);
}

/* "!established" is "not established" */
static bool take_not(struct parser *p)
{
	struct ipfw_word *w = &p->w.v[p->i];
	bool is_not = p_accept(p, IWK_GRAMMAR, IW_NOT);

	if (!is_not && w->text[0] == '!' && w->text[1] != '\0') {
		is_not = true;
		w->text++;
		if (w->at.hi - w->at.lo > 1)
			w->at.lo++;
	}
	return is_not;
}

static bool parse_options(struct parser *p, struct ipfw_rule *r)
{
	bool open = false;

	while (p_peek(p) != NULL) {
		struct ipfw_insn insn = { .text = NULL };

		if (strcmp(p_peek(p), "//") == 0) {
			p_take(p);
			parse_comment(p, r);
			break;
		}
		if (!open && is_open(p_peek(p)) && p_peek(p)[1] == '\0') {
			open = true;
			p_take(p);
		}
		insn.is_not = take_not(p);
		if (p_peek(p) == NULL)
			return p_missing(p, "an option");
		if (!parse_option(p, r, &insn))
			return false;
		insn.or_next = open && p_accept(p, IWK_GRAMMAR, IW_OR);
		if (insn.text == NULL && (insn.is_not || open))
			return bad_or(p, "a state is neither 'not' nor one of several");
		if (insn.is_not && insn.kind == INSN_ANY)
			return bad_or(p, "'not' of anything matches nothing");
		if (insn.text != NULL)
			vec_add(p->c->a, &r->insns, insn);
		if (open && !insn.or_next) {
			if (!is_close(p_peek(p)))
				return bad_or(p, "the brace is never closed");
			open = false;
			p_take(p);
		}
	}
	return !open || bad_or(p, "the brace is never closed");
}

static bool parse_body(struct parser *p, struct ipfw_rule *r)
{
	const char *s = p_peek(p);
	struct ipfw_insn insn;

	if (s != NULL && is_open(s) && s[1] != '\0')
		s++;
	r->is_bare = r->action == IW_CHECK_STATE || (s == NULL && r->action == IW_RETURN) ||
		     (s != NULL && !is_open(s) && !iw_is(IWK_GRAMMAR, s, IW_NOT) &&
		      part_proto(p, s, &insn) == PART_NOT);
	if (s == NULL && !r->is_bare)
		return p_missing(p, "the body of the rule, as in ``ip from any to any''");
	if (!r->is_bare && (!parse_block(p, r, PART_PROTO) || !parse_endpoint(p, r, IW_FROM) ||
			    !parse_endpoint(p, r, IW_TO)))
		return false;
	if (r->action == IW_CHECK_STATE && s != NULL && strcmp(s, "//") != 0)
		return p_unknown(p, DIAG_E2003, IWK_OPTION, "option");
	return parse_options(p, r);
}

static uint32_t prob_of(double v)
{
	return (uint32_t)MAX(v * PROB_ONE, 1.0);
}

/* Is a text one of a probability, and of this */
static bool is_prob(const char *text, double v)
{
	const double read = strtod(text, NULL);

	return read > 0 && prob_of(read) == prob_of(v);
}

/* As ipfw prints it, with more digits where those would read as another, or as none */
static const char *prob_text(struct arena *a, double v)
{
	const double p = MAX(v, 1.0 / PROB_ONE);
	const char *text = arena_printf(a, "%f", p);

	for (int digits = 7; digits < 18 && !is_prob(text, p); digits++)
		text = arena_printf(a, "%.*f", digits, p);
	return text;
}

/* A probability: as ipfw, of 0x7fffffff */
static bool parse_prob(struct parser *p, struct ipfw_rule *r)
{
	char *end;
	double v;

	if (!p_accept(p, IWK_GRAMMAR, IW_PROB))
		return true;
	if (p_peek(p) == NULL)
		return p_missing(p, "the probability");
	v = strtod(p_peek(p), &end);
	if (*end != '\0' || !(v > 0 && v <= 1)) {
		diag_add(p->c->diags, DIAG_E2005, p_here(p),
			 "prob '%s' is not above 0 and at most 1", p_peek(p));
		return false;
	}
	p_take(p);
	if (v < 1) {
		r->prob = prob_of(v);
		r->prob_text = prob_text(p->c->a, v);
	}
	return true;
}

/* The place of a new rule: behind all of its number */
static void insert(struct parser *p, const struct ipfw_rule *r)
{
	struct ipfw_ruleset *rs = p->rs;
	uint32_t i;

	vec_push(p->c->a, &rs->rules);
	for (i = rs->rules.n - 1; i > 0 && rs->rules.v[i - 1].number > r->number; i--)
		rs->rules.v[i] = rs->rules.v[i - 1];
	rs->rules.v[i] = *r;
}

static uint32_t auto_number(const struct ipfw_ruleset *rs)
{
	const uint32_t last = rs->rules.n > 0 ? rs->rules.v[rs->rules.n - 1].number : 0;
	const uint32_t step = rs->step > 0 ? rs->step : IPFW_STEP;

	return last < IPFW_DEFAULT_RULE - step ? last + step : last;
}

static void warn_never(struct parser *p, const struct ipfw_rule *r)
{
	bool in = false, out = false, xmit = false;

	for (uint32_t i = 0; i < r->insns.n; i++) {
		const struct ipfw_insn *n = &r->insns.v[i];

		if (n->or_next || (i > 0 && r->insns.v[i - 1].or_next))
			continue;
		if (n->kind == INSN_DIR)
			*(set_has(n->set, AF_NONE, DIR_IN) != n->is_not ? &in : &out) = true;
		xmit |= n->kind == INSN_XMIT && !n->is_not;
	}
	if (in && (out || xmit))
		diag_add(p->c->diags, DIAG_W2032, r->at,
			 "the rule never matches: it asks for in and %s", out ? "out" : "xmit");
}

bool parse_add(struct parser *p, uint32_t use_set)
{
	struct ipfw_rule r = { .set = use_set, .at = p->cmd->at };
	const bool has_number = p_peek(p) != NULL && strspn(p_peek(p), "0123456789") > 0;
	const char *number = "", *body;

	if (has_number && !p_number(p, 0, IPFW_DEFAULT_RULE - 1, "rule number", &r.number))
		return false;
	if (p_accept(p, IWK_COMMAND, IW_SET) && !p_number(p, 0, IPFW_SET_DEFAULT, "set", &r.set))
		return false;
	if (!parse_prob(p, &r) || !parse_action(p, &r) || !parse_body(p, &r))
		return false;
	/* A file of rules cannot say the step, so the number must stand there */
	if (r.number == 0 && p->rs->step > 0)
		r.number = auto_number(p->rs);
	if (r.number > 0)
		number = arena_printf(p->c->a, "%u ", r.number);
	if (r.set > 0)
		number = arena_printf(p->c->a, "%sset %u ", number, r.set);
	body = ipfw_rule_body(p->c->a, &r);
	p_line(p, arena_printf(p->c->a, "add %s%s", number, body));
	if (p->replies != NULL && p->replies->is_test)
		p_reply(p, 0, "%05u %s", r.number, body);
	if (r.number == 0)
		r.number = auto_number(p->rs);
	r.text = arena_printf(p->c->a, "%05u %s", r.number, body);
	warn_never(p, &r);
	if (p->replies != NULL && !p->replies->is_test)
		p_reply(p, 0, "%s", r.text);
	insert(p, &r);
	return true;
}
