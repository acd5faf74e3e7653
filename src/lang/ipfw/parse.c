/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Commands are carried out on a ruleset that begins empty, in order, as the
 * kernel would: a rule that is deleted or flushed later leaves nothing, and an
 * automatic number depends on what is there at that moment.
 */
#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>

#include "lang/ipfw/parse.h"

struct ipfw_table *ipfw_find_table(const struct ipfw_ruleset *rs, const char *name)
{
	for (uint32_t i = 0; i < rs->tables.n; i++)
		if (rs->tables.v[i].name == name)
			return &rs->tables.v[i];
	return NULL;
}

struct ipfw_nat *ipfw_find_nat(const struct ipfw_ruleset *rs, uint32_t number)
{
	for (uint32_t i = 0; i < rs->nats.n; i++)
		if (rs->nats.v[i].number == number)
			return &rs->nats.v[i];
	return NULL;
}

const char *p_peek(const struct parser *p)
{
	return p->i < p->w.n ? p->w.v[p->i].text : NULL;
}

const char *p_peek2(const struct parser *p)
{
	return p->i + 1 < p->w.n ? p->w.v[p->i + 1].text : NULL;
}

struct span p_here(const struct parser *p)
{
	if (p->w.n == 0)
		return p->cmd->at;
	return p->w.v[MIN(p->i, p->w.n - 1)].at;
}

const struct ipfw_word *p_take(struct parser *p)
{
	BUG_IF(p->i >= p->w.n);
	return &p->w.v[p->i++];
}

bool p_accept(struct parser *p, enum iw_kind kind, enum iw word)
{
	if (!iw_is(kind, p_peek(p), word))
		return false;
	p->i++;
	return true;
}

bool p_missing(struct parser *p, const char *what)
{
	if (p_peek(p) == NULL)
		diag_add(p->c->diags, DIAG_E2002, p_here(p), "missing %s after '%s'", what,
			 p->w.n > 0 ? p->w.v[p->w.n - 1].text : "ipfw");
	else
		diag_add(p->c->diags, DIAG_E2002, p_here(p), "missing %s before '%s'", what,
			 p_peek(p));
	return false;
}

bool p_refuse(struct parser *p, const struct iw_row *row, struct span at)
{
	const char *why = row->help;
	const struct iw_row *same = iw_find(row->kind, strncmp(why, "as ", 3) == 0 ? why + 3 : why);

	diag_add(p->c->diags, DIAG_E2004, at, "'%s' is not possible here: %s", row->text,
		 same != NULL ? same->help : why);
	return false;
}

void p_note(struct parser *p, const struct iw_row *row, struct span at)
{
	if (row->how == IWH_NOTED)
		diag_add(p->c->diags, DIAG_N2043, at, "'%s' has no effect: %s", row->text,
			 row->help);
}

bool p_unknown(struct parser *p, enum diag_code code, enum iw_kind kind, const char *what)
{
	const char *near = p_peek(p) != NULL ? iw_nearest(kind, p_peek(p)) : NULL;

	if (p_peek(p) == NULL)
		return p_missing(p, what);
	diag_add(p->c->diags, code, p_here(p), "unrecognised %s '%s'", what, p_peek(p));
	if (near != NULL)
		diag_help(p->c->diags, "did you mean '%s'?", near);
	return false;
}

bool p_number(struct parser *p, uint32_t lo, uint32_t hi, const char *what, uint32_t *ret)
{
	if (p_peek(p) == NULL)
		return p_missing(p, what);
	if (text_number(p_peek(p), strlen(p_peek(p)), hi, ret) && *ret >= lo) {
		p->i++;
		return true;
	}
	if (iw_is(IWK_GRAMMAR, p_peek(p), IW_TABLEARG)) {
		diag_add(p->c->diags, DIAG_E2004, p_here(p),
			 "'tablearg' is not possible as the %s here", what);
		diag_help(p->c->diags, "skipto, call and nat take it");
		return false;
	}
	diag_add(p->c->diags, DIAG_E2005, p_here(p), "%s '%s' is not in %u..%u", what, p_peek(p),
		 lo, hi);
	return false;
}

void p_line(struct parser *p, const char *line)
{
	vec_add(p->c->a, &p->rs->lines, line);
}

