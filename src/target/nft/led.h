/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * led - base chains where translation happens elsewhere
 *
 * What is led to the userspace NAT, and what comes back from it, crosses no
 * interface that rules speak of: the NAT asks them itself, for the outside
 * interface.  So no base chain judges it at the NAT's device.
 *
 * Owns:	 nothing; lives in the program.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_LED_H
#define TARGET_NFT_LED_H

#include "target/nft/program.h"

/**
 * nft_led_base() - A base chain of family inet
 * @p:		Program
 * @name:	Its name, a literal of ours
 * @type:	"filter" or "nat"
 * @hook:	Netfilter hook
 * @prio:	Priority
 *
 * With nft_options.no_nat a chain of type filter begins by accepting what crosses
 * the NAT's device, and there is none of type nat.
 *
 * Return: the chain, or NULL: there is none
 */
struct nft_chain *nft_led_base(struct nft_program *p, const char *name, const char *type,
			       uint32_t hook, int32_t prio);

#endif /* TARGET_NFT_LED_H */
