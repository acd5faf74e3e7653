/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an rc.conf and as a sysctl.conf: parsed, lowered and told */
#include <setjmp.h>
#include <stdlib.h>

#include "base/limits.h"
#include "lang/rc.h"

#define FUZZ_ARENA_BYTES	(32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_all(const struct diags *diags)
{
	CLEANUP(base_file_close) FILE *null = fopen("/dev/null", "w");

	if (null == NULL)
		return;
	diag_print(diags, null, true, DIAG_NOTE);
	diag_json(diags, null, false);
}

static void run(struct arena *a, const uint8_t *data, size_t size)
{
	static const struct lang_define define = { "a", "inet 10.0.0.1-3/24" };
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct decl d;
	struct facts facts;
	struct lang_ctx c = {
		.a = a, .names = &names, .sources = &sources, .diags = &diags,
		.defines = &define, .n_defines = 1,
	};
	uint32_t src;

	intern_init(&names, a);
	sources_init(&sources, a);
	diags_init(&diags, a, &sources);
	decl_init(&d, a, &names);
	facts_init(&facts, a, &names);
	src = sources_add(&sources, "rc.conf", (const char *)data, (uint32_t)size, SPAN_NONE);
	rc_lower(&c, rc_parse(&c, src), &d);
	sysctlconf_lower(&c, sysctlconf_parse(&c, src), &d);
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
