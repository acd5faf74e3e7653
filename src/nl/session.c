/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * libmnl builds and walks messages; the socket is our own, because
 * mnl_socket_recvfrom() does not look at the sender.  Whoever may send to our
 * port could forge an ack (any process with CAP_NET_ADMIN, and any at all for
 * some protocols), so only datagrams from port 0, the kernel, are read.
 *
 * The kernel answers within sendmsg(), so an answer is there when sendmsg()
 * returns; the receive timeout is only for a kernel that breaks this.
 *
 * Who closes a socket of nf_tables waits until the kernel has freed what commits have
 * deleted: a grace period, 8 to 11 ms for one element (tests/bench/forward_add.sh).
 * nl_leave() has the kernel's collector of sockets close it, in a thread of its own:
 * the socket lies in a message that lies in the socket that it was sent to, and nobody
 * else holds either.
 */
#include "nl/session.h"

#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Missing in older kernels' headers or kernels: not asking is no failure */
static void set_option(int fd, int option)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_NETLINK, option, &on, sizeof(on));
}

static int set_buffers(struct nl_session *s)
{
	const struct timeval patience = { .tv_sec = NL_ANSWER_SECONDS };
	const int want = NL_SEND_BYTES;
	socklen_t len = sizeof(int);
	int granted;

	/* Forcing needs CAP_NET_ADMIN in the first user namespace */
	if (setsockopt(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, &want, sizeof(want)) < 0 &&
	    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want)) < 0)
		return -errno;
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	if (getsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &granted, &len) < 0)
		return -errno;
	s->send_bytes = (uint32_t)granted;
	return 0;
}

static int open_and_bind(struct nl_session *s, int protocol)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	socklen_t len = sizeof(me);

	s->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	if (s->fd < 0)
		return -errno;
	if (bind(s->fd, (struct sockaddr *)&me, sizeof(me)) < 0)
		return -errno;
	if (getsockname(s->fd, (struct sockaddr *)&me, &len) < 0)
		return -errno;
	s->port = me.nl_pid;
	set_option(s->fd, NETLINK_EXT_ACK);
	set_option(s->fd, NETLINK_CAP_ACK);
	set_option(s->fd, NETLINK_GET_STRICT_CHK);
	return set_buffers(s);
}

int nl_open(struct nl_session *s, int protocol)
{
	int err;

	s->port = 0;
	s->seq = 0;
	s->has_committed = false;
	s->why = (struct nl_failure){ .cookie = NL_COOKIE_NONE };
	s->buf = malloc(NL_BUFFER_BYTES);
	s->fd = -1;
	err = s->buf == NULL ? -ENOMEM : open_and_bind(s, protocol);
	if (err < 0)
		nl_close(s);
	return err;
}

