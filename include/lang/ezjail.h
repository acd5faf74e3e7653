/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ezjail - ezjail's file of a jail, /usr/local/etc/ezjail/NAME
 *
 * Assignments of rc.conf's jail_NAME_* variables, each exported.
 *
 * Owns:	 nothing; trees live in the context's arena.
 * Normative:	 ezjail(7), ezjail-admin(8) 3.4.
 */
#ifndef LANG_EZJAIL_H
#define LANG_EZJAIL_H

#include "lang/jail.h"

/**
 * ezjail_parse() - Read a file of ezjail
 * @c:		Context; errors are told
 * @src:	Its text
 *
 * Return: its jails as a jail.conf, never NULL
 */
struct jail_file *ezjail_parse(struct lang_ctx *c, uint32_t src);

#endif /* LANG_EZJAIL_H */
