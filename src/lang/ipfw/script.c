/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * One simple command after the other: assignments, words, redirections that
 * throw output away, "|| true".  What the first word is decides by a table.
 * The first thing that only a shell can know ends the reading with an error:
 * to go on after an "if" would make its branch unconditional.
 */
#include "lang/ipfw/script.h"

#include <string.h>

#include "base/limits.h"

/* What becomes of a command */
enum command_kind {
	COMMAND_IPFW,		/* recorded */
	COMMAND_SYSCTL,		/* recorded */
	COMMAND_NOTHING,	/* says nothing about packets */
	COMMAND_TOLD,		/* not carried out, with a warning */
	COMMAND_SET,		/* set -e */
	COMMAND_EXPORT,		/* its words are assignments */
	COMMAND_UNSET,
	COMMAND_SOURCE,		/* reads another file */
	COMMAND_EXIT
};

static const struct { const char *name; enum command_kind kind; } commands[] = {
	{ "ipfw", COMMAND_IPFW },
	{ "sysctl", COMMAND_SYSCTL },
	{ "echo", COMMAND_NOTHING },
	{ "printf", COMMAND_NOTHING },
	{ "true", COMMAND_NOTHING },
	{ ":", COMMAND_NOTHING },
	{ "logger", COMMAND_NOTHING },
	{ "sleep", COMMAND_NOTHING },
	{ "kldload", COMMAND_NOTHING },
	{ "kldstat", COMMAND_NOTHING },
	{ "umask", COMMAND_NOTHING },
	{ "kldunload", COMMAND_TOLD },
	{ "route", COMMAND_TOLD },
	{ "ifconfig", COMMAND_TOLD },
	{ "set", COMMAND_SET },
	{ "export", COMMAND_EXPORT },
	{ "readonly", COMMAND_EXPORT },
	{ "unset", COMMAND_UNSET },
	{ ".", COMMAND_SOURCE },
	{ "source", COMMAND_SOURCE },
	{ "exit", COMMAND_EXIT },
};

/* Words that begin what only a shell can do */
static const char *const reserved[] = {
	"!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "function",
	"if", "then", "until", "while", NULL
};

/* First words of a line of a rules file */
static const char *const verbs[] = {
	"add", "call", "check", "del", "delete", "disable", "enable", "flush", "internal", "list",
	"nat", "nat64clat", "nat64lsn", "nat64stl", "nptv6", "pipe", "print", "queue", "resetlog",
	"sched", "set", "show", "table", "zero", NULL
};

static bool is_one_of(const char *s, uint32_t len, const char *const *words)
{
	for (; *words != NULL; words++)
		if (strlen(*words) == len && memcmp(*words, s, len) == 0)
			return true;
	return false;
}

/* "set" is a command of both: sh's takes options, ipfw's a number or a word */
static bool is_shell_set(const char *rest)
{
	rest += strspn(rest, " \t");
	return *rest == '-' || *rest == '+';
}

bool ipfw_is_script(const struct source *s)
{
	uint32_t at = 0, hi;

	if (s->len > 2 && s->text[0] == '#' && s->text[1] == '!')
		return true;
	for (;;) {
		at += (uint32_t)strspn(s->text + at, " \t\r\n");
		if (at >= s->len || s->text[at] != '#')
			break;
		at += (uint32_t)strcspn(s->text + at, "\n");
	}
	hi = at + (uint32_t)strcspn(s->text + at, " \t\r\n#");
	if (at >= s->len || s->text[at] == '-' ||
	    strspn(s->text + at, "0123456789") == hi - at)
		return false;
	if (hi - at == 3 && memcmp(s->text + at, "set", 3) == 0 && is_shell_set(s->text + hi))
		return true;
	return !is_one_of(s->text + at, hi - at, verbs);
}

static bool at_line_end(const struct script *s)
{
	return s->pos >= s->len || script_peek(s, 0) == '\n' || script_peek(s, 0) == ';' ||
	       script_peek(s, 0) == '#';
}

