/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_lang - a fuzzer of one language in one header
 *
 * The includer says what its language does with a source; the memory, the
 * context and the telling of what was found wrong are the same for all.
 *
 * Owns:	 LLVMFuzzerTestOneInput().
 */
#ifndef TESTS_FUZZ_LANG_H
#define TESTS_FUZZ_LANG_H

#include <setjmp.h>

#include "base/limits.h"
#include "lang/lang.h"
#include "model/facts.h"

#define FUZZ_ARENA_BYTES	(32u << 20)

/**
 * struct fuzz - One input
 * @c:		Context; its diagnostics are printed and thrown away afterwards
 * @facts:	A host with lo0 only
 * @src:	The input as a source
 * @size:	Its bytes
 * @null:	A stream that goes nowhere
 */
struct fuzz {
	struct arena a;
	struct intern names;
	struct sources sources;
	struct diags diags;
	struct lang_ctx c;
	struct facts facts;
	uint32_t src;
	size_t size;
	FILE *null;
};

/** fuzz_one() - Defined by the includer: what the language does with the source */
static void fuzz_one(struct fuzz *f);

/** fuzz_read_again() - A loader's read: every file is the input again */
__attribute__((unused)) static int fuzz_read_again(void *arg, struct sources *s, const char *path,
						   uint32_t *ret_src)
{
	(void)arg;
	*ret_src = sources_add(s, path, source_at(s, 1)->text, source_at(s, 1)->len, SPAN_NONE);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .size = size };
	jmp_buf full;

	if (size > LIMIT_FILE_BYTES)
		return 0;
	f.null = fopen("/dev/null", "w");
	BUG_IF(f.null == NULL);
	arena_init(&f.a, FUZZ_ARENA_BYTES);
	f.a.full = &full;
	if (setjmp(full) == 0) {
		intern_init(&f.names, &f.a);
		sources_init(&f.sources, &f.a);
		diags_init(&f.diags, &f.a, &f.sources);
		facts_init(&f.facts, &f.a, &f.names);
		f.c = (struct lang_ctx){ .a = &f.a, .names = &f.names, .sources = &f.sources,
					 .diags = &f.diags };
		f.src = sources_add(&f.sources, "input", (const char *)data, (uint32_t)size,
				    SPAN_NONE);
		fuzz_one(&f);
		diag_print(&f.diags, f.null, true, DIAG_NOTE);
		diag_json(&f.diags, f.null, true);
		diag_json(&f.diags, f.null, false);
	}
	arena_fini(&f.a);
	fclose(f.null);
	return 0;
}

#endif /* TESTS_FUZZ_LANG_H */
