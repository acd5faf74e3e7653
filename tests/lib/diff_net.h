/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_net - rtnetlink and sysctls for the lab
 *
 * Each function aborts the test when the kernel refuses, but for lab_net_try_*.
 *
 * Does not:	 move between namespaces.
 */
#ifndef TESTS_DIFF_NET_H
#define TESTS_DIFF_NET_H

#include "diff_lab.h"

/** lab_net_veth() - A veth pair: @name here, @peer in namespace @ns, with given MACs */
int lab_net_veth(struct nl_session *s, const char *name, const uint8_t *mac, const char *peer,
		 const uint8_t *peer_mac, int ns);

/** lab_net_bridge() - A bridge without ports */
int lab_net_bridge(struct nl_session *s, const char *name);

/** lab_net_up() - Set a link up */
int lab_net_up(struct nl_session *s, const char *name);

/** lab_net_running() - Wait until a link carries packets: -ETIMEDOUT after 10 s */
int lab_net_running(const char *name);

/** lab_net_addr() - Add an address */
int lab_net_addr(struct nl_session *s, const char *name, struct prefix p);

/** lab_net_neigh() - @a is at @mac, for good */
int lab_net_neigh(struct nl_session *s, const char *name, struct addr a, const uint8_t *mac);

/** lab_net_route() - Add a route */
int lab_net_route(struct nl_session *s, const char *name, const struct lab_route *r);

/** lab_net_sysctl() - Write a sysctl of this namespace; 0 or a negative errno */
int lab_net_sysctl(const char *path, const char *value);

/** lab_net_watch() - The nftables table that shows what is delivered, to log group @group */
int lab_net_watch(struct nl_session *nft, uint16_t group);

/** lab_net_log() - A socket that reads log group @group; or a negative errno */
int lab_net_log(uint16_t group);

#define LAB_BARRIER_PROTO	253u	/* of packets that are watched at their arrival, RFC 3692 */

#endif /* TESTS_DIFF_NET_H */
