/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * A call that changes something takes the lock first, so calls at the same time
 * come one after the other and none is lost.  Then: the ruleset that is kept, or
 * else the one that was applied; the call's commands on it; the same road to the
 * kernel as `apply` goes, but for links, addresses and sysctls, which are not
 * ipfw's; and when the kernel has it, the ruleset is kept.  A call that dies
 * between the two leaves a kernel that is one call ahead: the next call makes it
 * what is kept, with its own change, as if the dead call had never been.
 *
 * What is kept is text, and a rule's place, in the kernel's comments as in what
 * `why` says, is its number: a line would be another whenever a rule before it comes
 * or goes, and with it every rule of the kernel behind it.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/applied.h"
#include "cli/confirm.h"
#include "cli/host.h"
#include "cli/ipfw.h"
#include "cli/live.h"


void ipfw_call_run(struct cli *c, struct lang_ctx *ctx, struct declared *d)
{
	struct ipfw_call *call = c->ipfw;
	struct ipfw_ruleset *rs = d->ipfw;
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out;
	uint32_t src;

	ipfw_run(ctx, rs, &call->cmds, &call->replies);
	ipfw_check_nats(ctx, rs, &d->facts, call->src);
	if (c->one_pass >= 0)
		ipfw_set_one_pass(rs, c->one_pass);
	if (c->diags.n_errors > 0)
		return;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	ipfw_save(rs, out);
	fclose(out);
	call->text = arena_strndup(&c->arena, text, len);
	src = sources_add(&c->sources, LIVE_NAME, call->text, (uint32_t)len, SPAN_NONE);
	sources_number(&c->sources, src);
	ipfw_settle(ctx, rs, src, call->src, &call->made);
}

/* -- what is told ----------------------------------------------------------- */

static bool is_in(struct span at, struct span of)
{
	return at.src == of.src && at.lo >= of.lo && at.hi <= of.hi;
}

/* Is a place of this call, and not of a rule that was there before */
static bool is_ours(struct cli *c, struct span at)
{
	const struct ipfw_call *call = c->ipfw;
	const struct span in_file = source_file_span(&c->sources, at);

	if (in_file.src == 0 || in_file.src == call->src)
		return true;
	for (uint32_t i = 0; i < call->made.list.n; i++)
		if (is_in(in_file, call->made.list.v[i]))
			return true;
	return false;
}

/* Of rules that were there before all was told when they came */
static void forget_old(struct cli *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->diags.list.n; i++) {
		const struct diag d = c->diags.list.v[i];
		bool keep = diag_codes[d.code].severity == DIAG_ERROR || is_ours(c, d.at);

		for (uint32_t k = 0; k < d.more.n && !keep; k++)
			keep = d.more.v[k].at.src != 0 && is_ours(c, d.more.v[k].at);
		if (keep)
			c->diags.list.v[n++] = d;
	}
	c->diags.list.n = n;
}

/* Answers to the commands; the exit status */
static int say_replies(struct cli *c)
{
	const struct ipfw_call *call = c->ipfw;
	int status = 0;

	for (uint32_t i = 0; i < call->replies.list.n; i++) {
		const struct ipfw_reply *r = &call->replies.list.v[i];

		if (r->status == 0 && !call->quiet)
			fprintf(c->out, "%s\n", r->text);
		if (r->status == 0 || (r->is_minor && call->quiet))
			continue;
		if (!call->quiet)
			ipfw_say(c, SPAN_NONE, "%s", r->text);
		status = r->status;
	}
	return call->force && status == EX_UNAVAILABLE ? 0 : status;
}

/* -- zero ------------------------------------------------------------------- */

static bool is_zero(const struct ipfw_cmd *cmd, bool *log, uint32_t *first)
{
	int32_t set;
	const uint32_t at = ipfw_verb_index(cmd, &set);

	*log = strcmp(ipfw_word_at(cmd, at), "resetlog") == 0;
	*first = at + 1;
	return *log || strcmp(ipfw_word_at(cmd, at), "zero") == 0;
}

/* Is a rule, by its text, one whose count a command of the call clears */
static bool is_cleared(void *arg, const char *text)
{
	const struct ipfw_call *call = arg;
	const unsigned long number = strtoul(text, NULL, 10);

	if (strspn(text, "0123456789") != 5)	/* no rule of ipfw */
		return false;
	for (uint32_t i = 0; i < call->cmds.list.n; i++) {
		const struct ipfw_cmd *cmd = &call->cmds.list.v[i];
		uint32_t first;
		bool log;

		if (!is_zero(cmd, &log, &first) || log)
			continue;
		if (first == cmd->words.n)
			return true;
		for (uint32_t k = first; k < cmd->words.n; k++)
			if (strtoul(cmd->words.v[k].text, NULL, 10) == number)
				return true;
	}
	return false;
}

