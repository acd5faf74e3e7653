/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raise - flat rules as lines of ipfw
 *
 * Threads:	 none.
 */
#ifndef LANG_IPFW_RAISE_H
#define LANG_IPFW_RAISE_H

#include "lang/raise.h"

#define RAISE_TAIL	60000u	/* first rule of what leaves translated */

/**
 * struct raise_action - What a line does
 * @word:	"allow", "deny", "skipto 60000" and so on
 * @keeps:	It makes a state
 */
struct raise_action {
	const char *word;
	bool keeps;
};

/**
 * raise_line() - Lines for what a rule matches
 * @w:		Text on its way
 * @r:		Rule; what it does does not count
 * @act:	What the lines do
 *
 * Return: true, or false where something was refused
 */
bool raise_line(struct raiser *w, const struct flat_rule *r, struct raise_action act);

/** raise_check() - Lines that let packets go on that have a state */
void raise_check(struct raiser *w);

/** raise_ruling() - Lines for a rule that decides; @pass: what passing is */
bool raise_ruling(struct raiser *w, const struct flat_rule *r, const char *pass);

#endif /* LANG_IPFW_RAISE_H */
