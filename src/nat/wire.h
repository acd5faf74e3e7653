/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire - numbers in a packet's memory
 *
 * Byte order:	 the memory is in network order, the values in host order.
 */
#ifndef NAT_WIRE_H
#define NAT_WIRE_H

#include "base/base.h"

/** get16() - Two bytes as a number */
static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/** get32() - Four bytes as a number */
static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/** put16() - A number as two bytes */
static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/** put32() - A number as four bytes */
static inline void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif /* NAT_WIRE_H */
