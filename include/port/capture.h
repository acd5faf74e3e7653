/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture - packets from and to capture files
 *
 * Reads pcap (microseconds and nanoseconds, either byte order) and pcapng, both
 * from streams that cannot seek, and writes either.  What a link puts before a
 * packet (Ethernet, its VLAN tags, Linux's cooked headers, nothing) is measured,
 * not taken away, so that a packet can be written again as it came.
 *
 * Owns:	 nothing; buffers live in the arena, streams are the caller's.
 * Does not:	 trust a length: a file of any bytes is read within bounds.
 * Byte order:	 of files as they say, of packets the wire's; here the host's.
 * Threads:	 none.
 * Normative:	 draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng; the LINKTYPE_
 *		 registry.
 */
#ifndef PORT_CAPTURE_H
#define PORT_CAPTURE_H

#include <stdio.h>

#include "base/arena.h"

#define LINK_NULL	0u	/* BSD's lo, tun, wg: the family as the writer's machine has it */
#define LINK_ETHERNET	1u
#define LINK_RAW_DLT	12u	/* LINKTYPE_RAW as some writers have it */
#define LINK_RAW	101u
#define LINK_LOOP	108u	/* OpenBSD's lo: the family in network order */
#define LINK_COOKED	113u
#define LINK_IPV4	228u
#define LINK_IPV6	229u
#define LINK_COOKED2	276u

/**
 * struct capture_iface - What a capture says of an interface
 * @link:	LINKTYPE of its packets
 * @snap_bytes:	Longest packet that was kept; 0: not limited
 * @tick_bits:	Its clock counts 2^-@tick_bits seconds; -1: see @tick_digits
 * @tick_digits: Its clock counts 10^-@tick_digits seconds
 * @offset_s:	Seconds to add
 */
struct capture_iface {
	uint32_t link;
	uint32_t snap_bytes;
	int16_t tick_bits;
	uint8_t tick_digits;
	int64_t offset_s;
};

/**
 * struct capture - A capture that is read
 * @in:		Stream
 * @ifaces:	Interfaces so far; a pcap has one
 * @is_ng:	It is a pcapng
 * @is_be:	Its numbers are big-endian
 * @is_nano:	Some clock in it is finer than a microsecond
 * @what:	After -EBADMSG: what is wrong with it
 * @is_cut:	After -EBADMSG: it ends too early, and all before that is whole
 * @n_records:	Records read
 * @n_bytes:	Bytes read
 * @a:		Memory
 * @buf:	Of the record at hand, LIMIT_CAPTURE_BYTES
 */
struct capture {
	FILE *in;
	VEC(struct capture_iface) ifaces;
	bool is_ng;
	bool is_be;
	bool is_nano;
	const char *what;
	bool is_cut;
	uint64_t n_records;
	uint64_t n_bytes;
	struct arena *a;
	uint8_t *buf;
};

/**
 * struct capture_record - A packet in a capture
 * @time_ns:	Since 1970
 * @iface:	Number of its interface
 * @data:	Its bytes, from the link's header on; the caller may change them,
 *		and what follows up to LIMIT_CAPTURE_BYTES
 * @len:	How many were kept
 * @wire_len:	How many there were
 */
struct capture_record {
	uint64_t time_ns;
	uint32_t iface;
	uint8_t *data;
	uint32_t len;
	uint32_t wire_len;
};

/**
 * capture_open() - Begin to read
 * @c:		Set on success; on -EBADMSG it says what is wrong
 * @a:		Memory
 * @in:		Stream, at its beginning
 *
 * Return: 0; -EBADMSG when it is no capture; -ENODATA when it is empty; another
 * negative errno of reading
 */
MUST_USE int capture_open(struct capture *c, struct arena *a, FILE *in);

/**
 * capture_next() - The next record
 * @c:		Capture
 * @r:		Set on success; its data stays until the next call
 *
 * Blocks of a pcapng that hold no packet are stepped over.
 *
 * Return: 1; 0 at the end; -EBADMSG when the file is damaged or ends within a
 * record; another negative errno of reading
 */
MUST_USE int capture_next(struct capture *c, struct capture_record *r);

/**
 * struct capture_frame - What a link puts around a packet
 * @af:		AF_V4, AF_V6, or AF_NONE: no IP packet
 * @at:		Where the IP header is; bytes before it are the link's
 */
struct capture_frame {
	uint8_t af;
	uint32_t at;
};

/** capture_knows_link() - Can capture_frame_parse() read this LINKTYPE */
bool capture_knows_link(uint32_t link);

/**
 * capture_frame_parse() - Find the IP packet
 * @link:	LINKTYPE, a known one
 * @data:	Frame
 * @len:	Its length, bytes
 *
 * Any number of VLAN tags may stand before it.
 *
 * Return: where it is; AF_NONE for what is cut off or no IP
 */
struct capture_frame capture_frame_parse(uint32_t link, const uint8_t *data, uint32_t len);

/**
 * capture_frame_turn() - Let a frame's link header lead back to its sender
 * @link:	LINKTYPE
 * @data:	Frame
 * @len:	Its length
 *
 * Ethernet addresses change places; other links have no receiver's address.
 */
void capture_frame_turn(uint32_t link, uint8_t *data, uint32_t len);

/**
 * struct capture_writer - A capture that is written
 * @out:	Stream
 * @is_ng:	As pcapng
 * @is_nano:	Times in nanoseconds, else in microseconds
 * @n_ifaces:	Interfaces written
 * @n_records:	Records written
 */
struct capture_writer {
	FILE *out;
	bool is_ng;
	bool is_nano;
	uint32_t n_ifaces;
	uint64_t n_records;
};

/**
 * capture_writer_init() - Begin to write
 * @w:		Set
 * @out:	Stream
 * @is_ng:	As pcapng
 * @is_nano:	Times in nanoseconds
 *
 * Errors of the stream show in ferror() at the end.
 */
void capture_writer_init(struct capture_writer *w, FILE *out, bool is_ng, bool is_nano);

/**
 * capture_write_iface() - Add an interface
 * @w:		Writer
 * @link:	LINKTYPE
 * @snap_bytes:	Longest packet; 0: LIMIT_CAPTURE_BYTES
 *
 * A pcap has exactly one, and it comes before the first record.
 */
void capture_write_iface(struct capture_writer *w, uint32_t link, uint32_t snap_bytes);

/** capture_write() - Add a record: of an interface written before */
void capture_write(struct capture_writer *w, const struct capture_record *r);

#endif /* PORT_CAPTURE_H */