bool p_reply(struct parser *p, int status, const char *fmt, ...)
{
	va_list ap;
	const char *text;

	if (p->replies == NULL)
		return false;
	va_start(ap, fmt);
	text = arena_vprintf(p->c->a, fmt, ap);
	va_end(ap);
	vec_add(p->c->a, &p->replies->list, ((struct ipfw_reply){ status, text, false }));
	return true;
}

/* -- commands -------------------------------------------------------------- */

#define ANY_SET	UINT32_MAX

/* Take away the rules that @fits says; how many */
static uint32_t remove_rules(struct ipfw_ruleset *rs, bool (*fits)(const struct ipfw_rule *,
			     const uint32_t *), const uint32_t *arg)
{
	const uint32_t n = rs->rules.n;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (!fits(&rs->rules.v[i], arg))
			rs->rules.v[kept++] = rs->rules.v[i];
	rs->rules.n = kept;
	return n - kept;
}

static bool is_not_default(const struct ipfw_rule *r, const uint32_t *arg)
{
	(void)arg;
	return r->set != IPFW_SET_DEFAULT;
}

/* Number at least, at most; the set, or any */
static bool is_numbered(const struct ipfw_rule *r, const uint32_t *arg)
{
	return r->number >= arg[0] && r->number <= arg[1] &&
	       (arg[2] == ANY_SET || r->set == arg[2]);
}

static bool is_in_set(const struct ipfw_rule *r, const uint32_t *arg)
{
	return r->set == arg[0];
}

static bool cmd_add(struct parser *p)
{
	return parse_add(p, p->use_set >= 0 ? (uint32_t)p->use_set : 0);
}

static bool cmd_flush(struct parser *p)
{
	const uint32_t set = (uint32_t)p->use_set;

	if (p->use_set >= 0) {
		remove_rules(p->rs, is_in_set, &set);
		p_line(p, arena_printf(p->c->a, "-f set %u flush", set));
	} else {
		remove_rules(p->rs, is_not_default, NULL);
		p_line(p, "-f flush");
	}
	p_reply(p, 0, "Flushed all rules.");
	return true;
}

static bool delete_set(struct parser *p)
{
	uint32_t set;

	if (!p_number(p, 0, IPFW_SET_DEFAULT, "set", &set))
		return false;
	if (remove_rules(p->rs, is_in_set, &set) == 0)
		diag_add(p->c->diags, DIAG_N2034, p->cmd->at, "set %u has no rule", set);
	p_line(p, arena_printf(p->c->a, "delete set %u", set));
	return true;
}

/* "N" or "N-M" */
static bool delete_numbers(struct parser *p)
{
	const char *s = p_peek(p);
	const size_t dash = strcspn(s, "-");
	const char *last = s[dash] == '-' ? s + dash + 1 : s;
	uint32_t range[3] = { [2] = p->use_set >= 0 ? (uint32_t)p->use_set : ANY_SET };

	if (!text_number(s, dash, IPFW_DEFAULT_RULE - 1, &range[0]) ||
	    !text_number(last, strlen(last), IPFW_DEFAULT_RULE - 1, &range[1])) {
		diag_add(p->c->diags, DIAG_E2005, p_here(p), "rule number '%s' is not in 1..65534",
			 s);
		return false;
	}
	if (remove_rules(p->rs, is_numbered, range) == 0) {
		diag_add(p->c->diags, DIAG_N2034, p_here(p), "rule %s does not exist", s);
		if (range[0] == range[1])
			p_reply(p, EX_UNAVAILABLE, "rule %u not found", range[0]);
		else
			p_reply(p, EX_UNAVAILABLE, "no rules rules in %u-%u range", range[0],
				range[1]);
	}
	p_line(p, p->use_set >= 0 ? arena_printf(p->c->a, "set %u delete %s", range[2], s)
				  : arena_printf(p->c->a, "delete %s", s));
	p_take(p);
	return true;
}

static bool cmd_delete(struct parser *p)
{
	if (p_peek(p) == NULL)
		return p_missing(p, "a rule number");
	if (p_accept(p, IWK_COMMAND, IW_NAT)) {
		uint32_t n;

		if (!p_number(p, 1, 65535, "nat instance", &n))
			return false;
		p->i -= 1;
		p->w.n = p->i + 1;
		vec_add(p->c->a, &p->w, ((struct ipfw_word){ "delete", p->cmd->at }));
		return parse_nat(p);
	}
	while (p_peek(p) != NULL)
		if (!(p_accept(p, IWK_COMMAND, IW_SET) ? delete_set(p) : delete_numbers(p)))
			return false;
	return true;
}

