/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * natpath - what of the host leads packets to the userspace NAT
 *
 * The TUN device of alias jails with its routes and policy rules, and ports that
 * the kernel is to give to nobody else.
 *
 * Owns:	 routing table NATPATH_TABLE and the rules to it; the bits that it
 *		 added to ip_local_reserved_ports, recorded in the state directory.
 * Does not:	 make the device, which goes with its descriptor (port/io.h), or
 *		 drop packets (target/nft_claim.h).
 * Threads:	 none.
 */
#ifndef HOST_NATPATH_H
#define HOST_NATPATH_H

#include "base/arena.h"
#include "host/state.h"
#include "net/addr.h"
#include "nl/session.h"

#define NATPATH_TABLE	 0x5350u	/* routing table, and the priority of its rules: "SP" */
#define NATPATH_PORTS	 65536u
#define NATPATH_MAP_BYTES (NATPATH_PORTS / 8)

#define NATPATH_RUN	"nat-ports"		/* reserved while the NAT runs */
#define NATPATH_APPLIED	"nat-ports-applied"	/* reserved until `destroy` */
#define NATPATH_FILES	"nat-*"			/* all that a NAT has in the state's directory */

/**
 * struct natpath - How the jails' packets come to the NAT
 * @tun:	Its device's name
 * @tun_index:	Its number
 * @outside_index: The interface whose routes now lead to the device
 * @mtu_bytes:	Of both
 * @inside:	Sources whose packets go there
 * @n_inside:	How many
 */
struct natpath {
	const char *tun;
	uint32_t tun_index;
	uint32_t outside_index;
	uint32_t mtu_bytes;
	const struct prefix *inside;
	uint32_t n_inside;
};

/**
 * natpath_lock() - Be the only NAT of this network namespace
 * @st:		State open for STATE_WRITE
 * @wait_seconds: Longest wait for another one that is about to end
 *
 * Return: a descriptor that is the lock, the caller's to close; -EBUSY; another
 * negative errno
 */
MUST_USE int natpath_lock(const struct state *st, uint32_t wait_seconds);

/** natpath_runs() - Does a NAT run in this network namespace; @st is open for STATE_WRITE */
bool natpath_runs(const struct state *st);

/**
 * natpath_up() - Lead the jails' packets to the device
 * @s:		Session of NETLINK_ROUTE
 * @p:		How
 * @a:		Memory
 *
 * What the main table sends out of the outside interface goes to the device;
 * everything else stays as it is.  Routes are those of now.  Where the device goes
 * away before the rules do, packets have nowhere to go, rather than out untranslated.
 * Called again, it adds what is new since then.
 *
 * Return: 0, or a negative errno; part may be done then: natpath_down()
 */
MUST_USE int natpath_up(struct nl_session *s, const struct natpath *p, struct arena *a);

/** natpath_down() - Take rules and routes away, an earlier run's too; 0 or a negative errno */
MUST_USE int natpath_down(struct nl_session *s, struct arena *a);

/**
 * natpath_is_reserved() - Does the kernel give those ports to nobody
 * @ports:	Bitmap, NATPATH_MAP_BYTES
 * @a:		Memory
 * @ret_missing: Set: those that it might give away, as "8080,50001-65535"; "": none
 *
 * Return: whether there are none
 */
bool natpath_is_reserved(const uint8_t *ports, struct arena *a, const char **ret_missing);

/**
 * natpath_reserve() - Have the kernel give ports to nobody who asks for any
 * @st:		State open for STATE_WRITE
 * @name:	For whom, NATPATH_RUN or NATPATH_APPLIED
 * @ports:	Bitmap, NATPATH_MAP_BYTES
 * @a:		Memory
 *
 * Ports that are reserved already stay the administrator's.
 *
 * Return: 0 or a negative errno
 */
MUST_USE int natpath_reserve(struct state *st, const char *name, const uint8_t *ports,
			     struct arena *a);

/** natpath_release() - Undo natpath_reserve(), an earlier run's too; 0 or a negative errno */
MUST_USE int natpath_release(struct state *st, const char *name, struct arena *a);

#endif /* HOST_NATPATH_H */
