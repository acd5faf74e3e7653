/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - values of $pool
 *
 * Owns:	 nothing; lives in the context's arena.
 */
#ifndef LANG_JAIL_POOL_H
#define LANG_JAIL_POOL_H

#include "lang/lang.h"
#include "lang/text.h"
#include "model/decl.h"

/**
 * jail_pool_parse() - "INTERFACE|NETWORK [hold SECONDS]"
 * @c:		Context; errors are told
 * @t:		Value
 * @ret:	Set on success
 *
 * Return: true; false when an error was told
 */
MUST_USE bool jail_pool_parse(struct lang_ctx *c, const struct text *t, struct decl_pool *ret);

#endif /* LANG_JAIL_POOL_H */
