/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rtnl - links, addresses and default routes over rtnetlink
 *
 * Lists what the namespace has, and builds the messages that change it.  A
 * message is built by one function and sent by another, so that what is sent
 * can be tested without the kernel that understands it.
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 decide anything; see host/plan.h for that.
 * Byte order:	 addresses are in host order here.
 * Threads:	 none.
 * Normative:	 rtnetlink(7); IFA_PROTO needs Linux 5.18.
 */
#ifndef NL_RTNL_H
#define NL_RTNL_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

#define RTNL_ADDR_PROTO		0x53u		/* IFA_PROTO of our addresses: 'S' */
#define RTNL_LINK_GROUP		0x53414c59u	/* IFLA_GROUP of our links: "SALY" */
#define RTNL_LINK_ALIAS		"sallyport"	/* IFLA_IFALIAS of our links */
#define RTNL_NAME_BYTES		16u		/* IFNAMSIZ */
#define RTNL_ALIAS_BYTES	256u		/* IFALIASZ */
#define RTNL_MSG_BYTES		1024u		/* holds each message built here */

/**
 * struct rtnl_link - A link
 * @index:	Interface index, > 0
 * @name:	Its name
 * @kind:	"dummy", "bridge", "veth", ...; "" for a device of its own
 * @alias:	Its ifalias, or ""
 * @flags:	IFF_UP and the like
 * @operstate:	RFC 2863: IF_OPER_UP and the like
 * @group:	Link group, 0 = default
 * @master:	Index of the bridge that it is a port of, or 0
 * @lower:	Index of the link that it stands on, as a VLAN does; 0: none
 */
struct rtnl_link {
	uint32_t index;
	char name[RTNL_NAME_BYTES];
	char kind[RTNL_NAME_BYTES];
	char alias[RTNL_ALIAS_BYTES];
	uint32_t flags;
	uint8_t operstate;
	uint32_t group;
	uint32_t master;
	uint32_t lower;
};

/**
 * struct rtnl_addr - An address of a link
 * @ifindex:	Its link
 * @p:		Address, and the length of its network
 * @peer:	Other end of a point-to-point link, or AF_NONE
 * @flags:	IFA_F_SECONDARY and the like
 * @proto:	Who set it: RTNL_ADDR_PROTO is us, IFAPROT_KERNEL_LL the
 *		kernel, 0 unknown
 * @scope:	RT_SCOPE_UNIVERSE and the like
 * @label:	IPv4 label, or ""
 */
struct rtnl_addr {
	uint32_t ifindex;
	struct prefix p;
	struct addr peer;
	uint32_t flags;
	uint8_t proto;
	uint8_t scope;
	char label[RTNL_NAME_BYTES];
};

/**
 * struct rtnl_route - A default route
 * @af:		AF_V4 or AF_V6; AF_NONE: there is none
 * @via:	Gateway, or AF_NONE; IPv4 may have a gateway of IPv6
 * @ifindex:	Its interface
 * @metric:	Priority; the lowest counts
 * @proto:	Who set it, RTPROT_RA is router advertisement
 */
struct rtnl_route {
	uint8_t af;
	struct addr via;
	uint32_t ifindex;
	uint32_t metric;
	uint8_t proto;
};

/** struct rtnl_links - Links in the order of the kernel */
struct rtnl_links {
	VEC(struct rtnl_link) list;
};

/** struct rtnl_addrs - Addresses in the order of the kernel: primaries first */
struct rtnl_addrs {
	VEC(struct rtnl_addr) list;
};

/** struct rtnl_msg - Room for one message */
struct rtnl_msg {
	_Alignas(struct nlmsghdr) uint8_t buf[RTNL_MSG_BYTES];
};

/**
 * rtnl_links_read() - All links of the namespace
 * @s:		Session of NETLINK_ROUTE
 * @a:		Memory for the list
 * @ret:	Set on success
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int rtnl_links_read(struct nl_session *s, struct arena *a, struct rtnl_links *ret);

/** rtnl_addrs_read() - All addresses of the namespace; as rtnl_links_read() */
MUST_USE int rtnl_addrs_read(struct nl_session *s, struct arena *a, struct rtnl_addrs *ret);

/**
 * rtnl_default_read() - The default route of a family
 * @s:		Session of NETLINK_ROUTE
 * @af:		AF_V4 or AF_V6
 * @ret:	Set on success: the one with the lowest metric of the main
 *		table, its first gateway where it has several
 *
 * Return: 0, or a negative errno of nl_dump()
 */
MUST_USE int rtnl_default_read(struct nl_session *s, uint8_t af, struct rtnl_route *ret);

/** rtnl_link_find() - The link named @name, or NULL */
const struct rtnl_link *rtnl_link_find(const struct rtnl_links *ls, const char *name);

/** rtnl_link_vlan() - The first VLAN that stands on the link with index @index, or NULL */
const struct rtnl_link *rtnl_link_vlan(const struct rtnl_links *ls, uint32_t index);

/** rtnl_link_at() - The link with index @index, or NULL */
const struct rtnl_link *rtnl_link_at(const struct rtnl_links *ls, uint32_t index);

/**
 * rtnl_msg_link_add() - Message: create a link of ours, down
 * @m:		Room
 * @name:	Its name, at most 15 bytes
 * @kind:	"dummy" or "bridge"; a bridge gets no multicast snooping, so
 *		that it sends no queries
 *
 * The kernel does not take an ifalias here, so RTNL_LINK_GROUP marks the link
 * from its first moment.
 *
 * Return: the message, in @m
 */
struct nlmsghdr *rtnl_msg_link_add(struct rtnl_msg *m, const char *name, const char *kind);

/**
 * rtnl_msg_link_mark() - Message: set our ifalias
 * @m:		Room
 * @index:	Link
 * @no_linklocal: Also tell IPv6 to make no fe80:: address for it; the kernel
 *		refuses this with -EAFNOSUPPORT where it has no IPv6
 *
 * Return: the message, in @m
 */
struct nlmsghdr *rtnl_msg_link_mark(struct rtnl_msg *m, uint32_t index, bool no_linklocal);

/** rtnl_msg_link_set_up() - Message: set a link up or down */
struct nlmsghdr *rtnl_msg_link_set_up(struct rtnl_msg *m, uint32_t index, bool is_up);

/** rtnl_msg_link_del() - Message: delete a link */
struct nlmsghdr *rtnl_msg_link_del(struct rtnl_msg *m, uint32_t index);

/**
 * rtnl_msg_addr_add() - Message: add an address
 * @m:		Room
 * @addr:	Address; @addr->proto marks it.  IPv6 addresses get
 *		IFA_F_NODAD: they can be used at once
 *
 * Return: the message, in @m; the kernel says -EEXIST when it is there
 */
struct nlmsghdr *rtnl_msg_addr_add(struct rtnl_msg *m, const struct rtnl_addr *addr);

/** rtnl_msg_addr_del() - Message: delete an address; -EADDRNOTAVAIL when it is not there */
struct nlmsghdr *rtnl_msg_addr_del(struct rtnl_msg *m, const struct rtnl_addr *addr);

#endif /* NL_RTNL_H */
