/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listeners - which programs of the host wait for packets, and where
 *
 * For what must not be taken from them (a forward to a port of theirs), and
 * for what they would take from a jail (a service on all addresses answers on
 * the jail's as well).
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 decide whose right an address is.
 * Threads:	 none.
 */
#ifndef HOST_LISTENERS_H
#define HOST_LISTENERS_H

#include "nl/sockdiag.h"

#define LISTENER_PROGRAM_BYTES	64u	/* name of a program, with its NUL */

/**
 * struct listener_owner - Who has a socket
 * @pid:	A process that has it open; 0: none that we may see
 * @program:	Its name, as in /proc/PID/comm, control bytes replaced; "" with
 *		@pid 0
 */
struct listener_owner {
	int32_t pid;
	char program[LISTENER_PROGRAM_BYTES];
};

/**
 * listeners_read() - The sockets of the current network namespace
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno of netlink
 */
MUST_USE int listeners_read(struct arena *a, struct sockdiag_socks *ret);

/** listener_is_wild() - Is a socket bound to all addresses of a family */
bool listener_is_wild(const struct sockdiag_sock *x);

/**
 * listener_takes() - Would a socket take a packet to this place
 * @x:		Socket
 * @proto:	Protocol of the packet
 * @a:		Its destination, AF_NONE: any address
 * @lo:		Its lowest destination port
 * @hi:		Its highest; a port within is enough
 *
 * Return: whether it would; a raw socket takes none, it only listens along
 */
bool listener_takes(const struct sockdiag_sock *x, uint8_t proto, struct addr a, uint16_t lo,
		    uint16_t hi);

/**
 * listener_owner() - Who has a socket
 * @x:		Socket
 * @ret:	Set in any case
 *
 * Reads /proc, as far as we are allowed to: O(descriptors of the host).
 */
void listener_owner(const struct sockdiag_sock *x, struct listener_owner *ret);

/**
 * listener_place() - What a socket listens on, as text
 * @a:		Memory
 * @x:		Socket
 *
 * Return: "tcp *:80", "udp [::]:53", "tcp 203.0.113.2:443"
 */
const char *listener_place(struct arena *a, const struct sockdiag_sock *x);

/** listener_name() - "sshd (pid 812)", or NULL: no process that we may see */
const char *listener_name(struct arena *a, const struct listener_owner *who);

/**
 * listener_cure() - How a well-known program is bound to one address
 * @a:		Memory
 * @program:	Its name, as in struct listener_owner
 * @addr:	The address; AF_NONE: "ADDRESS" stands for it
 * @port:	Where it listens
 *
 * Return: what to write in which file, or NULL: it is not known
 */
const char *listener_cure(struct arena *a, const char *program, struct addr addr, uint16_t port);

#endif /* HOST_LISTENERS_H */
