/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_read - the bytes of a packet, as rules see it
 *
 * Does not:	 say by which interface or in which direction it crosses.
 * Byte order:	 bytes are the wire's; what is set is the host's.
 * Threads:	 none.
 */
#ifndef PORT_PACKET_READ_H
#define PORT_PACKET_READ_H

#include "model/eval.h"

/**
 * packet_read() - Read the headers of a packet
 * @ip:		IP header on
 * @len:	Bytes that there are
 * @ret:	Set on success, but for where it crosses, its tags and its socket's owner,
 *		which are 0
 *
 * Return: NULL, or what keeps rules from seeing it, in words: it is cut off, or a
 * fragment behind the first
 */
const char *packet_read(const uint8_t *ip, uint32_t len, struct packet *ret);

#endif /* PORT_PACKET_READ_H */