static bool clears(const struct ipfw_call *call)
{
	uint32_t first;
	bool log;

	for (uint32_t i = 0; i < call->cmds.list.n; i++)
		if (is_zero(&call->cmds.list.v[i], &log, &first) && !log)
			return true;
	return false;
}

/* What `zero` and `resetlog` say; an exit status */
static int say_zero(struct cli *c, const struct ipfw_cmd *cmd, const struct ipfw_ruleset *rs)
{
	uint32_t first;
	bool log;
	int status = 0;

	if (!is_zero(cmd, &log, &first))
		return 0;
	if (first == cmd->words.n && !c->ipfw->quiet)
		fputs(log ? "Logging counts reset.\n" : "Accounting cleared.\n", c->out);
	for (uint32_t i = first; i < cmd->words.n; i++) {
		const char *w = cmd->words.v[i].text;

		if (w[0] == '\0' || w[strspn(w, "0123456789")] != '\0') {
			ipfw_say(c, SPAN_NONE, "invalid rule number %s", w);
			status = EX_DATAERR;
		} else if (!ipfw_is_number(rs, (uint32_t)strtoul(w, NULL, 10))) {
			fprintf(c->out, "Entry %s not found\n", w);
			status = EX_UNAVAILABLE;
		} else if (!c->ipfw->quiet) {
			fprintf(c->out, "Entry %s %s.\n", w,
				log ? "logging count reset" : "cleared");
		}
	}
	return status;
}

/* -- the call --------------------------------------------------------------- */

/* Declarations with rules of the other kind: nothing of theirs is replaced */
static int check_pf(struct cli *c)
{
	for (uint32_t i = 0; i < c->files.n; i++) {
		if (cli_lang_of(&c->files.v[i]) != LANG_PF)
			continue;
		c->diags.n_errors = c->diags.list.n = 0;
		diag_add(&c->diags, DIAG_E2403, SPAN_NONE,
			 "pf rules are in force here: '%s' is what is declared",
			 c->files.v[i].path);
		return EX_DATAERR;
	}
	return 0;
}

static int declare(struct cli *c, struct declared *d, enum cli_strict strict)
{
	const int status = cli_declare(c, d, strict);
	const int pf = check_pf(c);

	return pf != 0 ? pf : status;
}

/* Did the command line say what declarations are in force */
static bool has_declarations(const struct cli *c)
{
	bool given = c->files.n > 0 || c->defines.n > 0 || c->interfaces != NULL || c->exec;

	for (int p = POLICY_NONE + 1; p < N_POLICIES; p++)
		given |= c->policy.off[p];
	return given;
}

/* The kernel has the rules: they are what is kept from now on */
static int record(struct cli *c, struct cli_host *h, const struct nft_memo *memo, bool given)
{
	int err = given ? applied_save(c, &h->st) : 0;

	if (err == 0)
		err = state_write(&h->st, LIVE_NAME, c->ipfw->text, strlen(c->ipfw->text));
	if (err == 0 && memo->text != NULL)
		err = state_write(&h->st, CLI_MEMO_FILE, memo->text, memo->len);
	return err < 0 ? cli_system(c, err, "keep the rules (they are loaded)") : 0;
}

static int load(struct cli *c, struct cli_host *h, struct nft_memo *memo)
{
	const struct nft_keep keep = { clears(c->ipfw), is_cleared, c->ipfw, memo };
	struct nft_options o;
	bool changed;
	int err;

	cli_nft_options(c, &o);
	h->program = nft_program_from_model(&h->d.model, &o, &c->diags);
	if (h->program == NULL)
		return cli_refused(c);
	err = nl_open(&h->filter, NETLINK_NETFILTER);
	if (err < 0)
		return cli_system(c, err, "open a netlink socket");
	err = nft_reload(&h->filter, h->program, &keep, &c->diags, &changed);
	return err < 0 ? cli_host_error(c, err, "load the packet rules") : 0;
}

