/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr_text - the expressions that most rules consist of, as text to compare
 *
 * Owns:	 nothing.
 * Does not:	 know rarer expressions, nor counters.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_EXPR_TEXT_H
#define TARGET_NFT_EXPR_TEXT_H

#include <stdio.h>

#include <libnftnl/expr.h>

#include "base/base.h"

/**
 * nft_expr_put() - Write what an expression does
 * @to:		Where to; ended by a NUL
 * @size:	Room there, bytes
 * @e:		Expression, of a rule of ours or as the kernel gave it
 * @name:	Its name
 *
 * Two expressions of one name have the same text just when they do the same.
 *
 * Return: characters written, or 0: no name that is known here, or no room
 */
size_t nft_expr_put(char *to, size_t size, const struct nftnl_expr *e, const char *name);

#endif /* TARGET_NFT_EXPR_TEXT_H */