/* Blanks, joined lines, and carriage returns, which editors of other systems leave */
static void skip_blanks(struct script *s)
{
	for (;;) {
		const int ch = script_peek(s, 0);

		if (ch == ' ' || ch == '\t' || ch == '\r')
			s->pos++;
		else if (script_join_len(s) > 0)
			s->pos += script_join_len(s);
		else
			return;
	}
}

/* A redirection to nowhere; one to a file would be lost */
static bool read_redirection(struct script *s)
{
	const uint32_t lo = s->pos;
	const char *target;
	uint32_t len;
	bool to_fd;

	while (script_peek(s, 0) >= '0' && script_peek(s, 0) <= '9')
		s->pos++;
	if (script_peek(s, 0) == '<')
		return script_needs_shell(s, lo, s->pos + 1);
	s->pos++;
	s->pos += script_peek(s, 0) == '>';
	to_fd = script_peek(s, 0) == '&';
	s->pos += to_fd;
	skip_blanks(s);
	target = s->text + s->pos;
	len = (uint32_t)strcspn(target, " \t\r\n;|&<>");
	s->pos += len;
	if (to_fd ? len == 1 && (target[0] == '1' || target[0] == '2')
		  : len == 9 && memcmp(target, "/dev/null", 9) == 0)
		return true;
	return script_needs_shell(s, lo, s->pos);
}

/* Is a redirection here: ">", "2>" or "<" */
static bool at_redirection(const struct script *s)
{
	uint32_t i = 0;

	while (script_peek(s, i) >= '0' && script_peek(s, i) <= '9')
		i++;
	return script_peek(s, i) == '>' || script_peek(s, i) == '<';
}

/* "|| true", the only list that changes nothing */
static bool read_or_true(struct script *s)
{
	const uint32_t lo = s->pos;
	uint32_t n = 0;

	if (script_peek(s, 1) == '|') {
		s->pos += 2;
		skip_blanks(s);
		if (strncmp(s->text + s->pos, "true", 4) == 0)
			n = 4;
		else if (script_peek(s, 0) == ':')
			n = 1;
		s->pos += n;
	}
	skip_blanks(s);
	return (n > 0 && at_line_end(s)) || script_needs_shell(s, lo, lo + (n > 0 ? 2 : 1));
}

static bool tell_parenthesis(struct script *s)
{
	uint32_t lo = s->pos, hi = s->pos + 1;

	if (s->fields.n == 0 || s->text[s->pos] == ')')
		return script_needs_shell(s, lo, hi);
	while (lo > 0 && strchr(" \t\n;", s->text[lo - 1]) == NULL)
		lo--;
	if (s->text[hi] == ')' || s->fields.n < 2)
		return script_needs_shell(s, lo, hi + (s->text[hi] == ')'));
	while (hi < s->len && strchr(" \t\r\n;", s->text[hi]) == NULL)
		hi++;
	diag_add(s->c->diags, DIAG_E2307, script_span(s, lo, hi),
		 "'(' outside quotes is the shell's");
	diag_help(s->c->diags, "write '%.*s'", (int)MIN(hi - lo, 60u), s->text + lo);
	return false;
}

/* Length of "NAME=" here, or 0 */
static uint32_t assignment_len(const struct script *s)
{
	uint32_t n = 0;

	while (script_is_name(script_peek(s, n), n == 0))
		n++;
	return n > 0 && script_peek(s, n) == '=' ? n + 1 : 0;
}

/**
 * struct simple - A command while it is read
 * @names:	Variables assigned before it
 * @old:	What they held
 * @lo:		Its first byte
 * @hi:		Byte after its last word
 */
struct simple {
	VEC(const char *) names;
	VEC(struct script_var) old;
	uint32_t lo;
	uint32_t hi;
};

