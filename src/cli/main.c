/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/cli.h"

#define CLI_SLACK_BYTES	(4u << 20)	/* beside what declarations may use */
/* What is as long comes as new pages, which calloc() need not write zeros over */
#define CLI_MAP_BYTES	(64 << 10)

/* {"sallyport": {"VERB": [...], "error": [...], "warning": [...]}} */
static void print_json(const struct cli *c, const char *data, size_t len)
{
	if (!c->is_streamed)
		fputs("{\"sallyport\": {", stdout);
	if (c->verb != NULL) {
		if (!c->is_streamed)
			printf("\"%s\": [", c->verb->entity);
		fwrite(data, 1, len, stdout);
		fputs("], ", stdout);
	}
	fputs("\"error\": ", stdout);
	diag_json(&c->diags, stdout, true);
	fputs(", \"warning\": ", stdout);
	diag_json(&c->diags, stdout, false);
	fputs("}}\n", stdout);
}

static void print_all(struct cli *c, const char *data, size_t len)
{
	cli_tell(c);
	if (c->json && !c->bare)
		print_json(c, data, len);
	else
		fwrite(data, 1, len, stdout);
}

/* Of several runs into one log each line is whole; not of the heap, which a sandbox may deny */
static void tell_by_lines(void)
{
	static char line[BUFSIZ];

	(void)setvbuf(stderr, line, _IOLBF, sizeof(line));
}

int main(int argc, char **argv)
{
	struct cli c = { .one_pass = -1 };
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	FILE *gathered;
	jmp_buf full;
	int status;

	tell_by_lines();
	(void)mallopt(M_MMAP_THRESHOLD, CLI_MAP_BYTES);
	arena_init(&c.arena, LIMIT_ARENA_BYTES + CLI_SLACK_BYTES);
	if (setjmp(full) != 0) {
		fputs("sallyport: error: out of memory\n", stderr);
		_exit(EX_OSERR);
	}
	cli_begin(&c, &full);
	c.out = gathered = open_memstream(&data, &len);
	if (gathered == NULL)
		return EX_OSERR;
	status = cli_parse(&c, argc, argv);
	if (status == 0)
		status = c.verb->run(&c);
	fclose(gathered);
	if (status >= 0)
		print_all(&c, data, len);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = status > 0 ? status : EX_OSERR;
	arena_fini(&c.trees);
	arena_fini(&c.arena);
	return status < 0 ? 0 : status;
}
