/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts - learn what the host has: from the kernel, or from a file
 *
 * Owns:	 nothing; fills a struct facts.
 * Does not:	 know rc.conf; see decl_to_facts().
 * Threads:	 none.
 */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include "diag/diag.h"
#include "host/have.h"
#include "model/facts.h"

/**
 * host_facts_live() - Interfaces, addresses and default routes of the namespace
 * @f:		Facts, after facts_init(); what is there is added, marked live
 * @live:	What is there
 *
 * Links that sallyport made are IFACE_CLONED whatever their name.  An
 * interface is in the group named by its kind ("bridge", "veth") and, if it is
 * in a link group, in the one named by that number.
 */
void host_facts_live(struct facts *f, const struct host_live *live);

/**
 * host_facts_file() - The same from a file, for hosts that are not here
 * @f:		Facts, after facts_init(); what the file says is added, as if
 *		it were live
 * @sources:	The file's text
 * @src:	Its number there
 * @diags:	Told of bad lines
 *
 * One interface a line, ``NAME [group G]... [ADDRESS[/LENGTH] [peer
 * ADDRESS]]...``, or ``default via ADDRESS dev NAME``; `#` starts a comment.
 */
void host_facts_file(struct facts *f, const struct sources *sources, uint32_t src,
		     struct diags *diags);

#endif /* HOST_FACTS_H */
