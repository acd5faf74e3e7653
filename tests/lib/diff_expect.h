/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_expect - what must become of a packet, by the model
 *
 * Takes a packet through the host: each crossing judged by model_eval(), the
 * route between them by the lab's.  Where Linux is known to differ from pf, the
 * difference has a name here, and what must happen instead is said where it
 * can be.
 *
 * Owns:	 nothing.
 */
#ifndef TESTS_DIFF_EXPECT_H
#define TESTS_DIFF_EXPECT_H

#include "diff_gen.h"

/**
 * enum diff_known - Where Linux is known to differ
 * @DK_INVALID:	conntrack has no place for the packet, so it is not translated
 * @DK_RETURN:	`block return out` of a translated packet is silent
 * @DK_FLOW:	conntrack translates a flow as its first packet, which passed
 *		without translation and state
 * @DK_LO_NAME:	What leaves for lo is judged by its translated destination's
 *		interface, lo1; in the model by that of the first one, lo
 * @DK_REROUTED: A local caller's packet is translated to another host: it never
 *		crosses lo
 * @DK_UNSUMMED: Of a protocol whose checksum the kernel does not know, it
 *		answers none
 * @DK_OWN_ERROR: Where rules answer, an ICMP error of no known flow that the host
 *		itself sends is taken for such an answer; a RST too
 * @DK_UNDONE:	Where no state is looked for or found (set skip, or only the
 *		other leg has one) pf does not undo a translation
 * @DK_SELF:	Translated so that both ends are one: the flow is its own answer
 * @DK_LO_NAT:	On lo the source was translated first, so that a local caller's
 *		rule matches only now; Linux translated the destination before
 * @DK_POOL:	The filter judges by the address that a pool gave, which is the
 *		kernel's choice
 * @DK_ANSWER:	Answers what came in without a state; a rule that makes one on its
 *		way out makes it look like an answer to a state, so no fence stops it
 * @DK_FENCED:	The answer would leave with an interior source: the egress fence
 * @DK_LIMIT:	A limit counts connections: one whose packet was lost is none,
 *		what conntrack does not track neither, and an ICMP error of ours is
 *		the connection that it is about, for a moment; sources are counted by
 *		family
 * @DK_TWICE:	Two states fit the packet
 * @DK_UNSURE:	It shares a state with a packet of which that was not compared
 */
enum diff_known {
	DK_NONE, DK_INVALID, DK_RETURN, DK_FLOW, DK_LO_NAME, DK_REROUTED, DK_UNSUMMED,
	DK_OWN_ERROR, DK_UNDONE, DK_SELF, DK_LO_NAT, DK_POOL, DK_ANSWER,
	DK_FENCED, DK_LIMIT, DK_TWICE, DK_UNSURE, N_DIFF_KNOWN
};

/** struct diff_known_info - A @name, and @text that says why */
struct diff_known_info {
	const char *name;
	const char *text;
};

extern const struct diff_known_info diff_known[N_DIFF_KNOWN];

enum diff_fate { FATE_LOST, FATE_ANSWERED, FATE_ARRIVED, FATE_ANY };

/**
 * struct diff_expect - What must become of a packet
 * @fate:	FATE_ANY: what happens is not compared, @known says why
 * @link:	FATE_ARRIVED: where; LAB_LOCAL for the host itself
 * @p:		FATE_ARRIVED: the packet there
 * @sport_lo:	Least source port (ICMP id) that it may have
 * @sport_hi:	Highest
 * @pool:	Its source is one of these; NULL: it is @p's
 * @is_fixed:	It is @p's all the same: no draw chose it
 * @dst_pool:	Its destination is one of these; NULL: it is @p's
 * @answer:	FATE_ANSWERED: what is sent back
 * @answer_link: Where that is seen; LAB_NOWHERE: nowhere
 * @known:	Named difference that had a part in it
 * @state_lo:	States that it made in the world, from
 * @state_hi:	to
 * @link_lo:	Links of nat instances that it made in the world, from
 * @link_hi:	to
 * @crossings:	Interfaces crossed
 * @replays:	Of these, by a state
 * @steps:	What decided each crossing, as text
 */
struct diff_expect {
	enum diff_fate fate;
	uint32_t link;
	struct packet p;
	uint16_t sport_lo;
	uint16_t sport_hi;
	const struct xlate *pool;
	bool is_fixed;
	const struct xlate *dst_pool;
	struct answer answer;
	uint32_t answer_link;
	enum diff_known known;
	uint32_t state_lo;
	uint32_t state_hi;
	uint32_t link_lo;
	uint32_t link_hi;
	uint32_t crossings;
	uint32_t replays;
	const char *steps;
};

/**
 * struct diff_judge - By what is judged
 * @lab:	Routes
 * @m:		Model
 * @w:		World, states kept
 * @a:		Memory
 * @unsure:	Flows of which the states are not known
 * @limits_unsure: A limited state was made that conntrack does not count
 */
struct diff_judge {
	const struct lab *lab;
	const struct model *m;
	struct world *w;
	struct arena *a;
	VEC(struct flow) unsure;
	bool limits_unsure;
};

/**
 * diff_expect() - What must become of a packet
 * @j:		By what; the world gains the states of what arrives
 * @x:		Packet as sent
 * @is_tracked:	An earlier packet of its flow arrived, so conntrack knows it
 *
 * Return: that
 */
struct diff_expect diff_expect(struct diff_judge *j, const struct gen_packet *x, bool is_tracked);

/**
 * diff_expect_error() - What must become of an ICMP error, where states are free
 * @j:		By what
 * @x:		The error
 * @quoted:	The packet that it quotes
 *
 * An error is a packet of its own for the rules; but an instance translates it with
 * the flow that it quotes, so it is judged only where that has no link.
 *
 * Return: that
 */
struct diff_expect diff_expect_error(struct diff_judge *j, const struct gen_packet *x,
				     const struct packet *quoted);

/**
 * diff_leaves() - Do the fences let a packet out that no state lets
 * @j:		By what
 * @link:	Real interface, or LAB_LOCAL
 * @p:		Packet as it leaves; direction and interface do not count
 */
bool diff_leaves(const struct diff_judge *j, uint32_t link, const struct packet *p);

/**
 * diff_learn() - Put what was chosen at random into the states
 * @j:		World that @e was told from
 * @e:		What was expected
 * @seen:	The packet as it arrived
 */
void diff_learn(struct diff_judge *j, const struct diff_expect *e, const struct packet *seen);

/** diff_line() - A packet at its first crossing, as `why --batch` reads it */
const char *diff_line(struct arena *a, const struct lab *lab, const struct gen_packet *x);

/** diff_packet() - Addresses, ports and flags of a packet as text */
const char *diff_packet(struct arena *a, const struct packet *p);

#endif /* TESTS_DIFF_EXPECT_H */
