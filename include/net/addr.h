/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr - addresses and prefixes of IPv4 and IPv6
 *
 * Owns:	 nothing; plain values.
 * Does not:	 resolve names.
 * Byte order:	 host order; addr_to_bytes() and addr_from_bytes() are the
 *		 only places that know the wire.
 * Threads:	 none.
 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/base.h"

/* As a word is aligned: an address has 24 bytes then, not 32, and there are many */
typedef unsigned __int128 u128 __attribute__((aligned(8)));

#define AF_NONE	0	/* no address, or either family */
#define AF_V4	4
#define AF_V6	6

#define ADDR_TEXT_BYTES	64	/* holds any address, prefix, or [address]:port as text */

/**
 * struct addr - One address
 * @af:		AF_V4, AF_V6, or AF_NONE for none
 * @v:		The address as a number, 0..2^32-1 for AF_V4
 */
struct addr {
	uint8_t af;
	u128 v;
};

/**
 * struct prefix - An address and how many of its bits count
 * @a:		Address; may have host bits
 * @len:	0..addr_bits()
 */
struct prefix {
	struct addr a;
	uint8_t len;
};

/** addr_bits() - 32 for AF_V4, 128 for AF_V6 */
static inline unsigned int addr_bits(uint8_t af)
{
	return af == AF_V4 ? 32 : 128;
}

/** addr_equal() - The same address of the same family */
static inline bool addr_equal(struct addr a, struct addr b)
{
	return a.af == b.af && a.v == b.v;
}

/** addr_v4() - The IPv4 address a.b.c.d */
static inline struct addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct addr){ AF_V4, (u128)a << 24 | (u128)b << 16 | (u128)c << 8 | d };
}

/**
 * addr_parse() - Read an address
 * @s:		Text; an IPv4 address has four decimal parts without leading
 *		zeros, an IPv6 address is as in RFC 4291 2.2, no zone
 * @len:	Its length
 * @ret:	Set on success
 *
 * Return: 0 or -EINVAL
 */
MUST_USE int addr_parse(const char *s, size_t len, struct addr *ret);

/**
 * prefix_parse() - Read ADDRESS or ADDRESS/LENGTH
 * @s:		Text
 * @len:	Its length
 * @ret:	Set on success; a missing length is that of the address
 *
 * Return: 0, -EINVAL for a bad address, -ERANGE for a bad length
 */
MUST_USE int prefix_parse(const char *s, size_t len, struct prefix *ret);

/** prefix_mask() - The bits that count, as a number */
u128 prefix_mask(uint8_t af, unsigned int len);

/** prefix_first() - The lowest address of a prefix */
struct addr prefix_first(struct prefix p);

/** prefix_last() - The highest address of a prefix */
struct addr prefix_last(struct prefix p);

/** prefix_has() - Is @a in @p; false for another family */
bool prefix_has(struct prefix p, struct addr a);

/**
 * mask_to_len() - The length of a contiguous netmask
 * @mask:	Netmask as an address
 * @ret:	Set on success
 *
 * Return: 0, or -EINVAL if it has holes
 */
MUST_USE int mask_to_len(struct addr mask, uint8_t *ret);

/**
 * addr_print() - An address as text (RFC 5952 for IPv6)
 * @a:		Address; AF_NONE prints "none"
 * @buf:	At least ADDR_TEXT_BYTES
 *
 * Return: @buf
 */
char *addr_print(struct addr a, char *buf);

/** prefix_print() - ADDRESS/LENGTH as text, always with the length */
char *prefix_print(struct prefix p, char *buf);

/**
 * addr_port_print() - "A:P", "[A]:P", or "A" when @port < 0
 * @a:		Address
 * @port:	0..65535, or -1 for none
 * @buf:	At least ADDR_TEXT_BYTES
 *
 * Return: @buf
 */
char *addr_port_print(struct addr a, int32_t port, char *buf);

/** addr_to_bytes() - Wire form: 4 or 16 bytes; the length */
size_t addr_to_bytes(struct addr a, uint8_t out[16]);

/** addr_from_bytes() - From wire form; @af says how many bytes */
struct addr addr_from_bytes(uint8_t af, const uint8_t *bytes);

/** addr_is_loopback() - 127.0.0.0/8 or ::1 */
bool addr_is_loopback(struct addr a);

/** addr_is_private() - RFC 1918, RFC 6598 (100.64/10) or ULA (RFC 4193) */
bool addr_is_private(struct addr a);

/** addr_is_linklocal() - 169.254.0.0/16 or fe80::/10 */
bool addr_is_linklocal(struct addr a);

/** addr_is_multicast() - 224.0.0.0/4 or ff00::/8 */
bool addr_is_multicast(struct addr a);

#endif /* NET_ADDR_H */
