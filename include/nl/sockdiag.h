/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sockdiag - the sockets of the namespace that wait for packets
 *
 * Of TCP, SCTP, UDP and UDP-Lite, as `ss -lnu` reads them.  Kernels that list
 * raw sockets here are few; host/listeners.h reads those elsewhere.
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 know which process has a socket; see host/listeners.h.
 * Byte order:	 addresses and ports are in host order here.
 * Threads:	 none.
 * Normative:	 sock_diag(7).
 */
#ifndef NL_SOCKDIAG_H
#define NL_SOCKDIAG_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

/**
 * struct sockdiag_sock - A socket that takes packets from anybody
 * @proto:	IPPROTO_TCP, IPPROTO_UDP, ...; of a raw socket (@is_raw) its own
 * @is_raw:	A raw socket, without port; set by listeners_read()
 * @a:		Address that it is bound to; all zeros: every one of its family
 * @takes_v4:	An IPv6 socket that also takes IPv4 packets (not IPV6_V6ONLY, and
 *		bound to all addresses)
 * @port:	Port, 0 for raw sockets
 * @ifindex:	Interface that it is bound to, 0: any
 * @uid:	Whose
 * @inode:	Number that names it below /proc/PID/fd
 */
struct sockdiag_sock {
	uint8_t proto;
	bool is_raw;
	struct addr a;
	bool takes_v4;
	uint16_t port;
	uint32_t ifindex;
	uint32_t uid;
	uint32_t inode;
};

/**
 * struct sockdiag_socks - Sockets
 * @list:	In the order of the kernel
 * @n_unread:	Protocols that this kernel cannot list: nothing is known of them
 */
struct sockdiag_socks {
	VEC(struct sockdiag_sock) list;
	uint32_t n_unread;
};

/**
 * sockdiag_read() - All listening TCP and all unconnected other sockets
 * @s:		Session of NETLINK_SOCK_DIAG, in the namespace in question
 * @a:		Memory for the list
 * @ret:	Set on success
 *
 * An IPv6 socket bound to a v4-mapped address counts as one of IPv4.
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int sockdiag_read(struct nl_session *s, struct arena *a, struct sockdiag_socks *ret);

#endif /* NL_SOCKDIAG_H */
