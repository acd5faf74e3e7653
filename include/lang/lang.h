/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lang - what every language's parser shares
 *
 * The context of one compile, the definitions of the command line, and files
 * that include files.
 *
 * Owns:	 nothing; everything lives in the arena.
 * Does not:	 know any language.
 * Threads:	 none.
 */
#ifndef LANG_LANG_H
#define LANG_LANG_H

#include "base/intern.h"
#include "diag/diag.h"
#include "net/addr.h"

/**
 * struct lang_define - A variable from outside, -D NAME=VALUE
 * @name:	Without "$"; C string
 * @value:	C string
 *
 * It stands before the first line of each file's variables, and the file's
 * own assignment of the same name does not change it.
 */
struct lang_define {
	const char *name;
	const char *value;
};

/**
 * struct lang_paths - Paths, for lang_glob()
 */
struct lang_paths {
	VEC(const char *) list;
};

/**
 * struct lang_loader - How included files are found and read
 * @read:	As sources_read(), "-" excluded
 * @glob:	Adds the existing paths that match a pattern, sorted; 0 or a
 *		negative errno; none is no error
 * @arg:	For both
 *
 * Tests and fuzzers bring their own; a NULL loader is the file system.
 */
struct lang_loader {
	int (*read)(void *arg, struct sources *s, const char *path, uint32_t *ret_src);
	int (*glob)(void *arg, struct arena *a, const char *pattern, struct lang_paths *out);
	void *arg;
};

/**
 * struct lang_ctx - The context of one compile
 * @a:		Memory of everything parsed
 * @tmp:	Memory of trees that are freed once they are lowered; NULL: @a
 * @names:	Interned names
 * @sources:	Texts
 * @diags:	Where errors go
 * @defines:	Variables from outside
 * @n_defines:	How many
 * @presets:	Variables that a script begins with and may change
 * @n_presets:	How many
 * @loader:	How included files are read, or NULL for the file system
 * @resolve:	Looks up the addresses of a host, at most as many as its third
 *		argument says; how many there are.  NULL: no host is known
 */
struct lang_ctx {
	struct arena *a;
	struct arena *tmp;
	struct intern *names;
	struct sources *sources;
	struct diags *diags;
	const struct lang_define *defines;
	uint32_t n_defines;
	const struct lang_define *presets;
	uint32_t n_presets;
	const struct lang_loader *loader;
	uint32_t (*resolve)(const char *name, struct addr *ret, uint32_t max);
};

/** lang_tree() - Where trees are */
static inline struct arena *lang_tree(const struct lang_ctx *c)
{
	return c->tmp != NULL ? c->tmp : c->a;
}

/** lang_define_find() - The value of -D @name, or NULL */
const char *lang_define_find(const struct lang_ctx *c, const char *name, size_t len);

/**
 * lang_check_text() - Is a source text at all
 * @c:		Context
 * @src:	Source
 *
 * Return: true; false with E1003 told at the first NUL byte
 */
MUST_USE bool lang_check_text(struct lang_ctx *c, uint32_t src);

/**
 * lang_path() - A path as an including file means it
 * @c:		Context
 * @src:	The including source, or a macro used in it
 * @path:	As written
 *
 * Return: @path if it is absolute, else beside the including file
 */
const char *lang_path(struct lang_ctx *c, uint32_t src, const char *path);

/**
 * lang_read() - Read an included file
 * @c:		Context
 * @path:	From lang_path() or lang_glob()
 * @at:		The word that names it
 * @depth:	Includes around it: 0 for one named in a file of the command
 *		line
 * @ret_src:	Set on success; a text (lang_check_text())
 *
 * Return: true; false with the reason told at @at (E1001, E1002, E1003, or
 * E1005 when @depth reaches LIMIT_INCLUDE_DEPTH or sources LIMIT_SOURCES)
 */
MUST_USE bool lang_read(struct lang_ctx *c, const char *path, struct span at, uint32_t depth,
			uint32_t *ret_src);

/**
 * lang_glob() - The files that a pattern names, sorted
 * @c:		Context
 * @pattern:	Shell pattern, from lang_path()
 * @at:		The word that holds it
 * @out:	Paths are added
 *
 * Return: true; false with E1001 told (a directory cannot be read)
 */
MUST_USE bool lang_glob(struct lang_ctx *c, const char *pattern, struct span at,
			struct lang_paths *out);

#endif /* LANG_LANG_H */
