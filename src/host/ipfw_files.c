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
