/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept - forwards that were added at run time, and how they are remembered
 *
 * A journal for each network namespace in /var/lib/sallyport, by a name that
 * lasts: "forwards-host" for the machine's own namespace, "forwards-netns-NAME"
 * for one below /run/netns.  A namespace without a name does not outlive a
 * reboot; neither do its forwards ("forwards-BOOT-COOKIE").
 *
 * An entry is one change, in the words of the command line:
 *
 *	add on|off UNTIL JAIL FORWARD	(UNTIL seconds since 1970, or -)
 *	again on|off UNTIL JAIL FORWARD	in the place of the same forward
 *	del|on|off JAIL PROTO EXT	of what was added
 *	mask|unmask JAIL PROTO EXT	of what stands in files
 *
 * Places of these forwards are entries of the journal: "forward add:3".
 *
 * Owns:	 nothing; lives in the arena of the run.
 * Does not:	 hold the lock.
 */
#ifndef CLI_KEPT_H
#define CLI_KEPT_H

#include "cli/cli.h"
#include "host/journal.h"
#include "model/forward.h"

/* What a journal is named; its entries are sources of this name */
#define KEPT_SOURCE	"forward add"

/**
 * struct kept_edit - A change of the command line
 * @verb:	"add", "del", "on" or "off"
 * @jail:	Which
 * @words:	Forward in canonical words; without `add` only PROTO EXT
 * @f:		The same, read
 * @until:	As struct decl_forward
 */
struct kept_edit {
	const char *verb;
	const char *jail;
	const char *words;
	struct decl_forward f;
	int64_t until;
};

/** struct kept_forward - A forward, @jail NULL: forgotten */
struct kept_forward {
	const char *jail;
	struct decl_forward f;
};

/**
 * struct kept_mask - Ports that are off, whoever declares them
 * @jail:	Whose; NULL: no more
 * @f:		Protocols and outside ports
 */
struct kept_mask {
	const char *jail;
	struct decl_forward f;
};

/**
 * struct kept - What is remembered
 * @name:	Of the journal
 * @j:		The journal
 * @n_new:	Entries at its end that are not on disk yet
 * @is_rewritten: Nor are the others as they are on disk
 * @forwards:	Added, in order
 * @masks:	Switched off
 */
struct kept {
	const char *name;
	struct journal j;
	uint32_t n_new;
	bool is_rewritten;
	VEC(struct kept_forward) forwards;
	VEC(struct kept_mask) masks;
};

/**
 * kept_declare() - Give the jails their run-time forwards
 * @c:		Run; @c->edit is carried out too
 * @ctx:	Context
 * @d:		Declarations, finished; @d->kept is set
 *
 * Does nothing for runs that look at no host.  Forwards that have ended are left
 * out.
 *
 * Return: 0, or an exit status with a diagnostic
 */
int kept_declare(struct cli *c, struct lang_ctx *ctx, struct declared *d);

/** kept_save() - Write what is new; on disk when this returns 0; 0 or an errno */
MUST_USE int kept_save(struct cli *c, struct kept *k);

/** kept_undo() - Take back what kept_save() has written; 0 or an errno */
MUST_USE int kept_undo(struct cli *c, struct kept *k);

/** kept_forget() - Forget all run-time forwards of this namespace; 0 or an errno */
MUST_USE int kept_forget(struct cli *c);

#endif /* CLI_KEPT_H */
