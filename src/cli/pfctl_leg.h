/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfctl_leg - states of pf, as legs of conntrack's flows
 *
 * Does not:	 print them (pfctl_state.c) or kill them (pfctl_kill.c).
 */
#ifndef CLI_PFCTL_LEG_H
#define CLI_PFCTL_LEG_H

#include "cli/pfctl.h"
#include "nl/conntrack.h"

/**
 * struct end - An end of a state
 * @a:		Its address as the rest of the host sees it
 * @port:	The same of its port
 * @wire:	Its address as packets on the interface have it
 * @wire_port:	The same of its port
 */
struct end {
	struct addr a;
	uint16_t port;
	struct addr wire;
	uint16_t wire_port;
};

/** struct leg - A state: from @peer[0] to @peer[1] */
struct leg {
	const struct conntrack_flow *flow;
	enum direction dir;
	struct end peer[2];
};

/** struct legs - Some of them */
struct legs {
	VEC(struct leg) list;
};

/** legs_read() - All states, with a session that is not open yet; or a negative errno */
int legs_read(struct pfctl *p, struct nl_session *nl, struct legs *ret);

/** leg_id() - The flow's number with the leg in front: each state has one of its own */
uint64_t leg_id(const struct leg *l);

/** leg_is_of_iface() - Is -i about states: they float, to pf their interface is "all" */
bool leg_is_of_iface(const struct pfctl *p);

#endif /* CLI_PFCTL_LEG_H */
