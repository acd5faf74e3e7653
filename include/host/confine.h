/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine - keep the sockets of an alias jail to the jail's addresses
 *
 * FreeBSD's kernel does this for every jail.  Here programs are attached to the
 * jail's cgroup, which the kernel runs when a process in it makes, binds or
 * connects a socket, sends or receives.  With its addresses A (the first of a
 * family is its default source):
 *
 *	bind to the wildcard, 127/8 or ::1	becomes the first address
 *	bind to an address not in A		EADDRNOTAVAIL
 *	connect, send to 127/8, ::1, wildcard	goes to the first address
 *	source of an unbound connect or send	the one on the destination's
 *						network, else the first
 *	source not in A (IP_PKTINFO)		EADDRNOTAVAIL
 *	what arrives for an address not in A	is dropped
 *	raw and ping sockets			EPERM unless allowed, then not confined
 *	protocols other than TCP and UDP	EPROTONOSUPPORT
 *
 * A socket that itself named a loopback address is told that address by
 * getsockname, getpeername and recvmsg; every other one the true address.
 *
 * Owns:	 descriptors; confine_close().  The programs stay with the cgroup
 *		 until confine_detach() or its removal.
 * Does not:	 confine sockets that were made before; refuse packet sockets,
 *		 which pass no such hook (confine_packet_pid() and confine_packets()
 *		 tell of them); take rights away: with CAP_SYS_ADMIN a process can
 *		 leave its cgroup.
 * Normative:	 FreeBSD jail(8), prison_local_ip4(9); cgroups(7); bpf(2).
 */
#ifndef HOST_CONFINE_H
#define HOST_CONFINE_H

#include "model/decl.h"

#define CONFINE_HOOKS	14u		/* programs of a jail, at most */
#define CONFINE_LOG	65536u		/* what the verifier says at most, bytes */
#define CONFINE_ADDRS	256u		/* addresses of a family, at most */

/**
 * struct confine_family - What a jail may use of IPv4 or IPv6
 * @is_free:	All of it: `ip4 = inherit`
 * @addrs:	Else these; none: nothing
 */
struct confine_family {
	bool is_free;
	VEC(struct prefix) addrs;
};

/**
 * struct confine_rules - What a jail may do
 * @v4:		IPv4
 * @v6:		IPv6
 * @may_raw:	allow.raw_sockets: raw and ping sockets
 */
struct confine_rules {
	struct confine_family v4;
	struct confine_family v6;
	bool may_raw;
};

/**
 * struct confine - The programs of one jail
 * @cgroup:	Its cgroup, or -1
 * @storage:	Map that remembers loopback addresses, or -1
 * @progs:	Programs by hook, -1 = not needed or not loaded
 * @failed:	Name of the program that was refused, or NULL
 * @log:	What the verifier said of it, or ""
 */
struct confine {
	int cgroup;
	int storage;
	int progs[CONFINE_HOOKS];
	const char *failed;
	char log[CONFINE_LOG];
};

/**
 * confine_rules_of() - What a jail may do, from its declaration
 * @j:		Jail
 * @a:		Memory
 * @ret:	Set
 *
 * Return: 0, or -E2BIG for more than CONFINE_ADDRS addresses of a family
 */
MUST_USE int confine_rules_of(const struct decl_jail *j, struct arena *a,
			      struct confine_rules *ret);

/**
 * confine_cgroup_open() - Open a cgroup (version 2)
 * @path:	Directory, or a path as in /proc/PID/cgroup
 * @a:		Memory
 * @ret_path:	Set to its directory on success
 *
 * Return: a descriptor; -ENOENT when there is none, or no cgroup2 is mounted;
 * -ENOTDIR for a directory that is no cgroup; -EXDEV for the root, which is the
 * whole host; another negative errno
 */
MUST_USE int confine_cgroup_open(const char *path, struct arena *a, const char **ret_path);

/**
 * confine_cgroup_of() - The cgroup of a process, for confine_cgroup_open()
 * @pid:	Process
 * @a:		Memory
 * @ret:	Set on success
 *
 * Return: 0; -ESRCH without such a process; -ENOENT when it is in none
 */
MUST_USE int confine_cgroup_of(int32_t pid, struct arena *a, const char **ret);

/** confine_cgroup_id() - The kernel's number of a cgroup, never given to another; 0 on error */
uint64_t confine_cgroup_id(int cgroup);

/** confine_init() - Nothing open */
void confine_init(struct confine *x);

/**
 * confine_load() - Have the kernel take the programs; nothing is attached yet
 * @x:		After confine_init(), with its cgroup set
 * @rules:	What the jail may do
 * @a:		Memory
 *
 * Return: 0; -EPERM without CAP_BPF and CAP_NET_ADMIN of the host;
 * -EOPNOTSUPP when this kernel cannot, with failed and log set; another negative
 * errno
 */
MUST_USE int confine_load(struct confine *x, const struct confine_rules *rules,
			  struct arena *a);

/**
 * confine_attach() - Confine what the cgroup's processes do from now on
 * @x:		After confine_load()
 *
 * Each program of ours that is there is replaced in one step; where one cannot
 * be attached, those that were not there before are taken away again.
 *
 * Return: 0 or a negative errno, with failed set
 */
MUST_USE int confine_attach(struct confine *x);

/** confine_detach() - Take all our programs from a cgroup; 0 or a negative errno */
MUST_USE int confine_detach(int cgroup);

/**
 * confine_count() - How many programs of ours a cgroup has
 * @cgroup:	Cgroup
 *
 * Return: the number; a negative errno
 */
MUST_USE int confine_count(int cgroup);

/**
 * confine_packet_pid() - A process of a cgroup that may make packet sockets
 * @cgroup:	Cgroup
 *
 * That is one with CAP_NET_RAW, now or by running a program as root.
 *
 * Return: its pid, or 0 when there is none, or none that we may see
 */
int32_t confine_packet_pid(int cgroup);

/**
 * struct confine_packet - A packet socket that no confinement reaches
 * @pid:	A process that has it
 * @program:	Its name, as in struct listener_owner
 */
struct confine_packet {
	int32_t pid;
	const char *program;
};

/** struct confine_packets - Some */
struct confine_packets {
	VEC(struct confine_packet) list;
};

/**
 * confine_packets() - The packet sockets that processes of a cgroup have
 * @dir:	Its directory, as confine_cgroup_open() says it; cgroups below count
 * @a:		Memory
 * @ret:	Set on success: those of the current network namespace, as far as we may see
 *
 * Cost: as listener_owner() for each packet socket of the namespace.
 *
 * Return: 0 or a negative errno
 */
MUST_USE int confine_packets(const char *dir, struct arena *a, struct confine_packets *ret);

/** confine_close() - Close all; for CLEANUP() */
void confine_close(struct confine *x);

#endif /* HOST_CONFINE_H */
