/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"
#include "lang/construct.h"

#define WIDTH	80

static const struct {
	const char *name;
	const char *title;
	const struct construct *(*list)(void);
} languages[] = {
	{ "pf", "pf.conf", pf_constructs },
	{ "ipfw", "ipfw", ipfw_constructs },
};

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

/* A cell of a table; a bar in it is no bar of the table */
static void print_cell(FILE *out, const char *s, int width)
{
	int n = 0;

	putc(' ', out);
	for (; *s != '\0'; s++) {
		if (*s == '|')
			n += fprintf(out, "\\|");
		else
			n += fprintf(out, "%c", *s);
	}
	fprintf(out, "%*s |", MAX(width - n, 0), "");
}

/* As Markdown, with a table for each place: CONSTRUCTS.md is this text */
static void print_constructs(struct cli *c, const char *title, const struct construct *list)
{
	const char *place = "";

	fprintf(c->out, "# What becomes of each construct of %s\n\n"
		"Written by `sallyport explain`, from the tables that drive the parser.\n\n"
		"- exact: it means what it means on FreeBSD\n"
		"- noted: it is taken, and a note or a warning says what differs\n"
		"- refused: an error names it and says why\n", title);
	for (; list->text != NULL; list++) {
		if (strcmp(place, list->place) != 0)
			fprintf(c->out, "\n## %s\n\n| construct | how | |\n|---|---|---|\n",
				list->place);
		place = list->place;
		putc('|', c->out);
		print_cell(c->out, arena_printf(&c->arena, "`%s`", list->text), 24);
		print_cell(c->out, construct_hows[list->how], 7);
		print_cell(c->out, list->help, 0);
		putc('\n', c->out);
	}
}

static void print_constructs_json(struct cli *c, const struct construct *list)
{
	for (; list->text != NULL; list++) {
		cli_object(c);
		fputs("\"place\": ", c->out);
		json_cstring(c->out, list->place);
		fputs(", \"construct\": ", c->out);
		json_cstring(c->out, list->text);
		fputs(", \"word\": ", c->out);
		json_cstring(c->out, list->word);
		fprintf(c->out, ", \"how\": \"%s\", \"text\": ", construct_hows[list->how]);
		json_cstring(c->out, list->help);
		putc('}', c->out);
	}
}

/* Is a language to be explained: then it is done */
static bool explain_language(struct cli *c, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(languages); i++) {
		if (strcmp(languages[i].name, name) != 0)
			continue;
		if (c->json)
			print_constructs_json(c, languages[i].list());
		else
			print_constructs(c, languages[i].title, languages[i].list());
		return true;
	}
	return false;
}

int verb_explain(struct cli *c)
{
	char *name = arena_strndup(&c->arena, c->args.v[0], strlen(c->args.v[0]));
	const struct diag_code_info *info;
	enum diag_code code;

	if (explain_language(c, name))
		return 0;
	name[0] = (char)toupper((unsigned char)name[0]);
	code = diag_code_find(name);
	if (code == DIAG_N_CODES) {
		cli_usage(c, "no diagnostic has the code '%s'", c->args.v[0]);
		diag_help(&c->diags, "a code is the word in brackets after a message, as E1203; "
			  "`explain pf` and `explain ipfw` say what becomes of each construct");
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
