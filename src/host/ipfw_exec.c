/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The shell tells the line of each command, not the columns.  A word that
 * stands in that line as it is gets its place there; the others, which
 * variables and loops have made, are shown in the command as it was run, a
 * source of its own that was "expanded from" the line.
 *
 * The arena may be full in the midst of a run, while a child lives.  So each
 * callback returns here first and stops the run, and only then is the arena's
 * own way out taken.
 */
#include "host/ipfw_exec.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "host/ipfw_host.h"

#define EXIT_NOT_FOUND	127	/* what a shell says of a command that is not there */

/* What scripts call most often of what they may not, told also where its trace is lost */
static const char *const forbidden[] = {
	"cp", "curl", "dhclient", "fetch", "kill", "ln", "mkdir", "mktemp", "mount", "mv",
	"natd", "pfctl", "ping", "rm", "service", "tee", "touch", "wget", NULL
};

/**
 * struct exec_run - A script that runs
 * @x:		Script
 * @cmds:	What is recorded
 * @text:	The script
 * @len:	Its bytes
 * @lines:	Offset of each line's first byte
 * @own_err:	What the last answer said on standard error, which is no message
 *		of the script
 * @full:	The arena's cap was met
 */
struct exec_run {
	const struct ipfw_exec *x;
	struct ipfw_cmds *cmds;
	const char *text;
	uint32_t len;
	VEC(uint32_t) lines;
	const char *own_err;
	bool full;
};

/* ---- places ---------------------------------------------------------------- */

static void find_lines(struct exec_run *r)
{
	vec_add(r->x->c->a, &r->lines, 0);
	for (uint32_t i = 0; i < r->len; i++)
		if (r->text[i] == '\n')
			vec_add(r->x->c->a, &r->lines, i + 1);
}

/* A line with those that a backslash joins to it, without blanks around */
static struct span line_span(const struct exec_run *r, uint32_t line)
{
	uint32_t lo, hi;

	if (line == 0 || line > r->lines.n)
		return (struct span){ r->x->src, 0, 0 };
	lo = r->lines.v[line - 1];
	do {
		hi = line < r->lines.n ? r->lines.v[line] - 1 : r->len;
		line++;
	} while (hi > lo && r->text[hi - 1] == '\\' && line <= r->lines.n);
	while (lo < hi && strchr(" \t", r->text[lo]) != NULL)
		lo++;
	while (hi > lo && strchr(" \t\r", r->text[hi - 1]) != NULL)
		hi--;
	return (struct span){ r->x->src, lo, hi };
}

/* Where in @in, from *@from on, a word stands by itself; false: nowhere */
static bool find_word(const struct exec_run *r, struct span in, uint32_t *from, const char *word,
		      struct span *ret)
{
	const uint32_t len = (uint32_t)strlen(word);
	uint32_t at = MAX(*from, in.lo);

	while (len > 0 && in.hi - at >= len) {
		const char *found = memmem(r->text + at, in.hi - at, word, len);
		uint32_t lo;

		if (found == NULL)
			return false;
		lo = (uint32_t)(found - r->text);
		if ((lo == in.lo || strchr(" \t\"'\n", r->text[lo - 1]) != NULL) &&
		    (lo + len == in.hi || strchr(" \t\"'\n\r;\\)", r->text[lo + len]) != NULL)) {
			*ret = (struct span){ in.src, lo, lo + len };
			*from = lo + len;
			return true;
		}
		at = lo + 1;
	}
	return false;
}

/* ---- calls of ipfw --------------------------------------------------------- */

/* The command as a line of text; *@ret_off: where each word begins in it */
static const char *command_text(struct arena *a, const struct sandbox_call *call,
				uint32_t *ret_off)
{
	uint32_t len = 0;
	char *text;

	for (uint32_t i = 1; i < call->n; i++) {
		ret_off[i] = len;
		len += (uint32_t)strlen(call->argv[i]) + 1;
	}
	text = arena_alloc(a, len + 1);
	for (uint32_t i = 1; i < call->n; i++) {
		const size_t n = strlen(call->argv[i]);

		memcpy(text + ret_off[i], call->argv[i], n);
		text[ret_off[i] + n] = i + 1 < call->n ? ' ' : '\0';
	}
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	return text;
}

