/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lane_writer - what the parts of a program of lanes share while they write it
 *
 * A program looks at a packet (lane_look.c, of a SYN's answer lane_greet.c), and does
 * with it what its caller says (lane.c).
 *
 * Owns:	 nothing.
 * Does not:	 load anything: see host/lane.h.
 * Byte order:	 the packet stands on the stack as it came.
 */
#ifndef HOST_LANE_WRITER_H
#define HOST_LANE_WRITER_H

#include <stddef.h>

#include "host/lane.h"
#include "host/lane_find.h"

/* Where things stand on the stack, where the IP header is aligned */
#define LANE_ETHER	14
#define LANE_IP		LANE_STACK
#define LANE_FRAME	(LANE_IP - LANE_ETHER)
#define LANE_GREETING	(-108)		/* what lane.greeted is to be, or 0 */
#define LANE_HEADER4	20
#define LANE_HEADER6	40
#define LANE_UDP_LEAST	8
#define LANE_TCP_LEAST	20
#define LANE_FIN	0x01u

#define LANE_TABLE(f)	((int)offsetof(struct lane_table, f))
#define LANE_FIELD(f)	((int)offsetof(struct lane_table, v) + (int)offsetof(struct lane, f))
#define LANE_CONTEXT(f)	((int)offsetof(struct __sk_buff, f))

/* Registers that keep their meaning over calls, beside LANE_PROTO */
#define LANE_CTX	BPF_REG_6
#define LANE_HERE	BPF_REG_7	/* the lane, as an offset of the table's lanes */
#define LANE_BASE	BPF_REG_8	/* the table */

/**
 * struct lane_writer - A program that is being written
 * @e:		Its instructions
 * @key:	Secret of the table
 * @table:	Its descriptor
 * @from:	Where packets come in
 * @to:		Where they go
 * @other:	Label: way of what takes no lane
 * @is_v6:	The part that is being written is IPv6's
 */
struct lane_writer {
	struct ebpf e;
	const uint32_t *key;
	int table;
	struct lane_end from;
	struct lane_end to;
	uint32_t other;
	bool is_v6;
};

static inline uint32_t lane_wire16(uint32_t v)
{
	return (v >> 8 & 0xff) | (v & 0xff) << 8;
}

static inline int lane_link_bytes(const struct lane_writer *w)
{
	return w->from.is_bare ? 0 : LANE_ETHER;
}

static inline int lane_l4(const struct lane_writer *w)
{
	return LANE_IP + (w->is_v6 ? LANE_HEADER6 : LANE_HEADER4);
}

static inline uint32_t lane_words(const struct lane_writer *w)
{
	return w->is_v6 ? 4 : 1;
}

static inline int lane_src_at(const struct lane_writer *w)
{
	return LANE_IP + (w->is_v6 ? 8 : 12);
}

static inline int lane_dst_at(const struct lane_writer *w)
{
	return LANE_IP + (w->is_v6 ? 24 : 16);
}

/**
 * lane_read_to() - Write: read bytes of the packet
 * @w:		Writer
 * @at:		The first, from the IP header on; a link header stands before that
 * @bytes:	How many
 * @place:	Where they are to stand, from the stack's end on
 */
void lane_read_to(struct lane_writer *w, int at, int bytes, int place);

/** lane_check_greeting() - Write: a SYN's answer is a plain one; its window's shift is kept */
void lane_check_greeting(struct lane_writer *w);

/**
 * lane_look() - Write the whole program
 * @w:		Writer, new
 * @then:	Writes what becomes of a packet that has a lane, which is in LANE_HERE
 * @otherwise:	The program's result for all else
 */
void lane_look(struct lane_writer *w, void (*then)(struct lane_writer *w), uint32_t otherwise);

#endif /* HOST_LANE_WRITER_H */
