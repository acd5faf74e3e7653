/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/runs.h"

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
