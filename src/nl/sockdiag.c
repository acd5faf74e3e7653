/* SPDX-License-Identifier: BSD-2-Clause */
#include "nl/sockdiag.h"

#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* Kernel's numbers of states; a socket without connection is in "close" */
static const struct { uint8_t proto; uint32_t states; } kinds[] = {
	{ IPPROTO_TCP, 1u << TCP_LISTEN },
	{ IPPROTO_SCTP, 1u << TCP_LISTEN },
	{ IPPROTO_UDP, 1u << TCP_CLOSE },
	{ IPPROTO_UDPLITE, 1u << TCP_CLOSE },
};

struct list {
	struct arena *a;
	struct sockdiag_socks *ret;
	uint32_t from;	/* where this dump starts in the list */
	uint8_t proto;
};

static uint16_t port_of(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint8_t get_u8(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= 1 ? mnl_attr_get_u8(attr) : 0;
}

/* An address as inet_diag has it; ::ffff:a.b.c.d is a.b.c.d */
static struct addr get_addr(uint8_t family, const void *bytes)
{
	const struct addr a = addr_from_bytes(family == AF_INET ? AF_V4 : AF_V6, bytes);

	if (a.af == AF_V6 && a.v >> 32 == 0xffff)
		return (struct addr){ AF_V4, (uint32_t)a.v };
	return a;
}

static int take(const struct nlmsghdr *msg, void *arg)
{
	const struct list *l = arg;
	const struct inet_diag_msg *m = NULL;
	const struct nlattr *attr;
	struct sockdiag_sock x;
	bool v6only = false;

	if (msg == NULL) {
		l->ret->list.n = l->from;
		return 0;
	}
	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*m))
		return -EBADMSG;
	m = mnl_nlmsg_get_payload(msg);
	x = (struct sockdiag_sock){
		.proto = l->proto,
		.a = get_addr(m->idiag_family, m->id.idiag_src),
		.port = port_of(&m->id.idiag_sport),
		.ifindex = m->id.idiag_if,
		.uid = m->idiag_uid,
		.inode = m->idiag_inode,
	};
	mnl_attr_for_each(attr, msg, sizeof(*m))
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY)
			v6only = get_u8(attr) != 0;
	x.takes_v4 = x.a.af == AF_V6 && x.a.v == 0 && !v6only;
	vec_add(l->a, &l->ret->list, x);
	return 0;
}

int sockdiag_read(struct nl_session *s, struct arena *a, struct sockdiag_socks *ret)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct sockdiag_socks socks = { .n_unread = 0 };

	for (size_t i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(families); i++) {
		struct list l = { .a = a, .ret = &socks, .from = socks.list.n,
				  .proto = kinds[i / 2].proto };
		_Alignas(struct nlmsghdr) uint8_t buf[256] = { 0 };
		struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
		struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(msg, sizeof(*req));
		int err;

		msg->nlmsg_type = SOCK_DIAG_BY_FAMILY;
		req->sdiag_family = families[i % 2];
		req->sdiag_protocol = l.proto;
		req->idiag_states = kinds[i / 2].states;
		err = nl_dump(s, msg, take, &l);
		/* the module of this protocol is not there */
		if (err == -ENOENT || err == -EOPNOTSUPP || err == -EPROTONOSUPPORT)
			socks.n_unread++;
		else if (err < 0)
			return err;
	}
	*ret = socks;
	return 0;
}
