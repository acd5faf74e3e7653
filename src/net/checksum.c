/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/checksum.h"

uint64_t csum_add(const uint8_t *p, size_t len, uint64_t sum)
{
	for (; len >= 8; p += 8, len -= 8)
		sum += (uint64_t)get32(p) + get32(p + 4);
	for (; len >= 2; p += 2, len -= 2)
		sum += get16(p);
	if (len == 1)
		sum += (uint64_t)*p << 8;
	return sum;
}

uint64_t csum_pseudo(const uint8_t *ip, uint8_t proto, uint32_t l4_len)
{
	const uint64_t sum = (uint64_t)proto + l4_len;

	return ip[0] >> 4 == 4 ? csum_add(ip + 12, 8, sum) : csum_add(ip + 8, 32, sum);
}
