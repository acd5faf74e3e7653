/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apply_link - one operation on a link or an address
 *
 * Owns:	 nothing.
 * Does not:	 touch settings, see apply_sysctl.h.
 * Threads:	 none.
 */
#ifndef HOST_APPLY_LINK_H
#define HOST_APPLY_LINK_H

#include "host/apply.h"

/**
 * host_apply_link() - Carry out an operation on a link or an address
 * @h:		Host
 * @op:		Operation; not one of a setting
 *
 * What is already so, or gone already, is no failure.
 *
 * Return: 0; -EOPNOTSUPP or -EINVAL, told in @h->diags; -EPERM; another
 * negative errno
 */
MUST_USE int host_apply_link(struct host *h, const struct host_op *op);

/**
 * host_check_mark() - See that the kernel kept the mark of an address of ours
 * @h:		Host
 * @op:		The operation that added it
 * @x:		The address that was added
 * @addrs:	Addresses after it was added
 *
 * Without the mark (a kernel before 5.18) we could not tell the address from
 * others, so it is taken away again.
 *
 * Return: 0; -EOPNOTSUPP, told in @h->diags; another negative errno
 */
MUST_USE int host_check_mark(struct host *h, const struct host_op *op, const struct rtnl_addr *x,
			     const struct rtnl_addrs *addrs);

#endif /* HOST_APPLY_LINK_H */
