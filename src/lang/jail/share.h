/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * share - values of $share
 *
 * Owns:	 nothing.
 */
#ifndef LANG_JAIL_SHARE_H
#define LANG_JAIL_SHARE_H

#include "lang/lang.h"
#include "lang/text.h"
#include "model/decl.h"

/**
 * jail_share_parse() - Mark the addresses that other jails may have too
 * @c:		Context; errors are told
 * @t:		"all", or a comma list of addresses
 * @j:		Jail, its addresses known
 *
 * An address that the jail does not have marks nothing: the variable may stand
 * outside of jails, and speak of all.
 */
void jail_share_parse(struct lang_ctx *c, const struct text *t, struct decl_jail *j);

#endif /* LANG_JAIL_SHARE_H */
