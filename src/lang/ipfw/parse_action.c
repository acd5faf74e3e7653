/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "lang/ipfw/parse.h"

/* Codes of unreach and unreach6 by name */
static const struct { const char *name; bool v6; uint32_t code; } codes[] = {
	{ "net", false, 0 }, { "host", false, 1 }, { "protocol", false, 2 }, { "port", false, 3 },
	{ "needfrag", false, 4 }, { "srcfail", false, 5 }, { "net-unknown", false, 6 },
	{ "host-unknown", false, 7 }, { "isolated", false, 8 }, { "net-prohib", false, 9 },
	{ "host-prohib", false, 10 }, { "tosnet", false, 11 }, { "toshost", false, 12 },
	{ "filter-prohib", false, 13 }, { "host-precedence", false, 14 },
	{ "precedence-cutoff", false, 15 },
	{ "no-route", true, 0 }, { "admin-prohib", true, 1 }, { "address", true, 3 },
	{ "port", true, 4 },
};

const char *ipfw_unreach_text(struct arena *a, bool v6, uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].v6 == v6 && codes[i].code == code)
			return codes[i].name;
	return arena_printf(a, "%u", code);
}

static bool arg_none(struct parser *p, struct ipfw_rule *r)
{
	(void)p;
	(void)r;
	return true;
}

/* "unreach needfrag 1400" */
static bool no_mtu(struct parser *p, const struct ipfw_rule *r)
{
	uint32_t mtu;

	if (r->action != IW_UNREACH || r->arg != 4 || p_peek(p) == NULL ||
	    !text_number(p_peek(p), strlen(p_peek(p)), UINT16_MAX, &mtu))
		return true;
	diag_add(p->c->diags, DIAG_E2004, p_here(p),
		 "an MTU of needfrag is not possible here: the kernel answers without one");
	return false;
}

static bool arg_unreach(struct parser *p, struct ipfw_rule *r)
{
	const bool v6 = r->action == IW_UNREACH6;
	const char *s = p_peek(p);

	if (s == NULL)
		return p_missing(p, "the code of unreach");
	r->arg_at = p_here(p);
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].v6 == v6 && strcmp(codes[i].name, s) == 0) {
			r->arg = codes[i].code;
			p_take(p);
			return no_mtu(p, r);
		}
	if (text_number(s, strlen(s), 254, &r->arg)) {
		p_take(p);
		return true;
	}
	diag_add(p->c->diags, DIAG_E2010, r->arg_at, "unknown code '%s' of %s", s,
		 iw_text(r->action));
	return false;
}

static bool arg_jump(struct parser *p, struct ipfw_rule *r)
{
	if (p_peek(p) == NULL)
		return p_missing(p, "the rule to go on at");
	r->arg_at = p_here(p);
	if (p_accept(p, IWK_GRAMMAR, IW_TABLEARG)) {
		r->arg = IPFW_TABLEARG;
		return true;
	}
	return p_number(p, 1, IPFW_DEFAULT_RULE, "rule number", &r->arg);
}

static bool arg_nat(struct parser *p, struct ipfw_rule *r)
{
	if (p_peek(p) == NULL)
		return p_missing(p, "the nat instance");
	r->arg_at = p_here(p);
	if (strcmp(p_peek(p), "global") == 0) {
		p_take(p);
		r->arg = 0;
		return true;
	}
	if (p_accept(p, IWK_GRAMMAR, IW_TABLEARG)) {
		r->arg = IPFW_TABLEARG;
		return true;
	}
	return p_number(p, 1, 65535, "nat instance", &r->arg);
}

static bool arg_check_state(struct parser *p, struct ipfw_rule *r)
{
	const char *s = p_peek(p);

	r->state_name = intern_cstr(p->c->names, "default");
	if (s == NULL || strcmp(s, "//") == 0)
		return true;
	if (s[0] != ':' || s[1] == '\0' || strlen(s) > 64) {
		diag_add(p->c->diags, DIAG_E2015, p_here(p), "bad name of states '%s'", s);
		diag_help(p->c->diags,
			  "check-state takes a name as in check-state :web, and nothing else");
		return false;
	}
	r->state_name = strcmp(s + 1, "any") == 0 ? NULL : intern_cstr(p->c->names, s + 1);
	p_take(p);
	return true;
}

static const struct {
	enum iw word;
	bool (*read)(struct parser *p, struct ipfw_rule *r);
} args[] = {
	{ IW_ALLOW, arg_none }, { IW_DENY, arg_none }, { IW_REJECT, arg_none },
	{ IW_RESET, arg_none }, { IW_RESET6, arg_none }, { IW_COUNT, arg_none },
	{ IW_RETURN, arg_none }, { IW_REASS, arg_none },
	{ IW_UNREACH, arg_unreach }, { IW_UNREACH6, arg_unreach },
	{ IW_SKIPTO, arg_jump }, { IW_CALL, arg_jump }, { IW_NAT, arg_nat },
	{ IW_CHECK_STATE, arg_check_state },
};

static bool parse_log(struct parser *p, struct ipfw_rule *r)
{
	uint32_t n;

	if (r->log) {
		diag_add(p->c->diags, DIAG_E2016, p->w.v[p->i - 1].at, "log is there twice");
		return false;
	}
	r->log = true;
	if (!p_accept(p, IWK_LOGWORD, IW_LOGAMOUNT))
		return true;
	if (!p_number(p, 0, INT32_MAX, "logamount", &n))
		return false;
	r->logamount = n;
	if (n > 0)
		diag_add(p->c->diags, DIAG_N2043, span_join(p->w.v[p->i - 2].at,
			 p->w.v[p->i - 1].at), "logamount has no effect: no limit is set");
	return true;
}

/* log, tag N, untag N: any number, in any order */
static bool parse_modifiers(struct parser *p, struct ipfw_rule *r)
{
	const struct iw_row *row;

	while (p_peek(p) != NULL && (row = iw_find(IWK_MODIFIER, p_peek(p))) != NULL) {
		struct ipfw_tag_op op = { .is_un = row->word == IW_UNTAG, .at = p_here(p) };

		p_take(p);
		if (row->how == IWH_REFUSED)
			return p_refuse(p, row, op.at);
		if (row->word == IW_LOG) {
			if (!parse_log(p, r))
				return false;
			continue;
		}
		if (!p_number(p, 1, IPFW_TAG_MAX, "tag", &op.tag))
			return false;
		vec_add(p->c->a, &r->tags, op);
	}
	return true;
}

bool parse_action(struct parser *p, struct ipfw_rule *r)
{
	const struct iw_row *row;

	r->logamount = -1;
	if (p_peek(p) == NULL)
		return p_missing(p, "an action");
	row = iw_find(IWK_ACTION, p_peek(p));
	if (row == NULL)
		return p_unknown(p, DIAG_E2006, IWK_ACTION, "action");
	if (row->how == IWH_REFUSED)
		return p_refuse(p, row, p_here(p));
	p_note(p, row, p_take(p)->at);
	r->action = row->word;
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		if (args[i].word == row->word)
			return args[i].read(p, r) &&
			       (r->action == IW_CHECK_STATE || parse_modifiers(p, r));
	BUG_IF(true);
}