static struct ipfw_cmd make_command(struct exec_run *r, const struct sandbox_call *call)
{
	struct lang_ctx *c = r->x->c;
	struct ipfw_cmd cmd = { .at = line_span(r, call->line) };
	uint32_t *off = arena_array(c->a, uint32_t, call->n), from = cmd.at.lo, src = 0;

	cmd.line_text = command_text(c->a, call, off);
	for (uint32_t i = 1; i < call->n; i++) {
		const uint32_t len = (uint32_t)strlen(call->argv[i]);
		struct ipfw_word w = {
			.text = arena_strndup(c->a, call->argv[i], len), .at = cmd.at
		};

		if (!find_word(r, cmd.at, &from, w.text, &w.at)) {
			if (src == 0 && c->sources->list.n < LIMIT_SOURCES / 2)
				src = sources_add(c->sources, "ipfw command", cmd.line_text,
						  (uint32_t)strlen(cmd.line_text), cmd.at);
			if (src != 0)
				w.at = (struct span){ src, off[i], off[i] + len };
		}
		vec_add(c->a, &cmd.words, w);
	}
	return cmd;
}

static void answer_ipfw(struct exec_run *r, const struct sandbox_call *call,
			struct sandbox_answer *ret)
{
	const struct ipfw_cmd cmd = make_command(r, call);
	struct ipfw_exec_answer answer = { .status = 0 };

	if (r->x->answer != NULL)
		r->x->answer(r->x->arg, &cmd, r->cmds, &answer);
	if (!answer.is_query)
		vec_add(r->x->c->a, &r->cmds->list, cmd);
	ret->status = answer.status;
	ret->out = answer.out;
	ret->err = answer.err;
}

/* ---- variables ------------------------------------------------------------- */

static bool is_name(char ch, bool first)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (!first && ch >= '0' && ch <= '9');
}

/* Does the command from @lo on call ipfw, as it is or through a variable */
static bool is_ipfw_part(const char *text, uint32_t *ret_lo, uint32_t hi)
{
	static const char *const skip[] = { "if ", "then ", "else ", "do ", "while ", "! ", "{ " };

	uint32_t lo = *ret_lo;

	for (;;) {
		bool skipped = false;

		while (lo < hi && strchr(" \t\n(\\", text[lo]) != NULL)
			lo++;
		for (size_t i = 0; i < ARRAY_SIZE(skip); i++) {
			const uint32_t n = (uint32_t)strlen(skip[i]);

			if (hi - lo > n && memcmp(text + lo, skip[i], n) == 0) {
				lo += n;
				skipped = true;
			}
		}
		if (!skipped)
			break;
	}
	*ret_lo = lo;
	if (hi - lo > 6 && memcmp(text + lo, "/sbin/", 6) == 0)
		lo += 6;
	return hi > lo && (text[lo] == '$' || text[lo] == '"' ||
			   (hi - lo > 4 && memcmp(text + lo, "ipfw", 4) == 0));
}

/**
 * struct asking - Variables of a line, being collected or told
 * @r:		Run
 * @call:	The call that they stand in
 * @names:	Names
 * @n:		How many
 * @max:	Most
 * @unset:	When told: those without a value
 */
struct asking {
	struct exec_run *r;
	const struct sandbox_call *call;
	const char **names;
	uint32_t n;
	uint32_t max;
	uint64_t unset;
};

/* Called for each "$name" that stands for itself: not "${name:-word}" */
typedef bool (*use_fn)(struct asking *k, const char *name, struct span at);

/* The variable at the "$" at @lo, if there is a plain one; byte after it */
static uint32_t take_use(const struct exec_run *r, uint32_t lo, uint32_t hi, use_fn fn,
			 struct asking *arg)
{
	const bool braced = lo + 1 < hi && r->text[lo + 1] == '{';
	const uint32_t name = lo + (braced ? 2 : 1);
	uint32_t end = name;

	while (end < hi && is_name(r->text[end], end == name))
		end++;
	if (end == name || (braced && (end == hi || strchr("}%#", r->text[end]) == NULL)))
		return MAX(end, lo + 1);
	if (!fn(arg, intern_str(r->x->c->names, r->text + name, end - name),
		(struct span){ r->x->src, lo, end + braced }))
		return hi;
	return end;
}

