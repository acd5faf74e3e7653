/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decl_vnet - what decl_finish() and decl_to_facts() do for vnet jails
 */
#ifndef MODEL_DECL_VNET_H
#define MODEL_DECL_VNET_H

#include "model/decl.h"

/** decl_vnets_start() - Settle the lengths of vnet jails' addresses */
void decl_vnets_start(struct decl *d, struct diags *diags);

/** decl_vnets_finish() - Name the links of vnet jails; tells of conflicts */
void decl_vnets_finish(struct decl *d, struct diags *diags);

/** decl_vnet_to_facts() - The link of an enabled vnet jail, and what is behind it */
void decl_vnet_to_facts(const struct decl_jail *j, struct facts *f);

#endif /* MODEL_DECL_VNET_H */
