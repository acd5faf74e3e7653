/* SPDX-License-Identifier: BSD-2-Clause */
#include "lang/jail/near.h"

#include <string.h>

static const char *const ours[] = {
	"address", "bridge", "forward", "gateway", "http", "limit", "nat", "pool", "ports", "share",
	NULL,
};

static bool is_ours(const char *name)
{
	for (size_t i = 0; ours[i] != NULL; i++)
		if (strcmp(ours[i], name) == 0)
			return true;
	return false;
}

static bool stmt_uses(const struct jail_stmt *st, uint32_t key)
{
	for (uint32_t v = 0; v < st->values.n; v++)
		for (uint32_t p = 0; p < st->values.v[v].parts.n; p++)
			if (st->values.v[v].parts.v[p].is_var &&
			    st->values.v[v].parts.v[p].key == key)
				return true;
	return false;
}

static bool is_used(const struct jail_file *f, uint32_t key)
{
	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t i = 0; i < f->blocks.v[b].stmts.n; i++)
			if (stmt_uses(&f->blocks.v[b].stmts.v[i], key))
				return true;
	return false;
}

/* Names looked at already: a file has few that are near, but perhaps in each jail */
struct seen {
	VEC(uint32_t) keys;
	uint32_t ours;		/* the last of ours, which often come in rows */
};

static bool is_new(struct lang_ctx *c, struct seen *seen, uint32_t key)
{
	for (uint32_t i = 0; i < seen->keys.n; i++)
		if (seen->keys.v[i] == key)
			return false;
	vec_add(c->a, &seen->keys, key);
	return true;
}

static void check_stmt(struct lang_ctx *c, const struct jail_file *f, struct seen *seen,
		       const struct jail_stmt *st)
{
	const char *near;

	if (!st->is_var || st->key == seen->ours || is_ours(st->name)) {
		seen->ours = st->is_var ? st->key : seen->ours;
		return;
	}
	near = diag_nearest(st->name, ours);
	if (near == NULL || !is_new(c, seen, st->key) || is_used(f, st->key))
		return;
	diag_add(c->diags, DIAG_W1458, st->name_at, "nothing uses the variable '$%s'", st->name);
	diag_help(c->diags, "did you mean '$%s'?", near);
}

void jail_near_check(struct lang_ctx *c, const struct jail_file *f)
{
	struct seen seen = { .ours = UINT32_MAX };

	for (uint32_t b = 0; b < f->blocks.n; b++)
		for (uint32_t i = 0; i < f->blocks.v[b].stmts.n; i++)
			check_stmt(c, f, &seen, &f->blocks.v[b].stmts.v[i]);
}
