/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Which files a script reads is known only when it runs, and then it is too
 * late to bring them.  So every file beside it whose name stands somewhere in
 * its text, or in that of a file so found, is laid in the sandbox, where the
 * script may look for it: in its current directory, which is "/", in its own,
 * and at each absolute path of that name in the text (where FreeBSD has it).
 *
 * Names, because the directory may be /etc.  Root shows the script no file that
 * not everybody may read.
 *
 * The shell counts the lines of a sourced file from 1, as those of the script.
 * To tell them apart such a file is given as many empty lines at its beginning
 * as the texts before it have lines.
 */
#include "host/ipfw_files.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

#define BACKQUOTE_LINES	8u	/* how far a line may be behind the one that the shell tells */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* "DIR/" of a path, or "" */
static const char *dir_of(struct arena *a, const char *path)
{
	return arena_strndup(a, path, (size_t)(base_of(path) - path));
}

static bool is_path_byte(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
	       (ch != '\0' && strchr("._-+/", ch) != NULL);
}

/* The next place where a name stands by itself or ends a path; NULL: none */
static const char *next_name(const char *text, const char *from, const char *base)
{
	const size_t n = strlen(base);

	while ((from = strstr(from, base)) != NULL) {
		if ((from == text || from[-1] == '/' || !is_path_byte(from[-1])) &&
		    (!is_path_byte(from[n]) || (from[n] == '.' && !is_path_byte(from[n + 1]))))
			return from;
		from++;
	}
	return NULL;
}

static bool is_named(const struct ipfw_exec *x, const struct ipfw_files *f, const char *base)
{
	for (uint32_t i = 0; i < f->list.n; i++) {
		const char *text = source_at(x->c->sources, f->list.v[i].src)->text;

		if (next_name(text, text, base) != NULL)
			return true;
	}
	return false;
}

static bool has(const struct ipfw_files *f, const char *base)
{
	for (uint32_t i = 0; i < f->list.n; i++)
		if (strcmp(f->list.v[i].base, base) == 0)
			return true;
	return false;
}

static void add(const struct ipfw_exec *x, struct ipfw_files *f, uint32_t src, const char *base)
{
	const struct source *s = source_at(x->c->sources, src);
	struct ipfw_file file = { .src = src, .base = base };

	vec_add(x->c->a, &file.lines, 0);
	for (uint32_t i = 0; i < s->len; i++)
		if (s->text[i] == '\n')
			vec_add(x->c->a, &file.lines, i + 1);
	vec_add(x->c->a, &f->list, file);
}

static bool may_show(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (geteuid() != 0 || (st.st_mode & S_IROTH) != 0);
}

/* The named files of a directory ("DIR/" or "") */
static void find_in(const struct ipfw_exec *x, struct ipfw_files *f, const char *dir)
{
	struct dirent **list = NULL;
	const int n = scandir(dir[0] != '\0' ? dir : ".", &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		const char *path = arena_printf(x->c->a, "%s%s", dir, name);
		uint32_t src;

		if (f->list.n < IPFW_FILES_MAX && !has(f, name) && is_named(x, f, name) &&
		    may_show(path) && sources_read(x->c->sources, path, &src) == 0 &&
		    memchr(source_at(x->c->sources, src)->text, '\0',
			   source_at(x->c->sources, src)->len) == NULL)
			add(x, f, src, arena_strndup(x->c->a, name, strlen(name)));
		free(list[i]);
	}
	free(list);
}

static bool is_sourced(const struct ipfw_exec *x, const struct ipfw_files *f, const char *base)
{
	for (uint32_t i = 0; i < f->list.n; i++)
		if (ipfw_script_sources(source_at(x->c->sources, f->list.v[i].src), base))
			return true;
	return false;
}

