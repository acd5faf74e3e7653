/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Files that a script sources.  On FreeBSD they have absolute paths; here the
 * script may be a copy, in a directory with copies of them.  So a file that is
 * not at its own path is looked for beside the script, and that is told.
 */
#include <string.h>
#include <unistd.h>

#include "lang/ipfw/script.h"

bool ipfw_is_rc_path(const char *path)
{
	static const char *const stubs[] = {
		"/etc/rc.conf", "/etc/rc.subr", "/etc/network.subr", "/etc/defaults/rc.conf",
	};

	for (size_t i = 0; i < ARRAY_SIZE(stubs); i++)
		if (strcmp(stubs[i], path) == 0)
			return true;
	return false;
}

static bool is_there(const struct lang_ctx *c, const char *path)
{
	return c->loader != NULL || access(path, R_OK) == 0;
}

const char *ipfw_source_path(struct lang_ctx *c, uint32_t src, const char *path, struct span at)
{
	const char *beside = lang_path(c, src, path);

	if (is_there(c, beside))
		return beside;
	if (path[0] != '/')
		return path;
	beside = lang_path(c, src, strrchr(path, '/') + 1);
	if (!is_there(c, beside))
		return path;
	diag_add(c->diags, DIAG_N2308, at, "'%s' is not there: taken is %s, beside the script",
		 path, beside);
	return beside;
}

/* Does a line, from the word behind "." on, name a file of this name */
static bool names_file(const char *text, size_t len, const char *base)
{
	const size_t n = strlen(base);
	const char *at = text, *end = text + len;

	while ((at = memmem(at, (size_t)(end - at), base, n)) != NULL) {
		if ((at == text || strchr("/\"' \t}", at[-1]) != NULL) &&
		    (at + n == end || strchr("\"' \t\r;)&|", at[n]) != NULL))
			return true;
		at++;
	}
	return false;
}

/* Length of ". " or "source " here, where a command may begin, or 0 */
static size_t source_word(const char *text, size_t i, size_t len)
{
	size_t n = 0;

	if (i > 0 && strchr(" \t;&|{(", text[i - 1]) == NULL)
		return 0;
	if (len - i > 2 && text[i] == '.')
		n = 1;
	else if (len - i > 7 && memcmp(text + i, "source", 6) == 0)
		n = 6;
	return n > 0 && (text[i + n] == ' ' || text[i + n] == '\t') ? n + 1 : 0;
}

bool ipfw_script_sources(const struct source *s, const char *base)
{
	for (uint32_t lo = 0; lo < s->len; lo++) {
		const char *line = s->text + lo;
		const size_t len = strcspn(line, "\n#");

		for (size_t i = 0; i < len; i++) {
			const size_t n = source_word(line, i, len);

			if (n > 0 && names_file(line + i + n, len - i - n, base))
				return true;
		}
		lo += (uint32_t)strcspn(line, "\n");
	}
	return false;
}

bool ipfw_script_names(const struct source *s, const char *base)
{
	for (uint32_t lo = 0; lo < s->len; lo++) {
		const char *at = s->text + lo, *end = at + strcspn(at, "\n#");

		for (; at < end && (at = memchr(at, '/', (size_t)(end - at))) != NULL; at++)
			if (names_file(at + 1, strcspn(at + 1, " \t\n\r;)&|/"), base))
				return true;
		lo += (uint32_t)strcspn(s->text + lo, "\n");
	}
	return false;
}
