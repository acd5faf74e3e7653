/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool - addresses lent to jails, stable over restarts
 *
 *	DIR/lib/pool		"sallyport-state 1 LENGTH CHECKSUM", then for each
 *				loan OWNER, INTERFACE, ADDRESS, UNTIL, HOLD, each
 *				ended by NUL
 *
 * A loan is its owner's as long as that is declared.  Then it rests for its
 * time, and is anybody's; until somebody takes it, the former owner gets it
 * again.  So nothing that a killed run leaves behind is ever in the way.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 read the clock, or know what is declared.
 * Threads:	 none; the caller locks the directory.
 */
#ifndef HOST_POOL_H
#define HOST_POOL_H

#include "base/arena.h"
#include "net/addr.h"

#define POOL_LOANS	65536u	/* most loans in the file */

/**
 * struct pool_loan - An address lent
 * @owner:	Name of a jail; "": nobody in particular
 * @iface:	FreeBSD name of the interface
 * @a:		Address
 * @until:	Seconds since the epoch; free from then on.  0: in use
 * @hold_seconds: Time that it rests when its owner is gone
 */
struct pool_loan {
	const char *owner;
	const char *iface;
	struct addr a;
	uint64_t until;
	uint32_t hold_seconds;
};

/** struct pool_loans - Loans, each address of an interface once */
struct pool_loans {
	VEC(struct pool_loan) list;
};

/** struct pool_used - Addresses that are somebody's already */
struct pool_used {
	VEC(struct addr) list;
};

/**
 * pool_load() - Read the loans
 * @lib_fd:	DIR/lib
 * @a:		Memory
 * @ret:	Loans are added
 *
 * Return: 0, also when there is no file; -EBADMSG when it is damaged; another
 * negative errno
 */
MUST_USE int pool_load(int lib_fd, struct arena *a, struct pool_loans *ret);

/** pool_save() - Replace the file; on disk when this returns 0, else a negative errno */
MUST_USE int pool_save(int lib_fd, const struct pool_loans *l);

/**
 * pool_take() - Lend an address
 * @l:		Loans; the new one is added, as one in use
 * @a:		Memory
 * @used:	Addresses that are not to be lent, in any order
 * @iface:	Interface
 * @net:	Network: its first address is not lent, nor the last one of an
 *		IPv4 network, but for the two shortest
 * @owner:	For whom; a name that is not "" gets what it had, if that is free
 * @now:	Seconds since the epoch
 *
 * Cost: O(n log n) in @used and loans.
 *
 * Return: the loan; NULL when there is none free
 */
struct pool_loan *pool_take(struct pool_loans *l, struct arena *a,
			    const struct pool_used *used, const char *iface,
			    struct prefix net, const char *owner, uint64_t now);

/** pool_drop() - Take back @x, which pool_take() has just added */
void pool_drop(struct pool_loans *l, const struct pool_loan *x);

#endif /* HOST_POOL_H */