/* "NAME=value", whose value the next assignment may use already */
static bool read_assignment(struct script *s, uint32_t n, struct simple *cmd)
{
	const uint32_t n_bytes = s->bytes.n, lo = s->pos + n;
	const char *name = intern_str(s->c->names, s->text + s->pos, n - 1), *value;
	struct span origin = SPAN_NONE;

	if (strcmp(name, "IFS") == 0)
		return script_needs_shell(s, s->pos, lo);
	s->pos += n;
	if (!script_word(s, false))
		return false;
	if (s->bytes.n - n_bytes > LIMIT_VALUE_BYTES) {
		diag_add(s->c->diags, DIAG_E2305, script_span(s, lo - n, s->pos),
			 "the value of '%s' is longer than %u bytes", name,
			 LIMIT_VALUE_BYTES);
		return false;
	}
	value = script_bytes_text(s, n_bytes, s->bytes.n);
	if (s->bytes.n > n_bytes && strlen(value) + 2 == s->pos - lo &&
	    memcmp(value, s->text + lo + 1, strlen(value)) == 0)
		origin = script_span(s, lo + 1, s->pos - 1);
	s->bytes.n = n_bytes;
	vec_add(s->c->a, &cmd->names, name);
	vec_add(s->c->a, &cmd->old, script_set(s, name, value, origin));
	return true;
}

/* A command comes after the assignments: they are its environment, no more */
static void take_back(struct script *s, struct simple *cmd)
{
	while (cmd->names.n > 0) {
		const struct script_var old = cmd->old.v[--cmd->names.n];

		(void)script_set(s, cmd->names.v[cmd->names.n], old.value, old.origin);
	}
	cmd->old.n = 0;
}

/* One word, assignment or redirection of a command */
static bool read_item(struct script *s, struct simple *cmd, bool is_export)
{
	const uint32_t lo = s->pos, n = assignment_len(s);
	const char ch = s->text[lo];

	if (at_redirection(s))
		return read_redirection(s);
	if (ch == '|')
		return read_or_true(s);
	if (ch == '(' || ch == ')')
		return tell_parenthesis(s);
	if (ch == '&')
		return script_needs_shell(s, lo, lo + 1 + (script_peek(s, 1) == '&'));
	if (n > 0 && (s->fields.n == 0 || is_export)) {
		if (!read_assignment(s, n, cmd))
			return false;
	} else {
		if (s->fields.n == 0) {
			const uint32_t len = (uint32_t)strcspn(s->text + lo, " \t\r\n;|&<>()");

			if (is_one_of(s->text + lo, len, reserved))
				return script_needs_shell(s, lo, lo + len);
			take_back(s, cmd);
		}
		if (!script_word(s, true))
			return false;
	}
	cmd->hi = s->pos;
	return true;
}

/* The row of a command's name, with or without its directory; -1: none */
static int command_kind(const char *word)
{
	const char *slash = strrchr(word, '/');

	if (slash != NULL)
		word = slash + 1;
	for (uint32_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i].name, word) == 0)
			return (int)commands[i].kind;
	return -1;
}

static void warn_unset(struct script *s)
{
	for (uint32_t i = 0; i < s->uses.n; i++) {
		const struct script_use *u = &s->uses.v[i];

		if (u->value != NULL)
			continue;
		diag_add(s->c->diags, DIAG_W2303, u->at, "'%s' has no value in this ipfw call",
			 u->name);
		diag_help(s->c->diags, "-D %s=VALUE sets it before the script begins", u->name);
	}
}

static void record_ipfw(struct script *s, const struct simple *cmd, struct ipfw_cmds *ret)
{
	struct ipfw_cmd *to = vec_push(s->c->a, &ret->list);
	uint32_t len = 0, n = 0;
	char *line;

	warn_unset(s);
	to->at = script_span(s, cmd->lo, cmd->hi);
	for (uint32_t i = 1; i < s->fields.n; i++) {
		const struct ipfw_word w = {
			.text = script_field_text(s, s->fields.v[i]),
			.at = script_field_span(s, s->fields.v[i]),
		};

		vec_add(s->c->a, &to->words, w);
		len += (uint32_t)strlen(w.text) + 1;
	}
	line = arena_alloc(s->c->a, len + 1);
	for (uint32_t i = 0; i < to->words.n; i++) {
		const size_t word_len = strlen(to->words.v[i].text);

		if (i > 0)
			line[n++] = ' ';
		memcpy(line + n, to->words.v[i].text, word_len);
		n += (uint32_t)word_len;
	}
	for (uint32_t i = 0; i < n; i++)
		if (line[i] == '\n')
			line[i] = ' ';
	to->line_text = line;
}

