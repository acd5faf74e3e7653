/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/option.h"

#include <string.h>

bool option_is_of(const struct option_row *o, const struct cli_verb *v)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", v->name);
	return o->verbs != NULL && strstr(o->verbs, word) != NULL;
}

static void print_option(FILE *out, const struct option_row *o)
{
	char left[64];

	snprintf(left, sizeof(left), "%s%s%s", o->name, o->value == VALUE ? " " : "", o->arg);
	fprintf(out, "  %-24s %s\n", left, o->help);
}

static void print_verb(FILE *out, const struct cli_verb *v)
{
	bool is_first = true;

	fprintf(out, "usage: sallyport [OPTIONS] %s%s%s\n  %s\n", v->name,
		v->args[0] != '\0' ? " " : "", v->args, v->help);
	for (const struct option_row *o = cli_options; o->name != NULL; o++) {
		if (!option_is_of(o, v))
			continue;
		if (is_first)
			fputs("options:\n", out);
		is_first = false;
		print_option(out, o);
	}
}

bool cli_help_verb(FILE *out, const char *verb, const char *second)
{
	const size_t n = strlen(verb);
	bool is_found = false;

	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++) {
		const char *rest = v->name + n;

		if (strncmp(v->name, verb, n) != 0 || (*rest != '\0' && *rest != ' ') ||
		    (*rest == ' ' && second != NULL && strcmp(rest + 1, second) != 0))
			continue;
		if (is_found)
			fputc('\n', out);
		print_verb(out, v);
		is_found = true;
	}
	if (is_found)
		fputs("\nsallyport --help has the options that every verb takes.\n", out);
	return is_found;
}

void cli_help(FILE *out)
{
	fputs("usage: sallyport [OPTIONS] VERB [ARGS]\n\n"
	      "Gives the jails of a Linux host their network, from jail.conf, rc.conf, pf.conf\n"
	      "and ipfw rules.\n\nverbs, of which VERB --help says more:\n", out);
	for (const struct cli_verb *v = cli_verbs; v->name != NULL; v++)
		fprintf(out, "  %-12s %s%s%s\n", v->name, v->help,
			v->args[0] != '\0' ? "\n               " : "", v->args);
	fputs("\noptions, before or after the verb:\n", out);
	for (const struct option_row *o = cli_options; o->name != NULL; o++)
		print_option(out, o);
	fputs("  --help, --version\n\n"
	      "exit status: 0 done, nothing differs; 1 differs or found problems; 64 usage;\n"
	      "65 bad declarations; 66 no such input; 69 this kernel cannot; 70 a bug; 71 system\n"
	      "error; 75 busy; 77 not permitted\n", out);
}
