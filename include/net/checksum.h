/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum - the Internet checksum, computed and updated
 *
 * A change of fields is a *delta*: the one's complement sum of ~old + new over
 * the 16-bit words that change.  Deltas add up, and ~delta takes a change back.
 *
 * Normative:	 RFC 1071; RFC 1624 equation 3.  Its equation 2 and that of RFC
 *		 1141 give a wrong zero and are not used.
 */
#ifndef NET_CHECKSUM_H
#define NET_CHECKSUM_H

#include "net/wire.h"

/** csum_fold() - A sum of 16-bit words with its carries added in */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffffu) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/** csum_delta16() - Delta of a word that changes */
static inline uint32_t csum_delta16(uint16_t from, uint16_t to)
{
	return (uint32_t)(uint16_t)~from + to;
}

/** csum_delta32() - Delta of two words that change; wants csum_fold() */
static inline uint32_t csum_delta32(uint32_t from, uint32_t to)
{
	return csum_delta16((uint16_t)(from >> 16), (uint16_t)(to >> 16)) +
	       csum_delta16((uint16_t)from, (uint16_t)to);
}

/** csum_apply() - The checksum after changes, up to 2^15 of them (RFC 1624 equation 3) */
static inline uint16_t csum_apply(uint16_t check, uint32_t delta)
{
	uint32_t sum = (uint32_t)(uint16_t)~check + delta;

	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

/** csum_update() - csum_apply() to a checksum in a packet */
static inline void csum_update(uint8_t *at, uint32_t delta)
{
	put16(at, csum_apply(get16(at), delta));
}

/**
 * csum_add() - Sum of memory as 16-bit words, an odd last byte padded with zero
 * @p:		Memory
 * @len:	Its length in bytes, up to 2^24
 * @sum:	Start
 *
 * Return: @sum plus it, for csum_fold()
 */
uint64_t csum_add(const uint8_t *p, size_t len, uint64_t sum);

/** csum_of() - The checksum that a header of IP or L4 has: of memory after a sum */
static inline uint16_t csum_of(const uint8_t *p, size_t len, uint64_t sum)
{
	return (uint16_t)~csum_fold(csum_add(p, len, sum));
}

/**
 * csum_pseudo() - Sum of the pseudo header
 * @ip:		IP header, of IPv4 or IPv6
 * @proto:	Protocol; of IPv6: after the extension headers
 * @l4_len:	Length of what follows
 *
 * Return: the sum, for csum_fold()
 */
uint64_t csum_pseudo(const uint8_t *ip, uint8_t proto, uint32_t l4_len);

#endif /* NET_CHECKSUM_H */