/* "sysctl -w a=b c=d"; a name alone is a question that nobody reads */
static void record_sysctl(struct script *s, struct ipfw_cmds *ret)
{
	for (uint32_t i = 1; i < s->fields.n; i++) {
		const char *text = script_field_text(s, s->fields.v[i]);
		const char *eq = strchr(text, '=');

		if (text[0] == '-' || eq == NULL)
			continue;
		vec_add(s->c->a, &ret->sysctls, ((struct ipfw_sysctl){
			.name = intern_str(s->c->names, text, (size_t)(eq - text)),
			.value = eq + 1,
			.at = script_field_span(s, s->fields.v[i]),
		}));
	}
}

/* "set -e" and its like, but not "set a b", which are arguments */
static bool check_set(struct script *s, const struct simple *cmd)
{
	for (uint32_t i = 1; i < s->fields.n; i++) {
		const char *text = script_field_text(s, s->fields.v[i]);

		if ((text[0] != '-' && text[0] != '+') || text[1] == '\0' ||
		    text[1 + strspn(text + 1, "eux")] != '\0')
			return script_needs_shell(s, cmd->lo, cmd->hi);
	}
	return true;
}

static bool no_command(struct script *s, const struct simple *cmd, const char *name)
{
	uint32_t hi = cmd->lo;

	for (uint32_t i = 0; i < s->uses.n; i++) {
		const struct script_use *u = &s->uses.v[i];

		if (u->value != NULL || u->at.lo != cmd->lo)
			continue;
		diag_add(s->c->diags, DIAG_E2306, u->at,
			 "'%s' has no value, and '%.60s' is no command", u->name, name);
		diag_help(s->c->diags, "-D %s=ipfw sets it before the script begins", u->name);
		return false;
	}
	while (hi < cmd->hi && strchr(" \t\r\n;", s->text[hi]) == NULL)
		hi++;
	return script_needs_shell(s, cmd->lo, hi);
}

static void tell_not_done(struct script *s, const struct simple *cmd, const char *name)
{
	diag_add(s->c->diags, DIAG_W2304, script_span(s, cmd->lo, cmd->hi),
		 "'%s' is not carried out", name);
}

static bool read_text(struct script *s, struct ipfw_cmds *ret, bool *ret_end);

/* ". FILE": its commands stand here */
static bool source_file(struct script *s, const struct simple *cmd, struct ipfw_cmds *ret,
			bool *ret_end)
{
	const struct script outer = *s;
	const char *path = s->fields.n > 1 ? script_field_text(s, s->fields.v[1]) : "";
	uint32_t src;
	bool ok;

	if (path[0] == '\0' || ipfw_is_rc_path(path))
		return script_needs_shell(s, cmd->lo, cmd->hi);
	path = ipfw_source_path(s->c, s->src, path, script_field_span(s, s->fields.v[1]));
	if (!lang_read(s->c, path, script_field_span(s, s->fields.v[1]), s->n_files, &src))
		return false;
	s->src = src;
	s->text = source_at(s->c->sources, src)->text;
	s->len = source_at(s->c->sources, src)->len;
	s->pos = 0;
	s->n_files++;
	ok = read_text(s, ret, ret_end);
	s->src = outer.src;
	s->text = outer.text;
	s->len = outer.len;
	s->pos = outer.pos;
	s->n_files = outer.n_files;
	return ok;
}

/* "ipfw -n ...": what is read is tested, and nothing changed */
static bool is_test(struct script *s)
{
	for (uint32_t i = 1; i < s->fields.n; i++) {
		const char *text = script_field_text(s, s->fields.v[i]);

		if (text[0] != '-')
			return false;
		if (strchr(text, 'n') != NULL)
			return true;
	}
	return false;
}

