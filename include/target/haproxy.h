/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * haproxy - names of the web as a configuration of haproxy
 *
 * Several jails behind one address: HTTP is parted by the Host header, TLS is
 * passed through by the server name that the client asks for.  haproxy runs on
 * the host, or in the jail that the rules lead ports 80 and 443 to.
 *
 * Owns:	 nothing; lives in the arena of its diagnostics.
 * Does not:	 start haproxy, open TLS, or know a language.
 */
#ifndef TARGET_HAPROXY_H
#define TARGET_HAPROXY_H

#include "model/decl.h"
#include "model/model.h"

struct haproxy_program;

/**
 * haproxy_program() - What haproxy is to do for the names of all enabled jails
 * @d:		Declarations, finished
 * @m:		Model: says where a packet to a public address goes
 * @diags:	Told when there is nothing to do (E1740), a jail cannot be reached
 *		(E1741), the rules lead past haproxy (E1742), or let nobody in
 *		(W1743)
 *
 * Return: the program, or NULL when an error was told
 */
const struct haproxy_program *haproxy_program(const struct decl *d, const struct model *m,
					      struct diags *diags);

/** haproxy_text() - The program as a complete haproxy.cfg of haproxy 2.2 or later */
void haproxy_text(const struct haproxy_program *p, FILE *out);

#endif /* TARGET_HAPROXY_H */
