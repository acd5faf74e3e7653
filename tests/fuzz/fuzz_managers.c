/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a file of iocage and of ezjail; what is printed of them is a good jail.conf */
#include <stdlib.h>
#include <string.h>

#include "fuzz_lang.h"
#include "lang/ezjail.h"
#include "lang/iocage.h"
#include "lang/jail_make.h"

static char *print(const struct jail_file *file)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	BUG_IF(out == NULL);
	jail_print(file, out);
	fclose(out);
	return text;
}

/* Read again, the text says the same; and formatting it changes nothing more */
static void check_print(struct fuzz *f, const struct jail_file *file)
{
	const uint32_t n = f->diags.n_errors;
	CLEANUP(base_free) char *text = print(file);
	CLEANUP(base_free) char *again = NULL;
	uint32_t src;

	if (diag_is_full(&f->diags))
		return;
	src = sources_add(&f->sources, "printed", text, (uint32_t)strlen(text), SPAN_NONE);
	again = print(jail_parse(&f->c, src));
	BUG_IF(f->diags.n_errors != n);
	BUG_IF(strcmp(text, again) != 0);
}

static void fuzz_one(struct fuzz *f)
{
	struct jail_file *files[2];
	struct decl d;

	decl_init(&d, &f->a, &f->names);
	files[0] = iocage_parse(&f->c, f->src, 0);
	files[1] = ezjail_parse(&f->c, f->src);
	for (int i = 0; i < 2; i++) {
		check_print(f, files[i]);
		jail_lower(&f->c, files[i], &d);
	}
	decl_finish(&d, &f->diags);
}
