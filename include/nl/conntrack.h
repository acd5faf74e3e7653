/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack - the flows that the kernel tracks
 *
 * Lists them and deletes them one by one, so that a forward that is withdrawn
 * or moved does not live on in flows that it has made.
 *
 * Owns:	 nothing; lists live in the caller's arena.
 * Does not:	 know what a mark means, or which rule made a flow.
 * Byte order:	 addresses, ports and marks are in host order here.
 * Threads:	 none.
 * Normative:	 linux/netfilter/nfnetlink_conntrack.h.
 */
#ifndef NL_CONNTRACK_H
#define NL_CONNTRACK_H

#include "base/arena.h"
#include "net/addr.h"
#include "nl/session.h"

/**
 * struct conntrack_tuple - One direction of a flow, as its packets are on the wire
 * @src:	Source
 * @dst:	Destination
 * @sport:	Source port; of ICMP the query's id; 0 for protocols without
 * @dport:	Destination port; of ICMP the query's id
 * @icmp_type:	Of ICMP only
 * @icmp_code:	Of ICMP only
 */
struct conntrack_tuple {
	struct addr src;
	struct addr dst;
	uint16_t sport;
	uint16_t dport;
	uint8_t icmp_type;
	uint8_t icmp_code;
};

/**
 * struct conntrack_count - What went in one direction; 0 without nf_conntrack_acct
 * @packets:	Packets
 * @bytes:	Bytes
 */
struct conntrack_count {
	uint64_t packets;
	uint64_t bytes;
};

/**
 * struct conntrack_flow - A flow
 * @id:		The kernel's number of it
 * @zone:	Its zone, 0: the usual one
 * @proto:	Protocol
 * @tcp_state:	TCP_CONNTRACK_*, of TCP only
 * @closed_by:	0: the first packet's sender closed first; 1: the other side;
 *		-1: none, or not known
 * @status:	IPS_*: answers were seen, it is translated, ...
 * @mark:	ct mark
 * @timeout_s:	Seconds that it still lives without packets
 * @orig:	As its first packet was
 * @reply:	As answers are: where translated, their source is what the
 *		destination became, their destination what the source became
 * @count:	[0] first packet's direction, [1] answers
 */
struct conntrack_flow {
	uint32_t id;
	uint16_t zone;
	uint8_t proto;
	uint8_t tcp_state;
	int8_t closed_by;
	uint32_t status;
	uint32_t mark;
	uint32_t timeout_s;
	struct conntrack_tuple orig;
	struct conntrack_tuple reply;
	struct conntrack_count count[2];
};

/** struct conntrack_flows - Flows in the order of the kernel */
struct conntrack_flows {
	VEC(struct conntrack_flow) list;
};

/**
 * conntrack_list() - The flows of the namespace
 * @s:		Session of NETLINK_NETFILTER, in the namespace in question
 * @a:		Memory for the list
 * @mark_any:	Only those with one of these bits in their ct mark; 0: all
 * @ret:	Set on success
 *
 * A flow that comes or goes meanwhile may be in the list or not.
 *
 * Return: 0; a kernel without conntrack has no flows; or a negative errno as
 * nl_dump()
 */
MUST_USE int conntrack_list(struct nl_session *s, struct arena *a, uint32_t mark_any,
			    struct conntrack_flows *ret);

/**
 * struct conntrack_to - Where first packets went
 * @proto:	A protocol with ports
 * @dst:	Destination
 * @dport:	Its port
 */
struct conntrack_to {
	uint8_t proto;
	struct addr dst;
	uint16_t dport;
};

/**
 * conntrack_list_to() - The flows whose first packet went to one place
 * @s:		Session of NETLINK_NETFILTER
 * @a:		Memory for the list
 * @to:		The place
 * @ret:	Set on success
 *
 * Kernels before 5.8 list all: the caller looks for itself.
 *
 * Return: as conntrack_list()
 */
MUST_USE int conntrack_list_to(struct nl_session *s, struct arena *a,
			       const struct conntrack_to *to, struct conntrack_flows *ret);

/**
 * conntrack_delete() - Forget a flow
 * @s:		Session of NETLINK_NETFILTER
 * @f:		Flow of conntrack_list()
 *
 * Its next packet is one of a new flow.  Another flow that has taken its
 * addresses and ports since is left alone.
 *
 * Return: 0; -ENOENT when it is gone already; -EPERM; as nl_talk()
 */
MUST_USE int conntrack_delete(struct nl_session *s, const struct conntrack_flow *f);

#endif /* NL_CONNTRACK_H */
