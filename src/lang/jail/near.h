/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near - variables that were probably meant to be ours
 *
 * Owns:	 nothing.
 * Does not:	 look at values.
 */
#ifndef LANG_JAIL_NEAR_H
#define LANG_JAIL_NEAR_H

#include "lang/jail.h"

/**
 * jail_near_check() - Tell of variables that nothing uses and that are near one of ours (W1458)
 * @c:		Context
 * @f:		File
 *
 * jail.conf(5) leaves it to the user which variables there are, so "$forwrd" is
 * no error; but one that no value uses is there for somebody who reads it by name.
 */
void jail_near_check(struct lang_ctx *c, const struct jail_file *f);

#endif /* LANG_JAIL_NEAR_H */
