/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apply - make links, addresses and settings as wanted, or take ours away
 *
 * Carries out what host/plan.h finds, one operation at a time, reads the host
 * again, and goes on until nothing is left to do.  A run that is killed
 * anywhere is completed, or undone, by the next: the kernel's marks say what
 * is ours, and what a setting was is on disk before it is changed.
 *
 * Owns:	 nothing.
 * Does not:	 touch packet rules.  Turn forwarding on after the rules are
 *		 there, and off before they go.
 * Threads:	 none.
 */
#ifndef HOST_APPLY_H
#define HOST_APPLY_H

#include "host/plan.h"

#define HOST_ROUNDS	8u	/* plans carried out before we say that it does not converge */

/**
 * enum host_part - What to work on
 * @HOST_LINKS:		Links and addresses
 * @HOST_SYSCTLS:	Settings
 */
enum host_part { HOST_LINKS, HOST_SYSCTLS };

/**
 * struct host - What the host's operations need everywhere
 * @s:		Session of NETLINK_ROUTE
 * @st:		State, open for STATE_WRITE
 * @a:		The run's arena; each round takes one of the same kind, and goes
 *		where this one goes when it is full
 * @diags:	For the user
 * @kinds:	Kinds of link that a cloned loopback may be, the first that the
 *		kernel has is taken, NULL after the last; NULL: dummy, else a
 *		bridge without ports
 * @is_mark_kept: Set once the kernel has shown that it keeps the mark of an
 *		address; false at first
 */
struct host {
	struct nl_session *s;
	struct state *st;
	struct arena *a;
	struct diags *diags;
	const char *const *kinds;
	bool is_mark_kept;
};

/**
 * host_apply() - Make a part of the host as wanted
 * @h:		Host
 * @w:		What is wanted
 * @part:	Which part
 *
 * Return: 0 when it is so; -EINVAL when @h->diags has an error that forbids
 * it, nothing was changed if it was there before; -EOPNOTSUPP when this kernel
 * cannot, told in @h->diags; -EPERM, -EACCES, -EROFS without permission;
 * another negative errno of netlink, /proc/sys or the state
 */
MUST_USE int host_apply(struct host *h, const struct host_want *w, enum host_part part);

/**
 * host_is_set() - Are settings as host_apply() of HOST_SYSCTLS would leave them
 * @w:		What is wanted
 * @have:	What is there
 * @plan:	host_plan_make() of these
 *
 * Return: true when it would neither set nor record anything
 */
bool host_is_set(const struct host_want *w, const struct host_have *have,
		 const struct host_plan *plan);

/**
 * host_destroy() - Take away what is ours of a part of the host
 * @h:		Host
 * @part:	Which part
 *
 * The state directory stays: state_forget() when everything is gone.
 *
 * Return: as host_apply()
 */
MUST_USE int host_destroy(struct host *h, enum host_part part);

#endif /* HOST_APPLY_H */
