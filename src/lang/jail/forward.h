/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward - values of $forward and $nat
 *
 * Owns:	 nothing; lives in the arena.
 */
#ifndef LANG_JAIL_FORWARD_H
#define LANG_JAIL_FORWARD_H

#include "lang/forward.h"
#include "lang/text.h"

/** jail_forward_parse() - The forward that a value says; false (error told): half of it */
bool jail_forward_parse(struct lang_ctx *c, const struct text *t, struct decl_forward *ret);

/** jail_nat_parse() - The value "INTERFACE" or "INTERFACE|ADDRESS"; false when an error was told */
bool jail_nat_parse(struct lang_ctx *c, const struct text *t, struct decl_nat *ret);

#endif /* LANG_JAIL_FORWARD_H */
