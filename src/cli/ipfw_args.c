/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * As ipfw(8) reads its command line: options up to the first word that is none;
 * a single word is split at its blanks; a last word that begins with a slash is
 * a file of rules.  The words become a source of their own, so that a complaint
 * shows them.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "cli/ipfw.h"

#define COMMAND_NAME	"command line"

const char *ipfw_word_at(const struct ipfw_cmd *cmd, uint32_t i)
{
	return i < cmd->words.n ? cmd->words.v[i].text : "";
}

uint32_t ipfw_verb_index(const struct ipfw_cmd *cmd, int32_t *ret_set)
{
	uint32_t i = 0;

	*ret_set = -1;
	while (i < cmd->words.n && cmd->words.v[i].text[0] == '-')
		i++;
	if (strcmp(ipfw_word_at(cmd, i), "set") == 0 &&
	    isdigit((unsigned char)ipfw_word_at(cmd, i + 1)[0])) {
		*ret_set = (int32_t)strtoul(ipfw_word_at(cmd, i + 1), NULL, 10);
		i += 2;
	}
	return i;
}

static int usage(void)
{
	fputs("usage: ipfw [options]\ndo \"ipfw -h\" for details\n", stderr);
	return EX_USAGE;
}

static int help(void)
{
	fputs("usage: ipfw [-abcdDefnNqStT] COMMAND   or   ipfw [-fnq] /PATH/TO/RULES\n\n"
	      "add [N] [set N] RULE            delete N[-M]... | set N...\n"
	      "list|show [N[-M]]...            zero|resetlog [N]...\n"
	      "flush                           set disable|enable N... | swap N M | show\n"
	      "table T create|destroy|add|delete|list|info|flush|lookup|swap ...\n"
	      "nat N config ... | show config | delete\n"
	      "enable|disable one_pass|firewall\n\n"
	      "-a counters, -b actions only, -c compact, -d with dynamic rules, -D these only,\n"
	      "-f no question, -n test only, -q quiet, -S sets, -t -T times (not known here)\n\n"
	      "The ruleset is kept between calls, beside what sallyport apply was given; each\n"
	      "call is one transaction, a file too: a line that is wrong changes nothing.\n",
	      stdout);
	return -1;
}

/* One option; false if it is unknown */
static bool set_option(struct ipfw_call *call, char o)
{
	switch (o) {
	case 'a':
		call->counters = true;
		return true;
	case 'b':
		call->actions = call->compact = true;
		return true;
	case 'c':
		call->compact = true;
		return true;
	case 'd':
		call->dynamic = 1;
		return true;
	case 'D':
		call->dynamic = 2;
		return true;
	case 'f':
		call->force = true;
		return true;
	case 'n':
		call->dry_run = true;
		return true;
	case 'q':
		call->quiet = true;
		return true;
	case 'S':
		call->sets = true;
		return true;
	case 't':
		call->time = IPFW_TIME_TEXT;
		return true;
	case 'T':
		call->time = IPFW_TIME_NUMBER;
		return true;
	default:	/* how names, times and pipes are shown: there are none */
		return strchr("eiNv", o) != NULL;
	}
}

static int preprocessor(struct cli *c)
{
	diag_add(&c->diags, DIAG_E2402, SPAN_NONE,
		 "-p: no preprocessor is started; run it yourself, and give its output as the "
		 "file");
	return EX_UNAVAILABLE;
}

/* Options from *@i on */
static int read_options(struct cli *c, struct ipfw_call *call, uint32_t *i)
{
	for (; *i < c->args.n && c->args.v[*i][0] == '-' && c->args.v[*i][1] != '\0'; ++*i) {
		for (const char *o = c->args.v[*i] + 1; *o != '\0'; o++) {
			if (*o == 'h')
				return help();
			if (*o == 'p')
				return preprocessor(c);
			if (set_option(call, *o))
				continue;
			ipfw_say(c, SPAN_NONE, "illegal option -- %c", *o);
			return usage();
		}
	}
	return 0;
}

static int read_file(struct cli *c, struct lang_ctx *ctx, struct ipfw_call *call,
		     const char *path)
{
	const int err = sources_read(&c->sources, path, &call->src);

	if (err == -EFBIG) {
		diag_add(&c->diags, DIAG_E1002, SPAN_NONE,
			 "'%s' is larger than the limit of %u MiB", path, LIMIT_FILE_BYTES >> 20);
		return EX_DATAERR;
	}
	if (err < 0) {
		diag_add(&c->diags, DIAG_E1001, SPAN_NONE, "pathname: %s: %s", path,
			 strerror(-err));
		return EX_USAGE;
	}
	call->is_file = true;
	return ipfw_rules_read(ctx, call->src, &call->cmds) ? 0 : EX_DATAERR;
}

static bool is_text(const char *word)
{
	for (; *word != '\0'; word++)
		if ((unsigned char)*word < ' ' && *word != '\t')
			return false;
	return true;
}

/* "l" and "sh", as people type them */
static const char *whole_word(const char *word)
{
	static const char *const words[] = { "list", "show" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(word) >= i + 1 && strncmp(word, words[i], strlen(word)) == 0)
			return words[i];
	return word;
}

/* Words from @first on as a command, which stands in a source of its own */
static int read_command(struct cli *c, struct ipfw_call *call, uint32_t first)
{
	struct ipfw_cmd cmd = { .line_text = "" };
	const char *text = "ipfw";
	uint32_t lo = 5;

	for (uint32_t i = first; i < c->args.n; i++) {
		if (!is_text(c->args.v[i]))
			return cli_usage(c, "a word of the command has control characters");
		text = arena_printf(&c->arena, "%s %s", text, c->args.v[i]);
	}
	call->src = sources_add(&c->sources, COMMAND_NAME, text, (uint32_t)strlen(text),
				SPAN_NONE);
	for (uint32_t i = first; i < c->args.n; i++) {
		const char *w = c->args.v[i];
		const bool split = first + 1 == c->args.n;

		while (*w != '\0') {
			const uint32_t len = (uint32_t)(split ? strcspn(w, " \t") : strlen(w));

			if (len > 0)
				vec_add(&c->arena, &cmd.words, ((struct ipfw_word){
					arena_strndup(&c->arena, w, len),
					{ call->src, lo, lo + len } }));
			w += len + (w[len] != '\0');
			lo += len + (w[-1] == ' ' || w[-1] == '\t' ? 1 : 0);
		}
		lo++;
	}
	if (cmd.words.n == 0)
		return usage();
	cmd.words.v[0].text = whole_word(cmd.words.v[0].text);
	cmd.at = (struct span){ call->src, 0, (uint32_t)strlen(text) };
	cmd.line_text = text;
	vec_add(&c->arena, &call->cmds.list, cmd);
	return 0;
}

int ipfw_args_read(struct cli *c, struct lang_ctx *ctx, struct ipfw_call *call)
{
	const char *last = c->args.n > 0 ? c->args.v[c->args.n - 1] : "";
	uint32_t i = 0;
	int status = read_options(c, call, &i);

	call->replies.is_test = call->dry_run;
	if (status != 0)
		return status;
	if (i == c->args.n)
		return usage();
	if (last[0] != '/')
		return read_command(c, call, i);
	if (i + 1 < c->args.n) {
		ipfw_say(c, SPAN_NONE, "bad arguments, for usage summary ``ipfw''");
		return EX_USAGE;
	}
	return read_file(c, ctx, call, last);
}
