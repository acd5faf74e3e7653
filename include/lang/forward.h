/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward - the words of a port forward
 *
 *	PROTO PORTS [from SOURCE] [on IF] [to ADDRESS] [log] [filtered] [share]
 *
 * PROTO is tcp, udp or tcp+udp; PORTS a comma list of EXT[:INT], EXT "N" or
 * "N-M", INT "N", "N-M" or "N-*".  The same words stand in jail.conf's $forward
 * and on the command line.
 *
 * Owns:	 nothing; everything lives in the context's arena.
 * Does not:	 know the jail, or what is claimed by others.
 */
#ifndef LANG_FORWARD_H
#define LANG_FORWARD_H

#include "lang/lang.h"
#include "model/decl.h"

/**
 * forward_read() - Read a forward that is a source of its own
 * @c:		Context; errors are told
 * @src:	Its text, one line
 * @ret:	Set on success
 *
 * Return: true; false when an error was told
 */
MUST_USE bool forward_read(struct lang_ctx *c, uint32_t src, struct decl_forward *ret);

/** forward_read_at() - forward_read() of a part of a source, which is text already */
MUST_USE bool forward_read_at(struct lang_ctx *c, struct span at, struct decl_forward *ret);

/** forward_print() - A forward in canonical words, as forward_read() reads them */
const char *forward_print(struct arena *a, const struct decl_forward *f);

#endif /* LANG_FORWARD_H */
