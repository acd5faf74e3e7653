/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a jail.conf: parsed, lowered and told, without files to include */
#include <setjmp.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lang/jail.h"

#define FUZZ_ARENA_BYTES	(16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int no_read(void *arg, struct sources *s, const char *path, uint32_t *ret_src)
{
	(void)arg;
	/* A file may include itself: each reading is of the first file's text */
	*ret_src = sources_add(s, path, source_at(s, 1)->text, source_at(s, 1)->len, SPAN_NONE);
	return 0;
}

static int no_glob(void *arg, struct arena *a, const char *pattern, struct lang_paths *out)
{
	(void)arg;
	vec_add(a, &out->list, pattern);
	return 0;
}

static void print_all(const struct diags *diags)
{
	CLEANUP(base_file_close) FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	diag_print(diags, null, true, DIAG_NOTE);
	diag_json(diags, null, true);
}

static void run(struct arena *a, const uint8_t *data, size_t size)
{
	static const struct lang_loader loader = { .read = no_read, .glob = no_glob };
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct decl d;
	struct facts facts;
	struct lang_ctx c = {
		.a = a, .names = &names, .sources = &sources, .diags = &diags, .loader = &loader,
	};

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	decl_init(&d, a, &names);
	facts_init(&facts, a, &names);
	jail_lower(&c, jail_parse(&c, sources_add(&sources, "jail.conf", (const char *)data,
						  (uint32_t)size, SPAN_NONE)), &d);
	decl_finish(&d, &diags);
	decl_to_facts(&d, &facts);
	print_all(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	jmp_buf full;

	if (size > LIMIT_FILE_BYTES)
		return 0;
	arena_init(&a, FUZZ_ARENA_BYTES);
	a.full = &full;
	if (setjmp(full) == 0)
		run(&a, data, size);
	arena_fini(&a);
	return 0;
}
