/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_wire - packets of the model as bytes, and back
 *
 * Each packet carries a number in its payload by which it is known again,
 * whatever became of its addresses.
 *
 * Owns:	 nothing.
 * Byte order:	 bytes are the wire's; struct packet is in host order.
 */
#ifndef TESTS_DIFF_WIRE_H
#define TESTS_DIFF_WIRE_H

#include "model/eval.h"

#define WIRE_BYTES	1024u
#define WIRE_TTL	64u	/* that packets have, and those of the kernel */
#define WIRE_DATA_BYTES	8u	/* payload: what the number is in */

/**
 * struct wire - A packet with what the model does not look at
 * @p:		The packet; direction and interfaces do not count
 * @seq:	TCP: sequence number
 * @ack:	TCP: acknowledged
 * @id:		Number in the payload, 0 = none
 */
struct wire {
	struct packet p;
	uint32_t seq;
	uint32_t ack;
	uint32_t id;
};

/**
 * struct wire_seen - A packet that was seen
 * @w:		The packet
 * @has_inner:	It is an ICMP error that quotes @inner
 * @inner:	The packet quoted, as far as it is
 */
struct wire_seen {
	struct wire w;
	bool has_inner;
	struct wire inner;
};

/**
 * wire_build() - A packet as bytes, checksums right
 * @w:		Packet
 * @inner:	For ICMP errors: IP packet to quote, or NULL
 * @inner_len:	Its length, bytes
 * @out:	WIRE_BYTES of room
 *
 * Return: bytes
 */
size_t wire_build(const struct wire *w, const uint8_t *inner, size_t inner_len, uint8_t *out);

/** wire_parse() - Read a packet; false if it is cut or no IP */
bool wire_parse(const uint8_t *data, size_t len, struct wire_seen *ret);

/** wire_set_heads() - Numbers of headers that rules may ask for, at a crossing */
void wire_set_heads(struct packet *p);

/** wire_next_seq() - Sequence number after a TCP packet: what acknowledges it */
uint32_t wire_next_seq(const struct wire *w);

#endif /* TESTS_DIFF_WIRE_H */
