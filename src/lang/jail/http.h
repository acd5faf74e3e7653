/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http - values of $http
 *
 *	NAME[:PORT[:TLS-PORT]] [proxy] [balance], ...
 *
 * Owns:	 nothing.
 */
#ifndef LANG_JAIL_HTTP_H
#define LANG_JAIL_HTTP_H

#include "lang/lang.h"
#include "lang/text.h"
#include "model/decl.h"

/**
 * jail_http_parse() - Add the names of the web that a value has
 * @c:		Context; errors are told (E1456)
 * @t:		Value, a comma list
 * @j:		Jail that answers to them
 */
void jail_http_parse(struct lang_ctx *c, const struct text *t, struct decl_jail *j);

#endif /* LANG_JAIL_HTTP_H */
