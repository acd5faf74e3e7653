/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet_ns - where a vnet jail is
 */
#ifndef HOST_VNET_NS_H
#define HOST_VNET_NS_H

#include "host/vnet.h"

/** vnet_place_is_said() - Does the user say where the jail is */
bool vnet_place_is_said(const struct vnet_place *p);

/**
 * vnet_ns_open() - The namespace of a jail
 * @h:		Host
 * @j:		Jail
 * @p:		Where it is
 * @may_make:	Make it where that is asked for
 * @ret:	Set to a descriptor on success, the caller's to close
 *
 * Return: 0; -ENOENT, not told, when nobody says where and no namespace has its
 * name, or when it is yet to be made and may not be; -EINVAL when it was told
 * why it cannot be; another negative errno
 */
MUST_USE int vnet_ns_open(struct host *h, const struct decl_jail *j, const struct vnet_place *p,
			  bool may_make, int *ret);

/**
 * vnet_mark() - What the link of a jail is made of, as a text without spaces
 * @a:		Memory
 * @j:		Jail
 *
 * It stands in the link's ifalias, so that the kernel knows a link that was made of
 * another declaration.
 *
 * Return: 8 hex digits
 */
const char *vnet_mark(struct arena *a, const struct decl_jail *j);

/**
 * vnet_session() - A session of NETLINK_ROUTE in another namespace
 * @s:		Session; set whole
 * @fd:		Namespace
 *
 * Return: 0 or a negative errno; in any case we are where we were
 */
MUST_USE int vnet_session(struct nl_session *s, int fd);

#endif /* HOST_VNET_NS_H */
