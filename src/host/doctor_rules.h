/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doctor_rules - what somebody else's rules do with a packet for a jail
 *
 * Owns:	 the rules it has read, until doctor_table_free().
 * Does not:	 guess: what a probe leaves open, no rule is taken to match.
 * Threads:	 none.
 */
#ifndef HOST_DOCTOR_RULES_H
#define HOST_DOCTOR_RULES_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

struct nftnl_rule;

/** struct doctor_chain - Rules @first to @first + @n - 1 of a table are those of a chain */
struct doctor_chain {
	const char *name;
	uint32_t first;
	uint32_t n;
};

/**
 * struct doctor_table - A table of somebody else
 * @nl:		Session of NETLINK_NETFILTER
 * @family:	NFPROTO_INET and the like
 * @name:	Its name
 * @rules:	Set by doctor_table_read(), as all below
 * @chains:	Those that have rules, by name
 */
struct doctor_table {
	struct nl_session *nl;
	uint8_t family;
	const char *name;
	VEC(struct nftnl_rule *) rules;
	VEC(struct doctor_chain) chains;
};

/**
 * struct doctor_probe - A packet, as far as it is known
 * @proto:	Protocol, 0: any
 * @src:	Where it comes from, AF_NONE: anywhere
 * @dst:	Where it goes, AF_NONE: anywhere
 * @port:	Destination port, 0: any
 * @status:	Of its connection: IPS_DST_NAT_DONE and the like
 * @is_answer:	It answers a first packet, else it is one
 * @in:		Interface that it came by, or NULL
 * @out:	Interface that it leaves by, or NULL
 * @group:	Link group of the jail's own interface of these two, 0: has none
 * @is_group_in: That is @in, else @out
 * @ether:	Type of its frame, 0: of a packet of its family
 * @is_untracked: No connection is known of it yet
 */
struct doctor_probe {
	uint8_t proto;
	struct addr src;
	struct addr dst;
	uint16_t port;
	uint32_t status;
	bool is_answer;
	const char *in;
	const char *out;
	uint32_t group;
	bool is_group_in;
	uint16_t ether;
	bool is_untracked;
};

/**
 * doctor_table_read() - Read the rules of a table
 * @t:		Table, without rules
 * @a:		Memory
 *
 * Return: 0, or a negative errno; doctor_table_free() in any case
 */
MUST_USE int doctor_table_read(struct doctor_table *t, struct arena *a);

/** enum doctor_fate - What becomes of a packet in a chain */
enum doctor_fate {
	DOCTOR_PASSES,		/* a rule accepts it */
	DOCTOR_DROPS,		/* a rule drops or refuses it */
	DOCTOR_REDIRECTS,	/* a rule gives it another destination */
	DOCTOR_ENDS,		/* none does: the chain's policy counts */
};

/**
 * doctor_table_fate() - What becomes of a packet in a chain, as far as it is known
 * @t:		Table that was read
 * @chain:	Base chain of it
 * @p:		Packet
 * @ret_handle:	Set: the rule that drops or redirects it, 0: none is known to
 * @ret_is_open: Set: a rule that was taken not to match asks for what is not known of the
 *		packet, or cannot be read
 */
enum doctor_fate doctor_table_fate(const struct doctor_table *t, const char *chain,
				   const struct doctor_probe *p, uint64_t *ret_handle,
				   bool *ret_is_open);

/** doctor_table_may_drop() - Has a table that was read any rule that drops or refuses */
bool doctor_table_may_drop(const struct doctor_table *t);

/** doctor_table_free() - Forget the rules */
void doctor_table_free(struct doctor_table *t);

#endif /* HOST_DOCTOR_RULES_H */
