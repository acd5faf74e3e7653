/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DOC: Theory of operation
 *
 * Only BATCH_END and the last message ask for an ack: an ack for each of a
 * thousand rules overruns the receive buffer although the commit succeeds.
 * Kernels before 6.10 do not ack BATCH_END, so the last message's ack stands
 * in for it there; that ack also comes when another message was refused, hence
 * the rule: committed means an ack and no error among everything that is in
 * the socket once sendmsg() has returned.  If the kernel says that it dropped
 * answers (ENOBUFS), only the ack of BATCH_END counts as success and only an
 * error as failure; otherwise the state is unknown.
 *
 * Sequence numbers are positions: BEGIN has the session's next number, message
 * i that plus i + 1.
 */
#include "nl/batch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/pages.h"

/* Room that is not touched costs nothing */
#define FIRST_BYTES	(16u << 20)
#define HUGE_FROM	(2u << 20)	/* small batches would only clear more */

void nl_batch_init(struct nl_batch *b)
{
	*b = (struct nl_batch){ .msg_bytes = NL_BATCH_MSG_BYTES };
}

void nl_batch_init_in(struct nl_batch *b, void *mem, size_t len, size_t msg_bytes)
{
	BUG_IF(len < 3 * msg_bytes || msg_bytes > NL_BATCH_MSG_BYTES);
	*b = (struct nl_batch){ .buf = mem, .lent = mem, .cap = len, .msg_bytes = msg_bytes };
}

/* Of a batch that was small: the next need not map and clear the same again */
static struct {
	uint8_t *buf;
	size_t cap;
} spare;

static void drop_buf(struct nl_batch *b)
{
	if (b->buf == NULL || b->buf == b->lent) {
		b->lent = NULL;
	} else if (spare.buf == NULL && b->len <= HUGE_FROM) {
		spare.buf = b->buf;
		spare.cap = b->cap;
	} else {
		munmap(b->buf, b->cap);
	}
}

void nl_batch_fini(struct nl_batch *b)
{
	drop_buf(b);
	free(b->cookie);
	nl_batch_init(b);
}

/* The last message's length is known once the caller has filled it */
static void finish_last(struct nl_batch *b)
{
	const struct nlmsghdr *msg = (const struct nlmsghdr *)(b->buf + b->last);

	if (b->last == 0)
		return;
	BUG_IF(msg->nlmsg_len < sizeof(*msg) || msg->nlmsg_len > b->msg_bytes);
	b->len = b->last + MNL_ALIGN(msg->nlmsg_len);
	b->last = 0;
}

/*
 * Mapped and not of the heap, for huge pages.  mremap(2) moves no map of which a part
 * alone has them.
 */
static bool grow(struct nl_batch *b, size_t cap)
{
	const size_t huge_from = b->buf == b->lent ? HUGE_FROM : 0;
	uint8_t *buf;

	if (b->buf == NULL && spare.cap >= cap) {
		b->buf = spare.buf;
		b->cap = spare.cap;
		spare.buf = NULL;
		spare.cap = 0;
		return true;
	}
	buf = mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		return false;
	(void)madvise(buf + huge_from, cap - huge_from, MADV_HUGEPAGE);
	if (b->buf != NULL) {
		memcpy(buf, b->buf, b->len);
		drop_buf(b);
	}
	b->buf = buf;
	b->cap = cap;
	b->ready = 0;
	return true;
}

void nl_batch_expect(struct nl_batch *b, size_t bytes)
{
	/* What comes behind is in huge pages, or was there before */
	const size_t most = b->buf == b->lent ? 0 : MIN(b->cap, HUGE_FROM);
	const size_t want = MIN(b->len + bytes, most);

	if (want > b->ready)
		b->ready = pages_ready(b->buf, b->ready, want, most);
}

/*
 * Room for one message after the last; only its header is cleared, for that is
 * read before it is sent.  libmnl clears what it pads.
 */
static int make_room(struct nl_batch *b)
{
	const size_t need = b->len + 2 * b->msg_bytes;

	if (need > NL_BATCH_MAX_BYTES)
		return -EMSGSIZE;
	if (need > b->cap && !grow(b, MAX(need, b->cap >= FIRST_BYTES ? 2 * b->cap : FIRST_BYTES)))
		return -ENOMEM;
	memset(b->buf + b->len, 0, sizeof(struct nlmsghdr));
	return 0;
}

