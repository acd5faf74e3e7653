/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * apply_sysctl - one operation on a setting, recorded before it is done
 *
 * Owns:	 nothing.
 * Threads:	 none.
 */
#ifndef HOST_APPLY_SYSCTL_H
#define HOST_APPLY_SYSCTL_H

#include "host/apply.h"

/**
 * host_record() - Write the record of settings
 * @h:		Host
 * @s:		What to write
 *
 * Return: 0 when it is on disk, or a negative errno
 */
MUST_USE int host_record(struct host *h, const struct sysctl_state *s);

/**
 * host_resume() - Finish what a killed run was putting back
 * @h:		Host
 * @s:		Record; its journal is empty afterwards
 *
 * Return: 0 or a negative errno
 */
MUST_USE int host_resume(struct host *h, struct sysctl_state *s);

/**
 * host_apply_sysctl() - Carry out an operation on a setting
 * @h:		Host
 * @op:		HOST_SYSCTL_SET or HOST_SYSCTL_BACK
 * @s:		Record; brought up to date
 *
 * Return: 0; -EINVAL, told in @h->diags; -EACCES, -EPERM, -EROFS; another
 * negative errno
 */
MUST_USE int host_apply_sysctl(struct host *h, const struct host_op *op, struct sysctl_state *s);

/**
 * host_forget_foreign() - Drop records that no longer mean anything
 * @h:		Host
 * @w:		What is wanted, or NULL
 * @s:		Record; settings that are not wanted are dropped
 *
 * Return: 0 or a negative errno
 */
MUST_USE int host_forget_foreign(struct host *h, const struct host_want *w,
				 struct sysctl_state *s);

#endif /* HOST_APPLY_SYSCTL_H */