/* "ipfw -q /FILE": its last word is a file of rules */
static bool is_rules_file(struct script *s)
{
	for (uint32_t i = 1; i + 1 < s->fields.n; i++) {
		const char *text = script_field_text(s, s->fields.v[i]);

		if (text[0] != '-' || strchr(text, 'p') != NULL)
			return false;
	}
	return s->fields.n > 1 &&
	       script_field_text(s, s->fields.v[s->fields.n - 1])[0] == '/';
}

/* The rules of a file stand here */
static bool rules_file(struct script *s, struct ipfw_cmds *ret)
{
	const struct script_field f = s->fields.v[s->fields.n - 1];
	const struct span at = script_field_span(s, f);
	const char *path = ipfw_source_path(s->c, s->src, script_field_text(s, f), at);
	uint32_t src;

	return lang_read(s->c, path, at, s->n_files, &src) && ipfw_rules_read(s->c, src, ret);
}

/* Do what a whole command says; *@ret_end: the script ends here */
static bool run_command(struct script *s, const struct simple *cmd, struct ipfw_cmds *ret,
			bool *ret_end)
{
	const char *name = s->fields.n > 0 ? script_field_text(s, s->fields.v[0]) : NULL;
	const int kind = name != NULL ? command_kind(name) : (int)COMMAND_EXPORT;

	if (kind < 0)
		return no_command(s, cmd, name);
	if (kind == COMMAND_IPFW && is_test(s))
		return true;
	if (kind == COMMAND_IPFW && is_rules_file(s))
		return rules_file(s, ret);
	if (kind == COMMAND_IPFW)
		record_ipfw(s, cmd, ret);
	else if (kind == COMMAND_SYSCTL)
		record_sysctl(s, ret);
	else if (kind == COMMAND_TOLD)
		tell_not_done(s, cmd, name);
	else if (kind == COMMAND_SET)
		return check_set(s, cmd);
	else if (kind == COMMAND_SOURCE)
		return source_file(s, cmd, ret, ret_end);
	for (uint32_t i = 1; kind == COMMAND_UNSET && i < s->fields.n; i++)
		(void)script_set(s, script_field_text(s, s->fields.v[i]), NULL, SPAN_NONE);
	*ret_end = kind == COMMAND_EXIT;
	return true;
}

/* Is the command so far "export" or "readonly" */
static bool is_export(struct script *s)
{
	return s->fields.n > 0 &&
	       command_kind(script_field_text(s, s->fields.v[0])) == (int)COMMAND_EXPORT;
}

static bool read_command(struct script *s, struct ipfw_cmds *ret, bool *ret_end)
{
	struct simple cmd = { .lo = s->pos, .hi = s->pos };
	bool export = false;

	script_command_start(s);
	for (skip_blanks(s); !at_line_end(s); skip_blanks(s)) {
		if (!read_item(s, &cmd, export))
			return false;
		export = export || (s->fields.n == 1 && is_export(s));
	}
	return run_command(s, &cmd, ret, ret_end);
}

/* The commands of the text from s->pos on */
static bool read_text(struct script *s, struct ipfw_cmds *ret, bool *ret_end)
{
	while (s->pos < s->len && !*ret_end) {
		const int ch = script_peek(s, 0);

		if (ch == '#')
			while (s->pos < s->len && s->text[s->pos] != '\n')
				s->pos++;
		else if (ch == ';' && script_peek(s, 1) == ';')
			return script_needs_shell(s, s->pos, s->pos + 2);
		else if (strchr(" \t\r\n;", ch) != NULL)
			s->pos++;
		else if (script_join_len(s) > 0)
			s->pos += script_join_len(s);
		else if (!read_command(s, ret, ret_end))
			return false;
	}
	return true;
}

bool ipfw_script_read(struct lang_ctx *c, uint32_t src, struct ipfw_cmds *ret)
{
	struct script s;
	bool end = false;

	if (!lang_check_text(c, src))
		return false;
	script_init(&s, c, src);
	return read_text(&s, ret, &end);
}
