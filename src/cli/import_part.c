/* SPDX-License-Identifier: BSD-2-Clause */
/* What every manager's files are imported with */
#include "cli/import.h"

#include <string.h>
#include <sys/stat.h>

void import_row(struct import *im, const char *jail, enum import_verdict verdict, struct span at,
		const char *what, const char *why)
{
	vec_add(im->c->a, &im->rows.list,
		((struct import_row){ .jail = jail, .verdict = verdict, .what = what, .why = why,
				      .at = at }));
}

void import_glob(struct import *im, const char *tail, struct lang_paths *out)
{
	static const char *const heads[] = { "/jails/*", "/*" };

	for (size_t i = 0; i < ARRAY_SIZE(heads) && out->list.n == 0; i++)
		if (!lang_glob(im->c, arena_printf(im->c->a, "%s%s%s", im->dir, heads[i], tail),
			       SPAN_NONE, out))
			return;
}

bool import_read(struct import *im, const char *path, uint32_t *ret_src)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       lang_read(im->c, path, SPAN_NONE, 0, ret_src);
}

const char *import_sibling(struct import *im, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');

	BUG_IF(slash == NULL);
	return arena_printf(im->c->a, "%.*s/%s", (int)(slash - path), path, name);
}

bool import_has(const struct jail_block *b, const char *name)
{
	for (uint32_t i = 0; i < b->stmts.n; i++)
		if (!b->stmts.v[i].is_var && strcmp(b->stmts.v[i].name, name) == 0)
			return true;
	return false;
}

void import_forward(struct import *im, struct jail_block *b, const char *words, struct span at)
{
	struct jail_stmt *st = NULL;

	for (uint32_t i = 0; i < b->stmts.n; i++)
		if (b->stmts.v[i].is_var && strcmp(b->stmts.v[i].name, "forward") == 0)
			st = &b->stmts.v[i];
	if (st == NULL)
		st = jail_make_stmt(im->c, b, "$forward", at);
	for (uint32_t i = 0; i < st->values.n; i++)
		if (strcmp(st->values.v[i].parts.v[0].s, words) == 0)
			return;
	jail_make_value(im->c, st, words, strlen(words), at, false);
}

const char *import_ports(struct import *im, const char *host, const char *jail)
{
	char *text = arena_printf(im->c->a, "%s", host);
	char *inside = arena_printf(im->c->a, "%s", jail);

	for (char *p = text; *p != '\0'; p++)
		*p = *p == ':' ? '-' : *p;
	for (char *p = inside; *p != '\0'; p++)
		*p = *p == ':' ? '-' : *p;
	return strcmp(text, inside) == 0 ? text : arena_printf(im->c->a, "%s:%s", text, inside);
}
