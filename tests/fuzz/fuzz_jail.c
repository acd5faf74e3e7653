/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a jail.conf: parsed, lowered and told; included files are the same bytes */
#include <stdlib.h>
#include <string.h>

#include "fuzz_lang.h"
#include "lang/jail_make.h"

static int glob_itself(void *arg, struct arena *a, const char *pattern, struct lang_paths *out)
{
	(void)arg;
	vec_add(a, &out->list, pattern);
	return 0;
}

static char *format(struct fuzz *f, uint32_t src)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	BUG_IF(out == NULL);
	jail_fmt(&f->c, src, out);
	fclose(out);
	return text;
}

/* The canonical text of what was read without errors is one that stays */
static void check_format(struct fuzz *f)
{
	CLEANUP(base_free) char *once = format(f, f->src);
	CLEANUP(base_free) char *twice = NULL;

	twice = format(f, sources_add(&f->sources, "again", once, (uint32_t)strlen(once),
				      SPAN_NONE));
	BUG_IF(strcmp(once, twice) != 0);
}

static void fuzz_one(struct fuzz *f)
{
	static const struct lang_loader loader = { .read = fuzz_read_again, .glob = glob_itself };
	const struct jail_file *file;
	struct decl d;

	f->c.loader = &loader;
	decl_init(&d, &f->a, &f->names);
	file = jail_parse(&f->c, f->src);
	if (f->diags.n_errors == 0)
		check_format(f);
	jail_lower(&f->c, file, &d);
	decl_finish(&d, &f->diags);
	decl_to_facts(&d, &f->facts);
}
