/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane_find - the look into the table of lanes, as part of another program
 *
 * Owns:	 nothing.
 * Does not:	 look at anything but addresses, ports and protocol.
 */
#ifndef HOST_LANE_FIND_H
#define HOST_LANE_FIND_H

#include "host/ebpf.h"

#define LANE_STACK	(-64)		/* where the packet stands, from its IP header on */
#define LANE_PROTO	BPF_REG_9	/* its protocol */

/**
 * lane_find() - Write: has the packet on the stack a lane
 * @e:		Program; r6 stays as it is
 * @table:	Descriptor
 * @key:	Secret of the table
 * @is_v6:	It is one of IPv6
 * @other:	Where to go on without
 *
 * Only addresses and ports need to stand there.
 */
void lane_find(struct ebpf *e, int table, const uint32_t key[2], bool is_v6, uint32_t other);

#endif /* HOST_LANE_FIND_H */
