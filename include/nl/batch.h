/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch - one nfnetlink transaction
 *
 * Messages between NFNL_MSG_BATCH_BEGIN and _END are carried out as a whole or
 * not at all.  Each message carries a number of the caller's, so that a
 * refusal can be shown under what the message was made from.
 *
 * Owns:	 its buffer.
 * Does not:	 know what the messages say.
 * Byte order:	 as netlink: headers in host order.
 * Threads:	 none.
 *
 *	struct nl_batch b CLEANUP(nl_batch_fini);
 *
 *	nl_batch_init(&b);
 *	err = nl_batch_begin(&b, NFNL_SUBSYS_NFTABLES, genid);
 *	...
 *	err = nl_batch_add(&b, type, NLM_F_CREATE, NFPROTO_INET, cookie, &msg);
 *	... put attributes into msg, at most NL_BATCH_MSG_BYTES in all
 *	err = nl_batch_send(&b, session, &result);
 */
#ifndef NL_BATCH_H
#define NL_BATCH_H

#include "nl/session.h"

#define NL_BATCH_MSG_BYTES	(128u << 10)	/* room for each message; nla_len ends at 64 KiB */
#define NL_BATCH_MAX_BYTES	(1u << 30)	/* a batch over this is refused, -EMSGSIZE */
#define NL_BATCH_FAILURES	20u		/* refusals kept, LIMIT_ERRORS */

/**
 * struct nl_batch - Messages of one transaction
 * @buf:	Messages, the last one perhaps still being filled
 * @lent:	The caller's memory, if that is @buf, else NULL
 * @msg_bytes:	The longest that a message may be
 * @len:	Bytes in all messages but the last
 * @cap:	Bytes that @buf holds
 * @ready:	Bytes whose pages are there, as far as nl_batch_expect() asked
 * @last:	Offset of the last message, 0 = none or BEGIN
 * @cookie:	The caller's number of each message, by order
 * @n:		Messages, BEGIN and END not counted
 * @n_room:	Messages that @cookie has room for
 */
struct nl_batch {
	uint8_t *buf;
	uint8_t *lent;
	size_t msg_bytes;
	size_t len;
	size_t cap;
	size_t ready;
	size_t last;
	uint32_t *cookie;
	uint32_t n;
	uint32_t n_room;
};

/**
 * struct nl_batch_result - What the kernel refused
 * @n:		Refusals in @v; the kernel may name several in one batch
 * @v:		The refusals in the order of their messages
 */
struct nl_batch_result {
	uint32_t n;
	struct nl_failure v[NL_BATCH_FAILURES];
};

/** nl_batch_init() - Nothing yet; nothing is allocated */
void nl_batch_init(struct nl_batch *b);

/**
 * nl_batch_init_in() - The same, in memory of the caller's as long as that suffices
 * @b:		Batch
 * @mem:	Memory, aligned as struct nlmsghdr is; there until nl_batch_fini()
 * @len:	Its length, at least 3 * @msg_bytes
 * @msg_bytes:	The longest that a message will be, at most NL_BATCH_MSG_BYTES
 */
void nl_batch_init_in(struct nl_batch *b, void *mem, size_t len, size_t msg_bytes);

/** nl_batch_fini() - Free the buffer; for CLEANUP() */
void nl_batch_fini(struct nl_batch *b);

/**
 * nl_batch_begin() - Start a transaction, forgetting an earlier one
 * @b:		Batch
 * @subsys:	NFNL_SUBSYS_NFTABLES
 * @genid:	Generation that must still hold (nl_genid()), or 0 for any;
 *		when it does not, nl_batch_send() gives -ERESTART
 *
 * Return: 0 or -ENOMEM
 */
MUST_USE int nl_batch_begin(struct nl_batch *b, uint8_t subsys, uint32_t genid);

/**
 * nl_batch_add() - A message, its header filled in
 * @b:		Batch that was begun
 * @type:	Message type with its subsystem, NFNL_SUBSYS_NFTABLES << 8 |
 *		NFT_MSG_NEWRULE
 * @flags:	NLM_F_CREATE and the like; NLM_F_REQUEST is added
 * @family:	nfgen_family
 * @cookie:	The caller's number, given back with a refusal; any value but
 *		NL_COOKIE_NONE
 * @ret:	Set to the message on success: put attributes after its
 *		header, at most NL_BATCH_MSG_BYTES in all, before the next
 *		call with @b; it moves then
 *
 * Cost: amortised O(size).
 *
 * Return: 0, -ENOMEM, or -EMSGSIZE over NL_BATCH_MAX_BYTES
 */
MUST_USE int nl_batch_add(struct nl_batch *b, uint16_t type, uint16_t flags, uint8_t family,
			  uint32_t cookie, struct nlmsghdr **ret);

/**
 * nl_batch_expect() - Say that about @bytes more are to come
 * @b:		Batch that was begun
 * @bytes:	How many; messages do without what is wrong about it
 *
 * For many elements: their pages are had at once, and not by a fault each.
 */
void nl_batch_expect(struct nl_batch *b, size_t bytes);

/**
 * nl_batch_reserve() - A message whose header the caller writes
 * @b:		Batch that was begun
 * @cookie:	As nl_batch_add()
 * @ret:	Set to room of NL_BATCH_MSG_BYTES on success, not cleared
 *
 * For builders that insist on making the header (nftnl_nlmsg_build_hdr()).
 * Flags, sequence number and port are set when it is sent.
 *
 * Return: as nl_batch_add()
 */
MUST_USE int nl_batch_reserve(struct nl_batch *b, uint32_t cookie, void **ret);

/**
 * nl_batch_bytes() - All messages so far, BEGIN among them
 * @b:		Batch that was begun; the last message is filled
 * @ret_len:	Set
 *
 * Return: the first; valid until the next call with @b
 */
const void *nl_batch_bytes(struct nl_batch *b, size_t *ret_len);

/**
 * nl_batch_send() - Carry the transaction out
 * @b:		Batch; stays as it is, so that it can be sent again
 * @s:		Session of NETLINK_NETFILTER
 * @ret:	Set in any case: what was refused and why
 *
 * A batch without messages is not sent.
 *
 * Return: 0 when the kernel committed; the negative errno of the first
 * refusal, nothing was changed then; -ERESTART when the generation is another;
 * -EMSGSIZE when the socket's send buffer (@s->send_bytes) is too small for
 * it, nothing was changed; -ENOBUFS or -ETIMEDOUT when no clear answer came:
 * it may have been carried out, so dump and compare
 */
MUST_USE int nl_batch_send(struct nl_batch *b, struct nl_session *s, struct nl_batch_result *ret);

#endif /* NL_BATCH_H */
