/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a jail.conf: parsed, lowered and told; included files are the same bytes */
#include "fuzz_lang.h"
#include "lang/jail.h"

static int glob_itself(void *arg, struct arena *a, const char *pattern, struct lang_paths *out)
{
	(void)arg;
	vec_add(a, &out->list, pattern);
	return 0;
}

static void fuzz_one(struct fuzz *f)
{
	static const struct lang_loader loader = { .read = fuzz_read_again, .glob = glob_itself };
	struct decl d;

	f->c.loader = &loader;
	decl_init(&d, &f->a, &f->names);
	jail_lower(&f->c, jail_parse(&f->c, f->src), &d);
	decl_finish(&d, &f->diags);
	decl_to_facts(&d, &f->facts);
}
