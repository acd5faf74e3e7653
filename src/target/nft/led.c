/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * The device is known by its group and not by its name: rules are loaded before
 * it is there, under whatever name it comes, and only who may change the host's
 * links can put one into that group.
 *
 * Now and then the NAT lets the kernel send one of its packets, so that neighbours
 * are resolved (port/hops.h): in the middle of a flow that the kernel does not know,
 * which rules that keep states would refuse.  The priority of such a packet, which is
 * as hard to come by, tells it.  Marks would do too, but others use them.
 */
#include "target/nft/led.h"

#include <linux/netfilter.h>
#include <string.h>

static void accept_led(struct nft_program *p, struct nft_chain *c, enum nft_key key,
		       struct nft_value value)
{
	static const struct origin origin = { .text = "to and from the userspace NAT" };
	struct nft_stmts s = { 0 };

	stmt_match(p, &s, key, false, value);
	stmt_verdict(p, &s, NFT_V_ACCEPT, NULL);
	nft_add_rule(p, c, &s, &origin);
}

struct nft_chain *nft_led_base(struct nft_program *p, const char *name, const char *type,
			       uint32_t hook, int32_t prio)
{
	const bool is_in = hook == NF_INET_PRE_ROUTING;
	struct nft_chain *c;

	if (p->options.no_nat && strcmp(type, "nat") == 0)
		return NULL;
	c = nft_add_base(p, NFT_INET, name, type, hook, prio);
	if (!p->options.no_nat)
		return c;
	accept_led(p, c, is_in ? NFT_K_IIFGROUP : NFT_K_OIFGROUP,
		   nft_value_num(NFT_T_DEVGROUP, NFT_LED_GROUP));
	if (!is_in)
		accept_led(p, c, NFT_K_PRIORITY, nft_value_num(NFT_T_CLASSID, NFT_LED_PRIORITY));
	return c;
}
