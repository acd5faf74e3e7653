/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A call that changes something is parsed by itself: what ipfw(8) would refuse
 * fails, and the rest succeeds.  What only the kernel would refuse is looked up
 * where scripts are known to ask: a rule to delete, a table.  Questions are
 * answered from all that was recorded before, parsed anew each time: scripts
 * ask rarely, and a ruleset that is kept up to date would be a second one.
 */
#include <stdlib.h>
#include <string.h>

#include "host/ipfw_exec.h"
#include "lang/ipfw_show.h"

#define STATUS_USAGE	64
#define STATUS_DATA	65
#define STATUS_KERNEL	69
#define STATUS_SYSTEM	71

/* Index of the first word that is no option, or the number of words */
static uint32_t verb_index(const struct ipfw_cmd *cmd)
{
	uint32_t i = 0;

	while (i < cmd->words.n && cmd->words.v[i].text[0] == '-')
		i++;
	/* "set N table ...": of one set */
	if (i + 2 < cmd->words.n && strcmp(cmd->words.v[i].text, "set") == 0 &&
	    strspn(cmd->words.v[i + 1].text, "0123456789") == strlen(cmd->words.v[i + 1].text))
		i += 2;
	return i;
}

static const char *word(const struct ipfw_cmd *cmd, uint32_t i)
{
	return i < cmd->words.n ? cmd->words.v[i].text : "";
}

static bool is(const struct ipfw_cmd *cmd, uint32_t i, const char *text)
{
	return strcmp(word(cmd, i), text) == 0;
}

static void refuse(struct lang_ctx *c, struct ipfw_exec_answer *ret, int status, const char *text)
{
	ret->status = status;
	ret->err = arena_printf(c->a, "ipfw: %s", text);
}

/* ---- questions ------------------------------------------------------------- */

/* The ruleset so far; what is wrong with it is told when the run is over */
static const struct ipfw_ruleset *ruleset(struct lang_ctx *c, const struct ipfw_cmds *before)
{
	struct diags scratch;
	struct lang_ctx quiet = *c;

	diags_init(&scratch, c->a, c->sources);
	quiet.diags = &scratch;
	return ipfw_parse(&quiet, before);
}

/**
 * struct asked - A question
 * @c:		Context
 * @cmd:	Call
 * @at:		Its verb
 * @rs:		What is asked about
 * @ret:	The answer's status
 */
struct asked {
	struct lang_ctx *c;
	const struct ipfw_cmd *cmd;
	uint32_t at;
	const struct ipfw_ruleset *rs;
	struct ipfw_exec_answer *ret;
};

/* Nothing has been counted: no packet was there */
static void no_count(void *arg, const char *text, uint64_t *packets, uint64_t *bytes)
{
	(void)arg;
	(void)text;
	*packets = *bytes = 0;
}

static bool has_option(const struct asked *q, char option)
{
	for (uint32_t i = 0; i < q->at; i++)
		if (word(q->cmd, i)[0] == '-' && strchr(word(q->cmd, i), option) != NULL)
			return true;
	return false;
}

static void say_list(struct asked *q, FILE *out)
{
	struct ipfw_view v = {
		.sets = has_option(q, 'S'), .compact = has_option(q, 'c'), .set = -1,
		.hi = UINT16_MAX,
	};

	if (is(q->cmd, q->at, "show") || has_option(q, 'a'))
		v.count = no_count;
	if (q->at + 1 == q->cmd->words.n)
		ipfw_show_rules(q->rs, &v, out);
	for (uint32_t i = q->at + 1; i < q->cmd->words.n; i++) {
		char *end;

		v.lo = v.hi = (uint32_t)strtoul(word(q->cmd, i), &end, 10);
		if (*end == '-')
			v.hi = (uint32_t)strtoul(end + 1, NULL, 10);
		if (ipfw_show_rules(q->rs, &v, out) == 0)
			refuse(q->c, q->ret, STATUS_KERNEL, arena_printf(q->c->a,
			       "rule %s does not exist", word(q->cmd, i)));
	}
}