int nl_join(struct nl_session *s, int group)
{
	if (setsockopt(s->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return -errno;
	return 0;
}

void nl_close(struct nl_session *s)
{
	base_fd_close(&s->fd);
	base_free(&s->buf);
}

/* Send @fd and the socket that receives it to itself */
static bool send_away(const int pair[2], int fd)
{
	union {
		char room[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr head;
	} control = { .room = { 0 } };
	struct iovec iov = { "", 1 };
	const struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	const int fds[2] = { fd, pair[1] };

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.head), fds, sizeof(fds));
	return sendmsg(pair[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

void nl_leave(struct nl_session *s)
{
	int pair[2];

	if (s->fd >= 0 && s->has_committed &&
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0) {
		(void)!send_away(pair, s->fd);
		nl_close(s);
		/* The sender last: closing it is what wakes the collector */
		base_fd_close(&pair[1]);
		base_fd_close(&pair[0]);
	}
	nl_close(s);
}

int nl_send(struct nl_session *s, const void *data, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;

	do {
		n = sendto(s->fd, data, len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

/* One datagram of any sender; its length, or a negative errno */
static ssize_t receive_any(struct nl_session *s, int flags, struct sockaddr_nl *from)
{
	struct iovec iov = { s->buf, NL_BUFFER_BYTES };
	struct msghdr msg = {
		.msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(s->fd, &msg, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(*from) || from->nl_family != AF_NETLINK)
		from->nl_pid = UINT32_MAX;
	if (from->nl_pid == 0 && (msg.msg_flags & MSG_TRUNC) != 0)
		return -EMSGSIZE;
	return n;
}

int nl_receive(struct nl_session *s, int flags, size_t *ret_len)
{
	struct sockaddr_nl from;
	ssize_t n;

	do {
		n = receive_any(s, flags, &from);
		if (n == -EAGAIN && (flags & MSG_DONTWAIT) == 0)
			return -ETIMEDOUT;
		if (n < 0)
			return (int)n;
	} while (from.nl_pid != 0);
	*ret_len = (size_t)n;
	return 0;
}

static int take_ack_attr(const struct nlattr *attr, void *arg)
{
	struct nl_failure *f = arg;
	const uint16_t type = mnl_attr_get_type(attr);

	if (type == NLMSGERR_ATTR_MSG && mnl_attr_validate(attr, MNL_TYPE_STRING) >= 0)
		snprintf(f->text, sizeof(f->text), "%.*s", (int)mnl_attr_get_payload_len(attr),
			 mnl_attr_get_str(attr));
	if (type == NLMSGERR_ATTR_OFFS && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
		f->offset = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

int nl_failure_read(const struct nlmsghdr *msg, struct nl_failure *ret)
{
	const bool is_done = msg->nlmsg_type == NLMSG_DONE;
	const size_t fixed = is_done ? sizeof(int) : sizeof(struct nlmsgerr);
	size_t skip = fixed;

	*ret = (struct nl_failure){ .cookie = NL_COOKIE_NONE };
	if (mnl_nlmsg_get_payload_len(msg) < fixed) {
		ret->err = -EBADMSG;
		return ret->err;
	}
	ret->err = *(const int *)mnl_nlmsg_get_payload(msg);
	if ((msg->nlmsg_flags & NLM_F_ACK_TLVS) == 0)
		return ret->err;
	if (!is_done && (msg->nlmsg_flags & NLM_F_CAPPED) == 0) {
		const struct nlmsgerr *e = mnl_nlmsg_get_payload(msg);

		if (e->msg.nlmsg_len < sizeof(e->msg))
			return ret->err;
		skip += e->msg.nlmsg_len - sizeof(e->msg);
	}
	if (skip <= mnl_nlmsg_get_payload_len(msg))
		(void)mnl_attr_parse(msg, (unsigned int)skip, take_ack_attr, ret);
	return ret->err;
}

static int request(struct nl_session *s, struct nlmsghdr *msg, uint16_t flags)
{
	s->why = (struct nl_failure){ .cookie = NL_COOKIE_NONE };
	msg->nlmsg_flags |= NLM_F_REQUEST | flags;
	msg->nlmsg_seq = ++s->seq;
	msg->nlmsg_pid = s->port;
	return nl_send(s, msg, msg->nlmsg_len);
}

/**
 * struct answers - What one request has been told so far
 * @each:	Takes messages, or NULL
 * @arg:	For @each
 * @err:	What @each, or the kernel, said first
 * @is_dump:	Ends with NLMSG_DONE
 * @is_done:	The last answer has come
 * @is_torn:	The list changed while it was read
 */
struct answers {
	nl_each_fn *each;
	void *arg;
	int err;
	bool is_dump;
	bool is_done;
	bool is_torn;
};

static void take_message(struct nl_session *s, const struct nlmsghdr *msg, struct answers *as)
{
	if (msg->nlmsg_seq != s->seq || msg->nlmsg_pid != s->port)
		return;
	as->is_torn |= (msg->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
	if (msg->nlmsg_type == NLMSG_ERROR || (msg->nlmsg_type == NLMSG_DONE && as->is_dump)) {
		const int err = nl_failure_read(msg, &s->why);

		as->is_done = true;
		if (as->err == 0)
			as->err = err;
	} else if (msg->nlmsg_type >= NLMSG_MIN_TYPE && as->each != NULL && as->err == 0) {
		as->err = as->each(msg, as->arg);
	}
}

/* Every answer is read even after an error, so that none is left for the next request */
static int take_answers(struct nl_session *s, struct answers *as)
{
	while (!as->is_done) {
		size_t len = 0;
		const int err = nl_receive(s, 0, &len);
		const struct nlmsghdr *msg = (const struct nlmsghdr *)s->buf;
		int left = (int)len;

		if (err < 0)
			return err;
		for (; mnl_nlmsg_ok(msg, left) && !as->is_done; msg = mnl_nlmsg_next(msg, &left))
			take_message(s, msg, as);
	}
	return as->err;
}

int nl_talk(struct nl_session *s, struct nlmsghdr *msg, nl_each_fn *each, void *arg)
{
	struct answers as = { .each = each, .arg = arg };
	const int err = request(s, msg, NLM_F_ACK);

	return err < 0 ? err : take_answers(s, &as);
}

int nl_dump(struct nl_session *s, struct nlmsghdr *msg, nl_each_fn *each, void *arg)
{
	for (unsigned int i = 0; i < NL_DUMP_TRIES; i++) {
		struct answers as = { .each = each, .arg = arg, .is_dump = true };
		int err = each(NULL, arg);

		if (err == 0)
			err = request(s, msg, NLM_F_DUMP);
		if (err == 0)
			err = take_answers(s, &as);
		if (err < 0 || !as.is_torn)
			return err;
	}
	return -EBUSY;
}