/* May a command of the line be this call: are its literal words among the call's */
static bool is_call(const struct exec_run *r, uint32_t lo, uint32_t hi,
		    const struct sandbox_call *call)
{
	while (lo < hi) {
		const uint32_t len = MIN((uint32_t)strcspn(r->text + lo, " \t\n"), hi - lo);
		bool found = len == 0;

		for (uint32_t i = 0; i < len && !found; i++)
			found = strchr("$'\"`\\(){}<>#/", r->text[lo + i]) != NULL;
		for (uint32_t i = 0; i < call->n && !found; i++)
			found = strlen(call->argv[i]) == len &&
				memcmp(call->argv[i], r->text + lo, len) == 0;
		if (!found)
			return false;
		lo += len + 1;
	}
	return true;
}

/* Each variable of one command of the line */
static void each_use_of_part(const struct exec_run *r, uint32_t lo, uint32_t hi, use_fn fn,
			     struct asking *arg)
{
	bool quoted = false;

	if (!is_ipfw_part(r->text, &lo, hi) || !is_call(r, lo, hi, arg->call))
		return;
	while (lo < hi) {
		quoted ^= r->text[lo] == '\'';
		if (!quoted && r->text[lo] == '#' && strchr(" \t", r->text[lo - 1]) != NULL)
			return;
		if (!quoted && r->text[lo] == '$')
			lo = take_use(r, lo, hi, fn, arg);
		else
			lo += r->text[lo] == '\\' ? 2 : 1;
	}
}

/* Each variable in the commands of the line that call ipfw */
static void each_use(const struct exec_run *r, uint32_t line, use_fn fn,
		     struct asking *arg)
{
	const struct span at = line_span(r, line);
	uint32_t lo = at.lo;
	char quote = 0;

	for (uint32_t i = at.lo; i < at.hi; i++) {
		const char ch = r->text[i];

		if (quote == 0 && (ch == '\'' || ch == '"'))
			quote = ch;
		else if (ch == quote)
			quote = 0;
		if (quote == 0 && (ch == ';' || ch == '&' || ch == '|')) {
			each_use_of_part(r, lo, i, fn, arg);
			lo = i + 1;
		}
	}
	each_use_of_part(r, lo, at.hi, fn, arg);
}

static bool collect_name(struct asking *k, const char *name, struct span at)
{
	(void)at;
	for (uint32_t i = 0; i < k->n; i++)
		if (k->names[i] == name)
			return true;
	if (k->n < k->max)
		k->names[k->n++] = name;
	return k->n < k->max;
}

static bool tell_name(struct asking *k, const char *name, struct span at)
{
	struct diags *d = k->r->x->c->diags;

	for (uint32_t i = 0; i < k->n; i++) {
		if (k->names[i] != name || (k->unset >> i & 1) == 0)
			continue;
		diag_add(d, DIAG_W2303, at, "'%s' has no value in this ipfw call", name);
		diag_help(d, "-D %s=VALUE sets it before the script begins", name);
	}
	return true;
}

/* ---- callbacks ------------------------------------------------------------- */

/* Run a block; when the arena is full, note it and leave the block */
#define GUARDED(run, block) \
	do { \
		struct arena *guard_a_ = (run)->x->c->a; \
		jmp_buf guard_here_, *guard_outer_ = guard_a_->full; \
		if (!(run)->full) { \
			guard_a_->full = &guard_here_; \
			if (setjmp(guard_here_) == 0) \
				block \
			else \
				(run)->full = true; \
			guard_a_->full = guard_outer_; \
		} \
	} while (0)

static uint32_t on_ask(void *arg, const struct sandbox_call *call, const char **names,
		       uint32_t max)
{
	struct exec_run *r = arg;
	struct asking k = { .r = r, .call = call, .names = names, .max = max };

	if (strcmp(call->argv[0], "ipfw") != 0)
		return 0;
	GUARDED(r, { each_use(r, call->line, collect_name, &k); });
	return r->full ? 0 : k.n;
}

static void warn_unset(struct exec_run *r, const struct sandbox_call *call, uint64_t unset)
{
	const char *names[64];
	struct asking k = { .r = r, .call = call, .names = names, .max = ARRAY_SIZE(names) };

	if (unset == 0)
		return;
	each_use(r, call->line, collect_name, &k);
	k.unset = unset;
	each_use(r, call->line, tell_name, &k);
}

static void refuse(struct exec_run *r, const char *name, uint32_t line)
{
	struct span at = line_span(r, line), word;
	uint32_t from = at.lo;

	if (find_word(r, at, &from, name, &word))
		at = word;
	diag_add(r->x->c->diags, DIAG_E2312, at, "'%.60s' is not allowed in the sandbox", name);
}

