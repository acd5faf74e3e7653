/* SPDX-License-Identifier: BSD-2-Clause */
#include "host/sandbox_trace.h"

#include <string.h>

#include "host/sandbox_jail.h"

/* What the shell does by itself */
static const char *const builtins[] = {
	".", ":", "[", "[[", "alias", "bg", "break", "cd", "chdir", "command", "continue",
	"echo", "eval", "exec", "exit", "export", "false", "fg", "getopts", "hash", "help",
	"jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly", "return", "set",
	"shift", "source", "test", "times", "trap", "true", "type", "ulimit", "umask",
	"unalias", "unset", "wait", NULL
};

static bool is_one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

static bool is_name_byte(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
	       (ch >= '0' && ch <= '9');
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* Does a text define a function @name: "name ()" or "function name" */
static bool defines(const char *text, size_t len, const char *name)
{
	const size_t n = strlen(name);
	const char *end = text + len, *at = text;

	while ((at = memmem(at, (size_t)(end - at), name, n)) != NULL) {
		const char *after = at + n;

		while (after < end && (*after == ' ' || *after == '\t'))
			after++;
		if ((at == text || !is_name_byte(at[-1])) &&
		    ((after < end && *after == '(') ||
		     (at - text >= 9 && memcmp(at - 9, "function ", 9) == 0)))
			return true;
		at++;
	}
	return false;
}

/* Not so a second shell, whose commands would have no line */
static bool is_known(const struct trace *t, const char *name)
{
	const struct sandbox_script *s = t->script;

	if (is_one_of(name, builtins) || is_one_of(name, sandbox_tools()) ||
	    is_one_of(name, s->commands) || defines(s->text, s->len, name))
		return true;
	for (uint32_t i = 0; i < s->n_files; i++)
		if (defines(s->files[i].text, strlen(s->files[i].text), name))
			return true;
	return false;
}

/* Copy the next word of a trace line, its quotes removed; false: there is none */
static bool next_word(const char **pos, const char *end, char *out, size_t size)
{
	const char *p = *pos;
	char quote = 0;
	size_t n = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return false;
	for (; p < end && (quote != 0 || *p != ' '); p++) {
		if (quote == 0 && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == quote)
			quote = 0;
		else if (n + 1 < size)
			out[n++] = *p;
	}
	out[n] = '\0';
	*pos = p;
	return true;
}

static bool is_assignment(const char *word)
{
	const char *p = word;

	while (is_name_byte(*p))
		p++;
	return p > word && *p == '=' && !(word[0] >= '0' && word[0] <= '9');
}

/* The command that a trace line is about; false: only assignments */
static bool command_of(const char *text, const char *end, char *name, size_t size)
{
	const char *base;

	do {
		if (!next_word(&text, end, name, size))
			return false;
	} while (is_assignment(name));
	/* These run what comes next; "command -v" only asks */
	while (strcmp(name, "command") == 0 || strcmp(name, "exec") == 0)
		if (!next_word(&text, end, name, size) || name[0] == '-')
			return false;
	base = base_name(name);
	memmove(name, base, strlen(base) + 1);
	return name[0] != '\0';
}

/* The quote that is still open after @text, which begins within @quote */
static char open_quote(char quote, const char *text, const char *end)
{
	for (; text < end; text++) {
		if (quote == 0 && (*text == '\'' || *text == '"'))
			quote = *text;
		else if (*text == quote)
			quote = 0;
	}
	return quote;
}

static void command_line(struct trace *t, struct trace_writer *w, const char *text,
			 const char *end)
{
	struct trace_entry *e;
	char name[4096] = "";
	uint32_t line = 0;

	while (text < end && *text >= '0' && *text <= '9' && line < 100000000)
		line = line * 10 + (uint32_t)(*text++ - '0');
	if (text < end)
		text++;
	w->quote = open_quote(0, text, end);
	/* The launcher's own */
	if ((size_t)(end - text) == sizeof(". " SANDBOX_SCRIPT) - 1 &&
	    memcmp(text, ". " SANDBOX_SCRIPT, (size_t)(end - text)) == 0)
		return;
	t->line = line;
	if (!command_of(text, end, name, sizeof(name)))
		return;
	if (!is_known(t, name))
		t->ops->refused(t->arg, name, line);
	e = &t->ring[t->n++ % TRACE_RING];
	*e = (struct trace_entry){ .line = line };
	memcpy(e->name, name, MIN(strlen(name), sizeof(e->name) - 1));
}

/* A message of the shell names its line, "/run/script: line 7: x: not found" */
static const char said_by_shell[] = SANDBOX_SCRIPT ": line ";

static void said_line(struct trace *t, const char *begin, const char *end)
{
	static const char missing[] = ": not found";
	const size_t from_len = strlen(said_by_shell);
	const char *text = memmem(begin, (size_t)(end - begin), said_by_shell, from_len);
	const size_t n_missing = sizeof(missing) - 1;
	char name[TRACE_NAME_BYTES];
	uint32_t line = 0;

	if (text == NULL) {
		t->ops->said(t->arg, begin, (size_t)(end - begin), t->line);
		return;
	}
	text += from_len;
	while (text < end && *text >= '0' && *text <= '9' && line < 100000000)
		line = line * 10 + (uint32_t)(*text++ - '0');
	while (text < end && (*text == ':' || *text == ' '))
		text++;
	if ((size_t)(end - text) > n_missing &&
	    memcmp(end - n_missing, missing, n_missing) == 0) {
		snprintf(name, sizeof(name), "%.*s", (int)(end - text - (ptrdiff_t)n_missing),
			 text);
		t->ops->refused(t->arg, base_name(name), line);
	} else {
		t->ops->said(t->arg, text, (size_t)(end - text), line);
	}
}

static void whole_line(struct trace *t, struct trace_writer *w)
{
	const char *end = w->buf + w->len;
	const char *mark;

	if (w->quote != 0) {
		w->quote = open_quote(w->quote, w->buf, end);
		return;
	}
	mark = memmem(w->buf, w->len, t->mark, strlen(t->mark));
	/* A message that has no line end may stand before it */
	if (mark != w->buf && w->len > 0)
		said_line(t, w->buf, mark != NULL ? mark : end);
	if (mark != NULL)
		command_line(t, w, mark + strlen(t->mark), end);
}

static void end_line(struct trace *t, struct trace_writer *w)
{
	whole_line(t, w);
	w->len = 0;
}

/* The line that @pid writes; the one that nobody went on with for longest gives way */
static struct trace_writer *writer_of(struct trace *t, pid_t pid)
{
	struct trace_writer *oldest = &t->writers[0];

	t->n_fed++;
	for (uint32_t i = 0; i < TRACE_WRITERS; i++) {
		struct trace_writer *w = &t->writers[i];

		if (w->pid == pid) {
			w->used = t->n_fed;
			return w;
		}
		if (w->used < oldest->used)
			oldest = w;
	}
	if (oldest->len > 0)
		end_line(t, oldest);
	oldest->pid = pid;
	oldest->quote = 0;
	oldest->used = t->n_fed;
	return oldest;
}

void trace_feed(struct trace *t, pid_t pid, const char *bytes, size_t n)
{
	struct trace_writer *w = writer_of(t, pid);

	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			end_line(t, w);
		else if (w->len < sizeof(w->buf))
			w->buf[w->len++] = bytes[i];
	}
}

