/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * egress - rules of others for what leaves an interface
 *
 * nft's hook of that name in the netdev family: what tc sends on passes it by, so
 * where somebody has rules there nothing may go by a lane (host/lane.h).
 *
 * Owns:	 nothing; names are made in the arena.
 * Does not:	 look at tc: its programs see what goes by lanes.
 * Threads:	 none.
 */
#ifndef HOST_EGRESS_H
#define HOST_EGRESS_H

#include "base/arena.h"
#include "nl/session.h"

#define EGRESS_DEVICES	64u		/* that are told; of more, the first ones */

/**
 * struct egress - A chain for what leaves an interface
 * @chain:	"table netdev guard, chain out"
 * @device:	Interface
 */
struct egress {
	const char *chain;
	const char *device;
};

/**
 * struct egresses - Chains
 * @list:	In the order of the kernel, an interface after the other
 */
struct egresses {
	VEC(struct egress) list;
};

/**
 * egress_read() - All of them but ours
 * @s:		Session of NETLINK_NETFILTER
 * @a:		Memory
 * @ret:	Set on success, one for each chain and interface
 *
 * Return: 0 or a negative errno
 */
MUST_USE int egress_read(struct nl_session *s, struct arena *a, struct egresses *ret);

/** egress_of() - The first of an interface; NULL: none */
const struct egress *egress_of(const struct egresses *all, const char *device);

#endif /* HOST_EGRESS_H */
