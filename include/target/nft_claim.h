/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nft_claim - packets that the kernel leaves to the userspace NAT
 *
 * A packet socket only gets a copy: without this the kernel would answer in the
 * NAT's stead, or forward untranslated.  Packets are dropped where they enter,
 * behind the point where packet sockets see them.
 *
 * Owns:	 the table "sallyport_nat" of family netdev, which is there until the
 *		 session is closed, however that happens.
 * Does not:	 touch what is the host's own.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_CLAIM_H
#define TARGET_NFT_CLAIM_H

#include "net/addr.h"
#include "nl/session.h"

#define CLAIM_TABLE	"sallyport_nat"

/**
 * struct claim_addr - An outside address of the NAT
 * @a:		Address
 * @is_shared:	The host has it too: only the claimed ports are the NAT's
 */
struct claim_addr {
	struct addr a;
	bool is_shared;
};

/**
 * struct claim_ports - Ports of shared addresses that are the NAT's
 * @proto:	IPPROTO_TCP or IPPROTO_UDP
 * @lo:		Lowest
 * @hi:		Highest
 */
struct claim_ports {
	uint8_t proto;
	uint16_t lo;
	uint16_t hi;
};

/**
 * struct claim - What is the NAT's
 * @outside:	Interface that leads outside
 * @inside:	Interface that leads to the jails; NULL: nothing of the kernel's does
 * @local_to:	Number of the device that gets what the host and its jails send each
 *		other by claimed ports of shared addresses, behind lo's link header;
 *		0: none does
 * @drops_local: The kernel drops what the host sends itself by claimed ports of shared
 *		addresses: a socket on lo has it
 * @addrs:	Outside addresses
 * @n_addrs:	How many
 * @ports:	Claimed ports, in ascending order of protocol and port, none twice
 * @n_ports:	How many
 * @home:	Destinations of the inside that are the host's own affair, or a
 *		sibling's, in ascending order, none twice
 * @n_home:	How many
 */
struct claim {
	const char *outside;
	const char *inside;
	uint32_t local_to;
	bool drops_local;
	const struct claim_addr *addrs;
	uint32_t n_addrs;
	const struct claim_ports *ports;
	uint32_t n_ports;
	const struct prefix *home;
	uint32_t n_home;
};

/**
 * nft_claim() - Let the kernel drop what is the NAT's
 * @nl:		Session of NETLINK_NETFILTER of its own
 * @c:		What is
 * @is_there:	This session has claimed before, of the same interfaces: that ends
 *
 * One transaction, and no packet sees neither what was nor what is.
 *
 * Return: 0; -EPERM: not permitted, or another process has the table; -EEXIST: the
 * same; -EOPNOTSUPP or -EINVAL before Linux 5.12, with @c->local_to before 5.16;
 * another negative errno
 */
MUST_USE int nft_claim(struct nl_session *nl, const struct claim *c,
		       bool is_there);

#endif /* TARGET_NFT_CLAIM_H */
