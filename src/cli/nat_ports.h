/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat_ports - the ports of the host's own addresses that the userspace NAT has
 *
 * Owns:	 nothing; a reservation is recorded in the state (host/natpath.h).
 * Threads:	 none.
 */
#ifndef CLI_NAT_PORTS_H
#define CLI_NAT_PORTS_H

#include "cli/host.h"

#define NAT_PORTS_LO	50001u		/* ports of an address that the host has too: */
#define NAT_PORTS_HI	65535u		/* those of pf's nat */
#define NAT_PORTS_ALL	65536u

/**
 * struct nat_port_maps - Ports as bitmaps, [0] TCP and [1] UDP
 * @lent:	Those that nat rules choose from
 * @led:	Those that lead to a jail
 */
struct nat_port_maps {
	uint8_t lent[2][NAT_PORTS_ALL / 8];
	uint8_t led[2][NAT_PORTS_ALL / 8];
};

/** nat_ports_find() - The ports that the written rules of a model speak of */
void nat_ports_find(const struct model *m, struct nat_port_maps *ret);

/** nat_ports_has() - Is a port in a bitmap; none above NAT_PORTS_ALL is */
bool nat_ports_has(const uint8_t *map, uint32_t port);

/**
 * nat_ports_compare() - Tell in a plan which ports are to be kept from others
 * @c:		Run
 * @h:		With its declarations read; a change is added where there are some
 */
void nat_ports_compare(struct cli *c, struct cli_host *h);

/** nat_ports_apply() - Keep them from others, or no longer; 0 or an exit status */
int nat_ports_apply(struct cli *c, struct cli_host *h);

#endif /* CLI_NAT_PORTS_H */
