/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/rtnl_put.h"

#include <libmnl/libmnl.h>
#include <string.h>
#include <sys/socket.h>

struct nlmsghdr *rtnl_put_start(struct rtnl_msg *m, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *msg;

	memset(m, 0, sizeof(*m));
	msg = mnl_nlmsg_put_header(m);
	msg->nlmsg_type = type;
	msg->nlmsg_flags = flags;
	return msg;
}

struct nlmsghdr *rtnl_put_link(struct rtnl_msg *m, uint16_t type, uint16_t flags, uint32_t index,
			       struct ifinfomsg **ret)
{
	struct nlmsghdr *msg = rtnl_put_start(m, type, flags);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(msg, sizeof(*ifi));

	ifi->ifi_index = (int)index;
	if (ret != NULL)
		*ret = ifi;
	return msg;
}

void rtnl_put_addr(struct nlmsghdr *msg, uint16_t type, struct addr a)
{
	uint8_t bytes[16];
	const size_t len = addr_to_bytes(a, bytes);

	mnl_attr_put(msg, type, len, bytes);
}

struct addr rtnl_get_addr(const struct nlattr *attr, uint8_t af)
{
	if (attr == NULL || mnl_attr_get_payload_len(attr) < addr_bits(af) / 8)
		return (struct addr){ AF_NONE, 0 };
	return addr_from_bytes(af, mnl_attr_get_payload(attr));
}

uint8_t rtnl_family(uint8_t af)
{
	return af == AF_V4 ? AF_INET : AF_INET6;
}

uint8_t rtnl_af(uint8_t family)
{
	return family == AF_INET ? AF_V4 : family == AF_INET6 ? AF_V6 : AF_NONE;
}
