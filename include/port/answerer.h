/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * answerer - answers who asks for the link address of a NAT's addresses
 *
 * For addresses that no interface has, so that no kernel answers for them: ARP
 * for IPv4, neighbour discovery for IPv6, and a word to all when it begins and when
 * somebody else says that he has one.
 *
 * Owns:	 one packet socket that sees nothing but such questions.
 * Does not:	 ask anything itself, or keep a cache.
 * Threads:	 none.
 * Normative:	 RFC 826, 5227 2.3, 2.4, 4861 4.3, 4.4, 7.1, 7.2.4.
 */
#ifndef PORT_ANSWERER_H
#define PORT_ANSWERER_H

#include "net/addr.h"
#include "port/io.h"

#define ANSWERER_MOST	64u	/* addresses */
#define ANSWERER_DEFEND_NS	UINT64_C(10000000000)	/* RFC 5227 1.1, DEFEND_INTERVAL */

/**
 * struct answerer - An answerer
 * @io:		Interface; its link address is the answer
 * @fd:		Socket, -1: closed
 * @addrs:	Addresses that are answered for
 * @n:		How many
 * @n_answers:	Answers given
 * @defended_ns: When others were last told that an address is ours after all; 0: never
 * @is_owed:	They are to be told again, once the interval is over
 * @tell:	Gets a line when somebody else says that he has one of them
 * @arg:	For @tell
 */
struct answerer {
	const struct io *io;
	int fd;
	struct addr addrs[ANSWERER_MOST];
	uint32_t n;
	uint64_t n_answers;
	uint64_t defended_ns[ANSWERER_MOST];
	bool is_owed[ANSWERER_MOST];
	void (*tell)(void *arg, const char *line);
	void *arg;
};

/**
 * answerer_open() - Listen for questions
 * @w:		Whom it tells is set by the caller, all else is zero
 * @io:		Interface, which outlives this
 * @addrs:	Addresses
 * @n:		How many
 *
 * Return: 0; -E2BIG for more than ANSWERER_MOST; -EPERM without CAP_NET_RAW; another
 * negative errno
 */
MUST_USE int answerer_open(struct answerer *w, const struct io *io, const struct addr *addrs,
			   uint32_t n);

/** answerer_close() - Listen no more */
void answerer_close(struct answerer *w);

/** answerer_tell() - Tell all neighbours where these addresses are */
void answerer_tell(struct answerer *w);

/** answerer_hear() - Answer what has come; @arg is a struct answerer */
void answerer_hear(void *arg);

/**
 * answerer_reply() - The answer to a frame
 * @w:		Answerer
 * @frame:	Frame
 * @len:	Its length, bytes
 * @out:	Filled, 86 bytes
 *
 * Return: length of the answer, 0: it is no question for us
 */
uint32_t answerer_reply(const struct answerer *w, const uint8_t *frame, uint32_t len,
			uint8_t *out);

/**
 * answerer_is_rival() - Does a frame say that its sender has one of our addresses
 * @w:		Answerer
 * @frame:	Frame
 * @len:	Its length, bytes
 * @ret_idx:	Set on success: which one
 *
 * Return: whether it does; our own word that comes back does not
 */
bool answerer_is_rival(const struct answerer *w, const uint8_t *frame, uint32_t len,
		       uint32_t *ret_idx);

/**
 * answerer_contradict() - Somebody says that he has one of our addresses
 * @w:		Answerer
 * @idx:	Which, of answerer_is_rival()
 * @frame:	Where he says so
 * @now_ns:	Time, above 0
 *
 * All are told that it is ours: now, or where they were told less than
 * ANSWERER_DEFEND_NS ago by answerer_tick().  @w->tell gets a line for the first of
 * such words, and none for those that follow it before an interval without any is over.
 */
void answerer_contradict(struct answerer *w, uint32_t idx, const uint8_t *frame,
			 uint64_t now_ns);

/** answerer_tick() - Say what had to wait; about once a second, or late */
void answerer_tick(struct answerer *w, uint64_t now_ns);

#endif /* PORT_ANSWERER_H */
