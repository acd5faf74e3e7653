/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nft_forward - single forwards in the map that the kernel holds
 *
 * What comes one by one at run time is an element more, whatever the number of those
 * that are there: nothing else is read, compared or written.
 *
 * Owns:	 nothing.
 * Does not:	 know whether the rules lead to the map, or what else claims a place.
 * Threads:	 none.
 */
#ifndef TARGET_NFT_FORWARD_H
#define TARGET_NFT_FORWARD_H

#include "target/nft.h"

/**
 * struct nft_forward - An element
 * @proto:	Protocol
 * @outside:	Outside address
 * @port:	Outside port
 * @inside:	Where it leads, of the same family
 * @to:		Inside port
 * @comment:	As nft_forward_comment() makes it
 * @is_used:	It has counted a flow, or does not count; of nft_forward_get() only
 */
struct nft_forward {
	uint8_t proto;
	struct addr outside;
	uint16_t port;
	struct addr inside;
	uint16_t to;
	const char *comment;
	bool is_used;
};

/**
 * struct nft_forward_map - The map of a family
 * @name:	Its name, NULL: there is none
 * @n:		Elements
 */
struct nft_forward_map {
	const char *name;
	uint32_t n;
};

/**
 * nft_forward_maps() - The maps of all forwards of a program
 * @p:		Program
 * @ret:	Set on success, by family, [0] IPv4
 *
 * Return: whether each family has at most one, with all forwards
 */
bool nft_forward_maps(const struct nft_program *p, struct nft_forward_map ret[2]);

/** nft_forward_fits() - Would a map of @n elements be the same with @more */
bool nft_forward_fits(uint32_t n, uint32_t more);

/** nft_forward_comment() - The comment of a forward of line @line of the source @name */
const char *nft_forward_comment(struct arena *a, const char *name, uint32_t line,
				const char *text);

/**
 * nft_forward_put() - The attributes of a message about one element
 * @msg:	Message of type NFT_MSG_NEWSETELEM or another about elements
 * @map:	Name of the map
 * @f:		Element
 * @whole:	Where it leads and its comment too, not only its place
 */
void nft_forward_put(struct nlmsghdr *msg, const char *map, const struct nft_forward *f,
		     bool whole);

/**
 * nft_forward_find() - Is there an element for a place
 * @nl:		Session of NETLINK_NETFILTER
 * @map:	Name of the map
 * @f:		Its place; the rest is not looked at
 *
 * Return: 0; -ENOENT; another negative errno
 */
MUST_USE int nft_forward_find(struct nl_session *nl, const char *map,
			      const struct nft_forward *f);

/**
 * nft_forward_get() - Read the element of a place
 * @nl:		Session of NETLINK_NETFILTER
 * @map:	Name of the map
 * @a:		Memory
 * @f:		Its place; the rest is set on success, the comment "" where it has none
 *
 * Return: 0; -ENOENT; -EBADMSG when it is none that nft_forward_add() makes; another
 * negative errno
 */
MUST_USE int nft_forward_get(struct nl_session *nl, const char *map, struct arena *a,
			     struct nft_forward *f);

/**
 * nft_forward_add() - Add elements in one transaction
 * @nl:		Session of NETLINK_NETFILTER
 * @genid:	Generation that must still hold
 * @maps:	By family, [0] IPv4
 * @v:		Elements
 * @n:		How many, >= 1
 * @check:	Asked before it is sent; NULL: nobody is
 *
 * Return: 0; -ERESTART when the generation is another; -EEXIST; -EBADMSG: it is not
 * right; another negative errno as nl_batch_send()
 */
MUST_USE int nft_forward_add(struct nl_session *nl, uint32_t genid,
			     const struct nft_forward_map maps[2], const struct nft_forward *v,
			     uint32_t n, const struct nft_check *check);

/** nft_forward_del() - Delete elements, as nft_forward_add(); -ENOENT: one is not there */
MUST_USE int nft_forward_del(struct nl_session *nl, uint32_t genid,
			     const struct nft_forward_map maps[2], const struct nft_forward *v,
			     uint32_t n, const struct nft_check *check);

#endif /* TARGET_NFT_FORWARD_H */