static void on_call(void *arg, const struct sandbox_call *call, uint64_t unset,
		    struct sandbox_answer *ret)
{
	struct exec_run *r = arg;
	const struct host_query q = {
		.x = r->x, .cmds = r->cmds, .call = call, .at = line_span(r, call->line)
	};

	GUARDED(r, {
		if (strcmp(call->argv[0], "ipfw") == 0) {
			warn_unset(r, call, unset);
			answer_ipfw(r, call, ret);
		} else if (!ipfw_host_answer(&q, ret)) {
			refuse(r, call->argv[0], call->line);
			ret->status = EXIT_NOT_FOUND;
		}
		r->own_err = ret->err != NULL
			? arena_strndup(r->x->c->a, ret->err, strlen(ret->err)) : NULL;
	});
	ret->stop = r->full || diag_is_full(r->x->c->diags);
}

static void on_refused(void *arg, const char *name, uint32_t line)
{
	struct exec_run *r = arg;

	GUARDED(r, { refuse(r, name, line); });
}

static void on_said(void *arg, const char *text, size_t len, uint32_t line)
{
	struct exec_run *r = arg;

	if (r->own_err != NULL && strlen(r->own_err) == len && memcmp(r->own_err, text, len) == 0)
		return;
	GUARDED(r, {
		diag_add(r->x->c->diags, DIAG_W2317, line_span(r, line), "the script said: %.*s",
			 (int)MIN(len, 200u), text);
	});
}

/* ---- the script as it is run ------------------------------------------------ */

/* Does an assignment begin at @at: a command could stand there */
static bool may_assign(const char *text, uint32_t at)
{
	static const char *const before[] = {
		"then", "do", "else", "export", "local", "readonly"
	};
	uint32_t i = at;

	while (i > 0 && (text[i - 1] == ' ' || text[i - 1] == '\t'))
		i--;
	if (i == 0 || strchr("\n;&|({", text[i - 1]) != NULL)
		return true;
	for (size_t k = 0; k < ARRAY_SIZE(before) && i < at; k++) {
		const uint32_t n = (uint32_t)strlen(before[k]);

		if (i >= n && memcmp(text + i - n, before[k], n) == 0 &&
		    (i == n || !is_name(text[i - n - 1], false)))
			return true;
	}
	return false;
}

/* The variable of -D that is assigned at @at, or NULL */
static const char *defined_at(const struct exec_run *r, uint32_t at)
{
	uint32_t n = 0;

	while (is_name(r->text[at + n], n == 0))
		n++;
	if (n == 0 || r->text[at + n] != '=' || !may_assign(r->text, at))
		return NULL;
	return lang_define_find(r->x->c, r->text + at, n);
}

/* The script with assignments to variables of -D made ones of another name, so that -D wins */
static struct script_text {
	const char *text;
	uint32_t len;
} with_defines(const struct exec_run *r)
{
	struct arena *a = r->x->c->a;
	VEC(char) out = { .n = 0 };

	for (uint32_t i = 0; i < r->len; i++) {
		if ((i == 0 || !is_name(r->text[i - 1], false)) && defined_at(r, i) != NULL)
			for (const char *p = "_not_"; *p != '\0'; p++)
				vec_add(a, &out, *p);
		vec_add(a, &out, r->text[i]);
	}
	vec_add(a, &out, '\0');
	return (struct script_text){ out.v, out.n - 1 };
}

/* Only a shell's name can be a variable of it */
static uint32_t shell_vars(const struct lang_ctx *c, struct sandbox_var *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_defines; i++) {
		const char *name = c->defines[i].name;
		uint32_t k = 0;

		while (is_name(name[k], k == 0))
			k++;
		if (k > 0 && name[k] == '\0')
			out[n++] = (struct sandbox_var){ name, c->defines[i].value };
	}
	return n;
}