void ipfw_files_find(const struct ipfw_exec *x, struct ipfw_files *ret)
{
	const char *name = source_at(x->c->sources, x->src)->name;
	const char *dir = dir_of(x->c->a, name);
	uint32_t line = 1, before;

	*ret = (struct ipfw_files){ .list = { .n = 0 } };
	add(x, ret, x->src, base_of(name));
	for (uint32_t i = 0; i < x->n_given; i++)
		if (x->given[i] != x->src)
			add(x, ret, x->given[i],
			    base_of(source_at(x->c->sources, x->given[i])->name));
	/* What a file names may name more */
	do {
		before = ret->list.n;
		find_in(x, ret, dir);
		if (dir[0] != '\0')
			find_in(x, ret, "");
	} while (ret->list.n > before);
	for (uint32_t i = 0; i < ret->list.n; i++) {
		struct ipfw_file *f = &ret->list.v[i];

		f->is_sourced = i == 0 || is_sourced(x, ret, f->base);
		f->first_line = f->is_sourced ? line : 0;
		line += f->is_sourced ? f->lines.n : 0;
	}
}

const struct ipfw_file *ipfw_files_at(const struct ipfw_files *f, uint32_t line)
{
	for (uint32_t i = 0; i < f->list.n; i++)
		if (f->list.v[i].is_sourced && line >= f->list.v[i].first_line &&
		    line - f->list.v[i].first_line < f->list.v[i].lines.n)
			return &f->list.v[i];
	return &f->list.v[0];
}

/* ---- paths ------------------------------------------------------------------ */

/* Directories that the sandbox has, and files that it brings itself */
static bool is_taken(const char *path)
{
	static const char *const dirs[] = {
		"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
		"/dev", "/lib", "/lib64", "/proc", "/run", "/usr/lib",
	};
	static const char *const files[] = {
		"/etc", "/tmp", "/usr", "/usr/local", "/var", "/etc/rc.subr", "/etc/network.subr",
		"/etc/rc.conf", "/etc/defaults", "/etc/defaults/rc.conf",
	};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		const size_t n = strlen(dirs[i]);

		if (strncmp(dirs[i], path, n) == 0 && (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strcmp(files[i], path) == 0)
			return true;
	return false;
}

/* Without "." and empty parts; NULL: it leads upwards */
static const char *plain_path(struct arena *a, const char *path)
{
	const char *out = "";

	while (*path != '\0') {
		const size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return NULL;
		if (n > 0 && !(n == 1 && path[0] == '.'))
			out = arena_printf(a, "%s/%.*s", out, (int)n, path);
		path += n + (path[n] == '/');
	}
	return out;
}

/* Is one path a directory of the other */
static bool is_within(const char *x, const char *y)
{
	const size_t n = strlen(x);

	return strncmp(x, y, n) == 0 && (y[n] == '/' || y[n] == '\0');
}

static void add_path(struct arena *a, struct ipfw_paths *p, const char *path, const char *text)
{
	path = plain_path(a, path);
	if (path == NULL || path[0] == '\0' || is_taken(path))
		return;
	for (uint32_t i = 0; i < p->list.n; i++)
		if (is_within(p->list.v[i].path, path) || is_within(path, p->list.v[i].path))
			return;
	vec_add(a, &p->list, ((struct sandbox_file){ path, text }));
}

/* The absolute paths of this name in a text */
static void add_written(struct arena *a, struct ipfw_paths *p, const char *in, const char *base,
			const char *text)
{
	for (const char *at = in; (at = next_name(in, at, base)) != NULL; at++) {
		const char *lo = at;

		while (lo > in && is_path_byte(lo[-1]))
			lo--;
		if (*lo == '/' && lo != at)
			add_path(a, p, arena_strndup(a, lo, (size_t)(at - lo) + strlen(base)),
				 text);
	}
}

void ipfw_files_paths(const struct ipfw_exec *x, const struct ipfw_files *f, uint32_t i,
		      const char *text, struct ipfw_paths *ret)
{
	struct arena *a = x->c->a;
	const char *script = source_at(x->c->sources, x->src)->name;
	const char *name = source_at(x->c->sources, f->list.v[i].src)->name;
	const char *base = f->list.v[i].base;
	char real[PATH_MAX];

	add_path(a, ret, base, text);
	add_path(a, ret, arena_printf(a, "%s%s", dir_of(a, script), base), text);
	add_path(a, ret, name, text);
	if (realpath(name, real) != NULL)
		add_path(a, ret, real, text);
	for (uint32_t k = 0; k < f->list.n; k++)
		add_written(a, ret, source_at(x->c->sources, f->list.v[k].src)->text, base, text);
}

/* ---- places ---------------------------------------------------------------- */

struct span ipfw_files_line(const struct ipfw_exec *x, const struct ipfw_files *files,
			    uint32_t line)
{
	const struct ipfw_file *f = ipfw_files_at(files, line);
	const struct source *s = source_at(x->c->sources, f->src);
	uint32_t lo, hi;

	if (line < f->first_line || line - f->first_line >= f->lines.n)
		return (struct span){ f->src, 0, 0 };
	lo = f->lines.v[line - f->first_line];
	hi = lo + (uint32_t)strcspn(s->text + lo, "\n");
	while (hi < s->len && hi > lo && s->text[hi - 1] == '\\')
		hi += 1 + (uint32_t)strcspn(s->text + hi + 1, "\n");
	while (lo < hi && strchr(" \t", s->text[lo]) != NULL)
		lo++;
	while (hi > lo && strchr(" \t\r", s->text[hi - 1]) != NULL)
		hi--;
	return (struct span){ f->src, lo, hi };
}

/* How many of a call's words stand in a line */
static uint32_t n_words_in(const struct ipfw_exec *x, struct span line,
			   const struct sandbox_call *call)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < call->n; i++)
		n += memmem(source_at(x->c->sources, line.src)->text + line.lo, line.hi - line.lo,
			    call->argv[i], strlen(call->argv[i])) != NULL;
	return n;
}