static int note_cookie(struct nl_batch *b, uint32_t cookie)
{
	if (b->n == b->n_room) {
		const uint32_t room = b->n_room == 0 ? 64 : 2 * b->n_room;
		uint32_t *grown = realloc(b->cookie, room * sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		b->cookie = grown;
		b->n_room = room;
	}
	b->cookie[b->n++] = cookie;
	return 0;
}

static void put_header(void *room, uint16_t type, uint16_t flags, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(room);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(msg, sizeof(*g));

	msg->nlmsg_type = type;
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	g->res_id = htons(res_id);
}

int nl_batch_begin(struct nl_batch *b, uint8_t subsys, uint32_t genid)
{
	struct nlmsghdr *msg;
	int err;

	b->len = 0;
	b->last = 0;
	b->n = 0;
	err = make_room(b);
	if (err < 0)
		return err;
	put_header(b->buf, NFNL_MSG_BATCH_BEGIN, 0, NFPROTO_UNSPEC, subsys);
	msg = (struct nlmsghdr *)b->buf;
	if (genid != 0)
		mnl_attr_put_u32(msg, NFNL_BATCH_GENID, htonl(genid));
	b->len = MNL_ALIGN(msg->nlmsg_len);
	return 0;
}

const void *nl_batch_bytes(struct nl_batch *b, size_t *ret_len)
{
	finish_last(b);
	*ret_len = b->len;
	return b->buf;
}

int nl_batch_reserve(struct nl_batch *b, uint32_t cookie, void **ret)
{
	int err;

	BUG_IF(cookie == NL_COOKIE_NONE || b->len == 0);
	finish_last(b);
	err = make_room(b);
	if (err == 0)
		err = note_cookie(b, cookie);
	if (err < 0)
		return err;
	b->last = b->len;
	*ret = b->buf + b->last;
	return 0;
}

int nl_batch_add(struct nl_batch *b, uint16_t type, uint16_t flags, uint8_t family,
		 uint32_t cookie, struct nlmsghdr **ret)
{
	void *room;
	const int err = nl_batch_reserve(b, cookie, &room);

	if (err < 0)
		return err;
	put_header(room, type, flags, family, 0);
	*ret = room;
	return 0;
}

/* Numbers the messages and adds END after them; the length of it all */
static size_t seal(struct nl_batch *b, struct nl_session *s)
{
	const struct nfgenmsg *begin = mnl_nlmsg_get_payload((struct nlmsghdr *)b->buf);
	struct nlmsghdr *msg = NULL, *end = (struct nlmsghdr *)(b->buf + b->len);
	uint32_t seq = s->seq + 1;

	put_header(end, NFNL_MSG_BATCH_END, 0, NFPROTO_UNSPEC, ntohs(begin->res_id));
	for (size_t at = 0; at <= b->len; at += MNL_ALIGN(msg->nlmsg_len)) {
		msg = (struct nlmsghdr *)(b->buf + at);
		msg->nlmsg_flags |= NLM_F_REQUEST;
		msg->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
		if (seq >= s->seq + 1 + b->n)
			msg->nlmsg_flags |= NLM_F_ACK;
		msg->nlmsg_seq = seq++;
		msg->nlmsg_pid = s->port;
	}
	BUG_IF(seq != s->seq + b->n + 3);
	return b->len + end->nlmsg_len;
}

/**
 * struct verdict - What the answers to a batch say together
 * @first_seq:	Number of BEGIN
 * @n:		Messages between BEGIN and END
 * @has_ack:	An ack has come
 * @has_end:	END's ack has come: committed
 * @is_lossy:	Answers were dropped
 */
struct verdict {
	uint32_t first_seq;
	uint32_t n;
	bool has_ack;
	bool has_end;
	bool is_lossy;
};

static void note_failure(const struct nl_batch *b, struct nl_failure f, uint32_t position,
			 struct nl_batch_result *ret)
{
	if (position >= 1 && position <= b->n)
		f.cookie = b->cookie[position - 1];
	if (ret->n < NL_BATCH_FAILURES)
		ret->v[ret->n++] = f;
}

static void take_answer(const struct nl_batch *b, const struct nlmsghdr *msg,
			const struct nl_session *s, struct verdict *v, struct nl_batch_result *ret)
{
	const uint32_t position = msg->nlmsg_seq - v->first_seq;
	struct nl_failure f;

	if (msg->nlmsg_type != NLMSG_ERROR || msg->nlmsg_pid != s->port || position > v->n + 1)
		return;
	if (nl_failure_read(msg, &f) < 0) {
		note_failure(b, f, position, ret);
		return;
	}
	v->has_ack = true;
	v->has_end |= position == v->n + 1;
}

/* Reads until the socket is empty, or says twice in a row that it has lost something */
static int take_answers(const struct nl_batch *b, struct nl_session *s, struct verdict *v,
			struct nl_batch_result *ret)
{
	int before = 0;

	for (;;) {
		const struct nlmsghdr *msg = (const struct nlmsghdr *)s->buf;
		size_t len = 0;
		const int err = nl_receive(s, MSG_DONTWAIT, &len);
		int left = (int)len;

		if (err == -EAGAIN)
			return 0;
		if (err == -ENOBUFS && before == err)
			return err;
		before = err;
		if (err == -ENOBUFS || err == -EMSGSIZE) {
			v->is_lossy = true;
			continue;
		}
		if (err < 0)
			return err;
		for (; mnl_nlmsg_ok(msg, left); msg = mnl_nlmsg_next(msg, &left))
			take_answer(b, msg, s, v, ret);
	}
}

int nl_batch_send(struct nl_batch *b, struct nl_session *s, struct nl_batch_result *ret)
{
	struct verdict v = { 0 };
	size_t len;
	int err;

	BUG_IF(b->len == 0);
	ret->n = 0;
	finish_last(b);
	if (b->n == 0)
		return 0;
	v.first_seq = s->seq + 1;
	v.n = b->n;
	len = seal(b, s);
	s->seq += b->n + 2;
	err = nl_send(s, b->buf, len);
	if (err < 0)
		return err;
	err = take_answers(b, s, &v, ret);
	s->has_committed |= ret->n == 0;
	if (ret->n > 0) {
		s->why = ret->v[0];
		return ret->v[0].err;
	}
	s->why = (struct nl_failure){ .cookie = NL_COOKIE_NONE };
	if (v.has_end)
		return 0;
	if (err < 0)
		return err;
	return v.has_ack && !v.is_lossy ? 0 : -ENOBUFS;
}