static bool set_swap(struct parser *p)
{
	uint32_t x, y;

	if (!p_number(p, 0, IPFW_SET_DEFAULT - 1, "set", &x) ||
	    !p_number(p, 0, IPFW_SET_DEFAULT - 1, "set", &y))
		return false;
	for (uint32_t i = 0; i < p->rs->rules.n; i++) {
		uint32_t *set = &p->rs->rules.v[i].set;

		*set = *set == x ? y : *set == y ? x : *set;
	}
	p_line(p, arena_printf(p->c->a, "set swap %u %u", x, y));
	return true;
}

/* "[rule] N to M" */
static bool set_move(struct parser *p)
{
	const bool rule = p_peek(p) != NULL && strcmp(p_peek(p), "rule") == 0;
	uint32_t from, to;

	p->i += rule;
	if (!p_number(p, 0, rule ? IPFW_DEFAULT_RULE - 1 : IPFW_SET_DEFAULT - 1,
		      rule ? "rule number" : "set", &from))
		return false;
	if (!p_accept(p, IWK_GRAMMAR, IW_TO))
		return p_missing(p, "``to''");
	if (!p_number(p, 0, IPFW_SET_DEFAULT - 1, "set", &to))
		return false;
	for (uint32_t i = 0; i < p->rs->rules.n; i++) {
		struct ipfw_rule *r = &p->rs->rules.v[i];

		if ((rule ? r->number : r->set) == from)
			r->set = to;
	}
	p_line(p, arena_printf(p->c->a, "set move %s%u to %u", rule ? "rule " : "", from, to));
	return true;
}

/* "enable N... disable N..." */
static bool set_switch(struct parser *p)
{
	const char *text = "set";
	bool off = false;

	while (p_peek(p) != NULL) {
		uint32_t set;

		if (p_accept(p, IWK_COMMAND, IW_DISABLE) || p_accept(p, IWK_COMMAND, IW_ENABLE)) {
			off = iw_is(IWK_COMMAND, p->w.v[p->i - 1].text, IW_DISABLE);
		} else if (!p_number(p, 0, IPFW_SET_DEFAULT - 1, "set", &set)) {
			return false;
		} else {
			p->rs->disabled = off ? p->rs->disabled | 1u << set
					      : p->rs->disabled & ~(1u << set);
		}
		text = arena_printf(p->c->a, "%s %s", text, p->w.v[p->i - 1].text);
	}
	p_line(p, text);
	return true;
}

static bool run(struct parser *p);

static bool cmd_set(struct parser *p)
{
	const char *s = p_peek(p);
	uint32_t set;

	if (s == NULL)
		return p_missing(p, "swap, move, enable, disable or show");
	if (isdigit((unsigned char)s[0])) {	/* set N COMMAND: of that set only */
		if (!p_number(p, 0, IPFW_SET_DEFAULT, "set", &set))
			return false;
		p->use_set = (int32_t)set;
		return run(p);
	}
	if (iw_is(IWK_COMMAND, s, IW_DISABLE) || iw_is(IWK_COMMAND, s, IW_ENABLE))
		return set_switch(p);
	p_take(p);
	if (strcmp(s, "swap") == 0)
		return set_swap(p);
	if (strcmp(s, "move") == 0)
		return set_move(p);
	if (strcmp(s, "show") == 0)
		return true;
	p->i--;
	return p_unknown(p, DIAG_E2001, IWK_COMMAND, "command of set");
}

