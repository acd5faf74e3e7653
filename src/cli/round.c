/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/limits.h"
#include "cli/cli.h"

void cli_begin(struct cli *c, jmp_buf *full)
{
	c->arena.full = full;
	intern_init(&c->names, &c->arena);
	sources_init(&c->sources, &c->arena);
	diags_init(&c->diags, &c->arena, &c->sources);
}

static int end(struct cli *r, FILE *gathered, int status)
{
	if (gathered != NULL)
		fclose(gathered);
	arena_fini(&r->trees);
	arena_fini(&r->arena);
	return status;
}

int cli_round(const struct cli *c, int (*run)(struct cli *c, void *arg), void *arg)
{
	struct cli r = *c;
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *volatile gathered = NULL;	/* set between setjmp() and longjmp() */
	jmp_buf full;

	r.trees = (struct arena){ 0 };
	arena_init(&r.arena, LIMIT_ARENA_BYTES + LIMIT_FILE_BYTES);
	if (setjmp(full) != 0) {
		fputs("sallyport: error: out of memory\n", stderr);
		return end(&r, gathered, EX_OSERR);
	}
	cli_begin(&r, &full);
	/* What is added belongs to this round: nothing is written beside the command line's */
	r.files.cap = r.files.n;
	r.defines.cap = r.defines.n;
	r.runs.list.cap = r.runs.list.n;
	r.netns = NULL;
	r.held = NULL;
	r.seen = NULL;
	r.out = gathered = open_memstream(&data, &len);
	return end(&r, gathered, r.out == NULL ? EX_OSERR : run(&r, arg));
}
