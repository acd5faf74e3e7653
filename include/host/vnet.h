/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vnet - the links of jails with a network stack of their own
 *
 * A pair of veth: one end in the jail's namespace with its addresses and the way
 * out, the other on the host, routed to or a port of a bridge.
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 touch packet rules: those that fence a link stand before it comes
 *		 and go after it went.
 * Threads:	 none; a moment in another namespace is the calling thread's.
 */
#ifndef HOST_VNET_H
#define HOST_VNET_H

#include "host/apply.h"
#include "host/have.h"
#include "model/decl.h"

#define VNET_GROUP	0x53414c56u	/* link group of our ends: "SALV" */
#define VNET_GROUP_GONE	0x53414c58u	/* of those that are being deleted */
#define VNET_ALIAS	"sallyport vnet "	/* ifalias: this, what it was made of, the jail */
#define VNET_BRIDGE_ALIAS "sallyport bridge"

/**
 * struct vnet_place - The namespace of a jail, as the user says it
 * @pid:	A process in it, or NULL
 * @netns:	Its name or path, or NULL
 * @is_created:	Make one with the jail's name
 *
 * With none of them the namespace with the jail's name is it, if there is one.
 */
struct vnet_place {
	const char *pid;
	const char *netns;
	bool is_created;
};

/**
 * struct vnet_op - Something to be done
 * @is_del:	Take away, else make
 * @object:	"link epair0a of jail www"
 * @at:		Its declaration, or SPAN_NONE
 * @jail:	Jail to be linked, or NULL
 * @link:	Link to be deleted, or with @jail raised again; or NULL
 * @route:	With @link: not to be raised, this address of @jail has no route to it
 * @gateway:	With @link: not to be raised, its gateway of this family is missing
 */
struct vnet_op {
	bool is_del;
	const char *object;
	struct span at;
	const struct decl_jail *jail;
	const struct rtnl_link *link;
	const struct decl_addr *route;
	uint8_t gateway;
};

/** struct vnet_plan - What is to be done, deletions first */
struct vnet_plan {
	VEC(struct vnet_op) ops;
};

/** vnet_op_verb() - "add", "del" or "change" */
const char *vnet_op_verb(const struct vnet_op *op);

/** vnet_jail_of() - The jail that a link of ours leads to; NULL: not ours, or not finished */
const char *vnet_jail_of(const struct rtnl_link *l);

/** vnet_is_ours() - Is it the host's end of a pair of ours, finished or not */
bool vnet_is_ours(const struct rtnl_link *l);

/** vnet_is_our_bridge() - Is it a bridge that we made for jails */
bool vnet_is_our_bridge(const struct rtnl_link *l);

/**
 * vnet_plan_make() - What is to be done
 * @d:		Declarations; NULL: all that is ours goes away
 * @only:	Jails that are asked for, NULL after the last; NULL: all
 * @place:	Where the jails are
 * @h:		Host: its state says what namespaces we made
 * @have:	Its links and addresses
 * @ret:	Set
 *
 * A jail that is asked for by `apply` and has no namespace yet is told of in a
 * note, and is no operation.
 *
 * Return: 0; -EINVAL when @h->diags says why it cannot be; another negative errno
 */
MUST_USE int vnet_plan_make(const struct decl *d, const char *const *only,
			    const struct vnet_place *place, struct host *h,
			    const struct host_have *have, struct vnet_plan *ret);

/** vnet_delete() - Carry the deletions out, all at once; 0 or as host_apply() */
MUST_USE int vnet_delete(struct host *h, const struct vnet_plan *plan);

/**
 * vnet_make() - Carry the rest out
 * @h:		Host
 * @d:		Declarations
 * @only:	As vnet_plan_make()
 * @place:	As vnet_plan_make()
 * @plan:	Plan
 *
 * Jails that are asked for and have their link are made sure of, too.
 *
 * Return: 0 or as host_apply()
 */
MUST_USE int vnet_make(struct host *h, const struct decl *d, const char *const *only,
		       const struct vnet_place *place, const struct vnet_plan *plan);

/**
 * vnet_sweep() - Take namespaces away that we made for jails that are gone
 * @h:		Host
 * @d:		Declarations; NULL: all of them
 *
 * Return: 0 or a negative errno
 */
MUST_USE int vnet_sweep(struct host *h, const struct decl *d);

/** vnet_name_links() - Give vnet jails the names that their links have on this host */
void vnet_name_links(struct decl *d, const struct rtnl_links *links);

#endif /* HOST_VNET_H */
