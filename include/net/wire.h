/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - numbers in a packet's memory
 *
 * Byte order:	 the memory is in network order, the values in host order.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <string.h>

#include "base/base.h"

/* Whole loads and stores: of single bytes the compiler makes what it likes, not always well */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define WIRE(bits, v)	(v)
#else
#define WIRE(bits, v)	__builtin_bswap##bits(v)
#endif

/** get16() - Two bytes as a number */
static inline uint16_t get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return WIRE(16, v);
}

/** get32() - Four bytes as a number */
static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return WIRE(32, v);
}

/** put16() - A number as two bytes */
static inline void put16(uint8_t *p, uint16_t v)
{
	const uint16_t wire = WIRE(16, v);

	memcpy(p, &wire, sizeof(wire));
}

/** put32() - A number as four bytes */
static inline void put32(uint8_t *p, uint32_t v)
{
	const uint32_t wire = WIRE(32, v);

	memcpy(p, &wire, sizeof(wire));
}

/** put64() - A number as eight bytes */
static inline void put64(uint8_t *p, uint64_t v)
{
	const uint64_t wire = WIRE(64, v);

	memcpy(p, &wire, sizeof(wire));
}

/** rotate64() - The low bits become the high ones; by 0..63 */
static inline uint64_t rotate64(uint64_t v, uint32_t by)
{
	return v << (by & 63) | v >> (-by & 63);
}

/** rotate32() - The low bits become the high ones; by 0..31 */
static inline uint32_t rotate32(uint32_t v, uint32_t by)
{
	return v << (by & 31) | v >> (-by & 31);
}

#endif /* NET_WIRE_H */
