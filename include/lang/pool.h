/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - a pool of addresses as words: "INTERFACE|NETWORK [hold SECONDS]"
 *
 * Owns:	 nothing; everything lives in the context's arena.
 */
#ifndef LANG_POOL_H
#define LANG_POOL_H

#include "lang/lang.h"
#include "model/decl.h"

/**
 * pool_read() - Read a pool that is a source of its own
 * @c:		Context; errors are told
 * @src:	Its text
 * @ret:	Set on success
 *
 * Return: true; false when an error was told
 */
MUST_USE bool pool_read(struct lang_ctx *c, uint32_t src, struct decl_pool *ret);

#endif /* LANG_POOL_H */
