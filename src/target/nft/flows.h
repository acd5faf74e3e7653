/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows - quotas of connections, and the traffic of redirected ones
 *
 * Owns:	 nothing; lives in the program.
 * Does not:	 decide what passes: that has been decided before.
 */
#ifndef TARGET_NFT_FLOWS_H
#define TARGET_NFT_FLOWS_H

#include "target/nft/program.h"

#define TRAFFIC_SET	"traffic_"	/* how sets of traffic are named */
#define TRAFFIC_MS	(UINT64_C(3652) * 86400 * 1000)	/* a place is forgotten after ten years */

/**
 * nft_add_flows() - Chains that count and limit, where the model asks for them
 * @p:		Program
 * @m:		Model; its quotas, and whether it counts traffic
 */
void nft_add_flows(struct nft_program *p, const struct model *m);

#endif /* TARGET_NFT_FLOWS_H */
