/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl_put - what the messages of rtnetlink are made of
 *
 * Owns:	 nothing.
 * Byte order:	 addresses are ours, and in network order in messages.
 * Threads:	 none.
 */
#ifndef NL_RTNL_PUT_H
#define NL_RTNL_PUT_H

#include <linux/rtnetlink.h>

#include "nl/rtnl.h"

/** rtnl_put_start() - A message, all zero but for its header; @flags are a request's NLM_F_* */
struct nlmsghdr *rtnl_put_start(struct rtnl_msg *m, uint16_t type, uint16_t flags);

/**
 * rtnl_put_link() - A message of a link
 * @m:		Room
 * @type:	RTM_*LINK
 * @flags:	NLM_F_*
 * @index:	The link's; 0: what follows names it
 * @ret:	Set to the link's header, or NULL
 *
 * Return: the message, for attributes
 */
struct nlmsghdr *rtnl_put_link(struct rtnl_msg *m, uint16_t type, uint16_t flags, uint32_t index,
			       struct ifinfomsg **ret);

/** rtnl_put_addr() - An attribute that is an address */
void rtnl_put_addr(struct nlmsghdr *msg, uint16_t type, struct addr a);

/** rtnl_get_addr() - What rtnl_put_addr() put; AF_NONE where @attr is NULL or too short */
struct addr rtnl_get_addr(const struct nlattr *attr, uint8_t af);

/** rtnl_family() - The kernel's number of AF_V4 or AF_V6 */
uint8_t rtnl_family(uint8_t af);

/** rtnl_af() - Ours of the kernel's number; AF_NONE for other families */
uint8_t rtnl_af(uint8_t family);

#endif /* NL_RTNL_PUT_H */