static int change(struct cli *c)
{
	CLEANUP(cli_host_close) struct cli_host h = CLI_HOST_NONE;
	const bool given = has_declarations(c);
	struct nft_memo memo = { .text = NULL };
	char *text;
	int status, err = state_open(&h.st, c->state_dir, STATE_WRITE, STATE_LOCK_SECONDS);

	if (err < 0)
		return cli_system(c, err, cli_state_what(c));
	/* Without it the kernel is asked */
	if (state_read(&h.st, CLI_MEMO_FILE, &c->arena, &text, &memo.len) == 0)
		memo.text = text;
	status = declare(c, &h.d, CLI_STRICT);
	if (status == 0)
		status = load(c, &h, &memo);
	if (status == 0)
		status = record(c, &h, &memo, given);
	if (status != 0)
		return status;
	status = say_replies(c);
	for (uint32_t i = 0; i < c->ipfw->cmds.list.n; i++) {
		const struct ipfw_cmd *cmd = &c->ipfw->cmds.list.v[i];
		int asked = say_zero(c, cmd, h.d.ipfw);

		if (asked == 0 && ipfw_is_question(cmd))
			asked = ipfw_ask(c, cmd, &h.d);
		status = asked != 0 ? asked : status;
	}
	return status;
}

/* Only questions: no lock, and nothing is written */
static int ask(struct cli *c)
{
	struct declared d;
	int status = declare(c, &d, CLI_PARSED);

	for (uint32_t i = 0; i < c->ipfw->cmds.list.n && status == 0; i++)
		status = ipfw_ask(c, &c->ipfw->cmds.list.v[i], &d);
	return status;
}

/* -n: are the commands right, and how they read */
static int test(struct cli *c, struct lang_ctx *ctx)
{
	const struct ipfw_cmds none = { .list = { .n = 0 } };
	struct ipfw_ruleset *rs = ipfw_parse(ctx, &none);

	ipfw_run(ctx, rs, &c->ipfw->cmds, &c->ipfw->replies);
	if (c->diags.n_errors > 0)
		return cli_refused(c);
	return say_replies(c);
}

/* Somebody sits there, and all rules are to go */
static bool may_flush(const struct ipfw_call *call)
{
	int32_t set;
	int ch;

	if (call->is_file || call->force || call->quiet || !isatty(STDIN_FILENO) ||
	    strcmp(ipfw_word_at(&call->cmds.list.v[0],
				ipfw_verb_index(&call->cmds.list.v[0], &set)), "flush") != 0)
		return true;
	do {
		fputs("Are you sure? [yn] ", stdout);
		fflush(stdout);
		ch = toupper(getchar());
		for (int rest = ch; rest != '\n' && rest != EOF; rest = getchar())
			;
	} while (ch != 'Y' && ch != 'N' && ch != EOF && !feof(stdin));
	return ch == 'Y';
}

static int run(struct cli *c, struct lang_ctx *ctx)
{
	struct ipfw_call *call = c->ipfw;
	bool asks = true;
	int status = ipfw_args_read(c, ctx, call);

	call->dry_run |= c->dry_run;
	call->replies.is_test = call->dry_run;
	call->quiet |= c->quiet;
	if (status != 0)
		return status;
	if (call->dry_run)
		return test(c, ctx);
	for (uint32_t i = 0; i < call->cmds.list.n; i++)
		asks &= ipfw_is_question(&call->cmds.list.v[i]);
	status = cli_netns(c);
	if (status != 0 || (!asks && !may_flush(call)))
		return status;
	if (!asks)
		status = confirm_overdue(c);
	if (status != 0)
		return status;
	return asks ? ask(c) : change(c);
}

int verb_ipfw(struct cli *c)
{
	struct ipfw_call call = { .src = 0 };
	struct lang_ctx ctx = {
		.a = &c->arena, .names = &c->names, .sources = &c->sources, .diags = &c->diags,
	};
	CLEANUP(base_free) char *text = NULL;
	FILE *out = c->out;
	size_t len = 0;
	int status;

	c->out = open_memstream(&text, &len);
	if (c->out == NULL) {
		c->out = out;
		return cli_system(c, -errno, "answer");
	}
	c->ipfw = &call;
	status = run(c, &ctx);
	fclose(c->out);
	c->out = out;
	if (status > 0)
		status = ipfw_refused(c, status);
	forget_old(c);
	c->quiet |= call.quiet;
	c->ipfw = NULL;
	if (!c->json) {
		fwrite(text, 1, len, out);
	} else if (status >= 0) {
		cli_object(c);
		fputs("\"text\": ", out);
		json_string(out, text, len);
		putc('}', out);
	}
	return status;
}