uint32_t ipfw_files_true_line(const struct ipfw_exec *x, const struct ipfw_files *f,
			      const struct sandbox_call *call)
{
	uint32_t line = call->line;
	uint32_t most = n_words_in(x, ipfw_files_line(x, f, line), call);

	for (uint32_t i = call->line + 1; i <= call->line + BACKQUOTE_LINES; i++) {
		const struct span at = ipfw_files_line(x, f, i);
		const char *text = source_at(x->c->sources, at.src)->text;

		if (memchr(text + at.lo, '`', at.hi - at.lo) == NULL ||
		    n_words_in(x, at, call) <= most)
			continue;
		most = n_words_in(x, at, call);
		line = i;
	}
	return line;
}

bool ipfw_files_word(const struct ipfw_exec *x, struct span in, uint32_t *from, const char *word,
		     struct span *ret)
{
	const char *text = source_at(x->c->sources, in.src)->text;
	const uint32_t len = (uint32_t)strlen(word);
	uint32_t at = MAX(*from, in.lo);

	while (len > 0 && at <= in.hi && in.hi - at >= len) {
		const char *found = memmem(text + at, in.hi - at, word, len);
		uint32_t lo;

		if (found == NULL)
			return false;
		lo = (uint32_t)(found - text);
		if ((lo == in.lo || strchr(" \t\"'\n", text[lo - 1]) != NULL) &&
		    (lo + len == in.hi || strchr(" \t\"'\n\r;\\)", text[lo + len]) != NULL)) {
			*ret = (struct span){ in.src, lo, lo + len };
			*from = lo + len;
			return true;
		}
		at = lo + 1;
	}
	return false;
}

/* ---- calls that read a file of rules ---------------------------------------- */

/* The first line of the here-document of a call, in its file; UINT32_MAX: it has none */
static uint32_t here_document(const struct ipfw_exec *x, struct span call)
{
	const char *text = source_at(x->c->sources, call.src)->text;

	if (call.hi == call.lo || memmem(text + call.lo, call.hi - call.lo, "<<", 2) == NULL)
		return UINT32_MAX;
	return call.hi + (uint32_t)strcspn(text + call.hi, "\n") + 1;
}

