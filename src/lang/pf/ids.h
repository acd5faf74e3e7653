/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids - users and groups of FreeBSD's base system by name
 *
 * Own tables: what a ruleset means must not depend on the host's /etc/passwd.
 *
 * Owns:	 nothing; constant.
 */
#ifndef LANG_PF_IDS_H
#define LANG_PF_IDS_H

#include "base/base.h"

/**
 * pf_id_find() - The number of a user or group
 * @is_group:	A group
 * @name:	Name
 * @ret:	Set on success
 *
 * Return: true, or false if there is none of that name
 */
bool pf_id_find(bool is_group, const char *name, uint32_t *ret);

#endif /* LANG_PF_IDS_H */
