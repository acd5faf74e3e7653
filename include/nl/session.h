/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session - a netlink socket that believes only the kernel
 *
 * One request, its answers, and the kernel's own words when it refuses.
 * Messages that do not come from the kernel, or that answer another request,
 * are ignored; an answer that was lost or cut is an error and never taken for
 * a success.
 *
 * Owns:	 its socket and its receive buffer.
 * Does not:	 know any message's contents, print, or add diagnostics.
 * Byte order:	 netlink headers are in host order.
 * Threads:	 none.
 * Normative:	 netlink(7); include/uapi/linux/netlink.h.
 */
#ifndef NL_SESSION_H
#define NL_SESSION_H

#include <linux/netlink.h>

#include "base/base.h"

#define NL_TEXT_BYTES	160u			/* kernel's words kept, with the NUL */
#define NL_BUFFER_BYTES	(64u << 10)		/* longer than any datagram of the kernel's */
#define NL_SEND_BYTES	(128u << 20)		/* socket buffer asked for */
#define NL_DUMP_TRIES	8u			/* a dump that changes under us is read again */
#define NL_ANSWER_SECONDS 30u			/* no answer at all is an error then */
#define NL_COOKIE_NONE	UINT32_MAX		/* a failure of no message in particular */

/**
 * struct nl_failure - A refusal, as the kernel words it
 * @err:	Negative errno, or 0: nothing was refused
 * @cookie:	The caller's number for the message (struct nl_batch), else
 *		NL_COOKIE_NONE
 * @offset:	Byte in the message of the attribute that it refuses, 0 = none named
 * @text:	The kernel's words (extended ack), "" when it gave none
 */
struct nl_failure {
	int err;
	uint32_t cookie;
	uint32_t offset;
	char text[NL_TEXT_BYTES];
};

/**
 * struct nl_session - One socket of one netlink protocol
 * @fd:		Socket, -1 when closed
 * @port:	Our address, as the kernel gave it
 * @seq:	Sequence number of the last request
 * @send_bytes:	What the kernel granted as the send buffer
 * @has_committed: A batch was carried out
 * @why:	The last refusal; reset by each request
 * @buf:	NL_BUFFER_BYTES for what was received last; its own while it is open
 */
struct nl_session {
	int fd;
	uint32_t port;
	uint32_t seq;
	uint32_t send_bytes;
	bool has_committed;
	struct nl_failure why;
	uint8_t *buf;
};

/**
 * nl_each_fn - Takes one answer
 * @msg:	A whole message; NULL: forget what this dump has given so far,
 *		it starts (again)
 * @arg:	The caller's
 *
 * Return: 0 to go on; a negative errno ends the request with it
 */
typedef int nl_each_fn(const struct nlmsghdr *msg, void *arg);

/**
 * nl_open() - Open a socket in the current network namespace
 * @s:		Session; set whole
 * @protocol:	NETLINK_ROUTE or NETLINK_NETFILTER
 *
 * Strict checks and extended acks are turned on where the kernel has them.
 * The send buffer is NL_SEND_BYTES where that is allowed, else what wmem_max
 * allows.
 *
 * Return: 0, or the negative errno of socket, bind or setsockopt
 */
MUST_USE int nl_open(struct nl_session *s, int protocol);

/**
 * nl_join() - Be told of changes
 * @s:		Session
 * @group:	Multicast group, RTNLGRP_LINK or NFNLGRP_NFTABLES
 *
 * Return: 0 or a negative errno
 */
MUST_USE int nl_join(struct nl_session *s, int group);

/** nl_close() - Close once; for CLEANUP() too */
void nl_close(struct nl_session *s);

/**
 * nl_leave() - As nl_close(), and do not wait for what was deleted to be freed
 * @s:		Session; not of one that owns a table, which must go at once
 *
 * What was committed stands when nl_batch_send() has returned; to free it takes the
 * kernel 10 ms more, and who closes the socket, or ends, waits for that.
 */
void nl_leave(struct nl_session *s);

/**
 * nl_talk() - Send one request and wait for its ack
 * @s:		Session
 * @msg:	Request; flags, sequence number and port are filled in
 * @each:	Takes answers before the ack; NULL when there are none to take
 * @arg:	For @each
 *
 * Return: 0 when the kernel says so; its negative errno (@s->why has the
 * words); -ENOBUFS, -EMSGSIZE when an answer was lost or cut, -ETIMEDOUT when
 * none came: then it is not known whether the request was carried out
 */
MUST_USE int nl_talk(struct nl_session *s, struct nlmsghdr *msg, nl_each_fn *each, void *arg);

/**
 * nl_dump() - Read a whole list
 * @s:		Session
 * @msg:	Request; as with nl_talk()
 * @each:	Takes each message; told NULL first, and again whenever the
 *		list changed meanwhile and is read from its start
 * @arg:	For @each
 *
 * Return: 0; -EBUSY when the list changed NL_DUMP_TRIES times; else as nl_talk()
 */
MUST_USE int nl_dump(struct nl_session *s, struct nlmsghdr *msg, nl_each_fn *each, void *arg);

/**
 * nl_receive() - One datagram from the kernel
 * @s:		Session
 * @flags:	0, or MSG_DONTWAIT
 * @ret_len:	Set to its length in @s->buf on success
 *
 * Datagrams of other senders are dropped.
 *
 * Return: 0; -EAGAIN when nothing is there (MSG_DONTWAIT); -ETIMEDOUT;
 * -ENOBUFS when the kernel dropped answers; -EMSGSIZE when one was cut
 */
MUST_USE int nl_receive(struct nl_session *s, int flags, size_t *ret_len);

/**
 * nl_send() - One datagram to the kernel
 * @s:		Session
 * @data:	Messages
 * @len:	Their length, bytes
 *
 * Return: 0; -EMSGSIZE when the send buffer is smaller; another negative errno
 */
MUST_USE int nl_send(struct nl_session *s, const void *data, size_t len);

/**
 * nl_failure_read() - The kernel's refusal in an ack
 * @msg:	A message of type NLMSG_ERROR or NLMSG_DONE
 * @ret:	Set: errno, offset and words; the cookie is NL_COOKIE_NONE
 *
 * Return: the negative errno, 0 for an ack; -EBADMSG for a message too short
 */
int nl_failure_read(const struct nlmsghdr *msg, struct nl_failure *ret);

#endif /* NL_SESSION_H */
