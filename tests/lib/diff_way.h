/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_way - a packet on its way through the host, for diff_expect
 *
 * What is known of it between crossings.  Where states are free (ipfw) Linux
 * differs in other ways than where they are directed (pf): diff_free.c.
 *
 * Owns:	 nothing.
 */
#ifndef TESTS_DIFF_WAY_H
#define TESTS_DIFF_WAY_H

#include "diff_expect.h"

/**
 * struct way - A packet on its way
 * @j:		By what it is judged
 * @e:		What is expected so far
 * @p:		The packet as it is now
 * @recv:	Interface that it came by, 0: none
 * @is_own:	The host sent it
 * @is_tracked: conntrack knows its flow
 * @is_invalid: conntrack would not begin a flow with it
 * @was_translated: At some crossing
 * @is_local:	A local caller's destination was translated on its way out
 * @is_skipped: The last interface is skipped
 * @is_local_pass: And that rule passed it
 */
struct way {
	struct diff_judge *j;
	struct diff_expect *e;
	struct packet p;
	uint32_t recv;
	bool is_own;
	bool is_tracked;
	bool is_invalid;
	bool was_translated;
	bool is_local;
	bool is_skipped;
	bool is_local_pass;
};

/** diff_free_known() - Does Linux see this crossing another way, and why */
enum diff_known diff_free_known(struct way *w, const struct result *r);

/** diff_free_refused() - As refused, for free states: is there an answer, and where */
void diff_free_refused(struct way *w, const struct result *r, const struct packet *first);

/** diff_free_note() - Remember of which states and limits the packet leaves us unsure */
void diff_free_note(struct way *w, const struct packet *first);

/** diff_free_learn() - Put the port that was chosen into the links of @e */
void diff_free_learn(struct diff_judge *j, const struct diff_expect *e,
		     const struct packet *seen);

/** diff_link_name() - The name of a real interface */
const char *diff_link_name(const struct diff_judge *j, uint32_t link);

/** diff_is_summed() - May a packet of the protocol be refused with an answer */
bool diff_is_summed(uint8_t proto);

/** diff_may_be_answer() - Does it look like the kernel's own answer to a refused packet */
bool diff_may_be_answer(const struct packet *p);

#endif /* TESTS_DIFF_WAY_H */