void trace_end(struct trace *t)
{
	for (uint32_t i = 0; i < TRACE_WRITERS; i++)
		if (t->writers[i].len > 0)
			end_line(t, &t->writers[i]);
}

/* Does @line stand in the function @name, from its "name ()" to the brace that ends it */
static bool is_within(const struct trace *t, const char *name, uint32_t line)
{
	const char *text = t->script->text, *end = text + t->script->len;
	uint32_t first = 1, last;

	for (const char *at = text; at < end; first++) {
		const size_t len = strcspn(at, "\n");
		int depth = 0;

		last = first;
		if (defines(at, len, name)) {
			for (const char *p = at; p < end; p++) {
				depth += (*p == '{') - (*p == '}');
				last += *p == '\n';
				if (*p == '}' && depth == 0)
					break;
			}
			if (line >= first && line <= last)
				return true;
		}
		at += len + 1;
	}
	return false;
}

uint32_t trace_callers(const struct trace *t, uint32_t line, uint32_t *ret, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = t->n; i > 0 && t->n - i < TRACE_RING && n < max; i--) {
		const struct trace_entry *e = &t->ring[(i - 1) % TRACE_RING];

		if (is_one_of(e->name, t->script->commands) || is_one_of(e->name, builtins) ||
		    e->line == line || !is_within(t, e->name, line))
			continue;
		line = ret[n++] = e->line;
	}
	return n;
}

uint32_t trace_take(struct trace *t, const char *name)
{
	for (uint32_t i = t->n; i > 0 && t->n - i < TRACE_RING; i--) {
		struct trace_entry *e = &t->ring[(i - 1) % TRACE_RING];

		if (!e->is_taken && strncmp(e->name, name, sizeof(e->name) - 1) == 0) {
			e->is_taken = true;
			return e->line;
		}
	}
	return t->line;
}
