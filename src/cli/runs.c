/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/runs.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_NAME "jails"

/* The file holds for each jail "+" or "-", its name, and NUL */
int runs_load(const struct state *st, struct arena *a, struct decl_runs *ret)
{
	char *text;
	size_t len;
	const int err = state_read(st, RUNS_NAME, a, &text, &len);

	if (err < 0)
		return err == -ENOENT ? 0 : err;
	for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
		if (text[at] != '+' && text[at] != '-')
			return -EBADMSG;
		vec_add(a, &ret->list, ((struct decl_run){ text + at + 1, text[at] == '+' }));
	}
	return 0;
}

/* Is the jail one of those that are up after boot */
static bool is_listed(const struct decl *d, const char *name)
{
	if (d->jail_enable == 0)
		return false;
	for (uint32_t i = 0; i < d->jail_list.n; i++)
		if (strcmp(d->jail_list.v[i], name) == 0)
			return true;
	return !d->has_jail_list;
}

static bool is_meant(const struct decl *d, const struct decl_run *r, const char *name)
{
	if (strcmp(r->name, "ALL") == 0)
		return !r->is_up || is_listed(d, name);
	return fnmatch(r->name, name, 0) == 0;
}

void runs_expand(struct arena *a, const struct decl *d, struct decl_runs *r)
{
	struct decl_runs all = { .list = { .n = 0 } };

	for (uint32_t i = 0; i < r->list.n; i++) {
		const struct decl_run *x = &r->list.v[i];
		const uint32_t before = all.list.n;

		if (decl_find_jail(d, x->name) == NULL)
			for (uint32_t n = 0; n < d->jails.n; n++)
				if (is_meant(d, x, d->jails.v[n].name))
					vec_add(a, &all.list, ((struct decl_run){
						d->jails.v[n].name, x->is_up }));
		if (all.list.n == before)
			vec_add(a, &all.list, *x);
	}
	*r = all;
}

static bool is_last(const struct decl_runs *r, uint32_t at)
{
	for (uint32_t i = at + 1; i < r->list.n; i++)
		if (strcmp(r->list.v[i].name, r->list.v[at].name) == 0)
			return false;
	return true;
}

int runs_save(struct state *st, const struct decl *d)
{
	CLEANUP(base_free) char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->runs.list.n; i++) {
		const struct decl_run *r = &d->runs.list.v[i];

		if (is_last(&d->runs, i) && decl_find_jail(d, r->name) != NULL) {
			putc(r->is_up ? '+' : '-', out);
			fwrite(r->name, 1, strlen(r->name) + 1, out);
		}
	}
	if (fclose(out) != 0)
		return -ENOMEM;
	return state_write(st, RUNS_NAME, text, len);
}
