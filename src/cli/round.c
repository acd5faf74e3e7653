/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/limits.h"
#include "cli/cli.h"

int cli_round(const struct cli *c, int (*run)(struct cli *c, void *arg), void *arg)
{
	struct cli r = *c;
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	jmp_buf full;
	int status;

	arena_init(&r.arena, LIMIT_ARENA_BYTES + LIMIT_FILE_BYTES);
	if (setjmp(full) != 0) {
		fputs("sallyport: error: out of memory\n", stderr);
		arena_fini(&r.arena);
		return EX_OSERR;
	}
	r.arena.full = &full;
	intern_init(&r.names, &r.arena);
	sources_init(&r.sources, &r.arena);
	diags_init(&r.diags, &r.arena, &r.sources);
	/* What is added belongs to this round: nothing is written beside the command line's */
	r.files.cap = r.files.n;
	r.defines.cap = r.defines.n;
	r.runs.list.cap = r.runs.list.n;
	r.netns = NULL;
	r.out = open_memstream(&data, &len);
	if (r.out == NULL) {
		arena_fini(&r.arena);
		return EX_OSERR;
	}
	status = run(&r, arg);
	fclose(r.out);
	arena_fini(&r.arena);
	return status;
}
