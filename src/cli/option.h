/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SALLYPORT_CLI_OPTION_H
#define SALLYPORT_CLI_OPTION_H

#include "cli/cli.h"

/** enum option_value - How an option takes its value */
enum option_value { NO_VALUE, VALUE, MAY_HAVE_VALUE };

/**
 * struct option_row - An option
 * @name:	"-f" or "--json"
 * @value:	How it takes its value
 * @set:	Takes it, NULL where none is given: 0, or EX_USAGE with a diagnostic
 * @verbs:	The verbs that take it, " why  alias next "; NULL: every verb
 * @arg:	Its value, for --help
 * @help:	One line
 */
struct option_row {
	const char *name;
	enum option_value value;
	int (*set)(struct cli *c, const char *value);
	const char *verbs;
	const char *arg;
	const char *help;
};

extern const struct option_row cli_options[];	/* @name NULL after the last */

/** option_is_of() - Is it an option of this verb, and not of every verb */
bool option_is_of(const struct option_row *o, const struct cli_verb *v);

/** cli_help() - What --help prints */
void cli_help(FILE *out);

/**
 * cli_help_verb() - What VERB --help prints
 * @out:	Where to
 * @verb:	First word of the verb
 * @second:	What follows it, or NULL: all verbs of the first word
 *
 * Return: whether there is such a verb
 */
bool cli_help_verb(FILE *out, const char *verb, const char *second);

#endif /* SALLYPORT_CLI_OPTION_H */