/* The few functions of FreeBSD's rc that firewall scripts call; rc.conf is the declared one */
static const char rc_subr[] =
	"load_rc_config() { . /etc/rc.conf; }\n"
	"source_rc_confs() { . /etc/rc.conf; }\n"
	"checkyesno() { eval \"set -- \\\"\\${$1}\\\"\"; case $1 in [Yy][Ee][Ss]|[Tt][Rr][Uu][Ee]|"
	"[Oo][Nn]|1) return 0;; esac; return 1; }\n"
	"afexists() { case $1 in inet|inet6) return 0;; esac; return 1; }\n"
	"err() { shift; echo \"$*\" >&2; exit 1; }\n"
	"warn() { echo \"$*\" >&2; }\n"
	"info() { :; }\n"
	"debug() { :; }\n";

static const char *rc_conf(const struct ipfw_exec *x)
{
	const char *text = "";

	for (uint32_t i = 0; i < x->n_rc; i++)
		text = arena_printf(x->c->a, "%s%s\n", text,
				    source_at(x->c->sources, x->rc[i])->text);
	return text;
}

static const char *const *commands(struct arena *a)
{
	VEC(const char *) all = { .n = 0 };

	vec_add(a, &all, "ipfw");
	for (const char *const *n = ipfw_host_commands(); *n != NULL; n++)
		vec_add(a, &all, *n);
	for (const char *const *n = forbidden; *n != NULL; n++)
		vec_add(a, &all, *n);
	vec_add(a, &all, NULL);
	return all.v;
}

static void tell_end(struct exec_run *r, const struct sandbox_result *end)
{
	struct diags *d = r->x->c->diags;
	const struct span at = line_span(r, end->line);

	switch (end->end) {
	case SANDBOX_DONE:
		return;
	case SANDBOX_TIMEOUT:
		diag_add(d, DIAG_E2313, at, "the script was not done after %u seconds",
			 r->x->seconds > 0 ? r->x->seconds : SANDBOX_SECONDS);
		return;
	case SANDBOX_STOPPED:
		diag_add(d, DIAG_E2314, at, "the script stopped here, with status %d",
			 end->status);
		if (r->own_err != NULL)
			diag_note(d, SPAN_NONE, "%s", r->own_err);
		return;
	case SANDBOX_KILLED:
		diag_add(d, DIAG_E2315, at, "the script was killed here, by signal %d",
			 end->status);
		return;
	case SANDBOX_TOO_MUCH:
		if (!diag_is_full(d))
			diag_add(d, DIAG_E2315, at, "the script called or wrote too much");
	}
}

static int run_error(struct lang_ctx *c, int err)
{
	if (err == -ENOEXEC) {
		diag_add(c->diags, DIAG_E2310, SPAN_NONE,
			 "--exec needs busybox, which is not installed");
		diag_help(c->diags, "on Debian: apt-get install busybox");
	} else if (err == -ENOTSUP) {
		diag_add(c->diags, DIAG_E2311, SPAN_NONE,
			 "--exec needs user namespaces, which this host does not give");
	}
	return err;
}

int ipfw_exec_run(const struct ipfw_exec *x, struct ipfw_cmds *ret)
{
	static const struct sandbox_ops ops = { on_ask, on_call, on_refused, on_said };
	struct lang_ctx *c = x->c;
	const uint32_t n_errors = c->diags->n_errors;
	const struct source *s = source_at(c->sources, x->src);
	struct exec_run r = { .x = x, .cmds = ret, .text = s->text, .len = s->len };
	const struct sandbox_file files[] = {
		{ "/etc/rc.subr", rc_subr }, { "/etc/network.subr", rc_subr },
		{ "/etc/defaults/rc.conf", rc_subr }, { "/etc/rc.conf", rc_conf(x) },
	};
	struct sandbox_script script = {
		.name = s->name, .files = files, .n_files = ARRAY_SIZE(files),
		.commands = commands(c->a), .seconds = x->seconds,
	};
	struct sandbox_var *vars = arena_array(c->a, struct sandbox_var, c->n_defines + 1);
	struct script_text text;
	struct sandbox_result end;
	int err;

	if (!lang_check_text(c, x->src))
		return -EINVAL;
	find_lines(&r);
	text = with_defines(&r);
	script.text = text.text;
	script.len = text.len;
	script.vars = vars;
	script.n_vars = shell_vars(c, vars);
	err = sandbox_run(&script, &ops, &r, &end);
	if (r.full)	/* the cap is met again at once, and leads out of here */
		(void)arena_alloc(c->a, c->a->cap_bytes);
	if (err < 0)
		return run_error(c, err);
	tell_end(&r, &end);
	return c->diags->n_errors > n_errors ? -EINVAL : 0;
}
