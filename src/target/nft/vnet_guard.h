/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet_guard - what jails say of themselves below IP
 */
#ifndef TARGET_NFT_VNET_GUARD_H
#define TARGET_NFT_VNET_GUARD_H

#include "target/nft/program.h"

/**
 * nft_add_guards() - No jail claims another's address on its link
 * @p:		Program
 * @m:		Model; the links of its jails
 *
 * ARP and neighbour discovery of routed jails, and all frames of ports of a
 * bridge, which cross no chain of family inet.
 */
void nft_add_guards(struct nft_program *p, const struct model *m);

#endif /* TARGET_NFT_VNET_GUARD_H */
