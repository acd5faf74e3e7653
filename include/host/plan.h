/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan - the difference between what is wanted and what is there
 *
 * A pure function of both: a list of operations that `plan` prints and
 * `apply` carries out.
 *
 * Owns:	 nothing; lives in the arena.
 * Does not:	 touch the host.
 * Threads:	 none.
 */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include "host/have.h"
#include "host/want.h"

/**
 * enum host_op_kind - An operation
 * @HOST_LINK_ADD:	Make a cloned loopback
 * @HOST_LINK_FINISH:	Mark it and set it up
 * @HOST_LINK_DEL:	Remove it
 * @HOST_ADDR_ADD:	Add an address
 * @HOST_ADDR_DEL:	Remove an address of ours
 * @HOST_SYSCTL_SET:	Give a setting its wanted value
 * @HOST_SYSCTL_BACK:	Put a setting back that is wanted no longer
 * @HOST_SYSCTL_RESUME:	Go on with what a killed run was putting back
 */
enum host_op_kind {
	HOST_LINK_ADD,
	HOST_LINK_FINISH,
	HOST_LINK_DEL,
	HOST_ADDR_ADD,
	HOST_ADDR_DEL,
	HOST_SYSCTL_SET,
	HOST_SYSCTL_BACK,
	HOST_SYSCTL_RESUME,
};

/**
 * struct host_op - One operation
 * @kind:	What to do
 * @object:	"address 10.0.0.2/32 on lo1", "link lo1",
 *		"sysctl net.ipv4.ip_forward=1"
 * @at:		The declaration, or SPAN_NONE
 * @name:	Link, or path of a setting
 * @value:	New value of a setting
 * @addr:	Address; its ifindex is 0 while the link is yet to be made
 */
struct host_op {
	enum host_op_kind kind;
	const char *object;
	struct span at;
	const char *name;
	const char *value;
	struct rtnl_addr addr;
};

/** struct host_plan - Operations in their order */
struct host_plan {
	VEC(struct host_op) ops;
};

/**
 * host_plan_make() - What is to be done
 * @w:		What is wanted
 * @h:		What is there
 * @a:		Memory
 * @diags:	Told of links and addresses of somebody else where ours should
 *		be, of interfaces that do not exist, and of what is used
 *		without being owned
 * @ret:	Set; with errors in @diags it must not be carried out
 *
 * Nothing is planned exactly when everything is as wanted.
 */
void host_plan_make(const struct host_want *w, const struct host_have *h, struct arena *a,
		    struct diags *diags, struct host_plan *ret);

/**
 * host_plan_destroy() - How to take away all that is ours
 * @h:		What is there
 * @a:		Memory
 * @diags:	Told of what stays: settings whose record is lost or that
 *		somebody else changed, a link that somebody else uses
 * @ret:	Set
 */
void host_plan_destroy(const struct host_have *h, struct arena *a, struct diags *diags,
		       struct host_plan *ret);

/** host_op_verb() - "add", "del" or "change" */
const char *host_op_verb(const struct host_op *op);

/** host_op_is_sysctl() - Does it change a setting, and no link or address */
bool host_op_is_sysctl(const struct host_op *op);

#endif /* HOST_PLAN_H */