static void say_table(struct asked *q, FILE *out)
{
	const char *name = word(q->cmd, q->at + 1), *key = word(q->cmd, q->at + 3);
	enum ipfw_found found;

	if (!is(q->cmd, q->at + 2, "lookup")) {
		if (!ipfw_show_table(q->rs, name, !is(q->cmd, q->at + 2, "list"), out))
			refuse(q->c, q->ret, STATUS_SYSTEM,
			       "failed to request table info: No such process");
		return;
	}
	found = ipfw_table_lookup(q->rs, name, key, out);
	if (found != IPFW_FOUND)
		refuse(q->c, q->ret, STATUS_KERNEL, arena_printf(q->c->a, "%s %s not found",
		       found == IPFW_NO_TABLE ? "Table" : "Entry",
		       found == IPFW_NO_TABLE ? name : key));
}

static void say_nat(struct asked *q, FILE *out)
{
	const unsigned long number = strtoul(word(q->cmd, q->at + 1), NULL, 10);

	if (!ipfw_show_nat(q->rs, (uint32_t)number, out))
		refuse(q->c, q->ret, STATUS_SYSTEM, arena_printf(q->c->a, "nat %lu not found",
								 number));
}

static void say_sets(struct asked *q, FILE *out)
{
	ipfw_show_sets(q->rs, out);
}

typedef void say_fn(struct asked *q, FILE *out);

/* Who answers a call that only asks; NULL: it asks nothing */
static say_fn *question(const struct ipfw_cmd *cmd, uint32_t at)
{
	static const char *const of_table[] = { "list", "info", "detail", "lookup" };

	if (is(cmd, at, "list") || is(cmd, at, "show") || is(cmd, at, "print"))
		return say_list;
	for (size_t i = 0; i < ARRAY_SIZE(of_table) && is(cmd, at, "table"); i++)
		if (is(cmd, at + 2, of_table[i]))
			return say_table;
	if (is(cmd, at, "nat") && (is(cmd, at + 1, "show") || is(cmd, at + 2, "show")))
		return say_nat;
	return is(cmd, at, "set") && is(cmd, at + 1, "show") ? say_sets : NULL;
}

static void answer_question(struct asked *q, say_fn *say)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	q->ret->is_query = true;
	if (f == NULL)
		return;
	/* If the arena is full here the stream stays behind, and the run ends */
	say(q, f);
	fclose(f);
	q->ret->out = arena_strndup(q->c->a, text, len);
	free(text);
}

/* ---- commands -------------------------------------------------------------- */

/* Does ipfw itself, without a kernel, take the call */
static void check_syntax(struct lang_ctx *c, const struct ipfw_cmd *cmd,
			 struct ipfw_exec_answer *ret)
{
	struct ipfw_cmds one = { .list = { .n = 0 } };
	struct lang_ctx quiet = *c;
	struct diags scratch;

	diags_init(&scratch, c->a, c->sources);
	quiet.diags = &scratch;
	vec_add(c->a, &one.list, *cmd);
	(void)ipfw_parse(&quiet, &one);
	for (uint32_t i = 0; i < scratch.list.n; i++) {
		const struct diag *d = &scratch.list.v[i];

		/* E2004: ipfw takes it, and only we do not */
		if (diag_codes[d->code].severity != DIAG_ERROR || d->code == DIAG_E2004)
			continue;
		refuse(c, ret, d->code == DIAG_E2001 || d->code == DIAG_E2002 ||
		       d->code == DIAG_E2003 ? STATUS_USAGE : STATUS_DATA, d->message);
		return;
	}
}

void ipfw_exec_answer(void *arg, const struct ipfw_cmd *cmd, const struct ipfw_cmds *before,
		      struct ipfw_exec_answer *ret)
{
	struct lang_ctx *c = arg;
	const uint32_t at = verb_index(cmd);
	say_fn *say = question(cmd, at);
	struct asked q = { .c = c, .cmd = cmd, .at = at, .ret = ret };

	if (say != NULL) {
		q.rs = ruleset(c, before);
		answer_question(&q, say);
		return;
	}
	/* -n: what is read is tested, and nothing changed */
	ret->is_query = has_option(&q, 'n');
	if (ret->is_query && word(cmd, at)[0] == '/')
		return;
	check_syntax(c, cmd, ret);
	if (ret->status == 0 && is(cmd, at, "delete") &&
	    strspn(word(cmd, at + 1), "0123456789") == strlen(word(cmd, at + 1)) &&
	    !ipfw_is_number(ruleset(c, before), (uint32_t)strtoul(word(cmd, at + 1), NULL, 10)))
		refuse(c, ret, STATUS_KERNEL, arena_printf(c->a, "rule %s does not exist",
							   word(cmd, at + 1)));
}