static bool cmd_switch(struct parser *p)
{
	const bool on = iw_is(IWK_COMMAND, p->w.v[p->i - 1].text, IW_ENABLE);
	const struct iw_row *row;

	if (p_peek(p) == NULL)
		return p_missing(p, "what to enable or disable");
	row = iw_find(IWK_SWITCH, p_peek(p));
	if (row == NULL)
		return p_unknown(p, DIAG_E2001, IWK_SWITCH, "switch");
	p_line(p, arena_printf(p->c->a, "%s %s", on ? "enable" : "disable", row->text));
	if (row->word == IW_S_ONE_PASS) {
		p->rs->one_pass = on;
		p->rs->one_pass_at = p->cmd->at;
	} else if (row->word == IW_S_FIREWALL) {
		p->rs->is_off = !on;
		p->rs->off_at = p->cmd->at;
	} else {
		p_note(p, row, p->cmd->at);
	}
	p_take(p);
	return true;
}

static bool cmd_query(struct parser *p)
{
	p->i = p->w.n;
	return true;
}

static const struct { enum iw word; bool (*run)(struct parser *p); } commands[] = {
	{ IW_ADD, cmd_add }, { IW_DELETE, cmd_delete }, { IW_FLUSH, cmd_flush },
	{ IW_SET, cmd_set }, { IW_TABLE, parse_table }, { IW_NAT, parse_nat },
	{ IW_ENABLE, cmd_switch }, { IW_DISABLE, cmd_switch }, { IW_QUERY, cmd_query },
};

static bool run(struct parser *p)
{
	const struct iw_row *row;

	if (p_peek(p) == NULL)
		return true;
	row = iw_find(IWK_COMMAND, p_peek(p));
	if (row == NULL)
		return p_unknown(p, DIAG_E2001, IWK_COMMAND, "command");
	if (row->how == IWH_REFUSED)
		return p_refuse(p, row, p_here(p));
	p_take(p);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].word == row->word)
			return commands[i].run(p);
	BUG_IF(true);
}

/* Words of the command: without options, and lists with blanks after commas joined */
static void take_words(struct parser *p)
{
	const struct ipfw_cmd *cmd = p->cmd;
	uint32_t i = 0;

	while (i < cmd->words.n && cmd->words.v[i].text[0] == '-' &&
	       cmd->words.v[i].text[1] != '\0')
		i++;
	for (; i < cmd->words.n; i++) {
		const struct ipfw_word w = cmd->words.v[i];
		struct ipfw_word *last = p->w.n > 0 ? &p->w.v[p->w.n - 1] : NULL;
		const size_t len = last != NULL ? strlen(last->text) : 0;

		if (w.text[0] == '\0')
			continue;
		if (last == NULL || len == 0 || (last->text[len - 1] != ',' && w.text[0] != ',')) {
			vec_add(p->c->a, &p->w, w);
			continue;
		}
		last->text = arena_printf(p->c->a, "%s%s", last->text, w.text);
		last->at = span_join(last->at, w.at);
	}
}

/* "100 add ..." is "add 100 ..." */
static void swap_number(struct parser *p)
{
	struct ipfw_word t;

	if (p->w.n < 2 || !isdigit((unsigned char)p->w.v[0].text[0]))
		return;
	t = p->w.v[0];
	p->w.v[0] = p->w.v[1];
	p->w.v[1] = t;
}

static void one_command(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmd *cmd,
			struct ipfw_replies *replies)
{
	struct parser p = { .c = c, .rs = rs, .cmd = cmd, .use_set = -1, .replies = replies };

	take_words(&p);
	swap_number(&p);
	if (run(&p) && p_peek(&p) != NULL)
		diag_add(c->diags, DIAG_E2003, p_here(&p), "unexpected word '%s'", p_peek(&p));
}

static void run_all(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmds *cmds,
		    struct ipfw_replies *replies)
{
	for (uint32_t i = 0; i < cmds->list.n && !diag_is_full(c->diags); i++)
		one_command(c, rs, &cmds->list.v[i], replies);
}

struct ipfw_ruleset *ipfw_parse(struct lang_ctx *c, const struct ipfw_cmds *cmds)
{
	struct ipfw_ruleset *rs = arena_new(c->a, struct ipfw_ruleset);

	rs->a = c->a;
	rs->one_pass = -1;
	ipfw_take_sysctls(c, rs, cmds);
	run_all(c, rs, cmds, NULL);
	return rs;
}

void ipfw_run(struct lang_ctx *c, struct ipfw_ruleset *rs, const struct ipfw_cmds *cmds,
	      struct ipfw_replies *ret)
{
	ipfw_take_sysctls(c, rs, cmds);
	run_all(c, rs, cmds, ret);
}
