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
#include "net/addr.h"

#define STATUS_USAGE	64
#define STATUS_DATA	65
#define STATUS_KERNEL	69

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

/* "00100 set 1 allow ..." without its set; what is disabled is not shown */
static const char *without_sets(struct arena *a, const char *text)
{
	char *all = arena_alloc(a, strlen(text) + 1), *out = all;

	while (*text != '\0') {
		const size_t len = strcspn(text, "\n"), number = strcspn(text, " ");
		const char *rest = text + number;

		if (text[0] != '#' && number < len) {
			if (strncmp(rest, " set ", 5) == 0)
				rest += 5 + strspn(rest + 5, "0123456789");
			memcpy(out, text, number);
			out += number;
			memcpy(out, rest, (size_t)(text + len - rest));
			out += text + len - rest;
			*out++ = '\n';
		}
		text += len + (text[len] == '\n');
	}
	return all;
}

/* The ruleset so far as `ipfw list` prints it */
static const char *list_text(struct lang_ctx *c, const struct ipfw_cmds *before)
{
	struct diags scratch;
	struct lang_ctx quiet = *c;
	const struct ipfw_ruleset *rs;
	char *text = NULL;
	const char *kept;
	size_t len = 0;
	FILE *f;

	diags_init(&scratch, c->a, c->sources);
	quiet.diags = &scratch;
	rs = ipfw_parse(&quiet, before);
	f = open_memstream(&text, &len);
	if (f == NULL)
		return "";
	/* If the arena is full here the stream stays behind, and the run ends */
	ipfw_print_list(rs, false, f);
	fclose(f);
	kept = text != NULL ? arena_strndup(c->a, text, len) : "";
	free(text);
	return without_sets(c->a, kept);
}

/* The lines of a list whose rule has number @n; NULL: none */
static const char *lines_of(struct lang_ctx *c, const char *list, unsigned long n)
{
	const char *all = NULL;

	while (*list != '\0') {
		const size_t len = strcspn(list, "\n");

		if (strtoul(list, NULL, 10) == n)
			all = arena_printf(c->a, "%s%.*s\n", all != NULL ? all : "", (int)len,
					   list);
		list += len + (list[len] == '\n');
	}
	return all;
}

static void answer_list(struct lang_ctx *c, const struct ipfw_cmd *cmd, uint32_t at,
			const struct ipfw_cmds *before, struct ipfw_exec_answer *ret)
{
	const char *list = list_text(c, before);

	ret->is_query = true;
	ret->out = at + 1 < cmd->words.n ? "" : list;
	for (uint32_t i = at + 1; i < cmd->words.n; i++) {
		const char *lines = lines_of(c, list, strtoul(word(cmd, i), NULL, 10));

		if (lines == NULL)
			refuse(c, ret, STATUS_KERNEL, arena_printf(c->a, "rule %s does not exist",
								   word(cmd, i)));
		else
			ret->out = arena_printf(c->a, "%s%s", ret->out, lines);
	}
}

static const char *entry_text(struct lang_ctx *c, const char *key, const char *value)
{
	struct prefix p;
	char buf[ADDR_TEXT_BYTES];

	if (prefix_parse(key, strlen(key), &p) == 0)
		key = prefix_print(p, buf);
	return arena_printf(c->a, "%s %s\n", key, value[0] != '\0' ? value : "0");
}

/**
 * struct entry - An entry of a table, while it is found what it holds
 * @key:	As written; NULL: deleted
 * @value:	As written
 */
struct entry {
	const char *key;
	const char *value;
};

/* What a table holds: its entries as `ipfw table X list` prints them; NULL: there is none */
static const char *table_text(struct lang_ctx *c, const struct ipfw_cmds *before,
			      const char *name)
{
	VEC(struct entry) entries = { .n = 0 };
	const char *text = "";
	bool exists = false;

	for (uint32_t i = 0; i < before->list.n; i++) {
		const struct ipfw_cmd *cmd = &before->list.v[i];
		const uint32_t at = verb_index(cmd);

		if (!is(cmd, at, "table") || (!is(cmd, at + 1, name) && !is(cmd, at + 1, "all")))
			continue;
		exists = (exists || is(cmd, at + 1, name)) && !is(cmd, at + 2, "destroy");
		for (uint32_t k = 0; k < entries.n && !is(cmd, at + 2, "create"); k++)
			if (entries.v[k].key != NULL && (!is(cmd, at + 2, "delete") ||
							 is(cmd, at + 3, entries.v[k].key)) &&
			    !is(cmd, at + 2, "add"))
				entries.v[k].key = NULL;
		if (is(cmd, at + 2, "add"))
			vec_add(c->a, &entries, ((struct entry){ word(cmd, at + 3),
								  word(cmd, at + 4) }));
	}
	for (uint32_t k = 0; k < entries.n; k++)
		if (entries.v[k].key != NULL)
			text = arena_printf(c->a, "%s%s", text,
					    entry_text(c, entries.v[k].key, entries.v[k].value));
	return exists ? text : NULL;
}

static void answer_table(struct lang_ctx *c, const struct ipfw_cmd *cmd, uint32_t at,
			 const struct ipfw_cmds *before, struct ipfw_exec_answer *ret)
{
	const char *text = table_text(c, before, word(cmd, at + 1));

	ret->is_query = true;
	if (text == NULL)
		refuse(c, ret, STATUS_KERNEL, "table not found");
	else if (is(cmd, at + 2, "list"))
		ret->out = arena_printf(c->a, "--- table(%s), set(0) ---\n%s", word(cmd, at + 1),
					text);
	else
		ret->out = arena_printf(c->a, "--- table(%s), set(0) ---\n", word(cmd, at + 1));
}

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
	const uint32_t at = verb_index(cmd), last = cmd->words.n - 1;

	if (is(cmd, at, "list") || is(cmd, at, "show")) {
		answer_list(c, cmd, at, before, ret);
	} else if (is(cmd, at, "table") && (is(cmd, at + 2, "list") || is(cmd, at + 2, "info"))) {
		answer_table(c, cmd, at, before, ret);
	} else if (is(cmd, at, "nat") && at < last && (is(cmd, at + 1, "show") ||
						       is(cmd, at + 2, "show"))) {
		ret->is_query = true;
	} else {
		check_syntax(c, cmd, ret);
		if (ret->status == 0 && is(cmd, at, "delete") &&
		    strspn(word(cmd, at + 1), "0123456789") > 0 &&
		    lines_of(c, list_text(c, before), strtoul(word(cmd, at + 1), NULL, 10)) == NULL)
			refuse(c, ret, STATUS_KERNEL, arena_printf(c->a, "rule %s does not exist",
								   word(cmd, at + 1)));
	}
}
