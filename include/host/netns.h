/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netns - act inside another network namespace
 *
 * Only setns(2): mounts stay as they are, so /sys and the cgroup tree remain
 * those of the host.
 *
 * Owns:	 nothing.
 * Threads:	 moves the calling thread only; call it before any other is made,
 *		 and before sockets are opened.
 * Normative:	 ip-netns(8) for the places of names.
 */
#ifndef HOST_NETNS_H
#define HOST_NETNS_H

#include "base/base.h"

/**
 * netns_enter() - Move into a network namespace
 * @where:	Name below /run/netns or /var/run/netns; with a slash in it: a
 *		path (/proc/PID/ns/net)
 *
 * Return: 0; -ENOENT when there is none; -EINVAL for a file that is no network
 * namespace, or a name that is none ("", ".", ".."); -EPERM without the right
 * to; another negative errno of open
 */
MUST_USE int netns_enter(const char *where);

/**
 * netns_open() - A descriptor of a network namespace
 * @where:	As netns_enter()
 *
 * Return: a descriptor, the caller's to close; or a negative errno as
 * netns_enter() but for what only setns(2) finds
 */
MUST_USE int netns_open(const char *where);

/**
 * netns_is_same() - Is a descriptor the namespace that we are in
 * @fd:		Of netns_open()
 * @ret_inode:	Set to the kernel's number of @fd's namespace, or NULL
 *
 * Return: 1, 0, or a negative errno
 */
MUST_USE int netns_is_same(int fd, uint64_t *ret_inode);

/**
 * netns_create() - Make a network namespace with a name, as ip-netns(8) does
 * @name:	Below /run/netns, which is made if it is not there
 * @ret_inode:	Set to its number on success
 *
 * Return: a descriptor; -EEXIST when the name is taken; -EINVAL for a name with
 * a slash, or none; another negative errno
 */
MUST_USE int netns_create(const char *name, uint64_t *ret_inode);

/**
 * netns_remove() - Take a name of netns_create() away
 * @name:	Its name
 * @inode:	Number that it must still have, 0: whichever; what else has that
 *		name stays
 *
 * The namespace goes with its last process.
 *
 * Return: 0, also when it is not there; -EBUSY when it is another; another
 * negative errno
 */
MUST_USE int netns_remove(const char *name, uint64_t inode);

/**
 * netns_cookie() - The kernel's number of the current network namespace
 * @ret:	Set on success; never used again until the next boot
 *
 * Return: 0; -ENOPROTOOPT before Linux 5.14; another negative errno
 */
MUST_USE int netns_cookie(uint64_t *ret);

/**
 * netns_lasting_name() - What the current network namespace is called after a
 * reboot too
 * @ret:	Set on success
 * @size:	Bytes at @ret
 *
 * "host" for the namespace of the first process, which is the machine's or the
 * container's own; "netns-NAME" for one with a name below /run/netns (of several
 * names the first in order).  Other namespaces do not outlive a reboot.
 *
 * Return: 0; -ENOENT: it has none; -ENAMETOOLONG; another negative errno
 */
MUST_USE int netns_lasting_name(char *ret, size_t size);

#endif /* HOST_NETNS_H */
