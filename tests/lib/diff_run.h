/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_run - one ruleset in the lab: compile, load, send packets, compare
 *
 * Owns:	 the memory of the ruleset, until the next one.
 */
#ifndef TESTS_DIFF_RUN_H
#define TESTS_DIFF_RUN_H

#include "diff_expect.h"
#include "diff_wire.h"

#define RUN_ARRIVALS	3u

/**
 * enum diff_role - What a packet is to its flow
 * @ROLE_FIRST:	The first
 * @ROLE_AGAIN:	The first once more
 * @ROLE_REPLY:	An answer
 * @ROLE_ON:	The next in the first direction
 * @ROLE_ERROR:	An ICMP error of who received the first, which it quotes
 */
enum diff_role { ROLE_FIRST, ROLE_AGAIN, ROLE_REPLY, ROLE_ON, ROLE_ERROR, N_DIFF_ROLES };

extern const char *const diff_roles[N_DIFF_ROLES];

/** struct diff_arrival - A packet seen: @w, quoting @inner, on real interface @link or LAB_LOCAL */
struct diff_arrival {
	uint32_t link;
	struct wire w;
	struct wire inner;
};

/**
 * struct diff_probe - A packet sent, and what became of it
 * @x:		The packet and who sent it
 * @flow:	Number of its flow
 * @role:	What it is to the flow
 * @w:		As sent
 * @quoted:	ROLE_ERROR: the packet that it quotes, as it was received
 * @want:	What must become of it
 * @n_data:	How often it arrived
 * @data:	Where and how
 * @n_answers:	How often it was answered
 * @answers:	The RST, or the ICMP error
 * @send_err:	The host refused to send it: negative errno
 * @wrong:	What is wrong, NULL: nothing
 */
struct diff_probe {
	struct gen_packet x;
	uint32_t flow;
	enum diff_role role;
	struct wire w;
	struct wire quoted;
	struct diff_expect want;
	uint32_t n_data;
	struct diff_arrival data[RUN_ARRIVALS];
	uint32_t n_answers;
	struct diff_arrival answers[RUN_ARRIVALS];
	int send_err;
	const char *wrong;
};

/** enum diff_lang - What a ruleset is written in */
enum diff_lang { DIFF_PF, DIFF_IPFW };

/**
 * struct diff_ruleset - A ruleset as it was compiled and sent through
 * @lang:	Its language
 * @lines:	Its statements
 * @seed:	Of its packets
 * @n_packets:	Packets to send
 * @only_flow:	The only flow to send, or UINT32_MAX
 * @fences_off:	Policies switched off
 */
struct diff_ruleset {
	enum diff_lang lang;
	struct gen_lines lines;
	uint64_t seed;
	uint32_t n_packets;
	uint32_t only_flow;
	bool fences_off[N_POLICIES];
};

/** enum diff_outcome - How far a ruleset came */
enum diff_outcome { DIFF_RAN, DIFF_REFUSED, DIFF_INEXPRESSIBLE, DIFF_NOT_LOADED, DIFF_STALLED };

/**
 * struct diff_report - What a ruleset's packets showed
 * @outcome:	How far it came
 * @said:	Diagnostics, when it did not run
 * @probes:	Packets sent
 * @n_wrong:	Of these, wrong ones
 * @strays:	Answers to nothing that was sent
 */
struct diff_report {
	enum diff_outcome outcome;
	const char *said;
	VEC(struct diff_probe) probes;
	uint32_t n_wrong;
	uint32_t strays;
};

/**
 * struct diff_bench - Where rulesets run
 * @lab:	Namespaces
 * @facts:	The host
 * @names:	Interned names of @facts
 */
struct diff_bench {
	struct lab lab;
	struct facts facts;
	struct intern names;
};

/**
 * diff_run() - Run a ruleset
 * @b:		Bench
 * @a:		Memory for everything of this run
 * @s:		Ruleset
 * @ret:	Set whole
 */
void diff_run(struct diff_bench *b, struct arena *a, const struct diff_ruleset *s,
	      struct diff_report *ret);

#endif /* TESTS_DIFF_RUN_H */
