/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diff_gen - rulesets and packets at random
 *
 * The same number gives the same ruleset and the same packets, on every
 * machine.  Rulesets lean to what is interesting: addresses, ports and
 * interfaces come from a small world, so that rules overlap and packets meet
 * them.
 *
 * Owns:	 nothing.
 */
#ifndef TESTS_DIFF_GEN_H
#define TESTS_DIFF_GEN_H

#include "diff_lab.h"
#include "model/eval.h"

/** struct gen - A sequence of random numbers, by its @state */
struct gen {
	uint64_t state;
};

/** gen_seed() - The sequence of a number, and of @what it is for */
struct gen gen_seed(uint64_t seed, uint64_t what);

/** gen_below() - 0..@n-1 */
uint32_t gen_below(struct gen *g, uint32_t n);

/** gen_often() - True in @percent of 100 cases */
bool gen_often(struct gen *g, uint32_t percent);

/** struct gen_lines - A ruleset, a statement a line */
struct gen_lines {
	VEC(const char *) list;
};

/** gen_facts() - The host that rulesets and packets are about */
void gen_facts(struct facts *f, struct arena *a, struct intern *names);

/** gen_routes() - Its routes and neighbours; @ret_n: how many */
const struct lab_route *gen_routes(struct arena *a, uint32_t *ret_n);

/** gen_ruleset() - A pf.conf */
void gen_ruleset(struct gen *g, struct arena *a, struct gen_lines *ret);

/** gen_tags() - A tag that a rule gives, asks for, or both, or nothing */
const char *gen_tags(struct gen *g, struct arena *a);

/** gen_chance() - A probability, or mostly nothing */
const char *gen_chance(struct gen *g);

/** gen_dense() - A pf.conf of few and broad rules, with tags and anchors */
void gen_dense(struct gen *g, struct arena *a, struct gen_lines *ret);

/** gen_runs() - A pf.conf of many rules that differ in a few values only */
void gen_runs(struct gen *g, struct arena *a, struct gen_lines *ret);

/** gen_host() - A pf.conf with the breadth of the language */
void gen_host(struct gen *g, struct arena *a, struct gen_lines *ret);

/**
 * struct gen_packet - A packet and who sends it
 * @from_host:	The host itself
 * @link:	Else: the real interface that it comes by
 * @p:		The packet; direction and interface are not set
 */
struct gen_packet {
	bool from_host;
	uint32_t link;
	struct packet p;
};

/** gen_packet() - The first packet of a flow; its source port is @sport or near it */
struct gen_packet gen_packet(struct gen *g, uint32_t number);

#endif /* TESTS_DIFF_GEN_H */
