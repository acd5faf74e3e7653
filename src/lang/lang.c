/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/lang.h"

#include <glob.h>
#include <string.h>

#include "base/limits.h"

const char *lang_define_find(const struct lang_ctx *c, const char *name, size_t len)
{
	/* The last of several counts, as it does in a shell */
	for (uint32_t i = c->n_defines; i-- > 0; ) {
		const char *have = c->defines[i].name;

		if (strncmp(have, name, len) == 0 && have[len] == '\0')
			return c->defines[i].value;
	}
	return NULL;
}

bool lang_check_text(struct lang_ctx *c, uint32_t src)
{
	const struct source *s = source_at(c->sources, src);
	const char *nul = memchr(s->text, '\0', s->len);
	uint32_t at;

	if (nul == NULL)
		return true;
	at = (uint32_t)(nul - s->text);
	diag_add(c->diags, DIAG_E1003, (struct span){ src, at, at + 1 },
		 "a NUL byte, so this is not a text file");
	return false;
}

const char *lang_path(struct lang_ctx *c, uint32_t src, const char *path)
{
	const struct source *s;
	const char *slash;

	if (path[0] == '/')
		return path;
	while (source_at(c->sources, src)->used_at.src != 0)
		src = source_at(c->sources, src)->used_at.src;
	s = source_at(c->sources, src);
	if (s->dir != NULL)
		return s->dir[0] == '\0' ? path : arena_printf(c->a, "%s/%s", s->dir, path);
	slash = strrchr(s->name, '/');
	if (slash == NULL)
		return path;
	return arena_printf(c->a, "%.*s/%s", (int)(slash - s->name), s->name, path);
}

bool lang_read(struct lang_ctx *c, const char *path, struct span at, uint32_t depth,
	       uint32_t *ret_src)
{
	uint32_t src = 0;
	int err;

	if (depth >= LIMIT_INCLUDE_DEPTH) {
		diag_add(c->diags, DIAG_E1005, at, "includes are nested more than %u deep",
			 LIMIT_INCLUDE_DEPTH);
		diag_help(c->diags, "does '%s' include itself?", path);
		return false;
	}
	if (c->sources->list.n > LIMIT_SOURCES) {
		diag_add(c->diags, DIAG_E1005, at, "more than %u files and macros", LIMIT_SOURCES);
		return false;
	}
	err = c->loader != NULL ? c->loader->read(c->loader->arg, c->sources, path, &src)
				: sources_read(c->sources, path, &src);
	if (err == -EFBIG)
		diag_add(c->diags, DIAG_E1002, at, "'%s' is larger than %u bytes", path,
			 LIMIT_FILE_BYTES);
	else if (err < 0)
		diag_add(c->diags, DIAG_E1001, at, "cannot read '%s': %s", path, strerror(-err));
	if (err < 0 || !lang_check_text(c, src))
		return false;
	if (c->tmp != NULL)	/* it may take more memory, and so may its tree */
		c->tmp->cap_bytes = MAX(c->tmp->cap_bytes, c->a->cap_bytes);
	*ret_src = src;
	return true;
}

/* A directory that is not there holds no files; one that cannot be read is an error */
static int glob_failed(const char *path, int err)
{
	(void)path;
	return err != ENOENT && err != ENOTDIR;
}

/* The file system's glob(3); its memory is not the arena's, so copy and free */
static int system_glob(struct arena *a, const char *pattern, struct lang_paths *out)
{
	glob_t g;
	int err = glob(pattern, 0, glob_failed, &g);

	if (err == GLOB_NOMATCH)
		return 0;
	if (err != 0)
		return err == GLOB_NOSPACE ? -ENOMEM : -EACCES;
	for (size_t i = 0; i < g.gl_pathc; i++)
		vec_add(a, &out->list, arena_strndup(a, g.gl_pathv[i], strlen(g.gl_pathv[i])));
	globfree(&g);
	return 0;
}

bool lang_glob(struct lang_ctx *c, const char *pattern, struct span at, struct lang_paths *out)
{
	const int err = c->loader != NULL
		? c->loader->glob(c->loader->arg, c->a, pattern, out)
		: system_glob(c->a, pattern, out);

	if (err < 0)
		diag_add(c->diags, DIAG_E1001, at, "cannot look for '%s': %s", pattern,
			 strerror(-err));
	return err == 0;
}
