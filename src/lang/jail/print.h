/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print - strings of jail.conf(5) as canonical text
 *
 * Owns:	 nothing.
 */
#ifndef LANG_JAIL_PRINT_H
#define LANG_JAIL_PRINT_H

#include "lang/jail.h"

/** jail_print_name() - The name of a parameter or jail: without quotes where it can be */
void jail_print_name(const struct jail_string *s, FILE *out);

/** jail_print_string() - A value: a plain word bare, all else in double quotes */
void jail_print_string(const struct jail_string *s, FILE *out);

#endif /* LANG_JAIL_PRINT_H */
