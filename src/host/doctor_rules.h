/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_rules - what somebody else's rules do with a packet for a jail
 *
 * Owns:	 the rules it has read, until doctor_table_free().
 * Does not:	 know who sends the packet, or by which interface.
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_RULES_H
#define HOST_DOCTOR_RULES_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

struct nftnl_rule;

/**
 * struct doctor_table - A table of somebody else
 * @nl:		Session of NETLINK_NETFILTER
 * @family:	NFPROTO_INET and the like
 * @name:	Its name
 * @rules:	Set by doctor_table_read()
 */
struct doctor_table {
	struct nl_session *nl;
	uint8_t family;
	const char *name;
	VEC(struct nftnl_rule *) rules;
};

/**
 * struct doctor_probe - The first packet of a connection
 * @proto:	Protocol
 * @dst:	Where it goes
 * @port:	Its port
 * @is_translated: It has been redirected
 */
struct doctor_probe {
	uint8_t proto;
	struct addr dst;
	uint16_t port;
	bool is_translated;
};

/**
 * doctor_table_read() - Read the rules of a table
 * @t:		Table, without rules
 * @a:		Memory
 *
 * Return: 0, or a negative errno; doctor_table_free() in any case
 */
MUST_USE int doctor_table_read(struct doctor_table *t, struct arena *a);

/**
 * doctor_table_drops() - Does a rule drop or refuse a packet in a chain
 * @t:		Table that was read
 * @chain:	Base chain of it
 * @p:		Packet
 *
 * Return: the rule's handle; 0: none is known to
 */
uint64_t doctor_table_drops(const struct doctor_table *t, const char *chain,
			    const struct doctor_probe *p);

/** doctor_table_free() - Forget the rules */
void doctor_table_free(struct doctor_table *t);

#endif /* HOST_DOCTOR_RULES_H */
