/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"

#define WIDTH	80

/* Words of @text, at most WIDTH columns a line */
static void print_wrapped(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		const size_t n = strcspn(text, " ");

		if (column > 0 && column + 1 + n > WIDTH) {
			putc('\n', out);
			column = 0;
		} else if (column > 0) {
			putc(' ', out);
			column++;
		}
		fwrite(text, 1, n, out);
		column += n;
		text += n + strspn(text + n, " ");
	}
	putc('\n', out);
}

int verb_explain(struct cli *c)
{
	char *name = arena_strndup(&c->arena, c->args.v[0], strlen(c->args.v[0]));
	const struct diag_code_info *info;
	enum diag_code code;

	name[0] = (char)toupper((unsigned char)name[0]);
	code = diag_code_find(name);
	if (code == DIAG_N_CODES) {
		cli_usage(c, "no diagnostic has the code '%s'", c->args.v[0]);
		diag_help(&c->diags, "a code is the word in brackets after a message, as E1203");
		return EX_USAGE;
	}
	info = &diag_codes[code];
	if (c->json) {
		cli_object(c);
		fprintf(c->out, "\"code\": \"%s\", \"severity\": \"%s\", \"title\": ", info->name,
			diag_severity_name(info->severity));
		json_cstring(c->out, info->title);
		fputs(", \"text\": ", c->out);
		json_cstring(c->out, info->text);
		putc('}', c->out);
		return 0;
	}
	fprintf(c->out, "%s (%s): %s\n\n", info->name, diag_severity_name(info->severity),
		info->title);
	print_wrapped(c->out, info->text);
	return 0;
}
