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
#include "host/ipfw_files.h"
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
 * @files:	The script and what it may read
 * @unread:	The file that "." did not find, as the shell told; it ends the script
 * @own_err:	What the last answer said on standard error, which is no message
 *		of the script
 * @full:	The arena's cap was met
 */
struct exec_run {
	const struct ipfw_exec *x;
	struct ipfw_cmds *cmds;
	struct ipfw_files files;
	const char *unread;
	const char *own_err;
	bool full;
};

/* ---- places ---------------------------------------------------------------- */

static const struct source *text_of(const struct exec_run *r, struct span at)
{
	return source_at(r->x->c->sources, at.src);
}

static struct span line_span(const struct exec_run *r, uint32_t line)
{
	return ipfw_files_line(r->x, &r->files, line);
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

		if (!ipfw_files_word(r->x, cmd.at, &from, w.text, &w.at)) {
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

static void answer_command(struct exec_run *r, const struct ipfw_cmd *cmd,
			   struct sandbox_answer *ret)
{
	struct ipfw_exec_answer answer = { .status = 0 };

	if (r->x->answer != NULL)
		r->x->answer(r->x->arg, cmd, r->cmds, &answer);
	if (!answer.is_query)
		vec_add(r->x->c->a, &r->cmds->list, *cmd);
	ret->status = answer.status;
	ret->out = answer.out;
	ret->err = answer.err;
}

static void tell_unread(struct diags *d, struct span at, const char *path)
{
	diag_add(d, DIAG_E2318, at, "the script may not read '%s'", path);
	diag_help(d, "a file beside the script is there for it, by name, and one that -f gives");
}

static void answer_ipfw(struct exec_run *r, const struct sandbox_call *call,
			struct sandbox_answer *ret)
{
	struct ipfw_cmds rules = { .list = { .n = 0 } };
	struct ipfw_cmd cmd;

	if (!ipfw_files_rules(r->x, &r->files, call, &rules)) {
		cmd = make_command(r, call);
		if (call->file == NULL && ipfw_files_is_path(call))
			tell_unread(r->x->c->diags, cmd.at, call->argv[call->n - 1]);
		else
			answer_command(r, &cmd, ret);
	}
	for (uint32_t i = 0; i < rules.list.n && ret->status == 0; i++)
		answer_command(r, &rules.list.v[i], ret);
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
 * @in:		The line, in its text
 * @text:	That text
 * @call:	The call that they stand in
 * @names:	Names
 * @n:		How many
 * @max:	Most
 * @unset:	When told: those without a value
 * @is_caller:	The line calls a function, and that calls ipfw
 */
struct asking {
	struct exec_run *r;
	struct span in;
	const char *text;
	const struct sandbox_call *call;
	const char **names;
	uint32_t n;
	uint32_t max;
	uint64_t unset;
	bool is_caller;
};

/* Called for each "$name" that stands for itself: not "${name:-word}" */
typedef bool (*use_fn)(struct asking *k, const char *name, struct span at);

/* The variable at the "$" at @lo, if there is a plain one; byte after it */
static uint32_t take_use(struct asking *k, uint32_t lo, uint32_t hi, use_fn fn)
{
	const bool braced = lo + 1 < hi && k->text[lo + 1] == '{';
	const uint32_t name = lo + (braced ? 2 : 1);
	uint32_t end = name;

	while (end < hi && is_name(k->text[end], end == name))
		end++;
	if (end == name || (braced && (end == hi || strchr("}%#", k->text[end]) == NULL)))
		return MAX(end, lo + 1);
	if (!fn(k, intern_str(k->r->x->c->names, k->text + name, end - name),
		(struct span){ k->in.src, lo, end + braced }))
		return hi;
	return end;
}

/* May a command of the line be this call: are its literal words among the call's */
static bool is_call(const struct asking *k, uint32_t lo, uint32_t hi)
{
	while (lo < hi) {
		const uint32_t len = MIN((uint32_t)strcspn(k->text + lo, " \t\n"), hi - lo);
		bool found = len == 0;

		for (uint32_t i = 0; i < len && !found; i++)
			found = strchr("$'\"`\\(){}<>#/", k->text[lo + i]) != NULL;
		for (uint32_t i = 0; i < k->call->n && !found; i++)
			found = strlen(k->call->argv[i]) == len &&
				memcmp(k->call->argv[i], k->text + lo, len) == 0;
		if (!found)
			return false;
		lo += len + 1;
	}
	return true;
}

/* Each variable of one command of the line */
static void each_use_of_part(struct asking *k, uint32_t lo, uint32_t hi, use_fn fn)
{
	bool quoted = false;

	if (!is_ipfw_part(k->text, &lo, hi) && !k->is_caller)
		return;
	if (!is_call(k, k->is_caller ? lo + (uint32_t)strcspn(k->text + lo, " \t\n") : lo, hi))
		return;
	while (lo < hi) {
		quoted ^= k->text[lo] == '\'';
		if (!quoted && k->text[lo] == '#' && strchr(" \t", k->text[lo - 1]) != NULL)
			return;
		if (!quoted && k->text[lo] == '$')
			lo = take_use(k, lo, hi, fn);
		else
			lo += k->text[lo] == '\\' ? 2 : 1;
	}
}

/* Each variable in the commands of the line that call ipfw */
static void each_use(struct asking *k, use_fn fn)
{
	const struct span at = k->in;
	uint32_t lo = at.lo;
	char quote = 0;

	for (uint32_t i = at.lo; i < at.hi; i++) {
		const char ch = k->text[i];

		if (quote == 0 && (ch == '\'' || ch == '"'))
			quote = ch;
		else if (ch == quote)
			quote = 0;
		if (quote == 0 && (ch == ';' || ch == '&' || ch == '|')) {
			each_use_of_part(k, lo, i, fn);
			lo = i + 1;
		}
	}
	each_use_of_part(k, lo, at.hi, fn);
}

/* Each variable of a here-document, unless its end is quoted: then it has none */
static void each_use_of_document(struct asking *k, use_fn fn)
{
	const struct span call = line_span(k->r, k->call->line);
	const char *text = text_of(k->r, call)->text;
	const char *at = memmem(text + call.lo, call.hi - call.lo, "<<", 2);
	struct span doc;

	if (k->call->file == NULL || at == NULL ||
	    strchr("'\"\\", at[strspn(at, "<- ")]) != NULL ||
	    !ipfw_files_document(k->r->x, call, k->call->file, &doc))
		return;
	k->in = doc;
	k->text = text_of(k->r, doc)->text;
	for (uint32_t lo = doc.lo; lo < doc.hi; )
		if (k->text[lo] == '$')
			lo = take_use(k, lo, doc.hi, fn);
		else
			lo += k->text[lo] == '\\' ? 2 : 1;
}

/* Each variable of the line, its here-document, and the calls of functions around it */
static void each_use_of_call(struct asking *k, use_fn fn)
{
	for (uint32_t i = 0; i <= k->call->n_callers; i++) {
		k->is_caller = i > 0;
		k->in = line_span(k->r, i > 0 ? k->call->callers[i - 1] : k->call->line);
		k->text = text_of(k->r, k->in)->text;
		each_use(k, fn);
	}
	each_use_of_document(k, fn);
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

static struct sandbox_call at_its_line(const struct exec_run *r, const struct sandbox_call *call)
{
	struct sandbox_call own = *call;

	own.line = ipfw_files_true_line(r->x, &r->files, call);
	return own;
}

static uint32_t on_ask(void *arg, const struct sandbox_call *call, const char **names,
		       uint32_t max)
{
	struct exec_run *r = arg;
	const struct sandbox_call own = at_its_line(r, call);
	struct asking k = { .r = r, .call = &own, .names = names, .max = max };

	if (strcmp(call->argv[0], "ipfw") != 0)
		return 0;
	GUARDED(r, { each_use_of_call(&k, collect_name); });
	return r->full ? 0 : k.n;
}

static void warn_unset(struct exec_run *r, const struct sandbox_call *call, uint64_t unset)
{
	const char *names[64];
	struct asking k = { .r = r, .call = call, .names = names, .max = ARRAY_SIZE(names) };

	if (unset == 0)
		return;
	each_use_of_call(&k, collect_name);
	k.unset = unset;
	each_use_of_call(&k, tell_name);
}

static void refuse(struct exec_run *r, const char *name, uint32_t line)
{
	struct span at = line_span(r, line), word;
	uint32_t from = at.lo;

	if (ipfw_files_word(r->x, at, &from, name, &word))
		at = word;
	diag_add(r->x->c->diags, DIAG_E2312, at, "'%.60s' is not allowed in the sandbox", name);
}

static void on_call(void *arg, const struct sandbox_call *call, uint64_t unset,
		    struct sandbox_answer *ret)
{
	struct exec_run *r = arg;
	const struct sandbox_call own = at_its_line(r, call);
	const struct host_query q = {
		.x = r->x, .cmds = r->cmds, .call = &own, .at = line_span(r, own.line)
	};

	GUARDED(r, {
		if (strcmp(call->argv[0], "ipfw") == 0) {
			warn_unset(r, &own, unset);
			answer_ipfw(r, &own, ret);
		} else if (!ipfw_host_answer(&q, ret)) {
			refuse(r, call->argv[0], own.line);
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
	const struct sandbox_call call = { .argv = &name, .n = 1, .line = line };

	GUARDED(r, { refuse(r, name, at_its_line(r, &call).line); });
}

/* "NAME: .: line 3: can't open './x': ...": the file; NULL: another message */
static const char *unread_file(struct arena *a, const char *text, size_t len)
{
	static const char dot[] = ": .: ", open[] = "can't open '";
	const char *at = memmem(text, len, dot, sizeof(dot) - 1);
	const char *end;

	if (at != NULL)
		at = memmem(at, len - (size_t)(at - text), open, sizeof(open) - 1);
	if (at == NULL)
		return NULL;
	at += sizeof(open) - 1;
	end = memchr(at, '\'', len - (size_t)(at - text));
	return end != NULL ? arena_strndup(a, at, (size_t)(end - at)) : NULL;
}

static void on_said(void *arg, const char *text, size_t len, uint32_t line)
{
	struct exec_run *r = arg;

	if (r->own_err != NULL && strlen(r->own_err) == len && memcmp(r->own_err, text, len) == 0)
		return;
	GUARDED(r, {
		const char *file = unread_file(r->x->c->a, text, len);

		r->unread = file != NULL ? file : r->unread;
		if (file == NULL)
			diag_add(r->x->c->diags, DIAG_W2317, line_span(r, line),
				 "the script said: %.*s", (int)MIN(len, 200u), text);
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
static const char *defined_at(const struct lang_ctx *c, const char *text, uint32_t at)
{
	uint32_t n = 0;

	while (is_name(text[at + n], n == 0))
		n++;
	if (n == 0 || text[at + n] != '=' || !may_assign(text, at))
		return NULL;
	return lang_define_find(c, text + at, n);
}

/*
 * A text that runs: behind the empty lines that set its line numbers apart, and with
 * assignments to variables of -D made ones of another name, so that -D wins
 */
static struct script_text {
	const char *text;
	uint32_t len;
} with_defines(const struct exec_run *r, const struct ipfw_file *f)
{
	const struct source *s = source_at(r->x->c->sources, f->src);
	struct arena *a = r->x->c->a;
	VEC(char) out = { .n = 0 };

	for (uint32_t line = 1; line < f->first_line; line++)
		vec_add(a, &out, '\n');
	for (uint32_t i = 0; i < s->len; i++) {
		if ((i == 0 || !is_name(s->text[i - 1], false)) &&
		    defined_at(r->x->c, s->text, i) != NULL)
			for (const char *p = "_not_"; *p != '\0'; p++)
				vec_add(a, &out, *p);
		vec_add(a, &out, s->text[i]);
	}
	vec_add(a, &out, '\0');
	return (struct script_text){ out.v, out.n - 1 };
}

/* Only a shell's name can be a variable of it */
static uint32_t shell_vars(const struct lang_ctx *c, struct sandbox_var *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->n_presets; i++)
		out[n++] = (struct sandbox_var){ c->presets[i].name, c->presets[i].value };
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
		if (r->unread != NULL)
			diag_add(d, DIAG_W2317, at, "the script did not find '%s'", r->unread);
		return;
	case SANDBOX_TIMEOUT:
		diag_add(d, DIAG_E2313, at, "the script was not done after %u seconds",
			 r->x->seconds > 0 ? r->x->seconds : SANDBOX_SECONDS);
		return;
	case SANDBOX_STOPPED:
		if (r->unread != NULL) {
			tell_unread(d, at, r->unread);
			r->unread = NULL;
			return;
		}
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

static void add_files(const struct exec_run *r, struct ipfw_paths *paths)
{
	for (uint32_t i = 1; i < r->files.list.n; i++) {
		const struct ipfw_file *f = &r->files.list.v[i];

		ipfw_files_paths(r->x, &r->files, i, f->is_sourced ? with_defines(r, f).text
				 : source_at(r->x->c->sources, f->src)->text, paths);
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
	struct exec_run r = { .x = x, .cmds = ret };
	const struct sandbox_file files[] = {
		{ "/etc/rc.subr", rc_subr }, { "/etc/network.subr", rc_subr },
		{ "/etc/defaults/rc.conf", rc_subr }, { "/etc/rc.conf", rc_conf(x) },
	};
	struct ipfw_paths paths = { .list = { .n = 0 } };
	struct sandbox_script script = {
		.name = s->name,
		.commands = commands(c->a), .seconds = x->seconds,
	};
	struct sandbox_var *vars = arena_array(c->a, struct sandbox_var,
					       c->n_presets + c->n_defines + 1);
	struct script_text text;
	struct sandbox_result end;
	int err;

	if (!lang_check_text(c, x->src))
		return -EINVAL;
	ipfw_files_find(x, &r.files);
	text = with_defines(&r, &r.files.list.v[0]);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		vec_add(c->a, &paths.list, files[i]);
	add_files(&r, &paths);
	script.files = paths.list.v;
	script.n_files = paths.list.n;
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
