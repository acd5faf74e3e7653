/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/cli.h"

#define CLI_SLACK_BYTES	(4u << 20)	/* beside what declarations may use */

const struct cli_verb cli_verbs[] = {
	{ "check", "check", verb_check, "",
	  "are the declarations right, and would this kernel take them", 0, 0 },
	{ "compile", "compile", verb_compile, "--to nft|pf|ipfw|model [-o FILE]",
	  "the program as text", 0, 0 },
	{ "plan", "plan", verb_plan, "", "what apply would change", 0, 0 },
	{ "apply", "apply", verb_apply, "", "make the host so", 0, 0 },
	{ "destroy", "destroy", verb_destroy, "", "take away all that is ours", 0, 0 },
	{ "status", "status", verb_status, "", "jails, addresses, forwards, drift", 0, 0 },
	{ "why", "why", verb_why, "DIR IFACE PROTO SRC DST [FLAGS] | --batch FILE",
	  "what happens to a packet, and which line says so", 0, 6 },
	{ "alias list", "alias", verb_alias_list, "", "addresses on cloned loopbacks", 0, 0 },
	{ "explain", "explain", verb_explain, "CODE", "the long text of a diagnostic", 1, 1 },
	{ "alias add", "alias", NULL, "", "", 0, 0 },
	{ "alias del", "alias", NULL, "", "", 0, 0 },
	{ "alias next", "alias", NULL, "", "", 0, 0 },
	{ "confirm", "confirm", NULL, "", "", 0, 0 },
	{ "doctor", "doctor", NULL, "", "", 0, 0 },
	{ "down", "down", NULL, "", "", 0, 0 },
	{ "equal", "equal", NULL, "", "", 0, 0 },
	{ "fmt", "fmt", verb_fmt, "", "canonical text of the same declarations", 0, 0 },
	{ "forward", "forward", NULL, "", "", 0, 0 },
	{ "import", "import", NULL, "", "", 0, 0 },
	{ "ipfw", "ipfw", NULL, "", "", 0, 0 },
	{ "log", "log", NULL, "", "", 0, 0 },
	{ "metrics", "metrics", NULL, "", "", 0, 0 },
	{ "nat", "nat", NULL, "", "", 0, 0 },
	{ "pfctl", "pfctl", NULL, "", "", 0, 0 },
	{ "up", "up", NULL, "", "", 0, 0 },
	{ "verify", "verify", NULL, "", "", 0, 0 },
	{ "watch", "watch", NULL, "", "", 0, 0 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};

/* {"sallyport": {"VERB": [...], "error": [...], "warning": [...]}} */
static void print_json(const struct cli *c, const char *data, size_t len)
{
	fputs("{\"sallyport\": {", stdout);
	if (c->verb != NULL) {
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

static void print_all(const struct cli *c, const char *data, size_t len)
{
	const bool colour = isatty(STDERR_FILENO) && getenv("NO_COLOR") == NULL;

	if (!c->json || c->bare)
		diag_print(&c->diags, stderr, colour, c->quiet ? DIAG_ERROR : DIAG_NOTE);
	if (c->json && !c->bare)
		print_json(c, data, len);
	else
		fwrite(data, 1, len, stdout);
}

int main(int argc, char **argv)
{
	struct cli c = { .one_pass = -1 };
	CLEANUP(base_free) char *data = NULL;
	size_t len = 0;
	jmp_buf full;
	int status;

	arena_init(&c.arena, LIMIT_ARENA_BYTES + CLI_SLACK_BYTES);
	if (setjmp(full) != 0) {
		fputs("sallyport: error: out of memory\n", stderr);
		_exit(EX_OSERR);
	}
	c.arena.full = &full;
	intern_init(&c.names, &c.arena);
	sources_init(&c.sources, &c.arena);
	diags_init(&c.diags, &c.arena, &c.sources);
	c.out = open_memstream(&data, &len);
	if (c.out == NULL)
		return EX_OSERR;
	status = cli_parse(&c, argc, argv);
	if (status == 0)
		status = c.verb->run(&c);
	fclose(c.out);
	if (status >= 0)
		print_all(&c, data, len);
	if (fflush(stdout) != 0 || ferror(stdout))
		status = status > 0 ? status : EX_OSERR;
	arena_fini(&c.arena);
	return status < 0 ? 0 : status;
}
