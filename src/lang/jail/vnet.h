/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet - the parameters of jails with a network stack of their own
 */
#ifndef LANG_JAIL_VNET_H
#define LANG_JAIL_VNET_H

#include "lang/jail/expand.h"

/**
 * jail_vnet_lower() - $address, $gateway, $bridge and vnet.interface
 * @c:		Context; told of what is wrong
 * @ps:		Parameters of the jail
 * @j:		Jail; knows already whether it has vnet, and its other addresses
 */
void jail_vnet_lower(struct lang_ctx *c, struct jail_params *ps, struct decl_jail *j);

#endif /* LANG_JAIL_VNET_H */