/* Let a command stand in @line of the script; what is not there is the command as it was run */
static void place_command(const struct ipfw_exec *x, struct ipfw_cmd *cmd, struct span line)
{
	const uint32_t was = cmd->at.lo;
	uint32_t from = line.lo, src = 0;

	cmd->at = line;
	for (uint32_t i = 0; i < cmd->words.n; i++) {
		struct ipfw_word *w = &cmd->words.v[i];

		if (ipfw_files_word(x, line, &from, w->text, &w->at))
			continue;
		if (src == 0 && x->c->sources->list.n < LIMIT_SOURCES / 2)
			src = sources_add(x->c->sources, "ipfw command", cmd->line_text,
					  (uint32_t)strlen(cmd->line_text), line);
		if (src != 0)
			w->at = (struct span){ src, w->at.lo - was, w->at.hi - was };
	}
}

/* Let commands that were read from @src stand in the here-document from @lo on */
static void place_commands(const struct ipfw_exec *x, struct ipfw_cmds *cmds, uint32_t src,
			   struct span call, uint32_t lo)
{
	const char *rules = source_at(x->c->sources, src)->text;
	const struct source *script = source_at(x->c->sources, call.src);
	uint32_t at = 0;

	for (uint32_t i = 0; i < cmds->list.n; i++) {
		struct ipfw_cmd *cmd = &cmds->list.v[i];

		for (; at < cmd->at.lo; at++)
			if (rules[at] == '\n' && lo < script->len)
				lo += (uint32_t)strcspn(script->text + lo, "\n") + 1;
		if (lo < script->len)
			place_command(x, cmd, (struct span){ call.src, lo, lo +
				      (uint32_t)strcspn(script->text + lo, "\n") });
	}
}

/* The file that the sandbox was given under this name, with this text; or NULL */
static const struct ipfw_file *given_file(const struct ipfw_exec *x, const struct ipfw_files *f,
					  const char *path, const char *text)
{
	for (uint32_t i = 0; i < f->list.n; i++)
		if (strcmp(f->list.v[i].base, base_of(path)) == 0 &&
		    strncmp(source_at(x->c->sources, f->list.v[i].src)->text, text,
			    source_at(x->c->sources, f->list.v[i].src)->len) == 0)
			return &f->list.v[i];
	return NULL;
}

bool ipfw_files_document(const struct ipfw_exec *x, struct span call, const char *text,
			 struct span *ret)
{
	const struct source *s = source_at(x->c->sources, call.src);
	const uint32_t lo = here_document(x, call);
	uint32_t hi = lo;

	if (lo >= s->len)
		return false;
	for (; *text != '\0' && hi < s->len; text++)
		if (*text == '\n')
			hi += (uint32_t)strcspn(s->text + hi, "\n") + 1;
	*ret = (struct span){ call.src, lo, MIN(hi, s->len) };
	return true;
}

bool ipfw_files_is_path(const struct sandbox_call *call)
{
	for (uint32_t i = 1; i + 1 < call->n; i++)
		if (call->argv[i][0] != '-' || strpbrk(call->argv[i], "np") != NULL)
			return false;
	return call->n > 1 && call->argv[call->n - 1][0] == '/';
}

bool ipfw_files_rules(const struct ipfw_exec *x, const struct ipfw_files *f,
		      const struct sandbox_call *call, struct ipfw_cmds *ret)
{
	const struct span at = ipfw_files_line(x, f, call->line);
	const char *path = call->argv[call->n - 1];
	const struct ipfw_file *given;
	uint32_t src, lo;

	if (!ipfw_files_is_path(call) || call->file == NULL ||
	    x->c->sources->list.n >= LIMIT_SOURCES / 2)
		return false;
	given = given_file(x, f, path, call->file);
	if (given != NULL)
		return ipfw_rules_read(x->c, given->src, ret);
	src = sources_add(x->c->sources, arena_strndup(x->c->a, path, strlen(path)),
			  arena_strndup(x->c->a, call->file, strlen(call->file)),
			  (uint32_t)strlen(call->file), at);
	if (!ipfw_rules_read(x->c, src, ret))
		return false;
	lo = here_document(x, at);
	if (lo != UINT32_MAX)
		place_commands(x, ret, src, at, lo);
	return true;
}
