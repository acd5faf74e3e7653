/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Hosts are looked up as every program of this host does it.  Addresses are
 * sorted: name servers turn them about at each answer, and the same rules
 * would be others each time.
 */
#include "cli/cli.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static bool read_address(const struct addrinfo *ai, struct addr *ret)
{
	if (ai->ai_family == AF_INET)
		*ret = addr_from_bytes(AF_V4, (const uint8_t *)&((const struct sockaddr_in *)
					(const void *)ai->ai_addr)->sin_addr);
	else if (ai->ai_family == AF_INET6)
		*ret = addr_from_bytes(AF_V6, (const uint8_t *)&((const struct sockaddr_in6 *)
					(const void *)ai->ai_addr)->sin6_addr);
	else
		return false;
	return true;
}

static bool is_before(struct addr x, struct addr y)
{
	return x.af != y.af ? x.af < y.af : x.v < y.v;
}

uint32_t cli_resolve(const char *name, struct addr *ret, uint32_t max)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	uint32_t n = 0;

	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return 0;
	for (const struct addrinfo *ai = list; ai != NULL && n < max; ai = ai->ai_next) {
		struct addr a;
		uint32_t i = n;

		if (!read_address(ai, &a))
			continue;
		for (; i > 0 && is_before(a, ret[i - 1]); i--)
			ret[i] = ret[i - 1];
		ret[i] = a;
		n++;
	}
	freeaddrinfo(list);
	return n;
}
